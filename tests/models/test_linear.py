"""What a fitted model says about itself, and that it says the same by every road."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mixedsim as ms

# Two roads to one optimum: each stops within 1e-10 of the lowest deviance, so estimates agree to about 1e-6.
SAME = 2e-6


@pytest.fixture(scope="module")
def sleepstudy() -> pd.DataFrame:
    return ms.datasets.load("sleepstudy")


@pytest.fixture(scope="module")
def slopes(sleepstudy):
    return ms.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)


def assert_same_fit(one, other):
    assert one.loglik == pytest.approx(other.loglik, abs=1e-6)
    np.testing.assert_allclose(one.fixef, other.fixef, rtol=SAME, atol=SAME)
    np.testing.assert_allclose(one.vcov, other.vcov, rtol=1e-4, atol=SAME)
    np.testing.assert_allclose(one.varcorr["variance"], other.varcorr["variance"], rtol=1e-4, atol=SAME)


# ---- the tables


def test_varcorr_has_a_row_for_every_variance_and_every_pair(slopes):
    table = slopes.varcorr
    assert list(table.columns) == ["group", "term1", "term2", "variance", "sd_or_corr"]
    assert table["term2"].isna().tolist() == [True, True, False]
    sd = np.sqrt(table["variance"][:2])
    np.testing.assert_allclose(table["sd_or_corr"][:2], sd)
    assert table["sd_or_corr"][2] == pytest.approx(table["variance"][2] / (sd[0] * sd[1]))


def test_uncorrelated_effects_have_no_row_for_their_pair(sleepstudy):
    table = ms.lmer("Reaction ~ Days + (Days || Subject)", sleepstudy).varcorr
    assert table["term2"].isna().all()
    assert table["term1"].tolist() == ["Intercept", "Days"]


def test_random_effects_are_labelled_by_level_and_effect(slopes):
    effects = slopes.ranef["Subject"]
    assert effects.index.name == "Subject"
    assert effects.index[0] == "308"
    assert list(effects.columns) == ["Intercept", "Days"]
    assert (slopes.ranef_sd["Subject"] > 0).all(axis=None)
    np.testing.assert_allclose(effects.sum(), 0, atol=1e-8)  # X's columns are among Z's, so the effects balance


def test_coef_is_fixed_plus_random(slopes):
    expected = slopes.ranef["Subject"] + slopes.fixef
    pd.testing.assert_frame_equal(slopes.coef["Subject"], expected[slopes.fixef.index])


def test_coef_of_an_effect_that_only_varies_is_the_random_effect(sleepstudy):
    fit = ms.lmer("Reaction ~ 1 + (Days | Subject)", sleepstudy)
    np.testing.assert_allclose(fit.coef["Subject"]["Days"], fit.ranef["Subject"]["Days"])


def test_criteria_follow_from_the_deviance(slopes):
    assert slopes.npar == 6
    assert slopes.deviance == pytest.approx(-2 * slopes.loglik)
    assert slopes.aic == pytest.approx(slopes.deviance + 12)
    assert slopes.bic == pytest.approx(slopes.deviance + 6 * np.log(180))


def test_coefficients_with_wald_df_use_the_normal_distribution(slopes):
    table = slopes.coefficients(ddf="wald")
    assert np.isinf(table["df"]).all()
    half = (table["upper"] - table["lower"]) / 2
    np.testing.assert_allclose(half, 1.959964 * table["se"], rtol=1e-6)
    wider = slopes.coefficients()
    assert (wider["upper"] > table["upper"]).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda f: f.coefficients(ddf="exact"),
            "ddf must be 'satterthwaite', 'kenward-roger' or 'wald', found 'exact'.",
        ),
        (lambda f: f.coefficients(level=95), "level must lie between 0 and 1, found 95."),
        (lambda f: f.residuals("raw"), "kind must be 'response', 'pearson' or 'scaled', found 'raw'."),
    ],
)
def test_wrong_options_are_named_with_what_is_allowed(slopes, call, said):
    with pytest.raises(ms.MixedsimError) as caught:
        call(slopes)
    assert str(caught.value) == said


# ---- rows


def test_predictions_of_the_fitted_rows_are_the_same_by_either_road(slopes, sleepstudy):
    pd.testing.assert_series_equal(slopes.predict(), slopes.predict(sleepstudy), check_names=False)
    population = slopes.predict(random=False)
    np.testing.assert_allclose(population, slopes.fixef["Intercept"] + slopes.fixef["Days"] * sleepstudy["Days"])
    pd.testing.assert_series_equal(population, slopes.predict(sleepstudy, random=False), check_names=False)


def test_residuals_are_what_the_predictions_leave(slopes, sleepstudy):
    np.testing.assert_allclose(slopes.residuals() + slopes.predict(), sleepstudy["Reaction"])
    np.testing.assert_allclose(slopes.residuals("scaled") * slopes.sigma, slopes.residuals())


def test_rows_keep_the_labels_of_the_table(sleepstudy):
    gappy = sleepstudy.copy()
    gappy.index = [f"row {i}" for i in range(180)]
    gappy.loc["row 3", "Days"] = np.nan
    fit = ms.lmer("Reaction ~ Days + (1 | Subject)", gappy)
    assert fit.nobs == 179
    assert "row 3" not in fit.residuals().index
    assert fit.residuals().index[3] == "row 4"
    assert "1 of 180 rows were dropped because of missing values (Days 1)." in fit.messages


def test_combined_groups_predict_by_their_joined_levels():
    pastes = ms.datasets.load("Pastes")
    fit = ms.lmer("strength ~ 1 + (1 | batch/cask)", pastes)
    assert fit.n_groups == {"cask:batch": 30, "batch": 10}
    assert "a:A" in fit.ranef["cask:batch"].index
    pd.testing.assert_series_equal(fit.predict(), fit.predict(pastes), check_names=False)


def test_an_unseen_level_needs_the_population_mean(slopes):
    new = pd.DataFrame({"Days": [3.0], "Subject": ["999"]})
    with pytest.raises(ms.DataError, match=r"'Subject' has levels .* '999'; use random=False"):
        slopes.predict(new)
    assert slopes.predict(new, random=False)[0] == pytest.approx(slopes.fixef["Intercept"] + 3 * slopes.fixef["Days"])


# ---- two roads, one answer


def test_unit_weights_are_no_weights(sleepstudy, slopes):
    assert_same_fit(slopes, ms.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy, weights=np.ones(180)))


def test_a_doubled_weight_is_a_row_with_half_the_variance(sleepstudy):
    weights = np.where(sleepstudy["Days"] < 5, 2.0, 1.0)
    one = ms.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy, weights=weights)
    scaled = ms.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy, weights=5 * weights)
    np.testing.assert_allclose(one.fixef, scaled.fixef, rtol=SAME)
    assert scaled.sigma == pytest.approx(one.sigma * np.sqrt(5), rel=1e-5)
    assert one.loglik == pytest.approx(scaled.loglik, abs=1e-6)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_the_scale_of_the_weights_scales_sigma_and_nothing_else(sleepstudy, slopes, scale):
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy, weights=np.full(180, scale))
    assert not fit.singular
    assert fit.messages == ()
    np.testing.assert_allclose(fit.fixef, slopes.fixef, rtol=SAME)
    np.testing.assert_allclose(fit.varcorr["variance"], slopes.varcorr["variance"], rtol=1e-5)
    np.testing.assert_allclose(fit.coefficients()["df"], slopes.coefficients()["df"], rtol=1e-5)
    assert fit.sigma == pytest.approx(slopes.sigma * np.sqrt(scale), rel=1e-6)


def test_an_offset_is_a_shifted_response(sleepstudy):
    known = sleepstudy.assign(known=7.0 * sleepstudy["Days"], shifted=sleepstudy["Reaction"] - 7.0 * sleepstudy["Days"])
    one = ms.lmer("Reaction ~ Days + (1 | Subject)", known, offset="known")
    other = ms.lmer("shifted ~ Days + (1 | Subject)", known)
    assert_same_fit(one, other)
    np.testing.assert_allclose(one.predict() - known["known"], other.predict())


def test_double_bar_is_two_terms(sleepstudy):
    one = ms.lmer("Reaction ~ Days + (Days || Subject)", sleepstudy)
    other = ms.lmer("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", sleepstudy)
    assert_same_fit(one, other)


def test_the_time_origin_moves_the_intercept_and_nothing_else(sleepstudy, slopes):
    """Centring inside a correlated term must carry the whole covariance matrix back."""
    shifted = sleepstudy.assign(Days=sleepstudy["Days"] + 1000.0)
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", shifted)
    assert fit.loglik == pytest.approx(slopes.loglik, abs=1e-6)
    assert fit.fixef["Days"] == pytest.approx(slopes.fixef["Days"], rel=1e-7)
    move = np.array([[1.0, -1000.0], [0.0, 1.0]])
    np.testing.assert_allclose(fit.covariances["Subject"], move @ slopes.covariances["Subject"] @ move.T, rtol=1e-5)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10_000),
    scale=st.floats(1e-6, 1e6),
    shift=st.floats(-1e6, 1e6),
    stretch=st.floats(1e-4, 1e4),
)
def test_changes_of_unit_change_the_estimates_as_they_must(seed, scale, shift, stretch):
    """y → shift·scale + scale·y and x → stretch·x, rows permuted, groups renamed: all at once."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(12), rng.integers(3, 9, 12))
    x = rng.normal(size=len(g))
    y = 1 + 2 * x + rng.normal(size=12)[g] + 0.5 * rng.normal(size=12)[g] * x + rng.normal(size=len(g))
    data = pd.DataFrame({"y": y, "x": x, "g": [f"g{i:02d}" for i in g]})
    names = {f"g{i:02d}": f"h{k:02d}" for i, k in enumerate(rng.permutation(12))}
    other = data.assign(y=scale * (y + shift), x=stretch * x, g=data["g"].map(names)).sample(frac=1, random_state=seed)
    one, two = (ms.lmer("y ~ x + (x | g)", d) for d in (data, other))
    # the digits that survive adding a shift a million times the spread are what limits this comparison
    lost = 1e-9 * max(1.0, abs(shift)) + 1e-5
    np.testing.assert_allclose(two.fixef["x"], one.fixef["x"] * scale / stretch, rtol=lost, atol=lost * scale / stretch)
    moved = scale * (one.fixef["Intercept"] + shift)
    np.testing.assert_allclose(two.fixef["Intercept"], moved, rtol=lost, atol=lost * scale)
    assert two.sigma == pytest.approx(scale * one.sigma, rel=10 * lost)
    np.testing.assert_allclose(two.coefficients()["df"], one.coefficients()["df"], rtol=1e-2)
    effects = one.ranef["g"]["Intercept"].rename(names)
    np.testing.assert_allclose(two.ranef["g"]["Intercept"], scale * effects.sort_index(), atol=1e-3 * scale)


def test_reml_of_a_balanced_one_way_layout_is_the_anova_estimator():
    dyestuff = ms.datasets.load("Dyestuff")
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", dyestuff)
    batches = dyestuff.groupby("Batch", observed=True)["Yield"]
    within = ((dyestuff["Yield"] - batches.transform("mean")) ** 2).sum() / 24
    between = 5 * ((batches.mean() - dyestuff["Yield"].mean()) ** 2).sum() / 5
    assert fit.sigma**2 == pytest.approx(within, rel=1e-6)
    assert fit.varcorr["variance"][0] == pytest.approx((between - within) / 5, rel=1e-6)


def test_a_flat_likelihood_is_told_and_an_ordinary_one_is_not(sleepstudy, slopes):
    """Two clinics, one of them treated: no clinic is left to tell the treatment from the clinic."""
    rng = np.random.default_rng(0)
    g = np.repeat([0, 1], 20)
    clinics = pd.DataFrame({"y": rng.normal(size=40) + g, "clinic": g, "treated": 1.0 * g})
    fit = ms.lmer("y ~ treated + (1 | clinic)", clinics)
    assert any("the data do not determine all variances" in message for message in fit.messages)
    assert slopes.messages == ()


@pytest.mark.parametrize(
    ("formula", "y"),
    [
        ("y ~ x + (1 | g)", lambda g, x: 2 * x),
        ("y ~ x + (1 | g)", lambda g, x: g),
        ("y ~ x + (x | g)", lambda g, x: (g + 1) * x),
    ],
    ids=["by a predictor", "by the groups", "by the slopes of the groups"],
)
def test_a_response_that_is_explained_exactly_is_refused(formula, y):
    g = np.repeat(np.arange(8.0), 6)
    x = np.random.default_rng(1).normal(size=48)
    with pytest.raises(ms.DataError) as caught:
        ms.lmer(formula, pd.DataFrame({"y": y(g, x), "x": x, "g": g.astype(int)}))
    assert str(caught.value) == (
        "the model explains the response exactly, so that nothing is left for the residual: "
        "check whether the response was computed from the predictors or the groups."
    )


# ---- truth


def test_estimates_are_unbiased_and_intervals_cover_over_many_draws():
    """200 draws of a small population: mean estimate and coverage within Monte-Carlo error of the truth."""
    population = ms.scenarios.therapist_plain(therapists=20, patients=10)
    estimates, covered = [], []
    for seed in range(200):
        sample = population.draw(seed=seed)
        fit = ms.lmer(population.formula, sample.data)
        table = fit.coefficients()
        truth = sample.truth.fixef[table.index]
        estimates.append(table["estimate"] - truth)
        covered.append((table["lower"] <= truth) & (truth <= table["upper"]))
    off = pd.DataFrame(estimates)
    assert (off.mean().abs() < 4 * off.std() / np.sqrt(200)).all()
    coverage = pd.DataFrame(covered).mean()
    assert ((coverage - 0.95).abs() < 4 * np.sqrt(0.95 * 0.05 / 200)).all()
