"""A forest of a study: where the estimates of every analysis lie, against the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mixedsim.errors import MixedsimError
from mixedsim.listing import counted
from mixedsim.plot.forest_frame import (
    Row,
    draw_frame,
    far_out,
    height_of,
    limit_of,
    number,
    offset_of,
    rows_of,
    true_number,
    write_columns,
)
from mixedsim.plot.replicates import Cell, cells_of, colours_of, replicates_of
from mixedsim.plot.style import FAINT, PAPER, dress, figure_of, look, picture, say

Cells = Mapping[tuple[str, str], Cell]
_CERTAIN = 2.0  # Monte-Carlo errors between mean and truth beyond which a bias is no accident of the study
_ROOM = 46  # letters that columns of numbers may take beside the forest


def estimates(
    study: Any,
    parameters: str | Sequence[str] | None = None,
    *,
    analyses: str | Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return a forest of means and spreads around the truth, one row a parameter and one mark an analysis.

    The mark is the mean estimate, the line holds the middle 95 % of the estimates. The truth is the dashed line at
    zero; every row has its own unit, the empirical standard error of the parameter in the last analysis. A filled mark
    lies within two Monte-Carlo errors of the truth, a hollow one does not: a bias. Means stand on the right.

    Parameters
    ----------
    study : what `mixedsim.study` returned, or its replicates.
    parameters, analyses : which to draw, in this order; all that have a truth if None.
    ax : axes to draw on; a new figure if None.

    Raises
    ------
    MixedsimError
        If it is no study, has no such parameter or analysis, or nothing of it can be held against a truth.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> study = ms.study(ms.scenarios.therapist_plain(therapists=10, patients=5), n=40, seed=1)
    >>> figure = ms.plot.estimates(study)
    >>> figure.alt.split(". ")[0]
    'Estimates of 40 replicates against the truth'
    >>> plt.close(figure)
    """
    frame = replicates_of(study, "estimates")
    chosen = cells_of(frame, analyses, parameters)
    cells = {key: cell for key, cell in chosen.items() if parameters is not None or np.isfinite(cell.truth)} or chosen
    names = list(dict.fromkeys(analysis for analysis, _ in cells))
    rows = _rows(cells)
    if not any(np.isfinite(_distances(row, cell)).all() for row in rows for cell in _of(row, cells)):
        raise MixedsimError(
            "plot.estimates has nothing to draw: no parameter with a truth has two estimates that differ."
        )
    figure = picture(6.8, height_of(rows, len(names)) + 0.2) if ax is None else figure_of(ax)
    with look():
        axes = figure.add_subplot() if ax is None else ax
        dress(axes)
        colours = colours_of(study)
        limit = limit_of([end for row in rows for cell in _of(row, cells) for end in _distances(row, cell)])
        whose = f" in “{names[-1]}”" if len(names) > 1 else ""
        draw_frame(axes, rows, limit, f"estimate − truth, in empirical standard errors{whose}")
        for k, name in enumerate(names):
            for row in rows:
                if row.parameter is not None and (name, row.parameter) in cells:
                    at = row.y - offset_of(k, len(names))
                    _mark(axes, row, cells[name, row.parameter], at, colours[name], limit)
        _numbers(axes, rows, cells, names, colours)
    say(figure, _sentence(rows, cells, names))
    return figure


def _rows(cells: Cells) -> list[Row]:
    known: dict[str, tuple[str, float, float]] = {}
    for cell in cells.values():  # of several analyses the last one's spread is the unit
        known[cell.parameter] = (cell.kind, cell.truth, cell.sd if cell.sd > 0 else np.nan)
    return rows_of(dict(sorted(known.items(), key=lambda one: one[1][0] == "sigma")))


def _of(row: Row, cells: Cells) -> list[Cell]:
    return [cell for (_, parameter), cell in cells.items() if parameter == row.parameter]


def _distances(row: Row, cell: Cell) -> tuple[float, float, float]:
    """Mean, and ends of the middle 95 %, in units of the row from its truth; NaN where they cannot be drawn."""
    if not len(cell.known) or not np.isfinite([row.truth, row.unit]).all():
        return (np.nan, np.nan, np.nan)
    low, high = np.quantile(cell.known, [0.025, 0.975])
    mean, low, high = ((value - row.truth) / row.unit for value in (cell.mean, low, high))
    return float(mean), float(low), float(high)


def _mark(ax: Axes, row: Row, cell: Cell, y: float, colour: str, limit: float) -> None:
    mean, low, high = _distances(row, cell)
    if np.isnan(mean):
        return
    if abs(mean) > limit:
        far_out(ax, mean, limit, y, colour)
        return
    ax.plot(np.clip([low, high], -limit, limit), [y, y], color=colour, lw=2.2, zorder=2)
    for end in (low, high):
        if abs(end) > limit:
            ax.plot([np.sign(end) * limit], [y], ">" if end > 0 else "<", color=colour, ms=5, clip_on=False)
    ax.plot([mean], [y], "o", color=colour, mfc=PAPER if _is_biased(cell) else colour, mew=1.6, ms=6.5, zorder=3)


def _is_biased(cell: Cell) -> bool:
    return abs(cell.mean - cell.truth) > _CERTAIN * cell.mean_mcse


def _numbers(ax: Axes, rows: Sequence[Row], cells: Cells, names: Sequence[str], colours: Mapping[str, str]) -> None:
    """Truth and means as columns at the right; where there is no room for all, a legend says whose marks are whose."""
    heads = {name: name if len(names) > 1 else "mean" for name in names}
    texts = {
        row.y: {"truth": true_number(row.truth)}
        | {heads[name]: _mean(cells.get((name, str(row.parameter))), row.unit) for name in names}
        for row in rows
        if row.parameter is not None
    }
    width = sum(max(len(head), *(len(one[head]) for one in texts.values())) + 2 for head in heads.values())
    if width <= _ROOM:
        own = {heads[name]: colours[name] if len(names) > 1 else FAINT for name in names}
        write_columns(ax, rows, {"truth": FAINT} | own, texts)
        return
    write_columns(ax, rows, {"truth": FAINT}, texts)
    handles = [Line2D([], [], color=colours[name], marker="o", lw=2.2, label=name) for name in names]
    ax.legend(  # clear of the word above the dashed line, however high the axes are
        handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(3, len(names)), borderaxespad=1.6
    )


def _mean(cell: Cell | None, unit: float) -> str:
    return "–" if cell is None else number(cell.mean, unit)


def _sentence(rows: Sequence[Row], cells: Cells, names: Sequence[str]) -> str:
    """Alt text: how many replicates, which mean is furthest from the truth in each analysis, and what failed."""
    most = max(len(cell.estimate) for cell in cells.values())
    said = []
    for name in names:
        distances = {
            row: _distances(row, cells[name, row.parameter])[0]
            for row in rows
            if row.parameter is not None and (name, row.parameter) in cells
        }
        known = {row: d for row, d in distances.items() if np.isfinite(d)}
        if not known:
            continue
        row = max(known, key=lambda r: abs(known[r]))
        cell = cells[name, str(row.parameter)]
        biased = sum(_is_biased(cells[name, str(r.parameter)]) for r in known)
        failed = f", {cell.failed} of {len(cell.estimate):,} fits failed" if cell.failed else ""
        said.append(
            f"{name}: {biased} of {len(known)} means differ from the truth by more than two Monte-Carlo errors, the "
            f"furthest is {row.parameter}, {number(cell.mean, row.unit)} where the truth is {row.truth:.4g}{failed}"
        )
    return f"Estimates of {counted(most, 'replicate')} against the truth. {'. '.join(said)}."
