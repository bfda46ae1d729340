"""Columns of a stack of data sets: standardised data set by data set, coded by level, and summed within levels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.models.many_stack import Codes, Stack, Values

Floats = NDArray[np.float64]
Column = Floats | float
Made = tuple[Column, Floats, Floats]  # a standardised column, with its mean and scale in each data set
_LARGEST, _SMALLEST = 1e90, 1e-90  # sizes of a column that nothing has to be said about
_ROOM = 1.5  # times the levels of the largest data set: more room than this is not left for levels


def level_codes(found: Stack, columns: Sequence[Values]) -> tuple[Codes, Codes]:
    """The level of every row, counted from 0 within its data set, and the number of levels of each data set."""
    joint = np.zeros(len(found.of), dtype=np.intp)
    for column in columns:
        own, count = _numbered(column)
        joint = joint * count + own
        if len(columns) > 1:
            joint = np.unique(joint, return_inverse=True)[1]
    width = int(joint.max()) + 1
    key = found.of * width + joint
    if width > 4 * int(found.sizes.max()):  # a name of its own for every level of every data set
        present, key = np.unique(key, return_inverse=True)
        of = present // width
        first = np.searchsorted(of, np.arange(len(found.members)))
        return key - found.spread(first), np.bincount(of, minlength=len(found.members))
    present = np.bincount(key, minlength=width * len(found.members)).reshape(-1, width) > 0
    levels = present.sum(axis=1)
    if width > _ROOM * levels.max():
        joint = (present.cumsum(axis=1) - 1).ravel()[key]
    return joint, levels


def _numbered(column: Values) -> tuple[Codes, int]:
    if isinstance(column, pd.Categorical):
        return np.asarray(column.codes, dtype=np.intp), len(column.categories)
    if column.dtype.kind in "iu":
        low, high = int(column.min()), int(column.max())
        if high - low < 4 * len(column):
            return (column - low).astype(np.intp), high - low + 1
    codes = np.unique(column, return_inverse=True)[1]
    return codes, int(codes.max()) + 1


class Scaled:
    """Columns in the standardised units of each data set, each made once."""

    def __init__(self, found: Stack) -> None:
        self.found = found
        self.rows = found.sizes.astype(np.float64)
        self.known: dict[tuple[int, bool], tuple[Floats, Floats, Floats]] = {}
        self.owners: list[Floats] = []  # ids are only unique while the arrays live
        self.sound = np.ones(len(found.members), dtype=bool)

    def __call__(self, column: Column, centre: bool, out: Floats | None = None) -> Made:
        """The column over its scale, less its mean if `centre`, with means and scales: see `scaling.Standardiser`.

        It is written to `out` if that is given.
        """
        if isinstance(column, float):
            if out is not None:
                out[:] = column
            return column, np.zeros(len(self.rows)), np.ones(len(self.rows))
        key = (id(column), centre)
        if key in self.known:
            if out is not None:
                out[:] = self.known[key][0]
        else:
            self.owners.append(column)
            self.known[key] = self._standardised(column, centre, np.empty_like(column) if out is None else out)
        return self.known[key]

    def _standardised(self, column: Floats, centre: bool, out: Floats) -> tuple[Floats, Floats, Floats]:
        found, one = self.found, np.ones(len(self.rows))
        with np.errstate(all="ignore"):
            mean = found.sums(column) / self.rows if centre else 0.0 * one
            found.standardised(column, mean, one, out)
            scale = np.sqrt(found.squares(out) / self.rows)
            size = np.maximum(scale, np.abs(mean))
            # anything near a constant is for `scaling` to judge
            self.sound &= (scale > 1e-9 * size) & (size < _LARGEST) & (size > _SMALLEST)
            found.standardised(out, 0.0 * one, np.where(scale > 0, scale, 1.0), out)
        return out, mean, scale


class LevelSums:
    """Sums of products of two columns within the levels of every data set, each product summed once: J × s."""

    def __init__(self, found: Stack, codes: Codes, levels: int) -> None:
        self.shape = (len(found.members), levels)
        self.key = found.of * self.shape[1] + codes
        steps = np.diff(self.key)
        self.runs: Codes | None = None
        if (steps >= 0).all():  # rows are sorted by level: neighbours are summed, and nothing is looked up
            self.runs = np.concatenate([[0], np.flatnonzero(steps) + 1])
        self.known: dict[frozenset[tuple[int, float]], Floats] = {}

    def __call__(self, a: Column, b: Column) -> Floats:
        key = frozenset((_identity(a), _identity(b)))
        if key not in self.known:
            self.known[key] = self._sum(a, b)
        return self.known[key]

    def _sum(self, a: Column, b: Column) -> Floats:
        size = self.shape[0] * self.shape[1]
        if isinstance(a, float) and isinstance(b, float):
            counts = np.bincount(self.key, minlength=size)
            sums: Floats = a * b * counts.astype(np.float64)
        else:
            product = a * b
            assert not isinstance(product, float)
            if self.runs is None:
                sums = np.asarray(np.bincount(self.key, weights=product, minlength=size), dtype=np.float64)
            else:
                sums = np.zeros(size)
                sums[self.key[self.runs]] = np.add.reduceat(product, self.runs)
        return np.ascontiguousarray(np.asarray(sums, dtype=np.float64).reshape(self.shape).T)


def _identity(column: Column) -> tuple[int, float]:
    return (0, column) if isinstance(column, float) else (id(column), 0.0)
