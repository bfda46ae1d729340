"""Whether a fit finds the truth of random populations: coverage of 95 % intervals, parameter by parameter.

Run ``python benchmarks/recovery_coverage.py [--draws 500] [--populations 8] [--seed 1]``; the tables are printed and
written to ``benchmarks/results/recovery_coverage.md``. A population is put together by chance: one grouping factor, two
nested, crossed or partly crossed ones; sizes equal, between limits or Poisson; three predictors of any kind, at any
level; effects, standard deviations and perhaps a varying slope. What is drawn from it goes through the same door as any
data: `Population.draw`, `lmer`, `coefficients` (t intervals with Satterthwaite's degrees of freedom), `confint`
(profile likelihood, for standard deviations, correlations and σ).

So an interval may miss its rate for three reasons: the simulator does not make what it says, the fit does not find it,
or the method is approximate (profile likelihoods are, with few groups). The first two would show in every population.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import mixedsim as ms

LEVEL = 0.95
STRUCTURES: dict[str, Any] = {
    "one": {"g": 30},
    "nested": {"g": 20, "h": {"in": "g", "n": (2, 5)}},
    "crossed": {"g": 20, "h": 15},
    "sampled": {"g": 30, "h": {"n": 20, "sample": 8}},
    "by turns": {"g": 24, "h": {"n": 18, "rotate": 6}},
}


def population(rng: np.random.Generator, manner: str) -> ms.Population:
    """A random population with such clusters."""
    clusters = STRUCTURES[manner]
    sizes = [6, (4, 12), ms.Poisson(7)] if manner == "one" else [2, (1, 3), ms.Poisson(2)]
    variables = predictors(rng, list(clusters))
    slope = "x" if rng.random() < 0.5 else None
    sds = rng.uniform(0.5, 2, 3).round(1).tolist()
    ranef: dict[str, Any] = {"g": {"sd": [sds[0]]}}
    if slope:
        ranef["g"] = {"sd": sds[:2], "corr": round(float(rng.uniform(-0.6, 0.6)), 1)}
    if "h" in clusters:
        ranef["h"] = {"sd": [sds[2]]}
    terms = [f"(1 + {slope} | g)" if slope else "(1 | g)", *(["(1 | h)"] if "h" in clusters else [])]
    names = ["Intercept", *(f"{name}[T.b]" if v.categories() else name for name, v in variables.items())]
    return ms.Population(
        " + ".join(["y ~ 1", *variables, *terms]),
        clusters=clusters,
        size=sizes[rng.integers(len(sizes))],
        variables=variables,
        fixef={name: round(float(rng.normal(0, 2)), 1) for name in names},
        ranef=ranef,
        sigma=round(float(rng.uniform(1, 3)), 1),
        name=manner,
    )


def predictors(rng: np.random.Generator, clusters: list[str]) -> dict[str, ms.Variable]:
    """x in rows, z at any level, w computed or given out."""
    level = [None, *clusters][rng.integers(1 + len(clusters))]
    x = [ms.Normal(0, 1), ms.Uniform(-2, 2), ms.Beta(2, 1), ms.StudentT(5, 0, 1)]
    z = [ms.Normal("0.5 * x" if level is None else 0, 1, level), ms.Categorical(["a", "b"], level=level)]
    z += [ms.Bernoulli(0.4, level), ms.Integers(0, 4, level), ms.LogNormal(0, 0.5, level)]
    w = [ms.ClusterMean("x", "g"), ms.Within("x", "g", scale=True), ms.Derived("x ** 2"), ms.Lag("x", "g")]
    w += [ms.Assigned([0, 1, 2], shuffle=True, within="g"), ms.Assigned(["a", "b"], "g", shuffle=True)]
    return {name: kinds[rng.integers(len(kinds))] for name, kinds in (("x", x), ("z", z), ("w", w))}


@dataclass
class Found:
    """What the fits of one population said of one parameter: estimates, and how many intervals held the truth."""

    truth: float
    estimates: list[float]
    covered: list[bool]


def recovered(truth: ms.Truth, data: pd.DataFrame) -> Iterator[tuple[str, float, float, bool]]:
    """For every parameter name, truth, estimate, and whether the interval holds the truth."""
    fit = ms.lmer(truth.population.formula, data)
    for name, row in fit.coefficients(level=LEVEL).iterrows():
        value = truth.fixef[name]
        yield str(name), value, row["estimate"], row["lower"] <= value <= row["upper"]
    ends = fit.confint("profile", LEVEL, ["sd", "corr", "sigma"])
    for (name, row), value in zip(ends.iterrows(), true_parts(truth, ends.index), strict=True):
        yield str(name), value, row["estimate"], row["lower"] <= value <= row["upper"]


def true_parts(truth: ms.Truth, names: pd.Index) -> Iterator[float]:
    """The true sds, correlations and σ under the names that `confint` has for them."""
    known = {"sigma": truth.sigma}
    for _, row in truth.varcorr.iterrows():
        both = row["term1"] if pd.isna(row["term2"]) else f"{row['term1']}, {row['term2']}"
        known[f"{'sd' if pd.isna(row['term2']) else 'corr'}({both} | {row['group']})"] = row["sd_or_corr"]
    for name in names:
        yield known[name]


def study(made: ms.Population, seeds: list[int]) -> tuple[dict[str, Found], int]:
    """What every parameter's intervals did, and how many samples were refused."""
    found: dict[str, Found] = {}
    refused = 0
    for seed in seeds:
        sample = made.draw(seed=seed)
        try:
            rows = list(recovered(sample.truth, sample.data))
        except ms.errors.MixedsimError as error:
            sys.stderr.write(f"{made.name}, seed {seed}: {error}\n")
            refused += 1
            continue
        for name, value, estimate, covers in rows:
            one = found.setdefault(name, Found(float(value), [], []))
            one.estimates.append(estimate)
            one.covered.append(bool(covers))
    return found, refused


def row_of(name: str, one: Found) -> list[str]:
    """One line of the table: truth, mean estimate, bias in its standard errors, coverage, its distance from 95 %."""
    estimates, n = np.array(one.estimates), len(one.estimates)
    error = estimates.std(ddof=1) / np.sqrt(n)
    share = float(np.mean(one.covered))
    off = (share - LEVEL) / np.sqrt(LEVEL * (1 - LEVEL) / n)
    bias = (estimates.mean() - one.truth) / error
    return [f"`{name}`".replace("|", "\\|"), f"{one.truth:g}", f"{estimates.mean():.3f} ± {error:.3f}", f"{bias:+.1f}",
            f"{100 * share:.1f}", f"{off:+.1f}"]  # fmt: skip


def kind_of(name: str) -> str:
    """Which table a parameter's coverage is summed up in."""
    return name.split("(")[0] if name.startswith(("sd(", "corr(")) or name == "sigma" else "fixed effects"


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]) + "\n"


def main() -> None:
    """Print the tables and keep them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for option, value in {"draws": 500, "populations": 8, "seed": 1}.items():
        parser.add_argument(f"--{option}", type=int, default=value)
    given = parser.parse_args()
    started = time.perf_counter()
    summed: dict[str, list[bool]] = defaultdict(list)
    parts = []
    for number in range(given.populations):
        manner = list(STRUCTURES)[number % len(STRUCTURES)]
        rng = np.random.default_rng([given.seed, number])
        made = population(rng, manner)
        # Other seeds for every population: the residuals of one seed are the same in all, and so would their luck be.
        found, refused = study(made, rng.integers(2**40, size=given.draws).tolist())
        for name, one in found.items():
            summed[kind_of(name)] += one.covered
        kinds = ", ".join(f"{name}: {type(one).__name__}" for name, one in made.variables.items())
        head = (
            f"## {number + 1}. {manner}: `{made.formula}`\n\nClusters {dict(made.clusters)}, size {made.size};\n{kinds}"
        )
        table = markdown(["parameter", "truth", "mean estimate", "z", "coverage, %", "z"],
                         [row_of(name, one) for name, one in found.items()])  # fmt: skip
        parts.append(f"{head}; refused: {refused}.\n\n{table}")
        sys.stderr.write(f"{number + 1}: {time.perf_counter() - started:.0f} s\n")
    totals = [[k, f"{len(c):,}", f"{100 * np.mean(c):.2f}"] for k, c in summed.items()]
    text = (
        "# Recovery of random populations\n\n`python benchmarks/recovery_coverage.py`: "
        f"{given.draws:,} draws of each of {given.populations} populations, seed {given.seed}; mixedsim "
        f"{ms.__version__}, NumPy {np.__version__}.\nFixed effects: REML estimates, t intervals (Satterthwaite); "
        "standard deviations, correlations and σ: REML estimates,\nprofile intervals (by ML, as in lme4). z is the "
        "distance from the truth, or from 95 %, in Monte-Carlo standard errors.\nEstimates of standard deviations fall "
        "a little short with few units; where one is often zero, it takes from the others,\nand its interval covers "
        "too often.\n\n"
        + markdown(["of all populations", "intervals", "coverage, %"], totals) + "\n" + "\n".join(parts)
    )  # fmt: skip
    sys.stdout.write(text)
    (Path(__file__).parent / "results" / "recovery_coverage.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
