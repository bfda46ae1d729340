"""Time of a replicate when many generalised models are fitted at once, beside one fit after the other, and beside lme4.

Run ``OPENBLAS_NUM_THREADS=1 python benchmarks/many_glmms.py``; the table is printed and written to
``benchmarks/results/many_glmms.md``. For every design: microseconds of a replicate in company (`refit_many` where only
the response is new, `fit_many` where the predictors are too) with z tests, the ratio of `glmer` (or ``refit``) with
``coefficients`` one after the other to that, which share went in company, and the largest differences between both
roads: of a log-likelihood, and of a coefficient in standard errors. Times are the processor's, in turns, the least of
some runs. lme4's times, where Rscript is there, are of its ``refit`` and ``bootMer`` on the same data.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import mixedsim as ms
from mixedsim.models.generalized_many_alone import GlmAlone
from mixedsim.models.many import ManyFits, fit_many, refit_many

HERE = Path(__file__).parent
CBPP = "incidence / size ~ period + (1 | herd)"
IN_R = """
library(lme4)
data <- read.csv("{data}"); data$period <- factor(data$period); data$herd <- factor(data$herd)
m <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), data, family = binomial, nAGQ = {nagq})
s <- simulate(m, 40, seed = 1)
one <- system.time(for (y in s) refit(m, y))[["user.self"]] / 40
boot <- system.time(bootMer(m, fixef, nsim = 40, seed = 1))[["user.self"]] / 40
cat(1e6 * one, 1e6 * boot)
"""


@dataclass(frozen=True)
class Row:
    """One design: what is fitted together, and one by one (the first few)."""

    name: str
    replicates: int
    together: Callable[[], ManyFits]
    alone: Sequence[Callable[[], ms.GeneralizedLinearMixedModel]]


def seconds(run: Callable[[], Any]) -> float:
    """Processor time of one run."""
    began = time.process_time()
    run()
    return time.process_time() - began


def line(row: Row) -> str:
    """One line of the table."""
    both = [
        (seconds(lambda: row.together().coefficients("wald")), seconds(lambda: [f().coefficients() for f in row.alone]))
        for _ in range(3)
    ]
    together, alone = (min(times) for times in zip(*both, strict=True))
    many, fits = row.together(), [fit() for fit in row.alone]
    known = [k for k, fit in enumerate(fits) if fit.converged and many.converged[k]]
    own = many.coefficients("wald")
    far = max(abs(many.loglik[k] - fits[k].loglik) for k in known)
    off = max(float((np.abs(own.estimate[k] - fits[k].fixef) / np.sqrt(np.diag(fits[k].vcov))).max()) for k in known)
    flags = all(many.singular[k] == fits[k].singular for k in known)
    share = sum(len(one.replicates) for one in many.portions if not isinstance(one, GlmAlone)) / row.replicates
    micro, ratio = 1e6 * together / row.replicates, alone / len(fits) / (together / row.replicates)
    digits = f"{far:.0e} | {off:.0e} | {'yes' if flags else 'no'}"
    return f"| {row.name} | {share:.2f} | {many.singular.mean():.2f} | {micro:.0f} | {ratio:.0f} | {digits} |"


def responses(name: str, fit: ms.GeneralizedLinearMixedModel, n: int, few: int) -> Row:
    """New responses on one design."""
    y = fit.simulate(n, seed=1).to_numpy()
    return Row(name, n, lambda: refit_many(fit, y), [lambda k=k: fit.refit(y[:, k]) for k in range(few)])


def redrawn(name: str, population: ms.Population, formula: str, family: Any, n: int, few: int) -> Row:
    """New predictors too."""
    datasets = [population.draw(seed=k).data for k in range(n)]
    alone = [lambda data=data: ms.glmer(formula, data, family) for data in datasets[:few]]
    return Row(name, n, lambda: fit_many(formula, datasets, family=family), alone)


def lesson() -> ms.Population:
    """30 classes of 10, yes or no, with a predictor of each kind."""
    return ms.Population(
        "y ~ time + arm + (1 | g)", clusters={"g": 30}, size=10,
        variables={"arm": ms.Bernoulli(0.5, level="g"), "time": ms.Bernoulli(0.5)},
        fixef={"Intercept": -0.5, "time": 0.4, "arm": 0.5}, ranef={"g": {"sd": [0.8]}}, family="binomial",
    )  # fmt: skip


def rows() -> list[Row]:
    """The designs."""
    teaching = lesson()
    doses = teaching.with_(variables={"arm": ms.Normal(0, 1, level="g"), "time": ms.Normal(0, 1)})
    events = ms.Population(
        "y ~ x + (1 + x | g)", clusters={"g": 40}, size=(3, 12), variables={"x": ms.Normal(0, 1)},
        fixef={"Intercept": 1, "x": 0.3}, ranef={"g": {"sd": [0.5, 0.3], "corr": [[1, 0.3], [0.3, 1]]}},
        family="poisson",
    )  # fmt: skip
    bunches = events.with_(family={"kind": "negative-binomial", "theta": 2})
    f, slopes, cbpp = "y ~ time + arm + (1 | g)", "y ~ x + (x | g)", ms.datasets.load("cbpp")
    one, other, counts, more = (sample.draw(seed=1).data for sample in (teaching, doses, events, bunches))
    return [
        responses("30 x 10 yes or no, two by two", ms.glmer(f, one), 500, 25),
        responses("30 x 10 yes or no, continuous", ms.glmer(f, other), 500, 25),
        responses("30 x 10 yes or no, probit", ms.glmer(f, one, ("binomial", "probit")), 500, 25),
        responses("30 x 10 yes or no, 7 nodes", ms.glmer(f, one, nagq=7), 500, 25),
        responses("cbpp", ms.glmer(CBPP, cbpp), 1000, 25),
        responses("cbpp, 10 nodes", ms.glmer(CBPP, cbpp, nagq=10), 1000, 25),
        responses("counts, slopes, 40 x 3 to 12", ms.glmer(slopes, counts, "poisson"), 300, 20),
        responses("bunches of events, the same", ms.glmer(slopes, more, "negative-binomial"), 300, 12),
        redrawn("30 x 10 yes or no, two by two, redrawn", teaching, f, "binomial", 250, 25),
        redrawn("30 x 10 yes or no, continuous, redrawn", doses, f, "binomial", 250, 25),
        redrawn("counts, slopes, 40 x 3 to 12, redrawn", events, slopes, "poisson", 250, 20),
    ]


def whole() -> list[str]:
    """What a reader calls: a bootstrap, with lme4's times beside it, and a study."""
    return [bootstrap(1), bootstrap(10), study()]


def bootstrap(nagq: int) -> str:
    """A bootstrap of cbpp, and lme4's."""
    cbpp = ms.datasets.load("cbpp")
    fit = ms.glmer(CBPP, cbpp, nagq=nagq)
    ours = 1e6 * min(seconds(lambda: fit.bootstrap(500, seed=1)) for _ in range(3)) / 500
    said = f"`fit.bootstrap(500)`, cbpp, nagq={nagq}: {ours:.0f} microseconds a replicate"
    theirs = lme4(cbpp, nagq)
    if theirs is None:
        return f"{said}."
    one, boot = (f"{time / ours:.0f}" for time in theirs)
    return f"{said}; lme4's `refit` takes {one} times that, its `bootMer` {boot}."


def study() -> str:
    """A study of a population."""
    formula = "y ~ time + arm + (1 | g)"
    population = lesson()
    whole = seconds(lambda: ms.study(population, formula, n=500, seed=1)) / 500
    draw = seconds(lambda: [population.draw(seed=k) for k in range(100)]) / 100
    return f"`ms.study`, 30 x 10 yes or no: {1e6 * whole:.0f} a replicate, of which drawing takes {1e6 * draw:.0f}."


def lme4(data: Any, nagq: int) -> tuple[float, float] | None:
    """Microseconds of a replicate: of ``refit`` and of ``bootMer``; None without R."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        data.to_csv(path, index=False)
        script = IN_R.format(data=path.as_posix(), nagq=nagq)
        told = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True)
    one, boot = map(float, told.stdout.split())
    return one, boot


def main() -> None:
    """Print the table."""
    text = "\n".join(
        [
            "# Many generalised fits at once",
            "",
            "`python benchmarks/many_glmms.py`: microseconds of a replicate with z tests, the ratio to one fit after",
            "the other, and how far both roads lie apart.",
            f"mixedsim {ms.__version__}, NumPy {np.__version__}, Python {sys.version.split()[0]}.",
            "",
            "| design | in company | singular | microseconds | ratio | log-likelihood | beta/se | flags alike |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
            *map(line, rows()),
            "",
            *[part for said in whole() for part in (said, "")],
        ]
    )
    sys.stdout.write(text)
    (HERE / "results" / "many_glmms.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
