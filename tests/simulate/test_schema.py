"""The JSON schema: every population passes, it has no field of its own, and the copy in the book is today's."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import mixedsim as ms
from mixedsim.simulate import families, problems, shapes, yaml_text
from mixedsim.simulate.variables.kinds import KINDS as VARIABLES

SCHEMA = ms.Population.schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
COPY = Path(__file__).parents[2] / "book" / "_static" / "population.schema.json"


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_copy_for_editors_is_todays() -> None:
    """If not:  mixedsim schema -o book/_static/population.schema.json --force"""
    assert json.loads(COPY.read_text(encoding="utf-8")) == SCHEMA


@pytest.mark.parametrize("name", ms.scenarios.names())
def test_scenarios_pass(name: str) -> None:
    text = getattr(ms.scenarios, name)().to_yaml()
    VALIDATOR.validate(yaml_text.read(text, "")[0])


def test_it_has_every_field_and_every_kind() -> None:
    assert list(SCHEMA["properties"]) == [f.name for f in fields(ms.Population) if f.init]
    defined = SCHEMA["$defs"]
    assert set(defined["variable"]["properties"]["kind"]["enum"]) == set(VARIABLES) - {"Custom"}
    assert set(defined["problem"]["properties"]["kind"]["enum"]) == set(problems.KINDS)
    for name, kind in (VARIABLES | problems.KINDS).items():
        if name != "Custom":
            assert list(defined[name]["properties"]) == ["kind", *(f.name for f in fields(kind))]  # type: ignore[arg-type]
    assert _kinds(defined["family"]) == set(families.KINDS)
    assert _kinds(defined["shape"]) == set(shapes.KINDS)


def test_fields_are_explained() -> None:
    """An editor shows what the docstring says."""
    assert SCHEMA["$defs"]["Normal"]["properties"]["sd"]["description"].startswith("standard deviation, not a variance")
    unexplained = [
        f"{kind}.{field}"
        for kind in (set(VARIABLES) | set(problems.KINDS) | {"Correlated", "Sizes"}) - {"Custom"}
        for field, schema in SCHEMA["$defs"][kind]["properties"].items()
        if field != "kind" and "description" not in schema
    ]
    assert unexplained == []


@pytest.mark.parametrize(
    ("field", "part", "keys"),
    [
        ("clusters", SCHEMA["$defs"]["cluster"]["anyOf"][1], ["in", "n", "sample", "rotate"]),
        ("ranef", SCHEMA["properties"]["ranef"]["additionalProperties"], ["sd", "corr", "cov", "shape"]),
        ("residual", SCHEMA["properties"]["residual"], ["shape", "ar1", "exact", "by"]),
    ],
    ids=["clusters", "ranef", "residual"],
)
def test_fields_of_mappings_are_those_that_errors_name(field: str, part: dict[str, Any], keys: list[str]) -> None:
    """No dataclass stands behind these; the sentence of the population does."""
    assert list(part["properties"]) == keys
    wrong = {"clusters": {"g": {"zzz": 1}}, "ranef": {"g": {"zzz": 1}}, "residual": {"zzz": 1}}
    right: dict[str, Any] = {"clusters": {"g": 9}, "size": 3, "fixef": {"Intercept": 0}, "ranef": {"g": {"sd": 1}}}
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population("y ~ 1 + (1 | g)", **{**right, "sigma": 1, field: wrong[field]})
    assert str(caught.value).endswith(f"known are {', '.join(map(repr, keys))}.")


def _kinds(schema: dict[str, Any]) -> set[str]:
    return {branch["properties"]["kind"]["const"] for branch in schema["anyOf"] if "properties" in branch}
