"""The mean of a variable over its cluster: the contextual variable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.fields import FieldError, shown
from mixedsim.simulate.variables.variable import Array, Site, Variable


@dataclass(frozen=True)
class ClusterMean(Variable):
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

    def __post_init__(self) -> None:
        if not isinstance(self.of, str):
            raise FieldError(("ClusterMean", "of"), f"must be the name of a variable, found {shown(self.of)}.")
        if self.by is not None and not isinstance(self.by, str):
            raise FieldError(("ClusterMean", "by"), f"must be the name of a cluster, found {shown(self.by)}.")
        if not isinstance(self.observed, bool):
            raise FieldError(("ClusterMean", "observed"), f"must be true or false, found {shown(self.observed)}.")

    @property
    def level(self) -> str | None:  # type: ignore[override]
        """The same as `by`."""
        return self.by

    def placed(self, clusters: tuple[str, ...]) -> ClusterMean:
        """The same mean with its cluster named: the only one there is, if nothing else was said."""
        if self.by is not None:
            return self
        if len(clusters) > 1:
            raise FieldError(("ClusterMean", "by"), f"must be given: which of {', '.join(clusters)}?")
        return replace(self, by=clusters[0])

    def reads(self) -> Mapping[str, frozenset[str]]:
        return {"of": frozenset({self.of})}

    def make(self, site: Site) -> Array:
        return site.mean_of(self.of)

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        return "=", f"mean of {write(self.of)} in its {self.by or 'cluster'}"
