"""Columns taken from their mean: from the mean of all rows, or from the mean of the row's own group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import DataError, nearest, shown
from mixedsim.frame import as_frame
from mixedsim.reading import dates_as_days, gaps_in, is_numeric, read_column
from mixedsim.words.variance import Codes, Floats, combined, deviations, varying


def within_between(data: Any, x: str | Sequence[str], group: str | Sequence[str]) -> pd.DataFrame:
    """A copy of the table in which every `x` is split: ``x_mean``, its group's mean, and ``x_within``, the rest.

    ``x = x_mean + x_within``, and the two are uncorrelated: in ``y ~ x_within + x_mean + (1 | group)`` the first has
    the effect within groups and the second the effect between them (Mundlak, Y. (1978). On the pooling of time series
    and cross section data. Econometrica 46, 69–85). A missing x is left out of its group's mean, which its row still
    gets; a row without a group gets neither.

    Parameters
    ----------
    data : a DataFrame, or anything that becomes one; it is not changed.
    x : a numeric column, or a list of them.
    group : the column that groups the rows, or a list of columns of which each combination is a group.

    Raises
    ------
    DataError
        If a column is missing or not numeric, if x has one value in each group (it has no part within), or if the
        table already has other columns of these names.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = {"g": ["a", "a", "b", "b"], "x": [1.0, 3.0, 10.0, 20.0]}
    >>> ms.within_between(data, "x", "g")
       g     x  x_within  x_mean
    0  a   1.0      -1.0     2.0
    1  a   3.0       1.0     2.0
    2  b  10.0      -5.0    15.0
    3  b  20.0       5.0    15.0
    """
    frame = as_frame(data)
    names, by = _names(x), _names(group)
    codes = group_of(frame, by)
    new: dict[str, Floats] = {}
    for name in names:
        values = numbers_of(frame, name)
        if name in by:
            raise DataError(f"x and group are both {shown(name)}: name what is split, and what groups the rows.")
        several, repeated = varying(pd.factorize(values)[0].astype(np.intp), codes)
        if repeated == 0:
            raise DataError(f"{listed_group(by)} has one row of {name!r} a level: nothing lies within; group coarser.")
        if several == 0:
            raise DataError(
                f"{name!r} has one value in each level of {listed_group(by)}: it differs between groups only and can "
                "stand in a model as it is."
            )
        use = np.isfinite(values) & (codes >= 0)
        within = np.full(len(values), np.nan)
        within[use] = deviations(values[use], codes[use])
        means = np.full(int(codes.max(initial=-1)) + 1, np.nan)
        means[codes[use]] = values[use] - within[use]
        new[f"{name}_within"] = within
        new[f"{name}_mean"] = np.where(codes >= 0, means[codes], np.nan)
    return _added(frame, new)


def center(data: Any, x: str | Sequence[str], at: float | None = None, *, scale: bool = False) -> pd.DataFrame:
    """A copy of the table in which every `x` is taken from its mean: ``x_c``, or ``x_z`` in standard deviations.

    With ``x_c`` in a model the intercept is the outcome at the mean of x instead of at zero; slopes stay what they
    are. For means of groups see `within_between`.

    Parameters
    ----------
    data : a DataFrame, or anything that becomes one; it is not changed.
    x : a numeric column, or a list of them.
    at : the value that becomes zero, instead of the mean of all rows.
    scale : whether to divide by the standard deviation (n − 1) of all rows.

    Raises
    ------
    DataError
        If a column is missing or not numeric, or to be scaled without varying, or if the table already has another
        column of that name.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.center({"x": [1.0, 2.0, 6.0]}, "x")
         x  x_c
    0  1.0 -2.0
    1  2.0 -1.0
    2  6.0  3.0
    """
    frame = as_frame(data)
    if at is not None and (isinstance(at, bool) or not isinstance(at, int | float | np.number) or not np.isfinite(at)):
        raise DataError(f"at must be the number that becomes zero, found {shown(at)}.")
    new: dict[str, Floats] = {}
    for name in _names(x):
        values = numbers_of(frame, name)
        known = values[~np.isnan(values)]
        if not len(known):
            raise DataError(f"column {name!r} has no values: there is no mean to take it from.")
        away = values - (known.mean() if at is None else at)
        if scale:
            sd = known.std(ddof=1) if len(known) > 1 else 0.0
            if not sd > 0:
                raise DataError(f"column {name!r} does not vary: it has no standard deviation to be divided by.")
            away = away / sd
        new[f"{name}_{'z' if scale else 'c'}"] = away
    return _added(frame, new)


def listed_group(names: Sequence[str]) -> str:
    """A group as sentences name it: ``'school:class'``."""
    return repr(":".join(names))


def group_of(frame: pd.DataFrame, names: Sequence[str]) -> Codes:
    """n codes of the group that the columns make together, −1 where one is missing, numbered without gaps."""
    parts = []
    for name in names:
        values = read_column(name, _column(frame, name))
        codes = pd.factorize(values, sort=False)[0].astype(np.intp)
        parts.append(np.where(gaps_in(values), -1, codes))
    return combined(parts)


def numbers_of(frame: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """A column as n finite floats or NaN; raises `DataError` if it holds text or infinite values."""
    values = read_column(name, _column(frame, name))
    if not is_numeric(values):
        values = dates_as_days(values)
    if not is_numeric(values):
        raise DataError(f"column {name!r} holds text: only numbers have means; convert it with pd.to_numeric.")
    numbers = np.asarray(values, dtype=np.float64)
    infinite = np.isinf(numbers)
    if infinite.any():
        where = frame.index[int(np.argmax(infinite))]
        raise DataError(
            f"column {name!r} holds infinite values, the first in row {shown(where)} ({infinite.sum()} such rows): "
            "replace or remove them."
        )
    return numbers


def _column(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    if name not in frame.columns:
        raise DataError(f"the data have no column {shown(name)}: {nearest(name, frame.columns)}")
    return frame[name]


def _names(given: str | Sequence[str]) -> list[str]:
    names = [given] if isinstance(given, str) else list(given) if isinstance(given, Sequence) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise DataError(f"columns are given by name, one or a list of them, found {shown(given)}.")
    return names


def _added(frame: pd.DataFrame, new: dict[str, Floats]) -> pd.DataFrame:
    """The table with new columns; one that is there already may only be what it would become."""
    for name, values in new.items():
        if name not in frame.columns:
            continue
        old = frame[name]
        same = is_numeric(old) and np.allclose(old.to_numpy(dtype=np.float64), values, equal_nan=True)
        if not same:
            raise DataError(f"the data already have a column {name!r} with other values: rename or drop it first.")
    return frame.assign(**new)
