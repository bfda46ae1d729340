"""How two groups stand to each other."""

import numpy as np
import pandas as pd
import pytest

from mixedsim.words.kinds import read_kinds
from mixedsim.words.relations import combinations, relate

RNG = np.random.default_rng(1)


def table(schools=12, classes=4, pupils=6, **columns):
    rows = [(s, c) for s in range(schools) for c in range(classes) for _ in range(pupils)]
    frame = pd.DataFrame(rows, columns=["school", "class"]) + 1
    return frame.assign(**{name: make(frame) for name, make in columns.items()})


def relation(frame, a="school", b="class"):
    columns = {c.name: c for c in read_kinds(frame, [a, b])}
    others = [c for c in columns.values() if c.name not in (a, b)]
    return relate(columns[a], columns[b], others)


def test_unique_ids_are_nested():
    frame = table()
    frame["class"] += 100 * frame.school
    pair = relation(frame)
    assert (pair.a, pair.relation, pair.b) == ("class", "nested in", "school")
    assert pair.a_in_b.tolist() == [4] * 12
    assert pair.b_in_a.tolist() == [1] * 48


def test_one_to_one_is_the_same():
    assert relation(table().assign(**{"class": lambda d: d.school * 7})).relation == "same"


def test_ids_used_again():
    pair = relation(table())
    assert (pair.a, pair.relation, pair.b) == ("class", "implicitly nested in", "school")
    assert pair.why.startswith("the same 4 labels in every school")


def test_rows_without_order_make_no_difference():
    pair = relation(table().sample(frac=1, random_state=1))
    assert (pair.a, pair.relation, pair.b) == ("class", "implicitly nested in", "school")


def test_a_variable_of_the_combination_is_evidence():
    size = RNG.normal(size=(13, 5))
    frame = table(size=lambda d: size[d.school, d["class"]]).rename(columns={"class": "v"})
    frame["v"] = frame.v.map({1: "q", 2: "r", 3: "s", 4: "t"})
    assert relation(frame, b="v").why == "size has one value in each school:v"
    assert relation(frame.drop(columns="size"), b="v").relation == "crossed with"  # text without a sign of it


def test_unequal_numbers_of_labels_are_evidence():
    frame = table()
    frame = frame[(frame["class"] < 4) | (frame.school > 6)]
    assert relation(frame).why == "the labels start again in every school, which has 3 to 4 of them"


def test_labels_that_mean_the_same_everywhere_are_crossed():
    frame = table(y=lambda d: d["class"] + 0.1 * RNG.normal(size=len(d)))
    assert relation(frame).relation == "crossed with"
    frame = table(y=lambda d: RNG.normal(size=len(d)))
    assert relation(frame).relation == "implicitly nested in"


def test_labels_without_noise_are_crossed():
    assert relation(table(y=lambda d: d["class"] ** 2.0)).relation == "crossed with"


def test_items_and_single_rows_are_crossed():
    assert relation(table().rename(columns={"class": "item"}), b="item").relation == "crossed with"
    assert relation(table(pupils=1)).relation == "crossed with"


def test_some_combinations_missing():
    frame = table(pupils=1)
    frame = frame[(frame.school + frame["class"]) % 3 > 0]
    pair = relation(frame)
    assert pair.relation == "partially crossed with"
    assert (pair.cells, pair.possible) == (len(frame), 48)


def test_nearly_nested_ids_are_pointed_out():
    frame = table()
    frame["class"] += 100 * frame.school
    frame.loc[0, "school"] = 2
    assert relation(frame).why == (
        "47 of 48 levels of class occur in one level of school only, 1 in several: units that moved, or ids that were "
        "mistyped?"
    )


def test_regions_with_more_hospitals_than_there_are_regions():
    frame = table(schools=3, classes=10).rename(columns={"school": "region", "class": "hospital"})
    pair = relation(frame, "region", "hospital")
    assert (pair.a, pair.relation, pair.b) == ("hospital", "implicitly nested in", "region")


def test_three_levels_of_ids_used_again_make_one_chain():
    rows = [(r, s, c) for r in range(6) for s in range(5) for c in range(4) for _ in range(3)]
    frame = pd.DataFrame(rows, columns=["region", "school", "class"]) + 1
    groups = read_kinds(frame)
    pairs = [relate(groups[i], groups[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    made = combinations(groups, pairs)
    assert {g.name: g.levels for g in made} == {"region:school": 30, "region:school:class": 120}


def test_groups_that_never_meet():
    frame = pd.DataFrame({"a": ["x", "y", None, None], "b": [None, None, "u", "v"]})
    columns = read_kinds(frame, ["a", "b"])
    assert relate(*columns).why == "no row has both"


@pytest.mark.parametrize("gap", [0, 5])
def test_rows_without_a_group_are_left_out(gap):
    frame = table().astype({"class": float})
    frame.loc[gap, "class"] = np.nan
    assert relation(frame).relation == "implicitly nested in"
