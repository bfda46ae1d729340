"""Means of rows, with or without what is known about their groups, and how far they may be off."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from mixedsim.design import Design
from mixedsim.errors import DataError, MixedsimError
from mixedsim.frame import as_frame
from mixedsim.inference.contrasts import check_level
from mixedsim.inference.effect_sizes import standardised
from mixedsim.inference.prediction_variance import Rows, prediction_df, prediction_variance
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.prediction_rows import (
    RandomPart,
    Target,
    fitted_rows,
    linear_predictor,
    named,
    new_rows,
    of_all_columns,
    row_numbers,
    taking_part,
)

Floats = NDArray[np.float64]
Interval = Literal["confidence", "prediction"]
ResidualKind = Literal["response", "pearson", "scaled"]


def predict(
    fit: LinearEstimates,
    new: Any,
    *,
    random: RandomPart,
    allow_new_levels: bool,
    interval: Interval | None,
    level: float,
    offset: str | ArrayLike | None,
    weights: str | ArrayLike | None,
) -> pd.Series[float] | pd.DataFrame:
    """The table behind `LinearMixedModel.predict`."""
    if interval not in (None, "confidence", "prediction"):
        raise MixedsimError(f"interval must be None, 'confidence' or 'prediction', found {interval!r}.")
    check_level(level)
    part = taking_part(fit.design.factors, random)
    # what the fit took from a named column is taken from the same column of the new rows
    offset = named(offset, fit.request.offset, new)
    weights = named(weights, fit.request.weights, new)
    if new is None:
        if offset is not None or weights is not None:
            raise MixedsimError("offset and weights belong to new rows: the fitted rows keep those of the fit.")
        target = fitted_rows(fit.design, part)
    else:
        frame = as_frame(new)
        needed = [taken or interval == "prediction" for taken in part]
        target = new_rows(fit.design, part, needed, frame, allow_new_levels, offset)
    estimate = _mean(fit, target)
    if interval is None:
        return pd.Series(estimate, index=target.index, name="fitted" if new is None else "predicted")
    noise = np.zeros(len(estimate))
    if interval == "prediction":
        noise = 1.0 / _weights(fit.design, new, weights)
    return _with_interval(fit, target, estimate, noise, interval, level)


def residuals(fit: LinearEstimates, kind: ResidualKind) -> pd.Series[float]:
    """The values behind `LinearMixedModel.residuals`."""
    if kind not in get_args(ResidualKind):
        raise MixedsimError(f"kind must be 'response', 'pearson' or 'scaled', found {kind!r}.")
    design = fit.design
    fitted = _mean(fit, fitted_rows(design, [True] * len(design.factors)))
    out = pd.Series(design.y - fitted, index=design.index, name="residual")
    if kind != "response" and design.weights is not None:
        out = out * np.sqrt(design.weights)
    return out / fit.sigma if kind == "scaled" else out


def _weights(design: Design, new: Any, weights: str | ArrayLike | None) -> Floats:
    """Prior weights of the rows that are predicted."""
    if new is None:
        return np.ones(design.rows) if design.weights is None else design.weights
    frame = as_frame(new)
    if weights is None:
        if design.weights is None:
            return np.ones(len(frame))
        raise DataError(
            "the model was fitted with weights, which a prediction interval for new rows needs too: pass weights=, a "
            "column of the new data or one positive number a row."
        )
    values = row_numbers("weights", weights, frame)
    if (values <= 0).any():
        raise DataError("weights of new rows must be positive: a weight of zero is a row with an infinite variance.")
    return values


def _mean(fit: LinearEstimates, target: Target) -> Floats:
    return linear_predictor(target, of_all_columns(fit.design, fit.problem.fixed.kept, fit._fixef), fit._modes)


def _with_interval(
    fit: LinearEstimates, target: Target, estimate: Floats, noise: Floats, interval: Interval, level: float
) -> pd.DataFrame:
    """Estimate, se, df, lower, upper; rows without an estimate have none of them."""
    usable = np.isfinite(estimate) & np.isfinite(noise)
    rows = _standardised_rows(fit, target, noise, interval == "prediction")
    rows = Rows(*(_where(part, usable) for part in (rows.x, rows.z, rows.codes, rows.unknown, rows.noise)))
    at = fit.optimum.profile
    se, df = np.full((2, len(estimate)), np.nan)
    se[usable] = fit.problem.response.scale * np.sqrt(prediction_variance(fit.objective, at, rows))
    df[usable] = prediction_df(fit.objective, at, fit.variance_parameters, rows)
    half = special.stdtrit(df, 0.5 + level / 2.0) * se
    return pd.DataFrame(
        {"estimate": estimate, "se": se, "df": df, "lower": estimate - half, "upper": estimate + half},
        index=target.index,
    )


def _where(part: Any, usable: NDArray[np.bool_]) -> Any:
    return [own[usable] for own in part] if isinstance(part, list) else part[usable]


def _standardised_rows(fit: LinearEstimates, target: Target, noise: Floats, observation: bool) -> Rows:
    """The rows in the columns of the engine.

    A factor that takes no part is averaged over in a mean, but one new observation still comes from some level of it.
    """
    problem, n = fit.problem, len(target.index)
    kept = [target.x.columns[j] for j in problem.fixed.kept]
    z, unknown = [], []
    for transform, columns, new, taken in zip(problem.varying, target.z, target.new, target.part, strict=True):
        z.append(standardised(columns, transform, n) if columns else np.zeros((n, len(transform))))
        unknown.append(new if taken else np.full(n, observation))
    return Rows(standardised(kept, problem.fixed.transform, n), z, target.codes, unknown, noise)
