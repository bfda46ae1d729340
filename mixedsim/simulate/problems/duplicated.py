"""Rows that were entered twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.problems.problem import PROBABILITY, Problem
from mixedsim.simulate.problems.scene import Scene
from mixedsim.simulate.variables.variable import Interval


@dataclass(frozen=True)
class Duplicated(Problem):
    """Rows that stand in the data twice, the copy right behind the row, with all that is wrong with it so far.

    Problems that come later strike row and copy independently.

    Parameters
    ----------
    share : the probability of being entered twice; number in [0, 1], or expression of the true values.

    Raises
    ------
    PopulationError
        If a probability leaves [0, 1].

    Examples
    --------
    >>> import mixedsim as ms
    >>> twice = ms.Duplicated(0.01)
    >>> sample = ms.scenarios.therapist_plain().with_(problems=[twice]).draw(seed=1)
    >>> len(sample.data) - 5000, int(sample.data.duplicated().sum()), len(sample.truth.problems)
    (48, 48, 48)
    """

    share: Parameter

    limits: ClassVar[Mapping[str, Interval]] = {"share": PROBABILITY}

    @property
    def target(self) -> str:
        return "row"

    def strike(self, scene: Scene) -> None:
        scene.repeat(scene.struck(self.share))

    def equation(self, write: Callable[[Parameter], str]) -> str:
        return f"entered twice, with probability {write(self.share)}"
