"""Weights and offset: one number a row, from a column or from values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mixedsim.errors import DataError, nearest, shown
from mixedsim.ranges import check_range, row_of
from mixedsim.reading import read_column

Floats = NDArray[np.float64]
_OUTWEIGHS = 1e10  # times the middle weight: beside such a row rounding takes the others' digits


def row_values(what: str, given: str | ArrayLike | None, frame: pd.DataFrame) -> Floats | None:
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
