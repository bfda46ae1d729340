"""Where one problem strikes: what it may look at, its random numbers, and what it may do to the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.simulate.arithmetic import Values
from mixedsim.simulate.expression import Parameter, evaluate
from mixedsim.simulate.fields import FieldError, Path
from mixedsim.simulate.layout import take
from mixedsim.simulate.problems.table import Mask, Table
from mixedsim.simulate.streams import Streams

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scene:
    """One step of the way from the complete data to the data file.

    Attributes
    ----------
    table : the data as the steps before have left them.
    step : which problem this is, counted from 1.
    kind : what it is called.
    name : the words after which its random numbers are named.
    streams : all random numbers of the draw.
    """

    table: Table
    step: int
    kind: str
    name: tuple[str, ...]
    streams: Streams

    def path(self, field: str) -> Path:
        """A field of this problem, for an error."""
        return "problems", str(self.step), field

    def true(self, name: str) -> Values:
        """The true values of a variable, one for every row that is there now."""
        return take(self.table.complete.rows[name], self.table.origin)

    def value(self, field: str, value: Parameter, *, low: float = -np.inf, high: float = np.inf) -> float | Array:
        """A parameter: a number, or one number for every row that is there now.

        It is worked out from the true values of all rows, so that whether it stays within its bounds does not depend
        on what the steps before have left.
        """
        rows = self.table.complete.rows
        every = evaluate(value, rows.__getitem__, self.path(field), low=low, high=high)
        return every[self.table.origin] if isinstance(every, np.ndarray) and every.ndim else every

    def uniform(self, purpose: str, level: str | None = None) -> Array:
        """Random numbers between 0 and 1 for every row; the same within a unit of `level`."""
        return self._deal(self._rng(purpose).random, level)

    def normal(self, purpose: str, level: str | None = None) -> Array:
        """Standard normal numbers for every row; the same within a unit of `level`."""
        return self._deal(self._rng(purpose).standard_normal, level)

    def struck(self, share: Parameter, level: str | None = None) -> Mask:
        """Which rows are struck, each (or each unit of `level`) with the probability `share`."""
        return np.less(self.uniform("struck", level), self.value("share", share, low=0, high=1))

    def level_of(self, column: str, given: str | None) -> str | None:
        """The level at which a column is struck: the given one, else that of the column."""
        return given or self.table.complete.contents.levels.get(column)

    def units(self, cluster: str) -> NDArray[np.integer[Any]]:
        """The true unit of every row that is there now."""
        return self.table.complete.layout.codes(cluster)[self.table.origin]

    def numbers(self, column: str) -> NDArray[Any]:
        """A column as it is now, in numbers."""
        values = self.table.columns[column]
        if isinstance(values, pd.Categorical) or values.dtype.kind not in "biuf":
            raise FieldError(self.path("column"), f"must be a numeric column; {column} is none.")
        return values.astype(np.int64) if values.dtype.kind in "biu" else values

    def spread(self, column: str) -> float:
        """The standard deviation of the true values of a column over all rows of the complete data."""
        return float(np.std(np.asarray(self.table.complete.columns[column], dtype=np.float64)))

    def change(self, column: str, values: Values) -> None:
        """Put other values, one a row, in the place of a column; `FieldError` if one is too large for a number."""
        if not isinstance(values, pd.Categorical) and values.dtype.kind == "f" and np.isinf(values).any():
            problem = f"is {column!r}, of which this makes values beyond 1e308: choose smaller changes."
            raise FieldError(self.path("column"), problem)
        self.table.change(self.step, self.kind, column, values)

    def lose(self, column: str, rows: Mask) -> None:
        """Make a column missing in these rows."""
        self.change(column, without(self.table.columns[column], rows))

    def drop(self, rows: Mask) -> None:
        """Remove rows."""
        self.table.drop(self.step, self.kind, rows)

    def repeat(self, rows: Mask) -> None:
        """Enter rows twice."""
        self.table.repeat(self.step, self.kind, rows)

    def _rng(self, purpose: str) -> np.random.Generator:
        return self.streams.generator("problems", *self.name, purpose)

    def _deal(self, draw: Any, level: str | None) -> Array:
        if level is not None:
            dealt: Array = draw(self.table.complete.layout.units[level])[self.units(level)]
            return dealt
        # One number for every key ever given: the first ones are the same, however many follow.
        by_key: Array = draw(len(self.table.key_origin))
        return by_key[self.table.key]


def without(values: Values, rows: Mask) -> Values:
    """The column with these rows missing; numbers become floats even if none is, so that a draw decides no type."""
    if isinstance(values, pd.Categorical):
        codes = np.where(rows, -1, values.codes)
        return pd.Categorical.from_codes(codes, dtype=values.dtype, validate=False)
    kept = values.astype(np.float64 if values.dtype.kind in "biuf" else object)
    kept[rows] = np.nan
    return kept
