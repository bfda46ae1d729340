"""One generalised model fitted to many responses, with standard errors; and the same with one coefficient held.

Where the batch knows the model all responses are fitted together (`mixedsim.engine.glm_batch_fit`), and what it leaves
is fitted one by one.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Control
from mixedsim.engine.glm_batch_fit import COMPANY, OneDesign, takes_glm
from mixedsim.engine.glm_estimates import fixed_covariance
from mixedsim.engine.glm_laplace import GlmEvaluation, GlmObjective
from mixedsim.engine.glm_optimise import minimise_glm
from mixedsim.engine.glm_problem import GlmProblem
from mixedsim.errors import ConvergenceError
from mixedsim.inference.boundary import FLAT
from mixedsim.inference.glm_bootstrap import MakeFamily, refit_all
from mixedsim.inference.many_scales import many_singular

Floats = NDArray[np.float64]
_LIFT = 0.1  # where a search begins instead of at zero: a zero on Λ's diagonal is a saddle, with nothing to go by


@dataclass(frozen=True, eq=False)
class Drawn:
    """A model from which responses are drawn and to which it is fitted again.

    Attributes
    ----------
    problem, objective, at : scales, likelihood and the parameters that are true.
    make : what makes the family of a response.
    trials : n numbers of trials, or None.
    control : how each response is fitted.
    """

    problem: GlmProblem
    objective: GlmObjective
    at: GlmEvaluation
    make: MakeFamily
    trials: Floats | None
    control: Control

    def moved(self, j: int, to: float) -> Drawn:
        """The same with coefficient number j at another value, and all else as it was (units of the data)."""
        transform = self.problem.linear.fixed.transform
        unit = np.zeros(len(transform))
        unit[j] = to - float(transform[j] @ self.at.beta)
        return replace(self, at=replace(self.at, beta=self.at.beta + np.linalg.solve(transform, unit)))


@dataclass(frozen=True, eq=False)
class Refits:
    """Fits to r responses, in the units of the data; NaN where there is none.

    Attributes
    ----------
    estimate, se : r × p.
    deviance : r values.
    converged, singular : r booleans.
    """

    estimate: Floats
    se: Floats
    deviance: Floats
    converged: NDArray[np.bool_]
    singular: NDArray[np.bool_]


def refits(model: Drawn, y: Floats) -> Refits:
    """Fit the model to every column of y (rows × r).

    Parameters
    ----------
    model : each search begins at its parameters.
    y : responses; with trials, numbers of successes.
    """
    objective, layout, r = model.objective, model.objective.layout, y.shape[1]
    estimate, se = np.full((2, r, objective.rows.p), np.nan)
    theta, deviance = np.full((r, layout.size), np.nan), np.full(r, np.nan)
    converged = np.zeros(r, dtype=bool)
    begin = np.where(layout.diagonal & (np.abs(model.at.theta) < _LIFT), _LIFT, model.at.theta)
    if r >= COMPANY and takes_glm(objective, model.control):
        extra = objective.family.again(model.at.extra)
        found = OneDesign.of(objective, model.trials).minimise(y, begin, model.at.beta, model.control, extra)
        done = np.flatnonzero(found.settled)
        settled, transform = found.take(done), model.problem.linear.fixed.transform
        variance = np.einsum("ij,jkr,ik->ri", transform, settled.covariance, transform)
        estimate[done], se[done] = (transform @ settled.beta).T, np.sqrt(variance)
        theta[done], deviance[done], converged[done] = settled.theta.T, settled.deviance, True
    for k in np.flatnonzero(~converged).tolist():
        own = objective.changed(family=model.make(np.ascontiguousarray(y[:, k])))
        try:
            optimum = minimise_glm(own, begin, model.at.beta, own.family.again(model.at.extra), model.control)
        except ConvergenceError:
            continue  # NaN, which is counted
        at = optimum.evaluation
        estimate[k] = model.problem.linear.fixef(at.beta.copy())
        se[k] = np.sqrt(np.diag(fixed_covariance(model.problem, own, optimum).matrix))
        theta[k], deviance[k], converged[k] = at.theta, at.criterion, optimum.converged
    known = np.isfinite(deviance)
    singular = known & many_singular(np.where(known, theta.T, 1.0), layout, FLAT)
    return Refits(estimate, se, deviance, converged, singular)


def held_deviances(model: Drawn, y: Floats, j: int, value: float) -> Floats:
    """The least deviance of every response with coefficient number j at a value (units of the data); NaN for none.

    ``β = β₀ + Nγ`` with β₀ the nearest to zero that has this value, and N a basis of what does not change it: Xβ₀ joins
    the offset, and XN stands in for X.
    """
    row = model.problem.linear.fixed.transform[j]
    fixed = row * value / float(row @ row)
    basis = np.linalg.qr(row[:, None], mode="complete")[0][:, 1:]
    old = model.objective
    rows = copy(old.rows)
    rows.x, rows.offset = np.asfortranarray(old.rows.x @ basis), old.rows.offset + old.rows.x @ fixed
    rows.p = basis.shape[1]
    objective = GlmObjective(rows, old.family, old.layout, old.nagq, old.shape)
    at = replace(model.at, beta=basis.T @ (model.at.beta - fixed))
    found = refit_all(objective, at, y, model.make, model.trials, model.control)
    return np.where(found.converged, found.deviance, np.nan)
