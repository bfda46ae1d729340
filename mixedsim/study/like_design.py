"""Which predictors were given out by design: the same values in every unit, or as many as there was time for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mixedsim.study.like_clusters import Codes, Found

_COMPLETE = 0.5  # share of the units that must have all values, unless nobody has a value twice
_LARGEST = 20_000_000  # entries in the table of units and values
_WIDEST = 2  # times as many values as the longest unit has rows: more, and they were not planned


@dataclass(frozen=True)
class Pattern:
    """Values that every unit of `within` (None: every cell) gets one after the other, or, shuffled, some of them.

    ``sequence`` holds numbers; where `levels` is given, the numbers of these.
    """

    sequence: list[Any]
    levels: tuple[str, ...] | None
    within: str | None
    shuffle: bool = False


def given_out(columns: Mapping[str, Any], found: Found) -> dict[str, Pattern]:
    """The patterns of those columns, one value a row, whose values repeat from unit to unit.

    Columns that were given out together (before and after, for each of two legs) keep their combinations. Units that
    lack some of the values lack those that are rarest: where people leave, the later ones.
    """
    cells = np.unique(found.cells, return_inverse=True)[1]
    longest = int(np.bincount(cells).max())
    if longest < 2 or cells.max() < 1:
        return {}
    leaves = found.structure.leaves()
    within = leaves[0] if len(leaves) == 1 else None
    coded = {name: _coded(values) for name, values in columns.items()}
    chosen: list[str] = []
    for name in coded:
        if _Plan.of(cells, [coded[one] for one in [*chosen, name]]).is_given(longest):
            chosen.append(name)
    if chosen:
        order = _Plan.of(cells, [coded[name] for name in chosen]).in_order()
        return {name: _pattern(columns[name], one, within) for name, one in zip(chosen, order, strict=True)}
    for name, codes in coded.items():
        plan = _Plan.of(cells, [codes])
        if plan.is_never_repeated() and plan.length <= _WIDEST * longest:
            return {name: _pattern(columns[name], np.unique(codes), within, shuffle=True)}
    return {}


def dealt_out(values: Any, parents: Codes) -> list[Any] | None:
    """The values that the units of every parent have, in whatever order; None if they are not the same everywhere."""
    codes = _coded(values)
    lengths = np.bincount(parents)
    if lengths.min() < 2 or (lengths != lengths[0]).any() or len(lengths) < 2:
        return None
    rows = np.sort(codes[np.argsort(parents, kind="stable")].reshape(-1, lengths[0]), axis=1)
    if (rows != rows[0]).any() or len(set(rows[0].tolist())) < 2:
        return None
    if isinstance(values, pd.Categorical):
        return [str(values.categories[code]) for code in rows[0]]
    return [np.unique(values)[code].item() for code in rows[0]]


@dataclass(frozen=True, eq=False)
class _Plan:
    """Combinations of values, and how often every unit has each: ``values`` c × columns, ``often`` units × c."""

    values: Codes
    often: Codes

    @classmethod
    def of(cls, cells: Codes, columns: list[Codes]) -> _Plan:
        values, combination = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
        units = int(cells.max()) + 1
        if units * len(values) > _LARGEST:  # so many values were measured and not planned
            return cls(values, np.full((1, len(values)), len(cells)))
        often = np.bincount(cells * len(values) + combination.ravel(), minlength=units * len(values))
        return cls(values, often.reshape(-1, len(values)))

    @property
    def length(self) -> int:
        """Rows of a unit that would have all that any unit has."""
        return int(self.often.max(axis=0).sum())

    def is_never_repeated(self) -> bool:
        """Whether no unit has a combination twice."""
        return int(self.often.max()) == 1

    def is_given(self, longest: int) -> bool:
        """Whether one unit has it all, and either many do or no unit has a combination twice."""
        if self.length != longest:
            return False
        complete = (self.often == self.often.max(axis=0)).all(axis=1).mean()
        return bool(complete >= _COMPLETE) or self.is_never_repeated()

    def in_order(self) -> list[Codes]:
        """The sequence of each column: what most units have first, else in the order of the values."""
        most = self.often.max(axis=0)
        places = [(which, turn) for which, times in enumerate(most.tolist()) for turn in range(1, times + 1)]
        places.sort(key=lambda place: -int((self.often[:, place[0]] >= place[1]).sum()))
        which = np.array([place[0] for place in places])
        return list(self.values[which].T)


def _coded(values: Any) -> Codes:
    if isinstance(values, pd.Categorical):
        return values.codes.astype(np.intp)
    return np.unique(values, return_inverse=True)[1].astype(np.intp)


def _pattern(values: Any, sequence: Codes, within: str | None, *, shuffle: bool = False) -> Pattern:
    if isinstance(values, pd.Categorical):
        return Pattern(sequence.tolist(), tuple(map(str, values.categories)), within, shuffle)
    return Pattern(np.unique(values)[sequence].tolist(), None, within, shuffle)
