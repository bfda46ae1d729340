"""Estimates against the number of groups: positions are those of the recoveries."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.style import PAPER

SIZES = (8, 40, 160)


@pytest.fixture(scope="module")
def several():
    return [ms.recover(ms.scenarios.therapist_plain(therapists=k, patients=5), seed=1) for k in SIZES]


@pytest.fixture(scope="module")
def confounded():
    wrong = "anxiety ~ depression + sex + (1 | therapist)"
    return {
        str(k): ms.recover(ms.scenarios.therapist_confounder(therapists=k, patients=8), seed=1, formula=wrong)
        for k in (300, 20)
    }


def estimates(ax):
    (found,) = [c for c in ax.collections if c.get_gid() == "estimates"]
    return np.asarray(found.get_offsets()), [to_hex(face) != PAPER for face in found.get_facecolors()]


def test_estimates_stand_at_their_number_of_groups(several):
    figure = plot.consistency(several)
    names = list(several[0].table.index)
    assert len(figure.axes) == len(names)
    for ax, name in zip(figure.axes, names, strict=True):
        points, _ = estimates(ax)
        assert points[:, 0].tolist() == list(SIZES)
        assert points[:, 1] == pytest.approx([one.table.loc[name, "estimate"] for one in several])
        assert ax.get_xscale() == "log"


def test_the_funnel_narrows_with_the_root(several):
    ax = plot.consistency(several, "depression").axes[0]
    (funnel,) = [c for c in ax.collections if c.get_gid() == "funnel"]
    corners = funnel.get_paths()[0].vertices
    at_last = corners[np.isclose(corners[:, 0], 160 * 1.5)]
    half = 1.96 * several[-1].table.loc["depression", "se"] / np.sqrt(1.5)
    assert at_last[:, 1].max() == pytest.approx(3 + half)
    (truth,) = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert truth.get_ydata()[0] == 3


def test_a_biased_estimate_is_hollow_and_said(confounded):
    figure = plot.consistency(confounded, "depression")
    points, filled = estimates(figure.axes[0])
    assert points[:, 0].tolist() == [20, 300], "sorted by size"
    held = [bool(confounded[str(k)].table.loc["depression", "covered"]) for k in (20, 300)]
    assert filled == held
    assert f"{sum(held)} of 2 intervals hold the truth" in figure.alt


def test_what_no_fit_estimates_has_no_panel(confounded):
    said = plot.consistency(confounded).alt
    assert "price" not in said
    assert "depression, in truth 3" in said


def test_alt_text_has_the_numbers(several):
    said = plot.consistency(several, "sigma").alt
    assert said.startswith("sigma, in truth 8: ")
    assert "with 8 levels of therapist" in said
    assert "with 160; 3 of 3 intervals hold the truth" in said


def test_it_draws_on_given_axes(several):
    figure, ax = plt.subplots()
    assert plot.consistency(several, "sigma", ax=ax) is figure
    with pytest.raises(ms.MixedsimError, match="ax has room for one parameter"):
        plot.consistency(several, ax=ax)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: (s[:1], {}), "draws two recoveries or more, found 1"),
        (lambda s: (s[0], {}), "draws several results of recover, found Recovery"),
        (lambda s: ([s[0], 3], {}), "draws what recover returns, found int"),
        (lambda s: ([s[0], s[0]], {}), "all recoveries have 8 levels of 'therapist'"),
        (lambda s: (s, {"parameters": "Depression"}), "the recoveries have no parameter 'Depression'"),
        (lambda s: (s, {"parameters": []}), "parameters is empty"),
        (lambda s: (s, {"group": "patient"}), "no grouping factor 'patient' in every fit"),
    ],
)
def test_mistakes_are_named(several, change, says):
    given, options = change(several)
    with pytest.raises(ms.MixedsimError, match=says):
        plot.consistency(given, **options)
    assert not plt.get_fignums(), "no empty figure stays behind"
