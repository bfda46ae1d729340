"""The Poisson distribution: how often something happened."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtr, pdtrik

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.variables.scores import first_whole, upto
from mixedsim.simulate.variables.variable import Array, Drawn, Interval


@dataclass(frozen=True)
class Poisson(Drawn):
    """How often something happened that happens at random: siblings, visits, errors.

    ``x ~ Poisson(mean)``: support 0, 1, 2, … (integers), mean ``mean``, variance the same.

    Parameters
    ----------
    mean : from 0 to 1e9; number, or expression in earlier variables.
    level : cluster that shares one value; None for one value a row.
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If the mean leaves those bounds; for an expression, when the population is drawn.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Poisson("exp(0.2 + 0.5 * rural)")
    Poisson(mean='exp(0.2 + 0.5 * rural)', level=None, observed=True)
    """

    mean: Parameter
    level: str | None = None
    observed: bool = True

    limits: ClassVar[Mapping[str, Interval]] = {"mean": (0.0, 1e9)}

    def sample(self, rng: np.random.Generator, size: int, given: Mapping[str, Any]) -> NDArray[np.int64]:
        return rng.poisson(given["mean"], size)

    def at_scores(self, scores: Array, given: Mapping[str, Any]) -> NDArray[np.int64]:
        shares, mean = upto(scores), given["mean"]
        largest = mean + 12 * math.sqrt(mean) + 60 if isinstance(mean, float) else None
        return first_whole(shares, lambda k: pdtr(k, mean), lambda p: pdtrik(p, mean), largest)

    def expectation(self) -> float:
        """The mean, when it is a number."""
        return float(self.mean)

    def support(self) -> str:
        return "0, 1, 2, …"

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        return "~", f"Poisson({write(self.mean)})"
