"""Least squares in all groups at once: dependent columns, empty groups, shared columns."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.study.least_squares import fit_groups


@pytest.fixture
def rows():
    rng = np.random.default_rng(2)
    codes = np.repeat(np.arange(5), [6, 6, 6, 1, 6])
    n = len(codes)
    return codes, np.column_stack([np.ones(n), rng.normal(size=n)]), rng.normal(size=(n, 2)), rng.normal(size=n)


def test_a_group_of_one_row_is_undetermined_and_no_other(rows):
    codes, own, _, y = rows
    fits = fit_groups(own, np.empty((len(y), 0)), y, codes, 5)
    assert fits.undetermined.tolist() == [False, False, False, True, False]
    assert np.isnan(fits.own[3]).all()
    for group in (0, 1, 2, 4):
        expected = np.linalg.lstsq(own[codes == group], y[codes == group], rcond=None)[0]
        assert fits.own[group] == pytest.approx(expected, rel=1e-12)


def test_a_column_that_depends_on_another_in_every_group_is_absorbed(rows):
    codes, own, _, y = rows
    twice = np.column_stack([own, own[:, 1] * (codes + 1.0)])
    fits = fit_groups(twice, np.empty((len(y), 0)), y, codes, 5)
    assert fits.absorbed.tolist() == [False, False, True]
    expected = fit_groups(own, np.empty((len(y), 0)), y, codes, 5).own
    assert fits.own[:, :2] == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_shared_columns_are_those_of_one_large_regression(rows):
    codes, own, common, y = rows
    kept = codes != 3
    fits = fit_groups(own[kept], common[kept], y[kept], codes[kept], 5)
    dummies = (codes[kept, None] == np.array([0, 1, 2, 4])).astype(float)
    x = np.hstack([dummies, dummies * own[kept, 1:], common[kept]])
    expected = np.linalg.lstsq(x, y[kept], rcond=None)[0]
    assert fits.common == pytest.approx(expected[-2:], rel=1e-10)
    assert fits.own[[0, 1, 2, 4], 0] == pytest.approx(expected[:4], rel=1e-10)


def test_a_shared_column_that_depends_on_another_has_no_coefficient(rows):
    codes, own, common, y = rows
    fits = fit_groups(own, np.column_stack([common, common[:, 0] * 2]), y, codes, 5)
    assert np.isnan(fits.common).tolist() == [False, False, True]


def test_a_group_without_rows_is_undetermined(rows):
    codes, own, common, y = rows
    assert fit_groups(own, common, y, codes, 6).undetermined.tolist() == [False, False, False, True, False, True]


def test_nearly_dependent_columns_keep_their_digits():
    """Condition number 1e6: normal equations would leave four digits, this leaves ten."""
    rng = np.random.default_rng(3)
    codes = np.repeat(np.arange(3), 50)
    x = rng.normal(size=150)
    own = np.column_stack([np.ones(150), x, x + 1e-6 * rng.normal(size=150)])
    true = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    fits = fit_groups(own, np.empty((150, 0)), (own * true[codes]).sum(axis=1), codes, 3)
    assert fits.own == pytest.approx(true, rel=1e-8)
