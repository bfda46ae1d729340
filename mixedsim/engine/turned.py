"""θ in another basis of the random effects.

The optimiser works on Λ of the standardised effects b̃. A question about one effect, or about the correlation of two,
is simplest where that effect comes first: with ``b̃ = B b'`` the covariance is ``Σ̃ = B Λ'Λ'' B'``, and the elements of
the lower-triangular Λ' are the coordinates. The cross-products stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.covariance import FactorShape, Layout, lower_factor

Floats = NDArray[np.float64]


class TurnedLayout(Layout):
    """A `Layout` whose θ describes the effects in another basis.

    Parameters
    ----------
    factors : one `FactorShape` for each grouping factor.
    bases : for each factor B, q × q, invertible and block-diagonal over terms, with ``b̃ = B b'``.

    `lambdas` returns ``BΛ'``: a square root of the covariance of b̃ that need not be triangular.
    """

    def __init__(self, factors: Sequence[FactorShape], bases: Sequence[Floats]) -> None:
        super().__init__(factors)
        self.bases = tuple(bases)

    def lambdas(self, theta: Floats) -> list[Floats]:
        """BΛ' of every factor: q_f × q_f each."""
        return [b @ lam for b, lam in zip(self.bases, super().lambdas(theta), strict=True)]

    def theta(self, lambdas: Sequence[Floats]) -> Floats:
        """θ for any square roots of the covariances of b̃, triangular or not: the inverse of `lambdas`."""
        out = []
        for b, lam, shape in zip(self.bases, lambdas, self.factors, strict=True):
            half = np.linalg.solve(b, lam)
            out.append(lower_factor(half @ half.T, shape.terms))
        return super().theta(out)

    def pick(self, matrices: Sequence[Floats]) -> Floats:
        """Elements of ``B'm`` for one matrix m a factor: with m = SBΛ', half of the derivatives by θ."""
        return super().pick([b.T @ m for b, m in zip(self.bases, matrices, strict=True)])

    def directions(self, f: int, lam: Floats) -> Floats:
        """``∂(BΛ'Λ''B')/∂θ_k`` for the θ of factor `f`, where `lam` is BΛ': K_f × q × q."""
        mine = self.of_factor[f]
        half = self.bases[f].T[self.row[mine], :, None] * lam.T[self.column[mine], None, :]
        return half + half.transpose(0, 2, 1)

    def curvature(self, f: int, s: Floats) -> Floats:
        """``Σ_ab S_ab ∂²(BΛ'Λ''B')_ab/∂θ_k∂θ_l`` for the θ of factor `f`: K_f × K_f, where S is symmetric."""
        return super().curvature(f, self.bases[f].T @ s @ self.bases[f])
