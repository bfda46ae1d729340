"""Which level of a grouping factor every row belongs to, in the data that were fitted and in new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import DataError, shown
from mixedsim.reading import Values, gaps_in, read_column, require

Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Levels:
    """The levels of a grouping factor: values of one column, or the combinations of several that occur.

    Attributes
    ----------
    labels : J labels; for combinations, the columns' own labels joined by ``:``.
    names : the columns.
    columns : the distinct values of each.
    present : for each level, its number among all possible combinations.
    """

    labels: pd.Index[Any]
    names: tuple[str, ...]
    columns: tuple[pd.Index[Any], ...]
    present: NDArray[np.int64]


def group_codes(columns: Mapping[str, Values]) -> tuple[Codes, Levels]:
    """Level number of every row, and the levels, for one column or the combination of several."""
    names = tuple(columns)
    coded = [_one_column(column) for column in columns.values()]
    parts = tuple(levels for _, levels in coded)
    if len(columns) == 1:
        return coded[0][0], Levels(parts[0], names, parts, np.arange(len(parts[0])))
    present, codes = np.unique(_joint([c for c, _ in coded], parts), return_inverse=True)
    return codes.astype(np.intp), labelled(names, parts, present)


def labelled(names: tuple[str, ...], parts: tuple[pd.Index[Any], ...], present: NDArray[np.int64]) -> Levels:
    """The `Levels` with these combinations of the columns' values."""
    if len(parts) == 1:
        return Levels(parts[0], names, parts, present)
    left = present
    labels: list[Any] = []
    for part in reversed(parts):
        left, own = np.divmod(left, len(part))
        labels.append(part.astype(str).to_numpy(dtype=object)[own])
    joined = pd.Index([":".join(label) for label in zip(*reversed(labels), strict=True)])
    if not joined.is_unique:
        twice = joined[joined.duplicated()][0]
        raise DataError(f"two combinations of {' and '.join(names)} are both called {twice!r}: rename one level.")
    return Levels(joined, names, parts, present)


def codes_in(levels: Levels, frame: pd.DataFrame, *, allow_new: bool = False) -> tuple[Codes, NDArray[np.bool_]]:
    """Level number of every row of a new table, −1 where it has none, and which rows miss a value.

    Parameters
    ----------
    levels : what the model was fitted on.
    frame : the new table.
    allow_new : whether rows may have other levels, and then no number.

    Raises
    ------
    DataError
        For a missing column, a column of another kind, and for new levels unless they are allowed.
    """
    require(frame, levels.names)
    columns = [read_column(name, frame[name]) for name in levels.names]
    missing = np.any([gaps_in(column) for column in columns], axis=0)
    own = [part.get_indexer(pd.Index(column)) for part, column in zip(levels.columns, columns, strict=True)]
    joint = _joint(own, levels.columns)
    where = np.searchsorted(levels.present, joint).clip(max=len(levels.present) - 1)
    known = (levels.present[where] == joint) & (np.min(own, axis=0) >= 0)
    unseen = ~known & ~missing
    if unseen.any():
        _check_kind(levels, frame[unseen])
    if unseen.any() and not allow_new:
        raise DataError(_unseen(levels, frame[unseen]))
    return np.where(known, where, -1), missing


def _check_kind(levels: Levels, rows: pd.DataFrame) -> None:
    """'1' is no new level where 1 was one, but a column of another kind, which nobody means even if new ones may be."""
    for name, known in zip(levels.names, levels.columns, strict=True):
        alike = {str(label): label for label in known}
        for value in rows[name].unique():
            if str(value) in alike and value not in known:
                raise DataError(
                    f"{name!r} holds {shown(value)} ({type(value).__name__}) where the model was fitted to "
                    f"{shown(alike[str(value)])}: convert the column to the kind that it was."
                )


def _unseen(levels: Levels, rows: pd.DataFrame) -> str:
    """What to say of rows whose levels are new."""
    given = zip(*(rows[name] for name in levels.names), strict=True)
    labels = list(dict.fromkeys(row[0] if len(row) == 1 else ":".join(map(str, row)) for row in given))
    listed = ", ".join(map(shown, labels[:5]))
    return (
        f"{':'.join(levels.names)!r} has levels that the model was not fitted on: {listed}"
        f"{', …' if len(labels) > 5 else ''}; use random=False to predict the population mean for them, or "
        "allow_new_levels=True to do so for these rows alone."
    )


def _joint(codes: Sequence[Codes], parts: Sequence[pd.Index[Any]]) -> NDArray[np.int64]:
    """Number of each row's combination among all possible ones."""
    if np.prod([float(len(part)) for part in parts]) > 2.0**62:
        raise DataError("there are more than 2⁶² possible combinations of these grouping columns: combine fewer.")
    joint = np.zeros(len(codes[0]), dtype=np.int64)
    for own, part in zip(codes, parts, strict=True):
        joint = joint * len(part) + own
    return joint


def _one_column(values: Values) -> tuple[Codes, pd.Index[Any]]:
    if isinstance(values, pd.Categorical):
        counts = np.bincount(values.codes, minlength=len(values.categories))
        if (counts > 0).all():
            return values.codes.astype(np.intp), values.categories
        new = np.cumsum(counts > 0) - 1
        return new[values.codes].astype(np.intp), values.categories[counts > 0]
    codes, levels = pd.factorize(values, sort=True)
    return codes.astype(np.intp), pd.Index(levels)
