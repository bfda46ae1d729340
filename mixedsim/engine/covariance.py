"""From θ to Λ: which numbers of each factor's relative covariance factor are free.

``Σ_f = σ² Λ_f Λ_f'`` is the q × q covariance of one level's effects. Λ_f is lower triangular, block-diagonal over the
terms of the factor (Bates et al. 2015, section 2.2); θ runs down the columns of each term's triangle, as in lme4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FactorShape:
    """One grouping factor: how many levels, and how many effects each of its terms has."""

    levels: int
    terms: tuple[int, ...]

    @property
    def effects(self) -> int:
        """q, the number of effects that vary by this factor."""
        return sum(self.terms)


class Layout:
    """Where every element of θ stands in which Λ.

    Parameters
    ----------
    factors : one `FactorShape` for each grouping factor.

    Attributes
    ----------
    size : number of elements of θ.
    factor, row, column : for each element of θ its factor and its place in that factor's Λ.
    diagonal, diagonal_above : whether it is a diagonal element, and which element of θ heads its column.
    of_factor : for each factor, which elements of θ are its own.
    """

    def __init__(self, factors: Sequence[FactorShape]) -> None:
        self.factors = tuple(factors)
        where: list[tuple[int, int, int]] = []
        for f, shape in enumerate(self.factors):
            start = 0
            for q in shape.terms:
                where += [(f, start + i, start + j) for j in range(q) for i in range(j, q)]
                start += q
        self.size = len(where)
        self.factor, self.row, self.column = np.array(where, dtype=np.intp).reshape(-1, 3).T
        self.diagonal = self.row == self.column
        above = {(f, j): k for k, (f, i, j) in enumerate(where) if i == j}
        self.diagonal_above = np.array([above[f, j] for f, _, j in where], dtype=np.intp)
        self.of_factor = [np.flatnonzero(self.factor == f) for f in range(len(self.factors))]

    def lambdas(self, theta: Floats) -> list[Floats]:
        """Λ of every factor: q_f × q_f each."""
        out = []
        for shape, mine in zip(self.factors, self.of_factor, strict=True):
            matrix = np.zeros((shape.effects, shape.effects))
            matrix[self.row[mine], self.column[mine]] = theta[mine]
            out.append(matrix)
        return out

    def theta(self, lambdas: Sequence[Floats]) -> Floats:
        """The inverse of `lambdas`."""
        return np.array([lambdas[f][i, j] for f, i, j in zip(self.factor, self.row, self.column, strict=True)])

    def pick(self, matrices: Sequence[Floats]) -> Floats:
        """Elements of one matrix a factor, at the places of θ."""
        out = np.empty(self.size)
        for matrix, mine in zip(matrices, self.of_factor, strict=True):
            out[mine] = matrix[self.row[mine], self.column[mine]]
        return out

    def directions(self, f: int, lam: Floats) -> Floats:
        """``∂(ΛΛ')/∂θ_k`` for the θ of factor `f`: K_f × q × q."""
        mine = self.of_factor[f]
        half = np.zeros((len(mine), *lam.shape))
        half[np.arange(len(mine)), self.row[mine]] = lam[:, self.column[mine]].T
        return half + half.transpose(0, 2, 1)

    def curvature(self, f: int, s: Floats) -> Floats:
        """``Σ_ab S_ab ∂²(ΛΛ')_ab/∂θ_k∂θ_l`` for the θ of factor `f`: K_f × K_f, where S is symmetric."""
        mine = self.of_factor[f]
        row, column = self.row[mine], self.column[mine]
        return np.asarray(2.0 * s[row[:, None], row] * (column[:, None] == column))

    def canonical(self, theta: Floats) -> Floats:
        """The same covariance with every diagonal element of Λ non-negative (columns may be turned by -1)."""
        out = theta.copy()
        for k in np.flatnonzero(self.diagonal):
            if out[k] < 0:
                turn = (self.factor == self.factor[k]) & (self.column == self.column[k])
                out[turn] = -out[turn]
        return out + 0.0


def lower_factor(sigma: Floats, terms: Sequence[int]) -> Floats:
    """Lower-triangular Λ with ``ΛΛ' = sigma``, term by term, for positive *semi*-definite sigma.

    A Cholesky factorisation stops at a zero pivot; a QR of the eigenvector square root does not.
    """
    lam = np.zeros_like(sigma)
    start = 0
    for q in terms:
        if q == 1:
            lam[start, start] = np.sqrt(max(sigma[start, start], 0.0))
            start += 1
            continue
        where = slice(start, start + q)
        values, vectors = np.linalg.eigh(sigma[where, where])
        root = vectors * np.sqrt(np.clip(values, 0.0, None))
        r = np.asarray(np.linalg.qr(root.T, mode="r"))
        lam[where, where] = r.T * np.where(np.diag(r) < 0, -1.0, 1.0)
        start += q
    return lam
