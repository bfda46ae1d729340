"""All effects in one matrix: whatever elimination factor by factor gives, to the last digits."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.engine import FactorShape, Grouping, Layout, Objective, cross_products
from mixedsim.engine.crossed import CrossedBlocks
from mixedsim.engine.dense import DenseBlocks, fits
from mixedsim.engine.nested import NestedBlocks
from mixedsim.engine.structure import arrange, crossed, nested
from tests.engine.cases import STRUCTURES, make

SEVERAL = [name for name, (factors, _, _) in STRUCTURES.items() if len(factors) > 1]
EVERY = [(name, reml, weighted) for name in SEVERAL for reml in (True, False) for weighted in (False, True)]
CLOSE = 1e-12  # relative to the largest number of its kind: the same sums in another order


def both(name: str, weighted: bool = False, reml: bool = True, singular: bool = False):
    """The two objectives' profiles at one θ, the dense one first."""
    case = make(name, weighted)
    theta = np.where(case.layout.diagonal, 1.0, 0.0) + 0.5 * np.random.default_rng(3).normal(size=case.layout.size)
    if singular:
        theta[[0, -1]] = 0.0
    out = []
    for blocks in (DenseBlocks(case.cp), nested(case.cp) or crossed(case.cp)):
        objective = Objective(case.cp, case.layout, reml)
        objective.blocks = blocks
        out.append((objective, objective.evaluate(theta)))
    return case, *out


def assert_close(ours, theirs) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=CLOSE * max(1.0, np.abs(theirs).max(initial=0.0)))


@pytest.mark.parametrize("singular", [False, True], ids=["inside", "singular"])
@pytest.mark.parametrize(("name", "reml", "weighted"), EVERY)
def test_the_profile_is_that_of_elimination(name, reml, weighted, singular):
    _, (_, ours), (_, theirs) = both(name, weighted, reml, singular)
    assert ours.deviance == pytest.approx(theirs.deviance, rel=CLOSE)
    for field in ("beta", "r2", "w_inverse"):
        assert_close(getattr(ours, field), getattr(theirs, field))
    # where Λ is nearly singular elimination divides by it
    np.testing.assert_allclose(ours.gradient, theirs.gradient, rtol=0, atol=1e-10)
    assert_close(ours.absorbed.logdet, theirs.absorbed.logdet)
    assert_close(ours.absorbed.ww, theirs.absorbed.ww)


@pytest.mark.parametrize("name", SEVERAL)
def test_modes_covariances_and_products_are_those_of_elimination(name):
    case, (ours, at), (theirs, there) = both(name, weighted=True)
    rng = np.random.default_rng(8)
    vectors = [rng.normal(size=(zz.shape[0], zz.shape[1], 4)) for zz in case.cp.zz]
    contrasts = rng.normal(size=(case.cp.p + 1, 3))
    pairs = [
        (at.absorbed.modes(contrasts), there.absorbed.modes(contrasts)),
        (at.absorbed.covariances(), there.absorbed.covariances()),
        (at.absorbed.inner(vectors), there.absorbed.inner(vectors)),
        (ours.blocks.times_zz(vectors), theirs.blocks.times_zz(vectors)),
        (ours.marginal_products(at, contrasts), theirs.marginal_products(there, contrasts)),
    ]
    for mine, other in pairs:
        for one, two in zip(mine, other, strict=True):
            assert one.shape == two.shape
            assert_close(one, two)


@pytest.mark.parametrize("name", SEVERAL)
def test_the_hessian_is_that_of_differences(name):
    _, (ours, at), (theirs, there) = both(name)
    exact, differences = ours.hessian(at), theirs.hessian(there)
    np.testing.assert_allclose(exact, differences, rtol=0, atol=1e-5 * np.abs(exact).max())


@pytest.mark.parametrize("name", ["crossed with slopes on both", "three nested levels"])
def test_draws_have_the_mean_and_covariance_they_should(name):
    case, (_, at), _ = both(name, weighted=True)
    contrast = np.random.default_rng(2).normal(size=case.cp.p + 1)
    rng, count = np.random.default_rng(4), 4000
    draws = [at.absorbed.draw(contrast, rng) for _ in range(count)]
    modes = at.absorbed.modes(contrast[:, None])
    for f, covariance in enumerate(at.absorbed.covariances()):
        own = np.array([d[f] for d in draws]) - modes[f][:, :, 0]
        sd = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        assert (np.abs(own.mean(axis=0)) < 5 * sd / np.sqrt(count)).all()
        found = np.einsum("kja,kjb->jab", own, own) / count
        # the standard error of a covariance of normal numbers is at most sqrt(2/n) times both sds
        error = np.sqrt(2 / count) * sd[:, :, None] * sd[:, None, :]
        assert (np.abs(found - covariance) < 5.5 * error).all()


def design(levels: int, effects: int = 1, fixed: int = 1):
    """Two crossed factors with the same number of levels."""
    rng = np.random.default_rng(1)
    rows = 8 * levels + fixed
    columns = (1.0, *rng.normal(size=(effects - 1, rows)))
    groups = [Grouping(rng.permutation(np.arange(rows) % levels), levels, columns) for _ in range(2)]
    x = [1.0, *rng.normal(size=(fixed - 1, rows))]
    return cross_products(groups, x, rng.normal(size=rows)), Layout([FactorShape(levels, (effects,))] * 2)


@pytest.mark.parametrize(("levels", "effects", "fixed"), [(31, 1, 1), (15, 2, 1), (6, 3, 2), (3, 1, 40)])
def test_few_effects_are_one_matrix(levels, effects, fixed):
    assert isinstance(arrange(design(levels, effects, fixed)[0]), DenseBlocks)


@pytest.mark.parametrize(("levels", "effects", "fixed"), [(32, 1, 1), (31, 1, 4), (16, 2, 1), (7, 3, 1), (3, 1, 250)])
def test_more_are_eliminated_factor_by_factor(levels, effects, fixed):
    cp, layout = design(levels, effects, fixed)
    assert isinstance(arrange(cp), CrossedBlocks)
    assert not Objective(cp, layout, True).exact


def test_one_factor_has_its_own_blocks_however_small():
    case = make("one intercept")
    assert fits(case.cp)
    assert isinstance(arrange(case.cp), NestedBlocks)
    assert Objective(case.cp, case.layout, True).exact
