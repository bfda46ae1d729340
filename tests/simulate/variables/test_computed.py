"""Columns that earlier ones determine: against pandas on the same data, and at the level where they live."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from tests.simulate.variables.populations import CROSSED, NESTED, data, population

SCHOOLS = {
    "ses": ms.Normal(0, 1, level="school"),
    "age": ms.Normal(10, 2, level="class"),
    "pupils": ms.Integers(10, 30, level="class"),
    "arm": ms.Categorical(["usual", "new"], level="school"),
    "x": ms.Normal("ses", 1),
    "k": ms.Poisson(3),
}


def schools(variables: dict[str, ms.Variable], size: object = (2, 7)) -> pd.DataFrame:
    return data({**SCHOOLS, **variables}, NESTED, size)


def level_of(variable: ms.Variable, clusters: dict[str, object] = NESTED) -> str | None:
    return population({**SCHOOLS, "new": variable}, clusters).plan.levels["new"]


class TestDerived:
    def test_it_is_its_expression(self) -> None:
        table = schools({"d": ms.Derived("where(arm == 'new', x ** 2, min(x, 0)) + floor(age)")})
        expected = np.where(table["arm"] == "new", table["x"] ** 2, table["x"].clip(upper=0)) + np.floor(table["age"])
        np.testing.assert_array_equal(table["d"], expected)

    @pytest.mark.parametrize(
        ("expr", "level"),
        [
            ("ses + 1", "school"),
            ("ses + age", "class"),
            ("ses + pupils * (arm == 'new')", "class"),
            ("x", None),
            ("x + ses", None),
        ],
    )
    def test_it_lives_where_its_parts_do(self, expr: str, level: str | None) -> None:
        assert level_of(ms.Derived(expr)) == level

    def test_parts_of_crossed_clusters_meet_in_rows(self) -> None:
        crossed = {"s": ms.Normal(0, 1, level="subject"), "i": ms.Normal(0, 1, level="item"), "d": ms.Derived("s * i")}
        one = population(crossed, CROSSED)
        assert one.plan.levels["d"] is None
        table = one.draw(1).data
        np.testing.assert_array_equal(table["d"], table["s"] * table["i"])

    def test_its_level_can_be_read_at_that_level(self) -> None:
        table = schools({"d": ms.Derived("2 * ses"), "z": ms.Normal("d", 0, level="school")})
        np.testing.assert_array_equal(table["z"], 2 * table["ses"])

    @pytest.mark.parametrize(
        ("expr", "kind"),
        [
            ("x > 0", np.int64),
            ("pupils - 10", np.int64),
            ("round(x)", np.int64),
            ("round(x, 1)", np.float64),
            ("pupils / 10", np.float64),
            ("x", np.float64),
        ],
    )
    def test_what_can_only_be_whole_is_whole(self, expr: str, kind: type) -> None:
        assert schools({"d": ms.Derived(expr)})["d"].dtype == kind

    def test_it_adds_no_chance(self) -> None:
        with_it = schools({"d": ms.Derived("x + 1")}).drop(columns="d")
        pd.testing.assert_frame_equal(with_it, schools({}))

    @pytest.mark.parametrize(
        ("expr", "message"),
        [
            ("log(x)", r"variables.d.expr is not a finite number everywhere: look at 'log\(x\)'."),
            (
                "floor(exp(100 + x))",
                r"variables\.d\.expr must lie between -9.0072e\+15 and 9.0072e\+15, but .* reaches .*e\+4\d\.",
            ),
            ("x + z", "variables.d.expr uses 'z', which is not an earlier variable: known are 'ses', .*"),
            ("d + 1", "variables.d.expr uses 'd' itself."),
            ("school + 1", "variables.d.expr uses the cluster 'school', which is no variable."),
            ("arm + 1", r"variables.d.expr calculates with arm, which is categorical: write \(arm == 'usual'\)."),
            ("where(x > 0, arm, 1)", "variables.d.expr calculates with arm, which is categorical: .*"),
            ("arm == 'old'", "variables.d.expr compares arm with 'old': known are 'usual', 'new'."),
        ],
    )
    def test_what_cannot_be_computed(self, expr: str, message: str) -> None:
        with pytest.raises(ms.PopulationError) as caught:
            schools({"d": ms.Derived(expr)})
        assert re.fullmatch(message, str(caught.value))


class TestWithin:
    @pytest.mark.parametrize("by", ["school", "class"])
    @pytest.mark.parametrize("size", [3, (1, 7)])
    def test_it_is_what_the_mean_leaves(self, by: str, size: object) -> None:
        table = schools({"m": ms.ClusterMean("x", by=by), "w": ms.Within("x", by=by)}, size)
        means = table.groupby(by, observed=True)["x"].transform("mean")
        np.testing.assert_allclose(table["w"], table["x"] - means, atol=1e-12)
        np.testing.assert_allclose(table["m"] + table["w"], table["x"], atol=1e-12)

    def test_whole_numbers_too(self) -> None:
        table = schools({"w": ms.Within("k", by="class")})
        means = table.groupby("class", observed=True)["k"].transform("mean")
        np.testing.assert_allclose(table["w"], table["k"] - means, atol=1e-12)

    def test_a_variable_of_classes_in_their_school(self) -> None:
        table = schools({"w": ms.Within("age", by="school")})
        means = table.groupby("school", observed=True)["age"].transform("mean")  # classes count by their pupils
        np.testing.assert_allclose(table["w"], table["age"] - means, atol=1e-12)
        assert level_of(ms.Within("age", by="school")) == "class"
        assert level_of(ms.Within("x", by="school")) is None

    def test_of_an_item_in_a_subject_is_a_matter_of_rows(self) -> None:
        variables = {"i": ms.Normal(0, 1, level="item"), "w": ms.Within("i", by="subject")}
        one = population(variables, {"subject": 20, "item": {"n": 12, "sample": 4}}, size=2)
        assert one.plan.levels["w"] is None
        table = one.draw(1).data
        means = table.groupby("subject", observed=True)["i"].transform("mean")
        np.testing.assert_allclose(table["w"], table["i"] - means, atol=1e-12)

    def test_it_is_uncorrelated_with_what_belongs_to_the_cluster(self) -> None:
        table = schools({"w": ms.Within("x", by="school")})
        assert abs(np.corrcoef(table["w"], table["ses"])[0, 1]) < 1e-12
        assert np.corrcoef(table["x"], table["ses"])[0, 1] > 0.5


class TestCentered:
    @pytest.mark.parametrize("of", ["x", "age", "ses", "k"])
    def test_it_is_pandas_on_the_column(self, of: str) -> None:
        table = schools({"c": ms.Centered(of), "s": ms.Centered(of, scale=True)})
        column = table[of]
        np.testing.assert_allclose(table["c"], column - column.mean(), atol=1e-12)
        np.testing.assert_allclose(table["s"], (column - column.mean()) / column.std(), atol=1e-12)
        assert level_of(ms.Centered(of)) == {"age": "class", "ses": "school"}.get(of)

    def test_a_column_without_spread_stays_zero_whatever_rounding_makes_of_its_mean(self) -> None:
        table = schools({"flat": ms.Normal(0.1, 0), "s": ms.Centered("flat", scale=True)}, 9)
        assert table["flat"].mean() != 0.1  # or there is nothing to be seen
        assert (table["s"] == 0).all()

    def test_a_column_without_spread_stays_0(self) -> None:
        assert schools({"one": ms.Normal(5, 0), "c": ms.Centered("one", scale=True)})["c"].eq(0).all()
        assert data({"x": ms.Normal(0, 1), "c": ms.Centered("x", scale=True)}, {"g": 1}, size=1)["c"].tolist() == [0]


class TestLag:
    @pytest.mark.parametrize("n", [1, 2, 5])
    @pytest.mark.parametrize("by", ["school", "class"])
    def test_it_is_pandas_shift(self, n: int, by: str) -> None:
        table = schools({"before": ms.Lag("x", by=by, n=n, first=-9)})
        expected = table.groupby(by, observed=True)["x"].shift(n).fillna(-9)
        np.testing.assert_array_equal(table["before"], expected)

    def test_rows_that_lie_scattered(self) -> None:
        table = data({"x": ms.Normal(0, 1), "before": ms.Lag("x", by="item")}, CROSSED, size=2)
        expected = table.groupby("item", observed=True)["x"].shift(1).fillna(0)
        np.testing.assert_array_equal(table["before"], expected)

    def test_the_first_can_be_an_expression(self) -> None:
        table = schools({"before": ms.Lag("x", by="class", first="x + ses")})
        expected = table.groupby("class", observed=True)["x"].shift(1).fillna(table["x"] + table["ses"])
        np.testing.assert_array_equal(table["before"], expected)

    def test_whole_numbers_stay_whole(self) -> None:
        assert schools({"before": ms.Lag("k", by="class")})["before"].dtype == np.int64
        half = schools({"before": ms.Lag("k", by="class", first=0.5)})["before"]
        assert half.dtype == np.float64
        assert (half == 0.5).any()

    def test_of_classes_it_counts_classes(self) -> None:
        table = schools({"before": ms.Lag("age", by="school", first="ses")})
        assert level_of(ms.Lag("age", by="school")) == "class"
        classes = table.drop_duplicates("class")
        expected = classes.groupby("school", observed=True)["age"].shift(1).fillna(classes["ses"])
        np.testing.assert_array_equal(classes["before"], expected)

    def test_a_unit_shorter_than_the_lag_has_only_firsts(self) -> None:
        assert data({"x": ms.Normal(0, 1), "b": ms.Lag("x", n=9, first=7)}, {"g": 3}, size=4)["b"].tolist() == [7] * 12


WRONG = [
    (ms.Within("x"), "variables.new.by must be given: which of school, class?"),
    (ms.Lag("x"), "variables.new.by must be given: which of school, class?"),
    (ms.Within("x", by="scool"), "variables.new.by must be a cluster, found 'scool': did you mean 'school'?"),
    (
        ms.Within("ses", by="class"),
        "variables.new.of is 'ses', which is constant in every class already: what is left is 0.",
    ),
    (ms.Within("arm", by="class"), "variables.new.of must be a numeric variable; arm is categorical."),
    (ms.Centered("arm"), "variables.new.of must be a numeric variable; arm is categorical."),
    (
        ms.Centered("z"),
        "variables.new.of uses 'z', which is not an earlier variable: "
        "known are 'ses', 'age', 'pupils', 'arm', 'x', 'k'.",
    ),
    (
        ms.Lag("ses", by="school"),
        "variables.new.of is 'ses', which is constant in every school already: it was always the same.",
    ),
    (ms.Lag("arm", by="school"), "variables.new.of must be a numeric variable; arm is categorical."),
    (
        ms.Lag("age", by="school", first="x"),
        "variables.new.first uses 'x', which differs from row to row, but new has one value a class.",
    ),
    (
        ms.Lag("x", by="school", first="ks"),
        "variables.new.first uses 'ks', which is not an earlier variable: did you mean 'k'?",
    ),
]


@pytest.mark.parametrize(("variable", "message"), WRONG, ids=[message[:50] for _, message in WRONG])
def test_what_cannot_be_computed(variable: ms.Variable, message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        schools({"new": variable})
    assert str(caught.value) == message


def test_a_lag_by_a_crossed_cluster_has_no_order() -> None:
    with pytest.raises(ms.PopulationError) as caught:
        population({"i": ms.Normal(0, 1, level="item"), "b": ms.Lag("i", by="subject")}, CROSSED)
    assert str(caught.value) == "variables.b.by is 'subject', but no subject holds several units of item."
