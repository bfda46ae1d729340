"""Numbers whose squares are still numbers, and how a sentence says which rows are to blame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.columns import Columns
from mixedsim.errors import DataError, shown

Floats = NDArray[np.float64]
_LARGEST, _SMALLEST = 1e100, 1e-100  # sizes whose squares, and the products of those, are still numbers
_LOST = 1e-6  # a column's rounding error over its range: above this, its differences are no longer what they were


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


def check_columns(columns: Columns, index: pd.Index[Any]) -> list[str]:
    messages = []
    for name, column in zip(columns.names, columns.columns, strict=True):
        if not isinstance(column, float):
            messages += check_size(repr(name), column, index)
    return messages


def check_size(name: str, column: Floats, index: pd.Index[Any]) -> list[str]:
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
