"""Whole numbers, all equally likely."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.fields import FieldError, whole
from mixedsim.simulate.variables.scores import upto
from mixedsim.simulate.variables.variable import Array, Drawn, Interval


@dataclass(frozen=True)
class Integers(Drawn):
    """A whole number between two bounds, both included, all equally likely.

    ``x ~ Integers(low, high)``: support ``low, …, high``, mean ``(low + high) / 2``, variance
    ``((high − low + 1)² − 1) / 12``.

    Parameters
    ----------
    low, high : whole numbers, ``low ≤ high``; both can occur.
    level : cluster that shares one value; None for one value a row.
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If a bound is not a whole number, or ``low`` is above ``high``.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Integers(0, 2, level="therapist")
    Integers(low=0, high=2, level='therapist', observed=True)
    """

    low: int
    high: int
    level: str | None = None
    observed: bool = True

    limits: ClassVar[Mapping[str, Interval]] = {}

    def __post_init__(self) -> None:
        super().__post_init__()
        self._settle(low=_bound(self.low, "low"), high=_bound(self.high, "high"))
        if self.low > self.high:
            raise FieldError(("Integers", "high"), f"must be at least low, {self.low}, found {self.high}.")

    def sample(self, rng: np.random.Generator, size: int, given: Mapping[str, Any]) -> NDArray[np.int64]:
        return rng.integers(self.low, self.high, size, dtype=np.int64, endpoint=True)

    def at_scores(self, scores: Array, given: Mapping[str, Any]) -> NDArray[np.int64]:
        steps = np.floor(upto(scores) * (self.high - self.low + 1)).astype(np.int64)
        return np.minimum(self.low + steps, self.high)

    def expectation(self) -> float:
        """The mean."""
        return (self.low + self.high) / 2

    def support(self) -> str:
        return f"{self.low:,} to {self.high:,}"

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        return "~", f"Integers({self.low}, …, {self.high})"


def _bound(value: int, field: str) -> int:
    bound = whole(value, ("Integers", field))
    if abs(bound) > 2**53:
        raise FieldError(("Integers", field), f"must lie between -2^53 and 2^53, found {bound:.6g}.")
    return bound
