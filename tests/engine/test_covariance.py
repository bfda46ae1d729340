"""θ, Λ and back."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.engine import FactorShape, Layout
from mixedsim.engine.covariance import lower_factor

LAYOUT = Layout([FactorShape(10, (2, 1)), FactorShape(5, (3,))])


def test_theta_runs_down_the_columns_of_every_term():
    lambdas = LAYOUT.lambdas(np.arange(1.0, 11.0))
    np.testing.assert_array_equal(lambdas[0], [[1, 0, 0], [2, 3, 0], [0, 0, 4]])
    np.testing.assert_array_equal(lambdas[1], [[5, 0, 0], [6, 8, 0], [7, 9, 10]])


def test_theta_and_lambda_are_inverses():
    theta = np.random.default_rng(0).normal(size=LAYOUT.size)
    np.testing.assert_array_equal(LAYOUT.theta(LAYOUT.lambdas(theta)), theta)


def test_directions_and_curvature_are_the_derivatives_of_the_covariance():
    rng = np.random.default_rng(1)
    theta = rng.normal(size=LAYOUT.size)
    s = rng.normal(size=(3, 3))
    s = s + s.T

    def covariance(at):
        lam = LAYOUT.lambdas(at)[1]
        return lam @ lam.T

    mine = LAYOUT.of_factor[1]
    steps = 1e-5 * np.eye(LAYOUT.size)[mine]
    first = np.array([(covariance(theta + e) - covariance(theta - e)) / 2e-5 for e in steps])
    np.testing.assert_allclose(LAYOUT.directions(1, LAYOUT.lambdas(theta)[1]), first, atol=1e-8)

    def slope(at):
        return np.tensordot(LAYOUT.directions(1, LAYOUT.lambdas(at)[1]), s, axes=([1, 2], [0, 1]))

    second = np.array([(slope(theta + e) - slope(theta - e)) / 2e-5 for e in steps])
    np.testing.assert_allclose(LAYOUT.curvature(1, s), second, atol=1e-8)


def test_canonical_turns_columns_and_keeps_the_covariance():
    theta = np.array([-1.0, 0.5, 2.0, -3.0, 1.0, 2.0, 3.0, -1.0, 4.0, -2.0])
    turned = LAYOUT.canonical(theta)
    assert (turned[LAYOUT.diagonal] >= 0).all()
    for a, b in zip(LAYOUT.lambdas(theta), LAYOUT.lambdas(turned), strict=True):
        np.testing.assert_allclose(a @ a.T, b @ b.T)


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_lower_factor_of_a_semidefinite_matrix(rank):
    half = np.random.default_rng(rank).normal(size=(3, rank))
    sigma = half @ half.T
    lam = lower_factor(sigma, (3,))
    np.testing.assert_allclose(lam @ lam.T, sigma, atol=1e-12)
    np.testing.assert_array_equal(np.triu(lam, 1), 0)
    assert (np.diag(lam) >= 0).all()


def test_lower_factor_keeps_terms_apart():
    sigma = np.diag([4.0, 9.0])
    np.testing.assert_allclose(lower_factor(sigma, (1, 1)), np.diag([2.0, 3.0]))
