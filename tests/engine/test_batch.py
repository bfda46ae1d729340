"""Many replicates at once give what each gives alone."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.engine import Control, FactorShape, Grouping, Layout, Objective, batch_fit, cross_products, minimise
from mixedsim.engine.batch import newton
from mixedsim.engine.batch_cells import OneFactor
from mixedsim.engine.batch_fit import minimise_many, products_of, starts
from mixedsim.engine.batch_products import Classes, ManyProducts
from mixedsim.engine.start import start
from tests.engine.cases import make

ONE_FACTOR = [
    "one intercept", "intercept and slope", "three effects", "uncorrelated intercept and slope", "no fixed effects",
]  # fmt: skip
# groups, rows a group (None: between 3 and 12), effects by term, fixed effects, sd of the effects
SMALL = {
    "intercepts": (6, 10, (1,), 2, 0.3),
    "slopes, balanced": (6, 10, (2,), 2, 0.3),
    "slopes of many groups": (30, 8, (2,), 2, 0.5),
    "two terms, unbalanced": (7, None, (1, 1), 3, 0.3),
    "slopes, unbalanced": (8, None, (2,), 1, 0.2),
    "three effects": (9, 12, (3,), 1, 0.3),
    "two and one": (9, 12, (2, 1), 2, 0.3),
    "nothing varies": (6, 8, (2,), 1, 0.0),
}


def responses(case, count, rng):
    """Some with variation between levels, some with hardly any."""
    noise = rng.normal(size=(len(case.y), count))
    return noise + case.y[:, None] * rng.uniform(0, 1, count)


def small(name, count, seed):
    """Cross-products of a small design, standardised, and where θ stands."""
    groups, size, terms, p, sd = SMALL[name]
    rng = np.random.default_rng(seed)
    sizes = rng.integers(3, 13, groups) if size is None else np.full(groups, size)
    codes = np.repeat(np.arange(groups), sizes)
    n = len(codes)
    within = np.concatenate([np.linspace(-1.5, 1.5, k) for k in sizes])
    columns = (1.0, within, within**2 - 1.0)[: sum(terms)]
    x = (1.0, within, rng.normal(size=groups)[codes])[:p]
    y = rng.normal(size=(n, count))
    for column in columns:
        y += sd * rng.normal(size=(groups, count))[codes] * np.broadcast_to(column, n)[:, None]
    y = (y - y.mean(axis=0)) / y.std(axis=0)
    return cross_products([Grouping(codes, groups, columns)], x, y), Layout([FactorShape(groups, terms)])


def as_cells(products, classes):
    """Cells of the wanted kind, whatever would be chosen."""
    found = Classes.of(products.zz, 1e-9) if classes else None
    vars(products)["classes"] = found
    return products.cells()


@pytest.mark.parametrize("name", ONE_FACTOR)
@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("classes", [True, False])
def test_deviance_gradient_and_curvature_are_those_of_one_response(name, reml, weighted, classes):
    rng = np.random.default_rng(2)
    case = make(name, weighted)
    cp = cross_products(case.groups, case.x, responses(case, 4, rng), case.weights)
    theta = rng.normal(size=(case.layout.size, 4))
    theta[0, 1] = 0.0
    found = OneFactor(as_cells(ManyProducts.of(cp), classes), case.layout, reml).evaluate(theta)
    for k in range(4):
        objective = Objective(cp.response(k), case.layout, reml)
        at = objective.evaluate(theta[:, k])
        assert found.deviance[k] == pytest.approx(at.deviance, rel=1e-12)
        assert found.r2[k] == pytest.approx(at.r2, rel=1e-11)
        np.testing.assert_allclose(found.beta[:, k], at.beta, rtol=0, atol=1e-11)
        np.testing.assert_allclose(found.w_inverse[..., k], at.w_inverse, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(found.gradient[:, k], at.gradient, rtol=1e-9, atol=1e-9)
        curvature = objective.curvature(at)
        np.testing.assert_allclose(found.curvature[..., k], curvature, rtol=1e-9, atol=1e-9 * np.abs(curvature).max())


def test_levels_that_are_alike_are_one_class_and_those_without_rows_none():
    d = np.array([[2.0, 1.0], [1.0, 3.0]])
    other = d + np.array([[0.0, 0.5], [0.5, 0.0]])
    zz = np.stack([d, other, 0.0 * d, d * (1 + 1e-15), other, d], axis=2)[..., None]
    found = Classes.of(zz, 1e-12)
    assert found.counts.tolist() == [3, 2]
    np.testing.assert_allclose(found.d[..., 0], np.stack([d, other], axis=2))
    c = np.random.default_rng(1).normal(size=(2, 3, 6, 4))
    squares = found.squares(c)
    wanted = sum(np.einsum("aPr,bQr->aPbQr", c[:, :, j], c[:, :, j]) for j in (0, 3, 5))
    np.testing.assert_allclose(squares[:, :, :, :, 0], wanted, rtol=1e-13)


@pytest.mark.parametrize(("levels", "counted"), [(40, True), (4, False)])
def test_classes_are_used_where_they_cost_less(levels, counted):
    codes = np.repeat(np.arange(levels), 5)
    x = np.tile(np.arange(5.0), levels)
    y = np.random.default_rng(1).normal(size=(5 * levels, 2))
    products = ManyProducts.of(cross_products([Grouping(codes, levels, (1.0, x))], (1.0, x), y))
    assert (products.classes is not None) == counted


def test_levels_without_rows_change_nothing():
    cp, layout = small("slopes, unbalanced", 3, seed=5)
    products = ManyProducts.of(cp)
    pad = ((0, 0), (0, 0), (0, 4), (0, 0))
    padded = ManyProducts(
        np.pad(products.zz, pad), np.pad(products.zx, pad), np.pad(products.zy, pad[1:]), products.xx, products.xy,
        products.yy, products.n, products.log_weights,
    )  # fmt: skip
    one, other = (minimise_many(p, layout, True, Control()) for p in (products, padded))
    np.testing.assert_allclose(other.theta, one.theta, atol=1e-9)
    np.testing.assert_allclose(other.deviance, one.deviance, rtol=1e-13)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("reml", [True, False])
def test_optima_are_those_of_each_alone_on_the_boundary_too(name, reml):
    cp, layout = small(name, 60, seed=4)
    found = minimise_many(ManyProducts.of(cp), layout, reml, Control())
    assert found.settled.mean() > 0.9
    singular = 0
    for k in map(int, np.flatnonzero(found.settled)):
        alone = minimise(Objective(cp.response(k), layout, reml)).profile
        assert found.deviance[k] == pytest.approx(alone.deviance, abs=1e-7)
        ours, theirs = (layout.lambdas(t)[0] for t in (found.theta[:, k], alone.theta))
        np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=1e-6)
        np.testing.assert_allclose(found.beta[:, k], alone.beta, atol=1e-6)
        assert (np.abs(found.theta[layout.diagonal, k]) == 0).sum() == (np.abs(alone.theta[layout.diagonal]) == 0).sum()
        singular += bool((alone.theta[layout.diagonal] == 0).any())
    assert singular > 0 or name == "slopes of many groups"


def test_thousands_of_small_designs_have_no_deviance_above_that_of_each_alone():
    worse = []
    for seed, name in enumerate(["intercepts", "slopes, balanced", "two terms, unbalanced", "slopes, unbalanced"]):
        cp, layout = small(name, 1000, seed=100 + seed)
        found = minimise_many(ManyProducts.of(cp), layout, True, Control())
        assert found.settled.mean() > 0.98
        # one by one only where something could be wrong: another place to begin must not lead lower
        again = newton(OneFactor(ManyProducts.of(cp).cells(), layout, True), np.full_like(found.theta, 0.7), Control())
        other = OneFactor(ManyProducts.of(cp).cells(), layout, True).evaluate(again.theta).deviance
        doubtful = np.flatnonzero(found.settled & ~(np.abs(found.deviance - other) < 1e-7))
        for k in map(int, [*doubtful[:20], *range(0, 1000, 50)]):
            alone = minimise(Objective(cp.response(k), layout, True)).profile.deviance
            worse.append(found.deviance[k] - alone if found.settled[k] else 0.0)
    assert max(worse) < 1e-6


def test_portions_do_not_show(monkeypatch):
    cp, layout = small("slopes, balanced", 23, seed=6)
    products = ManyProducts.of(cp)
    whole = minimise_many(products, layout, True, Control())
    monkeypatch.setattr(batch_fit, "_CHUNK", 1)
    single = minimise_many(products, layout, True, Control())
    np.testing.assert_allclose(single.theta, whole.theta, atol=1e-9)
    np.testing.assert_allclose(single.deviance, whole.deviance, rtol=1e-13)
    np.testing.assert_array_equal(single.settled, whole.settled)


def test_a_response_that_cannot_be_fitted_spoils_nobody_else():
    cp, layout = small("slopes, balanced", 5, seed=7)
    products = ManyProducts.of(cp)
    products.zy[..., 2] = np.nan
    with np.errstate(invalid="ignore"):
        found = minimise_many(products, layout, True, Control())
    assert found.settled.tolist() == [True, True, False, True, True]
    good = minimise_many(ManyProducts.of(cp.response(3)), layout, True, Control())
    np.testing.assert_allclose(found.theta[:, 3], good.theta[:, 0], atol=1e-9)


@pytest.mark.parametrize("name", [*SMALL, "crossed", "crossed with slopes on both", "nested", "three crossed factors"])
def test_it_begins_where_a_single_fit_begins(name):
    if name in SMALL:
        cp, layout = small(name, 8, seed=8)
    else:
        case = make(name)
        layout = case.layout
        cp = cross_products(case.groups, case.x, responses(case, 8, np.random.default_rng(1)))
    ours = starts(products_of(cp), layout)
    for k in range(8):
        np.testing.assert_allclose(ours[:, k], start(cp.response(k), layout), rtol=1e-5, atol=1e-6)
