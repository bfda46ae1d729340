"""Every rung against the same analysis done by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import mixedsim as ms

FORMULA = "anxiety ~ depression + sex"
RUNGS = ["OLS", "group means", "dummies", "varying intercepts", "varying slopes", "within-between"]
COLUMNS = ["truth", "estimate", "se", "df", "lower", "upper", "p"]


@pytest.fixture(scope="module")
def sample():
    return ms.scenarios.therapist_confounder(therapists=40, patients=(1, 9)).draw(seed=3)


@pytest.fixture(scope="module")
def ladder(sample):
    return ms.ladder(sample, FORMULA, "therapist")


def regression(x, y):
    inverse = np.linalg.inv(x.T @ x)
    b = inverse @ x.T @ y
    df = len(y) - x.shape[1]
    return b, np.sqrt(np.diag(inverse) * ((y - x @ b) @ (y - x @ b)) / df), df


def columns(frame):
    return np.column_stack([np.ones(len(frame)), frame["depression"], frame["sex"]]), frame["anxiety"].to_numpy()


def agree(table, b, se, df):
    assert_allclose(table["estimate"], b, rtol=1e-8)
    assert_allclose(table["se"], se, rtol=1e-8)
    assert_allclose(table["df"], df)


def test_the_table_has_a_row_for_every_rung_and_coefficient(ladder):
    assert list(ladder.table.columns) == COLUMNS
    assert list(dict.fromkeys(ladder.table.index.get_level_values("rung"))) == RUNGS
    assert ladder.coefficients == ("depression", "sex")
    assert list(ladder.table.loc["within-between"].index) == ["depression", "sex", "depression_mean", "sex_mean"]
    assert list(ladder.fits) == list(ladder.notes) == RUNGS


def test_ols_is_least_squares_on_all_rows(sample, ladder):
    b, se, df = regression(*columns(sample.data))
    agree(ladder.table.loc["OLS"], b[1:], se[1:], df)


def test_group_means_are_one_row_a_group(sample, ladder):
    means = sample.data.groupby("therapist", observed=True)[["depression", "sex", "anxiety"]].mean()
    b, se, df = regression(*columns(means))
    assert df == 37
    agree(ladder.table.loc["group means"], b[1:], se[1:], df)


def test_dummies_are_an_indicator_for_every_group(sample, ladder):
    x, y = columns(sample.data)
    indicators = pd.get_dummies(sample.data["therapist"]).to_numpy(dtype=float)
    b, se, df = regression(np.column_stack([x[:, 1:], indicators]), y)
    agree(ladder.table.loc["dummies"], b[:2], se[:2], df)


@pytest.mark.parametrize(
    ("rung", "bar"), [("varying intercepts", "(1 | therapist)"), ("varying slopes", "(1 + depression | therapist)")]
)
def test_mixed_rungs_are_those_of_lmer(sample, ladder, rung, bar):
    table = ms.lmer(f"{FORMULA} + {bar}", sample.data).coefficients().loc[["depression", "sex"]]
    assert_allclose(ladder.table.loc[rung, COLUMNS[1:]], table[COLUMNS[1:]], rtol=1e-9)


def test_within_between_is_the_model_of_split_columns(sample, ladder):
    split = ms.within_between(sample.data, ["depression", "sex"], "therapist")
    formula = "anxiety ~ depression_within + depression_mean + sex_within + sex_mean + (1 | therapist)"
    table = ms.lmer(formula, split).coefficients()
    rows = table.loc[["depression_within", "sex_within", "depression_mean", "sex_mean"], COLUMNS[1:]]
    assert_allclose(ladder.table.loc["within-between", COLUMNS[1:]], rows, rtol=1e-6)
    assert dict(ladder.between) == {"depression": "depression_mean", "sex": "sex_mean"}


def test_what_lies_within_is_what_dummies_see_and_what_lies_between_what_means_see():
    balanced = ms.scenarios.therapist_confounder(therapists=30, patients=6).draw(seed=1)
    table = ms.ladder(balanced, FORMULA, "therapist").table["estimate"]
    assert_allclose(table.loc["within-between"].iloc[:2], table.loc["dummies"], rtol=1e-6)
    assert_allclose(table.loc["within-between"].iloc[2:], table.loc["group means"], rtol=1e-6)


def test_a_sample_knows_its_truth(ladder):
    for rung in RUNGS:
        assert ladder.table.loc[(rung, "depression"), "truth"] == 3.0
    assert np.isnan(ladder.table.loc[("within-between", "depression_mean"), "truth"])
    assert ladder.truth["sex"] == 10.0


def test_a_twin_gives_its_truth_back_where_the_model_is_right():
    twin = ms.twin(ms.scenarios.therapist_plain(therapists=20, patients=6), seed=1)
    rows = ms.ladder(twin, FORMULA, "therapist").table.loc["varying intercepts"]
    assert_allclose(rows["estimate"], rows["truth"], rtol=1e-6)


def test_truth_may_be_given_in_numbers_also_of_interactions_the_other_way_round(sample):
    found = ms.ladder(sample.data, "anxiety ~ depression * sex", "therapist", truth={"sex:depression": 0.5, "sex": 1})
    assert found.truth["depression:sex"] == 0.5
    assert found.truth["sex"] == 1.0
    assert np.isnan(found.truth["depression"])
    assert ms.ladder(sample.data, FORMULA, "therapist", truth=sample.truth).truth["sex"] == 10.0


def test_beside_a_group_mean_the_effect_between_is_the_sum_of_both():
    sample = ms.scenarios.therapist_context(therapists=30, patients=6).draw(seed=1)
    found = ms.ladder(sample, "anxiety ~ depression + depression_mean", "therapist")
    assert found.between == {"depression": "depression_mean"}
    assert found.table.loc[("within-between", "depression_mean"), "truth"] == 15.0
    assert found.table.loc[("OLS", "depression_mean"), "truth"] == 12.0
    assert found.table.loc["group means", "estimate"].isna().all()
    assert "cannot tell depression and depression_mean" in " ".join(found.notes["group means"])


def test_the_effect_between_is_the_sum_of_both_also_where_the_formula_has_no_mean():
    sample = ms.scenarios.therapist_context(therapists=200, patients=6).draw(seed=1)
    found = ms.ladder(sample, "anxiety ~ depression", "therapist")
    row = found.of("depression").loc["between"]
    assert row["truth"] == 15.0
    assert row["lower"] < 15.0 < row["upper"]


def test_the_truth_of_another_response_is_no_truth(sample):
    found = ms.ladder(sample, "log(anxiety + 1000) ~ depression", "therapist")
    assert found.table["truth"].isna().all()


def test_what_is_constant_within_groups_goes_with_the_dummies(sample):
    found = ms.ladder(sample, f"{FORMULA} + price", "therapist")
    assert found.table.loc[("dummies", "price"), COLUMNS[1:]].isna().all()
    assert found.table.loc[("dummies", "depression"), COLUMNS[1:]].notna().all()
    assert "cannot tell price, which does not vary within any level: the dummies take it all." in found.notes["dummies"]
    kept = ["OLS", "group means", "varying intercepts", "varying slopes", "within-between"]
    assert found.table["estimate"].xs("price", level="coefficient")[kept].notna().all()


def test_only_a_predictor_of_the_groups(sample):
    found = ms.ladder(sample, "anxiety ~ price", "therapist")
    estimate = found.table["estimate"].xs("price", level="coefficient")
    assert list(estimate.index[estimate.isna()]) == ["dummies", "varying slopes", "within-between"]
    assert "no predictor varies within 'therapist'" in found.notes["varying slopes"][0]
    assert set(found.fits) == {"OLS", "group means", "dummies", "varying intercepts"}


def test_only_a_mean():
    data = ms.datasets.load("sleepstudy")
    found = ms.ladder(data, "Reaction ~ 1", "Subject")
    means = data.groupby("Subject", observed=True)["Reaction"].mean()
    assert found.coefficients == ("Intercept",)
    assert found.table.loc[("group means", "Intercept"), "se"] == pytest.approx(means.std() / np.sqrt(18))
    assert np.isnan(found.table.loc[("dummies", "Intercept"), "estimate"])


def test_a_balanced_predictor_has_nothing_between():
    found = ms.ladder(ms.datasets.load("sleepstudy"), "Reaction ~ Days", "Subject")
    # R 4.2.2: summary(lm(Reaction ~ Days, sleepstudy)); summary(lm(Reaction ~ Days + Subject, sleepstudy))
    by_rung = found.of("Days")
    assert by_rung.loc["OLS", ["estimate", "se"]].tolist() == pytest.approx([10.4672859596, 1.23819529805], rel=1e-11)
    assert by_rung.loc["dummies", ["se", "df"]].tolist() == pytest.approx([0.804221429099, 161], rel=1e-11)
    assert np.isnan(found.table.loc[("group means", "Days"), "estimate"])
    assert dict(found.between) == {}


def test_an_interaction_with_a_balanced_predictor_is_not_told_something_else():
    """Where group means of x are all the same, z beside x:z would silently become the effect at that mean."""
    found = ms.ladder(ms.datasets.load("cake"), "angle ~ recipe * temp", "recipe:replicate")
    estimate = found.table["estimate"]
    for rung in ("group means", "dummies", "within-between"):
        assert np.isnan(estimate[rung, "recipe[T.B]"])
    assert estimate["within-between", "recipe[T.B]:temp"] == pytest.approx(estimate["dummies", "recipe[T.B]:temp"])


def test_categories_that_vary_within_groups_are_split_level_by_level(sample):
    data = sample.data.assign(mood=np.where(np.arange(len(sample.data)) % 3 == 0, "low", "high"))
    found = ms.ladder(data, "anxiety ~ mood", "therapist")
    assert found.coefficients == ("mood[T.low]",)
    assert found.between == {"mood[T.low]": "mood[T.low]_mean"}
    numbers = data.assign(low=(data["mood"] == "low").astype(float))
    same = ms.ladder(numbers, "anxiety ~ low", "therapist")
    assert_allclose(found.table[COLUMNS[1:]], same.table[COLUMNS[1:]], rtol=1e-6)


def test_missing_values_and_single_rows_are_told(sample):
    data = sample.data.copy()
    data.loc[data.index[:4], "depression"] = np.nan
    found = ms.ladder(data, FORMULA, "therapist")
    whole = ms.ladder(data.dropna(), FORMULA, "therapist")
    assert_allclose(found.table[COLUMNS[1:]], whole.table[COLUMNS[1:]], rtol=1e-7)
    assert "4 of" in found.messages[0]
    assert any("with a single row" in note for note in found.notes["dummies"])


def test_slopes_that_vary_can_be_chosen(sample):
    found = ms.ladder(sample, FORMULA, "therapist", varying="0 + sex")
    assert found.fits["varying slopes"].formula == f"{FORMULA} + (0 + sex | therapist)"


def test_a_rung_that_the_data_cannot_carry_says_why():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.repeat(np.arange(8), 2), "x": rng.normal(size=16), "y": rng.normal(size=16)})
    found = ms.ladder(data, "y ~ x", "g")
    assert found.table.loc["varying slopes", "estimate"].isna().all()
    assert "(1 + x | g) has 16 random effects" in found.notes["varying slopes"][0]
    with pytest.raises(ms.DataError, match="has 16 random effects"):
        ms.ladder(data, "y ~ x", "g", varying="1 + x")


def test_the_level_is_that_of_the_intervals(sample):
    wide, narrow = (ms.ladder(sample, FORMULA, "therapist", level=level).table for level in (0.99, 0.5))
    assert ((wide["upper"] - wide["lower"]) > 2 * (narrow["upper"] - narrow["lower"])).all()


def test_a_combination_of_columns_groups(sample):
    data = sample.data.assign(half=np.arange(len(sample.data)) % 2)
    assert ms.ladder(data, FORMULA, "therapist:half").group == "therapist:half"


def test_of_gives_the_rungs_of_one_coefficient(ladder):
    rows = ladder.of("depression")
    assert list(rows.index) == [*RUNGS, "between"]
    assert rows.loc["between", "estimate"] == ladder.table.loc[("within-between", "depression_mean"), "estimate"]
    with pytest.raises(ms.MixedsimError, match="has no coefficient 'depresion': did you mean 'depression'"):
        ladder.of("depresion")


def test_it_prints_as_one_table_a_coefficient(ladder):
    text = str(ladder)
    assert text.startswith("Ladder of anxiety ~ depression + sex by therapist")
    assert "depression, in truth 3\n" in text
    assert "OLS: takes all" in text
    assert "mixedsim-ladder" in ladder._repr_html_()
    assert ladder._repr_html_().count("<table") == 2


def test_the_truth_of_another_scale_is_not_held_against_linear_models():
    population = ms.Population(
        "y ~ x + (1 | g)",
        clusters={"g": 12},
        size=10,
        variables={"x": ms.Normal(0, 1)},
        fixef={"Intercept": 0, "x": 1},
        ranef={"g": {"sd": 1}},
        family="poisson",
    )
    found = ms.ladder(population.draw(seed=1), "y ~ x", "g")
    assert found.truth.isna().all()
    assert "the true coefficients are on the log scale" in found.messages[-1]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("anxiety ~ depression + (1 | therapist)", "therapist"), "without its random term"),
        (("anxiety ~ 0 + depression", "therapist"), "has no intercept, and with dummies its coefficients would mean"),
        (("anxiety ~ depression", "therapst"), "therapst"),
        (("anxiety ~ depression", "therapist/sex"), "compares the groups of one factor, found 'therapist/sex'"),
        (("anxiety ~ depression", 3), "group must be the name of a column, found 3"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(sample, call, says):
    with pytest.raises(ms.MixedsimError, match=says):
        ms.ladder(sample, *call)


def test_data_come_first(sample):
    with pytest.raises(ms.FormulaError, match="ladder takes the data first, then the formula, then the group"):
        ms.ladder(FORMULA, sample.data, "therapist")


@pytest.mark.parametrize(
    ("truth", "says"),
    [
        ({"deppression": 3}, "truth names 'deppression', which is no coefficient of the ladder: did you mean"),
        ({"depression": "3"}, "truth must be numbers, found '3' for 'depression'"),
        (3.0, "truth must be a Sample, its truth, or numbers by coefficient, found float"),
    ],
)
def test_a_wrong_truth_is_refused(sample, truth, says):
    with pytest.raises(ms.MixedsimError, match=says):
        ms.ladder(sample.data, FORMULA, "therapist", truth=truth)


def test_a_column_in_the_way_makes_the_name_longer(sample):
    data = sample.data.assign(depression_mean=1.0)
    found = ms.ladder(data, FORMULA, "therapist")
    assert found.between["depression"] == "depression_mean_therapist"
    data = data.assign(depression_mean_therapist=1.0)
    with pytest.raises(ms.DataError, match="columns 'depression_mean' and 'depression_mean_therapist' with other"):
        ms.ladder(data, FORMULA, "therapist")


def test_with_an_unmeasured_confounder_every_rung_finds_what_theory_says():
    """Closed forms of `therapist_confounder` for three patients each; 2.27 is its value for varying intercepts."""
    sample = ms.scenarios.therapist_confounder(therapists=4000, patients=3).draw(seed=1)
    found = ms.ladder(sample, FORMULA, "therapist").of("depression")
    expected = {
        "OLS": 3 - 3 * 1.8 / (1.44 + 4),
        "group means": 3 - 3 * 1.8 / (1.44 + 4 / 3),
        "dummies": 3.0,
        "varying intercepts": 2.27,
        "within-between": 3.0,
        "between": 3 - 3 * 1.8 / (1.44 + 4 / 3),
    }
    for rung, value in expected.items():
        row = found.loc[rung]
        assert abs(row["estimate"] - value) < 3.5 * row["se"] + 0.005, rung
    assert found["se"].max() < 0.1, "or nothing is told apart"


def test_the_gap_between_and_within_is_the_coefficient_of_the_mean_beside_the_predictor(sample, ladder):
    """Mundlak's device: in y ~ x + x_mean the coefficient of the mean is the effect between less that within."""
    split = ms.within_between(sample.data, ["depression", "sex"], "therapist")
    formula = "anxiety ~ depression + depression_mean + sex + sex_mean + (1 | therapist)"
    row = ms.lmer(formula, split).coefficients().loc["depression_mean"]
    side = "above" if row["estimate"] > 0 else "below"
    said = f"between levels {abs(row['estimate']):.3g} {side} the one within (standard error {row['se']:.2g})"
    assert said in ladder.notes["within-between"][1]
