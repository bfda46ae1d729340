"""Tables of means and comparisons as pictures: marks and intervals are the table's."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.intervals_down import interval_text
from mixedsim.plot.style import PAPER
from tests.models.glmms import cbpp_fit


@pytest.fixture(scope="module")
def cake():
    return ms.lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", ms.datasets.load("cake"))


def drawn(ax):
    """Estimates, intervals and whether they are filled, from top to bottom."""
    marks = [line for line in ax.lines if line.get_marker() == "o"]
    bars = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 2.2]
    estimates = [float(line.get_xdata()[0]) for line in marks]
    ends = [line.get_xdata() for line in bars]
    return np.array(estimates), np.array(ends), [to_hex(line.get_markerfacecolor()) != PAPER for line in marks]


def labels(ax):
    """Names at the left from top to bottom."""
    ticks = sorted(zip(ax.get_yticks(), ax.get_yticklabels(), strict=True), key=lambda one: -one[0])
    return [tick.get_text() for _, tick in ticks]


def test_means_are_those_of_the_table_in_its_order(cake):
    table = cake.emmeans("temperature")
    figure = plot.means(table, label="breaking angle (°)")
    (ax,) = figure.axes
    estimates, ends, filled = drawn(ax)
    assert_allclose(estimates, table["emmean"])
    assert_allclose(ends, table[["lower", "upper"]])
    assert all(filled)
    assert labels(ax) == list(table.index)
    assert ax.get_xlabel() == "breaking angle (°)"


def test_sorted_by_value(cake):
    table = cake.emmeans("temperature").sort_values("emmean", ascending=False)
    (ax,) = plot.means(cake.emmeans("temperature"), sort=True).axes
    assert labels(ax) == list(table.index)
    assert_allclose(drawn(ax)[0], table["emmean"])


def test_outer_variables_are_headings_and_rows_are_sorted_within_them(cake):
    table = cake.emmeans("recipe", by="temperature")
    (ax,) = plot.means(table, sort=True).axes
    expected, values = [], []
    for temperature in table.index.levels[0]:
        own = table.loc[temperature].sort_values("emmean", ascending=False)
        expected += [f"temperature {temperature}", *own.index]
        values += own["emmean"].tolist()
    assert labels(ax) == expected
    assert_allclose(drawn(ax)[0], values)


def test_comparisons_are_hollow_where_they_hold_no_difference(cake):
    table = cake.emmeans("temperature").pairs("tukey")
    (ax,) = plot.means(table).axes
    estimates, ends, filled = drawn(ax)
    assert_allclose(estimates, table["estimate"])
    assert_allclose(ends, table[["lower", "upper"]])
    assert filled == ((table["lower"] > 0) | (table["upper"] < 0)).tolist()
    assert ax.get_xlabel() == "difference"


def test_ratios_stand_on_a_logarithmic_axis_around_one():
    table = cbpp_fit().emmeans("period", scale="response").pairs()
    (ax,) = plot.means(table).axes
    assert (ax.get_xscale(), ax.get_xlabel()) == ("log", "odds ratio")
    estimates, _, filled = drawn(ax)
    assert_allclose(estimates, table["ratio"])
    assert filled == ((table["lower"] > 1) | (table["upper"] < 1)).tolist()
    assert any(np.allclose(line.get_xdata(), 1.0) for line in ax.lines)


def test_the_population_stands_beside_a_group_in_the_middle():
    table = cbpp_fit().marginal_means("period")
    figure = plot.means(table)
    estimates, _, _ = drawn(figure.axes[0])
    assert_allclose(estimates, table[["conditional", "marginal"]].to_numpy().ravel())
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["group in the middle", "population"]
    assert plot.means(table.pairs()).axes[0].get_xscale() == "log"


def test_contrasts_of_coefficients(cake):
    table = cake.contrasts(["recipe[T.B]", "recipe[T.C] - recipe[T.B]"])
    (ax,) = plot.means(table).axes
    assert_allclose(drawn(ax)[0], table["estimate"])
    assert labels(ax) == list(table.index)


def test_numbers_are_written_beside_the_rows_and_in_the_alt_text(cake):
    table = cake.emmeans("recipe")
    figure = plot.means(table)
    expected = [interval_text(*row) for row in table[["emmean", "lower", "upper"]].to_numpy()]
    assert [text.get_text() for text in figure.axes[0].texts] == expected
    assert (
        figure.alt == f"Estimated means with intervals: {'; '.join(map(' '.join, zip('ABC', expected, strict=True)))}."
    )


def test_a_mean_that_cannot_be_told_says_so():
    data = ms.datasets.load("cake").query("not (recipe == 'A' and temperature == '175')")
    fit = ms.lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", data)
    table = fit.emmeans("recipe")
    assert table["emmean"].isna().sum() == 1
    figure = plot.means(table)
    (ax,) = figure.axes
    assert "A cannot be told; B" in figure.alt
    assert len(drawn(ax)[0]) == 2
    assert "cannot be told" in [text.get_text() for text in ax.texts]


def test_interval_text_has_two_digits_of_half_the_width():
    assert interval_text(10.467, 7.206, 13.729) == "10.5 (7.2 to 13.7)"
    assert interval_text(-0.0123, -0.05, 0.025) == "−0.012 (−0.050 to 0.025)"
    assert interval_text(5.0, np.nan, np.nan) == "5"


def test_it_draws_on_given_axes(cake):
    figure, ax = plt.subplots()
    assert plot.means(cake.emmeans("recipe"), ax=ax) is figure


def test_what_is_no_such_table_is_refused(cake):
    with pytest.raises(ms.MixedsimError, match=r"plot\.means draws a table such as .* found LinearMixedModel"):
        plot.means(cake)
    with pytest.raises(ms.MixedsimError, match="must have a column emmean, estimate or ratio"):
        plot.means(cake.anova())
    with pytest.raises(ms.MixedsimError, match="draws 1 to 80 rows, found 153"):
        plot.means(cake.emmeans(["recipe", "temperature"]).pairs())
    assert not plt.get_fignums(), "no empty figure stays behind"
