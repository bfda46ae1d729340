"""How well τ of a negative binomial is known: Wald's interval of log τ, taken back.

The second derivatives of the criterion by log τ, θ and β stand in the optimum's Hessian H, and log τ, which is free to
move on the whole line, has the variance that ``2H⁻¹`` gives it: what estimating the rest costs is in it. (R's MASS has
that of τ itself, with β known: Venables & Ripley 2002, Modern Applied Statistics with S, 4th edition, section 7.4.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from mixedsim.engine.glm_estimates import inverse_of
from mixedsim.engine.glm_laplace import GlmObjective
from mixedsim.engine.glm_means import NegativeBinomial
from mixedsim.engine.glm_optimise import GlmOptimum

_ENDLESS = 1e6  # τ beyond which no count tells a negative binomial from a Poisson model


@dataclass(frozen=True)
class ShapeEstimate:
    """τ with its standard error (delta method) and interval; NaN where the data know no end to it."""

    estimate: float
    se: float
    lower: float
    upper: float


def shape_estimate(objective: GlmObjective, optimum: GlmOptimum, level: float) -> ShapeEstimate | None:
    """Return the `ShapeEstimate` of a negative binomial whose τ was estimated; None for all other families.

    Parameters
    ----------
    objective, optimum : the fit.
    level : confidence level.
    """
    family = objective.family
    if not isinstance(family, NegativeBinomial) or not family.extra:
        return None
    tau = family.tau(optimum.evaluation.extra)
    inverse = None if tau >= _ENDLESS else inverse_of(optimum.hessian)
    if inverse is None:
        return ShapeEstimate(tau, np.nan, np.nan, np.nan)
    at = objective.parts()[2].start
    error = float(np.sqrt(2.0 * inverse[at, at]))
    factor = float(np.exp(ndtri(0.5 + level / 2.0) * error))
    return ShapeEstimate(tau, tau * error, tau / factor, tau * factor)
