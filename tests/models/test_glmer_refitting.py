"""Generalised models fitted again, and held against each other."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from tests.models.glmms import cbpp, cbpp_fit, clinic
from tests.models.reference import CASES, MARKS, REFERENCE

SIZE = np.log(cbpp()["size"])


def test_update_changes_what_is_named_and_keeps_the_rest() -> None:
    fit = ms.glmer("incidence ~ period + (1 | herd)", cbpp(), "poisson", offset=SIZE)
    smaller = fit.update(". ~ . - period")
    assert smaller.formula == "incidence ~ 1 + (1 | herd)"
    assert (smaller.family, smaller.link, smaller.nagq) == ("poisson", "log", 1)
    assert smaller.design.offset is not None
    assert fit.update(offset=None).loglik != fit.loglik
    assert fit.update(family="nbinom").npar == fit.npar + 1
    assert fit.update(nagq=7).nagq == 7
    probit = cbpp_fit().update(family=("binomial", "probit"))
    assert probit.loglik == pytest.approx(-92.6212233154213, abs=1e-7)  # R: binomial("probit")


def test_refit_to_the_same_response_is_the_same_fit() -> None:
    d = clinic().assign(answer=np.where(clinic()["y"] == 1, "yes", "no"), truth=clinic()["y"] == 1)
    for formula, family, column in (
        ("y ~ x + (1 | g)", "binomial", "y"),
        ("answer ~ x + (1 | g)", "binomial", "answer"),
        ("truth ~ x + (1 | g)", "binomial", "truth"),
        ("n ~ x + (1 | g)", "poisson", "n"),
        ("a ~ x + (1 | g)", ("gamma", "log"), "a"),
    ):
        fit = ms.glmer(formula, d, family)
        for y in (d[column], d[column].to_numpy(), d[column].sample(frac=1, random_state=1)):
            assert fit.refit(y).loglik == pytest.approx(fit.loglik, abs=1e-9)


def test_update_after_refit_keeps_the_new_response() -> None:
    d = cbpp().assign(share=cbpp()["incidence"] / cbpp()["size"], ill=np.where(cbpp()["incidence"] > 0, "yes", "no"))
    fits = (
        cbpp_fit(),
        ms.glmer("share ~ period + (1 | herd)", d, weights="size"),
        ms.glmer("ill ~ period + (1 | herd)", d),
    )
    for fit in fits:
        y = fit.simulate(1, seed=3)[0]
        one = fit.refit(y).update(". ~ . - period")
        other = fit.update(". ~ . - period").refit(y)
        assert one.loglik == pytest.approx(other.loglik, abs=1e-9)


def test_refit_holds_the_new_response_against_the_family() -> None:
    for y, sentence in (
        (cbpp()["size"] + 1, "the successes 'incidence' exceed the trials 'size'"),
        (cbpp()["incidence"] + 0.5, "the successes 'incidence' must be whole numbers"),
        ([1, 2], "must have one value for each of the 56 rows"),
        (np.full(56, np.nan), "the new response must be finite numbers"),
    ):
        with pytest.raises(ms.DataError, match=sentence):
            cbpp_fit().refit(y)
    fit = ms.glmer("answer ~ x + (1 | g)", clinic().assign(answer=np.where(clinic()["y"] == 1, "yes", "no")))
    with pytest.raises(ms.DataError, match="the new response holds 'maybe' where the model was fitted to 'no' and"):
        fit.refit(["maybe"] * 120)


def test_messages_follow_the_response() -> None:
    empty = cbpp_fit().refit(0 * cbpp()["incidence"])
    assert empty.messages[0].startswith("no trial is a success")
    assert empty.refit(cbpp()["incidence"]).messages == ()


# ---- held against each other


@pytest.mark.parametrize("pair", [pytest.param("cbpp_lrt", marks=MARKS)])
def test_likelihood_ratio_equals_r(pair: str, parity: ModuleType) -> None:
    case = CASES[pair]
    data, expect = parity.read(case, REFERENCE), case["expect"]
    fits = [parity.fit(ms, case | {"kind": "glmm"}, data, model["formula"]) for model in expect["models"]]
    table = ms.anova(*fits)
    for row, model in zip(table.itertuples(), expect["models"], strict=True):
        assert row.aic == pytest.approx(model["AIC"], abs=1e-5)
    (test,) = expect["tests"]
    assert table["chisq"].iloc[1] == pytest.approx(test["chisq"], abs=1e-5)
    assert table["p"].iloc[1] == pytest.approx(test["p"], rel=1e-5)
    dropped = ms.drop1(fits[1])
    assert dropped.loc["period", ["chisq", "p"]].tolist() == table[["chisq", "p"]].iloc[1].tolist()


def test_drop1_by_wald_is_the_anova_of_the_model() -> None:
    fit = ms.glmer("y ~ x + c + (1 | g)", clinic())
    pd.testing.assert_frame_equal(ms.drop1(fit, "wald"), fit.anova(2))
    assert ms.drop1(fit).index.tolist() == ["<none>", "x", "c"]
    with pytest.raises(ms.MixedsimError, match="ddf must be 'wald' for a generalised model, found 'satterthwaite'"):
        ms.drop1(fit, "satterthwaite")


def test_a_variance_has_its_boundary_p_and_the_negative_binomial_is_one() -> None:
    d = cbpp().assign(obs=range(56))
    without = cbpp_fit()
    table = ms.anova(without, ms.glmer("incidence / size ~ period + (1 | herd) + (1 | obs)", d))
    assert table["p_boundary"].iloc[1] == pytest.approx(table["p"].iloc[1] / 2, rel=1e-12)
    poisson = ms.glmer("incidence ~ period + (1 | herd)", cbpp(), "poisson", offset=SIZE)
    table = ms.anova(poisson, poisson.update(family="nbinom"))
    assert table.index.tolist()[1] == "incidence ~ period + (1 | herd) [negative-binomial, log]"
    assert table["chisq"].iloc[1] == pytest.approx(2 * (-87.40591157 + 90.24164772), abs=1e-5)
    assert table["p_boundary"].iloc[1] == pytest.approx(table["p"].iloc[1] / 2, rel=1e-12)


def test_the_bootstrap_of_a_ratio_agrees_with_chi_square_where_nothing_is_at_a_boundary() -> None:
    d = clinic()
    small, large = (ms.glmer(f"n ~ {rhs} + (1 | g)", d, "poisson") for rhs in ("1", "k"))
    y = small.simulate(1, seed=11)[0]
    table = ms.anova(small.refit(y), large.refit(y), test="bootstrap", n=120, seed=1)
    p, mcse = table[["p_bootstrap", "mcse"]].iloc[1]
    assert table["replicates"].iloc[1] + table["failed"].iloc[1] == 120
    assert abs(p - table["p"].iloc[1]) < 4 * mcse + 0.02


def test_links_are_compared_by_criteria_and_not_by_a_test() -> None:
    logit, probit = cbpp_fit(), cbpp_fit().update(family=("binomial", "probit"))
    table = ms.anova(logit, probit)
    assert np.isnan(table["p"].iloc[1])
    assert "they have different families or links; use ms.compare" in table.attrs["note"]
    ranked = ms.compare(logit, probit)
    assert ranked.index.tolist() == [logit.formula, f"{logit.formula} [binomial, probit]"]
    assert ranked["weight"].sum() == pytest.approx(1)


NOT_COMPARABLE = {
    "a linear model": (
        lambda: ms.lmer("incidence ~ period + (1 | herd)", cbpp()),
        "are a linear and a generalised model, whose likelihoods cannot be compared: fit both with ms.lmer, or both "
        "with ms.glmer.",
    ),
    "other nodes": (
        lambda: cbpp_fit().update(nagq=5),
        "were fitted with nagq=1 and nagq=5, which approximate the likelihood differently: fit both with one, as in "
        "update(nagq=5).",
    ),
    "other trials": (
        lambda: ms.glmer("incidence ~ period + (1 | herd)", cbpp(), "poisson"),
        "explain different responses (incidence / size and incidence, with different values), so they cannot be "
        "compared: fit both to one.",
    ),
    "amounts": (
        lambda: ms.glmer("size ~ 1 + (1 | herd)", cbpp(), ("gamma", "log")),
        "have the families 'binomial' and 'gamma', of which one is for counts and one for amounts, so that their "
        "likelihoods cannot be compared: choose by what the response is.",
    ),
    "other rows": (
        lambda: ms.glmer("incidence / size ~ period + (1 | herd)", cbpp().head(50)),
        "were fitted to different rows (56 and 50), so they cannot be compared: fit both to the rows that have values "
        "in all of their variables.",
    ),
}


@pytest.mark.parametrize("name", NOT_COMPARABLE)
@pytest.mark.parametrize("verb", [ms.anova, ms.compare])
def test_what_cannot_be_compared_is_refused(name: str, verb: object) -> None:
    other, sentence = NOT_COMPARABLE[name]
    with pytest.raises(ms.MixedsimError) as caught:
        verb(cbpp_fit(), other())  # type: ignore[operator]
    assert str(caught.value).endswith(sentence)
