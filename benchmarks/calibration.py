"""Whether 5 % is 5 %: type I error and coverage of every test of a fixed effect, with few groups and with many.

Run ``python benchmarks/calibration.py [--datasets 10000] [--bootstraps 300] [--replicates 199] [--seed 1]``; the tables
are printed and written to ``benchmarks/results/calibration.md``. Two balanced designs with 20 rows a group, and an
effect that is zero in truth:

* treatment, given to half of the groups: ``y ~ treatment + (1 | group)``, ICC 0.2;
* slope of x, which runs from low to high within every group: ``y ~ x + (x | group)``, the same ICC, and slopes that
  vary as much as the intercepts do (x has unit variance), uncorrelated with them.

Only the response is drawn anew, so that all datasets of a scenario are fitted at once: by REML for t tests and
intervals, by ML for likelihood ratios. A t interval misses the effect exactly when its test rejects the truth, so the
coverage is that of another quantity, intercept + effect.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

import mixedsim as ms
from mixedsim.engine import Objective
from mixedsim.inference.bootstrap import Replicates, refit_all
from mixedsim.inference.kenward_roger import kenward_roger
from mixedsim.inference.likelihood_ratio import Fitted, bootstrap_ratio
from mixedsim.inference.responses import standard_rows
from mixedsim.inference.satterthwaite import Satterthwaite
from mixedsim.inference.variance_parameters import variance_parameters

Floats = NDArray[np.float64]
MODELS = {
    "treatment": ("y ~ treatment + (1 | group)", "y ~ 1 + (1 | group)"),
    "slope": ("y ~ x + (x | group)", "y ~ 1 + (x | group)"),
}
GROUPS, PER_GROUP, ICC, LEVEL = (6, 12, 24, 50), 20, 0.2, 0.05
TESTS = ("Wald z", "Satterthwaite", "Kenward–Roger")


class Model:
    """One model of one design, from a fit to any response: it knows the design."""

    def __init__(self, template: ms.LinearMixedModel) -> None:
        self.template, self.rows = template, standard_rows(template.design, template.problem)

    def fit(self, y: Floats, reml: bool) -> Replicates:
        """Fits to all responses y (n × r): tests do not care that y is not standardised."""
        cp = self.rows.products(y, self.template.problem.cp)
        layout = self.template.problem.layout
        return refit_all(cp, layout, reml, np.where(layout.diagonal, 0.5, 0.0))

    def at(self, y: Floats, found: Replicates, k: int, reml: bool) -> Fitted:
        """The model of response k at its optimum."""
        problem = self.template.problem
        objective = Objective(self.rows.products(y[:, [k]], problem.cp), problem.layout, reml)
        return Fitted(self.rows, problem, objective, objective.evaluate(found.theta[k]), None)


def design(groups: int, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of the balanced design, with some response."""
    group = np.repeat(np.arange(groups), PER_GROUP)
    x = np.tile(np.linspace(-1, 1, PER_GROUP), groups)
    return pd.DataFrame({"group": group.astype(str), "treatment": group % 2, "x": x / x.std(), "y": rng.random(len(x))})


def draw(name: str, data: pd.DataFrame, n: int, rng: np.random.Generator) -> Floats:
    """n responses of unit variance given x = 0 and no effect: rows × n."""
    y: Floats = np.sqrt(1 - ICC) * rng.standard_normal((len(data), n))
    for column in [1.0, data[["x"]].to_numpy()][: 1 + (name == "slope")]:
        b = np.sqrt(ICC) * rng.standard_normal((len(data) // PER_GROUP, n))
        y += column * np.repeat(b, PER_GROUP, axis=0)
    return y


def t_tests(fitted: Fitted, contrasts: Floats) -> Floats:
    """P-values of the contrasts (2 × p) being zero by each of `TESTS`: 3 × 2."""
    at = fitted.at
    satterthwaite = Satterthwaite.of(fitted.objective, at, variance_parameters(fitted.objective, at))
    kr = kenward_roger(fitted.objective, at)
    covariances = (satterthwaite.covariance, satterthwaite.covariance, kr.covariance)
    dfs = (np.full(2, np.inf), satterthwaite.df(contrasts), kr.df(contrasts))
    t = [np.abs(contrasts @ at.beta) / np.sqrt(np.diag(contrasts @ c @ contrasts.T)) for c in covariances]
    return np.asarray(2.0 * special.stdtr(np.array(dfs), -np.array(t)))


def scenario(name: str, groups: int, given: argparse.Namespace) -> tuple[list[str], list[str]]:
    """One row of each table."""
    rng = np.random.default_rng([given.seed, groups, name == "slope"])
    data = design(groups, rng)
    large, small = (Model(ms.lmer(formula, data)) for formula in MODELS[name])
    y = draw(name, data, given.datasets, rng)
    reml, ml, null = large.fit(y, True), large.fit(y, False), small.fit(y, False)
    known = np.flatnonzero(reml.converged & ml.converged & null.converged).tolist()
    contrasts = np.array([[0.0, 1.0], [1.0, 1.0]]) @ large.template.problem.fixed.transform
    p = np.stack([t_tests(large.at(y, reml, k, True), contrasts) for k in known], axis=-1)
    ratio, n = null.deviance - ml.deviance, given.replicates
    drawn = [
        bootstrap_ratio(small.at(y, null, k, False), large.at(y, ml, k, False), ratio[k], n, given.seed + k).p
        for k in known[: given.bootstraps]
    ]
    lrt = special.chdtrc(1, np.maximum(ratio[known], 0.0))
    wrong = [percent(yes) for yes in (*(p[:, 0] < LEVEL), lrt < LEVEL, np.array(drawn) <= LEVEL)]
    covered = [percent(row >= LEVEL) for row in p[:, 1]]
    failed = given.datasets - len(known) + int(np.isnan(p).any(axis=(0, 1)).sum())  # NaN: no degrees of freedom
    singular = percent(reml.singular(large.template.problem.layout))
    return [name, str(groups), *wrong], [name, str(groups), *covered, singular, str(failed)]


def percent(yes: NDArray[np.bool_]) -> str:
    """A share in per cent with its Monte-Carlo standard error."""
    share = yes.mean()
    return f"{100 * share:.2f} ± {100 * np.sqrt(share * (1 - share) / len(yes)):.2f}"


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]) + "\n"


def main() -> None:
    """Print the tables and keep them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for option, value in {"datasets": 10_000, "bootstraps": 300, "replicates": 199, "seed": 1}.items():
        parser.add_argument(f"--{option}", type=int, default=value)
    given = parser.parse_args()
    rows = [scenario(name, groups, given) for name in MODELS for groups in GROUPS]
    text = (
        f"# Calibration\n\n`python benchmarks/calibration.py`: {given.datasets:,} datasets a row, {PER_GROUP} rows a "
        f"group, ICC {ICC}, true effect 0;\nbootstrap: {given.bootstraps} datasets, {given.replicates} replicates "
        f"each. Seed {given.seed}, mixedsim {ms.__version__}, NumPy {np.__version__}; ± is the Monte-Carlo standard "
        "error.\nAn interval for the effect covers it in 100 less the type I error of its test. Kenward–Roger is the "
        "exact t test of\nthese designs, except at a singular fit, which overstates the standard error: there it "
        "rejects too seldom.\n\n"
        "## Type I error at 5 %, in per cent\n\n"
        + markdown(["effect", "groups", *TESTS, "LRT (ML)", "bootstrap LRT"], [row for row, _ in rows])
        + "\n## Coverage of 95 % intervals for intercept + effect, in per cent\n\n"
        + markdown(["effect", "groups", *TESTS, "singular, %", "failed"], [row for _, row in rows])
    )
    sys.stdout.write(text)
    (Path(__file__).parent / "results" / "calibration.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
