"""An instrument that does not read exactly what is there."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.fields import FieldError, number
from mixedsim.simulate.problems.problem import CellProblem
from mixedsim.simulate.problems.scene import Scene
from mixedsim.simulate.variables.variable import Interval


@dataclass(frozen=True)
class MeasurementError(CellProblem):
    """Noise on a column: the response arose from the true values, the data hold the measured ones.

    ``measured = true + e``, ``e ~ Normal(0, sd)``, independent of everything (classical error). In a regression on the
    measured column alone its slope shrinks by the reliability var(true) / (var(true) + sd²) (Fuller 1987, Measurement
    Error Models, section 1.1). Noise on the response biases no slope; it adds to the residual.

    Parameters
    ----------
    column : an observed numeric variable or the response; becomes a column of floats.
    sd : standard deviation of the noise; number of at least 0, or expression.
    reliability : instead of `sd`, the share of the measured variance that is true, in (0, 1]; the true variance is
        that of all rows of this draw.
    level : cluster whose rows share one error; None for the level of the column.

    Raises
    ------
    PopulationError
        If not exactly one of `sd` and `reliability` is given, or one is out of bounds.

    Examples
    --------
    >>> import mixedsim as ms
    >>> noisy = ms.MeasurementError("depression", reliability=0.5)
    >>> sample = ms.scenarios.therapist_plain().with_(problems=[noisy]).draw(seed=1)
    >>> float(sample.truth.complete["depression"].var() / sample.data["depression"].var())
    0.49
    """

    column: str
    sd: Parameter | None = None
    reliability: float | None = None
    level: str | None = None

    limits: ClassVar[Mapping[str, Interval]] = {"sd": (0.0, math.inf)}
    optional: ClassVar[tuple[str, ...]] = ("sd",)

    def __post_init__(self) -> None:
        if (self.sd is None) == (self.reliability is None):
            found = "neither" if self.sd is None else "both"
            raise FieldError(self._path("sd"), f"or reliability must be given, one of the two; found {found}.")
        if self.reliability is not None:
            reliability = number(self.reliability, self._path("reliability"), low=0, high=1)
            if reliability == 0:
                raise FieldError(self._path("reliability"), "must be above 0: with 0 there is nothing but noise.")
            self._settle(reliability=reliability)
        super().__post_init__()

    def strike(self, scene: Scene) -> None:
        numbers = scene.numbers(self.column)
        noise = scene.normal("noise", scene.level_of(self.column, self.level))
        if self.sd is not None:
            noise *= scene.value("sd", self.sd, low=0)
        else:
            assert self.reliability is not None
            # var(true) / (var(true) + sd²) = reliability, solved for sd.
            noise *= scene.spread(self.column) * math.sqrt(1 / self.reliability - 1)
        scene.change(self.column, numbers + noise)

    def equation(self, write: Callable[[Parameter], str]) -> str:
        if self.sd is not None:
            return f"itself + Normal(0, sd {write(self.sd)})"
        assert self.reliability is not None
        return f"itself + noise, reliability {write(self.reliability)}"
