"""The data behind a picture: all rows, or a sample of them that says so; and colours for several series."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from numpy.typing import NDArray

from mixedsim.plot.style import PAPER, POINT, SEVERAL

Floats = NDArray[np.float64]
MOST: Final = 5_000  # points that are drawn; more would hide each other
MOST_LINES: Final = 150  # of groups; more are soup
_SEED: Final = 1


def chosen(rows: int) -> NDArray[np.intp]:
    """Which rows are drawn: all, or `MOST` of them at random, the same ones every time."""
    if rows <= MOST:
        return np.arange(rows)
    return np.sort(np.random.default_rng(_SEED).choice(rows, MOST, replace=False))


def cloud(ax: Axes, x: Floats, y: Floats, colour: Any = POINT) -> str:
    """Draw rows as points, small and pale where there are many; what was left out comes back as a remark.

    Parameters
    ----------
    colour : one for all, or n of them.
    """
    shown = chosen(len(x))
    how: dict[str, Any] = {"c": colour[shown]} if isinstance(colour, np.ndarray) else {"color": colour}
    size, strength = size_of(len(shown))
    rim = 0.3 if len(shown) < 400 else 0.0
    ax.scatter(x[shown], y[shown], s=size, alpha=strength, ec=PAPER, lw=rim, zorder=2, **how)
    return "" if len(shown) == len(x) else f"points: {len(shown):,} of {len(x):,} rows, at random"


def size_of(count: int) -> tuple[float, float]:
    """Area and strength of each of so many points."""
    return float(np.clip(2600.0 / max(count, 1), 5.0, 16.0)), float(np.clip(400.0 / max(count, 1), 0.25, 0.85))


def hues(count: int) -> list[str]:
    """Colours for a few series, told apart also by the colour-blind; beyond those, steps from dark to light."""
    if count <= len(SEVERAL):
        return list(SEVERAL[:count])
    return shades(count)


def shades(count: int) -> list[str]:
    """As many colours in order, from dark violet to light green, none of them too pale for paper."""
    return list(sns.color_palette("viridis", as_cmap=False, n_colors=count + max(1, count // 8)).as_hex()[:count])


def some_of(order: Floats, most: int) -> NDArray[np.intp]:
    """Which of many groups have a line: all, or `most` of them, evenly spaced in the order of these values."""
    ranked = np.argsort(order, kind="stable")
    if len(ranked) <= most:
        return ranked
    return np.asarray(ranked[np.linspace(0, len(ranked) - 1, most).round().astype(int)])
