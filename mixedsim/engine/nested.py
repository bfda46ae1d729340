"""One grouping factor, or several that nest: elimination without fill, vectorised over levels.

Absorbing a factor turns the cross-products of everything that comes later into cross-products in the metric of
``V⁻¹``: ``A_rr ← A_rr − A_rk K_k A_kr`` with ``K = ΛM⁻¹Λ'``, ``M = Λ'A_kkΛ + I``. When the levels of a factor nest in
the levels of all later ones, each level touches one level of each, and the update stays block-diagonal. Derivatives
come back through the same steps in reverse order. K needs no inverse of Λ, so singular Λ are ordinary points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mixedsim.engine.cross_products import CrossBlocks, CrossProducts
from mixedsim.engine.small import gram, gram_of_rows, inverse_and_logdet, noise, sandwich, times, transposed

Floats = NDArray[np.float64]


class NestedBlocks:
    """Cross-products of nested factors, innermost first.

    Parameters
    ----------
    cp : cross-products with one response.
    order : factor numbers, innermost (most levels) first.
    pairs : for factors a before b in that order, their pair blocks, a on the left: one block a level of a.
    """

    def __init__(self, cp: CrossProducts, order: Sequence[int], pairs: dict[tuple[int, int], CrossBlocks]) -> None:
        self.order = list(order)
        self.dense_size = 0
        sizes = [cp.zz[f].shape[1] for f in self.order]
        self.start = np.concatenate([[0], np.cumsum(sizes)])
        self.base: list[Floats] = []
        self.up: dict[tuple[int, int], NDArray[np.intp]] = {}
        self.sums: dict[tuple[int, int], sparse.csr_array] = {}
        for k, a in enumerate(self.order):
            later = [pairs[a, b].blocks for b in self.order[k + 1 :]]
            self.base.append(np.concatenate([cp.zz[a], *later, cp.zx[a], cp.zy[a]], axis=2))
            for m, b in enumerate(self.order[k + 1 :], start=k + 1):
                parent = pairs[a, b].right
                self.up[k, m] = parent
                one = np.ones(len(parent))
                self.sums[k, m] = sparse.csr_array(
                    (one, (parent, np.arange(len(parent)))), shape=(cp.zz[b].shape[0], len(parent))
                )
        self.ww = np.block([[cp.xx, cp.xy], [cp.xy.T, np.diag(cp.yy)]])

    def absorb(self, lambdas: Sequence[Floats]) -> NestedAbsorbed:
        """Absorb all random effects at the given Λ."""
        blocks = [self.base[0], *(b.copy() for b in self.base[1:])]
        ww = self.ww.copy()
        logdet = 0.0
        stages: list[Stage] = []
        for k, f in enumerate(self.order):
            q = int(self.start[k + 1] - self.start[k])
            lam = lambdas[f]
            d, c = blocks[k][:, :, :q], blocks[k][:, :, q:]
            inverse, own = inverse_and_logdet(sandwich(d, lam) + np.eye(q))
            logdet += own
            kk = sandwich(inverse, lam.T)
            kc = kk @ c
            stage = Stage(d=d, c=c, k=kk, kc=kc, lam=lam, inverse=inverse)
            stages.append(stage)
            for m in range(k + 1, len(self.order)):
                left = self._columns(k, m)
                onward = slice(left.start, None)
                update = transposed(c[:, :, left]) @ kc[:, :, onward]
                blocks[m] -= self._sum_up(k, m, update)
            ww -= gram(stage.cw(len(ww)), stage.kcw(len(ww)))
        return NestedAbsorbed(self, stages, logdet, 0.5 * (ww + ww.T))

    def times_zz(self, vectors: list[Floats]) -> list[Floats]:
        """``Z'Z v``: diagonal blocks, plus the pairs with every later factor in both directions."""
        out: list[Floats] = [np.empty(0)] * len(self.order)
        for k, f in enumerate(self.order):
            q = int(self.start[k + 1] - self.start[k])
            out[f] = self.base[k][:, :, :q] @ vectors[f]
        for (k, m), up in self.up.items():
            here, there = self.order[k], self.order[m]
            q = int(self.start[k + 1] - self.start[k])
            pair = self.base[k][:, :, q:][:, :, self._columns(k, m)]
            out[here] = out[here] + pair @ vectors[there][up]
            out[there] = out[there] + self._sum_up(k, m, transposed(pair) @ vectors[here])
        return out

    def _columns(self, k: int, m: int) -> slice:
        """Where the effects of stage m stand among the later columns of stage k."""
        offset = self.start[k + 1]
        return slice(int(self.start[m] - offset), int(self.start[m + 1] - offset))

    def _sum_up(self, k: int, m: int, values: Floats) -> Floats:
        """Sum blocks of stage k over the levels that share a level of stage m."""
        flat = self.sums[k, m] @ values.reshape(len(values), -1)
        return np.asarray(flat).reshape(-1, *values.shape[1:])


@dataclass(frozen=True, eq=False)
class Stage:
    """One absorbed factor (J levels, q effects, c later columns, of which the last are X and y).

    ``d`` and ``c`` are the blocks in the metric of the factors absorbed before; ``inverse = M⁻¹``, ``k = ΛM⁻¹Λ'``,
    ``kc = k c``.
    """

    d: Floats
    c: Floats
    k: Floats
    kc: Floats
    lam: Floats
    inverse: Floats

    @cached_property
    def left(self) -> Floats:
        """``I − dk``: what V⁻¹ leaves of Z_j, the same for gradient and curvature."""
        return np.eye(self.d.shape[1]) - self.d @ self.k

    @cached_property
    def d_left(self) -> Floats:
        """``(I − dk)d``: Z_j'V⁻¹Z_j in the outermost stage."""
        return self.left @ self.d

    @cached_property
    def c_left(self) -> Floats:
        """``(I − dk)c``: Z_j'V⁻¹[X y] in the outermost stage."""
        return self.left @ self.c

    def cw(self, width: int) -> Floats:
        """The X and y columns of ``c``."""
        return self.c[:, :, self.c.shape[2] - width :]

    def kcw(self, width: int) -> Floats:
        """The X and y columns of ``kc``."""
        return self.kc[:, :, self.kc.shape[2] - width :]


class NestedAbsorbed:
    """See `structure.Absorbed`."""

    def __init__(self, blocks: NestedBlocks, stages: list[Stage], logdet: float, ww: Floats) -> None:
        self.blocks = blocks
        self.stages = stages
        self.logdet = logdet
        self.ww = ww

    def scores(self, ww_bar: Floats) -> list[Floats]:
        """Reverse sweep: what the outermost factor received from the inner ones is handed back level by level."""
        blocks = self.blocks
        last = len(self.stages) - 1
        received: list[Floats] = [np.empty(0)] * len(self.stages)
        out: list[Floats] = [np.empty(0)] * len(self.stages)
        for k in range(last, -1, -1):
            stage = self.stages[k]
            e = self._handed_back(k, received, ww_bar)
            out[blocks.order[k]] = stage.d_left.sum(axis=0) + _outer_sum(stage.c_left, e)
            if k > 0:
                k_bar = stage.c @ e @ transposed(stage.c)
                d_bar = stage.k - stage.k @ k_bar @ stage.k
                received[k] = np.concatenate([d_bar, 2.0 * (stage.kc @ e)], axis=2)
        return [0.5 * (s + s.T) for s in out]

    def _handed_back(self, k: int, received: list[Floats], ww_bar: Floats) -> Floats:
        """Symmetric adjoint of ``c'kc`` of stage k: c × c, or J × c × c where later factors differ by level."""
        if k == len(self.stages) - 1:
            return -ww_bar
        width = self.stages[k].c.shape[2]
        e = np.zeros((len(self.stages[k].d), width, width))
        w = len(ww_bar)
        e[:, width - w :, width - w :] = -ww_bar
        for m in range(k + 1, len(self.stages)):
            own = self.blocks._columns(k, m)
            e[:, own, own.start :] -= received[m][self.blocks.up[k, m]]
        return 0.5 * (e + transposed(e))

    def modes(self, contrasts: Floats) -> list[Floats]:
        """Back-substitution, outermost factor first."""
        blocks = self.blocks
        out: list[Floats] = [np.empty(0)] * len(self.stages)
        for k in range(len(self.stages) - 1, -1, -1):
            stage = self.stages[k]
            b = stage.kcw(len(contrasts)) @ contrasts
            for m in range(k + 1, len(self.stages)):
                above = out[blocks.order[m]][blocks.up[k, m]]
                b = b - stage.kc[:, :, blocks._columns(k, m)] @ above
            out[blocks.order[k]] = b
        return out

    def draw(self, contrast: Floats, rng: np.random.Generator) -> list[Floats]:
        """Outermost factor first, every level given its parents."""
        blocks = self.blocks
        out: list[Floats] = [np.empty(0)] * len(self.stages)
        for k in range(len(self.stages) - 1, -1, -1):
            stage = self.stages[k]
            b = stage.kcw(len(contrast)) @ contrast + noise(stage.lam, stage.inverse, rng)
            for m in range(k + 1, len(self.stages)):
                above = out[blocks.order[m]][blocks.up[k, m]]
                b = b - (stage.kc[:, :, blocks._columns(k, m)] @ above[:, :, None])[:, :, 0]
            out[blocks.order[k]] = b
        return out

    def covariances(self) -> list[Floats]:
        """Joint covariance of a level with all levels above it, outermost factor first; the own block is kept."""
        blocks = self.blocks
        out: list[Floats] = [np.empty(0)] * len(self.stages)
        path = np.empty(0)
        for k in range(len(self.stages) - 1, -1, -1):
            stage = self.stages[k]
            q = stage.d.shape[1]
            if k == len(self.stages) - 1:
                path = stage.k
            else:
                above = path[blocks.up[k, k + 1]]
                down = -stage.kc[:, :, : above.shape[1]]
                beside = down @ above
                own = stage.k + beside @ transposed(down)
                path = np.concatenate(
                    [
                        np.concatenate([own, beside], axis=2),
                        np.concatenate([transposed(beside), above], axis=2),
                    ],
                    axis=1,
                )
            out[blocks.order[k]] = path[:, :q, :q]
        return out

    def inner(self, vectors: list[Floats]) -> tuple[Floats, Floats]:
        """Forward elimination of the right-hand sides Z'Zv, beside those of X and y."""
        blocks = self.blocks
        zzv = blocks.times_zz(vectors)
        vv = sum(gram(v, z) for v, z in zip(vectors, zzv, strict=True))
        w = len(self.ww)
        wv = sum(
            gram(blocks.base[k][:, :, blocks.base[k].shape[2] - w :], vectors[f]) for k, f in enumerate(blocks.order)
        )
        reduced = [zzv[f] for f in blocks.order]
        for k, stage in enumerate(self.stages):
            kr = stage.k @ reduced[k]
            vv = vv - gram(reduced[k], kr)
            wv = wv - gram(stage.cw(w), kr)
            for m in range(k + 1, len(self.stages)):
                pair = stage.c[:, :, blocks._columns(k, m)]
                reduced[m] = reduced[m] - blocks._sum_up(k, m, transposed(pair) @ kr)
        return np.asarray(vv), np.asarray(wv)


def _outer_sum(g: Floats, e: Floats) -> Floats:
    """``Σ_j g_j e_j g_j'``, where e is one matrix for all levels or one a level."""
    return gram_of_rows(times(g, e) if e.ndim == 2 else g @ e, g)
