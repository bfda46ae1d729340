"""Small print: what a picture leaves out, and what it holds constant."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

from mixedsim.listing import listed
from mixedsim.plot.style import FAINT, figure_of

_LETTERS: Final = 17  # of small print in an inch


def remark(ax: Axes, said: Sequence[str]) -> None:
    """What a picture leaves out or holds constant, in small print under its horizontal label."""
    text = "; ".join(one for one in said if one)
    if not text:
        return
    inches = ax.get_position().width * figure_of(ax).get_figwidth()
    lines = textwrap.fill(text, max(24, int(17 * inches)))
    below = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    ax.annotate(lines, (0.5, 0.0), (0, -34), ha="center", va="top", fontsize=8.0, color=FAINT, **below)  # type: ignore[arg-type]


def held_text(held: Mapping[str, Any], offset: float | None, where: str = "") -> str:
    """``"IQ at 11.8 and sex at f"``; nothing if nothing is held."""
    parts = [f"{name} at {value_text(value)}" for name, value in held.items()]
    if offset is not None:
        parts.append(f"the offset at {offset:.3g}")
    return f"{listed(parts, 6)}{where}" if parts else ""


def value_text(value: Any, *, date: bool = False) -> str:
    """A number in three digits (whole ones in full), a category as it is, or days since 1970 as a date."""
    if date:
        return str(np.datetime64(0, "s") + np.timedelta64(round(float(value) * 86_400), "s")).removesuffix("T00:00:00")
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return str(value)
    number = float(value)
    return f"{number:.0f}" if number == round(number) and abs(number) < 1e6 else f"{number:.3g}"


def date_axis(ax: Axes) -> None:
    """Days since 1970, as models take dates, shown as dates."""
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def in_words(said: Sequence[str]) -> str:
    """Remarks as a sentence of their own, with a space before it; nothing of none."""
    text = "; ".join(one for one in said if one)
    return f" {text[:1].upper()}{text[1:]}." if text else ""
