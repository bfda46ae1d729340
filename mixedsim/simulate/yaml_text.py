"""YAML in and out: the one place that needs PyYAML, and the one that knows on which line a field stands."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mixedsim.errors import MixedsimError, PopulationError
from mixedsim.simulate.fields import Path

_DEEPEST = 10  # mappings within mappings; a specification needs three
# YAML 1.1 takes 1e3 and -.5 for text; people mean numbers.
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+|[-+]\.\d+")


@dataclass(frozen=True)
class Lines:
    """Where every field of a YAML text stands.

    Attributes
    ----------
    where : name of the file, "" for text that is in none.
    numbers : line of every path, counted from 1.
    """

    where: str
    numbers: Mapping[Path, int]

    def of(self, field: Path) -> str:
        """``"spec.yml, line 7"`` for a field, or for the nearest thing around it if the field itself is missing."""
        while field and field not in self.numbers:
            field = field[:-1]
        return place(self.where, self.numbers.get(field, 1))


def place(where: str, line: int) -> str:
    """How an error names a line."""
    return f"{where}, line {line}" if where else f"line {line}"


def read(text: str, where: str) -> tuple[Any, Lines]:
    """The contents of a YAML text as plain dictionaries, lists and scalars, and the line of each.

    Keys are always text, as written. Anchors and tags are refused: a specification needs neither, and with them a
    small file could stand for a huge or a harmful one.

    Raises
    ------
    PopulationError
        If the text is no YAML, or a key is given twice.
    """
    yaml = _yaml()
    try:
        _refuse_anchors(yaml, text, where)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        line, said = _complaint(error, text)
        raise PopulationError(f"{place(where, line)}: this is not YAML: {said}.") from None
    except RecursionError:
        raise PopulationError(f"{place(where, 1)}: this is nested too deeply.") from None
    numbers: dict[Path, int] = {}
    return _contents(yaml, node, (), numbers, where), Lines(where, numbers)


def scalar(value: Any) -> str:
    """One value in YAML, collections in one line: ``45``, ``{kind: Normal, mean: 5, sd: 2}``."""
    yaml = _yaml()

    class Dumper(yaml.SafeDumper):  # type: ignore[misc, name-defined]
        """PyYAML's, but text that this module would read as a number is put in quotes."""

    def text(dumper: Any, value: str) -> Any:
        style = '"' if not value.isprintable() else "'" if _NUMBER.fullmatch(value) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", str(value), style=style)

    Dumper.add_multi_representer(str, text)  # NumPy's texts too
    Dumper.add_representer(str, text)
    dumped = yaml.dump(
        value, Dumper=Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=float("inf")
    )
    return str(dumped).removesuffix("\n").removesuffix("\n...")


def _yaml() -> Any:
    try:
        return importlib.import_module("yaml")
    except ImportError:
        raise MixedsimError(
            "YAML files need the package PyYAML: install it with  pip install 'mixedsim[classroom]'."
        ) from None


def _refuse_anchors(yaml: Any, text: str, where: str) -> None:
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise PopulationError(f"{place(where, line)}: anchors and aliases (& and *) are not used here.")
        if getattr(event, "tag", None):
            raise PopulationError(f"{place(where, line)}: tags such as {event.tag} are not used here.")


def _contents(yaml: Any, node: Any, path: Path, numbers: dict[Path, int], where: str) -> Any:
    if node is None:
        return None
    line = node.start_mark.line + 1
    numbers.setdefault(path, line)
    if len(path) > _DEEPEST:
        raise PopulationError(f"{place(where, line)}: this is nested too deeply.")
    if isinstance(node, yaml.SequenceNode):
        # Items count from 1, as people count: problems.2 is the second problem.
        items = [_contents(yaml, item, (*path, str(i)), numbers, where) for i, item in enumerate(node.value, start=1)]
        # No list holds truth values: in `levels: [no, yes]` YAML sees two, people mean two words.
        pairs = zip(node.value, items, strict=True)
        return [written.value if isinstance(item, bool) else item for written, item in pairs]
    if isinstance(node, yaml.ScalarNode):
        return _scalar(yaml, node)
    contents: dict[str, Any] = {}
    for key_node, value_node in node.value:
        at = place(where, key_node.start_mark.line + 1)
        if not isinstance(key_node, yaml.ScalarNode):
            raise PopulationError(f"{at}: a field must have a name.")
        key = key_node.value
        inside = (*path, key)
        if key in contents:
            raise PopulationError(f"{at}: {'.'.join(inside)} is given twice, first on line {numbers[inside]}.")
        numbers[inside] = key_node.start_mark.line + 1
        contents[key] = _contents(yaml, value_node, inside, numbers, where)
    return contents


# PyYAML's complaints by a part of them: the sentence's end in the words of somebody who writes no parsers, and whether
# the culprit is where the unfinished thing begins rather than where the reader gave up.
_COMPLAINTS = {
    "'\\t' that cannot start any token": ("indent with spaces, not with a tab", False),
    "could not find expected ':'": ("a field and its value stand on one line with ': ' between them", True),
    "unexpected end of stream": ("this quote is never closed", True),
    "but got '['": ("a name with brackets must stand between quotes here, as in {'arm[T.new]': 2}", False),
    "expected ',' or '}'": ("this '{' is never closed by '}', or a comma is missing", True),
    "expected ',' or ']'": ("this '[' is never closed by ']', or a comma is missing", True),
    "expected <block end>": ("its indentation does not fit the lines above", False),
    "mapping values are not allowed here": (
        "there is a second ': ' here, or the indentation is wrong, or the line above has no space after its colon",
        False,
    ),
    "but found another document": ("there must be one population in a file, with no --- between", False),
}


def _complaint(error: Any, text: str) -> tuple[int, str]:
    """On which line a YAML error lies, and what it says."""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).split("\n")[0]
    mark = getattr(error, "problem_mark", None)
    if mark is None:  # a character that no YAML may hold; the error knows only its position
        position = getattr(error, "position", 0)
        character = f" (U+{error.character:04X})" if isinstance(getattr(error, "character", None), int) else ""
        return text.count("\n", 0, position) + 1, f"{problem}{character}"
    for part, (said, at_start) in _COMPLAINTS.items():
        if part in problem:
            start = getattr(error, "context_mark", None) if at_start else None
            return (start or mark).line + 1, said
    return mark.line + 1, problem


def _scalar(yaml: Any, node: Any) -> Any:
    if node.style is None and _NUMBER.fullmatch(node.value):
        return float(node.value)
    kind = node.tag.rsplit(":", 1)[-1]
    if kind == "int":  # as people read it: not YAML's 010 for 8 and 1:30 for 90
        try:
            return int(node.value)
        except ValueError:
            return node.value
    if kind == "float" and ":" in node.value:
        return node.value
    constructor = yaml.constructor.SafeConstructor()
    if kind in ("float", "bool", "null"):
        return getattr(constructor, f"construct_yaml_{kind}")(node)
    return node.value
