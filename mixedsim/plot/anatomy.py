"""The printed summary of a fit, with a note beside each part."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixedsim.errors import MixedsimError
from mixedsim.listing import unbroken
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.plot.anatomy_notes import note_on
from mixedsim.plot.style import INK, LINES, TINT, figure_of, look, picture, say

Fit = LinearMixedModel | GeneralizedLinearMixedModel
# Everything is laid out in inches, so that text and brackets meet whatever the length of the summary.
_SIZE: Final = 8.5  # points
_LETTER: Final = 0.602 * _SIZE / 72  # width of a letter of the fixed-width font
_LINE: Final = 1.38 * _SIZE / 72
_WRAP: Final = 50  # letters in a line of a note
_NOTE: Final = 3.55  # width of the notes
_GAP: Final = 0.17
_MOST: Final = 14  # lines of one part


@dataclass(frozen=True)
class _Part:
    """A part of the summary, with its note: lines of text each."""

    text: tuple[str, ...]
    note: tuple[str, ...]

    @property
    def height(self) -> float:
        """Inches that it takes."""
        return _LINE * max(len(self.text), len(self.note))


def summary(fit: Fit, *, ax: Axes | None = None) -> Figure:
    """Return the printed summary of a fit as a picture, each part with a note that says what it means.

    The text is that of ``print(fit)``, parts that are very long cut; the notes are computed from the fit.

    Parameters
    ----------
    fit : linear or generalised.
    ax : axes to draw on (about 9 inches wide, for the text keeps its size); a new figure if None.

    Raises
    ------
    MixedsimError
        If it is no fitted model.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> figure = ms.plot.summary(fit)
    >>> "two in three lie between 4.55 and 16.4" in figure.alt
    True
    >>> plt.close(figure)
    """
    if not isinstance(fit, LinearMixedModel | GeneralizedLinearMixedModel):
        raise MixedsimError(f"plot.summary draws the summary of a fitted mixed model, found {type(fit).__name__}.")
    parts = _parts(fit)
    left = _LETTER * max(len(line) for part in parts for line in part.text) + 0.15
    width = left + 0.35 + _NOTE
    height = sum(part.height for part in parts) + _GAP * (len(parts) + 1)
    figure = picture(width, height) if ax is None else figure_of(ax)
    with look():
        ax = figure.add_subplot() if ax is None else ax
        ax.set(xlim=(0, width), ylim=(0, height))
        ax.set_axis_off()
        top = height - _GAP
        for k, part in enumerate(parts):
            if k % 2 == 0:
                ax.axhspan(top - part.height - _GAP / 2, top + _GAP / 2, color=TINT, lw=0, zorder=0)
            _draw(ax, part, top, left)
            top -= part.height + _GAP
    said = " ".join(" ".join(part.note) for part in parts).replace("\u00a0", " ")
    say(figure, f"Summary of {' '.join(fit.formula.split())}, part by part: {said}")
    return figure


def _parts(fit: Fit) -> list[_Part]:
    """Blocks of the printed text with their notes."""
    out = []
    for block in str(fit.summary()).split("\n\n"):
        lines = [piece for line in block.split("\n") for piece in _folded(line)]
        if len(lines) > _MOST:
            lines = [*lines[: _MOST - 1], f" ... {len(lines) - _MOST + 1} more lines"]
        out.append(_Part(tuple(lines), tuple(textwrap.wrap(unbroken(note_on(fit, block)), _WRAP))))
    return out


def _folded(line: str) -> list[str]:
    """Prose such as a message or a long formula, in lines of the page; tables as they are."""
    return textwrap.wrap(line, 74, subsequent_indent="  ") if line.startswith(("Note:", "Formula:")) else [line]


def _draw(ax: Axes, part: _Part, top: float, left: float) -> None:
    """Text, bracket, note."""
    how: dict[str, Any] = {"va": "top", "ha": "left", "fontsize": _SIZE, "zorder": 2}
    for k, line in enumerate(part.text):
        ax.text(0.08, top - k * _LINE, line, family="DejaVu Sans Mono", color=INK, **how)
    bottom = top - _LINE * len(part.text)
    bar = left + 0.06
    blue = LINES["intercepts"].colour
    ax.plot([bar - 0.06, bar, bar, bar - 0.06], [top, top, bottom, bottom], color=blue, lw=1.2, zorder=2)
    for k, line in enumerate(part.note):
        ax.text(bar + 0.16, top - k * _LINE, line, color=INK, **how)
