"""Several factors and many responses at once: what each response gives alone."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.engine import Control, Objective, batch_fit, cross_products, minimise
from mixedsim.engine.batch_fit import minimise_many, objective_of, products_of, takes
from tests.engine.cases import STRUCTURES, make

SEVERAL = [name for name, (factors, _, _) in STRUCTURES.items() if len(factors) > 1]


def products(name, count, weighted, seed=2):
    """Some responses with variation between levels, some with hardly any."""
    rng = np.random.default_rng(seed)
    case = make(name, weighted)
    noise = rng.normal(size=(len(case.y), count))
    y = noise + case.y[:, None] * rng.uniform(0, 1, count)
    return cross_products(case.groups, case.x, y, case.weights), case.layout, rng


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize(("reml", "weighted"), [(True, False), (False, True)])
def test_deviance_gradient_and_curvature_are_those_of_one_response(name, reml, weighted):
    cp, layout, rng = products(name, 3, weighted)
    theta = rng.normal(size=(layout.size, 3))
    theta[0, 1] = 0.0
    found = objective_of(products_of(cp), layout, reml).evaluate(theta)
    for k in range(3):
        objective = Objective(cp.response(k), layout, reml)
        at = objective.evaluate(theta[:, k])
        assert found.deviance[k] == pytest.approx(at.deviance, rel=1e-12)
        assert found.r2[k] == pytest.approx(at.r2, rel=1e-11)
        np.testing.assert_allclose(found.beta[:, k], at.beta, rtol=0, atol=1e-11)
        np.testing.assert_allclose(found.gradient[:, k], at.gradient, rtol=1e-9, atol=1e-8)
        hessian = objective.hessian(at)  # by differences where there are many effects
        np.testing.assert_allclose(found.curvature[..., k], hessian, rtol=1e-5, atol=5e-6 * np.abs(hessian).max())


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("reml", [True, False])
def test_optima_are_those_of_each_alone(name, reml):
    cp, layout, _ = products(name, 6, False, seed=3)
    assert takes(layout, Control())
    found = minimise_many(products_of(cp), layout, reml, Control())
    assert found.settled.mean() > 0.6
    for k in map(int, np.flatnonzero(found.settled)):
        alone = minimise(Objective(cp.response(k), layout, reml)).profile
        assert found.deviance[k] == pytest.approx(alone.deviance, abs=1e-7)
        np.testing.assert_allclose(found.beta[:, k], alone.beta, atol=1e-6)
        for ours, theirs in zip(layout.lambdas(found.theta[:, k]), layout.lambdas(alone.theta), strict=True):
            np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=1e-6)


def test_portions_do_not_show(monkeypatch):
    cp, layout, _ = products("crossed with slopes on both", 5, False, seed=6)
    whole = minimise_many(products_of(cp), layout, True, Control())
    monkeypatch.setattr(batch_fit, "_CHUNK", 1)
    single = minimise_many(products_of(cp), layout, True, Control())
    np.testing.assert_allclose(single.theta, whole.theta, atol=1e-9)


def test_large_models_go_one_by_one(monkeypatch):
    _, layout, _ = products("crossed", 1, False)
    monkeypatch.setattr(batch_fit, "_DENSE", 10)
    assert not takes(layout, Control())
    assert not takes(layout, Control(optimizer="bfgs"))
