"""The data file while things go wrong with it, and the book that is kept of them.

Every row has a key that it keeps for life: the rows of the complete data are 0, 1, …, and a row that is entered again
gets the next free one. Random numbers are dealt out by key, so that a row's luck does not depend on which other rows
are still there; and the book is kept by key, because labels change when rows go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.simulate.arithmetic import Values
from mixedsim.simulate.contents import Contents
from mixedsim.simulate.layout import Layout, take

Mask = NDArray[np.bool_]
Keys = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Complete:
    """The complete data of one draw, before anything goes wrong.

    Attributes
    ----------
    columns : what would be in the data file: clusters, observed variables, response; one value a row.
    rows : what an expression may read: all variables, hidden ones too, and the response; one value a row.
    contents : what these are.
    layout : which row belongs to which unit.
    """

    columns: Mapping[str, Values]
    rows: Mapping[str, Values]
    contents: Contents
    layout: Layout


@dataclass(frozen=True, eq=False)
class Entry:
    """What one step did: to these keys, in this column (None: to whole rows), which now hold these values."""

    step: int
    problem: str
    keys: Keys
    column: str | None
    now: NDArray[np.object_]


class Table:
    """The data in the state in which the problems so far have left them.

    Attributes
    ----------
    complete : the data as they were.
    columns : name → values, one a row that is there now.
    key : the key of every row that is there now.
    key_origin : for every key ever given, its row in the complete data.
    """

    def __init__(self, complete: Complete, *, keep_book: bool) -> None:
        self.complete = complete
        self.columns: dict[str, Values] = dict(complete.columns)
        self.key: Keys = np.arange(complete.layout.rows)
        self.key_origin: Keys = self.key
        self._book: list[Entry] | None = [] if keep_book else None

    @property
    def origin(self) -> Keys:
        """The row of the complete data that every row comes from."""
        return self.key_origin[self.key]

    def change(self, step: int, problem: str, column: str, values: Values) -> None:
        """Put `values`, one a row, in the place of a column."""
        before, self.columns[column] = self.columns[column], values
        if self._book is not None:
            changed = differ(before, values)
            now = np.asarray(take(values, np.flatnonzero(changed)), dtype=object)
            self._book.append(Entry(step, problem, self.key[changed], column, now))

    def drop(self, step: int, problem: str, rows: Mask) -> None:
        """Remove these rows."""
        self._note_rows(step, problem, self.key[rows])
        self._keep(np.flatnonzero(~rows))

    def repeat(self, step: int, problem: str, rows: Mask) -> None:
        """Enter these rows again, each right behind itself; what is wrong with a row is wrong with its copy."""
        sources = self.key[rows]
        copies = len(self.key_origin) + np.arange(len(sources))
        self.key_origin = np.concatenate([self.key_origin, self.key_origin[sources]])
        if self._book is not None:
            copy_of = np.full(len(self.key_origin), -1)
            copy_of[sources] = copies
            self._book += [_inherited(entry, copy_of) for entry in self._book if entry.column is not None]
        self._note_rows(step, problem, copies)
        at = np.repeat(np.arange(len(self.key)), 1 + rows)
        self._keep(at)
        is_copy = np.zeros(len(at), dtype=bool)
        is_copy[1:] = at[1:] == at[:-1]
        self.key[is_copy] = copies

    def frame(self) -> pd.DataFrame:
        """The data file; rows are labelled 0, 1, … as in a file that was just read."""
        return pd.DataFrame(self.columns, copy=False)

    def book(self) -> pd.DataFrame:
        """One row a cell that was changed, or a row that went or came twice; see `Truth.problems`."""
        assert self._book is not None
        label = np.full(len(self.key_origin), -1)
        label[self.key] = np.arange(len(self.key))
        parts = [self._written(entry, label) for entry in self._book if len(entry.keys)]
        if not parts:
            return _typed(pd.DataFrame(columns=_COLUMNS, dtype=object))
        table = pd.concat(parts, ignore_index=True).sort_values(["step", "original_row", "row"], kind="stable")
        return _typed(table.reset_index(drop=True))

    def _written(self, entry: Entry, label: Keys) -> pd.DataFrame:
        origin = self.key_origin[entry.keys]
        was = entry.now
        if entry.column is not None:
            was = np.asarray(take(self.complete.columns[entry.column], origin), dtype=object)
        parts = {
            "problem": entry.problem,
            "step": entry.step,
            "row": label[entry.keys],
            "original_row": origin,
            "column": entry.column,
            "was": was,
            "now": entry.now,
        }
        return pd.DataFrame({name: _objects(part, len(origin)) for name, part in parts.items()}, dtype=object)

    def _note_rows(self, step: int, problem: str, keys: Keys) -> None:
        if self._book is not None:
            self._book.append(Entry(step, problem, keys, None, np.full(len(keys), None, dtype=object)))

    def _keep(self, at: Keys) -> None:
        self.columns = {name: take(values, at) for name, values in self.columns.items()}
        self.key = self.key[at]


_COLUMNS = ["problem", "step", "row", "original_row", "column", "was", "now"]


def differ(one: Values, other: Values) -> Mask:
    """Where two columns differ; missing equals missing."""
    if isinstance(one, pd.Categorical) and isinstance(other, pd.Categorical):
        return np.asarray(one.codes != other.codes)
    first, second = np.asarray(one), np.asarray(other)
    return np.asarray(first != second) & ~np.asarray(pd.isna(first) & pd.isna(second))


def _objects(values: Any, n: int) -> NDArray[np.object_]:
    """One value, or n of them, as an array of n objects, in which None stays None."""
    every = np.empty(n, dtype=object)
    every[:] = values
    return every


def _inherited(entry: Entry, copy_of: Keys) -> Entry:
    """The part of an entry that befell rows which were copied later, written for the copies."""
    copies = copy_of[entry.keys]
    copied = copies >= 0
    return Entry(entry.step, entry.problem, copies[copied], entry.column, entry.now[copied])


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers as such; a row that is gone has no label."""
    rows = table["row"].to_numpy(dtype=np.int64)
    labels = pd.array(rows, dtype="Int64")
    labels[rows < 0] = pd.NA
    return table.assign(
        step=table["step"].astype(np.int64), row=labels, original_row=table["original_row"].astype(np.int64)
    )
