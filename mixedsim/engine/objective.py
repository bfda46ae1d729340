"""The profiled deviance of a linear mixed model, with its gradient and curvature.

Bates et al. (2015), J. Stat. Softw. 67(1), eqs. 30-42. With V = I + ZΛΛ'Z', W = X'V⁻¹X and r² = min_β of the
penalised residual sum of squares,

    ML:    d(θ) = log|V| + n (1 + log(2π r²/n))
    REML:  d(θ) = log|V| + log|W| + (n − p)(1 + log(2π r²/(n − p)))

and in both cases −Σ log w for prior weights. One function serves both: ν is n or n − p, and REML adds log|W|.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from mixedsim.engine.covariance import Layout
from mixedsim.engine.cross_products import CrossProducts
from mixedsim.engine.dense import DenseAbsorbed, DenseBlocks
from mixedsim.engine.nested import NestedAbsorbed, Stage
from mixedsim.engine.small import gram, times, transposed
from mixedsim.engine.structure import Absorbed, arrange
from mixedsim.errors import DataError

Floats = NDArray[np.float64]
_EXACT = 1e-13  # share of the response's sum of squares below which a residual is rounding


@dataclass(frozen=True, eq=False)
class Profile:
    """The profiled likelihood at one θ.

    Attributes
    ----------
    theta : K values.
    deviance : −2 log L (ML), or the REML criterion.
    gradient : K derivatives of `deviance` with respect to θ.
    beta : p fixed effects that minimise r² at θ.
    w_inverse : p × p, ``(X'V⁻¹X)⁻¹``: covariance of `beta` over σ².
    r2 : penalised residual sum of squares; σ² = r2 / nu.
    nu : n − p (REML) or n (ML).
    scores : for each factor ``∂d/∂Σ_f``, symmetric q_f × q_f.
    absorbed : the factorisation that all of this came from.
    """

    theta: Floats
    deviance: float
    gradient: Floats
    beta: Floats
    w_inverse: Floats
    r2: float
    nu: int
    scores: list[Floats]
    absorbed: Absorbed

    @property
    def sigma2(self) -> float:
        """Residual variance σ²."""
        return self.r2 / self.nu

    @property
    def contrast(self) -> Floats:
        """c with ``[X y] c = y − Xβ``."""
        return _contrast(self.beta)


class Objective:
    """The profiled deviance as a function of θ.

    Parameters
    ----------
    cp : cross-products with one response.
    layout : where θ stands in Λ.
    reml : REML criterion instead of −2 log L.
    """

    def __init__(self, cp: CrossProducts, layout: Layout, reml: bool) -> None:
        self.cp, self.layout, self.reml = cp, layout, reml
        self.blocks = arrange(cp)
        self.nu = cp.n - cp.p if reml else cp.n

    @property
    def exact(self) -> bool:
        """Whether `curvature` is the observed one: for one factor, and for several with a handful of effects."""
        return len(self.cp.zz) == 1 or isinstance(self.blocks, DenseBlocks)

    def evaluate(self, theta: Floats) -> Profile:
        """Deviance, gradient and everything profiled out, at `theta`."""
        lambdas = self.layout.lambdas(theta)
        absorbed = self.blocks.absorb(lambdas)
        p = self.cp.p
        w, xy = absorbed.ww[:p, :p], absorbed.ww[:p, p]
        w_inverse, log_w = _inverse(w)
        beta = w_inverse @ xy
        beta += w_inverse @ (xy - w @ beta)  # one step of refinement: an explicit inverse loses a digit
        r2 = float(absorbed.ww[p, p] - xy @ beta)
        if r2 <= _EXACT * absorbed.ww[p, p] or r2 <= _EXACT * self.cp.yy[0]:
            raise explained_exactly()
        deviance = absorbed.logdet + self.nu * (1.0 + np.log(2.0 * np.pi * r2 / self.nu)) - self.cp.log_weights
        contrast = _contrast(beta)
        ww_bar = (self.nu / r2) * (contrast[:, None] * contrast)
        if self.reml:
            deviance += log_w
            ww_bar[:p, :p] += w_inverse
        scores = absorbed.scores(ww_bar)
        gradient = 2.0 * self.layout.pick([s @ lam for s, lam in zip(scores, lambdas, strict=True)])
        return Profile(theta, float(deviance), gradient, beta, w_inverse, r2, self.nu, scores, absorbed)

    def curvature(self, at: Profile) -> Floats:
        """Second derivatives of the deviance by θ: the observed ones where `exact`, else average information.

        Average information (Gilmour, Thompson & Cullis 1995, Biometrics 51:1440) replaces ``tr(PV_kPV_l)`` by a
        quadratic form with the same expectation; what depends on ∂²V is exact, so that it stays exact at a
        singular optimum.
        """
        lambdas = self.layout.lambdas(at.theta)
        directions = [self.layout.directions(f, lam) for f, lam in enumerate(lambdas)]
        if isinstance(at.absorbed, NestedAbsorbed) and len(at.absorbed.stages) == 1:
            hessian = _one_factor(at.absorbed.stages[0], at, directions[0], self.reml)
        elif isinstance(at.absorbed, DenseAbsorbed):
            hessian = at.absorbed.curvature(directions, at.contrast, at.w_inverse, at.nu / at.r2, at.r2, self.reml)
        else:
            hessian = self._average_information(at, directions)
        for f, mine in enumerate(self.layout.of_factor):
            hessian[mine[:, None], mine] += self.layout.curvature(f, at.scores[f])
        return 0.5 * (hessian + hessian.T)

    def hessian(self, at: Profile, step: float = 1e-4) -> Floats:
        """Observed second derivatives, by central differences of the gradient where `curvature` is not exact."""
        if self.exact:
            return self.curvature(at)
        size = len(at.theta)
        out = np.empty((size, size))
        for k in range(size):
            move = np.zeros(size)
            move[k] = step * max(1.0, abs(at.theta[k]))
            up, down = self.evaluate(at.theta + move), self.evaluate(at.theta - move)
            out[k] = (up.gradient - down.gradient) / (2.0 * move[k])
        return 0.5 * (out + out.T)

    def modes(self, at: Profile) -> list[Floats]:
        """Conditional modes of the random effects at the profile's β: J_f × q_f each."""
        return [b[:, :, 0] for b in at.absorbed.modes(at.contrast[:, None])]

    def marginal_products(self, at: Profile, contrasts: Floats) -> list[Floats]:
        """``Z'V⁻¹[X y]C`` for the m columns of C: J_f × q_f × m each.

        ``V⁻¹r`` is what is left of r after its conditional modes, so this is Z'r minus Z'Z times the modes.
        """
        zzb = self.blocks.times_zz(at.absorbed.modes(contrasts))
        return [
            np.concatenate([zx, zy], axis=2) @ contrasts - z
            for zy, zx, z in zip(self.cp.zy, self.cp.zx, zzb, strict=True)
        ]

    def _average_information(self, at: Profile, directions: list[Floats]) -> Floats:
        h = [z[:, :, 0] for z in self.marginal_products(at, at.contrast[:, None])]
        vectors = []
        s = np.empty(self.layout.size)
        for f, mine in enumerate(self.layout.of_factor):
            v = np.zeros((*h[f].shape, self.layout.size))
            v[:, :, mine] = (h[f][:, None, None, :] @ directions[f])[:, :, 0].transpose(0, 2, 1)
            s[mine] = h[f].reshape(-1) @ v[:, :, mine].reshape(h[f].size, -1)
            vectors.append(v)
        vv, wv = at.absorbed.inner(vectors)
        xv = wv[: self.cp.p]
        projected = vv - xv.T @ at.w_inverse @ xv
        return np.asarray(at.nu * (projected / at.r2 - np.outer(s, s) / at.r2**2))


def explained_exactly() -> DataError:
    """The error for a response without a residual: its likelihood has no maximum."""
    return DataError(
        "the model explains the response exactly, so that nothing is left for the residual: "
        "check whether the response was computed from the predictors or the groups."
    )


def _contrast(beta: Floats) -> Floats:
    contrast = np.ones(len(beta) + 1)
    np.negative(beta, out=contrast[:-1])
    return contrast


def _inverse(w: Floats) -> tuple[Floats, float]:
    """Inverse and log-determinant of a positive-definite matrix (0 × 0 included).

    Raises `DataError` where rounding has left none: the residual is so small beside the random effects that what the
    groups leave of a column is lost in its digits.
    """
    if len(w) == 0:
        return w, 0.0
    # LAPACK itself: for a handful of columns NumPy's wrappers take ten times as long as the work
    root, failed = lapack.dpotrf(w, lower=1, clean=1)
    if failed:
        raise explained_exactly()
    half, _ = lapack.dtrtri(root, lower=1)
    return np.asarray(half.T @ half), 2.0 * float(np.log(root.diagonal()).sum())


def _one_factor(stage: Stage, at: Profile, directions: Floats, reml: bool) -> Floats:
    """Second derivatives of d by Σ in the given directions, for one factor: K × K.

    With H_j = Z_j'V⁻¹Z_j, G_j = Z_j'V⁻¹X, h_j = Z_j'V⁻¹(y − Xβ), C = W⁻¹ and directions U, V:

        d² log|V|  = −Σ tr(U H V H)
        d² log|W|  = 2 Σ tr(U H V G C G') − tr(C W_U C W_V),           W_U = −Σ G'UG
        d² ν log r² = (ν/r²) [2 Σ h'UHVh − 2 a_U'C a_V] − (ν/r⁴) s_U s_V,   a_U = Σ G'Uh,  s_U = Σ h'Uh
    """
    j, q, _ = stage.c.shape
    p = len(at.beta)
    h_full, g_full = stage.d_left, stage.c_left
    g = g_full[:, :, :p]
    h = g_full @ at.contrast
    weight = at.nu / at.r2
    x = (2.0 * weight) * h[:, :, None] * h[:, None, :] - h_full
    if reml and p:
        x += 2.0 * times(g, at.w_inverse) @ transposed(g)
    pairs = (h_full.reshape(j, -1).T @ x.reshape(j, -1)).reshape(q, q, q, q)
    hessian = np.einsum("kab,lcd,bcda->kl", directions, directions, pairs)
    s = directions.reshape(len(directions), -1) @ (h.T @ h).reshape(-1)
    hessian -= (weight / at.r2) * (s[:, None] * s)
    if p:
        gh = gram(g.reshape(j, 1, -1), h.reshape(j, 1, -1)).reshape(q, p, q)
        a = np.einsum("kab,apb->kp", directions, gh)
        hessian -= (2.0 * weight) * a @ at.w_inverse @ a.T
        if reml:
            gg = gram(g.reshape(j, 1, -1), g.reshape(j, 1, -1)).reshape(q, p, q, p)
            cw = at.w_inverse @ np.einsum("kab,apbr->kpr", directions, gg)
            hessian -= np.einsum("kpr,lrp->kl", cw, cw)
    return np.asarray(hessian)
