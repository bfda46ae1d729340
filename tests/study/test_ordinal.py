"""Populations of ordered categories: truth beside what `clmm` finds, in one draw and in many."""

from __future__ import annotations

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.errors import MixedsimError
from mixedsim.study.ordinal import clmm_link, threshold_truths

NAMES = ["very bad|bad", "bad|fair", "fair|good", "good|very good"]


def satisfaction(homes: int = 25) -> ms.Population:
    return ms.scenarios.satisfaction(homes=homes)


def test_what_is_known_of_a_population() -> None:
    assert clmm_link(satisfaction()) == "logit"
    assert clmm_link(ms.scenarios.therapist_plain()) is None
    assert threshold_truths(ms.scenarios.therapist_plain()) == {}
    known = threshold_truths(satisfaction())
    assert known == {("threshold", "", name): value for name, value in zip(NAMES, [-2.5, -1, 0.3, 2], strict=True)}


def test_recovery_is_the_fit_beside_the_truth() -> None:
    recovery = ms.recover(satisfaction(), seed=3)
    fit = ms.clmm("answer ~ own_room + (1 | home)", recovery.sample.data)
    table = recovery.table
    assert list(table.index) == [*NAMES, "own_room", "sd(Intercept | home)"]
    assert table["truth"].tolist() == [-2.5, -1, 0.3, 2, 0.8, 0.9]
    np.testing.assert_allclose(table["estimate"], [*fit.thresholds, *fit.fixef, *fit.theta])
    wald = fit.confint("wald").iloc[:5]
    np.testing.assert_allclose(table["lower"].iloc[:5].astype(float), wald["lower"])
    profile = fit.confint(parameters="sd")
    np.testing.assert_allclose(table["upper"].iloc[5], profile["upper"].iloc[0])
    assert recovery.judged == 6
    assert table["kind"].tolist() == ["threshold"] * 4 + ["fixed", "sd"]
    assert "of 6 intervals (95 %) hold the truth" in str(recovery)


def test_the_populations_own_link_is_fitted() -> None:
    family = {"kind": "ordinal", "link": "probit", "thresholds": [-1, 0.5], "labels": ["no", "maybe", "yes"]}
    population = satisfaction().with_(family=family)
    recovery = ms.recover(population, seed=1)
    assert recovery.fit.link == "probit"
    assert recovery.table["truth"].iloc[:2].tolist() == [-1, 0.5]
    assert recovery.table.index[0] == "no|maybe"


def test_a_centred_predictor_moves_the_thresholds() -> None:
    recovery = ms.recover(satisfaction(), seed=1, formula="answer ~ center(own_room) + (1 | home)")
    assert recovery.table.loc[NAMES, "truth"].isna().all()


def test_a_study_agrees_with_its_replicates_and_with_the_truth() -> None:
    study = ms.study(satisfaction(), n=24, seed=1, progress=False)
    rows = study.replicates
    sample = satisfaction().draw(int(rows["seed"].iloc[0]))
    fit = ms.clmm("answer ~ own_room + (1 | home)", sample.data)
    first = rows[rows["replicate"] == 0]
    np.testing.assert_allclose(first["estimate"], [*fit.thresholds, *fit.fixef, *fit.theta])
    np.testing.assert_allclose(first["p"].iloc[4], fit.coefficients()["p"].iloc[0])
    assert first["p"].iloc[:4].isna().all()
    summary = study.summary().loc["mixed"]
    assert (summary["bias"].abs() < 4 * summary["bias_mcse"]).all()
    assert (summary["failed"] == 0).all()
    assert (summary["coverage"].dropna() > 0.8).all()


def test_two_analyses_of_one_outcome() -> None:
    analyses = {"own": "answer ~ own_room + (1 | home)", "without": "answer ~ 1 + (1 | home)"}
    study = ms.study(satisfaction(), analyses=analyses, n=3, seed=1, progress=False)
    summary = study.summary()
    assert list(summary.loc["without"].index) == [*NAMES, "sd(Intercept | home)"]
    assert summary.loc[("without", NAMES[0]), "truth"] == -2.5


def test_a_replicate_in_which_a_category_is_missing_has_failed() -> None:
    family = {"kind": "ordinal", "thresholds": [-1, 6.0], "labels": ["a", "b", "c"]}
    population = satisfaction(8).with_(family=family)
    study = ms.study(population, n=12, seed=2, progress=False)
    failed = study.replicates.groupby("replicate")["error"].first().notna()
    drawn = [
        population.draw(int(seed)).data["answer"].nunique()
        for seed in study.replicates.groupby("replicate")["seed"].first()
    ]
    assert failed.tolist() == [count < 3 for count in drawn]
    assert 0 < failed.sum() < 12


def test_least_squares_of_categories_is_refused() -> None:
    with pytest.raises(MixedsimError, match="the analysis 'ols' is a linear model, and satisfaction has an ordinal"):
        ms.study(satisfaction(), analyses="answer ~ own_room", n=2, seed=1, progress=False)
    analysis = ms.Analysis("answer ~ own_room + (1 | home)", ddf="kenward-roger")
    with pytest.raises(MixedsimError, match="has ddf='kenward-roger', which is for linear models"):
        ms.study(satisfaction(), analyses=analysis, n=2, seed=1, progress=False)
