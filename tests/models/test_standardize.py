"""Standardised coefficients: what a refit by hand gives, what rescaling gives, and where they agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms


def scaled(values: pd.Series) -> pd.Series:
    return (values - values.mean()) / values.std()


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(12), 8)
    x = rng.normal(5, 2, 96) + rng.normal(size=12)[g]
    z = rng.normal(-1, 3, 12)[g]
    c = np.array(["a", "b", "c"])[np.arange(96) % 3]
    y = 10 + 2 * x - z + (c == "b") + rng.normal(0, 2, 12)[g] + rng.normal(0, 1.5, 96)
    return pd.DataFrame({"y": y, "x": x, "z": z, "c": c, "flag": x > 5, "g": g, "w": rng.uniform(0.5, 2, 96)})


@pytest.mark.parametrize(
    "formula",
    ["y ~ x + z + c + (1 | g)", "y ~ x * z + (x | g)", "y ~ x * c + flag + (0 + x | g)", "y ~ 0 + x + (1 | g)"],
)
def test_refit_is_a_refit(data, formula):
    fit = ms.lmer(formula, data)
    by_hand = ms.lmer(formula, data.assign(y=scaled(data["y"]), x=scaled(data["x"]), z=scaled(data["z"])))
    pd.testing.assert_frame_equal(fit.standardize(), by_hand.coefficients(), rtol=1e-6)


def test_only_the_rows_that_were_used_count(data):
    gappy = data.assign(x=data["x"].where(np.arange(96) % 7 > 0))
    fit = ms.lmer("y ~ x + z + (1 | g)", gappy)
    rest = gappy.dropna()
    by_hand = ms.lmer(
        "y ~ x + z + (1 | g)", rest.assign(y=scaled(rest["y"]), x=scaled(rest["x"]), z=scaled(rest["z"]))
    )
    pd.testing.assert_frame_equal(fit.standardize(), by_hand.coefficients(), rtol=1e-6)


def test_weights_and_offset_go_along(data):
    fit = ms.lmer("y ~ x + (1 | g)", data, weights="w", offset="z")
    by_hand = ms.lmer(
        "y ~ x + (1 | g)",
        data.assign(y=scaled(data["y"]), x=scaled(data["x"]), z=data["z"] / data["y"].std()),
        weights="w",
        offset="z",
    )
    pd.testing.assert_frame_equal(fit.standardize(), by_hand.coefficients(), rtol=1e-6)


def test_the_response_of_a_refit_counts(data):
    fit = ms.lmer("y ~ x + (1 | g)", data).refit(3 * data["x"] + data["y"])
    own = ms.lmer("y ~ x + (1 | g)", data.assign(y=3 * data["x"] + data["y"]))
    pd.testing.assert_frame_equal(fit.standardize(), own.standardize(), rtol=1e-6)


def test_posthoc_equals_the_refit_for_main_effects_and_the_highest_interaction(data):
    fit = ms.lmer("y ~ x * z + c + (1 | g)", data)
    refit, posthoc = fit.standardize(), fit.standardize("posthoc")
    for name in ("x:z", "c[T.b]", "c[T.c]"):
        np.testing.assert_allclose(posthoc.loc[name], refit.loc[name], rtol=1e-5)
    plain = ms.lmer("y ~ x + z + c + (1 | g)", data)
    names = ["x", "z", "c[T.b]"]
    np.testing.assert_allclose(plain.standardize("posthoc").loc[names], plain.standardize().loc[names], rtol=1e-5)
    assert np.isnan(posthoc.loc["Intercept", "estimate"])
    assert posthoc.loc["x", "t"] == pytest.approx(fit.coefficients().loc["x", "t"])


def test_posthoc_takes_calculations_by_their_column(data):
    fit = ms.lmer("y ~ log(x**2) + (1 | g)", data)
    (name,) = fit.fixef.index[1:]
    expected = fit.fixef[name] * np.log(data["x"] ** 2).std() / data["y"].std()
    assert fit.standardize("posthoc").loc[name, "estimate"] == pytest.approx(expected)


def test_pseudo_scales_by_level(data):
    fit = ms.lmer("y ~ x + z + (1 | g)", data)
    empty = ms.lmer("y ~ 1 + (1 | g)", data)
    tau = np.sqrt(empty.covariances["g"].iloc[0, 0])
    table = fit.standardize("pseudo")
    means = data.groupby("g")[["x", "z"]].mean()
    inside = (data["x"] - means["x"].reindex(data["g"]).to_numpy()).std()
    assert table.loc["x", "estimate"] == pytest.approx(fit.fixef["x"] * inside / empty.sigma)
    assert table.loc["z", "estimate"] == pytest.approx(fit.fixef["z"] * means["z"].std() / tau)


def test_pseudo_needs_one_factor(data):
    fit = ms.lmer("y ~ x + (1 | g) + (1 | c)", data)
    with pytest.raises(ms.MixedsimError) as caught:
        fit.standardize("pseudo")
    assert str(caught.value) == (
        "method='pseudo' needs one grouping factor, the model has 2: use 'refit' or 'posthoc'."
    )


def test_functions_of_negative_numbers_are_refused(data):
    fit = ms.lmer("y ~ log(w) + (1 | g)", data)
    with pytest.raises(ms.MixedsimError) as caught:
        fit.standardize()
    assert str(caught.value) == (
        "standardising cannot pass through log(): half of the standardised values are negative; add the transformed "
        "predictor as a column, or use method='posthoc'."
    )


def test_unknown_methods_are_refused(data):
    with pytest.raises(ms.MixedsimError, match=r"^method must be 'refit', 'posthoc' or 'pseudo', found 'basic'\.$"):
        ms.lmer("y ~ x + (1 | g)", data).standardize("basic")
