"""Cross-products against plain matrix products."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.engine import Grouping, cross_products
from tests.engine.cases import STRUCTURES, make


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("weighted", [False, True])
def test_every_block_equals_the_matrix_product(name, weighted):
    case = make(name, weighted)
    cp = case.cp
    w = np.ones(len(case.y)) if case.weights is None else case.weights
    z, x = case.dense_z(), case.dense_x()
    for f, (zf, group) in enumerate(zip(z, case.groups, strict=True)):
        q = len(group.columns)
        full = zf.T @ (w[:, None] * zf)
        for j in range(group.levels):
            where = slice(j * q, (j + 1) * q)
            np.testing.assert_allclose(cp.zz[f][j], full[where, where], atol=1e-10)
        np.testing.assert_allclose(cp.zx[f].reshape(len(full), -1), zf.T @ (w[:, None] * x), atol=1e-10)
        np.testing.assert_allclose(cp.zy[f].reshape(-1), zf.T @ (w * case.y), atol=1e-10)
    for (f, g), block in cp.cross.items():
        left, right = case.groups[f], case.groups[g]
        shape = (left.levels, len(left.columns), right.levels, len(right.columns))
        full = (z[f].T @ (w[:, None] * z[g])).reshape(shape)
        ours = np.zeros_like(full)
        ours[block.left, :, block.right, :] = block.blocks
        np.testing.assert_allclose(ours, full, atol=1e-10)
    np.testing.assert_allclose(cp.xx, x.T @ (w[:, None] * x), atol=1e-9)
    np.testing.assert_allclose(cp.xy[:, 0], x.T @ (w * case.y), atol=1e-9)
    assert cp.yy[0] == pytest.approx(case.y @ (w * case.y))
    assert cp.n == len(case.y)
    assert cp.log_weights == pytest.approx(np.log(w).sum())


def test_a_hand_made_example():
    """Two groups, of 2 and 3 rows: counts, sums of x and sums of squares can be checked by eye."""
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    y = np.array([1.0, 0.0, 1.0, 0.0, 1.0])
    group = Grouping(np.array([0, 0, 1, 1, 1]), 2, (1.0, x))
    cp = cross_products([group], [1.0, x], y)
    np.testing.assert_array_equal(cp.zz[0], [[[2, 3], [3, 5]], [[3, 12], [12, 50]]])
    np.testing.assert_array_equal(cp.zy[0][:, :, 0], [[1, 1], [2, 8]])
    np.testing.assert_array_equal(cp.xx, [[5, 15], [15, 55]])


def test_many_responses_share_one_design():
    case = make("crossed with slopes on both")
    rng = np.random.default_rng(2)
    many = np.column_stack([case.y, rng.normal(size=len(case.y))])
    cp = cross_products(case.groups, case.x, many)
    assert cp.responses == 2
    alone = cross_products(case.groups, case.x, many[:, 1])
    second = cp.response(1)
    np.testing.assert_allclose(second.zy[0], alone.zy[0])
    np.testing.assert_allclose(second.xy, alone.xy)
    np.testing.assert_allclose(second.yy, alone.yy)


def test_many_pairs_of_levels_are_sorted_not_counted():
    """Two factors with far more possible pairs than rows take the other road to the same blocks."""
    rng = np.random.default_rng(4)
    n, levels = 300, 200
    a, b = rng.integers(0, levels, n), rng.integers(0, levels, n)
    cp = cross_products([Grouping(a, levels, (1.0,)), Grouping(b, levels, (1.0,))], [1.0], rng.normal(size=n))
    table = np.zeros((levels, levels))
    np.add.at(table, (a, b), 1.0)
    block = cp.cross[0, 1]
    ours = np.zeros_like(table)
    ours[block.left, block.right] = block.blocks[:, 0, 0]
    np.testing.assert_array_equal(ours, table)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("absent", [False, True])
def test_rows_in_the_order_of_their_groups_give_the_sums_of_any_order(weighted, absent):
    rng = np.random.default_rng(5)
    sizes = rng.integers(20, 90, 40)
    codes = np.repeat(np.arange(40) * (2 if absent else 1), sizes)
    x, y = rng.normal(size=(2, len(codes)))
    weights = rng.uniform(0.5, 2.0, len(codes)) if weighted else None
    shuffled = rng.permutation(len(codes))

    def sums(order):
        own = Grouping(codes[order], 81, (1.0, x[order]))
        return cross_products([own], [1.0, x[order]], y[order], None if weights is None else weights[order])

    ordered, other = sums(np.arange(len(codes))), sums(shuffled)
    for one, two in zip(ordered.zz + ordered.zx + ordered.zy, other.zz + other.zx + other.zy, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-11)
    np.testing.assert_allclose(ordered.xx, other.xx, rtol=1e-12)
