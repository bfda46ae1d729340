"""Profile likelihood: how the deviance rises as one parameter is moved and all others follow as best they can.

The likelihood is the ML one, for REML fits too, as in lme4: REML criteria of other fixed effects cannot be compared.
An interval holds the values where the deviance is no more than the χ²₁ quantile above its minimum (Bates et al. 2015,
J. Stat. Softw. 67(1)); its ends are found as roots of the exact profile, not interpolated. Where the profile does not
rise that far before the parameter reaches the end of its scale (a standard deviation of 0, a correlation of ±1), the
interval ends there. A correlation that is ±1 to all digits, only because zero lies far from all values of the
predictor, has no profile, and NaN for its interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from mixedsim.design import Design
from mixedsim.engine import Objective, Problem, Profile, minimise
from mixedsim.engine.covariance import lower_factor
from mixedsim.engine.threads import threads_for
from mixedsim.engine.unprofiled import Likelihood
from mixedsim.errors import ConvergenceError, MixedsimError, nearest
from mixedsim.inference.contrasts import check_level
from mixedsim.inference.parameters import Parameter, parameters_of, selected, values_of
from mixedsim.inference.profile_curve import Curve, Point, Surpassed
from mixedsim.inference.profile_parameters import Chart, is_fixed_by_origin

Floats = NDArray[np.float64]
Answer = TypeVar("Answer")


@dataclass(frozen=True, eq=False)
class LikelihoodProfile:
    """The profile of some parameters of a linear mixed model, as returned by `LinearMixedModel.profile`.

    Attributes
    ----------
    table : one row a point, in rising order of value; index ``parameter`` (the profiled one), columns ``value`` (in the
        units of the data), ``zeta`` (the signed root of the rise of the deviance) and ``deviance`` (−2 log L). Where a
        Wald interval is exact, ζ against value is a straight line.
    along : the same rows, one column a parameter of the model: where all of them are at that point.
    level : the confidence level to which the curves extend, unless they reach the end of a scale before.
    """

    table: pd.DataFrame
    along: pd.DataFrame
    level: float
    _curves: Mapping[str, Curve | None] = field(repr=False)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the profiled parameters."""
        return tuple(name for name, curve in self._curves.items() if curve is not None)

    def confint(self, level: float = 0.95) -> pd.DataFrame:
        """Return the exact profile interval of each profiled parameter: index parameter, columns lower, upper.

        Any `level` between 0 and 1 will do, also beyond the one to which the curves were traced.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))
        >>> fit.profile("sd").confint(0.5).round(1).to_dict("index")
        {'sd(Intercept | Batch)': {'lower': 28.3, 'upper': 48.6}}
        """
        zeta = _checked(level)
        curves = self._curves.values()
        return _table(self._curves, [None if curve is None else curve.interval(zeta) for curve in curves])

    def density(self, parameter: str, points: int = 201) -> pd.DataFrame:
        """Return the density of which every profile interval holds its level: columns value, density (`points` rows).

        φ(ζ(v)) ζ'(v), as of a parameter whose ζ is standard normal. It ends where the curve does: the ends of `level`,
        or of the scale, on which the rest of the mass lies.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))
        >>> curve = fit.profile("Intercept").density("Intercept")
        >>> float(np.trapezoid(curve["density"], curve["value"]).round(3))
        0.99
        """
        curve = _smooth().SmoothProfile.of(self.table, self._known(parameter))
        values = curve.grid(points)
        return pd.DataFrame({"value": values, "density": curve.density(values)})

    def contour(self, one: str, other: str, level: float = 0.95) -> pd.DataFrame:
        """Return the line around the joint confidence region of two parameters: one column each.

        On it the deviance has risen by the quantile of χ² with 2 degrees of freedom. It is sketched from the two
        profiles (Bates & Watts 1988, Nonlinear Regression Analysis, appendix 6): exact for a parabola, good for a mild
        departure from one. NaN where the region goes beyond the end of a scale.

        Raises
        ------
        MixedsimError
            If a parameter was not profiled, or not far enough for this level.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))
        >>> fit.profile().contour("sigma", "Intercept", 0.5)["sigma"].agg(["min", "max"]).round(1).to_dict()
        {'min': 42.2, 'max': 59.3}
        """
        check_level(level)
        zeta = float(np.sqrt(-2.0 * np.log1p(-level)))
        names = [self._known(one), self._known(other)]
        if len(set(names)) < 2:
            raise MixedsimError(f"a contour is that of two parameters, found {one!r} twice.")
        if zeta > _checked(self.level) + 1e-9:
            needed = 2.0 * float(ndtr(zeta)) - 1.0
            raise MixedsimError(
                f"a joint region of {100 * level:g} % needs profiles to a level of {needed:.4f} or more, found "
                f"{self.level:g}: give profile() that level."
            )
        return pd.DataFrame(_smooth().contour(self.table, self.along, names[0], names[1], zeta), columns=names)

    def _known(self, parameter: str) -> str:
        if parameter not in self.parameters:
            raise MixedsimError(f"the profile has no parameter {parameter!r}: {nearest(parameter, self.parameters)}")
        return parameter


def _smooth() -> Any:
    """What draws curves through points: fetched when first asked for, since scipy.interpolate is slow to load."""
    return import_module("mixedsim.inference.profile_contours")


def likelihood_profile(
    design: Design,
    problem: Problem,
    objective: Objective,
    at: Profile,
    *,
    which: str | Sequence[str] | None = None,
    level: float = 0.99,
    points: int = 8,
) -> LikelihoodProfile:
    """Return the `LikelihoodProfile` of some or all parameters.

    Parameters
    ----------
    design, problem, objective, at : names, scales, likelihood (REML or ML) and its optimum.
    which : names of parameters, or kinds of them (``"fixed"``, ``"sd"``, ``"corr"``, ``"sigma"``); all if None.
    level : the curves extend to the ends of this confidence interval.
    points : values on each side of the estimate.

    Raises
    ------
    MixedsimError
        For a parameter that the model has not, a level that does not lie between 0 and 1, or fewer than one point.
    ConvergenceError
        Where a profile cannot be followed, or leads to a likelihood higher than the model's.
    """
    if points < 1:
        raise MixedsimError(f"points must be 1 or more on each side of the estimate, found {points!r}.")
    zeta = _checked(level)
    parameters = parameters_of(design, problem)
    chosen = selected(parameters, which)
    with threads_for(objective.blocks.dense_size):
        curves, traced = _of_curves(problem, objective, at, chosen, lambda curve: curve.traced(zeta, points))
    return as_tables(parameters, problem, curves, traced, level, problem.deviance_shift(reml=False))


def as_tables(
    parameters: Sequence[Parameter],
    problem: Problem,
    curves: Mapping[str, Curve | None],
    traced: Sequence[Sequence[Point] | None],
    level: float,
    shift: float,
) -> LikelihoodProfile:
    """Curves with their points as a `LikelihoodProfile`; `shift` is what the deviance lacks."""
    tables: list[pd.DataFrame] = []
    along: list[Floats] = []
    for (name, curve), own in zip(curves.items(), traced, strict=True):
        if curve is not None and own is not None:
            tables.append(_rows(name, curve, own, shift))
            along += [_everything(parameters, problem, curve, point) for point in own]
    columns = [p.name for p in parameters]
    table = pd.concat(tables) if tables else pd.DataFrame(columns=["value", "zeta", "deviance"], dtype=np.float64)
    others = pd.DataFrame(np.array(along).reshape(-1, len(columns)), index=table.index, columns=columns)
    return LikelihoodProfile(table=table, along=others, level=level, _curves=curves)


def profile_intervals(
    design: Design,
    problem: Problem,
    objective: Objective,
    at: Profile,
    *,
    level: float = 0.95,
    which: str | Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return the profile interval of some or all parameters: index parameter, columns lower, upper.

    Arguments and errors are those of `likelihood_profile`; the curves between the ends are not traced.
    """
    zeta = _checked(level)
    with threads_for(objective.blocks.dense_size):
        chosen = selected(parameters_of(design, problem), which)
        return _table(*_of_curves(problem, objective, at, chosen, lambda curve: curve.interval(zeta)))


def _checked(level: float) -> float:
    """The normal quantile of a confidence level."""
    check_level(level)
    return float(ndtri(0.5 + level / 2.0))


def _of_curves(
    problem: Problem, objective: Objective, at: Profile, parameters: Sequence[Parameter], ask: Callable[[Curve], Answer]
) -> tuple[dict[str, Curve | None], list[Answer | None]]:
    """The curve of each parameter, and what it answers; None for a correlation that zero's place decides.

    A REML fit lends the curves of the ML likelihood a place to begin. Where that leads to a local optimum, and a curve
    finds a higher one, all start again from there.
    """
    begin = at.theta
    for last in (False, False, True):
        curves = _curves(problem, objective, at, parameters, begin)
        try:
            return curves, [None if curve is None else ask(curve) for curve in curves.values()]
        except Surpassed as better:
            if last or not objective.reml:
                raise
            factors = [
                lower_factor(lam @ lam.T, shape.terms)
                for lam, shape in zip(better.lambdas, problem.layout.factors, strict=True)
            ]
            begin = problem.layout.theta(factors)
    raise AssertionError("the last attempt returns or raises")


def _curves(
    problem: Problem, objective: Objective, at: Profile, parameters: Sequence[Parameter], begin: Floats
) -> dict[str, Curve | None]:
    """The profile curves of the ML likelihood, each at its top."""
    likelihood = Likelihood(objective)
    if objective.reml:
        optimum = minimise(likelihood, begin=begin)
        if not optimum.converged:
            raise ConvergenceError(
                "profiles are those of the ML likelihood, and refitting by ML did not converge: fit the model with "
                "reml=False to see why."
            )
        at = optimum.profile
    lambdas, log_sigma = likelihood.layout.lambdas(at.theta), 0.5 * float(np.log(at.sigma2))
    curves: dict[str, Curve | None] = {}
    for parameter in parameters:
        if is_fixed_by_origin(parameter, problem):
            curves[parameter.name] = None
            continue
        chart = Chart(parameter, problem, objective)
        curves[parameter.name] = Curve(chart, chart.coordinates(lambdas, log_sigma, at.beta))
    return curves


def _table(curves: Mapping[str, Curve | None], ends: Sequence[tuple[float, float] | None]) -> pd.DataFrame:
    """Intervals as a table; a parameter without a curve has none."""
    rows = [(np.nan, np.nan) if own is None else own for own in ends]
    index = pd.Index(list(curves), name="parameter", dtype=object)
    return pd.DataFrame(np.array(rows).reshape(-1, 2), index=index, columns=["lower", "upper"])


def _rows(name: str, curve: Curve, points: Sequence[Point], shift: float) -> pd.DataFrame:
    """The part of the table that belongs to one parameter."""
    data = [
        (curve.chart.value(float(point.psi[curve.held])), curve.zeta(point), point.deviance + shift) for point in points
    ]
    index = pd.Index([name] * len(data), name="parameter", dtype=object)
    return pd.DataFrame(
        np.array(data, dtype=np.float64).reshape(-1, 3), index=index, columns=["value", "zeta", "deviance"]
    )


def _everything(parameters: Sequence[Parameter], problem: Problem, curve: Curve, point: Point) -> Floats:
    """All parameters at one point of a curve; the profiled one exactly as held."""
    lambdas, sigma = curve.chart.unturned(point.psi)
    out = values_of(parameters, problem, lambdas, sigma, point.beta)
    held = [k for k, parameter in enumerate(parameters) if parameter == curve.chart.parameter]
    out[held] = curve.chart.value(float(point.psi[curve.held]))
    return out
