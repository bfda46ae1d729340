"""Six answers to one question, below each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError, nearest
from mixedsim.listing import listed
from mixedsim.plot.forest_frame import note, size_of
from mixedsim.plot.style import FAINT, PAPER, RUNGS, TRUTH, dress, figure_of, look, picture, say
from mixedsim.study import Ladder

Floats = NDArray[np.float64]
_COLOURS: Final[Mapping[str, str]] = {**RUNGS, "between": RUNGS["within-between"]}
_LABELS: Final[Mapping[str, str]] = {"between": "its part between groups"}
_ACROSS = 3  # panels in a row
_TOO_WIDE = 4.0  # times the middle width: a longer interval leaves the axis


def ladder(
    ladder: Ladder, coefficients: str | Sequence[str] | None = None, *, ax: Axes | None = None
) -> Figure:
    """Return estimates and intervals of all rungs, one panel a coefficient; the truth is a dashed line.

    OLS is black, dummies are green, varying intercepts blue and varying slopes red. The hollow mark is the effect
    between groups. An interval that leaves the axis ends in an arrow; a rung that cannot tell has no mark, and says so.

    Parameters
    ----------
    ladder : what `mixedsim.ladder` returned.
    coefficients : which to draw, in this order; all if None (with `ax`: the first).
    ax : axes for one coefficient; a new figure if None.

    Raises
    ------
    MixedsimError
        If it is no ladder, has no such coefficient, or `ax` is given for several.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> ladder = ms.ladder(ms.datasets.load("sleepstudy"), "Reaction ~ Days", "Subject", truth={"Days": 10})
    >>> figure = ms.plot.ladder(ladder)
    >>> figure.alt.split("), ")[0]
    'Days, in truth 10: OLS 10.5 (8.02 to 12.9'
    >>> plt.close(figure)
    """
    if not isinstance(ladder, Ladder):
        raise MixedsimError(f"plot.ladder draws what mixedsim.ladder returns, found {type(ladder).__name__}.")
    names = _chosen(ladder, coefficients, alone=ax is not None)
    if ax is not None and len(names) > 1:
        raise MixedsimError(f"ax has room for one coefficient, found {len(names)}: draw them one by one.")
    tables = {name: ladder.of(name) for name in names}
    rungs = list(dict.fromkeys(rung for table in tables.values() for rung in table.index))
    figure = _sheet(len(names), len(rungs)) if ax is None else figure_of(ax)
    with look():
        panels = _panels(figure, len(names)) if ax is None else [ax]
        for panel, (name, table) in zip(panels, tables.items(), strict=True):
            _draw(panel, name, table.reindex(rungs), rungs)
    say(figure, " ".join(_sentence(name, table) for name, table in tables.items()))
    return figure


def _chosen(ladder: Ladder, wanted: str | Sequence[str] | None, *, alone: bool) -> list[str]:
    known = ladder.coefficients
    if wanted is None:
        return list(known[:1] if alone else known)
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    for name in names:
        if name not in known:
            raise MixedsimError(f"the ladder has no coefficient {name!r}: {nearest(name, known)}")
    if not names:
        raise MixedsimError("coefficients are empty: name those to draw, or leave it out.")
    return names


def _sheet(count: int, rungs: int) -> Figure:
    across = min(count, _ACROSS)
    return picture(1.7 + 2.3 * across if across > 1 else 5.2, -(-count // across) * (0.26 * rungs + 0.75))


def _panels(figure: Figure, count: int) -> list[Axes]:
    """Panels that share the rungs, each with its own scale."""
    across = min(count, _ACROSS)
    grid = figure.subplots(-(-count // across), across, sharey=True, squeeze=False).ravel()
    for spare in grid[count:]:
        spare.remove()
    return list(grid[:count])


def _draw(ax: Axes, name: str, table: pd.DataFrame, rungs: Sequence[str]) -> None:
    dress(ax)
    y = -np.arange(len(rungs), dtype=np.float64)
    low, high = _limits(table)
    ax.set_xlim(low, high)
    ax.set_ylim(y[-1] - 0.6, 0.6)
    ax.set_yticks(y, [_LABELS.get(rung, rung) for rung in rungs])
    ax.tick_params(axis="y", length=0, pad=6)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(name, fontsize=size_of(name))
    truth = float(table["truth"].iloc[0])
    if np.isfinite(truth):
        ax.axvline(truth, color=TRUTH.colour, lw=TRUTH.width, ls=TRUTH.dashes, zorder=1)
        note(ax, f"{TRUTH.label} {truth:.4g}".replace("-", "−"), (truth, 0.6), (0, 2), FAINT, ha="center", va="bottom")
    for at, rung, row in zip(y, rungs, table[["estimate", "lower", "upper"]].to_numpy(dtype=np.float64), strict=True):
        _mark(ax, at, rung, row, (low, high))


def _mark(ax: Axes, y: float, rung: str, row: Floats, ends: tuple[float, float]) -> None:
    """One estimate with its interval; arrows where that leaves the axis."""
    estimate, lower, upper = row
    colour = _COLOURS[rung]
    if np.isnan(estimate):
        if rung != "between":
            note(ax, "cannot tell", (0.5 * sum(ends), y), (0, 0), FAINT, ha="center", fontsize=8, fontstyle="italic")
        return
    if np.isfinite([lower, upper]).all():
        ax.plot(np.clip([lower, upper], *ends), [y, y], color=colour, lw=2.2, zorder=2)
        for beyond, at, marker in ((lower < ends[0], ends[0], "<"), (upper > ends[1], ends[1], ">")):
            if beyond:
                ax.plot([at], [y], marker, color=colour, ms=5, clip_on=False)
    face = PAPER if rung == "between" else colour
    ax.plot([estimate], [y], "o", color=colour, mfc=face, mew=1.6, ms=6.5, zorder=3)


def _limits(table: pd.DataFrame) -> tuple[float, float]:
    """Room for truth, estimates, and intervals that are not much wider than the others."""
    estimate = table["estimate"].to_numpy(dtype=np.float64)
    half = (table["upper"] - table["lower"]).to_numpy(dtype=np.float64) / 2.0
    half = np.nan_to_num(half, nan=0.0)
    if (half > 0).any():
        half = np.minimum(half, _TOO_WIDE * float(np.median(half[half > 0])))
    ends = np.concatenate([estimate - half, estimate + half, table["truth"].to_numpy(dtype=np.float64)[:1]])
    ends = ends[np.isfinite(ends)]
    if not len(ends):
        return -1.0, 1.0
    margin = 0.06 * float(np.ptp(ends)) or 1.0
    return float(ends.min()) - margin, float(ends.max()) + margin


def _sentence(name: str, table: pd.DataFrame) -> str:
    """Alt text: truth, estimates and intervals, and which rungs cannot tell."""
    truth = float(table["truth"].iloc[0])
    known = table[table["estimate"].notna()]
    said = []
    values = known[["estimate", "lower", "upper"]].to_numpy(dtype=np.float64)
    for rung, (estimate, lower, upper) in zip(map(str, known.index), values, strict=True):
        interval = f" ({lower:.3g} to {upper:.3g})" if np.isfinite(lower) else ""
        said.append(f"{_LABELS.get(rung, rung)} {estimate:.3g}{interval}")
    lost = [str(rung) for rung in table.index[table["estimate"].isna()]]
    silent = f"; {listed(lost)} cannot tell" if lost else ""
    return f"{name}{f', in truth {truth:.4g}' if np.isfinite(truth) else ''}: {', '.join(said)}{silent}."
