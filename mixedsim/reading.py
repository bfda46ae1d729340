"""What the columns of a data frame hold, once and for all: numbers, categories or dates.

Pandas has a dozen ways to store each. Everything after this sees arrays of floats, integers or booleans, Categoricals
(text becomes one), and dates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import DataError, nearest, shown

Data: TypeAlias = "pd.DataFrame | Mapping[str, Any]"
Values: TypeAlias = Any  # an array of floats, integers or booleans, a Categorical, or an array of dates

_EXACT = 2.0**53  # above it not every whole number is a float
# Formulaic's contrasts may stand in a formula by their name alone: C(x, Sum).
_CONTRASTS = frozenset({"Diff", "Helmert", "Poly", "Sum", "Treatment", "contr"})


def require(data: Data, names: Iterable[str]) -> None:
    """Raise `DataError` with the nearest name if `data` lack one of the columns."""
    for name in sorted(names):
        if name in data or name in _CONTRASTS:
            continue
        known = list(data.keys())
        tail = nearest(name, known)
        if isinstance(data, pd.DataFrame):
            if name in data.index.names:
                tail = "it is the index; make it a column with data.reset_index()."
            elif name in map(str, known):
                tail = f"their name {name} is a number; make names text with data.columns.astype(str)."
        raise DataError(f"the formula needs a column {shown(name)}, which the data do not have: {tail}")


def read_column(name: str, series: pd.Series[Any]) -> Values:
    """A column as numbers, a Categorical (text becomes one) or dates; raises `DataError` if it is none of them.

    Missing values stay missing: NaN among numbers, code −1 in a Categorical, NaT among dates; booleans and integers
    with gaps become floats.
    """
    dtype = series.dtype
    if is_numeric(series):
        return _widened(series.to_numpy())
    if isinstance(dtype, pd.CategoricalDtype) or _is_date(dtype):
        return series.array
    if pd.api.types.is_complex_dtype(dtype):
        raise DataError(f"column {name!r} holds complex numbers: take their real part or modulus first.")
    for is_kind, kind in ((pd.api.types.is_bool_dtype, np.bool_), (pd.api.types.is_integer_dtype, np.int64)):
        if is_kind(dtype) and not series.isna().any():
            return series.to_numpy(dtype=kind)
    if pd.api.types.is_numeric_dtype(dtype):
        return _with_gaps(name, series)
    if pd.api.types.is_string_dtype(dtype) and not pd.api.types.is_object_dtype(dtype):
        return _text(series)
    return _read_objects(name, series)


def _read_objects(name: str, series: pd.Series[Any]) -> Values:
    """A column of Python objects: what pandas says that they are."""
    kind = pd.api.types.infer_dtype(series, skipna=True)
    if kind == "string":
        return _text(series)
    if kind == "boolean" and not series.isna().any():
        return series.to_numpy(dtype=bool)
    if kind in ("integer", "floating", "mixed-integer-float", "decimal", "boolean", "empty"):
        return _with_gaps(name, series.astype(object).where(series.notna(), np.nan))
    if kind in ("date", "datetime", "datetime64"):
        return _times(name, series)
    if kind in ("timedelta", "timedelta64"):
        return pd.to_timedelta(series).array
    if kind == "period":
        return pd.PeriodIndex(series).array
    if kind == "complex":
        raise DataError(f"column {name!r} holds complex numbers: take their real part or modulus first.")
    values = list(series.dropna())
    types = [type(value) for value in values]
    odd = values[types.index(min(types, key=types.count))]
    kinds = "different kinds of values" if len(set(types)) > 1 else "neither numbers nor text"
    found = f"{kinds}, such as {shown(odd)} ({type(odd).__name__})"
    raise DataError(f"column {name!r} holds {found}: make all of them numbers, or all text.")


def is_boolean(series: pd.Series[Any]) -> bool:
    """Whether a column holds True and False, with gaps or without."""
    if pd.api.types.is_object_dtype(series.dtype):
        return pd.api.types.infer_dtype(series, skipna=True) == "boolean"
    return bool(pd.api.types.is_bool_dtype(series.dtype))


def is_text(series: pd.Series[Any]) -> bool:
    """Whether a column holds text, with gaps or without, whose values therefore have no order but the alphabet's."""
    if pd.api.types.is_object_dtype(series.dtype):
        return pd.api.types.infer_dtype(series, skipna=True) == "string"
    return bool(pd.api.types.is_string_dtype(series.dtype)) and not isinstance(series.dtype, pd.CategoricalDtype)


def _with_gaps(name: str, series: pd.Series[Any]) -> NDArray[Any]:
    """Numbers that may be missing as floats; raises where whole numbers, as in an identifier, would be run together."""
    numbers = pd.to_numeric(series)
    whole = pd.api.types.is_integer_dtype(series.dtype) or pd.api.types.infer_dtype(series, skipna=True) == "integer"
    if whole and is_numeric(numbers) and numbers.dtype.kind in "iu":
        return _widened(numbers.to_numpy())
    values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    if whole and np.nanmax(np.abs(values), initial=0.0) > _EXACT:
        raise DataError(
            f"column {name!r} holds whole numbers beyond 2⁵³ that numbers with gaps cannot tell apart: make names of "
            f"them with data[{name!r}].astype(str), or drop the rows that lack one."
        )
    return values


def _times(name: str, series: pd.Series[Any]) -> Values:
    """Python's dates and times; raises if they belong to several time zones."""
    try:
        return pd.to_datetime(series).array
    except ValueError:
        raise DataError(
            f"column {name!r} holds times of several time zones: bring them to one with "
            f"pd.to_datetime(data[{name!r}], utc=True)."
        ) from None


def _text(series: pd.Series[Any]) -> pd.Categorical[Any]:
    """Text as categories in alphabetical order: what pandas' own constructor makes, in half the time."""
    codes, found = pd.factorize(series.to_numpy(dtype=object))
    order = np.argsort(found)
    place = np.empty(len(order) + 1, dtype=np.intp)
    place[order] = np.arange(len(order))
    place[-1] = -1  # a missing value has code −1
    return pd.Categorical.from_codes(place[codes], dtype=pd.CategoricalDtype(pd.Index(found[order])), validate=False)


def _widened(values: NDArray[Any]) -> NDArray[Any]:
    """Full-width numbers: a product of two int8 columns is not an int8."""
    if values.dtype.kind == "f":
        return values.astype(np.float64, copy=False)
    if values.dtype == np.uint64 and values.max(initial=0) > np.iinfo(np.int64).max:
        return values  # as floats, neighbouring identifiers would be the same
    if values.dtype.kind in "iu":
        return values.astype(np.int64, copy=False)
    return values


def _is_date(dtype: Any) -> bool:
    return (
        pd.api.types.is_datetime64_any_dtype(dtype)
        or pd.api.types.is_timedelta64_dtype(dtype)
        or isinstance(dtype, pd.PeriodDtype | pd.IntervalDtype)
    )


def dates_as_days(values: Values) -> Values:
    """Dates and durations as floats, in days (dates since 1970); other values as they are."""
    if is_numeric(values):
        return values
    dtype = values.dtype
    if isinstance(dtype, pd.PeriodDtype):
        values = values.to_timestamp()
        dtype = values.dtype
    if isinstance(dtype, pd.IntervalDtype):
        return pd.Categorical(values)
    if pd.api.types.is_datetime64_any_dtype(dtype):
        zero = pd.Timestamp(0, tz=getattr(dtype, "tz", None)).as_unit(values.unit)  # nanoseconds end in 2262
        values = values - zero
        dtype = values.dtype
    if pd.api.types.is_timedelta64_dtype(dtype):
        return np.asarray(values / pd.Timedelta(days=1), dtype=np.float64)
    return values


def kind_of(values: Values) -> str:
    """``"numbers"``, ``"categories"``, ``"dates"`` or ``"durations"``: what a column that was read holds."""
    if is_numeric(values):
        return "numbers"
    if isinstance(values, pd.Categorical) or isinstance(values.dtype, pd.IntervalDtype):
        return "categories"
    return "durations" if pd.api.types.is_timedelta64_dtype(values.dtype) else "dates"


def gaps_in(values: Values) -> NDArray[np.bool_]:
    """Which rows of a column are missing."""
    if isinstance(values, pd.Categorical):
        return np.asarray(values.codes < 0)
    return np.asarray(pd.isna(values))


def is_numeric(values: Any) -> bool:
    """Whether a column is a plain array of numbers or booleans."""
    dtype = getattr(values, "dtype", None)
    return isinstance(dtype, np.dtype) and dtype.kind in "iufb"
