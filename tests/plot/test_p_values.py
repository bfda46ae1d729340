"""Histograms of p-values: heights are shares, and what lies below alpha is counted."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.p_values import heights_of
from tests.plot.studies import EIGHT, made_up, rows


@pytest.fixture(scope="module")
def study():
    return made_up(truth={"Intercept": 1.0, "z": 0.0}, claim={"naive": 0.5}, n=400)


def bars(ax, opaque):
    """Heights of the bars by left edge; those below alpha are opaque."""
    return {round(bar.get_x(), 3): bar.get_height() for bar in ax.patches if (bar.get_alpha() is None) == opaque}


@pytest.mark.parametrize("analysis", ["naive", "mixed"])
def test_bars_are_shares_of_twenty_bins(study, analysis):
    (ax,) = plot.p_values(study, "z", analyses=analysis).axes
    p = rows(study, analysis, "z")["p"]
    expected = pd.cut(p, np.linspace(0, 1, 21), right=False).value_counts(sort=False) / len(p)
    assert list(bars(ax, opaque=False).values()) == pytest.approx(expected.tolist())
    assert bars(ax, opaque=True) == pytest.approx({0.0: expected.iloc[0]})
    (line,) = [one for one in ax.lines if one.get_linestyle() == "--"]
    assert list(line.get_ydata()) == [0.05, 0.05]


def test_the_last_bin_holds_one():
    assert heights_of(np.array([0.0, 0.04, 0.05, 1.0]))[[0, 1, 19]].tolist() == [0.5, 0.25, 0.25]


def test_alpha_colours_as_much_as_lies_below_it(study):
    (ax,) = plot.p_values(study, "z", analyses="mixed", alpha=0.12).axes
    widths = [bar.get_width() for bar in ax.patches if bar.get_alpha() is None]
    assert widths == pytest.approx([0.05, 0.05, 0.02])


def test_the_title_and_the_alt_text_count_what_lies_below_alpha(study):
    figure = plot.p_values(study)
    for ax, analysis in zip(figure.axes, ("naive", "mixed"), strict=True):
        below = (rows(study, analysis, "z")["p"] < 0.05).mean()
        said = f"{100 * below:.1f} ± {100 * np.sqrt(below * (1 - below) / 400):.1f} %"
        assert ax.get_title(loc="left") == f"{analysis}\n{said} below 0.05"
        assert f"{analysis}: {said} of 400 p-values of z lie below 0.05, false positives: its truth is 0." in figure.alt


def test_the_level_of_the_study_is_taken():
    strict = made_up(truth={"z": 0.0})
    strict.alpha = 0.01
    assert "below 0.01" in plot.p_values(strict).alt


def test_what_has_no_p_value_is_left_out_and_counted():
    study = made_up(("mixed",), EIGHT, failed=5)
    figure = plot.p_values(study)
    assert figure.axes[0].get_xlabel() == "p-value of x"
    assert figure.alt.endswith("power: its truth is 3; 5 replicates have none.")
    with pytest.raises(ms.MixedsimError, match="no analysis has a p-value of 'sigma': name a coefficient"):
        plot.p_values(study, "sigma")
    with pytest.raises(ms.MixedsimError, match="the study has no p-values to draw"):
        plot.p_values(study.replicates.assign(p=np.nan))


def test_it_agrees_with_the_summary_of_a_real_study():
    study = ms.study(ms.scenarios.therapist_plain(therapists=8, patients=5).with_(sigma=30), n=40, seed=1)
    row = study.summary().loc[("mixed", "depression")]
    said = f"mixed: {100 * row['power']:.1f} ± {100 * row['power_mcse']:.1f} % of {row['n']} p-values"
    assert plot.p_values(study).alt.startswith(said)


def test_axes_hold_one_panel(study):
    figure, ax = plt.subplots()
    assert plot.p_values(study, "z", analyses="mixed", ax=ax) is figure
    with pytest.raises(ms.MixedsimError, match="ax has room for one analysis and parameter, found 2"):
        plot.p_values(study, ax=ax)


@pytest.mark.parametrize("alpha", [0, 1.2, "0.05", True])
def test_a_wrong_level_is_refused(study, alpha):
    with pytest.raises(ms.MixedsimError, match="alpha must lie between 0 and 1, found"):
        plot.p_values(study, alpha=alpha)
    assert not plt.get_fignums()


def test_parameters_are_rows_and_analyses_columns_of_one_height():
    study = made_up(truth={"x": 3.0, "z": 0.0})
    figure = plot.p_values(study, ["x", "z"])
    labels = [(ax.get_title(loc="left").split("\n")[0], ax.get_xlabel()[-1]) for ax in figure.axes]
    assert labels == [("naive", "x"), ("mixed", "x"), ("naive", "z"), ("mixed", "z")]
    tops = [ax.get_ylim()[1] for ax in figure.axes]
    assert tops[0] == tops[1] > tops[2] == tops[3]
    for ax in figure.axes:
        assert max(bar.get_height() for bar in ax.patches) < ax.get_ylim()[1]
