"""Crossed grouping factors: the largest is absorbed level by level, the rest is one dense Schur complement.

With factor 1 absorbed, the others see ``U = A_RR − A_R1 K_1 A_1R``: ``M_R = Λ_R'UΛ_R + I`` goes to LAPACK. U is a
fixed linear function of the small symmetric matrices K_1j, one a level, whose coefficients depend on the data alone
(`PairPattern`), so an evaluation never multiplies large sparse matrices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

from mixedsim.engine.cross_products import CrossBlocks, CrossProducts
from mixedsim.engine.pair_pattern import PairPattern, mirrored
from mixedsim.engine.small import gram, gram_of_rows, inverse_and_logdet, noise, sandwich, transposed
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
        inverse, logdet = inverse_and_logdet(sandwich(blocks.d, lam) + np.eye(len(lam)))
        self.inverse = inverse
        self.k = sandwich(inverse, lam.T)
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
        return mirrored(lower)

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
