"""Curves through the points of a profile: against lme4, the likelihood itself, and where the answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

import mixedsim as ms
from mixedsim.inference.profile_contours import SmoothProfile, contour, trace

SD, SLOPES, CORR = "sd(Intercept | Subject)", "sd(Days | Subject)", "corr(Intercept, Days | Subject)"
BATCH = "sd(Intercept | Batch)"

# In R, with the package lme4:
# f <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy, REML = FALSE); pr <- profile(f, signames = FALSE)
# The contour that splom(pr) draws for a joint level of .95, lme4:::cont on the splines of pr with 721 segments, its
# range in both directions.
LME4 = {
    ("Intercept", "Days"): (233.7215, 269.0885, 6.461921, 14.47269),
    ("sigma", CORR): (22.30141, 29.77855, -0.5864635, 0.8236099),
    (SD, SLOPES): (12.26222, 42.53269, 3.412084, 9.821205),
}


@pytest.fixture(scope="module")
def sleep():
    return ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy")).profile()


@pytest.fixture(scope="module")
def dyestuff():
    return ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"), reml=False)


@pytest.mark.parametrize("pair", LME4, ids=" and ".join)
def test_contours_reach_as_far_as_those_of_lme4(sleep, pair):
    line = sleep.contour(*pair, 0.95)
    assert list(line.columns) == list(pair)
    reach = line.agg(["min", "max"]).to_numpy().T.ravel()
    assert reach == pytest.approx(LME4[pair], rel=5e-4)


def test_the_deviance_has_risen_by_the_quantile_along_a_contour(dyestuff):
    """Two variance parameters: everything else is β, in closed form. The sketch is exact at its four ends."""
    data = ms.datasets.load("Dyestuff")
    y = data["Yield"].to_numpy(dtype=float)
    z = pd.get_dummies(data["Batch"]).to_numpy(dtype=float)

    def deviance(sigma, sd):
        v = sd**2 * z @ z.T + sigma**2 * np.eye(30)
        inverse, one = np.linalg.inv(v), np.ones(30)
        r = y - (one @ inverse @ y) / (one @ inverse @ one)
        return 30 * np.log(2 * np.pi) + np.linalg.slogdet(v)[1] + r @ inverse @ r

    profile = dyestuff.profile(["sd", "sigma"], level=0.99, points=10)
    for level, off in ((0.5, 0.03), (0.8, 0.09)):
        line = profile.contour("sigma", BATCH, level).to_numpy()
        rise = np.array([deviance(*point) for point in line]) - dyestuff.deviance
        wanted = -2 * np.log(1 - level)
        assert rise.max() == pytest.approx(wanted, rel=3e-3)
        assert rise.min() > (1 - off) * wanted
        ends = line[[line[:, 0].argmin(), line[:, 0].argmax(), line[:, 1].argmin(), line[:, 1].argmax()]]
        assert [deviance(*end) - dyestuff.deviance for end in ends] == pytest.approx([wanted] * 4, rel=5e-3)


def test_a_parabola_has_an_ellipse():
    """Two coefficients with known variance: ζ is a straight line, each trace another, the contour the exact ellipse."""
    covariance = np.array([[4.0, -1.2], [-1.2, 1.0]])
    zetas = np.linspace(-3, 3, 13)
    rows, along = [], []
    for k, name in enumerate(("a", "b")):
        for zeta in zetas:
            value = 5.0 + zeta * np.sqrt(covariance[k, k])
            other = 5.0 + covariance[0, 1] / covariance[k, k] * (value - 5.0)
            rows.append((name, value, zeta))
            along.append((name, value, other) if k == 0 else (name, other, value))
    table = pd.DataFrame(rows, columns=["parameter", "value", "zeta"]).set_index("parameter")
    followed = pd.DataFrame(along, columns=["parameter", "a", "b"]).set_index("parameter")
    line = contour(table, followed, "a", "b", 2.0) - 5.0
    inverse = np.linalg.inv(covariance)
    assert np.einsum("ij,jk,ik->i", line, inverse, line) == pytest.approx(np.full(len(line), 4.0), rel=1e-6)


def test_a_curve_runs_through_its_points_and_back(sleep):
    for name in sleep.parameters:
        curve = SmoothProfile.of(sleep.table, name)
        assert curve.zeta(curve.points) == pytest.approx(curve.zetas, abs=1e-12)
        assert curve.value(curve.zetas) == pytest.approx(curve.points, rel=1e-5)
        between = 0.5 * (curve.points[3] + curve.points[4])
        step = 1e-5 * abs(between)
        numeric = (curve.zeta(np.array([between + step])) - curve.zeta(np.array([between - step]))) / (2 * step)
        assert curve.slope(np.array([between])) == pytest.approx(numeric, rel=1e-5)


@pytest.mark.parametrize("name", ["Days", SLOPES, CORR, "sigma"])
def test_between_the_points_the_curve_is_the_profile(sleep, name):
    """The ends of an interval to which no point was set, from the exact roots."""
    curve = SmoothProfile.of(sleep.table, name)
    for level in (0.3, 0.9):
        ends = sleep.confint(level).loc[name].to_numpy()
        height = ndtri(0.5 + level / 2)
        assert curve.zeta(ends) == pytest.approx([-height, height], abs=2e-3)


def test_a_density_holds_the_level_to_which_the_curve_goes(sleep):
    for name in sleep.parameters:
        curve = sleep.density(name, 2001)
        assert np.trapezoid(curve["density"], curve["value"]) == pytest.approx(0.99, abs=2e-3)
        lower, upper = sleep.confint(0.8).loc[name]
        inside = curve[curve["value"].between(lower, upper)]
        assert np.trapezoid(inside["density"], inside["value"]) == pytest.approx(0.8, abs=5e-3)


def test_a_trace_is_where_the_other_parameter_was(sleep):
    x, y = trace(sleep.table, sleep.along, "sigma", CORR)
    assert x.tolist() == sleep.table.loc["sigma", "value"].tolist()
    assert y.tolist() == sleep.along.loc["sigma", CORR].tolist()


def test_a_region_that_reaches_the_end_of_a_scale_is_open_there(dyestuff):
    profile = dyestuff.profile()
    line = profile.contour("Intercept", BATCH, 0.95)
    gap = line.isna().any(axis=1)
    assert gap.any()
    assert not profile.contour("Intercept", BATCH, 0.5).isna().any(axis=None)
    assert line[BATCH].min() >= 0


def test_a_flat_likelihood_has_no_contour():
    """Slopes that follow their intercepts exactly: every correlation is about as likely as 1."""
    rng = np.random.default_rng(1)
    g, x = np.repeat(np.arange(20), 6), np.tile(np.arange(6.0), 20)
    y = 1 + x + rng.normal(0, 1, 20)[g] * (1 + 0.5 * x) + rng.normal(0, 2, 120)
    profile = ms.lmer("y ~ x + (x | g)", {"y": y, "x": x, "g": g.astype(str)}).profile()
    assert abs(profile.table.loc["corr(Intercept, x | g)", "zeta"]).max() < 1.2
    assert profile.contour("sigma", "corr(Intercept, x | g)").isna().all(axis=None)
    assert not profile.contour("sigma", "x").isna().any(axis=None)


def test_contours_of_a_generalised_model():
    fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
    line = fit.profile(["Intercept", "sd"], points=5).contour("Intercept", "sd(Intercept | herd)", 0.5)
    assert line["Intercept"].min() < fit.fixef["Intercept"] < line["Intercept"].max()
    assert not line.isna().any(axis=None)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda p: p.contour("Days", "days"), "the profile has no parameter 'days': did you mean 'Days'"),
        (lambda p: p.contour("Days", "Days"), "a contour is that of two parameters, found 'Days' twice"),
        (
            lambda p: p.contour("Days", "sigma", 0.99),
            "a joint region of 99 % needs profiles to a level of 0.9976 or more",
        ),
        (lambda p: p.contour("Days", "sigma", 95), "level must lie between 0 and 1"),
        (lambda p: p.density("Subject"), "the profile has no parameter 'Subject'"),
    ],
)
def test_mistakes_are_named(sleep, ask, says):
    with pytest.raises(ms.MixedsimError, match=says):
        ask(sleep)
