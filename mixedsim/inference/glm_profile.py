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
from mixedsim.errors import MixedsimError
from mixedsim.inference.contrasts import check_level
from mixedsim.inference.glm_coordinates import GlmChart
from mixedsim.inference.parameters import Parameter, parameters_of, selected, values_of
from mixedsim.inference.profile import LikelihoodProfile, as_tables
from mixedsim.inference.profile_curve import Curve
from mixedsim.inference.profile_parameters import is_fixed_by_origin

Floats = NDArray[np.float64]


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
            curves[parameter.name] = Curve(chart, chart.best)
    return curves


def _has_profile(parameter: Parameter, problem: GlmProblem, objective: GlmObjective) -> bool:
    if parameter.kind == "sd":
        return not objective.family.scaled
    return not is_fixed_by_origin(parameter, problem.linear)
