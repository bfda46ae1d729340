"""``M = Λ'Z'WZΛ + I`` of one factor, or of several that nest: factorised without fill, all levels at once.

Innermost factor first; a level touches one level of each later factor, so that what it leaves of them stays
block-diagonal. Everything is in the metric of u, in which M is at least the identity: a singular Λ is nothing special.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mixedsim.engine.glm_rows import CellBlocks, Rows
from mixedsim.engine.small import inverse_and_logdet, transposed

Floats = NDArray[np.float64]


def congruent(left: Floats, blocks: Floats, right: Floats) -> Floats:
    """``left' B right`` for every block B of a stack, in one matrix product."""
    if left.size == 1 and right.size == 1:
        return np.asarray(blocks * (left[0, 0] * right[0, 0]))
    both = left[:, None, :, None] * right[None, :, None, :]
    flat = blocks.reshape(len(blocks), -1) @ both.reshape(left.shape[0] * right.shape[0], -1)
    return np.asarray(flat.reshape(-1, left.shape[1], right.shape[1]))


def inverted(blocks: Floats) -> tuple[Floats, float]:
    """Inverses and log-determinant of a stack; `LinAlgError` unless all are positive definite."""
    q = blocks.shape[-1]
    least = blocks[:, 0, 0]
    if q == 2:
        least = np.minimum(least, least * blocks[:, 1, 1] - blocks[:, 0, 1] ** 2)
    if not bool((least > 0).all()):
        raise np.linalg.LinAlgError("a diagonal block is not positive definite")
    return inverse_and_logdet(blocks)


class NestedShape:
    """What the pattern of the data fixes for `NestedFactor`.

    Parameters
    ----------
    rows : the design.
    parents : for places k before m in the order of the rows, the level of m above each level of k.
    """

    dense_size = 0

    def __init__(self, rows: Rows, parents: dict[tuple[int, int], NDArray[np.intp]]) -> None:
        self.rows, self.order, self.up = rows, rows.order, parents
        self.sizes = [rows.shapes[f][1] for f in self.order]
        self.sums = {}
        for (k, m), parent in parents.items():
            ends = np.arange(len(parent) + 1)
            shape = (len(parent), rows.shapes[self.order[m]][0])
            self.sums[k, m] = sparse.csr_array((np.ones(len(parent)), parent, ends), shape=shape).T

    def columns(self, k: int, m: int) -> slice:
        """Where the effects of place m stand among the later columns of place k."""
        begin = sum(self.sizes[k + 1 : m])
        return slice(begin, begin + self.sizes[m])

    def sum_up(self, k: int, m: int, values: Floats) -> Floats:
        """Sums over the levels of k that share a level of m."""
        flat = self.sums[k, m] @ values.reshape(len(values), -1)
        return np.asarray(flat).reshape(-1, *values.shape[1:])

    def factor(self, blocks: CellBlocks, lambdas: Sequence[Floats]) -> NestedFactor:
        """M at these cross-products and Λ; `LinAlgError` where it is not positive definite."""
        return NestedFactor(self, blocks, lambdas)


class NestedFactor:
    """See `glm_factor.Factor`."""

    def __init__(self, shape: NestedShape, blocks: CellBlocks, lambdas: Sequence[Floats]) -> None:
        self.shape = shape
        order = shape.order
        own = [congruent(lambdas[f], blocks.own[f], lambdas[f]) + np.eye(len(lambdas[f])) for f in order]
        later = [self._later(k, blocks, lambdas) for k in range(len(order))]
        self.logdet = 0.0
        self.inverse: list[Floats] = []
        self.later = later
        self.solved: list[Floats] = []
        for k in range(len(order)):
            inverse, logdet = inverted(own[k])
            self.logdet += logdet
            self.inverse.append(inverse)
            self.solved.append(_product(inverse, later[k]))
            for m in range(k + 1, len(order)):
                mine = shape.columns(k, m)
                update = shape.sum_up(k, m, transposed(later[k][:, :, mine]) @ self.solved[k][:, :, mine.start :])
                own[m] = own[m] - update[:, :, : shape.sizes[m]]
                if m + 1 < len(order):
                    later[m] = later[m] - update[:, :, shape.sizes[m] :]

    def _later(self, k: int, blocks: CellBlocks, lambdas: Sequence[Floats]) -> Floats:
        """Cross blocks of place k with all later ones: J × q × the sum of their q."""
        order = self.shape.order
        f = order[k]
        out = [np.empty((len(blocks.own[f]), len(lambdas[f]), 0))]
        for g in order[k + 1 :]:
            out.append(congruent(lambdas[f], blocks.cross[f, g], lambdas[g]))
        return out[-1] if len(out) == 2 else np.concatenate(out, axis=2)

    def solve(self, vectors: Floats) -> Floats:
        """``M⁻¹v`` for the columns of v, Q × k."""
        shape, rows = self.shape, self.shape.rows
        if len(shape.order) == 1:
            return _product(self.inverse[0], vectors.reshape(*rows.shapes[0], -1)).reshape(vectors.shape)
        pieces = [vectors[rows.parts[f]].reshape(*rows.shapes[f], -1) for f in shape.order]
        for k in range(len(pieces)):
            pieces[k] = _product(self.inverse[k], pieces[k])
            for m in range(k + 1, len(pieces)):
                pair = self.later[k][:, :, shape.columns(k, m)]
                pieces[m] = pieces[m] - shape.sum_up(k, m, transposed(pair) @ pieces[k])
        out = np.empty_like(vectors)
        for k in range(len(pieces) - 1, -1, -1):
            for m in range(k + 1, len(pieces)):
                pair = self.solved[k][:, :, shape.columns(k, m)]
                pieces[k] = pieces[k] - pair @ pieces[m][shape.up[k, m]]
            part = rows.parts[shape.order[k]]
            out[part] = pieces[k].reshape(out[part].shape)
        return out

    def inverse_cells(self) -> CellBlocks:
        """The cells of M⁻¹: the joint inverse of a level with all above it, outermost factor first."""
        shape = self.shape
        count = len(shape.order)
        own: list[Floats] = [np.empty(0)] * count
        cross: dict[tuple[int, int], Floats] = {}
        path = self.inverse[-1]
        own[shape.order[-1]] = path
        for k in range(count - 2, -1, -1):
            above = path[shape.up[k, k + 1]]
            down = self.solved[k]
            beside = -down @ above
            mine = self.inverse[k] - beside @ transposed(down)
            f = shape.order[k]
            own[f] = mine
            for m in range(k + 1, count):
                cross[f, shape.order[m]] = beside[:, :, shape.columns(k, m)]
            if k:
                left = np.concatenate([mine, transposed(beside)], axis=1)
                path = np.concatenate([left, np.concatenate([beside, above], axis=1)], axis=2)
        return CellBlocks(own, {pair: cross[pair] for pair in shape.rows.pairs})


def _product(one: Floats, other: Floats) -> Floats:
    return one * other if one.shape[-1] == 1 else one @ other


def nested(rows: Rows) -> NestedShape | None:
    """The nested shape; None where some factors cross."""
    parents: dict[tuple[int, int], NDArray[np.intp]] = {}
    for k, f in enumerate(rows.order):
        for m in range(k + 1, len(rows.order)):
            pairs = rows.pairs[f, rows.order[m]]
            if not pairs.parents:
                return None
            parents[k, m] = pairs.right
    return NestedShape(rows, parents)
