"""Intervals from the curvature at the optimum, for every parameter of a linear mixed model.

Each parameter is taken to a scale on which the likelihood is nearly quadratic, an interval is laid around it there,
and its ends are taken back (Pinheiro & Bates 2000, Mixed-Effects Models in S and S-PLUS, section 2.4.3):

* fixed effects: β̂ ± t se, with Satterthwaite's degrees of freedom for t;
* standard deviations, σ included: log, so that ``exp(log s ± z se/s)`` is never negative;
* correlations: Fisher's ``arctanh r = ½ log((1 + r)/(1 − r))``, so that the interval stays within (−1, 1).

The standard errors are those of the delta method from the covariance of (θ̂, σ̂); they are reported on the natural
scale: ``se(s) = s se(log s)``, ``se(r) = (1 − r²) se(arctanh r)``.

At the boundary the likelihood is not quadratic on any scale: a standard deviation of zero has 0 for a lower bound and
no upper one, a correlation of ±1 has no interval. What does not exist is NaN, and `without_interval` says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from mixedsim.design import Design
from mixedsim.engine import Objective, Problem, Profile
from mixedsim.inference.boundary import FLAT
from mixedsim.inference.contrasts import check_ddf, check_level
from mixedsim.inference.parameters import Parameter, parameters_of
from mixedsim.inference.satterthwaite import satterthwaite_df
from mixedsim.inference.variance_parameters import VarianceParameters

Floats = NDArray[np.float64]
Ddf = Literal["satterthwaite", "wald"]
CERTAIN = 1e-8  # 1 − |r| of a correlation that is one but for rounding


def wald_intervals(
    design: Design,
    problem: Problem,
    objective: Objective,
    at: Profile,
    parameters: VarianceParameters,
    *,
    level: float = 0.95,
    ddf: Ddf = "satterthwaite",
) -> pd.DataFrame:
    """Return estimate, se, df, lower and upper of all fixed effects, standard deviations, correlations, and of σ.

    Parameters
    ----------
    design, problem, objective, at, parameters : names, scales, likelihood, optimum, and how precise (θ̂, σ̂) are.
    level : confidence level, between 0 and 1.
    ddf : degrees of freedom of the fixed effects; ``"wald"`` takes the normal distribution, which is too optimistic
        with few groups. Standard deviations and correlations always take it, on their own scales.

    Returns
    -------
    DataFrame with index ``kind`` (``"fixed"``, ``"sd"``, ``"corr"``, ``"sigma"``), ``group`` (``""`` where there is
    none) and ``term`` (``"Days"``; ``"Intercept, Days"`` for a correlation), in this order of kinds. Units are those
    of the data. A standard error, df or bound that does not exist is NaN.

    Raises
    ------
    MixedsimError
        If the level does not lie between 0 and 1, or `ddf` is neither of the two.

    Examples
    --------
    >>> import mixedsim as ms
    >>> from mixedsim.inference.wald import wald_intervals
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> table = wald_intervals(
    ...     fit.design, fit.problem, fit.objective, fit.optimum.profile, fit.variance_parameters
    ... )
    >>> table.loc[("sd", "Subject", "Days"), ["lower", "estimate", "upper"]].round(1).tolist()
    [3.9, 5.9, 9.0]
    """
    check_level(level)
    check_ddf(ddf, get_args(Ddf))
    everything = parameters_of(design, problem)
    known = _Known(problem, parameters, float(special.ndtri(0.5 + level / 2.0)))
    fixed = _fixed(problem, objective, at, parameters, level, ddf)
    rows = np.array([*fixed, *(known.row(one) for one in everything if one.kind != "fixed")])
    index = pd.MultiIndex.from_tuples([(p.kind, p.group, p.term) for p in everything], names=["kind", "group", "term"])
    return pd.DataFrame(rows, index=index, columns=["estimate", "se", "df", "lower", "upper"])


def without_interval(table: pd.DataFrame) -> tuple[str, ...]:
    """One sentence for each parameter of `wald_intervals` that has no interval, or half of one."""
    said = []
    symbols = [(str(kind), str(group), str(term)) for kind, group, term in table.index]
    values = table[["estimate", "lower", "upper"]].to_numpy(dtype=np.float64)
    for (kind, group, term), (estimate, lower, upper) in zip(symbols, values, strict=True):
        if not np.isnan(upper):
            continue
        if kind == "sd" and lower == 0:
            why = "it is estimated as zero, and an interval from the curvature has no upper end there"
            said.append(f"the standard deviation of {term} by {group!r} has no interval: {why}.")
        elif kind == "corr" and np.isnan(estimate):
            said.append(f"the correlation of {term} by {group!r} does not exist: one of the two does not vary.")
        elif kind == "corr" and 1 - abs(estimate) < CERTAIN:
            why = f"it is estimated as {'+' if estimate > 0 else '−'}1, the end of its scale"
            said.append(f"the correlation of {term} by {group!r} has no interval: {why}.")
        else:
            what = f"the {kind} of {term} by {group!r}" if group else repr(term)
            said.append(f"{what} has no interval: the optimiser stopped where the deviance has no minimum.")
    return tuple(said)


def _fixed(
    problem: Problem,
    objective: Objective,
    at: Profile,
    parameters: VarianceParameters,
    level: float,
    ddf: str,
) -> Floats:
    """p rows of estimate, se, df, lower, upper."""
    estimate = problem.fixef(at.beta.copy())
    se = np.sqrt(np.diag(problem.vcov(at.w_inverse, at.sigma2)))
    if ddf == "wald" or len(se) == 0:
        df = np.full(len(se), np.inf)
    else:
        df = satterthwaite_df(objective, at, parameters, problem.fixed.transform)
    half = special.stdtrit(df, 0.5 + level / 2.0) * se
    return np.column_stack([estimate, se, df, estimate - half, estimate + half])


class _Known:
    """What is known of the variance parameters, one row at a time: estimate, se, df (NaN), lower, upper."""

    def __init__(self, problem: Problem, parameters: VarianceParameters, z: float) -> None:
        self.problem, self.parameters, self.z = problem, parameters, z
        self.relative = problem.relative_covariances(parameters.theta)
        self.scale = problem.response.scale
        self.is_minimum = parameters.is_minimum

    def row(self, parameter: Parameter) -> Floats:
        """The row of a parameter that is no coefficient."""
        if parameter.kind == "sd":
            return self.sd(parameter.factor, *parameter.effects)
        return self.corr(parameter.factor, *parameter.effects) if parameter.kind == "corr" else self.sigma()

    def sd(self, f: int, i: int) -> Floats:
        """Standard deviation of effect i of factor f."""
        estimate = self._sd(self.relative[f], self.parameters.sigma, i)
        if np.sqrt(self.relative[f][i, i]) <= self._flat(f, i):
            return np.array([estimate, np.nan, np.nan, 0.0, np.nan])

        def log_sd(theta: Floats, sigma: float) -> Floats:
            return np.log([self._sd(self.problem.relative_covariances(theta)[f], sigma, i)])

        half = self.z * self._se(log_sd)
        with np.errstate(over="ignore"):  # an sd just above zero may reach to infinity
            ends = estimate * np.exp([-half, half])
        return np.array([estimate, estimate * half / self.z, np.nan, *ends])

    def corr(self, f: int, i: int, j: int) -> Floats:
        """Correlation of effects i and j of factor f."""
        if min(np.sqrt(self.relative[f][k, k]) - self._flat(f, k) for k in (i, j)) <= 0:
            return np.full(5, np.nan)
        estimate = _corr(self.relative[f], i, j)
        if 1 - abs(estimate) < CERTAIN:
            return np.array([float(np.sign(estimate)), np.nan, np.nan, np.nan, np.nan])

        def fisher_z(theta: Floats, sigma: float) -> Floats:  # noqa: ARG001 (correlations do not depend on σ)
            return np.arctanh([_corr(self.problem.relative_covariances(theta)[f], i, j)])

        half = self.z * self._se(fisher_z)
        ends = np.tanh(np.arctanh(estimate) + np.array([-half, half]))
        return np.array([estimate, (1 - estimate**2) * half / self.z, np.nan, *ends])

    def sigma(self) -> Floats:
        """Residual standard deviation."""
        estimate = self.scale * self.parameters.sigma

        def log_sigma(theta: Floats, sigma: float) -> Floats:  # noqa: ARG001 (σ is one of the two)
            return np.log([sigma])

        half = self.z * self._se(log_sigma)
        return np.array([estimate, estimate * half / self.z, np.nan, *(estimate * np.exp([-half, half]))])

    def _sd(self, relative: Floats, sigma: float, i: int) -> float:
        return float(self.scale * sigma * np.sqrt(relative[i, i]))

    def _flat(self, f: int, i: int) -> float:
        """The relative standard deviation below which effect i of factor f counts as not varying."""
        return FLAT * float(np.linalg.norm(self.problem.varying[f][i]))

    def _se(self, of: Callable[[Floats, float], Floats]) -> float:
        """Standard error of a function of (θ̂, σ̂); NaN where the deviance has no minimum."""
        if not self.is_minimum:
            return np.nan
        return float(np.sqrt(max(self.parameters.delta(of)[1][0, 0], 0.0)))


def _corr(relative: Floats, i: int, j: int) -> float:
    r = relative[i, j] / np.sqrt(relative[i, i] * relative[j, j])
    return float(np.clip(r, -1.0, 1.0))
