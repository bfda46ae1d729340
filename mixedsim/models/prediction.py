"""Means of rows, with or without what is known about their groups, and how far they may be off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from mixedsim.columns import Columns, model_columns
from mixedsim.design import Design, GroupingFactor, row_of
from mixedsim.errors import DataError, MixedsimError, nearest
from mixedsim.frame import as_frame
from mixedsim.inference.contrasts import check_level
from mixedsim.inference.effect_sizes import standardised
from mixedsim.inference.prediction_variance import Rows, prediction_df, prediction_variance
from mixedsim.levels import codes_in
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.reading import kind_of, read_column

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Interval = Literal["confidence", "prediction"]
RandomPart: TypeAlias = bool | str | Sequence[str]
ResidualKind = Literal["response", "pearson", "scaled"]


@dataclass(frozen=True, eq=False)
class _Target:
    """The rows to predict, coded as the fitted ones were (n rows).

    Attributes
    ----------
    x : the fixed-effect columns.
    z : for each factor its columns; none where nobody asks for them.
    codes : for each factor the level of every row; −1 where the level is missing, new, or the factor takes no part.
    new, missing : for each factor, rows whose level the model has not seen, and rows that have none.
    part : for each factor, whether it takes part.
    offset : n values or None.
    index : row labels.
    """

    x: Columns
    z: list[tuple[Floats | float, ...]]
    codes: list[Codes]
    new: list[NDArray[np.bool_]]
    missing: list[NDArray[np.bool_]]
    part: list[bool]
    offset: Floats | None
    index: pd.Index[Any]


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
    part = _taking_part(fit.design.factors, random)
    # what the fit took from a named column is taken from the same column of the new rows
    offset = _named(offset, fit.request.offset, new)
    weights = _named(weights, fit.request.weights, new)
    if new is None:
        if offset is not None or weights is not None:
            raise MixedsimError("offset and weights belong to new rows: the fitted rows keep those of the fit.")
        target = _fitted_rows(fit.design, part)
    else:
        frame = as_frame(new)
        needed = [taken or interval == "prediction" for taken in part]
        target = _new_rows(fit.design, part, needed, frame, allow_new_levels, offset)
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
    fitted = _mean(fit, _fitted_rows(design, [True] * len(design.factors)))
    out = pd.Series(design.y - fitted, index=design.index, name="residual")
    if kind != "response" and design.weights is not None:
        out = out * np.sqrt(design.weights)
    return out / fit.sigma if kind == "scaled" else out


def _named(given: str | ArrayLike | None, asked: str | ArrayLike | None, new: Any) -> str | ArrayLike | None:
    """What is given for the new rows, or the name of the column that the fit used."""
    return asked if given is None and new is not None and isinstance(asked, str) else given


def _taking_part(factors: Sequence[GroupingFactor], random: RandomPart) -> list[bool]:
    """For each factor, whether its effects enter."""
    if isinstance(random, bool | np.bool_):
        return [bool(random)] * len(factors)
    names = [factor.name for factor in factors]
    given: object = random
    if not isinstance(given, Iterable):
        known = ", ".join(map(repr, names))
        raise MixedsimError(f"random must be True, False or names of grouping factors ({known}), found {given!r}.")
    wanted = [random] if isinstance(random, str) else list(random)
    for name in wanted:
        if name not in names:
            raise MixedsimError(
                f"random names {name!r}, which is no grouping factor of this model: {nearest(str(name), names)}"
            )
    return [name in wanted for name in names]


def _fitted_rows(design: Design, part: list[bool]) -> _Target:
    none = np.zeros(design.rows, dtype=bool)
    absent = np.full(design.rows, -1, dtype=np.intp)
    return _Target(
        x=design.x,
        z=[tuple(c for term in factor.terms for c in term.columns.columns) for factor in design.factors],
        codes=[f.codes if taken else absent for f, taken in zip(design.factors, part, strict=True)],
        new=[none for _ in design.factors],
        missing=[none for _ in design.factors],
        part=part,
        offset=design.offset,
        index=design.index,
    )


def _new_rows(
    design: Design,
    part: list[bool],
    needed: list[bool],
    frame: pd.DataFrame,
    allow_new: bool,
    offset: str | ArrayLike | None,
) -> _Target:
    none = np.zeros(len(frame), dtype=bool)
    absent = np.full(len(frame), -1, dtype=np.intp)
    z: list[tuple[Floats | float, ...]] = []
    codes: list[Codes] = []
    new: list[NDArray[np.bool_]] = []
    missing: list[NDArray[np.bool_]] = []
    for factor, taken, wanted in zip(design.factors, part, needed, strict=True):
        own = _levels_of(factor, frame, allow_new) if taken else (absent, none, none)
        terms = factor.terms if wanted else ()
        columns = [model_columns(t.term.effects, frame, t.columns.spec).columns for t in terms]
        z.append(tuple(column for some in columns for column in some))
        codes.append(own[0])
        new.append(own[1])
        missing.append(own[2])
    _check_kinds(design, frame)
    if design.offset is None and offset is not None:
        raise MixedsimError("the model was fitted without an offset, so new rows have none: leave offset out.")
    if design.offset is not None and offset is None:
        raise DataError(
            "the model was fitted with an offset, which new rows need too: pass offset=, a column of the new data or "
            "one number a row."
        )
    return _Target(
        x=model_columns(design.formula.fixed, frame, design.x.spec),
        z=z,
        codes=codes,
        new=new,
        missing=missing,
        part=part,
        offset=None if offset is None else _row_numbers("offset", offset, frame),
        index=frame.index,
    )


def _check_kinds(design: Design, frame: pd.DataFrame) -> None:
    """New predictors are finite, and dates only where the model was fitted to dates."""
    predictors = design.formula.predictors
    for name in sorted(predictors & design.kinds.keys() & set(frame.columns)):
        values = read_column(name, frame[name])
        found, old = kind_of(values), design.kinds[name]
        if found != old and "categories" not in (found, old):
            raise DataError(f"column {name!r} holds {found} where the model was fitted to {old}: convert the column.")
        if found == "numbers" and np.isinf(values).any():
            where = row_of(np.isinf(values), frame.index, values)
            raise DataError(f"column {name!r} holds infinite values: {where}; replace or remove them.")


def _levels_of(
    factor: GroupingFactor, frame: pd.DataFrame, allow_new: bool
) -> tuple[Codes, NDArray[np.bool_], NDArray[np.bool_]]:
    """Level numbers of new rows, which of them are new levels, and which are missing."""
    for name in factor.coding.names:
        if name not in frame.columns:
            raise DataError(
                f"predicting with random effects needs the column {name!r}, which the new data do not have: "
                f"{nearest(name, frame.columns)} Use random=False to predict for the population."
            )
    codes, missing = codes_in(factor.coding, frame, allow_new=allow_new)
    return codes, (codes < 0) & ~missing, missing


def _row_numbers(what: str, given: str | ArrayLike, frame: pd.DataFrame) -> Floats:
    """One number for each new row, from a column's name or from values; NaN stays."""
    if isinstance(given, str):
        if given not in frame.columns:
            tail = nearest(given, frame.columns)
            raise DataError(f"{what} names a column {given!r}, which the new data do not have: {tail}")
        given = read_column(given, frame[given])
    values = np.asarray(given)
    if values.dtype.kind not in "iuf":
        raise DataError(f"{what} must be numbers, one a row of the new data, or the name of a numeric column.")
    if values.shape not in ((), (len(frame),)):
        raise DataError(f"{what} must have one value for each of the {len(frame)} new rows, found {values.size}.")
    return np.broadcast_to(values.astype(np.float64), len(frame))


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
    values = _row_numbers("weights", weights, frame)
    if (values <= 0).any():
        raise DataError("weights of new rows must be positive: a weight of zero is a row with an infinite variance.")
    return values


def _mean(fit: LinearEstimates, target: _Target) -> Floats:
    beta = np.zeros(len(target.x.names))
    beta[list(fit.problem.fixed.kept)] = fit._fixef  # dropped columns count as zero
    eta = target.x.dot(beta)
    if target.offset is not None:
        eta = eta + target.offset
    for columns, codes, missing, taken, b in zip(
        target.z, target.codes, target.missing, target.part, fit._modes, strict=True
    ):
        if not taken:
            continue
        known = codes >= 0
        for k, column in enumerate(columns):
            eta = eta + np.where(known, b[codes, k], 0.0) * column
        eta = np.where(missing, np.nan, eta)
    return np.asarray(eta, dtype=np.float64)


def _with_interval(
    fit: LinearEstimates, target: _Target, estimate: Floats, noise: Floats, interval: Interval, level: float
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


def _standardised_rows(fit: LinearEstimates, target: _Target, noise: Floats, observation: bool) -> Rows:
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
