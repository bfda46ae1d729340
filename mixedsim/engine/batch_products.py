"""The cross-products of one factor's model for many replicates, and the classes of levels among them.

`CrossProducts` holds many responses on one design; here the design may differ too. All arrays have the replicates on
the last axis, with length 1 where they share what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.batch_cells import Cells
from mixedsim.engine.cross_products import CrossProducts

Floats = NDArray[np.float64]
Which = NDArray[np.intp] | slice
_ALIKE = 1e-12  # share of the largest element by which two levels' D may differ by rounding
_BLOCK = 300_000  # numbers in an array that is summed and thrown away


@dataclass(frozen=True, eq=False)
class ManyProducts:
    """Cross-products with one grouping factor (J levels, q effects, p fixed effects, r replicates).

    Attributes
    ----------
    zz, zx, zy : q × q × J × (1 or r), q × p × J × (1 or r), q × J × r. A level that a replicate lacks is all zeros.
    xx, xy, yy : p × p × (1 or r), p × r, r.
    n, log_weights : r values each: rows, and Σ log w.
    """

    zz: Floats
    zx: Floats
    zy: Floats
    xx: Floats
    xy: Floats
    yy: Floats
    n: Floats
    log_weights: Floats

    @classmethod
    def of(cls, cp: CrossProducts) -> ManyProducts:
        """Those of many responses on one design."""
        r = cp.responses
        return cls(
            zz=np.ascontiguousarray(cp.zz[0].transpose(1, 2, 0))[..., None],
            zx=np.ascontiguousarray(cp.zx[0].transpose(1, 2, 0))[..., None],
            zy=np.ascontiguousarray(cp.zy[0].transpose(1, 0, 2)),
            xx=cp.xx[..., None],
            xy=cp.xy,
            yy=cp.yy,
            n=np.full(r, float(cp.n)),
            log_weights=np.full(r, cp.log_weights),
        )

    @property
    def replicates(self) -> int:
        """r."""
        return len(self.yy)

    @property
    def p(self) -> int:
        """Number of fixed effects."""
        return len(self.xy)

    def take(self, which: Which) -> ManyProducts:
        """Those of some replicates."""
        return ManyProducts(
            *(
                array if array.shape[-1] == 1 and self.replicates > 1 else array[..., which]
                for array in (getattr(self, name) for name in ManyProducts.__annotations__)
            )
        )

    @classmethod
    def joined(cls, parts: Sequence[ManyProducts]) -> ManyProducts:
        """Those of all parts, where each replicate has a design of its own; levels that one lacks are all zeros."""
        levels = max(part.zz.shape[2] for part in parts)
        wide = [part.with_levels(levels) for part in parts]
        return cls(*(np.concatenate([getattr(part, name) for part in wide], axis=-1) for name in cls.__annotations__))

    def with_levels(self, levels: int) -> ManyProducts:
        """The same with room for so many levels."""
        more = levels - self.zz.shape[2]
        if not more:
            return self
        last = ((0, more), (0, 0))
        zz, zx = (np.pad(array, ((0, 0), (0, 0), *last)) for array in (self.zz, self.zx))
        return replace(self, zz=zz, zx=zx, zy=np.pad(self.zy, ((0, 0), *last)))

    @cached_property
    def classes(self) -> Classes | None:
        """Levels with the same D, where counting them costs less than visiting every level."""
        q, _, levels, _ = self.zz.shape
        first = self.zz[..., :1]
        size = float(np.abs(first).max(initial=0.0))
        if self.zz.shape[3] > 1 and np.ptp(self.zz, axis=3).max(initial=0.0) > _ALIKE * size:
            return None
        found = Classes.of(first, _ALIKE * size)
        return found if found.d.shape[2] * (2 * q + 2) <= levels else None

    @property
    def size(self) -> int:
        """Numbers in the largest array that one replicate needs when its likelihood is evaluated."""
        q, _, levels, _ = self.zz.shape
        wide = q * (self.p + 1)
        cells = levels * wide if self.classes is None else self.classes.d.shape[2] * wide**2
        return int(cells + wide**2 + 2 * q * q * levels * (self.classes is None))

    def cells(self) -> Cells:
        """Classes or levels, ready for evaluation."""
        if self.classes is None:
            counts, d, c, s = np.ones((self.zz.shape[2], 1)), self.zz, self._c(slice(None)), None
        else:
            counts, d, c = self.classes.counts[:, None], self.classes.d, None
            s = np.concatenate([self.classes.squares(self._c(own)) for own in self._blocks()], axis=-1)
        p, r = self.p, self.replicates
        ww = np.empty((p + 1, p + 1, r))
        ww[:p, :p] = self.xx
        ww[:p, p] = ww[p, :p] = self.xy
        ww[p, p] = self.yy
        return Cells(counts, d, c, s, ww, self.n, self.log_weights)

    def _c(self, which: slice) -> Floats:
        """``Z_j'[X y]`` of some replicates: q × (p + 1) × J × s."""
        zy = self.zy[..., which]
        q, p, levels, shared = self.zx.shape
        out = np.empty((q, p + 1, levels, zy.shape[-1]))
        out[:, :p] = self.zx if shared == 1 else self.zx[..., which]
        out[:, p] = zy
        return out

    def _blocks(self) -> Iterator[slice]:
        q, p, levels, _ = self.zx.shape
        size = max(1, _BLOCK // (q * (p + 1) * levels))
        return (slice(k, k + size) for k in range(0, self.replicates, size))


@dataclass(frozen=True, eq=False)
class Classes:
    """Levels with the same D.

    Attributes
    ----------
    order : the J levels sorted by class; levels without rows belong to none and are left out.
    counts : number of levels in each of the M classes.
    d : q × q × M × 1.
    """

    order: NDArray[np.intp]
    counts: Floats
    d: Floats

    @classmethod
    def of(cls, d: Floats, tolerance: float) -> Classes:
        """The classes of q × q × J × 1 matrices that differ by no more than the tolerance."""
        q, _, levels, _ = d.shape
        label = np.zeros(levels, dtype=np.intp)
        for a in range(q):
            for b in range(a + 1):
                own = _bins(d[a, b, :, 0], tolerance)
                _, label = np.unique(label * (own.max(initial=0) + 1) + own, return_inverse=True)
        order = np.argsort(label, kind="stable")
        order = order[np.einsum("aaJ->J", d[..., 0])[order] > 0]
        _, first, counts = np.unique(label[order], return_index=True, return_counts=True)
        return cls(order, counts.astype(np.float64), d[:, :, order[first]])

    def squares(self, c: Floats) -> Floats:
        """``Σ vec(C) vec(C)'`` over the levels of each class: q × P × q × P × M × s."""
        ends = np.cumsum(self.counts).astype(np.intp)
        parts = [c[:, :, self.order[end - int(n) : end]] for end, n in zip(ends, self.counts, strict=True)]
        return np.stack([np.einsum("aPJr,bQJr->aPbQr", part, part) for part in parts], axis=4)


def _bins(values: Floats, tolerance: float) -> NDArray[np.intp]:
    """The same number for values that lie within the tolerance of their neighbours."""
    order = np.argsort(values)
    steps = np.diff(values[order]) > tolerance
    out = np.empty(len(values), dtype=np.intp)
    out[order] = np.concatenate([[0], np.cumsum(steps)])
    return out
