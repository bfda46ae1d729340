"""One small panel a group: its points, and what each way of pooling makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError, nearest
from mixedsim.plot import curves
from mixedsim.plot.pooling_new import expected, measured, new_groups
from mixedsim.plot.pooling_sheet import WIDTH, panels, share_labels, sheet
from mixedsim.plot.style import (
    FAINT,
    LINES,
    PAPER,
    POINT,
    TINT,
    TRUTH,
    Line,
    dress,
    figure_of,
    look,
    say,
    with_unit,
)
from mixedsim.study import Pooling

Floats = NDArray[np.float64]
_GRID = 41


def pooling(
    pooling: Pooling,
    *,
    lines: Sequence[Line] = ("complete", "none", "intercepts", "slopes"),
    groups: Sequence[Any] | None = None,
    truth: curves.TruthLike | None = None,
    x: str | None = None,
    sort: str | None = None,
    most: int = 24,
    new: Any = None,
    units: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return panels of points and lines, one panel a group, sorted by the group's partially pooled coefficient.

    Black is complete pooling, green no pooling, blue the model with varying intercepts, red the one in which all
    effects vary; the truth is a dashed grey ghost. Predictors other than `x` are held at the group's mean. A group too
    small for a line of its own has a tinted panel that says so; so has a new one, of which both mixed models expect
    what they expect of the population.

    Parameters
    ----------
    pooling : what `mixedsim.pooling` returned.
    lines : which of ``"complete"``, ``"none"``, ``"intercepts"``, ``"slopes"``, drawn in this order.
    groups : levels to draw, in this order; all of them, sorted, if None.
    truth : the sample whose data were pooled, or its truth, or a DataFrame of true coefficients (groups × names).
    x : predictor on the horizontal axis; the first one that varies if None.
    sort : coefficient by which panels are sorted; that of `x` if it varies, else the intercept.
    most : with more groups than this, so many are drawn, evenly spaced in their order, and the figure says so.
    new : rows of groups that were not pooled, with or without responses: they are drawn last.
    units : units for the axis labels, ``{"Reaction": "ms"}``.
    ax : axes for one single group; a new figure if None.

    Raises
    ------
    MixedsimError
        If a line, group, coefficient or predictor is none of those there are; a new group is none; or `ax` is given
        for several groups.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> pooled = ms.pooling("Reaction ~ Days", ms.datasets.load("sleepstudy"), group="Subject")
    >>> figure = ms.plot.pooling(pooled, units={"Reaction": "ms", "Days": "days"})
    >>> len(figure.axes)
    18
    >>> plt.close(figure)
    """
    if not isinstance(pooling, Pooling):
        raise MixedsimError(f"plot.pooling draws what mixedsim.pooling returns, found {type(pooling).__name__}.")
    _check_lines(lines)
    truth = curves.checked_truth(truth)
    across = curves.predictor(pooling, x)
    by = _sorted_by(pooling, across, sort)
    chosen = _levels(pooling, groups, by, most)
    unseen = new_groups(pooling, new)
    count = len(chosen) + len(unseen)
    if ax is not None and count != 1:
        raise MixedsimError(f"ax has room for one group, found {count}: name one by groups=, or leave ax out.")
    figure = sheet(count) if ax is None else figure_of(ax)
    with look():
        axes = panels(figure, count) if ax is None else [ax]
        drawing = _Panels(pooling, across, lines, truth)
        for panel, level in zip(axes, chosen, strict=False):
            drawing.draw(panel, level)
        for panel, (level, rows) in zip(axes[len(chosen) :], unseen.items(), strict=True):
            drawing.draw_new(panel, level, rows)
        names = with_unit(across, units), with_unit(curves.response_name(pooling), units)
        if ax is None:
            _legend(figure, lines, truth is not None)
            share_labels(figure, axes, *names, _remark(pooling, across, chosen, by, sampled=groups is None))
        else:
            ax.set(xlabel=names[0], ylabel=names[1])
    say(figure, _sentence(pooling, lines, chosen, across, by, sampled=groups is None))
    if unseen:
        say(figure, f"New, with the population's lines: {', '.join(map(str, unseen))}.")
    return figure


class _Panels:
    """Draws the panel of one group."""

    def __init__(self, pooling: Pooling, x: str, lines: Sequence[Line], truth: curves.TruthLike | None) -> None:
        self.pooling, self.x, self.lines, self.truth = pooling, x, lines, truth
        values = pooling.data[x].to_numpy(dtype=np.float64)
        self.grid = np.linspace(values.min(), values.max(), _GRID)
        self.whole = bool((values == np.round(values)).all())  # days and counts have no halves
        factor = pooling.fit.design.factors[0]
        self.codes, self.levels, self.y = factor.codes, factor.levels, pooling.fit.design.y
        self.area = float(np.clip(160.0 / np.median(pooling.sizes), 5.0, 15.0))
        usual = pooling.sizes.mode()
        self.usual = int(usual.iloc[0]) if (pooling.sizes == usual.iloc[0]).mean() >= 0.5 else None

    def draw(self, ax: Axes, level: Any) -> None:
        """Points, lines, title."""
        self._dress(ax)
        mine = self.codes == self.levels.get_loc(level)
        rows = self.pooling.data.loc[mine]
        if self.truth is not None:
            ghost = curves.true_line(self.truth, self.pooling, level, rows, self.x, self.grid)
            ax.plot(self.grid, ghost, color=TRUTH.colour, lw=TRUTH.width, ls=TRUTH.dashes, label=TRUTH.label, zorder=2)
        ax.scatter(rows[self.x], self.y[mine], s=self.area, color=POINT, ec=PAPER, lw=0.4, zorder=5)
        frame = curves.along(rows, self.x, self.grid)
        for name in self.lines:
            this = LINES[name]
            fitted = curves.line(self.pooling, table_of(self.pooling, name).loc[level], frame)
            if np.isfinite(fitted).all():
                ax.plot(self.grid, fitted, color=this.colour, lw=this.width, label=this.label, zorder=4)
        self._title(ax, level, len(rows))

    def draw_new(self, ax: Axes, level: Any, rows: pd.DataFrame) -> None:
        """A group that was not pooled: its points, if it has any, and what is expected of it."""
        self._dress(ax)
        y = measured(self.pooling, rows)
        x = rows[self.x].to_numpy(dtype=np.float64)
        known = np.isfinite(y)
        ax.scatter(x[known], y[known], s=self.area, color=POINT, ec=PAPER, lw=0.4, zorder=5)
        frame = curves.along(rows, self.x, self.grid)
        for name in self.lines:
            coefficients, this = expected(self.pooling, name), LINES[name]
            if coefficients is not None:
                fitted = curves.line(self.pooling, coefficients, frame)
                ax.plot(self.grid, fitted, color=this.colour, lw=this.width, label=this.label, zorder=4)
        ax.set_title(f"{level} · new", loc="left", fontsize=8.5, pad=3)
        ax.set_facecolor(TINT)

    def _dress(self, ax: Axes) -> None:
        dress(ax)
        if self.whole:
            ax.xaxis.set_major_locator(MaxNLocator(nbins="auto", steps=[1, 2, 5, 10], integer=True))

    def _title(self, ax: Axes, level: Any, size: int) -> None:
        told = f"{level}" if size == self.usual else f"{level} · {size} row{'s' * (size != 1)}"
        ax.set_title(told, loc="left", fontsize=8.5, pad=3)
        if level in self.pooling.incomplete:
            ax.set_facecolor(TINT)
            if "none" in self.lines:
                ax.text(0.97, 0.04, "no line of\nits own", transform=ax.transAxes, ha="right", fontsize=7, color=FAINT)


def table_of(pooling: Pooling, name: Line) -> pd.DataFrame:
    """The coefficients, groups × names, that a line is drawn from."""
    tables: dict[Line, pd.DataFrame] = {
        "complete": pooling.complete,
        "none": pooling.no_pooling,
        "intercepts": pooling.intercepts,
        "slopes": pooling.partial,
    }
    return tables[name]


def _check_lines(lines: Sequence[Line]) -> None:
    for name in lines:
        if name not in LINES:
            raise MixedsimError(f"lines may hold {', '.join(map(repr, LINES))}, found {name!r}.")


def _sorted_by(pooling: Pooling, x: str, sort: str | None) -> str:
    names = list(pooling.partial.columns)
    if sort is not None:
        if sort not in names:
            raise MixedsimError(f"sort must be a coefficient, found {sort!r}: {nearest(sort, names)}")
        return sort
    varies = set(pooling.fit.design.factors[0].effects)
    return x if x in names and x in varies else names[0]


def _levels(pooling: Pooling, groups: Sequence[Any] | None, by: str, most: int) -> list[Any]:
    known = pooling.partial.index
    if groups is None:
        ordered = pooling.partial[by].sort_values(kind="stable").index
        if most < 1:
            raise MixedsimError(f"most must be at least 1, found {most}.")
        if len(ordered) <= most:
            return list(ordered)
        return [ordered[k] for k in np.linspace(0, len(ordered) - 1, most).round().astype(int)]
    chosen = [groups] if isinstance(groups, str) else list(groups)
    if not chosen:
        raise MixedsimError("groups is empty: name the groups to draw, or leave it out.")
    for level in chosen:
        if level not in known:
            raise MixedsimError(f"{pooling.group!r} has no level {level!r}: {nearest(str(level), known)}")
    return chosen


def _legend(figure: Figure, lines: Sequence[Line], with_truth: bool) -> None:
    looks = [LINES[name] for name in lines] + ([TRUTH] if with_truth else [])
    handles = [Line2D([], [], color=one.colour, lw=2.0, ls=one.dashes, label=one.label) for one in looks]
    columns = len(handles) if figure.get_figwidth() >= WIDTH else 2
    if handles:
        figure.legend(handles=handles, loc="outside upper center", ncols=columns, handlelength=1.6, columnspacing=1.2)


def _remark(pooling: Pooling, x: str, chosen: list[Any], by: str, *, sampled: bool) -> str:
    """What was left out, and what is held constant."""
    said = []
    if sampled and len(chosen) < len(pooling.sizes):
        said.append(f"{len(chosen)} of {len(pooling.sizes)} levels, evenly spaced in the order of {by}")
    others = curves.held(pooling, x)
    if others:
        said.append(f"lines at each group’s mean of {', '.join(others)}")
    return "; ".join(said)


def _sentence(pooling: Pooling, lines: Sequence[Line], chosen: list[Any], x: str, by: str, *, sampled: bool) -> str:
    """Alt text: what the panels show, and how far the coefficients spread under each kind of pooling."""
    count = f"{len(chosen)} of {len(pooling.sizes)}" if len(chosen) < len(pooling.sizes) else f"{len(chosen)}"
    spread = []
    for name in lines:
        values = table_of(pooling, name)[by].loc[chosen].dropna()
        if len(values):
            low, high = float(values.min()), float(values.max())
            span = f"{low:.3g}" if high - low <= 1e-9 * max(abs(low), abs(high)) else f"{low:.3g} to {high:.3g}"
            spread.append(f"{span} with {LINES[name].label}")
    said = f"{curves.response_name(pooling)} against {x} in {count} levels of {pooling.group}"
    if sampled and len(chosen) > 1:
        said += f", sorted by their coefficient of {by}"
    if spread:
        said += f", which is {', '.join(spread)}" if sampled and len(chosen) > 1 else f"; {by}: {', '.join(spread)}"
    said += "."
    alone = [str(level) for level in chosen if level in pooling.incomplete]
    if alone and "none" in lines:
        said += f" Without a line of their own: {', '.join(alone)}."
    return said
