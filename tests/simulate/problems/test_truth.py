"""The truth knows exactly what went wrong: the complete data, the way from row to row, and the book of changes."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mixedsim as ms
from mixedsim.simulate.rseed import RSeed
from tests.simulate.problems.wards import WARDS, complete, spoiled

EVERYTHING = (
    ms.MeasurementError("dose", sd=1),
    ms.Missing("dose", "logistic(pain - 40)"),
    ms.Missing("age", 0.3),
    ms.Missing("arm", 0.2, level="ward"),
    ms.Outliers("pain", 0.1, shift=5),
    ms.Rounded("pain", to=1, share=0.6),
    ms.Duplicated(0.2),
    ms.Shifted("beds", 0.3),
    ms.Miscoded("patient", 0.2),
    ms.Dropout(0.15, by="patient"),
    ms.Duplicated(0.1),
    ms.Limits("pain", low=35, high=60),
    ms.Dropout(0.2, by="ward", gone="response", leaves="after"),
    ms.Missing("ward", 0.1, grouping=True),
)


def test_complete_is_what_would_have_been_drawn() -> None:
    pd.testing.assert_frame_equal(spoiled(*EVERYTHING).truth.complete, complete(), check_exact=True)


def test_without_problems_all_is_as_it_was() -> None:
    sample = WARDS.draw(1)
    pd.testing.assert_frame_equal(sample.data, sample.truth.complete, check_exact=True)
    assert sample.truth.original_row.tolist() == list(range(len(sample.data)))
    book = sample.truth.problems
    assert book.columns.tolist() == ["problem", "step", "row", "original_row", "column", "was", "now"]
    assert len(book) == 0
    assert book.dtypes[["step", "row", "original_row"]].astype(str).tolist() == ["int64", "Int64", "int64"]


def assert_book_is_right(sample: ms.Sample) -> None:
    """The book is neither more nor less than the difference between the complete data and the data."""
    book, data, true = sample.truth.problems, sample.data, sample.truth.complete
    origin = sample.truth.original_row.to_numpy()
    cells = book[book["column"].notna()]
    whole = book[book["column"].isna()]

    for column, entries in cells.groupby("column"):
        assert entries["was"].tolist() == true[column].astype(object).loc[entries["original_row"]].tolist()

    # What the last step left in every cell of the book is in the data, and whatever differs is in the book.
    last = cells[cells["row"].notna()].drop_duplicates(["row", "column"], keep="last")
    for column in data:
        entries = last[last["column"] == column]
        rows = entries["row"].to_numpy(dtype=int)
        assert (origin[rows] == entries["original_row"]).all()
        now = data[column].astype(object).to_numpy()
        before = true[column].astype(object).to_numpy()[origin]
        assert same(now[rows], entries["now"].to_numpy(dtype=object)).all()
        assert set(np.flatnonzero(~same(now, before))) <= set(rows)
        assert set(rows[same(now, before)[rows]]) <= set(rows[entries["step"].to_numpy() > 1])

    # Rows that are gone, and rows that are there again.
    gone = set(range(len(true))) - set(origin)
    assert gone <= set(whole.loc[whole["row"].isna(), "original_row"])
    assert book.loc[~book["original_row"].isin(origin), "row"].isna().all()
    copies = whole[whole["problem"] == "Duplicated"]
    assert len(data) == len(true) + len(copies) - (whole["problem"] == "Dropout").sum()
    assert set(book["problem"].dropna()) <= {type(one).__name__ for one in sample.population.problems}
    assert book["step"].is_monotonic_increasing
    assert [type(sample.population.problems[step - 1]).__name__ for step in book["step"]] == book["problem"].tolist()


def same(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one == other) | (pd.isna(one) & pd.isna(other))


@pytest.mark.parametrize("problem", EVERYTHING, ids=lambda one: f"{type(one).__name__} {one.target}")
def test_the_book_of_one_problem(problem: object) -> None:
    sample = spoiled(problem, wards=20)
    assert_book_is_right(sample)
    assert len(sample.truth.problems) > 0
    cells = sample.truth.problems.dropna(subset=["column"])
    assert not same(cells["was"].to_numpy(dtype=object), cells["now"].to_numpy(dtype=object)).any()


def test_the_book_of_all_of_them() -> None:
    sample = spoiled(*EVERYTHING, wards=20)
    assert_book_is_right(sample)
    assert set(sample.truth.problems["step"]) == set(range(1, len(EVERYTHING) + 1))


@settings(max_examples=25, deadline=None)
@given(st.permutations(EVERYTHING), st.integers(0, 2**32))
def test_the_book_in_any_order(problems: list[object], seed: int) -> None:
    assert_book_is_right(spoiled(*problems, seed=seed, wards=3))


def test_the_book_of_a_sample_that_replays_another_program() -> None:
    assert_book_is_right(WARDS.with_(problems=EVERYTHING).draw(RSeed(123)))


def test_the_rows_of_the_truth_find_the_rows_of_the_data() -> None:
    sample = spoiled(ms.Duplicated(0.3), ms.Dropout(0.3, by="patient"))
    truth = sample.truth
    parts = (truth.linear_predictor + truth.residuals).loc[truth.original_row].reset_index(drop=True)
    np.testing.assert_allclose(sample.data["pain"], parts, rtol=1e-12)
    assert len(truth.hidden) == len(truth.complete)


def test_the_same_seed_gives_the_same_trouble() -> None:
    one, again, other = (spoiled(*EVERYTHING, seed=seed) for seed in (5, 5, 6))
    pd.testing.assert_frame_equal(one.data, again.data, check_exact=True)
    pd.testing.assert_frame_equal(one.truth.problems, again.truth.problems, check_exact=True)
    assert not one.data.equals(other.data)
    twin = pickle.loads(pickle.dumps(one))
    pd.testing.assert_frame_equal(twin.truth.problems, one.truth.problems)


class TestRandomNumbersOfTheirOwn:
    """One problem more or less leaves the luck of the others as it was."""

    def test_what_is_drawn_stays(self) -> None:
        pd.testing.assert_frame_equal(spoiled(ms.Missing("dose", 0.5)).data.drop(columns="dose"), DOSELESS)

    def test_one_more_at_the_end(self) -> None:
        before = spoiled(*EVERYTHING).truth.problems
        after = spoiled(*EVERYTHING, ms.Outliers("age", 0.5, times=2)).truth.problems
        pd.testing.assert_frame_equal(after[after["step"] <= len(EVERYTHING)], before)

    def test_one_more_at_the_beginning(self) -> None:
        alone = spoiled(ms.Missing("dose", 0.3), wards=60)
        for earlier in (ms.Missing("pain", 0.3), ms.Missing("age", 0.3), ms.Rounded("dose", to=1)):
            after = spoiled(earlier, ms.Missing("dose", 0.3), wards=60)
            pd.testing.assert_series_equal(after.data["dose"].isna(), alone.data["dose"].isna())

    def test_rows_that_go_or_come_do_not_shift_the_luck_of_others(self) -> None:
        alone = spoiled(ms.Missing("dose", 0.3), wards=60).data["dose"].isna()
        fewer = spoiled(ms.Dropout(0.3, by="patient"), ms.Missing("dose", 0.3), wards=60)
        assert fewer.data["dose"].isna().tolist() == alone[fewer.truth.original_row].tolist()
        more = spoiled(ms.Duplicated(0.3), ms.Missing("dose", 0.3), wards=60)
        originals = ~more.truth.original_row.duplicated()
        assert more.data["dose"].isna()[originals].tolist() == alone.tolist()

    def test_a_larger_share_strikes_the_same_and_more(self) -> None:
        few = spoiled(ms.Missing("dose", 0.2), wards=60).data["dose"].isna()
        many = spoiled(ms.Missing("dose", 0.5), wards=60).data["dose"].isna()
        assert (many | ~few).all()
        assert many.sum() > few.sum()

    def test_two_of_one_kind_are_independent(self) -> None:
        twice = spoiled(ms.Missing("dose", 0.5), ms.Missing("dose", 0.5), wards=600).data["dose"].isna()
        assert abs(twice.mean() - 0.75) < 4.5 * np.sqrt(0.75 * 0.25 / len(twice))
        columns = spoiled(ms.Missing("dose", 0.5), ms.Missing("falls", 0.5), wards=600).data.isna()
        both = (columns["dose"] & columns["falls"]).mean()
        assert abs(both - 0.25) < 4.5 * np.sqrt(0.25 * 0.75 / len(columns))


DOSELESS = complete().drop(columns="dose")
