"""Expected values along a predictor: estimates and intervals are those of the marginal means."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from numpy.testing import assert_allclose

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.style import LINES, TRUTH
from tests.models.glmms import cbpp_fit, clinic


@pytest.fixture(scope="module")
def sleep():
    return ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))


@pytest.fixture(scope="module")
def school():
    return ms.lmer("lang ~ IQ * SES + COMB + (1 | class)", ms.datasets.load("nlschools"))


@pytest.fixture(scope="module")
def cake():
    return ms.lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", ms.datasets.load("cake"))


def small_print(figure):
    return " ".join(text.get_text() for text in figure.axes[0].texts).replace("\n", " ")


def band(collection):
    """x, lower and upper of a filled band."""
    vertices = collection.get_paths()[0].vertices
    x = np.unique(vertices[:, 0])
    ends = np.array([[vertices[vertices[:, 0] == v, 1].min(), vertices[vertices[:, 0] == v, 1].max()] for v in x])
    return x, ends


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "wald"])
def test_the_band_is_that_of_the_marginal_means(sleep, ddf):
    (ax,) = plot.effects(sleep, "Days", ddf=ddf, level=0.9).axes
    (line,) = ax.lines
    means = sleep.emmeans("Days", ddf=ddf, level=0.9, at={"Days": line.get_xdata()})
    assert_allclose(line.get_ydata(), means["emmean"], rtol=1e-10)
    x, ends = band(ax.collections[0])
    assert_allclose(x, line.get_xdata(), rtol=1e-12)
    assert_allclose(ends, means[["lower", "upper"]], rtol=1e-10)
    assert line.get_color() == LINES["slopes"].colour


def test_the_band_counts_degrees_of_freedom(sleep):
    # with 18 people t on 17 df is 7.7 % wider than z
    t, z = (band(plot.effects(sleep, "Days", ddf=ddf).axes[0].collections[0])[1] for ddf in ("satterthwaite", "wald"))
    assert_allclose(np.ptp(t, axis=1)[[0, -1]] / np.ptp(z, axis=1)[[0, -1]], 2.109816 / 1.959964, rtol=1e-4)


def test_a_second_number_has_its_mean_and_one_sd_to_either_side(school):
    figure = plot.effects(school, "IQ", "SES")
    own = ms.datasets.load("nlschools")["SES"]
    values = [own.mean() - own.std(), own.mean(), own.mean() + own.std()]
    lines = figure.axes[0].lines
    for line, value in zip(lines, values, strict=True):
        means = school.emmeans("IQ", at={"IQ": line.get_xdata(), "SES": value})
        assert_allclose(line.get_ydata(), means["emmean"], rtol=1e-10)
    assert [line.get_label() for line in lines] == ["16.9 (mean − sd)", "27.8 (mean)", "38.7 (mean + sd)"]
    assert figure.legends[0].get_title().get_text() == "SES"


def test_other_predictors_are_said(school):
    figure = plot.effects(school, "IQ")
    said = "SES at 27.8; averaged over the levels of COMB"
    assert said in small_print(figure)
    assert figure.alt.endswith(f"{said}.")
    assert "SES at 50" in small_print(plot.effects(school, "IQ", at={"SES": 50}))


def test_values_can_be_chosen(school):
    lines = plot.effects(school, "IQ", "SES", at={"SES": [10, 50], "IQ": [8, 12]}).axes[0].lines
    assert [line.get_label() for line in lines] == ["10", "50"]
    assert lines[0].get_xdata().tolist() == [8, 12]


def test_categories_are_points_with_intervals(cake):
    figure = plot.effects(cake, "temperature", "recipe")
    (ax,) = figure.axes
    means = cake.emmeans("temperature", "recipe")
    bars = [one for one in ax.collections if isinstance(one, LineCollection)]
    marks = [line for line in ax.lines if line.get_marker() == "o"]
    for recipe, bar, mark in zip("ABC", bars, marks, strict=True):
        own = means.loc[recipe]
        assert_allclose(mark.get_ydata(), own["emmean"], rtol=1e-10)
        assert_allclose([segment[:, 1] for segment in bar.get_segments()], own[["lower", "upper"]], rtol=1e-10)
    assert len({mark.get_xdata()[0] for mark in marks}) == 3, "they do not hide each other"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["175", "185", "195", "205", "215", "225"]


def test_conditional_and_marginal_means_of_a_generalised_model():
    fit = cbpp_fit()
    both = fit.marginal_means("period")
    for kind, whom in (("conditional", "herd in the middle"), ("marginal", "population")):
        (ax,) = plot.effects(fit, "period", kind=kind).axes
        (mark,) = ax.lines
        assert_allclose(mark.get_ydata(), both[kind], rtol=1e-10)
        assert whom in ax.get_ylabel()
    (bar,) = ax.collections
    ends = [segment[:, 1] for segment in bar.get_segments()]
    assert_allclose(ends, both[["marginal_lower", "marginal_upper"]], rtol=1e-10)


def test_the_scale_of_the_link_is_straight():
    fit = ms.glmer("y ~ x + (1 | g)", clinic())
    (ax,) = plot.effects(fit, "x", scale="link").axes
    line = ax.lines[0]
    assert_allclose(line.get_ydata(), fit.fixef["Intercept"] + fit.fixef["x"] * line.get_xdata(), rtol=1e-10)
    assert ax.get_ylabel() == "logit of expected y"
    (ax,) = plot.effects(fit, "x").axes
    assert_allclose(ax.lines[0].get_ydata(), fit.predict({"x": line.get_xdata()}, random=False), rtol=1e-10)


def test_the_data_lie_behind(sleep, cake):
    (ax,) = plot.effects(sleep, "Days", points=True).axes
    data = ms.datasets.load("sleepstudy")
    points = next(one for one in ax.collections if isinstance(one, PathCollection))
    assert_allclose(np.asarray(points.get_offsets()), data[["Days", "Reaction"]])
    (ax,) = plot.effects(cake, "recipe", points=True, at={"recipe": ["A", "C"]}).axes
    points = next(one for one in ax.collections if isinstance(one, PathCollection))
    own = ms.datasets.load("cake").query("recipe != 'B'")
    assert_allclose(np.asarray(points.get_offsets())[:, 1], own["angle"])
    assert_allclose(np.round(np.asarray(points.get_offsets())[:, 0]), (own["recipe"] == "C").astype(float))


def test_the_truth_is_a_dashed_ghost(sleep):
    figure = plot.effects(sleep, "Days", truth={"Intercept": 250, "Days": 10})
    (ghost,) = [line for line in figure.axes[0].lines if line.get_label() == TRUTH.label]
    assert_allclose(ghost.get_ydata()[[0, -1]], [250, 340])
    assert "in truth from 250 to 340" in figure.alt


def test_alt_text_has_both_ends_with_intervals(sleep):
    means = sleep.emmeans("Days", at={"Days": [0, 9]})
    ends = [
        f"{row['emmean']:.3g} ({row['lower']:.3g} to {row['upper']:.3g}) at {day}"
        for day, (_, row) in zip((0, 9), means.iterrows(), strict=True)
    ]
    expected = f"Expected Reaction along Days, with 95 % intervals: from {ends[0]} to {ends[1]}."
    assert plot.effects(sleep, "Days").alt == expected


def test_a_singular_fit_draws():
    fit = ms.lmer("Yield ~ x + (1 | Batch)", ms.datasets.load("Dyestuff2").assign(x=np.arange(30.0)))
    assert fit.singular
    (ax,) = plot.effects(fit, "x").axes
    assert np.isfinite(ax.lines[0].get_ydata()).all()


def test_what_the_data_cannot_tell_is_said(cake):
    data = ms.datasets.load("sleepstudy").assign(twice=lambda d: 2 * d["Days"])
    fit = ms.lmer("Reaction ~ Days + twice + (1 | Subject)", data)
    with pytest.raises(ms.MixedsimError, match="the data do not determine the means along 'Days'"):
        plot.effects(fit, "Days")
    with pytest.raises(ms.MixedsimError, match="'twice' has no coefficient in this fit"):
        plot.effects(fit, "twice")
    holes = ms.datasets.load("cake").query("not (recipe == 'A' and temperature == '175')")
    figure = plot.effects(cake.update(data=holes), "recipe")
    assert "from undetermined at A to" in figure.alt


def test_dates_stand_on_an_axis_of_dates():
    data = ms.datasets.load("sleepstudy")
    data["day"] = pd.Timestamp("2020-02-28") + pd.to_timedelta(data["Days"], unit="D")
    fit = ms.lmer("Reaction ~ day + (1 | Subject)", data)
    for figure in (plot.effects(fit, "day"), plot.fit(fit)):
        figure.canvas.draw()
        assert "2020-02-28" in figure.alt
        assert "2020-03-08" in figure.alt
        assert any("Mar" in tick.get_text() for tick in figure.axes[0].get_xticklabels())


def test_it_draws_on_given_axes(school):
    figure, ax = plt.subplots()
    assert plot.effects(school, "IQ", "SES", ax=ax) is figure
    assert ax.get_legend() is not None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"x": "Iq"}, r"x must be a predictor of .*found 'Iq': did you mean 'IQ'\?"),
        ({"by": "ses"}, r"by must be a predictor of .*found 'ses': did you mean 'SES'\?"),
        ({"by": "IQ"}, "x and by are both 'IQ'"),
        ({"scale": "log"}, "scale must be 'response' or 'link', found 'log'"),
        ({"kind": "average"}, "kind must be 'conditional' or 'marginal', found 'average'"),
        ({"level": 95}, "level must lie between 0 and 1"),
        ({"at": {"ses": 1}}, "at names 'ses', which is no variable of the fixed part"),
        ({"by": "SES", "at": {"SES": list(range(9))}}, "by='SES' has 9 values, more curves than can be told apart"),
        ({"truth": {"IQ": 2}}, "truth has no value for 'Intercept'"),
    ],
)
def test_mistakes_are_named(school, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.effects(school, **{"x": "IQ", **options})
    assert not plt.get_fignums(), "no empty figure stays behind"


def test_marginal_means_have_neither_link_nor_truth():
    with pytest.raises(ms.MixedsimError, match="means of the population are on the scale of the response"):
        plot.effects(cbpp_fit(), "period", kind="marginal", scale="link")
    with pytest.raises(ms.MixedsimError, match="truth has no coefficients of marginal means"):
        plot.effects(cbpp_fit(), "period", kind="marginal", truth={"Intercept": 1})
    with pytest.raises(ms.MixedsimError, match="draws a fitted mixed model, found str"):
        plot.effects("fit", "x")
