"""A population as a file that people write by hand.

.. code-block:: yaml

    formula: anxiety ~ depression + (1 | therapist)
    clusters:
      therapist: 100
    size: 50
    variables:
      depression: {kind: Normal, mean: 5, sd: 2}
    fixef:
      Intercept: 45
      depression: 3
    ranef:
      therapist: {sd: [1]}
    sigma: 8

The fields are those of `Population`. Text that holds arithmetic is an expression, everywhere a number may be one.

Editors that know YAML (VS Code with its YAML extension, for instance) complete the fields and mark mistakes while one
types, given the JSON schema that ``mixedsim schema -o population.schema.json`` writes and, in the first line of the
specification, ``# yaml-language-server: $schema=population.schema.json``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixedsim.errors import PopulationError
from mixedsim.simulate import yaml_text
from mixedsim.simulate.counts import written as count_written
from mixedsim.simulate.families import KINDS
from mixedsim.simulate.fields import FieldError, is_needed, only, shown
from mixedsim.simulate.lesson import lesson_text
from mixedsim.simulate.problems import Problem
from mixedsim.simulate.variables import Categorical, Correlated, Variable, entries_of
from mixedsim.simulate.yaml_text import Lines, scalar

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population


_SECTIONS = ("clusters", "variables", "fixef", "ranef", "about")  # with an entry a line, indented
_IN_ONE_LINE = ("size", "residual", "family")


def written(population: Population) -> str:
    """The population as YAML text: one line a variable, a coefficient, a grouping factor."""
    sections: dict[str, Any] = {
        "clusters": {name: _count(entry) for name, entry in population.clusters.items()},
        "size": _count(population.size),
        "variables": {name: _variable(variable) for name, variable in entries_of(population.variables).items()},
        "fixef": {name: _number(value) for name, value in population.fixef.items()},
        "ranef": {group: _ranef(entry) for group, entry in population.ranef.items()},
        "sigma": _parameter(population.sigma),
        "residual": _entry(population.residual),
        "family": _family(population.family),
        "about": dict(population.about),
    }
    lines = [] if population.name is None else [f"name: {scalar(population.name)}"]
    lines.append(f"formula: {scalar(population.formula)}")
    for key, section in sections.items():
        if section is None:
            continue
        if not isinstance(section, dict) or key in _IN_ONE_LINE:
            lines.append(f"{key}: {scalar(section)}")
        elif section:
            lines.append(f"{key}:")
            lines += [f"  {scalar(name)}: {scalar(entry)}" for name, entry in section.items()]
    if population.problems:
        lines.append("problems:")
        lines += [f"  - {scalar(_variable(problem))}" for problem in population.problems]
    if population.lesson is not None:
        lines.append(f"lesson: {scalar(lesson_text(population.lesson))}")
    return "\n".join(lines) + "\n"


def text_of(source: str | os.PathLike[str]) -> tuple[str, str]:
    """The text that `source` is or names, and how errors call it ("" for text that is in no file)."""
    if isinstance(source, str) and ("\n" in source or source.lstrip().startswith("{")):
        return source, ""
    if not isinstance(source, str | os.PathLike):
        raise PopulationError(f"a specification is a path or YAML text, found {shown(source)}.")
    path = Path(source)
    try:
        return path.read_text(encoding="utf-8-sig"), str(path)
    except FileNotFoundError:
        raise PopulationError(f"there is no file {str(path)!r}.") from None
    except UnicodeDecodeError:
        raise PopulationError(f"{path} is not a text file in UTF-8.") from None
    except OSError as error:
        raise PopulationError(f"cannot read {str(path)!r}: {error.strerror}.") from None


def read(text: str, where: str, known: tuple[Field[Any], ...]) -> tuple[dict[str, Any], Lines]:
    """The fields that a YAML text gives, and where each stands.

    Parameters
    ----------
    known : the fields there are.

    Raises
    ------
    PopulationError
        If the text is no YAML mapping, or has a field that is unknown or lacks one that is needed.
    """
    given, lines = yaml_text.read(text, where)
    if not isinstance(given, dict):
        found = "nothing" if given is None else shown(given)
        raise PopulationError(f"{lines.of(())}: a specification starts with a field, 'formula: …', found {found}.")
    needed = [f.name for f in known if is_needed(f)]
    try:
        _check_layout(given, [f.name for f in known])
        only(given, [f.name for f in known], (), needed=needed)
    except FieldError as error:
        raise PopulationError(f"{lines.of(error.field)}: {error}") from None
    return given, lines


def _check_layout(given: Mapping[str, Any], known: list[str]) -> None:
    """Raise `FieldError` where a section's entries are not indented, or a colon has no space after it."""
    previous = ""
    for key, value in given.items():
        if key not in known and previous in _SECTIONS and given[previous] is None:
            raise FieldError((key,), f"is not a field: if it belongs to {previous}, indent it by two spaces.")
        if key in _SECTIONS and isinstance(value, str) and ":" in value:
            apart = value.split()[0].replace(":", ": ", 1)
            raise FieldError((key,), f"has a colon without a space after it: write {shown(apart)}.")
        previous = key


def _number(value: float) -> float | int:
    """Whole numbers without a decimal point, as people write them."""
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def _parameter(value: Any) -> Any:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Variable):
        return _variable(value)
    return [_parameter(one) for one in value] if isinstance(value, tuple) else value


def _variable(variable: Variable | Correlated | Problem) -> dict[str, Any]:
    """Kind and parameters; what has its default value is left out."""
    entry: dict[str, Any] = {"kind": type(variable).__name__}
    for f in fields(variable):  # type: ignore[arg-type]
        value = getattr(variable, f.name)
        equal_shares = isinstance(variable, Categorical) and value == (1 / len(variable.levels),) * len(variable.levels)
        if equal_shares or (f.default is not MISSING and value == f.default):
            continue
        entry[f.name] = _parameter(value)
    return entry


def _count(entry: Any) -> Any:
    if isinstance(entry, Mapping):
        return {key: _count(value) for key, value in entry.items()}
    return _variable(entry) if isinstance(entry, Variable) else count_written(entry)


def _ranef(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Standard deviations; the correlation as one number if there are two effects, left out if there is none."""
    sd = [_number(one) for one in entry["sd"]]
    shape = {} if "shape" not in entry else {"shape": _entry(entry["shape"])}
    if "corr" not in entry:
        return {"sd": sd, **shape}
    corr = entry["corr"]
    written = _number(corr[0][1]) if len(sd) == 2 else [[_number(r) for r in row] for row in corr]
    return {"sd": sd, "corr": written, **shape}


def _entry(entry: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A mapping of the population's in plain dictionaries, lists and numbers."""
    if entry is None:
        return None
    return {key: _entry(one) if isinstance(one, Mapping) else _parameter(one) for key, one in entry.items()}


def _family(family: Any) -> Any:
    """Kind, link unless it is the usual one, and parameters; the kind alone as a word, and None if that is gaussian."""
    kind = family["kind"]
    told = {key: value for key, value in family.items() if key != "link" or value != KINDS[kind].links[0]}
    if len(told) > 1:
        return _entry(told)
    return None if kind == "gaussian" else kind
