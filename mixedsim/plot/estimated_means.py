"""Estimated marginal means, or comparisons of them, with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mixedsim.errors import MixedsimError
from mixedsim.plot.intervals_down import Mark, Name, draw_marks, interval_text
from mixedsim.plot.remarks import value_text
from mixedsim.plot.style import INK, SEVERAL, figure_of, look, picture, say

_MOST = 80
_KINDS = {
    "emmean": ("estimated mean", None),
    "ratio": ("ratio", 1.0),
    "estimate": ("difference", 0.0),
}


def means(
    table: pd.DataFrame,
    *,
    sort: bool = False,
    label: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return a table of means, or of comparisons between them, as points with intervals, one row each.

    Means are filled; a comparison is hollow where its interval holds no difference (0, or 1 for ratios, whose axis is
    logarithmic). Means of a population stand beside those of a group in its middle, where the table has both.

    Parameters
    ----------
    table : what ``fit.emmeans(...)``, its ``.pairs()``, ``fit.contrasts(...)`` or ``fit.marginal_means(...)``
        returned, or some rows of it. Intervals are those of the table, at the level that was asked for there.
    sort : order rows by value, the largest first (within each ``by`` group); else they stand as in the table.
    label : of the horizontal axis, such as the response with its unit.
    ax : axes to draw on; a new figure if None.

    Raises
    ------
    MixedsimError
        If the table is none of these, is empty, or has more rows than can be read.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
    >>> figure = ms.plot.means(fit.emmeans("period", scale="response"))
    >>> print(figure.alt)
    Estimated means with intervals: 1 0.198 (0.135 to 0.280); 2 0.084 (0.047 to 0.144); 3 0.074 (0.040 to 0.132);
    4 0.048 (0.021 to 0.106).
    >>> plt.close(figure)
    """
    series, what, null = _series(table)
    if sort:
        table = _sorted(table, next(iter(series.values()))[0])
    names, places = _names(table)
    colours = dict(zip(series, (INK,) if len(series) == 1 else SEVERAL, strict=False))
    marks, told = _marks(table, series, places, colours)
    height = 0.75 + 0.27 * len(names) * (1.0 if len(series) == 1 else 1.8)
    figure = picture(6.0, height) if ax is None else figure_of(ax)
    with look():
        panel = figure.add_subplot() if ax is None else ax
        draw_marks(panel, names, marks, null=null, log=null == 1.0)
        panel.set_xlabel(what if label is None else label)
        if len(series) > 1:
            handles = [Line2D([], [], marker="o", color=hue, lw=2.2, label=name) for name, hue in colours.items()]
            if ax is None:
                figure.legend(handles=handles, loc="outside upper center", ncols=2)
            else:
                panel.legend(handles=handles, loc="best")
    say(figure, f"{what[:1].upper()}{what[1:]}s with intervals: {'; '.join(told)}.")
    return figure


def _series(table: Any) -> tuple[dict[str, tuple[str, str, str]], str, float | None]:
    """Columns of estimate, lower and upper by name of the series; what they are; and what they are held against."""
    if not isinstance(table, pd.DataFrame):
        raise MixedsimError(
            f"plot.means draws a table such as fit.emmeans(...) or its .pairs(), found {type(table).__name__}."
        )
    if not 1 <= len(table) <= _MOST:
        raise MixedsimError(
            f"plot.means draws 1 to {_MOST} rows, found {len(table)}: choose some with .loc or .head()."
        )
    if {"conditional", "marginal", "conditional_lower", "marginal_lower"} <= set(table.columns):
        both = {
            name: (column, f"{column}_lower", f"{column}_upper")
            for name, column in (("group in the middle", "conditional"), ("population", "marginal"))
        }
        if "difference" not in table.columns:
            return both, "estimated mean", None
        ratios = " / " in str(table.index.get_level_values(-1)[0])
        return both, "ratio" if ratios else "difference", 1.0 if ratios else 0.0
    for column, (what, null) in _KINDS.items():
        if {column, "lower", "upper"} <= set(table.columns):
            called = table.attrs.get("ratio", what) if column == "ratio" else what
            return {"": (column, "lower", "upper")}, called, null
    found = ", ".join(map(str, table.columns))
    raise MixedsimError(f"the table must have a column emmean, estimate or ratio, with lower and upper, found {found}.")


def _sorted(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The largest first, within the groups of the outer levels of the index."""
    outer = list(range(table.index.nlevels - 1))
    if not outer:
        return table.sort_values(column, ascending=False, kind="stable")
    keys = [table.index.get_level_values(k) for k in outer]
    family = pd.Series(np.arange(len(table))).groupby([np.asarray(key) for key in keys], sort=False).transform("min")
    order = np.lexsort([-table[column].to_numpy(dtype=np.float64), family.to_numpy()])
    return table.iloc[order]


def _names(table: pd.DataFrame) -> tuple[list[Name], list[float]]:
    """Labels from top to bottom, with a heading for every combination of the outer variables; where each row stands."""
    names: list[Name] = []
    places: list[float] = []
    y, before = 0.0, None
    for key in table.index:
        parts = key if isinstance(key, tuple) else (key,)
        outer = parts[:-1]
        if outer and outer != before:
            y -= 0.3 if names else 0.0
            text = ", ".join(f"{name} {value_text(one)}" for name, one in zip(table.index.names, outer, strict=False))
            names.append(Name(y, text, heading=True))
            y -= 1.0
            before = outer
        names.append(Name(y, value_text(parts[-1])))
        places.append(y)
        y -= 1.0
    return names, places


def _marks(
    table: pd.DataFrame, series: Mapping[str, tuple[str, str, str]], places: list[float], colours: Mapping[str, str]
) -> tuple[list[Mark], list[str]]:
    marks, told = [], []
    for k, (key, y) in enumerate(zip(table.index, places, strict=True)):
        parts = []
        for j, (name, columns) in enumerate(series.items()):
            estimate, lower, upper = (float(table[column].iloc[k]) for column in columns)
            shift = 0.0 if len(series) == 1 else 0.4 * (0.5 - j)
            marks.append(Mark(y + shift, estimate, lower, upper, colours[name]))
            parts.append(f"{f'{name} ' if name else ''}{interval_text(estimate, lower, upper)}")
        own = key if isinstance(key, tuple) else (key,)
        told.append(f"{' '.join(map(value_text, own))} {', '.join(parts)}")
    return marks, told
