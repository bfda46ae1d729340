"""One look for all pictures: what every colour, line and mark means, and the figure that they are drawn on.

Colours are those of seaborn's colour-blind palette. The ground is white paper also where the page is dark, so that
black stays readable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Literal

import matplotlib as mpl
import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixedsim.errors import MixedsimError

Line = Literal["complete", "none", "intercepts", "slopes"]
_BLUE, _ORANGE, _GREEN, _RED, _PLUM, *_, _SKY = sns.color_palette("colorblind").as_hex()

PAPER: Final = "#ffffff"
INK: Final = "#1f1f1f"  # text and what the data say
FAINT: Final = "#6e6e6e"  # axes and remarks: 5:1 on paper
POINT: Final = "#4d4d4d"
TINT: Final = "#f3f1ec"  # behind a panel or row that is marked


@dataclass(frozen=True)
class Look:
    """How one thing is drawn wherever it appears, and what it is called."""

    label: str
    colour: str
    width: float = 1.6
    dashes: str = "-"


# Thinner lines lie on wider ones, so that two that coincide can both be seen.
LINES: Final[Mapping[Line, Look]] = {
    "complete": Look("complete pooling", "#000000", width=1.2),
    "none": Look("no pooling", _GREEN, width=2.4),
    "intercepts": Look("varying intercepts", _BLUE, width=1.7),
    "slopes": Look("varying slopes", _RED, width=1.2),
}
TRUTH: Final = Look("truth", "#8c8c8c", width=1.4, dashes="--")
# The same question asked in other ways, by the name that `mixedsim.ladder` gives to each.
RUNGS: Final[Mapping[str, str]] = {
    "OLS": LINES["complete"].colour,
    "group means": _ORANGE,
    "dummies": LINES["none"].colour,
    "varying intercepts": LINES["intercepts"].colour,
    "varying slopes": LINES["slopes"].colour,
    "within-between": _PLUM,
}
# Several fits of one kind beside each other: the tempting one first.
SEVERAL: Final = (_ORANGE, _BLUE, _PLUM, _SKY, _GREEN)

# mypy knows every setting by name; a plain dictionary of them is Any.
_RC: Final[Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.solid_capstyle": "round",
}


class Picture(Figure):
    """A matplotlib figure that can say in a sentence what it shows.

    It belongs to pyplot, so that ``plt.show()`` shows it in a window. A notebook shows it once, whether or not the
    cell's last line ends in a semicolon.

    Attributes
    ----------
    alt : the sentence, computed from the numbers drawn.
    """

    alt: str = ""

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        """Text and alt text for a notebook, beside the image that the inline backend makes of every figure.

        That backend shows pyplot's figures at the end of a cell. One that is being shown as the cell's value is taken
        from the list, or it would appear twice; windows of other backends stay open.
        """
        if "inline" in mpl.get_backend():
            plt.close(self)
        return {"text/plain": self.alt}, {"image/png": {"alt": self.alt}}


def colour_of(effects: Iterable[str]) -> str:
    """The colour of a mixed model by what varies in it: red where a slope does, else blue."""
    return LINES["slopes" if any(effect != "Intercept" for effect in effects) else "intercepts"].colour


def rung_colour(name: str) -> str | None:
    """The colour of an analysis that is called like a rung of a ladder, in whatever case; None of another.

    Least squares without groups is black under each of its names: an analysis has one colour in all pictures.
    """
    folded = {rung.casefold(): colour for rung, colour in RUNGS.items()}
    aliases = dict.fromkeys(("lm", "least squares", "ordinary least squares", "complete pooling"), RUNGS["OLS"])
    return {**folded, **aliases}.get(name.casefold())


def look() -> AbstractContextManager[None]:
    """The settings to draw under: ``with look(): …``; the reader's own are back afterwards."""
    return mpl.rc_context(_RC)


def picture(width: float, height: float) -> Picture:
    """A new figure of so many inches, laid out so that nothing overlaps.

    Make it before entering `look`: the first figure of a session chooses the backend, and in a notebook that changes
    settings which `look` would set back (``interactive``, so that no figure would be shown any more).
    """
    figure = plt.figure(figsize=(width, height), facecolor=PAPER, layout="constrained", FigureClass=Picture)
    assert isinstance(figure, Picture)
    return figure


def dress(ax: Axes) -> None:
    """Axes in the house's look, whoever made them."""
    ax.set_facecolor(PAPER)
    ax.set_axisbelow(True)
    sns.despine(ax=ax)
    for spine in ax.spines.values():
        spine.set(color=FAINT, linewidth=0.8)
    ax.tick_params(length=3, width=0.8, color=FAINT, labelsize=8.5, labelcolor=INK)
    ax.grid(visible=False)
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set(fontsize=9.5, color=INK)


def say(figure: Figure, sentence: str) -> None:
    """Give the figure its alt text; what several drawings on one figure say adds up."""
    before = getattr(figure, "alt", "")
    figure.alt = f"{before} {sentence}".strip()  # type: ignore[attr-defined]


def figure_of(ax: Axes) -> Figure:
    """The figure that a reader's own axes belong to.

    Raises
    ------
    MixedsimError
        If `ax` is no axes, or lies in a subfigure of none.
    """
    if not isinstance(ax, Axes):
        raise MixedsimError(f"ax must be one matplotlib Axes, found {type(ax).__name__}.")
    figure = ax.figure.figure  # of a subfigure the one that holds it; get_figure(root=True) came with matplotlib 3.10
    assert isinstance(figure, Figure)
    return figure


def with_unit(name: str, units: Mapping[str, str] | None) -> str:
    """An axis label: ``Reaction (ms)``, or the bare name where no unit is given, or one that says it again (days)."""
    unit = (units or {}).get(name)
    if not unit or unit.casefold().rstrip("s") == name.casefold().rstrip("s"):
        return name
    return f"{name} ({unit})"
