"""The forest of a study: what is drawn are means and quantiles of its replicates."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.style import LINES, PAPER, RUNGS
from tests.plot.studies import EIGHT, made_up, rows


@pytest.fixture(scope="module")
def study():
    return made_up(truth=EIGHT, bias={"naive": 1.5})


def dots(ax):
    found = [line for line in ax.lines if line.get_marker() == "o"]
    return sorted(found, key=lambda line: -line.get_ydata()[0])


def words(ax):
    return [text.get_text() for text in ax.texts]


def in_units(study, analysis, parameter, unit):
    own = rows(study, analysis, parameter)
    values = (own["estimate"] - own["truth"]) / rows(study, unit, parameter)["estimate"].std()
    return values.mean(), values.quantile([0.025, 0.975]).tolist()


def test_marks_are_means_and_lines_the_middle_of_the_estimates(study):
    (ax,) = plot.estimates(study).axes
    order = ["Intercept", "x", "z", "x:z", "sd(Intercept | g)", "sd(x | g)", "sigma", "corr(Intercept, x | g)"]
    expected = [in_units(study, analysis, name, "mixed") for name in order for analysis in ("naive", "mixed")]
    assert [dot.get_xdata()[0] for dot in dots(ax)] == pytest.approx([mean for mean, _ in expected])
    lines = sorted((one for one in ax.lines if one.get_linewidth() == 2.2), key=lambda one: -one.get_ydata()[0])
    assert np.array([one.get_xdata() for one in lines]) == pytest.approx(np.array([ends for _, ends in expected]))


def test_a_bias_beyond_monte_carlo_error_is_hollow(study):
    (ax,) = plot.estimates(study, parameters=["x", "z"]).axes
    hollow = [to_hex(dot.get_markerfacecolor()) == PAPER for dot in dots(ax)]
    assert hollow == [True, False, True, False]


def test_means_stand_beside_the_marks(study):
    (ax,) = plot.estimates(study, parameters="x").axes
    assert {"truth", "naive", "mixed", "3"} <= set(words(ax))
    assert f"{rows(study, 'naive')['estimate'].mean():.2f}" in words(ax)


def test_many_analyses_have_a_legend_and_the_colours_of_their_rungs():
    many = made_up(tuple(RUNGS), EIGHT, n=50)
    (ax,) = plot.estimates(many).axes
    handles = {text.get_text(): handle.get_color() for text, handle in zip(
        ax.get_legend().get_texts(), ax.get_legend().legend_handles, strict=True)}  # fmt: skip
    assert handles == dict(RUNGS)
    assert len(dots(ax)) == 48


def test_a_study_of_one_kind_each_has_the_colours_of_the_kinds():
    slopes = made_up(("b",), EIGHT).replicates
    intercepts = made_up(("a",), {"x": 3.0, "sd(Intercept | g)": 1.0, "sigma": 8.0}).replicates
    ordinary = made_up(("c",), {"x": 3.0, "sigma": 8.0}).replicates
    parts = (slopes, intercepts, ordinary)
    frame = pd.concat([part.astype({"analysis": str, "parameter": str, "kind": str}) for part in parts])
    (ax,) = plot.estimates(frame, parameters="x").axes
    expected = [LINES[kind].colour for kind in ("slopes", "intercepts", "complete")]
    assert [dot.get_color() for dot in dots(ax)] == expected


def test_what_lies_far_out_is_an_arrow():
    far = made_up(bias={"naive": -12})
    (ax,) = plot.estimates(far).axes
    assert f"{in_units(far, 'naive', 'x', 'mixed')[0]:+.0f}".replace("-", "−") in words(ax)


def test_what_cannot_be_held_against_a_truth_is_refused():
    with pytest.raises(ms.MixedsimError) as error:
        plot.estimates(made_up(n=1))
    assert str(error.value) == (
        "plot.estimates has nothing to draw: no parameter with a truth has two estimates that differ."
    )


def test_alt_text_says_mean_truth_and_failures():
    study = made_up(bias={"naive": 2}, failed=3)
    mean = rows(study, "naive")["estimate"].mean()
    assert plot.estimates(study).alt.startswith(
        "Estimates of 200 replicates against the truth. naive: 1 of 1 means differ from the truth by more than two "
        f"Monte-Carlo errors, the furthest is x, {mean:.2f} where the truth is 3, 3 of 200 fits failed. mixed: 0 of 1"
    )


def test_replicates_that_did_not_converge_do_not_count():
    study = made_up(("mixed",))
    wild = study.replicates.copy()
    wild.loc[wild["replicate"] < 20, "estimate"] = 1e6
    wild.loc[wild["replicate"] < 20, "converged"] = False
    kept = study.replicates[study.replicates["replicate"] >= 20]
    drawn, expected = (dots(plot.estimates(frame).axes[0])[0].get_xdata()[0] for frame in (wild, kept))
    assert drawn == pytest.approx(expected)


def test_a_real_study_is_drawn_with_the_numbers_of_its_summary():
    clinic = ms.scenarios.therapist_plain(therapists=10, patients=5)
    study = ms.study(clinic, {"OLS": "anxiety ~ depression", "mixed": clinic.formula}, n=20, seed=1)
    (ax,) = plot.estimates(study, parameters="depression").axes
    table = study.summary().xs("depression", level="parameter")
    expected = (table["mean"] - table["truth"]) / table.loc["mixed", "se_empirical"]
    assert [dot.get_xdata()[0] for dot in dots(ax)] == pytest.approx(expected.tolist())


def test_it_draws_on_given_axes(study):
    figure, axes = plt.subplots(1, 2)
    assert plot.estimates(study, ax=axes[1]) is figure
    assert not axes[0].lines


@pytest.mark.parametrize("picture", [plot.estimates, plot.sampling_distribution, plot.coverage, plot.p_values])
@pytest.mark.parametrize(
    ("given", "says"),
    [
        (3, "draws a study, as mixedsim.study returns it, found int"),
        (made_up().replicates.drop(columns="estimate"), "this table has no column 'estimate'"),
        (made_up().replicates.iloc[:0], "has no replicates to draw"),
    ],
)
def test_something_else_is_refused(picture, given, says):
    with pytest.raises(ms.MixedsimError, match=says):
        picture(given)
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"parameters": "y"}, "the study has no parameter 'y': known are"),
        ({"analyses": "naiv"}, "the study has no analysis 'naiv': did you mean 'naive'"),
        ({"analyses": []}, "no analysis was named: give one of naive and mixed, or leave it out"),
        ({"ax": 1}, "ax must be one matplotlib Axes, found int"),
    ],
)
def test_wrong_names_are_refused(study, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.estimates(study, **options)
    assert not plt.get_fignums()
