"""Which rows a generalised model is to predict, and on what scale with which interval."""

from __future__ import annotations

from typing import Any, Literal, get_args

import pandas as pd
from numpy.typing import ArrayLike

from mixedsim.errors import MixedsimError
from mixedsim.frame import as_frame
from mixedsim.inference.contrasts import check_level
from mixedsim.inference.glm_responses import means
from mixedsim.models import generalized_bounds
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.generalized_population import averaged, on_scale
from mixedsim.models.prediction import Interval
from mixedsim.models.prediction_rows import (
    RandomPart,
    Target,
    fitted_rows,
    linear_predictor,
    named,
    new_rows,
    of_all_columns,
    taking_part,
)

Scale = Literal["response", "link"]


def predict(
    fit: GeneralizedEstimates,
    new: Any,
    random: RandomPart,
    *,
    scale: Scale,
    allow_new_levels: bool,
    interval: Interval | None,
    level: float,
    offset: str | ArrayLike | None,
    weights: str | ArrayLike | None,
) -> pd.Series[float] | pd.DataFrame:
    """The values behind `GeneralizedLinearMixedModel.predict`."""
    _check_asked(scale, interval)
    check_level(level)
    if new is None and weights is not None:
        raise MixedsimError("weights belong to new rows: the fitted rows keep those of the fit.")
    if random == "average" and random not in fit.n_groups:
        found = averaged(fit, new, offset)
        if interval == "confidence":
            return generalized_bounds.of_average(fit, found.target, found.eta, found.found, scale, level)
        mean = on_scale(fit, found.found.mean, scale)
        if interval is None:
            return pd.Series(mean, index=found.target.index, name="average")
        return generalized_bounds.of_response(fit, found.target, found.eta, mean, new, weights, level)
    target = _target(fit, new, taking_part(fit.design.factors, random), allow_new_levels, interval, offset)
    fixef = of_all_columns(fit.design, fit.problem.linear.fixed.kept, fit._fixef)
    eta = linear_predictor(target, fixef, fit._modes)
    if interval == "confidence":
        return generalized_bounds.of_mean(fit, target, eta, scale, level)
    values = means(fit.family, fit.link, eta) if scale == "response" else eta
    if interval is None:
        return pd.Series(values, index=target.index, name="fitted" if new is None else "predicted")
    return generalized_bounds.of_response(fit, target, eta, values, new, weights, level)


def _check_asked(scale: object, interval: object) -> None:
    if scale not in get_args(Scale):
        raise MixedsimError(f"scale must be 'response' or 'link', found {scale!r}.")
    if interval not in (None, *get_args(Interval)):
        raise MixedsimError(f"interval must be None, 'confidence' or 'prediction', found {interval!r}.")
    if interval == "prediction" and scale == "link":
        raise MixedsimError(
            "a new response has no value on the scale of the link, so there is no interval for it: ask for "
            "scale='response', or for interval='confidence'."
        )


def _target(
    fit: GeneralizedEstimates,
    new: Any,
    part: list[bool],
    allow_new_levels: bool,
    interval: Interval | None,
    offset: str | ArrayLike | None,
) -> Target:
    """The rows to predict."""
    if new is None:
        if offset is not None:
            raise MixedsimError("an offset belongs to new rows: the fitted rows keep that of the fit.")
        return fitted_rows(fit.design, part)
    needed = [taken or interval == "prediction" for taken in part]
    return new_rows(fit.design, part, needed, as_frame(new), allow_new_levels, named(offset, fit.request.offset, new))
