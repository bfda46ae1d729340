"""Power over two things that were varied: contours through the points where it was simulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.contour import ContourSet
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.plot.style import FAINT, INK, LINES, PAPER, dress

Floats = NDArray[np.float64]
_LEVELS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_FILLED: Final = np.linspace(0.0, 1.0, 21)
# One scale for all tests, so that panels can be compared; never so dark that black numbers cannot be read on it.
_SHADES: Final = LinearSegmentedColormap.from_list("power", [PAPER, LINES["intercepts"].colour])
_DARKEST: Final = 1.5
_MARGIN: Final = 0.08  # of an axis, in which no contour is labelled


@dataclass(frozen=True, eq=False)
class Grid:
    """Power of one test on a grid.

    Attributes
    ----------
    x, y : c and r sorted values of what was varied.
    power : r × c; NaN where it was not simulated.
    false : the false-positive rates that are known.
    """

    x: Floats
    y: Floats
    power: Floats
    false: Floats


def grid_of(rows: pd.DataFrame, along: tuple[str, ...]) -> Grid:
    """The grid of one test.

    Raises
    ------
    MixedsimError
        If what was varied is no number, or the points do not make a grid of at least two by two.
    """
    for name in along:
        if not pd.api.types.is_numeric_dtype(rows[name].dtype):
            raise MixedsimError(
                f"contours need numbers along both axes, and {name!r} is none: draw curves along one at a time."
            )
    table = rows.pivot_table(index=along[1], columns=along[0], values="power", aggfunc="mean", dropna=False)
    if min(table.shape) < 2:
        raise MixedsimError(
            f"contours need at least two values of {along[0]!r} and of {along[1]!r}, found {table.shape[1]} and "
            f"{table.shape[0]}: vary one of them alone for a curve."
        )
    x, y = (np.asarray(axis, dtype=np.float64) for axis in (table.columns, table.index))
    false = rows["false_positive"].dropna().to_numpy(dtype=np.float64)
    return Grid(x, y, table.to_numpy(dtype=np.float64), false)


def contours(ax: Axes, grid: Grid, label: str, target: float | None) -> None:
    """Filled contours of one test's power, labelled, with points where it was simulated."""
    dress(ax)
    z = np.ma.masked_invalid(grid.power)
    ax.contourf(grid.x, grid.y, z, levels=_FILLED, cmap=_SHADES, vmin=0.0, vmax=_DARKEST, zorder=1)
    low, high = float(z.min()), float(z.max())
    levels = [level for level in _LEVELS if low < level < high and level != target]
    if levels:
        _label(ax, ax.contour(grid.x, grid.y, z, levels=levels, colors=FAINT, linewidths=0.7, zorder=2), grid, 7.5)
    if target is not None and low < target < high:
        _label(ax, ax.contour(grid.x, grid.y, z, levels=[target], colors=INK, linewidths=2.0, zorder=3), grid, 8.5)
    across, up = np.meshgrid(grid.x, grid.y)
    known = np.isfinite(grid.power)
    ax.plot(across[known], up[known], "o", color=INK, ms=3.0, zorder=4, clip_on=False)
    ax.set_title(f"{label}\n{_false(grid.false)}", loc="left", fontsize=9.0, color=INK)


def _label(ax: Axes, lines: ContourSet, grid: Grid, size: float) -> None:
    """A number on every contour that has room for one, in the middle of the part that is not at the edge."""
    places = []
    for segments in lines.allsegs:
        inside = [middle for one in segments if (middle := _middle(one, grid)) is not None]
        places += inside[:1]
    if places:
        ax.clabel(lines, fmt=lambda level: f"{100 * level:.0f} %", fontsize=size, colors=INK, manual=places)


def _middle(path: Floats, grid: Grid) -> tuple[float, float] | None:
    """The middle of a line, as far as it is not at the edge of the grid; None if all of it is."""
    if len(path) < 2:
        return None
    steps = np.linspace(0.0, len(path) - 1.0, 201)
    x, y = (np.interp(steps, np.arange(len(path)), path[:, k]) for k in (0, 1))
    inside = np.ones(len(steps), dtype=bool)
    for values, axis in ((x, grid.x), (y, grid.y)):
        margin = _MARGIN * (axis[-1] - axis[0])
        inside &= (values > axis[0] + margin) & (values < axis[-1] - margin)
    where = np.flatnonzero(inside)
    if len(where) < 10:
        return None
    at = where[len(where) // 2]
    return float(x[at]), float(y[at])


def _false(known: Floats) -> str:
    if not len(known):
        return "false positives not known"
    low, high = (f"{100 * value:.1f}" for value in (known.min(), known.max()))
    return f"false positives {low} %" if low == high else f"false positives {low} to {high} %"
