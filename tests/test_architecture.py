"""The floors of the house: imports point down, nothing imports in a circle, and every late import has a reason."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mixedsim"

# Every room (a folder of the package, or a file beside them) stands on a floor, and may import from floors below.
FLOORS = {
    **dict.fromkeys(("errors", "calculation", "grammar", "formula", "update_formula", "reading", "levels"), 1),
    **dict.fromkeys(("plain_columns", "columns", "frame", "grouping", "scaling", "design", "response", "equation"), 1),
    **dict.fromkeys(("ordered_response", "ranges", "row_values", "complete_rows", "measurements"), 1),
    **dict.fromkeys(("listing", "files", "datasets", "simulate", "words", "streams"), 1),
    "engine": 2,
    "inference": 3,
    "models": 4,
    "study": 5,
    "plot": 6,
    **dict.fromkeys(("drawing", "classroom", "explore"), 7),
    "cli": 8,  # on the roof: commands speak for all that lies below
}
# On the first floor there are doors between rooms; those of the two large ones are counted, so that people who only
# simulate, or only ask what a formula means, never load the design of a fit.
DOORS = {
    "simulate": {"columns", "equation", "errors", "formula", "grammar", "levels", "reading", "datasets"},
    "words": {"columns", "equation", "errors", "formula", "frame", "grammar", "levels", "listing", "reading"},
}
# The top of the house: `import mixedsim` opens a room when something in it is asked for, and knows them all.
TOP = "mixedsim"
# Imports that wait until they are needed, and why.
LATE = {
    ("mixedsim", "mixedsim.*"): "importing mixedsim loads nothing but names",
    ("mixedsim.engine.optimise", "mixedsim.engine.general_search"): "scipy.optimize is slow to load, and hardly used",
    ("mixedsim.inference.profile", "mixedsim.inference.profile_contours"): "scipy.interpolate is slow, for pictures",
    ("mixedsim.simulate.papers", "mixedsim.plot"): "Population.dag: pictures lie floors above, for those who have them",
    ("mixedsim.simulate.papers", "mixedsim.simulate.schema"): "it reads the fields of Population, which stands on it",
    ("mixedsim.simulate.population", "mixedsim.study.like"): "Population.from_fit: whoever has a fit has that floor",
}
# Commands load what they need and no more, so that `mixedsim --help` answers at once.
LOADS_INSIDE_FUNCTIONS = {f"mixedsim.cli.{name}" for name in ("data", "studies", "teaching", "courses", "exporting")}


@dataclass(frozen=True)
class Import:
    """One module imports another: where, for type checkers only or not, inside a function or not."""

    source: str
    target: str
    line: int
    typing: bool
    inside: bool

    def __str__(self) -> str:
        return f"{self.source} imports {self.target} (line {self.line})"


def named(path: Path, package: Path = PACKAGE) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """``simulate`` for ``mixedsim.simulate.plan``; the package itself is the top."""
    return module.split(".")[1] if "." in module else TOP


MODULES = {named(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def imports_of(source: str, tree: ast.Module, modules: Iterable[str], *, is_package: bool) -> Iterator[Import]:
    """What a module imports from among `modules`, by statements."""
    known = set(modules)
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If)]
    checking = [node for node in blocks if "TYPE_CHECKING" in ast.unparse(node.test)]
    typing = {id(inner) for node in checking for one in node.body for inner in ast.walk(one)}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = {id(inner) for node in functions for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            around = source.split(".")[: len(source.split(".")) - node.level + is_package] if node.level else []
            base = ".".join([*around, *([node.module] if node.module else [])])
            targets = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base for alias in node.names]
        else:
            continue
        for target in dict.fromkeys(targets):
            if target in known:
                yield Import(source, target, node.lineno, id(node) in typing, id(node) in inside)


IMPORTS = [
    one
    for name, tree in TREES.items()
    for one in imports_of(name, tree, MODULES, is_package=MODULES[name].name == "__init__.py")
]


def late_imports(source: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Calls of `import_module` for something in the package; ``mixedsim.*`` where a name is filled in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            name = node.args[0]
            if isinstance(name, ast.Constant) and str(name.value).split(".")[0] == TOP:
                yield source, str(name.value)
            elif not isinstance(name, ast.Constant):
                yield source, f"{TOP}.*"


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """What is left of a graph when everything that imports nothing of the rest has been taken out, again and again."""
    left = {one: set(others) - {one} for one, others in graph.items()}
    while free := [one for one, others in left.items() if not others & left.keys()]:
        for one in free:
            del left[one]
    return [[one, *sorted(others & left.keys())] for one, others in sorted(left.items())]


def test_every_room_stands_on_a_floor() -> None:
    assert sorted({room(name) for name in MODULES} - {TOP}) == sorted(FLOORS)


def test_imports_point_down() -> None:
    across = [one for one in IMPORTS if TOP not in (room(one.source), room(one.target))]
    across = [one for one in across if room(one.source) != room(one.target)]
    steps = [(FLOORS[room(one.source)], FLOORS[room(one.target)], one) for one in across]
    assert [str(one) for own, other, one in steps if not (own > other or own == other == 1)] == []


@pytest.mark.parametrize("source", sorted(DOORS))
def test_large_rooms_of_the_first_floor_open_few_doors(source: str) -> None:
    used = {room(one.target) for one in IMPORTS if room(one.source) == source}
    assert used - {source} <= DOORS[source]


def test_only_the_top_floor_knows_the_package_as_a_whole() -> None:
    assert {room(one.source) for one in IMPORTS if one.target == TOP} <= {"cli", "classroom"}


def test_no_module_imports_in_a_circle() -> None:
    graph = {name: [one.target for one in IMPORTS if one.source == name and not one.typing] for name in MODULES}
    assert circles(graph) == []


def test_no_room_imports_in_a_circle() -> None:
    graph: dict[str, set[str]] = {name: set() for name in FLOORS}
    for one in IMPORTS:
        if TOP not in (room(one.source), room(one.target)):  # types too: a room is read without those above it
            graph[room(one.source)].add(room(one.target))
    assert circles(graph) == []


def test_imports_inside_functions_are_those_of_commands() -> None:
    assert {one.source for one in IMPORTS if one.inside} <= LOADS_INSIDE_FUNCTIONS


def test_every_late_import_is_known_with_its_reason() -> None:
    assert {late for name, tree in TREES.items() for late in late_imports(name, tree)} == set(LATE)


MADE_UP = """
from typing import TYPE_CHECKING
from importlib import import_module
from mixedsim.study import recover
from ..engine.problem import Problem as P
from . import plan
if TYPE_CHECKING:
    from mixedsim.models import LinearMixedModel
def late():
    import mixedsim.plot
    return import_module("mixedsim.cli"), import_module("numpy"), import_module(f"mixedsim.{late}")
"""


def test_the_reader_of_imports_sees_every_kind() -> None:
    tree, known = ast.parse(MADE_UP), [*MODULES]
    found = [(i.target, i.typing, i.inside) for i in imports_of("mixedsim.simulate.x", tree, known, is_package=False)]
    assert sorted(found) == [
        ("mixedsim.engine.problem", False, False),
        ("mixedsim.models", True, False),
        ("mixedsim.plot", False, True),
        ("mixedsim.simulate.plan", False, False),
        ("mixedsim.study.recover", False, False),
    ]
    assert list(late_imports("x", tree)) == [("x", "mixedsim.cli"), ("x", "mixedsim.*")]


def test_circles_are_found_and_chains_are_not() -> None:
    assert circles({"a": ["b"], "b": ["c"], "c": []}) == []
    assert circles({"a": ["b"], "b": ["c"], "c": ["b"], "d": ["d"]}) == [["a", "b"], ["b", "c"], ["c", "b"]]
