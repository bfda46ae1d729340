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
    problem: GlmProblem, objective: GlmObjective, optimum: GlmOptimum, extra_known: bool = True
) -> FixedCovariance:
    """Return the covariance of the fixed effects: of ``2H⁻¹`` what belongs to β.

    Parameters
    ----------
    problem, objective, optimum : the fit.
    extra_known : take τ of a negative binomial as known, as lme4 does; its uncertainty counts too otherwise.
    """
    _, at_beta, at_extra = objective.parts()
    if not objective.profiled:
        end = at_beta.stop if extra_known else at_extra.stop
        inverse = _inverse(optimum.hessian[:end, :end])
        if inverse is not None:
            own = 2.0 * inverse[at_beta, at_beta]
            return FixedCovariance(problem.linear.vcov(own, 1.0), by_hessian=True)
    expected = _expected(optimum)
    if expected is None:
        expected = np.full((objective.rows.p,) * 2, np.nan)
    size = dispersion(objective, optimum.evaluation)
    return FixedCovariance(problem.linear.vcov(expected, size), by_hessian=False)


def _expected(optimum: GlmOptimum) -> Floats | None:
    """The inverse of X'V⁻¹X; None where a coefficient has run so far away that the rows say nothing of it any more."""
    try:
        return _inverse(optimum.evaluation.bordered.information)
    except np.linalg.LinAlgError:
        return None


def _inverse(matrix: Floats) -> Floats | None:
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
    """Pearson residuals given the random effects: n values, ``√w (y − μ)/√V(μ)``."""
    family, mean = objective.family, at.mode.point.mean
    return np.asarray(np.sqrt(family.weights / family.variance(mean, at.extra)) * (family.y - mean))


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
    if objective.family.link not in UNITLESS or objective.profiled or not objective.rows.p:
        return []
    _, at_beta, _ = objective.parts()
    end = at_beta.stop
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
