"""How well θ and σ are known in each of many replicates: `variance_parameters`, for all at once.

With s_k = ∂r²/∂θ_k the Hessian of the unprofiled deviance is ``H_θθ = H_profiled + (ν/r⁴) s s'``,
``H_θσ = −2 s/σ³``, ``H_σσ = 4ν/σ²``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.batch_profiles import Profiles
from mixedsim.engine.batch_solid import SolidInverse

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_FLAT = 1e-8  # of the largest curvature, as in `variance_parameters` and `satterthwaite`


@dataclass(frozen=True, eq=False)
class ManyVariances:
    """(θ̂, σ̂) of m replicates with what is known of their precision (K elements of θ, standardised).

    Attributes
    ----------
    theta, sigma : K × m and m.
    covariance : (K + 1) × (K + 1) × m, asymptotic covariance of (θ̂, σ̂); flat directions get none.
    unit : (K + 1) × m, the units in which curvatures are compared.
    inverse : of the Hessian in these units.
    is_minimum : m booleans, whether the deviance curves downwards in no direction, but for rounding.
    """

    theta: Floats
    sigma: Floats
    covariance: Floats
    unit: Floats
    inverse: SolidInverse
    is_minimum: Bools

    @classmethod
    def of(cls, theta: Floats, at: Profiles, nu: Floats) -> ManyVariances:
        """From the likelihood at the optima."""
        size, m = theta.shape
        sigma = np.sqrt(at.r2 / nu)
        s = -at.r2_slopes
        hessian = np.empty((size + 1, size + 1, m))
        hessian[:size, :size] = at.curvature + (nu / at.r2**2) * (s[:, None] * s)
        hessian[:size, size] = hessian[size, :size] = -2.0 * s / sigma**3
        hessian[size, size] = 4.0 * nu / sigma**2
        unit = np.ones((size + 1, m))
        unit[size] = sigma
        both = unit[:, None] * unit
        inverse = SolidInverse.of(hessian * both, _is_solid)
        is_minimum = inverse.lowest > -1e-6 * np.maximum(inverse.highest, 1e-300)
        return cls(theta, sigma, 2.0 * inverse.inverse * both, unit, inverse, is_minimum)


def _is_solid(values: Floats) -> Bools:
    return np.asarray(values > _FLAT * np.maximum(values.max(axis=1, initial=0.0, keepdims=True), 1e-300))
