"""Several grouping factors, many replicates: all effects in one dense matrix for each.

The formulas are those of `dense`, with the replicates on the first axis, where NumPy hands a stack of matrices to BLAS.
The factor with most effects is eliminated first, level by level, so that only the others need a general inverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.batch_dense_products import DenseProducts, pair_sums
from mixedsim.engine.batch_profiles import LeastSquares, Profiles, Sums, profiles
from mixedsim.engine.batch_small import inverse_and_logdet, many_lambdas
from mixedsim.engine.covariance import Layout
from mixedsim.engine.elements import Elements

Floats = NDArray[np.float64]
Which = NDArray[np.intp] | slice


class Dense:
    """The profiled deviance of a model with several factors as a function of one θ a replicate.

    Parameters
    ----------
    products : the cross-products.
    layout : where θ stands in each Λ.
    reml : REML criterion instead of −2 log L.
    """

    company: ClassVar[int] = 8

    def __init__(self, products: DenseProducts, layout: Layout, reml: bool) -> None:
        self.products, self.layout, self.reml = products, layout, reml
        self.elements = products.elements
        self.nu = products.n - products.p if reml else products.n

    @property
    def replicates(self) -> int:
        """r."""
        return self.products.replicates

    @property
    def p(self) -> int:
        """Number of fixed effects."""
        return self.products.p

    @property
    def rows(self) -> Floats:
        """Number of rows: r values."""
        return self.products.n

    @property
    def yy(self) -> Floats:
        """Sums of squares of the responses: r values."""
        return self.products.yy

    def take(self, which: Which) -> Dense:
        """The same for some of the replicates."""
        return Dense(self.products.take(which), self.layout, self.reml)

    def evaluate(self, theta: Floats) -> Profiles:
        """Everything at `theta` (K × r)."""
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            absorbed = self.absorb(theta)
            solved = LeastSquares.of(absorbed.ww)
            adjoint = np.ascontiguousarray(np.moveaxis(solved.adjoint(self.nu, self.reml), -1, 0))
            sums = self._sums(absorbed, theta, adjoint)
            return profiles(solved, sums, self.nu, self.products.log_weights, self.reml)

    def absorb(self, theta: Floats) -> DenseAbsorbed:
        """All random effects absorbed at `theta`: with M = Λ'Z'ZΛ + I, ``Z'[Z X y] − Z'ZΛ M⁻¹ Λ'Z'[Z X y]``."""
        made, q, r = self.products, self.elements.size, theta.shape[1]
        turned = [np.moveaxis(many_lambdas(theta, self.layout, f), -1, 0) for f in range(len(self.layout.factors))]
        turned = [lam.swapaxes(1, 2) for lam in turned]
        beside = np.empty((r, q, q + made.p + 1))
        beside[:, :, :q], beside[:, :, q:-1], beside[:, :, -1] = made.zz, made.zx, made.zy
        half = self._times(turned, beside)
        m = self._times(turned, half[:, :, :q].swapaxes(1, 2))
        m[:, np.arange(q), np.arange(q)] += 1.0
        solved, logdet = self._solved(m, half)
        ww = np.empty((made.p + 1, made.p + 1, r))
        ww[:-1, :-1], ww[:-1, -1], ww[-1, :-1], ww[-1, -1] = made.xx, made.xy, made.xy, made.yy
        ww -= np.moveaxis(half[:, :, q:].swapaxes(1, 2) @ solved[:, :, q:], 0, -1)
        beside -= half[:, :, :q].swapaxes(1, 2) @ solved
        return DenseAbsorbed(
            elements=self.elements,
            logdet=logdet,
            ww=0.5 * (ww + ww.swapaxes(0, 1)),
            h=beside[:, :, :q],
            g=beside[:, :, q:],
        )

    def _times(self, lambdas: Sequence[Floats], right: Floats) -> Floats:
        """The block-diagonal matrix with a factor's r × q × q for every level, times r × Q × c."""
        out = np.empty(right.shape)
        for lam, part, (j, q) in zip(lambdas, self.elements.parts, self.elements.shapes, strict=True):
            if q == 1:
                np.multiply(lam, right[:, part], out=out[:, part])
            else:
                own = right[:, part].reshape(len(right), j, q, -1)
                out[:, part] = (lam[:, None] @ own).reshape(len(lam), j * q, -1)
        return out

    def _solved(self, m: Floats, right: Floats) -> tuple[Floats, Floats]:
        """M⁻¹ times r × Q × c, and log|M|: by M's largest block-diagonal part and the Schur complement of that."""
        largest = max(self.elements.parts, key=lambda part: part.stop - part.start)
        j, q = self.elements.shapes[self.elements.parts.index(largest)]
        r, size = len(m), self.elements.size
        rest = np.r_[0 : largest.start, largest.stop : size]
        own = m[:, largest, largest].reshape(r, j, q, j, q)[:, np.arange(j), :, np.arange(j)]  # j × r × q × q
        small, logs = inverse_and_logdet(own.transpose(2, 3, 0, 1))
        blocks = np.ascontiguousarray(small.transpose(3, 2, 0, 1))
        across = m[:, largest][:, :, rest]
        carried = (blocks @ across.reshape(r, j, q, -1)).reshape(r, j * q, -1)
        schur = m[:, rest][:, :, rest] - across.swapaxes(1, 2) @ carried
        first = (blocks @ right[:, largest].reshape(r, j, q, -1)).reshape(r, j * q, -1)
        second = np.linalg.inv(schur) @ (right[:, rest] - across.swapaxes(1, 2) @ first)
        out = np.empty_like(right)
        out[:, rest] = second
        out[:, largest] = first - carried @ second
        sign, logdet = np.linalg.slogdet(schur)
        return out, np.where(sign > 0, logdet + logs.sum(axis=0), np.nan)

    def _sums(self, absorbed: DenseAbsorbed, theta: Floats, adjoint: Floats) -> Sums:
        """See `Sums`; the scores are sums over levels of ``H − G̃AG̃'``."""
        elements, layout = self.elements, self.layout
        ga = absorbed.g @ adjoint
        outer = ga @ absorbed.g.swapaxes(1, 2)
        along = self._along(theta)
        first, second = elements.first, elements.second
        scores = (absorbed.h[:, first, second] - outer[:, first, second]) @ elements.member
        outer *= 2.0
        outer -= absorbed.h
        pairs = pair_sums(elements, absorbed.h, outer)
        return Sums(
            logdet=absorbed.logdet,
            gradient=np.einsum("kEr,rE->kr", along, scores),
            trace=np.einsum("kEr,rEF,lFr->klr", along, pairs, along, optimize=["einsum_path", (0, 1), (0, 1)]),
            bend=self._bend(layout, scores),
            moved=np.einsum("kEr,rEPQ->kPQr", along, absorbed.outer_sums()),
        )

    def _along(self, theta: Floats) -> Floats:
        """``∂Σ/∂θ_k`` by element: K × E × r."""
        layout = self.layout
        out = np.zeros((layout.size, self.elements.places[-1].stop, theta.shape[1]))
        for f, (place, mine) in enumerate(zip(self.elements.places, layout.of_factor, strict=True)):
            q = layout.factors[f].effects
            lam = many_lambdas(theta, layout, f)
            half = np.zeros((len(mine), q, q, theta.shape[1]))
            half[np.arange(len(mine)), layout.row[mine]] = np.swapaxes(lam[:, layout.column[mine]], 0, 1)
            out[mine, place] = (half + half.swapaxes(1, 2)).reshape(len(mine), q * q, -1)
        return out

    def _bend(self, layout: Layout, scores: Floats) -> Floats:
        """``Σ S_ab ∂²Σ_ab/∂θ_k∂θ_l``: K × K × r."""
        out = np.zeros((layout.size, layout.size, len(scores)))
        for f, (place, mine) in enumerate(zip(self.elements.places, layout.of_factor, strict=True)):
            q = layout.factors[f].effects
            row, column = layout.row[mine], layout.column[mine]
            s = scores[:, place].reshape(-1, q, q)
            own = 2.0 * s[:, row[:, None], row] * (column[:, None] == column)
            out[mine[:, None], mine] = np.moveaxis(own, 0, -1)
        return out


@dataclass(frozen=True, eq=False)
class DenseAbsorbed:
    """All random effects absorbed, for r replicates: the metric is V⁻¹.

    Attributes
    ----------
    elements : where the effects stand.
    logdet, ww : log|V|, and [X y]'V⁻¹[X y], P × P × r.
    h, g : Z'V⁻¹Z and Z'V⁻¹[X y]: r × Q × Q and r × Q × P.
    """

    elements: Elements
    logdet: Floats
    ww: Floats
    h: Floats
    g: Floats

    def outer_sums(self) -> Floats:
        """``Σ_j g_ja g_jb'`` over the levels for every element (a, b): r × E × P × P."""
        parts = []
        for part, (j, q) in zip(self.elements.parts, self.elements.shapes, strict=True):
            own = self.g[:, part].reshape(len(self.g), j, q, -1)
            parts += [own[:, :, a].swapaxes(1, 2) @ own[:, :, b] for a in range(q) for b in range(q)]
        return np.stack(parts, axis=1)
