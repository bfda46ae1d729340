"""How the time of a study grows: with replicates, groups, rows in a group, and predictors.

Run ``python benchmarks/study_growth.py [--rounds 5] [--seed 1]``; the tables are printed and written to
``benchmarks/results/study_growth.md``. Each series changes one thing about a base design and fits the exponent b of
time ~ size^b by least squares on the logarithms; the last doubling has its own, because a constant part hides the
growth at the small end. A study of n replicates is timed with everything redrawn, and with responses alone. Beside
them stands the plain loop: draw, `lmer`, coefficient table, one after the other.

The second table is a power curve of ten points with 1,000 replicates each. The third is the peak memory of a study
that keeps its replicates in a folder (with pyarrow), or in memory, as n grows.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np

import mixedsim as ms

BASE = {"replicates": 500, "groups": 20, "rows": 10, "predictors": 1}
SERIES = {
    "replicates": (250, 500, 1000, 2000, 4000),
    "groups": (10, 20, 40, 80, 160),
    "rows": (5, 10, 20, 40, 80),
    "predictors": (1, 2, 4, 8, 16),
}
HEAD = ["series", "size", "study, all redrawn", "study, responses", "loop", "loop / all", "loop / responses"]
MEMORY_N = (500, 2000, 8000)


def population(groups: int, rows: int, predictors: int, **_: int) -> ms.Population:
    """Varying intercepts and a slope that varies, with more predictors beside it."""
    names = [f"x{k}" for k in range(predictors)]
    return ms.Population(
        f"y ~ {' + '.join(names)} + (1 + x0 | group)",
        clusters={"group": groups},
        size=rows,
        variables={name: ms.Normal(0, 1) for name in names},
        fixef={"Intercept": 1, **dict.fromkeys(names, 0.2)},
        ranef={"group": {"sd": [1, 0.5], "corr": 0.3}},
        sigma=1,
    )


def loop(pop: ms.Population, n: int, seed: int) -> None:
    """What everybody would write first."""
    for k in range(n):
        ms.lmer(pop.formula, pop.draw(seed=seed + k).data).coefficients()


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Median of some rounds, after one that warms up."""
    work()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return median(taken)


def exponents(sizes: tuple[int, ...], taken: list[float]) -> str:
    """Over the whole series, and over its last doubling."""
    x, y = np.log(sizes), np.log(taken)
    return f"{np.polyfit(x, y, 1)[0]:.2f} ({(y[-1] - y[-2]) / (x[-1] - x[-2]):.2f})"


def growth(given: argparse.Namespace) -> list[list[str]]:
    """One row a size, with an exponent in the last row of each series."""
    rows = []
    for name, sizes in SERIES.items():
        taken: dict[str, list[float]] = {"all": [], "response": []}
        for size in sizes:
            at = {**BASE, name: size}
            pop, n = population(**at), at["replicates"]
            for redraw, times in taken.items():
                times.append(seconds(lambda: ms.study(pop, n=n, seed=given.seed, redraw=redraw), given.rounds))  # noqa: B023
            alone = seconds(lambda: loop(pop, 50, given.seed), 1) * n / 50  # noqa: B023
            rows.append([
                name, f"{size:,}", *(f"{1e3 * times[-1]:.0f}" for times in taken.values()), f"{1e3 * alone:.0f}",
                f"{alone / taken['all'][-1]:.1f}", f"{alone / taken['response'][-1]:.1f}",
            ])  # fmt: skip
        rows.append([name, "exponent", *(exponents(sizes, times) for times in taken.values()), "", "", ""])
    return rows


def curve(given: argparse.Namespace) -> list[list[str]]:
    """A power curve of ten points, with and without two processes."""
    pop, sizes = population(20, 10, 1), list(range(6, 46, 4))
    rows = []
    for redraw in ("all", "response"):
        for processes in (None, 2):
            taken = seconds(
                lambda: ms.power_curve(pop, "group", sizes, n=1000, seed=given.seed, redraw=redraw, executor=processes),  # noqa: B023
                max(given.rounds // 2, 1),
            )
            rows.append([redraw, "1" if processes is None else "2", f"{taken:.2f}"])
    return rows


PEAK = """
import json, resource, sys
import mixedsim as ms
sys.path.insert(0, {here!r})
from study_growth import population
study = ms.study(population(20, 10, 1), n={n}, seed=1, redraw="response", out={out!r}, progress=False)
study.summary()
print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
"""


def memory() -> list[list[str]]:
    """Peak resident memory of a fresh process, by number of replicates."""
    rows = []
    for n in MEMORY_N:
        with tempfile.TemporaryDirectory() as folder:
            outs = (None, str(Path(folder) / "kept")) if find_spec("pyarrow") else (None,)
            peaks = []
            for out in outs:
                code = PEAK.format(here=str(Path(__file__).parent), n=n, out=out)
                run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
                peaks.append(f"{json.loads(run.stdout):.0f}")
            rows.append([f"{n:,}", *peaks, *["–"] * (2 - len(peaks))])
    return rows


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]) + "\n"


def main() -> None:
    """Print the tables and keep them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for option, value in {"rounds": 5, "seed": 1}.items():
        parser.add_argument(f"--{option}", type=int, default=value)
    given = parser.parse_args()
    base = ", ".join(f"{value:,} {name}" for name, value in BASE.items())
    text = (
        f"# Growth of a study\n\n`python benchmarks/study_growth.py`: medians of {given.rounds} runs in one process. "
        f"Base: {base};\n`y ~ x0 + … + (1 + x0 | group)`, Satterthwaite. mixedsim {ms.__version__}, NumPy "
        f"{np.__version__}.\n\n## Milliseconds\n\nloop: `draw`, `lmer` and `coefficients` one after the other. "
        "Exponents: time ~ size^b over the series, and over its last\ndoubling.\n\n"
        + markdown(HEAD,
                   growth(given))
        + "\n## A power curve of ten points, 1,000 replicates each: seconds\n\n"
        + markdown(["redrawn", "processes", "seconds"], curve(given))
        + "\n## Peak memory of a study, MiB (Python and libraries included)\n\n"
        + markdown(["replicates", "in memory", "kept in a folder"], memory())
    )  # fmt: skip
    sys.stdout.write(text)
    (Path(__file__).parent / "results" / "study_growth.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
