"""Profile intervals of generalised models: against R, against other roads to the same ends, and where they end."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import mixedsim as ms
from mixedsim.engine.glm_optimise import minimise_within
from mixedsim.errors import MixedsimError
from mixedsim.inference.glm_coordinates import GlmChart
from mixedsim.inference.glm_profile import glm_parameters
from mixedsim.inference.parameters import values_of
from mixedsim.models import GeneralizedLinearMixedModel
from tests.models.reference import CASES, MARKS

CHI2 = 3.841458820694124  # qchisq(0.95, 1)


def herds(**options: object) -> GeneralizedLinearMixedModel:
    return ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"), **options)


@cache
def visits() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(40), 15)
    x = rng.normal(size=600)
    b = rng.multivariate_normal([0, 0], [[0.6, 0.2], [0.2, 0.3]], 40)
    eta = 0.3 + 0.5 * x + b[group, 0] + b[group, 1] * x
    return pd.DataFrame(
        {
            "g": group.astype(str),
            "x": x,
            "n": rng.poisson(np.exp(eta)),
            "yes": (rng.random(600) < 1 / (1 + np.exp(-eta))).astype(int),
            "coin": rng.integers(0, 2, 600),
            "three": rng.choice(list("abc"), 600),
            "amount": rng.gamma(2, np.exp(eta) / 2),
        }
    )


@MARKS[0]
def test_intervals_are_rs() -> None:
    """R: ends of the exact profile of lme4's criterion by uniroot (reference, confint_profile)."""
    expect = CASES["cbpp_laplace"]["expect"]["confint_profile"]
    table = herds().confint("profile")
    width = (table["upper"] - table["lower"]).to_numpy()
    theirs = [expect[name] for name in ("(Intercept)", "period2", "period3", "period4", "sd_(Intercept)|herd")]
    off = (table[["lower", "upper"]].to_numpy() - np.array(theirs)) / width[:, None]
    np.testing.assert_allclose(off, 0, atol=1e-5)


@pytest.mark.parametrize("nagq", [1, 9])
def test_the_criterion_has_risen_by_the_quantile_at_the_ends(nagq: int) -> None:
    """The same ends by the engine's own constrained search, for a coefficient and the standard deviation."""
    fit = herds(nagq=nagq)
    at, transform = fit.at, fit.problem.linear.fixed.transform
    table = fit.confint("profile", parameters=["period[T.3]", "sd"])
    rows = {
        "period[T.3]": np.concatenate([[0.0], transform[2]]),
        "sd(Intercept | herd)": np.concatenate([fit.problem.linear.varying[0][0], np.zeros(4)]),
    }
    for name, row in rows.items():
        free = np.linalg.svd(row[None])[2][1:].T
        for end in table.loc[name, ["lower", "upper"]]:
            psi = at.psi + row * (end - row @ at.psi) / (row @ row)
            held = minimise_within(fit.objective, psi, at.u, free)
            assert held.evaluation.criterion - at.criterion == pytest.approx(CHI2, abs=1e-5)


@pytest.mark.parametrize("formula", ["n ~ x + (x | g)", "yes ~ x + (x | g)"])
def test_ends_of_slopes_and_correlations_are_constrained_minima(formula: str) -> None:
    """A general constrained minimiser that knows nothing of turned coordinates."""
    fit = ms.glmer(formula, visits(), family="poisson" if formula.startswith("n") else "binomial")
    parameters = glm_parameters(fit.design, fit.problem)
    chosen = [p for p in parameters if p.name in ("sd(x | g)", "corr(Intercept, x | g)")]
    table = fit.confint("profile", parameters=[p.name for p in chosen])
    begin = np.zeros(fit.objective.rows.size)
    for parameter in chosen:
        for end in table.loc[parameter.name, ["lower", "upper"]]:

            def gap(psi: np.ndarray, parameter=parameter, end=end) -> float:
                lambdas = fit.problem.layout.lambdas(psi[:3])
                return float(values_of([parameter], fit.problem.linear, lambdas, 1.0, psi[3:])[0]) - end

            def criterion(psi: np.ndarray) -> tuple[float, np.ndarray]:
                at = fit.objective.evaluate(psi, begin)
                return at.criterion, at.gradient

            found = minimize(
                criterion, fit.at.psi, jac=True, method="SLSQP", constraints={"type": "eq", "fun": gap},
                options={"ftol": 1e-11, "maxiter": 300},
            )  # fmt: skip
            assert found.fun - fit.at.criterion == pytest.approx(CHI2, abs=2e-4)


@pytest.mark.parametrize("name", ["x", "sd(x | g)", "corr(Intercept, x | g)"])
def test_gradients_in_turned_coordinates_are_those_of_differences(name: str) -> None:
    fit = ms.glmer("n ~ x + (x | g)", visits(), family="poisson")
    parameter = next(p for p in glm_parameters(fit.design, fit.problem) if p.name == name)
    chart = GlmChart(parameter, fit.problem, fit.objective, fit.optimum)
    rng = np.random.default_rng(5)
    for _ in range(2):
        psi = chart.best + rng.uniform(0.05, 0.15, len(chart.best))
        step = 1e-5
        moves = step * np.eye(len(psi))
        differences = [
            (chart.evaluate(psi + m).deviance - chart.evaluate(psi - m).deviance) / (2 * step) for m in moves
        ]
        gradient = chart.evaluate(psi).gradient
        np.testing.assert_allclose(differences, gradient, atol=1e-5 * np.abs(gradient).max())


def test_the_hessian_carried_over_is_that_of_the_coordinates() -> None:
    fit = ms.glmer("n ~ x + (x | g)", visits(), family="poisson")
    for parameter in glm_parameters(fit.design, fit.problem):
        chart = GlmChart(parameter, fit.problem, fit.objective, fit.optimum)
        first, step = chart.hessian.copy(), 1e-4
        moves = step * np.eye(len(chart.best))
        columns = [
            (chart.evaluate(chart.best + m).gradient - chart.evaluate(chart.best - m).gradient) / (2 * step)
            for m in moves
        ]
        np.testing.assert_allclose(first, columns, atol=1e-4 * np.abs(first).max())


def test_an_interval_ends_where_the_scale_does() -> None:
    singular = ms.glmer("coin ~ x + (1 | three)", visits())
    assert singular.singular
    lower, upper = singular.confint("profile", parameters="sd")[["lower", "upper"]].to_numpy()[0]
    assert lower == 0
    assert 0.1 < upper < 1
    slopes = ms.glmer("coin ~ x + (x | three)", visits()).confint("profile", parameters="corr")
    assert slopes[["lower", "upper"]].to_numpy().tolist() == [[-1.0, 1.0]]


def test_a_coefficient_that_separation_lets_run_away_has_one_end() -> None:
    """No success in the last period: Wald's interval says nothing, the likelihood knows an upper bound."""
    none = ms.datasets.load("cbpp").assign(incidence=lambda d: d["incidence"].where(d["period"] != "4", 0))
    fit = ms.glmer("incidence / size ~ period + (1 | herd)", none)
    assert "separation" in fit.messages[0]
    lower, upper = fit.confint("profile", parameters="period[T.4]").loc["period[T.4]", ["lower", "upper"]]
    assert lower == -np.inf
    assert -4 < upper < -2
    row = np.concatenate([[0.0], fit.problem.linear.fixed.transform[3]])
    psi = fit.at.psi + row * (upper - row @ fit.at.psi) / (row @ row)
    held = minimise_within(fit.objective, psi, fit.at.u, np.linalg.svd(row[None])[2][1:].T)
    assert held.evaluation.criterion - fit.at.criterion == pytest.approx(CHI2, abs=1e-4)


def test_standard_deviations_relative_to_a_dispersion_have_no_profile() -> None:
    fit = ms.glmer("amount ~ x + (1 | g)", visits(), family=("gamma", "log"))
    table = fit.confint("profile")
    assert table.loc["sd(Intercept | g)", ["lower", "upper"]].isna().all()
    assert table.loc["x", "lower"] < fit.fixef["x"] < table.loc["x", "upper"]


def test_units_of_the_data_do_not_matter() -> None:
    data = visits()
    one = ms.glmer("n ~ x + (x | g)", data, family="poisson").confint("profile")
    other = ms.glmer("n ~ x + (x | g)", data.assign(x=1000 * data["x"]), family="poisson").confint("profile")
    size = np.array([1, 1000, 1, 1000, 1])[:, None]
    np.testing.assert_allclose(size * other.to_numpy(), one.to_numpy(), rtol=1e-5)


def test_wider_levels_hold_narrower_ones_and_traces_rise() -> None:
    fit = herds()
    narrow, wide = fit.confint("profile", 0.5), fit.confint("profile", 0.99)
    assert (wide["lower"] < narrow["lower"]).all()
    assert (narrow["upper"] < wide["upper"]).all()
    profile = fit.profile(["period[T.2]", "sd"], level=0.95, points=3)
    for name, own in profile.table.groupby(level="parameter"):
        assert (own["value"].diff().dropna() > 0).all()
        assert own["zeta"].iloc[[0, -1]].tolist() == pytest.approx([-(CHI2**0.5), CHI2**0.5], abs=1e-3)
        np.testing.assert_allclose(own["deviance"], fit.deviance + own["zeta"] ** 2, atol=1e-8)
        np.testing.assert_allclose(profile.along.loc[name, name], own["value"], rtol=1e-9)
    pd.testing.assert_frame_equal(
        profile.confint(0.95), fit.confint("profile", parameters=["period[T.2]", "sd"])[["lower", "upper"]], rtol=1e-4
    )


def test_complaints() -> None:
    with pytest.raises(MixedsimError) as rough:
        herds(nagq=0).confint("profile")
    assert str(rough.value) == (
        "a fit with nagq=0 does not maximise the likelihood over the coefficients, so it has no profile: "
        "fit the model with nagq=1."
    )
    fit = herds()
    with pytest.raises(MixedsimError, match=r"the model has no parameter 'perod': did you mean 'period"):
        fit.confint("profile", parameters="perod")
    with pytest.raises(MixedsimError, match="level must lie between 0 and 1, found 95"):
        fit.confint("profile", 95)
    with pytest.raises(MixedsimError, match="points must be 1 or more on each side of the estimate, found 0"):
        fit.profile(points=0)
