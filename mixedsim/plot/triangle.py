"""A triangle of panels: every pair of parameters below the diagonal, each one alone on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mixedsim.plot.parameter_panels import wrapped
from mixedsim.plot.style import dress, look, picture

_PER_INCH: Final = 15.0  # letters of a label
_WIDEST: Final = 7.4  # inches


@dataclass(frozen=True, eq=False)
class Triangle:
    """The panels of k parameters.

    Attributes
    ----------
    figure : that they are on.
    alone : k axes, of the diagonal, from the top.
    pairs : {(name across, name up): axes}.
    """

    figure: Figure
    alone: Mapping[str, Axes]
    pairs: Mapping[tuple[str, str], Axes]

    def legend(self, handles: list[Any]) -> None:
        """Where no panels are, if there is room."""
        self.figure.legend(handles=handles, loc="upper right" if len(self.alone) > 2 else "outside upper center")


def triangle(
    names: Sequence[str], limits: Mapping[str, tuple[float, float]], units: Mapping[str, str] | None
) -> Triangle:
    """Dressed and labelled axes that share their scales by row and column, on a new figure."""
    k = len(names)
    side = min(1.9, _WIDEST / k)
    letters = int(_PER_INCH * side)
    figure = picture(0.9 + side * k, 0.8 + side * k)
    alone, pairs = {}, {}
    with look():
        grid = figure.subplots(k, k, squeeze=False)
        for i, row in enumerate(names):
            for j, column in enumerate(names):
                ax = grid[i, j]
                if j > i:
                    ax.remove()
                    continue
                dress(ax)
                ax.set_xlim(limits[column])
                ax.xaxis.set_major_locator(MaxNLocator(3))
                if i == j:
                    alone[row] = ax
                    ax.set_yticks([])
                    ax.spines["left"].set_visible(False)
                else:
                    pairs[column, row] = ax
                    ax.set_ylim(limits[row])
                    ax.yaxis.set_major_locator(MaxNLocator(3))
                ax.tick_params(labelsize=7.0, labelbottom=i == k - 1, labelleft=j == 0 and i > 0)
                if i == k - 1:
                    ax.set_xlabel(wrapped(column, units, letters), fontsize=8.0)
                if j == 0 and i > 0:
                    ax.set_ylabel(wrapped(row, units, letters), fontsize=8.0)
    return Triangle(figure, alone, pairs)
