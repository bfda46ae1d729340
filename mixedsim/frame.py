"""The table that somebody passed, as a DataFrame: whatever holds columns or records will do."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sized
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mixedsim.errors import DataError, shown

_COPIES_ON_WRITE = int(pd.__version__.split(".")[0]) >= 3


def as_now(data: Any) -> Any:
    """The data as they are now: what is done to the caller's table afterwards does not reach them.

    Where pandas copies on write this costs nothing until somebody writes.
    """
    return data.copy(deep=not _COPIES_ON_WRITE) if isinstance(data, pd.DataFrame) else data


def as_frame(data: Any) -> pd.DataFrame:
    """The table as a DataFrame; raises `DataError` if it is none."""
    if isinstance(data, pd.DataFrame):
        frame = data
    elif hasattr(data, "to_pandas"):  # polars, pyarrow
        try:
            frame = data.to_pandas()
        except ImportError as error:
            raise DataError(f"this {type(data).__name__} cannot become a pandas DataFrame: {error}.") from None
    elif isinstance(data, np.ndarray) and data.dtype.names:
        frame = pd.DataFrame(data)
    elif isinstance(data, Mapping):
        frame = _of_mapping(data)
    elif isinstance(data, list) and all(isinstance(row, Mapping) for row in data):
        frame = pd.DataFrame(data)
    else:
        raise DataError(no_table(data))
    if frame.columns.nlevels > 1:
        raise DataError(f"the column names have several levels, such as {frame.columns[0]!r}: flatten them to one.")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise DataError(f"the column name {twice!r} occurs more than once: rename one of the columns.")
    return frame


def _of_mapping(data: Mapping[Any, Any]) -> pd.DataFrame:
    """A table from columns by name, which must have the same rows."""
    lengths = {name: len(column) for name, column in data.items() if isinstance(column, Sized) and not _is_text(column)}
    if data and not lengths:
        raise DataError("the data have a single value in each column: write lists, as in {'y': [1, 2]}.")
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name!r} {rows}" for name, rows in list(lengths.items())[:12])
        raise DataError(f"the columns of the data have different lengths ({listed}): give each one value a row.")
    own = [column.index for column in data.values() if isinstance(column, pd.Series)]
    if any(not index.equals(own[0]) for index in own):
        raise DataError("the columns of the data are Series with different indexes: make a table of their values.")
    try:
        return pd.DataFrame(data)
    except ValueError as error:
        raise DataError(f"the data do not form a table: {error}.") from None


def _is_text(value: object) -> bool:
    return isinstance(value, str | bytes)


def no_table(data: Any) -> str:
    """What to say of data that are no table."""
    if isinstance(data, str | Path):
        name = shown(str(data))
        if os.path.isfile(data):  # which takes any string; Path.is_file raises for a very long one
            return f"the data must be a table, found the path {name}: read it first, as with pandas.read_csv."
        return f"there is no file {name}, and the data must be a table: read it first, as with pandas.read_csv."
    inside = isinstance(getattr(data, "data", None), pd.DataFrame)
    mend = "pass its .data" if inside else "pass a DataFrame, a mapping of columns or a list of records"
    return f"the data must be a table, found {type(data).__name__}: {mend}."
