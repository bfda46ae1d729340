"""The lines of a pooling picture: what each way of pooling, and the truth, predict along one predictor in one group.

All other predictors are held at the group's own mean, or its most frequent category, so that every line of a panel
is about the same average member of the group.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.columns import model_columns
from mixedsim.errors import MixedsimError, nearest
from mixedsim.formula import unquote, variables_of
from mixedsim.simulate import Sample, Truth
from mixedsim.study import Pooling

Floats = NDArray[np.float64]
TruthLike = Truth | Sample | pd.DataFrame


def predictor(pooling: Pooling, x: str | None) -> str:
    """The column for the horizontal axis: `x`, or the first numeric predictor, one that varies if there is one.

    Raises
    ------
    MixedsimError
        If there is none, or `x` is no numeric predictor of the formula.
    """
    formula = pooling.fit.design.formula
    used = [name for name in pooling.data.columns if name in variables_of(formula.fixed)]
    numeric = [name for name in used if pd.api.types.is_numeric_dtype(pooling.data[name].dtype)]
    if x is not None:
        if x not in numeric:
            known = nearest(x, numeric) if numeric else "it has none."
            raise MixedsimError(f"x must be a numeric predictor of {pooling.formula!r}, found {x!r}: {known}")
        return x
    varying = [name for name in numeric if name in variables_of(pooling.varying)]
    for name in [*varying, *numeric]:
        return str(name)
    raise MixedsimError(f"{pooling.formula!r} has no numeric predictor to draw lines along.")


def held(pooling: Pooling, x: str) -> list[str]:
    """Names of the predictors that the lines hold constant."""
    return sorted(variables_of(pooling.fit.design.formula.fixed) - {x})


def _centre(values: pd.Series[Any]) -> Any:
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        return float(values.mean())
    return values.mode().iloc[0]


def _dtype(values: pd.Series[Any]) -> Any:
    """Categories stay what they are; the mean of whole numbers is none."""
    return values.dtype if isinstance(values.dtype, pd.CategoricalDtype) else None


def along(rows: pd.DataFrame, x: str, grid: Floats) -> pd.DataFrame:
    """A table with one row a grid value: `x` runs, all other columns stay at the group's centre."""
    columns = {
        str(name): pd.Series([_centre(rows[name])] * len(grid), dtype=_dtype(rows[name])) for name in rows.columns
    }
    return pd.DataFrame({**columns, x: grid})


def line(pooling: Pooling, coefficients: pd.Series[float], frame: pd.DataFrame) -> Floats:
    """Predictions for the rows of `frame`; NaN if the group has no coefficients of its own."""
    if coefficients.isna().all():
        return np.full(len(frame), np.nan)
    design = pooling.fit.design
    columns = model_columns(design.formula.fixed, frame, design.x.spec)
    eta = np.zeros(len(frame))
    for name, column in zip(columns.names, columns.columns, strict=True):
        b = coefficients.get(name, 0.0)  # a column that was dropped, or that the group's own intercept has absorbed
        eta += (0.0 if b is None or np.isnan(b) else float(b)) * column
    if "Intercept" in coefficients.index and "Intercept" not in columns.names:
        eta += float(coefficients["Intercept"])
    return eta


def true_line(truth: TruthLike, pooling: Pooling, level: Any, rows: pd.DataFrame, x: str, grid: Floats) -> Floats:
    """What is true of a group: the population's own formula with the group's own effects.

    Parameters
    ----------
    truth : of the sample whose data were pooled; or a DataFrame of coefficients, groups × names.
    """
    if isinstance(truth, pd.DataFrame):
        if level not in truth.index:
            return np.full(len(grid), np.nan)
        return line(pooling, truth.loc[level], along(rows, x, grid))
    known = truth.truth if isinstance(truth, Sample) else truth
    hidden = known.hidden
    if len(hidden.columns):
        rows = rows.join(hidden)
    plan = known.population.plan
    frame = along(rows, x, grid)
    eta = model_columns(plan.formula.fixed, frame).dot(np.array(list(known.fixef), dtype=np.float64))
    effects = known.ranef.get(pooling.group)
    if effects is not None and level in effects.index:
        for term in (term for term in plan.terms if term.group == pooling.group):
            columns = model_columns(term.rhs, frame)
            eta = eta + columns.dot(np.array(effects.loc[level, list(term.names)], dtype=np.float64))
    return eta


def checked_truth(truth: Any) -> TruthLike | None:
    """`truth` if it is one.

    Raises
    ------
    MixedsimError
        If it is neither a `Truth`, nor a `Sample`, nor a DataFrame, nor None.
    """
    if truth is None or isinstance(truth, Truth | Sample | pd.DataFrame):
        return truth
    raise MixedsimError(
        f"truth must be a Sample, its truth, or a DataFrame of groups × coefficients, found {type(truth).__name__}."
    )


def response_name(pooling: Pooling) -> str:
    """The response as the axis names it."""
    return unquote(pooling.fit.design.formula.response)
