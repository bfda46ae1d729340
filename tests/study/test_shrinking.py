"""What a group keeps of its own estimate, against the formula, the matrix algebra and the tables of pooling."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.study.shrinking import shrinkage_of


@pytest.fixture(scope="module")
def schools():
    return ms.datasets.load("nlschools")


def test_a_random_intercept_keeps_lambda_whatever_the_sizes(schools):
    """Unbalanced, with predictors: partial over no pooling is τ²/(τ² + σ²/n) to rounding."""
    found = shrinkage_of(ms.lmer("lang ~ IQ + SES + (1 | class)", schools))
    tau2 = found.covariance.loc["Intercept", "Intercept"]
    expected = tau2 / (tau2 + found.sigma**2 / found.sizes)
    assert found.kept["Intercept"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-9)
    assert found.reliability["Intercept"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-9)
    assert found.given == "IQ and SES as in the mixed model"


def test_what_is_kept_is_what_the_conditional_variance_leaves(schools):
    """1 − var(b | y)/τ², from another part of the engine."""
    fit = ms.lmer("lang ~ IQ + (1 | class)", schools)
    found = shrinkage_of(fit)
    tau2 = found.covariance.loc["Intercept", "Intercept"]
    left = 1.0 - fit.ranef_sd["class"]["Intercept"] ** 2 / tau2
    assert found.kept["Intercept"].to_numpy() == pytest.approx(left.to_numpy(), rel=1e-8)


def test_two_effects_are_moved_by_the_matrix():
    """Σ (Σ + σ²(Z'Z)⁻¹)⁻¹ of each group's own distance, from its rows alone."""
    data = ms.datasets.load("sleepstudy", extended=True)
    found = shrinkage_of(ms.lmer("Reaction ~ Days + (Days | Subject)", data))
    covariance = found.covariance.to_numpy()
    for level in ("308", "335", "374"):
        rows = data[data.Subject == level]
        z = np.column_stack([np.ones(len(rows)), rows.Days])
        sampling = found.sigma**2 * np.linalg.inv(z.T @ z)
        own = np.linalg.lstsq(z, rows.Reaction.to_numpy(), rcond=None)[0]
        assert found.none.loc[level].to_numpy() == pytest.approx(own, rel=1e-9)
        assert found.sampling.loc[level].to_numpy() == pytest.approx(np.diag(sampling), rel=1e-9)
        moved = covariance @ np.linalg.solve(covariance + sampling, own - found.centre.to_numpy())
        assert (found.partial.loc[level] - found.centre).to_numpy() == pytest.approx(moved, rel=1e-7)
    assert list(found.incomplete) == ["373"]


def test_of_a_comparison_the_numbers_are_its_tables():
    pooled = ms.pooling("Reaction ~ Days", ms.datasets.load("sleepstudy", extended=True), group="Subject")
    found = shrinkage_of(pooled)
    pd.testing.assert_frame_equal(found.none, pooled.no_pooling)
    pd.testing.assert_frame_equal(found.partial, pooled.partial)
    alone = shrinkage_of(pooled.fit)
    pd.testing.assert_frame_equal(found.none, alone.none, check_exact=False, rtol=1e-9)


def test_a_predictor_of_the_groups_is_taken_from_the_mixed_model():
    clinic = ms.scenarios.therapist_price(therapists=30, patients=8).draw(seed=1).data
    pooled = ms.pooling("anxiety ~ depression + price", clinic, group="therapist", varying="1")
    found = shrinkage_of(pooled)
    assert found.given == "depression and price as in the mixed model"
    tau2 = found.covariance.loc["Intercept", "Intercept"]
    expected = tau2 / (tau2 + found.sigma**2 / found.sizes)
    assert found.kept["Intercept"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-7)


def test_of_nested_factors_each_is_moved_given_the_other():
    fit = ms.lmer("strength ~ 1 + (1 | batch/cask)", ms.datasets.load("Pastes"))
    found = shrinkage_of(fit, "cask:batch")
    tau2 = found.covariance.iloc[0, 0]
    assert found.kept["Intercept"].to_numpy() == pytest.approx(np.full(30, tau2 / (tau2 + fit.sigma**2 / 2)), rel=1e-9)
    assert found.given == "the effects of batch as in the mixed model"


def test_weights_count_as_rows():
    data = ms.datasets.load("Dyestuff").assign(w=lambda d: np.arange(len(d)) % 5 + 1.0)
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", data, weights="w")
    found = shrinkage_of(fit)
    tau2 = found.covariance.iloc[0, 0]
    weight = data.groupby("Batch", observed=True)["w"].sum()
    expected = tau2 / (tau2 + fit.sigma**2 / weight)
    assert found.kept["Intercept"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-9)


def test_no_variance_keeps_nothing():
    found = shrinkage_of(ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2")))
    assert np.abs(found.kept["Intercept"]).max() < 1e-12
    assert (found.reliability["Intercept"] == 0).all()


def test_a_predictor_far_from_zero_loses_no_digits():
    data = ms.datasets.load("sleepstudy")
    here = shrinkage_of(ms.lmer("Reaction ~ Days + (Days | Subject)", data))
    far = shrinkage_of(ms.lmer("Reaction ~ Days + (Days | Subject)", data.assign(Days=data.Days + 1e6)))
    assert far.none["Days"].to_numpy() == pytest.approx(here.none["Days"].to_numpy(), rel=1e-6)
    back = far.none["Intercept"] + 1e6 * far.none["Days"]
    assert back.to_numpy() == pytest.approx(here.none["Intercept"].to_numpy(), rel=1e-4)


def test_an_unknown_factor_is_named():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))
    with pytest.raises(ms.MixedsimError, match="no grouping factor 'batch': did you mean 'Batch'"):
        shrinkage_of(fit, "batch")
