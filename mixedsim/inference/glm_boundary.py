"""How much variance a combination of effects could have that a generalised fit gives none: see `boundary`.

Coefficients, and τ of a negative binomial, follow to where they then fit best; the other variances stay.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.covariance import lower_factor
from mixedsim.engine.glm_estimates import dispersion
from mixedsim.engine.glm_laplace import GlmEvaluation, GlmObjective
from mixedsim.engine.glm_optimise import GlmOptimum, minimise_within
from mixedsim.engine.glm_problem import GlmProblem
from mixedsim.errors import ConvergenceError
from mixedsim.inference.boundary import RISE, FlatDirection

Floats = NDArray[np.float64]
_HALVINGS = 10


def glm_deviance_along(
    problem: GlmProblem, objective: GlmObjective, optimum: GlmOptimum, direction: FlatDirection, points: int = 5
) -> tuple[Floats, Floats]:
    """Return standard deviations of the combination (units of the data), and the rise of the deviance for each.

    From zero in `points` equal steps to where the deviance has risen by 3.84, or the link allows no more.
    """

    def rise(size: float) -> float:
        there = _moved(objective, optimum.evaluation, direction, size)
        return np.inf if there is None else there.criterion - optimum.evaluation.criterion

    bottom, top = 0.0, 0.1
    while rise(top) < RISE and top < 1e6:
        bottom, top = top, 2.0 * top
    for _ in range(_HALVINGS):
        middle = 0.5 * (bottom + top)
        bottom, top = (middle, top) if rise(middle) < RISE else (bottom, middle)
    steps = np.linspace(0.0, bottom, points)
    found = [(step, _moved(objective, optimum.evaluation, direction, step)) for step in steps]
    known = [(step, there) for step, there in found if there is not None]
    w = np.linalg.solve(
        problem.linear.varying[direction.factor][direction.where, direction.where].T, direction.standard
    )
    unit = float(np.linalg.norm(direction.weights) / np.linalg.norm(w))
    sds = np.array([step * np.sqrt(dispersion(objective, there)) for step, there in known]) * unit
    return sds, np.array([there.criterion - optimum.evaluation.criterion for _, there in known])


def _moved(objective: GlmObjective, at: GlmEvaluation, direction: FlatDirection, size: float) -> GlmEvaluation | None:
    """The best point where the combination has standard deviation `size` (standardised, over σ); None for none."""
    if size == 0:
        return at
    layout, (at_theta, _, at_extra) = objective.layout, objective.parts()
    lambdas = layout.lambdas(at.theta)
    lam, where = lambdas[direction.factor], direction.where
    sigma = lam @ lam.T
    sigma[where, where] += size**2 * np.outer(direction.standard, direction.standard)
    lambdas[direction.factor] = lower_factor(sigma, layout.factors[direction.factor].terms)
    psi = at.psi.copy()
    psi[at_theta] = layout.theta(lambdas)
    rest = np.eye(len(psi))[:, at_theta.stop : at_extra.stop]
    try:
        return minimise_within(objective, psi, at.mode.vector, rest).evaluation
    except ConvergenceError:
        return None
