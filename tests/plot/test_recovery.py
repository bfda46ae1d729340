"""The recovery picture: what is drawn are the numbers of the table."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.style import LINES, PAPER


@pytest.fixture(scope="module")
def plain():
    return ms.recover(ms.scenarios.therapist_plain(), seed=1)


@pytest.fixture(scope="module")
def slopes():
    """One in which two intervals miss the truth."""
    return ms.recover(ms.scenarios.therapist_intervention(), seed=3)


@pytest.fixture(scope="module")
def naive():
    population = ms.scenarios.therapist_confounder(patients=5)
    return ms.recover(population, seed=1, formula="anxiety ~ depression + sex + (1 | therapist)")


@pytest.fixture(scope="module")
def right():
    return ms.recover(ms.scenarios.therapist_confounder(patients=5), seed=1)


def marks(ax):
    """Estimates drawn, from top to bottom: x, y, whether filled."""
    dots = [one for one in ax.lines if one.get_marker() == "o"]
    dots.sort(key=lambda one: -one.get_ydata()[0])
    return [(one.get_xdata()[0], one.get_ydata()[0], to_hex(one.get_markerfacecolor()) != PAPER) for one in dots]


def bars(ax):
    """Intervals drawn, from top to bottom."""
    found = [one for one in ax.lines if len(one.get_xdata()) == 2 and one.get_linewidth() == 2.2]
    return np.array([one.get_xdata() for one in sorted(found, key=lambda one: -one.get_ydata()[0])])


def words(ax):
    return [text.get_text() for text in ax.texts]


def in_drawn_order(table):
    """Rows as the picture has them: σ among the standard deviations."""
    kinds = {"fixed": 0, "sd": 1, "sigma": 1, "corr": 2}
    return table.iloc[np.argsort(table["kind"].map(kinds), kind="stable")]


def test_marks_stand_at_the_error_in_standard_errors(slopes):
    (ax,) = plot.recovery(slopes).axes
    table = in_drawn_order(slopes.table)
    drawn = marks(ax)
    assert [x for x, _, _ in drawn] == pytest.approx(((table.estimate - table.truth) / table.se).tolist(), rel=1e-12)
    assert [filled for _, _, filled in drawn] == table["covered"].tolist()


def test_bars_are_the_intervals(slopes):
    (ax,) = plot.recovery(slopes).axes
    table = in_drawn_order(slopes.table)
    expected = table[["lower", "upper"]].sub(table["truth"], axis=0).div(table["se"], axis=0)
    assert bars(ax) == pytest.approx(expected.to_numpy(), rel=1e-12)


def test_every_parameter_has_its_name_beside_its_mark(slopes):
    (ax,) = plot.recovery(slopes).axes
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert labels == [
        "fixed effects",
        "Intercept",
        "depression",
        "intervention",
        "sex",
        "depression:intervention",
        "standard deviations",
        "Intercept | therapist",
        "depression | therapist",
        "residual",
        "correlations",
        "Intercept, depression | therapist",
    ]
    headings = {"fixed effects", "standard deviations", "correlations"}
    rows = [y for y, label in zip(ax.get_yticks(), labels, strict=True) if label not in headings]
    assert [y for _, y, _ in marks(ax)] == pytest.approx(rows)


def test_the_truth_is_a_dashed_line_at_zero(plain):
    (ax,) = plot.recovery(plain).axes
    (ghost,) = [one for one in ax.lines if one.get_linestyle() == "--"]
    assert list(ghost.get_xdata()) == [0, 0]


def test_numbers_stand_beside_the_marks(plain):
    (ax,) = plot.recovery(plain).axes
    row = plain.table.loc["depression"]
    assert "3" in words(ax)
    assert f"{row['estimate']:.3f}" in words(ax)
    assert f"{row['lower']:.3f} to {row['upper']:.3f}" in words(ax)


def test_a_model_has_the_colour_of_its_kind(plain, slopes):
    for one, kind in ((plain, "intercepts"), (slopes, "slopes")):
        (ax,) = plot.recovery(one).axes
        dots = [line for line in ax.lines if line.get_marker() == "o"]
        assert {to_hex(dot.get_color()) for dot in dots} == {LINES[kind].colour}


def test_several_are_drawn_in_units_of_the_last(naive, right):
    (ax,) = plot.recovery({"naive": naive, "right": right}).axes
    unit = right.table.loc["depression", "se"]
    expected = [(one.table.loc["depression", "estimate"] - 3) / unit for one in (naive, right)]
    drawn = [x for x, _, _ in marks(ax)]
    for x in expected:
        assert np.abs(np.array(drawn) - x).min() < 1e-12
    assert {"naive", "right"} <= set(words(ax))
    assert "“right”" in ax.get_xlabel()


def test_what_lies_far_out_is_an_arrow_with_its_distance(naive, right):
    (ax,) = plot.recovery({"naive": naive, "right": right}).axes
    distance = (naive.table.loc["Intercept", "estimate"] - 45) / right.table.loc["Intercept", "se"]
    assert distance < ax.get_xlim()[0], "or there is nothing to test"
    assert f"{distance:+.0f}".replace("-", "−") in words(ax)
    (arrow,) = [one for one in ax.lines if one.get_marker() == "<"]
    assert arrow.get_xdata()[0] == ax.get_xlim()[0]


def test_what_has_no_truth_or_estimate_has_a_row_without_a_mark(naive):
    (ax,) = plot.recovery(naive).axes
    row = {tick.get_text(): y for tick, y in zip(ax.get_yticklabels(), ax.get_yticks(), strict=True)}
    assert np.isnan(naive.table.loc["price", "estimate"])
    assert row["price"] not in [y for _, y, _ in marks(ax)]
    assert {row["depression"], row["sex"], row["residual"]} <= {y for _, y, _ in marks(ax)}
    assert "–" in words(ax)


def test_a_singular_fit_draws():
    population = ms.scenarios.therapist_plain(therapists=10, patients=3).with_(ranef={"therapist": {"sd": [0]}})
    singular = next(r for r in (ms.recover(population, seed=seed) for seed in range(20)) if r.fit.singular)
    (ax,) = plot.recovery(singular).axes
    assert len(marks(ax)) == len(singular.table) - 1


def test_alt_text_counts_and_names_the_furthest(slopes):
    figure = plot.recovery(slopes)
    z = ((slopes.table.estimate - slopes.table.truth) / slopes.table.se).abs()
    assert figure.alt.startswith("Estimates of 9 parameters in standard errors from the truth: 7 of 9 intervals hold")
    assert f"furthest from it is {z.idxmax()}, " in figure.alt


def test_it_draws_on_given_axes(plain):
    figure, axes = plt.subplots(1, 2)
    assert plot.recovery(plain, ax=axes[0]) is figure
    assert len(marks(axes[0])) == 5
    assert not axes[1].lines
    first = figure.alt
    plot.recovery(plain, ax=axes[1])
    assert figure.alt == f"{first} {first}"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("x", "draws what recover returns, found str"),
        ({}, "found an empty dict"),
        ({"a": 1}, "found int as 'a'"),
    ],
)
def test_something_else_is_refused(given, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.recovery(given)
    assert not plt.get_fignums(), "no empty figure stays behind"


def test_something_that_is_no_axes_is_refused(plain):
    with pytest.raises(ms.MixedsimError, match="ax must be one matplotlib Axes, found str"):
        plot.recovery(plain, ax="left")
