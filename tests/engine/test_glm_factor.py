"""The factorised M against dense algebra, for every structure and both ways to hold a crossed design."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.engine import glm_crossed
from mixedsim.engine.glm_crossed import CrossedShape
from mixedsim.engine.glm_factor import covariance_cells, shape_of, theta_traces
from mixedsim.engine.glm_nested import NestedShape
from mixedsim.engine.glm_rows import CellBlocks, Rows
from mixedsim.errors import DataError
from tests.engine.cases import STRUCTURES, make


def laid_out(name: str) -> tuple[Rows, list[np.ndarray], np.ndarray, np.ndarray]:
    """Rows, Λ of every factor, weights, and ΛΛ' of all effects' Λ as one dense matrix."""
    linear = make(name)
    rng = np.random.default_rng(2)
    theta = rng.uniform(0.3, 1.0, linear.layout.size)
    lambdas = linear.layout.lambdas(theta)
    lambdas[0][:, -1] = 0.0  # a singular one too
    rows = Rows(linear.groups, linear.dense_x(), np.zeros(len(linear.y)))
    big = np.zeros((rows.size, rows.size))
    for part, lam, (levels, _) in zip(rows.parts, lambdas, rows.shapes, strict=True):
        big[part, part] = np.kron(np.eye(levels), lam)
    return rows, lambdas, rng.uniform(0.2, 2.0, rows.n), big


def dense_cells(rows: Rows, matrix: np.ndarray) -> CellBlocks:
    """The cells that `Rows` keeps, of a dense matrix."""

    def block(f: int, i: int, g: int, j: int) -> np.ndarray:
        qf, qg = rows.shapes[f][1], rows.shapes[g][1]
        a, b = rows.parts[f].start + i * qf, rows.parts[g].start + j * qg
        return matrix[a : a + qf, b : b + qg]

    own = [np.array([block(f, j, f, j) for j in range(levels)]) for f, (levels, _) in enumerate(rows.shapes)]
    cross = {
        (f, g): np.array([block(f, i, g, j) for i, j in zip(pairs.left, pairs.right, strict=True)])
        for (f, g), pairs in rows.pairs.items()
    }
    return CellBlocks(own, cross)


def assert_cells_equal(ours: CellBlocks, theirs: CellBlocks, met: CellBlocks) -> None:
    """Where levels meet; elsewhere nobody reads the cell."""
    for one, other in zip(ours.own, theirs.own, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
    for pair, one in ours.cross.items():
        some = np.abs(met.cross[pair]).sum(axis=(1, 2)) > 0
        np.testing.assert_allclose(one[some], theirs.cross[pair][some], atol=1e-12)


@pytest.fixture(params=["array", "sparse"])
def held(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How a crossed design holds what its factors share."""
    if request.param == "sparse":
        monkeypatch.setattr(glm_crossed, "_DENSE", 0)
        monkeypatch.setattr("mixedsim.engine.glm_rows._CELLS", 0)
    return str(request.param)


@pytest.mark.parametrize("name", STRUCTURES)
def test_m_against_dense_algebra(name: str, held: str) -> None:
    rows, lambdas, weights, big = laid_out(name)
    z = rows.z.toarray()
    zwz = z.T @ (weights[:, None] * z)
    m = big.T @ zwz @ big + np.eye(rows.size)
    blocks = rows.blocks(weights)
    assert_cells_equal(blocks, dense_cells(rows, zwz), blocks)
    factor = shape_of(rows).factor(blocks, lambdas)
    assert factor.logdet == pytest.approx(np.linalg.slogdet(m)[1], rel=1e-12)
    vectors = np.random.default_rng(3).normal(size=(rows.size, 4))
    np.testing.assert_allclose(factor.solve(vectors), np.linalg.solve(m, vectors), atol=1e-12)
    np.testing.assert_allclose(factor.solve(vectors[:, 0]), np.linalg.solve(m, vectors[:, 0]), atol=1e-12)
    inverse = np.linalg.inv(m)
    cells = factor.inverse_cells()
    assert_cells_equal(cells, dense_cells(rows, inverse), blocks)
    k = big @ inverse @ big.T
    np.testing.assert_allclose(
        rows.quadratic(covariance_cells(cells, lambdas)), np.sum((z @ k) * z, axis=1), atol=1e-11
    )
    product = dense_cells(rows, zwz @ big @ inverse).own
    for ours, theirs in zip(theta_traces(rows, blocks, cells, lambdas), product, strict=True):
        np.testing.assert_allclose(ours, theirs.sum(axis=0), atol=1e-11)


@pytest.mark.parametrize("name", STRUCTURES)
def test_which_shape(name: str) -> None:
    rows = laid_out(name)[0]
    kind = CrossedShape if name.startswith(("crossed", "three crossed")) else NestedShape
    assert isinstance(shape_of(rows), kind)


def test_what_is_not_positive_definite_says_so() -> None:
    for name in ("one intercept", "three effects", "nested", "crossed"):
        rows, lambdas, weights, _ = laid_out(name)
        with pytest.raises(np.linalg.LinAlgError):
            shape_of(rows).factor(rows.blocks(-50.0 * weights), [np.eye(len(lam)) for lam in lambdas])


def test_too_many_crossed_effects_are_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glm_crossed, "_LARGEST_DENSE", 5)
    rows = laid_out("crossed")[0]
    with pytest.raises(DataError, match=r"^these crossed grouping factors need a dense 6 × 6 matrix .* limit of 5:"):
        shape_of(rows)
