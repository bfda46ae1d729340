"""The frame of a forest: parameters from top to bottom, the truth at zero, numbers at the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from mixedsim.plot.style import FAINT, INK, TINT, TRUTH

_HEADINGS = {
    "fixed": "fixed effects",
    "sd": "standard deviations",
    "sigma": "standard deviations",
    "tau": "shape",
    "corr": "correlations",
}
_ORDER = ("fixed effects", "standard deviations", "correlations", "shape", "")
_NARROWEST, _WIDEST = 3.6, 9.0  # units on either side of the truth


@dataclass(frozen=True)
class Row:
    """One line of the picture: a heading, or a parameter with the standard error that is its unit (NaN if none)."""

    y: float
    label: str
    parameter: str | None
    truth: float = np.nan
    unit: float = np.nan


def rows_of(known: Mapping[str, tuple[str, float, float]]) -> list[Row]:
    """Headings and parameters from top to bottom, by name: kind, truth and unit. An unknown kind has no heading."""
    out: list[Row] = []
    y = 0.0
    for heading in _ORDER:
        members = {name: one for name, one in known.items() if _HEADINGS.get(one[0], "") == heading}
        if not members:
            continue
        if heading:
            y -= 0.35 if out else 0.0
            out.append(Row(y, heading, None))
            y -= 1.0
        for name, (kind, truth, unit) in members.items():
            out.append(Row(y, _label(name, kind), name, truth, unit))
            y -= 1.0
    return out


def _label(name: str, kind: str) -> str:
    if kind == "sigma":
        return "residual"
    return name[name.index("(") + 1 : -1] if kind in ("sd", "corr") and "(" in name else name


def height_of(rows: Sequence[Row], several: int) -> float:
    """Inches for these rows with so many marks in each."""
    each = 0.26 + 0.11 * (min(several, 3) - 1) + 0.08 * max(several - 3, 0)
    return 0.75 + each * (rows[0].y - rows[-1].y + 1)


def offset_of(k: int, several: int) -> float:
    """How far below its row's middle the k-th of several marks lies."""
    spread = 0.44 if several <= 3 else min(0.44 + 0.12 * (several - 3), 0.74)
    return 0.0 if several == 1 else spread * (k / (several - 1) - 0.5)


def limit_of(ends: Sequence[float]) -> float:
    """Where the axis ends, in units, so that most of these can be seen."""
    known = [abs(end) for end in ends if np.isfinite(end)]
    return float(np.clip(1.06 * max(known, default=0.0), _NARROWEST, _WIDEST))


def draw_frame(ax: Axes, rows: Sequence[Row], limit: float, label: str) -> None:
    """Labels, the truth, and what the axis counts."""
    top, bottom = rows[0].y + 0.6, rows[-1].y - 0.7
    ax.set_xlim(-limit, limit)
    ax.set_ylim(bottom, top)
    ax.axvspan(-1.96, 1.96, color=TINT, lw=0, zorder=0)
    ax.axvline(0.0, color=TRUTH.colour, lw=TRUTH.width, ls=TRUTH.dashes, zorder=1)
    ax.set_yticks([row.y for row in rows], [row.label for row in rows])
    for tick, row in zip(ax.get_yticklabels(), rows, strict=True):
        if row.parameter is None:
            tick.set(fontstyle="italic", color=FAINT)
    ax.tick_params(axis="y", length=0, pad=6)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(label)
    note(ax, TRUTH.label, (0.0, top), (0, 2), FAINT, ha="center", va="bottom")


def note(ax: Axes, text: str, at: tuple[float, float], shift: tuple[float, float], colour: str, **how: Any) -> None:
    """Small text so many points from a place, also where that lies outside the axes."""
    style: dict[str, Any] = {"va": "center", "fontsize": 8.5, "annotation_clip": False} | how
    ax.annotate(text, at, shift, textcoords="offset points", color=colour, **style)


def far_out(ax: Axes, distance: float, limit: float, y: float, colour: str) -> None:
    """An arrow at the end of the axis, with how many units out it points."""
    right = distance > 0
    at = limit if right else -limit
    ax.plot([at], [y], ">" if right else "<", color=colour, ms=6, clip_on=False)
    said = f"{distance:+.0f}".replace("-", "−")
    note(ax, said, (at, y), (-8 if right else 8, 0), colour, ha="right" if right else "left", fontsize=8)


def write_columns(
    ax: Axes, rows: Sequence[Row], heads: Mapping[str, str], cells: Mapping[float, Mapping[str, str]]
) -> None:
    """Numbers as columns at the right, so many points from the axes.

    Parameters
    ----------
    heads : colour by heading; the first heading's cells are faint.
    cells : by y of the row, text by heading.
    """
    x = 10.0
    for k, (head, colour) in enumerate(heads.items()):
        longest = max(len(head), *(len(these[head]) for these in cells.values()))
        x += 5.1 * longest
        for y, text in [(rows[0].y, head), *((y, these[head]) for y, these in cells.items())]:
            shade = colour if text == head else FAINT if k == 0 else INK
            note(ax, text, (1.0, y), (x, 0), shade, xycoords=ax.get_yaxis_transform(), ha="right")
        x += 12.0


def size_of(label: str, letters: int = 26) -> float:
    """Size of an axis label, smaller where it has more letters than a narrow panel has room for."""
    return 9.5 * min(1.0, letters / max(len(label), 1))


def number(value: float, unit: float) -> str:
    """A value with two digits of its standard error; a dash where there is none."""
    if np.isnan(value):
        return "–"
    decimals = 2 if np.isnan(unit) or unit <= 0 else int(np.clip(1 - np.floor(np.log10(unit)), 0, 6))
    return f"{value:.{decimals}f}".replace("-", "−")


def true_number(truth: float) -> str:
    """A true value as it was set, or a dash."""
    return "–" if np.isnan(truth) else f"{truth:.4g}".replace("-", "−")
