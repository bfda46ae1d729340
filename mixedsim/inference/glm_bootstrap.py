"""The parametric bootstrap of a generalised model: responses drawn from it, the same model fitted to each.

Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 6.5. Each fit begins at the estimates from which
its response was drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Control
from mixedsim.engine.glm_families import Family
from mixedsim.engine.glm_laplace import GlmEvaluation, GlmObjective
from mixedsim.engine.glm_optimise import GlmOptimum, minimise_glm
from mixedsim.errors import ConvergenceError
from mixedsim.inference.glm_responses import generalized_responses
from mixedsim.inference.likelihood_ratio import RatioBootstrap

Floats = NDArray[np.float64]
MakeFamily = Callable[[Floats], Family]
_LIFT = 0.1  # where a search begins instead of at zero: a zero on Λ's diagonal is a saddle, with nothing to go by
_MOST = float(np.log(10.0))  # log τ where a search begins instead of further on, where the likelihood is flat


@dataclass(frozen=True, eq=False)
class Replicates:
    """Optima for r responses; for those that have none, why."""

    optima: list[GlmOptimum | None]
    failures: dict[int, str]

    @property
    def converged(self) -> NDArray[np.bool_]:
        """r booleans."""
        return np.array([one is not None and one.converged for one in self.optima], dtype=bool)

    @property
    def deviances(self) -> Floats:
        """r values of the criterion, NaN where the search did not converge."""
        values = [one.evaluation.criterion if one is not None and one.converged else np.nan for one in self.optima]
        return np.array(values, dtype=np.float64)


def refit_all(
    objective: GlmObjective, at: GlmEvaluation, y: Floats, make: MakeFamily, control: Control | None = None
) -> Replicates:
    """Fit the model to every column of y (rows × r).

    Parameters
    ----------
    objective, at : the model, and where its searches begin.
    y : responses.
    make : what makes the family of one of them.
    control : how each is fitted.
    """
    layout = objective.layout
    begin = np.where(layout.diagonal & (np.abs(at.theta) < _LIFT), _LIFT, at.theta)
    extra = np.minimum(at.extra, _MOST)
    optima: list[GlmOptimum | None] = []
    failures: dict[int, str] = {}
    for k in range(y.shape[1]):
        try:
            own = objective.changed(family=make(np.ascontiguousarray(y[:, k])))
            optima.append(minimise_glm(own, begin, at.beta, extra, control))
        except ConvergenceError as error:
            optima.append(None)
            failures[k] = str(error)
    return Replicates(optima, failures)


@dataclass(frozen=True, eq=False)
class GlmFitted:
    """What the bootstrap of a likelihood ratio needs of a fitted model."""

    objective: GlmObjective
    at: GlmEvaluation
    make: MakeFamily
    trials: Floats | None


def glm_bootstrap_ratio(
    small: GlmFitted, large: GlmFitted, observed: float, n: int, seed: int, control: Control | None = None
) -> RatioBootstrap:
    """Draw n responses from `small`, fit both models to each, and return the likelihood ratios.

    Parameters
    ----------
    small, large : fits to the same rows, the smaller first.
    observed : the difference of their deviances.
    n, seed, control : replicates, random numbers, and how each is fitted.
    """
    ratios = []
    for y in generalized_responses(small.objective, small.at, small.trials, n, seed):
        one, other = (refit_all(fit.objective, fit.at, y, fit.make, control) for fit in (small, large))
        ratios.append(one.deviances - other.deviances)
    found = np.concatenate(ratios)
    known = np.isfinite(found)
    return RatioBootstrap(observed, found[known], int((~known).sum()))
