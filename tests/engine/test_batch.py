"""Many responses at once give what each gives alone."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.engine import Control, Objective, cross_products, minimise
from mixedsim.engine import batch as engine_batch
from mixedsim.engine.batch import ManyResponses, newton
from tests.engine.cases import make

ONE_FACTOR = [
    "one intercept", "intercept and slope", "three effects", "uncorrelated intercept and slope", "no fixed effects",
]  # fmt: skip


def responses(case, count, rng):
    """Some with variation between levels, some with hardly any."""
    noise = rng.normal(size=(len(case.y), count))
    return noise + case.y[:, None] * rng.uniform(0, 1, count)


@pytest.mark.parametrize("name", ONE_FACTOR)
@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_deviance_gradient_and_curvature_are_those_of_one_response(name, reml, weighted):
    rng = np.random.default_rng(2)
    case = make(name, weighted)
    cp = cross_products(case.groups, case.x, responses(case, 4, rng), case.weights)
    thetas = rng.normal(size=(2, case.layout.size))
    thetas[1, 0] = 0.0
    which = np.array([3, 1])
    found = ManyResponses(cp, case.layout, reml).evaluate(thetas, which)
    for i, k in enumerate(which):
        objective = Objective(cp.response(k), case.layout, reml)
        at = objective.evaluate(thetas[i])
        assert found.deviance[i] == pytest.approx(at.deviance, rel=1e-12)
        assert found.r2[i] == pytest.approx(at.r2, rel=1e-11)
        np.testing.assert_allclose(found.beta[i], at.beta, rtol=0, atol=1e-11)
        np.testing.assert_allclose(found.gradient[i], at.gradient, rtol=1e-9, atol=1e-9)
        curvature = objective.curvature(at)
        np.testing.assert_allclose(found.curvature[i], curvature, rtol=1e-9, atol=1e-9 * np.abs(curvature).max())


@pytest.mark.parametrize("name", ONE_FACTOR)
@pytest.mark.parametrize("reml", [True, False])
def test_what_is_settled_is_the_optimum(name, reml):
    rng = np.random.default_rng(3)
    case = make(name)
    cp = cross_products(case.groups, case.x, responses(case, 40, rng))
    begin = case.layout.canonical(np.where(case.layout.diagonal, 0.5, 0.0))
    found = newton(ManyResponses(cp, case.layout, reml), begin, Control())
    optima = [minimise(Objective(cp.response(k), case.layout, reml)) for k in range(40)]
    inside = np.array([np.abs(o.profile.theta[case.layout.diagonal]).min() > 0.01 for o in optima])
    assert found.settled[inside].mean() > 0.8
    assert inside.sum() > 5
    for k in np.flatnonzero(found.settled):
        alone = optima[k]
        assert found.deviance[k] == pytest.approx(alone.profile.deviance, abs=1e-8)
        np.testing.assert_allclose(found.theta[k], alone.profile.theta, atol=1e-5)
        np.testing.assert_allclose(found.beta[k], alone.profile.beta, atol=1e-6)


def test_nothing_on_the_boundary_is_called_settled():
    rng = np.random.default_rng(4)
    case = make("intercept and slope")
    y = rng.normal(size=(len(case.y), 60))  # nothing varies between levels: many zeros
    cp = cross_products(case.groups, case.x, y)
    found = newton(ManyResponses(cp, case.layout, True), np.array([0.3, 0.0, 0.3]), Control())
    alone = [minimise(Objective(cp.response(k), case.layout, True)).profile.theta for k in range(60)]
    singular = np.array([min(abs(t[0]), abs(t[2])) < 1e-3 for t in alone])
    assert singular.sum() > 5
    assert not found.settled[singular].any()


def test_portions_do_not_show(monkeypatch):
    rng = np.random.default_rng(5)
    case = make("intercept and slope")
    cp = cross_products(case.groups, case.x, responses(case, 9, rng))
    begin = np.array([0.5, 0.0, 0.5])
    whole = newton(ManyResponses(cp, case.layout, True), begin, Control())
    monkeypatch.setattr(engine_batch, "_CHUNK", 1)
    single = newton(ManyResponses(cp, case.layout, True), begin, Control())
    np.testing.assert_allclose(single.theta, whole.theta, atol=1e-9)
    np.testing.assert_array_equal(single.settled, whole.settled)
