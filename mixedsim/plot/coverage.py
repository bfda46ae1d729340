"""A comb of intervals, one tooth a replicate: those that miss the truth stand out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.plot.forest_frame import note, true_number
from mixedsim.plot.replicates import Cell, cells_of, colours_of, replicates_of, several_axes, share, with_error
from mixedsim.plot.style import FAINT, INK, PAPER, TRUTH, dress, figure_of, look, picture, say

Floats = NDArray[np.float64]
_FURTHEST = 4.0  # times the middle width of an interval: what lies further out leaves the axis


def coverage(
    study: Any,
    parameter: str | None = None,
    analysis: str | Sequence[str] | None = None,
    *,
    show: int = 100,
    ax: Axes | None = None,
) -> Figure:
    """Return the intervals of the first replicates around the truth, those that miss it in full colour.

    The title counts all replicates, with its Monte-Carlo error; the comb shows the first `show`. A replicate without an
    interval is a gap with a cross below.

    Parameters
    ----------
    study : what `mixedsim.study` returned, or its replicates.
    parameter : one; the first coefficient that is no intercept if None.
    analysis : one or several, which are drawn below each other on one scale; all if None.
    show : how many teeth.
    ax : axes for one analysis; a new figure if None.

    Raises
    ------
    MixedsimError
        If it is no study, has no such parameter or analysis, or no interval of a parameter whose truth is known; or
        `ax` is given for several analyses.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> study = ms.study(ms.scenarios.therapist_plain(therapists=10, patients=5), n=40, seed=1)
    >>> figure = ms.plot.coverage(study, "depression", show=20)
    >>> figure.alt.split(" %")[0]
    'mixed: 100.0'
    >>> plt.close(figure)
    """
    if isinstance(show, bool) or not isinstance(show, int | np.integer) or show < 1:
        raise MixedsimError(f"show must be the number of intervals to draw, at least 1, found {show!r}.")
    frame = replicates_of(study, "coverage")
    if parameter is not None and not isinstance(parameter, str):
        raise MixedsimError(f"parameter must be the name of one parameter, found {parameter!r}.")
    cells = list(cells_of(frame, analysis, parameter, most=1).values())
    several_axes(ax, len(cells), "analysis")
    for cell in cells:
        if not cell.covers()[0].any():
            why = "has no truth" if np.isnan(cell.truth) else "has no interval"
            raise MixedsimError(f"{cell.parameter!r} {why} in the analysis {cell.analysis!r}: name another one.")
    figure = picture(6.8, 0.35 + 1.55 * len(cells)) if ax is None else figure_of(ax)
    with look():
        panels = _panels(figure, len(cells)) if ax is None else [ax]
        colours = colours_of(study)
        limits = _limits(cells, show)
        for panel, cell in zip(panels, cells, strict=True):
            _draw(panel, cell, show, colours[cell.analysis], limits)
            title = f"{cell.analysis}{': ' if ax is None else chr(10)}{_said(cell)}"
            panel.set_title(title, loc="left", fontsize=9.0, color=INK)
        for panel in panels[:-1]:
            panel.tick_params(labelbottom=False)
            panel.set_xlabel("")
    say(figure, " ".join(_sentence(cell, show) for cell in cells))
    return figure


def _panels(figure: Figure, count: int) -> list[Axes]:
    return list(figure.subplots(count, 1, sharex=True, sharey=True, squeeze=False).ravel())


def _draw(ax: Axes, cell: Cell, show: int, colour: str, limits: tuple[float, float]) -> None:
    dress(ax)
    has, holds = cell.covers()
    first = np.arange(min(show, len(has)))
    has, holds = has[first], holds[first]
    ax.axhline(cell.truth, color=TRUTH.colour, lw=TRUTH.width, ls=TRUTH.dashes, zorder=1)
    lower, upper = (np.clip(ends[first], *limits) for ends in (cell.lower, cell.upper))
    inches = figure_of(ax).get_figwidth() * ax.get_position().width
    width = float(np.clip(36.0 * inches / len(first), 0.5, 3.5))  # half of the points that a tooth has
    for which, opaque, wide, above in ((has & holds, 0.32, width, 2), (has & ~holds, 1.0, 1.35 * width, 3)):
        ax.vlines(first[which] + 1, lower[which], upper[which], color=colour, alpha=opaque, lw=wide, zorder=above)
    missed = has & ~holds & (cell.estimate[first] >= limits[0]) & (cell.estimate[first] <= limits[1])
    ax.plot(first[missed] + 1, cell.estimate[first][missed], "o", color=colour, mfc=PAPER, ms=3.2, mew=1.0, zorder=4)
    if (~has).any():
        ax.plot(
            first[~has] + 1, np.full((~has).sum(), 0.05), "x", color=FAINT, ms=4, transform=ax.get_xaxis_transform()
        )
    ax.set_xlim(0.0, len(first) + 1.0)
    ax.set_ylim(*limits)
    ax.set_ylabel(cell.parameter)
    ax.set_xlabel("replicate")
    note(
        ax, f"{TRUTH.label} {true_number(cell.truth)}", (1.0, cell.truth), (4, 0), FAINT, ha="left",
        xycoords=ax.get_yaxis_transform(),
    )  # fmt: skip


def _said(cell: Cell) -> str:
    has, holds = cell.covers()
    without = int((~has).sum())
    lost = f"; {without:,} without an interval" if without else ""
    return f"{with_error(*share(holds[has]))} of {int(has.sum()):,} hold the truth{lost}"


def _limits(cells: Sequence[Cell], show: int) -> tuple[float, float]:
    """Room for all intervals, except for those that are much wider than most, or lie far from them."""
    known = [(cell, cell.covers()[0][:show]) for cell in cells]
    lower = np.concatenate([cell.lower[:show][has] for cell, has in known])
    upper = np.concatenate([cell.upper[:show][has] for cell, has in known])
    truth = cells[0].truth
    if not len(lower):
        return truth - 1.0, truth + 1.0
    centre, width = np.median(0.5 * (lower + upper)), float(np.median(upper - lower)) or 1.0
    low = max(float(lower.min()), min(float(centre), truth) - _FURTHEST * width)
    high = min(float(upper.max()), max(float(centre), truth) + _FURTHEST * width)
    low, high = min(low, truth), max(high, truth)
    margin = 0.05 * (high - low) or 1.0
    return low - margin, high + margin


def _sentence(cell: Cell, show: int) -> str:
    """Alt text: the share of intervals that hold the truth, and how many of those shown do not."""
    has, holds = cell.covers()
    shown = min(show, len(has))
    missed = int((has & ~holds)[:show].sum())
    without = f"; {int((~has).sum()):,} replicates have no interval" if not has.all() else ""
    return (
        f"{cell.analysis}: {with_error(*share(holds[has]))} of {int(has.sum()):,} intervals of {cell.parameter} hold "
        f"the truth, {cell.truth:.4g}; {missed} of the first {shown} miss it{without}."
    )
