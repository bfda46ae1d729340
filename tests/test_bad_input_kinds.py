"""Values of the wrong kind or size, wherever `ms.lmer` and its fits take values: one sentence, or the right numbers."""

from __future__ import annotations

import datetime
from functools import cache

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from tests.rows import N, good, with_

MODEL = "y ~ x + (1 | g)"


@cache
def fitted() -> ms.models.linear.LinearMixedModel:
    return ms.lmer("y ~ x + c + (x | g)", good())


def said(call, error=ms.DataError):
    with pytest.raises(error) as caught:
        call()
    assert caught.value.__cause__ is None
    return str(caught.value)


def first(value, other):
    """A column with `value` in its first row and `other` in the rest."""
    return pd.Series([value, *[other] * (N - 1)], dtype=object)


# ---- the response

RESPONSES = [
    ("boolean with a gap", pd.Series(good().x > 5, dtype="boolean").where(good().index != 3),
     "is boolean (True or False): use glmer with family='binomial', or convert it with data['y'].astype(float)."),
    ("boolean objects with a gap", first(None, True).where(np.arange(N) % 2 == 0, False),
     "is boolean (True or False): use glmer with family='binomial', or convert it with data['y'].astype(float)."),
    ("intervals", pd.arrays.IntervalArray.from_breaks(range(N + 1)),
     "holds intervals (interval[int64, right]): take their middle, data['y'].array.mid."),
    ("durations", pd.to_timedelta(range(N), unit="h"),
     "holds dates or times (timedelta64[us]): turn them into a number, such as days, first."),
]  # fmt: skip


@pytest.mark.parametrize(("values", "sentence"), [r[1:] for r in RESPONSES], ids=[r[0] for r in RESPONSES])
def test_a_response_that_is_no_number(values, sentence):
    assert said(lambda: ms.lmer("y ~ z + (1 | g)", with_(y=values))) == f"the response 'y' {sentence}"


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        (good().x > 5, "must be numbers, one a row, found Series of bool."),
        (good().x.astype(str), "must be numbers, one a row, found Series of str."),
        (pd.date_range("2020", periods=N, unit="s"), "must be numbers, one a row, found DatetimeIndex of "
         "datetime64[s]."),
        (good().x.to_numpy() * 1j, "must be numbers, one a row, found ndarray of complex128."),
        ("y", "must be numbers, one a row, found str."),
        (None, "must have one value for each of the 120 rows that were fitted, found shape ()."),
        (1e200 * good().z, "holds values of size 3e+200, too extreme to square: change the unit."),
        (1e-200 * good().z, "holds values of size 3e-200, too extreme to square: change the unit."),
    ],
    ids=["booleans", "text", "dates", "complex", "a name", "nothing", "huge", "tiny"],
)  # fmt: skip
def test_refitting_to_no_response(y, sentence):
    assert said(lambda: fitted().refit(y)) == f"the new response {sentence}"


# ---- predictors and groups


def test_times_of_several_zones():
    zones = [datetime.timezone(datetime.timedelta(hours=i % 3)) for i in range(N)]
    times = pd.Series([datetime.datetime(2020, 1, 1, tzinfo=zone) for zone in zones], dtype=object)
    for column in ("x", "g"):
        assert said(lambda column=column: ms.lmer(MODEL, with_(**{column: times}))) == (
            f"column {column!r} holds times of several time zones: bring them to one with "
            f"pd.to_datetime(data[{column!r}], utc=True)."
        )


@pytest.mark.parametrize("year", [1, 1650, 3000, 9000])
def test_years_that_nanoseconds_do_not_reach(year):
    dates = pd.Series([datetime.datetime(year, 1, 1) + datetime.timedelta(days=i) for i in range(N)], dtype=object)
    by_number = ms.lmer("y ~ t + (1 | g)", with_(t=np.arange(N)))
    fit = ms.lmer("y ~ t + (1 | g)", with_(t=dates))
    assert fit.fixef["t"] == pytest.approx(by_number.fixef["t"], rel=1e-6)


IDENTIFIERS = 2**60 + np.arange(12).repeat(10)


@pytest.mark.parametrize(
    "identifiers",
    [
        pd.Series(IDENTIFIERS),
        pd.Series(IDENTIFIERS.astype(np.uint64) + np.uint64(2**63)),
        pd.Series(IDENTIFIERS, dtype="Int64"),
        pd.Series(IDENTIFIERS).astype(object),
    ],
    ids=["int64", "uint64", "Int64", "objects"],
)
def test_long_identifiers_stay_apart(identifiers):
    fit = ms.lmer(MODEL, with_(g=identifiers))
    assert fit.n_groups == {"g": 12}
    np.testing.assert_allclose(fit.fixef, ms.lmer(MODEL, good()).fixef, rtol=1e-9)


def test_long_identifiers_with_a_gap_are_refused():
    gap = pd.Series(IDENTIFIERS, dtype="Int64").where(np.arange(N) != 3)
    assert said(lambda: ms.lmer(MODEL, with_(g=gap))) == (
        "column 'g' holds whole numbers beyond 2⁵³ that numbers with gaps cannot tell apart: make names of them with "
        "data['g'].astype(str), or drop the rows that lack one."
    )


@pytest.mark.parametrize("call", ["log(c)", "scale(c)", "I(c + 1)", "poly(c, 2)", "I(2 * x * c)"])
def test_calculations_with_categories_name_the_category(call):
    assert said(lambda: ms.lmer(f"y ~ {call} + (1 | g)", good())) == (
        f"cannot compute {call!r}: 'c' holds text or categories, not numbers."
    )


def test_levels_that_leave_some_out():
    assert said(lambda: ms.lmer("y ~ C(c, levels=['lo']) + (1 | g)", good())) == (
        "\"C(c, levels=['lo'])\" meets categories that the model was not fitted on: 'hi', 'mid'."
    )


# ---- tables


def test_a_structured_array_is_a_table():
    frame = good()[["y", "x"]].assign(g=np.arange(12).repeat(10))
    for table in (frame.to_records(index=False), np.array(frame.to_records(index=False))):
        np.testing.assert_allclose(ms.lmer(MODEL, table).fixef, ms.lmer(MODEL, frame).fixef, rtol=1e-12)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"y": [1, 2], "x": [1], "g": [1]},
         "the columns of the data have different lengths ('y' 2, 'x' 1, 'g' 1): give each one value a row."),
        ({"y": 1, "x": 2, "g": "a"},
         "the data have a single value in each column: write lists, as in {'y': [1, 2]}."),
        ({"y": good().y, "x": good().x.set_axis(range(1, N + 1)), "g": good().g},
         "the columns of the data are Series with different indexes: make a table of their values."),
        ("x" * 1000, f"there is no file or folder '{'x' * 48}…{'x' * 9}', and data that are text must name one: check "
         "the path."),
    ],
    ids=["lengths", "single values", "indexes", "a long text"],
)  # fmt: skip
def test_columns_that_form_no_table(table, sentence):
    assert said(lambda: ms.lmer(MODEL, table)) == sentence


def test_a_long_name_is_cut():
    assert said(lambda: ms.lmer(f"y ~ {'a' * 10_000} + (1 | g)", good())).startswith(
        f"the formula needs a column '{'a' * 48}…{'a' * 9}', which the data do not have: known are "
    )


# ---- weights, offset and options


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"weights": good().w * 1e-300}, "weights hold values of size 2e-300, too extreme to square: change the unit."),
        ({"weights": good().w * 1e300}, "weights hold values of size 2e+300, too extreme to square: change the unit."),
        ({"offset": good().w * 1e300}, "offset holds values of size 2e+300, too extreme to square: change the unit."),
        ({"weights": np.where(np.arange(N) == 7, 1e12, 1.0)},
         "the weight of row 7, 1e+12, makes nothing of the others, whose middle is 1: check the weights."),
        ({"weights": good().w.astype(str)},
         "weights must be numbers, one a row, or the name of a numeric column, found Series."),
        ({"offset": good().w.astype("string")},
         "offset must be numbers, one a row, or the name of a numeric column, found Series."),
        ({"offset": [str(w) for w in good().w]},
         "offset must be numbers, one a row, or the name of a numeric column, found list."),
    ],
    ids=["tiny", "huge", "huge offset", "one outweighs all", "text", "pandas' text", "a list of text"],
)  # fmt: skip
def test_weights_and_offsets_of_the_wrong_kind(more, sentence):
    assert said(lambda: ms.lmer(MODEL, good(), **more)) == sentence


def test_small_offsets_and_uneven_weights_are_fine():
    plain = ms.lmer(MODEL, good())
    np.testing.assert_allclose(ms.lmer(MODEL, good(), offset=1e-300 * good().w).fixef, plain.fixef, rtol=1e-9)
    assert ms.lmer(MODEL, good(), weights=np.where(np.arange(N) == 7, 1e-12, 1.0)).converged
    assert ms.lmer(MODEL, good(), weights=np.where(np.arange(N) == 7, 1e9, 1.0)).converged


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_reml_is_true_or_false(value):
    assert said(lambda: ms.lmer(MODEL, good(), reml=value), ms.MixedsimError) == (
        f"reml must be True or False, found {value!r}."
    )


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: fitted().predict(random=3), "random must be True, False or names of grouping factors ('g'), found 3."),
        (lambda: fitted().predict(random=None),
         "random must be True, False or names of grouping factors ('g'), found None."),
        (lambda: fitted().predict(interval="confidence", level="0.9"), "level must lie between 0 and 1, found '0.9'."),
        (lambda: fitted().coefficients(level=None), "level must lie between 0 and 1, found None."),
        (lambda: fitted().emmeans(5), "variables are given by name, found 5."),
        (lambda: fitted().emmeans("c", at=[1]), "at must map variables to values, as in {'x': [0, 1]}, found [1]."),
    ],
)  # fmt: skip
def test_options_of_the_wrong_type(call, sentence):
    assert said(call, ms.MixedsimError) == sentence


# ---- new rows

NEW = [
    ({"x": np.inf}, "column 'x' holds infinite values: row 0 holds inf (2 such rows); replace or remove them."),
    ({"x": pd.Timestamp("2020-01-01")},
     "column 'x' holds dates where the model was fitted to numbers: convert the column."),
    ({"x": pd.Timedelta(days=1)},
     "column 'x' holds durations where the model was fitted to numbers: convert the column."),
]  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), NEW)
@pytest.mark.parametrize("random", [True, False])
def test_predicting_for_predictors_of_another_kind(change, sentence, random):
    assert said(lambda: fitted().predict(good().iloc[:2].assign(**change), random=random)) == sentence


def test_predicting_for_dates_needs_dates():
    data = with_(t=pd.date_range("2020-01-01", periods=N))
    fit = ms.lmer("y ~ t + (1 | g)", data)
    np.testing.assert_allclose(fit.predict(data.iloc[:3]), fit.predict().iloc[:3])
    for value, kind in ((18262, "numbers"), (pd.Timedelta(days=1), "durations")):
        assert said(lambda value=value: fit.predict(data.iloc[:3].assign(t=value))) == (
            f"column 't' holds {kind} where the model was fitted to dates: convert the column."
        )
