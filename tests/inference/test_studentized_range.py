"""The studentised range against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mixedsim.inference.studentized_range import range_probability, range_quantile


@pytest.mark.parametrize("k", [2, 3, 8])
@pytest.mark.parametrize("df", [2.0, 7.5, 60.0])
def test_probability_equals_scipy(k, df):
    q = np.array([0.5, 2.0, 3.6, 8.0])
    ours = range_probability(q, k, np.full(4, df))
    np.testing.assert_allclose(ours, stats.studentized_range.sf(q, k, df), rtol=1e-5, atol=1e-6)


def test_two_means_are_a_t_test():
    t, df = np.array([0.3, 1.7, 4.0]), np.array([5.0, 12.0, np.inf])
    np.testing.assert_allclose(range_probability(np.sqrt(2) * t, 2, df), 2 * stats.t.sf(t, df), rtol=1e-7)


def test_quantile_is_the_inverse():
    df = np.array([3.0, 20.0, np.inf])
    q = range_quantile(0.95, 4, df)
    np.testing.assert_allclose(range_probability(q, 4, df), 0.05, rtol=1e-8)
    assert q[2] == pytest.approx(3.633, abs=5e-4)  # Hochberg & Tamhane (1987), table 8


def test_unknown_stays_unknown():
    assert np.isnan(range_probability(np.array([np.nan, 1.0]), 3, np.array([5.0, 0.0]))).all()
    assert np.isnan(range_quantile(0.95, 3, np.array([np.nan]))).all()
