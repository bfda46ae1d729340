"""Crossed grouping factors: the largest is absorbed level by level, the rest is one dense Schur complement.

With factor 1 absorbed, the others see ``U = A_RR − A_R1 K_1 A_1R``: ``M_R = Λ_R'UΛ_R + I`` goes to LAPACK. U is a
fixed linear function of the small symmetric matrices K_1j, one a level, whose coefficients depend on the data alone
(`PairPattern`), so an evaluation never multiplies large sparse matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

from mixedsim.engine.cross_products import CrossBlocks, CrossProducts
from mixedsim.engine.small import gram, gram_of_rows, inverse_and_logdet, noise, transposed
from mixedsim.errors import DataError

Floats = NDArray[np.float64]
_SMALL = 200_000  # cells below which a sparse matrix costs more to handle than its zeros
_TINY = 64  # rows up to which threads are not limited (`optimise`): there, only routines that keep to one thread serve
_LARGEST_DENSE = 25_000  # effects in the dense part: 5 GB a matrix, and some three of them are needed


class CrossedBlocks:
    """Cross-products with factor `first` set apart and all others, `rest`, side by side.

    Parameters
    ----------
    cp : cross-products with one response.
    first : the factor with most effects.
    rest : the others.
    pairs : pair blocks for every ordered pair of factors, the first named on the left.
    """

    def __init__(
        self, cp: CrossProducts, first: int, rest: Sequence[int], pairs: dict[tuple[int, int], CrossBlocks]
    ) -> None:
        self.first, self.rest = first, list(rest)
        self.shapes = [cp.zz[f].shape[:2] for f in self.rest]
        sizes = [j * q for j, q in self.shapes]
        self.start = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
        self.m = self.dense_size = int(self.start[-1])
        if self.m > _LARGEST_DENSE:
            raise DataError(
                f"these crossed grouping factors need a dense {self.m:,} × {self.m:,} matrix "
                f"({3 * 8 * self.m**2 / 2**30:,.0f} GiB of memory in all), beyond the limit of {_LARGEST_DENSE:,}: "
                "leave out the crossed factor with the most levels, or fit a sample of its levels."
            )
        self.d = cp.zz[first]
        self.cw = np.concatenate([cp.zx[first], cp.zy[first]], axis=2)
        self.cw_rest = np.concatenate(
            [np.concatenate([cp.zx[f], cp.zy[f]], axis=2).reshape(j * q, -1) for f, (j, q) in self._each()]
        )
        self.ww = np.block([[cp.xx, cp.xy], [cp.xy.T, np.diag(cp.yy)]])
        self.a_rr = self._rest_blocks(cp, pairs)
        beside = [(pairs[first, f], j) for f, (j, _) in self._each()]
        self.a_1r: Floats | sparse.csr_array
        if self.d.shape[0] * self.d.shape[1] * self.m <= _SMALL:
            self.a_1r = np.hstack([_as_dense(block, self.d.shape[0], j) for block, j in beside])
        else:
            self.a_1r = sparse.csr_array(sparse.hstack([_as_sparse(block, self.d.shape[0], j) for block, j in beside]))
        self.pattern = PairPattern(self.a_1r, self.d.shape[0], self.d.shape[1])

    def _each(self) -> list[tuple[int, tuple[int, int]]]:
        return list(zip(self.rest, self.shapes, strict=True))

    def part(self, i: int) -> slice:
        """Rows of the dense part that belong to the i-th of the remaining factors."""
        return slice(int(self.start[i]), int(self.start[i + 1]))

    def _rest_blocks(self, cp: CrossProducts, pairs: dict[tuple[int, int], CrossBlocks]) -> Floats:
        a = np.zeros((self.m, self.m))
        for i, (f, (j, q)) in enumerate(self._each()):
            own = a[self.part(i), self.part(i)].reshape(j, q, j, q)
            own[np.arange(j), :, np.arange(j), :] = cp.zz[f]
            for k, g in enumerate(self.rest[:i]):
                block = _as_dense(pairs[f, g], j, self.shapes[k][0])
                a[self.part(i), self.part(k)] = block
                a[self.part(k), self.part(i)] = block.T
        return a

    def absorb(self, lambdas: Sequence[Floats]) -> CrossedAbsorbed:
        """Absorb all random effects at the given Λ."""
        return CrossedAbsorbed(self, lambdas)

    def diagonal(self, lambdas: Sequence[Floats]) -> Floats | None:
        """Λ_R as one number an effect, where every remaining factor has one effect; None elsewhere."""
        if any(q > 1 for _, q in self.shapes):
            return None
        return np.repeat([lambdas[f][0, 0] for f in self.rest], [j for j, _ in self.shapes])

    def right_lambda(self, a: Floats, lambdas: Sequence[Floats]) -> Floats:
        """``A Λ_R`` for a matrix with the dense part's effects as columns."""
        out = np.empty_like(a)
        for i, (f, (j, q)) in enumerate(self._each()):
            out[:, self.part(i)] = (a[:, self.part(i)].reshape(-1, j, q) @ lambdas[f]).reshape(len(a), -1)
        return out

    def times_zz(self, vectors: list[Floats]) -> list[Floats]:
        """``Z'Z v`` from the pair blocks."""
        columns = vectors[0].shape[2]
        mine = vectors[self.first]
        flat = np.concatenate([vectors[f].reshape(-1, columns) for f in self.rest])
        out: list[Floats] = [np.empty(0)] * len(vectors)
        out[self.first] = self.d @ mine + (self.a_1r @ flat).reshape(mine.shape)
        rest = self.a_rr @ flat + self.a_1r.T @ mine.reshape(-1, columns)
        for i, (f, (j, q)) in enumerate(self._each()):
            out[f] = rest[self.part(i)].reshape(j, q, columns)
        return out


class CrossedAbsorbed:
    """See `structure.Absorbed`."""

    def __init__(self, blocks: CrossedBlocks, lambdas: Sequence[Floats]) -> None:
        self.blocks, self.lambdas = blocks, lambdas
        self.diagonal = blocks.diagonal(lambdas)
        lam = lambdas[blocks.first]
        inverse, logdet = inverse_and_logdet(lam.T @ blocks.d @ lam + np.eye(len(lam)))
        self.inverse = inverse
        self.k = lam @ inverse @ lam.T
        self.kcw = self.k @ blocks.cw
        width = blocks.cw.shape[2]
        self.u = blocks.a_rr - blocks.pattern.quadratic(self.k)
        self.c_rest = blocks.cw_rest - blocks.a_1r.T @ self.kcw.reshape(-1, width)
        self.u_lam = self._right_lambda(self.u)
        m = self._right_lambda(self.u_lam.T)
        m.flat[:: blocks.m + 1] += 1.0
        # m is symmetric, so its C-ordered rows are LAPACK's columns: no copy is made
        root, failed = lapack.dpotrf(m.T, lower=1, overwrite_a=1, clean=1)
        if failed:
            raise np.linalg.LinAlgError("the Schur complement is not positive definite")
        self.root = root
        # OpenBLAS shares out a trtrs or potri of any size, a trtri of this size not
        self.root_inverse: Floats | None = lapack.dtrtri(root, lower=1)[0] if blocks.m <= _TINY else None
        self.logdet = logdet + 2.0 * float(np.log(np.diag(root)).sum())
        lam_c = self._right_lambda(self.c_rest.T).T
        half = self.root_solve(lam_c)
        ww = blocks.ww - gram(blocks.cw, self.kcw) - half.T @ half
        self.ww = 0.5 * (ww + ww.T)
        self.k_c_rest = self._left_lambda(self.root_solve(half, transposed=True))

    def root_solve(self, b: Floats, transposed: bool = False) -> Floats:
        """``L⁻¹b``, or ``L⁻ᵀb``, where ``M_R = LL'``."""
        if self.root_inverse is not None:
            return np.asarray((self.root_inverse.T if transposed else self.root_inverse) @ b)
        solved, _ = lapack.dtrtrs(self.root, np.asfortranarray(b), lower=1, trans=int(transposed))
        return np.asarray(solved)

    def _right_lambda(self, a: Floats) -> Floats:
        """``A Λ_R``."""
        if self.diagonal is not None:
            return np.asarray(a * self.diagonal)
        return self.blocks.right_lambda(a, self.lambdas)

    def _left_lambda(self, a: Floats) -> Floats:
        """``Λ_R A``."""
        if self.diagonal is not None:
            return np.asarray(self.diagonal[:, None] * a)
        blocks = self.blocks
        out = np.empty_like(a)
        for i, (f, (j, q)) in enumerate(blocks._each()):
            out[blocks.part(i)] = (self.lambdas[f] @ a[blocks.part(i)].reshape(j, q, -1)).reshape(j * q, -1)
        return out

    def _inverse(self) -> Floats:
        """``M_R⁻¹``, both triangles."""
        if self.root_inverse is not None:
            return np.asarray(self.root_inverse.T @ self.root_inverse)
        lower, _ = lapack.dpotri(self.root, lower=1)
        return _mirrored(lower)

    def _k_rest(self, inverse: Floats) -> Floats:
        """``Λ_R M_R⁻¹ Λ_R'``."""
        if self.diagonal is not None:
            return np.asarray(self.diagonal[:, None] * inverse * self.diagonal)
        once = self.blocks.right_lambda(inverse, [lam.T for lam in self.lambdas])
        return self.blocks.right_lambda(once.T, [lam.T for lam in self.lambdas])

    def scores(self, ww_bar: Floats) -> list[Floats]:
        """Reverse sweep: through the dense part first, then level by level through the first factor."""
        blocks = self.blocks
        inverse = self._inverse()
        k_rest = self._k_rest(inverse)
        out: list[Floats] = [np.empty(0)] * len(self.lambdas)
        g = self.c_rest - self.u @ self.k_c_rest
        for i, (f, (j, q)) in enumerate(blocks._each()):
            own = g[blocks.part(i)].reshape(j, q, -1)
            h = self._diagonal_sum(i, inverse, k_rest)
            out[f] = h - gram_of_rows(own @ ww_bar, own)
        u_bar = k_rest + (self.k_c_rest @ ww_bar) @ self.k_c_rest.T
        c_bar = -2.0 * (self.k_c_rest @ ww_bar)
        back = (blocks.a_1r @ c_bar).reshape(blocks.cw.shape) + blocks.cw @ ww_bar
        k_bar = -blocks.pattern.adjoint(u_bar) - back @ transposed(blocks.cw)
        r = np.eye(blocks.d.shape[1]) - blocks.d @ self.k
        out[blocks.first] = (r @ blocks.d + r @ k_bar @ transposed(r)).sum(axis=0)
        return [0.5 * (s + s.T) for s in out]

    def _diagonal_sum(self, i: int, inverse: Floats, k_rest: Floats) -> Floats:
        """``Σ_j H_jj`` with ``H = U − U K_R U`` for the i-th remaining factor.

        ``HΛ = UΛM⁻¹``, of which only diagonal blocks are summed: no product of large matrices, unless Λ is singular.
        """
        f, (j, q) = self.blocks._each()[i]
        own = self.blocks.part(i)
        lam = self.lambdas[f]
        if np.abs(np.diag(lam)).min() > 1e-5:
            left = self.u_lam[own].reshape(j, q, -1)
            right = inverse[own].reshape(j, q, -1)
            h_lam = gram_of_rows(left, right)
            return np.asarray(h_lam / lam if q == 1 else np.linalg.solve(lam.T, h_lam.T).T)
        u = self.u[own].reshape(j, q, -1)
        uku = gram_of_rows((self.u[own] @ k_rest).reshape(j, q, -1), u)
        diagonal = self.u[own, own].reshape(j, q, j, q)[np.arange(j), :, np.arange(j), :]
        return np.asarray(diagonal.sum(axis=0) - uku)

    def modes(self, contrasts: Floats) -> list[Floats]:
        """Dense part first, then the first factor given it."""
        blocks = self.blocks
        out: list[Floats] = [np.empty(0)] * len(self.lambdas)
        rest = self.k_c_rest @ contrasts
        for i, (f, (j, q)) in enumerate(blocks._each()):
            out[f] = rest[blocks.part(i)].reshape(j, q, -1)
        above = (blocks.a_1r @ rest).reshape(*self.k.shape[:2], -1)
        out[blocks.first] = self.kcw @ contrasts - self.k @ above
        return out

    def draw(self, contrast: Floats, rng: np.random.Generator) -> list[Floats]:
        """Dense part first, then every level of the first factor given it."""
        blocks = self.blocks
        out: list[Floats] = [np.empty(0)] * len(self.lambdas)
        white = self.root_solve(rng.standard_normal(blocks.m), transposed=True)
        rest = self.k_c_rest @ contrast + self._left_lambda(white[:, None])[:, 0]
        for i, (f, (j, q)) in enumerate(blocks._each()):
            out[f] = rest[blocks.part(i)].reshape(j, q)
        above = (blocks.a_1r @ rest).reshape(*self.k.shape[:2], 1)
        own = self.kcw @ contrast - (self.k @ above)[:, :, 0]
        out[blocks.first] = own + noise(self.lambdas[blocks.first], self.inverse, rng)
        return out

    def covariances(self) -> list[Floats]:
        """Diagonal blocks of the dense part, and what they add to each level of the first factor."""
        blocks = self.blocks
        k_rest = self._k_rest(self._inverse())
        out: list[Floats] = [np.empty(0)] * len(self.lambdas)
        for i, (f, (j, q)) in enumerate(blocks._each()):
            own = k_rest[blocks.part(i), blocks.part(i)].reshape(j, q, j, q)
            out[f] = own[np.arange(j), :, np.arange(j), :]
        out[blocks.first] = self.k + self.k @ blocks.pattern.adjoint(k_rest) @ self.k
        return out

    def inner(self, vectors: list[Floats]) -> tuple[Floats, Floats]:
        """Forward elimination of the right-hand sides Z'Zv, beside those of X and y."""
        blocks = self.blocks
        zzv = blocks.times_zz(vectors)
        columns = vectors[0].shape[2]
        vv = sum(gram(v, z) for v, z in zip(vectors, zzv, strict=True))
        rest_v = np.concatenate([vectors[f].reshape(-1, columns) for f in blocks.rest])
        wv = gram(blocks.cw, vectors[blocks.first]) + blocks.cw_rest.T @ rest_v
        mine = zzv[blocks.first]
        kr = self.k @ mine
        rest = np.concatenate([zzv[f].reshape(-1, columns) for f in blocks.rest])
        rest = rest - blocks.a_1r.T @ kr.reshape(-1, columns)
        lam_rest = self._right_lambda(rest.T).T
        half = self.root_solve(lam_rest)
        vv = vv - gram(mine, kr) - half.T @ half
        wv = wv - gram(blocks.cw, kr) - self.k_c_rest.T @ rest
        return np.asarray(vv), np.asarray(wv)


class PairPattern:
    """The linear map from one symmetric q × q matrix N_j a level to ``Σ_j A_Rj N_j A_jR``, and its adjoint.

    Parameters
    ----------
    a_1r : (J·q) × m: cross-products of the first factor with the dense part, an array where that is small, else
        sparse; all q rows of a level share their pattern.
    levels, q : J and q.

    Three roads to one answer, chosen by size: dense products where they are small; sparse maps with one entry for
    each pair of columns that meet in a level (InstEval: 0.9 million); dense products in chunks of levels where there
    are too many pairs to keep.
    """

    _DENSE = 3e7  # multiplications that LAPACK does faster than any indexing
    _PAIRS = 4e7  # entries of the sparse maps: 0.5 GB

    def __init__(self, a_1r: Floats | sparse.csr_array, levels: int, q: int) -> None:
        self.a, self.levels, self.q, self.m = a_1r, levels, q, int(a_1r.shape[1])
        self.maps: dict[tuple[int, int], sparse.csc_array] = {}
        self.chunk = levels
        if not isinstance(a_1r, np.ndarray) and levels * q * float(self.m) ** 2 > self._DENSE:
            per_level = np.diff(a_1r.indptr)[::q].astype(float)
            if (per_level * (per_level + 1) / 2).sum() * q * (q + 1) / 2 <= self._PAIRS:
                self.maps = _pair_maps(a_1r, levels, q)
            else:
                self.chunk = max(1, int(2e7 // (self.m * q)))
        self.dense = self._dense(0, levels) if not self.maps and self.chunk == levels else None

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
            return _mirrored(np.asarray(lower).reshape(self.m, self.m))
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
            part = self.dense if self.dense is not None else self._dense(begin, end)
            out[begin:end] = (part @ u) @ transposed(part)
        return out


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


def _mirrored(lower: Floats) -> Floats:
    """A symmetric matrix from its lower triangle, above which there must be zeros."""
    out = lower + lower.T
    out.flat[:: len(out) + 1] *= 0.5
    return out


def _as_sparse(block: CrossBlocks, left_levels: int, right_levels: int) -> sparse.csr_array:
    """Pair blocks as one (J_f·q_f) × (J_g·q_g) matrix."""
    _, qf, qg = block.blocks.shape
    rows = (block.left[:, None, None] * qf + np.arange(qf)[None, :, None]) + np.zeros((1, 1, qg), dtype=int)
    columns = (block.right[:, None, None] * qg + np.arange(qg)[None, None, :]) + np.zeros((1, qf, 1), dtype=int)
    shape = (left_levels * qf, right_levels * qg)
    return sparse.csr_array((block.blocks.reshape(-1), (rows.reshape(-1), columns.reshape(-1))), shape=shape)


def _as_dense(block: CrossBlocks, left_levels: int, right_levels: int) -> Floats:
    """Pair blocks as one (J_f·q_f) × (J_g·q_g) array, zero where levels never meet."""
    _, qf, qg = block.blocks.shape
    out = np.zeros((left_levels, right_levels, qf, qg))
    out[block.left, block.right] = block.blocks
    return out.transpose(0, 2, 1, 3).reshape(left_levels * qf, right_levels * qg)
