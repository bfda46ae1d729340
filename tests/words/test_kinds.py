"""What a column is, by its values, its order and its name."""

import numpy as np
import pandas as pd
import pytest

from mixedsim.words.kinds import read_kinds
from mixedsim.words.names import names_time, names_unit

RNG = np.random.default_rng(1)
N = 200
BLOCKS = np.repeat(np.arange(20), 10)
TIMES = np.tile(np.arange(10), 20)


def kind(name, values, **others):
    return read_kinds(pd.DataFrame({**others, name: values}))[-1].kind


CASES = {
    "text of many values": ("v", [f"p{i}" for i in BLOCKS], "group"),
    "text of few": ("v", np.where(BLOCKS < 7, "a", "b"), "category"),
    "text of few named as a unit": ("cask", np.where(BLOCKS < 7, "a", "b"), "group"),
    "an ordered Categorical": ("v", pd.Categorical(TIMES, ordered=True), "category"),
    "text for each row": ("v", [f"r{i}" for i in range(N)], "identifier"),
    "fractions kept as text": ("v", [f"{i / 4}" for i in TIMES], "category"),
    "whole numbers in blocks": ("v", BLOCKS + 300, "group"),
    "the same as floats": ("v", BLOCKS + 300.0, "group"),
    "the same named as a time": ("age", BLOCKS + 300, "number"),
    "fractions in blocks": ("v", BLOCKS / 3, "number"),
    "unsorted ids named so": ("k_id", RNG.permutation(BLOCKS), "group"),
    "unsorted ids from 0 on": ("v", RNG.permutation(BLOCKS), "group"),
    "ids with gaps in the data": ("v", np.where(BLOCKS == 3, np.nan, BLOCKS), "group"),
    "unsorted whole numbers from 40 on": ("v", RNG.permutation(BLOCKS) + 40, "number"),
    "a score": ("v", RNG.binomial(40, 0.5, N), "number"),
    "a count": ("v", RNG.poisson(8.0, N), "number"),
    "a size": ("school_size", RNG.permutation(BLOCKS) + 300, "number"),
    "a number of": ("n_school", RNG.permutation(BLOCKS) + 300, "number"),
    "measurements": ("v", RNG.normal(size=N), "number"),
    "zeros and ones": ("v", TIMES % 2, "0-1"),
    "booleans": ("v", TIMES > 4, "0-1"),
    "ones and twos": ("v", TIMES % 2 + 1, "two numbers"),
    "row numbers": ("v", np.arange(1, N + 1), "identifier"),
    "a date": ("v", pd.Timestamp("2024-01-01") + pd.to_timedelta(TIMES, unit="D"), "date"),
    "one value": ("v", np.full(N, 3.0), "constant"),
    "no value": ("v", np.full(N, np.nan), "empty"),
    "objects": ("v", [object()] * N, "unreadable"),
}


@pytest.mark.parametrize(("name", "values", "expected"), CASES.values(), ids=CASES)
def test_a_column_alone(name, values, expected):
    assert kind(name, values) == expected


PERSON = [f"p{i}" for i in BLOCKS]


def test_numbers_that_count_the_rows_within_a_group_are_numbers():
    assert kind("v", np.tile(np.arange(20), 20), person=np.repeat([f"p{i}" for i in range(20)], 20)) == "number"


def test_numbers_that_measure_a_group_are_numbers():
    assert kind("v", BLOCKS * 10, person=PERSON) == "number"


def test_numbers_that_start_again_in_every_level_are_a_group():
    assert kind("v", np.tile(np.repeat([1, 2], 5), 20), school=PERSON) == "two numbers"  # two values may be anything
    assert kind("v", np.tile(np.repeat([1, 2, 3, 4, 5], 2), 20), school=PERSON) == "group"


def test_the_caller_has_the_last_word():
    frame = pd.DataFrame({"v": RNG.poisson(8.0, N), "w": PERSON})
    assert [c.kind for c in read_kinds(frame, groups=["v"], response="w")] == ["group", "group"]
    assert read_kinds(pd.DataFrame({"item": BLOCKS}), response="item")[0].kind == "number"


def test_infinite_values_count_as_missing():
    column = read_kinds(pd.DataFrame({"v": [1.5, np.inf, -np.inf, np.nan, 2.5]}))[0]
    assert (column.missing, column.infinite, column.levels) == (3, 2, 2)


@pytest.mark.parametrize("name", ["school", "School", "schoolID", "school_id", "k_id", "class_no", "subjid", "id"])
def test_names_of_units(name):
    assert names_unit(name)


@pytest.mark.parametrize("name", ["schools", "school_size", "n_id_cards", "price", "y", "", "number", "student_age"])
def test_names_of_no_unit(name):
    assert not names_unit(name)


def test_names_of_times():
    assert names_time("Days")
    assert names_time("student_age")
    assert not names_time("daylight")
