"""Populations in which one assumption is broken, and the model that overlooks it."""

from __future__ import annotations

from functools import cache
from typing import Any

import mixedsim as ms

FORMULA = "y ~ x + (1 | g)"


def population(formula: str = FORMULA, **changes: Any) -> ms.Population:
    given: dict[str, Any] = {
        "clusters": {"g": 40},
        "size": 15,
        "variables": {"x": ms.Uniform(0, 10)},
        "fixef": {"Intercept": 10, "x": 1},
        "ranef": {"g": {"sd": [2]}},
        "sigma": 2,
    }
    return ms.Population(formula, **{**given, **changes})


POPULATIONS = {
    "right": lambda: population(),
    "heteroscedastic": lambda: population(sigma="0.5 + 0.4 * x"),
    "heavy tails": lambda: population(residual={"shape": {"kind": "t", "df": 3}}),
    "skewed": lambda: population(residual={"shape": {"kind": "skewed", "skewness": 1.5}}),
    "two humps": lambda: population(
        clusters={"g": 60}, ranef={"g": {"sd": [3], "shape": {"kind": "bimodal", "separation": 6}}}
    ),
    "autoregressive": lambda: population(residual={"ar1": 0.5, "by": "g"}),
    "curved": lambda: population(
        "y ~ x + x2 + (1 | g)", variables={"x": ms.Uniform(0, 10), "x2": ms.Derived("0.1 * x ** 2")},
        fixef={"Intercept": 10, "x": 1, "x2": 1},
    ),
}  # fmt: skip


def fit_to(name: str, seed: int) -> ms.LinearMixedModel:
    """The model that knows nothing of what is broken; rows of a group are numbered by ``t``."""
    data = POPULATIONS[name]().draw(seed=seed).data
    return ms.lmer(FORMULA, data.assign(t=data.groupby("g").cumcount()))


@cache
def fitted(name: str) -> ms.LinearMixedModel:
    return fit_to(name, seed=1)
