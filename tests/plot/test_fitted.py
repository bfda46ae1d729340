"""The fitted model over the data: every line is a prediction."""

from __future__ import annotations

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.style import LINES, TRUTH
from tests.models.glmms import cbpp_fit, clinic


@pytest.fixture(scope="module")
def sleep():
    return ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))


def lines_of(ax):
    (lines,) = [one for one in ax.collections if isinstance(one, LineCollection)]
    return lines


def bold(ax):
    return max(ax.lines, key=lambda line: line.get_linewidth())


def test_lines_of_groups_are_their_coefficients_in_the_order_of_their_slopes(sleep):
    (ax,) = plot.fit(sleep).axes
    coef = sleep.coef["Subject"].sort_values("Days")
    ends = np.array([segment[[0, -1], 1] for segment in lines_of(ax).get_segments()])
    expected = np.column_stack([coef["Intercept"], coef["Intercept"] + 9 * coef["Days"]])
    assert_allclose(ends, expected, rtol=1e-10)


def test_the_bold_line_is_the_population_in_the_colour_of_what_varies(sleep):
    line = bold(plot.fit(sleep).axes[0])
    assert_allclose(line.get_ydata(), sleep.predict({"Days": line.get_xdata()}, random=False), rtol=1e-10)
    assert line.get_color() == LINES["slopes"].colour
    assert line.get_label() == "population"
    other = ms.lmer("Reaction ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy"))
    assert bold(plot.fit(other).axes[0]).get_color() == LINES["intercepts"].colour


def test_points_have_the_colours_of_their_lines(sleep):
    (ax,) = plot.fit(sleep).axes
    points = next(one for one in ax.collections if isinstance(one, PathCollection))
    data = ms.datasets.load("sleepstudy")
    assert_allclose(np.asarray(points.get_offsets()), data[["Days", "Reaction"]])
    colours = [to_hex(colour) for colour in lines_of(ax).get_colors()]
    order = list(sleep.ranef["Subject"]["Days"].sort_values().index)
    faces = [to_hex(face) for face in points.get_facecolors()]
    assert faces == [colours[order.index(one)] for one in data["Subject"]]


def test_without_points(sleep):
    (ax,) = plot.fit(sleep, points=False).axes
    assert all(not len(one.get_offsets()) for one in ax.collections if isinstance(one, PathCollection))


def test_a_few_groups_are_named_in_the_colours_of_their_lines():
    fit = ms.lmer("y ~ x + (1 | group)", ms.scenarios.simpson().draw(seed=1).data)
    figure = plot.fit(fit)
    handles = dict(
        zip([t.get_text() for t in figure.legends[0].get_texts()], figure.legends[0].get_lines(), strict=True)
    )
    segments = lines_of(figure.axes[0])
    order = list(fit.ranef["group"]["Intercept"].sort_values().index)
    for level, colour in zip(order, segments.get_colors(), strict=True):
        assert to_hex(handles[str(level)].get_color()) == to_hex(colour)
    assert set(handles) == {"population", *map(str, order)}


def test_curves_of_a_generalised_model_are_means_on_the_scale_of_the_response():
    fit = ms.glmer("y ~ x + (1 | g)", clinic())
    (ax,) = plot.fit(fit).axes
    line = bold(ax)
    assert_allclose(line.get_ydata(), fit.predict({"x": line.get_xdata()}, random=False), rtol=1e-10)
    assert line.get_label() == "g in the middle"
    order = fit.ranef["g"]["Intercept"].sort_values().index
    for level, segment in zip(order, lines_of(ax).get_segments(), strict=True):
        new = pd.DataFrame({"x": segment[:, 0], "g": level})
        assert_allclose(segment[:, 1], fit.predict(new), rtol=1e-10)


def test_a_category_has_a_tick_a_level_and_shares_are_drawn():
    fit = cbpp_fit()
    (ax,) = plot.fit(fit).axes
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "2", "3", "4"]
    points = next(one for one in ax.collections if isinstance(one, PathCollection))
    data = ms.datasets.load("cbpp")
    assert_allclose(np.asarray(points.get_offsets())[:, 1], data["incidence"] / data["size"])
    assert_allclose(bold(ax).get_ydata(), fit.emmeans("period", scale="response")["emmean"], rtol=1e-10)


def test_a_line_runs_on_where_a_group_has_no_row():
    paths = lines_of(plot.fit(cbpp_fit()).axes[0]).get_segments()
    data = ms.datasets.load("cbpp")
    assert sorted(map(len, paths)) == sorted(data.groupby("herd", observed=True).size())
    assert np.isfinite(np.concatenate(paths)).all()


def test_crossed_groups_are_all_in_the_middle():
    data = clinic().assign(h=np.arange(120) % 7)
    fit = ms.glmer("y ~ x + (1 | g) + (1 | h)", data)
    assert bold(plot.fit(fit).axes[0]).get_label() == "g and h in the middle"
    assert "(g and h in the middle)" in plot.effects(fit, "x").axes[0].get_ylabel()


def test_other_predictors_are_held_and_the_picture_says_where():
    data = ms.datasets.load("nlschools")
    fit = ms.lmer("lang ~ IQ + SES + COMB + (1 | class)", data)
    figure = plot.fit(fit)
    said = f"COMB at 0 and SES at {data['SES'].mean():.3g} in the bold line"
    assert any(said in text.get_text().replace("\n", " ") for text in figure.axes[0].texts)
    assert figure.alt.endswith(f"{said}.")


def test_facets_hold_their_own_rows():
    data = ms.datasets.load("nlschools")
    fit = ms.lmer("lang ~ IQ + COMB + (IQ | class)", data)
    axes = plot.fit(fit, facet="COMB").axes
    assert [ax.get_title(loc="left") for ax in axes] == ["COMB 0", "COMB 1"]
    for ax, level in zip(axes, "01", strict=True):
        rows = data[data["COMB"] == level]
        points = next(one for one in ax.collections if isinstance(one, PathCollection))
        assert len(points.get_offsets()) == len(rows)
        assert len(lines_of(ax).get_segments()) == rows["class"].nunique()
        line = bold(ax)
        new = pd.DataFrame({"IQ": line.get_xdata(), "COMB": level})
        assert_allclose(line.get_ydata(), fit.predict(new, random=False), rtol=1e-10)


def test_the_truth_is_a_dashed_ghost(sleep):
    figure = plot.fit(sleep, truth={"Intercept": 250, "Days": 10})
    (ghost,) = [line for line in figure.axes[0].lines if line.get_label() == TRUTH.label]
    assert_allclose(ghost.get_ydata()[[0, -1]], [250, 340])
    assert ghost.get_color() == TRUTH.colour
    assert figure.alt.endswith("in truth from 250 to 340.")


def test_the_truth_of_a_sample():
    sample = ms.scenarios.therapist_plain(therapists=20).draw(seed=1)
    fit = ms.lmer("anxiety ~ depression + sex + (1 | therapist)", sample.data)
    figure = plot.fit(fit, truth=sample)
    (ghost,) = [line for line in figure.axes[0].lines if line.get_label() == TRUTH.label]
    assert np.diff(ghost.get_ydata()[[0, -1]]) / np.diff(ghost.get_xdata()[[0, -1]]) == pytest.approx(
        sample.truth.fixef["depression"]
    )


def test_a_singular_fit_without_predictors_is_flat_and_says_why():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2"))
    figure = plot.fit(fit, units={"Yield": "g"})
    (ax,) = figure.axes
    heights = {float(segment[0, 1]) for segment in lines_of(ax).get_segments()}
    assert heights == {float(fit.fixef["Intercept"])}
    assert ax.get_ylabel() == "Yield (g)"
    assert figure.alt.endswith("No Batch differs from the population: the estimated variance is zero.")


def test_groups_side_by_side_are_in_the_order_of_their_means():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))
    (ax,) = plot.fit(fit).axes
    coef = fit.coef["Batch"]["Intercept"].sort_values()
    assert [tick.get_text() for tick in ax.get_xticklabels()] == list(coef.index)
    assert_allclose([segment[0, 1] for segment in lines_of(ax).get_segments()], coef, rtol=1e-10)


def test_five_hundred_groups_are_no_soup_and_no_wait():
    sample = ms.scenarios.therapist_plain(therapists=500, patients=20).draw(seed=1)
    fit = ms.lmer("anxiety ~ depression + (depression | therapist)", sample.data)
    start = time.perf_counter()
    figure = plot.fit(fit)
    figure.canvas.draw()
    assert time.perf_counter() - start < 2
    assert len(lines_of(figure.axes[0]).get_segments()) == 150
    assert "points: 5,000 of 10,000 rows, at random; lines: 150 of 500 levels" in figure.alt.lower()


def test_a_group_with_one_value_of_x_is_a_dash():
    data = ms.datasets.load("sleepstudy", extended=True)
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", data)
    (ax,) = plot.fit(fit).axes
    dash = [one for one in ax.collections if isinstance(one, PathCollection)][-1]
    day = float(data.loc[data["Subject"] == "373", "Days"].iloc[0])
    expected = fit.predict({"Days": [day], "Subject": ["373"]}).iloc[0]
    assert_allclose(np.asarray(dash.get_offsets()), [[day, expected]], rtol=1e-10)


def test_it_draws_on_given_axes(sleep):
    figure, ax = plt.subplots()
    assert plot.fit(sleep, ax=ax) is figure
    assert ax.get_legend() is not None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"x": "Day"}, r"x must be a predictor of .*found 'Day': did you mean 'Days'\?"),
        ({"group": "subject"}, "no grouping factor 'subject'"),
        ({"facet": "Sex"}, "facet names 'Sex', which is no column of the data"),
        ({"facet": "Subject"}, "facet='Subject' has 18 values, more than 12 panels"),
        ({"truth": {"Days": 10}}, "truth has no value for 'Intercept'"),
        ({"truth": 10}, "truth must be a Sample, its truth, or numbers by coefficient, found int"),
        ({"truth": {"Days": 10, "Dose": 1}}, "truth names 'Dose', which is no coefficient"),
    ],
)
def test_mistakes_are_named(sleep, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.fit(sleep, **options)
    assert not plt.get_fignums(), "no empty figure stays behind"


def test_what_is_no_fit_is_refused(sleep):
    with pytest.raises(ms.MixedsimError, match=r"plot\.fit draws a fitted mixed model, found dict"):
        plot.fit({})
    _, ax = plt.subplots()
    with pytest.raises(ms.MixedsimError, match="ax has room for one panel"):
        plot.fit(sleep, facet="Days", ax=ax)
