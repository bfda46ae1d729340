"""The comb: one tooth a replicate, those that miss in full colour."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection

import mixedsim as ms
from mixedsim import plot
from tests.plot.studies import made_up, rows


@pytest.fixture(scope="module")
def study():
    return made_up(bias={"naive": 1}, n=300)


def teeth(ax):
    """Intervals that hold, and those that miss: {replicate: (lower, upper)}."""
    out = []
    for one in ax.collections:
        if isinstance(one, LineCollection):
            out.append({int(x): (low, high) for (x, low), (_, high) in one.get_segments()})
    return out


@pytest.mark.parametrize("analysis", ["naive", "mixed"])
def test_teeth_are_the_intervals_of_the_first_replicates(study, analysis):
    (ax,) = plot.coverage(study, "x", analysis, show=100).axes
    holding, missing = teeth(ax)
    first = rows(study, analysis).iloc[:100]
    holds = ((first["lower"] <= 3) & (first["upper"] >= 3)).to_numpy()
    assert sorted(missing) == (np.flatnonzero(~holds) + 1).tolist()
    assert sorted(holding) == (np.flatnonzero(holds) + 1).tolist()
    for k, ends in {**holding, **missing}.items():
        assert ends == pytest.approx(tuple(first[["lower", "upper"]].iloc[k - 1]))


def test_the_title_counts_all_replicates_with_the_monte_carlo_error(study):
    (ax,) = plot.coverage(study, "x", "naive").axes
    own = rows(study, "naive")
    share = ((own["lower"] <= 3) & (own["upper"] >= 3)).mean()
    error = np.sqrt(share * (1 - share) / 300)
    assert ax.get_title(loc="left") == f"naive: {100 * share:.1f} ± {100 * error:.1f} % of 300 hold the truth"


def test_analyses_share_a_scale_and_alt_text_has_them_all(study):
    figure = plot.coverage(study, show=50)
    assert len({ax.get_ylim() for ax in figure.axes}) == 1
    first = rows(study, "mixed").iloc[:50]
    missed = ((first["lower"] > 3) | (first["upper"] < 3)).sum()
    assert figure.alt.startswith("naive: ")
    assert figure.alt.endswith(f" % of 300 intervals of x hold the truth, 3; {missed} of the first 50 miss it.")


def test_a_replicate_without_an_interval_is_a_gap_that_is_told():
    figure = plot.coverage(made_up(("mixed",), failed=4), show=30)
    (ax,) = figure.axes
    (crosses,) = [line for line in ax.lines if line.get_marker() == "x"]
    assert crosses.get_xdata().tolist() == [1, 2, 3, 4]
    assert min(min(part, default=99) for part in teeth(ax)) == 5
    assert "of 196 hold the truth; 4 without an interval" in ax.get_title(loc="left")
    assert figure.alt.endswith("; 4 replicates have no interval.")


def test_a_wild_interval_does_not_hide_the_others():
    frame = made_up(("mixed",)).replicates.copy()
    frame.loc[frame["replicate"] == 5, "upper"] = 1e9
    (ax,) = plot.coverage(frame).axes
    assert ax.get_ylim()[1] < 20


def test_it_agrees_with_the_summary_of_a_real_study():
    study = ms.study(ms.scenarios.therapist_plain(therapists=8, patients=5), n=40, seed=1)
    row = study.summary().loc[("mixed", "depression")]
    said = f"mixed: {100 * row['coverage']:.1f} ± {100 * row['coverage_mcse']:.1f} % of {row['n']} intervals"
    assert plot.coverage(study, "depression").alt.startswith(said)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"parameter": "y"}, "the study has no parameter 'y'"),
        ({"parameter": ["x"]}, "parameter must be the name of one parameter"),
        ({"show": 0}, "show must be the number of intervals to draw, at least 1, found 0"),
        ({"show": True}, "found True"),
    ],
)
def test_wrong_input_is_refused_and_leaves_no_figure(study, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.coverage(study, **options)
    assert not plt.get_fignums()


def test_without_a_truth_there_is_nothing_to_cover(study):
    with pytest.raises(ms.MixedsimError, match="'x' has no truth in the analysis 'naive'"):
        plot.coverage(study.replicates.assign(truth=np.nan))
    with pytest.raises(ms.MixedsimError, match="'x' has no interval in the analysis 'naive'"):
        plot.coverage(study.replicates.assign(lower=np.nan))


def test_axes_hold_one_analysis(study):
    figure, ax = plt.subplots()
    assert plot.coverage(study, analysis="mixed", ax=ax) is figure
    with pytest.raises(ms.MixedsimError, match="ax has room for one analysis, found 2"):
        plot.coverage(study, ax=ax)
