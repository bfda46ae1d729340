"""Generalised models at their ends: separation, large counts, variances that vanish and come back, near singularity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit

import mixedsim as ms
from mixedsim.models import GeneralizedLinearMixedModel
from tests.models.glmms import clinic

D = clinic().assign(k2=clinic()["k"] == "q")
CHI2 = 3.841458820694124  # 95 % of the chi-square distribution with one degree of freedom
SEPARATED = {
    "a category": ("c + (1 | g)", np.where(D["c"] == "b", 1, D["y"])),
    "a predictor": ("x + (1 | g)", (D["x"] > 0).astype(int)),
    "a predictor within a category": ("k2 * x + (1 | g)", np.where(D["k2"], D["x"] > 0, D["y"]).astype(int)),
}


def separated(name: str, family: Any = "binomial", nagq: int = 1) -> GeneralizedLinearMixedModel:
    rhs, y = SEPARATED[name]
    return ms.glmer(f"y ~ {rhs}", D.assign(y=y), family, nagq)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
@pytest.mark.parametrize("name", SEPARATED)
def test_a_separated_model_has_finite_numbers_and_prints(name: str, link: str) -> None:
    fit = separated(name, ("binomial", link))
    assert any("separation" in message for message in fit.messages)
    assert np.isfinite(fit.vcov.to_numpy()).all()
    assert np.isfinite(fit.residuals("pearson")).all()
    assert "Fixed effects" in str(fit)


def test_what_is_not_separated_keeps_its_standard_errors() -> None:
    """In one category x tells all: the rest of the rows know the intercept and the slope of the other."""
    fit = separated("a predictor within a category")
    rest = ms.glmer("y ~ x + (1 | g)", D[~D["k2"]])
    both = ["Intercept", "x"]
    np.testing.assert_allclose(fit.fixef[both], rest.fixef[both], atol=1e-4)
    # what is not known of the variance is not in them, where the second derivatives are not those of a minimum
    np.testing.assert_allclose(fit.coefficients().loc[both, "se"], rest.coefficients().loc[both, "se"], rtol=0.05)


def test_separation_is_said_with_nagq_0_too() -> None:
    assert "separation: 'c[T.b]' runs away" in separated("a category", nagq=0).messages[0]
    assert ms.glmer("y ~ c + (1 | g)", D, nagq=0).messages == ()


@pytest.mark.parametrize("family", ["poisson", "negative-binomial"])
def test_replicates_of_a_separated_model_have_numbers(family: str) -> None:
    """Each search begins where nothing is known of the coefficient that ran away."""
    fit = ms.glmer("n ~ c + (1 | g)", D.assign(n=np.where(D["c"] == "b", 0, D["n"])), family)
    table = fit.bootstrap(3, seed=1)
    assert table.attrs["failures"] == {}
    assert (table["c[T.b]"] < -10).all()


@pytest.mark.parametrize(("family", "response"), [("poisson", "n"), ("negative-binomial", "n"), ("binomial", "y")])
def test_a_coefficient_that_runs_away_has_one_end(family: str, response: str) -> None:
    fit = ms.glmer(f"{response} ~ c + (1 | g)", D.assign(**{response: np.where(D["c"] == "b", 0, D[response])}), family)
    lower, upper = fit.confint(parameters="c[T.b]").loc["c[T.b]", ["lower", "upper"]]
    assert lower == -np.inf
    assert -6 < upper < 0
    assert rise(fit, "c[T.b]", upper) == pytest.approx(CHI2, abs=1e-3)


def rise(fit: GeneralizedLinearMixedModel, name: str, value: float) -> float:
    """The least rise of the deviance where a coefficient has this value, sought from several standard deviations."""
    objective, transform = fit.objective, fit.problem.linear.fixed.transform
    at_theta, at_beta, _ = objective.parts()
    row = np.zeros(len(fit.at.psi))
    row[at_beta] = transform[fit.coefficient_names.index(name)]
    basis = np.linalg.qr(row[:, None], mode="complete")[0]
    psi = fit.at.psi + row * (value - row @ fit.at.psi) / (row @ row)
    free = basis[:, 1:]

    def criterion(a: np.ndarray, psi: np.ndarray) -> tuple[float, np.ndarray]:
        with np.errstate(all="ignore"):  # far away
            at = objective.evaluate(psi + free @ a, np.zeros(objective.rows.size))
        return at.criterion, free.T @ at.gradient

    found = []
    for theta in (0.5, 1.0, 2.0):
        begin = psi.copy()
        begin[at_theta] = theta * np.where(objective.layout.diagonal, 1.0, 0.0)
        found.append(
            minimize(criterion, np.zeros(free.shape[1]), (begin,), jac=True, method="BFGS", options={"gtol": 1e-6}).fun
        )
    return float(min(found) - fit.deviance)


@pytest.mark.parametrize("seed", [7, 41, 119, 146])
def test_profiles_of_few_counts_end_at_constrained_minima(seed: int) -> None:
    """Half of these fits are singular, with a variance that comes back on the way; all of the curves are bent."""
    rng = np.random.default_rng(seed)
    g, x, z = np.repeat(np.arange(6), 5), rng.normal(size=30), rng.normal(size=30)
    y = rng.poisson(np.exp(0.2 + 0.5 * x + rng.normal(size=6)[g]))
    fit = ms.glmer("y ~ x + z + (1 | g)", pd.DataFrame({"g": g, "x": x, "z": z, "y": y}), "poisson")
    for name, (lower, upper) in fit.confint(parameters="fixed")[["lower", "upper"]].T.items():
        assert rise(fit, str(name), lower) == pytest.approx(CHI2, abs=1e-4)
        assert rise(fit, str(name), upper) == pytest.approx(CHI2, abs=1e-4)


def test_counts_of_millions_have_profiles() -> None:
    """With so much known of every row the variance lies far from 1 in the units of the search."""
    rng = np.random.default_rng(7)
    b = 0.3 * rng.normal(size=12)
    fit = ms.glmer("n ~ x + (1 | g)", D.assign(n=rng.poisson(1e6 * np.exp(0.2 * D["x"] + b[D["g"]]))), "poisson")
    assert fit.converged
    intervals = fit.confint()
    # the interval of the mean of 12 groups that are known all but exactly
    known = fit.ranef["g"]["Intercept"].to_numpy() + fit.fixef["Intercept"]

    half = known.std() * np.sqrt(np.expm1(CHI2 / 12))
    assert intervals.loc["Intercept", ["lower", "upper"]].tolist() == pytest.approx(
        [known.mean() - half, known.mean() + half], rel=1e-5
    )


def test_a_variance_of_zero_comes_back_along_a_profile() -> None:
    """At the maximum nothing varies between groups; with another intercept the groups explain what it does not."""
    rng = np.random.default_rng(1)
    y = rng.negative_binomial(0.2, 0.05, 120)
    fit = ms.glmer("y ~ 1 + (1 | g)", D.assign(y=y), "negative-binomial")
    assert fit.singular

    def least(intercept: float) -> float:
        """The deviance, least over the standard deviation and tau."""

        def inner(theta: float) -> float:
            def at(log_tau: float) -> float:
                psi = np.array([theta, intercept, log_tau])
                return fit.objective.evaluate(psi, np.zeros(12)).criterion

            return float(minimize_scalar(at, bounds=(-3, 3), method="bounded").fun)

        return min(inner(0.0), float(minimize_scalar(inner, bounds=(0, 3), method="bounded").fun))

    for end in fit.confint(parameters="Intercept").loc["Intercept", ["lower", "upper"]]:
        assert least(end) - fit.deviance == pytest.approx(CHI2, abs=2e-3)


def test_standard_errors_of_a_nearly_singular_fit() -> None:
    """Where a correlation is almost 1 the likelihood bends within a fraction of a standard error."""
    rng = np.random.default_rng(61)
    g = np.repeat(np.arange(15), 8)
    x = rng.normal(size=120)
    b = 0.8 * rng.normal(size=15)
    y = rng.binomial(6, expit(0.2 + 0.5 * x + b[g] + 0.3 * b[g] * x))
    fit = ms.glmer("y / 6 ~ x + (x | g)", pd.DataFrame({"g": g, "x": x, "y": y}))
    assert not fit.singular
    assert fit.varcorr["sd_or_corr"][2] > 0.998
    objective, psi = fit.objective, fit.at.psi
    unit = np.sqrt(2.0 / np.diag(fit.optimum.hessian))

    def gradient(psi: np.ndarray) -> np.ndarray:
        return objective.evaluate(psi, objective.predicted(fit.at, psi)).gradient

    def hessian(step: float) -> np.ndarray:
        moves = step * np.diag(unit)
        out = np.array([gradient(psi + m) - gradient(psi - m) for m in moves]) / (2 * step * unit[:, None])
        return 0.5 * (out + out.T)

    exact = (4 * hessian(1e-4) - hessian(2e-4)) / 3
    at_beta = objective.parts()[1]
    vcov = fit.problem.linear.vcov(2 * np.linalg.inv(exact)[at_beta, at_beta], 1.0)
    np.testing.assert_allclose(fit.coefficients()["se"], np.sqrt(np.diag(vcov)), rtol=1.5e-4)


def test_a_small_dispersion_leaves_no_doubt_of_the_mode() -> None:
    """The dispersion of an inverse Gaussian has a unit, in which the search for the mode has to count."""
    fit = ms.glmer("a ~ x + (1 | g)", D.assign(a=1e6 * D["a"]), ("inverse-gaussian", "log"))
    assert fit.sigma**2 < 1e-5
    psi = fit.at.psi.copy()
    psi[0] = 500.0  # relative to the dispersion
    found = fit.objective.evaluate(psi, np.zeros(12)).mode.vector
    begins = [share * found for share in (0.0, 0.9, 0.99, 0.999, 1.0)]
    assert np.ptp([fit.objective.evaluate(psi, begin).criterion for begin in begins]) < 1e-7
