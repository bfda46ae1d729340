"""Terms become columns: what a right-hand side means for given data.

Plain numeric columns, their products and the intercept are read directly, without a copy; everything else
(categories, contrasts, splines, functions) goes through formulaic, whose coefficient names are used throughout.
A column that is the same in every row is a single float, so that a linear predictor over a million rows is a sum
of products and never a stacked matrix.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from formulaic import Formula as FormulaicFormula
from formulaic import ModelSpec
from formulaic.errors import DataMismatchWarning, FormulaicError
from formulaic.parser.types import Term
from numpy.typing import NDArray

from mixedsim.errors import DataError, nearest
from mixedsim.formula import fixed_terms, unquote, variables_of

Data = pd.DataFrame | Mapping[str, Any]


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
    columns: tuple[NDArray[np.float64] | float, ...]
    rows: int
    terms: tuple[str, ...]
    spec: ColumnSpec

    def matrix(self) -> NDArray[np.float64]:
        """All columns side by side: n × p, in column order."""
        out = np.empty((self.rows, len(self.columns)), order="F")
        for j, column in enumerate(self.columns):
            out[:, j] = column
        return out

    def dot(self, coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
        """The linear predictor: n values."""
        eta = np.zeros(self.rows)
        for column, b in zip(self.columns, coefficients, strict=True):
            if b != 0:
                eta += column * b
        return eta


@dataclass(frozen=True, eq=False)
class ColumnSpec:
    """A right-hand side with everything that was learned from the data it was first applied to."""

    rhs: str
    model_spec: ModelSpec | None  # None where only plain numeric columns occur: nothing had to be learned


def model_columns(
    rhs: str, data: Data, spec: ColumnSpec | None = None, shared: dict[str, NDArray[np.float64]] | None = None
) -> Columns:
    """Return the `Columns` of the right-hand side `rhs` for `data`.

    Parameters
    ----------
    rhs : such as ``"1 + x"``, ``"0 + time:group"``, ``"0"`` (no column at all).
    data : a DataFrame, or a mapping from names to arrays of equal length.
    spec : from an earlier call, to code new data as the old (levels, means of `scale`, knots).
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
    require(data, rhs)
    rows = _rows(data)
    if spec is None or spec.model_spec is None:
        direct = _direct(terms, data, {} if shared is None else shared)
        if direct is not None:
            names, columns = direct
            labels = tuple(str(t) for t in terms)
            return Columns(names, columns, rows, labels, ColumnSpec(rhs, None))
    return _by_formulaic(rhs, data, rows, spec.model_spec if spec else None)


def require(data: Data, rhs: str) -> None:
    """Raise `DataError` with the nearest name if `rhs` reads a column that `data` has not."""
    known = list(data.keys())
    for name in sorted(variables_of(rhs)):
        if name not in data and name not in _CONSTANTS:
            raise DataError(f"the formula needs a column {name!r}, which the data do not have: {nearest(name, known)}")


_CONSTANTS = frozenset({"np", "pi", "contr"})


def _rows(data: Data) -> int:
    if isinstance(data, pd.DataFrame):
        return len(data)
    return max((len(v) for v in data.values() if np.ndim(v) == 1), default=0)


def _direct(
    terms: tuple[Term, ...], data: Data, plain: dict[str, NDArray[np.float64]]
) -> tuple[tuple[str, ...], tuple[NDArray[np.float64] | float, ...]] | None:
    """Names and columns if every factor is a plain numeric column; None if formulaic is needed."""
    names: list[str] = []
    columns: list[NDArray[np.float64] | float] = []
    for term in terms:
        parts = [f.expr for f in term.factors if f.expr != "1"]
        column: NDArray[np.float64] | float = 1.0
        for expr in parts:
            name = unquote(expr)
            if name not in plain:
                if name not in data:
                    return None
                values = data[name]
                dtype = getattr(values, "dtype", None)
                if not isinstance(dtype, np.dtype) or dtype.kind not in "iuf":
                    return None
                plain[name] = np.asarray(values, dtype=np.float64)
            column = plain[name] if isinstance(column, float) else column * plain[name]
        names.append(":".join(unquote(e) for e in parts) or "Intercept")
        columns.append(column)
    return tuple(names), tuple(columns)


def _by_formulaic(rhs: str, data: Data, rows: int, spec: ModelSpec | None) -> Columns:
    frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame(dict(data))
    # Indicators are mostly zeros: assembling them sparsely is several times faster than formulaic's dense route.
    sparse = spec is None and any(not pd.api.types.is_numeric_dtype(frame[v]) for v in variables_of(rhs) if v in frame)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DataMismatchWarning)
            warnings.filterwarnings("ignore", message="Constructing a Categorical")
            if spec is not None:
                model = spec.get_model_matrix(frame, na_action="ignore")
            else:
                output = "sparse" if sparse else "numpy"
                model = FormulaicFormula(rhs).get_model_matrix(frame, output=output, na_action="ignore")
    except DataMismatchWarning as warning:
        said = str(warning).split(": ", 1)[-1].split(". ")[0]
        raise DataError(f"the data have categories that the model was not fitted on: {said}.") from None
    except (FormulaicError, TypeError, ValueError, SyntaxError) as error:
        said = str(error).split("\n")[0].rstrip(". ")
        raise DataError(f"cannot compute the columns of {rhs!r}: {said}.") from None
    learned: ModelSpec = model.model_spec
    values = model.toarray(order="F") if hasattr(model, "toarray") else np.asfortranarray(model, dtype=np.float64)
    values = np.asfortranarray(values, dtype=np.float64)
    names = tuple(learned.column_names)
    labels = [""] * len(names)
    for term, where in learned.term_indices.items():
        for j in where:
            labels[j] = str(term)
    columns: list[NDArray[np.float64] | float] = [
        1.0 if name == "Intercept" else values[:, j] for j, name in enumerate(names)
    ]
    return Columns(names, tuple(columns), rows, tuple(labels), ColumnSpec(rhs, learned))
