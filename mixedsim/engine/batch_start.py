"""Where many searches begin: the moment estimates of `start`, for all replicates at once.

They are the same numbers, so that a likelihood with two valleys is searched from where a single fit begins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.batch_products import ManyProducts
from mixedsim.engine.batch_small import identity, inverse_and_logdet
from mixedsim.engine.covariance import FactorShape, Layout
from mixedsim.engine.dense import have_room

Floats = NDArray[np.float64]
_LEAST, _MOST = 0.05, 1e4  # bounds of Σ/σ², as in `start`


def many_starts(products: ManyProducts, layout: Layout) -> Floats:
    """Starting θ (K × r) by moments, one grouping factor: see `start`."""
    inverse, _ = inverse_and_logdet(products.xx)
    beta = np.einsum("pqr,qr->pr", inverse, products.xy)
    rss = np.maximum(products.yy - np.einsum("pr,pr->r", products.xy, beta), 1e-300)
    e = products.zy - np.einsum("apJr,pr->aJr", products.zx, beta)
    q, _, levels, _ = products.zz.shape
    if have_room([(levels, q)], products.p):
        relative = _jointly(products, inverse, e, rss)
    else:
        relative = _level_by_level(products, e, rss)
    return bounded_factor(relative, layout.factors[0])[layout.row, layout.column]


def _level_by_level(products: ManyProducts, e: Floats, rss: Floats) -> Floats:
    """Σ/σ² by moments that leave X aside: q × q × r."""
    d = products.zz
    q = len(d)
    present = np.einsum("aaJr->Jr", d) > 0
    ridge = 1e-6 * np.einsum("aaJr->r", d) / present.sum(axis=0)
    inverse, _ = inverse_and_logdet(d + identity(q, 2) * ridge)
    between = np.einsum("aJr,aJr->r", np.einsum("abJr,bJr->aJr", inverse, e), e)
    used = q * present.sum(axis=0)
    df = products.n - products.p
    sane = (df - used > 0.1 * df) & (rss - between > 1e-6 * rss)
    sigma2 = np.where(sane, rss - between, 0.5 * rss) / np.where(sane, df - used, df)
    target = np.einsum("aJr,bJr->abr", e, e) - sigma2 * d.sum(axis=2)
    system = np.einsum("acJr,bdJr->abcdr", d, d)
    ridge = 1e-10 * np.maximum(np.einsum("ababr->r", system), 1e-300)
    return _solved(system, ridge, target) / sigma2


def _jointly(products: ManyProducts, c: Floats, e: Floats, rss: Floats) -> Floats:
    """Σ/σ² by exact moments, q × q × r: with F = Z'X, C = (X'X)⁻¹ and B = Z'Z − FCF', ``E[ee'] = σ²B + BΣB``.

    B is never made: its blocks are ``δ_jl D_j − F_jCF_l'``, and only sums over all pairs of levels are asked for.
    """
    d, f = products.zz, products.zx
    fc = np.einsum("aPJr,PQr->aQJr", f, c)
    own = np.einsum("aPJr,bPJr->abJr", fc, f)
    present = (np.einsum("aaJr->Jr", d) > 0).sum(axis=0)
    size = len(d) * present
    scale = np.einsum("aaJr->r", d) / size
    sigma2 = _within_all(products, e, rss, 1e-6 * scale)
    target = np.einsum("aJr,bJr->abr", e, e) - sigma2 * (d - own).sum(axis=2)
    system = np.einsum("acJr,bdJr->abcdr", d, d - own) - np.einsum("acJr,bdJr->abcdr", own, d)
    far = np.einsum("aPJr,bQJr->aPbQr", fc, fc)
    system = system + np.einsum("aPbQr,cPdQr->abcdr", far, np.einsum("cPJr,dQJr->cPdQr", f, f))
    return _solved(system, 1e-12 * size * scale**2, target) / sigma2


def _within_all(products: ManyProducts, e: Floats, rss: Floats, ridge: Floats) -> Floats:
    """Residual variances within all levels, beside X; where none is left, half of what X leaves: r values.

    (B + ridge)⁻¹ is ``A⁻¹ + WNW'`` with A = Z'Z + ridge, W = A⁻¹F and N = (X'X − F'W)⁻¹.
    """
    f = products.zx
    inverse, _ = inverse_and_logdet(products.zz + identity(len(e), 2) * ridge)
    w = np.einsum("abJr,bPJr->aPJr", inverse, f)
    n, _ = inverse_and_logdet(products.xx - np.einsum("aPJr,aQJr->PQr", f, w))
    we = np.einsum("PQr,Qr->Pr", n, np.einsum("aPJr,aJr->Pr", w, e))
    modes = np.einsum("abJr,bJr->aJr", inverse, e) + np.einsum("aPJr,Pr->aJr", w, we)
    within = rss - np.einsum("aJr,aJr->r", e, modes) - ridge * np.einsum("aJr,aJr->r", modes, modes)
    ng = np.einsum("PQr,QSr->PSr", n, np.einsum("aPJr,aQJr->PQr", w, w))
    aw = np.einsum("abJr,bQJr->aQJr", inverse, w)
    length = np.einsum("abJr,abJr->r", inverse, inverse) + np.einsum("PQr,QPr->r", ng, ng)
    length = length + 2.0 * np.einsum("PQr,aPJr,aQJr->r", n, w, aw)
    df = products.n - products.p
    own = df - e.shape[0] * e.shape[1] + ridge**2 * length
    sane = (own > 0.1 * df) & (within > 1e-6 * rss)
    return np.where(sane, within, 0.5 * rss) / np.where(sane, own, df)


def _solved(system: Floats, ridge: Floats, target: Floats) -> Floats:
    """The symmetric Σ with ``system Σ = target``: q × q × r."""
    q = len(target)
    flat = system.reshape(q * q, q * q, -1)
    inverse, _ = inverse_and_logdet(0.5 * (flat + np.swapaxes(flat, 0, 1)) + identity(q * q, 1) * ridge)
    sigma = np.einsum("abr,br->ar", inverse, target.reshape(q * q, -1)).reshape(q, q, -1)
    return np.asarray(0.5 * (sigma + np.swapaxes(sigma, 0, 1)))


def bounded_factor(sigma: Floats, shape: FactorShape) -> Floats:
    """Λ (q × q × r) of the nearest covariance with eigenvalues within bounds, uncorrelated between terms."""
    sigma = np.where(np.isfinite(sigma).all(axis=(0, 1)), sigma, identity(len(sigma), 1))
    out = np.zeros_like(sigma)
    begin = 0
    for q in shape.terms:
        own = slice(begin, begin + q)
        out[own, own] = _lower(_bounded(sigma[own, own]))
        begin += q
    return out


def _bounded(sigma: Floats) -> Floats:
    """The matrices with their eigenvalues within bounds."""
    q = len(sigma)
    if q == 1:
        return np.clip(sigma, _LEAST, _MOST)
    if q == 2:
        middle, half = 0.5 * (sigma[0, 0] + sigma[1, 1]), 0.5 * (sigma[0, 0] - sigma[1, 1])
        radius = np.hypot(half, sigma[0, 1])
        high, low = np.clip(middle + radius, _LEAST, _MOST), np.clip(middle - radius, _LEAST, _MOST)
        share = (high - low) / np.where(radius > 0, 2.0 * radius, 1.0)
        return np.asarray(low * identity(2, 1) + share * (sigma - (middle - radius) * identity(2, 1)))
    values, vectors = np.linalg.eigh(np.moveaxis(sigma, -1, 0))
    made = (vectors * np.clip(values, _LEAST, _MOST)[:, None]) @ vectors.swapaxes(1, 2)
    return np.asarray(np.moveaxis(made, 0, -1))


def _lower(sigma: Floats) -> Floats:
    """Cholesky factors of positive-definite matrices."""
    out = np.zeros_like(sigma)
    for j in range(len(sigma)):
        out[j, j] = np.sqrt(sigma[j, j] - (out[j, :j] ** 2).sum(axis=0))
        for i in range(j + 1, len(sigma)):
            out[i, j] = (sigma[i, j] - (out[i, :j] * out[j, :j]).sum(axis=0)) / out[j, j]
    return out
