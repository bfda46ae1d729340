"""Confidence intervals of a generalised model: profile, Wald, bootstrap. As `intervals` are those of a linear one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from mixedsim.errors import MixedsimError
from mixedsim.inference.contrasts import check_level
from mixedsim.inference.glm_profile import glm_parameters, glm_profile_intervals, glm_values
from mixedsim.inference.parameters import Parameter, selected
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.generalized_prediction import bootstrap_table
from mixedsim.models.intervals import IntervalMethod, percentiles, replicated

Floats = NDArray[np.float64]


def confint(
    fit: GeneralizedEstimates,
    method: IntervalMethod,
    level: float,
    parameters: str | Sequence[str] | None,
    n: int,
    seed: Any,
) -> pd.DataFrame:
    """The table behind `GeneralizedLinearMixedModel.confint`."""
    if method not in get_args(IntervalMethod):
        raise MixedsimError(f"method must be 'profile', 'wald' or 'boot', found {method!r}.")
    check_level(level)
    wanted = selected(glm_parameters(fit.design, fit.problem), parameters)
    names = [parameter.name for parameter in wanted]
    if method == "profile":
        ends = glm_profile_intervals(fit.design, fit.problem, fit.objective, fit.optimum, level=level, which=names)
    elif method == "wald":
        ends = _wald(fit, wanted, level)
    else:
        drawn = bootstrap_table(fit, n, seed)
        known = drawn[drawn["converged"]]
        sigma = known["sigma"].to_numpy(dtype=np.float64)
        values = replicated(fit.problem.layout, len(fit.coefficient_names), wanted, known, sigma)
        ends = percentiles(values, wanted, level)
        ends.attrs.update(drawn.attrs)
    ends.insert(0, "estimate", glm_values(wanted, fit.problem, fit.objective, fit.optimum))
    return ends


def _wald(fit: GeneralizedEstimates, wanted: Sequence[Parameter], level: float) -> pd.DataFrame:
    """Estimates and normal quantiles; of standard deviations and correlations there are none, as in lme4."""
    names = [parameter.name for parameter in wanted]
    se = np.sqrt(np.diag(fit.fixed_covariance.matrix))
    half = float(ndtri(0.5 + level / 2.0)) * se
    ends = np.full((len(wanted), 2), np.nan)
    for k, parameter in enumerate(wanted):
        if parameter.kind == "fixed":
            j = parameter.effects[0]
            ends[k] = fit._fixef[j] - half[j], fit._fixef[j] + half[j]
    return pd.DataFrame(ends, index=pd.Index(names, name="parameter", dtype=object), columns=["lower", "upper"])
