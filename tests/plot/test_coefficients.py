"""The forest: coefficients and intervals of one or several fits."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.intervals_down import folded
from mixedsim.plot.style import LINES, RUNGS, TRUTH
from tests.models.glmms import cbpp_fit
from tests.plot.test_estimated_means import drawn, labels


@pytest.fixture(scope="module")
def school():
    return ms.lmer("lang ~ IQ + SES + COMB + GS + (IQ | class)", ms.datasets.load("nlschools"))


@pytest.fixture(scope="module")
def clinic():
    return ms.scenarios.therapist_confounder(therapists=20, patients=5).draw(seed=1)


@pytest.fixture(scope="module")
def ladder(clinic):
    return ms.ladder(clinic, "anxiety ~ depression + sex", "therapist")


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "wald"])
def test_estimates_and_intervals_are_those_of_the_table(school, ddf):
    (ax,) = plot.forest(school, ddf=ddf, level=0.9).axes
    table = school.coefficients(ddf, 0.9).drop(index="Intercept")
    estimates, ends, filled = drawn(ax)
    assert labels(ax) == list(table.index)
    assert_allclose(estimates, table["estimate"])
    assert_allclose(ends, table[["lower", "upper"]])
    assert filled == ((table["lower"] > 0) | (table["upper"] < 0)).tolist()
    assert ax.get_xlabel() == "coefficients, 90 % intervals"


def test_terms_and_the_intercept(school):
    (ax,) = plot.forest(school, terms=["SES", "IQ"]).axes
    assert labels(ax) == ["SES", "IQ"]
    (ax,) = plot.forest(school, intercept=True).axes
    assert labels(ax)[0] == "Intercept"


def test_ratios_of_a_generalised_model():
    figure = plot.forest(cbpp_fit(), exponentiate=True, truth={"period[T.2]": -1.0})
    (ax,) = figure.axes
    table = cbpp_fit().ratios().drop(index="Intercept")
    estimates, ends, _ = drawn(ax)
    assert_allclose(estimates, table["ratio"])
    assert_allclose(ends, table[["lower", "upper"]])
    assert (ax.get_xscale(), ax.get_xlabel()) == ("log", "odds ratios, 95 % intervals")
    ghosts = [line for line in ax.lines if line.get_label() == TRUTH.label]
    assert_allclose([line.get_xdata()[0] for line in ghosts], [np.exp(-1)])


def test_several_fits_stand_below_each_other_in_colours_of_their_own(school):
    plain = school.update(". ~ . - (IQ | class) + (1 | class) - SES")
    figure = plot.forest({"with SES": school, "without": plain})
    (ax,) = figure.axes
    first, second = (fit.coefficients() for fit in (school, plain))
    expected = []
    for name in ("IQ", "SES", "COMB[T.1]", "GS"):
        expected += [table.loc[name, "estimate"] for table in (first, second) if name in table.index]
    assert_allclose(drawn(ax)[0], expected)
    marks = [line for line in ax.lines if line.get_marker() == "o"]
    assert len({line.get_color() for line in marks}) == 2
    heights = [float(line.get_ydata()[0]) for line in marks]
    assert heights == sorted(heights, reverse=True)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["with SES", "without"]


def test_rungs_of_a_ladder_keep_their_colours_and_the_truth_is_a_ghost(ladder, clinic):
    figure = plot.forest(ladder.fits, terms=["depression"], truth=clinic)
    (ax,) = figure.axes
    marks = [line for line in ax.lines if line.get_marker() == "o"]
    names = [name for name in ladder.fits if name != "within-between"]
    assert [line.get_color() for line in marks] == [RUNGS[name] for name in names]
    expected = ladder.of("depression").loc[names, "estimate"]
    assert_allclose([float(line.get_xdata()[0]) for line in marks], expected)
    (ghost,) = [line for line in ax.lines if line.get_label() == TRUTH.label]
    assert_allclose(ghost.get_xdata(), 3.0)
    low, high = sorted(ghost.get_ydata())
    assert all(low < float(line.get_ydata()[0]) < high for line in marks)
    assert figure.alt.endswith("in truth 3.")


def test_a_rung_beside_another_fit_keeps_its_colour(school):
    figure = plot.forest({"varying slopes": school, "other": school})
    marks = [line for line in figure.axes[0].lines if line.get_marker() == "o"][:2]
    assert marks[0].get_color() == LINES["slopes"].colour
    assert marks[1].get_color() != marks[0].get_color()
    marks = plot.forest({"lm": school, "OLS": school}, terms="IQ").axes[0].lines
    colours = [line.get_color() for line in marks if line.get_marker() == "o"]
    assert colours[0] == RUNGS["OLS"] != colours[1]


def test_the_alt_text_has_every_number(school):
    said = plot.forest(school, terms="IQ").alt
    row = school.coefficients().loc["IQ"]
    assert said == (
        f"Coefficients with 95 % intervals: IQ {row['estimate']:.2f} ({row['lower']:.2f} to {row['upper']:.2f})."
    )


def test_an_interval_much_wider_than_the_others_ends_in_an_arrow():
    data = ms.datasets.load("cbpp").assign(k=lambda d: (d["herd"] == "1").astype(float), z=np.tile([0.0, 1.0], 28))
    data.loc[data["k"] == 1, "incidence"] = 0  # separated: its interval has no end worth showing
    fit = ms.glmer("incidence / size ~ k + z + period + (1 | herd)", data)
    (ax,) = plot.forest(fit).axes
    assert fit.coefficients().loc["k", "se"] > 100
    heads = [line for line in ax.lines if line.get_marker() in ("<", ">")]
    assert {float(line.get_ydata()[0]) for line in heads} == {0.0}
    assert np.ptp(ax.get_xlim()) < 100


def test_long_names_are_folded_and_keep_their_letters():
    name = "treatment_received_by_the_patient[T.drug one at the high dose]"
    assert folded(name).replace("\n", "") == name
    assert max(map(len, folded(name).split("\n"))) <= 32
    assert folded("Days") == "Days"


def test_a_narrow_range_of_ratios_has_ticks_too():
    fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp").query("period in ['2', '3']"))
    (ax,) = plot.forest(fit, exponentiate=True, level=0.2).axes
    assert len(ax.get_xticks()) >= 3


def test_a_singular_fit_draws():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2"))
    assert_allclose(drawn(plot.forest(fit, intercept=True).axes[0])[0], fit.fixef)


def test_it_draws_on_given_axes(school):
    figure, ax = plt.subplots()
    assert plot.forest({"a": school, "b": school}, ax=ax) is figure
    assert ax.get_legend() is not None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"terms": "Iq"}, r"terms names 'Iq', which is no coefficient: did you mean 'IQ'\?"),
        ({"terms": []}, "terms is empty"),
        ({"exponentiate": True}, "the linear model has no ratios: leave exponentiate out"),
        ({"level": 95}, "level must lie between 0 and 1"),
        ({"truth": {"Dose": 1}}, "truth names 'Dose', which is no coefficient"),
        ({"truth": {"IQ": "2"}}, "truth must be numbers, found '2' for 'IQ'"),
    ],
)
def test_mistakes_are_named(school, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.forest(school, **options)
    assert not plt.get_fignums(), "no empty figure stays behind"


def test_nothing_to_draw_is_said():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))
    with pytest.raises(ms.MixedsimError, match="the model has the intercept alone: set intercept=True"):
        plot.forest(fit)
    with pytest.raises(ms.MixedsimError, match="draws fitted models, found none"):
        plot.forest({})
    with pytest.raises(ms.MixedsimError, match="draws fitted models, found str"):
        plot.forest({"a": "b"})
