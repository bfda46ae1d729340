"""Tests and intervals of many replicates are those of each alone, where something is out of the ordinary."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.inference.many_scales import least_singular_value, many_singular, many_thetas
from mixedsim.models.many import ManyFits, refit_many
from mixedsim.models.many_alone import refit_alone

FIELDS = ["estimate", "se", "df", "p", "lower", "upper"]


def against_alone(fit, y, rtol=2e-6, ddfs=("satterthwaite", "kenward-roger")) -> ManyFits:
    """The fits in company, which are those of each alone."""
    many = refit_many(fit, y)
    alone, failures = refit_alone(fit, y, fit.reml, fit.request.control)
    assert failures == many.failures
    assert {type(portion).__name__ for portion in many.portions} == {"Together"}
    for ddf in ddfs:
        found = many.coefficients(ddf)
        for one in alone:
            wanted = one.coefficients(ddf, 0.95)
            for name in FIELDS:
                ours, theirs = getattr(found, name)[one.replicate], getattr(wanted, name)[0]
                np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-12, equal_nan=True, err_msg=f"{ddf} {name}")
    return many


def crossed(seed=1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"s": np.repeat(np.arange(12), 8), "i": np.tile(np.arange(8), 12)})
    frame["c"] = frame["i"] % 2 - 0.5
    frame["x"] = rng.normal(size=96)
    frame["y"] = rng.normal(size=12)[frame["s"]] * (1 + frame["c"]) + rng.normal(size=8)[frame["i"]]
    return frame.assign(y=frame["y"] + rng.normal(size=96))


@pytest.mark.parametrize(
    "formula",
    ["y ~ c + (1 | s) + (1 | i)", "y ~ c + x + (1 + c | s) + (1 | i)", "y ~ c * x + (1 + c || s) + (1 | i)"],
)
def test_crossed_factors(formula):
    fit = ms.lmer(formula, crossed())
    against_alone(fit, fit.simulate(8, seed=2).to_numpy())


def test_nested_factors():
    fit = ms.lmer("strength ~ 1 + (1 | batch/cask)", ms.datasets.load("Pastes"))
    against_alone(fit, fit.simulate(10, seed=2).to_numpy())


def test_a_singular_replicate_has_the_tests_of_its_singular_fit():
    fit = ms.lmer("y ~ c + (1 + c | s)", crossed())
    rng = np.random.default_rng(4)
    y = rng.normal(size=(96, 20)) + crossed()["c"].to_numpy()[:, None]
    many = refit_many(fit, y)
    assert many.singular.mean() > 0.5
    for k in range(20):
        again = fit.refit(y[:, k])
        for ddf in ("satterthwaite", "kenward-roger"):
            table, found = again.coefficients(ddf), many.coefficients(ddf)
            np.testing.assert_allclose(found.se[k], table["se"], rtol=1e-5)
            np.testing.assert_allclose(found.df[k], table["df"], rtol=1e-4)


def test_degrees_of_freedom_that_cannot_be_known_are_zero():
    # predictors of the groups that use the groups up leave nothing to know their variance by
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"g": np.repeat(list("abcd"), 10), "y": rng.normal(size=40)})
    frame["h"], frame["k"] = frame["g"].isin(["c", "d"]).astype(float), frame["g"].isin(["b", "d"]).astype(float)
    fit = ms.lmer("y ~ h * k + (1 | g)", frame)
    y = rng.normal(size=(40, 6))
    many = refit_many(fit, y)
    assert (many.coefficients().df == 0).all()
    for k in range(6):
        again = fit.refit(y[:, k])
        for ddf in ("satterthwaite", "kenward-roger"):
            np.testing.assert_allclose(many.coefficients(ddf).df[k], again.coefficients(ddf)["df"], rtol=1e-5)
            np.testing.assert_array_equal(
                np.isnan(many.coefficients(ddf).p[k]), np.isnan(again.coefficients(ddf)["p"])
            )


def test_theta_of_the_data_is_that_of_each_alone():
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    y = fit.simulate(5, seed=1).to_numpy()
    portion = refit_many(fit, y).portions[0]
    for k in range(5):
        problem = fit.refit(y[:, k]).problem
        wanted = problem.theta(portion.optima.theta[:, k])
        np.testing.assert_allclose(many_thetas(portion.optima.theta, portion.layout, portion.scales)[:, k], wanted)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_least_singular_value(size):
    lam = np.random.default_rng(1).normal(size=(size, size, 6))
    lam[0, :, 3] = 0.0
    wanted = [np.linalg.svd(lam[..., k], compute_uv=False)[-1] for k in range(6)]
    np.testing.assert_allclose(least_singular_value(lam), wanted, atol=1e-12)


def test_singular_means_singular():
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    theta = np.array([[1.0, 0.3, 0.5], [1.0, 0.3, 0.0], [0.0, 0.3, 0.5], [0.0, 0.0, 0.0]]).T
    assert many_singular(theta, fit.problem.layout, 1e-4).tolist() == [False, True, True, True]
