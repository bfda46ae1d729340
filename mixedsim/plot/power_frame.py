"""The frame of a picture of power: shares, the level of the test, the power that is wished for, and a legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from mixedsim.plot.forest_frame import note
from mixedsim.plot.style import FAINT, PAPER, TRUTH, dress


def draw_levels(ax: Axes, alpha: float, target: float | None, *, last: bool) -> None:
    """The axis from 0 to 100 %, with the level of the test and the power that is wished for."""
    dress(ax)
    ax.set_ylim(-0.02, 1.02)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    for value, name, dashes in ((alpha, "level", "-"), (target, "target", ":")):
        if value is None:
            continue
        ax.axhline(value, color=TRUTH.colour, lw=1.0, ls=dashes, zorder=1)
        if last:
            said, right = f"{name}\n{100 * value:g} %", ax.get_yaxis_transform()
            note(ax, said, (1.0, value), (4, 0), FAINT, xycoords=right, ha="left", fontsize=8)


def draw_legend(where: Figure | Axes, names: Sequence[str], colours: Mapping[str, str]) -> None:
    """What lines mean; above the panels, or, on a reader's own axes, where most room is."""
    handles: list[Any] = [
        Line2D([], [], color=colours[name], lw=1.8, marker="o", ms=4.5, label=name if len(names) > 1 else "power")
        for name in names
    ]
    shade = FAINT if len(names) > 1 else colours[names[0]]
    handles += [
        Patch(facecolor=shade, alpha=0.22, lw=0, label="Monte-Carlo interval"),
        Line2D([], [], color=shade, lw=1.3, ls=(0, (4, 2)), marker="o", mfc=PAPER, ms=3.5, label="false positives"),
    ]
    if isinstance(where, Axes):
        where.legend(handles=handles, loc="best", fontsize=8)
    else:
        where.legend(handles=handles, loc="outside upper center", ncols=3, columnspacing=1.2)
