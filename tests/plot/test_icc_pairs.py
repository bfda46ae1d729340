"""The intraclass correlation as pairs: points are rows of the data, the line has the model's slope."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import mixedsim as ms
from mixedsim import plot
from mixedsim.inference.pairs_within import pair_correlation


@pytest.fixture(scope="module")
def sleep():
    return ms.lmer("Reaction ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy"))


def pairs(ax):
    (found,) = [c for c in ax.collections if c.get_gid() == "pairs"]
    return np.asarray(found.get_offsets())


def slope(ax):
    line = next(line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 1.6)
    return np.ptp(line.get_ydata()) / np.ptp(line.get_xdata())


def test_points_are_pairs_of_rows_of_one_cluster(sleep):
    data = ms.datasets.load("sleepstudy")
    around = data.Reaction - sleep.predict(random=False).to_numpy()
    cluster = {round(value, 6): subject for value, subject in zip(around, data.Subject, strict=True)}
    same, apart = (pairs(ax) for ax in plot.icc(sleep).axes)
    assert len(same) == 18 * 45
    assert all(cluster[round(a, 6)] == cluster[round(b, 6)] for a, b in same)
    assert all(cluster[round(a, 6)] != cluster[round(b, 6)] for a, b in apart)


def test_the_line_has_the_icc_as_its_slope(sleep):
    figure = plot.icc(sleep)
    assert slope(figure.axes[0]) == pytest.approx(sleep.icc()["adjusted"], rel=1e-9)
    assert slope(figure.axes[1]) == 0
    observed = pair_correlation(*pairs(figure.axes[0]).T)
    assert (
        f"their correlation is {observed:.2f}, and the model has an ICC of {sleep.icc()['adjusted']:.2f}" in figure.alt
    )
    assert f"ICC {sleep.icc()['adjusted']:.2f}, of these {observed:.2f}" in figure.axes[0].get_title(loc="left")


def test_pairs_of_a_large_sample_have_the_icc_of_the_population():
    population = ms.scenarios.therapist_plain(therapists=3_000, patients=2).with_(
        sigma=3, ranef={"therapist": {"sd": 2}}
    )
    figure = plot.icc(population)
    assert slope(figure.axes[0]) == pytest.approx(4 / 13)
    same = pairs(figure.axes[0])
    assert len(same) == 1_500
    assert pair_correlation(*same.T) == pytest.approx(4 / 13, abs=4 / np.sqrt(1_500))
    assert "1,500 of 3,000 pairs of rows from one therapist" in figure.alt


def test_a_population_with_slopes_and_hidden_variables():
    figure = plot.icc(ms.scenarios.therapist_intervention(therapists=200, patients=10))
    same, apart = (pair_correlation(*pairs(ax).T) for ax in figure.axes)
    assert "the model expects" in figure.alt
    assert same == pytest.approx(slope(figure.axes[0]), abs=0.15)
    assert abs(apart) < 0.11


def test_random_slopes_are_averaged_over_the_pairs():
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    figure = plot.icc(fit)
    z = np.column_stack([np.ones(10), np.arange(10)])
    v = z @ fit.covariances["Subject"].to_numpy() @ z.T
    off = ~np.eye(10, dtype=bool)
    assert slope(figure.axes[0]) == pytest.approx(v[off].mean() / (np.diag(v).mean() + fit.sigma**2), rel=1e-9)


def test_crossed_factors_are_simulated():
    fit = ms.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", ms.datasets.load("Penicillin"))
    for group in ("plate", "sample"):
        figure = plot.icc(fit, group=group)
        assert slope(figure.axes[0]) == pytest.approx(fit.icc(by_group=True)[group], rel=1e-9)
        assert "simulated from the model (diameter)" in figure.alt


def test_of_nested_factors_the_inner_one_shares_the_outer():
    fit = ms.lmer("strength ~ 1 + (1 | batch/cask)", ms.datasets.load("Pastes"))
    shares = fit.icc(by_group=True)
    assert slope(plot.icc(fit, group="cask:batch").axes[0]) == pytest.approx(shares.sum(), rel=1e-6)


def test_a_generalised_model_is_drawn_on_its_link():
    fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
    figure = plot.icc(fit)
    assert slope(figure.axes[0]) == pytest.approx(fit.icc()["adjusted"], rel=1e-9)
    assert figure.axes[0].get_xlabel() == "first, logit scale"


def test_a_singular_fit_is_flat_and_says_why():
    figure = plot.icc(ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2")))
    assert slope(figure.axes[0]) == 0
    assert "the estimated variance between clusters is 0" in figure.alt


def test_it_draws_on_given_axes(sleep):
    figure, ax = plt.subplots()
    assert plot.icc(sleep, ax=ax, units={"Reaction": "ms"}) is figure
    assert ax.get_xlabel() == "first: Reaction (ms), around Xβ"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"group": "subject"}, "no grouping factor 'subject': did you mean 'Subject'"),
        ({"ax": 3}, "ax must be one matplotlib Axes"),
    ],
)
def test_mistakes_are_named(sleep, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.icc(sleep, **options)
    assert not plt.get_fignums(), "no empty figure stays behind"


def test_what_has_no_pairs_is_refused():
    with pytest.raises(ms.MixedsimError, match="draws a fitted mixed model, or a population, found int"):
        plot.icc(3)
    with pytest.raises(ms.MixedsimError, match="no level of 'therapist' has two rows"):
        plot.icc(ms.scenarios.therapist_plain(therapists=9, patients=1))
    counts = ms.Population(
        "n ~ 1 + (1 | g)", clusters={"g": 5}, size=4, fixef={"Intercept": 0}, ranef={"g": {"sd": 1}}, family="poisson"
    )
    with pytest.raises(ms.MixedsimError, match=r"this population's have none: fit the model with ms\.glmer"):
        plot.icc(counts)
