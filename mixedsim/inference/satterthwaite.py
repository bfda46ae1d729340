"""Satterthwaite's degrees of freedom for a linear combination of fixed effects.

``df = 2 (l'C l)² / (g'A g)`` with C the covariance of β̂, A the covariance of the variance parameters and
g = ∂(l'Cl)/∂(θ, σ). Satterthwaite (1946), Biometrics Bulletin 2:110; Kuznetsova, Brockhoff & Christensen (2017),
J. Stat. Softw. 82(13), eqs. 8-9. All derivatives are analytic: ``∂C/∂θ_k = σ² W⁻¹ (Σ_j G_j'∂Σ_k G_j) W⁻¹``, G = Z'V⁻¹X.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Objective, Profile
from mixedsim.inference.variance_parameters import VarianceParameters

Floats = NDArray[np.float64]


def satterthwaite_df(
    objective: Objective, at: Profile, parameters: VarianceParameters, contrasts: Floats
) -> Floats:
    """Degrees of freedom of each row of `contrasts` (m × p, in the standardised columns): m values.

    Where nothing is known to be uncertain (the variance of l'β does not depend on any variance parameter that has a
    variance of its own) the value is infinite.
    """
    gradient = covariance_derivatives(objective, at)
    spread = at.sigma2 * np.einsum("mp,pr,mr->m", contrasts, at.w_inverse, contrasts)
    slopes = np.einsum("mp,kpr,mr->mk", contrasts, gradient, contrasts)
    uncertainty = np.einsum("mk,kl,ml->m", slopes, parameters.covariance, slopes)
    with np.errstate(divide="ignore"):
        return np.asarray(2.0 * spread**2 / uncertainty)


def covariance_derivatives(objective: Objective, at: Profile) -> Floats:
    """Derivatives of the covariance of β̂ by each θ_k and by σ: (K + 1) × p × p, standardised."""
    p = objective.cp.p
    contrasts = np.eye(p + 1)[:, :p]
    g = objective.marginal_products(at, contrasts)
    out = np.empty((len(at.theta) + 1, p, p))
    for f, (mine, lam) in enumerate(
        zip(objective.layout.of_factor, objective.layout.lambdas(at.theta), strict=True)
    ):
        q = g[f].shape[1]
        flat = g[f].reshape(len(g[f]), q * p)
        gg = (flat.T @ flat).reshape(q, p, q, p)
        inner = np.einsum("kab,apbr->kpr", objective.layout.directions(f, lam), gg)
        out[mine] = at.sigma2 * (at.w_inverse @ inner @ at.w_inverse)
    out[-1] = 2.0 * np.sqrt(at.sigma2) * at.w_inverse
    return out
