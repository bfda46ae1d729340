"""Some rows as cross-products, with the levels that they happen to have; portions add up to the whole.

A portion knows its own levels alone, so that portions may be made anywhere and in any order: chunk after chunk, or on
the workers of a cluster. All are taken in the same units, those of a `Ruler`, which is cut from a few rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.columns import Columns
from mixedsim.engine.cross_products import Column, CrossBlocks, CrossProducts, Grouping, cross_products
from mixedsim.engine.ruler import Ruler, Scaled, mixed, row_columns
from mixedsim.formula import Formula
from mixedsim.reading import is_numeric
from mixedsim.streams import Learned
from mixedsim.streams.group_levels import Coder, GroupLevels, joined
from mixedsim.streams.kept import Kept

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Range:
    """Smallest and largest value."""

    low: float
    high: float

    @classmethod
    def of(cls, values: Floats, own: Kept) -> Range:
        """Of an array, which may be a column whose ends are known."""
        known = own.ends.get(id(values))
        return cls(*known) if known else cls(float(values.min()), float(values.max()))

    def __add__(self, other: Range) -> Range:
        """Of both together."""
        return Range(min(self.low, other.low), max(self.high, other.high))


@dataclass(frozen=True, eq=False)
class Portion:
    """Rows in sums (F factors, p fixed columns).

    Attributes
    ----------
    cp : cross-products in the ruler's units; levels numbered as in `levels`.
    levels, rows : for each factor its levels, and how many rows each has.
    ranges : of the response (``""``) and of every column, in the units of the data.
    means : number of rows and mean of every numeric predictor.
    gram : (p + 2) × (p + 2), ``[1 X y]'[1 X y]`` without weights.
    varying : for each factor q × q, ``Z'Z`` summed over its levels without weights.
    weight : sum of the weights; the number of rows where there are none.
    """

    cp: CrossProducts
    levels: tuple[GroupLevels, ...]
    rows: tuple[NDArray[np.int64], ...]
    ranges: Mapping[str, Range]
    means: Mapping[str, tuple[int, float]]
    gram: Floats
    varying: tuple[Floats, ...]
    weight: float

    def __add__(self, other: Portion) -> Portion:
        """Both sets of rows together."""
        mine, others, levels = self, other, []
        for f, (one, two) in enumerate(zip(self.levels, other.levels, strict=True)):
            both, way, other_way = joined(one, two)
            mine, others = mine._renumbered(f, way, len(both)), others._renumbered(f, other_way, len(both))
            levels.append(both)
        return Portion(
            cp=mine.cp + others.cp,
            levels=tuple(levels),
            rows=tuple(a + b for a, b in zip(mine.rows, others.rows, strict=True)),
            ranges={name: own + other.ranges[name] for name, own in self.ranges.items()},
            means={name: _mean_of(own, other.means[name]) for name, own in self.means.items()},
            gram=self.gram + other.gram,
            varying=tuple(a + b for a, b in zip(self.varying, other.varying, strict=True)),
            weight=self.weight + other.weight,
        )

    def _renumbered(self, f: int, way: NDArray[np.intp] | None, size: int) -> Portion:
        """The same with factor f's levels at other places among `size` (None: where they were, the first of them)."""
        old = len(self.rows[f])
        if way is None and old == size:
            return self
        rows = list(self.rows)
        rows[f] = _spread(rows[f], way, size)
        return replace(self, cp=renumbered(self.cp, f, way, size), rows=tuple(rows))


def renumbered(cp: CrossProducts, f: int, way: NDArray[np.intp] | None, size: int) -> CrossProducts:
    """Cross-products with factor f's levels at other places among `size`."""
    zz, zx, zy = list(cp.zz), list(cp.zx), list(cp.zy)
    for blocks in (zz, zx, zy):
        blocks[f] = _spread(blocks[f], way, size)
    cross = dict(cp.cross)
    if way is not None:
        for (left, right), own in cp.cross.items():
            if f in (left, right):
                moved = (way[own.left], own.right) if f == left else (own.left, way[own.right])
                cross[left, right] = CrossBlocks(*moved, own.blocks)
    return replace(cp, zz=tuple(zz), zx=tuple(zx), zy=tuple(zy), cross=cross)


def _spread(values: NDArray[Any], way: NDArray[np.intp] | None, size: int) -> NDArray[Any]:
    out = np.zeros((size, *values.shape[1:]), dtype=values.dtype)
    if way is None:
        out[: len(values)] = values
    else:
        out[way] = values
    return out


def _mean_of(a: tuple[int, float], b: tuple[int, float]) -> tuple[int, float]:
    n = a[0] + b[0]
    return n, a[1] + (b[1] - a[1]) * b[0] / n


def measured(formula: Formula, learned: Learned, ruler: Ruler, own: Kept) -> Portion:
    """Complete rows as a portion."""
    rows = row_columns(formula, learned, own)
    scaled = Scaled(ruler.units)
    x = [scaled(rows.x, j) for j in range(len(rows.x.names))]
    if ruler.mix is not None:
        x = mixed(x, ruler.mix, len(rows.y))
    y = rows.y - ruler.response.centre
    y /= ruler.response.scale
    coder = Coder(own.columns)
    groups, levels = [], []
    for group, terms in zip(formula.groups, rows.terms, strict=True):
        names = next(term.factors for term in formula.terms if term.group == group)
        codes, found = coder(names)
        columns = tuple(scaled(term, j) for term in terms for j in range(len(term.names)))
        groups.append(Grouping(codes, len(found), columns))
        levels.append(found)
    cp = cross_products(groups, x, y, own.weights)
    weighted = own.weights is not None
    counts = [_counts(group, zz, weighted) for group, zz in zip(groups, cp.zz, strict=True)]
    return Portion(
        cp=cp,
        levels=tuple(levels),
        rows=tuple(counts),
        ranges={"": Range.of(rows.y, own), **_ranges([rows.x, *(term for some in rows.terms for term in some)], own)},
        means={name: (len(y), float(np.mean(v))) for name, v in rows.predictors.items() if is_numeric(v)},
        gram=_gram([1.0, *x, y], len(y)) if weighted or "Intercept" not in rows.x.names else _beside(cp, rows.x),
        varying=_varying(groups, cp, weighted),
        weight=float(len(y) if own.weights is None else own.weights.sum()),
    )


def _counts(group: Grouping, zz: Floats, weighted: bool) -> NDArray[np.int64]:
    """Rows by level, which an intercept that varies has counted already."""
    intercept = next((a for a, column in enumerate(group.columns) if isinstance(column, float)), None)
    if intercept is None or weighted:
        return np.bincount(group.codes, minlength=group.levels)
    return np.rint(zz[:, intercept, intercept]).astype(np.int64)


def _ranges(columns: Iterable[Columns], own: Kept) -> dict[str, Range]:
    out: dict[str, Range] = {}
    for some in columns:
        for name, column in zip(some.names, some.columns, strict=True):
            if not isinstance(column, float) and name not in out:
                out[name] = Range.of(column, own)
    return out


def _gram(columns: list[Column], rows: int) -> Floats:
    matrix = np.empty((rows, len(columns)), order="F")
    for j, column in enumerate(columns):
        matrix[:, j] = column
    return np.asarray(matrix.T @ matrix)


def _beside(cp: CrossProducts, x: Columns) -> Floats:
    """``[1 X y]'[1 X y]`` where the ones stand in X."""
    full = np.block([[cp.xx, cp.xy], [cp.xy.T, cp.yy[:, None]]])
    order = [x.names.index("Intercept"), *range(len(full))]
    return np.asarray(full[np.ix_(order, order)])


def _varying(groups: list[Grouping], cp: CrossProducts, weighted: bool) -> tuple[Floats, ...]:
    if not weighted:
        return tuple(blocks.sum(axis=0) for blocks in cp.zz)
    return tuple(_gram(list(group.columns), len(group.codes)) for group in groups)
