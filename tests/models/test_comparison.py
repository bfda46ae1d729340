"""Tables that hold several models against each other, and what they refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import mixedsim as ms

FORMULAS = {
    "empty": "Reaction ~ 1 + (1 | Subject)",
    "intercepts": "Reaction ~ Days + (1 | Subject)",
    "uncorrelated": "Reaction ~ Days + (Days || Subject)",
    "slopes": "Reaction ~ Days + (Days | Subject)",
    "quadratic": "Reaction ~ Days + I(Days**2) + (Days | Subject)",
}


@pytest.fixture(scope="module")
def data():
    frame = ms.datasets.load("sleepstudy")
    frame["z"] = np.random.default_rng(5).normal(size=len(frame))
    return frame


@pytest.fixture(scope="module")
def fits(data):
    return {name: ms.lmer(formula, data) for name, formula in FORMULAS.items()}


@pytest.fixture(scope="module")
def likelihood(fits):
    return {name: fit.update(reml=False) for name, fit in fits.items()}


# ---- anova


def test_models_are_sorted_by_size_and_refitted(fits, likelihood):
    table = ms.anova(fits["slopes"], fits["empty"], fits["intercepts"])
    assert table.index.tolist() == [FORMULAS[name] for name in ("empty", "intercepts", "slopes")]
    assert table.columns.tolist() == ["npar", "aic", "bic", "loglik", "deviance", "chisq", "df", "p", "p_boundary"]
    assert table["npar"].tolist() == [3, 4, 6]
    assert table["deviance"].iloc[2] == pytest.approx(likelihood["slopes"].deviance, abs=1e-9)
    assert table["chisq"].iloc[1] == pytest.approx(likelihood["empty"].deviance - likelihood["intercepts"].deviance)
    assert table["p"].iloc[2] == pytest.approx(stats.chi2.sf(table["chisq"].iloc[2], 2))
    assert table.attrs["note"] == "all 3 models were fitted by REML and have been refitted by maximum likelihood."
    assert str(table).endswith("Note: " + table.attrs["note"])
    assert "<em>all 3 models were fitted by REML" in table._repr_html_()


def test_nothing_is_said_where_nothing_was_done(likelihood):
    table = ms.anova(likelihood["intercepts"], likelihood["slopes"])
    assert table.attrs["note"] == ""
    assert "Note" not in str(table)


def test_one_of_several_is_named(fits, likelihood):
    note = ms.anova(fits["intercepts"], likelihood["slopes"]).attrs["note"]
    assert note == f"{FORMULAS['intercepts']} was fitted by REML and has been refitted by maximum likelihood."


def test_reml_fits_are_compared_as_they_are(fits):
    table = ms.anova(fits["intercepts"], fits["slopes"], refit=False)
    assert table["chisq"].iloc[1] == pytest.approx(fits["intercepts"].deviance - fits["slopes"].deviance)


# Stram & Lee (1994): one effect more with k covariances is ½χ²_k + ½χ²_{k+1}, fixed effects add to both
BOUNDARY = [
    ("intercepts", "uncorrelated", [0, 1]),
    ("intercepts", "slopes", [1, 2]),
    ("empty", "slopes", [2, 3]),
]


@pytest.mark.parametrize(("small", "large", "dfs"), BOUNDARY)
def test_a_variance_is_tested_on_its_boundary(likelihood, small, large, dfs):
    # a response with a small slope variance, so that the tails are no zeros
    y = likelihood["intercepts"].simulate(1, seed=8)[0] + 0.4 * likelihood["slopes"].simulate(1, seed=2)[0]
    table = ms.anova(*(likelihood[name].refit(y) for name in (small, large)))
    chisq = table["chisq"].iloc[1]
    tails = [stats.chi2.sf(chisq, df) if df else 0.0 for df in dfs]
    assert table["p_boundary"].iloc[1] == pytest.approx(np.mean(tails), rel=1e-10)
    assert table["p_boundary"].iloc[1] < table["p"].iloc[1]


@pytest.mark.parametrize(
    ("small", "large"), [("empty", "intercepts"), ("uncorrelated", "slopes"), ("slopes", "quadratic")]
)
def test_without_a_variance_there_is_no_boundary(likelihood, small, large):
    table = ms.anova(likelihood[small], likelihood[large])
    assert table["p_boundary"].isna().all()
    assert table["p"].notna().iloc[1]
    assert table.attrs["note"] == ""
    assert "boundary" not in str(table)


def test_three_effects_have_two_covariances(data):
    two = ms.lmer("Reaction ~ Days + z + (Days | Subject)", data, reml=False)
    three = two.update(". ~ . - (Days | Subject) + (Days + z | Subject)")
    table = ms.anova(two, three)
    chisq = table["chisq"].iloc[1]
    assert table["df"].iloc[1] == 3
    assert table["p_boundary"].iloc[1] == pytest.approx((stats.chi2.sf(chisq, 2) + stats.chi2.sf(chisq, 3)) / 2)


def test_two_variances_at_once_have_no_formula(data):
    two = ms.lmer("Reaction ~ Days + (1 | Subject)", data, reml=False)
    table = ms.anova(two, two.update(". ~ . - (1 | Subject) + (Days + z | Subject)"))
    assert np.isnan(table["p_boundary"].iloc[1])
    assert table["p"].iloc[1] < 1
    assert "2 variances are tested at once, for which there is no general boundary-corrected" in table.attrs["note"]
    assert "test='bootstrap' gives one" in table.attrs["note"]


def test_a_new_factor_is_one_variance_whatever_its_levels_are_called():
    data = ms.datasets.load("Pastes")
    sample = ms.lmer("strength ~ 1 + (1 | sample)", data, reml=False)
    nested = ms.lmer("strength ~ 1 + (1 | batch/cask)", data, reml=False)
    table = ms.anova(sample, nested)
    chisq = table["chisq"].iloc[1]
    assert table["p_boundary"].iloc[1] == pytest.approx(stats.chi2.sf(chisq, 1) / 2)


def test_a_singular_smaller_model_has_no_boundary_rule(data):
    y = np.random.default_rng(4).normal(size=len(data))
    small = ms.lmer("Reaction ~ Days + (1 | Subject)", data.assign(Reaction=y), reml=False)
    assert small.singular
    table = ms.anova(small, small.update(". ~ . - (1 | Subject) + (Days | Subject)"))
    assert np.isnan(table["p_boundary"].iloc[1])
    assert "the smaller model is singular itself, where the boundary correction does not apply" in table.attrs["note"]


def test_random_parts_that_share_no_term_are_not_judged(data):
    small = ms.lmer("Reaction ~ Days + (0 + z | Subject)", data, reml=False)
    table = ms.anova(small, small.update(". ~ Days + (Days | Subject)"))
    assert np.isnan(table["p_boundary"].iloc[1])
    assert "cannot be told, so p_boundary is missing" in table.attrs["note"]


def test_models_that_are_not_nested_get_no_p(data):
    one = ms.lmer("Reaction ~ Days + (1 | Subject)", data, reml=False)
    other = one.update(". ~ z + I(z**2) + (1 | Subject)")
    equal = one.update(". ~ z + (1 | Subject)")
    table = ms.anova(one, other)
    assert np.isnan(table["p"].iloc[1])
    assert "the fixed effects of the one are not among those of the other; use ms.compare" in table.attrs["note"]
    assert np.isnan(ms.anova(one, equal)["p"].iloc[1])
    assert "they have equally many parameters" in ms.anova(one, equal).attrs["note"]


def test_another_coding_of_the_same_effects_is_nested(data):
    poly = ms.lmer("Reaction ~ poly(Days, 2) + (1 | Subject)", data, reml=False)
    table = ms.anova(poly.update(". ~ Days + (1 | Subject)"), poly)
    raw = ms.anova(poly.update(". ~ Days + (1 | Subject)"), poly.update(". ~ Days + I(Days**2) + (1 | Subject)"))
    np.testing.assert_allclose(table["p"].iloc[1], raw["p"].iloc[1], rtol=1e-6)


def test_a_predictor_far_from_zero_is_no_constant(data):
    """Beside values near 1e8 every column looks like a constant, so that anything would seem nested."""
    far = data.assign(far=1e8 + data["Days"])
    small = ms.lmer("Reaction ~ far + (1 | Subject)", far, reml=False)
    large = ms.lmer("Reaction ~ z + I(z**2) + (1 | Subject)", far, reml=False)
    assert np.isnan(ms.anova(small, large)["p"].iloc[1])


def test_permuted_rows_are_the_same_rows(fits, data, likelihood):
    shuffled = ms.lmer(FORMULAS["intercepts"], data.sample(frac=1, random_state=2))
    table = ms.anova(shuffled, fits["slopes"])
    assert table["chisq"].iloc[1] == pytest.approx(likelihood["intercepts"].deviance - likelihood["slopes"].deviance)


def test_renamed_rows_are_the_same_rows(fits, data):
    renamed = ms.lmer(FORMULAS["intercepts"], data.set_axis([f"r{i}" for i in range(len(data))]))
    assert ms.anova(renamed, fits["slopes"])["df"].iloc[1] == 2


def test_different_rows_are_refused(fits, data):
    gap = data.assign(z=data["z"].where(data.index > 9))
    other = ms.lmer("Reaction ~ z + (1 | Subject)", gap)
    with pytest.raises(ms.DataError) as error:
        ms.anova(other, fits["slopes"])
    assert str(error.value) == (
        "Reaction ~ z + (1 | Subject) and Reaction ~ Days + (Days | Subject) were fitted to different rows (170 and "
        "180), so they cannot be compared: fit both to the rows that have values in all of their variables."
    )
    with pytest.raises(ms.DataError, match=r"different rows \(170 each, but not the same\)"):
        ms.anova(other, ms.lmer(FORMULAS["slopes"], data.iloc[:170]))


def test_different_responses_are_refused(fits, data):
    with pytest.raises(ms.DataError) as error:
        ms.anova(fits["slopes"], ms.lmer("log(Reaction) ~ Days + (1 | Subject)", data))
    assert str(error.value) == (
        "Reaction ~ Days + (Days | Subject) and log(Reaction) ~ Days + (1 | Subject) explain different responses "
        "(Reaction and log(Reaction), with different values), so they cannot be compared: fit both to one."
    )


def test_reml_with_different_fixed_effects_is_refused(fits, likelihood):
    with pytest.raises(ms.MixedsimError) as error:
        ms.anova(fits["empty"], fits["intercepts"], refit=False)
    assert str(error.value) == (
        "these REML fits have different fixed effects, so their criteria cannot be compared: use refit=True, which "
        "refits them by maximum likelihood."
    )
    with pytest.raises(ms.MixedsimError, match=r"was fitted by REML and another model by maximum .*refit=True"):
        ms.anova(fits["intercepts"], likelihood["slopes"], refit=False)


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        (["slopes"], {},
         "ms.anova compares two models or more, found 1: for the terms of one model, use its .anova()."),
        ([], {}, "ms.anova compares two models or more, found 0: for the terms of one model, use its .anova()."),
        (["slopes", "empty"], {"test": "F"}, "test must be 'chisq' or 'bootstrap', found 'F'."),
        (["slopes", "empty"], {"test": "bootstrap", "n": 0}, "n must be a whole number of at least 1, found 0."),
        (["slopes", "empty"], {"test": "bootstrap", "n": 2, "seed": "x"},
         "seed must be an integer or a numpy Generator, found 'x'."),
    ],
)  # fmt: skip
def test_what_anova_cannot_do_it_says(fits, arguments, options, sentence):
    with pytest.raises(ms.MixedsimError) as error:
        ms.anova(*(fits[name] for name in arguments), **options)
    assert str(error.value) == sentence


def test_something_else_than_a_fit_is_refused(fits):
    with pytest.raises(ms.MixedsimError, match=r"^ms\.anova takes fitted models, found str: fit with ms\.lmer first"):
        ms.anova(fits["slopes"], "Reaction ~ Days")


# ---- compare


def test_compare_ranks_by_the_criterion(likelihood):
    table = ms.compare(*likelihood.values())
    assert table.columns.tolist() == ["npar", "loglik", "aic", "aicc", "bic", "delta", "weight"]
    assert table["aic"].is_monotonic_increasing
    assert table["delta"].iloc[0] == 0
    assert table["weight"].sum() == pytest.approx(1)
    np.testing.assert_allclose(table["weight"] / table["weight"].iloc[0], np.exp(-table["delta"] / 2))
    k, n = table["npar"], 180
    np.testing.assert_allclose(table["aicc"], table["aic"] + 2 * k * (k + 1) / (n - k - 1))
    np.testing.assert_allclose(table["bic"], -2 * table["loglik"] + np.log(n) * k)
    assert table.attrs["note"] == ""
    assert ms.compare(*likelihood.values(), by="bic")["bic"].is_monotonic_increasing


def test_compare_refits_only_where_reml_cannot_be_compared(fits, likelihood):
    same = ms.compare(fits["slopes"], fits["intercepts"])
    assert same["loglik"].iloc[0] == fits["slopes"].loglik
    assert same.attrs["note"] == ""
    different = ms.compare(fits["slopes"], fits["empty"])
    assert different["loglik"].iloc[0] == pytest.approx(likelihood["slopes"].loglik, abs=1e-9)
    assert different.attrs["note"] == "both models were fitted by REML and have been refitted by maximum likelihood."


def test_compare_refuses_what_cannot_be_compared(fits, data):
    with pytest.raises(ms.DataError, match="different rows"):
        ms.compare(fits["slopes"], ms.lmer(FORMULAS["slopes"], data.iloc[:170]))
    with pytest.raises(ms.MixedsimError, match=r"^by must be 'aic', 'aicc' or 'bic', found 'dic'\.$"):
        ms.compare(fits["slopes"], fits["empty"], by="dic")
    with pytest.raises(ms.MixedsimError, match=r"^ms\.compare compares two models or more, found 1: fit another one"):
        ms.compare(fits["slopes"])


def test_aicc_without_rows_to_spare_is_infinite():
    rng = np.random.default_rng(1)
    small = pd.DataFrame({"y": rng.normal(size=7), "g": list("aabbccc"), "x": rng.normal(size=7)})
    one = ms.lmer("y ~ x + (1 | g)", small, reml=False)
    other = ms.lmer("y ~ x + I(x**2) + I(x**3) + (1 | g)", small, reml=False)
    table = ms.compare(one, other)
    assert np.isfinite(table.loc[one.formula, "aicc"])
    assert np.isinf(table.loc[other.formula, "aicc"])


# ---- drop1


@pytest.fixture(scope="module")
def cake():
    return ms.lmer("angle ~ recipe * temp + (1 | recipe:replicate)", ms.datasets.load("cake"))


def test_a_term_within_an_interaction_stays(cake):
    assert ms.drop1(cake).index.tolist() == ["<none>", "recipe:temp"]
    additive = cake.update(". ~ . - recipe:temp")
    assert ms.drop1(additive).index.tolist() == ["<none>", "recipe", "temp"]


def test_each_row_is_a_likelihood_ratio_test(cake):
    additive = cake.update(". ~ . - recipe:temp")
    table = ms.drop1(additive)
    for term in ("recipe", "temp"):
        against = ms.anova(additive, additive.update(f". ~ . - {term}")).iloc[1]
        for column in ("chisq", "df", "p"):
            assert table.loc[term, column] == pytest.approx(against[column])
    assert "refitted by maximum likelihood" in table.attrs["note"]
    assert "note" in ms.drop1(additive.update(reml=False)).attrs
    assert ms.drop1(additive.update(reml=False)).attrs["note"] == ""


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "wald"])
def test_tests_within_the_model_are_those_of_anova(cake, ddf):
    additive = cake.update(". ~ . - recipe:temp")
    pd.testing.assert_frame_equal(ms.drop1(additive, ddf), additive.anova(type=2, ddf=ddf))


def test_all_models_see_the_same_rows(data):
    gap = data.assign(z=data["z"].where(data.index > 9))
    table = ms.drop1(ms.lmer("Reaction ~ Days + z + (1 | Subject)", gap, reml=False))
    by_hand = ms.lmer("Reaction ~ Days + (1 | Subject)", gap.iloc[10:], reml=False)
    assert table.loc["z", "deviance"] == pytest.approx(by_hand.deviance, abs=1e-9)


def test_what_drop1_cannot_do_it_says(fits):
    with pytest.raises(ms.MixedsimError, match=r"^the model Reaction ~ 1 \+ \(1 \| Subject\) has no fixed term"):
        ms.drop1(fits["empty"])
    with pytest.raises(ms.MixedsimError) as error:
        ms.drop1(fits["slopes"], "chisq")
    known = "'lrt', 'satterthwaite', 'kenward-roger', 'wald'"
    assert str(error.value) == f"test must be one of {known}, found 'chisq'."
    with pytest.raises(ms.MixedsimError, match="drop1 takes a fitted model, found str"):
        ms.drop1("Reaction ~ Days")
