"""Which clusters there are and how they lie to each other: nested or crossed, wholly or in part.

Clusters form trees. ``{"school": 20, "class": {"in": "school", "n": 4}}`` is one tree, classes in schools.
``{"subject": 30, "item": 12}`` is two: every subject meets every item. Two clusters in one parent are crossed within
it: with ``{"clinic": 5, "therapist": {"in": "clinic", "n": 3}, "patient": {"in": "clinic", "n": 20}}`` every patient
meets every therapist of the clinic. A **cell** is one combination of innermost units that meet (a class; a subject with
an item), and rows come in cells.

Where not all should meet, the later cluster says how many: ``"item": {"n": 40, "sample": 10}`` gives every subject ten
of the forty items, drawn at random without replacement; ``"rotate": 10`` gives ten by turns, so that in the end every
item is met equally often, or once more than another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from mixedsim.simulate.counts import Count, expected, words

_MOST_TRIED = 1000  # cells of the small structure on which things are tried out
_MOST_ROWS = 10_000  # of the thinned one


@dataclass(frozen=True)
class Cluster:
    """One grouping factor.

    Attributes
    ----------
    name : of the cluster.
    n : how many there are, in each unit of `within` if it is nested.
    within : the cluster it is nested in.
    met : how many of them each combination of the earlier clusters beside it meets; None: all.
    by_turns : whether those are given out by turns; else they are drawn.
    """

    name: str
    n: Count
    within: str | None = None
    met: Count | None = None
    by_turns: bool = False


@dataclass(frozen=True)
class Structure:
    """All clusters of a population, tree by tree, outer before inner, and the rows a cell."""

    clusters: tuple[Cluster, ...]
    size: Count

    @property
    def names(self) -> tuple[str, ...]:
        """Every cluster's name, tree by tree."""
        return tuple(cluster.name for cluster in self.clusters)

    def cluster(self, name: str) -> Cluster:
        """The cluster of that name."""
        return next(cluster for cluster in self.clusters if cluster.name == name)

    def children(self, name: str | None) -> tuple[Cluster, ...]:
        """The clusters directly in `name`; for None those that are in no other."""
        return tuple(cluster for cluster in self.clusters if cluster.within == name)

    def leaves(self) -> tuple[str, ...]:
        """The clusters that hold no other: one unit of each makes a cell."""
        return tuple(name for name in self.names if not self.children(name))

    def chain_of(self, name: str) -> tuple[str, ...]:
        """Names of the clusters around `name`, outermost first, itself last."""
        within = self.cluster(name).within
        return (name,) if within is None else (*self.chain_of(within), name)

    def constant_within(self, outer: str | None, inner: str | None) -> bool:
        """Whether a variable at level `outer` is constant in every unit of level `inner` (None: rows)."""
        if inner is None:
            return True
        return outer is not None and outer in self.chain_of(inner)

    def innermost(self, factors: tuple[str, ...]) -> tuple[str, ...]:
        """What remains of the factors without those around another one: ``("class", "school")`` → ``("class",)``."""
        around = {outer for factor in factors for outer in self.chain_of(factor)[:-1]}
        return tuple(name for name in self.names if name in factors and name not in around)

    def full(self) -> bool:
        """Whether units of different innermost clusters meet in every combination there is."""
        branches = any(len(self.children(name)) > 1 for name in self.names)
        return not branches and all(cluster.met is None for cluster in self.clusters)

    def inside_out(self) -> tuple[str, ...]:
        """Every cluster's name, tree by tree, inner before outer."""
        trees = [[name for name in self.names if root.name in self.chain_of(name)] for root in self.children(None)]
        return tuple(name for tree in trees for name in reversed(tree))

    def meeting(self, cluster: Cluster) -> str:
        """In words, how many of its units are met by whom; "" where all are."""
        if cluster.met is None:
            return ""
        beside = self.children(cluster.within)
        before = (one.name for one in beside[: beside.index(cluster)])
        deepest = (leaf for name in before for leaf in self.leaves() if name in self.chain_of(leaf))
        manner = "by turns" if cluster.by_turns else "drawn at random"
        return f"each {' × '.join(deepest)} meets {words(cluster.met)} of them, {manner}"

    def outside(self) -> frozenset[str]:
        """The clusters that do not belong to the first tree."""
        first = self.names[0]
        return frozenset(name for name in self.names if first not in self.chain_of(name))

    def expected_rows(self) -> float:
        """Number of rows on average."""
        return expected(self.size) * math.prod(self._expected_cells(root) for root in self.children(None))

    def _expected_cells(self, cluster: Cluster) -> float:
        """Cells that one combination of the earlier clusters gets from this one."""
        units = expected(cluster.n)
        if cluster.met is not None:
            units = min(units, expected(cluster.met))
        return units * math.prod(self._expected_cells(child) for child in self.children(cluster.name))

    def small(self) -> Structure:
        """The same structure with at most three units a cluster and four rows a cell, to try things out on."""
        most = next((m for m in (3, 2) if m ** len(self.clusters) <= _MOST_TRIED), 1)

        def few(many: Count) -> int:
            return min(int(expected(many)), most) or 1

        tried = (replace(one, n=few(one.n), met=None if one.met is None else few(one.met)) for one in self.clusters)
        return Structure(tuple(tried), size=4)

    def thinned(self) -> Structure:
        """The same structure with about 10,000 rows at most, for what hardly shows on the few rows of `small`.

        Whatever there is most of becomes fewer, so that few units of a kind (the waves of a panel) all stay.
        """
        if self.expected_rows() <= _MOST_ROWS:
            return self
        counts = [self.size, *(one.n for one in self.clusters)]
        units = [max(int(expected(many)), 1) for many in counts]
        while math.prod(units) > _MOST_ROWS:
            largest = units.index(max(units))
            units[largest] = (units[largest] + 1) // 2
        thin = (
            replace(one, n=n, met=None if one.met is None else max(min(int(expected(one.met)), n), 1))
            for one, n in zip(self.clusters, units[1:], strict=True)
        )
        return Structure(tuple(thin), size=units[0])
