"""The Hessian of the unprofiled deviance, and what is built on it."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.engine import Objective, minimise
from mixedsim.inference import satterthwaite_df, variance_parameters
from mixedsim.inference.satterthwaite import covariance_derivatives
from tests.engine.cases import STRUCTURES, Case, make


def unprofiled_deviance(case: Case, theta: np.ndarray, sigma: float, reml: bool) -> float:
    """−2 log L (or the REML criterion) at θ and σ by dense algebra."""
    v = sigma**2 * case.dense_v(theta)
    v_inverse = np.linalg.inv(v)
    x = case.dense_x()
    w = x.T @ v_inverse @ x
    beta = np.linalg.solve(w, x.T @ v_inverse @ case.y) if x.shape[1] else np.empty(0)
    r = case.y - x @ beta
    n, p = x.shape
    extra = np.linalg.slogdet(w)[1] - p * np.log(2 * np.pi) if reml and p else 0.0
    return float(n * np.log(2 * np.pi) + np.linalg.slogdet(v)[1] + r @ v_inverse @ r + extra)


def second_differences(f, at: np.ndarray, step: float = 1e-3) -> np.ndarray:
    size = len(at)
    e = step * np.eye(size)
    out = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            out[i, j] = f(at + e[i] + e[j]) - f(at + e[i] - e[j]) - f(at - e[i] + e[j]) + f(at - e[i] - e[j])
    return out / (4 * step**2)


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("reml", [True, False])
def test_hessian_equals_differences_of_the_dense_deviance(name, reml):
    case = make(name, weighted=True)
    objective = Objective(case.cp, case.layout, reml)
    at = minimise(objective).profile
    ours = variance_parameters(objective, at)
    theirs = second_differences(
        lambda v: unprofiled_deviance(case, v[:-1], v[-1], reml), np.append(ours.theta, ours.sigma)
    )
    # second differences with step 1e-3 are good to about 1e-6 of the largest element
    np.testing.assert_allclose(ours.hessian, theirs, atol=1e-4 * np.abs(theirs).max())


@pytest.mark.parametrize("name", [n for n, (_, _, p) in STRUCTURES.items() if p])
def test_derivatives_of_the_covariance_of_beta_equal_differences(name):
    case = make(name)
    objective = Objective(case.cp, case.layout, True)
    at = minimise(objective).profile
    ours = covariance_derivatives(objective, at)
    step = 1e-5

    def inverse(theta):
        return objective.evaluate(theta).w_inverse

    for k in range(len(at.theta)):
        e = step * np.eye(len(at.theta))[k]
        theirs = at.sigma2 * (inverse(at.theta + e) - inverse(at.theta - e)) / (2 * step)
        np.testing.assert_allclose(ours[k], theirs, atol=1e-6 * np.abs(ours[k]).max() + 1e-9)
    np.testing.assert_allclose(ours[-1], 2 * np.sqrt(at.sigma2) * at.w_inverse)


def test_df_of_a_balanced_one_way_layout_are_the_anova_df():
    """With J groups of m rows the mean has J − 1 degrees of freedom (Satterthwaite is exact there)."""
    case = make("one intercept", rows=180)
    codes = np.repeat(np.arange(18), 10)
    rng = np.random.default_rng(3)
    y = rng.normal(size=18)[codes] + rng.normal(size=180)
    group = type(case.groups[0])(codes, 18, (1.0,))
    case = Case([group], [1.0], y, None, case.layout)
    objective = Objective(case.cp, case.layout, True)
    at = minimise(objective).profile
    df = satterthwaite_df(objective, at, variance_parameters(objective, at), np.eye(1))
    assert df[0] == pytest.approx(17.0, rel=1e-6)


def test_the_delta_method_of_a_linear_function_is_the_covariance_itself():
    case = make("intercept and slope")
    objective = Objective(case.cp, case.layout, True)
    parameters = variance_parameters(objective, minimise(objective).profile)
    value, covariance = parameters.delta(lambda theta, sigma: np.append(theta, sigma))
    np.testing.assert_allclose(value, np.append(parameters.theta, parameters.sigma))
    np.testing.assert_allclose(covariance, parameters.covariance, rtol=1e-6, atol=1e-12)


def test_standard_errors_of_sigma_are_those_that_many_samples_show():
    """Spread of σ̂ over 300 responses of one design against its asymptotic standard error."""
    rng = np.random.default_rng(8)
    case = make("one intercept", rows=300)
    sigmas, errors = [], []
    for _ in range(300):
        y = rng.normal(size=18)[case.groups[0].codes] + rng.normal(size=300)
        objective = Objective(Case(case.groups, case.x, y, None, case.layout).cp, case.layout, True)
        parameters = variance_parameters(objective, minimise(objective).profile)
        sigmas.append(parameters.sigma)
        errors.append(np.sqrt(parameters.covariance[-1, -1]))
    ratio = np.std(sigmas) / np.mean(errors)
    assert abs(ratio - 1) < 4 / np.sqrt(2 * 300)  # Monte-Carlo error of a standard deviation
