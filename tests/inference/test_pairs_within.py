"""Pairs of rows from one cluster: which they are, and what correlation a model expects of them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mixedsim.inference.pairs_within import expected_correlation, pair_correlation, pairs_between, pairs_within

CODES = np.array([2, 0, 1, 2, 0, 2, 3])


def test_few_rows_give_every_pair_once():
    one, other = pairs_within(CODES, 100)
    found = {frozenset(pair) for pair in zip(one.tolist(), other.tolist(), strict=True)}
    assert found == {frozenset(p) for p in combinations(range(7), 2) if CODES[p[0]] == CODES[p[1]]}
    assert len(one) == len(found)


def test_many_rows_give_pairs_of_different_rows_from_one_cluster():
    codes = np.random.default_rng(1).integers(0, 50, 2_000)
    one, other = pairs_within(codes, 300)
    assert len(one) == 300
    assert (codes[one] == codes[other]).all()
    assert (one != other).all()
    again = pairs_within(codes, 300)
    assert (one == again[0]).all()


def test_every_row_with_a_partner_is_as_likely():
    """Two clusters, of 2 and of 98 rows: pairs in proportion to rows, not to pairs."""
    codes = np.repeat([0, 1, 2], [2, 98, 1])
    one, _ = pairs_within(codes, 4_000)
    assert (codes[one] == 0).mean() == pytest.approx(0.02, abs=4 * np.sqrt(0.02 * 0.98 / 4_000))
    assert not (codes[one] == 2).any()


def test_no_cluster_of_two_gives_no_pairs():
    one, other = pairs_within(np.arange(5), 10)
    assert len(one) == len(other) == 0


def test_pairs_between_come_from_two():
    one, other = pairs_between(CODES, 200)
    assert (CODES[one] != CODES[other]).all()


def test_the_order_in_a_pair_does_not_matter():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 50))
    swapped = rng.random(50) < 0.5
    a, b = np.where(swapped, y, x), np.where(swapped, x, y)
    assert pair_correlation(a, b) == pytest.approx(pair_correlation(x, y))
    assert pair_correlation(x, y) == pytest.approx(np.corrcoef([*x, *y], [*y, *x])[0, 1])


def test_one_random_intercept_expects_the_icc_of_every_pair():
    one, other = pairs_within(CODES, 100)
    z = np.ones((7, 1))
    assert expected_correlation(one, other, [(CODES, z, np.array([[3.0]]))], 1.0) == pytest.approx(0.75)


def test_slopes_and_other_factors_against_the_covariance_matrix():
    rng = np.random.default_rng(3)
    n = 30
    a, b = rng.integers(0, 4, n), rng.integers(0, 3, n)
    z = np.column_stack([np.ones(n), rng.normal(size=n)])
    sigma = np.array([[2.0, 0.5], [0.5, 1.0]])
    residual = rng.uniform(0.5, 2, n)
    v = np.where(a[:, None] == a, z @ sigma @ z.T, 0) + 0.7 * (b[:, None] == b) + np.diag(residual)
    one, other = pairs_within(a, 1_000)
    found = expected_correlation(one, other, [(a, z, sigma), (b, np.ones((n, 1)), np.array([[0.7]]))], residual)
    variances = np.diag(v)
    assert found == pytest.approx(v[one, other].mean() / variances[np.concatenate([one, other])].mean())
