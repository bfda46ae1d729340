"""Panels of a diagnosis: artists stand where the numbers of the fit are, titles and alt text say what they say."""

from __future__ import annotations

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.panels import DEPARTS
from tests.models.broken import fitted


@pytest.fixture(scope="module")
def sleep():
    return ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))


@pytest.fixture(scope="module")
def herds():
    return ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))


@pytest.fixture(scope="module")
def flat():
    return ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2"))


def points(ax, which=0):
    scattered = [one for one in ax.collections if hasattr(one, "get_sizes") and len(one.get_offsets()) > 1]
    return np.asarray(scattered[which].get_offsets())


def title(ax):
    return ax.get_title(loc="left")


def answer(ax):
    """The line below the title."""
    return next(text.get_text() for text in ax.texts if text.get_position() == (0, 25)).replace("\xa0", " ")


# ---- residuals


def test_residuals_are_those_of_the_fit(sleep):
    (ax,) = plot.residuals(sleep, units={"Reaction": "ms"}).axes
    assert points(ax) == pytest.approx(np.column_stack([sleep.predict(), sleep.residuals()]), rel=1e-9)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("fitted Reaction (ms)", "residual (ms)")
    assert title(ax) == "Is the mean right?"


def test_against_a_predictor_the_curve_is_the_least_squares_cubic(sleep):
    (ax,) = plot.residuals(sleep, "Days").axes
    assert points(ax)[:, 0].tolist() == ms.datasets.load("sleepstudy")["Days"].tolist()
    x, y = ax.lines[-1].get_data()
    expected = np.polynomial.Polynomial.fit(points(ax)[:, 0], sleep.residuals(), 3)
    assert y == pytest.approx(expected(x), abs=1e-8 * sleep.sigma)
    assert ax.get_xlabel() == "Days"


def test_a_departure_is_seen_and_said():
    (ax,) = plot.residuals(fitted("curved"), "x").axes
    band = ax.collections[1].get_paths()[0].vertices
    x, y = ax.lines[-1].get_data()
    middle = np.argmin(np.abs(x - 5.0))
    assert y[middle] < band[np.isclose(band[:, 0], x[middle]), 1].min()
    assert answer(ax) == "✗ departs: residuals curve along x, low in the\nmiddle (p = 0.005)"
    assert ax.figure.alt == "600 residuals against x: departs: residuals curve along x, low in the middle."


def test_spread_is_drawn_as_roots(sleep):
    (ax,) = plot.residuals(sleep, spread=True).axes
    expected = np.sqrt(np.abs(sleep.residuals("scaled") / np.sqrt(1.0 - sleep.influence()["leverage"])))
    assert points(ax)[:, 1] == pytest.approx(expected.to_numpy(), rel=1e-8)
    (x_ax,) = plot.residuals(fitted("heteroscedastic"), "x", spread=True).axes
    assert answer(x_ax).startswith("✗ departs: the spread of residuals grows with x")


def test_spread_of_a_category_has_its_means():
    fit = ms.lmer("angle ~ recipe + temp + (1 | recipe:replicate)", ms.datasets.load("cake"))
    (ax,) = plot.residuals(fit, "recipe", spread=True).axes
    roots = np.sqrt(np.abs(fit.residuals("scaled") / np.sqrt(1.0 - fit.influence()["leverage"])))
    means = roots.groupby(ms.datasets.load("cake")["recipe"], observed=True).mean()
    assert ax.lines[-1].get_ydata() == pytest.approx(means.to_numpy(), rel=1e-8)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["A", "B", "C"]


def test_groups_are_ordered_by_size(sleep):
    (ax,) = plot.residuals(sleep, "Subject").axes
    upper, lower = (line.get_ydata() for line in ax.lines[:2])
    assert (np.diff(upper) >= 0).all()
    assert lower.tolist() == (-upper).tolist()
    scaled = sleep.residuals("scaled") / np.sqrt(1.0 - sleep.influence()["leverage"])
    by = np.sqrt(scaled.abs()).groupby(ms.datasets.load("sleepstudy")["Subject"], observed=True).mean()
    by.index = by.index.astype(str)
    names = [tick.get_text() for tick in ax.get_xticklabels()]
    assert names == by.sort_values(kind="stable").index.tolist()
    assert upper == pytest.approx((by.sort_values().to_numpy() / 0.8221789586624) ** 2, rel=1e-8)


def test_least_squares_stand_beside(sleep):
    left, right = plot.residuals(sleep, compare="OLS").axes
    data = ms.datasets.load("sleepstudy")
    slope, intercept = np.polyfit(data["Days"], data["Reaction"], 1)
    expected = intercept + slope * data["Days"]
    assert points(right) == pytest.approx(np.column_stack([expected, data["Reaction"] - expected]), rel=1e-7)
    assert left.get_ylim() == right.get_ylim()
    assert "residual sd 47.4, in this model 23.4" in left.figure.alt


def test_another_fit_stands_beside(sleep):
    simpler = ms.lmer("Reaction ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy"))
    _, right = plot.residuals(sleep, compare=simpler).axes
    assert points(right)[:, 1] == pytest.approx(simpler.residuals().to_numpy(), rel=1e-9)
    assert title(right) == "Reaction ~ Days + (1 | Subject)"


# ---- quantiles


def test_quantiles_are_sorted_residuals(sleep):
    (ax,) = plot.qq(sleep).axes
    scaled = sleep.residuals("scaled") / np.sqrt(1.0 - sleep.influence()["leverage"])
    assert points(ax)[:, 1] == pytest.approx(np.sort(scaled), rel=1e-8)
    assert "kurtosis" in answer(ax)
    assert "row 56" in [text.get_text() for text in ax.texts]
    colours = [to_hex(colour) for colour in ax.collections[-1].get_facecolors()]
    assert colours[-1] == DEPARTS, "what lies outside of the band stands out"


def test_every_effect_has_a_panel(sleep):
    axes = plot.qq(sleep, "Subject").axes
    assert [title(ax) for ax in axes] == ["Normal effects? Intercept by Subject", "Normal effects? Days by Subject"]
    for ax, effect in zip(axes, ["Intercept", "Days"], strict=True):
        drawn = points(ax)[:, 1]
        modes = np.sort(sleep.ranef["Subject"][effect])
        assert drawn / modes == pytest.approx(np.full(18, drawn[0] / modes[0]), rel=1e-6), "balanced: one sd for all"


def test_a_singular_fit_is_said_to_be_flat(flat):
    (ax,) = plot.qq(flat, "Batch").axes
    assert ax.figure.alt.startswith("Intercept by Batch: flat: the variance is estimated as zero (a singular fit)")
    assert "singular" in ax.texts[0].get_text().replace("\n", " ")


# ---- influence, time, collinearity


def test_cooks_distances_are_those_of_the_fit(sleep):
    rows, levels = plot.influence(sleep).axes
    table, groups = sleep.influence(), sleep.influence("Subject")
    assert points(rows) == pytest.approx(table[["leverage", "cook"]].to_numpy(), rel=1e-10)
    top = groups["cook"].sort_values(ascending=False)[:12]
    assert points(levels)[:, 0] == pytest.approx(top.to_numpy(), rel=1e-10)
    assert [tick.get_text() for tick in levels.get_yticklabels()] == top.index.tolist()
    assert levels.get_xlabel() == "Cook's distance by Subject, 12 largest of 18"
    assert f"row {table['cook'].idxmax()}" in [text.get_text() for text in rows.texts]


def test_limits_hold_in_right_models(sleep):
    """The largest Cook's distance of drawn responses exceeds the dashed line about once in 200 times."""
    rows, _ = plot.influence(sleep).axes
    limit = next(line.get_ydata()[0] for line in rows.lines)
    drawn = sleep.simulate(300, seed=1)
    largest = [sleep.refit(drawn[k]).influence()["cook"].max() for k in range(300)]
    assert np.mean(np.array(largest) > limit) < 0.03


def test_autocorrelations_have_bars(sleep):
    (ax,) = plot.autocorrelation(sleep, "Days", lags=3, units={"Days": "days"}).axes
    scaled = sleep.residuals("scaled") / np.sqrt(1.0 - sleep.influence()["leverage"])
    wide = scaled.to_numpy().reshape(18, 10)
    expected = [(wide[:, k:] * wide[:, : 10 - k]).mean() / (wide**2).mean() for k in (1, 2, 3)]
    assert points(ax) == pytest.approx(np.column_stack([[1, 2, 3], expected]), rel=1e-8)
    assert ax.get_xlabel() == "lag (days)"
    assert "correlate 0.11 (-0.18 expected)" in ax.figure.alt


def test_widenings_are_drawn():
    fit = ms.lmer("angle ~ recipe * temp + (1 | recipe:replicate)", ms.datasets.load("cake"))
    (ax,) = plot.collinearity(fit).axes
    by_term = fit.collinearity().groupby("term")["widening"].first().sort_values()
    assert points(ax)[:, 0] == pytest.approx(by_term.to_numpy())
    assert answer(ax) == "✗ departs: intervals of recipe:temp are 3.5\ntimes as wide as alone"


def test_one_predictor_cannot_be_collinear(sleep):
    figure = plot.collinearity(sleep)
    assert figure.alt == "Collinearity: Days is the only predictor, so nothing can be collinear."


# ---- the page


def test_the_page_answers_the_question(sleep):
    figure = plot.diagnostics(sleep, compare="OLS", time="Days")
    assert [title(ax) for ax in figure.axes if ax.axison] == [
        "Is the mean right?", "least squares, no groups", "Is the spread the same?",
        "Is the spread alike in every group?", "Are residuals normal?", "Normal effects? Intercept by Subject",
        "Normal effects? Days by Subject", "Is nothing left over Days?", "Does a single row pull?",
        "Does a Subject pull?",
    ]  # fmt: skip
    head = "May I trust this fit? 7 of 9 checks look fine"
    assert figure.get_suptitle().endswith(head)
    assert figure.alt.startswith(f"{head}: departs in shape of residuals, autocorrelation. 180 residuals against")


@pytest.mark.parametrize(
    ("name", "panel", "says"),
    [
        ("heteroscedastic", "spread", "the spread of residuals grows with x"),
        ("heavy tails", "residuals", "heavier tails than normal"),
        ("two humps", "effects", "two humps"),
        ("autoregressive", "time", "rows one step apart correlate"),
        ("curved", "mean", "residuals curve along x"),
    ],
)
def test_the_page_names_what_is_broken(name, panel, says):
    (ax,) = plot.diagnostics(fitted(name), time="t", page=[panel]).axes
    assert answer(ax).replace("\n", " ").startswith(f"✗ departs: {says}")
    if panel in ("spread", "mean"):
        assert ax.get_xlabel() == "x", "drawn along what departs, not along the fitted values"


def test_a_page_of_a_generalised_model(herds):
    figure = plot.diagnostics(herds)
    assert figure.axes[0].get_ylabel() == "quantile residual"
    assert figure.axes[0].get_xlabel() == "linear predictor (logit)"
    assert points(figure.axes[0])[:, 1] == pytest.approx(herds.diagnose().replicated.residual[:, 0])
    assert figure.alt.startswith("May I trust this fit? 7 of 7 checks look fine. 56 residuals")


def test_a_page_of_a_singular_fit(flat):
    figure = plot.diagnostics(flat)
    assert "flat: the variance is estimated as zero" in figure.alt
    assert figure.alt.startswith("May I trust this fit? 4 of 4 checks look fine.")


def test_the_page_does_not_change_by_itself(sleep):
    assert plot.diagnostics(sleep).alt == plot.diagnostics(sleep).alt
    diagnosis = sleep.diagnose(n=99, seed=5)
    assert plot.diagnostics(diagnosis).alt == plot.diagnostics(sleep.diagnose(n=99, seed=5)).alt


# ---- size


def test_many_rows_are_binned_and_it_says_so():
    rng = np.random.default_rng(1)
    n = 40_000
    data = pd.DataFrame({"g": rng.integers(0, 2_000, n), "x": rng.normal(size=n)})
    data["y"] = data.x + rng.normal(size=2_000)[data.g] + rng.normal(size=n)
    fit = ms.lmer("y ~ x + (1 | g)", data)
    (ax,) = plot.residuals(fit).axes
    (cells,) = [one for one in ax.collections if isinstance(one, QuadMesh)]
    assert cells.get_array().sum() == n
    said = ax.figure.alt
    assert said.startswith("40,000 residuals against fitted values (binned; line and bands from a sample of ")
    assert "binned" in " ".join(text.get_text() for text in ax.texts)


def test_500_groups_take_no_time():
    """Two seconds on a quiet machine for all ten panels; beside others it may take twice as long."""
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"g": np.repeat(np.arange(500), 10), "x": rng.normal(size=5_000)})
    data["y"] = data.x + rng.normal(size=500)[data.g] + rng.normal(size=5_000)
    fit = ms.lmer("y ~ x + (x | g)", data)
    began = time.process_time()
    figure = plot.diagnostics(fit)
    assert time.process_time() - began < 4.0
    levels = next(ax for ax in figure.axes if title(ax) == "Does a g pull?")
    assert len(points(levels)) == 12


# ---- mistakes


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda fit: plot.residuals(fit, "Day"), "against must be a predictor or a grouping factor, found 'Day': did"),
        (lambda fit: plot.residuals(fit, "Subject", spread=True), "'Subject' is a grouping factor: leave out spread"),
        (lambda fit: plot.residuals(fit, compare="lm"), "compare must be 'OLS' or another fitted model, found 'lm'"),
        (lambda fit: plot.residuals(fit, "Days", compare="OLS"), "leave out ax, spread and against"),
        (lambda fit: plot.residuals(3), "plot.residuals draws a model fitted by lmer or glmer, or what its diagnose"),
        (lambda fit: plot.qq(fit, "subject"), "no grouping factor 'subject': did you mean 'Subject'"),
        (lambda fit: plot.qq(fit, "Subject", "Day"), "'Day' does not vary by 'Subject': did you mean 'Days'"),
        (lambda fit: plot.influence(fit, "subject"), "no grouping factor 'subject'"),
        (lambda fit: plot.autocorrelation(fit, "days"), "no column 'days' to tell the time: did you mean 'Days'"),
        (lambda fit: plot.collinearity("fit"), "plot.collinearity draws a model fitted by lmer or glmer"),
        (lambda fit: plot.diagnostics(fit, page=["means"]), "no panel 'means' of a page of diagnostics: did you mean"),
        (lambda fit: plot.diagnostics(fit, page=[]), "page must name at least one panel"),
        (lambda fit: plot.diagnostics(fit, page="time"), "needs to know the time of each row"),
        (lambda fit: plot.qq(fit, ax="left"), "ax must be one matplotlib Axes"),
    ],
)
def test_mistakes_are_named(sleep, draw, says):
    with pytest.raises(ms.MixedsimError, match=says):
        draw(sleep)
    assert not plt.get_fignums(), "no empty figure stays behind"


def test_categories_have_no_curve():
    fit = ms.lmer("angle ~ recipe + temp + (1 | recipe:replicate)", ms.datasets.load("cake"))
    with pytest.raises(ms.MixedsimError, match="'recipe' is a category, whose means the fit takes up"):
        plot.residuals(fit, "recipe")


def test_least_squares_are_for_linear_models(herds):
    with pytest.raises(ms.MixedsimError, match="compare='OLS' is for linear models"):
        plot.residuals(herds, compare="OLS")
    assert not plt.get_fignums()


def test_only_models_of_one_response_stand_beside_each_other(sleep, herds):
    logged = ms.lmer("log(Reaction) ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy"))
    for other in (logged, herds):
        with pytest.raises(ms.MixedsimError, match="of the same kind, fitted to the same response on the same rows"):
            plot.diagnostics(sleep, compare=other)
    assert not plt.get_fignums()


def test_they_draw_on_given_axes(sleep):
    figure, axes = plt.subplots(1, 5)
    for ax, draw in zip(
        axes,
        (
            plot.residuals, plot.qq, plot.influence, plot.collinearity,
            lambda fit, ax: plot.autocorrelation(fit, "Days", ax=ax),
        ),
        strict=True,
    ):  # fmt: skip
        assert draw(sleep, ax=ax) is figure
