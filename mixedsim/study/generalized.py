"""Generalised models of what populations draw: the family that `glmer` fits, the offset, the estimates with intervals.

Coefficients have Wald intervals. Standard deviations and correlations have none of that kind: their distribution is
too far from normal. They have profile intervals, where somebody asks for these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from mixedsim.engine.glm_problem import FAMILIES
from mixedsim.errors import ConvergenceError, DataError
from mixedsim.inference.glm_profile import glm_parameters
from mixedsim.models import GeneralizedLinearMixedModel
from mixedsim.simulate import Population
from mixedsim.simulate.families import family_of
from mixedsim.simulate.family import outcome
from mixedsim.study.true_values import Symbol

FamilyAndLink = tuple[str, str]
PROFILED = 10_000  # rows of a fit whose profiles one waits for: a tenth of a second with 1,000
_NO_TWO = "one of the two does not vary"
_COLUMNS = ["estimate", "se", "df", "lower", "upper"]


def family_and_link(population: Population) -> FamilyAndLink:
    """The family and link of a population's outcome."""
    family = family_of(population.family)
    return family.kind, family.link


def glmer_family(population: Population) -> FamilyAndLink | None:
    """What `glmer` takes as `family` for a population; None for outcomes that it does not model.

    Examples
    --------
    >>> import mixedsim as ms
    >>> from mixedsim.study.generalized import glmer_family
    >>> print(glmer_family(ms.scenarios.therapist_plain()))
    None
    """
    kind, link = family_and_link(population)
    known = FAMILIES.get(kind)
    return (kind, link) if known is not None and link in known.links else None


def outcome_words(population: Population) -> str:
    """The outcome, as refusals call it: ``an ordinal outcome``, ``a gaussian outcome with a log link``."""
    kind, link = family_and_link(population)
    return f"{outcome(kind)}{' with a log link' if kind == 'gaussian' and link == 'log' else ''}"


def exposure_of(population: Population) -> str | None:
    """The variable that says how long or how large was looked at, if there is one."""
    exposure: str | None = getattr(family_of(population.family), "exposure", None)
    return exposure


def with_offset(data: pd.DataFrame, exposure: str | None) -> tuple[pd.DataFrame, Mapping[str, Any]]:
    """Data and further arguments for `glmer`: the logarithm of the exposure as offset.

    Rows whose exposure is missing are left out, as those are that lack a predictor.

    Raises
    ------
    DataError
        For an exposure that is not positive, as errors of measurement may make it.
    """
    if exposure is None:
        return data, {}
    known = data[data[exposure].notna()]
    values = known[exposure].to_numpy(dtype=np.float64)
    if odd := int((values <= 0.0).sum()):
        raise DataError(
            f"the exposure {exposure!r} must be above 0, because its logarithm is the offset, and is not in {odd} "
            f"{'row' if odd == 1 else 'rows'} of the data: give the population none of the problems that make it so."
        )
    return known, {"offset": np.log(values)}


def symbols_of(fit: GeneralizedLinearMixedModel) -> tuple[Symbol, ...]:
    """(kind, group, term) of every parameter: coefficients, standard deviations, correlations."""
    return tuple((p.kind, p.group, p.term) for p in glm_parameters(fit.design, fit.problem))


def glmer_estimates(fit: GeneralizedLinearMixedModel, level: float) -> pd.DataFrame:
    """Estimate, se, df, lower and upper of all parameters; index and columns as those of `wald_intervals`.

    Intervals are Wald's: those of standard deviations and correlations are NaN.
    """
    index = pd.MultiIndex.from_tuples(symbols_of(fit), names=["kind", "group", "term"])
    known = fit.confint("wald", level)
    p = len(fit.coefficient_names)
    se, df = np.full((2, len(index)), np.nan)
    se[:p], df[:p] = np.sqrt(np.diag(fit.vcov.to_numpy())), np.inf
    return known.assign(se=se, df=df)[_COLUMNS].set_axis(index)


def profiled(fit: GeneralizedLinearMixedModel, level: float) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """`glmer_estimates` with profile intervals of standard deviations and correlations, and why some have none.

    None have one in a fit of more than 10,000 rows, nor with a dispersion, nor where a profile cannot be followed.
    """
    table = glmer_estimates(fit, level)
    varying = [one for one in glm_parameters(fit.design, fit.problem) if one.kind != "fixed"]
    of_those = "standard deviations and correlations of the effects have no interval"
    if fit.nobs > PROFILED:
        why = f"profiles take long with more than {PROFILED:,} rows, and fit.confint() computes them"
        return table, (f"{of_those}: {why}.",)
    try:
        ends = fit.confint("profile", level, [one.name for one in varying])
    except ConvergenceError as error:
        return table, (f"{of_those}: {error}",)
    lower, upper = table["lower"].to_numpy().copy(), table["upper"].to_numpy().copy()
    p = len(fit.coefficient_names)
    known = table["estimate"].notna().to_numpy()[p:]
    lower[p:], upper[p:] = ends["lower"].where(known), ends["upper"].where(known)
    table = table.assign(lower=lower, upper=upper)
    lost = [one for one, exists in zip(varying, known, strict=True) if not exists]
    said = [f"the correlation of {one.term} by {one.group!r} does not exist: {_NO_TWO}." for one in lost]
    if fit.kind.scaled:
        why = f"in a {fit.family} model they are relative to a dispersion, which is estimated beside the likelihood"
        said.append(f"standard deviations of the effects have no interval: {why}.")
    return table, tuple(said)
