"""Thresholds of ordered categories: what is known of them, and the probabilities that they cut off.

The search knows the first threshold as minus the intercept, and the distances (`glm_ordinal`). What people ask for are
thresholds α and coefficients β in the units of the data, which are linear in these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.design import Design
from mixedsim.engine.glm_estimates import inverse_of
from mixedsim.engine.glm_intervals import INTERVALS, Interval
from mixedsim.engine.glm_laplace import GlmObjective
from mixedsim.engine.glm_optimise import GlmOptimum, minimise_within
from mixedsim.engine.glm_ordinal import Cumulative
from mixedsim.engine.glm_problem import GlmProblem
from mixedsim.inference.contrasts import check_level
from mixedsim.inference.glm_average import average
from mixedsim.inference.glm_profile import glm_profile_intervals

Floats = NDArray[np.float64]
_LEAST = 1e-10  # curvature that is none


@dataclass(frozen=True, eq=False)
class Located:
    """Thresholds, then coefficients without the intercept, in the units of the data.

    Attributes
    ----------
    thresholds, coefficients : K − 1 and p − 1 values.
    covariance : of both, thresholds first.
    """

    thresholds: Floats
    coefficients: Floats
    covariance: Floats

    @property
    def estimates(self) -> Floats:
        """All of them."""
        return np.concatenate([self.thresholds, self.coefficients])


def family_of_categories(objective: GlmObjective) -> Cumulative:
    """The family, which is one of ordered categories."""
    family = objective.family
    assert isinstance(family, Cumulative)
    return family


def located(problem: GlmProblem, objective: GlmObjective, optimum: GlmOptimum) -> Located:
    """Return what is `Located`, with what estimating the variances costs.

    Where the second derivatives are not those of a minimum the variances are taken as known; where even then some
    direction has no curvature left, as in a separated model, its errors are as large as digits can tell.
    """
    family, at = family_of_categories(objective), optimum.evaluation
    transform, intercept = problem.linear.fixed.transform, _intercept(problem)
    beta = problem.linear.fixef(at.beta.copy())
    cuts, moves = family.cuts(at.extra), family.cuts_by_extra
    slopes = np.zeros((len(cuts) + len(beta) - 1, len(beta) + len(at.extra)))
    slopes[: len(cuts), : len(beta)] = -transform[intercept]
    slopes[: len(cuts), len(beta) :] = moves
    slopes[len(cuts) :, : len(beta)] = np.delete(transform, intercept, axis=0)
    return Located(
        thresholds=cuts - beta[intercept],
        coefficients=np.delete(beta, intercept),
        covariance=slopes @ _covariance(objective, optimum) @ slopes.T,
    )


def _intercept(problem: GlmProblem) -> int:
    intercept = problem.linear.intercept
    assert intercept is not None
    return intercept


def _covariance(objective: GlmObjective, optimum: GlmOptimum) -> Floats:
    """Of the standardised β and the distances."""
    begin = objective.parts()[1].start
    whole = inverse_of(optimum.hessian)
    if whole is not None:
        return 2.0 * whole[begin:, begin:]
    rest = inverse_of(optimum.hessian[begin:, begin:])
    return 2.0 * (_absolute_inverse(optimum.hessian)[begin:, begin:] if rest is None else rest)


def _absolute_inverse(hessian: Floats) -> Floats:
    """The inverse with absolute curvatures: where there is next to none, and rounding decides the sign, it is huge."""
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), _LEAST))
    values, vectors = np.linalg.eigh(hessian * scale[:, None] * scale)
    half = scale[:, None] * vectors / np.sqrt(np.maximum(np.abs(values), _LEAST))
    return np.asarray(half @ half.T)


def threshold_intervals(
    design: Design,
    problem: GlmProblem,
    objective: GlmObjective,
    optimum: GlmOptimum,
    *,
    level: float,
    which: Sequence[int],
) -> Floats:
    """Return profile intervals of thresholds: as many × 2.

    For each the model is written anew, with the intercept minus that threshold, whose profile is then the intercept's.

    Parameters
    ----------
    design, problem, objective, optimum : names, scales, likelihood and its maximum.
    level : confidence level, between 0 and 1.
    which : thresholds, counted from 0.

    Raises
    ------
    ConvergenceError
        Where a profile cannot be followed.
    """
    check_level(level)
    family, at = family_of_categories(objective), optimum.evaluation
    _, at_beta, _ = objective.parts()
    ends = np.empty((len(which), 2))
    to_intercept = np.linalg.inv(problem.linear.fixed.transform)[:, _intercept(problem)]
    for row, k in enumerate(which):
        own = objective.changed(family=family.anchored(k))
        psi = at.psi.copy()
        psi[at_beta] = at.beta - to_intercept * family.cuts(at.extra)[k]
        found = minimise_within(own, psi, at.u, np.eye(len(psi)))
        table = glm_profile_intervals(design, problem, own, found, level=level, which="Intercept")
        lower, upper = table.to_numpy()[0]
        ends[row] = -upper, -lower
    return ends


def intervals(link: str, eta: Floats, thresholds: Floats) -> Interval:
    """Every category's interval at every η: n × K each."""
    ends = np.concatenate([[-np.inf], thresholds, [np.inf]])
    with np.errstate(all="ignore"):  # far from all thresholds
        return INTERVALS[link](ends[:-1] - eta[:, None], ends[1:] - eta[:, None])


def shares(link: str, eta: Floats, thresholds: Floats) -> Floats:
    """Probability of every category: n × K.

    Examples
    --------
    >>> import numpy as np
    >>> from mixedsim.inference.glm_thresholds import shares
    >>> shares("logit", np.array([0.0, 1.0]), np.array([-1.0, 1.0])).round(2).tolist()
    [[0.27, 0.46, 0.27], [0.12, 0.38, 0.5]]
    """
    return np.asarray(np.exp(intervals(link, eta, thresholds).log_share))


def average_shares(link: str, eta: Floats, thresholds: Floats, variance: Floats) -> Floats:
    """The same, averaged over normal random effects that add `variance` to each η (n values)."""
    turned = link == "loglog"  # cloglog upside down
    away = thresholds - eta[:, None]
    spread = np.broadcast_to(variance[:, None], away.shape)
    found = average("binomial", "cloglog" if turned else link, -away if turned else away, spread).mean
    cumulative = np.zeros((len(eta), len(thresholds) + 2))
    cumulative[:, 1:-1] = 1.0 - found if turned else found
    cumulative[:, -1] = 1.0
    return np.diff(cumulative, axis=1)
