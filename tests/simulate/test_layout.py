"""Structures: nested, crossed, unbalanced; what belongs to what."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedsim.simulate.clusters import clusters_of, structure_of
from mixedsim.simulate.counts import Count, count
from mixedsim.simulate.layout import Layout, lay_out
from mixedsim.simulate.streams import Streams
from mixedsim.simulate.structure import Cluster, Structure
from mixedsim.simulate.variables import Integers, Normal, Uniform

NESTED = {"school": 3, "class": {"in": "school", "n": (2, 4)}}
CROSSED = {"subject": 3, "item": 4}


def layout(clusters: dict[str, object], size: object, seed: int = 1) -> Layout:
    return lay_out(structure_of(clusters_of(clusters), count(size, ("size",))), Streams(seed))


def ids(one: Layout) -> pd.DataFrame:
    return pd.DataFrame({name: one.codes(name) for name in one.structure.names})


def test_one_factor_balanced() -> None:
    one = layout({"therapist": 3}, 2)
    assert one.rows == 6
    assert one.codes("therapist").tolist() == [0, 0, 1, 1, 2, 2]


def test_ids_take_the_smallest_integer_type() -> None:
    assert layout({"g": 128}, 1).codes("g").dtype == np.int8
    assert layout({"g": 129}, 1).codes("g").dtype == np.int16
    assert layout({"g": 128}, 1).codes("g").max() == 127


def test_a_range_of_sizes_is_kept_and_used_up() -> None:
    one = layout({"g": 500}, (2, 5))
    sizes = np.bincount(one.codes("g"))
    assert set(sizes) == {2, 3, 4, 5}
    assert sizes.sum() == one.rows


def test_a_class_belongs_to_one_school() -> None:
    one = layout(NESTED, (1, 3))
    table = ids(one)
    assert len(table.drop_duplicates()) == one.units["class"]
    classes = table.groupby("school")["class"].nunique()
    assert classes.between(2, 4).all()
    assert classes.sum() == one.units["class"]


def test_three_levels_are_spread_through_the_middle_one() -> None:
    one = layout({"school": 2, "class": {"in": "school", "n": 2}, "pupil": {"in": "class", "n": 2}}, 2)
    schools = np.array([10.0, 20.0])
    assert one.spread(schools, "school", "pupil").tolist() == [10] * 4 + [20] * 4
    assert one.spread(schools, "school", "class").tolist() == [10, 10, 20, 20]
    assert one.spread(schools, "school", None).tolist() == [10] * 8 + [20] * 8


def test_crossed_factors_meet_in_every_combination() -> None:
    table = ids(layout(CROSSED, 2))
    assert (table.groupby(["subject", "item"]).size() == 2).all()
    assert len(table) == 24


def test_a_nested_chain_crosses_another() -> None:
    one = layout({**NESTED, "item": 2}, 1)
    table = ids(one)
    assert (table.groupby(["class", "item"]).size() == 1).all()
    assert len(table[["school", "class"]].drop_duplicates()) == one.units["class"]


@pytest.mark.parametrize(
    ("clusters", "size"), [({"g": 7}, 3), ({"g": 7}, (1, 4)), (NESTED, 3), (NESTED, (1, 4)), (CROSSED, (1, 4))]
)
def test_a_cluster_mean_is_what_pandas_says(clusters: dict[str, object], size: object) -> None:
    one = layout(clusters, size)
    values = np.random.default_rng(1).normal(size=one.rows)
    for name in one.structure.names:
        expected = pd.Series(values).groupby(one.codes(name)).mean()
        np.testing.assert_allclose(one.mean_of(values, name), expected, rtol=1e-13, atol=1e-15)


def test_combinations_are_named_as_lme4_names_them() -> None:
    one = layout(CROSSED, 1)
    grouping = one.grouping(("item", "subject"))
    assert grouping.units == 12
    assert grouping.names()[:5].tolist() == ["1:1", "2:1", "3:1", "4:1", "1:2"]


def test_a_nested_combination_has_the_units_of_its_innermost_factor() -> None:
    one = layout(NESTED, 1)
    grouping = one.grouping(("class", "school"))
    assert grouping.units == one.units["class"]
    table = ids(one).drop_duplicates() + 1
    assert grouping.names().tolist() == [f"{c}:{s}" for s, c in table.itertuples(index=False)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (50, 50),
        (50.0, 50),
        (np.int64(50), 50),
        ([2, 5], (2, 5)),
        ((4, 4), 4),
        (Integers(2, 5), (2, 5)),
        ({"kind": "Normal", "mean": 50, "sd": 10}, Normal(50, 10)),
        (Uniform(2, 9), Uniform(2, 9)),
    ],
)
def test_a_count_has_one_form(given: object, kept: Count) -> None:
    assert count(given, ("size",)) == kept


def test_sizes_from_a_distribution_have_its_mean_and_at_least_one_row() -> None:
    one = layout({"g": 20_000}, Normal(50, 10))
    sizes = np.bincount(one.codes("g"))
    assert abs(sizes.mean() - 50) < 4 * np.sqrt(100 + 1 / 12) / np.sqrt(20_000)  # 1/12 is added by rounding
    assert np.bincount(layout({"g": 1000}, Normal(1, 3)).codes("g")).min() == 1


def test_combinations_of_more_units_than_64_bits_can_number() -> None:
    many = 3_000_000
    names = ("a", "b", "c")
    structure = Structure(tuple(Cluster(name, many, met=None if name == "a" else 1) for name in names), size=1)
    met = ([7, 7, many - 1, 0, 7], [2, 2, many - 1, 5, 1], [9, 9, many - 1, 5, many - 1])
    codes = [np.array(one) for one in met]
    one = Layout(structure, dict.fromkeys(names, many), {}, dict(zip(names, codes, strict=True)), 1, 5)
    grouping = one.grouping(names)
    assert grouping.units == 4
    assert grouping.cells is not None
    assert grouping.cells.tolist() == [2, 2, 3, 0, 1]
    assert grouping.names().tolist() == ["1:6:6", "8:2:3000000", "8:3:10", "3000000:3000000:3000000"]
