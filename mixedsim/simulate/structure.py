"""Which clusters there are and how they lie to each other: nested in chains, chains crossed.

``{"school": 20, "class": {"in": "school", "n": 4}}`` is one chain, classes in schools.
``{"subject": 30, "item": 12}`` is two chains of one cluster each: every subject meets every item. A **cell** is one
innermost unit of every chain (a class; a subject with an item), and rows come in cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mixedsim.errors import nearest
from mixedsim.simulate.counts import Count, count, expected
from mixedsim.simulate.fields import FieldError, identifier, only, shown, whole
from mixedsim.simulate.frozen import Frozen

_MOST_ROWS = 1e9


@dataclass(frozen=True)
class Cluster:
    """One grouping factor: its name, how many there are (in each unit of `within`, if it is nested)."""

    name: str
    n: Count
    within: str | None = None


@dataclass(frozen=True)
class Structure:
    """All clusters of a population, chain by chain, outermost first, and the rows a cell."""

    chains: tuple[tuple[Cluster, ...], ...]
    size: Count

    @property
    def names(self) -> tuple[str, ...]:
        """Every cluster's name, chain by chain."""
        return tuple(cluster.name for chain in self.chains for cluster in chain)

    def chain_of(self, name: str) -> tuple[str, ...]:
        """Names in the chain of cluster `name`, outermost first."""
        return next(names for chain in self.chains if name in (names := tuple(c.name for c in chain)))

    def constant_within(self, outer: str | None, inner: str | None) -> bool:
        """Whether a variable at level `outer` is constant in every unit of level `inner` (None: rows)."""
        if inner is None:
            return True
        if outer is None:
            return False
        chain = self.chain_of(inner)
        return outer in chain and chain.index(outer) <= chain.index(inner)

    def innermost(self, factors: tuple[str, ...]) -> tuple[str, ...]:
        """What remains of the factors if each chain keeps its innermost: ``("class", "school")`` → ``("class",)``."""
        deepest = []
        for chain in self.chains:
            inside = [cluster.name for cluster in chain if cluster.name in factors]
            deepest += inside[-1:]
        return tuple(deepest)

    def expected_rows(self) -> float:
        """Number of rows on average."""
        rows = expected(self.size)
        for chain in self.chains:
            for cluster in chain:
                rows *= expected(cluster.n)
        return rows

    def small(self) -> Structure:
        """The same structure with at most three units a cluster and four rows a cell, to try things out on."""

        def few(cluster: Cluster) -> Cluster:
            return Cluster(cluster.name, min(int(expected(cluster.n)), 3) or 1, cluster.within)

        return Structure(tuple(tuple(few(c) for c in chain) for chain in self.chains), size=4)


def clusters_of(given: Any) -> Frozen[str, Any]:
    """The `clusters` field in its one form: name → n, or name → {"in": parent, "n": count}."""
    if not isinstance(given, Mapping) or not given:
        raise FieldError(
            ("clusters",), f"must name at least one cluster, as in {{'therapist': 100}}, found {shown(given)}."
        )
    settled: dict[str, Any] = {}
    for key, entry in given.items():
        field = ("clusters", str(key))
        identifier(key, field)
        if not isinstance(entry, Mapping):
            settled[key] = whole(entry, field, low=1)
            continue
        only(entry, ("in", "n"), field, needed=("in", "n"))
        if entry["in"] not in settled:
            raise FieldError(
                (*field, "in"),
                f"must be an earlier cluster, found {shown(entry['in'])}: "
                f"{nearest(str(entry['in']), settled) if settled else 'there is none before it.'}",
            )
        settled[key] = Frozen({"in": entry["in"], "n": count(entry["n"], (*field, "n"))})
    return Frozen(settled)


def structure_of(clusters: Mapping[str, Any], size: Count) -> Structure:
    """The `Structure` that the two fields describe, or `FieldError` if they branch or are far too many."""
    chains: list[list[Cluster]] = []
    for key, entry in clusters.items():
        if not isinstance(entry, Mapping):
            chains.append([Cluster(key, entry)])
            continue
        chain = next(c for c in chains if any(cluster.name == entry["in"] for cluster in c))
        if chain[-1].name != entry["in"]:
            after = chain[[c.name for c in chain].index(entry["in"]) + 1].name
            raise FieldError(
                ("clusters", key, "in"),
                f"cannot be {entry['in']!r}, which holds {after!r} already: clusters nest in a chain.",
            )
        chain.append(Cluster(key, entry["n"], entry["in"]))
    structure = Structure(tuple(tuple(chain) for chain in chains), size)
    if structure.expected_rows() > _MOST_ROWS:
        raise FieldError(
            ("size",),
            f"makes {structure.expected_rows():.3g} rows with these clusters; at most {_MOST_ROWS:.0e} are possible.",
        )
    return structure
