"""What every column of a table is: a group, numbers (0-1, two numbers), a category, a date, an identifier, a constant.

Whole numbers are the difficult ones: 1, 2, 3, … may be amounts or names. `read_kinds` has the rules.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import DataError
from mixedsim.reading import dates_as_days, is_numeric, read_column
from mixedsim.words.names import names_time, names_unit, words_of
from mixedsim.words.variance import Codes, Floats, cells

Kind: TypeAlias = Literal[
    "group", "number", "0-1", "two numbers", "category", "date", "identifier", "constant", "empty", "unreadable"
]
_FEW = 5  # text with fewer values is a category (arms, sex), unless its name is that of a unit
_MANY = 20  # from so many values on, numbers without gaps may be a list of names
_ALONE = 1.25  # text with fewer rows a value than this names the rows themselves
_COMMON = 3.0  # the outer tenths of a list of names are at most so much rarer or more common than the rest
_DENSE = 0.5  # two columns are crossed on purpose if so many of their combinations occur


@dataclass(frozen=True, eq=False)
class Column:
    """One column of the data.

    Attributes
    ----------
    name : its label, as text.
    kind : what it is.
    codes : n numbers of its values in ascending order, from 0; −1 where missing.
    levels : how many different values it has.
    numbers : n floats (dates in days), NaN where missing; None for text.
    why : for a group, what tells that it is one; else empty.
    infinite : how many rows hold ±inf, which count as missing.
    text_number : whether it is text that could be read as fractional numbers.
    parts : for a combination of groups, the columns that it combines.
    """

    name: str
    kind: Kind
    codes: Codes
    levels: int
    numbers: Floats | None
    why: str = ""
    infinite: int = 0
    text_number: bool = False
    parts: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table that it is made of: itself, or the parts of a combination."""
        return self.parts or (self.name,)

    @property
    def missing(self) -> int:
        """How many rows have no value."""
        return int((self.codes < 0).sum())

    @property
    def per_level(self) -> NDArray[np.intp]:
        """Rows of each value."""
        return np.bincount(self.codes[self.codes >= 0], minlength=self.levels)

    @property
    def whole(self) -> bool:
        """Whether all values are whole numbers."""
        if self.numbers is None or self.kind == "date":
            return False
        known = self.numbers[self.codes >= 0]
        return bool((known == np.floor(known)).all())

    @property
    def runs(self) -> int:
        """How many blocks of adjacent rows with the same value there are, rows without one left out."""
        known = self.codes[self.codes >= 0]
        return 1 + int((known[1:] != known[:-1]).sum()) if len(known) else 0


def read_kinds(frame: pd.DataFrame, groups: Collection[str] = (), response: str | None = None) -> list[Column]:
    """Every column of the table with its kind.

    A column of text or categories is a **group** if it has five values or more, or its name is that of a unit
    (``school``, ``cask``, ``k_id``); with fewer values it is a **category**, as an ordered Categorical and fractional
    numbers kept as text always are. Text that differs from row to row is an **identifier**.

    A column of numbers is a **group** if `groups` names it, if its name is that of a unit, or if it holds whole
    numbers, is not named after a time (``day``, ``age``, ``wave``), is not one-to-one with a group already found, does
    not count the rows within one, and

    * every value fills one block of adjacent rows, with at least five values and two rows each; or
    * it has 20 values or more from 0 or 1 on with few gaps, of which the lowest and highest tenths are about as
      common as the rest (those of a score or a count are not); or
    * it starts again at 0 or 1 in every level of a group and runs without gaps, in blocks of at least two rows.

    Other numbers are **numbers**, those with the values 0 and 1 alone (and booleans) **0-1**, those with two
    other values (a contrast of −0.5 and 0.5) **two numbers**, whole numbers that number the rows **identifiers**. A
    column with one value is a **constant**.

    Parameters
    ----------
    frame : the table.
    groups : columns that are groups whatever they look like.
    response : a column that is none, whatever it looks like.
    """
    columns = [_first_look(str(label), frame[label]) for label in frame.columns]
    columns = [_by_name(c, c.name in groups) if c.name != response else c for c in columns]
    for rule in (_in_blocks, _numbered, _restarting):
        for i, column in enumerate(columns):
            found = [c for c in columns if c.kind == "group"]
            if column.kind != "number" or column.name == response or not column.whole or names_time(column.name):
                continue
            why = "" if _amounts(column, found) else rule(column, found)
            if why:
                columns[i] = replace(column, kind="group", why=why)
    return columns


def _first_look(name: str, series: pd.Series[Any]) -> Column:
    """The column by its values alone, where whole numbers are numbers."""
    try:
        values = read_column(name, series)
    except DataError:
        return Column(name, "unreadable", np.full(len(series), -1, dtype=np.intp), 0, None)
    if isinstance(values, pd.Categorical) or isinstance(values.dtype, pd.IntervalDtype):
        return _of_text(name, pd.Categorical(values))
    is_date = not is_numeric(values)
    numbers = np.asarray(dates_as_days(values), dtype=np.float64)
    infinite = np.isinf(numbers)
    if infinite.any():
        numbers = np.where(infinite, np.nan, numbers)
    codes, levels = pd.factorize(numbers, sort=True)
    kind: Kind = "date" if is_date else "number"
    if len(levels) <= 2:
        zero_one = len(levels) == 2 and set(levels) == {0.0, 1.0} and not is_date
        kind = ("empty", "constant", "0-1" if zero_one else "date" if is_date else "two numbers")[len(levels)]
    return Column(name, kind, codes.astype(np.intp), len(levels), numbers, infinite=int(infinite.sum()))


def _of_text(name: str, values: pd.Categorical[Any]) -> Column:
    old = values.codes.astype(np.intp)
    counts = np.bincount(old[old >= 0], minlength=len(values.categories))
    number = np.append(np.cumsum(counts > 0) - 1, -1)  # unused categories go; −1 stays −1
    labels = values.categories[counts > 0]
    as_numbers = pd.to_numeric(pd.Series(labels.astype(str)), errors="coerce").to_numpy(dtype=np.float64)
    are_numbers = len(labels) > 0 and bool(np.isfinite(as_numbers).all())
    if are_numbers:  # "2" comes before "10"
        place = np.empty(len(labels) + 1, dtype=np.intp)
        place[np.argsort(as_numbers, kind="stable")] = np.arange(len(labels))
        place[-1] = -1
        number = place[number]
    codes, rows = number[old], int(counts.sum())
    fraction = are_numbers and bool((as_numbers != np.floor(as_numbers)).any())
    kind: Kind = "category"
    if len(labels) < 2:
        kind = "constant" if len(labels) else "empty"
    elif rows < _ALONE * len(labels):
        kind = "identifier"
    elif len(labels) >= _FEW and not values.ordered and not fraction:
        return Column(name, "group", codes, len(labels), None, "text with repeated values")
    return Column(name, kind, codes, len(labels), None, text_number=fraction)


def _by_name(column: Column, told: bool) -> Column:
    """What the name, or the caller, says about a column that could be a group."""
    if column.kind in ("constant", "empty", "unreadable"):
        return column
    if told:
        return replace(column, kind="group", why="as told")
    if column.kind == "number" and column.whole and column.levels == len(column.codes):
        span = column.levels - 1 == np.ptp(column.numbers) if column.numbers is not None else False
        return replace(column, kind="identifier") if span or names_unit(column.name) else column
    names = column.numbers is None or column.whole or words_of(column.name)[-1:] == ["id"]
    able = column.kind in ("number", "two numbers", "category")
    if able and names and names_unit(column.name) and column.per_level.mean() > 1:
        return replace(column, kind="group", why="its name")
    return column


def _amounts(column: Column, found: list[Column]) -> bool:
    """Whether numbers measure the levels of a group already found, or count the rows within them."""
    for group in found:
        count, own, other = cells(column.codes, group.codes)
        if len(count) == column.levels == group.levels:
            return True
        per_row = len(count) == int(count.sum())
        nested = len(count) in (column.levels, group.levels)
        if per_row and not nested and len(count) >= _DENSE * len(np.unique(own)) * len(np.unique(other)):
            return True
    return False


def _in_blocks(column: Column, found: list[Column]) -> str:  # noqa: ARG001 (rules are called alike)
    blocks = column.runs == column.levels >= _FEW and column.per_level.min() >= 2
    return "whole numbers in blocks of rows" if blocks else ""


def _numbered(column: Column, found: list[Column]) -> str:  # noqa: ARG001
    assert column.numbers is not None
    low, high = np.nanmin(column.numbers), np.nanmax(column.numbers)
    n = column.per_level
    if column.levels < _MANY or low not in (0, 1) or high > 3 * column.levels or n.mean() < 2:
        return ""
    tenth = len(n) // 10
    ratios = np.array([n[:tenth].mean(), n[-tenth:].mean()]) / n[tenth:-tenth].mean()
    return "a running number" if ratios.max() <= _COMMON and ratios.min() >= 1 / _COMMON else ""


def _restarting(column: Column, found: list[Column]) -> str:
    for group in found:
        count, own, other = cells(column.codes, group.codes)
        if len(count) <= column.levels or column.runs != len(count) or np.median(count) < 2:
            continue
        if runs_from_start(own, other) and column.numbers is not None and np.nanmin(column.numbers) in (0, 1):
            return f"starts again in every level of {group.name}"
    return ""


def runs_from_start(child: Codes, parent: Codes) -> bool:
    """Whether each parent has the first k of the child's values, k two or more in most.

    Parameters
    ----------
    child, parent : codes of every combination that occurs.
    """
    k = np.bincount(parent)
    k = k[k > 0]
    last = np.zeros(int(parent.max(initial=0)) + 1, dtype=np.intp)
    np.maximum.at(last, parent, child + 1)
    return len(k) > 1 and bool((last[last > 0] == k).all()) and float(np.median(k)) >= 2
