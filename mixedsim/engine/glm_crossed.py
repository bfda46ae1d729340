"""``M = Λ'Z'WZΛ + I`` of crossed factors: the largest is absorbed level by level, the rest is one dense matrix.

With ``A = M`` cut into the first factor (1) and all others (R), ``E = A_11⁻¹A_1R`` and ``S = A_RR − A_R1E``: log|M| is
that of A_11 and S, and M⁻¹ has the blocks ``A_11⁻¹ + E S⁻¹E'``, ``−E S⁻¹`` and ``S⁻¹``. A_1R is an array where it is
small, else sparse with a pattern that never changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

from mixedsim.engine.glm_nested import congruent, inverted
from mixedsim.engine.glm_rows import CellBlocks, Rows
from mixedsim.engine.small import transposed
from mixedsim.errors import DataError

Floats = NDArray[np.float64]
_LARGEST_DENSE = 25_000  # effects in the dense part: 5 GB a matrix, and some three of them are needed
_DENSE = 1_000_000  # cells of A_1R up to which it is an array


class CrossedShape:
    """What the pattern of the data fixes for `CrossedFactor`.

    Parameters
    ----------
    rows : the design.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.first = max(range(len(rows.shapes)), key=lambda f: rows.shapes[f][0] * rows.shapes[f][1])
        self.rest = [f for f in range(len(rows.shapes)) if f != self.first]
        ends = np.cumsum([rows.shapes[f][0] * rows.shapes[f][1] for f in self.rest]).tolist()
        self.m = self.dense_size = int(ends[-1])
        if self.m > _LARGEST_DENSE:
            raise DataError(
                f"these crossed grouping factors need a dense {self.m:,} × {self.m:,} matrix "
                f"({3 * 8 * self.m**2 / 2**30:,.0f} GiB of memory in all), beyond the limit of {_LARGEST_DENSE:,}: "
                "leave out the crossed factor with the most levels, or fit a sample of its levels."
            )
        sizes = [rows.shapes[f][0] * rows.shapes[f][1] for f in self.rest]
        self.parts = {f: slice(end - size, end) for f, end, size in zip(self.rest, ends, sizes, strict=True)}
        self.levels, self.q = rows.shapes[self.first]
        self.dense = self.levels * self.q * self.m <= _DENSE
        if not self.dense:
            self._lay_sparsely()

    def place(self, f: int, g: int) -> tuple[NDArray[np.intp], NDArray[np.intp], bool]:
        """Levels of f, levels of g that meet, in the order of their block; and whether the block is of (g, f)."""
        turned = (f, g) not in self.rows.pairs
        pairs = self.rows.pairs[(g, f) if turned else (f, g)]
        return (pairs.right, pairs.left, True) if turned else (pairs.left, pairs.right, False)

    def cross(self, blocks: CellBlocks, f: int, g: int) -> Floats:
        """The blocks of the pair with f on the left."""
        return blocks.cross[f, g] if (f, g) in blocks.cross else transposed(blocks.cross[g, f])

    def _lay_sparsely(self) -> None:
        """Where every element of the pair blocks stands in A_1R."""
        across, down = [], []
        for g in self.rest:
            mine, other, _ = self.place(self.first, g)
            wide = self.rows.shapes[g][1]
            one = np.broadcast_to((mine[:, None] * self.q + np.arange(self.q))[:, :, None], (len(mine), self.q, wide))
            two = self.parts[g].start + other[:, None] * wide + np.arange(wide)
            down.append(one.reshape(-1))
            across.append(np.broadcast_to(two[:, None, :], one.shape).reshape(-1))
        row, column = np.concatenate(down), np.concatenate(across)
        self.sorted = np.lexsort((column, row))
        self.indices = column[self.sorted].astype(np.int32)
        counts = np.bincount(row, minlength=self.levels * self.q)
        self.ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)

    def beside(self, blocks: Sequence[Floats]) -> Any:
        """A matrix like A_1R (an array, or sparse) from its pair blocks, those of every remaining factor."""
        if self.dense:
            return np.hstack([self.laid(block, self.first, g) for block, g in zip(blocks, self.rest, strict=True)])
        data = np.concatenate([block.reshape(-1) for block in blocks])[self.sorted]
        return sparse.csr_array((data, self.indices, self.ends), shape=(self.levels * self.q, self.m))

    def laid(self, block: Floats, f: int, g: int) -> Floats:
        """Pair blocks as one array, (J_f q_f) × (J_g q_g)."""
        (jf, qf), (jg, qg) = self.rows.shapes[f], self.rows.shapes[g]
        left, right, turned = self.place(f, g)
        pairs = self.rows.pairs[(g, f) if turned else (f, g)]
        if pairs.everywhere:
            out = block.reshape(jg, jf, qf, qg).swapaxes(0, 1) if turned else block.reshape(jf, jg, qf, qg)
        else:
            out = np.zeros((jf, jg, qf, qg))
            out[left, right] = block
        return out.transpose(0, 2, 1, 3).reshape(jf * qf, jg * qg)

    def picked(self, matrix: Floats, f: int, g: int) -> Floats:
        """The inverse of `laid`, in the block's own order of factors."""
        (jf, qf), (jg, qg) = self.rows.shapes[f], self.rows.shapes[g]
        left, right, turned = self.place(f, g)
        blocks = matrix.reshape(jf, qf, jg, qg)[left, :, right, :]
        return transposed(blocks) if turned else blocks

    def factor(self, blocks: CellBlocks, lambdas: Sequence[Floats]) -> CrossedFactor:
        """M at these cross-products and Λ; `LinAlgError` where it is not positive definite."""
        return CrossedFactor(self, blocks, lambdas)


class CrossedFactor:
    """See `glm_factor.Factor`."""

    def __init__(self, shape: CrossedShape, blocks: CellBlocks, lambdas: Sequence[Floats]) -> None:
        self.shape = shape
        first, rest = shape.first, shape.rest
        lam = lambdas[first]
        self.inverse, logdet = inverted(congruent(lam, blocks.own[first], lam) + np.eye(len(lam)))
        pairs = [congruent(lam, shape.cross(blocks, first, g), lambdas[g]) for g in rest]
        self.beside = shape.beside(pairs)
        if shape.dense:
            own = self.beside.reshape(shape.levels, shape.q, -1)
            self.solved: Any = (self.inverse * own if shape.q == 1 else self.inverse @ own).reshape(-1, shape.m)
        else:
            levels = [shape.place(first, g)[0] for g in rest]
            self.solved = shape.beside([self.inverse[at] @ block for at, block in zip(levels, pairs, strict=True)])
        update = self.beside.T @ self.solved
        s = self._rest(blocks, lambdas) - (update if shape.dense else update.toarray())
        root, failed = lapack.dpotrf(s.T, lower=1, overwrite_a=1, clean=1)
        if failed:
            raise np.linalg.LinAlgError("the Schur complement is not positive definite")
        self.root = root
        self.logdet = logdet + 2.0 * float(np.log(root.diagonal()).sum())

    def _rest(self, blocks: CellBlocks, lambdas: Sequence[Floats]) -> Floats:
        """A_RR."""
        shape = self.shape
        out = np.zeros((shape.m, shape.m))
        for i, f in enumerate(shape.rest):
            j, q = shape.rows.shapes[f]
            mine = congruent(lambdas[f], blocks.own[f], lambdas[f])
            out[shape.parts[f], shape.parts[f]].reshape(j, q, j, q)[np.arange(j), :, np.arange(j), :] = mine
            for g in shape.rest[:i]:
                block = shape.laid(congruent(lambdas[f], shape.cross(blocks, f, g), lambdas[g]), f, g)
                out[shape.parts[f], shape.parts[g]] = block
                out[shape.parts[g], shape.parts[f]] = block.T
        out.flat[:: shape.m + 1] += 1.0
        return out

    def solve(self, vectors: Floats) -> Floats:
        """``M⁻¹v`` for the columns of v, Q × k."""
        shape, rows = self.shape, self.shape.rows
        columns = vectors.reshape(len(vectors), -1)
        mine = columns[rows.parts[shape.first]]
        rest = np.concatenate([columns[rows.parts[f]] for f in shape.rest]) - self.solved.T @ mine
        solved, _ = lapack.dpotrs(self.root, np.asfortranarray(rest), lower=1)
        own = mine.reshape(shape.levels, shape.q, -1)
        own = self.inverse * own if shape.q == 1 else self.inverse @ own
        out = np.empty_like(columns)
        out[rows.parts[shape.first]] = own.reshape(mine.shape) - self.solved @ solved
        for f in shape.rest:
            out[rows.parts[f]] = solved[shape.parts[f]]
        return out.reshape(vectors.shape)

    def inverse_cells(self) -> CellBlocks:
        """The cells of M⁻¹."""
        shape = self.shape
        lower, _ = lapack.dpotri(self.root, lower=1)
        rest = lower + lower.T
        rest.flat[:: shape.m + 1] *= 0.5
        beside = -np.asarray(self.solved @ rest)
        own: list[Floats] = [np.empty(0)] * len(shape.rows.shapes)
        own[shape.first] = self.inverse - self._first(beside)
        cross = {}
        for i, f in enumerate(shape.rest):
            j, q = shape.rows.shapes[f]
            own[f] = rest[shape.parts[f], shape.parts[f]].reshape(j, q, j, q)[np.arange(j), :, np.arange(j), :]
            cross[self._key(shape.first, f)] = shape.picked(beside[:, shape.parts[f]], shape.first, f)
            for g in shape.rest[:i]:
                cross[self._key(f, g)] = shape.picked(rest[shape.parts[f], shape.parts[g]], f, g)
        return CellBlocks(own, {pair: cross[pair] for pair in shape.rows.pairs})

    def _first(self, beside: Floats) -> Floats:
        """``−E S⁻¹E'`` of every level of the first factor, from −E S⁻¹ and E."""
        shape = self.shape
        left = beside.reshape(shape.levels, shape.q, shape.m)
        if isinstance(self.solved, np.ndarray):
            return left @ transposed(self.solved.reshape(left.shape))
        out = np.empty((shape.levels, shape.q, shape.q))
        for b in range(shape.q):
            every = self.solved[b :: shape.q]
            for a in range(shape.q):
                out[:, a, b] = np.asarray(every.multiply(left[:, a]).sum(axis=1)).reshape(-1)
        return out

    def _key(self, f: int, g: int) -> tuple[int, int]:
        return (f, g) if (f, g) in self.shape.rows.pairs else (g, f)
