"""The caterpillar: modes and intervals of the fit, sorted."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.style import PAPER


@pytest.fixture(scope="module")
def sleep():
    return ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))


@pytest.fixture(scope="module")
def clinic():
    return ms.scenarios.therapist_price(therapists=40).draw(seed=1)


@pytest.fixture(scope="module")
def both(clinic):
    """Before and after the price enters."""
    return {
        "without": ms.lmer("anxiety ~ depression + sex + (1 | therapist)", clinic.data),
        "with": ms.lmer("anxiety ~ depression + sex + price + (1 | therapist)", clinic.data),
    }


def drawn(ax):
    """Intervals, modes and whether they are filled, from bottom to top."""
    bars, dots = ax.collections[:2]
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    filled = [to_hex(face) != PAPER for face in dots.get_facecolors()]
    return ends, np.asarray(dots.get_offsets()), filled


def test_modes_and_intervals_are_those_of_the_fit(sleep):
    (ax,) = plot.caterpillar(sleep, term="Days").axes
    modes = sleep.ranef["Subject"]["Days"].sort_values()
    sds = sleep.ranef_sd["Subject"]["Days"].loc[modes.index]
    ends, dots, filled = drawn(ax)
    assert dots == pytest.approx(np.column_stack([modes, np.arange(18)]), rel=1e-12)
    half = 1.959963984540054 * sds
    assert ends == pytest.approx(np.column_stack([modes - half, modes + half]), rel=1e-12)
    assert filled == (modes.abs() > half).tolist()
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list(modes.index)


def test_every_effect_has_a_panel(sleep):
    axes = plot.caterpillar(sleep).axes
    assert [ax.get_xlabel() for ax in axes] == ["Intercept by Subject", "Days by Subject"]
    for ax in axes:
        values = drawn(ax)[1][:, 0]
        assert (np.diff(values) >= 0).all()


def test_a_lower_level_gives_shorter_intervals(sleep):
    wide, narrow = (drawn(plot.caterpillar(sleep, term="Days", level=level).axes[0])[0] for level in (0.95, 0.5))
    assert np.ptp(narrow, axis=1) / np.ptp(wide, axis=1) == pytest.approx(np.full(18, 0.674490 / 1.959964), rel=1e-5)


def test_two_fits_share_scale_and_order(both):
    axes = plot.caterpillar(both).axes
    order = both["without"].ranef["therapist"]["Intercept"].sort_values().index
    for ax, fit in zip(axes, both.values(), strict=True):
        assert drawn(ax)[1][:, 0].tolist() == fit.ranef["therapist"]["Intercept"].loc[order].tolist()
    assert [ax.get_title(loc="left") for ax in axes] == ["without", "with"]
    assert axes[0].get_xlim() == axes[1].get_xlim()


def test_the_truth_lies_behind(both, clinic):
    fit = both["with"]
    (ax,) = plot.caterpillar(fit, truth=clinic).axes
    order = fit.ranef["therapist"]["Intercept"].sort_values().index
    (ghost,) = [one for one in ax.collections if one.get_label() == "truth"]
    expected = clinic.truth.ranef["therapist"]["Intercept"].loc[order]
    assert np.asarray(ghost.get_offsets())[:, 0].tolist() == expected.tolist()


def test_many_levels_are_not_named():
    data = ms.scenarios.therapist_plain(therapists=500, patients=5).draw(seed=1).data
    (ax,) = plot.caterpillar(ms.lmer("anxiety ~ depression + (1 | therapist)", data)).axes
    assert ax.get_ylabel() == "500 levels, sorted"
    assert not ax.get_yticklabels()


def test_alt_text_names_the_ends_and_counts(sleep):
    modes, sds = sleep.ranef["Subject"]["Days"], sleep.ranef_sd["Subject"]["Days"]
    said = plot.caterpillar(sleep, term="Days").alt
    assert f"from {modes.min():.2f} ({modes.idxmin()}) to {modes.max():.2f} ({modes.idxmax()})" in said
    assert f"{(modes.abs() > 1.959964 * sds).sum()} of 18 intervals exclude zero" in said


def test_a_singular_fit_draws_and_says_why_it_is_flat():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("dyestuff2"))
    figure = plot.caterpillar(fit)
    (ax,) = figure.axes
    assert not drawn(ax)[1][:, 0].any()
    assert figure.alt.endswith("None differs: their estimated variance is 0 (singular fit).")
    assert ax.get_title(loc="left") == "estimated variance 0 (singular fit)"


def test_a_generalised_model_is_drawn_on_its_link():
    data = ms.datasets.load("cbpp")
    fit = ms.glmer("incidence / size ~ period + (1 | herd)", data)
    (ax,) = plot.caterpillar(fit).axes
    modes = fit.ranef["herd"]["Intercept"].sort_values()
    half = 1.959963984540054 * fit.ranef_sd["herd"]["Intercept"].loc[modes.index]
    ends, dots, _ = drawn(ax)
    assert dots[:, 0] == pytest.approx(modes.to_numpy())
    assert ends == pytest.approx(np.column_stack([modes - half, modes + half]))
    assert ax.get_xlabel() == "Intercept by herd (logit scale)"
    before = ms.glmer("incidence / size ~ 1 + (1 | herd)", data)
    assert len(plot.caterpillar({"without": before, "with": fit}).axes) == 2


def test_thousands_of_levels_are_sampled_and_the_figure_says_so():
    data = ms.scenarios.therapist_plain(therapists=3_000, patients=3).draw(seed=1).data
    fit = ms.lmer("anxiety ~ depression + (1 | therapist)", data)
    figure = plot.caterpillar(fit)
    (ax,) = figure.axes
    values = drawn(ax)[1][:, 0]
    modes = fit.ranef["therapist"]["Intercept"]
    assert len(values) == 1_200
    assert (values[0], values[-1]) == (modes.min(), modes.max())
    assert (np.diff(values) >= 0).all()
    assert ax.get_ylabel() == "1,200 of 3,000 levels, evenly spaced"
    assert "of 3,000 intervals exclude zero; 1,200 are drawn" in figure.alt


def test_it_draws_on_given_axes(sleep):
    figure, ax = plt.subplots()
    assert plot.caterpillar(sleep, ax=ax) is figure
    assert ax.get_xlabel() == "Intercept by Subject"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"group": "subject"}, "no grouping factor 'subject': did you mean 'Subject'"),
        ({"term": "Day"}, "'Day' does not vary by 'Subject': did you mean 'Days'"),
        ({"level": 95}, "level must lie between 0 and 1"),
        ({"truth": 3}, "truth must be a Sample"),
        ({"ax": "left"}, "ax must be one matplotlib Axes"),
    ],
)
def test_mistakes_are_named(sleep, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.caterpillar(sleep, **options)
    assert not plt.get_fignums(), "no empty figure stays behind"


def test_axes_for_several_fits_are_refused(both):
    _, ax = plt.subplots()
    with pytest.raises(ms.MixedsimError, match="room for one fit, found 2"):
        plot.caterpillar(both, ax=ax)


@pytest.mark.parametrize("given", [{}, 3, {"a": 3}])
def test_something_else_is_refused(given):
    with pytest.raises(ms.MixedsimError, match="draws a fitted mixed model, found"):
        plot.caterpillar(given)


def test_a_second_fit_without_the_effect_is_named(sleep):
    other = ms.lmer("Reaction ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy"))
    with pytest.raises(ms.MixedsimError, match="the fit 'plain' has no effect of 'Days' by 'Subject'"):
        plot.caterpillar({"slopes": sleep, "plain": other}, term="Days")
    assert not plt.get_fignums(), "no empty figure stays behind"


def test_units_are_those_of_an_effect(sleep):
    axes = plot.caterpillar(sleep, units={"Reaction": "ms", "Days": "days"}).axes
    assert [ax.get_xlabel() for ax in axes] == ["Intercept by Subject (ms)", "Days by Subject (ms per day)"]
