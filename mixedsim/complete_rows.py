"""Which rows have all values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import DataError
from mixedsim.ranges import row_of
from mixedsim.reading import Values, gaps_in

Floats = NDArray[np.float64]


def rows_to_keep(
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
