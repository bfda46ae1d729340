"""R² and ICC of generalised models: against R's performance, formulas written out, and what must not matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr, polygamma

import mixedsim as ms
from mixedsim.errors import MixedsimError
from mixedsim.inference.glm_variances import glm_variance_parts
from tests.engine.test_glm_reference import GLMM, fitted
from tests.models.reference import CASES, MARKS, REFERENCE


def ticks() -> pd.DataFrame:
    data = pd.read_csv(REFERENCE / "data" / "grouseticks.csv")
    return data.astype(dict.fromkeys(("YEAR", "BROOD"), "category"))


def counts() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    group = np.repeat(np.arange(30), 10)
    x = rng.normal(size=300)
    mean = np.exp(1 + 0.4 * x + 0.5 * rng.normal(size=30)[group])
    return pd.DataFrame({"g": group.astype(str), "x": x, "n": rng.poisson(mean), "t": rng.integers(1, 9, 300) / 2})


@MARKS[0]
@pytest.mark.parametrize("name", GLMM)
def test_icc_and_r2_are_rs(name: str) -> None:
    """R: performance::icc(model), performance::r2_nakagawa(model); VerbAgg's are at lme4's own optimum."""
    fit, expect = fitted(name), CASES[name]["expect"]
    parts = glm_variance_parts(fit.design, fit.problem, fit.objective, fit.optimum)
    atol = 2e-4 if name == "verbagg" else 1e-5
    for key, value in expect["icc"].items():
        assert parts.icc("first")[key] == pytest.approx(value, abs=atol)
    for key, value in expect["r2"].items():
        assert parts.r2("first")[key] == pytest.approx(value, abs=atol)


def test_a_gamma_model_is_rs() -> None:
    """R: r2_nakagawa(glmer(Reaction ~ Days + (1 | Subject), sleepstudy, Gamma("log"))), stopped short by lme4."""
    fit = ms.glmer("Reaction ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy"), family=("gamma", "log"))
    assert fit.r2().tolist() == pytest.approx([0.3597248511, 0.578515591], abs=2e-4)
    assert fit.icc().tolist() == pytest.approx([0.3417136215, 0.2187907399], abs=2e-4)


@MARKS[0]
def test_a_negative_binomial_model_is_rs() -> None:
    """R: r2_nakagawa(glmer.nb(TICKS ~ YEAR + cHEIGHT + (1 | BROOD), grouseticks))."""
    fit = ms.glmer("TICKS ~ YEAR + cHEIGHT + (1 | BROOD)", ticks(), family="negative-binomial")
    assert fit.r2().tolist() == pytest.approx([0.5450638348, 0.7999219421], abs=1e-4)


def test_each_method_is_its_formula() -> None:
    """Nakagawa, Johnson & Schielzeth (2017), table 1: λ is exp of the null model's intercept."""
    data = counts()
    fit = ms.glmer("n ~ x + (1 | g)", data, family="poisson")
    mean = float(np.exp(ms.glmer("n ~ 1 + (1 | g)", data, family="poisson").fixef["Intercept"]))
    between = fit.varcorr["variance"][0]
    for method, own in {"delta": 1 / mean, "lognormal": np.log1p(1 / mean), "trigamma": polygamma(1, mean)}.items():
        assert fit.icc(method=method)["adjusted"] == pytest.approx(between / (between + own), rel=1e-6)
        fixed = float((fit.fixef["x"] * data["x"]).var())
        assert fit.r2(method=method)["marginal"] == pytest.approx(fixed / (fixed + between + own), rel=1e-6)
    assert fit.r2().equals(fit.r2(method="lognormal"))
    negative = ms.glmer("n ~ 1 + (1 | g)", data, family="negative-binomial")
    own = 1 / np.exp(negative.fixef["Intercept"]) + 1 / negative.tau
    between = negative.varcorr["variance"][0]
    assert negative.icc(method="delta")["adjusted"] == pytest.approx(between / (between + own), rel=1e-6)


@pytest.mark.parametrize(("link", "theoretical"), [("logit", np.pi**2 / 3), ("probit", 1.0), ("cloglog", np.pi**2 / 6)])
def test_binomial_methods_are_their_formulas(link: str, theoretical: float) -> None:
    fit = ms.glmer("incidence / size ~ 1 + (1 | herd)", ms.datasets.load("cbpp"), family=("binomial", link))
    between = fit.varcorr["variance"][0]
    assert fit.icc()["adjusted"] == pytest.approx(between / (between + theoretical), rel=1e-12)
    p = fit.predict({"herd": ["1"]}, random=False)[0]
    eta, step = fit.fixef.iloc[0], 1e-6
    inverse = {
        "logit": lambda e: 1 / (1 + np.exp(-e)),
        "probit": ndtr,
        "cloglog": lambda e: -np.expm1(-np.exp(e)),
    }[link]
    slope = (inverse(eta + step) - inverse(eta - step)) / (2 * step)
    own = p * (1 - p) / slope**2
    assert fit.icc(method="delta")["adjusted"] == pytest.approx(between / (between + own), rel=1e-6)


def test_a_row_effect_is_overdispersion_and_no_correlation() -> None:
    data = counts().assign(row=lambda d: d.index.astype(str))
    fit = ms.glmer("n ~ x + (1 | g) + (1 | row)", data, family="poisson")
    sds = fit.varcorr.set_index("group")["variance"]
    residual = fit.variance_parts.residual
    assert residual > sds["row"]
    assert list(fit.variance_parts.random) == ["g"]
    assert fit.icc()["adjusted"] == pytest.approx(sds["g"] / (sds["g"] + residual), rel=1e-12)


def test_an_offset_in_other_units_changes_nothing() -> None:
    """Counts per hour and counts per minute say the same of the rows: λ is a count, not a rate."""
    data = counts()
    hours = ms.glmer("n ~ x + (1 | g)", data, family="poisson", offset=np.log(data["t"]))
    minutes = ms.glmer("n ~ x + (1 | g)", data, family="poisson", offset=np.log(60 * data["t"]))
    pd.testing.assert_series_equal(hours.r2(), minutes.r2(), rtol=1e-6)


def test_a_singular_fit_has_numbers() -> None:
    data = counts().assign(coin=np.random.default_rng(1).integers(0, 2, 300), h=lambda d: (d.index % 7).astype(str))
    fit = ms.glmer("coin ~ x + (1 | h)", data)
    assert fit.singular
    assert fit.icc().tolist() == [0.0, 0.0]
    assert fit.r2()["marginal"] == fit.r2()["conditional"] > 0


def test_terms_of_one_factor_and_shares_of_several() -> None:
    fit = ms.glmer("n ~ x + (x || g)", counts(), family="poisson")
    assert fit.r2("all")["conditional"] > fit.r2("first")["conditional"]
    assert fit.icc(by_group=True, terms="all").sum() == pytest.approx(fit.icc(terms="all")["adjusted"])


def test_complaints() -> None:
    fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
    with pytest.raises(MixedsimError) as refused:
        fit.r2(method="trigamma")
    assert str(refused.value) == (
        "the variance of an observation of the family 'binomial' with the link 'logit' has the method 'theoretical' or "
        "'delta', found 'trigamma': choose one of these."
    )
    with pytest.raises(MixedsimError, match="found 'exact', which is none: choose one of these"):
        fit.icc(method="exact")  # type: ignore[arg-type]
    with pytest.raises(MixedsimError, match="terms must be 'first' or 'all', found 'some'"):
        fit.icc(terms="some")  # type: ignore[arg-type]
