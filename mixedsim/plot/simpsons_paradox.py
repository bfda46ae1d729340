"""One relation, two answers: what all rows say together, and what they say within groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.listing import counted
from mixedsim.plot.points import cloud, some_of
from mixedsim.plot.remarks import date_axis, remark
from mixedsim.plot.scatter import rises, spans
from mixedsim.plot.style import LINES, PAPER, POINT, RUNGS, TRUTH, dress, figure_of, look, picture, say, with_unit
from mixedsim.study.slopes import Slopes, pairs_of, slopes_of

Floats = NDArray[np.float64]
_MOST = 60  # lines within groups; more are soup
_COLOURED = 10  # more groups than this have points of one colour


def simpson(
    data: Any,
    x: str,
    y: str,
    group: str,
    *,
    truth: float | None = None,
    units: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return the scatter in which the line of all rows, those within groups, and that of group means are compared.

    Black is the line of all rows; green that of every group, all with the common slope within groups; orange the line
    through the groups' means, which are diamonds. The three answer different questions; where the first two have
    opposite signs, that is Simpson's paradox (Simpson, E. H. (1951). The interpretation of interaction in contingency
    tables. Journal of the Royal Statistical Society B 13, 238–241).

    Parameters
    ----------
    data : a DataFrame, a `Sample`, or anything that becomes a table.
    x, y : names of columns of numbers.
    group : a column, or several as in ``"class:school"``.
    truth : the true slope within groups, drawn as dashed grey lines through the means.
    units : units for the axis labels.
    ax : axes to draw on; a new figure if None.

    Raises
    ------
    DataError, MixedsimError
        If a column is missing or holds no numbers, there is one group, or `truth` is no number.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> sample = ms.scenarios.simpson().draw(seed=1)
    >>> figure = ms.plot.simpson(sample, "x", "y", "group")
    >>> "within levels of group it rises" in figure.alt
    True
    >>> plt.close(figure)
    """
    if truth is not None and (not isinstance(truth, int | float | np.number) or not np.isfinite(truth)):
        raise MixedsimError(f"truth must be the slope within groups, one finite number, found {truth!r}.")
    found = slopes_of(pairs_of(data, x, y, group))
    figure = picture(5.6, 4.0) if ax is None else figure_of(ax)
    with look():
        panel = figure.add_subplot() if ax is None else ax
        dress(panel)
        panel.set(xlabel=with_unit(x, units), ylabel=with_unit(y, units))
        if found.pairs.dates:
            date_axis(panel)
        said = [cloud(panel, found.pairs.x, found.pairs.y, _colours(found))]
        if truth is not None:
            _through_means(panel, found, float(truth), TRUTH.colour, TRUTH.width, ls=TRUTH.dashes, zorder=6)
        said.append(_within(panel, found))
        _regressions(panel, found)
        handles = _handles(found, truth)
        if ax is None:
            figure.legend(handles=handles, loc="outside upper center", ncols=2)
        else:
            panel.legend(handles=handles, loc="best")
        if found.pairs.left_out:
            said.append(f"{counted(found.pairs.left_out, 'row')} with missing values left out")
        remark(panel, said)
    say(figure, _sentence(found, truth, said))
    return figure


def _colours(found: Slopes) -> Any:
    """Points of few groups have the group's colour, none of which is that of a line."""
    count = len(found.pairs.levels)
    if count > _COLOURED:
        return POINT
    steps = np.array(sns.color_palette("cividis", count + 1))[:count]
    return steps[found.pairs.codes]


def _through_means(ax: Axes, found: Slopes, slope: float, colour: str, width: float, **how: Any) -> int:
    """Lines of one slope through the groups' means, as far as their rows go: how many."""
    drawn = some_of(found.means[:, 0], _MOST)
    ends = spans(found.pairs)[drawn]
    y = found.means[drawn, 1:] + slope * (ends - found.means[drawn, :1])
    ax.add_collection(LineCollection(list(np.stack([ends, y], axis=2)), colors=colour, linewidths=width, **how))
    return len(drawn)


def _within(ax: Axes, found: Slopes) -> str:
    """The lines within groups; a remark if there are too many to draw."""
    slope, count = float(found.within.estimate[0]), len(found.pairs.levels)
    if np.isnan(slope):
        return ""
    many = count > 20
    drawn = _through_means(
        ax, found, slope, LINES["none"].colour, 1.0 if many else 2.2, alpha=0.6 if many else 1.0, zorder=4
    )
    return "" if drawn == count else f"lines within groups: {drawn} of {count:,}, evenly spaced in the order of x"


def _regressions(ax: Axes, found: Slopes) -> None:
    """The line of all rows, the groups' means and theirs."""
    orange = RUNGS["group means"]
    size, above = (42.0, 8) if len(found.means) <= 40 else (9.0, 5)
    ax.scatter(found.means[:, 0], found.means[:, 1], s=size, marker="D", color=orange, ec=PAPER, lw=0.5, zorder=above)
    for fit, colour, x in (
        (found.pooled, LINES["complete"].colour, found.pairs.x),
        (found.between, orange, found.means[:, 0]),
    ):
        intercept, slope = fit.estimate
        if np.isfinite(slope):
            span = np.array([x.min(), x.max()])
            halo = [withStroke(linewidth=3.6, foreground=PAPER)]
            ax.plot(span, intercept + slope * span, color=colour, lw=2.2, zorder=7, path_effects=halo)


def _handles(found: Slopes, truth: float | None) -> list[Line2D]:
    """What each line is, with its slope."""
    slopes = {
        "all rows": (found.pooled.estimate[1], LINES["complete"].colour, "-"),
        "within groups": (found.within.estimate[0], LINES["none"].colour, "-"),
        "group means": (found.between.estimate[1], RUNGS["group means"], "-"),
    }
    if truth is not None:
        slopes[f"{TRUTH.label} within groups"] = (truth, TRUTH.colour, TRUTH.dashes)
    return [
        Line2D([], [], color=colour, lw=2.2, ls=dashes, label=f"{name}, slope {slope:.3g}".replace("-", "−"))
        for name, (slope, colour, dashes) in slopes.items()
        if np.isfinite(slope)
    ]


def _sentence(found: Slopes, truth: float | None, said: list[str]) -> str:
    x, y, group = found.pairs.names
    pooled, within, between = (
        float(found.pooled.estimate[1]), float(found.within.estimate[0]), float(found.between.estimate[1])
    )  # fmt: skip
    parts = [f"{y} against {x} in {counted(len(found.pairs.x), 'row')} of {counted(len(found.pairs.levels), 'group')}"]
    unknown = f"cannot be told, for {x} does not vary"
    parts.append(f"in all rows together it {rises(pooled) if np.isfinite(pooled) else unknown} per unit")
    parts.append(f"within levels of {group} it {rises(within) if np.isfinite(within) else unknown}")
    parts.append(f"the line through the group means {rises(between) if np.isfinite(between) else unknown}")
    if pooled * within < 0:
        parts.append("the first two have opposite signs (Simpson’s paradox)")
    if truth is not None:
        parts.append(f"the true slope within groups is {truth:.3g}")
    return f"{'; '.join([*parts, *(one for one in said if one)])}."
