"""Estimated marginal means: lmerTest's least-squares means, cell means, and what they must not depend on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import mixedsim as ms

FOLDER = Path(__file__).parent / "unbalanced"
ANSWERS = json.loads((FOLDER / "answers.json").read_text())


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "rows.csv", dtype=dict.fromkeys("gabcdh", str))


@pytest.fixture(scope="module")
def fits(rows):
    return {name: ms.lmer(ANSWERS["models"][name]["formula"], rows) for name in ANSWERS["ls_means"]}


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger"])
@pytest.mark.parametrize("name", list(ANSWERS["ls_means"]))
def test_means_equal_lmertest(name, ddf, fits):
    # ls_means(fit, ddf = ): averages over a reference grid with equal weights, numeric variables at their means
    theirs = ANSWERS["ls_means"][name][ddf]["means"]
    assert len(theirs) >= 5
    for row in theirs:
        levels = tuple(row["levels"].split(":"))
        ours = fits[name].emmeans(row["term"].split(":"), ddf=ddf).loc[levels if len(levels) > 1 else levels[0]]
        expected = [row[key] for key in ("Estimate", "Std. Error", "df", "lower", "upper")]
        np.testing.assert_allclose(ours, expected, rtol=1e-5)


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger"])
@pytest.mark.parametrize("name", list(ANSWERS["ls_means"]))
def test_pairs_equal_lmertest(name, ddf, fits):
    # ls_means(fit, pairwise = TRUE, ddf = )
    for row in ANSWERS["ls_means"][name][ddf]["pairs"]:
        if ":" in row["term"]:
            continue
        ours = fits[name].emmeans(row["term"], ddf=ddf).pairs(adjust=None).loc[row["levels"]]
        expected = [row[key] for key in ("Estimate", "Std. Error", "df", "t value", "Pr(>|t|)", "lower", "upper")]
        np.testing.assert_allclose(ours, expected, rtol=1e-4)


# ---- what they are


def test_cell_means_of_a_saturated_model_are_predictions(fits):
    fit = fits["crossed"]
    means = fit.emmeans("a", by="b")
    grid = means.index.to_frame(index=False)
    np.testing.assert_allclose(means["emmean"], fit.predict(grid, random=False), rtol=1e-9)
    assert means.index.names == ["b", "a"]
    assert means.loc["b2"].index.tolist() == ["a1", "a2", "a3"]


def test_marginal_means_average_the_cells_with_equal_weights(fits):
    cells = fits["crossed"].emmeans(["a", "b"])["emmean"]
    np.testing.assert_allclose(fits["crossed"].emmeans("a")["emmean"], cells.groupby("a").mean(), rtol=1e-10)


def test_numeric_variables_are_at_their_means_unless_told_otherwise(rows):
    fit = ms.lmer("y ~ x + b + (1 | g)", rows)
    at_mean = fit.emmeans("x")
    assert at_mean.index.tolist() == pytest.approx([rows["x"].mean()])
    two = fit.emmeans("x", at={"x": [0, 10]})["emmean"]
    assert two[10] - two[0] == pytest.approx(10 * fit.fixef["x"])
    np.testing.assert_allclose(fit.emmeans("b"), fit.emmeans("b", at={"x": rows["x"].mean()}), rtol=1e-10)


def test_transformed_variables_are_transformed_after_averaging(rows):
    fit = ms.lmer("y ~ log(w) + b + (1 | g)", rows)
    expected = fit.predict({"w": [rows["w"].mean()] * 2, "b": ["b1", "b2"]}, random=False)
    np.testing.assert_allclose(fit.emmeans("b")["emmean"], expected, rtol=1e-9)


def test_numbers_made_a_factor_and_booleans_have_their_levels(rows):
    data = rows.assign(late=rows["x"] > 3, dose=rows["c"].str[1].astype(int))
    fit = ms.lmer("y ~ late + C(dose) + (1 | g)", data)
    assert fit.emmeans("dose").index.tolist() == [1, 2, 3, 4]
    means = fit.emmeans("late")["emmean"]
    assert means[True] - means[False] == pytest.approx(fit.fixef["late"])


def test_offset_enters_at_its_mean(rows):
    plain = ms.lmer("y ~ b + (1 | g)", rows).emmeans("b")
    shifted = ms.lmer("y ~ b + (1 | g)", rows.assign(y=rows["y"] + 7, seven=7.0), offset="seven").emmeans("b")
    np.testing.assert_allclose(shifted["emmean"], plain["emmean"] + 7, rtol=1e-6)
    np.testing.assert_allclose(shifted["upper"], plain["upper"] + 7, rtol=1e-5)


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "wald"])
def test_neither_coding_nor_a_shift_changes_a_mean(rows, ddf):
    plain = ms.lmer("y ~ a * x + b + (1 | g)", rows).emmeans("a", ddf=ddf)
    coded = ms.lmer("y ~ C(a, contr.sum) * x + C(b, contr.helmert) + (1 | g)", rows).emmeans("a", ddf=ddf)
    np.testing.assert_allclose(coded, plain, rtol=2e-5)
    additive = ms.lmer("y ~ a + x + b + (1 | g)", rows).emmeans("a", ddf=ddf)
    # in the data's units this is a difference of numbers 10⁷ times as large
    far = ms.lmer("y ~ a + x + b + (1 | g)", rows.assign(x=rows["x"] + 1e8)).emmeans("a", ddf=ddf)
    np.testing.assert_allclose(far, additive, rtol=1e-5)


def test_level_and_method_change_the_interval_alone(fits):
    wide, narrow = (fits["crossed"].emmeans("a", level=level) for level in (0.99, 0.8))
    pd.testing.assert_frame_equal(wide[["emmean", "se", "df"]], narrow[["emmean", "se", "df"]])
    half = stats.t.ppf(0.995, wide["df"]) * wide["se"]
    np.testing.assert_allclose(wide["upper"], wide["emmean"] + half, rtol=1e-9)
    assert np.isinf(fits["crossed"].emmeans("a", ddf="wald")["df"]).all()


def test_empty_cells_leave_a_mean_undetermined_and_say_so(rows):
    # a3 with b2 has only d1
    fit = ms.lmer("y ~ a * b * d + (1 | g)", rows)
    means = fit.emmeans("a")
    assert means["emmean"].isna().tolist() == [False, False, True]
    assert fit.emmeans("d", by=["a", "b"])["emmean"].isna().sum() == 1
    pairs = means.pairs("bonferroni")
    assert pairs["p"].isna().tolist() == [False, True, True]
    # one pair is left, so there is nothing to adjust for
    np.testing.assert_allclose(pairs.loc["a1 - a2"], means.pairs(None).loc["a1 - a2"])


# ---- comparing them


def test_pairs_of_each_adjustment(fits):
    means = fits["crossed"].emmeans("a")
    plain, holm, bonferroni, tukey = (means.pairs(adjust) for adjust in (None, "holm", "bonferroni", "tukey"))
    assert plain.index.tolist() == ["a1 - a2", "a1 - a3", "a2 - a3"]
    assert list(plain.columns) == ["estimate", "se", "df", "t", "p", "lower", "upper"]
    np.testing.assert_allclose(bonferroni["p"], np.minimum(3 * plain["p"], 1))
    order = plain["p"].to_numpy().argsort()
    expected = np.minimum(np.maximum.accumulate(plain["p"].to_numpy()[order] * [3, 2, 1]), 1)
    np.testing.assert_allclose(holm["p"].to_numpy()[order], expected)
    np.testing.assert_allclose(
        tukey["p"], stats.studentized_range.sf(np.sqrt(2) * plain["t"].abs(), 3, plain["df"]), rtol=1e-4, atol=1e-7
    )
    reach = stats.studentized_range.ppf(0.95, 3, plain["df"]) / np.sqrt(2) * plain["se"]
    np.testing.assert_allclose(tukey["upper"], plain["estimate"] + reach, rtol=1e-6)
    assert (tukey["upper"] < bonferroni["upper"]).all()
    pd.testing.assert_series_equal(holm["upper"], bonferroni["upper"])


def test_pairs_stay_within_their_by_group(fits):
    pairs = fits["crossed"].emmeans("a", by="b").pairs()
    assert pairs.index.names == ["b", "contrast"]
    assert len(pairs) == 6
    cells = fits["crossed"].emmeans("a", by="b")["emmean"]
    assert pairs.loc[("b2", "a1 - a3"), "estimate"] == pytest.approx(cells["b2", "a1"] - cells["b2", "a3"])
    both = fits["crossed"].emmeans(["a", "b"]).pairs()
    assert len(both) == 15
    assert both.index[0] == "a1 b1 - a1 b2"


def test_what_is_computed_from_the_table_is_an_ordinary_frame(fits):
    means = fits["crossed"].emmeans("a")
    assert isinstance(means, pd.DataFrame)
    assert type(means.round(2)) is pd.DataFrame
    assert type(means[["emmean"]]) is pd.DataFrame
    assert list(means.columns) == ["emmean", "se", "df", "lower", "upper"]


# ---- bad input


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"of": "aa"}, "'aa' is no variable of the fixed part: did you mean 'a'?"),
        ({"of": "a", "by": "a"}, "'a' is given twice: name each variable once."),
        ({"of": []}, "no variable is given whose means are wanted: name one of the fixed part."),
        ({"of": "a", "at": {"z": 1}}, "at names 'z', which is no variable of the fixed part: known are 'a', 'b'."),
        ({"of": "a", "at": {"b": "z"}}, "at names a level 'z', which 'b' does not have: known are 'b1', 'b2'."),
        ({"of": "a", "ddf": "kr"}, "ddf must be 'satterthwaite', 'kenward-roger' or 'wald', found 'kr'."),
        ({"of": "a", "level": 1.0}, "level must lie between 0 and 1, found 1.0."),
        ({"of": "g"}, "'g' is no variable of the fixed part: known are 'a', 'b'."),
    ],
)
def test_bad_arguments_are_named(given, said, fits):
    with pytest.raises(ms.MixedsimError) as error:
        fits["crossed"].emmeans(**given)
    assert str(error.value) == said


def test_bad_numbers_and_adjustments_are_named(rows):
    fit = ms.lmer("y ~ x + b + (1 | g)", rows)
    asked = {
        "at must give finite numbers for 'x', found 'high'.": lambda: fit.emmeans("b", at={"x": "high"}),
        "at must give at least one value for 'x', and each only once.": lambda: fit.emmeans("x", at={"x": [1, 1]}),
        "adjust must be 'holm', 'bonferroni', 'tukey' or None, found 'sidak'.": lambda: fit.emmeans("b").pairs("sidak"),
        "there is one mean in each group, so there are no pairs to compare.": lambda: fit.emmeans("x").pairs(),
    }
    for said, ask in asked.items():
        with pytest.raises(ms.MixedsimError) as error:
            ask()
        assert str(error.value) == said


def test_model_without_variables_has_no_means():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))
    with pytest.raises(ms.MixedsimError) as error:
        fit.emmeans("Batch")
    assert str(error.value) == "'Batch' is no variable of the fixed part: the fixed part has no variables."
