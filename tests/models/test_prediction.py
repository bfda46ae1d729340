"""Predictions: which effects enter, new levels, offsets, missing values, and intervals that cover."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mixedsim as ms


@pytest.fixture(scope="module")
def sleepstudy():
    return ms.datasets.load("sleepstudy")


@pytest.fixture(scope="module")
def slopes(sleepstudy):
    return ms.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)


@pytest.fixture(scope="module")
def crossed():
    return ms.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", ms.datasets.load("Penicillin"))


# ---- which effects


def test_named_groups_enter_alone(crossed):
    data = ms.datasets.load("Penicillin")
    b = crossed.ranef
    fixed = crossed.fixef["Intercept"]
    plates = fixed + b["plate"]["Intercept"].reindex(data["plate"]).to_numpy()
    samples = b["sample"]["Intercept"].reindex(data["sample"]).to_numpy()
    for new in (None, data):
        np.testing.assert_allclose(crossed.predict(new, random="plate"), plates)
        np.testing.assert_allclose(crossed.predict(new, random=["plate", "sample"]), plates + samples)
        np.testing.assert_allclose(crossed.predict(new, random=[]), fixed)
    pd.testing.assert_series_equal(crossed.predict(random=["sample", "plate"]), crossed.predict())


def test_columns_of_groups_that_do_not_enter_are_not_needed(crossed):
    new = pd.DataFrame({"plate": ["a", "b"]})
    assert crossed.predict(new, random="plate").notna().all()


def test_an_unknown_group_is_refused(crossed):
    with pytest.raises(ms.MixedsimError) as caught:
        crossed.predict(random=["plates"])
    assert str(caught.value) == (
        "random names 'plates', which is no grouping factor of this model: did you mean 'plate'?"
    )


# ---- new levels and missing values


def test_new_levels_get_the_mean_of_the_population(slopes):
    new = pd.DataFrame({"Days": [3.0, 3.0], "Subject": ["new", "308"]})
    predicted = slopes.predict(new, allow_new_levels=True)
    assert predicted[0] == pytest.approx(slopes.fixef["Intercept"] + 3 * slopes.fixef["Days"])
    assert predicted[1] == pytest.approx(slopes.predict(new.iloc[1:])[1])


def test_a_new_level_inside_a_known_one_keeps_what_is_known():
    pastes = ms.datasets.load("Pastes")
    fit = ms.lmer("strength ~ 1 + (1 | batch/cask)", pastes)
    new = pd.DataFrame({"batch": ["A", "A", "Z"], "cask": ["a", "z", "a"]})
    predicted = fit.predict(new, allow_new_levels=True)
    fixed, batch, cask = fit.fixef["Intercept"], fit.ranef["batch"], fit.ranef["cask:batch"]
    expected = [fixed + batch.loc["A", "Intercept"] + cask.loc["a:A", "Intercept"],
                fixed + batch.loc["A", "Intercept"], fixed]  # fmt: skip
    np.testing.assert_allclose(predicted, expected)
    se = fit.predict(new, allow_new_levels=True, interval="confidence")["se"]
    assert se[0] < se[1] < se[2]


def test_an_unseen_level_is_refused(slopes):
    with pytest.raises(ms.DataError, match=r"^'Subject' has levels that the model was not fitted on: 'new'; "):
        slopes.predict({"Days": [3.0], "Subject": ["new"]})


def test_a_missing_value_gives_a_missing_row(slopes):
    new = pd.DataFrame({"Days": [3.0, np.nan, 3.0], "Subject": ["308", "308", None]}, index=["a", "b", "c"])
    for allow in (True, False):
        table = slopes.predict(new, allow_new_levels=allow, interval="prediction")
        assert table.index.tolist() == ["a", "b", "c"]
        assert table.isna().all(axis=1).tolist() == [False, True, True]
    assert slopes.predict(new, random=False).isna().tolist() == [False, True, False]


def test_a_missing_column_is_named(slopes):
    with pytest.raises(ms.DataError, match=r"needs the column 'Subject', .* Use random=False"):
        slopes.predict({"Days": [3.0]})


# ---- offsets and weights


def test_an_offset_column_is_taken_from_the_new_rows(sleepstudy):
    data = sleepstudy.assign(known=np.arange(180.0))
    fit = ms.lmer("Reaction ~ Days + (1 | Subject)", data, offset="known")
    pd.testing.assert_series_equal(fit.predict(data), fit.predict(), check_names=False)
    moved = fit.predict(data.assign(known=data["known"] + 7))
    np.testing.assert_allclose(moved - fit.predict(), 7)
    np.testing.assert_allclose(fit.predict(data, offset=data["known"] + 7), moved)
    with pytest.raises(ms.DataError, match=r"^offset names a column 'known', which the new data do not have: "):
        fit.predict(sleepstudy)


def test_an_offset_of_values_must_be_given_again(sleepstudy):
    fit = ms.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy, offset=np.arange(180.0))
    with pytest.raises(ms.DataError) as caught:
        fit.predict(sleepstudy.iloc[:3])
    assert str(caught.value) == (
        "the model was fitted with an offset, which new rows need too: pass offset=, a column of the new data or one "
        "number a row."
    )
    np.testing.assert_allclose(fit.predict(sleepstudy.iloc[:3], offset=[0, 1, 2]), fit.predict().iloc[:3])
    with pytest.raises(ms.DataError, match=r"^offset must have one value for each of the 3 new rows, found 2\.$"):
        fit.predict(sleepstudy.iloc[:3], offset=[0, 1])
    with pytest.raises(ms.DataError, match=r"^offset must be numbers, one a row of the new data"):
        fit.predict(sleepstudy.iloc[:3], offset=["a", "b", "c"])


def test_an_offset_nobody_fitted_is_refused(slopes, sleepstudy):
    with pytest.raises(ms.MixedsimError, match=r"^the model was fitted without an offset"):
        slopes.predict(sleepstudy, offset=1.0)
    with pytest.raises(ms.MixedsimError, match=r"^offset and weights belong to new rows"):
        slopes.predict(offset=1.0)


def test_a_prediction_interval_of_a_weighted_model_needs_weights(sleepstudy):
    weights = np.linspace(0.5, 2, 180)
    fit = ms.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy, weights=weights)
    mean, one = (fit.predict(interval=i)["se"] for i in ("confidence", "prediction"))
    np.testing.assert_allclose(one**2 - mean**2, fit.sigma**2 / weights)
    np.testing.assert_allclose(fit.predict(sleepstudy, interval="confidence")["se"], mean)
    np.testing.assert_allclose(fit.predict(sleepstudy, interval="prediction", weights=weights)["se"], one)
    with pytest.raises(ms.DataError, match=r"^the model was fitted with weights, .* pass weights="):
        fit.predict(sleepstudy, interval="prediction")
    with pytest.raises(ms.DataError, match=r"^weights of new rows must be positive"):
        fit.predict(sleepstudy, interval="prediction", weights=0.0)


# ---- intervals


def test_population_means_agree_with_the_coefficients(slopes):
    origin = slopes.predict({"Days": [0.0]}, random=False, interval="confidence", level=0.9).iloc[0]
    expected = slopes.coefficients(level=0.9).loc["Intercept", origin.index]
    np.testing.assert_allclose(origin.astype(float), expected.astype(float), rtol=1e-6)


def test_both_roads_to_the_fitted_rows(slopes, sleepstudy):
    for random in (True, False):
        for interval in ("confidence", "prediction"):
            here = slopes.predict(random=random, interval=interval)
            pd.testing.assert_frame_equal(slopes.predict(sleepstudy, random=random, interval=interval), here)


def test_what_is_not_known_widens_the_interval(slopes):
    new = pd.DataFrame({"Days": [3.0, 3.0], "Subject": ["308", "new"]})
    z = np.array([1.0, 3.0])
    between = z @ slopes.covariances["Subject"].to_numpy() @ z
    se = slopes.predict(new, allow_new_levels=True, interval="confidence")["se"]
    population = slopes.predict(new, random=False, interval="confidence")["se"]
    one = slopes.predict(new, random=False, interval="prediction")["se"]
    assert se[1] ** 2 == pytest.approx(population[1] ** 2 + between)
    assert one[0] ** 2 == pytest.approx(population[0] ** 2 + between + slopes.sigma**2)
    assert se[0] < se[1]


def test_units_and_origins_scale_the_interval(slopes, sleepstudy):
    other = ms.lmer(
        "Reaction ~ Days + (Days | Subject)",
        sleepstudy.assign(Reaction=1e-3 * sleepstudy["Reaction"], Days=24 * sleepstudy["Days"] + 1e6),
    )
    mine, theirs = slopes.predict(interval="prediction"), other.predict(interval="prediction")
    np.testing.assert_allclose(theirs["df"], mine["df"], rtol=1e-3)
    np.testing.assert_allclose(1e3 * theirs["se"], mine["se"], rtol=1e-5)


def test_a_singular_fit_has_intervals():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2"))
    table = fit.predict(interval="prediction")
    assert np.isfinite(table).all(axis=None)
    n = fit.nobs
    np.testing.assert_allclose(table["se"], fit.sigma * np.sqrt(1 + 1 / n), rtol=1e-6)


@pytest.mark.parametrize(("argument", "sentence"), [
    ({"interval": "both"}, "interval must be None, 'confidence' or 'prediction', found 'both'."),
    ({"interval": "confidence", "level": 95}, "level must lie between 0 and 1, found 95."),
])  # fmt: skip
def test_bad_arguments(slopes, argument, sentence):
    with pytest.raises(ms.MixedsimError) as caught:
        slopes.predict(**argument)
    assert str(caught.value) == sentence


def test_intervals_cover():
    """12 groups of 6, ICC 0.4: true group means, new groups' means and new observations lie inside 95 % of the time."""
    rng = np.random.default_rng(21)
    j, m, tau, replicates = 12, 6, 0.8, 250
    g = np.repeat(np.arange(j), m)
    data = pd.DataFrame({"g": g, "x": np.tile(np.linspace(-1, 1, m), j)})
    new = pd.DataFrame({"g": [0, 5, 99], "x": [0.5, -1.0, 0.0]})
    b = tau * rng.normal(size=(replicates, j))
    inside = {"confidence": np.zeros(3), "prediction": np.zeros(3)}
    fit = ms.lmer("y ~ x + (1 | g)", data.assign(y=rng.normal(size=j * m)))
    for k in range(replicates):
        fit = fit.refit(2.0 + data["x"].to_numpy() + b[k][g] + rng.normal(size=j * m))
        means = 2.0 + new["x"].to_numpy() + np.array([b[k, 0], b[k, 5], tau * rng.normal()])
        for interval, truth in (("confidence", means), ("prediction", means + rng.normal(size=3))):
            table = fit.predict(new, allow_new_levels=True, interval=interval)
            inside[interval] += (table["lower"] < truth) & (truth < table["upper"])
    error = np.sqrt(0.95 * 0.05 / replicates)
    np.testing.assert_allclose(inside["confidence"] / replicates, 0.95, atol=4 * error)
    np.testing.assert_allclose(inside["prediction"] / replicates, 0.95, atol=4 * error)


# ---- invariants


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_order_of_rows_and_names_of_groups_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    n = 60
    data = pd.DataFrame({"g": rng.integers(0, 8, n), "h": rng.integers(0, 5, n), "x": rng.normal(size=n)})
    data["y"] = data["x"] + rng.normal(size=8)[data["g"]] + rng.normal(size=5)[data["h"]] + rng.normal(size=n)
    order = rng.permutation(n)
    names = rng.permutation([f"group {k}" for k in range(8)])
    one = ms.lmer("y ~ x + (x | g) + (1 | h)", data)
    other = ms.lmer("y ~ x + (x | g) + (1 | h)", data.assign(g=names[data["g"]]).iloc[order])
    here, there = (f.predict(interval="prediction")[["estimate", "se"]] for f in (one, other))
    # both searches stop where the deviance is flat to 1e-10, which leaves the estimates this far apart
    np.testing.assert_allclose(there.loc[data.index], here, atol=2e-4 * float(data["y"].std()))
    np.testing.assert_allclose(other.icc(), one.icc(), atol=1e-4)
    np.testing.assert_allclose(other.effective_n()["n_eff"], one.effective_n()["n_eff"], rtol=1e-3)


def test_models_without_fixed_effects_predict(sleepstudy):
    fit = ms.lmer("Reaction ~ 0 + (Days | Subject)", sleepstudy)
    table = fit.predict(interval="confidence")
    z = np.column_stack([np.ones(180), sleepstudy["Days"]])
    expected = (fit.ranef["Subject"].loc[sleepstudy["Subject"]].to_numpy() * z).sum(axis=1)
    np.testing.assert_allclose(table["estimate"], expected)
    assert (table["se"] > 0).all()
    nothing = fit.predict(random=False, interval="confidence")  # the population's mean is zero by decree
    assert (nothing[["estimate", "se", "lower", "upper"]] == 0).all(axis=None)


def test_a_dropped_column_takes_no_part(slopes, sleepstudy):
    fit = ms.lmer("Reaction ~ Days + twice + (Days | Subject)", sleepstudy.assign(twice=2 * sleepstudy["Days"]))
    here, there = (f.predict(interval="prediction") for f in (slopes, fit))
    np.testing.assert_allclose(there[["estimate", "se"]], here[["estimate", "se"]], rtol=1e-6)


def test_what_the_data_do_not_tell_has_no_interval():
    """Two clinics, one treated: the clinics' variance is unknown, and so is that of a mean over clinics."""
    rng = np.random.default_rng(3)
    g = np.repeat([0, 1], 20)
    fit = ms.lmer("y ~ treated + (1 | g)", pd.DataFrame({"g": g, "treated": g, "y": g + rng.normal(size=40)}))
    table = fit.predict({"treated": [1.0]}, random=False, interval="confidence")
    assert table.loc[0, "df"] == 0
    assert table[["lower", "upper"]].isna().all(axis=None)
    assert fit.predict(interval="confidence")["df"].iloc[0] == pytest.approx(38, rel=1e-3)
