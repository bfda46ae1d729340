"""The beta distribution: shares and probabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import betaincinv

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.variables.scores import upto
from mixedsim.simulate.variables.variable import Array, Drawn, Interval

_SHAPE = (1e-3, 1e9)  # beyond it values are 0, 1 or the mean, to all digits


@dataclass(frozen=True)
class Beta(Drawn):
    """A variable between 0 and 1: a share, or the probability of something that differs from unit to unit.

    ``x ~ Beta(a, b)``: support 0 to 1, mean m = a / (a + b), variance m (1 − m) / (a + b + 1).

    For a mean m and a precision k, as in beta regression, write a = k m and b = k (1 − m):
    ``Beta("20 * m", "20 * (1 - m)")``.

    Parameters
    ----------
    a, b : the two shapes, from 0.001 to 1e9; numbers, or expressions in earlier variables.
    level : cluster that shares one value; None for one value a row.
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If a shape is not a number or expression, or lies outside those bounds.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Beta(2, 6, level="school")
    Beta(a=2.0, b=6.0, level='school', observed=True)
    """

    a: Parameter
    b: Parameter
    level: str | None = None
    observed: bool = True

    limits: ClassVar[Mapping[str, Interval]] = {"a": _SHAPE, "b": _SHAPE}

    def sample(self, rng: np.random.Generator, size: int, given: Mapping[str, Any]) -> Array:
        return rng.beta(given["a"], given["b"], size)

    def at_scores(self, scores: Array, given: Mapping[str, Any]) -> Array:
        values: Array = betaincinv(given["a"], given["b"], upto(scores))
        return values

    def expectation(self) -> float:
        """The mean, when both shapes are numbers."""
        return float(self.a) / (float(self.a) + float(self.b))

    def support(self) -> str:
        return "between 0 and 1"

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        return "~", f"Beta({write(self.a)}, {write(self.b)})"
