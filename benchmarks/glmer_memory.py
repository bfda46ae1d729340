"""Peak memory of two crossed binomial models, each in a fresh process: persons × items, students × lecturers.

Run ``python benchmarks/glmer_memory.py [--data FOLDER]``; the table is printed and written to
``benchmarks/results/glmer_memory.md``. The folder holds ``VerbAgg.csv.gz`` and ``InstEval.csv.gz`` as R's lme4 has
them (``write.csv(lme4::VerbAgg, row.names = FALSE)``). Without it data of the same shape are drawn: 316 persons who
answer 24 items each, and 73,421 ratings of 1,128 lecturers by 2,972 students. The memory is the process's largest
resident set, less that of one which does no more than read the data.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

import mixedsim as ms

MODELS = {
    "VerbAgg": "yes ~ Anger + Gender + btype + situ + (1 | id) + (1 | item)",
    "InstEval": "good ~ service + lectage + (1 | s) + (1 | d)",
}
FACTORS = {"VerbAgg": ("Gender", "btype", "situ", "id", "item"), "InstEval": ("service", "s", "d")}
CODE = """
import json, resource, sys, time
sys.path.insert(0, {here!r})
import mixedsim as ms
from glmer_memory import FACTORS, MODELS, read
data = read({name!r}, {folder!r})
began, info = time.perf_counter(), {{}}
if {fits}:
    fit = ms.glmer(MODELS[{name!r}], data)
    info = dict(converged=bool(fit.converged), deviance=fit.deviance)
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps(dict(peak=peak, seconds=seconds, rows=len(data), **info)))
"""


def read(name: str, folder: str | None) -> pd.DataFrame:
    """The data with a response of 0 and 1."""
    data = drawn(name) if folder is None else pd.read_csv(Path(folder) / f"{name}.csv.gz")
    data = data.astype(dict.fromkeys(FACTORS[name], str))
    if name == "VerbAgg":
        return data.assign(yes=(data["r2"] == "Y").astype(int))
    return data.assign(good=(data["y"] >= 4).astype(int))


def drawn(name: str) -> pd.DataFrame:
    """Data of the same shape."""
    rng = np.random.default_rng(1)
    if name == "VerbAgg":
        person, item = np.repeat(np.arange(316), 24), np.tile(np.arange(24), 316)
        eta = rng.normal(0, 1.3, 316)[person] + rng.normal(0, 0.5, 24)[item] - 0.3
        return pd.DataFrame({
            "id": person, "item": item, "Anger": rng.integers(11, 40, 316)[person], "Gender": person % 2,
            "btype": item % 3, "situ": item // 12, "r2": np.where(rng.random(len(eta)) < expit(eta), "Y", "N"),
        })  # fmt: skip
    n = 73_421
    student, lecturer = rng.integers(0, 2972, n), rng.integers(0, 1128, n)
    latent = 3.2 + rng.normal(0, 0.3, 2972)[student] + rng.normal(0, 0.5, 1128)[lecturer] + rng.normal(0, 1.2, n)
    return pd.DataFrame({
        "s": student, "d": lecturer, "service": rng.integers(0, 2, n), "lectage": rng.integers(1, 7, n), "y": latent,
    })  # fmt: skip


def measured(name: str, folder: str | None, fits: bool) -> dict[str, float]:
    """What one fresh process tells."""
    code = CODE.format(here=str(Path(__file__).parent), name=name, folder=folder, fits=fits)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(run.stdout)
    return found


def main() -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default=None, metavar="FOLDER")
    given = parser.parse_args()
    began = time.perf_counter()
    rows = []
    for name, formula in MODELS.items():
        idle, fit = (measured(name, given.data, fits) for fits in (False, True))
        rows.append([
            f"{name}: `{formula.replace('|', chr(92) + '|')}`", f"{fit['rows']:,}", f"{fit['seconds']:.2f}",
            f"{idle['peak']:.0f}", f"{fit['peak']:.0f}", f"{fit['peak'] - idle['peak']:.0f}",
            "yes" if fit["converged"] else "no",
        ])  # fmt: skip
    head = ["model", "rows", "seconds", "data read, MiB", "fitted, MiB", "the fit, MiB", "converged"]
    what = "data of lme4's shape, drawn" if given.data is None else "lme4's data"
    text = (
        f"# Memory of a crossed binomial fit\n\n`python benchmarks/glmer_memory.py`: peak resident memory of a fresh "
        f"process, Python and libraries included;\n{what}. The response of InstEval is y ≥ 4. One core, "
        f"{time.perf_counter() - began:.0f} s in all; mixedsim {ms.__version__}, NumPy {np.__version__}.\n\n"
        + "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])
        + "\n"
    )
    sys.stdout.write(text)
    (Path(__file__).parent / "results" / "glmer_memory.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
