"""Level numbers and names of grouping factors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedsim.errors import DataError
from mixedsim.levels import codes_in, group_codes
from mixedsim.reading import read_column


def coded(**columns):
    frame = pd.DataFrame(columns)
    codes, levels = group_codes({name: read_column(name, frame[name]) for name in columns})
    return codes, levels, frame


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["b", "a", "b"], ["a", "b"]),
        ([3, 1, 3], [1, 3]),
        ([0.5, -1.0, 0.5], [-1.0, 0.5]),
        ([True, False, True], [False, True]),
        (pd.to_datetime(["2020", "2019", "2020"]), list(pd.to_datetime(["2019", "2020"]))),
        (pd.Categorical(["b", "a", "b"], categories=["z", "b", "a"]), ["b", "a"]),
        (pd.array([3, 1, 3], dtype="Int64"), [1, 3]),
    ],
    ids=["text", "integers", "floats", "booleans", "dates", "categories keep their order", "nullable integers"],
)
def test_levels_are_sorted_and_used(values, labels):
    codes, levels, _ = coded(g=values)
    assert list(levels.labels) == labels
    assert [levels.labels[c] for c in codes] == list(values)


def test_combinations_are_those_that_occur_first_factor_slowest():
    codes, levels, _ = coded(a=["y", "x", "y", "x"], b=[2, 1, 1, 1])
    assert list(levels.labels) == ["x:1", "y:1", "y:2"]
    assert codes.tolist() == [2, 0, 1, 0]
    assert levels.names == ("a", "b")


def test_three_columns_combine_as_lme4_orders_them():
    # R: levels(droplevels(with(expand.grid(c=1:2, b=1:2, a=1:2), interaction(a, b, c, sep = ":", lex.order = TRUE))))
    grid = [(a, b, c) for a in (1, 2) for b in (1, 2) for c in (1, 2)]
    codes, levels, _ = coded(**dict(zip("abc", map(list, zip(*grid, strict=True)), strict=True)))
    assert list(levels.labels) == ["1:1:1", "1:1:2", "1:2:1", "1:2:2", "2:1:1", "2:1:2", "2:2:1", "2:2:2"]
    assert codes.tolist() == list(range(8))


@pytest.mark.parametrize(
    "columns", [{"g": ["b", "a", "c"]}, {"a": ["y", "x", "y"], "b": [2, 1, 1]}], ids=["one column", "two"]
)
def test_new_rows_get_the_same_numbers(columns):
    codes, levels, frame = coded(**columns)
    order = [2, 0, 1, 1]
    assert codes_in(levels, frame.iloc[order])[0].tolist() == codes[order].tolist()


def test_new_rows_may_be_stored_otherwise():
    codes, levels, _ = coded(g=pd.Categorical([3, 1, 2]))
    assert codes_in(levels, pd.DataFrame({"g": [3.0, 1.0, 2.0]}))[0].tolist() == codes.tolist()
    assert codes_in(levels, pd.DataFrame({"g": pd.array([3, None], dtype="Int64")}))[0].tolist() == [2, -1]


def test_a_missing_value_has_no_level():
    _, levels, _ = coded(a=["y", "x"], b=[2, 1])
    new = pd.DataFrame({"a": ["x", None, "y"], "b": [1.0, 2.0, np.nan]})
    codes, missing = codes_in(levels, new)
    assert codes.tolist() == [0, -1, -1]
    assert missing.tolist() == [False, True, True]


def test_new_levels_and_new_combinations_have_no_number_where_they_are_allowed():
    _, levels, _ = coded(a=["y", "x"], b=[2, 1])
    new = pd.DataFrame({"a": ["x", "y", "z", None], "b": [1, 1, 2, 7]})
    codes, missing = codes_in(levels, new, allow_new=True)
    assert codes.tolist() == [0, -1, -1, -1]
    assert missing.tolist() == [False, False, False, True]


def test_an_unseen_level_is_named():
    _, levels, _ = coded(a=["y", "x"], b=[2, 1])
    with pytest.raises(DataError) as caught:
        codes_in(levels, pd.DataFrame({"a": ["x", "y", "z", "z"], "b": [1, 1, 2, 2]}))
    assert str(caught.value) == (
        "'a:b' has levels that the model was not fitted on: 'y:1', 'z:2'; "
        "use random=False to predict the population mean for them, "
        "or allow_new_levels=True to do so for these rows alone."
    )


def test_a_level_of_another_kind_is_told_from_a_new_one():
    _, numbers, _ = coded(g=[1, 2, 2])
    _, texts, _ = coded(g=["1", "2", "2"])
    for levels, given, found in (
        (numbers, ["2", "1"], "'2' (str) where the model was fitted to 2"),
        (texts, [2, 1], "2 (int64) where the model was fitted to '2'"),
    ):
        for allow_new in (False, True):
            with pytest.raises(DataError) as caught:
                codes_in(levels, pd.DataFrame({"g": given}), allow_new=allow_new)
            assert str(caught.value) == f"'g' holds {found}: convert the column to the kind that it was."


def test_two_combinations_with_one_name_are_refused():
    with pytest.raises(DataError) as caught:
        coded(a=["p:q", "p"], b=["r", "q:r"])
    assert str(caught.value) == "two combinations of a and b are both called 'p:q:r': rename one level."


def test_a_million_rows_are_not_looped_over():
    rng = np.random.default_rng(1)
    frame = {"a": pd.Categorical.from_codes(rng.integers(0, 1000, 10**6), range(1000)), "b": rng.integers(0, 50, 10**6)}
    codes, levels = group_codes(frame)
    assert len(levels.labels) == 50_000
    assert levels.labels[codes[0]] == f"{frame['a'][0]}:{frame['b'][0]}"
