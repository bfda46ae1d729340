"""One population with everything that a problem can befall, and what several tests ask of it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

import mixedsim as ms

STANDARD_ERRORS = 4.5  # a right generator misses this in 1 of 100,000 seeds; the seeds are fixed

WARDS = ms.Population(
    "pain ~ dose + (1 | ward) + (1 | ward:patient)",
    clusters={"ward": 6, "patient": {"in": "ward", "n": (1, 9)}},
    size=4,
    variables={
        "ses": ms.Normal(0, 1, level="patient", observed=False),
        "beds": ms.Integers(4, 20, level="ward"),
        "age": ms.Normal("50 + 5 * ses", 10, level="patient"),
        "day": ms.Uniform(0, 30),
        "dose": ms.Normal("5 + ses", 2),
        "falls": ms.Integers(0, 3),
        "arm": ms.Categorical(["usual", "new", "none"], level="patient"),
    },
    fixef={"Intercept": 50, "dose": -2},
    ranef={"ward": {"sd": 3}, "ward:patient": {"sd": 4}},
    sigma=5,
    name="wards",
)


def spoiled(*problems: object, seed: int = 1, wards: int = 6) -> ms.Sample:
    """A sample of these wards in which this goes wrong."""
    clusters = {**WARDS.clusters, "ward": wards}
    return WARDS.with_(problems=problems, clusters=clusters).draw(seed)


@cache
def complete(seed: int = 1, wards: int = 6) -> pd.DataFrame:
    """The same without anything going wrong."""
    return WARDS.with_(clusters={**WARDS.clusters, "ward": wards}).draw(seed).data


def close(values: object, expected: float) -> None:
    """The mean of independent `values` is `expected` to within its standard error."""
    numbers = np.asarray(values, dtype=float)
    assert abs(numbers.mean() - expected) < STANDARD_ERRORS * numbers.std() / np.sqrt(len(numbers))


def units(data: pd.DataFrame, values: pd.Series, by: str = "patient") -> pd.Series:
    """One value a unit, where all rows of a unit have the same."""
    grouped = values.groupby(data[by], observed=True)
    assert grouped.nunique(dropna=False).max() == 1
    return grouped.first()
