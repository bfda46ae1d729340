"""The likelihood as a function of θ and σ, and of one linear function of β where that is asked for.

The optimiser profiles σ and β out, because their best values are known in closed form. A likelihood profile asks the
other way round: what is the least deviance when σ, a standard deviation σ‖λ‖ or a coefficient has a given value? With
V = I + ZΛΛ'Z', r²(θ) the penalised residual sum of squares and l'β held at c,

    F(θ, log σ, c) = log|V| + n log(2πσ²) + r_c²/σ² − Σ log w,    r_c² = r² + (c − l'β̂)²/(l'W⁻¹l)

where W = X'V⁻¹X (Bates et al. 2015, J. Stat. Softw. 67(1), eqs. 28-34; r_c² is least squares under one linear
constraint). Its derivatives follow from those of the profiled deviance: held at σ, ν/r² gives way to 1/σ².
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.covariance import Layout
from mixedsim.engine.objective import Objective, Profile
from mixedsim.engine.small import inverse_and_logdet

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Unprofiled:
    """The ML deviance F at one (θ, log σ), or (θ, log σ, c), with its derivatives by these K + 1 or K + 2 numbers.

    Attributes
    ----------
    deviance : F.
    gradient, hessian : first and second derivatives; the second ones are exact or average information (see
        `Objective.exact`).
    beta : p fixed effects, those that minimise r_c².
    """

    deviance: float
    gradient: Floats
    hessian: Floats
    beta: Floats


class Likelihood(Objective):
    """The ML deviance of another objective's data, with θ of any layout; nothing is laid out again.

    Parameters
    ----------
    objective : whose cross-products and blocks to use; REML or ML.
    layout : what θ means; that of `objective` if None.
    """

    def __init__(self, objective: Objective, layout: Layout | None = None) -> None:
        # not super().__init__, which would arrange the blocks again: for large crossed factors that takes seconds
        self.cp, self.blocks, self.reml = objective.cp, objective.blocks, False
        self.layout = objective.layout if layout is None else layout
        self.nu = objective.cp.n

    def unprofiled(self, theta: Floats, log_sigma: float, row: Floats | None = None, held: float = 0.0) -> Unprofiled:
        """F and its derivatives.

        Parameters
        ----------
        theta : K values.
        log_sigma : log σ.
        row, held : l (p values) and c, where ``l'β = c`` is held; None leaves β free.
        """
        n = self.cp.n
        weight = float(np.exp(-2.0 * log_sigma))
        lambdas = self.layout.lambdas(theta)
        absorbed = self.blocks.absorb([_triangular(lam) for lam in lambdas])
        fit = _constrained(absorbed.ww, row, held)
        contrast = np.append(-fit.beta, 1.0)
        deviance = absorbed.logdet + n * (np.log(2.0 * np.pi) + 2.0 * log_sigma) + fit.r2 * weight - self.cp.log_weights
        scores = absorbed.scores(weight * np.outer(contrast, contrast))
        slopes = 2.0 * self.layout.pick([s @ lam for s, lam in zip(scores, lambdas, strict=True)])
        # r² = nσ² is what r² would be if σ were its estimate: the profiled curvature then has the weights of F
        at = Profile(theta, float(deviance), slopes, fit.beta, fit.w_inverse, n / weight, n, scores, absorbed)
        by_theta = self._r2_derivatives(at, lambdas, fit.shift)
        size = len(theta)
        gradient = np.empty(size + 1 + fit.shift.shape[1])
        gradient[:size] = slopes
        gradient[size] = 2.0 * n - 2.0 * weight * fit.r2
        hessian = np.empty((len(gradient), len(gradient)))
        hessian[:size, :size] = self.curvature(at) + (weight**2 / n) * np.outer(by_theta[0], by_theta[0])
        hessian[size, :size] = hessian[:size, size] = -2.0 * weight * by_theta[0]
        hessian[size, size] = 4.0 * weight * fit.r2
        if row is not None:
            gradient[-1] = weight * fit.r2_slope
            hessian[-1, :size] = hessian[:size, -1] = weight * by_theta[1]
            hessian[-1, size] = hessian[size, -1] = -2.0 * weight * fit.r2_slope
            hessian[-1, -1] = weight * fit.r2_curvature
        return Unprofiled(float(deviance), gradient, hessian, fit.beta)

    def _r2_derivatives(self, at: Profile, lambdas: list[Floats], shift: Floats) -> Floats:
        """``∂r_c²/∂θ``, and below it ``∂²r_c²/∂θ∂c`` where l'β is held: −h'∂Σh and 2h'∂ΣG(∂β/∂c), h = Z'V⁻¹(y − Xβ)."""
        p = self.cp.p
        contrasts = np.zeros((p + 1, 1 + shift.shape[1]))
        contrasts[:, 0] = at.contrast
        contrasts[:p, 1:] = shift
        factor = np.array([-1.0, 2.0])[: contrasts.shape[1]]
        out = np.empty((len(factor), self.layout.size))
        for f, products in enumerate(self.marginal_products(at, contrasts)):
            sums = np.tensordot(products[:, :, 0], products, axes=([0], [0]))
            directions = self.layout.directions(f, lambdas[f])
            out[:, self.layout.of_factor[f]] = factor[:, None] * np.tensordot(sums, directions, axes=([0, 1], [1, 2]))
        return out


@dataclass(frozen=True, eq=False)
class _Constrained:
    """Least squares in the metric of V⁻¹, with one linear function of β held or none.

    ``w_inverse`` is the covariance of β over σ² (singular along l where l'β is held); ``shift`` is ∂β/∂c, p × 1, or
    p × 0 where nothing is held; ``r2_slope`` and ``r2_curvature`` are derivatives of r2 by c.
    """

    beta: Floats
    w_inverse: Floats
    r2: float
    shift: Floats
    r2_slope: float = 0.0
    r2_curvature: float = 0.0


def _constrained(ww: Floats, row: Floats | None, held: float) -> _Constrained:
    p = len(ww) - 1
    w, xy = ww[:p, :p], ww[:p, p]
    w_inverse = inverse_and_logdet(w)[0] if p else w
    beta = w_inverse @ xy
    beta += w_inverse @ (xy - w @ beta)  # one step of refinement: an explicit inverse loses a digit
    r2 = float(ww[p, p] - xy @ beta)
    if row is None:
        return _Constrained(beta, w_inverse, r2, np.empty((p, 0)))
    u = w_inverse @ row
    spread = float(row @ u)
    shift = u / spread
    missing = held - float(row @ beta)
    return _Constrained(
        beta=beta + shift * missing,
        w_inverse=w_inverse - np.outer(u, shift),
        r2=r2 + missing**2 / spread,
        shift=shift[:, None],
        r2_slope=2.0 * missing / spread,
        r2_curvature=2.0 / spread,
    )


def _triangular(lam: Floats) -> Floats:
    """The lower-triangular L with ``LL' = lam lam'``: the blocks tell a singular Λ by its diagonal."""
    if len(lam) == 1:
        return lam
    return np.asarray(np.linalg.qr(lam.T, mode="r")).T
