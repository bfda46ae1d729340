"""A function of the user's as a variable: what it gets, what it may return, and that no file can hold it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from tests.simulate.variables.populations import CROSSED, NESTED, data, population

BEFORE = {
    "ses": ms.Normal(0, 1, level="school"),
    "x": ms.Normal(0, 1),
    "arm": ms.Categorical(["usual", "new"], level="school"),
}


def double(rng: np.random.Generator, size: int, x: np.ndarray) -> np.ndarray:
    return 2 * x


def noise(rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.normal(size=size)


def custom(variable: ms.Variable, size: object = (2, 5)) -> pd.DataFrame:
    return data({**BEFORE, "c": variable}, NESTED, size)


def test_it_gets_columns_and_gives_one() -> None:
    table = custom(ms.Custom(double, of=["x"]))
    np.testing.assert_array_equal(table["c"], 2 * table["x"])


def test_at_a_level_it_gets_and_gives_one_value_a_unit() -> None:
    sizes = []

    def count(rng: np.random.Generator, size: int, ses: np.ndarray, arm: pd.Categorical) -> np.ndarray:
        sizes.append((size, len(ses), len(arm)))
        return ses + (arm == "new")

    table = custom(ms.Custom(count, of=["ses", "arm"], level="school"))
    np.testing.assert_array_equal(table["c"], table["ses"] + (table["arm"] == "new"))
    assert sizes[-1] == (40, 40, 40)


def test_it_can_know_who_belongs_to_whom() -> None:
    def place(rng: np.random.Generator, size: int, school: np.ndarray) -> pd.Series:
        return pd.Series(school).groupby(school).cumcount()

    table = custom(ms.Custom(place, by=["school"]))
    np.testing.assert_array_equal(table["c"], table.groupby("school", observed=True).cumcount())
    classes = custom(ms.Custom(place, by=["school"], level="class")).drop_duplicates("class")
    np.testing.assert_array_equal(classes["c"], classes.groupby("school", observed=True).cumcount())


def test_the_seed_is_kept_and_streams_are_apart() -> None:
    variables = {**BEFORE, "c": ms.Custom(noise)}
    one, other = (population(variables, NESTED).draw(1).data for _ in range(2))
    pd.testing.assert_frame_equal(one, other)
    pd.testing.assert_frame_equal(one.drop(columns="c"), data(BEFORE, NESTED))


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (lambda rng, size: np.ones(size, dtype=bool), np.int64),
        (lambda rng, size: np.ones(size, dtype=np.int8), np.int64),
        (lambda rng, size: np.ones(size, dtype=np.float32), np.float64),
        (lambda rng, size: [1] * size, np.int64),
        (lambda rng, size: pd.Series(np.ones(size), index=np.arange(size)[::-1]), np.float64),
    ],
    ids=["booleans", "small integers", "single precision", "a list", "a Series"],
)
def test_numbers_have_the_package_s_kinds(made: Callable[..., Any], kind: type) -> None:
    column = custom(ms.Custom(made))["c"]
    assert column.dtype == kind
    assert (column == 1).all()


def test_texts_are_a_categorical() -> None:
    def word(rng: np.random.Generator, size: int) -> np.ndarray:
        return rng.choice(["b", "a"], size)

    table = data({"c": ms.Custom(word, levels=["b", "a", "none"]), "d": ms.Derived("c == 'a'")})
    assert table["c"].cat.categories.tolist() == ["b", "a", "none"]
    assert set(table["c"]) == {"a", "b"}
    assert ((table["c"] == "a") == table["d"]).all()


def test_what_it_returned_can_no_longer_be_changed() -> None:
    kept = []

    def keep(rng: np.random.Generator, size: int, x: np.ndarray) -> np.ndarray:
        kept.append(np.zeros(size))
        return kept[-1]

    column = data({"x": ms.Normal(0, 1), "c": ms.Custom(keep, of=["x"])})["c"]
    kept[-1][:] = 7
    assert (column == 0).all()


def test_what_it_gets_cannot_be_changed() -> None:
    def spoil(rng: np.random.Generator, size: int, x: np.ndarray) -> np.ndarray:
        x[:] = 0
        return x

    with pytest.raises(ms.PopulationError, match=r"^variables\.c\.function failed with ValueError: .*read-only"):
        custom(ms.Custom(spoil, of=["x"]))


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        (
            ms.Custom(lambda rng, size: np.zeros(size + 1)),
            "variables.c.function must return 36 values, as many as it is asked for, found 37.",
        ),
        (
            ms.Custom(lambda rng, size: 0.5),
            "variables.c.function must return 36 values, as many as it is asked for, found 0.5.",
        ),
        (
            ms.Custom(lambda rng, size: np.zeros((size, 2))),
            "variables.c.function must return 36 values, as many as it is asked for, found 36×2.",
        ),
        (
            ms.Custom(lambda rng, size: None),
            "variables.c.function must return 36 values, as many as it is asked for, found None.",
        ),
        (
            ms.Custom(lambda rng, size: ["a"] * size),
            "variables.c.function must return numbers, or texts that its levels name, found 'a'.",
        ),
        (
            ms.Custom(lambda rng, size: np.full(size, np.nan)),
            "variables.c.function must return finite numbers, found gaps or infinite ones.",
        ),
        (
            ms.Custom(lambda rng, size: ["old"] * size, levels=["usual", "new"]),
            "variables.c.function returned 'old', which is not among its levels: known are 'usual', 'new'.",
        ),
        (
            ms.Custom(lambda rng: 0),
            "variables.c.function failed with TypeError: .*<lambda>.* takes 1 positional argument but 2 were given",
        ),
        (ms.Custom(noise, of=["z"]), "variables.c.of uses 'z', which is not an earlier variable: known are 'ses', .*"),
        (
            ms.Custom(double, of=["x"], level="school"),
            "variables.c.of uses 'x', which differs from row to row, but c has one value a school.",
        ),
        (ms.Custom(noise, by=["scool"]), "variables.c.by must be a cluster, found 'scool': did you mean 'school'?"),
        (
            ms.Custom(noise, by=["class"], level="school"),
            "variables.c.by is 'class', but a school lies in no one class.",
        ),
        (ms.Custom(noise, level="scool"), "variables.c.level must be a cluster, found 'scool': did you mean .*"),
    ],
    ids=lambda v: v[:60] if isinstance(v, str) else "",
)
def test_what_it_cannot_return_or_get(variable: ms.Variable, message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        custom(variable, size=4)
    said = str(caught.value)
    if ".*" in message:
        head, *tail = message.split(".*")
        assert said.startswith(head)
        assert said.endswith(tail[-1])
    else:
        assert said == message


def test_the_cause_of_a_failure_is_kept() -> None:
    def fail(rng: np.random.Generator, size: int) -> np.ndarray:
        raise KeyError("mood")

    with pytest.raises(ms.PopulationError, match="failed with KeyError: 'mood'") as caught:
        custom(ms.Custom(fail))
    assert isinstance(caught.value.__cause__, KeyError)


def test_crossed_rows_belong_to_two() -> None:
    def product(rng: np.random.Generator, size: int, subject: np.ndarray, item: np.ndarray) -> np.ndarray:
        return subject * 100 + item

    table = data({"c": ms.Custom(product, by=["subject", "item"])}, CROSSED, size=2)
    assert (table["c"] == table["subject"].cat.codes.astype(int) * 100 + table["item"].cat.codes).all()


def test_no_file_can_hold_a_function() -> None:
    with pytest.raises(ms.PopulationError) as caught:
        population({"c": ms.Custom(noise)}).to_yaml()
    message = "variables.c is Custom, a Python function, which a file cannot hold: keep this population in Python."
    assert str(caught.value) == message
    text = """\
formula: y ~ 1
clusters: {g: 3}
size: 2
variables:
  c: {kind: Custom, function: "os:system"}
fixef: {Intercept: 1}
sigma: 1
"""
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population.from_yaml(text)
    assert str(caught.value) == (
        "line 5: variables.c.function must be a function of (rng, size, **columns), which no file can hold, "
        "found 'os:system'."
    )


def test_it_is_a_value_by_its_function() -> None:
    assert population({"c": ms.Custom(noise)}) == population({"c": ms.Custom(noise)})
    assert population({"c": ms.Custom(noise)}) != population({"c": ms.Custom(lambda rng, size: noise(rng, size))})
    assert pickle.loads(pickle.dumps(ms.Custom(np.zeros))) == ms.Custom(np.zeros)


def test_it_prints_as_its_name() -> None:
    assert "~ double(xᵢⱼₖ)\n" in str(population({**BEFORE, "c": ms.Custom(double, of=["x"])}, NESTED))
