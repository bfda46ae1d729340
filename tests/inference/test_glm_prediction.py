"""Errors of predicted linear predictors: against dense algebra and differences, for known, new and unmet levels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import block_diag

import mixedsim as ms
from mixedsim.inference.glm_prediction import predictor_variance
from mixedsim.inference.prediction_variance import Rows, prediction_variance
from mixedsim.models.generalized_covariance import joint_covariance
from tests.models.glmms import clinic


def crossed() -> pd.DataFrame:
    """90 rows: 12 groups crossed with 5 items, of which a group meets some."""
    rng = np.random.default_rng(2)
    g, h = rng.integers(0, 12, 90), rng.integers(0, 5, 90)
    h = np.where((g % 3 == 0) & (h == 4), 0, h)  # group 0, 3, 6, 9 never meet item 4
    x = rng.normal(size=90)
    eta = 0.5 + 0.4 * x + rng.normal(0, 0.7, 12)[g] + rng.normal(0, 0.5, 5)[h]
    return pd.DataFrame({"g": g, "h": h, "x": x, "n": rng.poisson(np.exp(eta))})


MODELS = {
    "one factor": lambda: ms.glmer("y ~ x + (1 | g)", clinic()),
    "a slope": lambda: ms.glmer("n ~ x + (x | g)", clinic(), "poisson"),
    "quadrature": lambda: ms.glmer("y ~ x + (1 | g)", clinic(), nagq=7),
    "another link": lambda: ms.glmer("y ~ x + (1 | g)", clinic(), ("binomial", "probit")),
    "a dispersion": lambda: ms.glmer("a ~ x + (1 | g)", clinic(), ("gamma", "log")),
    "crossed": lambda: ms.glmer("n ~ x + (1 | g) + (1 | h)", crossed(), "poisson"),
    "nested": lambda: ms.glmer("n ~ x + (1 | g / c)", clinic(), "poisson"),
}


def random_rows(fit: ms.GeneralizedLinearMixedModel, count: int = 60) -> Rows:
    """Rows with any combination of levels; a quarter of the levels takes no part, half of those is unknown."""
    rng = np.random.default_rng(5)
    shapes = fit.problem.layout.factors
    codes = [np.where(rng.random(count) < 0.75, rng.integers(0, s.levels, count), -1).astype(np.intp) for s in shapes]
    return Rows(
        x=rng.normal(size=(count, len(fit.coefficient_names))),
        z=[rng.normal(size=(count, s.effects)) for s in shapes],
        codes=codes,
        unknown=[(c < 0) & (rng.random(count) < 0.5) for c in codes],
        noise=np.zeros(count),
    )


def dense(fit: ms.GeneralizedLinearMixedModel, rows: Rows) -> np.ndarray:
    """z'ΛM⁻¹Λ'z with M written down, and J by differences of the modes found anew at other (θ, β)."""
    objective, at = fit.objective, fit.at
    z = np.zeros((len(rows.x), objective.rows.size))
    for own, codes, part, (_, q) in zip(rows.z, rows.codes, objective.rows.parts, objective.rows.shapes, strict=True):
        for i, code in enumerate(codes):
            if code >= 0:
                z[i, part.start + code * q : part.start + (code + 1) * q] = own[i]
    lam = block_diag(*(np.kron(np.eye(j), own) for (j, _), own in zip(objective.rows.shapes, at.lambdas, strict=True)))
    all_z = objective.rows.z.toarray()
    m = lam.T @ all_z.T @ (at.mode.point.fisher[:, None] * all_z) @ lam + np.eye(len(lam))
    given = np.einsum("ij,jk,ik->i", z, lam @ np.linalg.solve(m, lam.T), z)
    for own, unknown, part in zip(rows.z, rows.unknown, at.lambdas, strict=True):
        given += unknown * ((own @ part) ** 2).sum(axis=1)

    def eta(psi: np.ndarray) -> np.ndarray:
        moved = objective.evaluate(psi, at.u)
        return rows.x @ moved.beta + z @ objective.rows.scaled(moved.lambdas, moved.u)

    size, step = objective.parts()[1].stop, 1e-4
    moves = step * np.eye(len(at.psi))[:size]
    slopes = np.column_stack([(eta(at.psi + move) - eta(at.psi - move)) / (2 * step) for move in moves])
    return fit.sigma**2 * given + np.einsum("ij,jk,ik->i", slopes, joint_covariance(fit), slopes)


@pytest.mark.parametrize("name", MODELS)
def test_variances_are_those_of_dense_algebra(name: str) -> None:
    fit = MODELS[name]()
    rows = random_rows(fit)
    found = predictor_variance(fit.objective, fit.at, joint_covariance(fit), fit.sigma**2, rows)
    np.testing.assert_allclose(found, dense(fit, rows), rtol=2e-6)


def test_levels_that_never_met_are_solved_for() -> None:
    fit = MODELS["crossed"]()
    rows = random_rows(fit)
    met = set(zip(*(factor.codes.tolist() for factor in fit.design.factors), strict=True))
    asked = [pair for pair in zip(*(codes.tolist() for codes in rows.codes), strict=True) if min(pair) >= 0]
    assert any(pair not in met for pair in asked)
    assert any(pair in met for pair in asked)


def test_with_many_trials_it_is_what_the_linear_model_of_the_working_response_says() -> None:
    """Henderson's variance with θ known, of a linear model whose errors are 1/W."""
    rng = np.random.default_rng(4)
    g, x = np.repeat(np.arange(8), 6), rng.normal(size=48)
    trials = np.full(48, 10_000)
    share = 1 / (1 + np.exp(-(0.2 + 0.3 * x + rng.normal(0, 0.5, 8)[g])))
    data = pd.DataFrame({"g": g, "x": x, "k": rng.binomial(trials, share), "m": trials})
    fit = ms.glmer("k / m ~ x + (1 | g)", data, nagq=0)
    point = fit.at.mode.point
    working = fit.at.mode.eta + point.score / point.fisher
    linear = ms.lmer("w ~ x + (1 | g)", data.assign(w=working), weights=point.fisher, reml=False)
    rows = Rows(fit.objective.rows.x, [np.ones((48, 1))], [g], [np.zeros(48, dtype=bool)], np.zeros(48))
    own = predictor_variance(fit.objective, fit.at, joint_covariance(fit), 1.0, rows_in(fit, rows))
    # the linear model at the same standardised θ: θ σ is the standard deviation of the effects, σ 1
    theta = linear.problem.standard_theta(fit.theta)
    at = linear.objective.evaluate(theta)
    n = len(data)
    other = Rows(linear.rows.x.reshape(n, -1), [linear_z(linear)], [g], [np.zeros(n, dtype=bool)], np.zeros(n))
    expected = prediction_variance(linear.objective, at, other) / at.sigma2
    np.testing.assert_allclose(own, expected, rtol=1e-6)


def rows_in(fit: ms.GeneralizedLinearMixedModel, rows: Rows) -> Rows:
    """The rows with the fit's own scale of z."""
    return Rows(rows.x, [fit.problem.linear.varying[0] * z for z in rows.z], rows.codes, rows.unknown, rows.noise)


def linear_z(fit: ms.LinearMixedModel) -> np.ndarray:
    return np.ones((fit.nobs, 1)) @ fit.problem.varying[0]
