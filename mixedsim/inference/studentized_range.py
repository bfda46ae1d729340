"""The studentised range: the distribution behind Tukey's comparison of all pairs of means.

With k standard normal variables of range R and an independent s², ν s² ~ χ²(ν), Q = R/s has

    P(Q < q) = ∫ f_ν(s) P(R < qs) ds,   P(R < w) = k ∫ φ(z) [Φ(z) − Φ(z − w)]^(k−1) dz

(Hochberg & Tamhane 1987, Multiple comparison procedures, appendix 3). Both integrals by Gauss-Legendre's rule; SciPy
has the same distribution in `scipy.stats`, which takes longer to import than everything else here together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_TAIL = 1e-14  # of s on either side is left out
_NORMAL = 1e5  # with more degrees of freedom s is 1


def range_probability(q: Floats, k: int, df: Floats) -> Floats:
    """Probability that the studentised range of `k` means exceeds `q`: one value for each q and df; NaN stays NaN."""
    out = np.full(np.shape(q), np.nan)
    for i, (value, nu) in enumerate(zip(q, df, strict=True)):
        if np.isfinite(value) and nu > 0:
            out[i] = _above(float(value), k, float(nu))
    return out


def range_quantile(level: float, k: int, df: Floats) -> Floats:
    """The value that the studentised range of `k` means exceeds with probability ``1 − level``, for each df."""
    out = np.full(np.shape(df), np.nan)
    for i, nu in enumerate(df):
        if nu > 0:
            low, high = 0.0, 8.0
            while _above(high, k, float(nu)) > 1.0 - level:
                low, high = high, 2.0 * high
            for _ in range(50):
                middle = 0.5 * (low + high)
                low, high = (middle, high) if _above(middle, k, float(nu)) > 1.0 - level else (low, middle)
            out[i] = 0.5 * (low + high)
    return out


def _above(q: float, k: int, df: float) -> float:
    if df > _NORMAL:
        return float(_normal_above(np.array([q]), k)[0])
    low, high = np.sqrt(special.chdtri(df, [1.0 - _TAIL, _TAIL]) / df)
    s = 0.5 * (high - low) * _NODES + 0.5 * (high + low)
    log_density = np.log(2.0) + 0.5 * df * np.log(0.5 * df) - special.gammaln(0.5 * df)
    density = np.exp(log_density + (df - 1.0) * np.log(s) - 0.5 * df * s * s)
    weights = 0.5 * (high - low) * _WEIGHTS * density
    return float(np.clip(weights @ _normal_above(q * s, k), 0.0, 1.0))


def _normal_above(w: Floats, k: int) -> Floats:
    """P(R > w) for the range of k standard normal variables: one value for each w."""
    z = 8.5 * _NODES
    phi = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    between = np.clip(special.ndtr(z) - special.ndtr(z - w[:, None]), 0.0, 1.0)
    missed = special.ndtr(z) ** (k - 1) - between ** (k - 1)  # 1 = k ∫ φ Φ^(k−1): no cancellation near 1
    return np.asarray(k * (missed @ (8.5 * _WEIGHTS * phi)))
