"""The parametric bootstrap: many responses drawn from one fitted model, each fitted again.

All responses share the design, so that a replicate costs a few evaluations of the deviance and no look at the rows
(Efron & Tibshirani 1993, An Introduction to the Bootstrap, section 6.5; Bates et al. 2015, section 5.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Control, CrossProducts, Layout, Objective, Problem, Profile, minimise
from mixedsim.engine.batch_fit import Products, minimise_many, products_of, takes, worth_it
from mixedsim.inference.boundary import FLAT
from mixedsim.inference.many_scales import ManyScales, many_singular, many_thetas
from mixedsim.inference.responses import Rows, responses

Floats = NDArray[np.float64]
_LIFT = 0.1  # where a search begins instead of at zero: a zero on Λ's diagonal is a saddle, with nothing to go by


@dataclass(frozen=True, eq=False)
class Replicates:
    """Fits of r responses on one design, in standardised units (p fixed effects, K elements of θ).

    Attributes
    ----------
    beta : r × p.
    theta : r × K.
    sigma2 : r residual variances.
    deviance : r values of the criterion that was minimised.
    converged : r booleans.
    failures : {replicate: what went wrong}, for those that have no numbers at all (their rows are NaN).
    """

    beta: Floats
    theta: Floats
    sigma2: Floats
    deviance: Floats
    converged: NDArray[np.bool_]
    failures: dict[int, str]

    def singular(self, layout: Layout) -> NDArray[np.bool_]:
        """Whether some combination of random effects has no variance: r booleans."""
        known = np.isfinite(self.deviance)
        return known & many_singular(np.where(known, self.theta.T, 1.0), layout, FLAT)


def bootstrap(
    rows: Rows, problem: Problem, objective: Objective, at: Profile, n: int, seed: int, control: Control | None = None
) -> Replicates:
    """Return n `Replicates` of a fitted model: responses drawn from it, and the same model fitted to each.

    Parameters
    ----------
    rows, problem, objective, at : design, scales, criterion and optimum of the fitted model.
    n, seed : how many replicates, and where the random numbers begin.
    control : how each replicate is fitted.
    """
    parts = [
        refit_all(rows.products(y, problem.cp), problem.layout, objective.reml, at.theta, control)
        for y in responses(rows, problem, at, n, seed)
    ]
    return join(parts)


def refit_all(
    cp: CrossProducts, layout: Layout, reml: bool, begin: Floats, control: Control | None = None
) -> Replicates:
    """Fit every response of `cp`: all at once, and one by one what that does not settle.

    Parameters
    ----------
    cp : cross-products with r responses.
    layout, reml : the model and its criterion.
    begin : K values of θ near which the optima are expected; those in company begin at their own moment estimates.
    control : how each response is fitted.
    """
    control = control or Control()
    r = cp.responses
    begins = np.tile(_lifted(begin, layout), (r, 1))
    out = Replicates(
        beta=np.full((r, cp.p), np.nan),
        theta=np.full((r, layout.size), np.nan),
        sigma2=np.full(r, np.nan),
        deviance=np.full(r, np.nan),
        converged=np.zeros(r, dtype=bool),
        failures={},
    )
    if takes(layout, control):
        products = products_of(cp)
        if worth_it(products):
            _fit_together(products, layout, reml, control, out)
    for k in map(int, np.flatnonzero(~out.converged)):
        _fit_alone(Objective(cp.response(k), layout, reml), begins[k], control, k, out)
    return out


def _fit_together(products: Products, layout: Layout, reml: bool, control: Control, out: Replicates) -> None:
    """Fill in what Newton's method settles in company."""
    found = minimise_many(products, layout, reml, control)
    done = found.settled
    out.beta[done], out.theta[done], out.converged[done] = found.beta.T[done], found.theta.T[done], True
    out.sigma2[done] = found.r2[done] / (products.n - products.p if reml else products.n)[done]
    out.deviance[done] = found.deviance[done]


def _fit_alone(objective: Objective, begin: Floats, control: Control, k: int, out: Replicates) -> None:
    """Fill in the fit of one response, or why there is none."""
    try:
        optimum = minimise(objective, begin=begin, control=control)
    except np.linalg.LinAlgError as error:
        out.failures[k] = f"the cross-products could not be factorised: {error}"
        return
    at = optimum.profile
    out.beta[k], out.theta[k], out.sigma2[k], out.deviance[k] = at.beta, at.theta, at.sigma2, at.deviance
    out.converged[k] = optimum.converged


def join(parts: list[Replicates]) -> Replicates:
    """Several sets of replicates as one."""
    before = np.cumsum([0, *(len(part.deviance) for part in parts)]).tolist()
    failures = {
        start + k: what for start, part in zip(before, parts, strict=False) for k, what in part.failures.items()
    }
    return Replicates(
        beta=np.concatenate([part.beta for part in parts]),
        theta=np.concatenate([part.theta for part in parts]),
        sigma2=np.concatenate([part.sigma2 for part in parts]),
        deviance=np.concatenate([part.deviance for part in parts]),
        converged=np.concatenate([part.converged for part in parts]),
        failures=failures,
    )


def thetas_of_data(problem: Problem, theta: Floats) -> Floats:
    """θ as lme4 reports it (`Problem.theta`) for r replicates at once: r × K."""
    one = np.ones(len(theta))
    return many_thetas(theta.T, problem.layout, ManyScales.of(problem, one, one)).T


def _lifted(theta: Floats, layout: Layout) -> Floats:
    return np.where(layout.diagonal & (np.abs(theta) < _LIFT), _LIFT, theta)
