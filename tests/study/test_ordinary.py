"""Least squares against dense algebra."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from mixedsim.study.ordinary import independent, least_squares, undetermined


def example(n=40, p=3, seed=1):
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.normal(5, 2, (n, p - 1))])
    return ["Intercept", "x", "z"][:p], x, x @ np.arange(1.0, p + 1) + rng.normal(size=n)


def dense(x, y, spent=0):
    inverse = np.linalg.inv(x.T @ x)
    b = inverse @ x.T @ y
    df = len(y) - x.shape[1] - spent
    return b, inverse * ((y - x @ b) @ (y - x @ b)) / df, df


def test_estimates_and_covariance_are_those_of_the_normal_equations():
    names, x, y = example()
    fit, (b, covariance, df) = least_squares(names, x, y), dense(x, y)
    assert_allclose(fit.estimate, b, rtol=1e-10)
    assert_allclose(fit.covariance, covariance, rtol=1e-9)
    assert (fit.df, fit.rows) == (df, 40)


def test_p_and_interval_are_those_of_students_t():
    # R 4.2.2: d <- data.frame(x = 0:4, y = c(1, 3, 2, 5, 4)); summary(lm(y ~ x, d)); confint(lm(y ~ x, d))
    x = np.column_stack([np.ones(5), np.arange(5.0)])
    fit = least_squares(["Intercept", "x"], x, np.array([1.0, 3.0, 2.0, 5.0, 4.0]))
    expected = {"estimate": 0.8, "se": 0.346410161514, "df": 3, "t": 2.30940107676, "p": 0.104088038662}
    expected |= {"lower": -0.302431738622, "upper": 1.90243173862}
    assert fit.coefficients().loc["x"].to_dict() == pytest.approx(expected, rel=1e-10)


def test_a_predictor_far_from_zero_loses_no_digits():
    names, x, y = example(p=2)
    far = x.copy()
    far[:, 1] += 1e7
    near, other = least_squares(names, x, y), least_squares(names, far, y)
    assert_allclose(other.estimate[1], near.estimate[1], rtol=1e-7)
    assert_allclose(np.sqrt(other.covariance[1, 1]), np.sqrt(near.covariance[1, 1]), rtol=1e-7)


def test_taking_out_group_means_is_the_same_as_an_indicator_for_every_group():
    _, x, y = example(p=3)
    codes = np.arange(40) % 8
    indicators = (codes[:, None] == np.arange(8)).astype(float)
    b, covariance, df = dense(np.column_stack([x[:, 1:], indicators]), y)
    centred = [v - np.array([v[codes == c].mean() for c in range(8)])[codes] for v in (x[:, 1], x[:, 2], y)]
    fit = least_squares(["x", "z"], np.column_stack(centred[:2]), centred[2], spent=8)
    assert_allclose(fit.estimate, b[:2], rtol=1e-10)
    assert_allclose(fit.covariance, covariance[:2, :2], rtol=1e-9)
    assert fit.df == df


def test_what_depends_on_others_leaves_their_coefficients_open_too():
    _, x, y = example(p=3)
    double = np.column_stack([x, 2 * x[:, 1] + 1])
    fit = least_squares(["Intercept", "x", "z", "w"], double, y)
    assert np.isnan(fit.estimate).tolist() == [True, True, False, True]
    assert_allclose(fit.estimate[2], least_squares(["Intercept", "x", "z"], x, y).estimate[2], rtol=1e-9)
    assert fit.df == 37


def test_independent_and_undetermined_say_which():
    _, x, _ = example(p=3)
    columns = np.column_stack([x, x[:, 2]])
    assert independent(columns, columns) == [0, 1, 2]
    assert undetermined(columns, [0, 1, 2]) == [2, 3]
    assert undetermined(x, [0, 1, 2]) == []


def test_without_degrees_of_freedom_there_are_estimates_and_no_errors():
    names, x, y = example(n=3)
    table = least_squares(names, x, y).coefficients()
    assert table["estimate"].notna().all()
    assert table[["se", "df", "p", "lower", "upper"]].isna().all(axis=None)
