"""The parametric bootstrap of a generalised model: responses drawn from it, the same model fitted to each.

Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 6.5. Each fit begins at the estimates from which
its response was drawn. Where the batch knows the model all responses are fitted together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Control
from mixedsim.engine.covariance import Layout
from mixedsim.engine.glm_batch_fit import COMPANY, OneDesign, takes_glm
from mixedsim.engine.glm_estimates import dispersion
from mixedsim.engine.glm_families import Family
from mixedsim.engine.glm_laplace import GlmEvaluation, GlmObjective
from mixedsim.engine.glm_optimise import minimise_glm
from mixedsim.errors import ConvergenceError
from mixedsim.inference.boundary import FLAT
from mixedsim.inference.glm_responses import generalized_responses
from mixedsim.inference.likelihood_ratio import RatioBootstrap
from mixedsim.inference.many_scales import many_singular

Floats = NDArray[np.float64]
MakeFamily = Callable[[Floats], Family]
_LIFT = 0.1  # where a search begins instead of at zero: a zero on Λ's diagonal is a saddle, with nothing to go by


@dataclass(frozen=True, eq=False)
class Replicates:
    """Optima for r responses, standardised; NaN for those that have none (p coefficients, K elements of θ).

    Attributes
    ----------
    beta, theta, extra : r × p, r × K and r × E.
    deviance, sigma2 : r values each; the dispersion is 1 for families without one.
    converged : r booleans.
    failures : {replicate: why it has no optimum}.
    """

    beta: Floats
    theta: Floats
    extra: Floats
    deviance: Floats
    sigma2: Floats
    converged: NDArray[np.bool_]
    failures: dict[int, str]

    @classmethod
    def empty(cls, r: int, objective: GlmObjective) -> Replicates:
        """Nothing known, to be filled in."""
        sizes = (objective.rows.p, objective.layout.size, objective.family.extra)
        beta, theta, extra = (np.full((r, size), np.nan) for size in sizes)
        deviance, sigma2 = np.full((2, r), np.nan)
        return cls(beta, theta, extra, deviance, sigma2, np.zeros(r, dtype=bool), {})

    @classmethod
    def joined(cls, parts: Sequence[Replicates]) -> Replicates:
        """Several sets as one."""
        before = np.cumsum([0, *(len(part.deviance) for part in parts)]).tolist()
        failures = {
            start + k: why for start, part in zip(before, parts, strict=False) for k, why in part.failures.items()
        }
        names = [one.name for one in fields(cls) if one.name != "failures"]
        arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return cls(**arrays, failures=failures)

    def singular(self, layout: Layout) -> NDArray[np.bool_]:
        """Whether some combination of random effects has no variance: r booleans."""
        known = np.isfinite(self.deviance)
        return known & many_singular(np.where(known, self.theta.T, 1.0), layout, FLAT)


def refit_all(
    objective: GlmObjective,
    at: GlmEvaluation,
    y: Floats,
    make: MakeFamily,
    trials: Floats | None,
    control: Control | None = None,
) -> Replicates:
    """Fit the model to every column of y (rows × r): together where that is possible, and one by one what is left.

    Parameters
    ----------
    objective, at : the model, and where its searches begin.
    y : responses; with trials, numbers of successes.
    make : what makes the family of one of them.
    trials : n numbers of trials, or None.
    control : how each is fitted.
    """
    control = control or Control()
    out = Replicates.empty(y.shape[1], objective)
    layout = objective.layout
    begin = np.where(layout.diagonal & (np.abs(at.theta) < _LIFT), _LIFT, at.theta)
    extra = objective.family.again(at.extra)
    if y.shape[1] >= COMPANY and takes_glm(objective, control):
        _fit_together(OneDesign.of(objective, trials), y, (begin, at.beta, extra), control, out)
    for k in map(int, np.flatnonzero(~out.converged)):
        try:
            own = objective.changed(family=make(np.ascontiguousarray(y[:, k])))
        except ConvergenceError as error:  # nobody drew some category
            out.failures[k] = str(error)
            continue
        _fit_alone(own, begin, at.beta, extra, control, k, out)
    return out


def _fit_together(
    design: OneDesign, y: Floats, begin: tuple[Floats, Floats, Floats], control: Control, out: Replicates
) -> None:
    """Fill in what is settled in company, from one θ, β and extra."""
    theta, beta, extra = begin
    found = design.minimise(y, theta, beta, control, extra)
    done = found.settled
    out.beta[done], out.theta[done], out.converged[done] = found.beta.T[done], found.theta.T[done], True
    out.extra[done], out.deviance[done], out.sigma2[done] = found.extra.T[done], found.deviance[done], 1.0


def _fit_alone(
    own: GlmObjective, theta: Floats, beta: Floats, extra: Floats, control: Control, k: int, out: Replicates
) -> None:
    """Fill in the fit of one response, or why there is none."""
    try:
        optimum = minimise_glm(own, theta, beta, extra, control)
    except ConvergenceError as error:
        out.failures[k] = str(error)
        return
    at = optimum.evaluation
    out.beta[k], out.theta[k], out.extra[k] = at.beta, at.theta, at.extra
    out.deviance[k], out.sigma2[k], out.converged[k] = at.criterion, dispersion(own, at), optimum.converged


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
        one, other = (refit_all(fit.objective, fit.at, y, fit.make, fit.trials, control) for fit in (small, large))
        known = one.converged & other.converged
        ratios.append(np.where(known, one.deviance - other.deviance, np.nan))
    found = np.concatenate(ratios)
    known = np.isfinite(found)
    return RatioBootstrap(observed, found[known], int((~known).sum()))
