"""One row a group."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.study.group_means import group_means


@pytest.fixture
def visits():
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "who": rng.permutation(np.repeat(["c", "a", "b"], [4, 2, 3])),
            "ward": "w",
            "x": rng.normal(size=9),
            "yes": rng.integers(0, 2, 9).astype(bool),
            "when": pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 100, 9), unit="D"),
        }
    ).assign(arm=lambda d: np.where(d["who"] == "b", "new", "old"))


def test_numbers_become_means(visits):
    found, grouping = group_means(visits, "who", ["x", "yes"])
    expected = visits.groupby("who")[["x", "yes"]].mean()
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    np.testing.assert_allclose(grouping.means(visits[["x", "x"]].to_numpy()), expected[["x", "x"]], rtol=1e-14)
    assert grouping.rows.tolist() == [2, 3, 4]


def test_dates_become_means_in_days(visits):
    found, _ = group_means(visits, "who", ["when"])
    days = (visits["when"] - pd.Timestamp("1970-01-01")).dt.days
    np.testing.assert_allclose(found["when"], days.groupby(visits["who"]).mean())


def test_categories_that_all_rows_of_a_group_share_stay(visits):
    found, _ = group_means(visits, "who", ["x", "arm"])
    assert found["arm"].tolist() == ["old", "new", "old"]
    assert found.columns.tolist() == ["x", "arm"]


def test_combinations_group_too(visits):
    found, _ = group_means(visits, "who:arm", ["x"])
    np.testing.assert_allclose(found["x"], visits.groupby(["who", "arm"])["x"].mean())


def test_rows_with_gaps_are_left_out_first(visits):
    visits.loc[visits["who"] == "a", "x"] = np.nan
    visits.loc[visits.index[visits["who"] == "b"][0], "x"] = np.nan
    found, grouping = group_means(visits, "who", ["x", "yes"])
    expected = visits.dropna().groupby("who")[["x", "yes"]].mean()
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert grouping.rows.tolist() == [2, 4]


BAD = {
    "a category that varies": (
        lambda d: group_means(d, "ward", ["x", "arm"]),
        "aggregate='ward' cannot take the mean of categories, and in 'arm' ward w has 'old' and 'new': leave it out, "
        "or code it in numbers.",
    ),
    "no column": (
        lambda d: group_means(d, "school", ["x"]),
        "the formula needs a column 'school', which the data do not have: known are 'who', 'ward', 'x', 'yes', 'when', "
        "'arm'.",
    ),
    "no values": (
        lambda d: group_means(d.assign(x=np.nan), "who", ["x"]),
        "no row has values in all of 'x', 'who': leave one of them out.",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_has_no_means(name, visits):
    call, sentence = BAD[name]
    with pytest.raises(ms.DataError) as error:
        call(visits.sort_values("arm", ascending=False))
    assert str(error.value) == sentence
