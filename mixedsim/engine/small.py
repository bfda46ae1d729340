"""Linear algebra for stacks of tiny symmetric positive-definite matrices, one a level; sizes 1 and 2 written out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_MANY = 200  # levels from which preparing one large product pays


def inverse_and_logdet(m: Floats) -> tuple[Floats, float]:
    """Inverses of a stack of symmetric positive-definite q × q matrices, and the sum of their log-determinants."""
    q = m.shape[-1]
    if q == 1:
        return 1.0 / m, float(np.log(m).sum())
    if q == 2:
        a, b, d = m[..., 0, 0], m[..., 0, 1], m[..., 1, 1]
        det = a * d - b * b
        inverse = np.empty_like(m)
        inverse[..., 0, 0] = d / det
        inverse[..., 1, 1] = a / det
        inverse[..., 0, 1] = inverse[..., 1, 0] = -b / det
        return inverse, float(np.log(det).sum())
    root = np.linalg.cholesky(m)
    logdet = 2.0 * float(np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum())
    general: Floats = np.asarray(np.linalg.inv(m), dtype=np.float64)
    return np.asarray(0.5 * (general + transposed(general))), logdet


def gram(a: Floats, b: Floats) -> Floats:
    """``Σ_j a_j' b_j`` for stacks a (J × q × s) and b (J × q × t): s × t, in one matrix product."""
    return a.reshape(-1, a.shape[-1]).T @ b.reshape(-1, b.shape[-1])


def gram_of_rows(a: Floats, b: Floats) -> Floats:
    """``Σ_j a_j b_j'`` for stacks a (J × s × k) and b (J × t × k): s × t, in one matrix product."""
    return a.transpose(1, 0, 2).reshape(a.shape[1], -1) @ b.transpose(1, 0, 2).reshape(b.shape[1], -1).T


def sandwich(m: Floats, matrix: Floats) -> Floats:
    """``A'm_jA`` for a stack of J matrices (q × q) and one A (q × s)."""
    q, s = matrix.shape
    if len(m) < _MANY or q == 1:
        return np.asarray(matrix.T @ m @ matrix)
    # one matrix product: NumPy takes forty times as long over 2J tiny ones
    twice = (matrix[:, None, :, None] * matrix[None, :, None, :]).reshape(q * q, s * s)
    return (m.reshape(-1, q * q) @ twice).reshape(-1, s, s)


def times(stack: Floats, matrix: Floats) -> Floats:
    """``m_jA`` for a stack of J matrices (s × t) and one A (t × u), in one matrix product."""
    return (stack.reshape(-1, stack.shape[-1]) @ matrix).reshape(*stack.shape[:-1], matrix.shape[-1])


def transposed(m: Floats) -> Floats:
    """Every matrix of a stack transposed."""
    return np.swapaxes(m, -1, -2)


def noise(lam: Floats, inverse: Floats, rng: np.random.Generator) -> Floats:
    """Independent draws with covariance ``Λ M_j⁻¹ Λ'`` for a stack of J matrices ``M_j⁻¹``: J × q."""
    white = rng.standard_normal((*inverse.shape[:2], 1))
    return np.asarray((lam @ (np.linalg.cholesky(inverse) @ white))[:, :, 0])
