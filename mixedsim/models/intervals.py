"""Confidence intervals of all parameters in one table, by whichever method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.engine import Layout
from mixedsim.errors import MixedsimError
from mixedsim.inference.contrasts import check_level
from mixedsim.inference.parameters import Parameter, parameters_of, selected, values_of
from mixedsim.inference.profile import profile_intervals
from mixedsim.inference.wald import wald_intervals
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.simulation import bootstrap_table

Floats = NDArray[np.float64]
IntervalMethod = Literal["profile", "wald", "boot"]


def confint(
    fit: LinearEstimates,
    method: str,
    level: float,
    parameters: str | Sequence[str] | None,
    n: int,
    seed: int | np.random.Generator | None,
) -> pd.DataFrame:
    """The table behind `LinearMixedModel.confint`: estimate, lower, upper; index parameter."""
    if method not in get_args(IntervalMethod):
        raise MixedsimError(f"method must be 'profile', 'wald' or 'boot', found {method!r}.")
    check_level(level)
    everything = parameters_of(fit.design, fit.problem)
    wanted = selected(everything, parameters)
    if method == "profile":
        ends = profile_intervals(
            fit.design, fit.problem, fit.objective, fit.optimum.profile, level=level, which=[p.name for p in wanted]
        )
    elif method == "wald":
        ends = _wald(fit, level, everything).loc[[p.name for p in wanted]]
    else:
        ends = _percentiles(fit, level, everything, n, seed).loc[[p.name for p in wanted]]
    at = fit.optimum.profile
    lambdas = fit.problem.layout.lambdas(at.theta)
    estimates = values_of(wanted, fit.problem, lambdas, float(np.sqrt(at.sigma2)), at.beta)
    ends.insert(0, "estimate", estimates)
    return ends


def _wald(fit: LinearEstimates, level: float, everything: Sequence[Parameter]) -> pd.DataFrame:
    """From the curvature at the optimum: normal quantiles, as lme4 takes them."""
    table = wald_intervals(
        fit.design, fit.problem, fit.objective, fit.optimum.profile, fit.variance_parameters, level=level, ddf="wald"
    )
    return table[["lower", "upper"]].set_axis(_index(everything), axis=0)


def _percentiles(
    fit: LinearEstimates,
    level: float,
    everything: Sequence[Parameter],
    n: int,
    seed: int | np.random.Generator | None,
) -> pd.DataFrame:
    """Between quantiles of a parametric bootstrap (lme4's type "perc"); replicates that failed are left out."""
    drawn = bootstrap_table(fit, n, seed)
    layout, p = fit.problem.layout, len(fit.coefficient_names)
    known = drawn[drawn["converged"]]
    # by place, not by name: a predictor may be called theta1
    sigma = known.iloc[:, p + layout.size].to_numpy(dtype=np.float64)
    out = percentiles(replicated(layout, p, everything, known, sigma), everything, level)
    out.attrs.update(drawn.attrs)
    return out


def percentiles(values: Floats, parameters: Sequence[Parameter], level: float) -> pd.DataFrame:
    """Quantiles of each parameter's replicates (r × parameters) as a table: lower, upper."""
    tails = [0.5 - level / 2.0, 0.5 + level / 2.0]
    ends = np.full((len(parameters), 2), np.nan)
    for k, column in enumerate(values.T):
        known = column[~np.isnan(column)]
        if len(known):
            ends[k] = np.quantile(known, tails)
    return pd.DataFrame(ends, index=_index(parameters), columns=["lower", "upper"])


def replicated(
    layout: Layout, p: int, everything: Sequence[Parameter], drawn: pd.DataFrame, sigma: Floats
) -> Floats:
    """Every parameter of r replicates of a bootstrap: r × parameters, in the units of the data.

    Parameters
    ----------
    layout, p : of the model, and how many coefficients it has.
    everything : the parameters that are wanted.
    drawn : the bootstrap's table, whose columns begin with coefficients and θ.
    sigma : r scales to which random effects are relative.
    """
    numbers = drawn.iloc[:, : p + layout.size].to_numpy(dtype=np.float64)
    theta = numbers[:, p:]
    rows = []
    for f, mine in enumerate(layout.of_factor):
        lam = np.zeros((len(numbers), layout.factors[f].effects, layout.factors[f].effects))
        lam[:, layout.row[mine], layout.column[mine]] = theta[:, mine]
        rows.append(lam)
    out = np.empty((len(numbers), len(everything)))
    for k, parameter in enumerate(everything):
        if parameter.kind == "fixed":
            out[:, k] = numbers[:, parameter.effects[0]]
        elif parameter.kind == "sigma":
            out[:, k] = sigma
        else:
            ends = [rows[parameter.factor][:, effect] for effect in parameter.effects]
            sizes = [np.linalg.norm(end, axis=1) for end in ends]
            if parameter.kind == "sd":
                out[:, k] = sigma * sizes[0]
            else:
                both = sizes[0] * sizes[1]
                inner = (ends[0] * ends[1]).sum(axis=1)
                out[:, k] = np.divide(inner, both, out=np.full(len(both), np.nan), where=both > 0)
    return out


def _index(parameters: Sequence[Parameter]) -> pd.Index[str]:
    return pd.Index([p.name for p in parameters], name="parameter", dtype=object)
