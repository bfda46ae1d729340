"""What is known of a generalised fit's standardised parameters: of β, and of θ and β together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.inference.contrasts import Wald
from mixedsim.models.generalized_estimates import GeneralizedEstimates

Floats = NDArray[np.float64]


def wald(fit: GeneralizedEstimates) -> Wald:
    """The covariance of the standardised coefficients."""
    if not np.isfinite(fit.fixed_covariance.matrix).all():
        raise MixedsimError(
            "the coefficients have no covariance, because the search ended where the likelihood has no maximum: see "
            "the fit's messages."
        )
    back = np.linalg.inv(fit.problem.linear.fixed.transform)
    return Wald(back @ fit.fixed_covariance.matrix @ back.T)


def joint_covariance(fit: GeneralizedEstimates) -> Floats:
    """Covariance of the standardised (θ, β); what is not known of θ counts for nothing where β's does not count it."""
    at_theta = fit.objective.parts()[0]
    size = at_theta.stop + fit.objective.rows.p
    if fit.fixed_covariance.by_hessian:
        hessian = fit.optimum.hessian[:size, :size]
        unit = 1.0 / np.sqrt(np.diag(hessian))
        return np.asarray(2.0 * np.linalg.inv(hessian * np.outer(unit, unit)) * np.outer(unit, unit))
    out = np.zeros((size, size))
    out[at_theta.stop :, at_theta.stop :] = wald(fit).covariance
    return out
