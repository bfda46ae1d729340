"""Ends of predictive intervals: against brute force, closed forms and draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mixedsim.inference.glm_distribution import Law, cumulative, variance
from mixedsim.inference.glm_predictive import predictive

LAWS = {
    "binomial": (Law("binomial", trials=20.0), lambda mu: stats.binom(20, mu)),
    "poisson": (Law("poisson"), stats.poisson),
    "negative-binomial": (Law("negative-binomial", tau=1.7), lambda mu: stats.nbinom(1.7, 1.7 / (1.7 + mu))),
    "gamma": (Law("gamma", precision=2.5), lambda mu: stats.gamma(2.5, scale=mu / 2.5)),
    "inverse-gaussian": (Law("inverse-gaussian", precision=2.5), lambda mu: stats.invgauss(mu / 2.5, scale=2.5)),
}


@pytest.mark.parametrize("name", LAWS)
def test_distributions_are_scipys(name: str) -> None:
    law, frozen = LAWS[name]
    mean = np.array([0.05, 0.3, 0.8]) * (1 if name == "binomial" else 10)
    y = np.array([-1.0, 0.0, 1.0, 3.0, 20.0]) if law.counted else np.array([0.01, 0.5, 3.0, 20.0])
    expected = np.array([frozen(m).cdf(y) for m in mean])
    np.testing.assert_allclose(cumulative(law, y, mean[:, None]), expected, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(variance(law, mean), [frozen(m).var() for m in mean], rtol=1e-12)


@pytest.mark.parametrize("name", LAWS)
def test_with_a_known_mean_ends_are_quantiles_of_the_family(name: str) -> None:
    law, frozen = LAWS[name]
    mean = np.array([0.1, 0.5, 0.9]) * (1 if name == "binomial" else 8)
    link, eta = ("logit", np.log(mean / (1 - mean))) if name == "binomial" else ("log", np.log(mean))
    found = predictive(law, link, eta, np.zeros(3), 0.9)
    np.testing.assert_allclose(found.lower, [frozen(m).ppf(0.05) for m in mean], rtol=1e-8)
    np.testing.assert_allclose(found.upper, [frozen(m).ppf(0.95) for m in mean], rtol=1e-8)
    np.testing.assert_allclose(found.sd, [frozen(m).std() for m in mean], rtol=1e-10)


@pytest.mark.parametrize("sd", [0.2, 1.5])
@pytest.mark.parametrize("name", LAWS)
def test_with_an_uncertain_mean_they_are_those_of_a_fine_grid(name: str, sd: float) -> None:
    """F(y) summed over 20,000 equally likely means."""
    law, frozen = LAWS[name]
    z = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    eta = 0.4 + sd * z
    mean = 1 / (1 + np.exp(-eta)) if name == "binomial" else np.exp(eta)
    found = predictive(law, "logit" if name == "binomial" else "log", np.array([0.4]), np.array([sd]), 0.95)
    for end, p in ((found.lower[0], 0.025), (found.upper[0], 0.975)):
        if law.counted:
            assert frozen(mean).cdf(end).mean() >= p - 1e-6
            assert frozen(mean).cdf(end - 1).mean() < p + 1e-6
        else:
            assert frozen(mean).cdf(end).mean() == pytest.approx(p, abs=1e-6)


def test_steps_that_are_narrow_beside_the_error_of_the_mean_are_not_missed() -> None:
    """A lognormal mean of about 100,000, which counts hardly blur: its own quantiles."""
    found = predictive(Law("poisson"), "log", np.log([1e5]), np.array([0.3]), 0.95)
    expected = 1e5 * np.exp(0.3 * stats.norm.ppf([0.025, 0.975]))
    assert [found.lower[0], found.upper[0]] == pytest.approx(expected.tolist(), rel=2e-3)


def test_log_normal_gamma_in_closed_form() -> None:
    """Var(Y) of a gamma with a lognormal mean: E[μ²](1 + 1/precision) − E[μ]²."""
    found = predictive(Law("gamma", precision=4.0), "log", np.zeros(1), np.array([0.6]), 0.5)
    second, first = np.exp(2 * 0.36), np.exp(0.18)
    assert found.sd[0] == pytest.approx(np.sqrt(1.25 * second - first**2), rel=1e-9)


def test_many_rows_are_those_of_single_ones() -> None:
    rng = np.random.default_rng(1)
    eta, sd, trials = rng.normal(size=400), rng.uniform(0, 2, 400), rng.integers(1, 300, 400).astype(float)
    whole = predictive(Law("binomial", trials=trials), "logit", eta, sd, 0.95)
    for k in range(0, 400, 40):
        one = predictive(Law("binomial", trials=trials[[k]]), "logit", eta[[k]], sd[[k]], 0.95)
        assert (one.lower[0], one.upper[0]) == (whole.lower[k], whole.upper[k])
        assert one.sd[0] == pytest.approx(whole.sd[k], rel=1e-6)


def test_a_predictor_that_leaves_the_link_has_no_ends() -> None:
    found = predictive(Law("gamma", precision=3.0), "inverse", np.ones(2), np.array([0.1, 1.0]), 0.95)
    assert np.isfinite(found.lower[0])
    assert np.isnan([found.lower[1], found.upper[1], found.sd[1]]).all()
