"""What a designer gives out: who gets which, how often, and that chance is fair where it is asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import mixedsim as ms
from mixedsim.simulate.variables.turns import turns
from tests.simulate.variables.populations import CROSSED, NESTED, data, population

ARMS = ["usual", "new"]
TRIAL = {"site": 8, "clinic": {"in": "site", "n": (2, 7)}}


def per_unit(table: pd.DataFrame, column: str, level: str) -> pd.DataFrame:
    """One row a unit, once it is sure that the column is constant in each."""
    assert set(table.groupby(level, observed=True)[column].nunique()) == {1}
    return table.drop_duplicates(level)


class TestInTurn:
    def test_rows_of_a_unit_are_its_days(self) -> None:
        days = data({"day": ms.Assigned(range(10))}, {"g": 3}, size=10)["day"]
        assert days.dtype == np.int64
        assert days.tolist() == [*range(10)] * 3

    def test_after_the_last_comes_the_first(self) -> None:
        assert data({"x": ms.Assigned([0, 0.5, 2])}, {"g": 2}, size=4)["x"].tolist() == [0, 0.5, 2, 0] * 2

    def test_texts_are_a_categorical_with_the_first_as_reference(self) -> None:
        time = data({"time": ms.Assigned(["pre", "post"])}, {"g": 2}, size=2)["time"]
        assert time.tolist() == ["pre", "post", "pre", "post"]
        assert time.cat.categories.tolist() == ["pre", "post"]
        twice = data({"x": ms.Assigned(["b", "a", "b"])}, {"g": 1}, size=3)["x"]
        assert twice.tolist() == ["b", "a", "b"]
        assert twice.cat.categories.tolist() == ["b", "a"]

    def test_every_unit_begins_anew(self) -> None:
        table = data({"x": ms.Assigned([1, 2, 3])}, NESTED, size=(1, 7))
        place = table.groupby("class", observed=True).cumcount()
        assert (table["x"] == place % 3 + 1).all()

    def test_classes_are_counted_in_their_school(self) -> None:
        table = per_unit(data({"x": ms.Assigned([1, 2, 3], level="class")}, NESTED, size=(1, 4)), "x", "class")
        assert (table["x"] == table.groupby("school", observed=True).cumcount() % 3 + 1).all()

    def test_classes_can_be_counted_over_all(self) -> None:
        variable = ms.Assigned([1, 2, 3], level="class", within="whole dataset")
        table = per_unit(data({"x": variable}, NESTED, size=2), "x", "class")
        assert (table["x"] == np.arange(len(table)) % 3 + 1).all()

    def test_rows_can_be_counted_in_a_larger_unit(self) -> None:
        table = data({"x": ms.Assigned(range(5), within="school")}, NESTED, size=3)
        assert (table["x"] == table.groupby("school", observed=True).cumcount() % 5).all()

    def test_crossed_clusters_begin_anew_in_each_combination(self) -> None:
        table = data({"x": ms.Assigned(range(3))}, CROSSED, size=3)
        assert table["x"].tolist() == [0, 1, 2] * 240

    def test_rows_of_an_item_lie_scattered(self) -> None:
        table = data({"x": ms.Assigned(range(7), within="item")}, CROSSED, size=1)
        assert (table["x"] == table.groupby("item", observed=True).cumcount() % 7).all()


class TestShuffled:
    def test_exactly_half_of_the_clinics_are_treated(self) -> None:
        for seed in range(20):
            table = data({"arm": ms.Assigned(ARMS, level="g", shuffle=True)}, {"g": 24}, seed=seed)
            assert per_unit(table, "arm", "g")["arm"].value_counts().tolist() == [12, 12]

    def test_every_site_has_its_half(self) -> None:
        table = data({"arm": ms.Assigned(ARMS, level="clinic", within="site", shuffle=True)}, TRIAL, size=3)
        counts = pd.crosstab(table["site"], table["arm"]) / 3
        assert (abs(counts["usual"] - counts["new"]) == counts.sum(axis=1) % 2).all()  # equal, or one more

    def test_everyone_gets_both_on_random_sides(self) -> None:
        variable = ms.Assigned(["single", "multiple"], level="leg", shuffle=True)
        table = data({"sets": variable}, {"person": 4000, "leg": {"in": "person", "n": 2}}, size=1)
        assert (table.groupby("person", observed=True)["sets"].nunique() == 2).all()
        left = (table["sets"] == "single")[::2].sum()
        assert stats.binomtest(int(left), 4000, 0.5).pvalue > 1e-4

    def test_a_stepped_wedge(self) -> None:
        table = data(
            {
                "step": ms.Assigned([1, 2, 3, 4], level="g", shuffle=True),
                "time": ms.Assigned(range(5)),
                "treated": ms.Derived("time >= step"),
            },
            {"g": 12},
            size=10,
        )
        assert table.groupby("time")["treated"].mean().tolist() == [0, 0.25, 0.5, 0.75, 1]
        assert (table.groupby("g", observed=True)["treated"].diff().fillna(0) >= 0)[table["time"] > 0].all()

    def test_every_order_is_equally_likely(self) -> None:
        table = data({"x": ms.Assigned([1, 2, 3], shuffle=True)}, {"g": 60_000}, size=3)
        orders = table["x"].to_numpy().reshape(-1, 3) @ [100, 10, 1]
        kinds, counts = np.unique(orders, return_counts=True)
        assert kinds.tolist() == [123, 132, 213, 231, 312, 321]
        assert stats.chisquare(counts).pvalue > 1e-4

    def test_the_odd_one_out_is_fair(self) -> None:
        """Two of three values fit into a block of two: every unit gets every value with probability 1/3."""
        table = data({"x": ms.Assigned([1, 2, 3], shuffle=True)}, {"g": 60_000}, size=2)
        assert (table.groupby("g", observed=True)["x"].nunique() == 2).all()
        for place in (0, 1):
            assert stats.chisquare(np.bincount(table["x"][place::2], minlength=4)[1:]).pvalue > 1e-4

    def test_one_value_may_be_named_twice(self) -> None:
        table = data({"arm": ms.Assigned(["a", "b", "b"], level="g", shuffle=True)}, {"g": 30})
        assert per_unit(table, "arm", "g")["arm"].value_counts().to_dict() == {"a": 10, "b": 20}

    def test_another_seed_is_another_assignment(self) -> None:
        variables = {"x": ms.Assigned(range(6), shuffle=True)}
        assert data(variables, seed=1).equals(data(variables, seed=1))
        assert not data(variables, seed=1)["x"].equals(data(variables, seed=2)["x"])


@settings(max_examples=60, deadline=None)
@given(
    units=st.integers(1, 40),
    sizes=st.sampled_from([1, 2, 5, (1, 7)]),
    count=st.integers(2, 6),
    shuffle=st.booleans(),
    within=st.sampled_from(["whole dataset", "g", "h"]),
)
def test_balanced_up_to_one_whatever_the_sizes(
    units: int, sizes: object, count: int, shuffle: bool, within: str
) -> None:
    if sizes == 1 and within == "h":
        return  # one row a unit: refused
    variable = ms.Assigned(range(count), within=within, shuffle=shuffle)
    table = data({"x": variable}, {"g": units, "h": {"in": "g", "n": (1, 3)}}, size=sizes)
    groups = table.groupby(within, observed=True)["x"] if within in table else [("all", table["x"])]
    for _, block in groups:
        counts = np.bincount(block, minlength=count)
        assert counts.max() - counts.min() <= 1


def test_turns_of_scattered_groups() -> None:
    found = turns(np.array([2, 0, 2, 0, 0]))
    assert found.units.tolist() == [1, 3, 4, 0, 2]
    assert found.place.tolist() == [0, 1, 2, 0, 1]
    assert found.group.tolist() == [0, 0, 0, 1, 1]
    assert found.groups == 2
    assert turns(np.array([0, 0, 1, 1]), np.array([0.9, 0.1, 0.2, 0.3])).units.tolist() == [1, 0, 2, 3]


@pytest.mark.parametrize(
    ("variable", "clusters", "within"),
    [
        (ms.Assigned(ARMS), NESTED, "class"),
        (ms.Assigned(ARMS), CROSSED, None),
        (ms.Assigned(ARMS, level="class"), NESTED, "school"),
        (ms.Assigned(ARMS, level="school"), NESTED, "whole dataset"),
        (ms.Assigned(ARMS, level="item"), CROSSED, "whole dataset"),
    ],
)
def test_what_was_left_to_be_understood_is_written_out(
    variable: ms.Variable, clusters: dict[str, object], within: str | None
) -> None:
    one = population({"x": variable}, clusters)
    assert one.variables["x"].within == within
    explicit = population({"x": one.variables["x"]}, clusters)
    assert explicit == one
    assert hash(explicit) == hash(one)


@pytest.mark.parametrize(
    ("variable", "clusters", "size", "message"),
    [
        (
            ms.Assigned(ARMS, level="clas"),
            NESTED,
            2,
            "variables.x.level must be a cluster, found 'clas': did you mean 'class'?",
        ),
        (
            ms.Assigned(ARMS, within="scool"),
            NESTED,
            2,
            "variables.x.within must be a cluster, found 'scool': did you mean 'school'?",
        ),
        (
            ms.Assigned(ARMS, level="school", within="class"),
            NESTED,
            2,
            "variables.x.within is 'class', but no class holds several units of school.",
        ),
        (
            ms.Assigned(ARMS, level="item", within="subject"),
            CROSSED,
            2,
            "variables.x.within is 'subject', but no subject holds several units of item.",
        ),
        (
            ms.Assigned(ARMS, level="class", within="class"),
            NESTED,
            2,
            "variables.x.within is 'class', but no class holds several units of class.",
        ),
        (
            ms.Assigned(ARMS),
            CROSSED,
            1,
            "variables.x.within must be a larger cluster: each subject × item has one row, and all rows would get the "
            "first value; write within='subject', shuffle=True, or level='item' for one value a unit of item.",
        ),
        (
            ms.Assigned(ARMS),
            NESTED,
            1,
            "variables.x.within must be a larger cluster: each class has one row, and all rows would get the first "
            "value; write size=2 or more, or level='class' for one value a unit of class.",
        ),
    ],
)
def test_where_values_cannot_be_given_out(
    variable: ms.Variable, clusters: dict[str, object], size: int, message: str
) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        population({"x": variable}, clusters, size)
    assert str(caught.value) == message


def test_a_latin_square_gives_every_subject_and_every_item_both_conditions() -> None:
    variables = {
        "list": ms.Assigned([0, 1], level="subject"),
        "half": ms.Assigned([0, 1], level="item"),
        "x": ms.Derived("list == half"),
    }
    data = population(variables, {"subject": 6, "item": 4}, 1).draw(seed=1).data
    assert (data.groupby("subject", observed=True)["x"].mean() == 0.5).all()
    assert (data.groupby("item", observed=True)["x"].mean() == 0.5).all()
