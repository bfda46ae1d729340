"""Ordered categories: intervals against differences and closed forms, the family against the binomial one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mixedsim.engine.cross_products import Grouping
from mixedsim.engine.glm_intervals import DISTRIBUTIONS, INTERVALS, QUANTILES
from mixedsim.engine.glm_laplace import GlmObjective
from mixedsim.engine.glm_optimise import minimise_glm
from mixedsim.engine.glm_ordinal import Cumulative
from mixedsim.engine.glm_problem import family_of
from mixedsim.engine.glm_rows import Rows
from mixedsim.errors import ConvergenceError
from tests.engine.glm_cases import ORDINAL, case

LINKS = [link for _, link in ORDINAL]
LATENT = {"logit": stats.logistic, "probit": stats.norm, "cloglog": stats.gumbel_l, "loglog": stats.gumbel_r}
INF = np.inf
LOWER = np.array([-INF, -INF, -INF, -1.0, 2.0, -3.0, -0.4, 0.3, -6.0, 1.0, -2.0])
UPPER = np.array([-3.0, 0.1, 2.0, 1.0, 2.5, 4.0, -0.1, 0.32, -4.0, INF, INF])
STEP = 1e-5


@pytest.fixture(autouse=True)
def _quiet() -> object:
    """As the search does."""
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("link", LINKS)
def test_shares_are_differences_of_the_distribution(link: str) -> None:
    known = LATENT[link]
    shares = np.exp(INTERVALS[link](LOWER, UPPER).log_share)
    np.testing.assert_allclose(shares, known.cdf(UPPER) - known.cdf(LOWER), rtol=1e-11, atol=1e-15)
    x = np.linspace(-2, 2, 13)
    np.testing.assert_allclose(DISTRIBUTIONS[link](x), known.cdf(x), rtol=1e-13)
    np.testing.assert_allclose(QUANTILES[link](known.cdf(x)), x, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("link", LINKS)
def test_derivatives_of_an_interval(link: str) -> None:
    interval = INTERVALS[link]
    one = interval(LOWER, UPPER)
    forth, back = interval(LOWER - STEP, UPPER - STEP), interval(LOWER + STEP, UPPER + STEP)  # η up, η down
    np.testing.assert_allclose(one.score, (forth.log_share - back.log_share) / (2 * STEP), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(one.weight, -(forth.score - back.score) / (2 * STEP), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(one.weight_slope, (forth.weight - back.weight) / (2 * STEP), rtol=1e-5, atol=1e-7)
    assert (one.weight > 0).all()
    wide, narrow = interval(LOWER, UPPER + STEP), interval(LOWER, UPPER - STEP)
    for mine, up, down in (
        (one.by_upper, wide.log_share, narrow.log_share),
        (one.score_by_upper, wide.score, narrow.score),
        (one.weight_by_upper, wide.weight, narrow.weight),
    ):
        np.testing.assert_allclose(mine, (up - down) / (2 * STEP), rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize(("low", "high"), [(-INF, -30.0), (30.0, INF), (-30.0, -29.0), (20.0, 21.0)])
def test_tails_keep_their_digits(link: str, low: float, high: float) -> None:
    """Where a difference of probabilities is 0 in floating point, its logarithm is not minus infinity."""
    one = INTERVALS[link](np.array([low]), np.array([high]))
    assert np.isfinite(one).all()
    assert (one.weight >= 0).all()
    if link == "logit":
        exact = -np.logaddexp(0, -high) - np.logaddexp(0, low) + np.log(-np.expm1(low - high))
        assert one.log_share[0] == pytest.approx(exact, rel=1e-14)


@pytest.mark.parametrize("link", LINKS)
def test_series_and_closed_form_meet(link: str) -> None:
    """The cloglog's series end at a difference of hazards of 0.25."""
    lower = np.array([-2.0, -2.0])
    upper = np.log(np.exp(-2.0) + 0.25 + np.array([-1e-9, 1e-9]))
    one = INTERVALS[link](lower, upper) if link == "cloglog" else INTERVALS[link](-upper, -lower)
    for values in one:
        assert values[0] == pytest.approx(values[1], rel=1e-7)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_two_categories_are_yes_and_no(link: str) -> None:
    """P(y = 1) = 1 − F(−η): the binomial model, with cloglog upside down."""
    rng = np.random.default_rng(1)
    y, eta, weights = rng.integers(0, 2, 50).astype(float), rng.normal(size=50), rng.uniform(0.5, 2, 50)
    two = family_of("ordinal", link, y, weights, categories=2)
    turned = link == "cloglog"
    binomial = family_of("binomial", link, 1 - y if turned else y, weights)
    one, other = two.at(eta, np.empty(0)), binomial.at(-eta if turned else eta, np.empty(0))
    sign = -1.0 if turned else 1.0
    np.testing.assert_allclose(one.losses, other.losses, rtol=1e-12)
    np.testing.assert_allclose(one.score, sign * other.score, rtol=1e-10)
    np.testing.assert_allclose(one.fisher, other.observed, rtol=1e-10)
    if link == "logit":
        np.testing.assert_allclose(one.slope, other.slope, rtol=1e-10, atol=1e-16)


def test_two_categories_with_the_logit_have_the_optimum_of_the_binomial_model() -> None:
    one = case("binomial", "logit", "intercept and slope", size=2.0)
    binomial = one.objective.family
    two = one.objective.changed(family=Cumulative("logit", binomial.y, binomial.weights, 2))
    found, expected = (
        minimise_glm(objective, one.psi[:3].copy(), one.beta, np.empty(0)) for objective in (two, one.objective)
    )
    assert found.evaluation.criterion == pytest.approx(expected.evaluation.criterion, abs=1e-9)
    np.testing.assert_allclose(found.evaluation.psi, expected.evaluation.psi, atol=1e-6)
    assert found.evaluations == expected.evaluations


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("anchor", [0, 1, 2])
def test_derivatives_by_the_distances_of_thresholds(link: str, anchor: int) -> None:
    one = case("ordinal", link)
    whole = one.objective.family
    assert isinstance(whole, Cumulative)
    family, eta, here = whole.anchored(anchor), np.linspace(-2, 2, len(whole.y)), np.array([1.3, 0.7])
    by_loss, by_score, by_fisher = family.by_extra(family.at(eta, here), here)
    for k in range(2):
        move = STEP * np.eye(2)[k]
        up, down = family.at(eta, here + move), family.at(eta, here - move)
        np.testing.assert_allclose(by_loss[k], (up.losses - down.losses) / (2 * STEP), rtol=1e-5, atol=1e-8)
        np.testing.assert_allclose(by_score[k], (up.score - down.score) / (2 * STEP), rtol=1e-5, atol=1e-8)
        np.testing.assert_allclose(by_fisher[k], (up.fisher - down.fisher) / (2 * STEP), rtol=1e-5, atol=1e-8)


def test_thresholds_lie_where_the_anchor_says() -> None:
    y = np.array([0.0, 1, 2, 3])
    extra = np.array([2.0, 0.5])
    for anchor, expected in enumerate(([0, 2, 2.5], [-2, 0, 0.5], [-2.5, -0.5, 0])):
        family = Cumulative("logit", y, 1.0, 4, anchor)
        np.testing.assert_allclose(family.cuts(extra), expected)
        eta = np.full(4, 0.4)
        shares = np.diff(stats.logistic.cdf([-INF, *(np.array(expected) - 0.4), INF]))
        np.testing.assert_allclose(family.at(eta, extra).mean, shares, rtol=1e-13)
        below, through = family.places(eta, extra)
        np.testing.assert_allclose(through - below, shares, rtol=1e-12)


@pytest.mark.parametrize("link", LINKS)
def test_first_thresholds_give_the_shares_of_the_categories(link: str) -> None:
    y = np.repeat([0.0, 1, 2, 3], [3, 9, 6, 2])
    family = Cumulative(link, y, 1.0, 4)
    (eta,) = family.first_predictors()
    np.testing.assert_allclose(family.at(eta, family.first_extra()).mean, np.repeat([3, 9, 6, 2], [3, 9, 6, 2]) / 20)


def test_a_category_without_rows_is_refused() -> None:
    with pytest.raises(ConvergenceError, match="no row has category 2 of 3, so that its thresholds have no estimate"):
        Cumulative("logit", np.array([0.0, 2, 2]), 1.0, 3)


@pytest.mark.parametrize("link", LINKS)
def test_weights_are_repeated_rows(link: str) -> None:
    one = case("ordinal", link, "one intercept")
    rows, family = one.objective.rows, one.objective.family
    assert isinstance(family, Cumulative)
    counts = np.random.default_rng(1).integers(1, 4, rows.n)
    weighted = one.objective.changed(family=Cumulative(link, family.y, counts.astype(float), 4))
    again = np.repeat(np.arange(rows.n), counts)
    column = one.z.sum(axis=1)
    longer = Rows(
        [Grouping(rows.codes[0][again], rows.shapes[0][0], (column[again],))], rows.x[again], rows.offset[again]
    )
    repeated = GlmObjective(longer, Cumulative(link, family.y[again], 1.0, 4), one.objective.layout)
    left, right = (objective.evaluate(one.psi, one.begin) for objective in (weighted, repeated))
    assert left.criterion == pytest.approx(right.criterion, rel=1e-12)
    np.testing.assert_allclose(left.gradient, right.gradient, rtol=1e-8, atol=1e-8)
