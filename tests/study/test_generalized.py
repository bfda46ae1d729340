"""Yes or no, counts and amounts: what `recover` and studies find by `glmer`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.study.power_table import says_its_level
from mixedsim.study.true_values import same_response

FORMULA = "y ~ x + (1 | g)"


def population(family="binomial", **changes):
    given = {
        "clusters": {"g": 60},
        "size": 8,
        "variables": {"x": ms.Normal(0, 1)},
        "fixef": {"Intercept": -0.5, "x": 0.6},
        "ranef": {"g": {"sd": 0.8}},
        "family": family,
    }
    return ms.Population(changes.pop("formula", FORMULA), **{**given, **changes})


def visits(**changes):
    """Counts over times that differ, and go together with x: without the offset the slope is biased."""
    variables = {"x": ms.Normal(0, 1), "days": ms.Derived("exp(0.5 * x) + 0.2")}
    return population({"kind": "poisson", "exposure": "days"}, variables=variables, **changes)


def tried(**changes):
    return population(formula="passed / 6 ~ x + (1 | g)", **changes)


def small(**changes):
    return population(**{"clusters": {"g": 12}, **changes})


def quiet(*args, **kwargs):
    return ms.study(*args, progress=False, **kwargs)


# ---- recovery


@pytest.mark.parametrize("drawn", [tried(), visits()], ids=["binomial", "poisson"])
def test_estimates_lie_around_the_truth(drawn):
    tables = [ms.recover(drawn, seed=seed).table for seed in range(40)]
    estimates = pd.DataFrame([table["estimate"] for table in tables])
    error = estimates.std() / np.sqrt(len(tables))
    truth = tables[0]["truth"]
    assert truth.to_dict() == {"Intercept": -0.5, "x": 0.6, "sd(Intercept | g)": 0.8}
    coefficients = ["Intercept", "x"]
    assert ((estimates.mean() - truth)[coefficients].abs() < 4 * error[coefficients]).all()
    # maximum likelihood takes 60 groups for 59 independent ones: half of 1/60 too little, and Laplace a little more
    assert estimates["sd(Intercept | g)"].mean() == pytest.approx(0.8 * (1 - 0.5 / 60), abs=4 * error.iloc[-1] + 0.01)
    covered = pd.DataFrame([table["covered"].astype(float) for table in tables]).mean()
    assert covered.min() > 0.8


def test_recovery_is_the_fit_of_its_own_family_with_wald_and_profile_intervals():
    recovery = ms.recover(population(("binomial", "probit")), seed=1)
    fit = ms.glmer(FORMULA, recovery.sample.data, family=("binomial", "probit"))
    assert (recovery.fit.family, recovery.fit.link) == ("binomial", "probit")
    own = fit.coefficients()
    found = recovery.table.loc[["Intercept", "x"], ["estimate", "se", "lower", "upper"]]
    np.testing.assert_allclose(found, own[["estimate", "se", "lower", "upper"]], rtol=1e-12)
    sd = fit.confint("profile", parameters="sd").iloc[0]
    assert recovery.table.loc["sd(Intercept | g)", ["lower", "upper"]].tolist() == sd[["lower", "upper"]].tolist()
    assert "sigma" not in recovery.table.index
    assert recovery.judged == 3


def test_the_exposure_is_an_offset():
    recovery = ms.recover(visits(), seed=3)
    data = recovery.sample.data
    fit = ms.glmer(FORMULA, data, family="poisson", offset=np.log(data["days"]))
    assert recovery.table.loc[["Intercept", "x"], "estimate"].tolist() == fit.fixef.tolist()


def test_a_dispersion_leaves_standard_deviations_without_interval():
    recovery = ms.recover(population({"kind": "gamma", "cv": 0.5}), seed=1)
    assert (recovery.fit.family, recovery.fit.link) == ("gamma", "log")
    assert pd.isna(recovery.table.loc["sd(Intercept | g)", "covered"])
    assert recovery.messages[-2] == (
        "standard deviations of the effects have no interval: in a gamma model they are relative to a dispersion, "
        "which is estimated beside the likelihood."
    )


def test_counts_in_bunches_are_recovered():
    recovery = ms.recover(population({"kind": "negative-binomial", "theta": 2}), seed=1)
    assert recovery.fit.family == "negative-binomial"
    assert recovery.table["estimate"].sub(recovery.table["truth"]).abs().max() < 0.3


def test_a_correlation_that_does_not_exist_is_held_against_nothing():
    flat = small(ranef={"g": {"sd": [0.05, 0.05], "corr": 0}}, formula="y ~ x + (x | g)")
    recovery = ms.recover(flat, seed=6)
    row = recovery.table.loc["corr(Intercept, x | g)"]
    assert row[["estimate", "lower", "upper"]].isna().all()
    assert pd.isna(row["covered"])
    assert (
        recovery.messages[-1] == "the correlation of Intercept, x by 'g' does not exist: one of the two does not vary."
    )


def test_large_fits_have_no_profiles(monkeypatch):
    monkeypatch.setattr("mixedsim.study.generalized.PROFILED", 100)
    recovery = ms.recover(population(), seed=1)
    assert recovery.judged == 2
    assert recovery.messages[-1] == (
        "standard deviations and correlations of the effects have no interval: profiles take long with more than 100 "
        "rows, and fit.confint() computes them."
    )


def test_a_hidden_exposure_is_named():
    hidden = visits()
    days = ms.Derived("exp(0.5 * x) + 0.2", observed=False)
    hidden = hidden.with_(variables={**hidden.variables, "days": days})
    with pytest.raises(ms.DataError) as caught:
        ms.recover(hidden, seed=1)
    assert str(caught.value) == (
        "the exposure 'days' is not observed, so no fit can take it into account: set observed=True."
    )
    with pytest.raises(ms.DataError) as caught:
        quiet(hidden, n=2, seed=1)
    assert str(caught.value) == (
        "the analysis 'mixed' needs the exposure 'days', which is not observed, so that no fit can see it: set "
        "observed=True."
    )


def test_rows_without_exposure_are_left_out():
    recovery = ms.recover(visits().with_(problems=[ms.Missing("days", 0.2)]), seed=1)
    data = recovery.sample.data.dropna()
    assert len(data) < len(recovery.sample.data)
    fit = ms.glmer(FORMULA, data, family="poisson", offset=np.log(data["days"]))
    assert recovery.table.loc[["Intercept", "x"], "estimate"].tolist() == fit.fixef.tolist()


def test_an_exposure_that_has_no_logarithm_is_named():
    wrong = visits().with_(problems=[ms.MeasurementError("days", sd=1)])
    with pytest.raises(ms.DataError) as caught:
        ms.recover(wrong, seed=1)
    odd = (wrong.draw(1).data["days"] <= 0).sum()
    assert str(caught.value) == (
        f"the exposure 'days' must be above 0, because its logarithm is the offset, and is not in {odd} rows of the "
        "data: give the population none of the problems that make it so."
    )


@pytest.mark.parametrize(
    ("response", "same"),
    [
        ("passed/6", True),
        ("passed / trials", True),
        ("`passed` / 6", True),
        ("passed / 7", False),
        ("failed / 6", False),
    ],
)
def test_spellings_of_successes_in_trials(response, same):
    own = ms.Analysis(f"{response} ~ x + (1 | g)").parsed
    assert same_response(own, tried().plan.formula) == same


# ---- studies


@pytest.mark.parametrize("redraw", ["all", "response"])
def test_rows_are_those_of_glmer_one_by_one(redraw):
    study = quiet(visits(clusters={"g": 12}), n=6, seed=1, redraw=redraw)
    rows = study.replicates.set_index(["replicate", "parameter"])
    for k, sample in enumerate(study.draws):
        fit = ms.glmer(FORMULA, sample.data, family="poisson", offset=np.log(sample.data["days"]))
        own = fit.coefficients()
        columns = ["estimate", "se", "df", "p", "lower", "upper"]
        found = rows.loc[k].loc[own.index, columns].astype(float)
        np.testing.assert_allclose(found["estimate"], own["estimate"], rtol=1e-6)
        # one by one the second derivatives are differences, with four digits in standard errors
        np.testing.assert_allclose(found, own[columns], rtol=1e-3, atol=1e-12)
        sd = rows.loc[(k, "sd(Intercept | g)")]
        assert sd["estimate"] == pytest.approx(fit.varcorr["sd_or_corr"].iloc[0], rel=1e-6, abs=1e-9)
        assert np.isnan(sd[["se", "df", "p", "lower", "upper"]].astype(float)).all()
        assert (sd["converged"], sd["singular"]) == (fit.converged, fit.singular)
    assert rows["truth"].groupby("parameter").first().to_dict() == {
        "Intercept": -0.5, "x": 0.6, "sd(Intercept | g)": 0.8,
    }  # fmt: skip
    summary = study.summary().loc[("mixed", "sd(Intercept | g)")]
    assert np.isnan(summary["coverage"])
    assert summary["n"] == 6


def test_analyses_with_one_model_share_a_fit_and_have_their_own_levels():
    analyses = {"wide": ms.Analysis(FORMULA, level=0.99), "narrow": ms.Analysis(FORMULA, level=0.5)}
    study = quiet(small(), analyses, n=3, seed=1)
    wide, narrow = (study.replicates[study.replicates["analysis"] == name] for name in analyses)
    assert wide["estimate"].tolist() == narrow["estimate"].tolist()
    fixed = (wide["kind"] == "fixed").to_numpy()
    assert ((wide["upper"] - wide["lower"])[fixed].to_numpy() > (narrow["upper"] - narrow["lower"])[fixed]).all()


def test_another_link_has_no_truth_and_quadrature_is_taken_over():
    probit = ms.Analysis(FORMULA, family=("binomial", "probit"), nagq=7)
    study = quiet(small(), {"probit": probit, "logit": FORMULA}, n=2, seed=1)
    rows = study.replicates.astype({"analysis": str, "parameter": str})
    rows = rows.set_index(["analysis", "replicate", "parameter"]).sort_index()
    fit = ms.glmer(FORMULA, study.draws[1].data, family=("binomial", "probit"), nagq=7)
    assert rows.loc[("probit", 1, "x"), "estimate"] == pytest.approx(fit.fixef["x"], rel=1e-10)
    assert rows.loc["probit", "truth"].isna().all()
    assert rows.loc["logit", "truth"].notna().all()


def test_a_family_of_ones_own_on_a_linear_population():
    tall = ms.Population(
        FORMULA, clusters={"g": 12}, size=8, variables={"x": ms.Normal(0, 1)}, fixef={"Intercept": 50, "x": 1},
        ranef={"g": {"sd": 2}}, sigma=3,
    )  # fmt: skip
    study = quiet(tall, {"gamma": ms.Analysis(FORMULA, family=("gamma", "log")), "own": FORMULA}, n=2, seed=1)
    fit = ms.glmer(FORMULA, study.draws[0].data, family=("gamma", "log"))
    row = study.replicates.query("analysis == 'gamma' and replicate == 0 and parameter == 'x'").iloc[0]
    assert row["estimate"] == pytest.approx(fit.fixef["x"], rel=1e-10)
    assert np.isnan(row["truth"])
    assert list(study.replicates["analysis"].unique()) == ["gamma", "own"]


def test_what_fails_in_one_replicate_is_counted():
    rare = small(variables={"x": ms.Bernoulli(0.02)})
    study = quiet(rare, n=12, seed=2)
    constant = [bool(sample.data["x"].eq(sample.data["x"].iloc[0]).all()) for sample in study.draws]
    assert 0 < sum(constant) < 12
    error = study.replicates.groupby("replicate")["error"].first()
    assert error.notna().tolist() == constant
    assert error[constant].unique().tolist() == [
        "the model of this data set lacks 'x', unlike those of the others: a category or a predictor does not vary in "
        "it as it does there."
    ]
    assert not study.replicates.loc[study.replicates["error"].notna(), "converged"].any()


def test_the_sentence_of_glmer_is_kept():
    exposed = visits(clusters={"g": 12}).with_(problems=[])
    broken = ms.study.draw(exposed, 3, 1)
    wrong = ms.Analysis(FORMULA, family=("gamma", "log"))
    with pytest.raises(ms.MixedsimError) as caught:
        ms.glmer(FORMULA, broken[0].data, family=("gamma", "log"))
    with pytest.raises(ms.MixedsimError) as told:
        quiet(exposed, {"gamma": wrong}, n=3, seed=1)
    assert str(told.value) == f"the analysis 'gamma' fails in every replicate, in the first because {caught.value}"


def test_false_positives_are_simulated_where_nothing_is_shifted():
    assert not says_its_level(small(), {"mixed": ms.Analysis(FORMULA)})
    linear = ms.scenarios.therapist_plain(therapists=5)
    own = "anxiety ~ depression + (1 | therapist)"
    assert says_its_level(linear, {"mixed": ms.Analysis(own)})
    assert not says_its_level(linear, {"gamma": ms.Analysis(own, family="gamma")})


def test_power_along_the_number_of_groups():
    curve = ms.power_curve(small(), "g", [10, 30], parameter="x", n=30, seed=1, progress=False)
    null = quiet(small(clusters={"g": 30}).with_(fixef={"Intercept": -0.5, "x": 0.0}), n=30, seed=1)
    p = null.replicates.query("parameter == 'x'")["p"]
    assert curve.table["power"].iloc[1] > curve.table["power"].iloc[0]
    assert curve.table["false_positive"].iloc[1] == pytest.approx((p < 0.05).mean())


REFUSED = {
    "a linear model of counts": (
        lambda: quiet(small(), "y ~ x", 3, 1),
        "the analysis 'ols' is a linear model, and a population has a binomial outcome: give a function of the data in "
        "its place, which returns estimates by name.",
    ),
    "degrees of freedom": (
        lambda: quiet(small(), ms.Analysis(FORMULA, ddf="kenward-roger"), 3, 1),
        "the analysis 'mixed' has ddf='kenward-roger', which is for linear models, and a population has a binomial "
        "outcome: leave ddf out.",
    ),
    "degrees of freedom of a family": (
        lambda: ms.Analysis(FORMULA, ddf="kenward-roger", family="poisson"),
        "ddf='kenward-roger' is for linear models, not for family='poisson': leave ddf out.",
    ),
    "a family without random terms": (
        lambda: ms.Analysis("y ~ x", family="poisson"),
        "family='poisson' is for mixed models, and 'y ~ x' has no random term: leave it out, or add one such as "
        "(1 | group).",
    ),
    "quadrature of a linear model": (
        lambda: quiet(ms.scenarios.therapist_plain(therapists=5),
                      ms.Analysis("anxiety ~ depression + (1 | therapist)", nagq=5), 3, 1),
        "the analysis 'mixed' has nagq=5, and a linear model has no quadrature: leave nagq out, or give a family.",
    ),
    "a family that does not exist": (
        lambda: ms.Analysis(FORMULA, family="poison"),
        "there is no family 'poison': did you mean 'poisson'?",
    ),
    "categories in order": (
        lambda: quiet(population({"kind": "ordinal", "thresholds": [-1, 1]}, fixef={"x": 1}), "y ~ x", 3, 1),
        "the analysis 'ols' is a linear model, and a population has an ordinal outcome: give a function of the data "
        "in its place, which returns estimates by name.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("wrong", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_refusals(wrong, sentence):
    with pytest.raises(ms.MixedsimError) as caught:
        wrong()
    assert str(caught.value) == sentence


def test_labels_say_what_differs():
    one = ms.Analysis(FORMULA, family="binomial", nagq=9)
    assert one.label == f"{FORMULA}, binomial logit, nagq 9"
    assert one == ms.Analysis(FORMULA, family=("binomial", "logit"), nagq=9)
    assert ms.Analysis(FORMULA).meaning() == (FORMULA, "satterthwaite", True, None, 0.95)
    assert one.meaning() != ms.Analysis(FORMULA, family=("binomial", "probit"), nagq=9).meaning()
