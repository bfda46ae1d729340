"""The search: R's numbers for other families, singular fits, the truth behind simulated data, and data without one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.engine import Control
from mixedsim.engine import glm_estimates as estimates
from mixedsim.engine.glm_optimise import minimise_glm, minimise_within
from mixedsim.errors import ConvergenceError
from tests.engine.glm_fits import Fit, fit


def cbpp() -> pd.DataFrame:
    return ms.datasets.load("cbpp").assign(period=lambda d: d["period"].astype(str))


def errors(one: Fit) -> np.ndarray:
    return np.sqrt(np.diag(estimates.fixed_covariance(one.problem, one.objective, one.optimum).matrix))


def log_size() -> np.ndarray:
    return np.log(cbpp()["size"].to_numpy(float))


# R 4.2.2, lme4 1.1.31, glmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e6),
# tolPwrss = 1e-11 or less): logLik, getME(., "theta"), fixef, sqrt(diag(vcov(.))), sigma
ANSWERS = {
    # glmer(Reaction ~ Days + (Days | Subject), sleepstudy, family = Gamma("log"))
    "gamma, log": (
        lambda: fit("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"), ("gamma", "log")),
        -843.741337679757, [0.874692706884013, -0.0785718334807135, 0.137822330399284],
        [5.52986710598177, 0.0336616207474588], [0.0369947935813659, 0.00652227841708608], 0.0909773766571959,
    ),
    # glmer(I(Reaction/100) ~ Days + (1 | Subject), sleepstudy, family = Gamma("inverse"))
    "gamma, inverse": (
        lambda: fit("I(Reaction/100) ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy"), ("gamma", "inverse")),
        -36.6676904427712, [0.265957942002125],
        [0.404889980105043, -0.0115967910231901], [0.0166149317638247, 0.000786401458467576], 0.102825779137986,
    ),
    # glmer(I(Reaction/100) ~ Days + (1 | Subject), sleepstudy, family = inverse.gaussian("log"))
    "inverse Gaussian, log": (
        lambda: fit(
            "I(Reaction/100) ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy"), ("inverse-gaussian", "log")
        ),
        -40.2151498508997, [1.20239801882588],
        [0.940865550700049, 0.0325099732064674], [0.0425453066104667, 0.00243321533051771], 0.0614487620898151,
    ),
    # glmer.nb(incidence ~ period + (1 | herd) + offset(log(size)), cbpp)
    "negative binomial": (
        lambda: fit("incidence ~ period + (1 | herd)", cbpp(), ("negative-binomial", "log"), offset=log_size()),
        -87.4059118439726, [0.211587903416448],
        [-1.54763297687388, -0.995774587263244, -1.03114493643208, -1.56746294631035],
        [0.240311617145995, 0.383460869860924, 0.395843277540989, 0.496591057459289], 1.0,
    ),
    # glmer(incidence ~ period + (1 | herd) + offset(log(size)), cbpp, family = MASS::negative.binomial(2))
    "negative binomial, theta given": (
        lambda: fit(
            "incidence ~ period + (1 | herd)", cbpp(), ("negative-binomial", "log"), offset=log_size(), theta=2.0
        ),
        -87.427640040562, [0.14933626762676],
        [-1.53247185866516, -1.00670336855184, -1.02806994009938, -1.58636533485519],
        [0.248085887546362, 0.393808317269109, 0.406046364364184, 0.50708481295417], 1.0,
    ),
    # glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, family = binomial, nAGQ = 0)
    "binomial, nAGQ = 0": (
        lambda: fit("incidence ~ period + (1 | herd)", cbpp(), ("binomial", "logit"), trials="size", nagq=0),
        -92.0542954728185, [0.641815069988322],
        [-1.36047175531075, -0.976177470996445, -1.11107689336449, -1.5596805157004],
        [0.227574622240352, 0.303287348727074, 0.323511803009451, 0.424455501299461], 1.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_the_optimum_is_lme4s_or_better(name: str) -> None:
    make, loglik, theta, beta, se, sigma = ANSWERS[name]
    one = make()
    assert loglik - 1e-8 < one.loglik < loglik + 1e-6
    np.testing.assert_allclose(one.theta, theta, rtol=2e-5)
    np.testing.assert_allclose((one.beta - beta) / se, 0, atol=1e-4)
    np.testing.assert_allclose(errors(one), se, rtol=1e-4)  # lme4 differentiates the criterion twice: four digits
    assert np.sqrt(estimates.dispersion(one.objective, one.optimum.evaluation)) == pytest.approx(sigma, rel=1e-6)
    assert one.optimum.converged
    assert one.optimum.gradient_norm < 1e-5


def test_theta_of_a_negative_binomial_is_glmer_nbs_and_its_uncertainty_counts_if_asked() -> None:
    """R: getME(m, "glmer.nb.theta") is 2.28201206493486."""
    one = ANSWERS["negative binomial"][0]()
    assert np.exp(one.optimum.evaluation.extra[0]) == pytest.approx(2.28201206493486, rel=1e-5)
    whole = estimates.fixed_covariance(one.problem, one.objective, one.optimum, extra_known=False).matrix
    assert (np.sqrt(np.diag(whole)) > errors(one)).all()


def test_few_evaluations() -> None:
    one = fit("incidence ~ period + (1 | herd)", cbpp(), ("binomial", "logit"), trials="size")
    assert one.optimum.evaluations <= 25  # ten of them are the differences for the second derivatives


def test_the_same_optimum_from_elsewhere() -> None:
    one = fit("incidence ~ period + (1 | herd)", cbpp(), ("binomial", "probit"), trials="size")
    far = minimise_glm(one.objective, np.array([7.0]), np.array([2.0, -1.0, 1.0, 1.0]), np.empty(0))
    np.testing.assert_allclose(far.evaluation.psi, one.optimum.evaluation.psi, atol=1e-7)


def test_a_start_without_correlation_finds_one() -> None:
    """Only a column that is zero as a whole stays so: an element below the diagonal is free."""
    one = ANSWERS["gamma, log"][0]()
    other = minimise_glm(one.objective, np.array([1.0, 0.0, 1.0]), one.problem.beta, np.empty(0))
    np.testing.assert_allclose(other.evaluation.psi, one.optimum.evaluation.psi, rtol=1e-6)


def test_a_bent_valley_ends_at_a_correlation_of_one() -> None:
    """An intercept that hardly varies leaves the slope's row of Λ free to turn; the search looks at its end."""
    rng = np.random.default_rng(163)  # one of 3 in 400 seeds that need it
    g = np.repeat(np.arange(20), 8)
    x = rng.normal(size=len(g))
    y = rng.binomial(1, 1 / (1 + np.exp(-(0.4 * x + 0.5 * rng.normal(size=20)[g] * x))))
    data = pd.DataFrame({"y": y.astype(float), "x": x, "g": g.astype(str)})
    one = fit("y ~ x + (x | g)", data, ("binomial", "logit"))
    assert one.optimum.converged
    assert one.optimum.decrease < 1e-10
    assert one.optimum.evaluation.theta[2] == 0.0
    assert one.loglik > -107.8865  # without that look it ends 6e-5 below, and not converged


def test_the_hessian_is_that_of_the_criterion() -> None:
    one = fit("incidence ~ period + (1 | herd)", cbpp(), ("binomial", "logit"), trials="size")
    at = one.optimum.evaluation
    rng = np.random.default_rng(1)
    for _ in range(3):
        move = 1e-2 * rng.normal(size=len(at.psi))
        up, down = (one.objective.evaluate(at.psi + s * move, at.u).criterion for s in (1, -1))
        expected = up - 2 * at.criterion + down
        assert move @ one.optimum.hessian @ move == pytest.approx(expected, rel=1e-3)


def test_scale_and_origin_of_a_predictor_do_not_matter() -> None:
    data = cbpp().assign(x=lambda d: np.arange(len(d)) % 7.0, far=lambda d: 1e4 + np.arange(len(d)) % 7 / 8)
    near, far = (
        fit(f"incidence ~ {x} + ({x} | herd)", data, ("binomial", "logit"), trials="size") for x in ("x", "far")
    )
    assert far.loglik == pytest.approx(near.loglik, abs=1e-8)
    assert far.beta[1] == pytest.approx(8 * near.beta[1], rel=1e-6)


def clusters(seed: int, effect: float, family: str = "binomial") -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(200), 12)
    x = rng.normal(size=len(g))
    eta = 0.3 + 0.5 * x + effect * rng.normal(size=200)[g]
    y = rng.binomial(1, 1 / (1 + np.exp(-eta))) if family == "binomial" else rng.poisson(np.exp(eta))
    return pd.DataFrame({"g": g.astype(str), "x": x, "y": y.astype(float)})


@pytest.mark.parametrize("family", [("binomial", "logit"), ("poisson", "log")], ids=str)
def test_the_truth_is_recovered_within_its_standard_error(family: tuple[str, str]) -> None:
    """24 draws of 200 groups: the mean lies within 4 Monte-Carlo standard errors of the truth."""
    found = []
    for seed in range(24):
        one = fit("y ~ x + (1 | g)", clusters(seed, 0.8, family[0]), family, nagq=7)
        found.append([*one.beta, *one.theta])
    spread = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0) - [0.3, 0.5, 0.8]) < 4 * spread).all()


def test_no_variance_ends_in_an_exact_zero() -> None:
    data = clusters(3, 0.0).assign(g=lambda d: np.arange(len(d)) % 30)
    data["y"] = (np.arange(len(data)) // 30 % 3 == 0).astype(float)  # the same share in every group
    one = fit("y ~ 1 + (1 | g)", data.assign(g=data["g"].astype(str)), ("binomial", "logit"))
    at = one.optimum.evaluation
    assert at.theta.tolist() == [0.0]
    assert (at.theta[one.objective.layout.diagonal] == 0).any()
    assert one.optimum.converged
    assert one.beta[0] == pytest.approx(np.log(data["y"].mean() / (1 - data["y"].mean())), abs=1e-8)


def test_counts_that_vary_less_than_poissons_end_at_poissons_likelihood() -> None:
    data = clusters(1, 0.5)
    data["y"] += np.random.default_rng(1).binomial(3, 0.5, len(data))
    poisson = fit("y ~ x + (1 | g)", data, ("poisson", "log"))
    binomial = fit("y ~ x + (1 | g)", data, ("negative-binomial", "log"))
    assert np.exp(binomial.optimum.evaluation.extra[0]) > 1e4
    assert binomial.loglik == pytest.approx(poisson.loglik, abs=1e-3)
    assert binomial.optimum.evaluations < 150


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_a_category_without_success_runs_away_and_is_named(link: str) -> None:
    data = clusters(2, 0.7).assign(c=lambda d: np.tile(list("abcd"), len(d) // 4))
    data.loc[data["c"] == "c", "y"] = 0.0
    one = fit("y ~ x + c + (1 | g)", data, ("binomial", link))
    assert np.isfinite(one.loglik)
    assert np.isfinite(one.beta).all()
    assert [one.names[j] for j in estimates.runaway(one.problem, one.objective, one.optimum)] == ["c[T.c]"]
    usual = fit("y ~ x + c + (1 | g)", data[data["c"] != "c"], ("binomial", link))
    np.testing.assert_allclose(one.loglik, usual.loglik, atol=1e-3)


@pytest.mark.parametrize("response", ["none", "all", "told apart"])
def test_complete_separation_ends_with_finite_numbers(response: str) -> None:
    data = clusters(2, 0.7).iloc[:240]
    y = {"none": 0.0 * data["x"], "all": 1.0 + 0.0 * data["x"], "told apart": (data["x"] > 0).astype(float)}[response]
    one = fit("y ~ x + (1 | g)", data.assign(y=y), ("binomial", "logit"))
    assert -1e-6 < one.loglik <= 0.0
    assert np.isfinite([*one.beta, *one.theta]).all()
    assert one.optimum.evaluations < 100
    assert one.optimum.decrease < 1e-7  # it found its end, but no maximum, for there is none
    assert not one.optimum.converged
    assert estimates.runaway(one.problem, one.objective, one.optimum)


def test_no_success_at_all_does_not_begin_with_wild_variances() -> None:
    """Working responses of all zeros are wild; the supremum of the likelihood is 1, whatever the variance."""
    data = clusters(2, 0.7).iloc[:240].assign(y=0.0)
    one = fit("y ~ x + (1 | g)", data, ("binomial", "logit"), nagq=10)
    assert one.loglik > -1e-3
    assert one.theta[0] < 100


def test_nothing_runs_away_in_ordinary_data() -> None:
    one = fit("y ~ x + (1 | g)", clusters(2, 0.7), ("binomial", "logit"))
    assert estimates.runaway(one.problem, one.objective, one.optimum) == []


def test_everything_held_is_an_optimum_too() -> None:
    one = fit("incidence ~ period + (1 | herd)", cbpp(), ("binomial", "logit"), trials="size")
    at = one.optimum.evaluation
    held = minimise_within(one.objective, at.psi, at.u, np.empty((len(at.psi), 0)))
    assert held.evaluation.criterion == pytest.approx(at.criterion, abs=1e-10)


def test_a_search_cut_short_says_so() -> None:
    one = fit("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"), ("gamma", "log"))
    cut = minimise_glm(
        one.objective, np.array([5.0, 3.0, 4.0]), 0.0 * one.problem.beta + 1.0, np.empty(0), Control(max_iterations=1)
    )
    assert cut.trace.shape == (1, len(cut.evaluation.psi) + 2)  # stage 1 has used the step up
    assert not cut.converged


def test_steps_are_counted_over_both_stages() -> None:
    one = fit("incidence ~ period + (1 | herd)", cbpp(), ("binomial", "logit"), trials="size")
    start = (2.0 * one.problem.theta, one.problem.beta, one.problem.extra)
    found = [minimise_glm(one.objective, *start, Control(max_iterations=most)) for most in range(1, 12)]
    lowest = one.optimum.evaluation.criterion
    above = [each.evaluation.criterion - lowest for each in found]
    assert above == sorted(above, reverse=True)
    assert [each.converged for each in found] == sorted(each.converged for each in found)
    assert not found[0].converged
    assert found[-1].converged
    assert above[-1] < 1e-9


def test_small_counts_with_the_identity_link_begin_with_small_effects() -> None:
    """From the moments' θ some means would be negative; a tenth of it begins within what the link allows."""
    rng = np.random.default_rng(0)
    g = np.repeat(np.arange(10), 6)
    x = rng.normal(size=60)
    effects = 0.5 * rng.normal(size=10)[g] + 0.3 * rng.normal(size=10)[g] * x
    y = rng.poisson(np.maximum(1.0 + 0.3 * x + effects, 0.1)).astype(float)
    one = fit("y ~ x + (x | g)", pd.DataFrame({"y": y, "x": x, "g": g.astype(str)}), ("poisson", "identity"))
    assert one.optimum.converged
    assert (one.optimum.evaluation.mode.point.mean > 0).all()


def test_a_start_without_a_mode_is_refused_in_a_sentence() -> None:
    one = fit("incidence ~ period + (1 | herd)", cbpp(), ("poisson", "identity"))
    with pytest.raises(ConvergenceError, match=r"^the search cannot begin, because with the link 'identity' the"):
        minimise_glm(one.objective, one.problem.theta, -100.0 + 0.0 * one.problem.beta, np.empty(0))
