"""The continuous uniform distribution, rounded if one likes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.fields import FieldError, shown, whole
from mixedsim.simulate.variables.scores import upto
from mixedsim.simulate.variables.variable import Array, Drawn, Interval

_FAR = 1e15  # bounds beyond it have no decimals left, and whole numbers beyond it are no longer exact


@dataclass(frozen=True)
class Uniform(Drawn):
    """A variable that is equally likely anywhere between two bounds.

    ``x ~ Uniform(low, high)``: support [low, high), mean ``(low + high) / 2``, variance ``(high − low)² / 12``.

    With ``decimals=0`` the value is rounded to a whole number (an integer column) *after* it was drawn:
    ``Uniform(0, 5, decimals=0)`` gives 0 and 5 with probability 1/10 each and 1, 2, 3, 4 with 1/5 each (mean 2.5,
    variance 2.25), because only half as much of the line rounds to an end. Where all whole numbers should be equally
    likely, use `Integers`.

    Parameters
    ----------
    low, high : bounds; numbers, or expressions in earlier variables.
    level : cluster that shares one value; None for one value a row.
    observed : False keeps the variable out of the data; it stays in the truth.
    decimals : round to so many decimals (0 to 15), halves to even; None leaves the value as it is.

    Raises
    ------
    PopulationError
        If ``low`` is above ``high``, or ``decimals`` is not a whole number from 0 to 15.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Uniform(0, 5, level="therapist", decimals=0)
    Uniform(low=0.0, high=5.0, level='therapist', observed=True, decimals=0)
    """

    low: Parameter
    high: Parameter
    level: str | None = None
    observed: bool = True
    decimals: int | None = None

    limits: ClassVar[Mapping[str, Interval]] = {"low": (-_FAR, _FAR), "high": (-_FAR, _FAR)}

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.low, str) and not isinstance(self.high, str) and self.low > self.high:
            raise FieldError(("Uniform", "high"), f"must be at least low, {shown(self.low)}, found {shown(self.high)}.")
        if self.decimals is not None:
            self._settle(decimals=whole(self.decimals, ("Uniform", "decimals"), low=0))
            if self.decimals > 15:
                raise FieldError(("Uniform", "decimals"), f"must be at most 15, found {self.decimals}.")

    def sample(self, rng: np.random.Generator, size: int, given: Mapping[str, Any]) -> NDArray[Any]:
        low, high = given["low"], given["high"]
        if isinstance(low, float) and isinstance(high, float):
            values = rng.uniform(low, high, size)
        else:
            values = _between(rng.random(size), given)
        return self._rounded(values)

    def at_scores(self, scores: Array, given: Mapping[str, Any]) -> NDArray[Any]:
        return self._rounded(_between(upto(scores), given))

    def expectation(self) -> float:
        """The mean, when both bounds are numbers."""
        return (float(self.low) + float(self.high)) / 2

    def support(self) -> str:
        if isinstance(self.low, str) or isinstance(self.high, str):
            return "any number"
        return f"{self.low:g} to {self.high:g}"

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        text = f"Uniform({write(self.low)}, {write(self.high)})"
        if self.decimals is None:
            return "~", text
        unit = "whole numbers" if self.decimals == 0 else f"{self.decimals} decimal{'s' * (self.decimals > 1)}"
        return "~", f"{text} rounded to {unit}"

    def _rounded(self, values: Array) -> NDArray[Any]:
        if self.decimals is None:
            return values
        rounded = np.round(values, self.decimals)
        return rounded.astype(np.int64) if self.decimals == 0 else rounded


def _between(shares: Array, given: Mapping[str, Any]) -> Array:
    """The points that lie these shares of the way from low to high; overwrites `shares`."""
    width = np.subtract(given["high"], given["low"])
    if np.min(width) < 0:
        raise FieldError(("Uniform", "high"), "must be at least low; in this draw it falls below.")
    shares *= width
    shares += given["low"]
    return shares
