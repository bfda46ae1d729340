"""Levels of a grouping factor that nobody knows beforehand: every chunk brings its own, and they are joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import DataError
from mixedsim.levels import Codes, Levels, labelled
from mixedsim.reading import Values

_SPARSE = 4  # numbers spread over more than so many times the rows are looked up, not counted off


@dataclass(frozen=True, eq=False)
class GroupLevels:
    """Levels seen so far, in any order; some may turn out to have no row.

    Attributes
    ----------
    names : the columns that the factor is made of.
    labels : the values of each column.
    keys : for each level its number among all combinations of labels; None where one column is the factor, and its
        labels are the levels.
    """

    names: tuple[str, ...]
    labels: tuple[pd.Index[Any], ...]
    keys: NDArray[np.int64] | None

    def __len__(self) -> int:
        """J, the number of levels."""
        return len(self.labels[0]) if self.keys is None else len(self.keys)

    def own(self) -> tuple[NDArray[np.int64], ...]:
        """For each column, which of its labels belongs to each level."""
        if self.keys is None:
            return (np.arange(len(self), dtype=np.int64),)
        return split(self.keys, [len(part) for part in self.labels])


def split(keys: NDArray[np.int64], sizes: Sequence[int]) -> tuple[NDArray[np.int64], ...]:
    """Numbers of combinations as numbers of their parts."""
    parts = []
    for size in reversed(sizes):
        keys, part = np.divmod(keys, size)
        parts.append(part)
    return tuple(reversed(parts))


def join(parts: Sequence[NDArray[Any]], sizes: Sequence[int], names: Sequence[str]) -> NDArray[np.int64]:
    """The inverse of `split`."""
    if np.prod([float(size) for size in sizes]) > 2.0**62:
        raise DataError(f"{' and '.join(names)} have more than 2⁶² possible combinations: combine fewer columns.")
    keys = np.zeros(len(parts[0]), dtype=np.int64)
    for part, size in zip(parts, sizes, strict=True):
        keys = keys * size + part
    return keys


class Coder:
    """Level numbers of the rows of one chunk; each column is coded once, however many factors it serves.

    Parameters
    ----------
    columns : the grouping columns of the chunk, without gaps.
    """

    def __init__(self, columns: Mapping[str, Values]) -> None:
        self._columns = columns
        self._known: dict[str, tuple[Codes, pd.Index[Any]]] = {}

    def __call__(self, names: Sequence[str]) -> tuple[Codes, GroupLevels]:
        """The level of every row by these columns together, and the levels."""
        coded = [self._one(name) for name in names]
        labels = tuple(own for _, own in coded)
        if len(coded) == 1:
            return coded[0][0], GroupLevels(tuple(names), labels, None)
        joint = join([codes for codes, _ in coded], [len(own) for own in labels], names)
        codes, keys = pd.factorize(joint)
        return codes, GroupLevels(tuple(names), labels, keys)

    def _one(self, name: str) -> tuple[Codes, pd.Index[Any]]:
        if name not in self._known:
            self._known[name] = _coded(self._columns[name])
        return self._known[name]


def _coded(values: Values) -> tuple[Codes, pd.Index[Any]]:
    """Codes of one column and what they stand for."""
    if isinstance(values, pd.Categorical):
        return values.codes.astype(np.intp), values.categories
    if isinstance(values, np.ndarray) and values.dtype.kind == "i" and len(values):
        low, high = int(values.min()), int(values.max())
        if high - low < _SPARSE * len(values):  # counting off takes a tenth of the time of looking up
            codes = values if low == 0 else values - low
            return codes.astype(np.intp, copy=False), pd.RangeIndex(low, high + 1)
    codes, labels = pd.factorize(values)
    return codes, pd.Index(labels)


def joined(a: GroupLevels, b: GroupLevels) -> tuple[GroupLevels, Codes | None, Codes | None]:
    """The levels of both, and where those of the one and of the other stand among them (None: as they were)."""
    merged = [_union(one, other) for one, other in zip(a.labels, b.labels, strict=True)]
    labels = tuple(own for own, _, _ in merged)
    if a.keys is None or b.keys is None:
        return GroupLevels(a.names, labels, None), merged[0][1], merged[0][2]
    sizes = [len(own) for own in labels]
    mine = join([_moved(part, way) for part, (_, way, _) in zip(a.own(), merged, strict=True)], sizes, a.names)
    others = join([_moved(part, way) for part, (_, _, way) in zip(b.own(), merged, strict=True)], sizes, a.names)
    keys, way, other_way = _union(pd.Index(mine), pd.Index(others))
    return GroupLevels(a.names, labels, keys.to_numpy(dtype=np.int64)), way, other_way


def _moved(part: NDArray[np.int64], way: Codes | None) -> NDArray[Any]:
    return part if way is None else way[part]


def _union(a: pd.Index[Any], b: pd.Index[Any]) -> tuple[pd.Index[Any], Codes | None, Codes | None]:
    """All labels, those of `a` first (numbers in a row stay in a row), and where the labels of each now stand."""
    if a is b or (len(a) == len(b) and a.equals(b)):
        return a, None, None
    if isinstance(a, pd.RangeIndex) and isinstance(b, pd.RangeIndex) and a.step == b.step == 1:
        span = pd.RangeIndex(min(a.start, b.start), max(a.stop, b.stop))
        if len(span) <= _SPARSE * (len(a) + len(b)):
            ways = [np.arange(one.start - span.start, one.stop - span.start, dtype=np.intp) for one in (a, b)]
            return span, ways[0], ways[1]
    place = a.get_indexer(b)
    new = place < 0
    if not new.any():
        return a, None, place
    both = a.append(b[new])
    place[new] = np.arange(len(a), len(both))
    return both, None, place


def settled(levels: GroupLevels, rows: NDArray[np.int64], unordered: Mapping[str, bool]) -> tuple[Levels, Codes]:
    """Return the levels that have rows, in the order that they have in memory, and where each of them stood.

    Parameters
    ----------
    levels : all levels that were seen.
    rows : J numbers of rows.
    unordered : for each column whether its values are sorted (else they keep the order of their categories).
    """
    present = np.flatnonzero(rows)
    parts, ranks = [], []
    for name, labels, own in zip(levels.names, levels.labels, levels.own(), strict=True):
        used = np.unique(own[present])
        found = labels[used]
        if isinstance(found, pd.RangeIndex):  # as in memory, where nothing counts off
            found = pd.Index(found.to_numpy())
        order = np.argsort(found.to_numpy(), kind="stable") if unordered[name] else np.arange(len(used))
        rank = np.empty(len(labels), dtype=np.int64)
        rank[used[order]] = np.arange(len(used))
        parts.append(found[order])
        ranks.append(rank[own[present]])
    joint = join(ranks, [len(part) for part in parts], levels.names)
    order = np.argsort(joint, kind="stable")
    return labelled(levels.names, tuple(parts), joint[order]), present[order]
