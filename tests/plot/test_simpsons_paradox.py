"""Pooled, within and between: the lines have the slopes that are written, and go through the means."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.style import LINES, RUNGS, TRUTH


@pytest.fixture(scope="module")
def sample():
    return ms.scenarios.simpson().draw(seed=1)


def slopes(lines):
    return [float(np.diff(s[:, 1])[0] / np.diff(s[:, 0])[0]) for s in lines.get_segments()]


def by_colour(ax):
    out = {to_hex(line.get_color()): line for line in ax.lines}
    return out | {to_hex(one.get_colors()[0]): one for one in ax.collections if isinstance(one, LineCollection)}


def test_every_line_has_its_slope(sample):
    (ax,) = plot.simpson(sample, "x", "y", "group", truth=0.95).axes
    lines = by_colour(ax)
    data = sample.data
    black = lines[LINES["complete"].colour]
    slope, intercept = np.polyfit(data["x"], data["y"], 1)
    assert_allclose(black.get_ydata(), intercept + slope * black.get_xdata(), rtol=1e-10)
    means = data.groupby("group", observed=True)[["x", "y"]].mean()
    orange = lines[RUNGS["group means"]]
    slope, intercept = np.polyfit(means["x"], means["y"], 1)
    assert_allclose(orange.get_ydata(), intercept + slope * orange.get_xdata(), rtol=1e-8)
    assert_allclose(slopes(lines[LINES["none"].colour]), [0.95] * 5, rtol=1e-8)  # exact moments
    assert_allclose(slopes(lines[TRUTH.colour]), [0.95] * 5, rtol=1e-10)
    diamonds = [one for one in ax.collections if isinstance(one, PathCollection)][1]
    assert_allclose(np.asarray(diamonds.get_offsets()), means, rtol=1e-10)


def test_lines_within_groups_span_their_rows_and_go_through_their_means(sample):
    (ax,) = plot.simpson(sample, "x", "y", "group").axes
    green = by_colour(ax)[LINES["none"].colour]
    groups = sample.data.groupby("group", observed=True)
    ranges = groups["x"].agg(["min", "max"]).to_numpy()
    means = groups[["x", "y"]].mean().to_numpy()
    segments = np.array(green.get_segments())
    order = np.argsort(means[:, 0])
    assert_allclose(segments[:, :, 0], ranges[order], rtol=1e-12)
    at_mean = segments[:, 0, 1] + 0.95 * (means[order, 0] - segments[:, 0, 0])
    assert_allclose(at_mean, means[order, 1], atol=1e-6)


def test_the_legend_and_the_alt_text_give_the_slopes(sample):
    figure = plot.simpson(sample, "x", "y", "group")
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "all rows, slope −0.354", "within groups, slope 0.95", "group means, slope −1"
    ]  # fmt: skip
    assert figure.alt == (
        "y against x in 500 rows of 5 groups; in all rows together it falls by 0.354 per unit; within levels of group "
        "it rises by 0.95; the line through the group means falls by 1; the first two have opposite signs (Simpson’s "
        "paradox)."
    )


def test_without_a_paradox_none_is_claimed():
    figure = plot.simpson(ms.datasets.load("nlschools"), "IQ", "lang", "class")
    assert "opposite" not in figure.alt
    assert "lines within groups: 60 of 133" in figure.alt


def test_a_predictor_of_the_group_has_no_slope_within():
    figure = plot.simpson(ms.datasets.load("nlschools"), "GS", "lang", "class")
    assert "within levels of class it cannot be told, for GS does not vary" in figure.alt
    assert LINES["none"].colour not in by_colour(figure.axes[0])


def test_it_draws_on_given_axes(sample):
    figure, ax = plt.subplots()
    assert plot.simpson(sample, "x", "y", "group", ax=ax) is figure
    assert ax.get_legend() is not None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"group": "Group"}, r"the data have no column 'Group': did you mean 'group'\?"),
        ({"truth": "0.95"}, "truth must be the slope within groups, one finite number"),
        ({"group": "one"}, "'one' has one level"),
    ],
)
def test_mistakes_are_named(sample, change, says):
    given = {"x": "x", "y": "y", "group": "group"} | change
    with pytest.raises(ms.MixedsimError, match=says):
        plot.simpson(sample.data.assign(one="a"), **given)
    assert not plt.get_fignums(), "no empty figure stays behind"
