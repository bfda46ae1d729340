"""Profiles: what is drawn are the points, cuts and contours of the profile."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.special import ndtri

import mixedsim as ms
from mixedsim import plot

BATCH = "sd(Intercept | Batch)"


@pytest.fixture(scope="module")
def dyestuff():
    return ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))


@pytest.fixture(scope="module")
def profiled(dyestuff):
    return dyestuff.profile()


@pytest.fixture(scope="module")
def flat():
    return ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2"))


def curve_of(ax):
    """The longest line: ζ, or the density."""
    return max((line for line in ax.lines), key=lambda line: len(line.get_xdata()) * line.get_linewidth()).get_data()


def test_zeta_runs_through_the_points(profiled):
    figure = plot.profile(profiled)
    assert [ax.get_xlabel() for ax in figure.axes] == list(profiled.parameters)
    for ax, name in zip(figure.axes, profiled.parameters, strict=True):
        x, y = curve_of(ax)
        rows = profiled.table.loc[name]
        assert np.interp(rows["value"], x, y) == pytest.approx(rows["zeta"].to_numpy(), abs=5e-3)


def test_cuts_stand_at_the_exact_intervals(profiled):
    (ax,) = plot.profile(profiled, which="sigma", levels=[0.8]).axes
    ends = profiled.confint(0.8).loc["sigma"].to_numpy()
    height = ndtri(0.9)
    cuts = [line.get_data() for line in ax.lines if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2]
    assert [cut[0][0] for cut in cuts] == pytest.approx(ends.tolist())
    assert [cut[1][1] for cut in cuts] == pytest.approx([-height, height])


def test_a_fit_is_profiled_first(dyestuff, profiled):
    (one,), (other,) = (plot.profile(source, which="sigma").axes for source in (dyestuff, profiled))
    assert curve_of(one)[1] == pytest.approx(curve_of(other)[1])


def test_a_scale_that_ends_is_said_and_has_no_cut(flat):
    figure = plot.profile(flat, which="sd", levels=[0.95])
    (ax,) = figure.axes
    assert "95 % interval 0 to 2.084; which ends where the scale does, at 0" in figure.alt
    cuts = [line for line in ax.lines if len(line.get_xdata()) == 2 and len(set(line.get_xdata())) == 1]
    assert len(cuts) == 1
    (ax,) = plot.profile(flat, "density", which="sd").axes
    assert "50.0 % at 0" in {text.get_text() for text in ax.texts}


def test_a_density_is_that_of_the_profile(profiled):
    (ax,) = plot.profile(profiled, "density", which="sigma").axes
    x, y = curve_of(ax)
    expected = profiled.density("sigma", len(x))
    assert y == pytest.approx(expected["density"].to_numpy())
    assert x == pytest.approx(expected["value"].to_numpy())


def test_pairs_are_contours_and_traces(profiled):
    figure = plot.profile(profiled, "pairs", levels=[0.5, 0.8])
    assert len(figure.axes) == 6
    ax = next(a for a in figure.axes if (a.get_gid() or any(line.get_gid() for line in a.lines)))
    one, other = "Intercept", BATCH
    lines = {line.get_gid(): np.column_stack(line.get_data()) for line in ax.lines if line.get_gid()}
    for level in (0.5, 0.8):
        expected = profiled.contour(one, other, level).to_numpy()
        assert lines[f"contour {level:g}"] == pytest.approx(expected, nan_ok=True)
    followed = profiled.along.loc[one, other]
    x, y = lines[f"trace {one}"].T
    assert np.interp(profiled.table.loc[one, "value"], x, y) == pytest.approx(followed.to_numpy())
    y, x = lines[f"trace {other}"].T[::-1]
    assert np.interp(profiled.table.loc[other, "value"], y, x) == pytest.approx(
        profiled.along.loc[other, one].to_numpy()
    )


def test_pairs_of_a_generalised_model():
    fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
    figure = plot.profile(fit, "pairs", which=["Intercept", "period[T.2]"])
    assert len(figure.axes) == 3
    assert "Joint confidence regions of 2 parameters in pairs (Intercept and period[T.2])" in figure.alt


def test_a_region_that_a_scale_cuts_is_said(profiled):
    said = plot.profile(profiled, "pairs").alt
    assert f"the region of Intercept and {BATCH}; of {BATCH} and sigma end where a scale does" in said


def test_many_parameters_are_cut_to_six():
    data = ms.datasets.load("cake")
    fit = ms.lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", data)
    figure = plot.profile(fit.profile("fixed", points=3, level=0.99), "pairs", levels=[0.5])
    assert "6 of 18 parameters in pairs" in figure.alt
    assert len(figure.axes) == 21


def test_the_truth_is_a_dashed_line_and_said(profiled):
    figure = plot.profile(profiled, which="sigma", truth={"sigma": 100.0})
    (ghost,) = [line for line in figure.axes[0].lines if line.get_linestyle() == "--" and line.get_xdata()[0] == 100.0]
    assert ghost is not None
    assert "its truth, 100, lies outside" in figure.alt
    sample = ms.scenarios.therapist_plain(therapists=10, patients=5).draw(seed=1)
    fit = ms.lmer("anxiety ~ depression + sex + (1 | therapist)", sample.data)
    assert "its truth, 3, lies inside" in plot.profile(fit, which="depression", truth=sample).alt


def test_alt_text_has_interval_and_lopsidedness(profiled):
    lower, upper = profiled.confint(0.95).loc["sigma"]
    rows = profiled.table.loc["sigma"]
    top = rows["value"].iloc[rows["zeta"].abs().argmin()]
    said = plot.profile(profiled, which="sigma", levels=[0.5, 0.95]).alt
    assert f"Profile of sigma: 95 % interval {lower:.4g} to {upper:.4g}" in said
    assert f"{(upper - top) / (top - lower):.2f} times as far to the right" in said
    assert said.endswith("Drawn too: 50 %.")


def test_it_draws_on_given_axes(profiled):
    figure, ax = plt.subplots()
    assert plot.profile(profiled, which="sigma", ax=ax) is figure
    assert plot.profile(profiled, "pairs", which=["sigma", "Intercept"], ax=ax) is figure
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("sigma", "Intercept")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"kind": "splom"}, "kind must be 'zeta', 'density' or 'pairs', found 'splom'"),
        ({"which": "Sigma"}, "the profile has no parameter 'Sigma': did you mean 'sigma'"),
        ({"levels": []}, "levels is empty"),
        ({"levels": [95]}, "level must lie between 0 and 1"),
        ({"kind": "pairs", "which": "sigma"}, "pairs need two parameters or more, found 'sigma'"),
        ({"kind": "pairs", "levels": [0.999]}, "needs profiles to a level of 0.9998 or more, found 0.99"),
        ({"truth": 3}, "truth must be a Sample, its truth, or values by parameter, found int"),
        ({"truth": {"sigma": "big"}}, "truth must hold numbers, found 'big' for 'sigma'"),
        ({"ax": "left"}, "ax must be one matplotlib Axes"),
    ],
)
def test_mistakes_are_named(profiled, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.profile(profiled, **options)
    assert not plt.get_fignums(), "no empty figure stays behind"


def test_axes_for_several_parameters_are_refused(profiled):
    _, ax = plt.subplots()
    with pytest.raises(ms.MixedsimError, match="ax has room for one parameter, found 3"):
        plot.profile(profiled, ax=ax)
    with pytest.raises(ms.MixedsimError, match="ax has room for one pair, found 3 parameters"):
        plot.profile(profiled, "pairs", ax=ax)


def test_something_else_is_refused():
    with pytest.raises(ms.MixedsimError, match="draws a profile, or a fitted mixed model, found int"):
        plot.profile(3)
