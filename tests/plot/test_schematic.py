"""The diagram of models: groups have exactly the moments that were given."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.style import LINES

GIVEN = {"intercept": 251.0, "slope": 10.5, "sd_intercept": 24.7, "sd_slope": 5.9, "corr": -0.4, "x": (0, 9)}


def lines(ax):
    """Intercept and slope of the thin lines, and of the bold one."""
    found = [(y[0], (y[1] - y[0]) / 9) for y in (np.asarray(line.get_ydata()) for line in ax.lines)]
    return np.array(found[:-1]), np.array(found[-1])


@pytest.mark.parametrize("groups", [3, 4, 5, 7, 20])
def test_groups_have_the_moments_that_were_given(groups):
    axes = plot.models(**GIVEN, groups=groups).axes
    for ax, sds in zip(axes, ([24.7, 0], [0, 5.9], [24.7, 5.9]), strict=True):
        thin, bold = lines(ax)
        assert thin.shape == (groups, 2)
        assert_allclose(thin.mean(axis=0), [251, 10.5], rtol=1e-9)
        assert_allclose(thin.std(axis=0), sds, rtol=1e-9, atol=1e-9)
        assert_allclose(bold, [251, 10.5], rtol=1e-9)
    assert np.corrcoef(thin.T)[0, 1] == pytest.approx(-0.4)


def test_colours_and_titles_say_what_varies():
    axes = plot.models(("none", "intercepts", "slopes", "both")).axes
    names = ("complete", "intercepts", "slopes", "slopes")
    assert [ax.lines[-1].get_color() for ax in axes] == [LINES[name].colour for name in names]
    assert [ax.get_title(loc="left").split("\n")[1] for ax in axes] == [
        "y ~ x", "y ~ x + (1 | g)", "y ~ x + (0 + x | g)", "y ~ x + (1 + x | g)"
    ]  # fmt: skip
    assert len(axes[0].lines) == 1


def test_the_alt_text_has_the_parameters():
    assert plot.models("both", **GIVEN).alt == (
        "Diagram of a model: both vary: the population's line has intercept 251 and slope 10.5; 7 thin lines, sd of "
        "intercepts 24.7, sd of slopes 5.9, correlation −0.4."
    )


def test_it_draws_on_given_axes():
    figure, ax = plt.subplots()
    assert plot.models("intercepts", ax=ax) is figure


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"kinds": "random"}, "kinds may hold 'none', 'intercepts', 'slopes', 'both', found 'random'"),
        ({"kinds": []}, "kinds is empty"),
        ({"sd_slope": -1.0}, "sd_slope must be a standard deviation, 0 or more, found -1.0"),
        ({"corr": 2.0}, "corr must lie between -1 and 1, found 2.0"),
        ({"groups": 2}, "groups must be at least 3, found 2"),
        ({"slope": np.inf}, "intercept and slope must be finite numbers"),
        ({"x": (3, 3)}, "x must be where the lines begin and end"),
    ],
)
def test_mistakes_are_named(options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.models(**options)
    assert not plt.get_fignums(), "no empty figure stays behind"


def test_axes_for_several_kinds_are_refused():
    _, ax = plt.subplots()
    with pytest.raises(ms.MixedsimError, match="ax has room for one kind, found 3"):
        plot.models(ax=ax)
