"""The rows of a generalised model as two sparse matrices that never change.

Weights change in every iteration, and with them every cross-product. What does not change is which product of two
columns of Z adds to which cell of Z'WZ: one sparse matrix S maps n weights to all cells that are not zero by design,
and its transpose maps the derivatives by those cells back to the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mixedsim.engine.cross_products import Grouping

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
_CELLS = 4  # cells a row up to which all pairs of levels are kept, met or not


@dataclass(frozen=True, eq=False)
class Pairs:
    """Which levels of two factors meet.

    Attributes
    ----------
    left, right : P level numbers each, sorted by the left one.
    of_row : n pair numbers.
    parents : where every left level meets one right level only, P is the number of left levels and `right` are these.
    everywhere : whether all pairs are listed, met or not.
    """

    left: Codes
    right: Codes
    of_row: Codes
    parents: bool = False
    everywhere: bool = False


@dataclass(frozen=True, eq=False)
class CellBlocks:
    """One number for every cell of a symmetric Q × Q matrix that rows can speak of.

    Attributes
    ----------
    own : for each factor J_f × q_f × q_f.
    cross : for factors f before g in the order of the rows, P_fg × q_f × q_g.
    """

    own: list[Floats]
    cross: dict[tuple[int, int], Floats]


class Rows:
    """Rows of a design: offset + Xβ + Zb.

    Parameters
    ----------
    groups : one `Grouping` a factor.
    x : n × p.
    offset : n values.

    Attributes
    ----------
    z : n × Q, the effects of all factors side by side: factor by factor, level by level, effect by effect.
    shapes, parts : levels and effects (J_f, q_f) of every factor, and where its effects stand.
    order : the factors, the one with most levels first.
    pairs : for factors f before g in that order.
    zt_ones : J × n, which sums rows over the levels of the first factor named.
    """

    def __init__(self, groups: Sequence[Grouping], x: Floats, offset: Floats) -> None:
        self.x, self.offset = x, offset
        self.n, self.p = x.shape
        self.codes = [group.codes for group in groups]
        self.shapes = [(group.levels, len(group.columns)) for group in groups]
        ends = np.cumsum([j * q for j, q in self.shapes]).tolist()
        self.size = int(ends[-1])
        self.parts = [slice(end - j * q, end) for end, (j, q) in zip(ends, self.shapes, strict=True)]
        columns = [np.column_stack([np.broadcast_to(c, self.n) for c in group.columns]) for group in groups]
        where = [
            part.start + code[:, None] * q + np.arange(q)
            for part, code, (_, q) in zip(self.parts, self.codes, self.shapes, strict=True)
        ]
        self.z = _by_row(np.hstack(columns), np.hstack(where), self.size)
        self.order = sorted(range(len(groups)), key=lambda f: -self.shapes[f][0])
        self.pairs = {
            (f, g): _pairs(groups[f], groups[g]) for k, f in enumerate(self.order) for g in self.order[k + 1 :]
        }
        self._sums = self._cells(columns)
        self.zt = self.z.T  # compressed by columns, and not copied
        self.zt_ones = _by_row(np.ones((self.n, 1)), self.codes[0][:, None], self.shapes[0][0]).T
        self._sums_t = self._sums.T

    def _cells(self, columns: list[Floats]) -> sparse.csr_array:
        """Sᵀ, n × cells."""
        values, where, begin = [], [], 0
        for column, codes, (levels, q) in zip(columns, self.codes, self.shapes, strict=True):
            values.append((column[:, :, None] * column[:, None, :]).reshape(self.n, -1))
            where.append(begin + codes[:, None] * (q * q) + np.arange(q * q))
            begin += levels * q * q
        for (f, g), pairs in self.pairs.items():
            products = columns[f][:, :, None] * columns[g][:, None, :]
            width = products.shape[1] * products.shape[2]
            values.append(products.reshape(self.n, -1))
            where.append(begin + pairs.of_row[:, None] * width + np.arange(width))
            begin += len(pairs.left) * width
        return _by_row(np.hstack(values), np.hstack(where), begin)

    def blocks(self, weights: Floats) -> CellBlocks:
        """``Z'WZ``."""
        cells = self._sums_t @ weights
        own, cross, begin = [], {}, 0
        for levels, q in self.shapes:
            end = begin + levels * q * q
            own.append(cells[begin:end].reshape(levels, q, q))
            begin = end
        for (f, g), pairs in self.pairs.items():
            shape = (len(pairs.left), self.shapes[f][1], self.shapes[g][1])
            end = begin + shape[0] * shape[1] * shape[2]
            cross[f, g] = cells[begin:end].reshape(shape)
            begin = end
        return CellBlocks(own, cross)

    def quadratic(self, blocks: CellBlocks) -> Floats:
        """``z_i'K z_i`` of every row for a symmetric K of which these are the cells: n values."""
        parts = [block.reshape(-1) for block in blocks.own]
        parts += [2.0 * block.reshape(-1) for block in blocks.cross.values()]
        return np.asarray(self._sums @ np.concatenate(parts))

    def split(self, vector: Floats) -> list[Floats]:
        """Q values by factor: J_f × q_f each (views)."""
        return [vector[part].reshape(j, q) for part, (j, q) in zip(self.parts, self.shapes, strict=True)]

    def scaled(self, lambdas: Sequence[Floats], vector: Floats) -> Floats:
        """``Λu``."""
        return np.concatenate([_times(u, lam.T) for u, lam in zip(self.split(vector), lambdas, strict=True)])

    def scaled_back(self, lambdas: Sequence[Floats], vector: Floats) -> Floats:
        """``Λ'v``."""
        return np.concatenate([_times(v, lam) for v, lam in zip(self.split(vector), lambdas, strict=True)])

    def scaled_columns(self, lambdas: Sequence[Floats], matrix: Floats) -> Floats:
        """``Λ'V`` for the columns of V, Q × k."""
        out = np.empty_like(matrix)
        for part, lam, (levels, q) in zip(self.parts, lambdas, self.shapes, strict=True):
            own = matrix[part].reshape(levels, q, -1)
            out[part] = (lam[0, 0] * own if q == 1 else lam.T @ own).reshape(levels * q, -1)
        return out


def _times(rows: Floats, matrix: Floats) -> Floats:
    return (rows * matrix[0, 0] if len(matrix) == 1 else rows @ matrix).reshape(-1)


def _by_row(values: Floats, where: Codes, columns: int) -> sparse.csr_array:
    """A sparse matrix from equally many entries a row: n × e values and column numbers."""
    n, entries = values.shape
    index = np.int32 if max(columns, n * entries) < 2**31 else np.int64
    ends = np.arange(0, (n + 1) * entries, entries, dtype=index)
    return sparse.csr_array((values.reshape(-1), where.reshape(-1).astype(index), ends), shape=(n, columns))


def parent_of(codes: Codes, levels: int, above: Codes) -> Codes | None:
    """The one level above that each level occurs with; None where some occur with several."""
    parent = np.zeros(levels, dtype=np.intp)
    parent[codes] = above
    return parent if bool((parent[codes] == above).all()) else None


def _pairs(one: Grouping, other: Grouping) -> Pairs:
    parent = parent_of(one.codes, one.levels, other.codes)
    if parent is not None:
        return Pairs(np.arange(one.levels), parent, one.codes, parents=True)
    pair = one.codes.astype(np.int64) * other.levels + other.codes
    cells = one.levels * other.levels
    if cells <= _CELLS * len(pair):
        left, right = np.divmod(np.arange(cells), other.levels)
        return Pairs(left, right, pair.astype(np.intp), everywhere=True)
    present, of_row = np.unique(pair, return_inverse=True)
    left, right = np.divmod(present, other.levels)
    return Pairs(left.astype(np.intp), right.astype(np.intp), of_row)
