"""Pairs of rows from one cluster, and how alike a model expects them to be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


def pairs_within(codes: Codes, most: int, seed: int = 1) -> tuple[Codes, Codes]:
    """Pairs of different rows with the same code: all, in random order of first and second, or `most` at random.

    Where pairs are drawn, every row that has a partner is equally likely to be the first of a pair, so that large
    clusters count by their rows and not by their pairs.

    Parameters
    ----------
    codes : n cluster numbers, from 0.
    """
    rng = np.random.default_rng(seed)
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    if int((sizes * (sizes - 1) // 2).sum()) <= most:
        own = codes[order]
        parts = [np.empty((0, 2), dtype=np.intp)]
        for lag in range(1, int(sizes.max(initial=1))):
            here = np.flatnonzero(own[lag:] == own[:-lag])
            parts.append(np.column_stack([here, here + lag]))
        found = np.concatenate(parts)
        turned = rng.random(len(found)) < 0.5
        found[turned] = found[turned][:, ::-1]
        return order[found[:, 0]], order[found[:, 1]]
    able = np.flatnonzero(sizes[codes[order]] > 1)
    first = rng.choice(able, most)
    cluster = codes[order[first]]
    step = rng.integers(1, sizes[cluster])
    second = starts[cluster] + (first - starts[cluster] + step) % sizes[cluster]
    return order[first], order[second]


def pairs_between(codes: Codes, most: int, seed: int = 1) -> tuple[Codes, Codes]:
    """Up to `most` random pairs of rows with different codes."""
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, len(codes), (2, most))
    apart = codes[one] != codes[other]
    return one[apart], other[apart]


def pair_correlation(x: Floats, y: Floats) -> float:
    """The correlation of pairs without order: each counted both ways, around one mean (Fisher 1925, chapter 7)."""
    both = np.concatenate([x, y])
    variance = float(both.var())
    return float(((x - both.mean()) * (y - both.mean())).mean() / variance) if variance > 0 else float("nan")


def expected_correlation(
    one: Codes,
    other: Codes,
    factors: Sequence[tuple[Codes, Floats, Floats]],
    residual: Floats | float,
) -> float:
    """The correlation that a model expects of pairs of rows: mean covariance over mean variance.

    ``cov(y_i, y_j) = Σ_f z_fi' Σ_f z_fj`` over the factors f of which both rows have the same level. With a single
    random intercept that is τ² / (τ² + σ²), the intraclass correlation, for every pair.

    Parameters
    ----------
    one, other : m rows each.
    factors : for each grouping factor n codes, n × q columns and the q × q covariance of the effects.
    residual : σ², one or n values.
    """
    shared = np.zeros(len(one))
    total = np.zeros((2, len(one))) + np.stack(np.broadcast_arrays(*_of_rows(residual, one, other)))
    for codes, z, covariance in factors:
        left, right = z[one] @ covariance, z[other]
        shared += np.where(codes[one] == codes[other], (left * right).sum(axis=1), 0.0)
        total += np.stack([((z[rows] @ covariance) * z[rows]).sum(axis=1) for rows in (one, other)])
    variance = float(total.mean()) if len(one) else 0.0
    return float(shared.mean()) / variance if variance > 0 else float("nan")


def _of_rows(residual: Floats | float, one: Codes, other: Codes) -> tuple[Floats, Floats]:
    values = np.asarray(residual, dtype=np.float64)
    if values.ndim == 0:
        return np.full(len(one), float(values)), np.full(len(other), float(values))
    return values[one], values[other]
