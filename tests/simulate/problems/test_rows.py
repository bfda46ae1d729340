"""Rows that stand twice, and rows under the wrong name."""

from __future__ import annotations

import numpy as np
import pandas as pd

import mixedsim as ms
from tests.simulate.problems.wards import WARDS, close, complete, spoiled

MANY = 600


def test_a_share_of_the_rows_stands_twice_the_copy_behind_the_row() -> None:
    sample = spoiled(ms.Duplicated(0.1), wards=MANY)
    origin = sample.truth.original_row
    copies = origin.diff() == 0
    close(np.bincount(origin) - 1, 0.1)
    assert (origin.diff().dropna() >= 0).all()
    pd.testing.assert_series_equal(sample.data.duplicated(), copies, check_names=False)
    pd.testing.assert_frame_equal(sample.data[~copies].reset_index(drop=True), complete(1, MANY), check_exact=True)
    assert sample.data.index.equals(pd.RangeIndex(len(sample.data)))


def test_a_share_may_depend_on_the_row() -> None:
    sample = spoiled(ms.Duplicated("1 * (pain > 40)"))
    twice = np.bincount(sample.truth.original_row) == 2
    np.testing.assert_array_equal(twice, sample.truth.complete["pain"] > 40)


def test_none_and_all_twice() -> None:
    pd.testing.assert_frame_equal(spoiled(ms.Duplicated(0)).data, complete())
    assert len(spoiled(ms.Duplicated(1)).data) == 2 * len(complete())
    assert len(spoiled(ms.Duplicated(1), ms.Duplicated(1)).data) == 4 * len(complete())


def test_what_is_wrong_with_a_row_is_wrong_with_its_copy_and_what_follows_is_not() -> None:
    sample = spoiled(ms.Missing("dose", 0.5), ms.Duplicated(1), ms.Missing("pain", 0.5), wards=60)
    pairs = sample.data.isna().groupby(sample.truth.original_row)
    assert pairs["dose"].nunique().max() == 1
    close(pairs["pain"].nunique() == 2, 0.5)


def test_wrong_names_are_those_of_siblings() -> None:
    sample = spoiled(ms.Miscoded("patient", 0.2), wards=MANY)
    true, data = sample.truth.complete, sample.data
    wrong = true["patient"].astype(str) != data["patient"].astype(str)
    ward_of = dict(zip(true["patient"], true["ward"], strict=True))
    assert (data["patient"].map(ward_of).astype(str) == true["ward"].astype(str)).all()
    alone = true.groupby("ward", observed=True)["patient"].transform("nunique") == 1
    assert alone.any()
    assert not wrong[alone].any()
    close(wrong[~alone], 0.2)
    assert data["patient"].cat.categories.equals(true["patient"].cat.categories)
    pd.testing.assert_frame_equal(data.drop(columns="patient"), true.drop(columns="patient"))


def test_all_siblings_are_equally_likely() -> None:
    four = WARDS.with_(clusters={"ward": 1, "patient": {"in": "ward", "n": 4}}, size=10_000)
    sample = four.with_(problems=[ms.Miscoded("patient", 1)]).draw(1)
    table = pd.crosstab(sample.truth.complete["patient"], sample.data["patient"])
    assert (np.diag(table) == 0).all()
    off = table.to_numpy()[~np.eye(4, dtype=bool)]
    assert abs(off - 10_000 / 3).max() < 4.5 * np.sqrt(10_000 * 2 / 9)


def test_outermost_clusters_are_mistaken_for_any_other() -> None:
    sample = spoiled(ms.Miscoded("ward", 1))
    assert (sample.data["ward"].astype(str) != sample.truth.complete["ward"].astype(str)).all()
    assert sample.data["ward"].nunique() == 6
    only = WARDS.with_(clusters={"ward": 1, "patient": {"in": "ward", "n": 3}}, problems=[ms.Miscoded("ward", 1)])
    assert (only.draw(1).data["ward"] == "1").all()


def test_a_missing_id_is_not_mistaken() -> None:
    sample = spoiled(ms.Missing("patient", 0.5, grouping=True), ms.Miscoded("patient", 1), wards=60)
    close(sample.data["patient"].isna(), 0.5)


def test_wrong_names_in_crossed_clusters() -> None:
    population = ms.Population(
        "rt ~ 1 + (1 | subject) + (1 | item)",
        clusters={"subject": 20, "item": 10},
        size=1,
        fixef={"Intercept": 400},
        ranef={"subject": {"sd": 50}, "item": {"sd": 20}},
        sigma=60,
        problems=[ms.Miscoded("item", 0.3), ms.Dropout(0.1, by="subject")],
    )
    sample = population.draw(1)
    true = sample.truth.complete.loc[sample.truth.original_row].reset_index(drop=True)
    wrong = true["item"].astype(str) != sample.data["item"].astype(str)
    assert 0.15 < wrong.mean() < 0.45
    assert (true["subject"] == sample.data["subject"]).all()
