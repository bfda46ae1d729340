"""The split of a variable, against sums written out and against known answers."""

import numpy as np
import pandas as pd
import pytest

from mixedsim.words.variance import combined, deviations, split, varying

NONE = -1


def by_hand(y, g):
    """One-way analysis of variance by loops."""
    groups = [y[g == k] for k in np.unique(g)]
    n = np.array([len(v) for v in groups])
    ssb = sum(len(v) * (v.mean() - y.mean()) ** 2 for v in groups)
    ssw = sum(((v - v.mean()) ** 2).sum() for v in groups)
    msb, msw = ssb / (len(groups) - 1), ssw / (len(y) - len(groups))
    size = (len(y) - (n**2).sum() / len(y)) / (len(groups) - 1)
    return msb, msw, size, ssb / (ssb + ssw)


def test_unequal_levels_follow_the_estimator_of_donner_and_koval():
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(7), [1, 2, 3, 8, 5, 4, 9])
    y = rng.normal(size=7)[g] + rng.normal(size=len(g))
    msb, msw, size, share = by_hand(y, g)
    found = split(y, g)
    assert found.icc == pytest.approx((msb - msw) / (msb + (size - 1) * msw), rel=1e-12)
    assert found.sd_within**2 == pytest.approx(msw, rel=1e-12)
    assert found.sd_between**2 == pytest.approx((msb - msw) / size, rel=1e-12)
    assert found.icc == pytest.approx(found.sd_between**2 / (found.sd_between**2 + found.sd_within**2), rel=1e-12)
    assert (found.size, found.share) == pytest.approx((size, share), rel=1e-12)


def test_levels_that_are_alike_give_a_negative_icc_and_no_sd():
    found = split(np.array([1.0, 3.0, 1.0, 3.0]), np.array([0, 0, 1, 1]))
    assert found.icc == -1.0  # MSB = 0 and n₀ = 2: −1/(n₀ − 1), the least there is
    assert np.isnan(found.sd_between)
    assert found.share == 0.0


def test_a_value_for_each_level_lies_between_levels_to_the_last_digit():
    g = np.repeat(np.arange(30), 7)
    found = split((np.arange(30) / 3 + 1e9)[g], g)
    assert (found.sd_within, found.icc, found.share) == (0.0, 1.0, 1.0)


def test_a_large_offset_loses_nothing():
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(10), 10)
    y = np.round(rng.normal(size=100), 6)
    assert split(y + 1e6, g).icc == pytest.approx(split(y, g).icc, abs=1e-8)


@pytest.mark.parametrize("g", [[0, 0, 0, 0], [0, 1, 2, 3]], ids=["one level", "one row a level"])
def test_what_cannot_be_said_is_nan(g):
    found = split(np.array([1.0, 2.0, 4.0, 8.0]), np.array(g))
    assert np.isnan([found.icc, found.sd_between]).all()


def test_a_constant_has_no_share():
    assert np.isnan(split(np.full(6, 0.1), np.repeat([0, 1], 3)).share)


def test_missing_values_and_groups_are_left_out():
    y = np.array([1.0, 2.0, np.nan, 4.0, 5.0, 99.0])
    g = np.array([0, 0, 0, 1, 1, NONE])
    assert split(y, g) == split(y[[0, 1, 3, 4]], g[[0, 1, 3, 4]])


def test_deviations_are_those_of_pandas():
    rng = np.random.default_rng(3)
    y, g = rng.normal(size=50), rng.integers(0, 6, 50)
    frame = pd.DataFrame({"y": y, "g": g})
    np.testing.assert_allclose(deviations(y, g), frame.y - frame.groupby("g").y.transform("mean"), atol=1e-14)


def test_varying_counts_levels_with_more_than_one_value():
    x = np.array([0, 0, 1, 2, 1, NONE, 1])
    g = np.array([0, 0, 1, 1, 2, 2, 3])
    assert varying(x, g) == (1, 2)


def test_combined_numbers_what_occurs_and_keeps_gaps():
    found = combined([np.array([0, 0, 1, NONE, 1]), np.array([0, 1, 0, 1, 0])])
    assert found.tolist() == [0, 1, 2, NONE, 2]
