"""Shrinkage: arrows, ellipses and shares are the numbers of the fit."""

from __future__ import annotations

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.quiver import Quiver

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.ellipses import dimensions, ellipse
from mixedsim.plot.style import LINES


@pytest.fixture(scope="module")
def sleep():
    return ms.pooling("Reaction ~ Days", ms.datasets.load("sleepstudy", extended=True), group="Subject")


def flat_data(seed, slope_sd):
    """Twenty groups of six whose slopes follow their intercepts, or that do not differ at all."""
    rng = np.random.default_rng(seed)
    g, x = np.repeat(np.arange(20), 6), np.tile(np.arange(6.0), 20)
    b = rng.normal(0, 1, 20)[g]
    y = 1 + x + slope_sd * b * (1 + 0.5 * x) + rng.normal(0, 2, 120)
    return pd.DataFrame({"y": y, "x": x, "g": g.astype(str)})


def found(ax, gid):
    (one,) = [artist for artist in ax.get_children() if artist.get_gid() == gid]
    return one


def offsets(ax, gid):
    return np.asarray(found(ax, gid).get_offsets())


def test_arrows_lead_from_no_pooling_to_partial_pooling(sleep):
    (ax,) = plot.shrinkage(sleep).axes
    arrows = found(ax, "moves")
    assert isinstance(arrows, Quiver)
    start = sleep.no_pooling.dropna().to_numpy()
    end = sleep.partial.loc[sleep.no_pooling.dropna().index].to_numpy()
    assert np.column_stack([arrows.X, arrows.Y]) == pytest.approx(start)
    assert np.column_stack([arrows.U, arrows.V]) == pytest.approx(end - start)
    assert arrows.angles == arrows.scale_units == "xy"
    assert arrows.scale == 1
    assert offsets(ax, "none") == pytest.approx(start)
    assert offsets(ax, "partial") == pytest.approx(end)
    assert to_hex(found(ax, "none").get_edgecolor()[0]) == LINES["none"].colour
    assert to_hex(found(ax, "partial").get_facecolor()[0]) == LINES["slopes"].colour


def test_ellipses_are_those_of_the_estimated_covariance(sleep):
    (ax,) = plot.shrinkage(sleep, ellipses=[0.5, 0.95]).axes
    centre = sleep.fit.fixef.to_numpy()
    inverse = np.linalg.inv(sleep.fit.covariances["Subject"].to_numpy())
    for share, chi2 in ((0.5, 1.386294361119891), (0.95, 5.991464547107979)):  # qchisq(share, 2)
        line = np.column_stack(found(ax, f"ellipse {share:g}").get_data()) - centre
        assert np.einsum("ij,jk,ik->i", line, inverse, line) == pytest.approx(np.full(len(line), chi2), rel=1e-9)
    assert {"50 %", "95 %"} <= {text.get_text() for text in ax.texts}


def test_an_ellipse_holds_its_share_of_a_simulated_population():
    covariance = np.array([[4.0, -1.5], [-1.5, 1.0]])
    draws = np.random.default_rng(1).multivariate_normal(np.zeros(2), covariance, 20_000)
    inverse = np.linalg.inv(covariance)
    line = ellipse(covariance, 0.8)
    radius = float(line[0] @ inverse @ line[0])
    inside = np.einsum("ij,jk,ik->i", draws, inverse, draws) <= radius
    assert inside.mean() == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / 20_000))


def test_the_centre_is_the_fixed_effects_and_a_cross_complete_pooling(sleep):
    (ax,) = plot.shrinkage(sleep).axes
    marks = {line.get_marker(): np.ravel(line.get_data()) for line in ax.lines if line.get_marker() in "+x"}
    assert marks["+"] == pytest.approx(sleep.fit.fixef.to_numpy())
    assert marks["x"] == pytest.approx(sleep.complete.iloc[0].to_numpy())


def test_a_group_without_an_estimate_of_its_own_is_a_square(sleep):
    (ax,) = plot.shrinkage(sleep).axes
    assert offsets(ax, "incomplete") == pytest.approx(sleep.partial.loc[["373"]].to_numpy())
    assert "373" in {text.get_text() for text in ax.texts}


def test_the_groups_that_move_most_are_named_and_no_more(sleep):
    names = lambda labels: [t.get_text() for t in plot.shrinkage(sleep, labels=labels).axes[0].texts if t.get_gid()]  # noqa: E731
    assert names(0) == []
    assert "374" in names(2)
    assert len(names(3)) <= 4


def test_the_truth_is_a_ghost_of_the_groups_own_coefficients():
    sample = ms.scenarios.therapist_intervention(therapists=30, patients=8).draw(seed=1)
    fit = ms.lmer("anxiety ~ depression * intervention + sex + (1 + depression | therapist)", sample.data)
    for given in (sample, sample.truth):
        (ax,) = plot.shrinkage(fit, truth=given).axes
        (ghost,) = [c for c in ax.collections if c.get_label() == "truth"]
        effects = sample.truth.ranef["therapist"].loc[fit.ranef["therapist"].index]
        expected = effects[["Intercept", "depression"]] + sample.truth.fixef[["Intercept", "depression"]]
        assert np.asarray(ghost.get_offsets()) == pytest.approx(expected.to_numpy())
    (ax,) = plot.shrinkage(fit, truth=expected).axes
    (ghost,) = [c for c in ax.collections if c.get_label() == "truth"]
    assert np.asarray(ghost.get_offsets()) == pytest.approx(expected.to_numpy())


def test_two_of_three_effects_are_chosen_by_name():
    sample = ms.scenarios.therapist_intervention(therapists=40, patients=20).draw(seed=1)
    fit = ms.lmer("anxiety ~ depression + sex + (1 + depression + sex | therapist)", sample.data)
    (ax,) = plot.shrinkage(fit, terms=["sex", "depression"]).axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("sex", "depression")
    assert offsets(ax, "partial") == pytest.approx(fit.coef["therapist"][["sex", "depression"]].to_numpy())
    figure = plot.shrinkage(fit)
    assert "2 of 3 varying effects: Intercept and depression" in figure.axes[0].get_title(loc="left")


def test_units_are_those_of_a_coefficient(sleep):
    (ax,) = plot.shrinkage(sleep, units={"Reaction": "ms", "Days": "days"}).axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Intercept (ms)", "Days (ms per day)")


def test_a_correlation_of_one_is_a_line_and_said():
    fit = ms.lmer("y ~ x + (x | g)", flat_data(1, 1.0))
    assert fit.singular
    figure = plot.shrinkage(fit)
    (ax,) = figure.axes
    line = np.column_stack(found(ax, "ellipse 0.95").get_data())
    assert np.linalg.matrix_rank(line - line.mean(axis=0), tol=1e-6) == 1
    assert "the ellipse is a line: the estimated correlation is 1 (singular fit)" in figure.alt
    assert "correlation is 1 (singular fit)" in ax.get_title(loc="left")


def test_no_variance_is_a_point_and_said():
    figure = plot.shrinkage(ms.lmer("y ~ x + (x | g)", flat_data(2, 0.0)))
    assert "no ellipse" in figure.alt or "is a line" in figure.alt
    assert dimensions(np.zeros((2, 2))) == 0
    assert dimensions(np.diag([1.0, 0.0])) == dimensions(np.array([[4.0, 2.0], [2.0, 1.0]])) == 1
    assert dimensions(np.array([[4.0, 1.0], [1.0, 1.0]])) == 2
    assert dimensions(np.diag([1e12, 1e-12])) == 2, "units do not decide what is flat"


def test_sizes_lie_on_the_curve_of_lambda():
    fit = ms.lmer("lang ~ IQ + (1 | class)", ms.datasets.load("nlschools"))
    figure = plot.shrinkage(fit)
    (ax,) = figure.axes
    x, y = offsets(ax, "kept").T
    tau2 = fit.covariances["class"].iloc[0, 0]
    assert y == pytest.approx(tau2 / (tau2 + fit.sigma**2 / x), rel=1e-9)
    (curve,) = [line for line in ax.lines if line.get_label() == "curve"]
    n, share = curve.get_data()
    assert share[1:] == pytest.approx(tau2 / (tau2 + fit.sigma**2 / n[1:]), rel=1e-9)
    assert f"{y.min():.2f} to {y.max():.2f}; λ = τ²/(τ² + σ²/n) with τ = {np.sqrt(tau2):.3g}" in figure.alt


def test_sizes_with_slopes_show_the_ratio_and_say_so(sleep):
    figure = plot.shrinkage(sleep, kind="size")
    assert len(figure.axes) == 2
    for ax, term in zip(figure.axes, ("Intercept", "Days"), strict=True):
        centre = sleep.fit.fixef[term]
        ratio = ((sleep.partial[term] - centre) / (sleep.no_pooling[term] - centre)).dropna()
        inside = ratio[(ratio > -0.08) & (ratio < 1.08)]
        assert sorted(offsets(ax, "kept")[:, 1]) == pytest.approx(sorted(inside))
        assert f"{len(ratio) - len(inside)} of 20 beyond 0 and 1" in ax.get_title(loc="left")
        beyond = [c for c in ax.collections if c.get_gid() == "beyond"]
        assert sum(len(c.get_offsets()) for c in beyond) == len(ratio) - len(inside)
    assert "the actual ratio of partial to no pooling" in figure.alt
    assert "without an estimate of their own: 373" in figure.alt


def test_a_singular_intercept_is_flat_and_says_why():
    figure = plot.shrinkage(ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2")))
    assert not offsets(figure.axes[0], "kept")[:, 1].any()
    assert "flat at 0, since the estimated variance is 0 (singular fit)" in figure.alt
    assert "(singular fit)" in figure.axes[0].get_title(loc="left")


def test_alt_text_has_the_spreads_and_who_is_incomplete(sleep):
    said = plot.shrinkage(sleep).alt
    before, after = sleep.no_pooling["Days"].std(), sleep.partial.loc[sleep.no_pooling.index, "Days"].std()
    assert f"standard deviation of Days {before:.3g} to {after:.3g}" in said
    assert "374 is moved most" in said
    assert "without an estimate of their own: 373" in said


def test_starts_far_out_are_cut_and_counted():
    data = ms.datasets.load("sleepstudy")
    close = pd.DataFrame({"Reaction": [280.0, 310.0], "Days": [4.0, 4.05], "Subject": "new"})
    figure = plot.shrinkage(ms.pooling("Reaction ~ Days", pd.concat([data, close]), group="Subject"))
    assert "1 arrow starts outside the picture" in figure.alt
    assert "1 arrow of 19 starts outside" in figure.axes[0].get_title(loc="left")
    assert figure.axes[0].get_ylim()[1] < 60, "the slope of two rows close together, 600, squeezes nobody"


def test_five_hundred_groups_are_quick():
    sample = ms.scenarios.therapist_intervention(therapists=500, patients=6).draw(seed=1)
    fit = ms.lmer("anxiety ~ depression + (1 + depression | therapist)", sample.data)
    plot.shrinkage(fit)
    start = time.process_time()
    plot.shrinkage(fit, truth=sample).canvas.draw()
    assert time.process_time() - start < 2.0


def test_it_draws_on_given_axes(sleep):
    figure, ax = plt.subplots()
    assert plot.shrinkage(sleep, ax=ax) is figure
    assert plot.shrinkage(sleep, kind="size", terms="Days", ax=ax) is figure


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"terms": ["Intercept", "days"]}, "'days' does not vary by 'Subject': did you mean 'Days'"),
        ({"terms": ["Days", "Days"]}, "the plane needs two different effects, found 1: name two by terms="),
        ({"kind": "disc"}, "kind must be 'plane' or 'size', found 'disc'"),
        ({"ellipses": [95]}, "ellipses hold shares between 0 and 1, such as 0.95, found 95"),
        ({"labels": -1}, "labels must be a whole number of 0 or more, found -1"),
        ({"truth": 3}, "truth must be a Sample"),
        ({"truth": pd.DataFrame({"a": [1.0]})}, "truth has no coefficient 'Intercept'"),
        ({"group": "day"}, "no grouping factor 'day'"),
        ({"ax": "left"}, "ax must be one matplotlib Axes"),
        ({"terms": []}, "terms is empty|two different effects"),
    ],
)
def test_mistakes_are_named(sleep, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.shrinkage(sleep.fit if "group" in options else sleep, **options)
    assert not plt.get_fignums(), "no empty figure stays behind"


def test_a_plane_of_one_effect_is_refused():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))
    with pytest.raises(ms.MixedsimError, match="only 'Intercept' varies by 'Batch'; kind='size' draws one effect"):
        plot.shrinkage(fit, kind="plane")


def test_a_generalised_model_is_sent_to_the_caterpillar():
    fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
    with pytest.raises(ms.MixedsimError, match=r"ms\.plot\.caterpillar draws its random effects"):
        plot.shrinkage(fit)


def test_something_else_is_refused():
    with pytest.raises(
        ms.MixedsimError, match=r"draws what mixedsim\.pooling returns, or a linear mixed model, found int"
    ):
        plot.shrinkage(3)
