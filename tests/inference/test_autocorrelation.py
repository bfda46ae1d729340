"""Pairs by lag against a double loop, gaps, ties, and the known correlation of an autoregression."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.inference.autocorrelation import autocorrelations, succession
from mixedsim.simulate.residuals import autoregressive


def looped(codes, time, lag, unit):
    return {
        (i, j)
        for i in range(len(codes))
        for j in range(len(codes))
        if codes[i] == codes[j] and round((time[j] - time[i]) / unit) == lag
    }


@pytest.mark.parametrize("unit", [1.0, 0.25, 7.0])
def test_pairs_are_those_of_a_double_loop(unit):
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 6, 90)
    time = unit * rng.integers(0, 25, 90)  # gaps and ties
    found = succession(codes, time, most=6)
    assert found.unit == unit
    assert found.lags.tolist() == [1, 2, 3, 4, 5, 6]
    for lag, (first, second) in zip(found.lags, found.pairs, strict=True):
        assert set(zip(first.tolist(), second.tolist(), strict=True)) == looped(codes, time, lag, unit)


def test_rows_in_any_order():
    rng = np.random.default_rng(2)
    codes, time = np.repeat(np.arange(5), 12), np.tile(np.arange(12.0), 5)
    values = rng.normal(size=(60, 1))
    order = rng.permutation(60)
    own = autocorrelations(values, succession(codes, time))
    other = autocorrelations(values[order], succession(codes[order], time[order]))
    assert other == pytest.approx(own, rel=1e-12)


def test_times_without_a_grid_are_counted():
    rng = np.random.default_rng(3)
    codes, time = np.repeat(np.arange(4), 10), rng.exponential(size=40).cumsum()
    found = succession(codes, time, most=2)
    assert found.unit is None
    assert [len(first) for first, _ in found.pairs] == [36, 32]
    first, second = found.pairs[0]
    assert (codes[first] == codes[second]).all()
    assert (second - first == 1).all()


def test_lags_with_few_pairs_are_left_out():
    assert succession(np.arange(10), np.zeros(10)).lags.tolist() == []
    codes, time = np.repeat(np.arange(30), 2), np.tile([0.0, 1.0], 30)
    assert succession(codes, time).lags.tolist() == [1]


def test_an_autoregression_has_its_correlations():
    """Long series, so that nothing is taken away by means; gaps at random change nothing."""
    rng = np.random.default_rng(4)
    codes, time = np.repeat(np.arange(40), 500), np.tile(np.arange(500.0), 40)
    values = autoregressive(rng.standard_normal(20_000), 0.6, codes)
    kept = rng.random(20_000) < 0.7
    found = succession(codes[kept], time[kept], most=4)
    r = autocorrelations(values[kept, None], found)[:, 0]
    # standard error of r_k in a series of n: at most √((1 + 2Σρ²)/n) (Bartlett 1946), n pairs some 9,600
    assert r == pytest.approx(0.6 ** np.arange(1, 5), abs=4 * np.sqrt(2.2 / 9_600))
