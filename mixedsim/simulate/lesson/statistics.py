"""The statistics that a lesson can speak of, computed from the data that the reader gets.

Rows in which a variable, the response or the cluster is missing are left out, statistic by statistic. Where a statistic
does not exist (the slope on a constant, a correlation of one row) it is NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

_ROUNDING = 1e-12  # a column that varies by less than this, relative to its size, is constant but for rounding


@dataclass(frozen=True)
class Clusters:
    """Which rows belong together: ``code`` 0, 1, … a row, −1 where nobody knows; ``n`` how many codes there are."""

    code: Codes
    n: int


def clusters(ids: pd.Series) -> Clusters:
    """The clusters that a column of ids stands for."""
    code, units = pd.factorize(ids)
    return Clusters(code.astype(np.int64), len(units))


def mean(v: Array) -> float:
    """The mean."""
    (v,) = _complete(v)
    return float(v.mean()) if len(v) else math.nan


def sd(v: Array) -> float:
    """The standard deviation, with n − 1 in the denominator."""
    (v,) = _complete(v)
    return float(v.std(ddof=1)) if len(v) > 1 else math.nan


def cor(x: Array, z: Array) -> float:
    """Pearson's correlation."""
    x, z = _complete(x, z)
    return slope(x, z) * math.sqrt(_squares(x) / _squares(z)) if _varies(x) and _varies(z) else math.nan


def slope(x: Array, y: Array) -> float:
    """The least-squares slope of y on x: Sxy / Sxx."""
    x, y = _complete(x, y)
    if not _varies(x):
        return math.nan
    deviation = x - x.mean()
    return float(deviation @ (y - y.mean()) / (deviation @ deviation))  # y centred too: a large mean costs digits


def within(x: Array, y: Array, by: Clusters) -> float:
    """The least-squares slope of y on x, both as deviations from their cluster's means.

    It is the slope of one common line with an intercept for every cluster.
    """
    x, y, code = _complete_by(x, y, by)
    centred = x - _means(x, code, by.n)[code]
    if not len(x) or abs(centred).max() <= _ROUNDING * abs(x).max():
        return math.nan
    return float(centred @ y / (centred @ centred))


def between(x: Array, y: Array, by: Clusters) -> float:
    """The least-squares slope of the clusters' means of y on their means of x, every cluster counting once."""
    x, y, code = _complete_by(x, y, by)
    return slope(_means(x, code, by.n), _means(y, code, by.n))


def icc(y: Array, by: Clusters) -> float:
    """The intraclass correlation, estimated by one-way analysis of variance.

    (MSB − MSW) / (MSB + (n₀ − 1) MSW), with the mean squares between and within k clusters of sizes nᵢ, N in all, and
    n₀ = (N − Σ nᵢ²/N) / (k − 1) (Donner 1986, International Statistical Review 54:67–82). It can be negative.
    """
    y, _, code = _complete_by(y, y, by)
    sizes = np.bincount(code, minlength=by.n)
    sizes = sizes[sizes > 0]
    k, rows = len(sizes), len(y)
    if k < 2 or rows == k or not _varies(y):
        return math.nan
    fitted = _means(y, code, by.n)[code]
    msb = float(((fitted - y.mean()) ** 2).sum()) / (k - 1)
    msw = float(((y - fitted) ** 2).sum()) / (rows - k)
    usual = (rows - float((sizes.astype(np.float64) ** 2).sum()) / rows) / (k - 1)
    total = msb + (usual - 1) * msw
    return (msb - msw) / total if total > 0 else math.nan


def missing(column: pd.Series) -> float:
    """The share of rows in which a column is missing."""
    return float(column.isna().mean())


def _complete(*columns: Array) -> tuple[Array, ...]:
    """The columns without the rows in which one is missing."""
    known = ~np.isnan(columns).any(axis=0)
    return columns if known.all() else tuple(column[known] for column in columns)


def _complete_by(x: Array, y: Array, by: Clusters) -> tuple[Array, Array, Codes]:
    known = ~np.isnan(x) & ~np.isnan(y) & (by.code >= 0)
    return x[known], y[known], by.code[known]


def _means(v: Array, code: Codes, n: int) -> Array:
    """The mean of every cluster; NaN where it has no row."""
    with np.errstate(invalid="ignore"):
        means: Array = np.bincount(code, weights=v, minlength=n) / np.bincount(code, minlength=n)
    return means


def _varies(v: Array) -> bool:
    return len(v) > 1 and bool(np.ptp(v) > _ROUNDING * abs(v).max())


def _squares(v: Array) -> float:
    return float(((v - v.mean()) ** 2).sum())
