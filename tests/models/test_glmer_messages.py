"""What a generalised fit says of itself: separation, empty responses, singular and unfinished fits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.models import GeneralizedLinearMixedModel
from mixedsim.models.generalized_messages import not_converged
from tests.models.glmms import cbpp_fit, clinic

D = clinic()
TAIL = (
    ": the likelihood rises for ever, so that the estimate is where the search stopped and its standard error means "
    "nothing; merge the category with another, leave the predictor out, or test it by likelihood ratio (ms.drop1), "
    "which stays meaningful."
)


def fitted(y: Any, rhs: str, family: Any = "binomial", **more: Any) -> GeneralizedLinearMixedModel:
    return ms.glmer(f"y ~ {rhs}", clinic().assign(y=y), family, **more)


def numbers(fit: GeneralizedLinearMixedModel) -> np.ndarray:
    return np.concatenate([fit.fixef, fit.vcov.to_numpy().ravel(), fit.theta, [fit.loglik]])


SEPARATED = {
    "a category without success": (
        np.where(D["c"] == "c", 0, D["y"]),
        "c + (1 | g)",
        "binomial",
        "separation: 'c[T.c]' runs away because no row with c = 'c' has a success",
    ),
    "a first category without failure": (
        np.where(D["c"] == "a", 1, D["y"]),
        "c + (1 | g)",
        "binomial",
        "separation: 'Intercept', 'c[T.b]', 'c[T.c]' run away because no row with c = 'a' has a failure",
    ),
    "a predictor that tells all": (
        (D["x"] > 0.3).astype(int),
        "x + (1 | g)",
        "binomial",
        "separation: 'Intercept', 'x' run away because 'x' tells all successes (0.320848 and more) from all failures "
        "(0.294132 and less)",
    ),
    "a cell without failure": (
        np.where((D["c"] == "c") & (D["k"] == "p"), 1, D["y"]),
        "c * k + (1 | g)",
        "binomial",
        "separation: 'c[T.c]', 'c[T.c]:k[T.q]' run away because no row with c = 'c' and k = 'p' has a failure",
    ),
    "a category without counts": (
        np.where(D["c"] == "c", 0, D["n"]),
        "c + (1 | g)",
        "poisson",
        "separation: 'c[T.c]' runs away because no row with c = 'c' has a count above 0",
    ),
}


@pytest.mark.parametrize("name", SEPARATED)
def test_separation_is_explained_and_all_numbers_are_finite(name: str) -> None:
    y, rhs, family, sentence = SEPARATED[name]
    fit = fitted(y, rhs, family)
    assert fit.messages == (sentence + TAIL,)
    assert np.isfinite(numbers(fit)).all()


def test_the_other_coefficients_are_those_of_the_rows_that_are_not_separated() -> None:
    y, rhs, _, _ = SEPARATED["a category without success"]
    whole = fitted(y, rhs)
    rest = D.assign(y=y)[D["c"] != "c"]
    part = ms.glmer("y ~ c + (1 | g)", rest)
    assert whole.loglik == pytest.approx(part.loglik, abs=1e-6)
    np.testing.assert_allclose(whole.fixef[["Intercept", "c[T.b]"]], part.fixef, atol=1e-4)


@pytest.mark.parametrize("rhs", ["year + (1 | g)", "year * k + (1 | g)"])
def test_an_intercept_two_thousand_years_away_is_not_separation(rhs: str) -> None:
    rng = np.random.default_rng(5)
    d = D.assign(year=2020 + 0.1 * rng.integers(0, 10, 120))
    fit = ms.glmer(f"y ~ {rhs}", d)
    assert fit.coefficients().loc["Intercept", "se"] > 500
    assert fit.messages == ()


def test_a_sound_fit_of_the_same_shape_is_not_called_separated() -> None:
    assert fitted(D["y"], "c * k + (1 | g)").messages == ()


@pytest.mark.parametrize(
    ("y", "family", "what"),
    [
        (0 * D["y"], "binomial", "no trial is a success"),
        (0 * D["y"] + 1, "binomial", "all trials are successes"),
        (0 * D["y"], "poisson", "all counts are 0"),
    ],
)
def test_all_alike_is_said_and_all_numbers_are_finite(y: Any, family: str, what: str) -> None:
    fit = fitted(y, "x + (1 | g)", family)
    assert fit.messages == (
        f"{what}, so the likelihood rises for ever as the intercept runs away: estimates are where the search "
        "stopped, and standard errors mean nothing.",
    )
    assert np.isfinite(numbers(fit)).all()
    assert fit.loglik == pytest.approx(0, abs=1e-6)


def test_levels_that_are_all_or_nothing() -> None:
    fit = fitted(D["g"] % 2, "x + (1 | g)")
    assert fit.messages == (
        "every level of 'g' has only successes or only failures, so the likelihood goes on rising as its standard "
        "deviation grows: the estimate is where the search stopped; nothing within the levels is left for the model "
        "to explain, so model one row a level.",
    )
    assert np.isfinite(numbers(fit)).all()


def test_a_singular_fit_names_the_term_and_check_shows_the_simpler_model() -> None:
    rng = np.random.default_rng(3)
    d = D.assign(h=np.tile(np.arange(10), 12), y=rng.poisson(np.exp(1 + rng.normal(size=12)[D["g"]])))
    fit = ms.glmer("y ~ x + (1 | g) + (1 | h)", d, "poisson")
    assert fit.singular
    assert fit.messages == (
        "singular fit: the standard deviation of Intercept by 'h' is estimated as zero: the data show no such "
        "variation beyond chance; the term may be left out.",
    )
    table = fit.check()
    assert table.loc[0, "way_out"] == "the term may be left out"
    assert table.what_if.loc["without h", "delta_aic"] == pytest.approx(-2)
    assert "What if?" in str(table)
    assert "Nothing to report" in str(cbpp_fit().check())


def test_few_groups_and_dependent_columns_are_said() -> None:
    fit = ms.glmer("y ~ x + z + (1 | h)", D.assign(z=2 * D["x"] + 1, h=D["g"] % 3))
    assert fit.messages[:2] == (
        "'h' has only 3 levels: its standard deviation is known very poorly from so few; consider it as a fixed "
        "effect.",
        "'z' was dropped from the fixed effects: it depends linearly on earlier columns.",
    )
    assert fit.predict({"x": [0.5], "z": [99.0], "h": [1]}).notna().all()


def test_a_negative_binomial_of_poisson_counts_says_so() -> None:
    rng = np.random.default_rng(8)
    fit = fitted(rng.binomial(20, 0.4, 120), "x + (1 | g)", "negative-binomial")  # less than Poisson's variance
    assert any(
        message.startswith("the negative binomial's tau is estimated as infinite: given the random effects, the counts")
        for message in fit.messages
    )
    assert fit.loglik == pytest.approx(fit.update(family="poisson").loglik, abs=1e-4)


def test_weights_that_repeat_the_trials_are_said_and_applied_once() -> None:
    fit = ms.glmer("y / t ~ x + (1 | g)", D.assign(t=2 + D["g"] % 2), weights="t")
    assert fit.messages == ("the weights are the trials that 'y / t' counts already, so they are not applied again.",)


def test_a_search_that_found_no_end_is_said() -> None:
    assert not_converged(cbpp_fit().optimum) == []
    (finding,) = not_converged(replace(cbpp_fit().optimum, converged=False))
    assert finding.message.startswith("the optimiser did not converge: after ")
    assert finding.message.endswith("the estimates are not to be trusted.")
