"""The same model again: another formula, response, criterion, weights. Two roads, one answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    frame = ms.datasets.load("sleepstudy")
    frame["w"] = rng.uniform(0.5, 2, len(frame))
    frame["base"] = rng.normal(size=len(frame))
    frame["late"] = np.where(frame["Days"] > 4, "yes", "no")
    frame.loc[[3, 50, 51], "base"] = np.nan
    return frame


@pytest.fixture(scope="module")
def fit(data):
    return ms.lmer("Reaction ~ Days + (Days | Subject)", data)


def same(one, other):
    assert one.loglik == pytest.approx(other.loglik, abs=1e-8)
    pd.testing.assert_series_equal(one.fixef, other.fixef, rtol=1e-8)
    np.testing.assert_allclose(one.theta, other.theta, rtol=0, atol=1e-7)
    assert one.sigma == pytest.approx(other.sigma, rel=1e-9)
    assert one.nobs == other.nobs
    assert one.reml == other.reml


def test_a_change_of_formula_is_a_fit_of_the_new_one(fit, data):
    changed = fit.update(". ~ . + late - (Days | Subject) + (1 | Subject)")
    same(changed, ms.lmer("Reaction ~ Days + late + (1 | Subject)", data))


def test_another_variable_may_lack_values(fit, data):
    same(fit.update(". ~ . + base"), ms.lmer("Reaction ~ Days + base + (Days | Subject)", data))


def test_another_criterion(fit, data):
    same(fit.update(reml=False), ms.lmer(fit.formula, data, reml=False))
    same(fit.update(reml=False).update(reml=True), fit)


def test_weights_and_offset_stay_until_they_are_taken_away(fit, data):
    weighted = fit.update(weights="w", offset="base", data=data.dropna())
    same(weighted, ms.lmer(fit.formula, data.dropna(), weights="w", offset="base"))
    same(weighted.update(". ~ 1 + (1 | Subject)"),
         ms.lmer("Reaction ~ 1 + (1 | Subject)", data.dropna(), weights="w", offset="base"))  # fmt: skip
    same(weighted.update(weights=None, offset=None), ms.lmer(fit.formula, data.dropna()))


def test_other_data(fit, data):
    few = data[data["Days"] < 6]
    same(fit.update(data=few), ms.lmer(fit.formula, few))


def test_an_update_leaves_the_fit_as_it_was(fit, data):
    before = fit.fixef.copy(), fit.loglik
    fit.update(". ~ . + late", reml=False)
    fit.refit(data["Reaction"].to_numpy()[::-1])
    pd.testing.assert_series_equal(fit.fixef, before[0])
    assert fit.loglik == before[1]


def test_the_optimiser_stays_but_a_start_belongs_to_its_model(data):
    control = ms.Control(optimizer="l-bfgs-b", start=[1, 0, 1])
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", data, control=control)
    other = fit.update(". ~ . - (Days | Subject) + (1 | Subject)")
    assert other.control.optimizer == "l-bfgs-b"
    assert other.control.start is None
    assert fit.update(reml=False).control.start == (1, 0, 1)
    assert fit.update(control=None).control.optimizer == "newton"


def test_reml_is_true_or_false(fit):
    with pytest.raises(ms.MixedsimError, match=r"^reml must be True or False, found 'ML'\.$"):
        fit.update(reml="ML")


# ---- refit

MODELS = {
    "slopes": ("Reaction ~ Days + (Days | Subject)", {}),
    "uncorrelated, without intercept": ("Reaction ~ 0 + late + (Days || Subject)", {}),
    "weights and offset": ("Reaction ~ Days + (1 | Subject)", {"weights": "w", "offset": "Days"}),
    "rows dropped": ("Reaction ~ base + (1 | Subject)", {}),
    "crossed": ("Reaction ~ 1 + (1 | Subject) + (1 | Days)", {}),
    "ML": ("Reaction ~ late + (1 | Subject)", {"reml": False}),
}


@pytest.mark.parametrize("name", MODELS)
def test_refit_is_a_fit_to_the_new_response(name, data):
    formula, extra = MODELS[name]
    fit = ms.lmer(formula, data, **extra)
    y = 1000 - 3 * data["Reaction"] + 20 * data["Days"]
    again = fit.refit(y)
    same(again, ms.lmer(formula, data.assign(Reaction=y), **extra))
    same(fit.refit(y.to_numpy()), again)
    same(fit.refit(y.loc[fit.design.index].to_numpy()), again)


def test_refit_to_the_same_response_is_the_same_fit(fit, data):
    same(fit.refit(data["Reaction"]), fit)


def test_rescaling_the_response_rescales_the_fit(fit, data):
    other = fit.refit(5 + 1e6 * data["Reaction"])
    assert other.sigma == pytest.approx(1e6 * fit.sigma)
    np.testing.assert_allclose(other.fixef["Days"], 1e6 * fit.fixef["Days"])
    np.testing.assert_allclose(other.theta, fit.theta, atol=1e-7)


def test_a_series_is_matched_by_its_index(fit, data):
    shuffled = (data["Reaction"] + 3 * data["Days"]).sample(frac=1, random_state=1)
    same(fit.refit(shuffled), ms.lmer(fit.formula, data.assign(Reaction=shuffled)))


def test_an_update_after_a_refit_keeps_the_new_response(fit, data):
    y = data["Reaction"] + 10 * data["Days"]
    same(fit.refit(y).update(". ~ 1 + (1 | Subject)"),
         ms.lmer("Reaction ~ 1 + (1 | Subject)", data.assign(Reaction=y)))  # fmt: skip


def test_an_update_after_a_refit_of_a_calculation_is_refused(data):
    again = ms.lmer("log(Reaction) ~ Days + (1 | Subject)", data).refit(np.log(data["Reaction"]) + 1)
    with pytest.raises(ms.MixedsimError, match=r"refitted to other values of 'log\(Reaction\)', which is no column"):
        again.update(". ~ 1 + (1 | Subject)")


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        (np.arange(7.0), "the new response must have one value for each of the 180 rows that were fitted, found 7."),
        (np.zeros((180, 2)), "the new response must have one value for each of the 180 rows that were fitted, found "
                             "shape (180, 2)."),
        (["a"] * 180, "the new response must be numbers, one a row, found list."),
        (np.full(180, 2.5), "the new response is constant (2.5 in all rows), so there is nothing to model."),
        (np.where(np.arange(180) == 4, np.nan, 1.0), "the new response must be finite numbers: row 4 holds nan (1 such "
         "row); to leave rows out, use update(data=...)."),
        (pd.Series(np.arange(180.0), index=range(1, 181)), "the new response is a Series whose index is not that of "
         "the rows: pass its values."),
    ],
)  # fmt: skip
def test_a_response_that_does_not_fit_is_refused(fit, y, sentence):
    with pytest.raises(ms.DataError) as error:
        fit.refit(y)
    assert str(error.value) == sentence
