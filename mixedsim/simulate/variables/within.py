"""A variable without the differences between clusters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.variables.computed import ComputedWithin
from mixedsim.simulate.variables.place import Place
from mixedsim.simulate.variables.variable import Array, Site


@dataclass(frozen=True)
class Within(ComputedWithin):
    """An earlier variable minus its mean in the cluster, as drawn: by how much a member differs from the others.

    Together with `ClusterMean` it takes a variable apart: ``x = ClusterMean("x") + Within("x")``, row by row. Its mean
    is 0 in every cluster, so that it is uncorrelated with everything that belongs to the cluster.

    Parameters
    ----------
    of : name of an earlier numeric variable that varies within the cluster.
    by : the cluster; may be left out where the population has only one.
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If `of` is categorical or constant in every unit of the cluster, or `by` is needed and missing.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Within("depression", by="therapist")
    Within(of='depression', by='therapist', observed=True)
    """

    of: str
    by: str | None = None
    observed: bool = True

    def level_in(self, place: Place) -> str | None:
        level = super().level_in(place)
        place.check_varies("of", self.of, self.cluster, "what is left is 0")
        return place.finest((level, self.by))

    def make(self, site: Site) -> Array:
        values: Any = site.read(self.of)
        return values - site.mean_by(self.of, self.cluster)  # type: ignore[no-any-return]

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        return "=", f"{write(self.of)} − its mean in the {self.by or 'cluster'}"
