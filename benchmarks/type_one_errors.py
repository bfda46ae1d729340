"""The reference table of the significance chapter: type I error and coverage over groups × ICC × kind of predictor.

Run ``python benchmarks/type_one_errors.py [--datasets 10000] [--seed 1]``; the tables are printed and written to
``benchmarks/results/type_one_errors.md``. Balanced designs with 20 rows a group and an effect that is zero in truth:

* between: a treatment given to half of the groups, ``y ~ treatment + (1 | group)``;
* within: x runs from low to high within every group, ``y ~ x + (1 | group)``;
* slopes: the same x, whose slopes vary as much as the intercepts do, ``y ~ x + (x | group)``.

All datasets of a cell share the design, so that they are fitted at once. The bootstrap test compares |t| with its 95 %
quantile in data drawn from the fitted model without the effect. Drawing one such data set for each of the datasets and
taking the quantile over all of them gives the test's rejection rate at a fraction of the work (the warp-speed method,
Giacomini, Politis & White 2013, Econometric Theory 29:567); it gives no p-value for any single dataset.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import mixedsim as ms
from mixedsim.models.many import ManyFits, refit_many

Floats = NDArray[np.float64]
FORMULAS = {
    "between": "y ~ treatment + (1 | group)",
    "within": "y ~ x + (1 | group)",
    "slopes": "y ~ x + (x | group)",
}
GROUPS, ICCS, PER_GROUP, LEVEL = (6, 12, 24, 50), (0.05, 0.2, 0.5), 20, 0.05
METHODS = {"Wald z": "wald", "Satterthwaite": "satterthwaite", "Kenward–Roger": "kenward-roger"}


def design(groups: int) -> pd.DataFrame:
    """Rows of the balanced design, without a response."""
    group = np.repeat(np.arange(groups), PER_GROUP)
    x = np.tile(np.linspace(-1, 1, PER_GROUP), groups)
    return pd.DataFrame({"group": group.astype(str), "treatment": group % 2, "x": x / x.std()})


def draw(data: pd.DataFrame, sds: Floats, corr: Floats, sigma: Floats, rng: np.random.Generator) -> Floats:
    """Responses without any fixed effect, one a column: effects with sds (r × 1 or 2) and their correlation."""
    rows, r = len(data), len(sigma)
    z = rng.standard_normal((sds.shape[1], rows // PER_GROUP, r))
    y: Floats = sigma * rng.standard_normal((rows, r))
    y += np.repeat(sds[:, 0] * z[0], PER_GROUP, axis=0)
    if len(z) == 2:
        slope = sds[:, 1] * (corr * z[0] + np.sqrt(1.0 - corr**2) * z[1])
        y += data[["x"]].to_numpy() * np.repeat(slope, PER_GROUP, axis=0)
    return y


def redraw(data: pd.DataFrame, found: ManyFits, rng: np.random.Generator) -> Floats:
    """One response from each fitted model, its fixed effects left out."""
    estimate = found.parameters().estimate
    kinds = np.array([kind for kind, _, _ in found.symbols])
    corr = estimate[:, kinds == "corr"].sum(axis=1) if (kinds == "corr").any() else np.zeros(len(estimate))
    return draw(data, estimate[:, kinds == "sd"], np.nan_to_num(corr), found.sigma, rng)


def cell(kind: str, groups: int, icc: float, given: argparse.Namespace) -> tuple[list[str], list[str]]:
    """One row of each table."""
    rng = np.random.default_rng([given.seed, list(FORMULAS).index(kind), groups, round(100 * icc)])
    data = design(groups)
    template = ms.lmer(FORMULAS[kind], data.assign(y=rng.standard_normal(len(data))))
    n = given.datasets
    sds = np.full((n, 1 + (kind == "slopes")), np.sqrt(icc))
    found = refit_many(template, draw(data, sds, np.zeros(n), np.full(n, np.sqrt(1.0 - icc)), rng))
    wrong, covered = [], []
    for ddf in METHODS.values():
        tests = found.coefficients(ddf)  # type: ignore[arg-type]
        wrong.append(percent(tests.p[:, 1] < LEVEL, np.isfinite(tests.p[:, 1])))
        both = np.isfinite(tests.lower[:, 0])
        covered.append(percent((tests.lower[:, 0] <= 0) & (tests.upper[:, 0] >= 0), both))
    t = np.abs(_t(found))
    again = np.abs(_t(refit_many(template, redraw(data, found, rng))))
    critical = np.nanquantile(again, 1.0 - LEVEL, axis=0)
    wrong.append(percent(t[:, 1] > critical[1], np.isfinite(t[:, 1])))
    covered.append(percent(t[:, 0] <= critical[0], np.isfinite(t[:, 0])))
    intervals = found.parameters()
    true = np.array([{"sd": np.sqrt(icc), "sigma": np.sqrt(1.0 - icc)}.get(kind, 0.0) for kind, _, _ in found.symbols])
    inside = (intervals.lower <= true) & (intervals.upper >= true)
    of = [k for k, (kind, _, _) in enumerate(found.symbols) if kind == "sd"][:1]
    exists = np.isfinite(intervals.lower) & np.isfinite(intervals.upper)
    covered += [percent(inside[:, k], exists[:, k]) for k in of]
    singular = percent(found.singular, np.ones(n, dtype=bool))
    head = [kind, str(groups), f"{icc:g}"]
    lost = n - int(np.isfinite(found.coefficients().p[:, 1]).sum())
    return [*head, *wrong, singular, str(lost)], [*head, *covered]


def _t(found: ManyFits) -> Floats:
    table = found.coefficients("wald")
    return np.asarray(table.estimate / table.se)


def percent(yes: NDArray[np.bool_], known: NDArray[np.bool_]) -> str:
    """A share of what is known in per cent with its Monte-Carlo standard error."""
    share, n = yes[known].mean(), int(known.sum())
    return f"{100 * share:.2f} ± {100 * np.sqrt(share * (1 - share) / n):.2f}"


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]) + "\n"


def main() -> None:
    """Print the tables and keep them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for option, value in {"datasets": 10_000, "seed": 1}.items():
        parser.add_argument(f"--{option}", type=int, default=value)
    given = parser.parse_args()
    began = time.perf_counter()
    rows = [cell(kind, groups, icc, given) for kind in FORMULAS for groups in GROUPS for icc in ICCS]
    seconds = time.perf_counter() - began
    head = ["predictor", "groups", "ICC"]
    text = (
        f"# Type I error and coverage\n\n`python benchmarks/type_one_errors.py`: {given.datasets:,} datasets a cell, "
        f"{PER_GROUP} rows a group, true effect 0,\n{len(rows)} cells in {seconds:.0f} s on one core, two fits a "
        f"dataset. Seed {given.seed}, mixedsim {ms.__version__}, NumPy {np.__version__};\n± is the Monte-Carlo "
        "standard error. An interval for the effect covers it in 100 less the type I error of its test.\nlost: "
        "datasets without degrees of freedom, counted nowhere else.\n\n## Type I error at 5 %, in per cent\n\n"
        + markdown([*head, *METHODS, "bootstrap t", "singular", "lost"], [row for row, _ in rows])
        + "\n## Coverage of 95 % intervals, in per cent: the intercept by each method, and the sd of the intercepts\n\n"
        + markdown([*head, *METHODS, "bootstrap t", "sd (Wald, log scale)"], [row for _, row in rows])
    )
    sys.stdout.write(text)
    (Path(__file__).parent / "results" / "type_one_errors.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
