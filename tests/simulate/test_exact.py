"""Moments that are not left to chance: residuals and variables whose sample moments are those of the population."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mixedsim as ms
from mixedsim.errors import PopulationError
from mixedsim.simulate.exact import exact

FIELDS: dict[str, Any] = {
    "formula": "y ~ x + z + arm + (1 | group)",
    "clusters": {"group": 6},
    "size": (8, 20),
    "variables": {
        "x": ms.Normal(1000, 3),
        "z": ms.Poisson(4),
        "age": ms.Normal(40, 5, level="group"),
        "arm": ms.Categorical(["old", "new"]),
    },
    "fixef": {"Intercept": 1, "x": 2, "z": -1, "arm[T.new]": 1},
    "ranef": {"group": {"sd": 1}},
    "sigma": 3,
    "residual": {"exact": ["x", "z"], "by": "group"},
}


def population(**changes: Any) -> ms.Population:
    return ms.Population(**{**FIELDS, **changes})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(5, 12), min_size=1, max_size=8), st.integers(0, 3), st.integers(0, 1000))
def test_it_is_the_standardised_residual_of_a_regression_in_each_unit(sizes: list[int], q: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    units = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    values = rng.normal(size=len(units))
    columns = [rng.normal(50, 2, size=len(units)) for _ in range(q)]
    made = exact(values, columns, units, ("residual", "exact"))
    for unit in range(len(sizes)):
        at = units == unit
        x = np.column_stack([np.ones(at.sum()), *(column[at] - 50 for column in columns)])
        rest = values[at] - x @ np.linalg.lstsq(x, values[at], rcond=None)[0]
        np.testing.assert_allclose(made[at], rest / np.sqrt(rest @ rest / (at.sum() - 1)), atol=1e-8)


@pytest.mark.parametrize("seed", [1, 2])
def test_residuals_in_every_group(seed: int) -> None:
    sample = population().draw(seed)
    table = sample.data.assign(e=sample.truth.residuals)
    for _, some in table.groupby("group", observed=True):
        assert abs(some["e"].mean()) < 1e-10
        assert abs(some["e"].std() - 3) < 1e-10
        assert some[["x", "z"]].corrwith(some["e"]).abs().max() < 1e-8


def test_a_column_that_does_not_vary_or_is_another_one_again_changes_nothing() -> None:
    variables = {**FIELDS["variables"], "same": ms.Derived("2 * x - z")}
    one = population(variables=variables).draw(1).truth.residuals
    more = population(variables=variables, residual={"exact": ["x", "z", "age", "same"], "by": "group"})
    np.testing.assert_allclose(more.draw(1).truth.residuals, one, atol=1e-7)


def test_the_cluster_is_the_innermost_one_if_not_given() -> None:
    assert population(residual={"exact": ["x"]}) == population(residual={"exact": ["x"], "by": "group"})
    assert population(residual={"exact": ["x"]}) != population(residual={"exact": []})


def test_nothing_but_the_residuals_changes() -> None:
    plain, made = population(residual=None).draw(1), population().draw(1)
    pd.testing.assert_frame_equal(plain.data.drop(columns="y"), made.data.drop(columns="y"))
    pd.testing.assert_frame_equal(plain.truth.ranef["group"], made.truth.ranef["group"])
    assert not np.isclose(plain.data["y"], made.data["y"], rtol=1e-9).any()


def test_it_comes_back_from_its_file() -> None:
    assert ms.Population.from_yaml(population().to_yaml()) == population()


def test_it_prints() -> None:
    line = "(exactly in each group: mean 0, sd as given, cor with xᵢⱼ 0, cor with zᵢⱼ 0)"
    assert line in str(population())


@pytest.mark.parametrize(
    ("residual", "sentence"),
    [
        ({"exact": "x"}, "residual.exact must be a list of variables, as in ['x'], found 'x'."),
        ({"exact": ["w"]}, "residual.exact must name variables, found 'w': known are 'x', 'z', 'age', 'arm'."),
        ({"exact": ["arm"]}, "residual.exact must name numeric variables; arm is categorical."),
        (
            {"exact": ["x"], "ar1": 0.3},
            "residual.exact cannot stand beside ar1: what is made exact follows nothing.",
        ),
        ({"exact": ["x"], "by": "grop"}, "residual.by must be a cluster, found 'grop': did you mean 'group'?"),
    ],
)
def test_wrong_entries(residual: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PopulationError, match=f"^{re.escape(sentence)}$"):
        population(residual=residual)


def test_too_few_rows() -> None:
    sentence = "residual.exact needs at least 4 rows in every unit: with fewer, nothing is left to chance."
    with pytest.raises(PopulationError, match=f"^{re.escape(sentence)}$"):
        population(size=3).draw(1)


class TestWithinScale:
    def test_it_has_mean_0_and_sd_1_in_every_cluster(self) -> None:
        variables = {**FIELDS["variables"], "s": ms.Within("x", scale=True)}
        by_group = population(variables=variables).draw(1).data.groupby("group", observed=True)["s"]
        np.testing.assert_allclose(by_group.mean(), 0, atol=1e-10)
        np.testing.assert_allclose(by_group.std(), 1, atol=1e-10)

    def test_what_does_not_vary_in_a_cluster_stays_0(self) -> None:
        variables = {
            **FIELDS["variables"],
            "c": ms.Normal(1e6, "where(age > 40, 0, 1)"),
            "s": ms.Within("c", scale=True),
        }
        data = population(variables=variables).draw(1).data
        sds = data.groupby(data["age"] > 40)["s"].agg(["min", "max", "std"])
        assert sds.loc[True].tolist() == [0, 0, 0]
        assert sds.loc[False, "std"] > 0.9

    def test_a_variable_of_classes_counts_each_row(self) -> None:
        fields = {
            "clusters": {"school": 5, "group": {"in": "school", "n": 4}},
            "variables": {**FIELDS["variables"], "s": ms.Within("age", by="school", scale=True)},
        }
        data = population(**fields).draw(1).data
        by_school = data.groupby("school", observed=True)["age"]
        expected = (data["age"] - by_school.transform("mean")) / by_school.transform("std")
        np.testing.assert_allclose(data["s"], expected, atol=1e-10)

    def test_it_comes_back_from_its_file_and_counts(self) -> None:
        made = [population(variables={**FIELDS["variables"], "s": ms.Within("x", scale=on)}) for on in (True, False)]
        assert ms.Population.from_yaml(made[0].to_yaml()) == made[0] != made[1]

    def test_it_must_be_true_or_false(self) -> None:
        with pytest.raises(PopulationError, match=r"Within\.scale must be true or false, found 2\.$"):
            ms.Within("x", scale=2)  # type: ignore[arg-type]


def test_units_that_met_nobody_have_nothing_to_make_exact() -> None:
    """Of forty items some are in no sample of four: no row, no moments, and no warning."""
    items = {"group": 6, "item": {"n": 40, "sample": 4}}
    residuals = {"exact": ["x"], "by": "item"}
    sample = population(formula="y ~ x + z + arm + (1 | group)", clusters=items, size=6, residual=residuals).draw(1)
    item = sample.data["item"]
    spread = sample.truth.residuals.groupby(item, observed=True).std()
    assert len(spread) < item.cat.categories.size == 40
    np.testing.assert_allclose(spread, 3)
