"""The statistics of a lesson against least squares with dummies, pandas and small numbers by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from mixedsim.simulate.lesson import statistics

RNG = np.random.default_rng(1)
GROUP = np.repeat(list("abcdefgh"), [3, 1, 5, 2, 7, 4, 6, 2])
X = RNG.normal(3, 2, 30)
Y = 1 + 2 * X + RNG.normal(0, 3, 30) + np.repeat(RNG.normal(0, 4, 8), [3, 1, 5, 2, 7, 4, 6, 2])
BY = statistics.clusters(pd.Series(GROUP))
GAPS = {"x": np.where(np.arange(30) % 7 == 0, np.nan, X), "y": np.where(np.arange(30) % 11 == 3, np.nan, Y)}
KNOWN = ~np.isnan(GAPS["x"]) & ~np.isnan(GAPS["y"])


def least_squares(columns: list[np.ndarray], y: np.ndarray) -> float:
    """The coefficient of the first column."""
    return float(np.linalg.lstsq(np.column_stack(columns), y, rcond=None)[0][0])


def dummies(group: np.ndarray) -> list[np.ndarray]:
    return [(group == one).astype(float) for one in np.unique(group)]


def test_slopes() -> None:
    means = pd.DataFrame({"g": GROUP, "x": X, "y": Y}).groupby("g").mean()
    assert statistics.slope(X, Y) == pytest.approx(least_squares([X, np.ones(30)], Y), rel=1e-12)
    assert statistics.within(X, Y, BY) == pytest.approx(least_squares([X, *dummies(GROUP)], Y), rel=1e-12)
    between = least_squares([means["x"].to_numpy(), np.ones(8)], means["y"].to_numpy())
    assert statistics.between(X, Y, BY) == pytest.approx(between, rel=1e-12)


def test_rows_that_are_not_known_are_left_out() -> None:
    x, y = GAPS["x"], GAPS["y"]
    known_x, known_y, group = X[KNOWN], Y[KNOWN], GROUP[KNOWN]
    assert statistics.slope(x, y) == pytest.approx(least_squares([known_x, np.ones(len(known_x))], known_y), rel=1e-12)
    assert statistics.within(x, y, BY) == pytest.approx(least_squares([known_x, *dummies(group)], known_y), rel=1e-12)
    frame = pd.DataFrame({"x": x, "y": y})
    assert statistics.cor(x, y) == pytest.approx(frame.corr().loc["x", "y"], rel=1e-12)
    assert statistics.mean(x) == pytest.approx(np.nanmean(x), rel=1e-12)
    assert statistics.sd(x) == pytest.approx(np.nanstd(x, ddof=1), rel=1e-12)
    assert statistics.missing(frame["x"]) == np.isnan(x).mean()
    nobody = pd.Series(GROUP).where(GROUP != "e")
    alone = statistics.within(X, Y, statistics.clusters(nobody))
    rest = GROUP != "e"
    assert alone == pytest.approx(least_squares([X[rest], *dummies(GROUP[rest])], Y[rest]), rel=1e-12)


def test_a_cluster_that_is_unknown_throughout_does_not_count() -> None:
    x = np.where(GROUP == "c", np.nan, X)
    rest = GROUP != "c"
    by = statistics.clusters(pd.Series(GROUP[rest]))
    assert statistics.between(x, Y, BY) == pytest.approx(statistics.between(X[rest], Y[rest], by), rel=1e-12)
    assert statistics.icc(np.where(rest, Y, np.nan), BY) == pytest.approx(statistics.icc(Y[rest], by), rel=1e-12)


def test_the_intraclass_correlation_by_hand() -> None:
    # Three clusters of two: means 2, 6, 10; MSB = 2·32/2 = 32, MSW = (2 + 2 + 2)/3 = 2, so (32 − 2)/(32 + 2).
    y = np.array([1.0, 3.0, 5.0, 7.0, 9.0, 11.0])
    assert statistics.icc(y, statistics.clusters(pd.Series(list("aabbcc")))) == pytest.approx(30 / 34, rel=1e-12)


def test_the_intraclass_correlation_of_unequal_clusters_is_about_right() -> None:
    rng = np.random.default_rng(2)
    sizes = rng.integers(1, 20, 4000)
    by = statistics.clusters(pd.Series(np.repeat(np.arange(4000), sizes)))
    y = np.repeat(rng.normal(0, 1, 4000), sizes) + rng.normal(0, 2, sizes.sum())
    assert statistics.icc(y, by) == pytest.approx(1 / 5, abs=4.5 * 0.2 * math.sqrt(2 / 4000) * 2)


def test_what_does_not_exist_is_nan() -> None:
    constant, one = np.full(30, 0.1), statistics.clusters(pd.Series(["a"] * 30))
    each = statistics.clusters(pd.Series(range(30)))
    empty = np.full(30, np.nan)
    by_group = np.repeat(RNG.normal(0, 1, 8), [3, 1, 5, 2, 7, 4, 6, 2])
    nothing = [
        statistics.slope(constant, Y),
        statistics.slope(empty, Y),
        statistics.within(by_group, Y, BY),
        statistics.within(by_group * 1e9, Y, BY),
        statistics.within(empty, Y, BY),
        statistics.between(X, Y, one),
        statistics.cor(X, constant),
        statistics.cor(constant, X),
        statistics.cor(empty, X),
        statistics.mean(empty),
        statistics.sd(np.array([1.0])),
        statistics.icc(Y, one),
        statistics.icc(Y, each),
        statistics.icc(constant, BY),
    ]
    assert all(math.isnan(value) for value in nothing), nothing


def test_a_large_mean_costs_no_digits() -> None:
    x, y = np.array([1.1, 2.3, 3.7, 5.2]), np.array([3.0, 5.0, 4.0, 8.0])
    assert statistics.slope(x, y + 2.0**45) == pytest.approx(statistics.slope(x, y), rel=1e-13)
