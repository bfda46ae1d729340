"""What looks wrong in a table before any model: gaps, slips, numbers kept as text, measurements side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mixedsim.listing import counted, listed
from mixedsim.words.kinds import Column
from mixedsim.words.variance import varying

_NEARLY = 0.05  # a value that varies in so few levels of a group may have been mistyped there
_ENOUGH = 10  # levels from which on that can be said
_WIDE = 3  # columns named alike from which on a table looks wide


def complaints(columns: Sequence[Column], groups: Sequence[Column]) -> list[str]:
    """Sentences about what a reader should look at before fitting anything."""
    about_columns = [*_missing(columns), *_of_no_use(columns), *_contrasts(columns)]
    return [*about_columns, *_slips(columns, groups), *_wide(columns, groups)]


def _missing(columns: Sequence[Column]) -> list[str]:
    gaps = [c for c in columns if c.missing > c.infinite and c.kind not in ("empty", "unreadable")]
    out = []
    if gaps:
        found = listed(f"{c.name} ({c.missing - c.infinite:,})" for c in gaps)
        out.append(f"Values are missing in {found}: a model leaves out every row that misses one of its columns.")
    out += [
        f"{c.name} is infinite in {counted(c.infinite, 'row')}, counted as missing here: replace or remove them."
        for c in columns
        if c.infinite
    ]
    return out


def _of_no_use(columns: Sequence[Column]) -> list[str]:
    out = []
    constant = [c.name for c in columns if c.kind == "constant"]
    empty = [c.name for c in columns if c.kind == "empty"]
    odd = [c.name for c in columns if c.kind == "unreadable"]
    rows = [c.name for c in columns if c.kind == "identifier"]
    text = [c.name for c in columns if c.text_number]
    if constant:
        out.append(f"{listed(constant)} {_has(constant)} the same value in all rows and can explain nothing.")
    if empty:
        out.append(f"{listed(empty)} {_has(empty)} no values at all.")
    if odd:
        out.append(f"{listed(odd)} mixes kinds of values, or holds neither numbers nor text: it was left out.")
    if rows:
        out.append(
            f"{listed(rows)} {_has(rows)} a value for (nearly) each row: an identifier, which can neither group nor "
            "explain."
        )
    if text:
        out.append(f"{listed(text)} {_has(text)} numbers kept as text: convert with pd.to_numeric.")
    return out


def _contrasts(columns: Sequence[Column]) -> list[str]:
    """What a number with two values is to a model."""
    out = []
    for column in columns:
        if column.kind == "two numbers" and column.numbers is not None:
            low, high = (float(column.numbers[column.codes == code][0]) for code in (0, 1))
            apart = "" if high - low == 1 else f", divided by {high - low:g}"
            out.append(
                f"{column.name} is a number with two values, {low:g} and {high:g}: its coefficient is the difference "
                f"between the two{apart}."
            )
    return out


def _has(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _slips(columns: Sequence[Column], groups: Sequence[Column]) -> list[str]:
    """A column that has one value in nearly all levels of a group, and several in a few."""
    out = []
    for group in groups:
        for column in columns:
            if column.name in group.columns or column.kind not in ("number", "0-1", "two numbers", "category"):
                continue
            several, repeated = varying(column.codes, group.codes)
            if repeated >= _ENOUGH and 0 < several <= max(1.0, _NEARLY * repeated) and column.levels <= repeated:
                out.append(
                    f"{column.name} has one value in each level of {group.name} but for {several} of {repeated:,}: is "
                    "that a slip?"
                )
    return out


def _wide(columns: Sequence[Column], groups: Sequence[Column]) -> list[str]:
    """Repeated measurements in columns side by side, where a mixed model wants them below each other."""
    stems: dict[str, list[str]] = {}
    for column in columns:
        stem = re.sub(r"[\W_]*\d+$", "", column.name)
        if column.kind == "number" and stem and stem != column.name:
            stems.setdefault(stem, []).append(column.name)
    if groups:
        return []
    return [
        f"{listed(names)} look like one measurement taken {len(names)} times, side by side: a mixed model wants one "
        'row a measurement, as data.melt(id_vars=…, var_name="time") makes them.'
        for names in stems.values()
        if len(names) >= _WIDE
    ]
