"""The unprofiled likelihood against dense algebra, coordinates against differences, curves against themselves."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

import mixedsim as ms
from mixedsim.engine import Layout, Objective, minimise
from mixedsim.engine.dense import DenseBlocks
from mixedsim.engine.turned import TurnedLayout
from mixedsim.engine.unprofiled import Likelihood
from mixedsim.inference.parameters import parameters_of, values_of
from mixedsim.inference.profile import likelihood_profile, profile_intervals
from mixedsim.inference.profile_curve import Curve
from mixedsim.inference.profile_parameters import Chart
from tests.engine.cases import STRUCTURES, Case, by_elimination, make


def dense(case: Case, layout: Layout, theta: np.ndarray, log_sigma: float, row=None, held: float = 0.0) -> float:
    """−2 log L with l'β held, by dense algebra: the least over β along the null space of l."""
    v = np.eye(len(case.y)) if case.weights is None else np.diag(1 / case.weights)
    for z, lam, g in zip(case.dense_z(), layout.lambdas(theta), case.groups, strict=True):
        half = z @ np.kron(np.eye(g.levels), lam)
        v = v + half @ half.T
    v = np.exp(2 * log_sigma) * v
    v_inverse = np.linalg.inv(v)
    x, y = case.dense_x(), case.y
    if row is not None:
        y = y - x @ (row * held / (row @ row))
        x = x @ np.linalg.svd(row[None, :])[2][1:].T
    if x.shape[1]:
        y = y - x @ np.linalg.solve(x.T @ v_inverse @ x, x.T @ v_inverse @ y)
    return float(len(y) * np.log(2 * np.pi) + np.linalg.slogdet(v)[1] + y @ v_inverse @ y)


def turned(layout: Layout, rng: np.random.Generator) -> TurnedLayout:
    """Any invertible basis, block-diagonal over terms."""
    bases = []
    for shape in layout.factors:
        basis, start = np.zeros((shape.effects, shape.effects)), 0
        for q in shape.terms:
            basis[start : start + q, start : start + q] = np.eye(q) + 0.5 * rng.normal(size=(q, q))
            start += q
        bases.append(basis)
    return TurnedLayout(layout.factors, bases)


def differences(f, at: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Central differences of a function of a vector, one row an element."""
    return np.array([(f(at + e) - f(at - e)) / (2 * step) for e in step * np.eye(len(at))])


# ---- engine: the unprofiled likelihood


@pytest.mark.usefixtures("shape")
@pytest.mark.parametrize("name", STRUCTURES)
def test_unprofiled_deviance_and_gradient_equal_dense_algebra_in_any_basis(name):
    rng = np.random.default_rng(4)
    case = make(name, weighted=True, rows=120)
    layout = turned(case.layout, rng)
    likelihood = Likelihood(Objective(case.cp, case.layout, True), layout)
    at = np.append(rng.normal(size=layout.size), [0.2, 0.7])
    row = rng.normal(size=case.cp.p) if case.cp.p else None

    def ours(v):
        return likelihood.unprofiled(v[:-2], v[-2], row, v[-1])

    got = ours(at)
    assert got.deviance == pytest.approx(dense(case, layout, at[:-2], 0.2, row, 0.7), rel=1e-10)
    slopes = differences(lambda v: dense(case, layout, v[:-2], v[-2], row, v[-1]), at)
    used = slice(None) if row is not None else slice(None, -1)
    np.testing.assert_allclose(got.gradient, slopes[used], atol=1e-6 * np.abs(slopes).max())
    if row is not None:
        assert row @ got.beta == pytest.approx(0.7)


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("hold", [True, False])
def test_unprofiled_hessian_equals_differences_of_the_gradient(name, hold):
    rng = np.random.default_rng(5)
    case = make(name, weighted=True)
    layout = turned(case.layout, rng)
    objective = Objective(case.cp, case.layout, False)
    if len(case.groups) > 1:
        objective.blocks = DenseBlocks(case.cp)
    likelihood = Likelihood(objective, layout)
    row = rng.normal(size=case.cp.p) if hold and case.cp.p else None
    at = np.append(rng.normal(size=layout.size), [0.2, 0.7][: 1 + (row is not None)])

    def ours(v):
        return likelihood.unprofiled(v[: layout.size], v[layout.size], row, v[-1])

    theirs = differences(lambda v: ours(v).gradient, at)
    np.testing.assert_allclose(ours(at).hessian, theirs, atol=1e-7 * np.abs(theirs).max())


@pytest.mark.parametrize("name", STRUCTURES)
def test_at_its_optimum_the_unprofiled_deviance_is_the_profiled_one(name):
    case = make(name)
    objective = Objective(case.cp, case.layout, False)
    best = minimise(objective).profile
    got = Likelihood(objective).unprofiled(best.theta, 0.5 * np.log(best.sigma2))
    assert got.deviance == pytest.approx(best.deviance, abs=1e-9)
    np.testing.assert_allclose(got.gradient, 0.0, atol=1e-3)
    np.testing.assert_allclose(got.beta, best.beta)


def test_a_turned_layout_knows_its_own_inverse():
    rng = np.random.default_rng(6)
    layout = turned(make("three crossed factors").layout, rng)
    theta = layout.canonical(rng.normal(size=layout.size))
    np.testing.assert_allclose(layout.theta(layout.lambdas(theta)), theta)


# ---- coordinates


@pytest.fixture(scope="module")
def slopes():
    return ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))


@pytest.fixture(scope="module")
def three_effects():
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(20), 9)
    x, z = rng.normal(size=(2, 180)) + 1
    b = rng.multivariate_normal(np.zeros(3), [[1, 0.3, 0], [0.3, 0.6, 0.2], [0, 0.2, 0.5]], 20)
    y = 2 + x + b[g, 0] + b[g, 1] * x + b[g, 2] * z + rng.normal(size=180)
    return ms.lmer("y ~ x + (x + z | g)", pd.DataFrame({"y": y, "x": x, "z": z, "g": g}))


def charts(fit):
    at = minimise(Likelihood(fit.objective), begin=fit.optimum.profile.theta).profile
    lambdas, log_sigma = fit.problem.layout.lambdas(at.theta), 0.5 * np.log(at.sigma2)
    parameters = parameters_of(fit.design, fit.problem)
    values = values_of(parameters, fit.problem, lambdas, np.exp(log_sigma), at.beta)
    for parameter, value in zip(parameters, values, strict=True):
        chart = Chart(parameter, fit.problem, fit.objective)
        yield chart, chart.coordinates(lambdas, log_sigma, at.beta), value, at


@pytest.mark.parametrize("which", ["slopes", "three_effects"])
def test_the_held_coordinate_is_the_parameter_and_the_rest_is_unchanged(which, request):
    for chart, psi, value, at in charts(request.getfixturevalue(which)):
        assert chart.value(psi[chart.held]) == pytest.approx(value), chart.parameter.name
        lambdas, sigma = chart.unturned(psi)
        assert sigma == pytest.approx(np.sqrt(at.sigma2))
        for ours, lam in zip(lambdas, chart.problem.layout.lambdas(at.theta), strict=True):
            np.testing.assert_allclose(ours @ ours.T, lam @ lam.T, atol=1e-12)
        assert chart.evaluate(psi).deviance == pytest.approx(at.deviance, abs=1e-9)


@pytest.mark.parametrize("which", ["slopes", "three_effects"])
def test_derivatives_by_the_coordinates_equal_differences(which, request):
    rng = np.random.default_rng(0)
    for chart, psi, _, _ in charts(request.getfixturevalue(which)):
        away = psi + 0.1 * rng.normal(size=len(psi))
        got = chart.evaluate(away)
        gradient = differences(lambda v, chart=chart: chart.evaluate(v).deviance, away)
        hessian = differences(lambda v, chart=chart: chart.evaluate(v).gradient, away)
        np.testing.assert_allclose(got.gradient, gradient, atol=1e-6 * np.abs(gradient).max())
        np.testing.assert_allclose(got.hessian, hessian, atol=1e-6 * np.abs(hessian).max())


# ---- curves


def test_zeta_reaches_the_quantile_at_the_ends_and_nowhere_before(slopes):
    profile = slopes.profile(level=0.9)
    quantile = ndtri(0.95)
    for name, curve in profile.table.groupby(level=0):
        zeta = curve["zeta"].to_numpy()
        assert (np.diff(curve["value"]) > 0).all(), name
        assert (np.diff(zeta) > 0).all(), name
        assert zeta[[0, -1]] == pytest.approx([-quantile, quantile], abs=1e-5), name
        assert np.diff(zeta).max() < 2 * quantile / 8 * 1.5, name
        np.testing.assert_allclose(curve["deviance"], curve["deviance"].min() + zeta**2, atol=1e-8)


def test_the_least_deviance_of_the_profile_is_that_of_the_ml_fit(slopes):
    ml = slopes.update(reml=False)
    profile = slopes.profile("fixed")
    assert profile.table["deviance"].min() == pytest.approx(ml.deviance, abs=1e-8)
    top = profile.along[profile.table["zeta"] == 0].iloc[0]
    assert top["Days"] == pytest.approx(ml.fixef["Days"])
    assert top["sigma"] == pytest.approx(ml.sigma)
    assert top["sd(Days | Subject)"] == pytest.approx(ml.covariances["Subject"].loc["Days", "Days"] ** 0.5)


def test_reml_and_ml_fits_have_the_same_profile(slopes):
    pd.testing.assert_frame_equal(
        slopes.confint()[["lower", "upper"]], slopes.update(reml=False).confint()[["lower", "upper"]], rtol=1e-6
    )


def test_a_coefficient_held_is_an_offset(slopes):
    """Two roads: the deviance at the lower end is that of the ML fit with the slope's part moved to the offset."""
    data = ms.datasets.load("sleepstudy")
    profile = slopes.profile("Days", points=1)
    value, deviance = profile.table.iloc[0][["value", "deviance"]]
    held = ms.lmer("Reaction ~ 1 + (Days | Subject)", data, offset=value * data["Days"], reml=False)
    assert held.deviance == pytest.approx(deviance, abs=1e-6)
    along = profile.along.iloc[0]
    assert along["Days"] == value
    assert along["Intercept"] == pytest.approx(held.fixef["Intercept"], rel=1e-6)
    # along the profile the others are known to a thousandth of a standard error
    assert along["sigma"] == pytest.approx(held.sigma, rel=1e-4)


def test_a_standard_deviation_of_zero_is_the_model_without_the_effect():
    data = ms.datasets.load("Dyestuff2")
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", data)
    profile = fit.profile("sd")
    assert profile.table.iloc[0][["value", "zeta"]].tolist() == [0.0, 0.0]
    y = data["Yield"].to_numpy()
    alone = len(y) * (1 + np.log(2 * np.pi * y.var()))
    assert profile.table.iloc[0]["deviance"] == pytest.approx(alone, abs=1e-8)


def test_holding_a_slopes_standard_deviation_at_zero_is_the_model_without_the_slope(slopes):
    without = ms.lmer("Reaction ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy"), reml=False)
    for chart, psi, _, _ in charts(slopes):
        if chart.parameter.name == "sd(Days | Subject)":
            curve = Curve(chart, psi)
            at_zero = curve.at(0.0, curve.top)
            shift = slopes.problem.deviance_shift(reml=False)
            assert at_zero.deviance + shift == pytest.approx(without.deviance, abs=1e-5)


def test_holding_the_correlation_at_zero_is_the_uncorrelated_model(slopes):
    uncorrelated = ms.lmer("Reaction ~ Days + (Days || Subject)", ms.datasets.load("sleepstudy"), reml=False)
    for chart, psi, _, _ in charts(slopes):
        if chart.parameter.kind == "corr":
            curve = Curve(chart, psi)
            shift = slopes.problem.deviance_shift(reml=False)
            assert curve.at(0.0, curve.top).deviance + shift == pytest.approx(uncorrelated.deviance, abs=1e-6)


def test_intervals_of_any_level_come_from_the_kept_curves(slopes):
    profile = slopes.profile(["sigma", "corr"], level=0.8)
    assert profile.parameters == ("corr(Intercept, Days | Subject)", "sigma")
    narrow, wide = profile.confint(0.5), profile.confint(0.999)
    assert (wide["lower"] < narrow["lower"]).all()
    assert (wide["upper"] > narrow["upper"]).all()
    exact = profile_intervals(
        slopes.design, slopes.problem, slopes.objective, slopes.optimum.profile, level=0.999, which=["sigma", "corr"]
    )
    pd.testing.assert_frame_equal(wide, exact, rtol=1e-6)


def test_a_profile_is_as_long_as_asked(slopes):
    at = slopes.optimum.profile
    profile = likelihood_profile(slopes.design, slopes.problem, slopes.objective, at, which="Days", points=3)
    assert len(profile.table) == 7
    assert profile.along.columns.tolist() == [p.name for p in parameters_of(slopes.design, slopes.problem)]


# ---- any data


KINDS = st.sampled_from(["one factor", "crossed", "crossed, by elimination"])


def small(seed: int, kind: str) -> ms.LinearMixedModel:
    """A small fit, singular as often as not."""
    rng = np.random.default_rng(seed)
    rows = 48
    g, h = np.repeat(np.arange(6), 8), rng.integers(0, 5, rows)
    x = rng.normal(size=rows)
    a, b = rng.normal(size=(2, 6)) * rng.choice([0.0, 0.3, 1.0], 2)[:, None]
    y = 1 + x + a[g] + b[g] * x + 0.7 * rng.normal(size=5)[h] + rng.normal(size=rows)
    data = pd.DataFrame({"y": y, "x": x, "g": g.astype(str), "h": h.astype(str)})
    with by_elimination() if "elimination" in kind else nullcontext():
        return ms.lmer("y ~ x + (x | g)" if kind == "one factor" else "y ~ x + (x | g) + (1 | h)", data)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), kind=KINDS)
def test_every_parameter_of_a_small_fit_has_an_interval_within_its_scale(seed, kind):
    fit = small(seed, kind)
    table = fit.confint()
    ml = fit.update(reml=False).confint("wald")["estimate"]
    assert np.isfinite(table[["lower", "upper"]].to_numpy()).all()
    for name, row in table.iterrows():
        assert row["lower"] <= row["upper"]
        if not np.isnan(ml[name]):
            slack = 1e-6 * max(1.0, abs(ml[name]))
            assert row["lower"] - slack <= ml[name] <= row["upper"] + slack
        if str(name).startswith("sd"):
            assert row["lower"] >= 0
        if str(name).startswith("corr"):
            assert row["lower"] >= -1
            assert row["upper"] <= 1


@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), kind=KINDS, start=st.integers(0, 100))
def test_no_other_start_finds_a_lower_deviance_at_the_ends(seed, kind, start):
    """The ends are roots of the least deviance, so that from anywhere else the search may not come out lower."""
    fit = small(seed, kind)
    rng = np.random.default_rng(start)
    for chart, psi, _, _ in charts(fit):
        curve = Curve(chart, psi)
        end = curve.end(1.96)
        here = curve.at(end, curve.top).deviance
        other = psi + 0.5 * np.abs(rng.normal(size=len(psi))) * (np.arange(len(psi)) < fit.problem.layout.size)
        other[chart.held] = end
        assert curve._settle(other).deviance > here - 1e-4, chart.parameter.name


@settings(max_examples=6, deadline=None, derandomize=True)
@given(shift=st.floats(-50, 50), scale=st.floats(1e-4, 1e4), size=st.floats(1e-4, 1e4))
def test_intervals_follow_shifts_and_scales_of_the_data(shift, scale, size):
    data = ms.datasets.load("sleepstudy")
    base = ms.lmer("Reaction ~ Days + (Days | Subject)", data).confint()
    moved = data.assign(Days=scale * data["Days"], Reaction=size * (data["Reaction"] + shift))
    table = ms.lmer("Reaction ~ Days + (Days | Subject)", moved).confint()
    ends = ["lower", "upper"]
    close = {"rtol": 1e-5, "atol": 1e-6}
    np.testing.assert_allclose(table.loc["Intercept", ends] / size - shift, base.loc["Intercept", ends], rtol=1e-5)
    for name, factor in {
        "Days": size / scale,
        "sd(Days | Subject)": size / scale,
        "sd(Intercept | Subject)": size,
        "sigma": size,
        "corr(Intercept, Days | Subject)": 1.0,
    }.items():
        np.testing.assert_allclose(table.loc[name, ends] / factor, base.loc[name, ends], **close)


def test_profile_intervals_cover_as_often_as_they_say():
    """Coverage of σ_b and the mean over 150 samples of 30 groups; its Monte-Carlo error is 1.8 points."""
    rng = np.random.default_rng(12)
    g = np.repeat(np.arange(30), 5)
    hits = np.zeros(2)
    for _ in range(150):
        y = 3 + 0.8 * rng.normal(size=30)[g] + rng.normal(size=150)
        fit = ms.lmer("y ~ 1 + (1 | g)", pd.DataFrame({"y": y, "g": g}))
        table = fit.confint(level=0.9, parameters=["Intercept", "sd"])
        hits += [table.iloc[k]["lower"] <= truth <= table.iloc[k]["upper"] for k, truth in enumerate((3.0, 0.8))]
    assert np.abs(hits / 150 - 0.9).max() < 4 * np.sqrt(0.9 * 0.1 / 150)
