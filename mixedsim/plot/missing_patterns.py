"""Patterns of missing values: which columns are missing together, and in how many rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from numpy.typing import NDArray

from mixedsim.inference.shares import per_cent
from mixedsim.listing import counted, listed
from mixedsim.plot.style import FAINT, INK, LINES, PAPER, SEVERAL, dress

Bools = NDArray[np.bool_]
_MOST: Final = 20  # patterns
_MOST_COLUMNS: Final = 30
_STATES: Final = ListedColormap(["#d5e3ee", SEVERAL[0]])
_BARS: Final = 3.0  # columns wide: the longest bar


@dataclass(frozen=True, eq=False)
class Patterns:
    """Patterns of missing values, the most frequent first: m that are drawn, over c columns.

    Attributes
    ----------
    columns : names, the one with most missing values first.
    shares : c shares of missing values.
    states : m × c, whether the value is missing.
    counts : m row counts.
    rows, complete, patterns : in all; patterns without the complete one.
    given : columns of the table, also those that were not looked at.
    """

    columns: tuple[str, ...]
    shares: NDArray[np.float64]
    states: Bools
    counts: NDArray[np.intp]
    rows: int
    complete: int
    patterns: int
    given: int

    @property
    def sentence(self) -> str:
        """Alt text."""
        head = f"Missing values in {counted(self.rows, 'row')}"
        if not self.patterns:
            return f"{head}: none, in {counted(len(self.columns), 'column')}."
        incomplete = self.rows - self.complete
        said = [
            f"{head}: {self.complete:,} are complete, {incomplete:,} are not, in {counted(self.patterns, 'pattern')}"
        ]
        gone = [(name, share) for name, share in zip(self.columns, self.shares, strict=True) if share > 0]
        said.append(f"missing are {listed((f'{name} in {per_cent(float(share))}' for name, share in gone), most=6)}")
        first = next(k for k, state in enumerate(self.states) if state.any())
        names = [name for name, here in zip(self.columns, self.states[first], strict=True) if here]
        alone = " alone" if len(names) == 1 else " together" if len(names) > 1 else ""
        said.append(f"most often {listed(names, most=6)}{alone}, in {counted(int(self.counts[first]), 'row')}")
        shown = int(self.states.any(axis=1).sum())
        if shown < self.patterns:
            said.append(f"the {shown} most frequent patterns are drawn")
        return "; ".join(said) + "."


def patterns_of(columns: Sequence[str], gaps: Bools, given: int) -> Patterns:
    """`Patterns` of n × c values, of which `gaps` says whether they are missing."""
    shares = gaps.mean(axis=0)
    order = np.argsort(-shares, kind="stable")[:_MOST_COLUMNS]
    packed = np.packbits(gaps, axis=1)
    key = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, counts = np.unique(key, return_index=True, return_counts=True)
    ranked = np.argsort(-counts, kind="stable")
    states = gaps[first[ranked]]
    complete = ~states.any(axis=1)
    return Patterns(
        columns=tuple(columns[k] for k in order),
        shares=shares[order],
        states=states[:_MOST][:, order],
        counts=counts[ranked][:_MOST],
        rows=len(gaps),
        complete=int(counts[ranked][complete].sum()),
        patterns=int((~complete).sum()),
        given=given,
    )


def patterns_size(found: Patterns) -> tuple[float, float]:
    """Inches."""
    width = float(np.clip(2.2 + 0.5 * len(found.columns), 4.6, 8.0))
    return width, float(np.clip(1.5 + 0.24 * len(found.counts), 2.2, 6.4))


def draw_patterns(ax: Axes, found: Patterns) -> None:
    """Tiles, with a bar and a number for every pattern at the right, and the columns' shares above."""
    dress(ax)
    m, c = found.states.shape
    mesh = ax.pcolormesh(np.arange(c + 1), np.arange(m + 1), found.states.astype(float), cmap=_STATES, vmin=0, vmax=1,
                         edgecolors=PAPER, lw=1.2)  # fmt: skip
    mesh.set_gid("patterns")
    longest = float(found.counts.max())
    reach = _BARS * max(1.0, c / 6.0)
    for k, count in enumerate(found.counts):
        length = reach * float(count) / longest
        colour = SEVERAL[0] if found.states[k].any() else LINES["intercepts"].colour
        (bar,) = ax.barh(k + 0.5, length, left=c + 0.3, height=0.62, color=colour, lw=0)
        bar.set_gid("rows")
        ax.annotate(f"{count:,}", (c + 0.3 + length, k + 0.5), (3, 0), textcoords="offset points", va="center",
                    fontsize=7.5, color=INK, annotation_clip=False)  # fmt: skip
    ax.set(xlim=(0, c + 0.3 + 1.35 * reach), ylim=(m, 0))
    labels = [f"{name}\n{per_cent(float(share))}" for name, share in zip(found.columns, found.shares, strict=True)]
    crowded = c > 12 or max(map(len, found.columns)) > 16 / max(1, c / 6)
    if crowded:
        labels = [label.replace("\n", " · ") for label in labels]
    ax.xaxis.tick_top()
    ax.set_xticks(np.arange(c) + 0.5, labels, fontsize=7.5, rotation=90 if crowded else 0)
    ax.set_yticks([])
    ax.tick_params(length=0)
    for side in ("left", "bottom", "top"):
        ax.spines[side].set_visible(False)
    ax.set_ylabel("rows, sorted by pattern")
    shown = int(found.states.any(axis=1).sum())
    said = [f"{found.rows:,} rows, {found.rows - found.complete:,} incomplete"]
    if shown < found.patterns:
        said.append(f"{shown} of {found.patterns:,} patterns")
    if len(found.columns) < found.given:
        said.append(f"{len(found.columns)} of {found.given} columns")
    ax.set_xlabel("; ".join(said), fontsize=8.5, color=FAINT)
