"""From a formula and a table to columns and group codes, with every complaint about the data made here.

Rows with missing values are dropped, counted and reported once; everything that would give nonsense later raises
`DataError` in one sentence that names the culprit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mixedsim.columns import Columns, model_columns
from mixedsim.errors import DataError, FormulaError, nearest
from mixedsim.formula import Formula, RandomTerm, unquote, variables_of

Floats = NDArray[np.float64]
Prepared = dict[str, Any]  # column name -> float array, integer array, or pandas Categorical
_FEW_LEVELS = 5


@dataclass(frozen=True, eq=False)
class VaryingTerm:
    """One random term with its columns: q names, q columns."""

    term: RandomTerm
    columns: Columns


@dataclass(frozen=True, eq=False)
class GroupingFactor:
    """One grouping factor with all terms that vary by it.

    Attributes
    ----------
    name : as lme4 names it (``"Subject"``, ``"cask:batch"``).
    codes : n integers in [0, J).
    levels : J labels; for combined factors, labels joined by ``:``.
    terms : the random terms on this factor.
    """

    name: str
    codes: NDArray[np.intp]
    levels: pd.Index[Any]
    terms: tuple[VaryingTerm, ...]

    @property
    def effects(self) -> tuple[str, ...]:
        """Names of all q effects that vary by this factor."""
        return tuple(name for term in self.terms for name in term.columns.names)


@dataclass(frozen=True, eq=False)
class Design:
    """What the rows say, ready for cross-products.

    Attributes
    ----------
    formula : the parsed formula.
    y : n responses.
    x : the fixed-effect columns.
    factors : grouping factors, the one with most levels first (lme4's order).
    weights, offset : n values each, or None.
    index : row labels of the n rows used.
    used : positions of those rows in the original table.
    rows_given : rows of the original table.
    messages : what was done to the data, in words.
    """

    formula: Formula
    y: Floats
    x: Columns
    factors: tuple[GroupingFactor, ...]
    weights: Floats | None
    offset: Floats | None
    index: pd.Index[Any]
    used: NDArray[np.intp] | slice
    rows_given: int
    messages: tuple[str, ...]

    @property
    def rows(self) -> int:
        """n, the number of rows used."""
        return len(self.y)


def build(
    formula: Formula,
    data: Any,
    weights: str | ArrayLike | None = None,
    offset: str | ArrayLike | None = None,
) -> Design:
    """Return the `Design` of a linear mixed model.

    Parameters
    ----------
    formula : from `mixedsim.formula.parse`; it must have a random term.
    data : a DataFrame, or anything that becomes one (mapping, list of records, polars or pyarrow table).
    weights : positive prior weights, a column name or n values: the residual variance of a row is σ²/weight.
    offset : a known part of the mean, a column name or n values.

    Raises
    ------
    FormulaError, DataError
        See `/badinput`: a missing column, an infinite value, a factor with one level, a constant response ...
    """
    if not formula.terms:
        raise FormulaError(
            f"the formula {formula.text.strip()!r} has no random term: add one such as (1 | group), "
            "or use ordinary least squares."
        )
    frame = as_frame(data)
    columns = _read_columns(formula, frame)
    extra = {
        name: values
        for name, given in (("weights", weights), ("offset", offset))
        if (values := _row_values(name, given, frame)) is not None
    }
    keep, messages = _rows_to_keep(columns, extra, len(frame))
    if not isinstance(keep, slice):
        columns = {name: values[keep] for name, values in columns.items()}
        extra = {name: values[keep] for name, values in extra.items()}
    prepared, said = _prepare(columns, formula)
    messages += said
    y = _response(formula, prepared)
    shared: dict[str, Floats] = {}
    x = model_columns(formula.fixed, prepared, shared=shared)
    factors, said = _factors(formula, prepared, len(y), shared)
    messages += said
    _check_finite(x, formula)
    rows = np.arange(len(frame))[keep] if not isinstance(keep, slice) else keep
    return Design(
        formula=formula,
        y=y,
        x=x,
        factors=factors,
        weights=extra.get("weights"),
        offset=extra.get("offset"),
        index=frame.index[keep],
        used=rows,
        rows_given=len(frame),
        messages=tuple(messages),
    )


def as_frame(data: Any) -> pd.DataFrame:
    """The table as a DataFrame; raises `DataError` if it is none."""
    if isinstance(data, pd.DataFrame):
        frame = data
    elif hasattr(data, "to_pandas"):  # polars, pyarrow
        frame = data.to_pandas()
    elif isinstance(data, Mapping) or (isinstance(data, list) and all(isinstance(r, Mapping) for r in data)):
        try:
            frame = pd.DataFrame(data)
        except ValueError as error:
            raise DataError(f"the data do not form a table: {error}.") from None
    else:
        raise DataError(
            f"the data must be a table (a DataFrame, a mapping of columns, a list of records), found "
            f"{type(data).__name__}."
        )
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise DataError(f"the column name {twice!r} occurs more than once: rename one of the columns.")
    return frame


def group_codes(columns: Sequence[Any], name: str) -> tuple[NDArray[np.intp], pd.Index[Any]]:
    """Level number of every row, and the levels, for one column or the combination of several."""
    codes, levels = _one_column(columns[0])
    if len(columns) == 1:
        return codes, levels
    labels = levels.astype(str)
    for column in columns[1:]:
        more, other = _one_column(column)
        present, codes = np.unique(codes.astype(np.int64) * len(other) + more, return_inverse=True)
        left, right = present // len(other), present % len(other)
        labels = pd.Index([f"{a}:{b}" for a, b in zip(labels[left], other.astype(str)[right], strict=True)])
    return codes.astype(np.intp), pd.Index(labels, name=None)


def _one_column(values: Any) -> tuple[NDArray[np.intp], pd.Index[Any]]:
    if isinstance(values, pd.Categorical):
        counts = np.bincount(values.codes, minlength=len(values.categories))
        if (counts > 0).all():
            return values.codes.astype(np.intp), values.categories
        new = np.cumsum(counts > 0) - 1
        return new[values.codes].astype(np.intp), values.categories[counts > 0]
    codes, levels = pd.factorize(values, sort=True)
    return codes.astype(np.intp), pd.Index(levels)


def _read_columns(formula: Formula, frame: pd.DataFrame) -> dict[str, Any]:
    """The columns that the formula reads, as arrays; numeric ones as NumPy arrays."""
    known = list(frame.columns)
    if len(frame) == 0:
        raise DataError("the data have no rows.")
    out: dict[str, Any] = {}
    for name in sorted(formula.variables - {"np"}):
        if name not in frame.columns:
            raise DataError(f"the formula needs a column {name!r}, which the data do not have: {nearest(name, known)}")
        series = frame[name]
        if isinstance(series.dtype, np.dtype) and series.dtype.kind in "iufb":
            out[name] = series.to_numpy()
        elif isinstance(series.dtype, pd.CategoricalDtype):
            out[name] = series.array
        else:
            out[name] = _other_dtype(series)
    return out


def _other_dtype(series: pd.Series[Any]) -> Any:
    """Nullable numbers become floats; everything else stays what it is."""
    if pd.api.types.is_bool_dtype(series.dtype):
        return series.to_numpy(dtype=object, na_value=None)
    if pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_complex_dtype(series.dtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    return series.array


def _row_values(what: str, given: str | ArrayLike | None, frame: pd.DataFrame) -> Floats | None:
    """Weights or offset as one float a row, before rows are dropped."""
    if given is None:
        return None
    if isinstance(given, str):
        if given not in frame.columns:
            raise DataError(f"{what} names a column {given!r}, which the data do not have: {nearest(given, frame.columns)}")
        given = frame[given]
    try:
        values = np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{what} must be numbers, one a row, or the name of a numeric column.") from None
    if values.shape == () and what == "offset":
        values = np.full(len(frame), float(values))
    if values.shape != (len(frame),):
        raise DataError(f"{what} must have one value for each of the {len(frame)} rows, found shape {values.shape}.")
    bad = ~np.isfinite(values)
    if bad.any():
        raise DataError(f"{what} must be finite numbers: row {_first(bad)} holds {values[bad][0]} ({bad.sum()} such rows).")
    if what == "weights" and (values < 0).any():
        bad = values < 0
        raise DataError(f"weights must not be negative: row {_first(bad)} holds {values[bad][0]:g} ({bad.sum()} such rows).")
    return values


def _first(mask: Any) -> int:
    return int(np.argmax(mask))


def _rows_to_keep(
    columns: dict[str, Any], extra: dict[str, Floats], rows: int
) -> tuple[NDArray[np.bool_] | slice, list[str]]:
    """Which rows have all values (a full slice if all do); infinite values raise."""
    missing: dict[str, NDArray[np.bool_]] = {}
    for name, values in columns.items():
        if isinstance(values, np.ndarray) and values.dtype.kind == "f":
            if np.isfinite(values).all():
                continue
            infinite = np.isinf(values)
            if infinite.any():
                raise DataError(
                    f"column {name!r} holds infinite values: the first in row {_first(infinite)}, "
                    f"{infinite.sum()} in all; replace or remove them."
                )
            missing[name] = np.isnan(values)
        elif not (isinstance(values, np.ndarray) and values.dtype.kind in "iub"):
            gaps = np.asarray(pd.isna(values))
            if gaps.any():
                missing[name] = gaps
    messages: list[str] = []
    keep = np.ones(rows, dtype=bool)
    for name, gaps in missing.items():
        if gaps.all():
            raise DataError(f"column {name!r} has no values: all {rows} are missing.")
        keep &= ~gaps
    if missing:
        counted = ", ".join(f"{name} {gaps.sum()}" for name, gaps in missing.items())
        messages.append(f"{rows - keep.sum()} of {rows} rows were dropped because of missing values ({counted}).")
    if not keep.any():
        raise DataError("no row has values in all columns of the formula.")
    if "weights" in extra:
        zero = keep & (extra["weights"] == 0)
        if zero.any():
            keep &= ~zero
            messages.append(f"{zero.sum()} rows were dropped because their weight is zero.")
            if not keep.any():
                raise DataError("all weights are zero.")
    return (slice(None) if keep.all() else keep), messages


def _prepare(columns: dict[str, Any], formula: Formula) -> tuple[Prepared, list[str]]:
    """Categories without unused levels, dates as days; predictors that cannot serve raise."""
    out: Prepared = {}
    messages: list[str] = []
    predictors = set(variables_of(formula.fixed)) | {v for t in formula.terms for v in variables_of(t.effects)}
    for name, values in columns.items():
        dtype = getattr(values, "dtype", None)
        if isinstance(dtype, pd.CategoricalDtype):
            out[name] = values.remove_unused_categories()
        elif name in predictors and pd.api.types.is_datetime64_any_dtype(dtype):
            out[name] = (values - pd.Timestamp(0, tz=getattr(dtype, "tz", None))) / pd.Timedelta(days=1)
            out[name] = np.asarray(out[name], dtype=np.float64)
            messages.append(f"the dates in {name!r} enter as days, so its slope is a change per day.")
        elif name in predictors and pd.api.types.is_complex_dtype(dtype):
            raise DataError(f"column {name!r} holds complex numbers: take their real part or modulus first.")
        else:
            out[name] = values
        if name in predictors and not (isinstance(out[name], np.ndarray) and out[name].dtype.kind in "iuf"):
            distinct = pd.unique(np.asarray(out[name], dtype=object))
            if len(distinct) == 1 and not (isinstance(out[name], np.ndarray) and out[name].dtype.kind == "b"):
                raise DataError(
                    f"the factor {name!r} has only one level, {distinct[0]!r}, so its effect cannot be estimated: "
                    "leave it out of the formula."
                )
    return out, messages


def _response(formula: Formula, prepared: Prepared) -> Floats:
    """The response as floats; everything that is not a number raises."""
    name = unquote(formula.response)
    if name not in prepared:
        if "/" in formula.response and "(" not in formula.response:
            raise FormulaError(
                f"the response {formula.response!r} is a number of successes over trials, which is a model for glmer; "
                "for lmer add the quotient as a column, or write I(...) around it."
            )
        columns = model_columns(f"0 + I({formula.response})", prepared).columns
        if len(columns) != 1:
            raise DataError(f"the response {formula.response!r} must be one column of numbers, found {len(columns)}.")
        y = np.asarray(columns[0], dtype=np.float64)
        if not np.isfinite(y).all():
            bad = ~np.isfinite(y)
            raise DataError(
                f"the response {formula.response!r} is not finite in {bad.sum()} rows, the first being row {_first(bad)} "
                "of those used."
            )
    else:
        y = _numbers(name, prepared[name])
    if len(y) > 1 and float(y.max()) == float(y.min()):
        raise DataError(f"the response {formula.response!r} is constant ({y[0]:g} in all rows): nothing varies, nothing to model.")
    return np.ascontiguousarray(y)


def _numbers(name: str, values: Any) -> Floats:
    dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iuf":
        return np.asarray(values, dtype=np.float64)
    if isinstance(dtype, np.dtype) and dtype.kind == "b":
        advice = "use glmer with family='binomial', or convert it with .astype(float)"
        raise DataError(f"the response {name!r} is boolean (True or False): {advice}.")
    if pd.api.types.is_datetime64_any_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        raise DataError(f"the response {name!r} is a date or time ({dtype}): convert it to a number such as days first.")
    if pd.api.types.is_complex_dtype(dtype):
        raise DataError(f"the response {name!r} is complex: take its real part or modulus first.")
    as_numbers = pd.to_numeric(pd.Series(np.asarray(values, dtype=object)), errors="coerce")
    if as_numbers.notna().all():
        raise DataError(
            f"the response {name!r} holds numbers stored as {dtype}: convert it with data[{name!r}].astype(float)."
        )
    bad = np.asarray(as_numbers.isna())
    shown = np.asarray(values, dtype=object)[_first(bad)]
    raise DataError(f"the response {name!r} must be numeric, found {dtype} such as {shown!r}: convert it to numbers first.")


def _factors(
    formula: Formula, prepared: Prepared, rows: int, shared: dict[str, Floats]
) -> tuple[tuple[GroupingFactor, ...], list[str]]:
    """Grouping factors with their terms, largest first; what cannot be told from the residual raises."""
    messages: list[str] = []
    factors: list[GroupingFactor] = []
    for group in formula.groups:
        mine = [t for t in formula.terms if t.group == group]
        codes, levels = group_codes([prepared[name] for name in mine[0].factors], group)
        terms = tuple(VaryingTerm(t, model_columns(t.effects, prepared, shared=shared)) for t in mine)
        factor = GroupingFactor(group, codes, levels, terms)
        _check_factor(factor, rows)
        if len(levels) < _FEW_LEVELS:
            messages.append(
                f"{group!r} has only {len(levels)} levels: its standard deviation is known very poorly from so few; "
                "consider it as a fixed effect."
            )
        factors.append(factor)
    factors.sort(key=lambda f: -len(f.levels))
    return tuple(factors), messages


def _check_factor(factor: GroupingFactor, rows: int) -> None:
    name, levels, q = factor.name, len(factor.levels), len(factor.effects)
    terms = ", ".join(t.term.text for t in factor.terms)
    if levels < 2:
        raise DataError(
            f"the grouping factor {name!r} has only one level ({factor.levels[0]!r}): nothing can vary between levels; "
            f"leave out {terms}."
        )
    if levels >= rows:
        raise DataError(
            f"the grouping factor {name!r} has one row a level ({levels} levels, {rows} rows): nothing separates "
            f"{terms} from the residual; group by a coarser column, or leave the term out."
        )
    if levels * q >= rows:
        raise DataError(
            f"{terms} has {levels * q} random effects ({levels} levels × {q} effects) for {rows} rows: nothing "
            "separates them from the residual; drop an effect, as in (1 | g)."
        )
    seen: set[str] = set()
    for effect in factor.effects:
        if effect in seen:
            raise FormulaError(f"the effect {effect!r} varies by {name!r} in more than one term: keep it in one of {terms}.")
        seen.add(effect)
    for term in factor.terms:
        _check_finite(term.columns, None)


def _check_finite(columns: Columns, formula: Formula | None) -> None:
    for name, column in zip(columns.names, columns.columns, strict=True):
        if not isinstance(column, float) and not np.isfinite(column).all():
            bad = ~np.isfinite(column)
            raise DataError(
                f"the column {name!r} is not finite in {bad.sum()} of the rows used, the first being row {_first(bad)}: "
                "check the values that go into it."
            )
