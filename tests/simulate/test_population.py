"""A population is a value: immutable, comparable, varied by making another."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

import mixedsim as ms

CLINIC = ms.Population(
    "anxiety ~ depression + price + (1 + depression | therapist)",
    clusters={"therapist": 20},
    size=(3, 8),
    variables={
        "ses": ms.Normal(0, 1, level="therapist", observed=False),
        "price": ms.Integers(0, 5, level="therapist"),
        "depression": ms.Normal("5 + 0.8 * ses", 2),
        "depression_mean": ms.ClusterMean("depression"),
    },
    fixef={"Intercept": 45, "depression": 3, "price": -3},
    ranef={"therapist": {"sd": [1, 0.5], "corr": 0.2}},
    sigma=8,
    name="clinic",
)


@pytest.mark.parametrize(
    "change",
    [
        {"formula": "anxiety~1+depression+price+(depression|therapist)"},
        {"formula": "anxiety ~ price + depression + (1 + depression | therapist)"},
        {"size": [3, 8]},
        {"size": ms.Integers(3, 8)},
        {"fixef": {"price": -3.0, "Intercept": 45.0, "depression": 3.0}},
        {"ranef": {"therapist": {"sd": {"depression": 0.5, "Intercept": 1}, "corr": [[1, 0.2], [0.2, 1]]}}},
        {"variables": {**CLINIC.variables, "depression": ms.Normal("5+.8*ses", 2.0)}},
        {"variables": {**CLINIC.variables, "depression_mean": ms.ClusterMean("depression", by="therapist")}},
        {"variables": {**CLINIC.variables, "price": {"kind": "Integers", "low": 0, "high": 5, "level": "therapist"}}},
        {"name": "another name"},
    ],
    ids=lambda change: f"{next(iter(change))}: {str(next(iter(change.values())))[:30]}",
)
def test_what_means_the_same_is_equal(change: dict[str, object]) -> None:
    other = CLINIC.with_(**change)
    assert other == CLINIC
    assert hash(other) == hash(CLINIC)


@pytest.mark.parametrize(
    "change",
    [
        {"sigma": 8.001},
        {"size": (3, 9)},
        {"clusters": {"therapist": 21}},
        {"fixef": {**CLINIC.fixef, "price": -2}},
        {"ranef": {"therapist": {"sd": [1, 0.5]}}},
        {"variables": {**CLINIC.variables, "depression": ms.Normal("5 + 0.9 * ses", 2)}},
        {"variables": {**CLINIC.variables, "ses": ms.Normal(0, 1, level="therapist")}},
        {"variables": dict(sorted(CLINIC.variables.items(), reverse=True, key=lambda v: v[0] == "price"))},
    ],
    ids=lambda change: str(change)[:50],
)
def test_what_means_something_else_is_not_equal(change: dict[str, object]) -> None:
    assert CLINIC.with_(**change) != CLINIC


def test_it_equals_nothing_that_is_no_population() -> None:
    assert CLINIC != "clinic"


def test_it_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        CLINIC.sigma = 4  # type: ignore[misc]
    for mapping in (CLINIC.fixef, CLINIC.variables, CLINIC.clusters, CLINIC.ranef, CLINIC.ranef["therapist"]):
        with pytest.raises(TypeError):
            mapping["new"] = 1  # type: ignore[index]


def test_what_it_was_made_from_may_change() -> None:
    fixef = {"Intercept": 45, "depression": 3, "price": -3}
    sds = [1, 0.5]
    one = CLINIC.with_(fixef=fixef, ranef={"therapist": {"sd": sds}})
    fixef["price"], sds[0] = 0, 99
    assert one.fixef["price"] == -3
    assert one.ranef["therapist"]["sd"] == (1, 0.5)


def test_it_survives_copying_and_pickling() -> None:
    for twin in (pickle.loads(pickle.dumps(CLINIC)), copy.deepcopy(CLINIC)):
        assert twin == CLINIC
        assert twin.name == "clinic"
        assert twin.draw(1).data.equals(CLINIC.draw(1).data)


def test_variations_keep_the_rest() -> None:
    other = CLINIC.with_(sigma=4)
    assert (other.sigma, other.fixef, other.name) == (4, CLINIC.fixef, "clinic")


def test_a_variation_of_no_field_is_an_error() -> None:
    with pytest.raises(ms.PopulationError) as caught:
        CLINIC.with_(sgma=4)
    assert str(caught.value) == "a population has no field 'sgma': did you mean 'sigma'?"


def test_a_hidden_variable_may_stand_in_the_formula() -> None:
    population = CLINIC.with_(
        formula="anxiety ~ ses + (1 | therapist)",
        fixef={"Intercept": 0, "ses": 1},
        ranef={"therapist": {"sd": 1}},
    )
    assert "ses" not in population.draw(1).data


def test_a_population_without_variables_or_fixed_effects() -> None:
    population = ms.Population("y ~ 0 + (1 | g)", clusters={"g": 5}, size=2, ranef={"g": {"sd": 1}}, sigma=1)
    sample = population.draw(1)
    assert list(sample.data.columns) == ["g", "y"]
    assert sample.truth.fixef.empty


@pytest.mark.parametrize(
    ("right", "names"),
    [
        ("x + z", ["Intercept", "x", "z"]),
        ("0 + x:z", ["x:z"]),
        ("x * arm", ["Intercept", "x", "arm[T.new]", "arm[T.other]", "x:arm[T.new]", "x:arm[T.other]"]),
        ("0 + arm", ["arm[usual]", "arm[new]", "arm[other]"]),
        ("center(x) + np.exp(z)", ["Intercept", "center(x)", "np.exp(z)"]),
        ("C(arm, contr.sum)", ["Intercept", "C(arm, contr.sum)[S.usual]", "C(arm, contr.sum)[S.new]"]),
    ],
)
def test_coefficients_have_formulaics_names(right: str, names: list[str]) -> None:
    fields = {
        "clusters": {"g": 30},
        "size": 4,
        "variables": {
            "x": ms.Normal(0, 1),
            "z": ms.Normal(0, 1),
            "arm": ms.Categorical(["usual", "new", "other"], level="g"),
        },
        "ranef": {"g": {"sd": 1}},
        "sigma": 1,
    }
    population = ms.Population(f"y ~ {right} + (1 | g)", fixef=dict.fromkeys(names, 1), **fields)
    sample = population.draw(1)
    assert sorted(population.fixef) == sorted(names)
    assert sorted(sample.truth.fixef.index) == sorted(names)


@pytest.mark.parametrize("people", [10, 5000])
def test_a_number_taken_as_a_category_has_a_coefficient_for_every_value(people: int) -> None:
    fixef = {"Intercept": 1.0, "busy": 2.0, **{f"C(wave)[T.{wave}]": float(wave) for wave in range(2, 8)}}
    panel = ms.Population(
        "y ~ C(wave) + busy + (1 | person)",
        clusters={"person": people},
        size=7,
        variables={"day": ms.Assigned(range(7)), "wave": ms.Derived("day + 1"), "busy": ms.Bernoulli(0.1)},
        fixef=fixef,
        ranef={"person": {"sd": 0}},
        sigma=0,
    )
    assert list(panel.fixef) == ["Intercept", *[f"C(wave)[T.{wave}]" for wave in range(2, 8)], "busy"]
    data = panel.draw(seed=1).data
    expected = 1 + 2 * data["busy"] + data["wave"].where(data["wave"] > 1, 0)
    assert data["y"].tolist() == expected.tolist()


def test_a_rare_value_taken_as_a_category_is_found() -> None:
    rare = ms.Population(
        "y ~ C(ill) + (1 | person)",
        clusters={"person": 200},
        size=2,
        variables={"ill": ms.Bernoulli(0.05)},
        fixef={"Intercept": 1, "C(ill)[T.1]": 2},
        ranef={"person": {"sd": 1}},
        sigma=1,
    )
    assert rare.draw(seed=1).data["ill"].sum() > 0


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"clusters": {"g": 2}, "size": 2},
            "formula is missing: say how the response arises, as in 'y ~ x + (1 | g)'.",
        ),
        (
            {"formula": "y ~ 1", "size": 2},
            "clusters is missing: name what groups the rows and how many of each there are, as in {'therapist': 100}.",
        ),
        (
            {"formula": "y ~ 1", "clusters": {"g": 2}},
            "size is missing: say how many rows each cluster has, as in size=50.",
        ),
        (
            {"formula": "y ~ 1", "clusters": {"a": 2, "b": {"within": "a", "n": 3}}, "size": 2},
            "clusters.b.within is not a field: did you mean 'in'?",
        ),
    ],
)
def test_what_is_missing_or_misnamed_is_said_in_our_words(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(ms.PopulationError) as error:
        ms.Population(**given)
    assert str(error.value) == sentence
