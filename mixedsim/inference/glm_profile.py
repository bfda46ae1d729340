"""Profile likelihood of a generalised linear mixed model: intervals whose ends are roots of the exact profile.

The likelihood is the one that was maximised: Laplace's approximation, or quadrature. See `mixedsim.inference.profile`
for what an interval holds and where it ends (Bates et al. 2015, J. Stat. Softw. 67(1), for lme4's).

Where a family has a dispersion (gamma, inverse Gaussian), a standard deviation is relative to one that is estimated
beside the likelihood, so that it has no profile, and NaN for its interval.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from mixedsim.design import Design
from mixedsim.engine.glm_estimates import dispersion
from mixedsim.engine.glm_laplace import GlmObjective
from mixedsim.engine.glm_optimise import GlmOptimum
from mixedsim.engine.glm_problem import GlmProblem
from mixedsim.engine.threads import threads_for
from mixedsim.errors import ConvergenceError, MixedsimError
from mixedsim.inference.contrasts import check_level
from mixedsim.inference.glm_coordinates import GlmChart
from mixedsim.inference.parameters import Parameter, parameters_of, selected, values_of
from mixedsim.inference.profile import LikelihoodProfile, as_tables
from mixedsim.inference.profile_curve import Curve, Point
from mixedsim.inference.profile_parameters import is_fixed_by_origin

Floats = NDArray[np.float64]
_HALVINGS = 3  # of a step along a profile
_GAINED = 1e-5  # deviance that it is worth to look once more for
_RISEN = 1e-8  # deviance that is no rounding
_STEEP = 4.0  # power of the distance that a curve rises with, beyond which it is an exponential
_LONGEST = 10.0  # move of another coordinate for one of the profiled parameter, both in units of their curvature


def glm_parameters(design: Design, problem: GlmProblem) -> tuple[Parameter, ...]:
    """All parameters that have a name: coefficients, standard deviations, correlations."""
    return tuple(p for p in parameters_of(design, problem.linear) if p.kind != "sigma")


def glm_values(
    parameters: Sequence[Parameter], problem: GlmProblem, objective: GlmObjective, optimum: GlmOptimum
) -> Floats:
    """Estimates of some parameters in the units of the data."""
    at = optimum.evaluation
    return values_of(parameters, problem.linear, at.lambdas, float(np.sqrt(dispersion(objective, at))), at.beta)


def glm_profile_intervals(
    design: Design,
    problem: GlmProblem,
    objective: GlmObjective,
    optimum: GlmOptimum,
    *,
    level: float = 0.95,
    which: str | Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return the profile interval of some or all parameters: index parameter, columns lower, upper.

    Parameters
    ----------
    design, problem, objective, optimum : names, scales, likelihood and its maximum.
    level : confidence level, between 0 and 1.
    which : names of parameters, or kinds of them (``"fixed"``, ``"sd"``, ``"corr"``); all if None.

    Raises
    ------
    MixedsimError
        For a parameter that the model has not, a level that is none, or a fit with nagq = 0.
    ConvergenceError
        Where a profile cannot be followed, or leads to a likelihood higher than the model's.
    """
    check_level(level)
    zeta = float(ndtri(0.5 + level / 2.0))
    with threads_for(objective.shape.dense_size):
        curves = _curves(design, problem, objective, optimum, which)
        ends = [(np.nan, np.nan) if curve is None else curve.interval(zeta) for curve in curves.values()]
    index = pd.Index(list(curves), name="parameter", dtype=object)
    return pd.DataFrame(np.array(ends).reshape(-1, 2), index=index, columns=["lower", "upper"])


def glm_likelihood_profile(
    design: Design,
    problem: GlmProblem,
    objective: GlmObjective,
    optimum: GlmOptimum,
    *,
    which: str | Sequence[str] | None = None,
    level: float = 0.99,
    points: int = 8,
) -> LikelihoodProfile:
    """Return the `LikelihoodProfile` of some or all parameters.

    Parameters
    ----------
    design, problem, objective, optimum, which : as in `glm_profile_intervals`, with its errors.
    level : the curves extend to the ends of this confidence interval.
    points : values on each side of the estimate.
    """
    if points < 1:
        raise MixedsimError(f"points must be 1 or more on each side of the estimate, found {points!r}.")
    check_level(level)
    zeta = float(ndtri(0.5 + level / 2.0))
    with threads_for(objective.shape.dense_size):
        curves = _curves(design, problem, objective, optimum, which)
        traced = [None if curve is None else curve.traced(zeta, points) for curve in curves.values()]
    return as_tables(glm_parameters(design, problem), problem.linear, curves, traced, level, 0.0)


def _curves(
    design: Design,
    problem: GlmProblem,
    objective: GlmObjective,
    optimum: GlmOptimum,
    which: str | Sequence[str] | None,
) -> dict[str, Curve | None]:
    """The profile of each parameter that has one."""
    if objective.profiled:
        raise MixedsimError(
            "a fit with nagq=0 does not maximise the likelihood over the coefficients, so it has no profile: "
            "fit the model with nagq=1."
        )
    curves: dict[str, Curve | None] = {}
    for parameter in selected(glm_parameters(design, problem), which):
        curves[parameter.name] = None
        if _has_profile(parameter, problem, objective):
            chart = GlmChart(parameter, problem, objective, optimum)
            curves[parameter.name] = _LearnedCurve(chart, chart.best)
    return curves


class _LearnedCurve(Curve):
    """A curve whose second derivatives are learned on the way.

    Right after a long step they may promise a tenth of what is left to gain: that is enough to go on from a point, but
    not to tell on which side of an end it lies. So no point is left rough; learning more also saves values. Nothing is
    learned of elements of θ that are zero, off which no slope leads: these are looked at where a search has ended.
    """

    chart: GlmChart

    def at(self, held: float, near: Point, settled: float | None = None) -> Point:
        """As `Curve.at`, always to the curve's own measure, and in several steps where one leaves the link's range."""
        return self._stepped(held, near, _HALVINGS)

    def _stepped(self, held: float, near: Point, halvings: int) -> Point:
        psi = self._ahead(held, near)
        try:
            return self._settle(psi)
        except ConvergenceError:
            if halvings == 0 or np.isfinite(self.chart.evaluate(psi).deviance):
                raise
        middle = self._stepped(0.5 * (held + float(near.psi[self.held])), near, halvings - 1)
        return self._stepped(held, middle, halvings - 1)

    def _settle(self, psi: Floats, settled: float | None = None) -> Point:
        """As `Curve._settle`; a standard deviation of zero at the maximum need not be one further on."""
        point = super()._settle(psi, settled)
        while self.chart.bends_aside(point.psi):
            further = super()._settle(point.psi)
            if further.deviance > point.deviance - _GAINED:
                break
            point = further
        return point

    def end(self, zeta: float) -> float:
        """As `Curve.end`."""
        self._height = zeta**2
        return super().end(zeta)

    def _next(self, newton: float, inside: Point, outside: Point | None, direction: float) -> float:
        """As `Curve._next`; no further than an exponential would lead where the curve rises like one.

        So does that of a coefficient that ran away: from nothing to thousands within a few units of η, and what lies so
        high is a long way to settle.
        """
        value = super()._next(newton, inside, outside, direction)
        near, rise = float(inside.psi[self.held]), self.zeta(inside) ** 2
        gone = abs(near - float(self.top.psi[self.held]))
        if outside is not None or rise < _RISEN or abs(inside.slope) * gone < _STEEP * rise:
            return value
        return near + direction * min(abs(value - near), float(np.log(self._height / rise)) * rise / abs(inside.slope))

    def _ahead(self, held: float, near: Point) -> Floats:
        """ψ further along the tangent.

        Where a coefficient runs away others do so with it, and all of them stay on the way only if none is kept back.
        """
        move = held - float(near.psi[self.held])
        step = near.tangent * move
        step[self.held] = 0.0
        reach = max(1.0, _LONGEST * abs(move), float(np.abs(np.delete(near.psi, self.held)).max(initial=0.0)))
        psi = near.psi + step * min(1.0, reach / max(float(np.abs(step).max()), 1e-300))
        psi[self.held] = held
        return np.asarray(psi)


def _has_profile(parameter: Parameter, problem: GlmProblem, objective: GlmObjective) -> bool:
    if parameter.kind == "sd":
        return not objective.family.scaled
    return not is_fixed_by_origin(parameter, problem.linear)
