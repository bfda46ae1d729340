"""Groups that a pooling comparison has never seen: all that is known of them is the population's line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.formula import variables_of
from mixedsim.frame import as_frame
from mixedsim.listing import listed
from mixedsim.plot import curves
from mixedsim.plot.style import Line
from mixedsim.study import Pooling

Floats = NDArray[np.float64]


def new_groups(pooling: Pooling, new: Any) -> dict[Any, pd.DataFrame]:
    """The rows of every new group, by level, in the order of the table.

    Raises
    ------
    MixedsimError
        If a column is missing, a value of one that the model reads is, or a group is not new.
    """
    if new is None:
        return {}
    frame = as_frame(new)
    needed = [pooling.group, *sorted(variables_of(pooling.fit.design.formula.fixed))]
    if pooling.group not in pooling.data.columns:
        raise MixedsimError(f"new groups need one grouping column, and {pooling.group!r} combines several.")
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise MixedsimError(f"new has no column {listed(map(repr, missing))}, which the pooled model reads.")
    gaps = [name for name in needed if frame[name].isna().any()]
    if gaps or not len(frame):
        what = f"has missing values in {listed(map(repr, gaps))}" if gaps else "has no rows"
        raise MixedsimError(f"new {what}: give complete rows of groups that the model has not seen.")
    labels = frame[pooling.group].astype(str)
    known = {str(level) for level in pooling.partial.index}
    old = sorted(known & set(labels))
    if old:
        raise MixedsimError(f"new holds {listed(old)}, which the model has seen: groups= draws those.")
    return dict(list(frame.groupby(labels, sort=False)))


def measured(pooling: Pooling, rows: pd.DataFrame) -> Floats:
    """The responses of new rows, NaN where one is missing, or all are."""
    name = curves.response_name(pooling)
    if name not in rows.columns or not pd.api.types.is_numeric_dtype(rows[name].dtype):
        return np.full(len(rows), np.nan)
    return np.asarray(rows[name], dtype=np.float64)


def expected(pooling: Pooling, name: Line) -> pd.Series[float] | None:
    """The coefficients that a way of pooling expects of a group about which it knows nothing; None if it has none."""
    if name == "none":
        return None
    if name == "complete":
        return pooling.complete.iloc[0]
    return (pooling.intercept_fit if name == "intercepts" else pooling.fit).fixef
