"""From a formula and a table to columns and group codes, with every complaint about the data made here.

Rows with missing values are dropped, counted and reported once; everything that would give nonsense later raises
`DataError` in one sentence that names the culprit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mixedsim.columns import Columns, model_columns
from mixedsim.errors import DataError, FormulaError, nearest, shown
from mixedsim.formula import Formula, check_varies_once, fixed_terms, unquote, variables_of
from mixedsim.frame import as_frame
from mixedsim.grammar import FormulaText
from mixedsim.grouping import GroupingFactor, VaryingTerm, check_factor
from mixedsim.levels import group_codes
from mixedsim.reading import Values, dates_as_days, gaps_in, is_boolean, kind_of, read_column, require

__all__ = ["Design", "GroupingFactor", "VaryingTerm", "build"]

Floats = NDArray[np.float64]
Prepared = dict[str, Values]  # column name -> float, integer or boolean array, or pandas Categorical
_MANY_CODES = 10  # more levels than this, all of them numbers, look like measurements read as text
_LARGEST, _SMALLEST = 1e100, 1e-100  # sizes whose squares, and the products of those, are still numbers
_OUTWEIGHS = 1e10  # times the middle weight: beside such a row rounding takes the others' digits
_LOST = 1e-6  # a column's rounding error over its range: above this, its differences are no longer what they were


@dataclass(frozen=True, eq=False)
class Design:
    """What the rows say, ready for cross-products.

    Attributes
    ----------
    formula : the parsed formula.
    y : n responses.
    x : the fixed-effect columns.
    variables : the columns of the data that they are made of: n values each.
    factors : grouping factors, the one with most levels first (lme4's order).
    weights, offset : n values each, or None.
    kinds : what each column held when it was read: numbers, categories, dates or durations.
    index : row labels of the n rows used.
    used : positions of those rows in the original table.
    rows_given : rows of the original table.
    messages : what was done to the data, in words.
    trials, shares, categories : of a response that is no measurement, as in `Response`.
    """

    formula: Formula
    y: Floats
    x: Columns
    variables: Mapping[str, Values]
    factors: tuple[GroupingFactor, ...]
    weights: Floats | None
    offset: Floats | None
    kinds: Mapping[str, str]
    index: pd.Index[Any]
    used: NDArray[np.intp] | slice
    rows_given: int
    messages: tuple[str, ...]
    trials: Floats | None = None
    shares: bool = False
    categories: tuple[Any, ...] | None = None

    @property
    def rows(self) -> int:
        """n, the number of rows used."""
        return len(self.y)

    @property
    def in_memory(self) -> bool:
        """Whether the rows are there to be looked at, and not only their sums."""
        return True


@dataclass(frozen=True, eq=False)
class Response:
    """What the left side says where it is no measurement.

    Attributes
    ----------
    y : n numbers; with trials, numbers of successes.
    weights : n prior weights, or None.
    trials : n numbers of trials, or None.
    shares : whether the data hold the share of successes, not their number.
    categories : what the data hold for failure and for success, or for ordered categories, where they hold no numbers.
    messages : what there is to say, in words.
    """

    y: Floats
    weights: Floats | None = None
    trials: Floats | None = None
    shares: bool = False
    categories: tuple[Any, ...] | None = None
    messages: tuple[str, ...] = ()


# formula, columns by name, row labels and prior weights become a response
Reader: TypeAlias = "Callable[[Formula, Prepared, pd.Index[Any], Floats | None], Response]"


def build(
    formula: Formula,
    data: Any,
    weights: str | ArrayLike | None = None,
    offset: str | ArrayLike | None = None,
    *,
    mixed: bool = True,
    reader: Reader | None = None,
    residual: bool = True,
) -> Design:
    """Return the `Design` of a mixed model.

    Parameters
    ----------
    formula : from `mixedsim.formula.parse`; it must have a random term, unless `mixed` is False.
    data : a DataFrame, or anything that becomes one (mapping, list of records, polars or pyarrow table).
    weights : positive prior weights, a column name or n values: the residual variance of a row is σ²/weight.
    offset : a known part of the mean, a column name or n values.
    mixed : False for least squares, which needs no groups.
    reader : what reads a response that is no measurement (see `mixedsim.response`).
    residual : whether there is a residual from which varying effects must be told.

    Raises
    ------
    FormulaError, DataError
        For a missing column, an infinite value, a factor with one level, a constant response and much else.
    """
    if mixed:
        check_formula(formula)
    frame = as_frame(data)
    if len(frame) == 0:
        raise DataError("the data have no rows: check how they were read or filtered.")
    require(frame, formula.variables)
    columns = {name: read_column(name, frame[name]) for name in sorted(formula.variables) if name in frame}
    extra = {
        name: values
        for name, given in (("weights", weights), ("offset", offset))
        if (values := _row_values(name, given, frame)) is not None
    }
    keep, messages = _rows_to_keep(columns, extra, frame.index)
    index = frame.index if isinstance(keep, slice) else frame.index[keep]
    if not isinstance(keep, slice):
        columns = {name: values[keep] for name, values in columns.items()}
        extra = {name: values[keep] for name, values in extra.items()}
    prepared, said = _prepare(columns, formula)
    messages += said
    if reader is None:
        _check_not_boolean(formula, frame)
        response = Response(_response(formula, prepared), extra.get("weights"))
        messages += _check_size(repr(unquote(formula.response)), response.y, index)
        _check_varies(formula, response.y, extra.get("offset"))
    else:
        response = reader(formula, prepared, index, extra.get("weights"))
        messages += response.messages
    shared: dict[str, Floats] = {}
    x = model_columns(formula.fixed, prepared, shared=shared)
    check_terms(formula, x.terms)
    messages += _check_columns(x, index)
    factors, said = _factors(formula, columns, prepared, shared, index, residual)
    messages += said
    return Design(
        formula=formula,
        y=response.y,
        x=x,
        variables={name: prepared[name] for name in sorted(variables_of(formula.fixed)) if name in prepared},
        factors=factors,
        weights=response.weights,
        offset=extra.get("offset"),
        kinds={name: kind_of(values) for name, values in columns.items()},
        index=index,
        used=keep if isinstance(keep, slice) else np.flatnonzero(keep),
        rows_given=len(frame),
        messages=tuple(dict.fromkeys(messages)),
        trials=response.trials,
        shares=response.shares,
        categories=response.categories,
    )


def check_formula(formula: Formula) -> None:
    """Raise `FormulaError` unless there is a random term."""
    if not formula.terms:
        what = "the formula has no random term: add one such as (1 | group), or use ordinary least squares"
        FormulaText(formula.text).fail(len(formula.text.rstrip()), what)


def _row_values(what: str, given: str | ArrayLike | None, frame: pd.DataFrame) -> Floats | None:
    """Weights or offset as one float a row, before rows are dropped."""
    if given is None:
        return None
    if isinstance(given, str):
        if given not in frame.columns:
            tail = nearest(given, frame.columns)
            raise DataError(f"{what} names a column {given!r}, which the data do not have: {tail}")
        given, named = read_column(given, frame[given]), f", found the column {given!r}"
    elif isinstance(given, pd.Series) and len(given) == len(frame) and not given.index.equals(frame.index):
        raise DataError(f"{what} is a Series whose index is not that of the data: pass a column name, or its values.")
    else:
        named = f", found {type(given).__name__}"
    try:
        kinds = np.asarray(given).dtype.kind
        if kinds not in "iufbO" or (kinds == "O" and pd.api.types.infer_dtype(given, skipna=True) == "string"):
            raise TypeError
        values = np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{what} must be numbers, one a row, or the name of a numeric column{named}.") from None
    if values.shape == () and what == "offset":
        values = np.full(len(frame), float(values))
    if values.shape != (len(frame),):
        found = {0: "a single number", 1: f"{values.size}"}.get(values.ndim, f"shape {values.shape}")
        raise DataError(f"{what} must have one value for each of the {len(frame)} rows, found {found}.")
    bad = ~np.isfinite(values)
    if bad.any():
        where = row_of(bad, frame.index, values)
        raise DataError(f"{what} must be finite numbers: {where}; replace them, or drop the rows.")
    if what == "weights" and (values < 0).any():
        raise DataError(f"weights must not be negative: {row_of(values < 0, frame.index, values)}; replace them.")
    if what == "offset":
        check_range("offset holds", values, smallest=0.0)
    else:
        check_range("weights hold", values)
        _check_balance(values, frame.index)
    return values


def _check_balance(weights: Floats, index: pd.Index[Any]) -> None:
    """No row beside which the others are nothing."""
    largest = float(weights.max(initial=0.0))
    middle = float(np.median(weights[weights > 0])) if largest > 0 else 0.0
    if largest > _OUTWEIGHS * middle:
        raise DataError(
            f"the weight of row {shown(index[int(np.argmax(weights))])}, {largest:g}, makes nothing of the others, "
            f"whose middle is {middle:g}: check the weights."
        )


def check_range(what: str, values: Floats, smallest: float = _SMALLEST) -> None:
    """Raise `DataError` unless the values have squares; `what` says who holds them."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest > _LARGEST or 0 < largest < smallest:
        raise DataError(f"{what} values of size {largest:.0e}, too extreme to square: change the unit.")


def row_of(mask: NDArray[np.bool_], index: pd.Index[Any], values: Floats) -> str:
    """The first row that the mask marks, by its label, its value, and how many there are."""
    first = int(np.argmax(mask))
    return f"row {shown(index[first])} holds {values[first]:g} ({rows_like(mask)})"


def rows_like(mask: NDArray[np.bool_]) -> str:
    """How many rows the mask marks, in words."""
    return "1 such row" if mask.sum() == 1 else f"{mask.sum()} such rows"


def _rows_to_keep(
    columns: dict[str, Values], extra: dict[str, Floats], index: pd.Index[Any]
) -> tuple[NDArray[np.bool_] | slice, list[str]]:
    """Which rows have all values (a full slice if all do); infinite values raise."""
    missing: dict[str, NDArray[np.bool_]] = {}
    for name, values in columns.items():
        if isinstance(values, np.ndarray):
            if values.dtype.kind != "f" or np.isfinite(values).all():
                continue
            infinite = np.isinf(values)
            if infinite.any():
                where = row_of(infinite, index, values)
                raise DataError(f"column {name!r} holds infinite values: {where}; replace or remove them.")
            missing[name] = np.isnan(values)
        else:
            gaps = gaps_in(values)
            if gaps.any():
                missing[name] = gaps
    rows = len(index)
    messages: list[str] = []
    keep = np.ones(rows, dtype=bool)
    for name, gaps in missing.items():
        if gaps.all():
            raise DataError(f"column {name!r} has no values, all {rows} are missing: check how it was read.")
        keep &= ~gaps
    if missing:
        counted = ", ".join(f"{name} {gaps.sum()}" for name, gaps in missing.items())
        messages.append(f"{_dropped(~keep)} because of missing values ({counted}).")
    if not keep.any():
        raise DataError(f"no row has values in all of {', '.join(map(repr, missing))}: leave one of them out.")
    if "weights" in extra:
        zero = keep & (extra["weights"] == 0)
        if zero.any():
            keep &= ~zero
            messages.append(f"{_dropped(zero)} because their weight is zero.")
            if not keep.any():
                raise DataError("all weights are zero: give positive ones.")
    return (slice(None) if keep.all() else keep), messages


def _dropped(rows: NDArray[np.bool_]) -> str:
    return f"{rows.sum()} of {len(rows)} rows were dropped"


def _prepare(columns: dict[str, Values], formula: Formula) -> tuple[Prepared, list[str]]:
    """Categories without unused levels, dates as days; predictors that cannot serve raise."""
    out: Prepared = {}
    messages: list[str] = []
    predictors = formula.predictors
    for name, values in columns.items():
        out[name] = values
        if isinstance(values, np.ndarray) or name not in predictors:
            continue
        out[name] = dates_as_days(values)
        if isinstance(out[name], pd.Categorical):
            out[name] = out[name].remove_unused_categories()
            messages += check_category(name, out[name].categories, len(values))
        else:
            messages.append(f"the dates or times in {name!r} enter as days, so its slope is a change per day.")
    return out, messages


def check_category(name: str, levels: pd.Index[Any], rows: int) -> list[str]:
    """A factor needs two levels, and rows that share one; numbers read as text get a message."""
    if len(levels) == 1:
        raise DataError(
            f"the factor {name!r} has only one level, {shown(levels[0])}, so its effect cannot be estimated: "
            "leave it out of the formula."
        )
    text = len(levels) > _MANY_CODES and pd.api.types.is_string_dtype(levels.dtype)
    numbers = text and bool(pd.to_numeric(pd.Series(levels), errors="coerce").notna().all())
    mend = f"convert it with data[{name!r}].astype(float)" if numbers else "leave it out, or use a coarser column"
    if len(levels) == rows:
        what = "numbers stored as text, a different one in every row" if numbers else "a different level in every row"
        raise DataError(f"the factor {name!r} has {what}, so nothing is left for the residual: {mend}.")
    if numbers:
        found = f"{name!r} holds numbers stored as text and enters as a factor of {len(levels)} levels"
        return [f"{found}; for a slope {mend}."]
    return []


def _check_not_boolean(formula: Formula, frame: pd.DataFrame) -> None:
    name = unquote(formula.response)
    if name in frame and is_boolean(frame[name]):
        raise boolean_response(name)


def boolean_response(name: str) -> DataError:
    """What to say of a response of True and False."""
    return DataError(
        f"the response {name!r} is boolean (True or False): use glmer with family='binomial', or convert it with "
        f"data[{name!r}].astype(float)."
    )


def _response(formula: Formula, prepared: Prepared) -> Floats:
    """The response as floats; everything that is not a number raises."""
    name = unquote(formula.response)
    if name in prepared:
        return np.ascontiguousarray(numbers_of(name, prepared[name]))
    if "/" in formula.response and "(" not in formula.response:
        raise FormulaError(
            f"the response {formula.response!r} is a number of successes over trials, which is a model for glmer; "
            "for lmer add the quotient as a column, or write I(...) around it."
        )
    return calculated(formula.response, prepared)


def calculated(text: str, prepared: Prepared) -> Floats:
    """What a calculation on the left side gives: n numbers."""
    columns = model_columns(f"0 + I({text})", prepared).columns
    if len(columns) != 1:
        raise DataError(f"the response {text!r} must be one column, found {len(columns)}: choose one.")
    return np.ascontiguousarray(np.broadcast_to(columns[0], len(next(iter(prepared.values())))), dtype=np.float64)


def numbers_of(name: str, values: Values) -> Floats:
    """A response as floats; everything that is not a number raises."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuf":
        return np.asarray(values, dtype=np.float64)
    what, convert = f"the response {name!r}", f"convert it with data[{name!r}].astype(float)"
    if isinstance(values.dtype, pd.IntervalDtype):
        raise DataError(f"{what} holds intervals ({values.dtype}): take their middle, data[{name!r}].array.mid.")
    if not isinstance(values, pd.Categorical):
        raise DataError(f"{what} holds dates or times ({values.dtype}): turn them into a number, such as days, first.")
    as_numbers = pd.to_numeric(pd.Series(values.categories), errors="coerce")
    if as_numbers.notna().all():
        raise DataError(f"{what} holds numbers stored as text or categories: {convert}.")
    odd = shown(values.categories[int(np.argmax(as_numbers.isna()))])
    raise DataError(f"{what} must be numeric, found text or categories such as {odd}: mend them, then {convert}.")


def _check_varies(formula: Formula, y: Floats, offset: Floats | None) -> None:
    rest = y if offset is None else y - offset
    if len(y) > 1 and float(rest.max()) == float(rest.min()):
        raise constant_response(formula, float(rest[0]), offset is not None)


def constant_response(formula: Formula, value: float, less_offset: bool) -> DataError:
    """What to say of a response that does not vary."""
    less = " less its offset" if less_offset else ""
    return DataError(
        f"the response {unquote(formula.response)!r}{less} is constant ({value:g} in all rows), so there is nothing to "
        "model: check the column."
    )


def _factors(
    formula: Formula,
    columns: dict[str, Values],
    prepared: Prepared,
    shared: dict[str, Floats],
    index: pd.Index[Any],
    residual: bool,
) -> tuple[tuple[GroupingFactor, ...], list[str]]:
    """Grouping factors with their terms, largest first; what cannot be told from the residual raises."""
    check_varies_once(formula)
    categories = {name for name, values in prepared.items() if isinstance(values, pd.Categorical)}
    messages: list[str] = []
    factors: list[GroupingFactor] = []
    for group in formula.groups:
        mine = [t for t in formula.terms if t.group == group]
        codes, levels = group_codes({name: columns[name] for name in mine[0].factors})
        terms = tuple(VaryingTerm(t, model_columns(t.effects, prepared, shared=shared)) for t in mine)
        for term in terms:
            messages += _check_columns(term.columns, index)
        factor = GroupingFactor(group, codes, levels, terms)
        messages += check_factor(factor, factors, formula.fixed, categories, residual)
        factors.append(factor)
    factors.sort(key=lambda f: -len(f.levels))
    return tuple(factors), messages


def check_terms(formula: Formula, terms: Sequence[str]) -> None:
    """A calculation such as C(z) may turn out to have one level, and then no column at all: none among `terms`."""
    for term in fixed_terms(formula.fixed):
        if len(term.factors) == 1 and str(term) not in terms:
            raise DataError(f"the term {str(term)!r} has only one level, so it has no effect: leave it out.")


def _check_columns(columns: Columns, index: pd.Index[Any]) -> list[str]:
    messages = []
    for name, column in zip(columns.names, columns.columns, strict=True):
        if not isinstance(column, float):
            messages += _check_size(repr(name), column, index)
    return messages


def _check_size(name: str, column: Floats, index: pd.Index[Any]) -> list[str]:
    """Numbers must be finite and their squares too; a message if rounding has eaten their differences."""
    low, high = float(column.min()), float(column.max())
    largest = max(abs(low), abs(high))
    if not largest < np.inf:
        bad = ~np.isfinite(column)
        raise DataError(f"the column {name} is not finite: {row_of(bad, index, column)}; check what goes into it.")
    check_range(f"column {name} holds", column)
    return lost_digits(name, low, high)


def lost_digits(name: str, low: float, high: float) -> list[str]:
    """A message if rounding has eaten the differences of values that lie between `low` and `high`."""
    largest = max(abs(low), abs(high))
    if 0 < high - low < largest * np.finfo(float).eps / _LOST:
        return [
            f"the values of {name} lie near {largest:.2g} but only {high - low:.2g} apart, and rounding has cost them "
            "digits; subtract a constant where they are made."
        ]
    return []
