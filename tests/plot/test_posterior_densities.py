"""Posterior densities: intervals, medians and marks are those of the draws."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import mixedsim as ms
from mixedsim import plot
from mixedsim.inference.kernel_density import kernel_density


@pytest.fixture(scope="module")
def sleep():
    return ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))


@pytest.fixture(scope="module")
def drawn(sleep):
    return sleep.posterior(200, chains=2, seed=1)


def by_width(ax):
    """Bars under the density, by their width."""
    return {line.get_linewidth(): line.get_data() for line in ax.lines if len(line.get_xdata()) == 2}


def test_every_parameter_has_a_panel(drawn):
    axes = plot.posterior(drawn).axes
    assert [ax.get_xlabel() for ax in axes] == list(drawn.draws.columns)


def test_bars_are_quantiles_and_the_ring_the_median(drawn):
    (ax,) = plot.posterior(drawn, "Days", level=0.9).axes
    values = drawn.draws["Days"]
    bars = by_width(ax)
    assert bars[1.4][0] == pytest.approx(np.quantile(values, [0.05, 0.95]))
    assert bars[4.2][0] == pytest.approx(np.quantile(values, [0.25, 0.75]))
    (ring,) = [line for line in ax.lines if line.get_marker() == "o"]
    assert ring.get_xdata()[0] == pytest.approx(values.median())


def test_the_density_is_that_of_all_draws_and_every_chain_has_a_line(drawn):
    (ax,) = plot.posterior(drawn, "sd(Days | Subject)").axes
    lines = [line.get_data() for line in ax.lines if len(line.get_xdata()) > 100]
    x, height = kernel_density(drawn.draws["sd(Days | Subject)"].to_numpy(), 0.0)
    assert lines[0][0] == pytest.approx(x)
    assert lines[0][1] == pytest.approx(height)
    assert len(lines) == 1 + 2
    assert x[0] > 0


def test_estimate_and_truth_are_marked_and_said(sleep, drawn):
    figure = plot.posterior(drawn, ["Days", "sigma"], fit=sleep, truth={"Days": 99.0})
    ax = figure.axes[0]
    (cross,) = [line for line in ax.lines if line.get_marker() == "+"]
    assert cross.get_xdata()[0] == sleep.fixef["Days"]
    (ghost,) = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert ghost.get_xdata()[0] == 99.0
    assert f"the fit's estimate is {sleep.fixef['Days']:.4g}; its truth, 99, lies outside" in figure.alt
    assert f"the fit's estimate is {sleep.sigma:.4g}" in figure.alt


def test_a_singular_fit_has_a_posterior_that_ends_at_zero():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2"))
    figure = plot.posterior(fit.posterior(200, chains=2, seed=1), fit=fit)
    ax = figure.axes[1]
    longest = max(ax.lines, key=lambda line: len(line.get_xdata())).get_xdata()
    assert longest.min() > 0
    assert "the fit's estimate is 0" in figure.alt


def test_it_draws_on_given_axes(drawn):
    figure, ax = plt.subplots()
    assert plot.posterior(drawn, "Days", ax=ax, units={"Days": "ms"}) is figure
    assert ax.get_xlabel() == "Days (ms)"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"which": "days"}, "the posterior has no parameter 'days': did you mean 'Days'"),
        ({"which": []}, "which is empty"),
        ({"level": 95}, "level must lie between 0 and 1"),
        ({"fit": 3}, "fit must be the fitted model, found int"),
        ({"truth": 3}, "truth must be a Sample"),
        ({"which": "Days", "ax": 3}, "ax must be one matplotlib Axes"),
    ],
)
def test_mistakes_are_named(drawn, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.posterior(drawn, **options)
    assert not plt.get_fignums(), "no empty figure stays behind"


def test_something_else_is_refused(drawn):
    with pytest.raises(ms.MixedsimError, match=r"draws what fit\.posterior\(\) returns, found DataFrame"):
        plot.posterior(drawn.draws)
    _, ax = plt.subplots()
    with pytest.raises(ms.MixedsimError, match="ax has room for one parameter, found 6"):
        plot.posterior(drawn, ax=ax)
