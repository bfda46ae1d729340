"""The cross-products of a model with several factors for many replicates, and where to begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.batch_small import inverse_and_logdet
from mixedsim.engine.batch_start import bounded_factor
from mixedsim.engine.covariance import Layout
from mixedsim.engine.cross_products import CrossProducts
from mixedsim.engine.dense import DenseBlocks
from mixedsim.engine.elements import Elements

Floats = NDArray[np.float64]
Which = NDArray[np.intp] | slice


@dataclass(frozen=True, eq=False)
class DenseProducts:
    """Cross-products with several factors (Q effects, p fixed effects, r replicates).

    Attributes
    ----------
    elements : where the effects stand; a level that a replicate lacks is all zeros.
    zz, zx : (1 or r) × Q × Q and (1 or r) × Q × p: one for all replicates on one design.
    xx : p × p × (1 or r).
    zy, xy, yy : r × Q, p × r, r.
    n, log_weights : r values each.
    """

    elements: Elements
    zz: Floats
    zx: Floats
    xx: Floats
    zy: Floats
    xy: Floats
    yy: Floats
    n: Floats
    log_weights: Floats

    @classmethod
    def of(cls, cp: CrossProducts) -> DenseProducts:
        """Those of many responses on one design."""
        blocks = DenseBlocks(cp.response(0))
        size, r = blocks.size, cp.responses
        return cls(
            elements=blocks.elements,
            zz=blocks.zz[None],
            zx=np.ascontiguousarray(blocks.full[:size, size : size + cp.p])[None],
            xx=cp.xx[..., None],
            zy=np.ascontiguousarray(np.concatenate([zy.reshape(-1, r) for zy in cp.zy]).T),
            xy=cp.xy,
            yy=cp.yy,
            n=np.full(r, float(cp.n)),
            log_weights=np.full(r, cp.log_weights),
        )

    @classmethod
    def joined(cls, parts: Sequence[DenseProducts]) -> DenseProducts:
        """Those of all parts, where each replicate has a design of its own."""
        counts = zip(*([j for j, _ in part.elements.shapes] for part in parts), strict=True)
        effects = [q for _, q in parts[0].elements.shapes]
        elements = Elements([(max(own), q) for own, q in zip(counts, effects, strict=True)])
        wide = [part._with(elements) for part in parts]
        first = {name: np.concatenate([getattr(part, name) for part in wide]) for name in ("zz", "zx", "zy")}
        last = {
            name: np.concatenate([getattr(part, name) for part in wide], axis=-1)
            for name in ("xx", "xy", "yy", "n", "log_weights")
        }
        return cls(elements, **first, **last)

    def _with(self, elements: Elements) -> DenseProducts:
        """The same with room for more levels."""
        if elements.shapes == self.elements.shapes:
            return self
        both = zip(elements.parts, self.elements.parts, strict=True)
        own = np.concatenate([new.start + np.arange(old.stop - old.start) for new, old in both])
        zz = np.zeros((len(self.zz), elements.size, elements.size))
        zz[:, own[:, None], own] = self.zz
        zx, zy = np.zeros((len(self.zx), elements.size, self.p)), np.zeros((len(self.zy), elements.size))
        zx[:, own], zy[:, own] = self.zx, self.zy
        return replace(self, elements=elements, zz=zz, zx=zx, zy=zy)

    @property
    def replicates(self) -> int:
        """r."""
        return len(self.yy)

    @property
    def p(self) -> int:
        """Number of fixed effects."""
        return len(self.xx)

    @property
    def size(self) -> int:
        """Numbers that one replicate needs in the arrays of a step: some five matrices of all effects."""
        return int(5 * self.elements.size * (self.elements.size + self.p + 1))

    def take(self, which: Which) -> DenseProducts:
        """Those of some replicates."""
        if len(self.zz) == 1 < self.replicates:
            zz, zx, xx = self.zz, self.zx, self.xx
        else:
            zz, zx, xx = self.zz[which], self.zx[which], self.xx[..., which]
        return DenseProducts(
            self.elements, zz, zx, xx, self.zy[which], self.xy[:, which], self.yy[which], self.n[which],
            self.log_weights[which],
        )  # fmt: skip


def dense_starts(products: DenseProducts, layout: Layout) -> Floats:
    """Starting θ (K × r) from the moments of all factors at once: see `start`."""
    elements, zx = products.elements, products.zx
    inverse = np.moveaxis(inverse_and_logdet(products.xx)[0], -1, 0)
    b = products.zz - (zx @ inverse) @ zx.swapaxes(1, 2)
    beta = (inverse @ products.xy.T[:, :, None])[:, :, 0]
    e = products.zy - (zx @ beta[:, :, None])[:, :, 0]
    rss = np.maximum(products.yy - np.einsum("pr,rp->r", products.xy, beta), 1e-300)
    lengths = np.einsum("rqq->rq", products.zz)
    size = (lengths > 0).sum(axis=1)
    scale = lengths.sum(axis=1) / size
    sigma2 = _within_all(b, e, rss, products.n - products.p, 1e-6 * scale)
    target = (e[:, elements.first] * e[:, elements.second]) @ elements.member
    target -= sigma2[:, None] * (b[:, elements.first, elements.second] @ elements.member)
    # what X leaves nothing of is unknown: a little ridge sets it to zero
    system = pair_sums(elements, b, b)
    system += (1e-12 * size * scale**2)[:, None, None] * np.eye(system.shape[1])
    relative = (np.linalg.solve(system, target[:, :, None])[:, :, 0] / sigma2[:, None]).T
    out = np.empty((layout.size, products.replicates))
    for place, shape, mine in zip(elements.places, layout.factors, layout.of_factor, strict=True):
        sigma = relative[place].reshape(shape.effects, shape.effects, -1)
        lam = bounded_factor(0.5 * (sigma + sigma.swapaxes(0, 1)), shape)
        out[mine] = lam[layout.row[mine], layout.column[mine]]
    return out


def _within_all(b: Floats, e: Floats, rss: Floats, df: Floats, ridge: Floats) -> Floats:
    """Residual variances within the levels of all factors at once; where none is left, half of what X leaves."""
    inverse = np.linalg.inv(b + ridge[:, None, None] * np.eye(b.shape[1]))
    modes = (inverse @ e[:, :, None])[:, :, 0]
    within = rss - np.einsum("rq,rq->r", e, modes) - ridge * np.einsum("rq,rq->r", modes, modes)
    own = df - b.shape[1] + ridge**2 * np.einsum("rij,rij->r", inverse, inverse)
    sane = (own > 0.1 * df) & (within > 1e-6 * rss)
    return np.where(sane, within, 0.5 * rss) / np.where(sane, own, df)


def pair_sums(elements: Elements, a: Floats, b: Floats) -> Floats:
    """`Elements.pair_sums` of every replicate, r × E × E: for two factors one product of all pairs of their levels."""
    out = np.empty((len(a), elements.places[-1].stop, elements.places[-1].stop))
    where = list(zip(elements.parts, elements.places, elements.shapes, strict=True))
    for part, place, (j, q) in where:
        for beside, its_place, (k, s) in where:
            one, other = (m[:, part, beside].reshape(-1, j, q, k, s) for m in (a, b))
            left = one.transpose(0, 2, 4, 1, 3).reshape(-1, q * s, j * k)
            right = other.transpose(0, 1, 3, 2, 4).reshape(-1, j * k, q * s)
            both = (left @ right).reshape(-1, q, s, q, s)
            out[:, place, its_place] = both.transpose(0, 3, 1, 2, 4).reshape(-1, q * q, s * s)
    return out
