"""Where the search begins: exact for balanced designs, sensible for all."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.engine import FactorShape, Grouping, Layout, Objective, cross_products, minimise
from mixedsim.engine.start import start
from tests.engine.cases import STRUCTURES, make


def balanced(kind: str, seed: int = 1) -> Objective:
    """Complete designs with the same number of rows in every cell, all variances well above zero."""
    rng = np.random.default_rng(seed)
    a, b, x = (v.reshape(-1) for v in np.meshgrid(np.arange(12), np.arange(5), np.linspace(-1.0, 1.0, 3)))
    a, b = a.astype(np.intp), b.astype(np.intp)
    effects = rng.normal(size=(12, 2)) @ np.array([[1.0, 0.4], [0.0, 0.9]])
    y = effects[a, 0] + x + rng.normal(size=len(x))
    one, two = Grouping(a, 12, (1.0,)), Grouping(b, 5, (1.0,))
    shapes = [FactorShape(12, (1,)), FactorShape(5, (1,))]
    if kind != "one factor":
        y = y + 1.5 * rng.normal(size=5)[b]
    if kind == "slopes":
        y = y + effects[a, 1] * x
        one, shapes[0] = Grouping(a, 12, (1.0, x)), FactorShape(12, (2,))
    factors = 1 if kind == "one factor" else 2
    return Objective(cross_products([one, two][:factors], [1.0, x], y), Layout(shapes[:factors]), reml=True)


@pytest.mark.usefixtures("shape")
@pytest.mark.parametrize("kind", ["one factor", "crossed", "slopes"])
def test_moments_of_a_balanced_design_are_its_reml_estimates(kind, shape):
    objective = balanced(kind)
    theta = start(objective.cp, objective.layout, objective.blocks)
    slope = np.abs(objective.evaluate(theta).gradient).max()
    if shape == "by elimination":  # one factor at a time they are near
        assert slope > 1e-3
    else:
        assert slope < 1e-6
        assert minimise(objective).evaluations == 1


@pytest.mark.parametrize("name", STRUCTURES)
def test_no_start_is_at_a_zero_nor_far_away(name):
    case = make(name, weighted=True)
    objective = Objective(case.cp, case.layout, True)
    theta = start(case.cp, case.layout, objective.blocks)
    assert np.isfinite(theta).all()
    for lam in case.layout.lambdas(theta):
        values = np.linalg.eigvalsh(lam @ lam.T)
        assert values.min() > 0.049
        assert values.max() < 1.001e4


def test_moments_do_not_depend_on_the_fixed_effects():
    case = make("crossed", weighted=True)
    objective = Objective(case.cp, case.layout, True)
    there = start(case.cp, case.layout, objective.blocks)
    moved = cross_products(case.groups, case.x, case.y + 3.0 - 2.0 * case.x[1], case.weights)
    again = start(moved, case.layout, Objective(moved, case.layout, True).blocks)
    np.testing.assert_allclose(again, there, rtol=1e-8)


def test_a_saturated_design_starts_all_the_same():
    """More effects than rows: nothing is left within all factors at once."""
    rng = np.random.default_rng(3)
    a, b = rng.permutation(np.arange(24) % 12), rng.permutation(np.arange(24) % 10)
    groups = [Grouping(a, 12, (1.0, rng.normal(size=24))), Grouping(b, 10, (1.0,))]
    cp = cross_products(groups, [1.0], rng.normal(size=24))
    layout = Layout([FactorShape(12, (2,)), FactorShape(10, (1,))])
    objective = Objective(cp, layout, True)
    assert np.isfinite(objective.evaluate(start(cp, layout, objective.blocks)).deviance)


def test_a_small_variance_that_many_rows_tell_is_not_begun_from_afar():
    """2000 levels of 400 rows: a slope's variance of 0.004 of the residual's is known to a few per cent."""
    rng = np.random.default_rng(3)
    codes = np.repeat(np.arange(2000), 400)
    x = rng.normal(size=len(codes))
    effects = rng.normal(size=(2000, 2)) * [0.7, 0.063]
    y = effects[codes, 0] + effects[codes, 1] * x + rng.normal(size=len(codes))
    objective = Objective(
        cross_products([Grouping(codes, 2000, (1.0, x))], [1.0, x], y), Layout([FactorShape(2000, (2,))]), reml=True
    )
    begin = start(objective.cp, objective.layout)
    np.testing.assert_allclose(np.abs(begin[[0, 2]]), np.abs(minimise(objective).profile.theta[[0, 2]]), rtol=0.05)
