"""Closed forms of size 1 and 2, and the general case, against LAPACK one matrix at a time."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.engine.small import inverse_and_logdet, sandwich, times


@pytest.mark.parametrize("q", [1, 2, 3, 4])
def test_inverse_and_log_determinant(q):
    half = np.random.default_rng(q).normal(size=(50, q, q))
    m = half @ half.transpose(0, 2, 1) + np.eye(q)
    inverse, logdet = inverse_and_logdet(m)
    np.testing.assert_allclose(inverse, [np.linalg.inv(one) for one in m], rtol=1e-9, atol=1e-12)
    assert logdet == pytest.approx(sum(np.linalg.slogdet(one)[1] for one in m))


@pytest.mark.parametrize("levels", [1, 7, 500])
@pytest.mark.parametrize(("q", "s"), [(1, 1), (2, 2), (3, 2)])
def test_a_matrix_on_both_sides_and_on_one(levels, q, s):
    rng = np.random.default_rng(q)
    m, a = rng.normal(size=(levels, q, q)), rng.normal(size=(q, s))
    np.testing.assert_allclose(sandwich(m, a), [a.T @ one @ a for one in m], atol=1e-12)
    tall = rng.normal(size=(levels, 4, q))
    np.testing.assert_allclose(times(tall, a), [one @ a for one in tall], atol=1e-12)
