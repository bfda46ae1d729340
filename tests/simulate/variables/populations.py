"""One way to put variables into a population, for the tests of this folder."""

from __future__ import annotations

from typing import Any

import pandas as pd

import mixedsim as ms

NESTED = {"school": 40, "class": {"in": "school", "n": (2, 5)}}
CROSSED = {"subject": 20, "item": 12}


def population(variables: dict[Any, Any], clusters: dict[str, Any] | None = None, size: Any = 6) -> ms.Population:
    """A population with these variables, whose response has nothing to do with them."""
    return ms.Population(
        "y ~ 1",
        clusters={"g": 50} if clusters is None else clusters,
        size=size,
        variables=variables,
        fixef={"Intercept": 0},
        sigma=1,
    )


def data(
    variables: dict[Any, Any], clusters: dict[str, Any] | None = None, size: Any = 6, seed: int = 1
) -> pd.DataFrame:
    """A draw from it."""
    return population(variables, clusters, size).draw(seed).data
