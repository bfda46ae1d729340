"""Correlation matrices as people write them, and numbers that are correlated like that."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.covariance import Matrix, cholesky, correlations
from mixedsim.simulate.fields import FieldError, Path, is_list, number

Correlation = float | Matrix  # one number for every pair, or a matrix


def checked_correlation(given: Any, q: int, path: Path) -> Correlation:
    """The correlations of q variables in their one form: a number where all pairs have the same, else a matrix.

    Raises
    ------
    FieldError
        If it is not q × q, symmetric, with ones on the diagonal, or no variables can be correlated like this.
    """
    corr = _checked_corr(given, q, path)
    pairs = {corr[i][j] for i in range(q) for j in range(i)}
    return pairs.pop() if len(pairs) == 1 else corr


def matrix_of(given: Correlation, q: int) -> Matrix:
    """The correlation matrix that a number for every pair, or a matrix, stands for: q × q."""
    if isinstance(given, tuple):
        return given
    return tuple(tuple(1.0 if i == j else given for j in range(q)) for i in range(q))


def checked_shares(given: Any, q: int, path: Path) -> float | tuple[float, ...]:
    """Numbers from 0 to 1 in their one form: one number if all are the same, else one for each of q variables."""
    if not is_list(given):
        return number(given, path, low=0, high=1)
    shares = tuple(number(one, path, low=0, high=1) for one in given)
    if len(shares) != q:
        raise FieldError(path, f"must be one number or {q}, one for each member, found {len(shares)}.")
    return shares[0] if len(set(shares)) == 1 else shares


def correlated_normals(corr: Matrix, streams: list[np.random.Generator], size: int) -> NDArray[np.float64]:
    """Standard normal numbers, q × size, correlated like this; the first row is its own stream as it comes."""
    factor = cholesky(corr)
    assert factor is not None
    independent = np.empty((len(streams), size))
    for row, stream in zip(independent, streams, strict=True):
        stream.standard_normal(out=row)
    mixed: NDArray[np.float64] = factor @ independent
    return mixed


def _checked_corr(given: Any, q: int, path: Path) -> Matrix:
    if not is_list(given):
        given = matrix_of(number(given, path, low=-1, high=1), q)
    rows = [list(row) if is_list(row) else [row] for row in given]
    if len(rows) != q or any(len(row) != q for row in rows):
        widest = max((len(row) for row in rows), default=0)
        raise FieldError(path, f"must be one number or {q}×{q}, a row for each member, found {len(rows)}×{widest}.")
    corr = tuple(tuple(number(r, path, low=-1, high=1) for r in row) for row in rows)
    corr = correlations(corr, [f"member {i + 1}" for i in range(q)], path)
    if cholesky(corr) is None:
        raise FieldError(path, "is impossible: no variables are correlated like this (a negative eigenvalue).")
    return corr
