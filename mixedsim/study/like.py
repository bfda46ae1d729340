"""A population like a fitted model: "a dataset like yours, but synthetic".

Formula and parameters are those of the fit. Clusters nest and cross as in the data, with as many units and as many rows
in each, in the same order (for more groups give other ``clusters`` and ``size`` by `Population.with_`). Where not all
units of two crossed factors meet, each meets about as many as in the data.

Yes or no, counts and amounts of a generalised fit have its family and link; a negative binomial its tau, a gamma its
sigma as coefficient of variation (lme4's, which is somewhat too large). Numbers of trials are imitated as predictors
are, and so is an exposure, whose logarithm is the offset of the fit.

Every predictor is imitated by itself, at the coarsest cluster in whose units it is constant:

- what was given out by design, the same values in every unit, is given out again: the days of a longitudinal study,
  before and after, both arms in every region (`Assigned`). Units with fewer rows lack the values that are rarest.
- categories, and numbers of at most ten different values, have the shares they have in the data, exactly so among the
  units of a cluster;
- other numbers are normal, or lognormal where they are positive, skewed, and their logarithms less so. In both cases
  every cluster in which values are alike has a part of its own, with the sd that a model of varying intercepts gives
  it. They are rounded as the data are, and kept within the range of the data if they have a grid or are not negative.

What is not imitated: predictors that go together (each is drawn on its own, unless by design); shares of categories
that differ between clusters; predictors that go with sizes of groups; other shapes; why values are missing, since only
the rows that were fitted count; and all that the model leaves out. The population holds no response and no name of a
unit of the data; sizes of groups and, where there are few, values of variables are those of the data.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from mixedsim.errors import MixedsimError, PopulationError
from mixedsim.frame import as_frame
from mixedsim.listing import listed
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.reading import dates_as_days, read_column
from mixedsim.simulate import Population
from mixedsim.simulate.fields import FieldError
from mixedsim.study.like_clusters import found_clusters
from mixedsim.study.like_outcome import outcome_like
from mixedsim.study.like_variables import imitations

Fit: TypeAlias = LinearMixedModel | GeneralizedLinearMixedModel
_CERTAIN = 1 - 1e-9  # what a correlation of 1 becomes where rounding has made the matrix indefinite


def population_like(fit: Any) -> Population:
    """The population behind `Population.from_fit`, where it is described.

    Raises
    ------
    MixedsimError
        If `fit` is no fitted mixed model.
    PopulationError
        If no population has such a formula, such clusters or such predictors.
    """
    if not isinstance(fit, LinearMixedModel | GeneralizedLinearMixedModel):
        raise MixedsimError(f"from_fit needs a mixed model fitted by lmer or glmer, found {type(fit).__name__}.")
    frame = as_frame(fit.request.data).iloc[fit.design.used].reset_index(drop=True)
    outcome = outcome_like(fit, frame)
    _check(fit)
    found = found_clusters(fit.design.formula, frame)
    columns = {**_predictors(fit, frame), **outcome.columns}
    try:
        return Population(
            fit.formula,
            clusters=found.clusters,
            size=found.size,
            variables=imitations(columns, found, fit.design.formula, taken={*frame.columns, *columns}),
            fixef=_fixef(fit),
            ranef={group: _ranef(matrix) for group, matrix in fit.covariances.items()},
            **outcome.fields,
        )
    except FieldError as error:
        raise PopulationError(f"from_fit cannot imitate this fit: {error}") from None


def _check(fit: Fit) -> None:
    formula = fit.design.formula
    both = sorted(formula.predictors & {name for term in formula.terms for name in term.factors})
    if both:
        raise PopulationError(
            f"from_fit cannot imitate {listed(both)}, which explains rows and groups them too: add the column to the "
            "data a second time, under another name, and group by that."
        )


def _predictors(fit: Fit, frame: pd.DataFrame) -> dict[str, Any]:
    """The columns that the formula reads beside response and groups, as numbers or Categoricals, in their order."""
    names = fit.design.formula.predictors
    columns = {}
    for name in frame.columns:
        if name in names:
            values = dates_as_days(read_column(name, frame[name]))
            columns[name] = values.remove_unused_categories() if isinstance(values, pd.Categorical) else values
    return columns


def _fixef(fit: Fit) -> dict[str, float]:
    """All coefficients of the formula; those that the data did not determine are 0."""
    known = fit.fixef.to_dict()
    return {name: float(known.get(name, 0.0)) for name in fit.design.x.names}


def _ranef(matrix: pd.DataFrame) -> dict[str, Any]:
    """Standard deviations and correlations of a covariance matrix; at the boundary it may be indefinite by rounding."""
    covariance = matrix.to_numpy()
    sd = np.sqrt(np.diag(covariance))
    with np.errstate(invalid="ignore"):
        corr = np.nan_to_num(covariance / np.outer(sd, sd))
    if np.linalg.eigvalsh(corr + np.diag(1 - np.diag(corr)))[0] < 1e-12:
        corr = np.clip(corr, -1, 1) * _CERTAIN
    np.fill_diagonal(corr, 1.0)
    corr = 0.5 * (corr + corr.T)
    return {"sd": sd.tolist(), "corr": corr.tolist()} if len(sd) > 1 else {"sd": sd.tolist()}
