"""Where the estimates of many replicates lie, and where the model's own standard error says they would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from mixedsim.plot.forest_frame import note, number, size_of, true_number
from mixedsim.plot.replicates import Cell, cells_of, colours_of, replicates_of, several_axes
from mixedsim.plot.style import FAINT, INK, TRUTH, dress, figure_of, look, picture, say

Floats = NDArray[np.float64]
_ACROSS = 3  # panels in a row
_TALLEST = 0.82  # of the height of a row
_MOST_BINS, _FEWEST_BINS = 60, 8
_TAIL = 0.001  # of the estimates that may lie beyond either end of the axis


def sampling_distribution(
    study: Any,
    parameter: str | Sequence[str] | None = None,
    *,
    analyses: str | Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return histograms of the estimates, one row an analysis, with the truth and what the model claims.

    All histograms of a panel have the same area. The tick under each is its mean, the dashed line the truth. The curve
    is a normal distribution around the mean that is as wide as the standard errors that single fits report: where it is
    narrower than the histogram, the analysis promises more than it holds.

    Parameters
    ----------
    study : what `mixedsim.study` or `mixedsim.sampling_distribution` returned, or the replicates of a study.
    parameter : one, or several for one panel each; the first coefficient that is no intercept if None.
    analyses : which to draw, from top to bottom; all if None.
    ax : axes for one parameter; a new figure if None.

    Raises
    ------
    MixedsimError
        If it is no study, has no such parameter or analysis, or `ax` is given for several parameters.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> study = ms.study(ms.scenarios.therapist_plain(therapists=10, patients=5), n=40, seed=1)
    >>> figure = ms.plot.sampling_distribution(study, "depression")
    >>> figure.alt.split(":")[0]
    'Estimates of depression, in truth 3, in 40 replicates'
    >>> plt.close(figure)
    """
    frame = replicates_of(study, "sampling_distribution")
    cells = cells_of(frame, analyses, parameter, most=1)
    names = list(dict.fromkeys(analysis for analysis, _ in cells))
    parameters = list(dict.fromkeys(parameter for _, parameter in cells))
    several_axes(ax, len(parameters), "parameter")
    figure = _sheet(len(parameters), len(names)) if ax is None else figure_of(ax)
    with look():
        panels = _panels(figure, len(parameters)) if ax is None else [ax]
        colours = colours_of(study)
        for k, (panel, one) in enumerate(zip(panels, parameters, strict=True)):
            mine = {name: cells[name, one] for name in names if (name, one) in cells}
            _draw(panel, one, mine, names, colours, named=k % min(len(parameters), _ACROSS) == 0)
        if ax is None:
            _legend(figure, any(np.isfinite(c.truth) for c in cells.values()))
    say(figure, " ".join(_sentence(one, [c for (_, p), c in cells.items() if p == one]) for one in parameters))
    return figure


def _sheet(count: int, rows: int) -> Figure:
    across = min(count, _ACROSS)
    height = 0.62 * rows + (0.9 if rows > 1 else 1.5)
    return picture(6.8 if across > 1 else 5.6, 0.35 + -(-count // across) * height)


def _panels(figure: Figure, count: int) -> list[Axes]:
    across = min(count, _ACROSS)
    grid = figure.subplots(-(-count // across), across, squeeze=False).ravel()
    for spare in grid[count:]:
        spare.remove()
    return list(grid[:count])


def _draw(
    ax: Axes,
    parameter: str,
    cells: Mapping[str, Cell],
    names: Sequence[str],
    colours: Mapping[str, str],
    *,
    named: bool,
) -> None:
    """One row an analysis; heights are shared, so that areas are the same."""
    dress(ax)
    low, high = _limits(list(cells.values()))
    bins = {name: _bins(cell.known, low, high) for name, cell in cells.items()}
    counted = {name: np.histogram(cell.known, bins[name], density=True)[0] for name, cell in cells.items()}
    peak = max(*(h.max(initial=0.0) for h in counted.values()), *(_peak(cell) for cell in cells.values())) or 1.0
    for k, name in enumerate(names):
        if name in cells and len(cells[name].known):
            base = float(len(names) - 1 - k)
            _ridge(ax, cells[name], counted[name] * _TALLEST / peak, bins[name], base, colours[name], _TALLEST / peak)
    truth = next((cell.truth for cell in cells.values() if np.isfinite(cell.truth)), np.nan)
    top = len(names) - 1 + _TALLEST + 0.1
    if np.isfinite(truth):
        ax.axvline(truth, color=TRUTH.colour, lw=TRUTH.width, ls=TRUTH.dashes, zorder=4)
        note(ax, f"{TRUTH.label} {true_number(truth)}", (truth, top), (0, 2), FAINT, ha="center", va="bottom")
    ax.set_xlim(low, high)
    ax.set_ylim(-0.2, top)
    ax.set_yticks(range(len(names)), names[::-1] if named and len(names) > 1 else [""] * len(names))
    for tick in ax.get_yticklabels():
        tick.set(va="bottom")
    ax.tick_params(axis="y", length=0, pad=6)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(parameter, fontsize=size_of(parameter))


def _ridge(ax: Axes, cell: Cell, heights: Floats, bins: Floats, base: float, colour: str, scale: float) -> None:
    """Histogram, curve of the claimed standard error, and mean of one analysis on its base line."""
    ax.stairs(base + heights, bins, baseline=base, fill=True, color=colour, alpha=0.38, lw=0, zorder=2)
    ax.plot([bins[0], bins[-1]], [base, base], color=colour, lw=0.8, zorder=2)
    if cell.claimed > 0:
        x = np.linspace(cell.mean - 4 * cell.claimed, cell.mean + 4 * cell.claimed, 161)
        density = np.exp(-0.5 * ((x - cell.mean) / cell.claimed) ** 2) / (cell.claimed * np.sqrt(2 * np.pi))
        ax.plot(x, base + density * scale, color=colour, lw=1.5, zorder=3)
    ax.plot([cell.mean, cell.mean], [base - 0.13, base], color=colour, lw=2.6, solid_capstyle="butt", zorder=5)
    said = f"sd {number(cell.sd, cell.sd)}"
    if cell.claimed > 0:
        said += f"\nse {number(cell.claimed, cell.sd)}"
    if cell.failed:
        said += f"\n{cell.failed} failed"
    note(ax, said, (1.0, base), (4, 2), INK, xycoords=ax.get_yaxis_transform(), va="bottom", fontsize=8)


def _limits(cells: Sequence[Cell]) -> tuple[float, float]:
    """Room for all but a handful of estimates, and the truth."""
    ends: list[float] = []
    for cell in cells:
        if len(cell.known):
            spread = 3.0 * cell.sd if np.isfinite(cell.sd) else 0.0
            low, high = np.quantile(cell.known, [_TAIL, 1 - _TAIL])
            ends += [float(low), float(high), cell.mean - spread, cell.mean + spread]
        ends.append(cell.truth)
    known = [end for end in ends if np.isfinite(end)]
    if not known:
        return 0.0, 1.0
    margin = 0.04 * (max(known) - min(known)) or 0.5
    return min(known) - margin, max(known) + margin


def _bins(values: Floats, low: float, high: float) -> Floats:
    """Edges of equal width (Freedman & Diaconis 1981, Z. Wahrscheinlichkeitstheorie 57:453), not too many or few."""
    inside = values[(values >= low) & (values <= high)]
    if len(inside) < 2 or float(np.ptp(inside)) == 0.0:
        centre = float(inside[0]) if len(inside) else 0.5 * (low + high)
        half = (high - low) / 80.0
        return np.array([centre - half, centre + half])
    first, third = np.quantile(inside, [0.25, 0.75])
    width = 2.0 * (third - first) / len(inside) ** (1 / 3)
    wanted = np.ptp(inside) / width if width > 0 else _FEWEST_BINS
    return np.linspace(float(inside.min()), float(inside.max()), int(np.clip(wanted, _FEWEST_BINS, _MOST_BINS)) + 1)


def _peak(cell: Cell) -> float:
    return 1.0 / (cell.claimed * float(np.sqrt(2 * np.pi))) if cell.claimed > 0 else 0.0


def _legend(figure: Figure, with_truth: bool) -> None:
    handles: list[Any] = [
        Patch(facecolor=FAINT, alpha=0.38, lw=0, label="estimates (sd)"),
        Line2D([], [], color=FAINT, lw=1.5, label="as wide as their standard errors say (se)"),
        Line2D([], [], color=FAINT, lw=2.6, marker="|", ls="", ms=7, mew=2.6, label="mean"),
    ]
    if with_truth:
        handles.append(Line2D([], [], color=TRUTH.colour, lw=TRUTH.width, ls=TRUTH.dashes, label=TRUTH.label))
    figure.legend(
        handles=handles, loc="outside upper center", ncols=4 if figure.get_figwidth() > 6 else 2, handlelength=1.6
    )


def _sentence(parameter: str, cells: Sequence[Cell]) -> str:
    """Alt text: mean, spread and claimed standard error of every analysis."""
    truth = next((cell.truth for cell in cells if np.isfinite(cell.truth)), np.nan)
    said = []
    for cell in cells:
        claim = f", claimed standard error {number(cell.claimed, cell.sd)}" if cell.claimed > 0 else ""
        failed = f", {cell.failed} of {len(cell.estimate):,} failed" if cell.failed else ""
        said.append(f"{cell.analysis} mean {number(cell.mean, cell.sd)}, sd {number(cell.sd, cell.sd)}{claim}{failed}")
    known = f", in truth {truth:.4g}" if np.isfinite(truth) else ""
    most = max(len(cell.estimate) for cell in cells)
    return f"Estimates of {parameter}{known}, in {most:,} replicates: {'; '.join(said)}."
