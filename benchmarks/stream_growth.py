"""How the time and memory of a fit grow when its rows are read in chunks: with rows, with groups, and with crossing.

Run ``python benchmarks/stream_growth.py [--rows 1e8] [--folder DIR] [--peers 1e6] [--mixedlm PYTHON]``; the tables are
printed and written to ``benchmarks/results/stream_growth.md``, the picture beside it. Every fit runs in a process of
its own, whose peak resident memory is that of Python, its libraries and the fit together. Data are drawn once into
Parquet folders (of ``--folder``, kept there), 10^5 groups with varying intercepts and slopes.

"reading" is what pyarrow takes to read the same three columns and throw them away, on the same cores, in the same
process: no fit of files can be faster. Each is timed twice: with the files in the system's page cache, where they are
when they were just written, and "from disk", after the cache has been told to forget them (Linux). With ``--peers
1e6`` lme4 (Rscript) and, with ``--mixedlm PYTHON``, mixedlm read the same rows into memory and fit them, up to so
many rows; each is given ``--patience`` seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pyarrow
from pyarrow import dataset, parquet

import mixedsim as ms

RESULTS = Path(__file__).parent / "results"
GROUPS = 100_000

FIT = """
import json, os, resource, time
from pathlib import Path
import pyarrow.dataset as dataset
import mixedsim as ms
path, formula, columns = {path!r}, {formula!r}, {columns!r}
ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
def read():
    began = time.perf_counter()
    for batch in dataset.dataset(path).to_batches(columns=columns):
        pass
    return time.perf_counter() - began
read()
reading = read()
began = time.perf_counter()
fit = ms.lmer(formula, path)
taken = time.perf_counter() - began
def forget():
    for file in Path(path).glob("*.parquet"):
        opened = os.open(file, os.O_RDONLY)
        os.fsync(opened)
        os.posix_fadvise(opened, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(opened)
forget()
cold_reading = read()
forget()
began = time.perf_counter()
ms.lmer(formula, path)
cold = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
slope = float(fit.fixef.iloc[-1])
found = dict(rows=fit.nobs, reading=reading, fit=taken, cold_reading=cold_reading, cold=cold, peak=peak)
print(json.dumps(dict(**found, slope=slope, converged=fit.converged)))
"""

MIXEDLM = """
import resource, sys, time
import pandas as pd
import mixedlm
data = pd.read_csv({path!r})
data["g"] = data["g"].astype(str)
began = time.perf_counter()
mixedlm.lmer("y ~ x + (x | g)", data)
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""

LME4 = """
suppressMessages({{library(lme4)}})
data <- read.csv({path!r})
began <- proc.time()[["elapsed"]]
fit <- lmer(y ~ x + (x | g), data, control = lmerControl(calc.derivs = FALSE))
cat(proc.time()[["elapsed"]] - began, max(as.numeric(gsub("[^0-9]", "", grep("VmHWM", readLines("/proc/self/status"),
    value = TRUE)))) / 1024)
"""


def draw(folder: Path, rows: int, groups: int, parts: int = 10, in_order: bool = False) -> Path:
    """A folder of Parquet parts: y ~ x with intercepts and slopes that vary by g; drawn once.

    Rows stand in any order, or group by group, as a simulator and most exports write them.
    """
    target = folder / f"rows-{rows}-groups-{groups}{'-in-order' if in_order else ''}"
    if target.is_dir():
        return target
    rng = np.random.default_rng(1)
    effects = rng.normal(size=(groups, 2)) * [2.0, 0.5]
    draft = Path(tempfile.mkdtemp(dir=folder))
    for part in range(parts):
        if in_order:
            g = np.sort(rng.integers(part * groups // parts, (part + 1) * groups // parts, rows // parts))
        else:
            g = rng.integers(0, groups, rows // parts)
        g = g.astype(np.int32)
        x = rng.normal(size=len(g))
        y = 3 + 2 * x + effects[g, 0] + effects[g, 1] * x + rng.normal(size=len(g)) * 4
        parquet.write_table(pyarrow.table({"y": y, "x": x, "g": g}), draft / f"part-{part}.parquet")
    draft.rename(target)
    return target


def draw_crossed(folder: Path, rows: int, many: int, few: int) -> Path:
    """The same with two crossed factors."""
    target = folder / f"crossed-{rows}-{many}-{few}"
    if target.is_dir():
        return target
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, many, rows).astype(np.int32), rng.integers(0, few, rows).astype(np.int32)
    x = rng.normal(size=rows)
    y = 1 + 0.5 * x + rng.normal(size=many)[a] + 0.7 * rng.normal(size=few)[b] + 2 * rng.normal(size=rows)
    draft = Path(tempfile.mkdtemp(dir=folder))
    parquet.write_table(pyarrow.table({"y": y, "x": x, "a": a, "b": b}), draft / "part-0.parquet")
    draft.rename(target)
    return target


def fitted(path: Path, formula: str, columns: list[str]) -> dict[str, float]:
    """One fit in a process of its own."""
    code = FIT.format(path=str(path), formula=formula, columns=columns)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(run.stdout)
    if not found["converged"]:
        raise RuntimeError(f"{path}: not converged")
    return found


def peers(folder: Path, path: Path, mixedlm: str | None, patience: float) -> list[str]:
    """Seconds and MiB of lme4 and of mixedlm on the same rows, or why there are none."""
    csv = folder / "peer.csv"
    dataset.dataset(path).to_table().to_pandas().to_csv(csv, index=False)
    out = [peer(["Rscript", "-e", LME4.format(path=str(csv))], patience)]
    out.append(peer([mixedlm, "-c", MIXEDLM.format(path=str(csv))], patience) if mixedlm else "")
    csv.unlink()
    return out


def peer(command: list[str], patience: float) -> str:
    """What a peer's process says, as long as anybody waits."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        return f"more than {patience:g} s"
    if run.returncode:
        return "failed: " + " ".join(run.stderr.split())[-60:]
    taken, peak = map(float, run.stdout.split())
    return f"{taken:.1f} s, {peak:,.0f} MiB"


def row(what: str, found: dict[str, float], beside: list[str] | None = None) -> list[str]:
    """One line of a table."""
    return [
        what, f"{found['reading']:.2f}", f"{found['fit']:.2f}", f"{found['fit'] / found['reading']:.1f}",
        f"{found['cold_reading']:.2f}", f"{found['cold']:.2f}", f"{found['cold'] / found['cold_reading']:.1f}",
        f"{1e9 * found['fit'] / found['rows']:.0f}", f"{found['peak']:,.0f}", *(beside or []),
    ]  # fmt: skip


HEAD = [
    "", "reading, s", "fit, s", "fit / reading",
    "from disk: reading, s", "fit, s", "fit / reading", "ns a row", "peak, MiB",
]  # fmt: skip


def markdown(rows: list[list[str]], beside: list[str] | None = None) -> str:
    """A table."""
    head = [*HEAD, *(beside or [])]
    return "\n".join("| " + " | ".join(one) + " |" for one in [head, ["---"] * len(head), *rows]) + "\n"


Found = list[tuple[int, dict[str, float]]]


def picture(by_rows: Found, in_order: Found, by_groups: Found, target: Path) -> None:
    """Time and memory against rows, and against groups."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.3), layout="constrained")
    n = [rows for rows, _ in by_rows]
    axes[0].loglog(n, [f["fit"] for _, f in by_rows], "o-", color="#0173b2", label="fit, rows in any order")
    axes[0].loglog(n, [f["fit"] for _, f in in_order], "^-", color="#029e73", label="fit, group by group")
    axes[0].loglog(n, [f["reading"] for _, f in by_rows], "s--", color="#6e6e6e", label="reading alone")
    axes[0].set(xlabel="rows (10⁵ groups)", ylabel="seconds")
    axes[1].semilogx(n, [f["peak"] for _, f in by_rows], "o-", color="#0173b2")
    axes[1].semilogx(n, [f["peak"] for _, f in in_order], "^-", color="#029e73")
    held = [24 * rows / 2**20 for rows in n]
    axes[1].loglog(n, held, ":", color="#6e6e6e", label="the columns in memory")
    axes[1].set(xlabel="rows (10⁵ groups)", ylabel="peak memory, MiB", xscale="log", yscale="log")
    axes[1].legend(frameon=False, fontsize=8)
    groups = [j for j, _ in by_groups]
    axes[2].loglog(groups, [f["fit"] for _, f in by_groups], "o-", color="#0173b2")
    axes[2].set(xlabel="groups (10⁷ rows, in any order)", ylabel="seconds")
    axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(target, dpi=130)


def main() -> None:
    """Print the tables and keep them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=float, default=1e8)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--peers", type=float, default=0, help="rows up to which peers are asked")
    parser.add_argument("--patience", type=float, default=600, help="seconds that a peer is given")
    parser.add_argument("--mixedlm", help="a Python that has mixedlm")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="stream-growth-"))
    folder.mkdir(parents=True, exist_ok=True)
    by_rows, in_order, beside = [], [], []
    for rows in (int(10**e) for e in np.arange(5, np.log10(given.rows) + 1e-9)):
        path = draw(folder, rows, min(GROUPS, rows // 10))
        by_rows.append((rows, fitted(path, "y ~ x + (x | g)", ["y", "x", "g"])))
        beside.append(peers(folder, path, given.mixedlm, given.patience) if rows <= given.peers else ["", ""])
        path = draw(folder, rows, min(GROUPS, rows // 10), in_order=True)
        in_order.append((rows, fitted(path, "y ~ x + (x | g)", ["y", "x", "g"])))
    by_groups = []
    for groups in (10, 1_000, 100_000, 1_000_000):
        path = draw(folder, 10_000_000, groups)
        by_groups.append((groups, fitted(path, "y ~ x + (x | g)", ["y", "x", "g"])))
    crossed = []
    for rows, many, few in ((1_000_000, 10_000, 1_000), (5_000_000, 100_000, 1_000)):
        path = draw_crossed(folder, rows, many, few)
        found = fitted(path, "y ~ x + (1 | a) + (1 | b)", ["y", "x", "a", "b"])
        crossed.append(row(f"{rows:,} rows, {many:,} × {few:,}", found))
    text = (
        "# Growth of a fit whose rows are read in chunks\n\n`python benchmarks/stream_growth.py`: Parquet on a local "
        f"disk, {os.cpu_count()} cores, one fit a process. mixedsim {ms.__version__}, NumPy {np.__version__}.\n\n"
        "## Rows: `y ~ x + (x | g)`, 10^5 groups (10^4 with 10^5 rows), in any order\n\n"
        + markdown([row(f"{n:,}", f, own) for (n, f), own in zip(by_rows, beside, strict=True)], ["lme4", "mixedlm"])
        + "\n## The same, rows group by group\n\n"
        + markdown([row(f"{n:,}", f) for n, f in in_order])
        + "\n![Time and memory against rows and groups](stream_growth.png)\n\n## Groups: 10^7 rows in any order\n\n"
        + markdown([row(f"{j:,}", f) for j, f in by_groups])
        + "\n## Crossed factors: `y ~ x + (1 | a) + (1 | b)`\n\n"
        + markdown(crossed)
    )
    sys.stdout.write(text)
    (RESULTS / "stream_growth.md").write_text(text, encoding="utf-8")
    picture(by_rows, in_order, by_groups, RESULTS / "stream_growth.png")
    if given.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
