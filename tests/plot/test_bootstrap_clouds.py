"""Bootstrap clouds: points are replicates, marks are estimate and truth, singular ones are told apart."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim import plot
from mixedsim.models.replicated_parameters import replicated_parameters

BATCH = "sd(Intercept | Batch)"


@pytest.fixture(scope="module")
def flat():
    return ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2"))


@pytest.fixture(scope="module")
def draws(flat):
    return flat.bootstrap(300, seed=1)


def clouds(ax):
    return {c.get_gid(): np.asarray(c.get_offsets()) for c in ax.collections if c.get_gid()}


def pair_axes(figure):
    """Axes of pairs, in the order of the triangle."""
    return [ax for ax in figure.axes if clouds(ax)]


def test_points_are_the_replicates_and_singular_ones_apart(flat, draws):
    axes = pair_axes(plot.bootstrap(draws, flat))
    table = replicated_parameters(flat, draws)
    singular = draws["singular"].to_numpy()
    pairs = [("Intercept", BATCH), ("Intercept", "sigma"), (BATCH, "sigma")]
    for ax, pair in zip(axes, pairs, strict=True):
        found = clouds(ax)
        assert found["replicates"] == pytest.approx(table.loc[~singular, list(pair)].to_numpy())
        assert found["singular"] == pytest.approx(table.loc[singular, list(pair)].to_numpy())


def test_the_share_of_singular_ones_is_said(flat, draws):
    figure = plot.bootstrap(draws, flat)
    share = 100 * draws["singular"].mean()
    assert f"{share:.1f} % are singular" in figure.alt
    legend = figure.legends[0].get_texts()[0].get_text()
    assert "300 replicates" in legend
    assert "singular" in legend


def test_estimate_and_truth_are_marked(flat, draws):
    figure = plot.bootstrap(draws, flat, truth={"Intercept": 5.0, "sigma": 4.0})
    ax = pair_axes(figure)[1]
    marks = {line.get_marker(): (line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines}
    assert marks["+"] == pytest.approx((flat.fixef["Intercept"], flat.sigma))
    assert marks["d"] == (5.0, 4.0)


def test_without_a_fit_the_columns_are_those_of_the_table(draws):
    figure = plot.bootstrap(draws)
    assert "Intercept, theta1 and sigma" in figure.alt
    (ax, *_) = pair_axes(figure)
    assert not [line for line in ax.lines if line.get_marker() == "+"]


def test_many_replicates_are_sampled_and_the_figure_says_so(flat):
    many = flat.bootstrap(2_500, seed=1)
    figure = plot.bootstrap(many, flat)
    found = clouds(pair_axes(figure)[0])
    assert len(found["replicates"]) + len(found["singular"]) == 2_000
    assert "2,000 are drawn as points" in figure.alt
    assert "2,000 of 2,500 replicates" in figure.legends[0].get_texts()[0].get_text()


def test_failed_replicates_are_left_out_and_counted(flat, draws):
    broken = draws.copy()
    broken.loc[broken.index[:7], "converged"] = False
    figure = plot.bootstrap(broken, flat)
    assert figure.alt.startswith("293 bootstrap replicates")
    assert "7 more did not converge" in figure.alt


def test_a_replicate_that_ran_away_squeezes_nobody(flat, draws):
    wild = draws.copy()
    wild.loc[wild.index[0], "Intercept"] = 1e6
    figure = plot.bootstrap(wild, flat)
    assert pair_axes(figure)[0].get_xlim()[1] < 20
    assert "1 lies beyond an axis" in figure.alt


def test_alt_text_names_the_closest_pair_and_the_shift(flat, draws):
    table = replicated_parameters(flat, draws)
    r = table.corr().loc[BATCH, "sigma"]
    said = plot.bootstrap(draws, flat).alt
    assert f"{BATCH} and sigma, correlation {r:.2f}" in said
    shift = table[BATCH].mean() / table[BATCH].std(ddof=0)
    assert f"the mean of {BATCH}, {shift:.2f} sd above it" in said


def test_a_generalised_model():
    fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
    figure = plot.bootstrap(fit.bootstrap(20, seed=1), fit, which=["Intercept", "sd(Intercept | herd)"])
    assert len(pair_axes(figure)) == 1


def test_it_draws_on_given_axes(flat, draws):
    figure, ax = plt.subplots()
    assert plot.bootstrap(draws, flat, which=["sigma", "Intercept"], ax=ax, units={"sigma": "g"}) is figure
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("sigma (g)", "Intercept")
    with pytest.raises(ms.MixedsimError, match="ax has room for one pair, found 3 parameters"):
        plot.bootstrap(draws, flat, ax=ax)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"which": ["sigma", "Sd"]}, "the bootstrap has no parameter 'Sd'"),
        ({"which": "sigma"}, "pairs need two parameters or more, found 'sigma'"),
        ({"truth": 3}, "truth must be a Sample"),
        ({"fit": 3}, "fit must be the model that was bootstrapped, found int"),
    ],
)
def test_mistakes_are_named(draws, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.bootstrap(draws, **options)
    assert not plt.get_fignums(), "no empty figure stays behind"


@pytest.mark.parametrize(("given", "says"), [(3, "found int"), (pd.DataFrame({"a": [1]}), "without these columns")])
def test_something_else_is_refused(given, says):
    with pytest.raises(ms.MixedsimError, match=rf"draws what fit\.bootstrap\(\) returns, .*{says}|{says}"):
        plot.bootstrap(given)


def test_nothing_that_converged_is_refused(draws):
    with pytest.raises(ms.MixedsimError, match="no bootstrap replicate converged"):
        plot.bootstrap(draws.assign(converged=False))
