"""p-values of many replicates: level where there is nothing to find, heaped at the left where there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.listing import listed
from mixedsim.plot.forest_frame import note
from mixedsim.plot.replicates import Cell, cells_of, colours_of, leading, replicates_of, several_axes, share, with_error
from mixedsim.plot.style import FAINT, INK, TRUTH, dress, figure_of, look, picture, say

_BINS = 20
_ACROSS = 3


def p_values(
    study: Any,
    parameter: str | Sequence[str] | None = None,
    *,
    analyses: str | Sequence[str] | None = None,
    alpha: float | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return histograms of the p-values, one panel an analysis, with the level that they have if nothing is there.

    The dashed line is the uniform distribution, which a true null hypothesis and a good test lead to. What lies below
    alpha is in full colour, and the title says how much of all that is.

    Parameters
    ----------
    study : what `mixedsim.study` returned, or its replicates.
    parameter : one, or several for a row of panels each; the first coefficient that is no intercept if None.
    analyses : which to draw; all if None.
    alpha : level of the test; the study's, or 0.05, if None.
    ax : axes for one analysis and parameter; a new figure if None.

    Raises
    ------
    MixedsimError
        If it is no study, has no such parameter or analysis, no p-value of it, or `ax` is given for several.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> study = ms.study(ms.scenarios.therapist_plain(therapists=10, patients=5), n=40, seed=1)
    >>> figure = ms.plot.p_values(study)
    >>> figure.alt.split(" of")[0]
    'mixed: 100.0 %'
    >>> plt.close(figure)
    """
    frame = replicates_of(study, "p_values")
    level = float(getattr(study, "alpha", 0.05)) if alpha is None else alpha
    if isinstance(level, bool) or not isinstance(level, int | float | np.number) or not 0 < level < 1:
        raise MixedsimError(f"alpha must lie between 0 and 1, found {level!r}.")
    tested = frame[frame["p"].notna().to_numpy()]
    if parameter is None:
        parameter = leading(tested)[:1]
        if not parameter:
            raise MixedsimError("the study has no p-values to draw: none of its analyses tests anything.")
    found = cells_of(frame, analyses, parameter)
    order = list(dict.fromkeys(cell.parameter for cell in found.values()))
    cells = [cell for cell in found.values() if np.isfinite(cell.p).any()]
    cells.sort(key=lambda cell: order.index(cell.parameter))
    if not cells:
        untested = listed(dict.fromkeys(repr(cell.parameter) for cell in found.values()))
        raise MixedsimError(f"no analysis has a p-value of {untested}: name a coefficient.")
    several_axes(ax, len(cells), "analysis and parameter")
    across = _across(cells)
    figure = _sheet(len(cells), across) if ax is None else figure_of(ax)
    with look():
        panels = _panels(figure, len(cells), across) if ax is None else [ax]
        colours = colours_of(study)
        several = len({cell.analysis for cell in found.values()}) > 1
        for panel, cell in zip(panels, cells, strict=True):
            _draw(panel, cell, float(level), colours[cell.analysis], named=several)
        for start in range(0, len(cells), across):
            row = slice(start, start + across)
            _rise(panels[row], cells[row])
        if ax is None:
            for k, panel in enumerate(panels):
                panel.set_ylabel("share of replicates" if k % across == 0 else "")
                same = k + across < len(cells) and cells[k + across].parameter == cells[k].parameter
                panel.set_xlabel("" if same else panel.get_xlabel())
    say(figure, " ".join(_sentence(cell, float(level)) for cell in cells))
    return figure


def _across(cells: Sequence[Cell]) -> int:
    """Panels in a row: parameters below each other where there are several, else as many as fit."""
    parameters = len({cell.parameter for cell in cells})
    count = len(cells) // parameters if parameters > 1 and len(cells) % parameters == 0 else len(cells)
    return count if count <= _ACROSS else min((2, 3), key=lambda k: -count % k)


def _sheet(count: int, across: int) -> Figure:
    return picture(6.8 if across > 1 else 4.2, 0.2 + 1.75 * -(-count // across))


def _panels(figure: Figure, count: int, across: int) -> list[Axes]:
    grid = figure.subplots(-(-count // across), across, sharex=True, sharey="row", squeeze=False).ravel()
    for spare in grid[count:]:
        spare.remove()
    for last in grid[max(count - across, 0) : count]:
        last.tick_params(labelbottom=True)
    return list(grid[:count])


def heights_of(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the p-values in each of 20 equal bins; each holds its lower end, the last one also 1."""
    known = p[np.isfinite(p)]
    counts = np.bincount(np.minimum((known * _BINS).astype(np.intp), _BINS - 1), minlength=_BINS)
    return np.asarray(counts / max(len(known), 1), dtype=np.float64)


def _draw(ax: Axes, cell: Cell, alpha: float, colour: str, *, named: bool) -> None:
    dress(ax)
    heights = heights_of(cell.p)
    edges = np.linspace(0.0, 1.0, _BINS + 1)
    ax.bar(edges[:-1], heights, width=1 / _BINS, align="edge", color=colour, alpha=0.32, lw=0, zorder=2)
    part = np.clip((alpha - edges[:-1]) * _BINS, 0.0, 1.0)  # how much of each bin lies below alpha
    below = part > 1e-9
    ax.bar(edges[:-1][below], heights[below], width=part[below] / _BINS, align="edge", color=colour, lw=0, zorder=3)
    ax.axhline(1 / _BINS, color=TRUTH.colour, lw=TRUTH.width, ls=TRUTH.dashes, zorder=4)
    note(ax, "uniform", (1.0, 1 / _BINS), (-2, 3), FAINT, ha="right", va="bottom", fontsize=8)
    ax.set_xlim(0.0, 1.0)
    ax.set_xticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])
    ax.set_xlabel(f"p-value of {cell.parameter}")
    ax.set_ylabel("share of replicates")
    title = f"{cell.analysis}\n{_said(cell, alpha)}" if named else _said(cell, alpha)
    ax.set_title(title, loc="left", fontsize=9.0, color=INK)


def _rise(panels: Sequence[Axes], cells: Sequence[Cell]) -> None:
    """One height for the panels of a row, so that the uniform line never lies at the top."""
    top = max(float(heights_of(cell.p).max()) for cell in cells)
    for panel in panels:
        panel.set_ylim(0.0, max(1.05 * top, 2.4 / _BINS))


def _said(cell: Cell, alpha: float) -> str:
    known = cell.p[np.isfinite(cell.p)]
    lost = len(cell.p) - len(known)
    return f"{with_error(*share(known < alpha))} below {alpha:g}{f'; {lost:,} without' if lost else ''}"


def _sentence(cell: Cell, alpha: float) -> str:
    """Alt text: share below alpha, and whether that is power or false alarms."""
    known = cell.p[np.isfinite(cell.p)]
    of = f"of {len(known):,} p-values of {cell.parameter}"
    name = "power" if cell.truth else "false positives"
    kind = "" if np.isnan(cell.truth) else f", {name}: its truth is {cell.truth:.4g}"
    lost = len(cell.p) - len(known)
    return (
        f"{cell.analysis}: {with_error(*share(known < alpha))} {of} lie below {alpha:g}{kind}"
        f"{f'; {lost:,} replicates have none' if lost else ''}."
    )
