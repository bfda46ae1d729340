"""Confidence intervals of a cumulative-link mixed model: thresholds, coefficients, sizes of random effects."""

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
from mixedsim.inference.glm_thresholds import threshold_intervals
from mixedsim.inference.parameters import Parameter, selected
from mixedsim.models.clmm_estimates import ClmmEstimates
from mixedsim.models.clmm_rows import bootstrap_table
from mixedsim.models.intervals import IntervalMethod, percentiles, replicated
from mixedsim.models.refitting import theta_names

Floats = NDArray[np.float64]


def clmm_parameters(fit: ClmmEstimates) -> tuple[Parameter, ...]:
    """All parameters that have a name: thresholds, coefficients, standard deviations, correlations."""
    thresholds = [Parameter("threshold", "", name, -1, (k,)) for k, name in enumerate(fit.threshold_names)]
    rest = glm_parameters(fit.design, fit.problem)
    return (*thresholds, *(one for one in rest if not (one.kind == "fixed" and one.term == "Intercept")))


def confint(
    fit: ClmmEstimates,
    method: IntervalMethod,
    level: float,
    parameters: str | Sequence[str] | None,
    n: int,
    seed: Any,
) -> pd.DataFrame:
    """The table behind `CumulativeLinkMixedModel.confint`."""
    if method not in get_args(IntervalMethod):
        raise MixedsimError(f"method must be 'profile', 'wald' or 'boot', found {method!r}.")
    check_level(level)
    wanted = selected(clmm_parameters(fit), parameters)
    if method == "profile":
        ends = _profile(fit, wanted, level)
    elif method == "wald":
        ends = _wald(fit, wanted, level)
    else:
        drawn = bootstrap_table(fit, n, seed)
        ends = percentiles(_replicated(fit, wanted, drawn[drawn["converged"]]), wanted, level)
        ends.attrs.update(drawn.attrs)
    ends.insert(0, "estimate", values(fit, wanted))
    return ends


def values(fit: ClmmEstimates, wanted: Sequence[Parameter]) -> Floats:
    """Estimates of some parameters."""
    count = sum(one.kind == "threshold" for one in wanted)
    first = [fit.located.thresholds[one.effects[0]] for one in wanted[:count]]
    return np.concatenate([first, glm_values(wanted[count:], fit.problem, fit.objective, fit.optimum)])


def _profile(fit: ClmmEstimates, wanted: Sequence[Parameter], level: float) -> pd.DataFrame:
    made = fit.design, fit.problem, fit.objective, fit.optimum
    thresholds = [one.effects[0] for one in wanted if one.kind == "threshold"]
    rest = [one.name for one in wanted if one.kind != "threshold"]
    ends = [threshold_intervals(*made, level=level, which=thresholds)]
    if rest:
        ends.append(glm_profile_intervals(*made, level=level, which=rest).to_numpy())
    return _table(wanted, np.concatenate(ends))


def _wald(fit: ClmmEstimates, wanted: Sequence[Parameter], level: float) -> pd.DataFrame:
    """Normal quantiles; of standard deviations and correlations there are none."""
    names = [*fit.threshold_names, *fit.coefficient_names]
    half = float(ndtri(0.5 + level / 2.0)) * np.sqrt(np.diag(fit.located.covariance))
    known = dict(zip(names, zip(fit.located.estimates - half, fit.located.estimates + half, strict=True), strict=True))
    none = (np.nan, np.nan)
    ends = [known[one.name] if one.kind in ("threshold", "fixed") else none for one in wanted]
    return _table(wanted, np.array(ends).reshape(-1, 2))


def _replicated(fit: ClmmEstimates, wanted: Sequence[Parameter], drawn: pd.DataFrame) -> Floats:
    """Every parameter of r replicates: r × parameters."""
    layout = fit.problem.layout
    varying = [one for one in wanted if one.kind in ("sd", "corr")]
    thetas = drawn[theta_names(layout.size)]
    of_effects = replicated(layout, 0, varying, thetas, np.ones(len(drawn)))
    plain = drawn[[one.name for one in wanted if one not in varying]].to_numpy(dtype=np.float64)
    return np.hstack([plain, of_effects])


def _table(wanted: Sequence[Parameter], ends: Floats) -> pd.DataFrame:
    index = pd.Index([one.name for one in wanted], name="parameter", dtype=object)
    return pd.DataFrame(ends, index=index, columns=["lower", "upper"])
