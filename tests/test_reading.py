"""Whatever pandas stores a column as, it is read as numbers, categories or dates."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from mixedsim.errors import DataError
from mixedsim.reading import dates_as_days, gaps_in, read_column, require

NUMBERS = [
    ("int64", pd.Series([1, 2]), np.int64),
    ("int8", pd.Series([1, 2], dtype="int8"), np.int64),
    ("uint64", pd.Series([1, 2], dtype="uint64"), np.int64),
    ("float32", pd.Series([1, 2], dtype="float32"), np.float64),
    ("float16", pd.Series([1, 2], dtype="float16"), np.float64),
    ("longdouble", pd.Series(np.array([1, 2], dtype=np.longdouble)), np.float64),
    ("Int64", pd.Series([1, 2], dtype="Int64"), np.int64),
    ("Float64", pd.Series([1, 2], dtype="Float64"), np.float64),
    ("sparse", pd.Series(pd.arrays.SparseArray([1.0, 2.0])), np.float64),
    ("objects", pd.Series([1, 2.0], dtype=object), np.float64),
    ("decimals", pd.Series([Decimal("1"), Decimal("2")]), np.float64),
]


@pytest.mark.parametrize(("series", "dtype"), [c[1:] for c in NUMBERS], ids=[c[0] for c in NUMBERS])
def test_numbers_are_read_in_full_width(series, dtype):
    values = read_column("x", series)
    assert isinstance(values, np.ndarray)
    assert values.dtype == dtype
    np.testing.assert_array_equal(values, [1, 2])


def test_floats_are_not_copied():
    series = pd.Series([1.0, 2.0])
    assert np.shares_memory(read_column("x", series), series.to_numpy())


BOOLEANS = [pd.Series([True, False]), pd.Series([True, False], dtype="boolean"), pd.Series([True, False], dtype=object)]


@pytest.mark.parametrize("series", BOOLEANS, ids=["bool", "boolean", "objects"])
def test_booleans_stay_booleans(series):
    assert read_column("x", series).dtype == bool


GAPPY = [
    pd.Series([1, None], dtype="Int64"),
    pd.Series([1.0, None], dtype="Float64"),
    pd.Series([True, None], dtype="boolean"),
    pd.Series([True, None], dtype=object),
    pd.Series([1, None], dtype=object),
    pd.Series([Decimal(1), None]),
]


@pytest.mark.parametrize("series", GAPPY, ids=["Int64", "Float64", "boolean", "objects", "ints", "decimals"])
def test_gaps_among_numbers_are_nan(series):
    values = read_column("x", series)
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, [1, np.nan])
    np.testing.assert_array_equal(gaps_in(values), [False, True])


TEXT = [
    pd.Series(["b", "a", None, "b"]),
    pd.Series(["b", "a", None, "b"], dtype=object),
    pd.Series(["b", "a", None, "b"], dtype="string"),
]


@pytest.mark.parametrize("series", TEXT, ids=["str", "objects", "string"])
def test_text_becomes_categories_in_alphabetical_order(series):
    values = read_column("c", series)
    assert isinstance(values, pd.Categorical)
    assert list(values.categories) == ["a", "b"]
    np.testing.assert_array_equal(gaps_in(values), [False, False, True, False])


def test_categories_keep_their_order():
    given = pd.Categorical(["lo", "hi"], categories=["lo", "mid", "hi"], ordered=True)
    assert list(read_column("c", pd.Series(given)).categories) == ["lo", "mid", "hi"]


STAMPS = pd.to_datetime(["1970-01-02 00:00", "1970-01-03 12:00"])
DATES = [
    ("datetime64", pd.Series(STAMPS), [1, 2.5]),
    ("with a time zone", pd.Series(STAMPS.tz_localize("Etc/GMT-1")), [1 - 1 / 24, 2.5 - 1 / 24]),
    ("date objects", pd.Series([datetime.date(1970, 1, 2), datetime.date(1970, 1, 3)]), [1, 2]),
    ("datetime objects", pd.Series([datetime.datetime(1970, 1, 2, 6)], dtype=object), [1.25]),
    ("durations", pd.Series(pd.to_timedelta([1, 36], unit="h")), [1 / 24, 1.5]),
    ("duration objects", pd.Series([datetime.timedelta(hours=12)], dtype=object), [0.5]),
    ("periods", pd.Series(pd.period_range("1970-01", periods=2, freq="M")), [0, 31]),
    ("period objects", pd.Series(pd.period_range("1970-01", periods=2, freq="M"), dtype=object), [0, 31]),
]


@pytest.mark.parametrize(("series", "days"), [c[1:] for c in DATES], ids=[c[0] for c in DATES])
def test_dates_become_days(series, days):
    values = dates_as_days(read_column("t", series))
    assert values.dtype == np.float64
    np.testing.assert_allclose(values, days, rtol=1e-12)


def test_a_missing_date_is_a_missing_day():
    dates = pd.Series(pd.to_datetime(["1970-01-02", None]))
    np.testing.assert_array_equal(dates_as_days(read_column("t", dates)), [1, np.nan])


def test_intervals_are_categories():
    cut = pd.Series(pd.arrays.IntervalArray.from_tuples([(0, 1), (1, 2)]))
    assert isinstance(dates_as_days(read_column("c", cut)), pd.Categorical)


def test_nothing_but_gaps_is_all_missing():
    assert gaps_in(read_column("x", pd.Series([None, None]))).all()


REFUSED = [
    (pd.Series([1j, 2]), "column 'x' holds complex numbers: take their real part or modulus first."),
    (pd.Series([1j, 2j], dtype=object), "column 'x' holds complex numbers: take their real part or modulus first."),
    (
        pd.Series([1.5, "n/a", 2.5]),
        "column 'x' holds different kinds of values, such as 'n/a' (str): make all of them numbers, or all text.",
    ),
    (
        pd.Series([[1], [2]]),
        "column 'x' holds neither numbers nor text, such as [1] (list): make all of them numbers, or all text.",
    ),
    (
        pd.Series([(1, 2), (3, 4)]),
        "column 'x' holds neither numbers nor text, such as (1, 2) (tuple): make all of them numbers, or all text.",
    ),
]


@pytest.mark.parametrize(("series", "sentence"), REFUSED, ids=[s for _, s in REFUSED])
def test_what_is_neither_is_refused(series, sentence):
    with pytest.raises(DataError) as caught:
        read_column("x", series)
    assert str(caught.value) == sentence


FRAME = pd.DataFrame({"reaction": [1.0], "days": [1], "my x": [2]})
MISSING = [
    ("Reaction", FRAME, "did you mean 'reaction'?"),
    ("day", FRAME, "did you mean 'days'?"),
    ("quite", FRAME, "known are 'reaction', 'days', 'my x'."),
    ("subject", FRAME.rename_axis("subject"), "it is the index; make it a column with data.reset_index()."),
    ("0", pd.DataFrame([[1.0]]), "their name 0 is a number; make names text with data.columns.astype(str)."),
    ("x", {"y": [1]}, "known are 'y'."),
]


@pytest.mark.parametrize(("name", "data", "tail"), MISSING, ids=[tail for *_, tail in MISSING])
def test_a_missing_column_gets_advice(name, data, tail):
    with pytest.raises(DataError) as caught:
        require(data, [name])
    assert str(caught.value) == f"the formula needs a column {name!r}, which the data do not have: {tail}"
