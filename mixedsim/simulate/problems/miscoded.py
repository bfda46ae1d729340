"""Rows under the name of somebody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd

from mixedsim.simulate.contents import Contents
from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.fields import FieldError, shown
from mixedsim.simulate.problems import checks
from mixedsim.simulate.problems.problem import PROBABILITY, Problem
from mixedsim.simulate.problems.scene import Scene
from mixedsim.simulate.variables.variable import Interval


@dataclass(frozen=True)
class Miscoded(Problem):
    """Rows that are labelled with the id of another unit, any other of the same parent being equally likely.

    A pupil's row gets the id of another class of the same school; a patient's row that of another therapist. All else
    in the row stays, so that a price which the therapist's patients share gives the mistake away. Where the parent
    has only one unit there is nobody to be mistaken for, and the row keeps its id.

    Parameters
    ----------
    cluster : the grouping factor whose ids are wrong.
    share : the probability that a row is miscoded; number in [0, 1], or expression of the true values.

    Raises
    ------
    PopulationError
        If there is no such cluster, or a probability leaves [0, 1].

    Examples
    --------
    >>> import mixedsim as ms
    >>> wrong = ms.Miscoded("therapist", 0.05)
    >>> sample = ms.scenarios.therapist_price().with_(problems=[wrong]).draw(seed=1)
    >>> int((sample.data["therapist"] != sample.truth.complete["therapist"]).sum())
    256
    """

    cluster: str
    share: Parameter

    limits: ClassVar[Mapping[str, Interval]] = {"share": PROBABILITY}

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.cluster, str):
            raise FieldError(self._path("cluster"), f"must be the name of a cluster, found {shown(self.cluster)}.")

    @property
    def target(self) -> str:
        return self.cluster

    def settled(self, contents: Contents) -> Self:
        checks.cluster(self.cluster, self._path("cluster"), contents)
        return super().settled(contents)

    def strike(self, scene: Scene) -> None:
        layout = scene.table.complete.layout
        unit = scene.units(self.cluster).astype(np.int64)
        parent = layout.parents.get(self.cluster)
        # Units of one parent stand side by side: the others are 1, 2, … places further on, round the corner.
        within = np.zeros(layout.units[self.cluster], dtype=np.int64) if parent is None else parent
        siblings, first = np.bincount(within)[within][unit], np.searchsorted(within, within)[unit]
        further = 1 + np.floor(scene.uniform("unit") * (siblings - 1)).astype(np.int64)
        other = first + (unit - first + further) % siblings
        now = scene.table.columns[self.cluster]
        assert isinstance(now, pd.Categorical)
        wrong = scene.struck(self.share) & (siblings > 1) & (now.codes >= 0)
        codes = np.where(wrong, other, now.codes)
        scene.change(self.cluster, pd.Categorical.from_codes(codes, dtype=now.dtype, validate=False))

    def equation(self, write: Callable[[Parameter], str]) -> str:
        return f"the id of another one, with probability {write(self.share)}"
