"""Kernel densities against the plain sum over all numbers, and at the ends of a scale."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.special import ndtr

from mixedsim.inference.kernel_density import kernel_density


def plain(values, at, low=-np.inf):
    """Silverman's normal kernel, summed; what lies below the end folded back."""
    quartiles = np.quantile(values, [0.25, 0.75])
    h = 0.9 * min(values.std(ddof=1), (quartiles[1] - quartiles[0]) / 1.34) * len(values) ** -0.2
    kernel = lambda d: np.exp(-0.5 * (d / h) ** 2) / (h * np.sqrt(2 * np.pi))  # noqa: E731
    density = kernel(at[:, None] - values).mean(axis=1)
    return density if np.isinf(low) else density + kernel(at[:, None] + values - 2 * low).mean(axis=1)


@pytest.mark.parametrize(("seed", "low"), [(1, -np.inf), (2, 0.0)])
def test_it_is_the_plain_sum(seed, low):
    rng = np.random.default_rng(seed)
    values = rng.normal(3, 2, 800) if np.isinf(low) else np.abs(rng.normal(0, 1, 800))
    x, height = kernel_density(values, low)
    assert height == pytest.approx(plain(values, x, low), abs=0.01 * height.max())


@pytest.mark.parametrize("ends", [(-np.inf, np.inf), (0.0, np.inf), (0.0, 1.0)])
def test_all_of_it_is_one(ends):
    values = np.random.default_rng(3).uniform(0, 1, 500)
    x, height = kernel_density(values, *ends)
    assert height.sum() * (x[1] - x[0]) == pytest.approx(1.0, abs=2e-4)
    assert x[0] > ends[0]
    assert x[-1] < ends[1]


def test_a_density_at_an_end_does_not_sink():
    """Half a normal distribution is highest at zero, where an unbounded kernel would halve it."""
    values = np.abs(np.random.default_rng(4).standard_normal(20_000))
    x, height = kernel_density(values, 0.0)
    assert height[0] == pytest.approx(2 / np.sqrt(2 * np.pi), rel=0.08)
    share = height[x < 1].sum() * (x[1] - x[0])
    assert share == pytest.approx(2 * ndtr(1.0) - 1, abs=0.02)


@pytest.mark.parametrize("values", [[], [2.0], [2.0, 2.0, 2.0]])
def test_what_does_not_vary_has_no_density(values):
    x, height = kernel_density(np.array(values))
    assert len(x) == len(height) == 0


def test_a_million_numbers_are_quick():
    values = np.random.default_rng(5).standard_normal(1_000_000)
    start = time.process_time()
    kernel_density(values)
    assert time.process_time() - start < 1.0
