"""The distribution of an estimate over samples: a study of one analysis, and what it says of standard errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.study import SamplingDistribution

N = 60


@pytest.fixture(scope="module")
def trial():
    """Six therapists of twenty patients; a treatment that belongs to the therapist and does nothing."""
    return ms.Population(
        "y ~ new + (1 | therapist)",
        clusters={"therapist": 6},
        size=20,
        variables={"new": ms.Assigned([0, 1], level="therapist")},
        fixef={"Intercept": 0, "new": 0},
        ranef={"therapist": {"sd": 0.5}},
        sigma=1,
    )


@pytest.fixture(scope="module")
def naive(trial):
    return ms.sampling_distribution(trial, "y ~ new", n=400, seed=1)


def test_estimates_are_those_of_the_study(trial, naive):
    study = ms.study(trial, "y ~ new", n=400, seed=1)
    expected = study.replicates.astype({"parameter": str}).pivot_table(
        index="replicate", columns="parameter", values="estimate"
    )
    assert isinstance(naive, SamplingDistribution)
    assert naive.estimates.shape == (400, 2)
    pd.testing.assert_frame_equal(naive.estimates[["Intercept", "new"]], expected[["Intercept", "new"]])


def test_estimates_are_those_of_single_fits(trial):
    found = ms.sampling_distribution(trial, n=3, seed=5, parameter="new")
    draws = ms.study.draw(trial, n=3, seed=5)
    single = [ms.lmer(trial.formula, draws[k].data).fixef["new"] for k in range(3)]
    assert found.estimates["new"].tolist() == pytest.approx(single, rel=1e-6, abs=1e-8)


def test_the_table_is_that_of_the_summary(trial, naive):
    summary = ms.study(trial, "y ~ new", n=400, seed=1).summary().loc["ols"]
    columns = ["truth", "mean", "mean_mcse", "se_empirical", "se_empirical_mcse", "se_model", "se_model_mcse", "n"]
    pd.testing.assert_frame_equal(naive.table[columns], summary.loc[["Intercept", "new"], columns])
    assert naive.se_empirical["new"] == pytest.approx(naive.estimates["new"].std())
    assert naive.mean["new"] == pytest.approx(naive.estimates["new"].mean())
    assert naive.truth.to_dict() == {"Intercept": 0.0, "new": 0.0}


def test_least_squares_claims_too_little_by_the_design_effect(naive):
    """Real variance of the difference of two means of three therapists: 2 (0.5² + 1/20) / 3; claimed: 4 s² / 120."""
    real = np.sqrt(2 * (0.25 + 1 / 20) / 3)
    claimed = np.sqrt(4 * 1.25 / 120)  # s² is near τ² + σ², a little below since the means of therapists are fitted
    row = naive.table.loc["new"]
    assert abs(row["se_empirical"] - real) < 4 * row["se_empirical_mcse"]
    assert abs(row["se_model"] - claimed) < 0.1 * claimed
    assert any("new: the standard error of a single fit is" in said and "too small" in said for said in naive.sentences)


def test_a_mixed_model_claims_what_is_true(trial):
    plain = ms.scenarios.therapist_plain(therapists=15, patients=6)
    found = ms.sampling_distribution(plain, n=200, seed=2, parameter="depression")
    row = found.table.loc["depression"]
    assert abs(row["se_model"] - row["se_empirical"]) < 4 * np.hypot(row["se_model_mcse"], row["se_empirical_mcse"])
    assert list(found.table.index) == ["depression"]


def test_a_function_may_return_a_number(trial):
    found = ms.sampling_distribution(trial, lambda data: data["y"].mean(), n=N, seed=1, truth=0.0)
    draws = ms.study.draw(trial, n=N, seed=1)
    assert found.estimates["estimate"].tolist() == [draws[k].data["y"].mean() for k in range(N)]
    assert found.truth["estimate"] == 0.0
    assert np.isnan(found.se_model["estimate"])
    assert "–" in str(found)


def test_a_function_with_a_name_and_several_estimates(trial):
    def spread(data):
        return {"mean": data["y"].mean(), "sd": data["y"].std()}

    found = ms.sampling_distribution(trial, spread, n=10, seed=1, truth={"sd": 1.1})
    assert list(found.table.index) == ["mean", "sd"]
    assert found.truth["sd"] == 1.1
    assert np.isnan(found.truth["mean"])


def test_a_fitted_model_is_a_source():
    fit = ms.lmer("Reaction ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy"))
    found = ms.sampling_distribution(fit, n=N, seed=1, parameter="Days")
    assert found.truth["Days"] == pytest.approx(fit.fixef["Days"])


def test_parameters_of_the_random_part_can_be_asked_for(trial):
    found = ms.sampling_distribution(trial, n=N, seed=1, parameter=["sd(Intercept | therapist)", "sigma"])
    assert found.truth.to_dict() == {"sd(Intercept | therapist)": 0.5, "sigma": 1.0}


def test_it_prints_title_table_and_sentences(naive):
    text = str(naive)
    assert text.startswith("Sampling distribution in 400 samples of a population: y ~ new\n")
    row = naive.table.loc["new"]
    assert f"{row['se_empirical']:.3f} ± {row['se_empirical_mcse']:.3f}" in text
    assert text.endswith("\n".join(naive.sentences))
    assert "mixedsim-sampling" in naive._repr_html_()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"analysis": {"a": "y ~ new"}}, "must be one formula, ms.Analysis or function of the data, found dict"),
        ({"parameter": "old"}, "the analysis estimates no parameter 'old': did you mean|known are"),
        ({"parameter": []}, "parameter is empty"),
        ({"truth": 3.0}, "truth must name its parameter, since there are 2: write {'Intercept': 3.0}"),
        ({"truth": {"x": 3.0}}, "truth names 'x', which is no parameter here"),
        ({"truth": {"new": "3"}}, "truth must be numbers, found '3' for 'new'"),
        ({"truth": [3.0]}, "truth must be a number, or numbers by parameter"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(trial, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        ms.sampling_distribution(trial, **{"analysis": "y ~ new", "n": 5, "seed": 1} | options)


def test_a_claim_within_the_monte_carlo_error_is_said_to_hold(naive):
    """Estimates around the truth whose sd is what they claim, to within the error of 400 of them."""
    rows = naive.replicates[(naive.replicates["parameter"] == "new").to_numpy()]
    z = (rows["estimate"] - rows["estimate"].mean()) / rows["estimate"].std()
    honest = replace(naive, replicates=rows.assign(estimate=z, se=0.97))
    assert honest.sentences == ("new: a single fit knows its standard error, to within the Monte-Carlo error.",)
    modest = replace(naive, replicates=rows.assign(estimate=z, se=1.25))
    assert modest.sentences == ("new: the standard error of a single fit is 25 % too large.",)
    shifted = replace(naive, replicates=rows.assign(estimate=z + 0.5, se=np.nan))
    assert shifted.sentences == ("new: on average 0.500 above the truth.",)


def test_what_did_not_converge_has_no_estimate(naive):
    rows = naive.replicates.copy()
    rows.loc[rows["replicate"] == 3, "converged"] = False
    found = replace(naive, replicates=rows)
    assert found.estimates.loc[3].isna().all()
    assert found.estimates.drop(index=3).notna().all(axis=None)
    assert found.estimates["new"].std() == pytest.approx(found.se_empirical["new"])
    assert "failed" in str(found)
