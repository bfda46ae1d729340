"""One grouping factor, many replicates: levels that are alike are counted, not visited.

A level j enters the likelihood by D_j = Z_j'Z_j and C_j = Z_j'[X y]. Levels with the same D share the factorisation,
and their C only ever occur in products of two, so that a *class* of such levels is known by its number of levels and
``S = Σ_j vec(C_j) vec(C_j)'``: in a balanced design there is one class, and the number of levels costs nothing.
Where nearly every level is a class of its own, the levels themselves are kept. Both are *cells* here: M of them, with
the replicates on the last axis. A cell without rows (D = 0, C = 0) contributes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.batch_profiles import LeastSquares, Profiles, Sums, profiles
from mixedsim.engine.batch_small import gram, identity, inverse_and_logdet, many_lambdas, product, turned
from mixedsim.engine.covariance import Layout

Floats = NDArray[np.float64]
Which = NDArray[np.intp] | slice


@dataclass(frozen=True, eq=False)
class Cells:
    """Cross-products of one factor's model for r replicates (q effects, P = p + 1 columns of X and y, M cells).

    Attributes
    ----------
    counts : M × r (or M × 1, the same for all): levels in each cell.
    d : q × q × M × r (or × 1): D of each cell.
    c : q × P × M × r where cells are levels (their counts are 1), else None.
    s : q × P × q × P × M × r where cells are classes, else None.
    ww : P × P × r, [X y]'[X y].
    n, log_weights : r values each.
    """

    counts: Floats
    d: Floats
    c: Floats | None
    s: Floats | None
    ww: Floats
    n: Floats
    log_weights: Floats

    @property
    def replicates(self) -> int:
        """r."""
        return int(self.ww.shape[2])

    @property
    def p(self) -> int:
        """Number of fixed effects."""
        return len(self.ww) - 1

    @property
    def yy(self) -> Floats:
        """Sums of squares of the responses: r values."""
        return np.asarray(self.ww[-1, -1])

    def take(self, which: Which) -> Cells:
        """Those of some replicates."""
        return Cells(
            _some(self.counts, which), _some(self.d, which),
            None if self.c is None else self.c[..., which], None if self.s is None else self.s[..., which],
            self.ww[..., which], self.n[which], self.log_weights[which],
        )  # fmt: skip


def _some(array: Floats, which: Which) -> Floats:
    return array if array.shape[-1] == 1 else array[..., which]


class OneFactor:
    """The profiled deviance of one factor's model as a function of one θ a replicate.

    Parameters
    ----------
    cells : the cross-products.
    layout : where θ stands in Λ.
    reml : REML criterion instead of −2 log L.
    """

    company: ClassVar[int] = 3

    def __init__(self, cells: Cells, layout: Layout, reml: bool) -> None:
        self.cells, self.layout, self.reml = cells, layout, reml
        self.nu = cells.n - cells.p if reml else cells.n

    @property
    def replicates(self) -> int:
        """r."""
        return self.cells.replicates

    @property
    def p(self) -> int:
        """Number of fixed effects."""
        return self.cells.p

    @property
    def rows(self) -> Floats:
        """Number of rows: r values."""
        return self.cells.n

    @property
    def yy(self) -> Floats:
        """Sums of squares of the responses: r values."""
        return self.cells.yy

    def take(self, which: Which) -> OneFactor:
        """The same for some of the replicates."""
        return OneFactor(self.cells.take(which), self.layout, self.reml)

    def evaluate(self, theta: Floats) -> Profiles:
        """Everything at `theta` (K × r)."""
        lam = many_lambdas(theta, self.layout, 0)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            absorbed = absorb(self.cells, lam)
            solved = LeastSquares.of(absorbed.ww)
            sums = self._sums(absorbed, lam, solved.adjoint(self.nu, self.reml))
            return profiles(solved, sums, self.nu, self.cells.log_weights, self.reml)

    def absorb(self, theta: Floats) -> Absorbed:
        """All random effects absorbed at `theta`."""
        return absorb(self.cells, many_lambdas(theta, self.layout, 0))

    def _directions(self, lam: Floats) -> Floats:
        q, size = len(lam), self.layout.size
        u = np.zeros((size, q, q, lam.shape[2]))
        u[np.arange(size), self.layout.row] = np.swapaxes(lam[:, self.layout.column], 0, 1)
        return u + np.swapaxes(u, 1, 2)

    def _sums(self, absorbed: Absorbed, lam: Floats, adjoint: Floats) -> Sums:
        """See `Sums`; the scores are ``Σ (H − G̃AG̃')``."""
        row, column = self.layout.row, self.layout.column
        u = self._directions(lam)
        b = absorbed.between(adjoint)
        h = absorbed.h
        counted = absorbed.counts * h
        scores = (counted - b).sum(axis=2)
        pairs = np.einsum("abMr,cdMr->abcdr", h, 2.0 * b - counted)
        uhx = np.einsum("kabr,bcdar->kcdr", u, pairs)
        return Sums(
            logdet=absorbed.logdet,
            gradient=2.0 * product(scores, lam)[row, column],
            trace=np.einsum("kcdr,lcdr->klr", uhx, u),
            bend=2.0 * scores[row[:, None], row] * (column[:, None] == column)[..., None],
            moved=np.einsum("kabr,aPbQr->kPQr", u, absorbed.t),
        )


@dataclass(frozen=True, eq=False)
class Absorbed:
    """All random effects absorbed: the metric is V⁻¹ = (I + ZΛΛ'Z')⁻¹.

    Attributes
    ----------
    logdet : log|V|, r values.
    ww : P × P × r, ``[X y]'V⁻¹[X y]``.
    counts : as in `Cells`.
    h : q × q × M × r, H = Z'V⁻¹Z of one level of each cell.
    g : q × P × M × r, G̃ = Z'V⁻¹[X y] where cells are levels, else None.
    squares : q × P × q × P × M × r, ``Σ G̃ ⊗ G̃`` over the levels of each class, else None.
    t : q × P × q × P × r, the sum over all levels.
    """

    logdet: Floats
    ww: Floats
    counts: Floats
    h: Floats
    g: Floats | None
    squares: Floats | None
    t: Floats

    def between(self, a: Floats) -> Floats:
        """``Σ G̃AG̃'`` over the levels of each cell, A being P × P × r: q × q × M × r."""
        if self.g is not None:
            ga = np.einsum("aPMr,PQr->aQMr", self.g, a)
            return np.asarray(np.einsum("aQMr,bQMr->abMr", ga, self.g))
        assert self.squares is not None
        return np.asarray(np.einsum("aPbQMr,PQr->abMr", self.squares, a))


def absorb(cells: Cells, lam: Floats) -> Absorbed:
    """Absorb the random effects at Λ (q × q × r): with K = Λ(Λ'DΛ + I)⁻¹Λ' and R = I − DK, H = RD and G̃ = RC."""
    lam = lam[:, :, None]
    q = len(lam)
    inverse, logdet = inverse_and_logdet(product(turned(lam), cells.d, lam) + identity(q, 2))
    k = product(lam, inverse, turned(lam))
    r = identity(q, 2) - product(cells.d, k)
    if cells.c is not None:
        g = product(r, cells.c)
        inside = _inside(cells.c, product(k, cells.c))
        flat = g.reshape(-1, *g.shape[2:])
        squares, t = None, gram(flat, flat).reshape(*g.shape[:2], *g.shape[:2], -1)
    else:
        assert cells.s is not None
        inside = np.einsum("abMr,aPbQMr->PQr", k, cells.s)
        g, squares = None, _both_sides(r, cells.s)
        t = squares.sum(axis=4)
    ww = cells.ww - inside
    return Absorbed(
        logdet=(cells.counts * logdet).sum(axis=0),
        ww=0.5 * (ww + turned(ww)),
        counts=cells.counts,
        h=product(r, np.broadcast_to(cells.d, r.shape)),
        g=g,
        squares=squares,
        t=t,
    )


def _inside(c: Floats, kc: Floats) -> Floats:
    """``Σ c'kc`` over levels: P × P × r for two arrays q × P × M × r."""
    one, other = (np.ascontiguousarray(np.swapaxes(m, 0, 1)).reshape(m.shape[1], -1, m.shape[3]) for m in (c, kc))
    return gram(one, other)


def _both_sides(r: Floats, s: Floats) -> Floats:
    """``(R ⊗ I) S (R ⊗ I)'`` in two steps."""
    left = np.einsum("abMr,bPcQMr->aPcQMr", r, s)
    return np.asarray(np.einsum("cdMr,aPdQMr->aPcQMr", r, left))
