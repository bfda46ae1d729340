"""Variables in numbers, at their own level."""

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms


@pytest.fixture(scope="module")
def clinic():
    return ms.scenarios.therapist_confounder().draw(seed=1).data


def test_a_price_has_a_hundred_values_and_not_five_thousand(clinic):
    table = ms.describe(clinic, group="therapist")
    own = clinic.drop_duplicates("therapist")["price"]
    assert table.loc["price", ["level", "n", "n_groups"]].tolist() == ["therapist", 100, 100]
    assert table.loc["price", ["mean", "sd"]].tolist() == pytest.approx([own.mean(), own.std()])
    assert table.loc["price", ["sd_within", "icc"]].tolist() == [0.0, 1.0]
    assert table.loc["depression", ["level", "n"]].tolist() == ["row", 5000]
    assert table.notes[0] == (
        "price (100 values) has one value for each level of therapist: in n, mean and sd a level counts once."
    )


def test_without_a_group_it_is_a_plain_table(clinic):
    table = ms.describe(clinic)
    assert table.loc["price", "n"] == 5000
    expected = clinic[["price", "depression", "sex", "anxiety"]].agg(["mean", "std", "min", "max"]).T
    np.testing.assert_allclose(table.loc[expected.index, ["mean", "sd", "min", "max"]], expected, rtol=1e-12)
    assert list(table.columns) == ["n", "missing", "distinct", "mean", "sd", "min", "max"]


def test_the_icc_of_balanced_data_is_that_of_reml():
    """With equal sizes and MSB > MSW the two estimators are the same."""
    data = ms.datasets.load("Dyestuff")
    table = ms.describe(data, "Batch")
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", data)
    variance = fit.varcorr["variance"].iloc[0]
    assert table.loc["Yield", "icc"] == pytest.approx(variance / (variance + fit.sigma**2), rel=1e-6)
    assert table.loc["Yield", "sd_within"] == pytest.approx(fit.sigma, rel=1e-6)


def test_a_negative_icc_is_shown_as_it_is():
    table = ms.describe(ms.datasets.load("Dyestuff2"), "Batch")
    assert table.loc["Yield", "icc"] < -0.05
    assert np.isnan(table.loc["Yield", "sd_between"])
    assert "A negative ICC (Yield)" in str(table)


def test_several_groups_have_a_row_each():
    table = ms.describe(ms.datasets.load("Pastes"), group=["batch", "batch:cask"])
    assert table.index.names == ["variable", "group"]
    assert table.loc[("strength", "batch:cask"), "n_groups"] == 30
    assert table.loc[("strength", "batch"), "icc"] < table.loc[("strength", "batch:cask"), "icc"]
    assert table.groups["levels"].to_dict() == {"batch": 10, "batch:cask": 30}
    assert table.correlations.columns.tolist() == [
        "total", "within batch", "between batch", "within batch:cask", "between batch:cask",
    ]  # fmt: skip


def test_correlations_are_split(clinic):
    found = ms.describe(clinic, "therapist").correlations
    means = clinic.groupby("therapist", observed=True)[["depression", "anxiety", "price"]].mean()
    within = clinic[["depression", "anxiety"]] - means.loc[clinic.therapist, ["depression", "anxiety"]].to_numpy()
    row = found.loc[("depression", "anxiety")]
    assert row["total"] == pytest.approx(clinic["depression"].corr(clinic["anxiety"]))
    assert row["within"] == pytest.approx(within["depression"].corr(within["anxiety"]))
    assert row["between"] == pytest.approx(means["depression"].corr(means["anxiety"]))
    assert np.isnan(found.loc[("price", "anxiety"), "within"])


def test_categories_are_counted_at_their_own_level():
    table = ms.describe(ms.datasets.load("nlschools"), group="class")
    assert table.categories.loc[("COMB", "1"), ["n", "level", "in_class"]].tolist() == [55, "class", 55]
    assert table.categories["share"].sum() == pytest.approx(1)
    assert "class" not in table.index


def test_missing_values_are_counted_and_left_out():
    data = {"g": ["a", "a", "b", "b", None], "x": [1.0, np.nan, 3.0, 4.0, 5.0], "when": pd.Timestamp("2024-01-01")}
    table = ms.describe(data, "g")
    assert table.loc["x", ["n", "missing", "n_groups", "mean"]].tolist() == [4, 1, 2, 3.25]
    assert table.groups.loc["g", ["levels", "missing"]].tolist() == [2, 1]
    assert table.dates.loc["when", "last"] == pd.Timestamp("2024-01-01")


def test_parts_of_the_table_are_tables():
    table = ms.describe(ms.datasets.load("sleepstudy"), "Subject")
    assert type(table[["n", "icc"]]) is pd.DataFrame
    assert "<table" in table._repr_html_()


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ("grp", "the data have no column 'grp': known are 'g', 'x'."),
        (3, "a group is given by name, one or a list of them, found 3."),
        ([3], "a group is given by name, one or a list of them, found 3."),
        ("empty", "the group 'empty' is missing in every row: nothing can be split by it."),
    ],
)
def test_a_group_that_is_none(group, message):
    data = pd.DataFrame({"g": ["a", "b"], "x": [1.0, 2.0]})
    if group == "empty":
        data["empty"] = np.nan
    with pytest.raises(ms.DataError) as error:
        ms.describe(data, group)
    assert str(error.value) == message


def test_infinite_values_are_an_error():
    with pytest.raises(ms.DataError, match=r"^column 'x' holds infinite values, the first in row 1 \(1 such rows\)"):
        ms.describe({"x": [1.0, np.inf]})


def test_a_sample_is_no_table_but_has_one():
    sample = ms.scenarios.therapist_plain().draw(seed=1)
    with pytest.raises(ms.DataError, match=r"found Sample: pass its \.data\.$"):
        ms.describe(sample)
