"""Fitted lines are predictions: of groups at their own means, of the population at those of all rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import mixedsim as ms
from mixedsim.models.fitted_lines import fitted_lines, true_line
from mixedsim.models.true_means import true_means
from tests.models.glmms import cbpp_fit, clinic


def school():
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(12), rng.integers(3, 9, 12))
    n = len(g)
    data = pd.DataFrame({"g": g, "s": g // 3, "x": rng.normal(size=n), "z": rng.normal(size=n) + g})
    data["k"] = rng.choice(list("abc"), n)
    data["y"] = data["x"] * (1 + 0.3 * rng.normal(size=12)[g]) + data["z"] + rng.normal(size=12)[g] + rng.normal(size=n)
    return data


@pytest.fixture(scope="module")
def data():
    return school()


@pytest.fixture(scope="module")
def fit(data):
    return ms.lmer("y ~ x * k + z + (x | g)", data)


def typical(rows):
    return {"z": rows["z"].mean(), "k": rows["k"].value_counts().sort_index().idxmax()}


def test_a_groups_line_is_its_prediction_at_its_own_means(fit, data):
    lines = fitted_lines(fit, "x", "g", points=4)
    for j, level in enumerate(lines.levels):
        rows = data[data["g"] == level]
        x = np.linspace(rows["x"].min(), rows["x"].max(), 4)
        new = pd.DataFrame({"x": x, "g": level, **typical(rows)})
        assert_allclose(lines.group_x[j], x, rtol=1e-12)
        assert_allclose(lines.group_y[j], fit.predict(new), rtol=1e-10)


def test_the_populations_line_has_no_random_effects_and_the_means_of_all_rows(fit, data):
    lines = fitted_lines(fit, "x", "g", points=4)
    new = pd.DataFrame({"x": lines.x_all, **typical(data)})
    assert_allclose(lines.y_all, fit.predict(new, random=False), rtol=1e-10)
    assert lines.held == pytest.approx(typical(data))
    assert (lines.x_all[0], lines.x_all[-1]) == (data["x"].min(), data["x"].max())


def test_some_rows_alone(fit, data):
    some = (data["k"] == "a").to_numpy()
    lines = fitted_lines(fit, "x", "g", rows=some, points=2)
    rows = data[some]
    assert list(lines.levels) == sorted(rows["g"].unique())
    assert lines.held["k"] == "a"
    assert lines.held["z"] == pytest.approx(rows["z"].mean())


def test_effects_of_factors_around_the_group_are_in_its_line_those_of_crossed_ones_are_not(data):
    crossed = data.assign(c=np.arange(len(data)) % 4)
    fit = ms.lmer("y ~ x + (1 | g) + (1 | s) + (1 | c)", crossed)
    lines = fitted_lines(fit, "x", "g", points=2)
    new = pd.DataFrame({"x": lines.group_x[5], "g": 5, "s": 1, "c": 0})
    assert_allclose(lines.group_y[5], fit.predict(new, random=["g", "s"]), rtol=1e-10)
    outer = fitted_lines(fit, "x", "s", points=2)
    new = pd.DataFrame({"x": outer.group_x[1], "g": 5, "s": 1, "c": 0})
    assert_allclose(outer.group_y[1], fit.predict(new, random=["s"]), rtol=1e-10)


def test_a_generalised_model_gives_means_on_the_scale_of_the_response():
    fit = ms.glmer("y ~ x + (x | g)", clinic())
    lines = fitted_lines(fit, "x", "g", points=5)
    for j, level in enumerate(lines.levels):
        new = pd.DataFrame({"x": lines.group_x[j], "g": level})
        assert_allclose(lines.group_y[j], fit.predict(new), rtol=1e-10)
    assert_allclose(lines.y_all, fit.predict(pd.DataFrame({"x": lines.x_all}), random=False), rtol=1e-10)


def test_categories_have_a_point_each_and_none_where_a_group_has_no_row():
    fit = cbpp_fit()
    lines = fitted_lines(fit, "period", "herd")
    assert lines.categories == ("1", "2", "3", "4")
    known = fit.predict().to_numpy()
    codes = fit.design.factors[0].codes
    at = np.asarray(fit.design.variables["period"].codes)
    assert_allclose(lines.group_y[codes, at], known, rtol=1e-10)
    assert np.isnan(lines.group_y).sum() == lines.group_y.size - len(known)


def test_numbers_made_a_factor_are_categories(data):
    fit = ms.lmer("y ~ C(s) + (1 | g)", data)
    lines = fitted_lines(fit, "s", "g")
    assert lines.categories == (0, 1, 2, 3)
    assert (np.isfinite(lines.group_y).sum(axis=1) == 1).all()


def test_an_offset_is_at_its_mean():
    data = clinic().assign(o=np.linspace(0, 1, 120))
    fit = ms.glmer("n ~ x + (1 | g)", data, family="poisson", offset="o")
    lines = fitted_lines(fit, "x", "g", points=2)
    assert lines.offset == pytest.approx(0.5)
    new = pd.DataFrame({"x": lines.x_all, "o": 0.5})
    assert_allclose(lines.y_all, fit.predict(new, random=False), rtol=1e-10)
    rows = data[data["g"] == 3]
    new = pd.DataFrame({"x": lines.group_x[3], "g": 3, "o": rows["o"].mean()})
    assert_allclose(lines.group_y[3], fit.predict(new), rtol=1e-10)


def test_the_estimates_as_truth_give_the_fitted_line_and_means(fit):
    lines = fitted_lines(fit, "x", "g")
    assert_allclose(true_line(fit, lines, fit.fixef), lines.y_all, rtol=1e-10)
    at = {"x": [0.0, 1.0]}
    assert_allclose(true_means(fit, "x", "k", fit.fixef, at=at), fit.emmeans("x", "k", at=at)["emmean"], rtol=1e-10)
    binomial = cbpp_fit()
    means = binomial.emmeans("period", scale="response")["emmean"]
    assert_allclose(true_means(binomial, "period", None, binomial.fixef), means, rtol=1e-10)


def test_a_number_that_only_varies_is_a_predictor_too(data):
    fit = ms.lmer("y ~ 1 + (x | g)", data)
    lines = fitted_lines(fit, "x", "g", points=3)
    for j, level in enumerate(lines.levels):
        assert_allclose(lines.group_y[j], fit.predict({"x": lines.group_x[j], "g": [level] * 3}), rtol=1e-10)
    assert_allclose(lines.y_all, fit.fixef["Intercept"], rtol=1e-12)


def test_a_predictor_whose_column_was_dropped_has_no_line(data):
    fit = ms.lmer("y ~ x + twice + (1 | g)", data.assign(twice=2 * data["x"]))
    with pytest.raises(ms.MixedsimError, match="'twice' has no coefficient in this fit, because its column depends"):
        fitted_lines(fit, "twice", "g")


@pytest.mark.parametrize("of", [true_line, true_means])
def test_a_truth_that_lacks_a_coefficient_is_named(fit, of):
    known = fit.fixef.drop("x")
    with pytest.raises(ms.MixedsimError, match="truth has no value for 'x'"):
        true_line(fit, fitted_lines(fit, "x", "g"), known) if of is true_line else true_means(fit, "x", None, known)


def test_unknown_names_are_named(fit):
    with pytest.raises(ms.MixedsimError, match=r"x must be a predictor of .*, found 'X'"):
        fitted_lines(fit, "X", "g")
    with pytest.raises(ms.MixedsimError, match="the model has no grouping factor 'G': did you mean 'g'"):
        fitted_lines(fit, "x", "G")
