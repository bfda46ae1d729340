"""One grouping factor, many responses: the deviance, its gradient and curvature, and Newton's method for all at once.

The same formulas as `objective` (which is the place to read them), with an axis for the responses in front: what costs
is no longer the overhead of small steps, one response after the other. What is not plain sailing, a step that has to be
halved, an optimum on the boundary, a saddle, is left to `optimise.minimise`, with a good place to begin.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.covariance import Layout
from mixedsim.engine.cross_products import CrossProducts
from mixedsim.engine.optimise import Control
from mixedsim.engine.small import transposed

Floats = NDArray[np.float64]
_CHUNK = 300_000  # numbers in the largest array: what a processor's cache holds
_ROUNDS = 25
_SHORTEST = 0.01  # share of a step below which it is no use halving it further in company
_SOLID = 1e-4  # the smallest curvature over the largest below which an optimum is looked at again, one by one


@dataclass(frozen=True, eq=False)
class Profiles:
    """`objective.Profile` for r responses, each at its own θ: every array has r in front."""

    deviance: Floats
    gradient: Floats
    curvature: Floats
    beta: Floats
    r2: Floats


@dataclass(frozen=True, eq=False)
class Batch:
    """Where Newton's method stands after some steps for r responses.

    Attributes
    ----------
    theta, beta, r2, deviance : of every response.
    settled : those that are at a minimum inside the boundary; the others need a closer look.
    """

    theta: Floats
    beta: Floats
    r2: Floats
    deviance: Floats
    settled: NDArray[np.bool_]


class ManyResponses:
    """The profiled deviance of one factor's model as a function of one θ a response.

    Parameters
    ----------
    cp : cross-products with one grouping factor and r responses.
    layout : where θ stands in Λ.
    reml : REML criterion instead of −2 log L.
    """

    def __init__(self, cp: CrossProducts, layout: Layout, reml: bool) -> None:
        self.cp, self.layout, self.reml = cp, layout, reml
        self.nu = cp.n - cp.p if reml else cp.n
        self.d = cp.zz[0]
        self.zy = np.ascontiguousarray(cp.zy[0].transpose(2, 0, 1))
        p, r = cp.p, cp.responses
        self.ww = np.empty((r, p + 1, p + 1))
        self.ww[:, :p, :p] = cp.xx
        self.ww[:, :p, p] = self.ww[:, p, :p] = cp.xy.T
        self.ww[:, p, p] = cp.yy

    def chunks(self) -> Iterator[slice]:
        """The responses in portions that the cache holds."""
        levels, q, _ = self.d.shape
        size = max(1, _CHUNK // (levels * q * max(q, self.cp.p + 1)))
        return (slice(k, k + size) for k in range(0, self.cp.responses, size))

    def evaluate(self, theta: Floats, which: NDArray[np.intp]) -> Profiles:
        """Everything at `theta` (m × K) for the m responses `which`."""
        d, p, nu = self.d, self.cp.p, self.nu
        m, (levels, q, _) = len(which), d.shape
        lam = self._lambdas(theta)
        inner = transposed(lam)[:, None] @ (d @ lam[:, None]) + np.eye(q)
        sign, logdet = np.linalg.slogdet(inner)
        k = lam[:, None] @ np.linalg.inv(inner) @ transposed(lam)[:, None]
        c = np.empty((m, levels, q, p + 1))
        c[..., :p] = self.cp.zx[0]
        c[..., p] = self.zy[which]
        flat = c.reshape(m, levels * q, p + 1)
        ww = self.ww[which] - transposed(flat) @ (k @ c).reshape(m, levels * q, p + 1)
        w, xy = ww[:, :p, :p], ww[:, :p, p]
        c_inverse: Floats = np.asarray(np.linalg.inv(w), dtype=np.float64)
        beta = (c_inverse @ xy[..., None])[..., 0]
        r2 = ww[:, p, p] - (xy * beta).sum(axis=1)
        with np.errstate(invalid="ignore"):
            deviance = logdet.sum(axis=1) + nu * (1.0 + np.log(2.0 * np.pi * r2 / nu)) - self.cp.log_weights
        if self.reml:
            deviance = deviance + np.linalg.slogdet(w)[1]
        r = np.eye(q) - d @ k
        h_full = r @ d
        g_full = r @ c
        g, h = g_full[..., :p], g_full[..., p] - (g_full[..., :p] @ beta[:, None, :, None])[..., 0]
        hh = h[..., :, None] * h[..., None, :]
        weight = (nu / r2)[:, None, None]
        scores = h_full.sum(axis=1) - weight * hh.sum(axis=1)
        x = 2.0 * weight[:, None] * hh - h_full
        if self.reml and p:
            gcg = g @ c_inverse[:, None] @ transposed(g)
            scores = scores - gcg.sum(axis=1)
            x = x + 2.0 * gcg
        scores = 0.5 * (scores + transposed(scores))
        gradient = 2.0 * (scores @ lam)[:, self.layout.row, self.layout.column]
        curvature = self._curvature(lam, scores, h_full, x, g, h, c_inverse, r2)
        return Profiles(np.where(sign.min(axis=1) > 0, deviance, np.nan), gradient, curvature, beta, r2)

    def _lambdas(self, theta: Floats) -> Floats:
        q = self.d.shape[1]
        lam = np.zeros((len(theta), q, q))
        lam[:, self.layout.row, self.layout.column] = theta
        return lam

    def _curvature(
        self,
        lam: Floats,
        scores: Floats,
        h_full: Floats,
        x: Floats,
        g: Floats,
        h: Floats,
        c_inverse: Floats,
        r2: Floats,
    ) -> Floats:
        """Second derivatives by θ: see `objective._one_factor` and `Layout.curvature`."""
        row, column = self.layout.row, self.layout.column
        m, levels, q = h.shape
        p, size = self.cp.p, self.layout.size
        u = np.zeros((m, size, q, q))
        u[:, np.arange(size), row] = np.swapaxes(lam[:, :, column], 1, 2)
        u = u + transposed(u)
        weight = (self.nu / r2)[:, None, None]
        pairs = transposed(h_full.reshape(m, levels, q * q)) @ x.reshape(m, levels, q * q)
        # Σ_j tr(U H V X): H and X by their four indices, contracted with U first
        uhx = np.einsum("rkab,rbcda->rkcd", u, pairs.reshape(m, q, q, q, q), optimize=True)
        out = np.einsum("rkcd,rlcd->rkl", uhx, u, optimize=True)
        s = np.einsum("rkab,rab->rk", u, transposed(h) @ h)
        out -= weight / r2[:, None, None] * s[:, :, None] * s[:, None, :]
        if p:
            flat = g.reshape(m, levels, q * p)
            gh = (transposed(flat) @ h).reshape(m, q, p, q)
            a = np.einsum("rkab,rapb->rkp", u, gh, optimize=True)
            out -= 2.0 * weight * (a @ c_inverse @ transposed(a))
            if self.reml:
                gg = (transposed(flat) @ flat).reshape(m, q, p, q, p)
                cw = c_inverse[:, None] @ np.einsum("rkab,rapbs->rkps", u, gg, optimize=True)
                out -= np.einsum("rkps,rlsp->rkl", cw, cw, optimize=True)
        out += 2.0 * scores[:, row[:, None], row] * (column[:, None] == column)
        return np.asarray(0.5 * (out + transposed(out)))


def newton(objective: ManyResponses, begin: Floats, control: Control) -> Batch:
    """Newton steps for all responses, beginning at the same θ (K values)."""
    parts = [_newton(objective, begin, np.arange(objective.cp.responses)[s], control) for s in objective.chunks()]
    return Batch(*(np.concatenate([getattr(part, name) for part in parts]) for name in Batch.__annotations__))


def _newton(objective: ManyResponses, begin: Floats, which: NDArray[np.intp], control: Control) -> Batch:
    m, size = len(which), len(begin)
    theta, step, share, promised = np.tile(begin, (m, 1)), np.zeros((m, size)), np.ones(m), np.zeros(m)
    beta, r2, deviance = np.full((m, objective.cp.p), np.nan), np.full(m, np.nan), np.full(m, np.inf)
    settled = np.zeros(m, dtype=bool)
    active = np.arange(m)
    for _ in range(_ROUNDS):
        trial = theta[active] + share[active, None] * step[active]
        at = objective.evaluate(trial, which[active])
        lower = at.deviance <= deviance[active] + 1e-4 * share[active] * promised[active] + _noise(objective, at)
        share[active] = np.where(lower, 1.0, 0.5 * share[active])
        moved, at = active[lower], _some(at, lower)
        theta[moved], beta[moved], r2[moved], deviance[moved] = trial[lower], at.beta, at.r2, at.deviance
        step[moved], decrease, solid = _step(at, theta[moved])
        promised[moved] = (step[moved] * at.gradient).sum(axis=1)
        arrived = decrease < np.maximum(control.tolerance, _noise(objective, at))
        inside = (np.abs(theta[moved][:, objective.layout.diagonal]) > control.snap).all(axis=1)
        settled[moved] = arrived & solid & inside
        active = np.concatenate([moved[~arrived], active[~lower]])
        active = active[share[active] > _SHORTEST]
        if not len(active):
            break
    return Batch(_canonical(theta, objective.layout), beta, r2, deviance, settled)


def _step(at: Profiles, theta: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Newton's step as `optimise` takes it, the decrease it promises, and whether the curvature is clearly upwards."""
    values, vectors = np.linalg.eigh(at.curvature)
    largest = np.maximum(1.0, np.abs(values).max(axis=1))[:, None]
    slope = (transposed(vectors) @ at.gradient[..., None])[..., 0]
    size = np.maximum(np.abs(values), 1e-9 * largest)
    step = -(vectors @ (slope / size)[..., None])[..., 0]
    reach = 2.0 * np.maximum(1.0, np.abs(theta).max(axis=1))
    step *= np.minimum(1.0, reach / np.maximum(np.abs(step).max(axis=1), 1e-300))[:, None]
    return step, 0.5 * (slope**2 / size).sum(axis=1), (values > _SOLID * largest).all(axis=1)


def _noise(objective: ManyResponses, at: Profiles) -> Floats:
    """Change in deviance that rounding alone can make."""
    return np.asarray(1e-13 * np.maximum(np.abs(at.deviance), objective.nu))


def _some(at: Profiles, which: NDArray[np.bool_]) -> Profiles:
    return Profiles(*(getattr(at, name)[which] for name in Profiles.__annotations__))


def _canonical(theta: Floats, layout: Layout) -> Floats:
    """`Layout.canonical` for many θ."""
    sign = np.where(theta[:, layout.diagonal_above] < 0, -1.0, 1.0)
    return theta * sign + 0.0
