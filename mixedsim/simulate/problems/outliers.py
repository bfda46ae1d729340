"""A few values that lie far off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.fields import FieldError
from mixedsim.simulate.problems.problem import ANYWHERE, PROBABILITY, CellProblem
from mixedsim.simulate.problems.scene import Scene
from mixedsim.simulate.variables.variable import Interval


@dataclass(frozen=True)
class Outliers(CellProblem):
    """Values of one column that are far too large or too small, each with a given probability.

    Two of them, one with a negative `shift`, make outliers on both sides.

    Parameters
    ----------
    column : an observed numeric variable or the response; becomes a column of floats.
    share : the probability of being one; number in [0, 1], or expression of the true values.
    shift : so many standard deviations of the column (its true values, over all rows) are added; number or expression.
    times : instead of `shift`, the value is multiplied by this; number or expression.
    level : cluster whose rows are struck together; None for the level of the column.

    Raises
    ------
    PopulationError
        If not exactly one of `shift` and `times` is given, or a probability leaves [0, 1].

    Examples
    --------
    >>> import mixedsim as ms
    >>> wild = ms.Outliers("anxiety", 0.001, shift=8)
    >>> sample = ms.scenarios.therapist_plain().with_(problems=[wild]).draw(seed=1)
    >>> sample.truth.problems[["row", "column", "was", "now"]].head(2)
       row   column   was    now
    0  ...
    """

    column: str
    share: Parameter
    shift: Parameter | None = None
    times: Parameter | None = None
    level: str | None = None

    limits: ClassVar[Mapping[str, Interval]] = {"share": PROBABILITY, "shift": ANYWHERE, "times": ANYWHERE}
    optional: ClassVar[tuple[str, ...]] = ("shift", "times")

    def __post_init__(self) -> None:
        if (self.shift is None) == (self.times is None):
            found = "neither" if self.shift is None else "both"
            raise FieldError(self._path("shift"), f"or times must be given, one of the two; found {found}.")
        super().__post_init__()

    def strike(self, scene: Scene) -> None:
        numbers = scene.numbers(self.column).astype(np.float64)
        struck = scene.struck(self.share, scene.level_of(self.column, self.level))
        if self.shift is not None:
            off = numbers + np.multiply(scene.value("shift", self.shift), scene.spread(self.column))
        else:
            assert self.times is not None
            off = numbers * scene.value("times", self.times)
        scene.change(self.column, np.where(struck, off, numbers))

    def equation(self, write: Callable[[Parameter], str]) -> str:
        if self.shift is not None:
            far = f"itself + {write(self.shift)} standard deviations"
        else:
            assert self.times is not None
            far = f"itself times {write(self.times)}"
        return f"{far}, with probability {write(self.share)}"
