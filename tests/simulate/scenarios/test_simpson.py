"""Simpson's paradox: the printed fit to all its digits, whatever the seed."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.errors import PopulationError


@pytest.mark.parametrize("seed", [1, 2, 2026])
def test_every_seed_gives_the_printed_fit(seed: int) -> None:
    fit = ms.lmer("y ~ x + (1 | group)", ms.scenarios.simpson().draw(seed).data)
    table = fit.coefficients()
    np.testing.assert_allclose(table["estimate"], [-5.84879, 0.94960], rtol=0, atol=5e-6)
    np.testing.assert_allclose(table["se"], [1.37925, 0.01405], rtol=0, atol=5e-6)
    np.testing.assert_allclose([fit.varcorr["variance"][0], fit.sigma**2], [9.5018, 0.0977], rtol=0, atol=5e-5)
    modes = [3.898789, 1.949395, 0, -1.949395, -3.898789]
    np.testing.assert_allclose(fit.ranef["group"]["Intercept"], modes, rtol=0, atol=5e-7)


@pytest.mark.parametrize(
    ("r", "groups", "difference", "size"), [(0.95, 5, 1, 100), (0.3, 3, 2.5, 7), (0.8, 12, 0.4, 3)]
)
def test_moments_within_groups_are_exact(r: float, groups: int, difference: float, size: int) -> None:
    data = ms.scenarios.simpson(r, groups, difference, size=size).draw(3).data
    for place, (_, some) in enumerate(data.groupby("group", observed=True), start=1):
        np.testing.assert_allclose(some[["x", "y"]].mean(), [place * difference, -place * difference], atol=1e-10)
        np.testing.assert_allclose(some[["x", "y"]].cov(), [[1, r], [r, 1]], atol=1e-10)
    v, f = (groups**2 - 1) / 12, (size - 1) / size
    expected = (r * f - difference**2 * v) / (f + difference**2 * v)
    assert abs(np.polyfit(data["x"], data["y"], deg=1)[0] - expected) < 1e-10
    assert expected < 0


def test_only_the_points_differ() -> None:
    one, other = (ms.scenarios.simpson().draw(seed).data for seed in (1, 2))
    assert not np.isclose(one["x"], other["x"]).any()
    pd.testing.assert_frame_equal(one[["x", "y"]].cov(), other[["x", "y"]].cov(), rtol=1e-10)


def test_the_truth_is_the_slope_within() -> None:
    population = ms.scenarios.simpson(r=0.6)
    truth = population.draw(1, lesson=True).truth
    assert (truth.fixef["x"], truth.sigma, truth.skipped) == (0.6, pytest.approx(0.8), 0)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"r": 1}, "r is the correlation within groups, between 0 and 1 without either, found 1."),
        (
            {"difference": 0.5},
            "the slope over all groups turns negative only from a difference above 0.686 on, found 0.5.",
        ),
        (
            {"groups": 1},
            "the slope over all groups turns negative only from two groups and three members each on, found 1.0.",
        ),
    ],
)
def test_what_would_be_no_paradox_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PopulationError, match=f"^{re.escape(sentence)}$"):
        ms.scenarios.simpson(**given)
