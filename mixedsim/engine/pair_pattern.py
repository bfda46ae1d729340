"""What one factor adds to the others, level by level: a linear map that depends on the data alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mixedsim.engine.small import gram, transposed

Floats = NDArray[np.float64]


class PairPattern:
    """The linear map from one symmetric q × q matrix N_j a level to ``Σ_j A_Rj N_j A_jR``, and its adjoint.

    Parameters
    ----------
    a_1r : (J·q) × m: cross-products of the first factor with the dense part, an array where that is small, else
        sparse; all q rows of a level share their pattern.
    levels, q : J and q.

    Four roads to one answer, chosen by size: dense products where they are small; sparse maps with one entry for
    each pair of columns that meet in a level (InstEval: 0.9 million); where there are too many pairs to keep, products
    in chunks of levels, with sparse matrices (a level meets few of the columns) or with dense ones.
    """

    _DENSE = 3e7  # multiplications that LAPACK does faster than any indexing
    _PAIRS = 4e7  # entries of the sparse maps: 0.5 GB
    _FILLED = 0.15  # share of cells above which dense products are faster than sparse ones

    def __init__(self, a_1r: Floats | sparse.csr_array, levels: int, q: int) -> None:
        self.a, self.levels, self.q, self.m = a_1r, levels, q, int(a_1r.shape[1])
        self.maps: dict[tuple[int, int], sparse.csc_array] = {}
        self.chunk = levels
        self.few = False
        if not isinstance(a_1r, np.ndarray) and levels * q * float(self.m) ** 2 > self._DENSE:
            per_level = np.diff(a_1r.indptr)[::q].astype(float)
            if (per_level * (per_level + 1) / 2).sum() * q * (q + 1) / 2 <= self._PAIRS:
                self.maps = _pair_maps(a_1r, levels, q)
            else:
                self.chunk = max(1, int(2e7 // (self.m * q)))
                self.few = bool(a_1r.nnz < self._FILLED * levels * q * self.m)
        self.dense = self._dense(0, levels) if not (self.maps or self.few) and self.chunk == levels else None

    def _dense(self, begin: int, end: int) -> Floats:
        part = self.a[begin * self.q : end * self.q]
        full = part if isinstance(part, np.ndarray) else part.toarray()
        return np.asarray(full.reshape(end - begin, self.q, self.m))

    def _chunks(self) -> list[tuple[int, int]]:
        edges = [*range(0, self.levels, self.chunk), self.levels]
        return list(pairwise(edges))

    def quadratic(self, n: Floats) -> Floats:
        """``Σ_j A_Rj N_j A_jR``: m × m."""
        if self.maps:
            lower = sum(own @ n[:, a, b] for (a, b), own in self.maps.items())
            return mirrored(np.asarray(lower).reshape(self.m, self.m))
        if self.few:
            return np.asarray((self.a.T @ (_side_by_side(n) @ self.a)).toarray())
        out = np.zeros((self.m, self.m))
        for begin, end in self._chunks():
            part = self.dense if self.dense is not None else self._dense(begin, end)
            out += gram(n[begin:end] @ part, part)
        return out

    def adjoint(self, u: Floats) -> Floats:
        """``A_jR U A_Rj`` for every level, where U is symmetric: J × q × q."""
        out = np.empty((self.levels, self.q, self.q))
        if self.maps:
            half = u.copy()  # the maps read the lower triangle only: what lies above it does not matter
            half.flat[:: self.m + 1] *= 0.5
            for (a, b), own in self.maps.items():
                once = own.T @ half.reshape(-1)
                out[:, a, b] = out[:, b, a] = 2.0 * once if a == b else once
            return out
        for begin, end in self._chunks():
            if self.few:
                out[begin:end] = self._met(begin, end, u)
                continue
            part = self.dense if self.dense is not None else self._dense(begin, end)
            out[begin:end] = (part @ u) @ transposed(part)
        return out

    def _met(self, begin: int, end: int, u: Floats) -> Floats:
        """`adjoint` for some levels: of ``A_jR U`` only the columns that the level meets are looked at."""
        q = self.q
        a = sparse.csr_array(self.a[begin * q : end * q])
        beside = np.asarray(a @ u)
        row = np.repeat(np.arange(a.shape[0]), np.diff(a.indptr))
        out = np.empty((end - begin, q, q))
        for b in range(q):
            terms = a.data * beside[row - row % q + b, a.indices]
            out[:, :, b] = np.bincount(row, terms, minlength=a.shape[0]).reshape(end - begin, q)
        return out


def _side_by_side(n: Floats) -> sparse.csr_array:
    """J symmetric q × q matrices as one block-diagonal one."""
    levels, q, _ = n.shape
    column = np.repeat(np.arange(levels * q).reshape(levels, 1, q), q, axis=1)
    return sparse.csr_array((n.reshape(-1), column.reshape(-1), np.arange(0, n.size + 1, q)), shape=(levels * q,) * 2)


def _pair_maps(a_1r: sparse.csr_array, levels: int, q: int) -> dict[tuple[int, int], sparse.csc_array]:
    """For a ≤ b the (m·m) × J matrix of coefficients of N_j[a, b] in the lower-triangular cells (i, k).

    Level by level, every column that occurs is paired with itself and all before it; the pairs of a level stand
    together, so they are a compressed-column matrix as they come, and no sorting is needed.
    """
    ordered = a_1r.sorted_indices()
    m = int(a_1r.shape[1])
    counts = np.diff(ordered.indptr)[::q].astype(np.int64)
    begin = np.concatenate([[0], np.cumsum(counts)])
    level = np.repeat(np.arange(levels), counts)
    place = np.arange(begin[-1]) - begin[level]
    at = ordered.indptr[level * q].astype(np.int64) + place
    columns = ordered.indices[at].astype(np.int64)
    values = np.stack([ordered.data[at + a * counts[level]] for a in range(q)])
    one = np.repeat(np.arange(begin[-1]), place + 1)
    first_of_one = np.cumsum(place + 1) - (place + 1)
    other = begin[level][one] + (np.arange(len(one)) - first_of_one[one])
    cell = columns[one] * m + columns[other]
    ends = np.concatenate([[0], np.cumsum(counts * (counts + 1) // 2)])
    index = np.int32 if max(m * m, int(ends[-1])) < 2**31 else np.int64
    cell, ends = cell.astype(index), ends.astype(index)
    out = {}
    for a in range(q):
        for b in range(a, q):
            data = values[a][one] * values[b][other]
            if a < b:
                data += values[b][one] * values[a][other]
            out[a, b] = sparse.csc_array((data, cell, ends), shape=(m * m, levels))
    return out


def mirrored(lower: Floats) -> Floats:
    """A symmetric matrix from its lower triangle, above which there must be zeros."""
    out = lower + lower.T
    out.flat[:: len(out) + 1] *= 0.5
    return out
