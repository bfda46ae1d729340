"""Where the search for θ begins: a moment estimate of each factor's covariance.

With e_j = Z_j'(y − Xβ̂_OLS) and d_j = Z_j'Z_j, ``E[e_j e_j'] ≈ σ² d_j + d_j Σ d_j``. Summed over levels this is
linear in the q² elements of Σ: the method of moments, in the spirit of Henderson (1953), Biometrics 9:226, one factor
at a time. It costs less than one evaluation of the deviance and saves several.

Where all effects have room in one small matrix, the moments are exact: with e = Z'(y − Xβ̂_OLS) and B = Z'Z less what X
explains of it, ``E[ee'] = σ²B + BΣB`` for all factors at once (MINQUE with a prior of no variance: Rao 1971, J.
Multivar. Anal. 1:257). In a balanced design these are the REML estimates, and the search is over where it begins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from mixedsim.engine.covariance import FactorShape, Layout
from mixedsim.engine.cross_products import CrossProducts
from mixedsim.engine.dense import DenseBlocks, fits
from mixedsim.engine.structure import Blocks

Floats = NDArray[np.float64]
_LEAST, _MOST = 0.05, 1e4  # bounds of Σ/σ²: zero would be a saddle, and the data are standardised


def start(cp: CrossProducts, layout: Layout, blocks: Blocks | None = None) -> Floats:
    """Starting θ (K values) from cross-products with one response; `blocks` are their layout, where that is known."""
    if fits(cp):
        return _joint_start(cp, layout, blocks if isinstance(blocks, DenseBlocks) else DenseBlocks(cp))
    beta = np.linalg.solve(cp.xx, cp.xy[:, 0]) if cp.p else np.empty(0)
    rss = max(float(cp.yy[0] - cp.xy[:, 0] @ beta), 1e-300)
    sums = [zy[:, :, 0] - zx @ beta for zy, zx in zip(cp.zy, cp.zx, strict=True)]
    sigma2 = _residual_variance(cp, sums, rss)
    lambdas = []
    for d, e, shape in zip(cp.zz, sums, layout.factors, strict=True):
        relative = _covariance(d, e, sigma2) / sigma2
        lambdas.append(_bounded_factor(relative, shape, _least(d)))
    return layout.theta(lambdas)


def _residual_variance(cp: CrossProducts, sums: list[Floats], rss: float) -> float:
    """What is left within the levels of all factors at once, or, where that makes no sense, of the finest."""
    between, used = [], []
    for d, e in zip(cp.zz, sums, strict=True):
        levels, q, _ = d.shape
        # a little ridge for levels that do not know all of their effects
        ridge = d + 1e-6 * np.trace(d.mean(axis=0)) * np.eye(q)
        between.append(float((e * np.linalg.solve(ridge, e[:, :, None])[:, :, 0]).sum()))
        used.append(levels * q)
    df = cp.n - cp.p
    # crossed factors explain separate parts of the sum of squares; nested ones the same part twice
    guesses = [(sum(between), sum(used)), *zip(between, used, strict=True)]
    sane = [(rss - b) / (df - u) for b, u in guesses if df - u > 0.1 * df and rss - b > 1e-6 * rss]
    return sane[0] if sane else 0.5 * rss / df


def _covariance(d: Floats, e: Floats, sigma2: float) -> Floats:
    """Σ of one factor by moments, not necessarily positive definite."""
    levels, q, _ = d.shape
    target = e.T @ e - sigma2 * d.sum(axis=0)
    flat = d.reshape(levels, q * q)
    # Σ_j d_j S d_j in terms of vec(S): element (ab, cd) is Σ_j d_ac d_db
    system = (flat.T @ flat).reshape(q, q, q, q).transpose(0, 3, 1, 2).reshape(q * q, q * q)
    # levels that know some effects only leave directions unknown: a little ridge sets those to zero
    ridge = 1e-10 * max(np.trace(system), 1e-300) * np.eye(q * q)
    sigma = np.linalg.solve(system + ridge, target.reshape(-1)).reshape(q, q)
    return np.asarray(0.5 * (sigma + sigma.T))


def _joint_start(cp: CrossProducts, layout: Layout, blocks: DenseBlocks) -> Floats:
    """θ from the moments of all factors at once."""
    elements, size, p = blocks.elements, blocks.size, cp.p
    left = blocks.full
    if p:
        # LAPACK itself: NumPy's wrapper takes longer than the work
        explained = lapack.dgesv(cp.xx, left[size : size + p])[2]
        left = left - left[:, size : size + p] @ explained
    b, e, rss = left[:size, :size], left[:size, -1], max(float(left[-1, -1]), 1e-300)
    scale = float(np.trace(blocks.zz)) / size  # of b where X leaves all of it: where it leaves nothing, b is rounding
    sigma2 = _within_all(b, e, rss, cp.n - p, 1e-6 * scale)
    target = elements.diagonal_sums(e[:, None] * e - sigma2 * b)
    system = elements.pair_sums(b, b)
    # what X leaves nothing of is unknown: a little ridge sets it to zero
    system.flat[:: len(system) + 1] += 1e-12 * size * scale**2
    solved = lapack.dgesv(system, np.concatenate([t.reshape(-1) for t in target]))[2] / sigma2
    lambdas = []
    for place, shape in zip(elements.places, layout.factors, strict=True):
        relative = solved[place].reshape(shape.effects, shape.effects)
        lambdas.append(_bounded_factor(0.5 * (relative + relative.T), shape))
    return layout.theta(lambdas)


def _within_all(b: Floats, e: Floats, rss: float, df: int, ridge: float) -> float:
    """Residual variance within the levels of all factors at once; where none is left, half of what X leaves."""
    size = len(b)
    root, failed = lapack.dpotrf(b + ridge * np.eye(size), lower=1, clean=1)
    if not failed:
        half, _ = lapack.dtrtri(root, lower=1)
        inverse = half.T @ half
        modes = inverse @ e
        # (b + ridge)⁻¹ + ridge (b + ridge)⁻² for b⁻¹: exact but for the square of the ridge. A direction of b takes a
        # degree of freedom, unless it has no length
        within = rss - float(e @ modes + ridge * (modes @ modes))
        own = df - size + ridge**2 * float(np.vdot(inverse, inverse))
        if own > 0.1 * df and within > 1e-6 * rss:
            return within / own
    return 0.5 * rss / df


def _least(d: Floats) -> float:
    """The least Σ/σ² to begin from: levels with many rows tell a small variance from none.

    At one over the rows of a level half of the level's own estimate is believed, which is far enough from the saddle.
    """
    levels, q, _ = d.shape
    rows: float = float(np.trace(d.sum(axis=0))) / (levels * q)
    return min(_LEAST, 1.0 / max(rows, 1.0))


def _bounded_factor(sigma: Floats, shape: FactorShape, least: float = _LEAST) -> Floats:
    """Λ of the nearest covariance with eigenvalues within bounds, uncorrelated between terms."""
    out = np.zeros_like(sigma)
    begin = 0
    for q in shape.terms:
        if q == 1:
            out[begin, begin] = min(max(sigma[begin, begin], least), _MOST) ** 0.5
            begin += 1
            continue
        own = slice(begin, begin + q)
        values, vectors = np.linalg.eigh(sigma[own, own])
        out[own, own] = np.linalg.cholesky((vectors * np.clip(values, least, _MOST)) @ vectors.T)
        begin += q
    return out
