"""What a generalised model says at its optimum, in standardised units unless a `GlmProblem` carries it back.

Sources: Bates et al. (2015), J. Stat. Softw. 67(1), section 2; the choices of lme4 where there are several: standard
errors from the second derivatives by θ and β together, the dispersion from Pearson residuals and ``‖u‖²``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from mixedsim.engine.glm_factor import covariance_cells
from mixedsim.engine.glm_laplace import GlmEvaluation, GlmObjective
from mixedsim.engine.glm_links import UNITLESS
from mixedsim.engine.glm_optimise import GlmOptimum
from mixedsim.engine.glm_problem import GlmProblem

Floats = NDArray[np.float64]
_ROUNDING = 1e-14  # share of the largest curvature
_NOTHING = 1e-200  # curvature where all means are 0 or 1 to all digits
_LOST = 50.0  # standard error of what a predictor can do to η, beyond which its coefficient is not known at all


@dataclass(frozen=True, eq=False)
class FixedCovariance:
    """Covariance of the fixed effects.

    Attributes
    ----------
    matrix : p × p, in the units of the data.
    by_hessian : whether the uncertainty of θ is in it; without it where the second derivatives are not those of a
        minimum, and with nagq = 0, where lme4 has it no other way.
    """

    matrix: Floats
    by_hessian: bool


def fixed_covariance(
    problem: GlmProblem, objective: GlmObjective, optimum: GlmOptimum, extra_known: bool | None = None
) -> FixedCovariance:
    """Return the covariance of the fixed effects: of ``2H⁻¹`` what belongs to β.

    Parameters
    ----------
    problem, objective, optimum : the fit.
    extra_known : take the family's further parameters as known, or count their uncertainty; None for what is usual.
    """
    _, at_beta, at_extra = objective.parts()
    if not objective.profiled:
        known = objective.family.extra_known if extra_known is None else extra_known
        end = at_beta.stop if known else at_extra.stop
        inverse = inverse_of(optimum.hessian[:end, :end])
        if inverse is not None:
            own = 2.0 * inverse[at_beta, at_beta]
            return FixedCovariance(problem.linear.vcov(own, 1.0), by_hessian=True)
    size = dispersion(objective, optimum.evaluation)
    return FixedCovariance(problem.linear.vcov(_expected(optimum), size), by_hessian=False)


def _expected(optimum: GlmOptimum) -> Floats:
    """The inverse of X'V⁻¹X.

    Where coefficients have run so far away that the rows say nothing of them any more, what is left of their curvature
    is rounding: with so much of it their standard errors are huge, and those of the others what they are in the limit.
    """
    information = optimum.evaluation.bordered.information
    inverse = inverse_of(information)
    if inverse is not None:
        return inverse
    diagonal = np.diag(information)
    scale = 1.0 / np.sqrt(np.maximum(diagonal, max(_ROUNDING * float(diagonal.max()), _NOTHING)))
    values, vectors = np.linalg.eigh(information * scale[:, None] * scale)
    half = scale[:, None] * vectors / np.sqrt(np.maximum(values, _ROUNDING))
    return np.asarray(half @ half.T)


def inverse_of(matrix: Floats) -> Floats | None:
    """The inverse of a positive-definite matrix, whatever the units of its rows; None for others."""
    diagonal = np.diag(matrix)
    if not len(matrix):
        return matrix
    if not bool((diagonal > 0).all()):
        return None
    scale = 1.0 / np.sqrt(diagonal)
    root, failed = lapack.dpotrf(matrix * scale[:, None] * scale, lower=1, clean=1)
    if failed:
        return None
    half, _ = lapack.dtrtri(root, lower=1)
    half = half * scale
    return np.asarray(half.T @ half)


def pearson(objective: GlmObjective, at: GlmEvaluation) -> Floats:
    """Pearson residuals given the random effects: n values, ``√w (y − μ)/√V(μ)``; 0 where y is μ to all digits."""
    family, mean = objective.family, at.mode.point.mean
    residual = family.y - mean
    ratio = np.zeros_like(residual)  # separation leaves a probability of 0 or 1, and no variance
    np.divide(residual, np.sqrt(family.variance(mean, at.extra)), out=ratio, where=residual != 0)
    return np.asarray(np.sqrt(family.weights) * ratio)


def deviance_residuals(objective: GlmObjective, at: GlmEvaluation) -> Floats:
    """Signed roots of the rows' deviances given the random effects: n values."""
    point = at.mode.point
    return np.asarray(np.sign(objective.family.y - point.mean) * np.sqrt(np.maximum(point.losses, 0.0)))


def dispersion(objective: GlmObjective, at: GlmEvaluation) -> float:
    """σ²: 1, or for families with a dispersion ``(Σ Pearson² + ‖u‖²)/n``."""
    if not objective.family.scaled:
        return 1.0
    residuals = pearson(objective, at)
    return float((residuals @ residuals + at.u @ at.u) / objective.rows.n)


def modes(problem: GlmProblem, at: GlmEvaluation) -> list[Floats]:
    """Conditional modes b = Λu in the units of the data: J_f × q_f for each factor."""
    rows = problem.rows
    return problem.linear.modes(rows.split(rows.scaled(at.lambdas, at.u)))


def mode_covariances(problem: GlmProblem, objective: GlmObjective, at: GlmEvaluation) -> list[Floats]:
    """Conditional covariances ``σ²ΛM⁻¹Λ'`` in the units of the data: J_f × q_f × q_f for each factor."""
    own = covariance_cells(at.inverse, at.lambdas).own
    return problem.linear.mode_covariances(own, dispersion(objective, at))


def runaway(problem: GlmProblem, objective: GlmObjective, optimum: GlmOptimum) -> list[int]:
    """Positions (among the kept columns) of coefficients that the data let run away: separation.

    Where a category has no success, or a predictor tells successes from failures without error, the likelihood rises
    for ever, ever more slowly; the search ends where nothing worth while is left to gain. What remains is a curvature
    of next to nothing: such a coefficient times the range of its column has a standard error of more than 50 on a scale
    on which 5 is much.
    """
    if objective.family.link not in UNITLESS or not objective.rows.p:
        return []
    if objective.profiled:  # what is known of β is known at fixed θ
        hessian, at_beta = 2.0 * optimum.evaluation.bordered.information, slice(None)
    else:
        _, at_beta, at_extra = objective.parts()
        end = at_beta.stop if objective.family.extra_known else at_extra.stop
        hessian = optimum.hessian[:end, :end]
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-12))
    values, vectors = np.linalg.eigh(hessian * scale[:, None] * scale)
    half = scale[:, None] * vectors / np.sqrt(np.maximum(np.abs(values), 1e-10))
    t = problem.linear.fixed.transform
    errors = np.sqrt(2.0) * np.linalg.norm(t @ half[at_beta], axis=1)
    columns = problem.rows.x @ np.linalg.inv(t)
    low, high = columns.min(axis=0), columns.max(axis=0)
    width = np.where(high > low, high - low, np.abs(high))
    return [int(j) for j in np.flatnonzero(errors * width > _LOST)]
