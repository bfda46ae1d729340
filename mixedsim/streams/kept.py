"""The rows of a chunk that have all values, and a tally of those that have not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mixedsim.errors import DataError, shown
from mixedsim.ranges import check_range, rows_like
from mixedsim.reading import Values, gaps_in, kind_of
from mixedsim.streams.source import Chunk

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """Which columns are read, and what for.

    Attributes
    ----------
    names : those of the formula.
    weights, offset : further columns, or None.
    """

    names: tuple[str, ...]
    weights: str | None = None
    offset: str | None = None

    @property
    def all(self) -> tuple[str, ...]:
        """Every column, each once."""
        extra = [name for name in (self.weights, self.offset) if name is not None]
        return tuple(dict.fromkeys([*self.names, *extra]))


@dataclass(frozen=True)
class Tally:
    """What became of the rows.

    Attributes
    ----------
    given, used : numbers of rows.
    gaps : for each column that has missing values, how many.
    dropped : rows without all values.
    weightless : rows that were dropped because their weight is zero.
    """

    given: int = 0
    used: int = 0
    gaps: Mapping[str, int] = field(default_factory=dict)
    dropped: int = 0
    weightless: int = 0

    def __add__(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.given + other.given,
            self.used + other.used,
            dict(Counter(self.gaps) + Counter(other.gaps)),
            self.dropped + other.dropped,
            self.weightless + other.weightless,
        )

    def check(self) -> None:
        """Raise `DataError` if nothing is left."""
        if self.given == 0:
            raise DataError("the data have no rows: check how they were read or filtered.")
        for name, count in self.gaps.items():
            if count == self.given:
                raise DataError(f"column {name!r} has no values, all {count} are missing: check how it was read.")
        if self.dropped == self.given:
            listed = ", ".join(map(repr, self.gaps))
            raise DataError(f"no row has values in all of {listed}: leave one of them out.")
        if self.used == 0:
            raise DataError("all weights are zero: give positive ones.")

    def messages(self, order: Sequence[str]) -> list[str]:
        """What there is to say, columns in this order."""
        said = []
        if self.gaps:
            counted = ", ".join(f"{name} {self.gaps[name]}" for name in order if name in self.gaps)
            said.append(f"{self.dropped} of {self.given} rows were dropped because of missing values ({counted}).")
        if self.weightless:
            said.append(f"{self.weightless} of {self.given} rows were dropped because their weight is zero.")
        return said


@dataclass(frozen=True, eq=False)
class Kept:
    """Rows with all values.

    Attributes
    ----------
    columns : by name.
    weights, offset : one number a row, or None.
    tally : of the chunk.
    mask : which rows of the chunk they are; None for all.
    ends : smallest and largest value of columns of floats, by the `id` of the array, where they are known.
    """

    columns: dict[str, Values]
    weights: Floats | None
    offset: Floats | None
    tally: Tally
    mask: NDArray[np.bool_] | None
    ends: Mapping[int, tuple[float, float]] = field(default_factory=dict)


def kept(chunk: Chunk, asked: Asked) -> Kept:
    """Return the rows of a chunk that have all values.

    Raises
    ------
    DataError
        For infinite values, and weights or offsets that are no finite numbers: it names column and row.
    """
    columns = {name: chunk.columns[name] for name in sorted(asked.names)}
    ends = {id(v): found for v in columns.values() if (found := _ends(v)) is not None}
    unsure = {name: values for name, values in columns.items() if id(values) not in ends}
    gaps = {name: mask for name, values in unsure.items() if (mask := _gaps(name, values, chunk)) is not None}
    extra = {
        what: _numbers(what, name, chunk)
        for what, name in (("weights", asked.weights), ("offset", asked.offset))
        if name is not None
    }
    keep: NDArray[np.bool_] | None = None
    if gaps:
        keep = ~np.any(list(gaps.values()), axis=0)
    dropped = 0 if keep is None else int(chunk.rows - keep.sum())
    weightless = 0
    if "weights" in extra and not (extra["weights"] > 0).all():
        before = np.ones(chunk.rows, dtype=bool) if keep is None else keep
        keep = before & (extra["weights"] > 0)
        weightless = int(before.sum() - keep.sum())
    counts = {name: int(mask.sum()) for name, mask in gaps.items()}
    if keep is not None:
        columns = {name: values[keep] for name, values in columns.items()}
        extra = {what: values[keep] for what, values in extra.items()}
    tally = Tally(chunk.rows, chunk.rows - dropped - weightless, counts, dropped, weightless)
    return Kept(columns, extra.get("weights"), extra.get("offset"), tally, keep, ends if keep is None else {})


def _ends(values: Values) -> tuple[float, float] | None:
    """Smallest and largest value of floats of which all are finite: two numbers say so, without a mask of them."""
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f" or not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    return (low, high) if np.isfinite(low) and np.isfinite(high) else None


def _gaps(name: str, values: Values, chunk: Chunk) -> NDArray[np.bool_] | None:
    """Which rows miss this column; None if none does."""
    if isinstance(values, np.ndarray):
        if values.dtype.kind != "f":
            return None
        infinite = np.isinf(values)
        if infinite.any():
            _refuse(f"column {name!r} holds infinite values", infinite, values, chunk, "replace or remove them")
        mask = np.isnan(values)
    else:
        mask = gaps_in(values)
    return mask if mask.any() else None


def _numbers(what: str, name: str, chunk: Chunk) -> Floats:
    """Weights or offset: finite numbers in every row."""
    given = chunk.columns[name]
    if kind_of(given) != "numbers":
        raise DataError(f"{what} must be numbers, found the column {name!r}: name a numeric column.")
    values = np.asarray(given, dtype=np.float64)
    bad = ~np.isfinite(values)
    if bad.any():
        _refuse(f"{what} must be finite numbers", bad, values, chunk, "replace them, or drop the rows")
    if what == "weights":
        if (values < 0).any():
            _refuse("weights must not be negative", values < 0, values, chunk, "replace them")
        check_range("weights hold", values)
    else:
        check_range("offset holds", values, smallest=0.0)
    return values


def _refuse(what: str, bad: NDArray[np.bool_], values: Floats, chunk: Chunk, mend: str) -> None:
    first = int(np.argmax(bad))
    where = f" in {chunk.where}" if chunk.where else ""
    found = f"{chunk.place(first)} holds {shown(float(values[first]))} ({rows_like(bad)}{where})"
    raise DataError(f"{what}: {found}; {mend}.")
