"""Where the search for θ begins: a moment estimate of each factor's covariance.

With e_j = Z_j'(y − Xβ̂_OLS) and d_j = Z_j'Z_j, ``E[e_j e_j'] ≈ σ² d_j + d_j Σ d_j``. Summed over levels this is
linear in the q² elements of Σ: the method of moments, in the spirit of Henderson (1953), Biometrics 9:226, one factor
at a time. It costs less than one evaluation of the deviance and saves several.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.covariance import FactorShape, Layout, lower_factor
from mixedsim.engine.cross_products import CrossProducts
from mixedsim.engine.small import transposed

Floats = NDArray[np.float64]
_LEAST, _MOST = 0.05, 100.0  # bounds of Σ/σ²: zero would be a saddle, and the data are standardised


def start(cp: CrossProducts, layout: Layout) -> Floats:
    """Starting θ (K values) from cross-products with one response."""
    beta = np.linalg.solve(cp.xx, cp.xy[:, 0]) if cp.p else np.empty(0)
    rss = max(float(cp.yy[0] - cp.xy[:, 0] @ beta), 1e-300)
    lambdas = []
    for f, shape in enumerate(layout.factors):
        e = cp.zy[f][:, :, 0] - cp.zx[f] @ beta
        relative = _relative_covariance(cp.zz[f], e, rss, cp.n - cp.p)
        lambdas.append(lower_factor(_bounded(relative, shape), shape.terms))
    return layout.theta(lambdas)


def _relative_covariance(d: Floats, e: Floats, rss: float, df: int) -> Floats:
    """Σ/σ² of one factor, not necessarily positive definite."""
    levels, q, _ = d.shape
    # a little ridge for levels that do not know all of their effects
    ridge = d + 1e-6 * np.trace(d.mean(axis=0)) * np.eye(q)
    between = float((e * np.linalg.solve(ridge, e[:, :, None])[:, :, 0]).sum())
    left = df - levels * q
    sigma2 = (rss - between) / left if left > 0.1 * df else 0.5 * rss / df
    sigma2 = max(sigma2, 0.01 * rss / df)
    target = e.T @ e - sigma2 * d.sum(axis=0)
    flat = d.reshape(levels, q * q)
    # Σ_j d_j S d_j in terms of vec(S): element (ab, cd) is Σ_j d_ac d_db
    system = (flat.T @ flat).reshape(q, q, q, q).transpose(0, 3, 1, 2).reshape(q * q, q * q)
    sigma = np.linalg.lstsq(system, target.reshape(-1), rcond=1e-10)[0].reshape(q, q)
    return np.asarray(0.5 * (sigma + transposed(sigma)) / sigma2)


def _bounded(sigma: Floats, shape: FactorShape) -> Floats:
    """The nearest covariance with eigenvalues within bounds, uncorrelated between terms."""
    out = np.zeros_like(sigma)
    begin = 0
    for q in shape.terms:
        own = slice(begin, begin + q)
        values, vectors = np.linalg.eigh(sigma[own, own])
        out[own, own] = (vectors * np.clip(values, _LEAST, _MOST)) @ vectors.T
        begin += q
    return out
