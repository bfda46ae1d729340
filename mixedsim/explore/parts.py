"""What an explorer is made of: things to move, panels to draw in, layers to draw, and the numbers of every setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mixedsim.errors import MixedsimError, shown

Mark = Literal["line", "dashes", "ring", "dot", "diamond", "square", "triangle", "cross", "bar"]
Cell = float | str
Numbers = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Control:
    """Something that a reader moves.

    Attributes
    ----------
    name : as which `Explorer.at` knows it, ``tau``.
    label : what it is called on the page.
    stops : where it can stand, in order.
    texts : how each of them reads, with its unit.
    start : position of the one it stands at first.
    """

    name: str
    label: str
    stops: tuple[Cell, ...]
    texts: tuple[str, ...]
    start: int


@dataclass(frozen=True)
class Axis:
    """One axis of a panel, the same for all settings, so that what moves is the picture.

    Attributes
    ----------
    title : with its unit.
    low, high : its ends.
    log : whether its scale is logarithmic.
    ticks : position → text; plotly's own if empty.
    """

    title: str
    low: float
    high: float
    log: bool = False
    ticks: Mapping[float, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Panel:
    """A picture beside others, or above them where the page is narrow."""

    title: str
    x: Axis
    y: Axis


@dataclass(frozen=True)
class Layer:
    """One of plotly's traces, in one panel.

    Attributes
    ----------
    panel : its number, from 0.
    trace : what does not depend on the setting, in plotly's words.
    bound : what does: plotly's name (``"x"``, ``"error_y.array"``) → name of the numbers.
    label, mark : its entry in the legend; none if the label is empty.
    """

    panel: int
    trace: Mapping[str, Any]
    bound: Mapping[str, str]
    label: str = ""
    mark: Mark = "line"

    @property
    def colour(self) -> str:
        """The colour of its line or marks."""
        parts = (self.trace.get("line", {}), self.trace.get("marker", {}).get("line", {}), self.trace.get("marker", {}))
        return next(str(part["color"]) for part in parts if isinstance(part.get("color"), str))

    def filled(self, numbers: Numbers) -> dict[str, Any]:
        """The trace at a setting."""
        axes = {"xaxis": _axis("x", self.panel), "yaxis": _axis("y", self.panel)}
        out: dict[str, Any] = {"type": "scatter", "hoverinfo": "skip", "showlegend": False, **self.trace, **axes}
        for path, name in self.bound.items():
            *outer, last = path.split(".")
            place = out
            for key in outer:
                place[key] = place = dict(place.get(key, {}))
            place[last] = list(numbers[name])
        return out


def _axis(letter: str, panel: int) -> str:
    return letter if panel == 0 else f"{letter}{panel + 1}"


@dataclass(frozen=True)
class State:
    """One setting: the numbers that are drawn there, and a sentence computed from them."""

    numbers: Numbers
    alt: str


@dataclass(frozen=True)
class Column:
    """A column of the table that says the same as the picture: heading, name of the numbers, decimals."""

    heading: str
    numbers: str
    digits: int = 2


def line(colour: str, *, width: float = 2.0, dash: str = "solid") -> dict[str, Any]:
    """A trace of lines."""
    return {"mode": "lines", "line": {"color": colour, "width": width, "dash": dash}}


def marks(colour: str, symbol: str = "circle", *, size: float = 9.0, hollow: bool = False) -> dict[str, Any]:
    """A trace of marks; hollow ones are filled with paper."""
    edge = {"color": colour, "width": 2 if hollow else 0}
    return {"mode": "markers", "marker": {"color": "#ffffff" if hollow else colour, "symbol": symbol, "size": size,
                                          "line": edge}}  # fmt: skip


def bars(colour: str) -> dict[str, Any]:
    """A bar at each mark of a trace; its ends are bound, as ``error_y.array`` and ``error_y.arrayminus``."""
    return {"error_y": {"type": "data", "symmetric": False, "color": colour, "thickness": 1.2, "width": 3}}


def beside(values: Sequence[float], place: int, count: int, step: float = 1.06) -> list[float]:
    """Where the marks of one of `count` series stand on a logarithmic axis, so that their bars lie side by side."""
    return [value * step ** (place - (count - 1) / 2) for value in values]


def grid_values(name: str, given: Sequence[float], *, low: float, high: float, whole: bool = False) -> list[float]:
    """The values that a control takes, sorted.

    Raises
    ------
    MixedsimError
        If they are not several different numbers between `low` and `high` (whole ones, if so asked).
    """
    kind = "whole numbers" if whole else "numbers"
    end = f" to {high:g}" if high < float("inf") else " upwards"
    sentence = f"{name} must be at least two different {kind} from {low:g}{end}, found {shown(given)}."
    listed: Any = given
    if not isinstance(listed, list | tuple | range):
        raise MixedsimError(sentence)
    for one in listed:
        if isinstance(one, bool) or not isinstance(one, int | float) or not low <= one <= high:
            raise MixedsimError(sentence)
        if whole and one != int(one):
            raise MixedsimError(sentence)
    if len(set(given)) < max(2, len(given)):
        raise MixedsimError(sentence)
    return sorted(given)


def check_whole(name: str, given: int, *, low: int) -> int:
    """A whole number of at least `low`, or `MixedsimError`."""
    if isinstance(given, bool) or not isinstance(given, int) or given < low:
        raise MixedsimError(f"{name} must be a whole number of at least {low}, found {shown(given)}.")
    return given
