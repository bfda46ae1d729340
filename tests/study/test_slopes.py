"""Three slopes of one predictor: against dense regressions, and against each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import mixedsim as ms
from mixedsim.study.slopes import pairs_of, slopes_of


def table(sizes, seed=1):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.normal(size=len(g)) + 0.8 * g
    return pd.DataFrame({"g": g, "x": x, "y": 2 * x - 3 * g + rng.normal(size=len(g))})


def test_the_three_are_regressions_of_rows_rows_with_dummies_and_means():
    data = table([4, 7, 3, 9])
    found = slopes_of(pairs_of(data, "x", "y", "g"))
    one = np.ones(len(data))
    pooled = np.linalg.lstsq(np.column_stack([one, data["x"]]), data["y"], rcond=None)[0]
    dummies = np.column_stack([data["x"], pd.get_dummies(data["g"])]).astype(float)
    within = np.linalg.lstsq(dummies, data["y"], rcond=None)[0][0]
    means = data.groupby("g")[["x", "y"]].mean().to_numpy()
    between = np.polyfit(*means.T, 1)[0]
    assert_allclose(found.pooled.estimate, pooled, rtol=1e-10)
    assert_allclose(found.within.estimate[0], within, rtol=1e-10)
    assert_allclose(found.between.estimate[1], between, rtol=1e-10)
    assert_allclose(found.means, means, rtol=1e-12)
    assert (found.within.df, found.between.df) == (len(data) - 5, 2)


def test_the_pooled_slope_is_an_average_of_the_others_in_groups_of_one_size():
    data = table([6] * 5)
    found = slopes_of(pairs_of(data, "x", "y", "g"))
    means = data.groupby("g")["x"].transform("mean")
    share = ((means - data["x"].mean()) ** 2).sum() / ((data["x"] - data["x"].mean()) ** 2).sum()
    expected = share * found.between.estimate[1] + (1 - share) * found.within.estimate[0]
    assert_allclose(found.pooled.estimate[1], expected, rtol=1e-10)


def test_lines_of_groups_are_their_own_regressions_also_far_from_zero():
    data = table([5, 8, 1, 6])
    lines = pairs_of(data.assign(x=data["x"] + 1e6), "x", "y", "g").lines()
    for k in (0, 1, 3):
        own = data[data["g"] == k]
        slope, intercept = np.polyfit(own["x"], own["y"], 1)
        assert_allclose(lines[k], [intercept - 1e6 * slope, slope], rtol=1e-8)
    assert np.isnan(lines[2]).all()


def test_rows_with_a_gap_are_left_out_and_counted():
    data = table([5, 5])
    data.loc[[1, 7], "x"] = np.nan
    pairs = pairs_of(data, "x", "y", "g")
    assert (len(pairs.x), pairs.left_out) == (8, 2)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"x": "X"}, r"the data have no column 'X': did you mean 'x'\?"),
        ({"x": "t"}, "column 't' must hold numbers"),
        ({"group": "one"}, "'one' has one level, 'a': nothing can differ between groups"),
        ({"x": "inf"}, "column 'inf' holds infinite values"),
        ({"x": "gaps"}, "0 rows have values in all of"),
    ],
)
def test_mistakes_are_named(change, says):
    data = table([5, 5]).assign(t="a", one="a", inf=np.inf, gaps=np.nan)
    given = {"x": "x", "y": "y", "group": "g"} | change
    with pytest.raises(ms.MixedsimError, match=says):
        slopes_of(pairs_of(data, **given))
