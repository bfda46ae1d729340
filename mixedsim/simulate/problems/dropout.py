"""People who leave before the study ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import pandas as pd

from mixedsim.errors import nearest
from mixedsim.simulate.contents import Contents
from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.fields import FieldError, shown
from mixedsim.simulate.problems import checks
from mixedsim.simulate.problems.problem import PROBABILITY, Problem
from mixedsim.simulate.problems.scene import Scene
from mixedsim.simulate.problems.table import Mask
from mixedsim.simulate.variables.variable import Interval

_CHOICES = {"leaves": ("before", "after"), "gone": ("rows", "response")}


@dataclass(frozen=True)
class Dropout(Problem):
    """Units that leave: from one row on, all later rows of the unit are gone, and nobody comes back.

    At every row the unit leaves with the probability `hazard`, if it is still there. The first row of a unit is always
    in the data, since whoever was never seen did not drop out: with a constant hazard h, row t is there with
    probability (1 − h)^(t − 1).

    What `hazard` reads and when the unit `leaves` say which kind of missingness it is (Little 1995, Journal of the
    American Statistical Association 90:1112–1121). A hazard that reads the response and strikes *after* the row
    depends on what was seen: at random. One that strikes *before* the row depends on a value that nobody saw: not at
    random.

    Parameters
    ----------
    hazard : the probability of leaving at a row; number in [0, 1], or expression of the true values, the response
        included.
    by : the cluster whose units leave; may be left out where the population has only one.
    over : the variable that says which rows are later; None for the order of the rows.
    leaves : ``"before"`` the row at which the lot was drawn, or ``"after"`` it.
    gone : ``"rows"`` removes the later rows; ``"response"`` leaves them there with a missing response.

    Raises
    ------
    PopulationError
        If the population has no such cluster or variable, or a probability leaves [0, 1].

    Examples
    --------
    >>> import mixedsim as ms
    >>> growth = ms.Population(
    ...     "weight ~ 1 + (1 | animal)",
    ...     clusters={"animal": 1000},
    ...     size=4,
    ...     fixef={"Intercept": 60},
    ...     ranef={"animal": {"sd": 5}},
    ...     sigma=2,
    ...     problems=[ms.Dropout(0.2)],
    ... )
    >>> growth.draw(seed=1).data.groupby("animal", observed=True).size().value_counts(normalize=True).sort_index()
    1    0.2
    2    0.2
    3    0.1
    4    0.5
    Name: proportion, dtype: float64
    """

    hazard: Parameter
    by: str | None = None
    over: str | None = None
    leaves: str = "before"
    gone: str = "rows"

    limits: ClassVar[Mapping[str, Interval]] = {"hazard": PROBABILITY}

    def __post_init__(self) -> None:
        super().__post_init__()
        for field, thing in (("by", "cluster"), ("over", "variable")):
            name = getattr(self, field)
            if name is not None and not isinstance(name, str):
                raise FieldError(self._path(field), f"must be the name of a {thing}, found {shown(name)}.")
        for field, choices in _CHOICES.items():
            choice = getattr(self, field)
            if choice not in choices:
                raise FieldError(
                    self._path(field), f"must be {' or '.join(map(repr, choices))}, found {shown(choice)}."
                )

    @property
    def target(self) -> str:
        return self.by or "cluster"

    def settled(self, contents: Contents) -> Self:
        names = contents.clusters
        if self.by is None and len(names) > 1:
            raise FieldError(self._path("by"), f"must be given: which of {', '.join(names)}?")
        by = self.by or names[0]
        checks.cluster(by, self._path("by"), contents)
        if self.over is not None and self.over not in contents.kinds:
            raise FieldError(
                self._path("over"), f"must be a variable, found {self.over!r}: {nearest(self.over, contents.kinds)}"
            )
        return replace(super().settled(contents), by=by)

    def strike(self, scene: Scene) -> None:
        assert self.by is not None
        leaving = np.less(scene.uniform("leaves"), scene.value("hazard", self.hazard, low=0, high=1))
        unit = scene.units(self.by)
        order = np.lexsort((self._time(scene), unit)) if len(unit) else unit
        gone = np.empty(len(unit), dtype=bool)
        gone[order] = later(leaving[order], unit[order], itself=self.leaves == "before")
        if self.gone == "rows":
            scene.drop(gone)
        else:
            scene.lose(scene.table.complete.contents.response, gone)

    def equation(self, write: Callable[[Parameter], str]) -> str:
        what = "rows" if self.gone == "rows" else "responses"
        return f"leaves {self.leaves} a row, with probability {write(self.hazard)}: later {what} are gone"

    def _time(self, scene: Scene) -> np.ndarray:
        """What orders the rows of a unit; equal values keep the order of the rows."""
        if self.over is None:
            return np.zeros(len(scene.table.key))
        values = scene.true(self.over)
        return np.asarray(values.codes if isinstance(values, pd.Categorical) else values)


def later(leaving: Mask, unit: np.ndarray, *, itself: bool) -> Mask:
    """Which rows are gone, given at which rows their unit would leave; rows of a unit stand together, in order.

    With `itself`, the row at which the unit leaves is gone too, unless it is the unit's first.
    """
    starts = np.r_[True, unit[1:] != unit[:-1]]
    leaving = leaving & ~starts if itself else leaving
    so_far = np.cumsum(leaving)
    before_unit = np.maximum.accumulate(np.where(starts, so_far - leaving, 0))
    in_unit = so_far - before_unit
    return in_unit > 0 if itself else in_unit - leaving > 0
