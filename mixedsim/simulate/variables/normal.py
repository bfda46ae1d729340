"""The normal distribution."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.replay.numbers import RNumbers
from mixedsim.simulate.variables.variable import Array, Drawn, Interval


@dataclass(frozen=True)
class Normal(Drawn):
    """A normally distributed variable.

    ``x ~ Normal(mean, sd)``: support the real line, mean ``mean``, variance ``sd²``. With ``sd=0`` the variable
    is its mean, which is how a column that others determine completely is written.

    Parameters
    ----------
    mean : number, or expression in earlier variables (``"5 + 0.8 * ses"``).
    sd : standard deviation, not a variance; number of at least 0, or expression.
    level : cluster that shares one value; None for one value a row.
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If a parameter is not a number or expression, or ``sd`` is negative.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Normal("5+.8*ses", 2)
    Normal(mean='5 + 0.8 * ses', sd=2.0, level=None, observed=True)
    """

    mean: Parameter
    sd: Parameter
    level: str | None = None
    observed: bool = True

    limits: ClassVar[Mapping[str, Interval]] = {"mean": (-math.inf, math.inf), "sd": (0.0, math.inf)}

    def sample(self, rng: np.random.Generator, size: int, given: Mapping[str, Any]) -> Array:
        mean, sd = given["mean"], given["sd"]
        if isinstance(mean, float) and isinstance(sd, float):
            return rng.normal(mean, sd, size)
        values = rng.standard_normal(size)
        values *= sd
        values += mean
        return values

    def replay(self, rng: RNumbers, size: int, given: Mapping[str, Any]) -> Array:
        return rng.rnorm(size, given["mean"], given["sd"])

    def at_scores(self, scores: Array, given: Mapping[str, Any]) -> Array:
        values: Array = scores * given["sd"] + given["mean"]
        return values

    def expectation(self) -> float:
        """The mean, when both parameters are numbers."""
        return float(self.mean)

    def support(self) -> str:
        return "any number"

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        return "~", f"Normal({write(self.mean)}, sd {write(self.sd)})"
