"""A variable without the differences between clusters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.variables.computed import ComputedWithin
from mixedsim.simulate.variables.place import Place
from mixedsim.simulate.variables.variable import Array, Site


@dataclass(frozen=True)
class Within(ComputedWithin):
    """An earlier variable minus its mean in the cluster, as drawn: by how much a member differs from the others.

    With ``scale=True`` it is also divided by its standard deviation in the cluster (with n − 1): mean 0 and sd 1 in
    every cluster, exactly. Where it does not vary in a cluster, it stays 0.

    Together with `ClusterMean` it takes a variable apart: ``x = ClusterMean("x") + Within("x")``, row by row. Its mean
    is 0 in every cluster, so that it is uncorrelated with everything that belongs to the cluster.

    Parameters
    ----------
    of : name of an earlier numeric variable that varies within the cluster.
    by : the cluster; may be left out where the population has only one.
    scale : whether to divide by the standard deviation.
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If `of` is categorical or constant in every unit of the cluster, or `by` is needed and missing.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Within("depression", by="therapist")
    Within(of='depression', by='therapist', scale=False, observed=True)
    """

    of: str
    by: str | None = None
    scale: bool = False
    observed: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_switch("scale")

    def level_in(self, place: Place) -> str | None:
        level = super().level_in(place)
        place.check_varies("of", self.of, self.cluster, "what is left is 0")
        return place.finest((level, self.by))

    def make(self, site: Site) -> Array:
        values: Any = site.read(self.of)
        within: Array = values - site.mean_by(self.of, self.cluster)
        if self.scale:
            sd = site.sd_by(self.of, self.cluster)
            np.divide(within, sd, out=within, where=sd > 0)
        return within

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        name, cluster = write(self.of), self.by or "cluster"
        if self.scale:
            return "=", f"({name} − its mean) / its sd, both in the {cluster}"
        return "=", f"{name} − its mean in the {cluster}"
