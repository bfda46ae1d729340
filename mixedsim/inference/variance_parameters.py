"""How well θ and σ are known: their asymptotic covariance, and that of the standard deviations built from them.

The deviance with σ not profiled out, ``log|V| + log|W| + ν log(2πσ²) + r²(θ)/σ²``, is twice differentiated at the
optimum; the inverse of half that Hessian is the covariance of (θ̂, σ̂) (Bates et al. 2015, section 3; Kuznetsova et al.
2017, J. Stat. Softw. 82(13), section 4.1, use the same Hessian for Satterthwaite's method).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Objective, Profile

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class VarianceParameters:
    """(θ̂, σ̂) of the standardised problem with what is known of their precision (K elements of θ).

    Attributes
    ----------
    theta, sigma : the estimates.
    hessian : (K + 1) × (K + 1) second derivatives of the unprofiled deviance.
    """

    theta: Floats
    sigma: float
    hessian: Floats

    @cached_property
    def _curvature(self) -> tuple[Floats, Floats, Floats]:
        """Units of (θ, σ), and eigenvalues and eigenvectors of the Hessian in these units.

        θ is a ratio and of order 1; σ counts in its own size, so that a small one does not hide the rest.
        """
        unit = np.append(np.ones(len(self.theta)), self.sigma)
        values, vectors = np.linalg.eigh(self.hessian * np.outer(unit, unit))
        return unit, values, vectors

    def flat(self, tolerance: float) -> Floats:
        """Directions of (θ, σ) in which the deviance curves by no more than `tolerance` of the most: (K + 1) × u."""
        unit, values, vectors = self._curvature
        directions = unit[:, None] * vectors[:, values <= tolerance * values.max(initial=0.0)]
        return np.asarray(directions / np.linalg.norm(directions, axis=0, keepdims=True))

    @property
    def is_minimum(self) -> bool:
        """Whether the deviance curves downwards in no direction, but for rounding."""
        _, values, _ = self._curvature
        return bool(values.min() > -1e-6 * max(float(values.max()), 1e-300))

    @cached_property
    def covariance(self) -> Floats:
        """Asymptotic covariance of (θ̂, σ̂): 2 H⁻¹, on the directions in which the deviance curves upwards.

        At a singular optimum some directions are flat (they do not change ΛΛ'); they carry no information and get none.
        """
        unit, values, vectors = self._curvature
        solid = values > 1e-8 * max(float(values.max(initial=0.0)), 1e-300)
        return np.asarray(2.0 * (vectors[:, solid] / values[solid]) @ vectors[:, solid].T * np.outer(unit, unit))

    def delta(self, of: Callable[[Floats, float], Floats]) -> tuple[Floats, Floats]:
        """Value and covariance of a smooth vector function of (θ, σ), by the delta method (central differences)."""
        at = np.append(self.theta, self.sigma)
        value = of(self.theta, self.sigma)
        jacobian = np.empty((len(value), len(at)))
        for k in range(len(at)):
            step = 1e-5 * max(1.0, abs(at[k])) if k < len(self.theta) else 1e-5 * at[k]
            up, down = at.copy(), at.copy()
            up[k] += step
            down[k] -= step
            jacobian[:, k] = (of(up[:-1], up[-1]) - of(down[:-1], down[-1])) / (2.0 * step)
        return value, jacobian @ self.covariance @ jacobian.T


def variance_parameters(objective: Objective, at: Profile) -> VarianceParameters:
    """Return (θ̂, σ̂) with the Hessian of the unprofiled deviance, from the profiled one.

    With s_k = ∂r²/∂θ_k: ``H_θθ = H_profiled + (ν/r⁴) s s'``, ``H_θσ = −2 s/σ³``, ``H_σσ = 4ν/σ²``.
    """
    size = len(at.theta)
    sigma = float(np.sqrt(at.sigma2))
    h = objective.marginal_products(at, at.contrast[:, None])
    s = np.empty(size)
    for f, (mine, lam) in enumerate(
        zip(objective.layout.of_factor, objective.layout.lambdas(at.theta), strict=True)
    ):
        hh = h[f][:, :, 0].T @ h[f][:, :, 0]
        s[mine] = -np.tensordot(objective.layout.directions(f, lam), hh, axes=([1, 2], [0, 1]))
    hessian = np.empty((size + 1, size + 1))
    hessian[:size, :size] = objective.hessian(at) + (at.nu / at.r2**2) * np.outer(s, s)
    hessian[:size, size] = hessian[size, :size] = -2.0 * s / sigma**3
    hessian[size, size] = 4.0 * at.nu / at.sigma2
    return VarianceParameters(at.theta, sigma, hessian)
