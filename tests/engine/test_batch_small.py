"""Stacks of small matrices against NumPy, one matrix after the other."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.engine.batch_small import clear_inverse, inverse_and_logdet, pivots, product, turned
from mixedsim.engine.batch_solid import SolidInverse


def definite(size, count, seed=1):
    a = np.random.default_rng(seed).normal(size=(size, size + 2, count))
    return np.einsum("ikm,jkm->ijm", a, a)


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_inverse_determinant_and_pivots(size):
    m = definite(size, 7)
    inverse, logdet = inverse_and_logdet(m)
    for k in range(7):
        np.testing.assert_allclose(inverse[..., k] @ m[..., k], np.eye(size), atol=1e-9)
        assert logdet[k] == pytest.approx(np.linalg.slogdet(m[..., k])[1], rel=1e-12)
        np.testing.assert_allclose(pivots(m)[:, k], np.diag(np.linalg.cholesky(m[..., k])) ** 2, rtol=1e-9)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_matrix_that_is_not_positive_definite_spoils_no_other(size):
    m = definite(size, 3)
    m[..., 1] = -np.eye(size)
    inverse, logdet = inverse_and_logdet(m)
    assert np.isnan(logdet).tolist() == [False, True, False]
    assert np.isfinite(inverse[..., [0, 2]]).all()
    assert clear_inverse(m)[1].tolist() == [True, False, True]


def test_an_empty_matrix_has_determinant_one():
    inverse, logdet = inverse_and_logdet(np.empty((0, 0, 4)))
    assert inverse.shape == (0, 0, 4)
    assert logdet.tolist() == [0, 0, 0, 0]


def test_products_from_left_to_right():
    rng = np.random.default_rng(3)
    a, b, c = (rng.normal(size=(2, 2, 5)) for _ in range(3))
    found = product(a, turned(b), c)
    for k in range(5):
        np.testing.assert_allclose(found[..., k], a[..., k] @ b[..., k].T @ c[..., k])


def test_what_is_flat_is_left_out_and_told():
    flat = np.diag([4.0, 0.0, 1.0])
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    m = np.stack([definite(3, 1)[..., 0], turn @ flat @ turn.T], axis=-1)
    found = SolidInverse.of(m, lambda values: values > 1e-8)
    np.testing.assert_allclose(found.inverse[..., 0], np.linalg.inv(m[..., 0]))
    np.testing.assert_allclose(found.inverse[..., 1], np.linalg.pinv(m[..., 1], rcond=1e-8), atol=1e-12)
    assert found.doubtful.tolist() == [1]
    along = np.stack([np.tile(turn[:, 1:2], 2), np.tile(turn[:, 0:1], 2)])  # one flat, one solid
    assert found.unknown(along, np.ones((3, 2)), 1e-4).tolist() == [[False, True], [False, False]]
