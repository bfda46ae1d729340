"""Which units meet: the cells of a structure, as codes.

A tree of clusters is walked from its leaves to its root. Inside one parent, branches are crossed one after the other:
every combination of the units so far meets all units of the next branch, a sample of them, or some by turns. The last
branch runs fastest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.counts import draw_counts
from mixedsim.simulate.streams import Streams
from mixedsim.simulate.structure import Cluster, Structure

Codes = NDArray[np.integer[Any]]

_ENTRIES = 2**23  # of the tables by which samples are drawn: some 200 MB at most


def cells_of(
    structure: Structure, units: Mapping[str, int], parents: Mapping[str, Codes], streams: Streams
) -> tuple[int, dict[str, Codes | None]]:
    """Number of cells, and for every cluster its unit in each; None where unit and cell are the same.

    Parameters
    ----------
    units : for every cluster, how many there are.
    parents : for every nested cluster, the parent of each unit.
    """
    whole = _Walk(structure, units, parents, streams).inside(None)
    return len(whole.owners), {name: whole.codes[name] for name in structure.names}


@dataclass(frozen=True, eq=False)
class _Part:
    """Some clusters of a structure, and how their units combine.

    Attributes
    ----------
    owners : for every combination the unit of the parent in which it lies, in order.
    codes : for every cluster, its unit in each combination; None where the two are the same.
    """

    owners: Codes
    codes: Mapping[str, Codes | None]

    def taken(self, at: Codes) -> dict[str, Codes | None]:
        """The codes of the combinations `at`."""
        return {name: at if codes is None else codes[at] for name, codes in self.codes.items()}


@dataclass(frozen=True, eq=False)
class _Walk:
    """One walk through the trees."""

    structure: Structure
    units: Mapping[str, int]
    parents: Mapping[str, Codes]
    streams: Streams

    def inside(self, name: str | None) -> _Part:
        """All clusters in `name`, crossed within each of its units; `name` itself if it holds none."""
        children = self.structure.children(name)
        if not children:
            assert name is not None
            return _Part(np.arange(self.units[name]), {})
        part = self.branch(children[0])
        for cluster in children[1:]:
            part = self.crossed(part, cluster)
        return part

    def branch(self, cluster: Cluster) -> _Part:
        """The units of `cluster` and all that lies in them, by the unit of its parent."""
        held = self.inside(cluster.name)
        leaf = not held.codes
        owners = self.owners(cluster)
        return _Part(
            owners if leaf else owners[held.owners], {cluster.name: None if leaf else held.owners, **held.codes}
        )

    def owners(self, cluster: Cluster) -> Codes:
        """The parent of each unit of `cluster`; the trees have one in common, which holds all there is."""
        if cluster.within is not None:
            return self.parents[cluster.name]
        return np.broadcast_to(np.int64(0), self.units[cluster.name])

    def crossed(self, left: _Part, cluster: Cluster) -> _Part:
        """Every combination of `left` with those units of `cluster` that it meets, and all that lies in them."""
        number = np.bincount(self.owners(cluster))
        first = np.cumsum(number) - number
        if cluster.met is None:
            at, unit = _all(left.owners, number)
        elif cluster.by_turns:
            at, unit = _by_turns(left.owners, number, cluster, self.streams)
        else:
            at, unit = _sampled(left.owners, number, cluster, self.streams)
        unit += first[left.owners[at]]
        right = self.branch(cluster)
        codes = right.codes[cluster.name]
        if codes is not None:  # each unit stands for all combinations that lie in it
            many = np.bincount(codes)
            lengths = many[unit]
            at, unit = np.repeat(at, lengths), _ranges((np.cumsum(many) - many)[unit], lengths)
        return _Part(left.owners[at], {**left.taken(at), **right.taken(unit)})


def _all(owners: Codes, number: Codes) -> tuple[Codes, Codes]:
    """Every combination with every unit in its owner, counted from 0: numbers of combinations, numbers of units."""
    lengths = number[owners]
    return np.repeat(np.arange(len(owners)), lengths), _ranges(np.zeros_like(lengths), lengths)


def _by_turns(owners: Codes, number: Codes, cluster: Cluster, streams: Streams) -> tuple[Codes, Codes]:
    """As `_all`, but each combination meets the next m units of n, round and round from a random start.

    After so many turns as bring every unit equally often, lcm(m, n) / m, the round moves on by one, so that it is not
    always the same units that are met together.
    """
    assert isinstance(cluster.met, int)
    m = np.minimum(cluster.met, number)
    start = streams.generator("rotate", cluster.name).integers(0, number)
    turn = np.arange(len(owners)) - np.searchsorted(owners, owners)
    met = turn * m[owners]
    lengths = m[owners]
    places = _ranges(start[owners] + met + met // np.lcm(m, number)[owners], lengths)
    at = np.repeat(np.arange(len(owners)), lengths)
    return at, places % number[owners][at]


def _sampled(owners: Codes, number: Codes, cluster: Cluster, streams: Streams) -> tuple[Codes, Codes]:
    """As `_all`, but each combination meets a random sample of the units, without replacement, in order.

    Method: Floyd's (Bentley and Floyd 1987, Commun. ACM 30(9), 754–757), for all combinations at once: at step j of m
    draw t from 0, …, n − m + j; mark t, or n − m + j where t is marked already.
    """
    assert cluster.met is not None
    available = number[owners]
    how_many = streams.generator("sample", cluster.name, "how many")
    wanted = draw_counts(cluster.met, how_many, len(owners), ("clusters", cluster.name, "sample"))
    many = np.minimum(wanted, available)
    rng = streams.generator("sample", cluster.name)
    most, units = int(many.max()), int(number.max())
    in_table = most**2 > units  # to mark and look up takes n + m steps, to compare with all before m²
    rows = max(_ENTRIES // (units if in_table else most), 1)
    pieces = []
    for start in range(0, len(owners), rows):
        here = slice(start, start + rows)
        tops = (available[here] - many[here])[:, None] + np.arange(most)
        drawn = rng.integers(0, np.maximum(tops, 0), endpoint=True)
        combination, unit = (_marked if in_table else _compared)(tops, drawn, many[here], units)
        pieces.append((start + combination, unit))
    return np.concatenate([at for at, _ in pieces]), np.concatenate([unit for _, unit in pieces])


def _marked(tops: Codes, drawn: Codes, many: Codes, units: int) -> tuple[Codes, Codes]:
    """The samples by a table in which every combination marks its units: numbers of combinations, of units."""
    every = np.arange(len(drawn))
    marked = np.zeros((len(drawn), units), dtype=bool)
    for step in range(drawn.shape[1]):
        active = every[step < many]
        t = drawn[active, step]
        marked[active, np.where(marked[active, t], tops[active, step], t)] = True
    at, unit = np.nonzero(marked)
    return at, unit


def _compared(tops: Codes, drawn: Codes, many: Codes, units: int) -> tuple[Codes, Codes]:
    """The same samples by comparing every unit with those before it."""
    chosen = np.full_like(drawn, units)  # where a sample has ended
    for step in range(drawn.shape[1]):
        taken = (chosen[:, :step] == drawn[:, step, None]).any(axis=1)
        unit = np.where(taken, tops[:, step], drawn[:, step])
        chosen[:, step] = np.where(step < many, unit, units)
    chosen.sort(axis=1)
    at, place = np.nonzero(chosen < units)
    return at, chosen[at, place]


def _ranges(starts: Codes, lengths: Codes) -> Codes:
    """``starts[0], starts[0] + 1, …`` for as many as the first length says, then the same for the second, and so on."""
    before = np.cumsum(lengths) - lengths
    ranges: Codes = np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths)
    return ranges
