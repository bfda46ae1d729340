"""Variances of prediction errors against dense algebra, for every structure and every combination of levels."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.engine import Objective, minimise
from mixedsim.inference import variance_parameters
from mixedsim.inference.prediction_variance import Rows, _CrossedJoint, prediction_df, prediction_variance
from mixedsim.inference.satterthwaite import satterthwaite_df
from tests.engine.cases import STRUCTURES, make

pytestmark = pytest.mark.usefixtures("shape")

EXACT = 1e-9  # relative: two factorisations of well-conditioned matrices


def solved(name: str, weighted: bool = False, seed: int = 7):
    """A case, its objective, and the profile at some θ with all kinds of entries."""
    case = make(name, weighted, seed=seed)
    objective = Objective(case.cp, case.layout, reml=True)
    theta = np.random.default_rng(1).uniform(0.2, 1.2, case.layout.size)
    return case, objective, objective.evaluate(theta)


def random_rows(case, count: int, seed: int = 3) -> Rows:
    """Rows with new values; a third of the levels takes no part, a third of those is unknown."""
    rng = np.random.default_rng(seed)
    shapes = case.layout.factors
    codes = [np.where(rng.random(count) < 0.7, rng.integers(0, s.levels, count), -1).astype(np.intp) for s in shapes]
    return Rows(
        x=rng.normal(size=(count, len(case.x))),
        z=[rng.normal(size=(count, s.effects)) for s in shapes],
        codes=codes,
        unknown=[(c < 0) & (rng.random(count) < 0.5) for c in codes],
        noise=rng.uniform(0, 2, count),
    )


def fitted_rows(case) -> Rows:
    n = len(case.y)
    return Rows(
        x=case.dense_x(),
        z=[np.column_stack([np.broadcast_to(c, n) for c in g.columns]) for g in case.groups],
        codes=[g.codes for g in case.groups],
        unknown=[np.zeros(n, dtype=bool) for _ in case.groups],
        noise=np.zeros(n),
    )


def dense_variance(case, at, rows: Rows) -> np.ndarray:
    """Henderson's equations, inverted as they stand: C = [X'WX, X'WZ; Z'WX, Z'WZ + G⁻¹]⁻¹."""
    lambdas = case.layout.lambdas(at.theta)
    x, z = case.dense_x(), np.hstack(case.dense_z())
    w = np.ones(len(case.y)) if case.weights is None else case.weights
    g_inverse = np.zeros((z.shape[1], z.shape[1]))
    start, sides = 0, []
    for own, codes, lam, g in zip(rows.z, rows.codes, lambdas, case.groups, strict=True):
        q = len(lam)
        end = start + g.levels * q
        g_inverse[start:end, start:end] = np.kron(np.eye(g.levels), np.linalg.inv(lam @ lam.T))
        side = np.zeros((len(codes), g.levels, q))
        known = codes >= 0
        side[np.flatnonzero(known), codes[known]] = own[known]
        sides.append(side.reshape(len(codes), -1))
        start = end
    t = np.hstack([x, z])
    c = t.T @ (w[:, None] * t)
    c[x.shape[1] :, x.shape[1] :] += g_inverse
    side = np.hstack([rows.x, *sides])
    out = np.einsum("na,ab,nb->n", side, np.linalg.inv(c), side) + rows.noise
    for own, unknown, lam in zip(rows.z, rows.unknown, lambdas, strict=True):
        out += unknown * ((own @ lam) ** 2).sum(axis=1)
    return at.sigma2 * out


@pytest.mark.parametrize("weighted", [False, True], ids=["equal weights", "weights"])
@pytest.mark.parametrize("name", STRUCTURES)
def test_fitted_rows_equal_hendersons_inverse(name, weighted):
    case, objective, at = solved(name, weighted)
    rows = fitted_rows(case)
    np.testing.assert_allclose(prediction_variance(objective, at, rows), dense_variance(case, at, rows), rtol=EXACT)


@pytest.mark.parametrize("name", STRUCTURES)
def test_any_combination_of_levels_equals_hendersons_inverse(name):
    case, objective, at = solved(name)
    rows = random_rows(case, 150)
    np.testing.assert_allclose(prediction_variance(objective, at, rows), dense_variance(case, at, rows), rtol=EXACT)


def test_chunks_change_nothing(monkeypatch):
    case, objective, at = solved("crossed with slopes on both")
    rows = random_rows(case, 150)
    whole = prediction_variance(objective, at, rows)
    monkeypatch.setattr("mixedsim.inference.prediction_variance._CHUNK", 7)
    monkeypatch.setattr(_CrossedJoint, "_CELLS", 60.0)
    np.testing.assert_allclose(prediction_variance(objective, at, rows), whole, rtol=1e-12)


@pytest.mark.parametrize("name", ["intercept and slope", "nested", "crossed"])
def test_population_means_have_the_degrees_of_freedom_of_their_contrast(name):
    case, objective, _ = solved(name)
    at = minimise(objective).profile
    parameters = variance_parameters(objective, at)
    n, p = 20, len(case.x)
    contrasts = np.random.default_rng(5).normal(size=(n, p))
    absent = [np.full(n, -1, dtype=np.intp) for _ in case.groups]
    z = [np.zeros((n, s.effects)) for s in case.layout.factors]
    rows = Rows(contrasts, z, absent, [np.zeros(n, dtype=bool) for _ in absent], np.zeros(n))
    expected = satterthwaite_df(objective, at, parameters, contrasts)
    # central differences with a step of 1e-4
    np.testing.assert_allclose(prediction_df(objective, at, parameters, rows), expected, rtol=1e-5)
