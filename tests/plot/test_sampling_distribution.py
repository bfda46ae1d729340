"""Histograms of estimates: areas, means, and the curve of the claimed standard error."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import StepPatch

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.style import LINES
from tests.plot.studies import EIGHT, made_up, rows


@pytest.fixture(scope="module")
def study():
    return made_up(bias={"naive": -2}, claim={"naive": 0.5}, n=400)


def stairs(ax):
    """Histograms from top to bottom: heights over the base, and edges."""
    found = [one.get_data() for one in ax.patches if isinstance(one, StepPatch)]
    return [(data.values - data.baseline, data.edges) for data in sorted(found, key=lambda data: -data.baseline)]


def curves(ax):
    return [line for line in ax.lines if len(line.get_xdata()) == 161]


def test_histograms_count_the_estimates_and_have_one_area(study):
    (ax,) = plot.sampling_distribution(study).axes
    for (heights, edges), analysis in zip(stairs(ax), ("naive", "mixed"), strict=True):
        counted, _ = np.histogram(rows(study, analysis)["estimate"], edges)
        assert heights / heights.sum() == pytest.approx(counted / counted.sum())
    areas = [float((heights * np.diff(edges)).sum()) for heights, edges in stairs(ax)]
    assert areas[0] == pytest.approx(areas[1])


def test_the_curve_is_a_normal_distribution_as_wide_as_the_claim_and_of_the_same_area(study):
    (ax,) = plot.sampling_distribution(study).axes
    heights, edges = stairs(ax)[0]
    curve = max(curves(ax), key=lambda line: line.get_ydata()[0])
    x, y = (np.asarray(values, dtype=float) for values in curve.get_data())
    y = y - 1.0  # the base of the upper row
    own = rows(study, "naive")
    claimed = np.sqrt((own["se"] ** 2).mean())
    mean = np.average(x, weights=y)
    assert mean == pytest.approx(own["estimate"].mean())
    assert np.sqrt(np.average((x - mean) ** 2, weights=y)) == pytest.approx(claimed, rel=2e-3)
    assert y.sum() * (x[1] - x[0]) == pytest.approx((heights * np.diff(edges)).sum(), rel=1e-3)


def test_ticks_are_means_and_the_truth_a_dashed_line(study):
    (ax,) = plot.sampling_distribution(study).axes
    ticks = sorted((line for line in ax.lines if line.get_linewidth() == 2.6), key=lambda line: -line.get_ydata()[0])
    expected = [rows(study, analysis)["estimate"].mean() for analysis in ("naive", "mixed")]
    assert [tick.get_xdata()[0] for tick in ticks] == pytest.approx(expected)
    (ghost,) = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert list(ghost.get_xdata()) == [3.0, 3.0]


def test_alt_text_has_mean_spread_and_claim(study):
    own = rows(study, "naive")
    said = (
        f"naive mean {own['estimate'].mean():.2f}, sd {own['estimate'].std():.2f}, claimed standard error "
        f"{np.sqrt((own['se'] ** 2).mean()):.2f}"
    )
    alt = plot.sampling_distribution(study).alt
    assert alt.startswith(f"Estimates of x, in truth 3, in 400 replicates: {said}; mixed")


def test_one_panel_a_parameter():
    figure = plot.sampling_distribution(made_up(("mixed",), EIGHT), list(EIGHT))
    assert [ax.get_xlabel() for ax in figure.axes] == list(EIGHT)


def test_failures_are_told():
    figure = plot.sampling_distribution(made_up(failed=7))
    assert "7 of 200 failed" in figure.alt
    assert any("7 failed" in text.get_text() for text in figure.axes[0].texts)


def test_estimates_that_are_all_the_same_draw():
    frame = made_up(("mixed",)).replicates.assign(estimate=3.0)
    (ax,) = plot.sampling_distribution(frame).axes
    assert len(stairs(ax)) == 1


def test_what_sampling_distribution_returns_is_drawn_in_the_colour_of_its_kind():
    clinic = ms.scenarios.therapist_plain(therapists=10, patients=5)
    found = ms.sampling_distribution(clinic, "anxiety ~ depression", n=30, seed=1, parameter="depression")
    (ax,) = plot.sampling_distribution(found).axes
    assert curves(ax)[0].get_color() == LINES["complete"].colour
    tick = next(line for line in ax.lines if line.get_linewidth() == 2.6)
    assert tick.get_xdata()[0] == pytest.approx(found.mean["depression"])


def test_axes_hold_one_parameter(study):
    both = made_up(truth={"x": 3.0, "z": 0.0})
    figure, ax = plt.subplots()
    assert plot.sampling_distribution(both, "z", ax=ax) is figure
    with pytest.raises(ms.MixedsimError, match="ax has room for one parameter, found 2"):
        plot.sampling_distribution(both, ["x", "z"], ax=ax)
