"""The deviance before the optimum: against dense algebra at fixed θ, then its derivatives against differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mixedsim.engine import Objective
from mixedsim.engine.dense import DenseBlocks
from mixedsim.engine.structure import crossed, nested
from tests.engine.cases import STRUCTURES, by_elimination, make

pytestmark = pytest.mark.usefixtures("shape")

# Two routes through some 1e4 sums of numbers around 1: rounding reaches 1e-12, a wrong term 1e-3.
EXACT = 1e-10
# Central differences with step 1e-5 are good to 1e-8 or so; the gradients here are of order 10 to 100.
DIFFERENCES = 1e-5
EVERY = [(name, reml, weighted) for name in STRUCTURES for reml in (True, False) for weighted in (False, True)]


def random_theta(case, seed=3):
    rng = np.random.default_rng(seed)
    return np.where(case.layout.diagonal, 1.0, 0.0) + 0.5 * rng.normal(size=case.layout.size)


def dense_deviance(case, theta, reml):
    v = case.dense_v(theta)
    x = case.dense_x()
    n, p = x.shape
    v_inverse = np.linalg.inv(v)
    w = x.T @ v_inverse @ x
    beta = np.linalg.solve(w, x.T @ v_inverse @ case.y) if p else np.empty(0)
    r = case.y - x @ beta
    r2 = r @ v_inverse @ r
    nu = n - p if reml else n
    out = np.linalg.slogdet(v)[1] + nu * (1 + np.log(2 * np.pi * r2 / nu))
    return out + (np.linalg.slogdet(w)[1] if reml and p else 0.0), beta


@pytest.mark.parametrize(("name", "reml", "weighted"), EVERY)
def test_deviance_and_beta_equal_dense_algebra(name, reml, weighted):
    case = make(name, weighted)
    theta = random_theta(case)
    ours = Objective(case.cp, case.layout, reml).evaluate(theta)
    theirs, beta = dense_deviance(case, theta, reml)
    assert ours.deviance == pytest.approx(theirs, abs=EXACT * abs(theirs))
    np.testing.assert_allclose(ours.beta, beta, atol=1e-9)


@pytest.mark.parametrize(("name", "reml", "weighted"), EVERY)
def test_gradient_equals_differences(name, reml, weighted):
    case = make(name, weighted)
    objective = Objective(case.cp, case.layout, reml)
    theta = random_theta(case)
    ours = objective.evaluate(theta).gradient
    steps = 1e-5 * np.eye(len(theta))
    theirs = [(objective.evaluate(theta + s).deviance - objective.evaluate(theta - s).deviance) / 2e-5 for s in steps]
    np.testing.assert_allclose(ours, theirs, atol=DIFFERENCES * np.abs(ours).max())


@pytest.mark.parametrize("name", STRUCTURES)
def test_gradient_is_right_where_a_factor_is_singular(name):
    case = make(name)
    objective = Objective(case.cp, case.layout, True)
    theta = random_theta(case)
    theta[0] = 0.0
    ours = objective.evaluate(theta).gradient
    steps = 1e-5 * np.eye(len(theta))
    theirs = [(objective.evaluate(theta + s).deviance - objective.evaluate(theta - s).deviance) / 2e-5 for s in steps]
    np.testing.assert_allclose(ours, theirs, atol=DIFFERENCES * max(1.0, np.abs(ours).max()))


@pytest.mark.parametrize(("name", "reml", "weighted"), EVERY)
def test_curvature_is_exact_where_it_says_so(name, reml, weighted):
    case = make(name, weighted)
    objective = Objective(case.cp, case.layout, reml)
    if len(case.groups) > 1:
        objective.blocks = DenseBlocks(case.cp)
    assert objective.exact
    theta = random_theta(case)
    ours = objective.curvature(objective.evaluate(theta))
    steps = 1e-5 * np.eye(len(theta))
    theirs = [(objective.evaluate(theta + s).gradient - objective.evaluate(theta - s).gradient) / 2e-5 for s in steps]
    np.testing.assert_allclose(ours, theirs, atol=DIFFERENCES * np.abs(ours).max())


def test_average_information_is_the_mean_of_exact_curvatures():
    """The two agree in expectation: over many responses of one design at the true θ, their means must meet."""
    case = make("crossed", rows=120)
    theta = np.array([0.9, 0.7])
    root = np.linalg.cholesky(case.dense_v(theta))
    rng = np.random.default_rng(5)
    average, exact = [], []
    for _ in range(150):
        again = replace(case, y=root @ rng.normal(size=len(case.y)))
        with by_elimination():
            objective = Objective(again.cp, case.layout, True)
        assert not objective.exact
        at = objective.evaluate(theta)
        average.append(objective.curvature(at))
        exact.append(objective.hessian(at))
    difference = np.array(average) - np.array(exact)
    error = difference.std(axis=0) / np.sqrt(len(difference))
    assert (np.abs(difference.mean(axis=0)) < 4 * error).all()


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("weighted", [False, True])
def test_chunks_add_up(name, weighted):
    case = make(name, weighted)
    theta = random_theta(case)
    whole = Objective(case.cp, case.layout, True).evaluate(theta)
    pieces = case.rows(slice(0, 70)) + case.rows(slice(70, 75)) + case.rows(slice(75, None))
    summed = Objective(pieces, case.layout, True).evaluate(theta)
    assert summed.deviance == pytest.approx(whole.deviance, abs=1e-9)
    np.testing.assert_allclose(summed.gradient, whole.gradient, atol=1e-8)


@pytest.mark.parametrize("name", [n for n, (_, nested, _) in STRUCTURES.items() if nested])
def test_nested_and_crossed_elimination_agree(name):
    case = make(name)
    objective = Objective(case.cp, case.layout, True)
    theta = random_theta(case)
    objective.blocks = nested(case.cp)
    one = objective.evaluate(theta)
    objective.blocks = crossed(case.cp)
    other = objective.evaluate(theta)
    assert other.deviance == pytest.approx(one.deviance, abs=1e-9)
    np.testing.assert_allclose(other.gradient, one.gradient, atol=1e-8)
    np.testing.assert_allclose(objective.curvature(other), objective.curvature(one), atol=1e-7)
    for a, b in zip(other.absorbed.covariances(), one.absorbed.covariances(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)


@pytest.mark.parametrize("name", STRUCTURES)
def test_modes_and_their_covariances_equal_dense_algebra(name):
    case = make(name, weighted=True)
    objective = Objective(case.cp, case.layout, True)
    theta = random_theta(case)
    at = objective.evaluate(theta)
    v_inverse = np.linalg.inv(case.dense_v(theta))
    residual = case.y - case.dense_x() @ at.beta
    z = np.concatenate(case.dense_z(), axis=1)
    lambdas = case.layout.lambdas(theta)
    relative = [np.kron(np.eye(g.levels), lam @ lam.T) for g, lam in zip(case.groups, lambdas, strict=True)]
    sizes = np.cumsum([len(r) for r in relative])[:-1]
    d = np.zeros((z.shape[1], z.shape[1]))
    start = 0
    for r in relative:
        d[start : start + len(r), start : start + len(r)] = r
        start += len(r)
    modes = np.split(d @ z.T @ v_inverse @ residual, sizes)
    conditional = d - d @ z.T @ v_inverse @ z @ d
    for own, theirs in zip(objective.modes(at), modes, strict=True):
        np.testing.assert_allclose(own.reshape(-1), theirs, atol=1e-9)
    start = 0
    for own, g in zip(at.absorbed.covariances(), case.groups, strict=True):
        q = len(g.columns)
        for j in range(g.levels):
            where = slice(start + j * q, start + (j + 1) * q)
            np.testing.assert_allclose(own[j], conditional[where, where], atol=1e-9)
        start += g.levels * q


def test_the_deviance_is_even_in_the_sign_of_a_column():
    case = make("intercept and slope")
    objective = Objective(case.cp, case.layout, True)
    theta = random_theta(case)
    turned = theta * np.array([-1.0, -1.0, 1.0])
    assert objective.evaluate(turned).deviance == pytest.approx(objective.evaluate(theta).deviance, abs=1e-10)
