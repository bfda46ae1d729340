"""What rows are worth, where a formula says so, and against dense algebra where none does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mixedsim as ms

CLOSED_FORM = 1e-8  # relative: the formula and the matrices are the same numbers


def clusters(j: int, m: int, tau: float, seed: int = 0) -> pd.DataFrame:
    """Balanced clusters with a predictor of the cluster and one that sums to zero in every cluster."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(j), m)
    within = rng.normal(size=(j, m))
    within -= within.mean(axis=1, keepdims=True)
    between = rng.normal(size=j)
    frame = pd.DataFrame({"g": g, "within": within.ravel(), "between": (between - between.mean())[g]})
    frame["y"] = frame["within"] + frame["between"] + tau * rng.normal(size=j)[g] + rng.normal(size=j * m)
    return frame


@settings(max_examples=15, deadline=None)
@given(j=st.integers(4, 20), m=st.integers(2, 12), tau=st.floats(0.0, 3.0), seed=st.integers(0, 1000))
def test_balanced_clusters_have_kishs_design_effect(j, m, tau, seed):
    fit = ms.lmer("y ~ within + between + (1 | g)", clusters(j, m, tau, seed))
    rho = fit.icc()["adjusted"]
    n = j * m
    worth = fit.effective_n()["n_eff"]
    kish = n / (1 + (m - 1) * rho)
    assert worth["Intercept"] == pytest.approx(kish, rel=CLOSED_FORM)
    assert worth["between"] == pytest.approx(kish, rel=CLOSED_FORM)
    assert worth["within"] == pytest.approx(n / (1 - rho), rel=CLOSED_FORM)


def test_without_variation_between_groups_rows_are_worth_rows():
    data = clusters(6, 5, 0.0, seed=3)
    data["y"] -= data.groupby("g")["y"].transform("mean")
    fit = ms.lmer("y ~ within + (1 | g)", data, weights=np.linspace(0.5, 2, len(data)))
    assert fit.singular
    np.testing.assert_allclose(fit.effective_n()["n_eff"], len(data), rtol=1e-10)
    assert "grouping hardly matters" in fit.effective_n().attrs["sentences"][0]


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("sleepstudy", "Reaction ~ Days + (Days | Subject)"),
        ("Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
        ("Pastes", "strength ~ 1 + (1 | batch/cask)"),
    ],
)
def test_against_dense_algebra(name, formula):
    data = ms.datasets.load(name)
    weights = np.linspace(0.5, 2, len(data))
    fit = ms.lmer(formula, data, weights=weights)
    x = fit.design.x.matrix()
    v = np.diag(fit.sigma**2 / weights)
    for factor in fit.design.factors:
        z = np.column_stack([np.broadcast_to(c, len(data)) for t in factor.terms for c in t.columns.columns])
        same = factor.codes[:, None] == factor.codes[None, :]
        v += same * (z @ fit.covariances[factor.name].to_numpy() @ z.T)
    together = np.linalg.inv(x.T @ np.linalg.solve(v, x))
    alone = np.linalg.inv(x.T @ (x / np.diag(v)[:, None]))
    table = fit.effective_n()
    np.testing.assert_allclose(table["n_eff"], len(data) * np.diag(alone) / np.diag(together), rtol=1e-8)
    np.testing.assert_allclose(fit.design_effect() * table["n_eff"], table["rows"])


def test_units_do_not_matter():
    data = clusters(8, 6, 1.0).assign(other=lambda d: 1e6 * d["within"] + 1e3 * d["between"])
    plain = ms.lmer("y ~ within + between + (within | g)", data).effective_n()
    scaled = ms.lmer(
        "y ~ within + between + (within | g)", data.assign(within=1e6 * data["within"], y=1e-3 * data["y"])
    ).effective_n()
    np.testing.assert_allclose(scaled["n_eff"], plain["n_eff"], rtol=1e-5)


def test_the_sentences():
    fit = ms.lmer("y ~ within + between + (1 | g)", clusters(10, 6, 1.5, seed=2))
    table = fit.effective_n()
    worth = table["n_eff"].round().astype(int)
    assert table.attrs["sentence"] == (
        f"The 60 rows are worth {worth['Intercept']} independent ones for Intercept, {worth['within']} for within and "
        f"{worth['between']} for between."
    )
    first, second, _ = table.attrs["sentences"]
    assert first == (
        f"For Intercept the 60 rows are worth {worth['Intercept']} independent ones: rows of one group repeat each "
        "other, and more groups would help more than more rows."
    )
    assert second.endswith("it varies within groups, so that every group is its own control.")


def test_a_model_without_fixed_effects_has_nothing_to_tell():
    fit = ms.lmer("Reaction ~ 0 + (Days | Subject)", ms.datasets.load("sleepstudy"))
    table = fit.effective_n()
    assert len(table) == 0
    assert table.attrs["sentence"] == "There are no coefficients that the rows could tell about."


def test_n_eff_rows_drawn_independently_have_the_model_s_standard_error():
    """The definition itself: that many independent rows estimate the mean as precisely as the clusters do."""
    rng = np.random.default_rng(8)
    j, m, tau, draws = 12, 5, 1.0, 4000
    data = clusters(j, m, tau, seed=1)
    fit = ms.lmer("y ~ 1 + (1 | g)", data)
    tau2, sigma2 = fit.covariances["g"].iloc[0, 0], fit.sigma**2
    n_eff = fit.effective_n().loc["Intercept", "n_eff"]
    clustered = (rng.normal(size=(draws, j)) * np.sqrt(tau2 + sigma2 / m)).mean(axis=1)
    alone = np.sqrt((tau2 + sigma2) / n_eff)
    assert clustered.std() == pytest.approx(alone, rel=4 / np.sqrt(2 * draws))
