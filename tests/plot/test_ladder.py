"""The picture of a ladder: what is drawn are the numbers of its table."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.style import LINES, PAPER


@pytest.fixture(scope="module")
def ladder():
    sample = ms.scenarios.therapist_confounder(therapists=40, patients=5).draw(seed=1)
    return ms.ladder(sample, "anxiety ~ depression + sex + price", "therapist")


def dots(ax):
    """Estimates from top to bottom: label of the rung, x, colour, whether filled."""
    label = {y: tick.get_text() for y, tick in zip(ax.get_yticks(), ax.get_yticklabels(), strict=False)}
    found = [line for line in ax.lines if line.get_marker() == "o"]
    found.sort(key=lambda line: -line.get_ydata()[0])
    faces = [to_hex(line.get_markerfacecolor()) for line in found]
    return [
        (label.get(line.get_ydata()[0]), line.get_xdata()[0], line.get_color(), face != PAPER)
        for line, face in zip(found, faces, strict=True)
    ]


def test_marks_are_the_estimates_of_the_rungs(ladder):
    panels = plot.ladder(ladder).axes
    assert [ax.get_xlabel() for ax in panels] == list(ladder.coefficients)
    for ax, name in zip(panels, ladder.coefficients, strict=True):
        table = ladder.of(name)["estimate"].dropna()
        assert [x for _, x, _, _ in dots(ax)] == table.tolist()
        expected = ["its part between groups" if rung == "between" else rung for rung in table.index]
        assert [label for label, *_ in dots(plot.ladder(ladder, coefficients=name).axes[0])] == expected


def test_bars_are_the_intervals(ladder):
    (ax,) = plot.ladder(ladder, coefficients="depression").axes
    bars = sorted((line for line in ax.lines if line.get_linewidth() == 2.2), key=lambda line: -line.get_ydata()[0])
    expected = ladder.of("depression")[["lower", "upper"]].to_numpy()
    assert np.array([bar.get_xdata() for bar in bars]) == pytest.approx(expected)


def test_colours_are_those_of_the_book_and_what_lies_between_is_hollow(ladder):
    (ax,) = plot.ladder(ladder, coefficients="depression").axes
    look = {label: (colour, filled) for label, _, colour, filled in dots(ax)}
    assert look["OLS"] == (LINES["complete"].colour, True)
    assert look["dummies"] == (LINES["none"].colour, True)
    assert look["varying intercepts"] == (LINES["intercepts"].colour, True)
    assert look["varying slopes"] == (LINES["slopes"].colour, True)
    assert look["its part between groups"] == (look["within-between"][0], False)


def test_the_truth_is_a_dashed_line_where_it_is_known(ladder):
    (ax,) = plot.ladder(ladder, coefficients="depression").axes
    (ghost,) = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert list(ghost.get_xdata()) == [3.0, 3.0]
    unknown = ms.ladder(ms.datasets.load("sleepstudy"), "Reaction ~ Days", "Subject")
    assert not [line for line in plot.ladder(unknown).axes[0].lines if line.get_linestyle() == "--"]


def test_a_rung_that_cannot_tell_says_so(ladder):
    (ax,) = plot.ladder(ladder, coefficients="price").axes
    assert "dummies" not in [label for label, *_ in dots(ax)]
    (said,) = [text for text in ax.texts if text.get_text() == "cannot tell"]
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert said.xy[1] == ax.get_yticks()[labels.index("dummies")]


def test_alt_text_repeats_the_table(ladder):
    figure = plot.ladder(ladder, coefficients="price")
    row = ladder.of("price").loc["OLS"]
    assert figure.alt.startswith(f"price, in truth -3: OLS {row.estimate:.3g} ({row.lower:.3g} to {row.upper:.3g}), ")
    assert figure.alt.endswith("; dummies cannot tell.")


def test_an_interval_that_is_much_wider_than_the_others_ends_in_an_arrow():
    sample = ms.scenarios.therapist_plain(therapists=4, patients=40).draw(seed=2)
    ladder = ms.ladder(sample, "anxiety ~ depression", "therapist")
    (ax,) = plot.ladder(ladder).axes
    ends = ladder.of("depression").loc["group means", ["lower", "upper"]]
    assert ends["upper"] > ax.get_xlim()[1], "or there is nothing to test"
    assert [line for line in ax.lines if line.get_marker() == ">"]


def test_it_draws_on_given_axes(ladder):
    figure, axes = plt.subplots(1, 2)
    assert plot.ladder(ladder, ax=axes[0]) is figure
    assert axes[0].get_xlabel() == "depression"
    assert not axes[1].lines


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"coefficients": "Price"}, "the ladder has no coefficient 'Price': did you mean 'price'"),
        ({"coefficients": []}, "coefficients are empty"),
        ({"coefficients": ["price", "sex"], "ax": "given"}, "ax has room for one coefficient, found 2"),
        ({"ax": "left"}, "ax must be one matplotlib Axes, found str"),
    ],
)
def test_wrong_input_is_refused_and_leaves_no_figure(ladder, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.ladder(ladder, **options)
    assert not plt.get_fignums()


def test_something_else_is_refused():
    with pytest.raises(ms.MixedsimError, match=r"plot\.ladder draws what mixedsim\.ladder returns, found int"):
        plot.ladder(3)
