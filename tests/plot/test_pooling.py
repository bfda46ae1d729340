"""The pooling panels: points are the data, lines are the coefficients, panels are sorted, sampled and marked."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.style import LINES, PAPER, with_unit

ALL = ("complete", "none", "intercepts", "slopes")


@pytest.fixture(scope="module")
def sleep():
    return ms.pooling("Reaction ~ Days", ms.datasets.load("sleepstudy", extended=True), group="Subject")


@pytest.fixture(scope="module")
def clinic():
    return ms.scenarios.therapist_intervention(therapists=60, patients=(3, 12)).draw(seed=1)


@pytest.fixture(scope="module")
def pooled_clinic(clinic):
    return ms.pooling("anxiety ~ depression + sex", clinic.data, group="therapist", varying="1 + depression")


def line_of(ax, name):
    (found,) = [line for line in ax.lines if line.get_label() == LINES[name].label]
    return found


def level_of(ax):
    return ax.get_title(loc="left").split(" · ")[0]


def tables(pooling):
    return dict(zip(ALL, (pooling.complete, pooling.no_pooling, pooling.intercepts, pooling.partial), strict=True))


def test_there_is_one_panel_a_group(sleep):
    assert len(plot.pooling(sleep).axes) == 20


@pytest.mark.parametrize("name", ALL)
def test_lines_are_the_coefficients(sleep, name):
    for ax in plot.pooling(sleep).axes:
        b = tables(sleep)[name].loc[level_of(ax)]
        if b.isna().any():
            continue
        line = line_of(ax, name)
        assert line.get_ydata() == pytest.approx(b["Intercept"] + b["Days"] * line.get_xdata(), rel=1e-12)
        assert to_hex(line.get_color()) == LINES[name].colour


def test_points_are_the_data(sleep):
    data = ms.datasets.load("sleepstudy", extended=True)
    for ax in plot.pooling(sleep).axes:
        rows = data[data.Subject == level_of(ax)]
        assert np.asarray(ax.collections[0].get_offsets()) == pytest.approx(rows[["Days", "Reaction"]].to_numpy())


def test_panels_are_sorted_by_the_slope(sleep):
    slopes = [sleep.partial.loc[level_of(ax), "Days"] for ax in plot.pooling(sleep).axes]
    assert slopes == sorted(slopes)


def test_panels_can_be_sorted_by_another_coefficient(sleep):
    intercepts = [sleep.partial.loc[level_of(ax), "Intercept"] for ax in plot.pooling(sleep, sort="Intercept").axes]
    assert intercepts == sorted(intercepts)


def test_groups_are_drawn_in_the_order_given(sleep):
    assert [level_of(ax) for ax in plot.pooling(sleep, groups=["373", "308"]).axes] == ["373", "308"]


def test_only_the_lines_asked_for_are_drawn(sleep):
    ax = plot.pooling(sleep, lines=["none"], groups=["308"]).axes[0]
    assert [line.get_label() for line in ax.lines] == ["no pooling"]


def test_a_group_without_a_line_of_its_own_is_marked(sleep):
    panels = {level_of(ax): ax for ax in plot.pooling(sleep).axes}
    labels = [line.get_label() for line in panels["373"].lines]
    assert "no pooling" not in labels
    assert len(labels) == 3
    assert [text.get_text() for text in panels["373"].texts] == ["no line of\nits own"]
    assert to_hex(panels["373"].get_facecolor()) != PAPER == to_hex(panels["308"].get_facecolor())


def test_groups_of_an_unusual_size_say_so(sleep):
    titles = {level_of(ax): ax.get_title(loc="left") for ax in plot.pooling(sleep).axes}
    assert (titles["308"], titles["374"], titles["373"]) == ("308", "374 · 2 rows", "373 · 1 row")


def test_many_groups_are_sampled_evenly_and_the_figure_says_so(pooled_clinic):
    figure = plot.pooling(pooled_clinic, most=12)
    order = list(pooled_clinic.partial["depression"].sort_values().index)
    places = [order.index(level_of(ax)) for ax in figure.axes]
    assert len(places) == 12
    assert places[0] == 0
    assert places[-1] == 59
    assert set(np.diff(places)) <= {5, 6}
    assert "12 of 60 levels" in figure.get_supxlabel()
    assert "12 of 60 levels" in figure.alt


def test_other_predictors_are_held_at_the_groups_mean_and_the_figure_says_so(pooled_clinic, clinic):
    figure = plot.pooling(pooled_clinic, groups=["7"])
    (ax,) = figure.axes
    b = pooled_clinic.partial.loc["7"]
    sex = clinic.data.loc[clinic.data.therapist == "7", "sex"].mean()
    line = line_of(ax, "slopes")
    expected = b["Intercept"] + b["sex"] * sex + b["depression"] * line.get_xdata()
    assert line.get_ydata() == pytest.approx(expected, rel=1e-12)
    assert "mean of sex" in figure.get_supxlabel()


def test_the_truth_is_a_dashed_ghost_of_the_populations_own_formula(pooled_clinic, clinic):
    truth, rows = clinic.truth, clinic.data[clinic.data.therapist == "7"]
    for given in (clinic, truth):
        (ax,) = plot.pooling(pooled_clinic, groups=["7"], truth=given).axes
        (ghost,) = [line for line in ax.lines if line.get_label() == "truth"]
        assert ghost.get_linestyle() == "--"
        b, u = truth.fixef, truth.ranef["therapist"].loc["7"]
        step = rows["intervention"].iloc[0]
        intercept = b["Intercept"] + b["intervention"] * step + b["sex"] * rows["sex"].mean() + u["Intercept"]
        slope = b["depression"] + b["depression:intervention"] * step + u["depression"]
        assert ghost.get_ydata() == pytest.approx(intercept + slope * ghost.get_xdata(), rel=1e-12)


def test_the_truth_knows_hidden_variables():
    population = ms.Population(
        "y ~ x + z + (1 | g)",
        clusters={"g": 6},
        size=8,
        variables={"z": ms.Normal(0, 1, level="g", observed=False), "x": ms.Normal(0, 1)},
        fixef={"Intercept": 1, "x": 2, "z": 5},
        ranef={"g": {"sd": [1]}},
        sigma=1,
    )
    sample = population.draw(seed=1)
    pooled = ms.pooling("y ~ x", sample.data, group="g", varying="1")
    (ax,) = plot.pooling(pooled, groups=["3"], truth=sample).axes
    (ghost,) = [line for line in ax.lines if line.get_label() == "truth"]
    z = sample.truth.hidden.loc[sample.data.g == "3", "z"].iloc[0]
    intercept = 1 + 5 * z + sample.truth.ranef["g"].loc["3", "Intercept"]
    assert ghost.get_ydata() == pytest.approx(intercept + 2 * ghost.get_xdata(), rel=1e-10)


def test_the_truth_may_be_a_table_of_coefficients(sleep):
    (ax,) = plot.pooling(sleep, groups=["308"], truth=sleep.no_pooling).axes
    (ghost,) = [line for line in ax.lines if line.get_label() == "truth"]
    assert ghost.get_ydata() == pytest.approx(line_of(ax, "none").get_ydata())


def test_categories_and_transformations_are_drawn():
    data = ms.datasets.load("nlschools")
    pooled = ms.pooling("lang ~ IQ + np.log(GS) + COMB", data, group="class", varying="1 + IQ")
    figure = plot.pooling(pooled, groups=["180"], x="IQ")
    rows = data[data["class"] == "180"]
    b = pooled.partial.loc["180"]
    line = line_of(figure.axes[0], "slopes")
    at = b["Intercept"] + b["np.log(GS)"] * np.log(rows.GS.mean()) + b["COMB[T.1]"] * (rows.COMB.mode()[0] == "1")
    assert line.get_ydata() == pytest.approx(at + b["IQ"] * line.get_xdata(), rel=1e-12)


def test_axes_carry_names_and_units(sleep):
    figure = plot.pooling(sleep, units={"Reaction": "ms", "Days": "days"})
    assert figure.get_supxlabel() == "Days"
    assert figure.get_supylabel() == "Reaction (ms)"
    assert plot.pooling(sleep).get_supylabel() == "Reaction"


@pytest.mark.parametrize(
    ("unit", "label"), [("days", "Days"), ("day", "Days"), ("d", "Days (d)"), ("24 h", "Days (24 h)"), ("", "Days")]
)
def test_a_unit_that_is_the_name_again_is_not_said_twice(unit, label):
    assert with_unit("Days", {"Days": unit}) == label


@pytest.mark.parametrize("groups", [None, ["308"], ["308", "335", "309"]])
def test_whole_numbers_have_whole_ticks(sleep, groups):
    for ax in plot.pooling(sleep, groups=groups).axes:
        low, high = ax.get_xlim()
        ticks = [tick for tick in ax.get_xticks() if low <= tick <= high]
        assert len(ticks) > 1
        assert all(float(tick).is_integer() for tick in ticks)


def test_two_values_have_two_ticks():
    data = ms.datasets.load("sleepstudy").assign(Late=lambda d: (d["Days"] > 4).astype(int))
    figure = plot.pooling(ms.pooling("Reaction ~ Late", data, group="Subject"), groups=["308", "309"])
    low, high = figure.axes[0].get_xlim()
    assert [tick for tick in figure.axes[0].get_xticks() if low <= tick <= high] == [0, 1]


def test_measurements_may_have_fractions_for_ticks():
    data = ms.datasets.load("sleepstudy").assign(Weeks=lambda d: d["Days"] / 7)
    ax = plot.pooling(ms.pooling("Reaction ~ Weeks", data, group="Subject"), groups=["308"]).axes[0]
    assert not all(float(tick).is_integer() for tick in ax.get_xticks())


def test_all_panels_share_their_scales_and_show_all_points(sleep):
    axes = plot.pooling(sleep).axes
    assert len({ax.get_ylim() for ax in axes}) == len({ax.get_xlim() for ax in axes}) == 1
    low, high = axes[0].get_ylim()
    assert low < sleep.data.Reaction.min()
    assert high > sleep.data.Reaction.max()


def test_one_group_can_be_drawn_on_given_axes(sleep):
    figure, ax = plt.subplots()
    assert plot.pooling(sleep, groups="335", ax=ax) is figure
    assert ax.get_xlabel() == "Days"
    assert len(ax.lines) == 4
    assert "335" in ax.get_title(loc="left")


def test_alt_text_tells_the_spread_of_slopes(sleep):
    said = plot.pooling(sleep).alt
    slopes = sleep.partial["Days"]
    assert said.startswith("Reaction against Days in 20 levels of Subject, sorted by their coefficient of Days")
    assert f"{slopes.min():.3g} to {slopes.max():.3g} with varying slopes" in said
    assert said.endswith("Without a line of their own: 373.")


def test_five_hundred_groups_take_less_than_two_seconds():
    """Time is that of the drawing alone; the bound is the promise, met with room to spare."""
    import time

    sample = ms.scenarios.therapist_intervention(therapists=500, patients=20).draw(seed=1)
    pooled = ms.pooling("anxiety ~ depression", sample.data, group="therapist")
    start = time.process_time()
    figure = plot.pooling(pooled)
    assert len(figure.axes) == 24
    assert time.process_time() - start < 10, "five times the promise: a busy machine must not fail the test"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"lines": ["slope"]}, "lines may hold 'complete', 'none', 'intercepts', 'slopes', found 'slope'"),
        ({"groups": ["999"]}, "'Subject' has no level '999'"),
        ({"groups": []}, "groups is empty"),
        ({"sort": "Day"}, "did you mean 'Days'"),
        ({"x": "Subject"}, "x must be a numeric predictor of 'Reaction ~ Days'"),
        ({"most": 0}, "most must be at least 1"),
        ({"truth": 3}, "truth must be a Sample"),
    ],
)
def test_mistakes_are_named(sleep, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.pooling(sleep, **options)
    assert not plt.get_fignums(), "no empty figure stays behind"


def test_axes_for_several_groups_are_refused(sleep):
    _, ax = plt.subplots()
    with pytest.raises(ms.MixedsimError, match="room for one group, found 20"):
        plot.pooling(sleep, ax=ax)


def test_something_else_is_refused():
    with pytest.raises(ms.MixedsimError, match=r"draws what mixedsim\.pooling returns, found DataFrame"):
        plot.pooling(ms.datasets.load("sleepstudy"))


def test_a_formula_without_a_numeric_predictor_has_no_lines():
    pooled = ms.pooling("Reaction ~ 1", ms.datasets.load("sleepstudy"), group="Subject")
    with pytest.raises(ms.MixedsimError, match="'Reaction ~ 1' has no numeric predictor"):
        plot.pooling(pooled)


def test_new_groups_have_their_points_and_the_populations_lines():
    data = ms.datasets.load("sleepstudy", extended=True)
    seen, new = data[~data.Subject.isin(["373", "374"])], data[data.Subject.isin(["373", "374"])]
    pooled = ms.pooling("Reaction ~ Days", seen, group="Subject")
    figure = plot.pooling(pooled, new=new)
    assert len(figure.axes) == 20
    for ax, level in zip(figure.axes[-2:], ("374", "373"), strict=True):
        assert ax.get_title(loc="left") == f"{level} · new"
        assert to_hex(ax.get_facecolor()) != PAPER
        rows = new[new.Subject == level]
        assert np.asarray(ax.collections[0].get_offsets()) == pytest.approx(rows[["Days", "Reaction"]].to_numpy())
        assert [line.get_label() for line in ax.lines] == [LINES[name].label for name in ALL if name != "none"]
        for name, b in (("slopes", pooled.fit.fixef), ("intercepts", pooled.intercept_fit.fixef)):
            line = line_of(ax, name)
            assert line.get_ydata() == pytest.approx(b["Intercept"] + b["Days"] * line.get_xdata(), rel=1e-12)
    assert figure.alt.endswith("New, with the population's lines: 374, 373.")


def test_new_groups_need_no_responses():
    pooled = ms.pooling("Reaction ~ Days", ms.datasets.load("sleepstudy"), group="Subject")
    (*_, ax) = plot.pooling(pooled, new={"Subject": ["me"], "Days": [3]}, groups=["308"]).axes
    assert len(ax.collections[0].get_offsets()) == 0
    assert len(ax.lines) == 3


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ({"Days": [1]}, "new has no column 'Subject', which the pooled model reads"),
        ({"Subject": ["308", "me"], "Days": [1, 2]}, "new holds 308, which the model has seen"),
        ({"Subject": ["me"], "Days": [np.nan]}, "new has missing values in 'Days'"),
    ],
)
def test_mistakes_in_new_groups_are_named(new, says):
    pooled = ms.pooling("Reaction ~ Days", ms.datasets.load("sleepstudy"), group="Subject")
    with pytest.raises(ms.MixedsimError, match=says):
        plot.pooling(pooled, new=new)
    assert not plt.get_fignums(), "no empty figure stays behind"
