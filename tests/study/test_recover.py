"""Recovery: truth comes back to within the error that the model itself claims, and the table says what is what."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import mixedsim as ms
from mixedsim.study import Recovery, recover
from mixedsim.study.recover import beside_truth


@pytest.fixture(scope="module")
def plain():
    return recover(ms.scenarios.therapist_plain(), seed=1)


# ---- the truth comes back


@pytest.fixture(scope="module")
def large():
    """Half a million patients of ten thousand therapists."""
    return recover(ms.scenarios.therapist_intervention(therapists=10_000), seed=1)


def on_quadratic_scales(recovery):
    """Estimate, truth and joint covariance of the variance parameters: log sds, arctanh r, log σ."""
    fit = recovery.fit

    def scales(theta, sigma):
        (relative,) = fit.problem.relative_covariances(theta)
        sd = np.sqrt(np.diag(relative)) * sigma * fit.problem.response.scale
        r = relative[0, 1] / np.sqrt(relative[0, 0] * relative[1, 1])
        return np.array([*np.log(sd), np.arctanh(r), np.log(sigma * fit.problem.response.scale)])

    truth = recovery.table["truth"].to_numpy()[-4:]
    true = np.array([*np.log(truth[:2]), np.arctanh(truth[2]), np.log(truth[3])])
    return *fit.variance_parameters.delta(scales), true


def test_ten_thousand_therapists_give_every_parameter_back(large):
    table = large.table
    assert len(table) == 9
    assert table["truth"].tolist() == [45, 3, 0, 10, 4, 2.5, 2, 0, 8]
    assert ((table["estimate"] - table["truth"]).abs() < 4 * table["se"]).all()
    assert (table["se"] < 0.05).all(), "so close that an error of the simulator or the fitter would show"


def test_ten_thousand_therapists_miss_by_what_chance_allows_altogether(large):
    """Squared distance in the metric of the joint covariances: χ² with 9 degrees of freedom, as likely as not."""
    error = (large.table["estimate"] - large.table["truth"]).to_numpy()[:5]
    estimate, covariance, true = on_quadratic_scales(large)
    distance = error @ np.linalg.solve(large.fit.vcov.to_numpy(), error)
    distance += (estimate - true) @ np.linalg.solve(covariance, estimate - true)
    assert 0.001 < stats.chi2.cdf(distance, df=9) < 0.999


def test_standard_errors_shrink_with_the_root_of_the_clusters(large):
    small = recover(ms.scenarios.therapist_intervention(therapists=400), seed=1)
    ratio = small.table["se"] / large.table["se"]
    assert ratio.to_numpy() == pytest.approx(np.full(9, 5.0), rel=0.2)


@pytest.fixture(scope="module")
def draws():
    """Which intervals held the truth in 200 draws of 24 therapists with 8 patients: parameters × draws."""
    population = ms.scenarios.therapist_intervention(therapists=24, patients=8)
    return pd.concat({seed: recover(population, seed=seed).table["covered"] for seed in range(200)}, axis=1)


def test_intervals_of_fixed_effects_cover_at_their_level(draws):
    low, high = stats.binom.interval(1 - 0.001 / 5, 200, 0.95)
    held = draws.iloc[:5].sum(axis=1)
    assert held.between(low, high).all(), held


def test_intervals_of_variance_parameters_cover_roughly_at_their_level(draws):
    share = draws.iloc[5:].mean(axis=1)
    assert share.between(0.90, 1.0).all(), share


# ---- the table


def test_rows_are_named_in_order_of_kind(large):
    assert large.table.index.tolist() == [
        "Intercept",
        "depression",
        "intervention",
        "sex",
        "depression:intervention",
        "sd(Intercept | therapist)",
        "sd(depression | therapist)",
        "corr(Intercept, depression | therapist)",
        "sigma",
    ]
    assert large.table["kind"].tolist() == ["fixed"] * 5 + ["sd"] * 2 + ["corr", "sigma"]
    assert large.table["group"].tolist() == [""] * 5 + ["therapist"] * 3 + [""]


def test_columns_and_their_types(plain):
    assert list(plain.table) == ["truth", "estimate", "se", "lower", "upper", "covered", "kind", "group"]
    assert plain.table["covered"].dtype == "boolean"
    assert {str(dtype) for dtype in plain.table.dtypes.iloc[:5]} == {"float64"}


def test_estimates_and_intervals_are_the_models(plain):
    coefficients = plain.fit.coefficients()
    rows = plain.table.loc[coefficients.index]
    for column in ("estimate", "se", "lower", "upper"):
        assert rows[column].tolist() == pytest.approx(coefficients[column].tolist(), rel=1e-12)
    assert plain.table.loc["sigma", "estimate"] == plain.fit.sigma
    assert plain.table.loc["sd(Intercept | therapist)", "estimate"] == pytest.approx(plain.fit.varcorr["sd_or_corr"][0])


def test_covered_is_whether_the_interval_holds_the_truth(plain):
    table = plain.table
    assert table["covered"].tolist() == [
        lower <= truth <= upper for truth, lower, upper in table[["truth", "lower", "upper"]].to_numpy()
    ]
    assert plain.held == table["covered"].sum()
    assert plain.judged == len(table)


def test_the_same_seed_gives_the_same_recovery():
    population = ms.scenarios.therapist_plain(therapists=20, patients=5)
    one, other = recover(population, seed=3), recover(population, seed=3)
    pd.testing.assert_frame_equal(one.table, other.table)
    assert one.sample.truth.seed == 3
    assert not one.table.equals(recover(population, seed=4).table)


def test_without_a_seed_the_sample_remembers_it():
    population = ms.scenarios.therapist_plain(therapists=20, patients=5)
    one = recover(population)
    pd.testing.assert_frame_equal(one.table, recover(population, seed=one.sample.truth.seed).table)


def test_a_lower_level_gives_shorter_intervals(plain):
    shorter = recover(ms.scenarios.therapist_plain(), seed=1, level=0.5)
    assert ((shorter.table["upper"] - shorter.table["lower"]) < (plain.table["upper"] - plain.table["lower"])).all()
    assert "(50 %)" in shorter.sentence


def test_maximum_likelihood_is_another_estimate(plain):
    other = recover(ms.scenarios.therapist_plain(), seed=1, reml=False)
    assert not other.fit.reml
    assert other.table.loc["sigma", "estimate"] < plain.table.loc["sigma", "estimate"]


def test_a_recovery_is_frozen(plain):
    with pytest.raises(dataclasses.FrozenInstanceError):
        plain.level = 0.5


# ---- another model than the population's


@pytest.fixture(scope="module")
def wrong():
    """The confounder left out, and a slope that varies where it does not."""
    population = ms.scenarios.therapist_confounder(patients=5)
    return recover(population, seed=1, formula="anxiety ~ depression + sex + (depression | therapist)")


def test_what_the_model_has_not_stands_without_an_estimate(wrong):
    row = wrong.table.loc["price"]
    assert row["truth"] == -3
    assert row[["estimate", "se", "lower", "upper"]].isna().all()
    assert row["covered"] is pd.NA
    assert "Not estimated: price." in wrong.sentence


def test_what_the_population_has_not_stands_without_a_truth(wrong):
    row = wrong.table.loc["sd(depression | therapist)"]
    assert np.isnan(row["truth"])
    assert row[["estimate", "lower", "upper"]].notna().all()
    assert row["covered"] is pd.NA
    assert "Without a truth: sd(depression | therapist)" in wrong.sentence


def test_a_naive_slope_misses_the_truth(wrong):
    assert not wrong.table["covered"].to_dict()["depression"]
    assert wrong.table.loc["depression", "upper"] < 3
    assert "not that of" in wrong.sentence


def test_an_interaction_written_the_other_way_round_is_the_same_parameter():
    population = ms.scenarios.therapist_intervention(therapists=30, patients=5)
    formula = "anxiety ~ intervention * depression + sex + (1 + depression | therapist)"
    other, own = recover(population, seed=1, formula=formula), recover(population, seed=1)
    assert set(other.table.index) == set(own.table.index)
    assert other.table["estimate"].notna().all()
    pd.testing.assert_frame_equal(other.table.loc[own.table.index], own.table, rtol=1e-6)


def test_effects_and_groups_in_another_order_are_the_same_parameters():
    truth = {("corr", "a:b", "x, Intercept"): 0.3, ("fixed", "", "x:arm[T.a:b]"): 1.0}
    index = pd.MultiIndex.from_tuples([("fixed", "", "arm[T.a:b]:x"), ("corr", "b:a", "Intercept, x")])
    estimates = pd.DataFrame({"estimate": [1.1, 0.2], "se": 0.1, "lower": 0.0, "upper": 2.0}, index=index)
    table = beside_truth(truth, estimates)
    assert table.index.tolist() == ["x:arm[T.a:b]", "corr(x, Intercept | a:b)"]
    assert table["estimate"].tolist() == [1.1, 0.2]
    assert table["covered"].all()


def test_a_categorical_variable_and_crossed_groups_come_back():
    population = ms.Population(
        "y ~ arm + (1 | subject) + (1 | item)",
        clusters={"subject": 30, "item": 12},
        size=2,
        variables={"arm": ms.Categorical(["old", "new"])},
        fixef={"Intercept": 1, "arm[T.new]": 2},
        ranef={"subject": {"sd": 1}, "item": {"sd": 0.5}},
        sigma=1,
    )
    recovery = recover(population, seed=1)
    assert recovery.judged == len(recovery.table) == 5
    assert ((recovery.table["estimate"] - recovery.table["truth"]).abs() < 4 * recovery.table["se"]).all()


# ---- what nobody observed


@pytest.fixture(scope="module")
def hidden():
    """A population whose own formula needs a variable that its data do not have."""
    known = ms.scenarios.therapist_confounder(therapists=40, patients=5)
    return known.with_(
        formula="anxiety ~ depression + sex + ses + (1 | therapist)",
        fixef={"Intercept": 45, "depression": 3, "sex": 10, "ses": -4},
    )


def test_a_formula_with_a_hidden_variable_is_refused_with_one_that_works(hidden):
    with pytest.raises(ms.DataError) as caught:
        recover(hidden, seed=1)
    said = str(caught.value)
    assert "own formula uses 'ses', which is not observed" in said
    suggested = said.split("such as '")[1].split("'")[0]
    recovery = recover(hidden, seed=1, formula=suggested)
    assert recovery.table.loc["ses", "truth"] == -4
    assert np.isnan(recovery.table.loc["ses", "estimate"])


def test_a_given_formula_with_a_hidden_variable_is_refused_too(hidden):
    with pytest.raises(ms.DataError, match=r"^the formula uses 'ses'"):
        recover(hidden, seed=1, formula="anxiety ~ ses + (ses | therapist)")


def test_a_hidden_variable_that_varies_by_group_leaves_its_term():
    population = ms.Population(
        "y ~ x + (1 + z | g)",
        clusters={"g": 5},
        size=5,
        variables={"x": ms.Normal(0, 1), "z": ms.Normal(0, 1, observed=False)},
        fixef={"Intercept": 0, "x": 1},
        ranef={"g": {"sd": [1, 1]}},
        sigma=1,
    )
    with pytest.raises(ms.DataError, match=r"such as 'y ~ x \+ \(1 \| g\)'"):
        recover(population)


def test_the_formula_that_works_keeps_names_with_spaces(hidden):
    with pytest.raises(ms.DataError) as caught:
        recover(hidden, formula="`the score` ~ `hours slept` * ses + `hours slept`:np.log(`a rate`) + C(`the day`) + "
                                "(1 + `hours slept` + ses | `the class`) + (0 + ses | therapist)")  # fmt: skip
    assert str(caught.value).endswith(
        "such as '`the score` ~ `hours slept` + C(`the day`) + `hours slept`:np.log(`a rate`) + "
        "(`hours slept` | `the class`)'."
    )


def test_the_formula_that_works_has_a_random_term(hidden):
    with pytest.raises(ms.DataError, match=r"such as 'anxiety ~ depression \+ \(1 \| therapist\)'"):
        recover(hidden, formula="anxiety ~ depression + ses + (0 + ses | therapist)")


# ---- a singular fit


def test_a_singular_fit_says_what_has_no_interval():
    population = ms.scenarios.therapist_plain(therapists=10, patients=3).with_(ranef={"therapist": {"sd": [0]}})
    recovery = next(r for r in (recover(population, seed=seed) for seed in range(20)) if r.fit.singular)
    row = recovery.table.loc["sd(Intercept | therapist)"]
    assert row["truth"] == row["estimate"] == row["lower"] == 0
    assert np.isnan(row["upper"])
    assert row["covered"] is pd.NA
    assert any("has no interval" in message for message in recovery.messages)
    assert "has no interval" in str(recovery)


# ---- what the fit ignores

SMALL = ms.scenarios.therapist_plain(therapists=20, patients=10)


@pytest.mark.parametrize(
    ("change", "notes"),
    [
        ({}, []),
        (
            {"residual": {"ar1": 0.5}},
            ["the population has AR(1) residuals, which lmer does not model: 0.5 from row to row in each therapist."],
        ),
        (
            {"residual": {"shape": {"kind": "t", "df": 4}}},
            ["the residuals have another shape than the normal one, which lmer assumes: t, 4 df."],
        ),
        (
            {"residual": {"exact": ["depression"]}},
            [
                "the residuals are not left to chance, as lmer assumes: exact in each therapist: mean 0, sd as given, "
                "correlation 0 with depression."
            ],
        ),
        (
            {"sigma": "4 + 8 * sex"},
            ["the residual sd differs from row to row, and lmer estimates one for all: 4 + 8 * sex."],
        ),
        (
            {"ranef": {"therapist": {"sd": [4], "shape": "skewed"}}},
            [
                "the effects of therapist have another shape than the normal one, which lmer assumes: skewed, "
                "skewness 2."
            ],
        ),
        (
            {"problems": [ms.Missing("depression", 0.1), ms.Duplicated(0.05)]},
            [
                "the data have a problem, which lmer does not model: depression: missing, with probability 0.1.",
                "the data have a problem, which lmer does not model: row: entered twice, with probability 0.05.",
            ],
        ),
        ({"ranef": {"therapist": {"sd": [4], "shape": "normal"}}, "residual": {"shape": "normal"}}, []),
    ],
    ids=["nothing", "AR(1)", "shape", "exact", "sigma", "effects", "problems", "normal"],
)
def test_what_the_fit_ignores_has_a_note_each(change, notes):
    recovery = recover(SMALL.with_(**change), seed=1)
    assert recovery.notes == tuple(notes)
    assert not set(notes) & set(recovery.messages)
    said = [line.removeprefix("Note: ") for line in str(recovery).splitlines() if line.startswith("Note: ")]
    assert said == [*recovery.messages, *notes]
    assert all(f"<p><em>{note}</em></p>" in recovery._repr_html_() for note in notes)


def test_notes_change_nothing_in_the_table(plain):
    other = recover(SMALL.with_(residual={"ar1": 0.5}), seed=1)
    assert list(other.table.columns) == list(plain.table.columns)
    assert list(other.table.index) == list(plain.table.index)


def test_a_problem_of_a_column_that_the_model_does_not_read_has_no_note():
    problems = [ms.Missing("sex", 0.1), ms.Miscoded("therapist", 0.05), ms.Missing("depression", 0.1)]
    recovery = recover(SMALL.with_(problems=problems), seed=1, formula="anxiety ~ depression + (1 | therapist)")
    assert [note.split(": ")[1] for note in recovery.notes] == ["therapist", "depression"]


# ---- how it prints


def test_text_has_title_table_and_count(plain):
    lines = str(plain).splitlines()
    assert lines[0] == "Recovery of therapist_plain, seed 1: anxiety ~ depression + sex + (1 | therapist)"
    assert lines[2].split() == ["truth", "estimate", "se", "lower", "upper", "covered"]
    assert lines[4].split()[:2] == ["depression", "3"]
    assert lines[-1] == f"{plain.held} of 5 intervals (95 %) hold the truth."
    assert repr(plain) == str(plain) == plain.to_string()


def test_standard_errors_print_with_two_digits(plain):
    se = str(plain).splitlines()[4].split()[3]
    assert float(se) == pytest.approx(plain.table.loc["depression", "se"], rel=0.05)


def test_html_has_every_parameter_and_no_markup_from_names(plain):
    page = plain._repr_html_()
    for name in plain.table.index:
        assert f"<th>{name}</th>" in page
    assert plain.sentence in page


def test_a_dash_stands_where_there_is_nothing(wrong):
    row = next(line for line in str(wrong).splitlines() if line.startswith("price"))
    assert row.split() == ["price", "-3", "–", "–", "–", "–", "–"]


# ---- bad input


def test_something_that_is_no_population_is_refused():
    with pytest.raises(ms.MixedsimError, match="needs a Population to draw from, found Sample"):
        recover(ms.scenarios.therapist_plain(therapists=5).draw(1))


@pytest.mark.parametrize(
    ("family", "sigma", "has"),
    [
        (("gaussian", "log"), 1, "a gaussian outcome with a log link"),
    ],
)
def test_an_outcome_that_nothing_fits_is_refused(family, sigma, has):
    fields = {"clusters": {"g": 5}, "size": 4, "ranef": {"g": {"sd": 1}}, "name": "survey"}
    population = ms.Population("y ~ 1 + (1 | g)", fixef={"Intercept": 0}, family=family, sigma=sigma, **fields)
    with pytest.raises(ms.MixedsimError) as caught:
        recover(population, seed=1)
    assert str(caught.value) == (
        f"recover fits what ms.lmer, ms.glmer and ms.clmm fit; survey has {has}, which none of them does."
    )


def test_a_residual_sd_that_differs_from_row_to_row_has_an_estimate_and_no_one_truth():
    population = ms.scenarios.therapist_plain(therapists=20).with_(sigma="4 + 8 * sex")
    row = recover(population, seed=1).table.loc["sigma"]
    assert np.isnan(row["truth"])
    assert row["estimate"] == pytest.approx(np.sqrt((4**2 + 12**2) / 2), rel=0.1)


@pytest.mark.parametrize("level", [0, 1, 95, -0.5])
def test_an_impossible_level_is_refused(level):
    with pytest.raises(ms.MixedsimError, match="level must lie between 0 and 1"):
        recover(ms.scenarios.therapist_plain(therapists=5), seed=1, level=level)


def test_an_unknown_column_is_named():
    with pytest.raises(ms.DataError, match="did you mean 'depression'"):
        recover(ms.scenarios.therapist_plain(therapists=5), seed=1, formula="anxiety ~ depresion + (1 | therapist)")


def test_the_package_offers_it():
    assert ms.recover is recover
    assert isinstance(ms.recover(ms.scenarios.therapist_plain(therapists=10, patients=5), seed=1), Recovery)
