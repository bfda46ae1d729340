"""Estimates with intervals below each other, their names at the left and their numbers at the right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mixedsim.plot.forest_frame import note
from mixedsim.plot.style import FAINT, INK, PAPER, TRUTH, dress

UNTOLD: Final = "cannot be told"
_NARROW: Final = 4.0  # ratio of the ends of a logarithmic axis that has ticks like any other
_TOO_WIDE: Final = 30.0  # times the middle width: a longer interval leaves the axis


@dataclass(frozen=True)
class Mark:
    """One estimate: where it stands, its interval (NaN without one), and its colour."""

    y: float
    estimate: float
    lower: float
    upper: float
    colour: str

    @property
    def clear(self) -> bool:
        """Whether the interval is there, to be held against something."""
        return bool(np.isfinite([self.lower, self.upper]).all())


@dataclass(frozen=True)
class Name:
    """What stands at the left of a row; a heading in italics has no estimate."""

    y: float
    text: str
    heading: bool = False


@dataclass(frozen=True)
class Ghost:
    """A true value, as high as the marks that it belongs to."""

    bottom: float
    top: float
    truth: float


def draw_marks(
    ax: Axes,
    names: Sequence[Name],
    marks: Sequence[Mark],
    ghosts: Sequence[Ghost] = (),
    *,
    null: float | None,
    log: bool = False,
    numbers: bool = True,
) -> None:
    """Draw them, from top (0) to bottom (negative).

    Parameters
    ----------
    null : what an interval is held against, a vertical line; marks whose interval holds it are hollow. None for means,
        which are all filled.
    log : whether the axis is logarithmic, as ratios want it.
    numbers : write estimates and intervals at the right.
    """
    dress(ax)
    if log:
        ax.set_xscale("log")
    low, high = _limits(marks, [ghost.truth for ghost in ghosts], null, log)
    ax.set_xlim(low, high)
    heights = [*(name.y for name in names), *(mark.y for mark in marks)]
    ax.set_ylim(min(heights) - 0.65, max(heights) + 0.65)
    if null is not None:
        ax.axvline(null, color=FAINT, lw=0.8, zorder=1)
    for ghost in ghosts:
        at = [ghost.bottom, ghost.top]
        ax.plot([ghost.truth] * 2, at, color=TRUTH.colour, lw=2.0, ls=(0, (2, 1)), zorder=3, label=TRUTH.label)
    for mark in marks:
        _draw(ax, mark, null, (low, high))
    ax.set_yticks([name.y for name in names], [folded(name.text) for name in names])
    for tick, name in zip(ax.get_yticklabels(), names, strict=True):
        if name.heading:
            tick.set(fontstyle="italic", color=FAINT)
    ax.tick_params(axis="y", length=0, pad=6)
    ax.spines["left"].set_visible(False)
    if log:
        _plain_ticks(ax, low, high)
    if numbers:
        _write(ax, marks)


def _draw(ax: Axes, mark: Mark, null: float | None, ends: tuple[float, float]) -> None:
    if np.isnan(mark.estimate):
        note(ax, UNTOLD, (0.5, mark.y), (0, 0), FAINT, xycoords=ax.get_yaxis_transform(), ha="center")
        return
    if mark.clear:
        ax.plot(np.clip([mark.lower, mark.upper], *ends), [mark.y] * 2, color=mark.colour, lw=2.2, zorder=2)
        for beyond, at, head in ((mark.lower < ends[0], ends[0], "<"), (mark.upper > ends[1], ends[1], ">")):
            if beyond:
                ax.plot([at], [mark.y], head, color=mark.colour, ms=5, clip_on=False, zorder=2)
    holds = null is not None and mark.clear and mark.lower <= null <= mark.upper
    face = PAPER if holds else mark.colour
    ax.plot([mark.estimate], [mark.y], "o", color=mark.colour, mfc=face, mew=1.6, ms=6.5, zorder=4)


def _limits(marks: Sequence[Mark], truths: Sequence[float], null: float | None, log: bool) -> tuple[float, float]:
    """Room for estimates, truths, the null, and intervals that are not much wider than the others."""
    turn = np.log if log else np.asarray
    with np.errstate(divide="ignore", invalid="ignore"):
        numbers = turn(np.array([[m.estimate, m.lower, m.upper] for m in marks], dtype=np.float64))
    estimate = numbers[:, 0]
    half = np.nan_to_num(np.abs(numbers[:, 1:3] - estimate[:, None]), nan=0.0, posinf=np.inf)
    usual = half[np.isfinite(half) & (half > 0)]
    half = np.minimum(half, _TOO_WIDE * float(np.median(usual)) if len(usual) else 0.0)
    ends = np.concatenate([estimate - half[:, 0], estimate + half[:, 1], turn(np.array(truths))])
    ends = ends[np.isfinite(ends)]
    if null is not None:
        ends = np.append(ends, turn(np.array(null)))
    if not len(ends):
        return (0.5, 2.0) if log else (-1.0, 1.0)
    margin = 0.05 * float(np.ptp(ends)) or 1.0
    low, high = float(ends.min()) - margin, float(ends.max()) + margin
    return (float(np.exp(low)), float(np.exp(high))) if log else (low, high)


def _plain_ticks(ax: Axes, low: float, high: float) -> None:
    """Ratios as people write them: 0.5, 1, 2."""
    if high / low < _NARROW:
        known = np.asarray(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    else:
        spans = np.log10(high / low)
        steps = [1.0, 2.0, 5.0] if spans < 2.5 else [1.0]
        known = np.concatenate([np.array(steps) * 10.0**k for k in range(-12, 13, max(1, int(spans / 5)))])
    inside = known[(known >= low) & (known <= high)]
    ax.set_xticks(inside, [f"{value:g}" for value in inside])
    ax.minorticks_off()


def folded(text: str, width: int = 32) -> str:
    """A long name in several lines, broken where its parts meet."""
    lines = [""]
    for piece in re.findall(r"[^:_\[ ]*[:_\[ ]?", text):
        if lines[-1] and len(lines[-1]) + len(piece) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)


def _write(ax: Axes, marks: Sequence[Mark]) -> None:
    """Estimates and intervals as text beside their rows."""
    for mark in marks:
        if np.isfinite(mark.estimate):
            text = interval_text(mark.estimate, mark.lower, mark.upper)
            note(ax, text, (1.0, mark.y), (8, 0), INK, xycoords=ax.get_yaxis_transform(), ha="left", fontsize=8)


def interval_text(estimate: float, lower: float, upper: float) -> str:
    """``"10.5 (7.4 to 13.5)"``, with two digits of half the interval's width."""
    half = 0.5 * (upper - lower)
    if np.isnan(estimate):
        return UNTOLD
    if not np.isfinite(half):
        return f"{estimate:.3g}".replace("-", "−")
    decimals = int(np.clip(1 - np.floor(np.log10(max(half, 1e-12))), 0, 8))
    return f"{estimate:.{decimals}f} ({lower:.{decimals}f} to {upper:.{decimals}f})".replace("-", "−")
