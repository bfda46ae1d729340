"""Complete, no and partial pooling against least squares done one group at a time."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.study import Pooling, pooling

FORMULA = "Reaction ~ Days"


@pytest.fixture(scope="module")
def sleep():
    return pooling(FORMULA, ms.datasets.load("sleepstudy"), group="Subject")


@pytest.fixture(scope="module")
def extended():
    """With two people of whom hardly anything is known: 374 has two days, 373 one."""
    return pooling(FORMULA, ms.datasets.load("sleepstudy", extended=True), group="Subject")


def one_by_one(data, group, columns, response):
    """A loop over groups with NumPy's least squares; `columns` makes the matrix of one group's rows."""
    return pd.DataFrame(
        {level: np.linalg.lstsq(columns(rows), rows[response].to_numpy(), rcond=None)[0]
         for level, rows in data.groupby(group, observed=True)}
    ).T  # fmt: skip


def with_intercept(*names):
    return lambda rows: np.column_stack([np.ones(len(rows)), *(rows[name] for name in names)])


def relative(found, expected):
    """Largest deviation over the size of the column."""
    return float(np.max(np.abs(found - expected) / np.abs(expected).max(axis=0)))


# ---- the three kinds


def test_no_pooling_is_r_s_lm_in_every_group(sleep, reference):
    case = json.loads((reference / "cases" / "sleepstudy_per_subject_ols.json").read_text())
    expected = pd.DataFrame(case["expect"]["coef"]["Subject"]).T
    found = sleep.no_pooling.loc[expected.index]
    assert relative(found.to_numpy(), expected.to_numpy()) < 1e-10


def test_no_pooling_is_least_squares_in_every_group():
    rng = np.random.default_rng(1)
    sizes = rng.integers(4, 40, 200)
    data = pd.DataFrame({"g": np.repeat(np.arange(200), sizes)})
    data = data.assign(x=1e3 + rng.normal(size=len(data)), z=rng.normal(size=len(data)) * 1e-3)
    data = data.assign(y=1e4 + 3 * data.x - data.z + rng.normal(size=len(data)))
    rows = data.sample(frac=1, random_state=1)
    found = pooling("y ~ x + z", rows, group="g").no_pooling
    expected = one_by_one(data, "g", with_intercept("x", "z"), "y")
    assert relative(found.to_numpy(), expected.to_numpy()) < 1e-8


def test_a_predictor_far_from_zero_loses_no_digits():
    data = ms.datasets.load("sleepstudy")
    near = pooling(FORMULA, data, group="Subject").no_pooling
    far = pooling(FORMULA, data.assign(Days=data.Days + 1e7), group="Subject").no_pooling
    assert far["Days"].to_numpy() == pytest.approx(near["Days"].to_numpy(), rel=1e-8)


def test_complete_pooling_is_one_regression_repeated(sleep):
    data = ms.datasets.load("sleepstudy")
    expected = np.linalg.lstsq(with_intercept("Days")(data), data["Reaction"].to_numpy(), rcond=None)[0]
    assert sleep.complete.shape == (18, 2)
    assert (sleep.complete == sleep.complete.iloc[0]).all(axis=None)
    assert sleep.complete.iloc[0].tolist() == pytest.approx(expected.tolist(), rel=1e-12)


def test_partial_pooling_is_the_mixed_models(sleep):
    slopes = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    intercepts = ms.lmer("Reaction ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy"))
    pd.testing.assert_frame_equal(sleep.partial, slopes.coef["Subject"], rtol=1e-12)
    pd.testing.assert_frame_equal(sleep.intercepts, intercepts.coef["Subject"], rtol=1e-12)
    assert sleep.fit.deviance == slopes.deviance
    assert sleep.intercept_fit.deviance == intercepts.deviance


def test_all_tables_have_the_same_rows_and_columns(extended):
    tables = [extended.complete, extended.no_pooling, extended.intercepts, extended.partial]
    for table in tables:
        assert list(table.columns) == ["Intercept", "Days"]
        assert table.index.equals(tables[0].index)
        assert table.index.name == "Subject"


def test_partial_pooling_lies_between_for_the_spread_of_slopes(sleep):
    spread = sleep.summary().loc["Days"]
    assert spread["sd_intercepts"] == 0 < spread["sd_partial"] < spread["sd_none"]


# ---- groups that are too small


def test_sizes_count_the_rows(extended):
    assert extended.sizes.loc[["308", "374", "373"]].tolist() == [10, 2, 1]


def test_two_points_are_joined_by_a_line(extended):
    assert extended.no_pooling.loc["374"].tolist() == pytest.approx([286, 2], rel=1e-12)


def test_one_point_has_no_line_and_is_named(extended):
    assert extended.no_pooling.loc["373"].isna().all()
    assert extended.incomplete == ("373",)
    (said,) = [message for message in extended.messages if "373" in message]
    assert said.startswith("without pooling, 373 (1 of 20 levels of 'Subject') has no coefficients (NaN)")


def test_partial_pooling_has_an_answer_for_every_group(extended):
    assert extended.partial.notna().all(axis=None)


def test_a_group_in_which_the_predictor_does_not_vary_has_no_line():
    data = ms.datasets.load("sleepstudy")
    data = data[(data.Subject != "308") | (data.Days == 4)]
    data = pd.concat([data, data[data.Subject == "308"]], ignore_index=True)
    assert pooling(FORMULA, data, group="Subject").incomplete == ("308",)


def test_other_groups_do_not_notice_a_small_one(sleep, extended):
    both = sleep.no_pooling.index
    assert relative(extended.no_pooling.loc[both].to_numpy(), sleep.no_pooling.to_numpy()) < 1e-10


# ---- which effects vary


def test_effects_that_do_not_vary_are_shared_without_pooling():
    """The same as one regression with a dummy and a slope for every class, and one SES for all."""
    data = ms.datasets.load("nlschools")
    pooled = pooling("lang ~ IQ + SES", data, group="class", varying="1 + IQ")
    levels = pooled.no_pooling.index
    dummies = (np.asarray(data["class"])[:, None] == np.asarray(levels)).astype(float)
    x = np.hstack([dummies, dummies * data[["IQ"]].to_numpy(), data[["SES"]].to_numpy()])
    expected = np.linalg.lstsq(x, data["lang"].to_numpy(), rcond=None)[0]
    found = np.concatenate([pooled.no_pooling["Intercept"], pooled.no_pooling["IQ"], pooled.no_pooling["SES"].iloc[:1]])
    assert relative(found, expected) < 1e-9
    assert np.ptp(pooled.no_pooling["SES"]) == 0
    assert set(pooled.fit.ranef["class"]) == {"Intercept", "IQ"}


def test_varying_intercepts_alone_without_pooling_are_group_dummies():
    data = ms.datasets.load("sleepstudy")
    pooled = pooling(FORMULA, data, group="Subject", varying="1")
    values = data[["Reaction", "Days"]]
    centred = values - values.groupby(data.Subject, observed=True).transform("mean")
    slope = (centred.Reaction * centred.Days).sum() / (centred.Days**2).sum()
    assert pooled.no_pooling["Days"].to_numpy() == pytest.approx(np.full(18, slope), rel=1e-12)
    pd.testing.assert_frame_equal(pooled.partial, pooled.intercepts)


@pytest.mark.parametrize("varying", [None, "1 + IQ", "1"])
def test_a_predictor_of_the_group_is_part_of_the_groups_own_intercept(varying):
    data = ms.datasets.load("nlschools")
    pooled = pooling("lang ~ IQ + GS", data, group="class", varying=varying)
    assert pooled.no_pooling["GS"].isna().all()
    without = pooling("lang ~ IQ", data, group="class", varying="1" if varying == "1" else None)
    pd.testing.assert_frame_equal(pooled.no_pooling[["Intercept", "IQ"]], without.no_pooling, rtol=1e-8)
    assert pooled.complete["GS"].notna().all()
    assert any("'GS' cannot be told from" in message for message in pooled.messages)


def test_categories_are_columns_like_others():
    data = ms.datasets.load("nlschools")
    pooled = pooling("lang ~ IQ + COMB", data, group="class", varying="1 + IQ")
    assert list(pooled.complete) == ["Intercept", "IQ", "COMB[T.1]"]


# ---- data


def test_rows_with_missing_values_are_left_out_everywhere():
    data = ms.datasets.load("sleepstudy")
    gaps = data.assign(Reaction=data.Reaction.where(data.index % 7 != 0))
    one = pooling(FORMULA, gaps, group="Subject")
    other = pooling(FORMULA, gaps.dropna(), group="Subject")
    pd.testing.assert_frame_equal(one.no_pooling, other.no_pooling)
    pd.testing.assert_frame_equal(one.complete, other.complete)
    assert len(one.data) == len(gaps.dropna())
    assert any("rows were dropped" in message for message in one.messages)


def test_combined_groups_are_groups():
    pooled = pooling("strength ~ 1", ms.datasets.load("pastes"), group="batch:cask")
    assert len(pooled.partial) == 30
    means = ms.datasets.load("pastes").groupby(["batch", "cask"], observed=True)["strength"].mean()
    assert sorted(pooled.no_pooling["Intercept"]) == pytest.approx(sorted(means), rel=1e-12)


def test_the_data_are_not_touched():
    data = ms.datasets.load("sleepstudy")
    before = data.copy()
    pooling(FORMULA, data, group="Subject")
    pd.testing.assert_frame_equal(data, before)


# ---- how it prints


def test_text_names_groups_and_coefficients(extended):
    said = str(extended)
    assert said.startswith("Pooling of Reaction ~ Days by Subject: 20 groups of 1 to 10 rows")
    assert "Days" in said
    assert "373" in said
    assert repr(extended) == said


def test_html_escapes_what_the_reader_typed():
    data = ms.datasets.load("sleepstudy")
    page = pooling("Reaction ~ I(Days < 5)", data, group="Subject", varying="1")._repr_html_()
    assert "I(Days &lt; 5)" in page
    assert "< 5" not in page


# ---- bad input


@pytest.mark.parametrize(
    ("formula", "options", "says"),
    [
        ("Reaction ~ Days + (1 | Subject)", {}, r"without its random term \(1 \| Subject\)"),
        ("Reaction ~ 0", {}, "no effect that could be pooled"),
        ("Reaction ~ Days", {"varying": "Dayz"}, "did you mean 'Days'"),
        ("Reaction ~ 1", {"varying": "1 + Days"}, "'Days' varies but is no effect of 'Reaction ~ 1'"),
        ("Reaction ~ Dys", {}, "did you mean 'Days'"),
        ("Reaction ~ Days", {"group": "Subjekt"}, "did you mean 'Subject'"),
        ("Reaction ~ Days", {"group": "Subject/Days"}, "found 'Subject/Days': choose Subject or Days:Subject"),
    ],
)
def test_mistakes_are_named(formula, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        pooling(formula, ms.datasets.load("sleepstudy"), **{"group": "Subject", **options})


def test_the_package_offers_it():
    assert ms.pooling is pooling
    assert isinstance(ms.pooling(FORMULA, ms.datasets.load("sleepstudy"), group="Subject"), Pooling)
