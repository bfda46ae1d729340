"""Many fits of generalised models at once are those of `glmer`, one by one: numbers, flags and sentences."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import mixedsim as ms
from mixedsim.models.generalized_many_alone import GlmAlone
from mixedsim.models.many import ManyFits, fit_many, refit_many

# A search ends within some 1e-7 standard errors. Second derivatives are exact in company and differences one by one,
# which have four digits, and two or three where the fit is nearly singular.
ESTIMATES, ERRORS = 1e-6, 1e-2


def together(many: ManyFits) -> int:
    """How many replicates were fitted in company."""
    return sum(len(portion.replicates) for portion in many.portions if not isinstance(portion, GlmAlone))


def same(many: ManyFits, k: int, fit: ms.GeneralizedLinearMixedModel) -> None:
    own, p = many.parameters("wald"), len(many.names)
    se = np.sqrt(np.diag(fit.vcov.to_numpy()))
    assert list(many.names) == list(fit.fixef.index)
    assert (np.abs(own.estimate[k, :p] - fit.fixef) <= ESTIMATES * (np.abs(fit.fixef) + se)).all()
    np.testing.assert_allclose(own.se[k, :p], se, rtol=ERRORS)
    table = fit.coefficients()
    np.testing.assert_allclose(own.lower[k, :p], table["lower"], atol=ERRORS * 2 * se.max(initial=0.0))
    np.testing.assert_allclose(own.p[k, :p], table["p"], atol=0.01)
    assert np.isinf(own.df[k, :p]).all()
    np.testing.assert_allclose(many.theta[k], fit.theta, rtol=1e-5, atol=2e-6)
    assert many.loglik[k] == pytest.approx(fit.loglik, abs=1e-8)
    assert (many.converged[k], many.singular[k]) == (fit.converged, fit.singular)
    varying = fit.varcorr["sd_or_corr"].to_numpy()
    found = own.estimate[k, p:]
    assert len(found) == len(varying)
    order = np.argsort([kind == "corr" for kind, _, _ in many.symbols[p:]], kind="stable")
    sds = varying[fit.varcorr["term2"].isna().to_numpy()]
    np.testing.assert_allclose(found[order][: len(sds)], sds, rtol=1e-5, atol=2e-6)
    assert np.isnan(own.se[k, p:]).all()


# ---- one design, many responses


@cache
def visits() -> pd.DataFrame:
    """30 patients with 4 to 9 visits: shares, counts, categories; a predictor of two values and a continuous one."""
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(30), rng.integers(4, 10, 30))
    n = len(g)
    x, arm = rng.normal(2, 1.5, n), (np.arange(30) % 2)[g]
    eta = -0.6 + 0.3 * x + 0.5 * arm + 0.7 * rng.normal(size=30)[g] + 0.2 * x * rng.normal(size=30)[g]
    trials = rng.integers(1, 8, n)
    wins = rng.binomial(trials, expit(eta))
    yes = rng.random(n) < expit(eta)
    return pd.DataFrame(
        {
            "g": g, "x": x, "arm": arm, "late": (x > 2).astype(int), "t": trials, "k": wins, "share": wins / trials,
            "y": yes.astype(int), "yes": yes, "said": pd.Categorical(np.where(yes, "yes", "no")),
            "b": rng.negative_binomial(1.5, 1.5 / (1.5 + np.exp(0.5 * eta + 1))),
            "n": rng.poisson(np.exp(0.5 * eta + 0.5)), "days": rng.uniform(0.5, 2, n), "w": rng.integers(1, 4, n),
        }
    )  # fmt: skip


MODELS = {
    "yes or no": ("y ~ late + arm + (1 | g)", {}),
    "continuous": ("y ~ x + arm + (1 | g)", {}),
    "categories": ("said ~ x + (1 | g)", {}),
    "truth values": ("yes ~ x + (1 | g)", {}),
    "counted": ("k / t ~ x * arm + (1 | g)", {}),
    "shares": ("share ~ arm + (x | g)", {"weights": "t"}),
    "weighted": ("y ~ x + (1 | g)", {"weights": "w"}),
    "weighted counts": ("k / t ~ late + (1 | g)", {"weights": "w", "offset": "days"}),
    "slopes": ("k / t ~ x + (x | g)", {}),
    "uncorrelated": ("k / t ~ x + (x || g)", {}),
    "probit": ("k / t ~ x + (1 | g)", {"family": ("binomial", "probit")}),
    "cloglog": ("y ~ late + (1 | g)", {"family": ("binomial", "cloglog")}),
    "quadrature": ("y ~ late + arm + (1 | g)", {"nagq": 7}),
    "quadrature, slope": ("k / t ~ x + (0 + x | g)", {"nagq": 4, "family": ("binomial", "probit")}),
    "events": ("n ~ x + arm + (1 | g)", {"family": "poisson", "offset": "days"}),
    "events, slopes": ("n ~ x + (x | g)", {"family": "poisson"}),
    "events, quadrature": ("n ~ late + (1 | g)", {"family": "poisson", "nagq": 5}),
    "bunches": ("b ~ x + arm + (1 | g)", {"family": "negative-binomial", "offset": "days"}),
    "bunches, slopes": ("b ~ x + (x | g)", {"family": "negative-binomial"}),
    "no intercept": ("k / t ~ 0 + x + (1 | g)", {}),
    "no fixed effects": ("k / t ~ 0 + (1 | g)", {}),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_response_is_fitted_as_refit_fits_it(name: str) -> None:
    formula, extra = MODELS[name]
    fit = ms.glmer(formula, visits(), **extra)
    y = fit.simulate(8, seed=5).to_numpy()
    many = refit_many(fit, y)
    assert many.failures == {}
    assert together(many) >= 7
    for k in range(0, 8, 2):
        same(many, k, fit.refit(y[:, k]))


@pytest.mark.parametrize(
    ("formula", "family"),
    [
        ("y ~ x + (1 | g) + (1 | arm)", "binomial"),
        ("days ~ x + (1 | g)", "inverse-gaussian"),
        ("days ~ x + (1 | g)", "gamma"),
    ],
)
def test_what_the_batch_does_not_know_goes_one_by_one(formula: str, family: str) -> None:
    fit = ms.glmer(formula, visits(), family)
    y = fit.simulate(3, seed=2).to_numpy()
    many = refit_many(fit, y)
    assert together(many) == 0
    again = fit.refit(y[:, 1])
    assert many.loglik[1] == pytest.approx(again.loglik, abs=1e-9)
    assert many.sigma[1] == pytest.approx(again.sigma, rel=1e-9)
    np.testing.assert_allclose(many.coefficients("wald").se[1], np.sqrt(np.diag(again.vcov)), rtol=1e-9)


def test_odd_responses_have_the_sentence_of_refit() -> None:
    fit = ms.glmer("k / t ~ x + (1 | g)", visits())
    y = fit.simulate(7, seed=1).to_numpy().copy()
    y[0, 1], y[3, 2], y[5, 3], y[:, 4] = -1.0, 99.0, np.nan, 0.0
    many = refit_many(fit, y)
    assert sorted(many.failures) == [1, 2, 3]
    for k in many.failures:
        with pytest.raises(ms.MixedsimError) as caught:
            fit.refit(y[:, k])
        assert many.failures[k] == str(caught.value)
    assert together(many) == 3
    assert np.isnan(many.loglik[[1, 2, 3]]).all()
    assert many.converged[4] == fit.refit(y[:, 4]).converged
    assert many.converged[[0, 5, 6]].all()


def test_two_are_no_company() -> None:
    fit = ms.glmer("y ~ x + (1 | g)", visits())
    y = fit.simulate(3, seed=1).to_numpy()
    assert (together(refit_many(fit, y)), together(refit_many(fit, y[:, :2]))) == (3, 0)


def test_rows_that_were_not_used_may_be_there() -> None:
    data = visits().assign(x=lambda d: d["x"].where(d.index != 4))
    fit = ms.glmer("y ~ x + (1 | g)", data)
    y = fit.simulate(4, seed=1).to_numpy()
    whole = np.insert(y, 4, 7.0, axis=0)
    np.testing.assert_array_equal(refit_many(fit, whole).loglik, refit_many(fit, y).loglik)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reml": True}, "reml is for linear models, and the fit is a generalised one: leave it out."),
        (
            {"control": ms.Control(optimizer="bfgs")},
            "ms.glmer has one optimiser, 'newton', found 'bfgs': leave optimizer out, the others are there to compare "
            "linear models with.",
        ),
    ],
)
def test_what_refit_many_refuses(options: dict[str, object], message: str) -> None:
    fit = ms.glmer("y ~ x + (1 | g)", visits())
    with pytest.raises(ms.MixedsimError) as caught:
        refit_many(fit, np.zeros((fit.nobs, 3)), **options)
    assert str(caught.value) == message


def test_tests_are_those_of_the_normal_distribution() -> None:
    fit = ms.glmer("y ~ x + (1 | g)", visits())
    many = refit_many(fit, fit.simulate(4, seed=1).to_numpy())
    default, wald = many.coefficients(), many.coefficients("wald")
    np.testing.assert_array_equal(default.p, wald.p)
    with pytest.raises(ms.MixedsimError) as caught:
        many.coefficients("kenward-roger")
    assert str(caught.value) == (
        "ddf='kenward-roger' is for linear models: tests of a generalised model are Wald's, leave ddf out."
    )


# ---- data sets with predictors of their own


def drawn(n: int = 8, **changes: object) -> list[pd.DataFrame]:
    settings: dict[str, object] = {
        "formula": "y ~ x + arm + (1 + x | g)", "clusters": {"g": 24}, "size": (4, 10),
        "variables": {"x": ms.Normal(3, 2), "arm": ms.Bernoulli(0.5, level="g")},
        "fixef": {"Intercept": -1, "x": 0.3, "arm": 0.4}, "ranef": {"g": {"sd": [0.6, 0.2]}}, "family": "binomial",
    }  # fmt: skip
    population = ms.Population(**(settings | changes))  # type: ignore[arg-type]
    return [population.draw(seed=k).data for k in range(n)]


TWO = {"variables": {"x": ms.Bernoulli(0.5), "arm": ms.Bernoulli(0.5, level="g")}}
DATASETS = {
    "intercepts": ("y ~ x + arm + (1 | g)", {}, {}),
    "slopes": ("y ~ x + arm + (x | g)", {}, {}),
    "rows alike": ("y ~ x * arm + (1 | g)", {}, TWO),
    "quadrature": ("y ~ x + (1 | g)", {"nagq": 5}, TWO),
    "probit": ("y ~ x + (1 | g)", {"family": ("binomial", "probit")}, {}),
    "trials": ("y / trials ~ x + (1 | g)", {}, {"formula": "y / 6 ~ x + arm + (1 + x | g)"}),
    "events": ("y ~ x + arm + (x || g)", {"family": "poisson"}, {"family": "poisson"}),
    "bunches": (
        "y ~ x + (1 | g)",
        {"family": "negative-binomial"},
        {"family": {"kind": "negative-binomial", "theta": 1.5}} | TWO,
    ),
}


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_is_fitted_as_glmer_fits_it(name: str) -> None:
    formula, options, changes = DATASETS[name]
    options = {"family": "binomial"} | options
    datasets = drawn(**changes)
    many = fit_many(formula, datasets, **options)
    assert many.failures == {}
    assert together(many) >= 7
    for k in range(0, 8, 2):
        same(many, k, ms.glmer(formula, datasets[k], **options))


def test_offsets_are_taken_row_by_row() -> None:
    datasets = drawn(family="poisson")
    rng = np.random.default_rng(1)
    offsets = [rng.normal(0, 0.3, len(data)) for data in datasets]
    many = fit_many("y ~ x + (1 | g)", datasets, family="poisson", offsets=offsets)
    assert together(many) == 8
    for k in (0, 5):
        same(many, k, ms.glmer("y ~ x + (1 | g)", datasets[k], "poisson", offset=offsets[k]))


def test_unusual_data_sets_are_no_burden_to_the_others() -> None:
    datasets = drawn(7, **TWO)
    datasets[1] = datasets[1].assign(y=lambda d: d["y"].where(d.index != 3))
    datasets[2] = datasets[2].assign(x=1)
    datasets[4] = datasets[4].assign(y=2)
    datasets[5] = datasets[5].assign(y=lambda d: d["y"].astype(bool))
    many = fit_many("y ~ x + (1 | g)", datasets, family="binomial")
    assert together(many) == 3
    assert sorted(many.failures) == [2, 4]
    assert "lacks 'x', unlike those of the others" in many.failures[2]
    with pytest.raises(ms.MixedsimError) as caught:
        ms.glmer("y ~ x + (1 | g)", datasets[4])
    assert many.failures[4] == str(caught.value)
    for k in (0, 1, 5):
        same(many, k, ms.glmer("y ~ x + (1 | g)", datasets[k]))


def test_stacks_of_other_columns_begin_at_fits_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two stacks, of which the second has one category more: each is fitted together, and one of them counts."""
    rng = np.random.default_rng(2)
    datasets = [
        data.assign(c=pd.Categorical(rng.choice(list("ab" if k < 4 else "abc"), len(data))))
        for k, data in enumerate(drawn(9))
    ]
    monkeypatch.setattr("mixedsim.models.many_together._ROWS", sum(map(len, datasets[:4])) - 1)
    many = fit_many("y ~ c + (1 | g)", datasets, family="binomial")
    assert together(many) == 5
    assert sorted(many.failures) == [0, 1, 2, 3]
    assert "lacks 'c[T.c]'" in many.failures[0]
    same(many, 6, ms.glmer("y ~ c + (1 | g)", datasets[6]))


def test_the_sentences_of_glmer_are_kept() -> None:
    datasets = drawn(4)
    many = fit_many("y ~ x + (1 + x | g)", datasets, family="binomial", nagq=5)
    with pytest.raises(ms.MixedsimError) as caught:
        ms.glmer("y ~ x + (1 + x | g)", datasets[0], nagq=5)
    assert many.failures == dict.fromkeys(range(4), str(caught.value))
    with pytest.raises(ms.MixedsimError, match="there is no family 'binomal': did you mean 'binomial'"):
        fit_many("y ~ x + (1 | g)", datasets, family="binomal")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nagq": 5}, "nagq=5 is for generalised models: say which, with family=, or leave it out."),
        ({"offsets": []}, "offsets are for generalised models: say which, with family=, or leave it out."),
        (
            {"family": "binomial", "reml": False},
            "reml is for linear models, and a family makes the model a generalised one: leave it out.",
        ),
        (
            {"family": "binomial", "offsets": [np.zeros(3)]},
            "offsets must be one array for each of the 3 data sets, found 1.",
        ),
    ],
)
def test_what_fit_many_refuses(options: dict[str, object], message: str) -> None:
    with pytest.raises(ms.MixedsimError) as caught:
        fit_many("y ~ x + (1 | g)", drawn(3), **options)
    assert str(caught.value) == message


# ---- the bootstrap


@pytest.mark.parametrize("name", ["counted", "events, slopes", "quadrature", "bunches"])
def test_a_replicate_of_the_bootstrap_is_the_fit_to_its_response(name: str) -> None:
    formula, extra = MODELS[name]
    fit = ms.glmer(formula, visits(), **extra)
    table, y = fit.bootstrap(6, seed=4), fit.simulate(6, seed=4)
    for k in (1, 4):
        again = fit.refit(y[k])
        own = table.loc[k]
        np.testing.assert_allclose(own[list(fit.fixef.index)].astype(float), again.fixef, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(own.filter(like="theta").astype(float), again.theta, rtol=1e-5, atol=2e-6)
        assert "tau" not in own or own["tau"] == pytest.approx(again.tau, rel=1e-6)
        assert (own["sigma"], own["converged"], own["singular"]) == (1.0, again.converged, again.singular)


def test_ratios_of_the_bootstrap_are_those_of_refits() -> None:
    large = ms.glmer("k / t ~ x + arm + (1 | g)", visits())
    small = large.update(". ~ . - arm")
    table = ms.anova(small, large, test="bootstrap", n=12, seed=3)
    y = small.simulate(12, seed=3)
    observed = small.deviance - large.deviance
    ratios = np.array([small.refit(y[k]).deviance - large.refit(y[k]).deviance for k in range(12)])
    assert table["p_bootstrap"].iloc[1] == pytest.approx((1 + (ratios >= observed).sum()) / 13)
