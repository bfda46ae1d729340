"""The envelope test: its level, and that band and p-value say the same."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.inference.envelopes import envelope


@pytest.mark.parametrize(("count", "level"), [(200, 0.01), (200, 0.05), (100, 0.02)])
def test_the_level_is_exact(count, level):
    """Over all choices of the observed curve, exactly the share `level` is rejected, whatever the points depend on."""
    rng = np.random.default_rng(1)
    curves = np.cumsum(rng.standard_t(3, size=(12, count)), axis=0)
    rejected = 0
    for k in range(count):
        order = np.r_[k, np.delete(np.arange(count), k)]
        rejected += envelope(curves[:, order], level).departs
    assert rejected == round(level * count)


def test_a_curve_departs_where_it_leaves_the_band():
    rng = np.random.default_rng(2)
    seen = set()
    for k in range(300):
        curves = rng.gamma(2.0, size=(6, 100))
        curves[2, 0] *= 1.0 + 0.02 * k
        found = envelope(curves, 0.05)
        outside = ((found.observed < found.low) | (found.observed > found.high)).any()
        assert outside == found.departs == (found.p <= 0.05)
        seen.add(found.departs)
    assert seen == {True, False}


def test_half_of_the_points_lie_between_pointwise_quantiles():
    curves = np.random.default_rng(3).standard_normal((1000, 400))
    found = envelope(curves)
    inside = (curves > found.lower[:, None]) & (curves < found.upper[:, None])
    assert inside.mean() == pytest.approx(0.95, abs=0.005)
    assert (found.low < found.lower).all()
    assert (found.high > found.upper).all()


def test_points_without_spread_say_nothing():
    curves = np.random.default_rng(4).standard_normal((3, 100))
    curves[1] = 5.0
    with_constant, without = envelope(curves), envelope(curves[[0, 2]])
    assert with_constant.p == without.p
    assert not envelope(np.zeros((2, 100))).departs


def test_parts_hold_together():
    curves = np.random.default_rng(5).standard_normal((10, 200))
    curves[7, 0] = 4.5
    whole = envelope(curves)
    first, second = whole.part(slice(0, 5)), whole.part(slice(5, 10))
    assert whole.worst == 7
    assert second.worst == 2
    assert second.p == whole.p
    assert first.p > whole.p
    assert second.departs
    assert not first.departs
    assert second.observed.tolist() == curves[5:, 0].tolist()


def test_other_units():
    curves = np.random.default_rng(6).standard_normal((4, 100))
    found, moved = envelope(curves), envelope(curves).mapped(lambda c: 3.0 + 2.0 * c)
    assert moved.high == pytest.approx(3.0 + 2.0 * found.high)
    assert moved.p == found.p
