"""Power and calibration on the design of a fit: against the exact noncentral t, and against fitting one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import mixedsim as ms
from mixedsim.inference.shares import Share


@pytest.fixture(scope="module")
def trial() -> ms.LinearMixedModel:
    """A treatment given to half of 12 groups of 10: here the t test has J − 2 degrees of freedom exactly."""
    rng = np.random.default_rng(5)
    group = np.repeat(np.arange(12), 10)
    data = pd.DataFrame({"group": group.astype(str), "treatment": group % 2})
    data["y"] = 2.0 * rng.standard_normal(12)[group] + rng.standard_normal(120)
    return ms.lmer("y ~ treatment + (1 | group)", data)


def exact_power(fit: ms.LinearMixedModel, effect: float, alpha: float) -> float:
    between = fit.varcorr["variance"].iloc[0] + fit.sigma**2 / 10
    away = effect / np.sqrt(between * 4 / 12)
    critical = stats.t.ppf(1 - alpha / 2, 10)
    return float(stats.nct.sf(critical, 10, away) + stats.nct.cdf(-critical, 10, away))


@pytest.mark.parametrize(("effect", "alpha"), [(0.0, 0.05), (2.0, 0.05), (3.5, 0.01)])
def test_power_is_that_of_the_exact_t_test(trial: ms.LinearMixedModel, effect: float, alpha: float) -> None:
    found = trial.power("treatment", 4000, seed=1, effect=effect, alpha=alpha)
    truth = exact_power(trial, effect, alpha)
    assert abs(found.power - truth) < 4 * np.sqrt(truth * (1 - truth) / 4000)
    assert abs(found.false_positive - alpha) < 4 * np.sqrt(alpha * (1 - alpha) / 4000)
    assert found.lower < found.power < found.upper
    assert (found.n, found.failed) == (4000, 0)


def test_power_counts_what_one_fit_after_the_other_shows(trial: ms.LinearMixedModel) -> None:
    found = trial.power("treatment", 40, seed=3, effect=2.5)
    shift = (2.5 - trial.fixef["treatment"]) * trial.request.data["treatment"]
    responses = trial.simulate(40, seed=3)
    with_effect = [trial.refit(responses[k] + shift).coefficients().loc["treatment", "p"] for k in range(40)]
    gone = trial.fixef["treatment"] * trial.request.data["treatment"]
    without = [trial.refit(responses[k] - gone).coefficients().loc["treatment", "p"] for k in range(40)]
    assert found.rejected == Share(int((np.array(with_effect) < 0.05).sum()), 40)
    assert found.false == Share(int((np.array(without) < 0.05).sum()), 40)


def test_power_says_what_it_took_for_true(trial: ms.LinearMixedModel) -> None:
    observed, chosen = trial.power("treatment", 50, seed=1), trial.power("treatment", 50, seed=1, effect=2)
    assert observed.effect == trial.fixef["treatment"]
    assert "the estimate of treatment was taken for the truth" in str(observed)
    assert "taken for the truth" not in str(chosen)
    assert float(chosen) == chosen.power
    assert "there is none in" in str(chosen)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"parameter": "treatmnt"}, "the model has no coefficient 'treatmnt': did you mean 'treatment'?"),
        ({"n": 0}, "n must be a whole number of at least 1, found 0."),
        ({"effect": "large"}, "effect must be a number in the units of treatment, found 'large'."),
        ({"alpha": 5}, "alpha must lie between 0 and 1, such as 0.05, found 5."),
        ({"ddf": "z"}, "ddf must be 'satterthwaite', 'kenward-roger' or 'wald', found 'z'."),
    ],
)
def test_power_refuses_in_one_sentence(trial: ms.LinearMixedModel, arguments: dict, sentence: str) -> None:
    with pytest.raises(ms.MixedsimError) as error:
        trial.power(**{"parameter": "treatment", **arguments})
    assert str(error.value) == sentence


def test_calibration_finds_the_test_that_is_off() -> None:
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(6), 20)
    data = pd.DataFrame({"group": group.astype(str), "treatment": group % 2})
    data["y"] = rng.standard_normal(6)[group] + rng.standard_normal(120)
    fit = ms.lmer("y ~ treatment + (1 | group)", data)
    found = fit.calibrate(2000, seed=1)
    rates = found.table.reset_index().pivot_table(index="coefficient", columns="test", values="rate")
    wald = 2 * stats.t.sf(stats.norm.ppf(0.975), 4)  # what z makes of a t with 4 degrees of freedom
    assert abs(rates.loc["treatment", "wald"] - wald) < 4 * np.sqrt(wald * (1 - wald) / 2000)
    for test in ("satterthwaite", "kenward-roger"):
        assert abs(rates.loc["treatment", test] - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 2000)
    assert rates.loc["treatment", "lrt"] > 0.08
    assert set(found.off.index.get_level_values("test")) >= {"wald", "lrt"}
    assert "wald for treatment (" in found.sentence


def test_likelihood_ratios_of_calibration_are_those_of_two_fits(trial: ms.LinearMixedModel) -> None:
    found = trial.calibrate(30, seed=4, tests=["lrt"])
    data, responses = trial.request.data, trial.simulate(30, seed=4)
    hits = 0
    for k in range(30):
        frame = data.assign(y=responses[k] - trial.fixef["treatment"] * data["treatment"])
        table = ms.anova(ms.lmer("y ~ 1 + (1 | group)", frame), ms.lmer("y ~ treatment + (1 | group)", frame))
        hits += bool(table["p"].iloc[-1] < 0.05)
    assert found.table.loc[("treatment", "lrt"), "rate"] == pytest.approx(hits / 30)


def test_calibration_minds_the_fit(trial: ms.LinearMixedModel) -> None:
    by_ml = trial.update(reml=False)
    assert "kenward-roger" not in by_ml.calibrate(20, seed=1).table.index.get_level_values("test")
    with pytest.raises(ms.MixedsimError, match="needs a REML fit"):
        by_ml.calibrate(20, seed=1, tests=["kenward-roger"])
    with pytest.raises(ms.MixedsimError, match="tests must be among 'wald', 'satterthwaite'"):
        trial.calibrate(20, seed=1, tests=["z"])
    with pytest.raises(ms.MixedsimError, match="this model has none: add one"):
        trial.update("y ~ 0 + (1 | group)").calibrate(20)


def test_the_interval_of_a_share_is_the_exact_one() -> None:
    found = Share(13, 100).interval(0.9)
    assert found == pytest.approx(stats.binomtest(13, 100).proportion_ci(0.9, method="exact"))
    assert Share(0, 50).interval()[0] == 0.0
    assert Share(50, 50).interval()[1] == 1.0
    assert np.isnan(Share(0, 0).value)
    assert np.isnan(Share(0, 0).interval()).all()
