"""The fields `clusters` and `size` as people write them, and the `Structure` that the two describe."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mixedsim.errors import nearest
from mixedsim.simulate.counts import Count, Sizes, check_length, count, expected, typical
from mixedsim.simulate.fields import FieldError, Path, identifier, only, shown, whole
from mixedsim.simulate.frozen import Frozen
from mixedsim.simulate.structure import Cluster, Structure
from mixedsim.simulate.variables import Drawn

_MOST_ROWS = 1e9
_MOST_CLUSTERS = 100  # each is a column of the data


def clusters_of(given: Any) -> Frozen[str, Any]:
    """The `clusters` field in its one form: name → n, or name → {"in": parent, "n": count, "sample": count}.

    Every cluster stands directly before all that it holds, as in the data.
    """
    if not isinstance(given, Mapping) or not given:
        raise FieldError(
            ("clusters",), f"must name at least one cluster, as in {{'therapist': 100}}, found {shown(given)}."
        )
    if len(given) > _MOST_CLUSTERS:
        raise FieldError(("clusters",), f"must be at most {_MOST_CLUSTERS}, found {len(given)}.")
    settled: dict[str, Any] = {}
    for key, entry in given.items():
        identifier(key, ("clusters", str(key)))
        settled[key] = _settled(key, entry, settled)
    return Frozen({key: settled[key] for key in _depth_first(settled, None)})


def structure_of(clusters: Mapping[str, Any], size: Count) -> Structure:
    """The `Structure` that the two fields describe, or `FieldError` if they disagree or make far too many rows."""
    structure = Structure(tuple(_cluster(key, entry) for key, entry in clusters.items()), size)
    _check_sizes(structure)
    rows = structure.expected_rows()
    if rows <= _MOST_ROWS:
        rows = _typically(structure).expected_rows()
    if rows > _MOST_ROWS:
        raise FieldError(
            ("size",), f"makes {rows:.3g} rows with these clusters; at most {_MOST_ROWS:.0e} are possible."
        )
    return structure


def _typically(structure: Structure) -> Structure:
    """The same with a number in place of each distribution, which may be so wide that its mean says little."""
    clusters = tuple(
        replace(one, n=_as_number(one.n), met=None if one.met is None else _as_number(one.met))
        for one in structure.clusters
    )
    return replace(structure, clusters=clusters, size=_as_number(structure.size))


def _as_number(many: Count) -> Count:
    return round(typical(many)) if isinstance(many, Drawn) else many


def extended(clusters: Mapping[str, Any], size: Any, counts: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """The fields `clusters` and `size` with other counts, given by the names of clusters, or as ``size``."""
    changed = dict(clusters)
    for name, n in counts.items():
        if name in clusters:
            entry = clusters[name]
            changed[name] = {**entry, "n": n} if isinstance(entry, Mapping) else n
        elif name == "size":
            size = n
        else:
            raise FieldError((name,), f"is no cluster, nor size: {nearest(name, [*clusters, 'size'])}")
    return changed, size


def _settled(key: str, entry: Any, earlier: Mapping[str, Any]) -> Any:
    """One entry of `clusters` in its one form."""
    field = ("clusters", key)
    if not isinstance(entry, Mapping):
        return whole(entry, field, low=1)
    if "within" in entry:  # the word that variables have for it
        raise FieldError((*field, "within"), "is not a field: did you mean 'in'?")
    only(entry, ("in", "n", "sample", "rotate"), field, needed=("n",))
    parent = entry.get("in")
    if parent is not None:
        _check_parent(parent, earlier, (*field, "in"))
    n = whole(entry["n"], (*field, "n"), low=1) if parent is None else count(entry["n"], (*field, "n"))
    settled = {"n": n} if parent is None else {"in": parent, "n": n}
    settled |= _meeting(entry, n, field)
    if set(settled) & {"sample", "rotate"} and parent not in map(_parent, earlier.values()):
        raise FieldError(
            field, f"says how many of them are met, but no cluster before it is there to meet them: move {key} down."
        )
    return n if set(settled) == {"n"} else Frozen(settled)


def _check_parent(parent: Any, earlier: Mapping[str, Any], field: Path) -> None:
    if isinstance(parent, list | tuple):
        raise FieldError(
            field,
            f"must be one cluster, found {shown(parent)}: a unit of several parents (multiple membership) cannot be "
            "simulated; cross the clusters, and let rows choose with 'sample'.",
        )
    if not isinstance(parent, str) or parent not in earlier:
        known = nearest(str(parent), earlier) if earlier else "there is none before it."
        raise FieldError(field, f"must be an earlier cluster, found {shown(parent)}: {known}")


def _meeting(entry: Mapping[str, Any], n: Count, field: Path) -> dict[str, Count]:
    """Which of the units are met, if not all."""
    manners = [manner for manner in ("sample", "rotate") if manner in entry]
    if not manners:
        return {}
    if len(manners) == 2:
        raise FieldError(field, "has both sample and rotate: units are met at random or by turns, choose one.")
    manner = manners[0]
    inside = (*field, manner)
    met = count(entry[manner], inside)
    if manner == "rotate" and not isinstance(met, int):
        raise FieldError(inside, f"must be one whole number, found {shown(entry[manner])}: turns are equally long.")
    if isinstance(met, Sizes):
        raise FieldError(inside, "must be a whole number, a pair (low, high) or a distribution, found Sizes.")
    most = met[1] if isinstance(met, tuple) else expected(met)
    if isinstance(n, int) and most > n:
        raise FieldError(inside, f"must be at most n, {n}, found {shown(most)}.")
    return {} if met == n and isinstance(n, int) else {manner: met}


def _parent(entry: Any) -> str | None:
    return entry.get("in") if isinstance(entry, Mapping) else None


def _cluster(name: str, entry: Any) -> Cluster:
    if not isinstance(entry, Mapping):
        return Cluster(name, entry)
    met = entry.get("sample", entry.get("rotate"))
    return Cluster(name, entry["n"], entry.get("in"), met, by_turns="rotate" in entry)


def _depth_first(entries: Mapping[str, Any], within: str | None) -> list[str]:
    """The names of the clusters in `within`, each followed by those in it."""
    ordered = []
    for key, entry in entries.items():
        if _parent(entry) == within:
            ordered += [key, *_depth_first(entries, key)]
    return ordered


def _check_sizes(structure: Structure) -> None:
    """Raise `FieldError` if `Sizes` cannot fit; where a number of units is drawn, only the draw can tell."""
    units: dict[str | None, int | None] = {None: 1}
    for cluster in structure.clusters:
        above = units[cluster.within]
        if isinstance(cluster.n, Sizes) and above is not None:
            check_length(cluster.n, above, ("clusters", cluster.name, "n"))
        units[cluster.name] = _exactly(above, cluster.n)
    cells = _cells(structure, units)
    if isinstance(structure.size, Sizes) and cells is not None:
        check_length(structure.size, cells, ("size",))


def _exactly(above: int | None, n: Count) -> int | None:
    """Number of units in all, if that is certain."""
    if isinstance(n, Sizes):
        return sum(n.values)
    return above * n if above is not None and isinstance(n, int) else None


def _cells(structure: Structure, units: Mapping[str | None, int | None]) -> int | None:
    """Number of cells, if that is certain."""
    if all(isinstance(many, int | None) for one in structure.clusters for many in (one.n, one.met)):
        return round(replace(structure, size=1).expected_rows())
    leaves = [units[name] for name in structure.leaves()]
    if not structure.full() or None in leaves:
        return None
    return math.prod(leaf for leaf in leaves if leaf is not None)
