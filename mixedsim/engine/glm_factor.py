"""Which shape M takes, decided once from the pattern of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.glm_crossed import CrossedShape
from mixedsim.engine.glm_nested import nested
from mixedsim.engine.glm_rows import CellBlocks, Rows

Floats = NDArray[np.float64]


class Factor(Protocol):
    """``M = Λ'Z'WZΛ + I`` at one W and Λ."""

    logdet: float
    """log|M|."""

    def solve(self, vectors: Floats) -> Floats:
        """``M⁻¹v`` for one vector of Q values, or the columns of Q × k."""
        ...

    def inverse_cells(self) -> CellBlocks:
        """The cells of M⁻¹ that Z'WZ has too: within a level, and between levels that meet."""
        ...


class Shape(Protocol):
    """How M is factorised, whatever the weights."""

    dense_size: int
    """Rows of the largest dense matrix; 0 where everything is block-diagonal."""

    def factor(self, blocks: CellBlocks, lambdas: Sequence[Floats]) -> Factor:
        """M at these cross-products and Λ; `LinAlgError` where it is not positive definite."""
        ...


def shape_of(rows: Rows) -> Shape:
    """Nested where the factors nest, else crossed."""
    return nested(rows) or CrossedShape(rows)


def theta_traces(rows: Rows, blocks: CellBlocks, inverse: CellBlocks, lambdas: Sequence[Floats]) -> list[Floats]:
    """``½ ∂log|M|/∂Λ_f`` at fixed weights, q_f × q_f each: ``Σ_j (Z'WZΛM⁻¹)_jj``.

    Only cells that both Z'WZ and M⁻¹ have are needed, so that nothing is divided by Λ.
    """
    out = []
    for zz, own, lam in zip(blocks.own, inverse.own, lambdas, strict=True):
        q = len(lam)
        sums = (zz.reshape(-1, q * q).T @ own.reshape(-1, q * q)).reshape(q, q, q, q)
        out.append(np.einsum("acdb,cd->ab", sums, lam))
    for f, g in rows.pairs:
        one, other = blocks.cross[f, g], inverse.cross[f, g]
        shape = one.shape[1:]
        sums = (one.reshape(len(one), -1).T @ other.reshape(len(other), -1)).reshape(*shape, *shape)
        out[f] += np.einsum("acbd,cd->ab", sums, lambdas[g])
        out[g] += np.einsum("acbd,ab->cd", sums, lambdas[f])
    return out


def covariance_cells(inverse: CellBlocks, lambdas: Sequence[Floats]) -> CellBlocks:
    """The cells of ``ΛM⁻¹Λ'``."""
    from_inverse = [_both(lam, own, lam) for own, lam in zip(inverse.own, lambdas, strict=True)]
    return CellBlocks(
        from_inverse, {(f, g): _both(lambdas[f], block, lambdas[g]) for (f, g), block in inverse.cross.items()}
    )


def _both(left: Floats, blocks: Floats, right: Floats) -> Floats:
    """``left B right'`` for every block."""
    if left.size == 1 and right.size == 1:
        return np.asarray(blocks * (left[0, 0] * right[0, 0]))
    return np.asarray(left @ blocks @ right.T)
