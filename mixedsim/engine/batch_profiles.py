"""The profiled likelihood of many replicates, each at its own θ, and its second derivatives.

The formulas are those of `objective` (which is the place to read them), with the replicates on the last axis. Whatever
the random effects look like, they enter through a few sums; `derivatives` puts these together, in one place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.batch_small import inverse_and_logdet, turned

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Profiles:
    """`objective.Profile` for m replicates (p fixed effects, K elements of θ).

    Attributes
    ----------
    deviance, r2 : m values each; NaN where θ is no place to be.
    gradient, curvature : K × m and K × K × m, exact derivatives by θ.
    beta, w_inverse : p × m and p × p × m.
    r2_slopes : K × m, ``−∂r²/∂θ_k = Σ h'∂Σ_k h``, h = Z'V⁻¹(y − Xβ).
    w_slopes : K × p × p × m, ``−∂W/∂θ_k = Σ G'∂Σ_k G``, G = Z'V⁻¹X.
    """

    deviance: Floats
    r2: Floats
    gradient: Floats
    curvature: Floats
    beta: Floats
    w_inverse: Floats
    r2_slopes: Floats
    w_slopes: Floats

    def some(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Profiles:
        """Those of some replicates."""
        return Profiles(*(getattr(self, name)[..., which] for name in Profiles.__annotations__))

    def put(self, which: NDArray[np.intp], other: Profiles) -> None:
        """Replace those of some replicates, in place: only for whoever made the arrays."""
        for name in Profiles.__annotations__:
            getattr(self, name)[..., which] = getattr(other, name)


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Fixed effects and residual in the metric of V⁻¹, from ``[X y]'V⁻¹[X y]``.

    Attributes
    ----------
    beta, w_inverse, log_w, r2 : as in `Profiles`, and log|W|.
    contrast : (p + 1) × m, c with ``[X y] c = y − Xβ``.
    """

    beta: Floats
    w_inverse: Floats
    log_w: Floats
    r2: Floats
    contrast: Floats

    @classmethod
    def of(cls, ww: Floats) -> LeastSquares:
        """The solution for (p + 1) × (p + 1) × m cross-products."""
        p = len(ww) - 1
        w, xy = ww[:p, :p], ww[:p, p]
        w_inverse, log_w = inverse_and_logdet(w)
        beta = np.einsum("pqm,qm->pm", w_inverse, xy)
        # one step of refinement: an explicit inverse loses a digit
        beta += np.einsum("pqm,qm->pm", w_inverse, xy - np.einsum("pqm,qm->pm", w, beta))
        r2 = ww[p, p] - np.einsum("pm,pm->m", xy, beta)
        contrast = np.ones((p + 1, ww.shape[2]))
        np.negative(beta, out=contrast[:p])
        return cls(beta, w_inverse, log_w, np.where(r2 > 0, r2, np.nan), contrast)

    def adjoint(self, nu: Floats, reml: bool) -> Floats:
        """``∂(ν log r² + log|W|)/∂([X y]'V⁻¹[X y])``, log|W| for REML only: (p + 1) × (p + 1) × m."""
        out = (nu / self.r2) * self.contrast[:, None] * self.contrast
        if reml:
            p = len(self.beta)
            out[:p, :p] += self.w_inverse
        return out


@dataclass(frozen=True, eq=False)
class Sums:
    """What the second derivatives need of the random effects (directions U_k = ∂Σ/∂θ_k).

    Attributes
    ----------
    logdet : log|V|, m values.
    gradient : K × m.
    trace : K × K × m, ``Σ tr(U_k H U_l X)`` with ``X = 2 G̃ A G̃' − H``, G̃ = Z'V⁻¹[X y], A the adjoint: the part of
        the curvature that is linear in products of levels with themselves.
    bend : K × K × m, ``Σ S_ab ∂²Σ_ab/∂θ_k∂θ_l`` with the scores S.
    moved : K × (p + 1) × (p + 1) × m, ``Σ G̃'U_kG̃``.
    """

    logdet: Floats
    gradient: Floats
    trace: Floats
    bend: Floats
    moved: Floats


def profiles(solved: LeastSquares, sums: Sums, nu: Floats, log_weights: Floats, reml: bool) -> Profiles:
    """Put the pieces together: see `objective.Objective.evaluate` and `objective._one_factor`."""
    p = len(solved.beta)
    r2, weight = solved.r2, nu / solved.r2
    deviance = sums.logdet + nu * (1.0 + np.log(2.0 * np.pi * r2 / nu)) - log_weights
    if reml:
        deviance = deviance + solved.log_w
    aimed = np.einsum("kpqm,qm->kpm", sums.moved, solved.contrast)
    s = np.einsum("kpm,pm->km", aimed, solved.contrast)
    curvature = sums.trace + sums.bend - (weight / r2) * (s[:, None] * s)
    w_slopes = sums.moved[:, :p, :p]
    if p:
        a = aimed[:, :p]
        ca = np.einsum("pqm,kqm->kpm", solved.w_inverse, a)
        curvature -= 2.0 * weight * np.einsum("kpm,lpm->klm", a, ca)
        if reml:
            cw = np.einsum("pqm,kqsm->kpsm", solved.w_inverse, w_slopes)
            curvature -= np.einsum("kpsm,lspm->klm", cw, cw)
    return Profiles(
        deviance=deviance,
        r2=r2,
        gradient=sums.gradient,
        curvature=0.5 * (curvature + turned(curvature)),
        beta=solved.beta,
        w_inverse=solved.w_inverse,
        r2_slopes=s,
        w_slopes=np.ascontiguousarray(w_slopes),
    )
