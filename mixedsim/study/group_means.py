"""One row a group: means of numbers, and what all rows of a group have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import DataError, shown
from mixedsim.levels import group_codes
from mixedsim.reading import dates_as_days, gaps_in, is_numeric, read_column, require

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which rows of a table become which.

    Attributes
    ----------
    used : positions of the rows that have all values.
    codes : the group of each of these.
    rows : how many of these every group has.
    """

    used: NDArray[np.intp]
    codes: NDArray[np.intp]
    rows: NDArray[np.intp]

    def means(self, values: Floats) -> Floats:
        """Group means of a column, or of every column of a matrix, of the whole table."""
        order = np.argsort(self.codes, kind="stable")
        starts = np.cumsum(self.rows) - self.rows
        sums = np.add.reduceat(values[self.used[order]], starts, axis=0)
        return np.asarray(sums / self.rows.reshape(-1, *[1] * (values.ndim - 1)), dtype=np.float64)


def group_means(frame: pd.DataFrame, group: str, columns: Iterable[str]) -> tuple[pd.DataFrame, Grouping]:
    """Return the table with one row a group, and which rows went where.

    Rows in which one of the columns is missing are left out first.

    Parameters
    ----------
    frame : one row an observation.
    group : a column, or several as in ``"class:school"``.
    columns : those to be kept. Numbers become their mean, also 0/1 and dates (in days); a category must be the same
        in all rows of a group.

    Raises
    ------
    DataError
        If a column is not there, or a category differs within a group.

    Examples
    --------
    >>> import pandas as pd
    >>> from mixedsim.study.group_means import group_means
    >>> visits = pd.DataFrame({"who": ["a", "a", "b"], "arm": ["new", "new", "old"], "y": [1.0, 2.0, 5.0]})
    >>> group_means(visits, "who", ["y", "arm"])[0]
         y  arm
    0  1.5  new
    1  5.0  old
    """
    factors, names = group.split(":"), sorted(set(columns))
    require(frame, [*factors, *names])
    read = {
        name: dates_as_days(read_column(name, frame[name]))
        for name in dict.fromkeys((*names, *factors))
        if name in frame
    }
    keep = ~np.logical_or.reduce([gaps_in(values) for values in read.values()])
    used = np.flatnonzero(keep)
    if not len(used):
        raise DataError(f"no row has values in all of {', '.join(map(repr, read))}: leave one of them out.")
    codes, levels = group_codes({name: read[name][used] for name in factors})
    # a category that does not occur, or lost its rows, is no row of the means
    present, codes = np.unique(codes, return_inverse=True)
    grouping = Grouping(used, codes.astype(np.intp), np.bincount(codes))
    labels = levels.labels[present]
    out: dict[str, Any] = {}
    for name in (name for name in columns if name in read):
        values = read[name]
        if is_numeric(values):
            out[name] = grouping.means(np.asarray(values, dtype=np.float64))
        else:
            out[name] = _common(name, values, grouping, group, labels)
    return pd.DataFrame(out, index=pd.RangeIndex(len(labels))), grouping


def _common(
    name: str, values: pd.Categorical[str], grouping: Grouping, group: str, labels: pd.Index[str]
) -> pd.Categorical[str]:
    """The category that all rows of each group have."""
    own = values.codes[grouping.used]
    first = np.zeros(len(grouping.rows), dtype=own.dtype)
    first[grouping.codes[::-1]] = own[::-1]
    differs = own != first[grouping.codes]
    if differs.any():
        where = int(np.argmax(differs))
        at = grouping.codes[where]
        found = " and ".join(shown(values.categories[code]) for code in (first[at], own[where]))
        raise DataError(
            f"aggregate={group!r} cannot take the mean of categories, and in {name!r} {group} {labels[at]} has "
            f"{found}: leave it out, or code it in numbers."
        )
    return pd.Categorical.from_codes(first, dtype=values.dtype, validate=False)
