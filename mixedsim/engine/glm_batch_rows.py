"""Rows of generalised designs in boxes: place within a level × level × replicate.

Levels with fewer rows than others are filled up with copies of a row that weigh nothing. A sum over the rows of a level
is then a sum along the first axis, whatever the design; and replicates may have predictors of their own (s = r), or
share them all (s = 1).

Rows of one level that have the same predictors have the same mean. Of a binomial or Poisson response nothing counts
there but its sum, so that they become one row with the sum of their weights: the likelihood is the same up to a
constant (McCullagh & Nelder 1989, Generalized Linear Models, 2nd edition, sections 4.1.2 and 6.3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mixedsim.engine.glm_rows import Rows

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Which = NDArray[np.intp] | slice


@dataclass(frozen=True, eq=False)
class ManyRows:
    """Predictors of r replicates with one grouping factor of J levels, m rows each (p fixed, q varying columns).

    Attributes
    ----------
    x : p × m × J × s.
    z : q arrays that broadcast to m × J × s: 1 × 1 × 1 where a column is constant.
    offset : m × J × s.
    """

    x: Floats
    z: tuple[Floats, ...]
    offset: Floats

    def take(self, which: Which) -> ManyRows:
        """Those of some replicates."""
        return ManyRows(some(self.x, which), tuple(some(z, which) for z in self.z), some(self.offset, which))

    @property
    def p(self) -> int:
        """Number of fixed effects."""
        return len(self.x)

    @property
    def effects(self) -> int:
        """q, the number of effects that vary."""
        return len(self.z)

    def mean_part(self, beta: Floats) -> Floats:
        """``Xβ`` for p × r coefficients: m × J × r."""
        if self.x.shape[-1] > 1:
            return np.asarray(np.einsum("pmjr,pr->mjr", self.x, beta))
        return np.asarray(self._flat.T @ beta).reshape(*self.x.shape[1:3], beta.shape[1])

    def pulled(self, values: Floats) -> Floats:
        """``X'v``: p × r."""
        if self.x.shape[-1] > 1:
            return np.asarray(np.einsum("pmjr,mjr->pr", self.x, values))
        return np.asarray(self._flat @ values.reshape(self._flat.shape[1], -1))

    @property
    def _flat(self) -> Floats:
        """The one X of all: p × mJ."""
        return self.x.reshape(len(self.x), self.x.shape[1] * self.x.shape[2])


def some(array: Floats, which: Which) -> Floats:
    """The replicates `which` on the last axis; all there is where they share it."""
    return array if array.shape[-1] == 1 else array[..., which]


@dataclass(frozen=True, eq=False)
class Boxes:
    """Where the n rows of one design stand.

    Attributes
    ----------
    rows : the predictors, for all replicates (s = 1).
    sums : patterns × n, which adds up the rows that are one; None where each stays by itself.
    place : m × J pattern (or row) numbers.
    present : m × J × 1, one where there is a row and 0 for copies.
    """

    rows: ManyRows
    sums: sparse.csr_array | None
    place: Codes
    present: Floats

    def responses(self, y: Floats, weights: Floats | float) -> tuple[Floats, Floats]:
        """Mean responses (m × J × r) and weights (m × J × 1) from n × r responses and n weights."""
        own = np.broadcast_to(np.asarray(weights, dtype=np.float64), len(y))[:, None]
        if self.sums is not None:
            added = self.sums @ own
            y, own = np.asarray(self.sums @ (y * own)) / added, added
        return y[self.place], own[self.place] * self.present


def boxes_of(rows: Rows, collapse: bool) -> Boxes:
    """The boxes of a design with one grouping factor.

    Parameters
    ----------
    rows : the design.
    collapse : whether rows with the same predictors may become one.
    """
    codes, z = rows.codes[0], rows.z.data.reshape(rows.n, -1)
    first, sums = np.arange(rows.n), None
    if collapse:
        known = np.column_stack([codes, rows.x, z, rows.offset])
        _, distinct, pattern = np.unique(known, axis=0, return_index=True, return_inverse=True)
        if len(distinct) < rows.n:
            shape = (len(distinct), rows.n)
            sums = sparse.csr_array((np.ones(rows.n), (pattern.reshape(-1), np.arange(rows.n))), shape=shape)
            first = distinct
    place, present = places(codes[first], rows.shapes[0][0])
    of_row = first[place]
    constant = [bool((column == column[0]).all()) for column in z.T]
    columns = tuple(
        np.full((1, 1, 1), column[0]) if same else column[of_row][..., None]
        for column, same in zip(z.T, constant, strict=True)
    )
    x = np.ascontiguousarray(np.moveaxis(rows.x[of_row], -1, 0))[..., None]
    return Boxes(ManyRows(x, columns, rows.offset[of_row][..., None]), sums, place, present[..., None])


def places(codes: Codes, levels: int) -> tuple[Codes, Floats]:
    """The row that stands at every place of every level (m × J), and 1 where it is there by itself, 0 as a copy."""
    order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes, minlength=levels)
    starts = np.cumsum(counts) - counts
    steps = np.arange(counts.max())[:, None]
    present = steps < counts
    return order[np.minimum(starts + np.where(present, steps, 0), len(order) - 1)], present.astype(np.float64)
