"""The decimal point in the wrong place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.fields import FieldError, number
from mixedsim.simulate.problems.problem import PROBABILITY, CellProblem
from mixedsim.simulate.problems.scene import Scene
from mixedsim.simulate.variables.variable import Interval


@dataclass(frozen=True)
class Shifted(CellProblem):
    """Values whose decimal point slipped when they were typed: ten times too large or ten times too small.

    A struck value is multiplied by `factor` or divided by it, with equal probability.

    Parameters
    ----------
    column : an observed numeric variable or the response; becomes a column of floats.
    share : the probability of a slip; number in [0, 1], or expression of the true values.
    factor : number above 1; 10 is one place, 2.54 is inches for centimetres.
    level : cluster whose rows are struck together; None for the level of the column.

    Raises
    ------
    PopulationError
        If the factor is not above 1, or a probability leaves [0, 1].

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Shifted("weight", 0.01)
    Shifted(column='weight', share=0.01, factor=10.0, level=None)
    """

    column: str
    share: Parameter
    factor: float = 10.0
    level: str | None = None

    limits: ClassVar[Mapping[str, Interval]] = {"share": PROBABILITY}

    def __post_init__(self) -> None:
        self._settle(factor=number(self.factor, self._path("factor"), low=1))
        if self.factor == 1:
            raise FieldError(self._path("factor"), "must be above 1: times 1 is no slip.")
        super().__post_init__()

    def strike(self, scene: Scene) -> None:
        numbers = scene.numbers(self.column).astype(np.float64)
        level = scene.level_of(self.column, self.level)
        slipped = np.where(scene.uniform("side", level) < 0.5, numbers * self.factor, numbers / self.factor)
        scene.change(self.column, np.where(scene.struck(self.share, level), slipped, numbers))

    def equation(self, write: Callable[[Parameter], str]) -> str:
        factor = write(self.factor)
        return f"itself times or divided by {factor}, with probability {write(self.share)}"
