"""Power and calibration of generalised fits: the fits behind them, and what is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import mixedsim as ms
from mixedsim.inference.glm_refits import held_deviances, refits
from mixedsim.inference.glm_responses import generalized_responses
from mixedsim.models.generalized_power import _drawn
from tests.models.glmms import cbpp, cbpp_fit, clinic

FITS = {
    "together": cbpp_fit,
    "quadrature": lambda: ms.glmer("y ~ x + (1 | g)", clinic(), nagq=5),
    "negative binomial": lambda: ms.glmer("n ~ x + (1 | g)", clinic(), "negative-binomial"),
    "a dispersion": lambda: ms.glmer("a ~ x + (1 | g)", clinic(), ("gamma", "log")),
    "crossed": lambda: ms.glmer("n ~ x + (1 | g) + (1 | c)", clinic(), "poisson"),
}


@pytest.mark.parametrize("name", FITS)
def test_refits_are_those_of_the_model_itself(name: str) -> None:
    fit = FITS[name]()
    y = fit.simulate(4, seed=3)
    found = refits(_drawn(fit), y.to_numpy())
    for k in range(4):
        own = fit.refit(y[k])
        table = own.coefficients()
        np.testing.assert_allclose(found.estimate[k], table["estimate"], rtol=2e-4, atol=2e-5)
        np.testing.assert_allclose(found.se[k], table["se"], rtol=2e-3)
        assert found.deviance[k] == pytest.approx(own.deviance, abs=1e-5)
        assert (found.converged[k], found.singular[k]) == (own.converged, own.singular)


@pytest.mark.parametrize("name", FITS)
def test_a_coefficient_held_at_zero_is_one_left_out(name: str) -> None:
    fit = FITS[name]()
    y = fit.simulate(3, seed=4)
    small = fit.update(". ~ . - period" if name == "together" else ". ~ . - x")
    if name == "together":  # one of three indicators
        data = cbpp().assign(**{f"p{k}": (cbpp()["period"] == k) * 1 for k in "234"})
        small = ms.glmer("incidence / size ~ p3 + p4 + (1 | herd)", data)
    found = held_deviances(_drawn(fit), y.to_numpy(), 1, 0.0)
    np.testing.assert_allclose(found, [small.refit(y[k]).deviance for k in range(3)], atol=1e-5)


def test_a_coefficient_held_elsewhere_is_an_offset() -> None:
    data = clinic()
    fit = ms.glmer("n ~ x + (1 | g)", data, "poisson")
    y = fit.simulate(3, seed=5)
    apart = ms.glmer("n ~ 1 + (1 | g)", data, "poisson", offset=0.25 * data["x"].to_numpy())
    found = held_deviances(_drawn(fit), y.to_numpy(), 1, 0.25)
    np.testing.assert_allclose(found, [apart.refit(y[k]).deviance for k in range(3)], atol=1e-5)


def test_responses_are_drawn_with_the_effect_and_all_else_as_it_was() -> None:
    fit = ms.glmer("n ~ x + k + (1 | g)", clinic(), "poisson")
    model = _drawn(fit).moved(1, 0.9)
    moved = fit.problem.linear.fixef(model.at.beta.copy())
    np.testing.assert_allclose(moved, [fit.fixef["Intercept"], 0.9, fit.fixef["k[T.q]"]], rtol=1e-9, atol=1e-12)
    y = next(generalized_responses(model.objective, model.at, model.trials, 3000, 1))
    variance = fit.varcorr["variance"].iloc[0]
    x = np.column_stack([np.ones(120), clinic()["x"], clinic()["k"] == "q"])
    mean = np.exp(x @ moved + variance / 2)
    z = (y.mean(axis=1) - mean) / (y.std(axis=1) / np.sqrt(3000))
    assert abs(z).max() < 4.5


def test_power_counts_what_single_fits_reject() -> None:
    fit = ms.glmer("n ~ x + (1 | g)", clinic(), "poisson")
    for test in ("wald", "lrt"):
        found = fit.power("x", n=20, seed=8, effect=0.15, test=test)
        model = _drawn(fit).moved(1, 0.15)
        y = next(generalized_responses(model.objective, model.at, None, 20, 8))
        if test == "wald":
            p = [fit.refit(y[:, k]).coefficients()["p"]["x"] for k in range(20)]
        else:
            null = fit.update(". ~ . - x")
            p = [stats.chi2(1).sf(null.refit(y[:, k]).deviance - fit.refit(y[:, k]).deviance) for k in range(20)]
        assert found.rejected.hits == sum(value < 0.05 for value in p)
        assert 0 < found.rejected.hits < 20
        assert (found.rejected.n, found.failed, found.ddf) == (20, 0, test)


def test_tests_are_calibrated_where_there_are_many_groups() -> None:
    rng = np.random.default_rng(6)
    g = np.repeat(np.arange(60), 5)
    x = rng.normal(size=300)
    data = pd.DataFrame({"g": g, "x": x, "n": rng.poisson(np.exp(1 + 0.2 * x + rng.normal(0, 0.4, 60)[g]))})
    fit = ms.glmer("n ~ x + (1 | g)", data, "poisson")
    found = fit.calibrate(800, seed=1)
    assert list(found.table.index) == [(name, test) for name in ("Intercept", "x") for test in ("wald", "lrt")]
    assert (abs(found.table["rate"] - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 800)).all()
    assert "No test is further from 5 %" in str(found)


def test_words() -> None:
    fit = cbpp_fit()
    found = fit.power("period[T.2]", n=30, seed=1, test="lrt")
    assert "with the likelihood-ratio test at 5 %" in str(found)
    assert "the estimate of period[T.2] was taken for the truth" in found.notes[0]
    with pytest.raises(ms.MixedsimError, match="the model has no coefficient 'period2'"):
        fit.power("period2", n=10)
    with pytest.raises(ms.MixedsimError, match="test must be 'wald' or 'lrt' for a generalised model, found 'sat"):
        fit.power("period[T.2]", n=10, test="satterthwaite")  # type: ignore[arg-type]
    with pytest.raises(ms.MixedsimError, match="tests must name at least one of 'wald' and 'lrt'"):
        fit.calibrate(10, tests=[])
    with pytest.raises(ms.MixedsimError, match="effect must be a number in the units of"):
        fit.power("period[T.2]", n=10, effect=np.inf)
    empty = ms.glmer("incidence / size ~ 0 + (1 | herd)", ms.datasets.load("cbpp"))
    with pytest.raises(ms.MixedsimError, match="calibrate is about tests of fixed effects, and this model has none"):
        empty.calibrate(10)
