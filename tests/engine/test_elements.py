"""Sums over levels against loops over levels."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.engine.elements import Elements

SHAPES = [[(5, 1), (3, 1)], [(4, 2), (3, 1)], [(3, 2), (2, 3), (4, 1)]]


def symmetric(rng: np.random.Generator, size: int) -> np.ndarray:
    m = rng.normal(size=(size, size))
    return m + m.T


def block(elements: Elements, m: np.ndarray, f: int, i: int, g: int, j: int) -> np.ndarray:
    """The block between level i of factor f and level j of factor g."""
    (_, q), (_, r) = elements.shapes[f], elements.shapes[g]
    row, column = elements.parts[f].start + i * q, elements.parts[g].start + j * r
    return m[row : row + q, column : column + r]


@pytest.mark.parametrize("shapes", SHAPES)
def test_pair_sums_are_traces_over_all_pairs_of_levels(shapes):
    rng = np.random.default_rng(1)
    elements = Elements(shapes)
    a, b = symmetric(rng, elements.size), symmetric(rng, elements.size)
    sums = elements.pair_sums(a, b)
    for f, (levels, q) in enumerate(shapes):
        for g, (others, r) in enumerate(shapes):
            u, v = rng.normal(size=(q, q)), rng.normal(size=(r, r))
            expected = sum(
                np.trace(u @ block(elements, a, f, i, g, j) @ v @ block(elements, b, g, j, f, i))
                for i in range(levels)
                for j in range(others)
            )
            own = sums[elements.places[f], elements.places[g]]
            assert u.reshape(-1) @ own @ v.reshape(-1) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("shapes", SHAPES)
def test_diagonal_blocks_and_their_sums(shapes):
    rng = np.random.default_rng(2)
    elements = Elements(shapes)
    m = symmetric(rng, elements.size)
    sums, blocks = elements.diagonal_sums(m), elements.diagonal_blocks(m)
    for f, (levels, _) in enumerate(shapes):
        expected = np.array([block(elements, m, f, i, f, i) for i in range(levels)])
        np.testing.assert_array_equal(blocks[f], expected)
        np.testing.assert_allclose(sums[f], expected.sum(axis=0), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("shapes", SHAPES)
def test_outer_sums(shapes):
    rng = np.random.default_rng(3)
    elements = Elements(shapes)
    rows = rng.normal(size=(elements.size, 3))
    sums = elements.outer_sums(rows).reshape(-1, 3, 3)
    for place, part, (levels, q) in zip(elements.places, elements.parts, shapes, strict=True):
        own = rows[part].reshape(levels, q, 3)
        expected = np.einsum("jac,jbd->abcd", own, own).reshape(q * q, 3, 3)
        np.testing.assert_allclose(sums[place], expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("shapes", SHAPES)
def test_one_matrix_a_factor_is_repeated_for_every_level(shapes):
    rng = np.random.default_rng(4)
    elements = Elements(shapes)
    matrices = [rng.normal(size=(q, q)) for _, q in shapes]
    spread = elements.spread(matrices)
    whole = np.diag(spread) if elements.single else spread
    for f, (levels, _) in enumerate(shapes):
        for i in range(levels):
            np.testing.assert_array_equal(block(elements, whole, f, i, f, i), matrices[f])
    assert np.count_nonzero(whole) == sum(j * q * q for j, q in shapes)


def test_split_undoes_joined():
    elements = Elements(SHAPES[2])
    vectors = [np.random.default_rng(f).normal(size=(*shape, 2)) for f, shape in enumerate(SHAPES[2])]
    for one, other in zip(elements.split(elements.joined(vectors)), vectors, strict=True):
        np.testing.assert_array_equal(one, other)
