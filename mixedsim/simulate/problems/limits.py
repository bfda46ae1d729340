"""A scale that ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.fields import FieldError, number, shown
from mixedsim.simulate.problems.problem import ColumnProblem
from mixedsim.simulate.problems.scene import Scene


@dataclass(frozen=True)
class Limits(ColumnProblem):
    """A floor, a ceiling, or both: what lies beyond is recorded as the limit itself.

    Parameters
    ----------
    column : an observed numeric variable or the response; whole numbers stay whole where the limits are.
    low, high : the smallest and the largest number that can be recorded; None for no end on that side.

    Raises
    ------
    PopulationError
        If neither limit is given, or the lower one is not below the upper one.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Limits("anxiety", low=20, high=80)
    Limits(column='anxiety', low=20.0, high=80.0)
    """

    column: str
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        for field in ("low", "high"):
            if getattr(self, field) is not None:
                self._settle(**{field: number(getattr(self, field), self._path(field))})
        if self.low is None and self.high is None:
            raise FieldError(self._path("low"), "or high must be given, or both; found neither.")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise FieldError(self._path("low"), f"must be below high, {shown(self.high)}, found {shown(self.low)}.")
        super().__post_init__()

    def strike(self, scene: Scene) -> None:
        numbers = scene.numbers(self.column)
        ends = [end for end in (self.low, self.high) if end is not None]
        kept = np.clip(numbers.astype(np.float64), self.low, self.high)
        scene.change(self.column, kept.astype(numbers.dtype) if all(end == int(end) for end in ends) else kept)

    def equation(self, write: Callable[[Parameter], str]) -> str:
        low = "" if self.low is None else f"at least {write(self.low)}"
        high = "" if self.high is None else f"at most {write(self.high)}"
        return f"recorded as {' and '.join(filter(None, (low, high)))}"
