"""The causal diagram of a population: who reads whom, at which level, and what nobody sees."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path

from mixedsim.errors import MixedsimError
from mixedsim.plot.causes import Causes, Node, causes_of
from mixedsim.plot.layered import Layered, layered
from mixedsim.plot.style import FAINT, INK, LINES, PAPER, SEVERAL, TINT, figure_of, look, picture, say
from mixedsim.simulate import Population

# Everything is laid out in inches, so that text fits its box whatever the size of the diagram.
_LETTER: Final = 0.083  # width of a letter
_BOX: Final = 0.36  # height of a box
_HEAD: Final[Any] = {"arrowstyle": "-|>,head_length=5,head_width=2.2", "mutation_scale": 1.0}
_BLUE: Final = LINES["intercepts"].colour
_ORANGE: Final = SEVERAL[0]


def dag(population: Population, *, random: bool = True, missing: bool = False, ax: Axes | None = None) -> Figure:
    """Return the causal diagram of a population: an arrow from every variable to what arises from it.

    Causes stand left of their effects, and every level of the data has its own lane, the rows lowest. What nobody
    observed has a dashed outline; so has every random effect, in blue. A dot joins variables that act together, by an
    interaction; a dotted line without an arrow joins those that are drawn together. What has
    no effect in truth (coefficients and standard deviations of 0) has no arrow.

    Parameters
    ----------
    population : what the data come from.
    random : whether random effects are drawn.
    missing : whether missing values are: for every column with any a box ``R_column``, whether it is missing, with
        arrows from what decides about that. No arrow: completely at random. One from the column itself, or from what
        nobody observed: not at random.
    ax : axes to draw on; a new figure if None.

    Raises
    ------
    MixedsimError
        If it is no population.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> figure = ms.plot.dag(ms.scenarios.therapist_confounder(), random=False)
    >>> print(figure.alt)
    Causal diagram of therapist_confounder: ses (not observed) causes price and depression; price causes anxiety;
    depression causes anxiety; sex causes anxiety. Of the therapist: ses, price; of the row: depression, sex, anxiety.
    >>> plt.close(figure)
    """
    if not isinstance(population, Population):
        raise MixedsimError(f"plot.dag draws a Population, found {type(population).__name__}.")
    causes = causes_of(population, random=random, gaps=missing)
    placed = layered(causes, {node.name: _width(node) for node in causes.nodes}, _BOX)
    figure = picture(placed.width, placed.height) if ax is None else figure_of(ax)
    with look():
        ax = figure.add_subplot() if ax is None else ax
        ax.set(xlim=(0, placed.width), ylim=(0, placed.height), aspect="equal")
        ax.set_axis_off()
        _lanes(ax, placed)
        for edge in causes.edges:
            _line(ax, placed.routes[edge.source, edge.target], causes.node(edge.target))
        for one, other in causes.together:
            _bond(ax, placed, one, other)
        for node in causes.nodes:
            _draw(ax, node, *placed.at[node.name])
    say(figure, _sentence(population, causes))
    return figure


def _width(node: Node) -> float:
    if node.kind == "dot":
        return 0.12
    return max(0.5, _LETTER * max(map(len, node.label.split("\n"))) + 0.24)


def _lanes(ax: Axes, placed: Layered) -> None:
    """One strip a level, named at its left."""
    for number, (name, (bottom, top)) in enumerate(placed.lanes.items()):
        colour = TINT if number % 2 == 0 else PAPER
        ax.add_patch(Rectangle((0, bottom), placed.width, top - bottom, fc=colour, ec=TINT, lw=0.8, zorder=0))
        ax.text(0.1, top - 0.08, name, ha="left", va="top", fontsize=8.5, color=FAINT, style="italic", zorder=1)


def _draw(ax: Axes, node: Node, x: float, y: float) -> None:
    if node.kind == "dot":
        ax.plot([x], [y], "o", ms=4.5, color=INK, zorder=4)
        return
    width = _width(node)
    looks: dict[str, Any] = {
        "hidden": {"ec": FAINT, "ls": (0, (4, 2.5)), "lw": 1.2},
        "effect": {"ec": _BLUE, "ls": (0, (4, 2.5)), "lw": 1.2},
        "gap": {"ec": _ORANGE, "lw": 1.4},
        "response": {"ec": INK, "lw": 1.8},
    }.get(node.kind, {"ec": INK, "lw": 1.0})
    rounding = 0.17 if node.kind == "effect" else 0.06
    style = f"round,pad=0,rounding_size={rounding}"
    box = FancyBboxPatch((x - width / 2, y - _BOX / 2), width, _BOX, boxstyle=style, fc=PAPER, zorder=3, **looks)
    ax.add_patch(box)
    colour = {"hidden": FAINT, "effect": _BLUE}.get(node.kind, INK)
    weight = "bold" if node.kind == "response" else "normal"
    size = 9.5 if "\n" not in node.label else 7.5
    ax.text(x, y, node.label, ha="center", va="center", fontsize=size, color=colour, weight=weight, zorder=4)


def _line(ax: Axes, route: list[tuple[float, float]], target: Node) -> None:
    """A smooth line through the points of a route, horizontal at each of them, with a head unless it ends in a dot."""
    vertices, codes = [route[0]], [Path.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(route):
        half = (x0 + x1) / 2
        vertices += [(half, y0), (half, y1), (x1, y1)]
        codes += [Path.CURVE4] * 3
    plain = target.kind == "dot"
    style: Any = {"arrowstyle": "-"} if plain else _HEAD
    ax.add_patch(FancyArrowPatch(path=Path(vertices, codes), fc=INK, ec=INK, lw=1.0, zorder=2, **style))


def _bond(ax: Axes, placed: Layered, one: str, other: str) -> None:
    """A dotted arc on the left of two variables that are drawn together."""
    ends = [(placed.left[name], placed.at[name][1]) for name in (one, other)]
    out = min(x for x, _ in ends) - 0.3
    (x0, y0), (x1, y1) = ends
    path = Path([(x0, y0), (out, y0), (out, y1), (x1, y1)], [Path.MOVETO, *[Path.CURVE4] * 3])
    ax.add_patch(FancyArrowPatch(path=path, arrowstyle="-", ls=(0, (1, 1.6)), ec=INK, fc="none", lw=1.3, zorder=2))


def _sentence(population: Population, causes: Causes) -> str:
    """Every cause with what it causes, then what lives where."""
    told = []
    for node in causes.nodes:
        if node.kind == "dot":
            continue
        targets = [causes.node(edge.target) for edge in causes.edges if edge.source == node.name]
        effects = [one.name for one in targets if one.kind not in ("dot", "gap")]
        if effects:
            told.append(f"{node.spoken} {_listed(effects)}")
    for node in causes.nodes:
        if node.kind == "dot":
            told.append(f"{_listed([e.source for e in causes.edges if e.target == node.name])} act together")
    told += [f"{one} and {other} are drawn together" for one, other in causes.together]
    told += [
        _missing(node, [e.source for e in causes.edges if e.target == node.name])
        for node in causes.nodes
        if node.kind == "gap"
    ]
    shown = [node for node in causes.nodes if node.kind not in ("dot", "effect", "gap")]
    lanes = {lane: [node.name for node in shown if node.lane == lane] for lane in causes.lanes}
    where = "; ".join(f"of the {lane}: {', '.join(names)}" for lane, names in lanes.items() if names)
    called = f" of {population.name}" if population.name else ""
    return f"Causal diagram{called}: {'; '.join(told) or 'no arrows'}. {where[:1].upper()}{where[1:]}."


def _missing(node: Node, sources: list[str]) -> str:
    what = "dropout" if node.name == "dropout" else f"whether {node.name.removeprefix('R_')} is missing"
    return f"{what} depends on {_listed(sources) if sources else 'nothing'}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
