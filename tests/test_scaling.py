"""Standardised columns are the given ones times T, exactly; dependent ones are set aside."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.scaling import Standardiser, scale_fixed, scale_response, scale_varying

RNG = np.random.default_rng(4)
N = 500
X, Z, W = RNG.normal(3, 2, N), RNG.normal(-1, 0.5, N), RNG.exponential(size=N)


def stacked(columns):
    return np.column_stack([np.broadcast_to(c, N) for c in columns]) if columns else np.empty((N, 0))


def fixed(*columns, intercept=True):
    given = (1.0, *columns) if intercept else columns
    return given, scale_fixed(given, intercept, Standardiser(N))


DESIGNS = {
    "an intercept": (),
    "one predictor": (X,),
    "three predictors": (X, Z, W),
    "far from zero": (X + 1e8, Z),
    "in large units": (X * 1e9, Z),
    "in small units": (X * 1e-9, Z),
    "tiny": (X * 1e-90, Z * 1e90),
    "nearly dependent": (X, X + 1e-4 * Z, W),
    "two dummies": ((X > 3) * 1.0, (Z > 0) * 1.0),
    "a curve": (X, X**2, X**3),
}


@pytest.mark.parametrize("intercept", [True, False], ids=["with intercept", "without"])
@pytest.mark.parametrize("columns", DESIGNS.values(), ids=DESIGNS.keys())
def test_scaled_columns_are_the_given_ones_times_t(columns, intercept):
    given, scaling = fixed(*columns, intercept=intercept)
    assert scaling.dropped == ()
    assert scaling.kept == tuple(range(len(given)))
    size = np.abs(stacked(given)).max(axis=0, initial=0) @ np.abs(scaling.transform)
    got, expected = stacked(scaling.columns), stacked(given) @ scaling.transform
    assert (np.abs(got - expected) <= 1e-13 * (1 + size)).all()
    if intercept:
        np.testing.assert_allclose((got**2).mean(axis=0), 1, rtol=1e-9)
    assert scaling.log_det == pytest.approx(np.linalg.slogdet(scaling.transform)[1], rel=1e-9)


DEPENDENT = {
    "twice the same": ((X, X), (2,)),
    "a multiple, shifted": ((X, 5 - 3 * X), (2,)),
    "a sum": ((X, Z, X + Z), (3,)),
    "a constant": ((np.full(N, 7.0), X), (1,)),
    "an inexact constant": ((np.full(N, 0.1), X), (1,)),
    "all zero": ((X, np.zeros(N)), (2,)),
    "all dummies": ((1.0 * (X > 3), 1.0 * (X <= 3), Z), (2,)),
    "a multiple in other units": ((X * 1e9, X * 1e-9), (2,)),
    "a multiple far from zero": ((X + 1e6, 2 * X), (2,)),
    "the later of three": ((X, 2 * X, 3 * X), (2, 3)),
    "rounding alone": ((X, X * (1 + 1e-15)), (2,)),
}


@pytest.mark.parametrize(("columns", "dropped"), DEPENDENT.values(), ids=DEPENDENT.keys())
def test_the_later_of_dependent_columns_is_dropped(columns, dropped):
    given, scaling = fixed(*columns)
    assert scaling.dropped == dropped
    kept = stacked([given[j] for j in scaling.kept])
    assert np.linalg.matrix_rank(kept / np.abs(kept).max(axis=0)) == kept.shape[1]


def test_the_intercept_is_never_dropped():
    given = (np.full(N, 2.0), X, 1.0)
    assert scale_fixed(given, True, Standardiser(N)).dropped == (0,)
    given = (1.0 * (X > 3), 1.0 * (X <= 3), 1.0)
    assert 2 in scale_fixed(given, True, Standardiser(N)).kept


def test_without_intercept_a_constant_stays():
    _, scaling = fixed(np.full(N, 2.0), X, intercept=False)
    assert scaling.dropped == ()
    _, scaling = fixed(1.0 * (X > 3), 1.0 * (X <= 3), Z, intercept=False)
    assert scaling.dropped == ()


@pytest.mark.parametrize("distance", [1e-3, 1e-5, 3e-7])
def test_nearly_dependent_columns_are_kept(distance):
    # R's lm keeps a column that has more than 1e-7 of its length left beside the others
    other = (Z - Z.mean()) / Z.std()
    _, scaling = fixed(X, (X - X.mean()) / X.std() + distance * other)
    assert scaling.dropped == ()


def test_no_columns_are_no_columns():
    scaling = scale_fixed((), False, Standardiser(N))
    assert scaling.columns == ()
    assert scaling.log_det == 0


def test_fixed_and_varying_effects_share_their_arrays():
    standardise = Standardiser(N)
    scaling = scale_fixed((1.0, X), True, standardise)
    columns, _ = scale_varying((1.0, X), standardise)
    assert columns[1] is scaling.columns[1]


@pytest.mark.parametrize(
    "columns", [(1.0,), (1.0, X), (X,), (X, Z), (1.0, X, Z * 1e9), (X + 1e8, 1.0)], ids=lambda c: f"{len(c)} columns"
)
def test_varying_columns_are_the_given_ones_times_t(columns):
    scaled, transform = scale_varying(columns, Standardiser(N))
    expected = stacked(columns) @ transform
    np.testing.assert_allclose(stacked(scaled), expected, atol=1e-13 * np.abs(stacked(columns)).max() / X.std())


def test_a_slope_without_intercept_keeps_its_zero():
    (column,), transform = scale_varying((X,), Standardiser(N))
    np.testing.assert_allclose(column, X / np.sqrt((X**2).mean()), rtol=1e-14)
    assert transform.shape == (1, 1)


def test_a_column_that_does_not_vary_is_left_alone():
    zeros = np.zeros(N)
    scaled, transform = scale_varying((1.0, zeros), Standardiser(N))
    assert scaled[1] is zeros
    np.testing.assert_array_equal(transform, np.eye(2))


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("unit", [1e-90, 1e-9, 1.0, 1e9, 1e90])
def test_the_response_has_mean_square_one(unit, intercept):
    y, back = scale_response(X * unit, intercept)
    assert (y**2).mean() == pytest.approx(1)
    assert (back.centre == 0) != intercept
    np.testing.assert_allclose(y * back.scale + back.centre, X * unit, rtol=1e-12)
