"""The linear map behind the Schur complement: four roads, one answer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from mixedsim.engine.crossed import CrossedBlocks
from mixedsim.engine.pair_pattern import PairPattern
from mixedsim.errors import DataError


@pytest.mark.parametrize("q", [1, 2, 3])
def test_the_roads_agree(q, monkeypatch):
    rng = np.random.default_rng(q)
    levels, m = 60, 30
    meets = rng.random((levels, m)) < 0.2
    a = np.repeat(meets, q, axis=0) * rng.normal(size=(levels * q, m))
    n = rng.normal(size=(levels, q, q))
    n = n + n.transpose(0, 2, 1)
    u = rng.normal(size=(m, m))
    u = u + u.T
    blocks = a.reshape(levels, q, m)
    quadratic = np.einsum("jai,jab,jbk->ik", blocks, n, blocks)
    adjoint = np.einsum("jai,ik,jbk->jab", blocks, u, blocks)
    dense = PairPattern(a, levels, q)
    monkeypatch.setattr(PairPattern, "_DENSE", 0)
    paired = PairPattern(sparse.csr_array(a), levels, q)
    monkeypatch.setattr(PairPattern, "_PAIRS", 0)
    chunked = PairPattern(sparse.csr_array(a), levels, q)
    monkeypatch.setattr(PairPattern, "_FILLED", 1.0)
    few = PairPattern(sparse.csr_array(a), levels, q)
    chunked.chunk = few.chunk = 7
    assert paired.maps
    assert not chunked.maps
    assert not chunked.few
    assert few.few
    for road in (dense, paired, chunked, few):
        np.testing.assert_allclose(road.quadratic(n), quadratic, atol=1e-11)
        np.testing.assert_allclose(road.adjoint(u), adjoint, atol=1e-11)


def test_a_schur_complement_beyond_memory_is_refused_with_its_size(monkeypatch):
    from tests.engine.cases import make

    case = make("crossed")
    monkeypatch.setattr("mixedsim.engine.crossed._LARGEST_DENSE", 3)
    with pytest.raises(DataError, match=r"dense 6 × 6 matrix .* GiB"):
        CrossedBlocks(case.cp, 0, [1], {(0, 1): case.cp.cross[0, 1]})
