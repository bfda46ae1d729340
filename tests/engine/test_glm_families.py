"""Families: whole log-likelihoods, and what single rows contribute, against SciPy and against differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mixedsim.engine.glm_families import Family
from mixedsim.engine.glm_problem import FAMILIES, family_of
from mixedsim.errors import DataError
from tests.engine.glm_cases import CENTRES, LINKS, respond

N = 60
STEP = 1e-5


def drawn(kind: str, link: str) -> tuple[Family, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    eta = CENTRES.get(link, 0.0) + (0.1 if link in CENTRES else 0.6) * rng.normal(size=N)
    family = respond(kind, link, eta, rng)
    return family, eta, np.full(family.extra, 0.4)


def whole(family: Family, eta: np.ndarray, extra: np.ndarray) -> float:
    return family.criterion(float(family.at(eta, extra).losses.sum()), extra)[0]


@pytest.mark.parametrize(("kind", "link"), LINKS, ids=str)
def test_scores_and_weights_are_derivatives(kind: str, link: str) -> None:
    family, eta, extra = drawn(kind, link)
    here, up, down = (family.at(eta + move, extra) for move in (0.0, STEP, -STEP))
    np.testing.assert_allclose(here.score, -(up.losses - down.losses) / (4 * STEP), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(here.observed, -(up.score - down.score) / (2 * STEP), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(here.slope, (up.fisher - down.fisher) / (2 * STEP), rtol=1e-6, atol=1e-6)
    assert (here.losses > -1e-12).all()


@pytest.mark.parametrize(("kind", "link"), LINKS, ids=str)
def test_the_criterion_and_its_derivative(kind: str, link: str) -> None:
    family, eta, extra = drawn(kind, link)
    loss = float(family.at(eta, extra).losses.sum())
    step = 1e-5 * loss
    difference = (family.criterion(loss + step, extra)[0] - family.criterion(loss - step, extra)[0]) / (2 * step)
    assert family.criterion(loss, extra)[1] == pytest.approx(difference, rel=1e-7)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_binomial_counts_have_scipys_likelihood(link: str) -> None:
    rng = np.random.default_rng(1)
    trials = rng.integers(1, 30, N).astype(float)
    successes = rng.binomial(trials.astype(int), 0.3).astype(float)
    eta = rng.normal(size=N)
    family = family_of("binomial", link, successes, None, trials)
    mean = family.at(eta, np.empty(0)).mean
    expected = -2 * stats.binom.logpmf(successes, trials, mean).sum()
    assert whole(family, eta, np.empty(0)) == pytest.approx(expected, rel=1e-11)


def test_poisson_counts_have_scipys_likelihood_with_weights_as_repeats() -> None:
    rng = np.random.default_rng(1)
    y, w, eta = rng.poisson(3, N).astype(float), rng.integers(1, 4, N).astype(float), rng.normal(1, 0.5, N)
    expected = -2 * (w * stats.poisson.logpmf(y, np.exp(eta))).sum()
    assert whole(family_of("poisson", "log", y, w), eta, np.empty(0)) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("theta", [0.3, 2.0, 1e7])
def test_negative_binomial_counts_have_scipys_likelihood_and_end_in_poissons(theta: float) -> None:
    rng = np.random.default_rng(1)
    y, eta = rng.poisson(3, N).astype(float), rng.normal(1, 0.5, N)
    ours = whole(family_of("negative-binomial", "log", y, None, theta=theta), eta, np.empty(0))
    if theta > 1e6:
        assert ours == pytest.approx(whole(family_of("poisson", "log", y, None), eta, np.empty(0)), rel=1e-6)
    else:
        expected = -2 * stats.nbinom.logpmf(y, theta, theta / (theta + np.exp(eta))).sum()
        assert ours == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("log_theta", [-1.0, 0.4, 5.0, 8.0])
def test_derivatives_by_an_estimated_theta(log_theta: float) -> None:
    family, eta, _ = drawn("negative-binomial", "log")
    here, up, down = (np.array([log_theta + move]) for move in (0.0, STEP, -STEP))
    (by_loss,), (by_score,), (by_fisher,) = family.by_extra(family.at(eta, here), here)
    expected = (whole(family, eta, up) - whole(family, eta, down)) / (2 * STEP)
    assert by_loss.sum() == pytest.approx(expected, rel=1e-6, abs=1e-6)
    one, other = family.at(eta, up), family.at(eta, down)
    np.testing.assert_allclose(by_score, (one.score - other.score) / (2 * STEP), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(by_fisher, (one.fisher - other.fisher) / (2 * STEP), rtol=1e-6, atol=1e-8)


def test_derivatives_by_a_large_theta_keep_their_digits() -> None:
    """2τ∂/∂τ of the criterion for τ → ∞: Σ ((y − μ)² − y)/τ (Dean 1992, J. Am. Stat. Assoc. 87:451, score test)."""
    family, eta, _ = drawn("negative-binomial", "log")
    extra = np.array([16.0])
    point = family.at(eta, extra)
    leading = (family.weights * ((family.y - point.mean) ** 2 - family.y)).sum() / np.exp(16.0)
    assert family.by_extra(point, extra)[0].sum() == pytest.approx(leading, rel=1e-5)


def test_gamma_and_inverse_gaussian_have_scipys_likelihood_at_rs_dispersion() -> None:
    """R: Gamma()$aic and inverse.gaussian()$aic, with the dispersion deviance/n, and 2 for it."""
    rng = np.random.default_rng(1)
    eta = rng.normal(0, 0.3, N)
    mean = np.exp(eta)
    y = mean * rng.gamma(4, 0.25, N)
    gamma, inverse = family_of("gamma", "log", y, None), family_of("inverse-gaussian", "log", y, None)
    phi = gamma.at(eta, np.empty(0)).losses.mean()
    expected = -2 * stats.gamma.logpdf(y, 1 / phi, scale=mean * phi).sum() + 2
    assert whole(gamma, eta, np.empty(0)) == pytest.approx(expected, rel=1e-12)
    phi = inverse.at(eta, np.empty(0)).losses.mean()
    expected = -2 * stats.invgauss.logpdf(y, mean * phi, scale=1 / phi).sum() + 2
    assert whole(inverse, eta, np.empty(0)) == pytest.approx(expected, rel=1e-12)


def test_large_counts_keep_the_digits_of_their_deviance() -> None:
    y = np.array([1e12])
    mean = 1e12 + 1e6
    family = family_of("poisson", "identity", y, None)
    share = 1e6 / 1e12  # 2 (μ − y − y log(μ/y)) = y share² (1 − 2 share/3 + ...)
    expected = 1e12 * share**2 * (1 - 2 * share / 3)
    assert family.at(np.array([mean]), np.empty(0)).losses[0] == pytest.approx(expected, rel=1e-8)


def test_a_count_has_no_negative_mean() -> None:
    family = family_of("poisson", "identity", np.array([0.0, 2.0]), None)
    with np.errstate(all="ignore"):
        assert np.isnan(family.at(np.array([-1.0, -1.0]), np.empty(0)).losses).all()


def test_a_link_that_a_family_has_not_is_refused() -> None:
    with pytest.raises(DataError, match=r"^the family 'poisson' has the links log, identity, sqrt, not 'probit': use"):
        FAMILIES["poisson"]("probit", np.ones(3), 1.0)
