"""What a population's causal diagram shows, before anybody decides where: nodes, arrows, lanes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from mixedsim.formula import variables_of
from mixedsim.simulate import Population
from mixedsim.simulate.covariance import covariances
from mixedsim.simulate.expression import names_in
from mixedsim.simulate.families import family_of
from mixedsim.simulate.problems import Dropout, Missing

Kind = Literal["variable", "hidden", "response", "effect", "dot", "gap"]
ROW = "row"
_LONGEST = 30  # characters of a list of effects that are written out


@dataclass(frozen=True)
class Node:
    """A variable, the response, the random effects of a factor, a dot in which an interaction meets, or a gap.

    A gap is whether a value is missing, ``R_y``: what it depends on decides which kind of missingness it is (Mohan &
    Pearl 2021, J. Am. Stat. Assoc. 116:1023).

    Attributes
    ----------
    name : unique; of a variable its name.
    label : what is written in its box.
    lane : the cluster where it lives, or ``"row"``.
    """

    name: str
    label: str
    kind: Kind
    lane: str

    @property
    def spoken(self) -> str:
        """The beginning of a sentence on what it causes."""
        if self.kind == "effect":
            return "{} ({}) cause".format(*self.label.split("\n"))
        return f"{self.name} (not observed) causes" if self.kind == "hidden" else f"{self.name} causes"


@dataclass(frozen=True)
class Edge:
    """An arrow; into a dot, a line."""

    source: str
    target: str


@dataclass(frozen=True)
class Causes:
    """The diagram as a graph.

    Attributes
    ----------
    nodes : in the order in which the population has them; effects and dots stand before the response, gaps after it.
    edges : without repetitions, and never a circle.
    together : pairs of variables that are drawn together.
    lanes : from the outermost cluster to the rows; only those where something lives.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    together: tuple[tuple[str, str], ...]
    lanes: tuple[str, ...]

    def node(self, name: str) -> Node:
        """The node of that name."""
        return next(node for node in self.nodes if node.name == name)

    @property
    def response(self) -> Node:
        """The node of the response."""
        return next(node for node in self.nodes if node.kind == "response")


def causes_of(population: Population, *, random: bool, gaps: bool = False) -> Causes:
    """The `Causes` that a population describes; with `gaps` also what decides whether a value is missing."""
    plan = population.plan
    response = plan.response.name
    nodes = [
        Node(name, name, "variable" if variable.observed else "hidden", plan.levels[name] or ROW)
        for name, variable in plan.variables.items()
    ]
    edges = [
        Edge(source, name)
        for name, variable in plan.variables.items()
        for source in plan.variables
        if any(source in names for names in variable.reads().values())
    ]
    products = _products(population)
    direct = {next(iter(one)) for one in products if len(one) == 1} | _beside_the_formula(population)
    edges += [Edge(name, response) for name in plan.variables if name in direct]
    for together in (sorted(one, key=list(plan.variables).index) for one in products if len(one) > 1):
        dot = " × ".join(together)
        nodes.append(Node(dot, dot, "dot", ROW))
        edges += [*(Edge(name, dot) for name in together), Edge(dot, response)]
    if random:
        for node in _effects(population):
            nodes.append(node)
            edges.append(Edge(node.name, response))
    nodes.append(Node(response, response, "response", ROW))
    if gaps:
        for node, sources in _gaps(population):
            nodes.append(node)
            edges += [Edge(name, node.name) for name in sources]
    levels = [*plan.structure.names, *(node.lane for node in nodes if node.kind == "effect"), ROW]
    used = {node.lane for node in nodes}
    lanes = tuple(dict.fromkeys(lane for lane in levels if lane in used))
    return Causes(tuple(nodes), tuple(dict.fromkeys(edges)), _together(population), lanes)


def _products(population: Population) -> list[frozenset[str]]:
    """For every fixed effect that is not 0, the variables that it multiplies; a product once, however many columns."""
    found: dict[frozenset[str], None] = {}
    for column, value in population.fixef.items():
        if value != 0:
            found[_read_by(column, population)] = None
    return [names for names in found if names]


def _beside_the_formula(population: Population) -> set[str]:
    """Variables that shape the response by another way: its trials, exposure, or the sd of its residuals."""
    names = {population.plan.response.trials, getattr(family_of(population.family), "exposure", None)}
    if isinstance(population.sigma, str):
        names |= names_in(population.sigma)
    # A slope that varies around 0 makes its variable a cause all the same.
    slopes = (_read_by(name, population) for effects in _varying(population).values() for name in effects)
    return {name for name in names.union(*slopes) if isinstance(name, str)}


def _read_by(column: str, population: Population) -> frozenset[str]:
    """The variables that a column of the design multiplies: ``arm[T.new]:x`` reads arm and x."""
    bare = _without_levels(column).replace(":", " + ")
    return frozenset() if bare == "Intercept" else variables_of(bare) & set(population.plan.variables)


def _without_levels(column: str) -> str:
    return re.sub(r"\[[^\[\]]*\]", "", column)


def _varying(population: Population) -> dict[str, list[str]]:
    """For every grouping factor the effects whose standard deviation is not 0."""
    known = covariances(population.ranef)
    return {
        group: [name for name, sd in zip(effects.names, known[group].sd, strict=True) if sd > 0]
        for group, effects in population.plan.effects.items()
    }


def _effects(population: Population) -> list[Node]:
    nodes = []
    for group, varying in _varying(population).items():
        if not varying:
            continue
        innermost = population.plan.structure.innermost(tuple(group.split(":")))
        lane = innermost[0] if len(innermost) == 1 else " × ".join(innermost)
        plain = dict.fromkeys("intercept" if name == "Intercept" else _without_levels(name) for name in varying)
        what = ", ".join(plain) if len(", ".join(plain)) < _LONGEST else f"{len(varying)} effects"
        nodes.append(Node(f"effects of {group}", f"{group} effects\n{what}", "effect", lane))
    return nodes


def _gaps(population: Population) -> list[tuple[Node, list[str]]]:
    """For every problem that takes values away its node, and what decides about it."""
    plan = population.plan
    known = [*plan.variables, plan.response.name]
    found: dict[str, tuple[Node, list[str]]] = {}
    for problem in population.problems:
        if isinstance(problem, Missing):
            own = plan.levels.get(problem.column)
            node = Node(f"R_{problem.column}", f"R_{problem.column}", "gap", problem.level or own or ROW)
        elif isinstance(problem, Dropout):
            node = Node("dropout", f"dropout\nof {problem.by}", "gap", ROW)
        else:
            continue
        before = found.get(node.name, (node, []))[1]
        reads = problem.reads()
        found[node.name] = (node, list(dict.fromkeys([*before, *(name for name in known if name in reads)])))
    return list(found.values())


def _together(population: Population) -> tuple[tuple[str, str], ...]:
    """Neighbours in every block of variables that are drawn together."""
    blocks = dict.fromkeys(getattr(variable, "names", ()) for variable in population.plan.variables.values())
    return tuple(pair for names in blocks for pair in pairwise(names))
