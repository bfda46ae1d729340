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
from mixedsim.complete_rows import rows_to_keep
from mixedsim.errors import DataError, shown
from mixedsim.formula import Formula, check_varies_once, fixed_terms, unquote, variables_of
from mixedsim.frame import as_frame
from mixedsim.grammar import FormulaText
from mixedsim.grouping import GroupingFactor, VaryingTerm, check_factor
from mixedsim.levels import group_codes
from mixedsim.measurements import check_not_boolean, check_varies, measurements
from mixedsim.ranges import check_columns, check_size
from mixedsim.reading import Values, dates_as_days, kind_of, read_column, require
from mixedsim.row_values import row_values

__all__ = ["Design", "GroupingFactor", "VaryingTerm", "build"]

Floats = NDArray[np.float64]
Prepared = dict[str, Values]  # column name -> float, integer or boolean array, or pandas Categorical
_MANY_CODES = 10  # more levels than this, all of them numbers, look like measurements read as text


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
        if (values := row_values(name, given, frame)) is not None
    }
    keep, messages = rows_to_keep(columns, extra, frame.index)
    index = frame.index if isinstance(keep, slice) else frame.index[keep]
    if not isinstance(keep, slice):
        columns = {name: values[keep] for name, values in columns.items()}
        extra = {name: values[keep] for name, values in extra.items()}
    prepared, said = _prepare(columns, formula)
    messages += said
    if reader is None:
        check_not_boolean(formula, frame)
        response = Response(measurements(formula, prepared), extra.get("weights"))
        messages += check_size(repr(unquote(formula.response)), response.y, index)
        check_varies(formula, response.y, extra.get("offset"))
    else:
        response = reader(formula, prepared, index, extra.get("weights"))
        messages += response.messages
    shared: dict[str, Floats] = {}
    x = model_columns(formula.fixed, prepared, shared=shared)
    check_terms(formula, x.terms)
    messages += check_columns(x, index)
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
            messages += check_columns(term.columns, index)
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
