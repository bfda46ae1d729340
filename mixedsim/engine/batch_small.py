"""Linear algebra for many small matrices at once, with the replicates on the last axis.

A matrix product of two stacks is then a few long vector operations, where NumPy's own loops over thousands of 2 × 2
matrices would spend their time on bookkeeping. Stacks have shape (rows, columns, ..., replicates).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.covariance import Layout

Floats = NDArray[np.float64]
_BLAS = 60  # elements of a product from which NumPy's stacked products, which ask BLAS, pay for turning the axes
_CLEAR = 1e-6  # least over sum of eigenvalues above which a matrix is positive definite beyond doubt


def many_lambdas(theta: Floats, layout: Layout, f: int) -> Floats:
    """Λ of factor f for r values of θ (K × r): q × q × r."""
    mine, q = layout.of_factor[f], layout.factors[f].effects
    lam = np.zeros((q, q, theta.shape[1]))
    lam[layout.row[mine], layout.column[mine]] = theta[mine]
    return lam


def product(*matrices: Floats) -> Floats:
    """The product of stacks of matrices, from left to right."""
    out = matrices[0]
    for right in matrices[1:]:
        out = np.einsum("ij...,jk...->ik...", out, right)
    return out


def turned(m: Floats) -> Floats:
    """Every matrix of a stack transposed."""
    return np.swapaxes(m, 0, 1)


def gram(a: Floats, b: Floats) -> Floats:
    """``Σ_L a_iL b_jL`` for A × L × r and B × L × r: A × B × r, by whichever is the faster for this size."""
    if len(a) * len(b) < _BLAS:
        return np.asarray(np.einsum("iLr,jLr->ijr", a, b))
    first, second = (np.ascontiguousarray(m.transpose(2, 0, 1)) for m in (a, b))
    return np.ascontiguousarray(np.moveaxis(first @ second.swapaxes(1, 2), 0, -1))


def identity(size: int, axes: int) -> Floats:
    """The identity with `axes` more axes of length 1."""
    return np.eye(size).reshape(size, size, *(1,) * axes)


def inverse_and_logdet(m: Floats) -> tuple[Floats, Floats]:
    """Inverses and log-determinants of symmetric positive-definite matrices; NaN where a matrix is not.

    Sizes 1 and 2 are written out. Larger ones are swept pivot by pivot (Goodnight 1979, The American Statistician
    33:149), which for such matrices is as stable as Cholesky's method and needs no loop over the stack.
    """
    size = len(m)
    with np.errstate(all="ignore"):
        if size == 0:
            return m, np.zeros(m.shape[2:])
        if size == 1:
            known = np.where(m > 0, m, np.nan)
            return 1.0 / known, np.log(known[0, 0])
        if size == 2:
            return _two_by_two(m)
        return _swept(m)


def clear_inverse(m: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Inverses of symmetric matrices, and which of these (m booleans) are positive definite beyond doubt.

    The others are for an eigenvalue decomposition, which costs a hundred times as much: 1/tr(A⁻¹) is a lower bound of
    the least eigenvalue, so that none is needed where the bound is far from zero.
    """
    inverse, _ = inverse_and_logdet(m)
    with np.errstate(invalid="ignore", over="ignore"):
        spread = np.einsum("kkm->m", inverse) * np.einsum("kkm->m", m)
        return inverse, spread < 1.0 / _CLEAR


def pivots(m: Floats) -> Floats:
    """What is left of each diagonal element beside the rows before it: size × m, the squared diagonal of Cholesky."""
    left = m.copy()
    out = np.empty(m.shape[1:])
    for k in range(len(m)):
        out[k] = left[k, k]
        left[k + 1 :, k + 1 :] -= left[k + 1 :, None, k] * left[k, k + 1 :] / left[k, k]
    return out


def _two_by_two(m: Floats) -> tuple[Floats, Floats]:
    a, b, d = m[0, 0], m[0, 1], m[1, 1]
    det = a * d - b * b
    det = np.where((a > 0) & (det > 0), det, np.nan)
    inverse = np.empty_like(m)
    inverse[0, 0] = d / det
    inverse[1, 1] = a / det
    inverse[0, 1] = inverse[1, 0] = -b / det
    return inverse, np.log(det)


def _swept(m: Floats) -> tuple[Floats, Floats]:
    out = m.copy()
    logdet = np.zeros(m.shape[2:])
    for k in range(len(m)):
        pivot = np.where(out[k, k] > 0, out[k, k], np.nan)
        logdet += np.log(pivot)
        column = out[:, k] / pivot
        out -= column[:, None] * out[k].copy()
        out[:, k] = out[k] = column
        out[k, k] = -1.0 / pivot
    return -0.5 * (out + turned(out)), logdet
