"""Which row belongs to which unit of every cluster, once the counts are drawn.

Rows lie cell after cell, so belonging is a matter of repeating: nothing here loops over rows or looks one up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.simulate.cells import cells_of
from mixedsim.simulate.counts import Count, draw_counts
from mixedsim.simulate.expression import Values
from mixedsim.simulate.streams import Streams
from mixedsim.simulate.structure import Structure

Codes = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Layout:
    """The realised structure of one draw.

    Attributes
    ----------
    structure : what was realised.
    units : for every cluster, how many there are.
    parents : for every nested cluster, the code of the parent of each of its units.
    cells : for every cluster, its code in each cell; None where unit and cell are the same.
    sizes : rows a cell: one int, or one integer a cell.
    rows : number of rows.
    """

    structure: Structure
    units: Mapping[str, int]
    parents: Mapping[str, Codes]
    cells: Mapping[str, Codes | None]
    sizes: int | NDArray[np.int64]
    rows: int

    def size_of(self, level: str | None) -> int:
        """Number of values that a variable at this level has (None: rows)."""
        return self.rows if level is None else self.units[level]

    def spread(self, values: Values, source: str | None, target: str | None) -> Values:
        """Values at level `source`, one for every unit of the finer level `target`; the same array if they agree."""
        if source == target:
            return values
        assert source is not None
        if target is None:
            return self.to_rows(values, self.cells[source])
        chain = self.structure.chain_of(target)
        codes = self.parents[target]
        for between in reversed(chain[chain.index(source) + 1 : chain.index(target)]):
            codes = self.parents[between][codes]
        return take(values, codes)

    def to_rows(self, values: Values, cells: Codes | None) -> Values:
        """One value a unit → one value a row, given the unit of every cell."""
        return repeat(values if cells is None else take(values, cells), self.sizes)

    def mean_of(self, values: NDArray[Any], cluster: str) -> NDArray[np.float64]:
        """The mean over the rows of each unit of `cluster`; NaN for a unit that met nobody and so has no row."""
        cells = self.cells[cluster]
        if cells is None and isinstance(self.sizes, int):
            means: NDArray[np.float64] = values.reshape(-1, self.sizes).mean(axis=1)
            return means
        codes = self.codes(cluster)
        units = self.units[cluster]
        with np.errstate(invalid="ignore"):
            return np.bincount(codes, weights=values, minlength=units) / np.bincount(codes, minlength=units)

    def codes(self, cluster: str) -> Codes:
        """The unit of `cluster` in every row, in the smallest integer type that holds it."""
        units = np.arange(self.units[cluster], dtype=np.min_scalar_type(-self.units[cluster]))
        rows = self.to_rows(units, self.cells[cluster])
        assert not isinstance(rows, pd.Categorical)
        return rows

    def grouping(self, factors: tuple[str, ...]) -> Grouping:
        """The units that the combinations of `factors` form, as in ``(1 | subject:item)``."""
        deepest = self.structure.innermost(factors)
        sizes = tuple(self.units[f] for f in deepest)
        if len(deepest) == 1:
            return Grouping(self, factors, deepest, sizes, self.cells[deepest[0]], None)
        each = [np.arange(self.units[f]) if (cells := self.cells[f]) is None else cells for f in deepest]
        if self.structure.full():
            return Grouping(self, factors, deepest, sizes, np.ravel_multi_index(tuple(each), sizes), None)
        return Grouping(self, factors, deepest, sizes, *combinations(each, sizes))


@dataclass(frozen=True, eq=False)
class Grouping:
    """The units of one random term, which may be combinations of clusters.

    Attributes
    ----------
    factors : the clusters that the term names.
    deepest, sizes : of these the ones inside no other, which decide the unit, and how many units each has.
    cells : the unit of every cell; None where unit and cell are the same.
    seen : for each of `deepest`, its code in every combination that meets, in order; None where all do.
    """

    layout: Layout
    factors: tuple[str, ...]
    deepest: tuple[str, ...]
    sizes: tuple[int, ...]
    cells: Codes | None
    seen: tuple[Codes, ...] | None

    @property
    def units(self) -> int:
        """How many units there are."""
        return math.prod(self.sizes) if self.seen is None else len(self.seen[0])

    def names(self) -> pd.Index[str]:
        """One name a unit, the levels of the factors joined by ``:`` as lme4 does."""
        seen = np.unravel_index(np.arange(self.units), self.sizes) if self.seen is None else self.seen
        at = dict(zip(self.deepest, seen, strict=True))
        labels = []
        for factor in self.factors:
            below = next(f for f in self.deepest if self.layout.structure.constant_within(factor, f))
            names = unit_names(self.layout.units[factor])
            labels.append(take(self.layout.spread(names, factor, below), at[below]))
        if len(labels) == 1:
            return pd.Index(labels[0])
        return pd.Index([":".join(one) for one in zip(*labels, strict=True)])


def lay_out(structure: Structure, streams: Streams) -> Layout:
    """Draw the counts of `structure` and return the `Layout` they make."""
    units, parents = count_units(structure, streams)
    number, cells = cells_of(structure, units, parents, streams)
    sizes = _counted(structure.size, streams, ("size",), number)
    rows = number * sizes if isinstance(sizes, int) else int(sizes.sum())
    return Layout(structure, units, parents, cells, sizes, rows)


def count_units(structure: Structure, streams: Streams) -> tuple[dict[str, int], dict[str, Codes]]:
    """For every cluster how many units there are, and for every nested one the parent of each."""
    units: dict[str, int] = {}
    parents: dict[str, Codes] = {}
    for cluster in structure.clusters:
        above = 1 if cluster.within is None else units[cluster.within]
        counts = _counted(cluster.n, streams, ("clusters", cluster.name), above)
        units[cluster.name] = above * counts if isinstance(counts, int) else int(counts.sum())
        if cluster.within is not None:
            parents[cluster.name] = np.repeat(np.arange(above), counts)
    return units, parents


def _counted(many: Count, streams: Streams, part: tuple[str, ...], units: int) -> int | NDArray[np.int64]:
    """How many each of `units` has; a number needs no generator, which costs more than all the rest of a layout."""
    if isinstance(many, int):
        return many
    field = (*part, "n") if len(part) > 1 else part
    return draw_counts(many, streams.generator(*part), units, field)


def combinations(each: list[Codes], sizes: tuple[int, ...]) -> tuple[Codes, tuple[Codes, ...]]:
    """For every cell the number of its combination among those that occur, and the codes that make each of them.

    Two factors at a time: the number of all combinations that could be may not fit into 64 bits, but what has occurred
    so far, times the units of one more factor, does.
    """
    cells = each[0]
    seen: tuple[Codes, ...] = (np.arange(sizes[0]),)
    for codes, size in zip(each[1:], sizes[1:], strict=True):
        pairs, cells = np.unique(np.ravel_multi_index((cells, codes), (len(seen[0]), size)), return_inverse=True)
        before, last = np.divmod(pairs, size)
        seen = (*(one[before] for one in seen), last)
    return cells, seen


def unit_names(units: int) -> NDArray[np.str_]:
    """The names of a cluster's units: ``"1"``, ``"2"``, … in order."""
    return np.arange(1, units + 1).astype(np.str_)


def take(values: Values, codes: Codes) -> Values:
    """``values[codes]``, for categoricals too."""
    if isinstance(values, pd.Categorical):
        return pd.Categorical.from_codes(values.codes[codes], dtype=values.dtype, validate=False)
    return values[codes]


def repeat(values: Values, sizes: int | NDArray[np.int64]) -> Values:
    """Every value as often as its size says, for categoricals too."""
    if isinstance(values, pd.Categorical):
        return pd.Categorical.from_codes(np.repeat(values.codes, sizes), dtype=values.dtype, validate=False)
    return np.repeat(values, sizes)
