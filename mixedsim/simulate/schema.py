"""The JSON schema of a population's YAML file, from the same dataclasses that read it.

A schema knows the shape of a file: which fields and kinds there are, what type each holds and between which numbers it
lies. Editors complete and mark by it. Whether the parts fit each other (is this name a variable, are there as many
standard deviations as effects) only `Population.from_yaml` can say, which stays the one judge: whatever it reads, the
schema lets pass.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from mixedsim.simulate import families, problems, shapes
from mixedsim.simulate.counts import Sizes
from mixedsim.simulate.fields import is_needed
from mixedsim.simulate.population import Population
from mixedsim.simulate.variables import Correlated, Custom, Variable
from mixedsim.simulate.variables.kinds import KINDS as VARIABLES
from mixedsim.simulate.variables.variable import Drawn

Schema = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_NAME = r"^[^\W\d]\w*$"
_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_EXPRESSION: Schema = {"type": "string", "description": "An expression in earlier variables: 5 + 0.8 * ses"}
_WHOLE: Schema = {"type": "integer", "minimum": 1}
_MATRIX: Schema = {"type": "array", "items": {"type": "array", "items": _NUMBER}}


def population_schema() -> Schema:
    """The schema of a whole file; see `Population.schema`."""
    told = _told(Population)
    settable = [f for f in fields(Population) if f.init]
    made = _fields()
    return {
        "$schema": _DRAFT,
        "title": "A population of mixedsim",
        "description": "How clustered data arise: mixedsim draw makes data from it.",
        "type": "object",
        "required": [f.name for f in settable if is_needed(f)],
        "additionalProperties": False,
        "properties": {f.name: _described(made[f.name], told.get(f.name)) for f in settable},
        "$defs": _definitions(),
    }


def _definitions() -> Schema:
    written = {name: kind for name, kind in VARIABLES.items() if kind is not Custom}  # a function is in no file
    drawn = [name for name, kind in written.items() if issubclass(kind, Drawn)]
    kinds: dict[str, type] = {**written, **problems.KINDS, "Correlated": Correlated, "Sizes": Sizes}
    return {
        **{name: _kind(name, kind) for name, kind in kinds.items()},
        "variable": _one_of(written),
        "distribution": _one_of(drawn),
        "problem": _one_of(problems.KINDS),
        "count": {
            "anyOf": [
                _WHOLE,
                {"type": "array", "items": _WHOLE, "minItems": 2, "maxItems": 2, "description": "from, to"},
                {"$ref": "#/$defs/Sizes"},
                {"$ref": "#/$defs/distribution"},
            ]
        },
        "cluster": _cluster(),
        "shape": _words_or_entries(shapes.KINDS, lambda kind: fields(kind)),
        "family": _family(),
    }


def _kind(name: str, kind: type) -> Schema:
    """An entry ``{kind: …}`` with the fields of a dataclass."""
    told, hints = _told(kind), get_type_hints(kind)
    limits = getattr(kind, "limits", {})
    own = fields(kind)
    parameters = {f.name: _described(_of_type(hints[f.name], limits.get(f.name)), told.get(f.name)) for f in own}
    return {
        "description": _first_line(kind),
        "type": "object",
        "required": ["kind", *(f.name for f in own if is_needed(f))],
        "additionalProperties": False,
        "properties": {"kind": {"const": name}, **parameters},
    }


def _of_type(hint: Any, limits: tuple[float, float] | None = None) -> Schema:
    """What a field of this Python type may hold in a file; `limits` are those of its numbers."""
    if hint in (float, int):
        return {"type": "number" if hint is float else "integer", **_bounds(limits)}
    if hint in (str, bool):
        return {"type": "string" if hint is str else "boolean"}
    if hint is NoneType:
        return {"type": "null"}
    if inspect.isclass(hint) and issubclass(hint, Variable):
        return {"$ref": "#/$defs/distribution" if issubclass(hint, Drawn) else "#/$defs/variable"}
    if get_origin(hint) in (Union, UnionType):
        return _any_of(_of_type(one, limits) for one in get_args(hint))
    if get_origin(hint) in (Sequence, tuple, list):
        return {"type": "array", "items": _of_type(get_args(hint)[0], limits)}
    raise TypeError(f"no schema for {hint!r}: teach mixedsim.simulate.schema what a file may hold there")


def _any_of(schemas: Iterable[Schema]) -> Schema:
    """One of several; types alone in one list, as people write them."""
    several = list(schemas)
    if all(set(one) == {"type"} for one in several):
        return {"type": [one["type"] for one in several]}
    return {"anyOf": several}


def _bounds(limits: tuple[float, float] | None) -> Schema:
    named = zip(("minimum", "maximum"), limits or (), strict=False)
    return {name: end for name, end in named if math.isfinite(end)}


def _one_of(kinds: Iterable[str]) -> Schema:
    """An entry of one of these kinds; the kind decides, so that an editor complains of the field that is wrong."""
    names = list(kinds)
    branches = [
        {"if": {"properties": {"kind": {"const": name}}}, "then": {"$ref": f"#/$defs/{name}"}} for name in names
    ]
    return {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": names}}, "allOf": branches}


def _cluster() -> Schema:
    count: Schema = {"$ref": "#/$defs/count"}
    entry = {
        "in": _described(_TEXT, "The earlier cluster that holds it."),
        "n": _described(count, "How many there are, in each unit of the one that holds it."),
        "sample": _described(count, "How many of them each unit of the cluster beside it meets, drawn at random."),
        "rotate": _described(_WHOLE, "How many of them each unit of the cluster beside it meets, by turns."),
    }
    return {
        "anyOf": [
            _WHOLE,
            {
                "type": "object",
                "required": ["n"],
                "additionalProperties": False,
                "properties": entry,
                "not": {"required": ["sample", "rotate"]},
            },
        ]
    }


def _ranef() -> Schema:
    sds = [
        {"type": "number", "minimum": 0},
        {"type": "array", "items": {"type": "number", "minimum": 0}},
        {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}},
    ]
    correlation = {"type": "number", "minimum": -1, "maximum": 1}
    entry = {
        "sd": _described({"anyOf": sds}, "Standard deviations, in the order of the formula or by name."),
        "corr": _described({"anyOf": [correlation, _MATRIX]}, "One number for two effects, a matrix for more."),
        "cov": _described({"anyOf": [_NUMBER, _MATRIX, {"type": "array", "items": _NUMBER}]}, "The covariance matrix."),
        "shape": {"$ref": "#/$defs/shape"},
    }
    one = {
        "type": "object",
        "additionalProperties": False,
        "properties": entry,
        "oneOf": [{"required": ["sd"]}, {"required": ["cov"]}],
    }
    return {"type": "object", "additionalProperties": one}


def _residual() -> Schema:
    between = {"type": "number", "exclusiveMinimum": -1, "exclusiveMaximum": 1}
    entry = {
        "shape": {"$ref": "#/$defs/shape"},
        "ar1": _described(between, "Correlation of a row's residual with the one before."),
        "exact": _described(
            {"type": "array", "items": _TEXT}, "Variables with which residuals do not correlate at all."
        ),
        "by": _described(_TEXT, "In whose units rows follow each other, or moments are exact."),
    }
    return {"type": ["object", "null"], "additionalProperties": False, "properties": entry}


def _family() -> Schema:
    parameters = {name: [f for f in fields(kind) if f.name != "link"] for name, kind in families.KINDS.items()}
    schema = _words_or_entries(families.KINDS, lambda kind: parameters[kind.kind])
    for branch, kind in zip(schema["anyOf"][1:], families.KINDS.values(), strict=True):
        branch["properties"]["link"] = {"enum": list(kind.links)}
    pairs = [
        {"type": "array", "prefixItems": [{"const": name}, {"enum": list(kind.links)}], "minItems": 2, "maxItems": 2}
        for name, kind in families.KINDS.items()
        if not any(is_needed(f) for f in parameters[name])
    ]
    return {"anyOf": [*schema["anyOf"], *pairs]}


def _words_or_entries(kinds: Mapping[str, type], parameters: Any) -> Schema:
    """A word where a kind needs no parameter, or ``{kind: …}`` with its parameters."""
    alone = [name for name, kind in kinds.items() if not any(is_needed(f) for f in parameters(kind))]
    entries = []
    for name, kind in kinds.items():
        hints = get_type_hints(kind)
        own = {f.name: _of_type(hints[f.name]) for f in parameters(kind)}
        entries.append(
            {
                "description": _first_line(kind),
                "type": "object",
                "required": ["kind", *(f.name for f in parameters(kind) if is_needed(f))],
                "additionalProperties": False,
                "properties": {"kind": {"const": name}, **own},
            }
        )
    return {"anyOf": [{"enum": alone}, *entries]}


def _named(schema: Schema) -> Schema:
    return {"type": "object", "propertyNames": {"pattern": _NAME}, "additionalProperties": schema}


def _fields() -> Mapping[str, Schema]:
    """What each field of `Population` may hold: a new field without an entry here is a KeyError in the first test."""
    return {
        "formula": {"type": "string", "pattern": "~"},
        "clusters": {**_named({"$ref": "#/$defs/cluster"}), "minProperties": 1},
        "size": {"$ref": "#/$defs/count"},
        "variables": {
            "type": "object",
            "patternProperties": {",": {"$ref": "#/$defs/Correlated"}, _NAME: {"$ref": "#/$defs/variable"}},
            "additionalProperties": False,
        },
        "fixef": {"type": "object", "additionalProperties": _NUMBER},
        "ranef": _ranef(),
        "sigma": {"anyOf": [{"type": "number", "minimum": 0}, _EXPRESSION, {"type": "null"}]},
        "residual": _residual(),
        "family": {"$ref": "#/$defs/family"},
        "problems": {"type": "array", "items": {"$ref": "#/$defs/problem"}},
        "lesson": {"type": ["string", "null"]},
        "about": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
        "name": {"type": ["string", "null"]},
    }


def _described(schema: Schema, words: str | None) -> Schema:
    return {"description": words, **schema} if words else schema


def _first_line(kind: type) -> str:
    return _plain((inspect.getdoc(kind) or "").split("\n\n")[0])


def _told(kind: type) -> dict[str, str]:
    """What the section Parameters of a docstring says of every parameter."""
    section = re.search(r"Parameters\n-+\n(.*?)(?:\n\n\w|\Z)", inspect.getdoc(kind) or "", re.DOTALL)
    told: dict[str, str] = {}
    for names, words in re.findall(r"^(\w[\w, ]*) : (.*(?:\n +.*)*)", section[1] if section else "", re.MULTILINE):
        told |= {name.strip(): _plain(words) for name in names.split(",")}
    return told


def _plain(words: str) -> str:
    """A docstring's words without its marks."""
    return re.sub(r"`+([^`]*)`+", r"\1", " ".join(words.split()))
