"""The field ``variables`` of a population: from what people write to one variable a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mixedsim.errors import PopulationError
from mixedsim.simulate.fields import FieldError, Path, identifier, shown
from mixedsim.simulate.frozen import Frozen
from mixedsim.simulate.variables.correlated import Correlated, Member
from mixedsim.simulate.variables.custom import Custom
from mixedsim.simulate.variables.kinds import instance_from, variable_from
from mixedsim.simulate.variables.place import Place
from mixedsim.simulate.variables.variable import Variable, addressed

if TYPE_CHECKING:
    from mixedsim.simulate.structure import Structure

Names = tuple[str, ...]


def settled_variables(given: Any, structure: Structure) -> Frozen[str, Variable]:
    """The field in its one form: name → `Variable`, in order; what `Correlated` names together is a `Member` each.

    Parameters
    ----------
    given : names to variables, or to mappings such as YAML entries; a key of several names, ``"x, z"`` or
        ``("x", "z")``, to `Correlated`.

    Raises
    ------
    FieldError
        If a name is none or is given twice, or an entry describes no variable.
    """
    if not isinstance(given, Mapping):
        raise FieldError(("variables",), f"must be a mapping from names to variables, found {shown(given)}.")
    entries = [(_names(key), value) for key, value in given.items()]
    for names, _ in entries:
        if sum(other == names for other, _ in entries) > 1:
            raise FieldError(("variables", ", ".join(names)), "is given twice.")
    blocks = {names: _block(names, value) for names, value in entries if len(names) > 1}
    settled: dict[str, Variable] = {}
    for names, value in entries:
        if len(names) == 1:
            found = _alone(names[0], value, blocks, given)
        else:
            found = _members(names, blocks[names])
        for name, variable in found.items():
            path = ("variables", ", ".join(names))
            with addressed(*path):
                placed = variable.placed(structure)
            if settled.setdefault(name, placed) != placed:
                raise FieldError(path, f"gives {name!r} twice: names must differ.")
    return Frozen(settled)


def levels_of(structure: Structure, variables: Mapping[str, Variable]) -> dict[str, str | None]:
    """The level of every variable, once it is sure that each reads only what is there and constant at its level."""
    levels: dict[str, str | None] = {}
    for name, variable in variables.items():
        with addressed(*variable.address(name)):
            levels[name] = variable.level_in(Place(name, structure, variables, dict(levels)))
    return levels


def entries_of(variables: Mapping[str, Variable]) -> dict[str, Variable | Correlated]:
    """The field as it is written in a specification: variables that are drawn together under one key.

    Raises
    ------
    PopulationError
        If one of them is made by a function, which no file can hold.
    """
    entries: dict[str, Variable | Correlated] = {}
    for name, variable in variables.items():
        if isinstance(variable, Custom):
            problem = "is Custom, a Python function, which a file cannot hold: keep this population in Python."
            raise PopulationError(f"variables.{name} {problem}")
        if isinstance(variable, Member):
            entries[variable.key] = variable.block
        else:
            entries[name] = variable
    return entries


def _names(key: Any) -> Names:
    """The names that a key holds: one, or several with commas between them."""
    parts: Sequence[Any] = key if isinstance(key, tuple) else (key,)
    if isinstance(key, str):
        parts = [part.strip() for part in key.split(",")] if "," in key else (key,)
    path = ("variables", ", ".join(map(str, parts)))
    names = tuple(identifier(part, path) for part in parts)
    if len(set(names)) < len(names) or not names:
        raise FieldError(path, "must name different variables.")
    return names


def _block(names: Names, value: Any) -> Correlated:
    path = ("variables", ", ".join(names))
    if isinstance(value, Mapping) and value.get("kind") == "Correlated":
        value = instance_from(Correlated, value, path)
    if not isinstance(value, Correlated):
        raise FieldError(path, f"must be Correlated, because it names {len(names)} variables, found {shown(value)}.")
    if len(value.members) != len(names):
        raise FieldError(path, f"names {len(names)} variables, but Correlated has {len(value.members)} members.")
    return value


def _members(names: Names, block: Correlated) -> dict[str, Member]:
    return {name: block.member(names, position) for position, name in enumerate(names)}


def _alone(
    name: str, value: Any, blocks: Mapping[Names, Correlated], given: Mapping[Any, Any]
) -> Mapping[str, Variable]:
    """What stands under one name: a variable; or a member, as another population had it, and with it all others."""
    path: Path = ("variables", name)
    if isinstance(value, Correlated) or (isinstance(value, Mapping) and value.get("kind") == "Correlated"):
        raise FieldError(path, "is Correlated, whose key must name each of its members, as in 'x, z'.")
    if not isinstance(value, Member):
        return {name: variable_from(value, path)}
    if value.names in blocks:
        return _members(value.names, blocks[value.names])
    together = value.siblings()
    if any(given.get(other) != member for other, member in together.items()):
        raise FieldError(path, f"is drawn together with others: replace {value.key!r} as a whole, under that key.")
    return together
