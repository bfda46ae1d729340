"""Missing values by a column, and units followed over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.patches import Patch
from numpy.typing import NDArray

from mixedsim.inference.shares import per_cent
from mixedsim.listing import counted, listed
from mixedsim.plot.style import FAINT, INK, LINES, PAPER, SEVERAL, dress, with_unit

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_NAMED: Final = 16  # values of a column that have room for a name and a number
_MOST: Final = 300  # units that are drawn
_ORANGE: Final = SEVERAL[0]
_SHADES: Final = LinearSegmentedColormap.from_list("missing", ["#f4f6f8", _ORANGE])
_SEEN: Final = "#7fb3d5"


@dataclass(frozen=True, eq=False)
class Shares:
    """Shares of missing values by a column with v values.

    Attributes
    ----------
    by : its name.
    labels : its values as text, in order, or by the share missing if there are many of them.
    columns : c names.
    shares : c × v.
    rows : v row counts.
    ordered : whether values stand in their own order.
    """

    by: str
    labels: tuple[str, ...]
    columns: tuple[str, ...]
    shares: Floats
    rows: NDArray[np.intp]
    ordered: bool

    @property
    def sentence(self) -> str:
        """Alt text: from where to where, for every column, and the rows."""
        said = []
        for name, row in zip(self.columns, self.shares, strict=True):
            if self.ordered:
                ends = f"{per_cent(float(row[0]))} at {self.labels[0]}, {per_cent(float(row[-1]))} at {self.labels[-1]}"
            else:
                ends = f"{per_cent(float(row.min()))} to {per_cent(float(row.max()))}"
            said.append(f"{name} {ends}")
        low, high = int(self.rows.min()), int(self.rows.max())
        rows = f"{low:,} rows each" if low == high else f"{low:,} to {high:,} rows"
        count = counted(len(self.labels), "value")
        return f"Share of missing values by {self.by} ({count}, {rows}): {listed(said, most=6)}."


def shares_of(by: pd.Series[Any], columns: Sequence[str], gaps: Bools) -> Shares:
    """`Shares` of n × c values; rows without a value of `by` are left out."""
    codes, values = pd.factorize(by, sort=True)
    known = codes >= 0
    rows = np.bincount(codes[known], minlength=len(values))
    sums = [np.bincount(codes[known], weights=gap[known], minlength=len(values)) for gap in gaps.T]
    shares = np.array(sums) / rows
    ordered = len(values) <= _NAMED or pd.api.types.is_numeric_dtype(by.dtype)
    order = np.arange(len(values)) if ordered else np.argsort(-shares.sum(axis=0), kind="stable")
    return Shares(
        by=str(by.name),
        labels=tuple(str(values[k]) for k in order),
        columns=tuple(columns),
        shares=shares[:, order],
        rows=rows[order],
        ordered=ordered,
    )


def draw_shares(ax: Axes, shares: Shares, units: Mapping[str, str] | None) -> None:
    """Tiles of shares, with bars of rows above."""
    dress(ax)
    c, v = shares.shares.shape
    top = max(float(shares.shares.max()), 1e-9)
    mesh = ax.pcolormesh(np.arange(v + 1), np.arange(c + 1), shares.shares, cmap=_SHADES, vmin=0.0, vmax=1.15 * top,
                         edgecolors=PAPER if v <= 60 else "none", lw=0.8 if v <= 60 else 0.0)  # fmt: skip
    mesh.set_gid("shares")
    named = v <= _NAMED
    if named:
        for (i, j), share in np.ndenumerate(shares.shares):
            text = f"{100 * share:.0f} %"
            ax.text(j + 0.5, i + 0.5, text, ha="center", va="center", fontsize=7.0, color=INK)
    height = 0.3 + 0.08 * c
    bars = -0.15 - height * shares.rows / float(shares.rows.max())
    for bar in ax.bar(np.arange(v) + 0.5, bars + 0.15, bottom=-0.15, width=0.9, color=LINES["intercepts"].colour, lw=0):
        bar.set_gid("rows")
        bar.set_snap(False)  # bars drawn to whole pixels would be of different widths
    low, high = int(shares.rows.min()), int(shares.rows.max())
    rows = f"rows: {low:,}" if low == high else f"rows: {low:,} to {high:,}"
    ax.set_yticks([-0.15 - height / 2, *(np.arange(c) + 0.5)], [rows, *shares.columns])
    ax.set(xlim=(0, v), ylim=(c, -0.25 - height))
    if named:
        ax.set_xticks(np.arange(v) + 0.5, shares.labels)
        ax.set_xlabel(with_unit(shares.by, units))
    elif shares.ordered:
        at = np.linspace(0, v - 1, 6).round().astype(int)
        ax.set_xticks(at + 0.5, [shares.labels[k] for k in at])
        ax.set_xlabel(with_unit(shares.by, units))
    else:
        ax.set_xticks([])
        ax.set_xlabel(f"{v:,} values of {shares.by}, sorted by what is missing")
    ax.tick_params(length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.set_title("share of values that are missing", loc="left", fontsize=9.0, color=INK)


@dataclass(frozen=True, eq=False)
class Visits:
    """Units followed over t times; r of them are drawn.

    Attributes
    ----------
    unit, time : names of the columns.
    times : as text, in order.
    states : r × t: 0 no row, 1 a row with a value missing, 2 complete.
    units : how many there are.
    seen : t shares of the units with a complete row.
    leaving : units that have no complete row from some time on that others still have.
    columns : that were looked at.
    """

    unit: str
    time: str
    times: tuple[str, ...]
    states: NDArray[np.int8]
    units: int
    seen: Floats
    leaving: int
    columns: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Alt text."""
        first, last = per_cent(float(self.seen[0])), per_cent(float(self.seen[-1]))
        drawn = f"; {len(self.states):,} are drawn" if len(self.states) < self.units else ""
        return (
            f"{counted(self.units, 'level')} of {self.unit} over {counted(len(self.times), 'value')} of {self.time}: "
            f"{first} have a complete row at {self.times[0]}, {last} at {self.times[-1]}; {self.leaving:,} of "
            f"{self.units:,} leave before the end{drawn}."
        )


def visits_of(unit: pd.Series[Any], time: pd.Series[Any], columns: Sequence[str], gaps: Bools) -> Visits:
    """`Visits` of n rows; those without unit or time are left out, and of several rows at one time the best counts."""
    codes, levels = pd.factorize(unit, sort=True)
    when, times = pd.factorize(time, sort=True)
    known = (codes >= 0) & (when >= 0)
    states = np.zeros((len(levels), len(times)), dtype=np.int8)
    complete = np.where(gaps.any(axis=1), 1, 2).astype(np.int8)
    np.maximum.at(states, (codes[known], when[known]), complete[known])
    there = states == 2
    last = np.where(there.any(axis=1), there.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1), -1)
    order = np.lexsort([-there.sum(axis=1), -last])
    if len(order) > _MOST:
        order = order[np.linspace(0, len(order) - 1, _MOST).round().astype(np.intp)]
    return Visits(
        unit=str(unit.name),
        time=str(time.name),
        times=tuple(map(str, times)),
        states=states[order],
        units=len(levels),
        seen=there.mean(axis=0),
        leaving=int((last < there.shape[1] - 1).sum()),
        columns=tuple(columns),
    )


def draw_visits(ax: Axes, visits: Visits, units: Mapping[str, str] | None) -> None:
    """One line a unit, from the one that was seen longest."""
    dress(ax)
    r, t = visits.states.shape
    colours = ListedColormap([PAPER, _ORANGE, _SEEN])
    lines = t <= 40
    mesh = ax.pcolormesh(np.arange(t + 1), np.arange(r + 1), visits.states, cmap=colours, vmin=0, vmax=2)
    mesh.set_gid("visits")
    if lines:
        for edge in range(1, t):
            ax.axvline(edge, color=PAPER, lw=0.8)
    ax.set(xlim=(0, t), ylim=(r, 0))
    at = np.arange(t) if t <= _NAMED else np.linspace(0, t - 1, 8).round().astype(int)
    ax.set_xticks(at + 0.5, [f"{visits.times[k]}\n{100 * visits.seen[k]:.0f} %" for k in at], fontsize=7.5)
    ax.set_xlabel(f"{with_unit(visits.time, units)}, with the share of {visits.unit} complete there")
    ax.set_yticks([])
    part = f"{r:,} of {visits.units:,}" if r < visits.units else f"{r:,}"
    ax.set_ylabel(f"{part} levels of {visits.unit}, sorted")
    ax.tick_params(length=0)
    handles = [
        Patch(facecolor=_SEEN, label="complete"),
        Patch(facecolor=_ORANGE, label=_what(visits.columns)),
        Patch(facecolor=PAPER, edgecolor=FAINT, lw=0.6, label="no row"),
    ]
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, borderaxespad=0.2)


def _what(columns: Sequence[str]) -> str:
    return f"{columns[0]} missing" if len(columns) == 1 else "a value missing"
