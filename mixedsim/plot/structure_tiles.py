"""Crossed groups as tiles: which combinations occur, and how many rows each has."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from mixedsim.listing import spread as spread_of
from mixedsim.plot.style import FAINT, INK, LINES, PAPER, dress

Codes = NDArray[np.intp]
Floats = NDArray[np.float64]
One = tuple[str, Codes, tuple[str, ...]]
_MOST: Final = 60  # levels of one group that are drawn
_NAMED: Final = 30  # levels whose names have room
_LETTERS: Final = 92  # of a title in one line
_WRITTEN: Final = 14  # columns up to which counts have room
_SHADES: Final = LinearSegmentedColormap.from_list("rows", [PAPER, LINES["intercepts"].colour])
_PALEST: Final = 0.22  # of the scale: a tile with one row must not look empty


@dataclass(frozen=True, eq=False)
class Tiles:
    """Row counts of combinations: r × c that are drawn.

    Attributes
    ----------
    up, across : names of the groups.
    counts : r × c rows a combination.
    up_labels, across_labels : of the levels drawn.
    levels : of both groups, drawn or not.
    cells : combinations that occur.
    spread : rows of those: min, median, max.
    lost : rows without both ids.
    """

    up: str
    across: str
    counts: Floats
    up_labels: tuple[str, ...]
    across_labels: tuple[str, ...]
    levels: tuple[int, int]
    cells: int
    spread: tuple[float, float, float]
    lost: int

    @property
    def full(self) -> bool:
        """Whether all combinations occur."""
        return self.cells == self.levels[0] * self.levels[1]

    @property
    def title(self) -> str:
        """The relation in words."""
        return f"{self.up} {'' if self.full else 'partially '}crossed with {self.across}"

    @property
    def remark(self) -> str:
        """How many combinations, and what was left out."""
        possible = self.levels[0] * self.levels[1]
        which = f"all {self.cells:,} combinations" if self.full else f"{self.cells:,} of {possible:,} combinations"
        rows = spread_of(*self.spread, "row")
        said = f"{which}, {rows} each" if self.spread[0] == self.spread[2] else f"{which}, of {rows}"
        parts = [
            f"{shown} of {count:,} levels of {name}"
            for shown, count, name in zip(self.counts.shape, self.levels, (self.up, self.across), strict=True)
            if shown < count
        ]
        return f"{said}; drawn: {' and '.join(parts)}" if parts else said

    @property
    def sentence(self) -> str:
        """What the panel shows."""
        possible = self.levels[0] * self.levels[1]
        which = f"all {self.cells:,}" if self.full else f"{self.cells:,} of {possible:,}"
        rows = spread_of(*self.spread, "row")
        said = (
            f"{self.up} is {'' if self.full else 'partially '}crossed with {self.across}: {which} combinations of "
            f"{self.levels[0]:,} and {self.levels[1]:,} levels occur, with {rows}"
            f"{' each' if self.spread[0] == self.spread[2] else ''}"
        )
        if self.counts.shape != self.levels:
            said += f"; {self.counts.shape[0]:,} and {self.counts.shape[1]:,} levels are drawn"
        if self.lost:
            said += f"; {self.lost:,} rows without both ids are left out"
        return said + "."


def tiles_of(up: One, across: One) -> Tiles:
    """`Tiles` of two groups given as name, codes and labels; the one with more levels goes up."""
    known = (up[1] >= 0) & (across[1] >= 0)
    a, b = up[1][known], across[1][known]
    levels = len(up[2]), len(across[2])
    keys, rows = np.unique(a.astype(np.int64) * levels[1] + b, return_counts=True)
    first, second = keys // levels[1], keys % levels[1]
    full = len(keys) == levels[0] * levels[1]
    chosen = [
        _chosen(np.bincount(own, weights=rows, minlength=n)) for own, n in ((first, levels[0]), (second, levels[1]))
    ]
    counts = np.zeros((len(chosen[0]), len(chosen[1])))
    places = [np.full(n, -1, dtype=np.intp) for n in levels]
    for place, own in zip(places, chosen, strict=True):
        place[own] = np.arange(len(own))
    inside = (places[0][first] >= 0) & (places[1][second] >= 0)
    counts[places[0][first[inside]], places[1][second[inside]]] = rows[inside]
    if not full:
        order, columns = _together(counts)
        counts, chosen = counts[order][:, columns], [chosen[0][order], chosen[1][columns]]
    return Tiles(
        up=up[0],
        across=across[0],
        counts=counts,
        up_labels=tuple(up[2][k] for k in chosen[0]),
        across_labels=tuple(across[2][k] for k in chosen[1]),
        levels=levels,
        cells=len(keys),
        spread=(float(rows.min()), float(np.median(rows)), float(rows.max())) if len(rows) else (0.0, 0.0, 0.0),
        lost=int((~known).sum()),
    )


def _chosen(rows: NDArray[np.integer[Any]] | Floats) -> Codes:
    """All levels in their own order, or evenly spaced ones in the order of their rows."""
    if len(rows) <= _MOST:
        return np.arange(len(rows))
    order = np.argsort(-rows, kind="stable")
    return np.asarray(order[np.linspace(0, len(rows) - 1, _MOST).round().astype(np.intp)], dtype=np.intp)


def _together(counts: Floats) -> tuple[Codes, Codes]:
    """An order of rows and columns in which those that meet stand near each other: barycentres, several times."""
    rows, columns = np.arange(counts.shape[0]), np.arange(counts.shape[1])
    met = counts > 0
    for _ in range(8):
        here = met[rows][:, columns]
        middle = here @ np.arange(len(columns)) / np.maximum(here.sum(axis=1), 1)
        rows = rows[np.argsort(middle, kind="stable")]
        here = met[rows][:, columns]
        middle = np.arange(len(rows)) @ here / np.maximum(here.sum(axis=0), 1)
        columns = columns[np.argsort(middle, kind="stable")]
    return rows, columns


def tiles_height(tiles: Tiles) -> float:
    """Inches."""
    return float(np.clip(0.16 * tiles.counts.shape[0] + 0.9, 1.6, 5.2))


def draw_tiles(ax: Axes, tiles: Tiles) -> None:
    """One tile a combination, its count in it where there is room."""
    dress(ax)
    most = max(tiles.spread[2], 1.0)
    shade = np.where(tiles.counts > 0, _PALEST + (0.75 - _PALEST) * tiles.counts / most, 0.0)
    r, c = tiles.counts.shape
    lines = max(r, c) <= _MOST
    mesh = ax.pcolormesh(np.arange(c + 1), np.arange(r + 1), shade, cmap=_SHADES, vmin=0.0, vmax=1.0,
                         edgecolors=PAPER if lines else "none", lw=0.6 if lines else 0.0)  # fmt: skip
    mesh.set_gid("tiles")
    if c <= _WRITTEN and r <= _NAMED and tiles.spread[0] < tiles.spread[2]:
        for (i, j), count in np.ndenumerate(tiles.counts):
            if count:
                ax.text(j + 0.5, i + 0.5, f"{count:.0f}", ha="center", va="center", fontsize=7.0, color=INK)
    ax.invert_yaxis()
    for axis, labels, n, name in (
        (ax.xaxis, tiles.across_labels, c, tiles.across),
        (ax.yaxis, tiles.up_labels, r, tiles.up),
    ):
        if n <= _NAMED:
            axis.set_ticks(np.arange(n) + 0.5, labels)
        else:
            axis.set_ticks([])
        axis.set_label_text(name if n <= _NAMED else f"{name}: {n:,} levels")
    longest = max(map(len, tiles.across_labels)) if c <= _NAMED else 0
    ax.tick_params(length=0, labelsize=7.5)
    if longest * c > 75:
        ax.tick_params(axis="x", labelrotation=90)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(FAINT)
    title = textwrap.fill(f"{tiles.title}: {tiles.remark}", _LETTERS)
    ax.set_title(title, loc="left", fontsize=9.0, color=INK)
