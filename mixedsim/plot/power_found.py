"""A search for a size: what was tried, and where the answer lies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from mixedsim.plot.power_frame import draw_levels
from mixedsim.plot.style import INK, LINES, PAPER, figure_of, look, picture, rung_colour, say, with_unit
from mixedsim.study import FoundSize

_LARGEST: Final = 90.0  # area of the point with most replicates


def found_size(found: FoundSize, units: Mapping[str, str] | None, ax: Axes | None) -> Figure:
    """Every size that was tried with its power and interval, false positives, and the answer."""
    figure = picture(5.6, 3.6) if ax is None else figure_of(ax)
    table = found.table.sort_index()
    x = table.index.to_numpy(dtype=np.float64)
    n, power, low, high, false = (
        table[name].to_numpy(dtype=np.float64) for name in ("n", "power", "lower", "upper", "false_positive")
    )
    colour = rung_colour(found.analysis) or LINES["intercepts"].colour
    with look():
        axes = figure.add_subplot() if ax is None else ax
        draw_levels(axes, found.alpha, found.target, last=True)
        right = 1.04 * float(max(x.max(), found.size))
        if np.isfinite(found.lower):
            band = axes.axvspan(found.lower, min(found.upper, right), color=INK, alpha=0.09, lw=0, zorder=0.5)
            band.set_gid("interval")
        axes.axvline(found.size, color=INK, lw=1.2, zorder=2).set_gid("size")
        axes.vlines(x, low, high, color=colour, lw=1.3, alpha=0.6, zorder=3)
        dots = axes.scatter(x, power, s=_LARGEST * n / n.max(), color=colour, ec=PAPER, lw=0.6, zorder=4)
        dots.set_gid("power")
        axes.plot(x, false, "o", color=colour, mfc=PAPER, ms=3.5, zorder=3)
        axes.set_xlim(float(min(x.min(), found.size)) - 0.04 * right, right)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel(with_unit(found.along, units))
        axes.set_ylabel("share of replicates with p below the level")
        title = f"{found.along} = {found.size:,} for a power of {100 * found.target:g} % to find {found.parameter}"
        axes.set_title(title, loc="left", fontsize=9.0, color=INK)
        handles: list[Any] = [
            Line2D([], [], marker="o", ls="", color=colour, ms=7, label="power (area: replicates)"),
            Line2D([], [], marker="o", ls="", color=colour, mfc=PAPER, ms=3.5, label="false positives"),
            Patch(facecolor=INK, alpha=0.09, label="answer, 95 % Monte-Carlo"),
        ]
        if ax is None:
            figure.legend(handles=handles, loc="outside upper center", ncols=3, columnspacing=1.2)
        else:
            axes.legend(handles=handles, loc="best", fontsize=8)
    say(figure, " ".join([*found.sentences, f"{len(x)} sizes from {x.min():,.0f} to {x.max():,.0f} were tried."]))
    return figure
