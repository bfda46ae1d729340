"""Time of a replicate when many are fitted at once, beside one fit after the other in the same process.

Run ``OPENBLAS_NUM_THREADS=1 python benchmarks/many_fits.py``; the table is printed and written to
``benchmarks/results/many_fits.md``. For every design: microseconds of a replicate for fits in company (`refit_many`
where only the response is new, `fit_many` where the predictors are too), for Satterthwaite's and for Kenward and
Roger's tests of all of them, and the ratio of fits and Satterthwaite's tests one by one (``refit`` or ``lmer``, then
``coefficients``) to the same in company. Times are the processor's, the least of some runs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import mixedsim as ms
from mixedsim.models.many import ManyFits, fit_many, refit_many

HERE = Path(__file__).parent
SLOPES = "y ~ x + z + (x | g)"


@dataclass(frozen=True)
class Row:
    """One design: how many replicates, and how many of these one by one."""

    name: str
    n: int
    alone: int


def least(run: Callable[[], object], times: int = 3) -> float:
    """Processor seconds of the quickest of some runs."""
    found = []
    for _ in range(times):
        began = time.process_time()
        run()
        found.append(time.process_time() - began)
    return min(found)


def responses(fit: ms.LinearMixedModel, row: Row) -> str:
    """New responses on one design."""
    y = fit.simulate(row.n, seed=1)
    few = range(row.alone)
    together = least(lambda: refit_many(fit, y))
    alone = least(lambda: [fit.refit(y[k]) for k in few], 1)
    return line(row, refit_many(fit, y), together, alone, [fit.refit(y[k]) for k in few])


def redrawn(population: ms.Population, formula: str, row: Row) -> str:
    """New predictors too."""
    datasets = [population.draw(seed=k).data for k in range(row.n)]
    few = datasets[: row.alone]
    together = least(lambda: fit_many(formula, datasets))
    alone = least(lambda: [ms.lmer(formula, data) for data in few], 1)
    return line(row, fit_many(formula, datasets), together, alone, [ms.lmer(formula, data) for data in few])


def line(row: Row, many: ManyFits, together: float, alone: float, fits: Sequence[ms.LinearMixedModel]) -> str:
    """One line of the table."""
    satterthwaite = least(many.coefficients)
    kenward_roger = least(lambda: many.coefficients("kenward-roger"))
    tests = least(lambda: [fit.coefficients() for fit in fits], 1)
    ratio = (alone + tests) / row.alone / ((together + satterthwaite) / row.n)
    micro = [f"{1e6 * seconds / row.n:.0f}" for seconds in (together, satterthwaite, kenward_roger)]
    return f"| {row.name} | {many.singular.mean():.2f} | {' | '.join(micro)} | {ratio:.0f} |"


def main() -> None:
    """Print the table."""
    sleep = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    penicillin = ms.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", ms.datasets.load("Penicillin"))
    clinic = ms.Population(
        "y ~ x1 + x2 + z + (1 | g)", clusters={"g": 100}, size=50,
        variables={"x1": ms.Normal(5, 2), "x2": ms.Bernoulli(0.5), "z": ms.Integers(0, 5, level="g")},
        fixef={"Intercept": 45, "x1": 3, "x2": 10, "z": -3}, ranef={"g": {"sd": [1]}}, sigma=8,
    )  # fmt: skip
    few = ms.Population(
        "y ~ x + (1 | g)", clusters={"g": 6}, size=20, variables={"x": ms.Normal(0, 1, level="g")},
        fixef={"Intercept": 1, "x": 0.3}, ranef={"g": {"sd": [0.3]}}, sigma=2,
    )  # fmt: skip
    slopes = ms.Population(
        "y ~ x + z + (1 + x | g)", clusters={"g": 40}, size=10,
        variables={"x": ms.Normal(3, 2), "z": ms.Normal(0, 1, level="g")},
        fixef={"Intercept": 1, "x": 0.3, "z": 0.5},
        ranef={"g": {"sd": [1, 0.3], "corr": [[1, 0.3], [0.3, 1]]}}, sigma=2,
    )  # fmt: skip
    one_clinic = ms.lmer("y ~ x1 + x2 + z + (1 | g)", clinic.draw(seed=1).data)
    one_few = ms.lmer("y ~ x + (1 | g)", few.draw(seed=3).data)
    one_slopes = ms.lmer(SLOPES, slopes.draw(seed=1).data)
    rows = [
        responses(sleep, Row("sleepstudy slopes", 1000, 40)),
        responses(one_clinic, Row("100 therapists x 50", 500, 20)),
        responses(one_few, Row("6 groups x 20", 1000, 40)),
        responses(one_slopes, Row("40 x 10 slopes", 1000, 40)),
        responses(penicillin, Row("Penicillin, crossed", 1000, 40)),
        redrawn(few, "y ~ x + (1 | g)", Row("6 groups x 20, redrawn", 1000, 40)),
        redrawn(slopes, SLOPES, Row("40 x 10 slopes, redrawn", 1000, 40)),
        redrawn(clinic, "y ~ x1 + x2 + z + (1 | g)", Row("100 therapists x 50, redrawn", 200, 20)),
    ]
    boot = least(lambda: sleep.bootstrap(1000, seed=1))
    text = "\n".join(
        [
            "# Many fits at once",
            "",
            "`python benchmarks/many_fits.py`: microseconds of a replicate, and the ratio to one fit after the other.",
            f"mixedsim {ms.__version__}, NumPy {np.__version__}, Python {sys.version.split()[0]}.",
            "",
            "| design | singular | fit | Satterthwaite | Kenward-Roger | ratio |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
            f"`fit.bootstrap(1000)`, sleepstudy slopes: {1e3 * boot:.0f} ms.",
            "",
        ]
    )
    sys.stdout.write(text)
    (HERE / "results" / "many_fits.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
