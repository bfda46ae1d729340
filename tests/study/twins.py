"""Populations to be twinned, and what it means that an estimate is the truth."""

from __future__ import annotations

import numpy as np

import mixedsim as ms
from mixedsim.simulate.covariance import covariances

EXACT = 1e-6  # of the parameter itself; for a coefficient of its standard error if that is more, for correlations of 1

_THREE = [[1, 0.3, -0.2], [0.3, 1, 0.5], [-0.2, 0.5, 1]]


def made(formula, clusters, size, fixef, ranef, sigma=1.0, **changes):
    """A population with those of the predictors x, z, w (of the first cluster) and arm that the formula names."""
    variables = {
        "x": ms.Normal(4, 1),
        "z": ms.Normal(0, 2),
        "w": ms.Normal(0, 1, level=next(iter(clusters))),
        "arm": ms.Categorical(["usual", "new", "none"]),
        "seen": ms.Bernoulli(0.8, observed=False),
    }
    used = {name: variables[name] for name in variables if name == "seen" or name in formula.split("~")[1]}
    return ms.Population(
        formula, clusters=clusters, size=size, variables=used, fixef=fixef, ranef=ranef, sigma=sigma, **changes
    )


LINE = {"Intercept": 10, "x": -2}
DESIGNS = {
    "balanced": made("y ~ x + (1 | g)", {"g": 10}, 5, LINE, {"g": {"sd": 1}}),
    "unbalanced": made("y ~ x + (1 | g)", {"g": 10}, (1, 9), LINE, {"g": {"sd": 1}}),
    "three groups": made("y ~ 1 + (1 | g)", {"g": 3}, 4, {"Intercept": 5}, {"g": {"sd": 2}}),
    "hardly any variance": made("y ~ x + (1 | g)", {"g": 20}, 5, LINE, {"g": {"sd": 0.02}}),
    "hardly any residual": made("y ~ x + (1 | g)", {"g": 20}, 5, LINE, {"g": {"sd": 30}}, sigma=0.5),
    "no fixed effects": made("y ~ 0 + (1 | g)", {"g": 12}, 4, {}, {"g": {"sd": 1}}),
    "predictors of both levels": made(
        "y ~ x * w + arm + (1 | g)", {"g": 12}, (3, 8),
        {"Intercept": 0, "x": 1, "w": 2, "arm[T.new]": 0, "arm[T.none]": -1, "x:w": 0.5}, {"g": {"sd": 1}},
    ),
    "slopes": made("y ~ x + (x | g)", {"g": 8}, (3, 8), LINE, {"g": {"sd": [1, 0.5], "corr": 0.3}}),
    "weak slopes": made("y ~ x + (x | g)", {"g": 20}, (3, 8), LINE, {"g": {"sd": [0.3, 0.1], "corr": -0.9}}),
    "slopes without intercept": made("y ~ x + (0 + x | g)", {"g": 10}, (4, 7), LINE, {"g": {"sd": 0.7}}),
    "uncorrelated slopes": made("y ~ x + (x || g)", {"g": 12}, (3, 8), LINE, {"g": {"sd": [1, 0.5]}}),
    "three effects": made(
        "y ~ x + z + (x + z | g)", {"g": 15}, (6, 12), {**LINE, "z": 1}, {"g": {"sd": [1, 0.5, 0.4], "corr": _THREE}},
    ),
    "crossed": made("y ~ x + (1 | a) + (1 | b)", {"a": 12, "b": 6}, 2, LINE, {"a": {"sd": 1}, "b": {"sd": 0.5}}),
    "crossed slopes": made(
        "y ~ x + (x | a) + (x || b)", {"a": 14, "b": 9}, 1, LINE,
        {"a": {"sd": [1, 0.3], "corr": 0.2}, "b": {"sd": [0.5, 0.4]}},
    ),
    "nested": made(
        "y ~ x + (1 | a/b)", {"a": 8, "b": {"in": "a", "n": (2, 4)}}, (2, 5), LINE, {"a": {"sd": 1}, "b:a": {"sd": 0.5}}
    ),
    "three nested levels": made(
        "y ~ x + (1 | a) + (x | b) + (1 | c)",
        {"a": 6, "b": {"in": "a", "n": 4}, "c": {"in": "b", "n": (2, 3)}}, (2, 4), LINE,
        {"a": {"sd": 1}, "b": {"sd": [0.5, 0.6], "corr": 0.1}, "c": {"sd": 0.7}},
    ),
    "missing at random": made(
        "y ~ x + (x | g)", {"g": 12}, 8, LINE, {"g": {"sd": [1, 0.5], "corr": 0.3}},
        problems=[ms.Missing("y", "where(x > 4, 0.4, 0.1)"), ms.Missing("x", 0.1)],
    ),
    "dropout": made(
        "y ~ x + (1 | g)", {"g": 12}, 8, LINE, {"g": {"sd": 1}}, problems=[ms.Dropout("logistic(y - 5)")]
    ),
    "skewed effects and residuals": made(
        "y ~ x + (1 | g)", {"g": 12}, 6, LINE, {"g": {"sd": 1, "shape": {"kind": "skewed", "skewness": 2}}},
        residual={"shape": {"kind": "t", "df": 4}},
    ),
}  # fmt: skip

BOUNDARY = {
    "no variance": made("y ~ x + (1 | g)", {"g": 20}, 5, LINE, {"g": {"sd": 0}}),
    "intercepts alone": made("y ~ x + (x | g)", {"g": 20}, (3, 8), LINE, {"g": {"sd": [1, 0]}}),
    "slopes alone": made("y ~ x + (x | g)", {"g": 20}, (3, 8), LINE, {"g": {"sd": [0, 1]}}),
    "correlation of 1": made("y ~ x + (x | g)", {"g": 20}, (3, 8), LINE, {"g": {"sd": [1, 0.5], "corr": 1}}),
    "correlation of -1": made("y ~ x + (x | g)", {"g": 20}, (3, 8), LINE, {"g": {"sd": [2, 0.4], "corr": -1}}),
    "two zeros in crossed factors": made(
        "y ~ x + (x || a) + (x || b)", {"a": 20, "b": 10}, 2, LINE, {"a": {"sd": [0.3, 0]}, "b": {"sd": [0.2, 0]}}
    ),
}


def misses(fit, population):
    """How far every estimate is from its parameter, in the units of `EXACT`; a sd of 0 has those of sigma."""
    found = {"sigma": abs(fit.sigma / population.sigma - 1)}
    errors = np.sqrt(np.diag(fit.vcov))
    for (name, truth), estimate, se in zip(population.fixef.items(), fit.fixef, errors, strict=True):
        found[name] = abs(estimate - truth) / max(abs(truth), se)
    for group, known in covariances(population.ranef).items():
        covariance = fit.covariances[group].to_numpy()
        sd = np.sqrt(np.diag(covariance))
        for i, truth in enumerate(known.sd):
            found[f"sd {i} of {group}"] = abs(sd[i] - truth) / (truth or population.sigma)
            for j in range(i):
                if truth and known.sd[j]:
                    corr = covariance[i, j] / sd[i] / sd[j]
                    found[f"corr {j}, {i} of {group}"] = abs(corr - known.corr[i][j])
    return found


def assert_exact(fit, population, tolerance=EXACT):
    """Every estimate is the parameter."""
    assert fit.converged
    missed = {name: miss for name, miss in misses(fit, population).items() if not miss <= tolerance}
    assert not missed
