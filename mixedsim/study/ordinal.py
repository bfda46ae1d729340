"""Populations of ordered categories: the link that `clmm` fits, the true thresholds, the estimates with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from mixedsim.errors import ConvergenceError
from mixedsim.models import CumulativeLinkMixedModel
from mixedsim.models.clmm_intervals import clmm_parameters
from mixedsim.simulate import Population
from mixedsim.simulate.families import family_of
from mixedsim.simulate.ordinal import Ordinal
from mixedsim.study.generalized import PROFILED
from mixedsim.study.true_values import Symbol

_COLUMNS = ["estimate", "se", "df", "lower", "upper"]


def clmm_link(population: Population) -> str | None:
    """The link that `clmm` takes for a population; None for other outcomes than ordered categories.

    Examples
    --------
    >>> import mixedsim as ms
    >>> from mixedsim.study.ordinal import clmm_link
    >>> clmm_link(ms.scenarios.satisfaction())
    'logit'
    """
    family = family_of(population.family)
    return family.link if isinstance(family, Ordinal) else None


def threshold_truths(population: Population) -> Mapping[Symbol, float]:
    """The true thresholds by (kind, group, term); none of other outcomes than ordered categories."""
    family = family_of(population.family)
    if not isinstance(family, Ordinal):
        return {}
    between = (f"{low}|{high}" for low, high in pairwise(family.names()))
    return {("threshold", "", name): float(value) for name, value in zip(between, family.thresholds, strict=True)}


def clmm_symbols(fit: CumulativeLinkMixedModel) -> tuple[Symbol, ...]:
    """(kind, group, term) of every parameter: thresholds, coefficients, standard deviations, correlations."""
    return tuple((one.kind, one.group, one.term) for one in clmm_parameters(fit))


def clmm_estimates(fit: CumulativeLinkMixedModel, level: float) -> pd.DataFrame:
    """Estimate, se, df, lower and upper of all parameters; index and columns as those of `wald_intervals`.

    Intervals are Wald's: those of standard deviations and correlations are NaN.
    """
    index = pd.MultiIndex.from_tuples(clmm_symbols(fit), names=["kind", "group", "term"])
    known = fit.confint("wald", level)
    errors = np.sqrt(np.diag(fit.joint_vcov.to_numpy()))
    se, df = np.full((2, len(index)), np.nan)
    se[: len(errors)], df[: len(errors)] = errors, np.inf
    return known.assign(se=se, df=df)[_COLUMNS].set_axis(index)


def clmm_profiled(fit: CumulativeLinkMixedModel, level: float) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """`clmm_estimates` with profile intervals of standard deviations and correlations, and why some have none."""
    table = clmm_estimates(fit, level)
    varying = [one.name for one in clmm_parameters(fit) if one.kind in ("sd", "corr")]
    of_those = "standard deviations and correlations of the effects have no interval"
    if fit.nobs > PROFILED:
        why = f"profiles take long with more than {PROFILED:,} rows, and fit.confint() computes them"
        return table, (f"{of_those}: {why}.",)
    try:
        ends = fit.confint("profile", level, varying)
    except ConvergenceError as error:
        return table, (f"{of_those}: {error}",)
    last = slice(len(table) - len(varying), None)
    known = table["estimate"].notna().to_numpy()[last]
    lower, upper = table["lower"].to_numpy().copy(), table["upper"].to_numpy().copy()
    lower[last], upper[last] = ends["lower"].where(known), ends["upper"].where(known)
    return table.assign(lower=lower, upper=upper), ()
