"""Terms become columns: what a right-hand side means for given data.

Numbers, categories and their products are read directly (`plain_columns`); everything else (contrasts, splines,
functions) goes through formulaic, whose coefficient names are used throughout.
A column that is the same in every row is a single float, so that a linear predictor over a million rows is a sum
of products and never a stacked matrix.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from formulaic import Formula as FormulaicFormula
from formulaic import ModelSpec
from formulaic.errors import DataMismatchWarning, FormulaicError
from numpy.typing import NDArray

from mixedsim.errors import DataError, shown
from mixedsim.formula import fixed_terms, variables_of
from mixedsim.grammar import FUNCTIONS, for_formulaic
from mixedsim.plain_columns import plain_columns
from mixedsim.reading import Data, dates_as_days, is_numeric, read_column, require

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns that a right-hand side stands for.

    Attributes
    ----------
    names : formulaic's coefficient names (``"Intercept"``, ``"time[T.post]"``, ``"x:z"``).
    columns : one array of n floats each, or one float where the column is constant by construction.
    rows : n.
    terms : for each column, the term it belongs to (``"1"``, ``"time"``, ``"x:z"``).
    spec : what `model_columns` needs to make the same columns from new data.
    """

    names: tuple[str, ...]
    columns: tuple[Floats | float, ...]
    rows: int
    terms: tuple[str, ...]
    spec: ColumnSpec

    def matrix(self) -> Floats:
        """All columns side by side: n × p, in column order."""
        out = np.empty((self.rows, len(self.columns)), order="F")
        for j, column in enumerate(self.columns):
            out[:, j] = column
        return out

    def dot(self, coefficients: Floats) -> Floats:
        """The linear predictor: n values."""
        eta = np.zeros(self.rows)
        for column, b in zip(self.columns, coefficients, strict=True):
            if b != 0:
                eta += column * b
        return eta


@dataclass(frozen=True, eq=False)
class ColumnSpec:
    """A right-hand side with everything that was learned from the data it was first applied to.

    Attributes
    ----------
    rhs : the right-hand side.
    model_spec : formulaic's memory; None where the columns are plain (`plain_columns`) and it was not asked.
    levels : the categories of every categorical column that is read.
    """

    rhs: str
    model_spec: ModelSpec | None
    levels: Mapping[str, pd.Index[Any]]


def model_columns(
    rhs: str, data: Data, spec: ColumnSpec | None = None, shared: dict[str, Floats] | None = None
) -> Columns:
    """Return the `Columns` of the right-hand side `rhs` for `data`.

    Parameters
    ----------
    rhs : such as ``"1 + x"``, ``"0 + time:group"``, ``"0"`` (no column at all).
    data : a DataFrame, or a mapping from names to arrays of equal length.
    spec : from an earlier call, to code new data as the old (levels, means of `scale`, knots); a row with a missing
        value then has missing columns.
    shared : numeric columns by name, filled as they are read, so that several right-hand sides get the same arrays.

    Raises
    ------
    DataError
        If a column is missing, or new data have a category that the old had not.

    Examples
    --------
    >>> from mixedsim.columns import model_columns
    >>> import numpy as np
    >>> c = model_columns("1 + x", {"x": np.array([1.0, 2.0])})
    >>> c.names, c.dot(np.array([10.0, 1.0]))
    (('Intercept', 'x'), array([11., 12.]))
    """
    terms = fixed_terms(rhs)
    names = variables_of(rhs)
    require(data, names)
    rows = _rows(data)
    if isinstance(data, pd.DataFrame):
        data = {name: dates_as_days(read_column(name, data[name])) for name in names if name in data}
    shared = {} if shared is None else shared
    if spec is None:
        plain = plain_columns(terms, data, shared)
        if plain is None:
            return _learned(rhs, data, names, rows)
        levels = {name: data[name].categories for name in names if isinstance(data[name], pd.Categorical)}
        return Columns(plain.names, plain.columns, rows, plain.terms, ColumnSpec(rhs, None, levels))
    for name in sorted(names - spec.levels.keys()):
        if name in data and not is_numeric(data[name]):
            raise DataError(f"column {name!r} held numbers when the model was fitted: convert it to numbers.")
    known = {name: _recoded(name, data[name], spec.levels.get(name)) for name in names if name in data}
    if spec.model_spec is not None:
        return _replayed(spec, known, names, rows)
    plain = plain_columns(terms, known, shared)
    assert plain is not None  # what was plain when the model was fitted still is
    return Columns(plain.names, plain.columns, rows, plain.terms, spec)


def _rows(data: Data) -> int:
    if isinstance(data, pd.DataFrame):
        return len(data)
    return max((len(v) for v in data.values() if np.ndim(v) == 1), default=0)


def _learned(rhs: str, data: Mapping[str, Any], names: frozenset[str], rows: int) -> Columns:
    """Columns by formulaic, and what it learned from these data."""
    frame = _frame(data, names, rows)
    # Indicators are mostly zeros: assembling them sparsely is several times faster than formulaic's dense route.
    sparse = not all(is_numeric(frame[name]) for name in frame)
    with _in_our_words(rhs, frame):
        model = FormulaicFormula(for_formulaic(rhs)).get_model_matrix(
            frame, output="sparse" if sparse else "numpy", na_action="ignore", context=FUNCTIONS
        )
    learned: ModelSpec = model.model_spec
    labels = [""] * len(learned.column_names)
    for term, where in learned.term_indices.items():
        for j in where:
            labels[j] = str(term)
    levels = {str(name): frame[name].cat.categories for name in frame if hasattr(frame[name], "cat")}
    spec = ColumnSpec(rhs, learned, levels)
    return Columns(tuple(learned.column_names), _cut(model, learned), rows, tuple(labels), spec)


def _replayed(spec: ColumnSpec, data: Mapping[str, Any], names: frozenset[str], rows: int) -> Columns:
    """The same columns from new data by formulaic's memory: NaN where a value is missing."""
    frame = _frame(data, names, rows)
    complete = frame.notna().all(axis=1).to_numpy()
    assert spec.model_spec is not None
    with _in_our_words(spec.rhs, frame):
        model = spec.model_spec.get_model_matrix(frame[complete], na_action="ignore", context=FUNCTIONS)
    columns = _cut(model, spec.model_spec)
    if not complete.all():
        columns = tuple(c if isinstance(c, float) else _spread(c, complete) for c in columns)
    labels = [str(term) for term, where in spec.model_spec.term_indices.items() for _ in where]
    return Columns(tuple(spec.model_spec.column_names), columns, rows, tuple(labels), spec)


def _recoded(name: str, values: Any, known: pd.Index[Any] | None) -> Any:
    """A column of new data by the levels of the old (None if it had none); an error for a level that is new."""
    if known is None:
        return values
    unseen = pd.Index(pd.unique(values)).dropna().difference(known, sort=False)
    if len(unseen):
        raise DataError(
            f"column {name!r} has levels that the model was not fitted on: "
            f"{', '.join(map(shown, unseen[:5]))}; "
            f"known are {', '.join(map(shown, known[:12]))}{', …' if len(known) > 12 else ''}."
        )
    if isinstance(values, pd.Categorical):  # no value need be looked at
        place = np.append(known.get_indexer(values.categories), -1)  # a missing value has code −1
        return pd.Categorical.from_codes(place[values.codes], categories=known)
    return pd.Categorical(np.asarray(values, dtype=object), categories=known)


def _spread(column: Floats, complete: NDArray[np.bool_]) -> Floats:
    out = np.full(len(complete), np.nan)
    out[complete] = column
    return out


def _frame(data: Mapping[str, Any], names: frozenset[str], rows: int) -> pd.DataFrame:
    return pd.DataFrame({name: data[name] for name in sorted(names) if name in data}, index=pd.RangeIndex(rows))


def _cut(model: Any, spec: ModelSpec) -> tuple[Floats | float, ...]:
    """The columns of formulaic's matrix; the intercept as a float."""
    dense = model.toarray(order="F") if hasattr(model, "toarray") else model
    values = np.asfortranarray(dense, dtype=np.float64)
    return tuple(1.0 if name == "Intercept" else values[:, j] for j, name in enumerate(spec.column_names))


@contextmanager
def _in_our_words(rhs: str, frame: pd.DataFrame) -> Iterator[None]:
    """Formulaic's warnings and errors as one sentence; arithmetic outside a function's domain gives NaN quietly."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error", DataMismatchWarning)
            warnings.filterwarnings("ignore", message="Constructing a Categorical")
            yield
    except DataMismatchWarning as warning:
        said = ", ".join(sorted(str(warning).split(": ", 1)[-1].split(". ")[0].strip("{}").split(", ")))
        raise DataError(f"{shown(rhs)} meets categories that the model was not fitted on: {said}.") from None
    except (FormulaicError, TypeError, ValueError, SyntaxError) as error:
        said = str(error).split("\n")[0].rstrip(". ")
        where = re.fullmatch(r"Unable to evaluate factor `(.*)`\. \[(?:\w+: )?(.*)\]", said)
        culprit, reason = where.groups() if where else (rhs, said)
        text = [name for name in sorted(variables_of(culprit)) if name in frame and not is_numeric(frame[name])]
        if text and not culprit.startswith("C("):
            hold = "holds" if len(text) == 1 else "hold"
            reason = f"{' and '.join(map(repr, text))} {hold} text or categories, not numbers"
        raise DataError(f"cannot compute {shown(culprit)}: {reason.rstrip('.')}.") from None
