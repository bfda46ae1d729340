"""The data before any model: points are rows, lines are least squares."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from numpy.testing import assert_allclose

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.points import MOST, chosen, shades, some_of
from mixedsim.plot.style import LINES


def parts(ax):
    (points,) = [one for one in ax.collections if isinstance(one, PathCollection)]
    lines = [one for one in ax.collections if isinstance(one, LineCollection)]
    return np.asarray(points.get_offsets()), lines


@pytest.fixture(scope="module")
def sleep():
    return ms.datasets.load("sleepstudy")


def test_points_are_the_rows_and_the_black_line_is_least_squares(sleep):
    (ax,) = plot.data(sleep, "Days", "Reaction", units={"Reaction": "ms"}).axes
    points, _ = parts(ax)
    assert_allclose(points, sleep[["Days", "Reaction"]])
    (line,) = ax.lines
    slope, intercept = np.polyfit(sleep["Days"], sleep["Reaction"], 1)
    assert_allclose(line.get_ydata(), intercept + slope * np.array([0, 9]), rtol=1e-10)
    assert line.get_color() == LINES["complete"].colour
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Days", "Reaction (ms)")


def test_groups_have_lines_of_their_own_over_their_own_rows(sleep):
    (ax,) = plot.data(sleep.iloc[:45], "Days", "Reaction", "Subject").axes
    _, (lines,) = parts(ax)
    drawn = {tuple(np.round(segment[:, 1], 6)) for segment in lines.get_segments()}
    expected = set()
    for _, rows in sleep.iloc[:45].groupby("Subject", observed=True):
        slope, intercept = np.polyfit(rows["Days"], rows["Reaction"], 1)
        ends = np.array([rows["Days"].min(), rows["Days"].max()])
        expected.add(tuple(np.round(intercept + slope * ends, 6)))
    assert drawn == expected
    assert len(expected) == 5


def test_a_group_without_a_line_is_named():
    extended = ms.datasets.load("sleepstudy", extended=True)
    said = plot.data(extended, "Days", "Reaction", "Subject").alt
    assert said.endswith("without a line of their own: 373.")


def test_missing_rows_are_counted_on_the_picture_and_in_the_alt_text(sleep):
    gaps = sleep.astype({"Days": float})
    gaps.loc[[0, 5], "Days"] = np.nan
    figure = plot.data(gaps, "Days", "Reaction")
    assert "178 rows" in figure.alt
    assert any("2 rows with missing values left out" in text.get_text() for text in figure.axes[0].texts)


def test_a_million_rows_are_sampled_and_say_so():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": rng.integers(0, 500, 10**6), "x": rng.normal(size=10**6)})
    data["y"] = data["x"] + rng.normal(size=10**6)
    figure = plot.data(data, "x", "y", "g")
    points, (lines,) = parts(figure.axes[0])
    assert len(points) == MOST
    assert len(lines.get_segments()) == 150
    assert figure.alt.endswith(
        "points: 5,000 of 1,000,000 rows, at random; lines: 150 of 500 levels, evenly spaced in the order of their "
        "slopes."
    )


def test_one_value_of_x_has_no_line():
    figure = plot.data({"x": [1.0, 1.0, 1.0], "y": [1.0, 2.0, 3.0]}, "x", "y")
    assert not figure.axes[0].lines
    assert figure.alt == "y against x in 3 rows; x has one value, so there is no line."


def test_dates_have_an_axis_of_dates_and_a_slope_per_day(sleep):
    dated = sleep.assign(day=pd.Timestamp("2020-02-28") + pd.to_timedelta(sleep["Days"], unit="D"))
    figure = plot.data(dated, "day", "Reaction")
    figure.canvas.draw()
    assert any("Mar" in tick.get_text() for tick in figure.axes[0].get_xticklabels())
    assert figure.alt.endswith("rises by 10.5 per day.")


def test_it_draws_on_given_axes(sleep):
    figure, ax = plt.subplots()
    assert plot.data(sleep, "Days", "Reaction", ax=ax) is figure


@pytest.mark.parametrize(
    ("x", "says"),
    [
        ("Day", r"the data have no column 'Day': did you mean 'Days'\?"),
        ("Subject", "column 'Subject' must hold numbers"),
    ],
)
def test_mistakes_are_named(sleep, x, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.data(sleep, x, "Reaction")
    assert not plt.get_fignums(), "no empty figure stays behind"


def test_samples_of_rows_and_groups():
    assert chosen(10).tolist() == list(range(10))
    assert len(np.unique(chosen(MOST + 1))) == MOST
    assert chosen(10**6).tolist() == chosen(10**6).tolist()
    assert some_of(np.array([3.0, 1.0, 2.0]), 5).tolist() == [1, 2, 0]
    assert some_of(np.arange(100.0), 3).tolist() == [0, 50, 99]
    assert len(set(shades(20))) == 20
