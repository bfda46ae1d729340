"""Satterthwaite's degrees of freedom for linear combinations of fixed effects, one at a time or jointly.

``df = 2 (l'C l)² / (g'A g)`` with C the covariance of β̂, A the covariance of the variance parameters and
g = ∂(l'Cl)/∂(θ, σ). Satterthwaite (1946), Biometrics Bulletin 2:110; Kuznetsova, Brockhoff & Christensen (2017),
J. Stat. Softw. 82(13), eqs. 8-9. All derivatives are analytic: ``∂C/∂θ_k = σ² W⁻¹ (Σ_j G_j'∂Σ_k G_j) W⁻¹``, G = Z'V⁻¹X.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Objective, Profile
from mixedsim.inference.variance_parameters import VarianceParameters

Floats = NDArray[np.float64]
_FLAT = 1e-8  # of the largest curvature
_MATTERS = 1e-4  # share of a variance's gradient that lies along flat directions
_ALIKE = 1e-8  # degrees of freedom that differ by less than this share are one number


@dataclass(frozen=True, eq=False)
class Satterthwaite:
    """Inference for p fixed effects with Satterthwaite's degrees of freedom (standardised columns, σ² included).

    Attributes
    ----------
    covariance : C, p × p.
    slopes : (K + 1) × p × p, derivatives of C by each θ_k and by σ.
    uncertainty : A, (K + 1) × (K + 1), covariance of (θ̂, σ̂).
    unknown : (K + 1) × u, directions of (θ, σ) in which the likelihood is flat; mostly u = 0.
    """

    covariance: Floats
    slopes: Floats
    uncertainty: Floats
    unknown: Floats

    @classmethod
    def of(cls, objective: Objective, at: Profile, parameters: VarianceParameters) -> Satterthwaite:
        """The method for one optimum."""
        return cls(
            at.sigma2 * at.w_inverse,
            covariance_derivatives(objective, at),
            parameters.covariance,
            parameters.flat(_FLAT),
        )

    def df(self, contrasts: Floats) -> Floats:
        """Degrees of freedom of each of m contrasts (m × p): m values.

        Where nothing is known to be uncertain (the variance of l'β does not depend on any variance parameter that
        has a variance of its own) the value is infinite. It is 0 where the variance of l'β cannot be told from the
        data: it changes along a direction in which the likelihood does not. (At a singular fit the likelihood may be
        flat too, but along directions that leave Σ as it is.)
        """
        spread = np.einsum("mp,mp->m", contrasts @ self.covariance, contrasts)
        slopes = np.einsum("mp,kpr,mr->mk", contrasts, self.slopes, contrasts, optimize=True)
        doubt = np.einsum("mk,kl,ml->m", slopes, self.uncertainty, slopes)
        with np.errstate(divide="ignore"):
            df = np.asarray(2.0 * spread**2 / doubt)
        size = np.linalg.norm(slopes, axis=1, keepdims=True)
        return np.where((np.abs(slopes @ self.unknown) > _MATTERS * size).any(axis=1), 0.0, df)

    def denominator(self, contrasts: Floats) -> tuple[float, float]:
        """Denominator degrees of freedom of the F test of q contrasts with uncorrelated estimates, and its scale, 1.

        F is the mean of q squared t statistics, so its expectation is ``E/q`` with ``E = Σ ν_m/(ν_m − 2)``; the F
        distribution with that expectation has ``2E/(E − q)`` degrees of freedom (Fai & Cornelius 1996, J. Stat.
        Comput. Simul. 54:363). Where a t has no finite variance (ν_m ≤ 2) the answer is 2, as in Kuznetsova et al.;
        where a variance cannot be told from the data it is 0.
        """
        nu = self.df(contrasts)
        if (nu == 0).any():
            return 0.0, 1.0
        if np.isinf(nu).all() or nu.max() - nu.min() <= _ALIKE * nu.min():
            return float(nu.mean()), 1.0
        if (nu <= 2.0).any():
            return 2.0, 1.0
        excess = float((2.0 / (nu - 2.0)).sum())  # E − q, without the cancellation
        return 2.0 * (len(nu) + excess) / excess, 1.0


def satterthwaite_df(
    objective: Objective, at: Profile, parameters: VarianceParameters, contrasts: Floats
) -> Floats:
    """Degrees of freedom of each row of `contrasts` (m × p, in the standardised columns): m values.

    See `Satterthwaite.df`, which is the thing to keep where more than one question is asked.
    """
    return Satterthwaite.of(objective, at, parameters).df(contrasts)


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
