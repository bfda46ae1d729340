"""Links: derivatives against differences, and digits where probabilities are nearly 0 or 1."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_ndtr

from mixedsim.engine.glm_links import MEANS, ODDS, predictor_of

# where every link is defined
RANGES = {"log": (-4, -0.2), "identity": (0.1, 0.9), "inverse": (0.2, 3), "sqrt": (0.2, 3), "inverse-square": (0.2, 3)}
STEP = 1e-6


def grid(link: str) -> np.ndarray:
    return np.linspace(*RANGES.get(link, (-6, 3)), 41)


@pytest.mark.parametrize("link", ODDS)
def test_the_ratio_of_a_binomial_link_is_the_slope_over_the_variance(link: str) -> None:
    eta = grid(link)
    odds, up, down = ODDS[link](eta), ODDS[link](eta + STEP), ODDS[link](eta - STEP)
    slope = (up.success - down.success) / (2 * STEP)
    np.testing.assert_allclose(odds.ratio * odds.success * odds.failure, slope, rtol=1e-7, atol=1e-9)
    bend = (np.asarray(up.ratio) - down.ratio) / (2 * STEP) * np.ones_like(eta)
    np.testing.assert_allclose(odds.ratio_slope * np.ones_like(eta), bend, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(odds.success + odds.failure, 1, rtol=1e-15)
    np.testing.assert_allclose(np.exp(odds.log_success), odds.success, rtol=1e-13)
    np.testing.assert_allclose(np.exp(odds.log_failure), odds.failure, rtol=1e-13)
    np.testing.assert_allclose(predictor_of(link, odds.success), eta, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("link", MEANS)
def test_the_derivatives_of_a_link_of_means(link: str) -> None:
    eta = grid(link)
    here, up, down = MEANS[link](eta), MEANS[link](eta + STEP), MEANS[link](eta - STEP)
    np.testing.assert_allclose(here.slope, (up.mean - down.mean) / (2 * STEP), rtol=1e-7)
    np.testing.assert_allclose(here.bend, (up.slope - down.slope) / (2 * STEP), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(predictor_of(link, here.mean), eta, rtol=1e-12)


def test_a_logit_of_forty_keeps_its_digits() -> None:
    odds = ODDS["logit"](np.array([-40.0, 40.0]))
    tiny = np.exp(-40.0)
    np.testing.assert_allclose(odds.success, [tiny / (1 + tiny), 1.0], rtol=1e-15)
    np.testing.assert_allclose(odds.failure, [1.0, tiny / (1 + tiny)], rtol=1e-15)
    np.testing.assert_allclose(odds.log_failure, [-np.log1p(tiny), -40 - np.log1p(tiny)], rtol=1e-15)


def test_a_probit_of_thirty_keeps_its_digits() -> None:
    """φ(x)/Φ(−x) for large x by its asymptotic series, x + 1/x − 2/x³."""
    odds = ODDS["probit"](np.array([-30.0, 30.0]))
    hazard = 30 + 1 / 30 - 2 / 30**3 + 10 / 30**5
    np.testing.assert_allclose(odds.ratio, hazard, rtol=1e-8)
    np.testing.assert_allclose(odds.log_success, [log_ndtr(-30.0), log_ndtr(30.0)], rtol=1e-15)


def test_a_cloglog_is_finite_far_out() -> None:
    odds = ODDS["cloglog"](np.array([-800.0, -40.0, 40.0, 800.0]))
    assert all(np.isfinite(part).all() for part in odds)
    np.testing.assert_allclose(odds.log_success[1], -40, rtol=1e-14)
    np.testing.assert_allclose(odds.log_failure[2], -np.exp(40.0), rtol=1e-14)


def test_a_small_hazard_keeps_its_digits() -> None:
    """h/(1 − exp(−h)) = 1 + h/2 + ..., whose derivative by log h is h/2."""
    odds = ODDS["cloglog"](np.array([-15.0, -25.0]))
    np.testing.assert_allclose(odds.ratio_slope, 0.5 * np.exp([-15.0, -25.0]), rtol=1e-6)


@pytest.mark.parametrize(("link", "eta"), [("log", 0.5), ("identity", 1.2), ("identity", -0.1)])
def test_a_probability_beyond_its_range_is_no_number(link: str, eta: float) -> None:
    with np.errstate(all="ignore"):
        odds = ODDS[link](np.array([eta]))
    assert not np.isfinite(odds.log_success + odds.log_failure).all()
