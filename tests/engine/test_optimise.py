"""The optimiser arrives, says so truthfully, and finds zeros exactly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimize

from mixedsim.engine import Control, FactorShape, Grouping, Layout, Objective, cross_products, minimise
from mixedsim.engine.start import start
from tests.engine.cases import STRUCTURES, make


@pytest.mark.usefixtures("shape")
@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("reml", [True, False])
def test_no_other_optimiser_finds_a_lower_deviance(name, reml):
    case = make(name)
    objective = Objective(case.cp, case.layout, reml)
    ours = minimise(objective)
    assert ours.converged
    other = scipy_minimize(lambda t: objective.evaluate(t).deviance, start(case.cp, case.layout), method="Nelder-Mead",
                           options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 4000, "maxfev": 4000, "adaptive": True})
    assert ours.profile.deviance <= other.fun + 1e-7
    assert np.linalg.eigvalsh(ours.curvature).min() > -1e-6


def no_variation(levels=12, per=5, effects=1, seed=0):
    """Responses whose group means vary *less* than chance alone would make them: the estimate must be zero."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(levels), per)
    x = np.tile(np.linspace(-1, 1, per), levels)
    y = rng.normal(size=levels * per)
    columns = (1.0, x)[:effects]
    design = np.column_stack([np.broadcast_to(c, levels * per)[:per] for c in columns])
    project = design @ np.linalg.pinv(design)
    y = (y.reshape(levels, per) @ (np.eye(per) - 0.97 * project)).reshape(-1)
    group = Grouping(codes, levels, columns)
    return Objective(cross_products([group], [1.0, x], y), Layout([FactorShape(levels, (effects,))]), True)


@pytest.mark.parametrize("effects", [1, 2])
def test_a_singular_optimum_is_exactly_zero(effects):
    ours = minimise(no_variation(effects=effects))
    assert ours.converged
    np.testing.assert_array_equal(ours.profile.theta, 0.0)


def test_where_nothing_varies_the_score_says_that_more_variance_would_hurt():
    ours = minimise(no_variation())
    assert ours.profile.scores[0][0, 0] > 0


def test_starting_on_a_saddle_the_search_leaves_it():
    case = make("one intercept")
    objective = Objective(case.cp, case.layout, True)
    stationary = objective.evaluate(np.zeros(1))
    assert stationary.gradient[0] == 0
    ours = minimise(objective, begin=np.zeros(1))
    assert ours.converged
    assert ours.profile.theta[0] == pytest.approx(minimise(objective).profile.theta[0], abs=1e-6)


def test_too_few_iterations_are_reported_not_hidden():
    case = make("three effects")
    ours = minimise(Objective(case.cp, case.layout, True), control=Control(max_iterations=1))
    assert not ours.converged


def test_the_trace_tells_the_way():
    case = make("intercept and slope")
    ours = minimise(Objective(case.cp, case.layout, True))
    deviances = ours.trace[:, -2]
    assert (np.diff(deviances) <= 1e-9).all()
    assert ours.trace[-1, -1] < 1e-3 < ours.trace[0, -1]
    assert ours.evaluations < 20


@pytest.mark.parametrize("seed", range(12))
def test_small_and_often_singular_data_never_stop_short(seed):
    """Six groups with slopes and correlation: from ten random starts nothing better than ours is found."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(6), 6)
    x = rng.normal(size=36)
    y = rng.normal(size=6)[codes] * 0.5 + rng.normal(size=6)[codes] * 0.2 * x + rng.normal(size=36)
    group = Grouping(codes, 6, (1.0, x))
    objective = Objective(cross_products([group], [1.0, x], y), Layout([FactorShape(6, (2,))]), True)
    ours = minimise(objective)
    assert ours.converged
    best = min(minimise(objective, begin=rng.normal(size=3)).profile.deviance for _ in range(10))
    assert ours.profile.deviance <= best + 1e-6


def test_a_long_bent_valley_is_no_failure():
    """One effect nearly without variance and perfectly correlated: the last hundred steps gain less than 1e-8."""
    rng = np.random.default_rng([1, 6, 1])
    codes = np.repeat(np.arange(6), 20)
    worst = 0
    for _ in range(40):
        x = rng.normal(size=120)
        y = 0.4 * rng.normal(size=6)[codes] * x + rng.normal(size=120)
        group = Grouping(codes, 6, (1.0, x))
        objective = Objective(cross_products([group], [1.0, x], y), Layout([FactorShape(6, (2,))]), True)
        ours = minimise(objective)
        worst = max(worst, ours.evaluations)
        assert ours.converged
    assert worst > 20  # some of them are such valleys


@pytest.mark.usefixtures("shape")
@pytest.mark.parametrize("name", ["intercept and slope", "nested with slopes inside", "crossed with slopes on both"])
def test_what_the_stopping_rule_leaves_is_taken_by_a_few_more_steps(name):
    case = make(name)
    optimum = minimise(Objective(case.cp, case.layout, reml=True))
    # a gain of 1e-12 is 1e-6 standard errors away; the rule itself would have been content with 1e-10
    assert optimum.decrease < 1e-12
    asked = minimise(Objective(case.cp, case.layout, reml=True), control=Control(tolerance=1e-4))
    assert asked.decrease > 1e-14
    assert asked.evaluations < optimum.evaluations
