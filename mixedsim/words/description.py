"""`ms.describe`: every variable in numbers, at its own level, and split between and within groups."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mixedsim.errors import DataError, shown
from mixedsim.frame import as_frame
from mixedsim.listing import listed
from mixedsim.reading import is_numeric, read_column
from mixedsim.words.centring import group_of, numbers_of
from mixedsim.words.correlations import correlations
from mixedsim.words.variance import Codes, Floats, split, varying

_MOST_CATEGORIES = 20
_SPLIT = ["n_groups", "sd_within", "sd_between", "icc"]


class Description(pd.DataFrame):
    """Variables in numbers, as `describe` returns them: a DataFrame with further tables beside it.

    Attributes
    ----------
    categories : counts and shares of the categories of text columns with at most 20 of them.
    dates : first and last date of date columns.
    groups : one row a group; levels, and rows a level: rows_min, rows_mean, rows_median, rows_max.
    correlations : one row a pair of numeric variables; total, and for each group within and between.
    notes : what a reader should know, in sentences.
    """

    _metadata = ["categories", "dates", "groups", "correlations", "notes"]  # noqa: RUF012 (pandas' own way)
    categories: pd.DataFrame
    dates: pd.DataFrame
    groups: pd.DataFrame
    correlations: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def _constructor(self) -> type[pd.DataFrame]:  # a part of the table is a table like any other
        return pd.DataFrame

    def _parts(self) -> list[tuple[str, pd.DataFrame]]:
        parts = [("", pd.DataFrame(self)), ("Categories", self.categories), ("Dates", self.dates)]
        parts += [("Groups", self.groups)]
        return [(title, table) for title, table in parts if len(table)]

    def __str__(self) -> str:
        lines: list[str] = []
        for title, table in self._parts():
            text = table.to_string(float_format=lambda v: f"{v:.4g}", na_rep="–")
            lines += [*([f"{title}:"] if title else []), text, ""]
        for note in self.notes:
            lines += textwrap.wrap(f"* {note}", 100, subsequent_indent="  ")
        return "\n".join(lines).rstrip()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        tables = "".join(
            (f"<p>{title}</p>" if title else "") + table.to_html(float_format="{:.4g}".format, na_rep="–", border=0)
            for title, table in self._parts()
        )
        return tables + "".join(f"<p><em>{html.escape(note)}</em></p>" for note in self.notes)


def describe(data: Any, group: str | Sequence[str] | None = None) -> Description:
    """A `Description` of the variables of a table: one row a variable, or one row a variable and group.

    Columns are n (values), missing (rows), distinct, mean, sd, min, max (the last four of numbers). With a group g:

    * level: ``row``, or g for a variable that has one value in each level of g (the price of a therapist). n, mean,
      sd, min, max of such a variable are those of one value a level: 100 prices, not 5,000;
    * n_groups: in how many levels of g it has a value;
    * sd_within, sd_between, icc: its variance within levels, that between them and the share of the second, by the
      analysis-of-variance estimator of Donner and Koval (1980); see `mixedsim.words.variance.Split`. Where levels
      differ less than chance alone would make them, the icc is negative, shown as it is, and sd_between missing.

    ``.categories`` has the categories of text columns, counted at their own level too, ``.dates`` dates, ``.groups``
    the groups themselves, and ``.correlations`` the correlation of every pair of numbers: of all rows, of deviations
    from the level's mean (within) and of level means, each counting once (between).

    Parameters
    ----------
    data : a DataFrame, or anything that becomes one.
    group : a grouping column; or a list of them, which gives rows indexed by variable and group. ``"school:class"``
        is the combination of two.

    Raises
    ------
    DataError
        If the data are no table or have no rows, a group is missing, or a column holds infinite or mixed values.

    Examples
    --------
    >>> import mixedsim as ms
    >>> sample = ms.scenarios.therapist_confounder().draw(seed=1)
    >>> table = ms.describe(sample.data, group="therapist")
    >>> table[["level", "n", "n_groups"]]
                    level     n  n_groups
    variable
    price       therapist   100       100
    depression        row  5000       100
    sex               row  5000       100
    anxiety           row  5000       100
    """
    frame = as_frame(data)
    frame = frame.set_axis([str(label) for label in frame.columns], axis=1)
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise DataError("the data have no rows, or no columns: check how they were read or filtered.")
    by = [] if group is None else list(group) if isinstance(group, Sequence) and not isinstance(group, str) else [group]
    codes = {name: _codes(frame, name) for name in by}
    used = {part for name in by for part in _parts_of(frame, name)}
    numbers: dict[str, Floats] = {}
    texts: dict[str, Any] = {}
    dates: dict[str, pd.Series[Any]] = {}
    for name in frame.columns:
        values = read_column(name, frame[name])
        if is_numeric(values) and name not in used:
            numbers[name] = numbers_of(frame, name)
        elif isinstance(values, pd.Categorical) and name not in used:
            texts[name] = values
        elif name not in used:
            dates[name] = frame[name]
    one = isinstance(group, str)
    out = Description(_variables(frame, numbers, codes, one))
    out.categories = _categories(texts, codes)
    out.dates = _dates(dates)
    out.groups = _groups(codes)
    out.correlations = correlations(numbers, codes)
    out.notes = _notes(out, numbers, codes)
    return out


def _parts_of(frame: pd.DataFrame, name: str) -> list[str]:
    """A column of the table, or the columns that ``"school:class"`` combines."""
    if not isinstance(name, str):
        raise DataError(f"a group is given by name, one or a list of them, found {shown(name)}.")
    return [name] if name in frame.columns or ":" not in name else [part.strip() for part in name.split(":")]


def _codes(frame: pd.DataFrame, name: str) -> Codes:
    codes = group_of(frame, _parts_of(frame, name))
    if codes.max(initial=-1) < 0:
        raise DataError(f"the group {name!r} is missing in every row: nothing can be split by it.")
    return codes


def _level(x: Codes, codes: Mapping[str, Codes]) -> str:
    """The group with fewest levels in which the variable has one value a level, else ``"row"``."""
    inside = []
    for name, group in codes.items():
        several, repeated = varying(x, group)
        if several == 0 and repeated > 0:
            inside.append((int(group.max()), name))
    return min(inside)[1] if inside else "row"


def _own(x: Codes, level: str, codes: Mapping[str, Codes]) -> Codes:
    """Rows that stand for the variable at its own level: all that have a value, or the first such of each group."""
    known = np.flatnonzero(x >= 0)
    if level == "row":
        return known
    group = codes[level][known]
    _, first = np.unique(group, return_index=True)
    return known[first[np.unique(group) >= 0]]


def _variables(
    frame: pd.DataFrame, numbers: Mapping[str, Floats], codes: Mapping[str, Codes], one: bool
) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    names: list[tuple[str, str]] = []
    grouping = {part for name in codes for part in _parts_of(frame, name)}
    for name in frame.columns:
        if name in grouping:
            continue
        x = pd.factorize(frame[name])[0].astype(np.intp)
        level = _level(x, codes)
        own = _own(x, level, codes)
        row: dict[str, Any] = {"n": len(own), "missing": int((x < 0).sum()), "distinct": int(x.max(initial=-1)) + 1}
        values = numbers[name][own] if name in numbers else np.empty(0)
        row |= {"mean": values.mean() if len(values) else np.nan}
        row |= {"sd": values.std(ddof=1) if len(values) > 1 else np.nan}
        row |= {"min": values.min(initial=np.inf) if len(values) else np.nan}
        row |= {"max": values.max(initial=-np.inf) if len(values) else np.nan}
        for group, c in codes.items():
            names.append((name, group))
            rows.append({"level": level, **row, **_split(numbers.get(name), x, c)})
        if not codes:
            names.append((name, ""))
            rows.append(row)
    columns = ["n", "missing", "distinct", "mean", "sd", "min", "max"]
    columns = ["level", *columns, *_SPLIT] if codes else columns
    if codes and not one:
        labels: pd.Index[Any] = pd.MultiIndex.from_tuples(names, names=["variable", "group"])
    else:
        labels = pd.Index([name for name, _ in names], name="variable")
    return pd.DataFrame(rows, index=labels, columns=columns)


def _split(values: Floats | None, x: Codes, codes: Codes) -> dict[str, Any]:
    groups = len(np.unique(codes[(x >= 0) & (codes >= 0)]))
    if values is None:
        return {"n_groups": groups, "sd_within": np.nan, "sd_between": np.nan, "icc": np.nan}
    found = split(values, codes)
    return {"n_groups": groups, "sd_within": found.sd_within, "sd_between": found.sd_between, "icc": found.icc}


def _categories(texts: Mapping[str, Any], codes: Mapping[str, Codes]) -> pd.DataFrame:
    """Counts at each variable's own level; and in how many levels of each group a category occurs."""
    rows = []
    for name, values in texts.items():
        x = values.codes.astype(np.intp)
        present = np.unique(x[x >= 0])
        if len(present) > _MOST_CATEGORIES:
            continue
        level = _level(x, codes)
        own = x[_own(x, level, codes)]
        for code in present:
            n = int((own == code).sum())
            row = {"variable": name, "category": values.categories[code], "n": n, "share": n / len(own)}
            if codes:
                row["level"] = level
            for group, c in codes.items():
                row[f"in_{group}"] = len(np.unique(c[(x == code) & (c >= 0)]))
            rows.append(row)
    if not rows:
        return pd.DataFrame(columns=["n", "share"])
    return pd.DataFrame(rows).set_index(["variable", "category"])


def _dates(dates: Mapping[str, pd.Series[Any]]) -> pd.DataFrame:
    rows = [
        {"n": int(s.notna().sum()), "missing": int(s.isna().sum()), "first": s.min(), "last": s.max()}
        for s in dates.values()
    ]
    return pd.DataFrame(rows, index=pd.Index(list(dates), name="variable"), columns=["n", "missing", "first", "last"])


def _groups(codes: Mapping[str, Codes]) -> pd.DataFrame:
    rows = []
    for c in codes.values():
        n = np.bincount(c[c >= 0])
        row = {"levels": len(n), "missing": int((c < 0).sum()), "rows_min": int(n.min()), "rows_mean": n.mean()}
        rows.append({**row, "rows_median": float(np.median(n)), "rows_max": int(n.max())})
    columns = ["levels", "missing", "rows_min", "rows_mean", "rows_median", "rows_max"]
    return pd.DataFrame(rows, index=pd.Index(list(codes), name="group"), columns=columns)


def _notes(table: Description, numbers: Mapping[str, Floats], codes: Mapping[str, Codes]) -> tuple[str, ...]:
    """What the table shows and a reader may overlook."""
    if not codes:
        return ()
    frame = pd.DataFrame(table).reset_index()
    notes = []
    for group in codes:
        upper = frame[frame["level"] == group].drop_duplicates("variable")
        if len(upper):
            counts = listed(f"{v} ({n:,} values)" for v, n in zip(upper["variable"], upper["n"], strict=True))
            verb = "has" if len(upper) == 1 else "have"
            notes.append(f"{counts} {verb} one value for each level of {group}: in n, mean and sd a level counts once.")
    negative = frame[frame["icc"] < 0]
    if len(negative):
        names = listed(dict.fromkeys(negative["variable"]))
        notes.append(
            f"A negative ICC ({names}): levels differ less than chance alone would make them; the estimated variance "
            "between them is below zero and has no square root."
        )
    if len(numbers) > 1:
        notes.append("Correlations within and between levels: .correlations.")
    return tuple(notes)


__all__ = ["Description", "describe"]
