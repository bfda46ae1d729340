"""`confint`, `profile` and `trace` of a fitted model: names, methods, selection, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.study import recover


@pytest.fixture(scope="module")
def fit():
    return ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))


NAMES = [
    "Intercept",
    "Days",
    "sd(Intercept | Subject)",
    "sd(Days | Subject)",
    "corr(Intercept, Days | Subject)",
    "sigma",
]


@pytest.mark.parametrize("method", ["profile", "wald", "boot"])
def test_every_method_gives_the_same_rows_and_columns(fit, method):
    table = fit.confint(method, n=40, seed=1)
    assert table.index.tolist() == NAMES
    assert table.index.name == "parameter"
    assert table.columns.tolist() == ["estimate", "lower", "upper"]
    assert (table["lower"] < table["upper"]).all()
    assert table.loc["Days", "estimate"] == pytest.approx(fit.fixef["Days"])
    assert table.loc["sigma", "estimate"] == pytest.approx(fit.sigma)
    np.testing.assert_allclose(table["estimate"].iloc[2:5], fit.varcorr["sd_or_corr"])


def test_names_are_those_of_recover():
    recovery = recover(ms.scenarios.therapist_plain(), seed=1)
    assert set(recovery.fit.confint("wald").index) <= set(recovery.table.index)


def test_profile_is_the_default_and_the_level_matters(fit):
    pd.testing.assert_frame_equal(fit.confint(), fit.confint("profile", 0.95))
    narrow = fit.confint(level=0.5)
    assert (narrow["lower"] > fit.confint()["lower"]).all()


def test_wald_of_a_coefficient_is_plus_or_minus_two_standard_errors(fit):
    row = fit.confint("wald").loc["Days"]
    se = fit.vcov.loc["Days", "Days"] ** 0.5
    assert row["upper"] - row["estimate"] == pytest.approx(1.959963984540054 * se)


def test_parameters_select_by_name_and_by_kind(fit):
    assert fit.confint(parameters="sigma").index.tolist() == ["sigma"]
    assert fit.confint("wald", parameters=["sd", "Days"]).index.tolist() == ["Days", *NAMES[2:4]]
    whole = fit.confint()
    pd.testing.assert_frame_equal(fit.confint(parameters="corr"), whole.loc[[NAMES[4]]], rtol=1e-6)
    assert fit.confint(parameters=[]).empty


def test_bootstrap_intervals_are_percentiles_of_the_replicates(fit):
    table = fit.confint("boot", n=60, seed=3, level=0.8)
    drawn = fit.bootstrap(60, seed=3)
    drawn = drawn[drawn["converged"]]
    for name in ("Days", "sigma"):
        assert table.loc[name, ["lower", "upper"]].tolist() == pytest.approx(drawn[name].quantile([0.1, 0.9]).tolist())
    sd = drawn["sigma"] * drawn["theta1"].abs()
    assert table.loc[NAMES[2], "lower"] == pytest.approx(sd.quantile(0.1))
    slope_sd = drawn["sigma"] * np.hypot(drawn["theta2"], drawn["theta3"])
    assert table.loc[NAMES[3], "upper"] == pytest.approx(slope_sd.quantile(0.9))
    assert table.attrs["failed"] == 0


def test_a_singular_fit_has_intervals_too():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2"))
    assert fit.singular
    row = fit.confint().loc["sd(Intercept | Batch)"]
    assert row["estimate"] == 0
    assert row["lower"] == 0
    assert row["upper"] == pytest.approx(2.08404787, abs=1e-6)


def test_a_correlation_that_nothing_determines_may_be_anything():
    """Without variance of the slope every correlation fits as well as any other."""
    rng = np.random.default_rng(17)
    g, x = np.repeat(np.arange(12), 6), np.tile(np.linspace(-1, 1, 6), 12)
    noise = rng.normal(size=72)
    # residuals without any slope within a group: the estimate of its variance is zero
    slope = np.bincount(g, noise * x) / np.bincount(g, x * x)
    data = pd.DataFrame({"y": rng.normal(size=12)[g] + noise - slope[g] * x, "x": x, "g": g})
    row = ms.lmer("y ~ x + (x | g)", data).confint(parameters="corr").iloc[0]
    assert np.isnan(row["estimate"])
    assert row[["lower", "upper"]].tolist() == [-1.0, 1.0]


def test_a_correlation_that_only_the_place_of_zero_decides_has_no_interval():
    data = ms.datasets.load("sleepstudy")
    table = ms.lmer("Reaction ~ Days + (Days | Subject)", data.assign(Days=data["Days"] + 1e8)).confint()
    assert table.loc[NAMES[4], ["lower", "upper"]].isna().all()
    assert table.loc["Days", "lower"] == pytest.approx(7.3587, abs=1e-3)
    assert table.drop(index=NAMES[4]).notna().all(axis=None)


def test_models_without_fixed_effects_with_weights_and_with_crossed_factors_have_profiles():
    sleep = ms.datasets.load("sleepstudy")
    none = ms.lmer("Reaction ~ 0 + (Days | Subject)", sleep).confint()
    assert none.index.tolist() == NAMES[2:]
    weights = np.where(sleep["Days"] > 4, 2.0, 0.5)
    weighted = ms.lmer("Reaction ~ Days + (Days || Subject)", sleep, weights=weights)
    doubled = ms.lmer("Reaction ~ Days + (Days || Subject)", sleep, weights=4 * weights)
    ratio = (doubled.confint() / weighted.confint())[["lower", "upper"]]
    np.testing.assert_allclose(ratio.loc["sigma"], 2.0, rtol=1e-5)
    np.testing.assert_allclose(ratio.drop(index="sigma"), 1.0, rtol=1e-5)
    assert len(ms.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", ms.datasets.load("Penicillin")).confint()) == 4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"method": "exact"}, r"method must be 'profile', 'wald' or 'boot', found 'exact'\."),
        ({"level": 95}, r"level must lie between 0 and 1, found 95\."),
        ({"parameters": "Dais"}, r"the model has no parameter 'Dais': did you mean 'Days'\?"),
        ({"parameters": ["Days", "tau"]}, r"the model has no parameter 'tau': .*"),
    ],
)
def test_confint_says_what_is_wrong(fit, arguments, sentence):
    with pytest.raises(ms.MixedsimError, match=f"^{sentence}$"):
        fit.confint(**arguments)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"which": "days"}, r"the model has no parameter 'days': did you mean 'Days'\?"),
        ({"level": 1.0}, r"level must lie between 0 and 1, found 1\.0\."),
        ({"points": 0}, r"points must be 1 or more on each side of the estimate, found 0\."),
    ],
)
def test_profile_says_what_is_wrong(fit, arguments, sentence):
    with pytest.raises(ms.MixedsimError, match=f"^{sentence}$"):
        fit.profile(**arguments)


def test_a_profile_is_frozen(fit):
    with pytest.raises(AttributeError):
        fit.profile("sigma", points=1).level = 0.5


def test_the_trace_leads_downhill_to_the_fit(fit):
    trace = fit.trace()
    assert trace.index.name == "iteration"
    assert {"deviance", "gradient", "theta1", "theta2", "theta3"} == set(trace.columns)
    assert (trace["deviance"].diff().dropna() <= 1e-9).all()
    assert trace["deviance"].iloc[-1] == pytest.approx(fit.deviance, abs=1e-9)
    np.testing.assert_allclose(trace[["theta1", "theta2", "theta3"]].iloc[-1], fit.theta)
    assert trace["gradient"].iloc[-1] < 1e-4
