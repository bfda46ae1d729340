"""The grid of panels that a pooling picture is drawn on."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixedsim.plot.style import picture

WIDTH: Final = 6.8  # inches


def sheet(count: int) -> Figure:
    columns = _columns(count)
    rows = -(-count // columns)
    if columns > 3:
        return picture(WIDTH, 1.2 * rows + 0.9)
    return picture(1.4 + 1.9 * columns, 1.9 * rows + 0.9)


def panels(figure: Figure, count: int) -> list[Axes]:
    """A grid of axes that share both scales, the last row possibly shorter."""
    columns = _columns(count)
    grid = figure.subplots(-(-count // columns), columns, sharex=True, sharey=True, squeeze=False).ravel()
    for spare in grid[count:]:
        spare.remove()
    for last in grid[max(count - columns, 0) : count]:
        last.tick_params(labelbottom=True)
    return list(grid[:count])


def _columns(count: int) -> int:
    """Panels in a row: few empty places, and wide pictures rather than tall ones."""
    if count <= 5:
        return count

    def cost(columns: int) -> float:
        return -(-count // columns) * columns - count + 0.6 * (6 - columns)

    return min(range(3 if count <= 9 else 4, 7), key=cost)


def share_labels(figure: Figure, axes: list[Axes], across: str, up: str, remark: str) -> None:
    """One label for each side of the grid; what was left out or held constant stands under the horizontal one."""
    figure.supxlabel(f"{across}\n{remark}" if remark else across, fontsize=9.0)
    figure.supylabel(up, fontsize=9.0)
    axes[0].set_ylim(*_limits(axes))


def _limits(axes: list[Axes]) -> tuple[float, float]:
    """Room for all points, and for lines as far as they stay near them."""
    points = np.concatenate([np.asarray(ax.collections[0].get_offsets())[:, 1] for ax in axes])
    drawn = [np.asarray(one.get_ydata(), dtype=np.float64) for ax in axes for one in ax.lines]
    low, high = float(points.min()), float(points.max())
    reach = 0.25 * (high - low)
    ends = np.clip(np.concatenate([points, *drawn]), low - reach, high + reach)
    margin = 0.06 * float(np.ptp(ends))
    return float(ends.min()) - margin, float(ends.max()) + margin
