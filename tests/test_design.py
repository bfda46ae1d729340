"""From a formula and a table to what the engine needs: rows, columns, codes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedsim.design import build
from mixedsim.formula import parse
from mixedsim.frame import as_frame

RNG = np.random.default_rng(30)
N = 48


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "y": RNG.normal(10, 2, N),
            "x": RNG.normal(size=N),
            "c": np.tile(["lo", "mid", "hi"], N // 3),
            "g": np.repeat([f"g{i}" for i in range(6)], N // 6),
            "h": np.tile([f"h{i}" for i in range(8)], N // 8),
            "w": RNG.uniform(1, 2, N),
        },
        index=[f"row {i}" for i in range(N)],
    )


def design(formula, data, **more):
    return build(parse(formula), data, **more)


def test_every_row_is_used_where_nothing_is_missing(frame):
    made = design("y ~ x + (x | g)", frame)
    assert made.rows == made.rows_given == N
    assert made.used == slice(None)
    assert made.messages == ()
    assert made.index.equals(frame.index)
    assert np.shares_memory(made.y, frame["y"].to_numpy())


def test_rows_with_gaps_are_dropped_and_counted_by_column(frame):
    frame.loc["row 3", "y"] = np.nan
    frame.loc[["row 3", "row 5"], "x"] = np.nan
    frame.loc["row 7", ["c", "g"]] = None
    frame.loc["row 9", "h"] = None  # which the formula does not read
    made = design("y ~ x + c + (1 | g)", frame)
    assert made.rows == N - 3
    assert made.rows_given == N
    assert "row 5" not in made.index
    assert made.used.tolist() == [i for i in range(N) if i not in (3, 5, 7)]
    assert made.messages == ("3 of 48 rows were dropped because of missing values (c 1, g 1, x 2, y 1).",)
    np.testing.assert_array_equal(made.y, frame["y"].to_numpy()[made.used])


def test_weights_and_offset_follow_their_rows(frame):
    frame.loc["row 3", "x"] = np.nan
    made = design("y ~ x + (1 | g)", frame, weights="w", offset=np.arange(N))
    np.testing.assert_array_equal(made.weights, frame["w"].drop("row 3"))
    np.testing.assert_array_equal(made.offset, np.delete(np.arange(N), 3))


def test_rows_without_weight_are_dropped(frame):
    made = design("y ~ x + (1 | g)", frame, weights=np.where(np.arange(N) < 2, 0, 3))
    assert made.rows == N - 2
    assert made.weights.tolist() == [3.0] * (N - 2)
    assert made.messages == ("2 of 48 rows were dropped because their weight is zero.",)


@pytest.mark.parametrize("kind", [list, tuple, np.asarray, lambda w: w, lambda w: pd.array(w, dtype="Float64")])
def test_weights_may_come_in_any_shape_of_one_a_row(frame, kind):
    np.testing.assert_array_equal(design("y ~ x + (1 | g)", frame, weights=kind(frame["w"])).weights, frame["w"])


def test_an_offset_may_be_one_number(frame):
    assert design("y ~ x + (1 | g)", frame, offset=3).offset.tolist() == [3.0] * N


def test_factors_are_ordered_by_their_levels(frame):
    made = design("y ~ x + (1 | g) + (x | h) + (1 | c:g)", frame)
    assert [(f.name, len(f.levels)) for f in made.factors] == [("c:g", 18), ("h", 8), ("g", 6)]


def test_factors_of_equal_size_keep_the_order_of_the_formula(frame):
    frame["k"] = np.tile([f"k{i}" for i in range(6)], N // 6)
    assert [f.name for f in design("y ~ x + (1 | k) + (1 | g)", frame).factors] == ["k", "g"]


def test_all_terms_of_a_factor_stand_together(frame):
    (factor,) = design("y ~ x + (1 | g) + (0 + x | g)", frame).factors
    assert factor.effects == ("Intercept", "x")
    assert [term.term.text for term in factor.terms] == ["(1 | g)", "(0 + x | g)"]


def test_levels_keep_the_order_of_a_categorical_and_lose_the_unused(frame):
    frame["g"] = pd.Categorical(frame["g"], categories=["none", *(f"g{i}" for i in range(5, -1, -1))])
    frame["c"] = pd.Categorical(frame["c"], categories=["lo", "unused", "mid", "hi"])
    made = design("y ~ c + (1 | g)", frame)
    assert list(made.factors[0].levels) == [f"g{i}" for i in range(5, -1, -1)]
    assert made.factors[0].levels[made.factors[0].codes[0]] == "g0"
    assert made.x.names == ("Intercept", "c[T.mid]", "c[T.hi]")
    assert made.messages == ()


def test_a_level_that_only_dropped_rows_had_is_gone(frame):
    frame.loc[frame["g"] == "g2", "x"] = np.nan
    frame.loc[frame["c"] == "mid", "x"] = np.nan
    made = design("y ~ x + c + (1 | g)", frame)
    assert "g2" not in made.factors[0].levels
    assert "c[T.mid]" not in made.x.names


def test_combined_factors_are_named_as_lme4_names_them(frame):
    made = design("y ~ x + (1 | g/c)", frame)
    assert [f.name for f in made.factors] == ["c:g", "g"]
    assert list(made.factors[0].levels[:3]) == ["hi:g0", "hi:g1", "hi:g2"]


def test_fixed_and_varying_effects_share_their_columns(frame):
    made = design("y ~ x + (x | g) + (0 + x | h)", frame)
    assert made.x.columns[1] is made.factors[0].terms[0].columns.columns[0]
    assert made.x.columns[1] is made.factors[1].terms[0].columns.columns[1]


def test_the_group_may_also_be_a_predictor(frame):
    frame["day"] = np.repeat(np.arange(6), 8)
    made = design("y ~ day + (day | h) + (1 | day)", frame)
    assert made.factors[1].levels.tolist() == list(range(6))
    assert made.x.names == ("Intercept", "day")


def test_dates_are_days_as_predictors_and_dates_as_groups(frame):
    frame["when"] = np.repeat(pd.date_range("2020-01-01", periods=6), 8)
    made = design("y ~ when + (1 | when) + (when | h)", frame)
    assert made.x.columns[1][8] - made.x.columns[1][0] == 1
    assert made.factors[1].levels[1] == pd.Timestamp("2020-01-02")
    assert made.messages == ("the dates or times in 'when' enter as days, so its slope is a change per day.",)


def test_the_response_may_be_calculated(frame):
    np.testing.assert_allclose(design("log(y + 20) ~ x + (1 | g)", frame).y, np.log(frame["y"] + 20))
    np.testing.assert_allclose(design("y - w ~ x + (1 | g)", frame).y, frame["y"] - frame["w"])
    frame["my y"] = frame["y"]
    np.testing.assert_allclose(design("`my y` * 2 ~ x + (1 | g)", frame).y, 2 * frame["y"])


def test_a_change_may_be_explained_by_where_it_began(frame):
    np.testing.assert_allclose(design("I(y - w) ~ w + (1 | g)", frame).y, frame["y"] - frame["w"])


@pytest.mark.parametrize("index", [np.zeros(N, int), pd.MultiIndex.from_product([range(6), range(8)])])
def test_any_index_is_kept(frame, index):
    plain = design("y ~ x * c + (x | g)", frame)
    odd = design("y ~ x * c + (x | g)", frame.set_axis(index))
    np.testing.assert_array_equal(odd.x.matrix(), plain.x.matrix())
    np.testing.assert_array_equal(odd.factors[0].codes, plain.factors[0].codes)
    assert odd.index.equals(pd.Index(index))


@pytest.mark.parametrize(
    "name", ["np", "log", "pi", "C", "T", "class", "Weight (kg)", "a:b", "x|z", "50%", "a.b", "0", "é"]
)
@pytest.mark.parametrize("formula", ["y ~ `{}` * c + (`{}` || g)", "`{}` ~ x + (1 | g)", "y ~ x + (1 | `{}`/c)"])
def test_a_column_may_be_called_anything(frame, name, formula):
    role = {"y": "x", "`": "y"}[formula[0]] if "(1 | `" not in formula else "g"
    odd = design(formula.format(name, name), frame.rename(columns={role: name}))
    plain = design(formula.replace("`{}`", role), frame)
    np.testing.assert_array_equal(odd.y, plain.y)
    np.testing.assert_array_equal(odd.x.matrix(), plain.x.matrix())
    assert [f.name.replace(name, role) for f in odd.factors] == [f.name for f in plain.factors]
    assert [f.codes.tolist() for f in odd.factors] == [f.codes.tolist() for f in plain.factors]


class Table:
    """What polars and pyarrow tables have in common here."""

    def __init__(self, frame):
        self.frame = frame

    def to_pandas(self):
        return self.frame


@pytest.mark.parametrize(
    "kind",
    [
        lambda frame: frame.to_dict("list"),
        lambda frame: frame.to_dict("records"),
        lambda frame: {name: column.to_numpy() for name, column in frame.items()},
        Table,
    ],
    ids=["lists", "records", "arrays", "a table of another library"],
)
def test_what_is_a_table_becomes_a_frame(frame, kind):
    pd.testing.assert_frame_equal(as_frame(kind(frame)).reset_index(drop=True), frame.reset_index(drop=True))


def test_a_frame_is_never_changed(frame):
    before = frame.copy()
    frame.loc["row 3", "x"] = before.loc["row 3", "x"] = np.nan
    design("y ~ x * c + (x | g/c)", frame, weights="w", offset="w")
    pd.testing.assert_frame_equal(frame, before)
