"""Closed forms of size 1 and 2, and the general case, against LAPACK one matrix at a time."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.engine.small import inverse_and_logdet


@pytest.mark.parametrize("q", [1, 2, 3, 4])
def test_inverse_and_log_determinant(q):
    half = np.random.default_rng(q).normal(size=(50, q, q))
    m = half @ half.transpose(0, 2, 1) + np.eye(q)
    inverse, logdet = inverse_and_logdet(m)
    np.testing.assert_allclose(inverse, [np.linalg.inv(one) for one in m], rtol=1e-9, atol=1e-12)
    assert logdet == pytest.approx(sum(np.linalg.slogdet(one)[1] for one in m))
