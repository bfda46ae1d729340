"""Values that were read off, or remembered, in round numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.fields import FieldError, number
from mixedsim.simulate.problems.problem import PROBABILITY, CellProblem
from mixedsim.simulate.problems.scene import Scene
from mixedsim.simulate.variables.variable import Interval


@dataclass(frozen=True)
class Rounded(CellProblem):
    """A column rounded to multiples of a number, halves to the even multiple.

    With a `share` below 1 only some values are round: people who say 30 when it was 28 beside people who say 28.

    Parameters
    ----------
    column : an observed numeric variable or the response; whole numbers stay whole where `to` is.
    to : number above 0: 1 for whole numbers, 0.1 for one decimal, 5 for fives and tens.
    share : the probability that a value is rounded; number in [0, 1], or expression of the true values.
    level : cluster whose rows are struck together; None for the level of the column.

    Raises
    ------
    PopulationError
        If `to` is not above 0, or a probability leaves [0, 1].

    Examples
    --------
    >>> import mixedsim as ms
    >>> fives = ms.Rounded("anxiety", to=5)
    >>> ms.scenarios.therapist_plain().with_(problems=[fives]).draw(seed=1).data["anxiety"].head(3).tolist()
    [70.0, 65.0, 75.0]
    """

    column: str
    to: float = 1.0
    share: Parameter = 1.0
    level: str | None = None

    limits: ClassVar[Mapping[str, Interval]] = {"share": PROBABILITY}

    def __post_init__(self) -> None:
        self._settle(to=number(self.to, self._path("to"), low=0))
        if self.to == 0:
            raise FieldError(self._path("to"), "must be above 0: 0.1 for one decimal, 5 for fives and tens.")
        super().__post_init__()

    def strike(self, scene: Scene) -> None:
        numbers = scene.numbers(self.column)
        struck = scene.struck(self.share, scene.level_of(self.column, self.level))
        rounded = np.where(struck, multiples(numbers, self.to), numbers)
        scene.change(self.column, rounded.astype(numbers.dtype) if self.to == int(self.to) else rounded)

    def equation(self, write: Callable[[Parameter], str]) -> str:
        some = "" if self.share == 1 else f", with probability {write(self.share)}"
        return f"rounded to multiples of {write(self.to)}{some}"


def multiples(values: NDArray[Any], to: float) -> NDArray[np.float64]:
    """The multiples of `to` nearest to the values.

    A tenth is no floating-point number and 10 is one: rounding to 0.1 divides by 10 in the end, so that 0.3 is what
    people type and not three times a little more than a tenth.
    """
    parts = round(1 / to) if to < 1 else 0
    exact = parts > 0 and abs(parts * to - 1) < 1e-12
    nearest: NDArray[np.float64] = np.rint(values * parts) / parts if exact else np.rint(values / to) * to
    return nearest
