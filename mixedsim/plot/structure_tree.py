"""Nested groups as a tree seen from the side: units under units, rows under the smallest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mixedsim.listing import counted
from mixedsim.listing import spread as spread_of
from mixedsim.plot.style import FAINT, INK, LINES, PAPER, TINT, dress

Codes = NDArray[np.intp]
Floats = NDArray[np.float64]
_MOST: Final = 200  # smallest units that are drawn
_BAND, _GAP = 0.62, 0.12  # height of a band, and between two
_LETTER: Final = 0.075  # inches
_BARS: Final = 1.7  # height of the longest bar


@dataclass(frozen=True, eq=False)
class Tree:
    """A chain of nested groups, from the outermost; J smallest units that are drawn.

    Attributes
    ----------
    names, levels : of the groups, and how many levels each has.
    units : for each group, J numbers of the level in which each smallest unit lies.
    labels : for each group, the labels of its levels.
    rows : J row counts.
    shares : for every group but the first, how many of its levels one of the group above holds: min, median, max.
    spread : rows a smallest unit: min, median, max of all, drawn or not.
    lost : rows without an id.
    """

    names: tuple[str, ...]
    levels: tuple[int, ...]
    units: tuple[Codes, ...]
    labels: tuple[tuple[str, ...], ...]
    rows: Floats
    shares: tuple[tuple[float, float, float], ...]
    spread: tuple[float, float, float]
    lost: int

    @property
    def title(self) -> str:
        """The chain in words."""
        return " in ".join(self.names[::-1]) if len(self.names) > 1 else f"rows of one {self.names[0]}"

    @property
    def sampled(self) -> bool:
        """Whether not all smallest units are drawn."""
        return len(self.rows) < self.levels[-1]

    @property
    def sentence(self) -> str:
        """What the panel shows."""
        said = []
        for k in range(1, len(self.names)):
            each = spread_of(*self.shares[k - 1], "level", "levels")
            said.append(
                f"{self.names[k]} is nested in {self.names[k - 1]}: {counted(self.levels[k], 'level')} in "
                f"{self.levels[k - 1]:,}, {each} each"
            )
        rows = spread_of(*self.spread, "row")
        count = f"{counted(self.levels[-1], 'level')} of {self.names[-1]} hold{'s' * (self.levels[-1] == 1)}"
        said.append(f"{count} {rows}{' each' if self.spread[0] == self.spread[2] and self.levels[-1] > 1 else ''}")
        if self.sampled:
            said.append(f"{len(self.rows):,} of them are drawn")
        if self.lost:
            said.append(f"{counted(self.lost, 'row')} without an id {'is' if self.lost == 1 else 'are'} left out")
        return "; ".join(said) + "."


def tree_of(chain: Sequence[tuple[str, Codes, tuple[str, ...]]], rows: int) -> Tree:
    """A `Tree` from names, codes and labels of the groups, from the outermost to the innermost."""
    known = np.ones(rows, dtype=bool)
    for _, codes, _ in chain:
        known &= codes >= 0
    count = len(chain[-1][2])
    inner = chain[-1][1][known]
    sizes = np.bincount(inner, minlength=count).astype(np.float64)
    first = np.zeros(count, dtype=np.intp)
    first[inner] = np.flatnonzero(known)
    present = np.flatnonzero(sizes > 0)
    units = [codes[first[present]] for _, codes, _ in chain]
    sizes = sizes[present]
    shares = []
    for outer, one in pairwise(units):
        pairs = np.unique(np.column_stack([outer, one]), axis=0)
        per = np.bincount(pairs[:, 0])
        per = per[per > 0]
        shares.append((float(per.min()), float(np.median(per)), float(per.max())))
    order = _order(units, sizes)
    return Tree(
        names=tuple(name for name, _, _ in chain),
        levels=tuple(len(np.unique(one)) for one in units),
        units=tuple(one[order] for one in units),
        labels=tuple(labels for _, _, labels in chain),
        rows=sizes[order],
        shares=tuple(shares),
        spread=(float(sizes.min()), float(np.median(sizes)), float(sizes.max())),
        lost=int((~known).sum()),
    )


def _order(units: Sequence[Codes], sizes: Floats) -> Codes:
    """Units with most rows first, on every level within the one above; if they are too many, evenly spaced ones."""
    keys: list[NDArray[np.float64]] = []
    for one in units[:-1]:
        total = np.bincount(one, weights=sizes)
        keys += [-np.asarray(total[one], dtype=np.float64), one.astype(np.float64)]
    keys.append(-sizes)
    order = np.lexsort([units[-1].astype(np.float64), *keys[::-1]])
    if len(order) <= _MOST:
        return np.asarray(order, dtype=np.intp)
    if len(units) == 1:
        return np.asarray(order[_evenly(len(order), _MOST)], dtype=np.intp)
    outer = units[0][order]
    starts = np.flatnonzero(np.concatenate([[True], outer[1:] != outer[:-1]]))
    lengths = np.diff(np.append(starts, len(order)))
    wanted = max(1, int(_MOST / lengths.mean()))
    parts = []
    for k in _evenly(len(starts), min(wanted, len(starts))):
        own = order[starts[k] : starts[k] + lengths[k]]
        parts.append(own if len(own) <= _MOST else own[_evenly(len(own), _MOST)])
    return np.asarray(np.concatenate(parts)[: 2 * _MOST], dtype=np.intp)


def _evenly(count: int, most: int) -> Codes:
    return np.linspace(0, count - 1, min(count, most)).round().astype(np.intp)


def tree_height(tree: Tree) -> float:
    """Inches."""
    return 1.5 + 0.36 * len(tree.names)


def draw_tree(ax: Axes, tree: Tree, width: float) -> None:
    """Bands from the outermost group down, bars of rows below."""
    dress(ax)
    left = _positions(tree)
    total = float(left[-1]) + 1.0
    inch = (width - 1.6) / total
    ticks, names = [], []
    for k, units in enumerate(tree.units):
        y = -k * (_BAND + _GAP)
        breaks = np.flatnonzero(np.concatenate([[True], units[1:] != units[:-1]]))
        ends = np.append(breaks[1:], len(units)) - 1
        boxes = [
            Rectangle((left[a], y - _BAND), left[b] + 1.0 - left[a], _BAND) for a, b in zip(breaks, ends, strict=True)
        ]
        slim = inch * float(np.median(left[ends] + 1.0 - left[breaks])) < 0.05
        patches = PatchCollection(
            boxes, facecolor=TINT, edgecolor=PAPER if slim else FAINT, linewidth=0.2 if slim else 0.7
        )
        patches.set_gid(f"units {tree.names[k]}")
        ax.add_collection(patches)
        for a, b in zip(breaks, ends, strict=True):
            text = tree.labels[k][units[a]]
            if len(text) * _LETTER < inch * (left[b] + 1.0 - left[a]):
                middle = 0.5 * (left[a] + left[b] + 1.0)
                ax.text(middle, y - _BAND / 2, text, ha="center", va="center", fontsize=7.5, color=INK)
        ticks.append(y - _BAND / 2)
        shown = len(np.unique(units))
        part = f"{shown:,} of {tree.levels[k]:,}" if shown < tree.levels[k] else f"{tree.levels[k]:,}"
        names.append(f"{tree.names[k]} ({part})")
    floor = -len(tree.names) * (_BAND + _GAP)
    scale = _BARS / float(tree.rows.max())
    bars = ax.bar(left + 0.5, -scale * tree.rows, width=0.82, bottom=floor, color=LINES["intercepts"].colour, lw=0)
    for bar in bars:
        bar.set_gid("rows")
        bar.set_snap(False)  # bars drawn to whole pixels would be of different widths
    low, _, high = tree.spread
    ticks.append(floor - 0.5 * _BARS)
    names.append(f"rows: {low:g}" if low == high else f"rows: {low:g} to {high:g}")
    ax.set(xlim=(-0.3, total + 0.3), ylim=(floor - _BARS - 0.1, 0.1))
    ax.set_yticks(ticks, names)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.set_title(tree.title, loc="left", fontsize=9.0, color=INK)


def _positions(tree: Tree) -> Floats:
    """Left end of every smallest unit: wider gaps between units of outer groups."""
    gap = np.zeros(len(tree.rows))
    for units in tree.units[:-1]:
        gap[1:] += 0.45 * (units[1:] != units[:-1])
    return np.asarray(np.arange(len(tree.rows)) + np.cumsum(gap), dtype=np.float64)
