"""Predictions for a population: the mean over groups of each row, where `random=False` gives that of a middle group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mixedsim.engine.glm_links import predictor_of
from mixedsim.errors import MixedsimError
from mixedsim.frame import as_frame
from mixedsim.inference.glm_average import Average, average, check_average
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.prediction_rows import Target, fitted_rows, linear_predictor, named, new_rows, of_all_columns

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Averaged:
    """Rows with their means over all groups.

    Attributes
    ----------
    target : the rows; no factor takes part.
    eta : their predictors in a middle group.
    found : the means, with their derivatives.
    """

    target: Target
    eta: Floats
    found: Average


def averaged(fit: GeneralizedEstimates, new: Any, offset: str | ArrayLike | None) -> Averaged:
    """Means of the response over all groups.

    Parameters
    ----------
    new : a table with the predictors, those of random slopes included; the fitted rows if None.
    offset : as in `GeneralizedLinearMixedModel.predict`.

    Raises
    ------
    MixedsimError
        With the inverse links, for which no such mean exists.
    """
    check_average(fit.link)
    target = _rows(fit, new, offset)
    fixef = of_all_columns(fit.design, fit.problem.linear.fixed.kept, fit._fixef)
    no_modes = [np.empty((0, len(factor.effects))) for factor in fit.design.factors]
    eta = linear_predictor(target, fixef, no_modes)
    variance = np.zeros(len(eta))
    for columns, factor in zip(target.z, fit.design.factors, strict=True):
        z = np.column_stack([np.broadcast_to(column, len(eta)) for column in columns])
        variance += np.einsum("ij,jk,ik->i", z, fit.covariances[factor.name].to_numpy(), z)
    return Averaged(target, eta, average(fit.family, fit.link, eta, variance))


def on_scale(fit: GeneralizedEstimates, mean: Floats, scale: str) -> Floats:
    """Means, or their predictors."""
    return predictor_of(fit.link, mean) if scale == "link" else mean


def _rows(fit: GeneralizedEstimates, new: Any, offset: str | ArrayLike | None) -> Target:
    none = [False] * len(fit.design.factors)
    if new is None:
        if offset is not None:
            raise MixedsimError("an offset belongs to new rows: the fitted rows keep that of the fit.")
        return fitted_rows(fit.design, none)
    offset = named(offset, fit.request.offset, new)
    return new_rows(fit.design, none, [True] * len(none), as_frame(new), False, offset)
