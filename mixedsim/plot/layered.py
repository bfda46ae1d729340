"""Where the nodes of a causal diagram stand: causes left of effects, lanes by level, few crossings.

The method is that of Sugiyama, Tagawa & Toda (1981, IEEE Transactions on Systems, Man, and Cybernetics 11:109–125):
nodes in layers, an edge over several layers cut into pieces by empty places, and the order in every layer improved by
barycentres. Lanes stay apart: only nodes of one lane change places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from mixedsim.plot.causes import Causes

Point = tuple[float, float]
Place = tuple[str, str, int]  # source and target of the edge, and the layer in which it passes

_SWEEPS = 12
_GAP = 0.75  # inches between the boxes of two layers
_LINE = 0.42  # of a box's height: room for an edge that only passes
_ROOM = 0.2  # between boxes in one lane
_PADDING = 0.16  # between a box and the end of its lane
_NAME = 0.2  # height of a lane's name
_SIDE = 0.35  # left and right of all boxes
_HAIR = 1e-6  # differences that are rounding only


@dataclass(frozen=True)
class Layered:
    """A diagram with places, all in inches.

    Attributes
    ----------
    width, height : of the whole.
    at : for every node the middle of its box.
    left : for every node the left end of its box.
    lanes : lower and upper end of every lane, from top to bottom.
    routes : for every edge, (source, target), the points that it goes through.
    """

    width: float
    height: float
    at: Mapping[str, Point]
    left: Mapping[str, float]
    lanes: Mapping[str, tuple[float, float]]
    routes: Mapping[tuple[str, str], list[Point]]


def layered(causes: Causes, widths: Mapping[str, float], height: float) -> Layered:
    """Places for the nodes of a diagram, given the widths and the common height of their boxes."""
    layer = _layers(causes)
    chains = _chains(causes, layer)
    columns = _columns(causes, layer, chains)
    _uncross(columns, causes.lanes, chains)
    ys, lanes, total = _heights(columns, causes.lanes, height)
    centres, ends, width = _widths(columns, widths, layer)
    at = {node.name: (centres[layer[node.name]], ys[node.name]) for node in causes.nodes}
    left = {name: x - widths[name] / 2 for name, (x, _) in at.items()}
    routes = {}
    arrivals = _arrivals(chains, ys, height, {node.name for node in causes.nodes if node.kind == "dot"})
    for edge, chain in chains.items():
        source, target = edge
        start = (at[source][0] + widths[source] / 2, at[source][1])
        stop = (left[target], arrivals[edge])
        # A passing line stays level from the left to the right end of its column, where it could meet boxes.
        through = [(x, ys[one]) for one in chain[1:-1] if not isinstance(one, str) for x in ends[one[2]]]
        # All leave a column of unequal boxes at its right end, so that no line climbs behind a wider box.
        level = [(ends[layer[source]][1], at[source][1])] if start[0] < ends[layer[source]][1] - _HAIR else []
        before = [(ends[layer[target]][0], arrivals[edge])] if stop[0] > ends[layer[target]][0] + _HAIR else []
        routes[edge] = [start, *level, *through, *before, stop]
    return Layered(width, total, at, left, lanes, routes)


def _arrivals(
    chains: Mapping[tuple[str, str], list[str | Place]], ys: Mapping[str | Place, float], height: float, dots: set[str]
) -> dict[tuple[str, str], float]:
    """At which height every edge reaches its box: in the order in which the edges come, side by side."""
    into: dict[str, list[tuple[str, str]]] = {}
    for edge in chains:
        into.setdefault(edge[1], []).append(edge)
    found = {}
    for target, edges in into.items():
        step = 0.0 if target in dots else min(0.09, 0.75 * height / len(edges))
        edges.sort(key=lambda edge: -ys[chains[edge][-2]])
        for k, edge in enumerate(edges):
            found[edge] = ys[target] + step * ((len(edges) - 1) / 2 - k)
    return found


def _layers(causes: Causes) -> dict[str, int]:
    """The longest way from a node without causes; dots and effects stand directly before the response, the last."""
    parents: dict[str, list[str]] = {node.name: [] for node in causes.nodes}
    for edge in causes.edges:
        parents[edge.target].append(edge.source)
    layer: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in layer:
            layer[name] = 1 + max((depth(parent) for parent in parents[name]), default=-1)
        return layer[name]

    response = causes.response.name
    # A node that causes nothing (a mean that is in the data only) does not push the response to the right.
    last = max((depth(node.name) for node in causes.nodes if node.kind != "gap"), default=0)
    layer[response] = max(last, 1)
    for node in causes.nodes:
        if node.kind in ("dot", "effect"):
            layer[node.name] = layer[response] - 1
        elif node.kind == "gap":  # also of the response: last of all
            layer[node.name] = layer[response] + 1
    _nearer(causes, parents, layer)
    return layer


def _nearer(causes: Causes, parents: Mapping[str, list[str]], layer: dict[str, int]) -> None:
    """Move what has no cause to its first effect, and what is drawn together into one layer: shorter lines."""
    for node in causes.nodes:
        effects = [layer[edge.target] for edge in causes.edges if edge.source == node.name]
        if not parents[node.name] and effects:
            layer[node.name] = min(effects) - 1
    for one, other in causes.together:
        both = max(layer[one], layer[other])
        for name in (one, other):
            if all(layer[edge.target] > both for edge in causes.edges if edge.source == name):
                layer[name] = both


def _chains(causes: Causes, layer: Mapping[str, int]) -> dict[tuple[str, str], list[str | Place]]:
    """For every edge its source, the places in the layers between, and its target."""
    return {
        (edge.source, edge.target): [
            edge.source,
            *((edge.source, edge.target, k) for k in range(layer[edge.source] + 1, layer[edge.target])),
            edge.target,
        ]
        for edge in causes.edges
    }


Columns = list[dict[str, list[str | Place]]]


def _columns(causes: Causes, layer: Mapping[str, int], chains: Mapping[tuple[str, str], list[str | Place]]) -> Columns:
    """For every layer and lane, what stands there; an edge passes in the lane it comes from."""
    columns: Columns = [{lane: [] for lane in causes.lanes} for _ in range(max(layer.values()) + 1)]
    for node in causes.nodes:
        columns[layer[node.name]][node.lane].append(node.name)
    for (source, _), chain in chains.items():
        lane = causes.node(source).lane
        for one in chain[1:-1]:
            assert not isinstance(one, str)
            columns[one[2]][lane].append(one)
    return columns


def _uncross(columns: Columns, lanes: tuple[str, ...], chains: Mapping[tuple[str, str], list[str | Place]]) -> None:
    """Order every layer of every lane by the mean place of the neighbours, to the right and back, several times."""
    before: dict[str | Place, list[str | Place]] = {}
    after: dict[str | Place, list[str | Place]] = {}
    for chain in chains.values():
        for one, other in pairwise(chain):
            after.setdefault(one, []).append(other)
            before.setdefault(other, []).append(one)
    best, fewest = None, None
    for sweep in range(_SWEEPS):
        neighbours = before if sweep % 2 == 0 else after
        for column in columns if sweep % 2 == 0 else columns[::-1]:
            place = _places(columns, lanes)
            for lane in lanes:
                column[lane].sort(
                    key=lambda one: fmean(place[n] for n in neighbours[one]) if neighbours.get(one) else place[one]
                )
        crossings = _crossings(columns, lanes, chains)
        if fewest is None or crossings < fewest:
            best, fewest = [{lane: list(ones) for lane, ones in column.items()} for column in columns], crossings
    assert best is not None
    columns[:] = best


def _places(columns: Columns, lanes: tuple[str, ...]) -> dict[str | Place, float]:
    """Height of everything, counted from the top: lanes in whole numbers, places within them in parts."""
    return {
        one: number + (k + 1) / (len(column[lane]) + 1)
        for column in columns
        for number, lane in enumerate(lanes)
        for k, one in enumerate(column[lane])
    }


def _crossings(columns: Columns, lanes: tuple[str, ...], chains: Mapping[tuple[str, str], list[str | Place]]) -> int:
    """How many pairs of pieces of edges between two layers cross."""
    place = _places(columns, lanes)
    number = {one: k for k, column in enumerate(columns) for ones in column.values() for one in ones}
    pieces = {(a, b) for chain in chains.values() for a, b in pairwise(chain)}
    lines = [(number[a], place[a], place[b]) for a, b in pieces]
    return sum(
        one[0] == other[0] and (one[1] - other[1]) * (one[2] - other[2]) < 0
        for k, one in enumerate(lines)
        for other in lines[:k]
    )


def _heights(
    columns: Columns, lanes: tuple[str, ...], height: float
) -> tuple[dict[str | Place, float], dict[str, tuple[float, float]], float]:
    """Height of everything, both ends of every lane, and the height of the whole."""

    def own(one: str | Place) -> float:
        return height if isinstance(one, str) else _LINE * height

    def stack(ones: list[str | Place]) -> float:
        return sum(map(own, ones)) + _ROOM * max(len(ones) - 1, 0)

    needed = {
        lane: max(max(stack(column[lane]) for column in columns), height) + 2 * _PADDING + _NAME for lane in lanes
    }
    total = sum(needed.values())
    ys: dict[str | Place, float] = {}
    ends = {}
    top = total
    for lane in lanes:
        ends[lane] = (top - needed[lane], top)
        middle = top - _NAME - (needed[lane] - _NAME) / 2
        for column in columns:
            y = middle + stack(column[lane]) / 2
            for one in column[lane]:
                ys[one] = y - own(one) / 2
                y -= own(one) + _ROOM
        top -= needed[lane]
    return ys, ends, total


def _widths(
    columns: Columns, widths: Mapping[str, float], layer: Mapping[str, int]
) -> tuple[list[float], list[Point], float]:
    """Middle of every layer, both of its ends, and the width of the whole."""
    widest = [max((widths[n] for n, k in layer.items() if k == number), default=0.2) for number in range(len(columns))]
    centres, ends = [], []
    x = _SIDE
    for width in widest:
        centres.append(x + width / 2)
        ends.append((x, x + width))
        x += width + _GAP
    return centres, ends, x - _GAP + _SIDE
