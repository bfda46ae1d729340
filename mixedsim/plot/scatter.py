"""The data before any model: points and a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mixedsim.listing import counted, listed
from mixedsim.plot.points import MOST_LINES, cloud, some_of
from mixedsim.plot.remarks import date_axis, remark
from mixedsim.plot.style import LINES, dress, figure_of, look, picture, say, with_unit
from mixedsim.study.ordinary import LeastSquares
from mixedsim.study.slopes import Pairs, pairs_of

Floats = NDArray[np.float64]


def data(
    data: Any,
    x: str,
    y: str,
    group: str | None = None,
    *,
    units: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return the rows as points with their regression line: what one sees before any group is thought of.

    The line of all rows is black (complete pooling); with `group` every group also has its own in green (no pooling),
    as far as its values of `x` go.

    Parameters
    ----------
    data : a DataFrame, a `Sample`, or anything that becomes a table.
    x, y : names of columns of numbers, or dates, whose slope is a change per day.
    group : a column, or several as in ``"class:school"``.
    units : units for the axis labels, ``{"Reaction": "ms"}``.
    ax : axes to draw on; a new figure if None.

    Raises
    ------
    DataError
        If a column is missing or holds no numbers.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> figure = ms.plot.data(ms.datasets.load("sleepstudy"), "Days", "Reaction", units={"Reaction": "ms"})
    >>> figure.alt
    'Reaction against Days in 180 rows; the line of all rows rises by 10.5 per unit of Days.'
    >>> plt.close(figure)
    """
    pairs = pairs_of(data, x, y, group)
    whole = pairs.line()
    figure = picture(5.2, 3.7) if ax is None else figure_of(ax)
    with look():
        ax = figure.add_subplot() if ax is None else ax
        dress(ax)
        ax.set(xlabel=with_unit(x, units), ylabel=with_unit(y, units))
        if pairs.dates:
            date_axis(ax)
        said = [cloud(ax, pairs.x, pairs.y)]
        each = None
        if group is not None:
            each = pairs.lines()
            said.append(_own_lines(ax, pairs, each))
        slope = float(whole.estimate[1])
        if np.isfinite(slope):
            ends = np.array([pairs.x.min(), pairs.x.max()])
            black = LINES["complete"]
            ax.plot(ends, whole.estimate[0] + slope * ends, color=black.colour, lw=2.2, label="all rows", zorder=5)
        if group is not None:
            ax.legend(loc="best")
        if pairs.left_out:
            said.append(f"{counted(pairs.left_out, 'row')} with missing values left out")
        remark(ax, said)
    say(figure, _sentence(pairs, whole, each, said))
    return figure


def _own_lines(ax: Axes, pairs: Pairs, each: Floats) -> str:
    """One line a group over its own values of x; a remark if there are too many to draw."""
    known = np.flatnonzero(np.isfinite(each).all(axis=1))
    drawn = known[some_of(each[known, 1], MOST_LINES)]
    ends = spans(pairs)[drawn]
    y = each[drawn, :1] + each[drawn, 1:] * ends
    width, strength = (1.3, 0.85) if len(drawn) <= 40 else (0.7, 0.45)
    lines = LineCollection(
        list(np.stack([ends, y], axis=2)), colors=LINES["none"].colour, linewidths=width, alpha=strength,
        label=f"each {pairs.names[2]}", zorder=3,
    )  # fmt: skip
    ax.add_collection(lines)
    if len(drawn) == len(known):
        return ""
    return f"lines: {len(drawn)} of {len(known):,} levels, evenly spaced in the order of their slopes"


def spans(pairs: Pairs) -> Floats:
    """The smallest and largest x of every group: J × 2."""
    ends = np.tile([np.inf, -np.inf], (len(pairs.levels), 1))
    np.minimum.at(ends[:, 0], pairs.codes, pairs.x)
    np.maximum.at(ends[:, 1], pairs.codes, pairs.x)
    return ends


def _sentence(pairs: Pairs, whole: LeastSquares, each: Floats | None, said: list[str]) -> str:
    x, y, group = pairs.names
    slope = float(whole.estimate[1])
    text = f"{y} against {x} in {counted(len(pairs.x), 'row')}"
    if np.isnan(slope):
        text += f"; {x} has one value, so there is no line"
    else:
        text += f"; the line of all rows {rises(slope)} per {'day' if pairs.dates else f'unit of {x}'}"
    if each is not None:
        own = each[:, 1][np.isfinite(each[:, 1])]
        if len(own):
            low, high = float(own.min()), float(own.max())
            text += f"; those of {counted(len(own), 'level')} of {group} have slopes from {low:.3g} to {high:.3g}"
        alone = [str(level) for level in pairs.levels[np.flatnonzero(np.isnan(each).any(axis=1))]]
        if alone:
            text += f"; without a line of their own: {listed(alone, 6)}"
    return f"{'; '.join([text, *(one for one in said if one)])}."


def rises(slope: float) -> str:
    """``"rises by 2"``, ``"falls by 2"``, ``"is level"``."""
    if slope == 0:
        return "is level"
    return f"{'rises' if slope > 0 else 'falls'} by {abs(slope):.3g}"
