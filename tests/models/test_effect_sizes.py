"""ICC and R²: definitions, invariances, zero variances, and bad arguments."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms


@pytest.fixture(scope="module")
def sleepstudy():
    return ms.datasets.load("sleepstudy")


@pytest.fixture(scope="module")
def slopes(sleepstudy):
    return ms.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)


def test_the_parts_are_what_they_say(slopes, sleepstudy):
    parts = slopes.variance_parts
    days = sleepstudy["Days"].to_numpy()
    assert parts.fixed == pytest.approx(np.var(slopes.predict(random=False), ddof=1))
    z = np.column_stack([np.ones(180), days])
    expected = np.einsum("na,ab,nb->n", z, slopes.covariances["Subject"].to_numpy(), z).mean()
    assert parts.random["Subject"] == (pytest.approx(expected),)
    assert parts.residual == pytest.approx(slopes.sigma**2)
    random, total = expected, parts.fixed + expected + parts.residual
    assert slopes.icc().to_dict() == pytest.approx(
        {"adjusted": random / (random + parts.residual), "unadjusted": random / total}
    )
    assert slopes.r2().to_dict() == pytest.approx(
        {"marginal": parts.fixed / total, "conditional": (parts.fixed + random) / total}
    )


def test_several_terms_on_one_factor_count_first_or_all(sleepstudy):
    fit = ms.lmer("Reaction ~ Days + (Days || Subject)", sleepstudy)
    intercepts, slopes = fit.variance_parts.random["Subject"]
    variance = dict(zip(fit.varcorr["term1"], fit.varcorr["variance"], strict=True))
    assert intercepts == pytest.approx(variance["Intercept"])
    assert slopes == pytest.approx(variance["Days"] * (sleepstudy["Days"] ** 2).mean())
    residual = fit.sigma**2
    assert fit.icc()["adjusted"] == pytest.approx(intercepts / (intercepts + residual))
    assert fit.icc(terms="all")["adjusted"] == pytest.approx((intercepts + slopes) / (intercepts + slopes + residual))
    assert fit.r2(terms="all")["conditional"] > fit.r2()["conditional"]


def test_shares_of_groups_add_up():
    fit = ms.lmer("strength ~ 1 + (1 | batch/cask)", ms.datasets.load("Pastes"))
    shares = fit.icc(by_group=True)
    assert list(shares.index) == ["cask:batch", "batch"]
    assert shares.sum() == pytest.approx(fit.icc()["adjusted"])


def test_zero_variance_is_a_number():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2"))
    assert fit.singular
    assert fit.icc().to_dict() == {"adjusted": 0.0, "unadjusted": 0.0}
    assert fit.r2().to_dict() == {"marginal": 0.0, "conditional": 0.0}
    assert fit.icc(by_group=True).to_dict() == {"Batch": 0.0}


def test_perfect_correlation_is_a_number():
    rng = np.random.default_rng(7)
    g = np.repeat(np.arange(8), 6)
    x = np.tile(np.arange(6.0), 8)
    b = rng.normal(size=8)[g]
    data = pd.DataFrame({"g": g, "x": x, "y": x + b * (1 + x) + rng.normal(size=48)})
    fit = ms.lmer("y ~ x + (x | g)", data)
    assert fit.singular
    assert 0 < fit.icc()["adjusted"] < 1
    assert 0 < fit.r2()["marginal"] < fit.r2()["conditional"] < 1


@pytest.mark.parametrize("change", [{"Reaction": 1e6}, {"Days": 1e-6}], ids=["response", "predictor"])
def test_units_do_not_matter(slopes, sleepstudy, change):
    data = sleepstudy.assign(**{name: sleepstudy[name] * by for name, by in change.items()})
    other = ms.lmer("Reaction ~ Days + (Days | Subject)", data)
    np.testing.assert_allclose(other.icc(), slopes.icc(), rtol=1e-5)
    np.testing.assert_allclose(other.r2(), slopes.r2(), rtol=1e-5)


def test_a_far_origin_costs_no_digits(slopes, sleepstudy):
    other = ms.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy.assign(Days=sleepstudy["Days"] + 1e7))
    np.testing.assert_allclose(other.icc(), slopes.icc(), rtol=1e-5)
    np.testing.assert_allclose(other.r2(), slopes.r2(), rtol=1e-5)


def test_no_fixed_effects(sleepstudy):
    fit = ms.lmer("Reaction ~ 0 + (Days | Subject)", sleepstudy)
    assert fit.r2()["marginal"] == 0
    assert fit.icc()["adjusted"] == fit.icc()["unadjusted"]


def test_a_known_truth_comes_back():
    """2,000 clusters of 5: the adjusted ICC is τ²/(τ² + σ²), with Smith's (1957) standard error."""
    j, m, rho = 2000, 5, 0.3
    rng = np.random.default_rng(11)
    g = np.repeat(np.arange(j), m)
    x = rng.normal(size=j * m)
    y = x + np.sqrt(rho) * rng.normal(size=j)[g] + np.sqrt(1 - rho) * rng.normal(size=j * m)
    fit = ms.lmer("y ~ x + (1 | g)", pd.DataFrame({"g": g, "x": x, "y": y}))
    se = (1 - rho) * (1 + (m - 1) * rho) * np.sqrt(2 / (m * (m - 1) * (j - 1)))
    assert fit.icc()["adjusted"] == pytest.approx(rho, abs=4 * se)
    # x has variance 1 beside a total of 1: half of the variance, and R²'s se is about that of a correlation's square
    assert fit.r2()["marginal"] == pytest.approx(0.5, abs=4 * 2 * np.sqrt(0.5) * 0.5 / np.sqrt(j * m / 2))


def test_unknown_terms_are_refused(slopes):
    with pytest.raises(ms.MixedsimError, match=r"^terms must be 'first' or 'all', found 'some'\.$"):
        slopes.icc(terms="some")
