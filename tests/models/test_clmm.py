"""`ms.clmm`: R's ordinal and MASS on the wine data, brute force, and the truth of simulated answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import mixedsim as ms
from mixedsim.models import CumulativeLinkMixedModel
from tests.models.wine import FORMULA, answers, marginal, wine, wine_fit

# R 4.3 with ordinal 2025.12-29; ctl <- clmm.control(gradTol = 1e-9, maxIter = 500), with method = "nlminb" for the
# deviances of nAGQ = 1. Standard errors are from its numerical Hessian with the default control: four digits.
#   fm <- clmm(rating ~ temp + contact + (1 | judge), data = wine, link = ..., nAGQ = ..., control = ctl)
#   c(logLik(fm), coef(fm), fm$ST[[1]]); sqrt(diag(vcov(fm)))
# With the probit our value is that of Laplace's approximation in arithmetic of 30 digits, -80.9306053464514.
# Its clmm means by "cloglog" what its clm, and MASS, mean by "loglog", and the reverse: the names here are clm's.
R = {
    ("logit", 1): (
        [-81.5654127768, -1.623670, 1.513358, 4.228521, 6.088770, 3.063001, 1.834901, 1.131140],
        [0.6824, 0.6038, 0.8090, 0.9725, 0.5954, 0.5125],
    ),
    ("logit", 10): (
        [-81.5324607117, -1.623493, 1.512794, 4.227055, 6.086155, 3.061897, 1.833431, 1.134787],
        [0.6834, 0.6044, 0.8090, 0.9719, 0.5951, 0.5122],
    ),
    ("probit", 1): (
        [-80.9306071536, -0.926480, 0.889438, 2.467593, 3.536662, 1.800014, 1.048205, 0.663153],
        [0.38815, 0.34848, 0.44687, 0.52562, 0.32694, 0.28555],
    ),
    ("loglog", 1): (
        [-82.7292042350, -0.496659, 1.439555, 3.189493, 4.550938, 1.972780, 1.128521, 0.756256],
        [0.40449, 0.43810, 0.57913, 0.69743, 0.39190, 0.32202],
    ),
    ("cloglog", 1): (
        [-81.5412500911, -1.787343, 0.529576, 2.357086, 3.492303, 2.047450, 1.224680, 0.791530],
        [0.54059, 0.38045, 0.50272, 0.60428, 0.39667, 0.33588],
    ),
}


@pytest.mark.parametrize(("link", "nagq"), R, ids=str)
def test_the_wine_of_rs_ordinal(link: str, nagq: int) -> None:
    expected, errors = R[link, nagq]
    fit = wine_fit(link, nagq)
    assert fit.loglik == pytest.approx(expected[0], abs=2e-6 if link == "probit" else 2e-8)
    if link == "probit":
        assert fit.loglik == pytest.approx(-80.9306053464514, abs=1e-11)
    estimates = [*fit.thresholds, *fit.fixef, *fit.theta]
    np.testing.assert_allclose(estimates, expected[1:], rtol=1e-4)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.joint_vcov)), errors, rtol=1e-3)
    assert fit.converged
    assert not fit.singular
    assert fit.messages == ()


def test_conditional_modes_and_their_variances() -> None:
    """R: ranef(fm)$judge; condVar(fm)$judge"""
    fit = wine_fit()
    modes = [1.69617098, -0.56579647, 0.96879785, -0.05956308, 0.23049858, 0.47702689, -1.91099172, -0.27295804]
    variances = [0.30673817, 0.37793660, 0.35455449, 0.36518831, 0.35660812, 0.34854877, 0.34357711, 0.30504617]
    np.testing.assert_allclose(fit.ranef["judge"]["Intercept"][:8], modes, atol=3e-6)
    np.testing.assert_allclose(fit.ranef_sd["judge"]["Intercept"][:8] ** 2, variances, rtol=1e-5)


def test_several_factors_slopes_and_weights() -> None:
    """R: clmm(rating ~ temp + contact + (1 | judge) + (1 | bottle)); (1 + temp | judge); weights = rep(1:3, 24)"""
    crossed = ms.clmm("rating ~ temp + contact + (1 | judge) + (1 | bottle)", wine())
    assert crossed.loglik == pytest.approx(-81.5654128, abs=1e-7)
    assert crossed.singular
    assert crossed.theta.tolist() == [pytest.approx(1.131141, abs=1e-5), 0.0]
    slopes = ms.clmm("rating ~ temp + contact + (temp | judge)", wine())
    assert slopes.loglik == pytest.approx(-81.54639526, abs=1e-8)
    np.testing.assert_allclose(slopes.varcorr["sd_or_corr"], [1.0752103, 0.1673562, 0.6486635], rtol=1e-3)
    weighted = ms.clmm(FORMULA, wine(), weights=np.tile([1, 2, 3], 24))
    assert weighted.loglik == pytest.approx(-154.42612243, abs=2e-8)
    np.testing.assert_allclose(weighted.thresholds, [-1.552845, 1.572487, 4.604363, 6.574728], rtol=1e-4)


def test_without_variance_between_groups_it_is_masss_polr() -> None:
    """R: polr(rating ~ temp + contact, data = wine, Hess = TRUE), with judges who mean nothing."""
    shuffled = wine().assign(judge=np.tile(np.arange(9), 8))
    fit = ms.clmm(FORMULA, shuffled)
    assert fit.singular
    assert fit.loglik == pytest.approx(-86.49192337, abs=1e-8)
    np.testing.assert_allclose(fit.fixef, [2.5030727, 1.5277856], rtol=2e-5)
    np.testing.assert_allclose(fit.thresholds, [-1.3443740, 1.2508000, 3.4668706, 5.0063856], rtol=2e-5)
    np.testing.assert_allclose(
        np.sqrt(np.diag(fit.joint_vcov)),
        [0.5170972, 0.4378781, 0.5977566, 0.7309021, 0.52867723, 0.47662132],
        rtol=2e-4,
    )


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_quadrature_is_the_integral_and_its_optimum_cannot_be_bettered(link: str) -> None:
    fit = wine_fit(link, 25)
    best = np.array([*fit.thresholds, *fit.fixef, *fit.theta])
    assert fit.deviance == pytest.approx(marginal(best, link), abs=1e-8)
    found = minimize(marginal, best * 1.05, args=(link,), method="BFGS")
    assert found.fun == pytest.approx(fit.deviance, abs=1e-7)
    np.testing.assert_allclose(found.x, best, atol=1e-3)
    for k in range(7):  # a stationary point of the integral itself
        move = 1e-4 * np.eye(7)[k]
        assert abs(marginal(best + move, link) - marginal(best - move, link)) / 2e-4 < 1e-3


def test_standard_errors_are_those_of_all_parameters_together() -> None:
    """The Hessian of the integral by thresholds, coefficients and the standard deviation, by differences."""
    fit = wine_fit("logit", 25)
    best = np.array([*fit.thresholds, *fit.fixef, *fit.theta])
    step = 0.02
    hessian = np.empty((7, 7))
    for i in range(7):
        for j in range(i + 1):
            a, b = step * np.eye(7)[i], step * np.eye(7)[j]
            corners = [marginal(best + s * a + t * b, "logit") * s * t for s in (1, -1) for t in (1, -1)]
            hessian[i, j] = hessian[j, i] = sum(corners) / (4 * step**2)
    expected = 2.0 * np.linalg.inv(hessian)[:6, :6]
    scale = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(fit.joint_vcov / np.outer(scale, scale), expected / np.outer(scale, scale), atol=2e-3)


def test_it_recovers_the_truth_within_its_errors() -> None:
    """20 draws: means of estimates and of squared z values within four Monte-Carlo errors of what they should be."""
    population = ms.scenarios.satisfaction(homes=40)
    truth = np.array([-2.5, -1, 0.3, 2, 0.8])
    fits = [ms.clmm("answer ~ own_room + (1 | home)", population.draw(seed=k).data) for k in range(20)]
    estimates = np.array([fit.located.estimates for fit in fits])
    errors = np.array([np.sqrt(np.diag(fit.joint_vcov)) for fit in fits])
    mcse = estimates.std(axis=0, ddof=1) / np.sqrt(20)
    assert (np.abs(estimates.mean(axis=0) - truth) < 4 * mcse).all()
    z = (estimates - truth) / errors
    assert (np.abs((z**2).mean(axis=0) - 1) < 4 * np.sqrt(2 / 20)).all()
    sds = np.array([fit.theta[0] for fit in fits])
    assert abs(sds.mean() - 0.9) < 4 * sds.std(ddof=1) / np.sqrt(20)


def test_order_of_rows_names_of_groups_and_labels_do_not_count() -> None:
    fit, data = wine_fit(), wine().sample(frac=1, random_state=1)
    data["judge"] = data["judge"].map(lambda k: f"j{97 * k % 10}")
    data["rating"] = data["rating"].cat.rename_categories(list("vwxyz"))
    other = ms.clmm(FORMULA, data)
    assert other.loglik == pytest.approx(fit.loglik, abs=1e-9)
    np.testing.assert_allclose(other.thresholds, fit.thresholds, atol=1e-6)
    assert list(other.thresholds.index) == ["v|w", "w|x", "x|y", "y|z"]


@pytest.mark.parametrize(("link", "turned"), [("logit", "logit"), ("probit", "probit"), ("cloglog", "loglog")])
def test_the_other_way_round_changes_signs_alone(link: str, turned: str) -> None:
    data = wine()
    codes = 4 - data["rating"].cat.codes
    backwards = data.assign(rating=pd.Categorical.from_codes(codes, categories=list("54321"), ordered=True))
    fit, other = wine_fit(link), ms.clmm(FORMULA, backwards, link=turned)
    assert other.loglik == pytest.approx(fit.loglik, abs=1e-9)
    np.testing.assert_allclose(other.fixef, -fit.fixef, atol=1e-6)
    np.testing.assert_allclose(other.thresholds, -fit.thresholds[::-1], atol=1e-6)


def test_an_offset_and_a_shifted_predictor() -> None:
    data = answers().assign(x=lambda d: d["own_room"] + 1e6)
    fit = ms.clmm("answer ~ own_room + (1 | home)", data)
    far = ms.clmm("answer ~ x + (1 | home)", data)
    assert far.loglik == pytest.approx(fit.loglik, abs=1e-8)
    assert far.fixef["x"] == pytest.approx(fit.fixef["own_room"], abs=1e-7)
    np.testing.assert_allclose(far.thresholds - 1e6 * far.fixef["x"], fit.thresholds, rtol=1e-5)
    held = ms.clmm("answer ~ 1 + (1 | home)", data, offset=fit.fixef["own_room"] * data["own_room"])
    assert held.loglik == pytest.approx(fit.loglik, abs=1e-9)
    np.testing.assert_allclose(held.thresholds, fit.thresholds, atol=1e-6)
    assert len(held.fixef) == 0


def test_what_is_counted_and_named() -> None:
    fit = wine_fit()
    assert isinstance(fit, CumulativeLinkMixedModel)
    assert fit.npar == 7
    assert fit.aic == pytest.approx(fit.deviance + 14)
    assert fit.bic == pytest.approx(fit.deviance + 7 * np.log(72))
    assert fit.categories == ("1", "2", "3", "4", "5")
    assert (fit.family, fit.link, fit.nagq, fit.reml, fit.sigma) == ("ordinal", "logit", 1, False, 1.0)
    assert list(fit.fixef.index) == ["temp[T.warm]", "contact[T.yes]"]
    assert list(fit.joint_vcov.index) == ["1|2", "2|3", "3|4", "4|5", "temp[T.warm]", "contact[T.yes]"]
    assert list(fit.coef["judge"].columns) == ["temp[T.warm]", "contact[T.yes]", "Intercept"]
    assert fit.n_groups == {"judge": 9}


def test_whole_numbers_are_categories_in_their_order_and_unused_ones_are_left_out() -> None:
    fit, data = wine_fit(), wine()
    numbers = ms.clmm(FORMULA, data.assign(rating=2 * data["rating"].astype(int)))
    assert numbers.loglik == pytest.approx(fit.loglik, abs=1e-12)
    assert numbers.messages == (
        "the response 'rating' holds the whole numbers 2, 4, 6, 8, 10, taken as ordered categories: their order "
        "counts, their distances do not.",
    )
    assert list(numbers.thresholds.index) == ["2|4", "4|6", "6|8", "8|10"]
    wider = data.assign(rating=data["rating"].cat.set_categories(list("0123459"), ordered=True))
    unused = ms.clmm(FORMULA, wider)
    assert unused.loglik == pytest.approx(fit.loglik, abs=1e-12)
    assert unused.messages == (
        "the response 'rating' has no row in the categories '0', '9', which are left out: there is nothing to place a "
        "threshold by.",
    )
