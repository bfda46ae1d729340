"""The mean of a variable over its cluster: the contextual variable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.variables.computed import ComputedWithin
from mixedsim.simulate.variables.place import Place
from mixedsim.simulate.variables.variable import Array, Site


@dataclass(frozen=True)
class ClusterMean(ComputedWithin):
    """The mean of an earlier variable over the rows of each cluster, as drawn.

    It is the mean of the members in the sample, ``data.groupby(by)[of].mean()``, not the mean that the cluster
    would have in an endless population.

    Parameters
    ----------
    of : name of an earlier variable that varies within the cluster; of a hidden one too.
    by : the cluster; may be left out where the population has only one.
    observed : False keeps the variable out of the data; it stays in the truth.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.ClusterMean("depression")
    ClusterMean(of='depression', by=None, observed=True)
    """

    of: str
    by: str | None = None
    observed: bool = True

    @property
    def level(self) -> str | None:
        """The same as `by`."""
        return self.by

    def level_in(self, place: Place) -> str | None:
        super().level_in(place)
        place.check_varies("of", self.of, self.cluster, "its mean is itself")
        return self.by

    def make(self, site: Site) -> Array:
        return site.mean_by(self.of, self.cluster)

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        return "=", f"mean of {write(self.of)} in its {self.by or 'cluster'}"
