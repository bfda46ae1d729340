"""Adaptive Gauss-Hermite quadrature for one grouping factor with one effect.

The random effect u_j of a level is integrated out by N nodes around its mode, in units of ``s_j = M_j^−½``:

    ∫ exp(−½D_j(u)) φ-normalised du ≈ s_j Σ_k w_k exp(½z_k² − ½D_j(û_j + s_j z_k)),    D_j(u) = Σ_{i in j} d_i + u²

with nodes z_k and weights w_k of the standard normal distribution (Pinheiro & Bates 1995, J. Comput. Graph. Stat. 4:12,
eq. 7; Liu & Pierce 1994, Biometrika 81:624). One node is the Laplace approximation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import roots_hermitenorm

from mixedsim.engine.glm_pirls import Mode

Floats = NDArray[np.float64]
_CHUNK = 2**18  # rows times nodes that are held at once


@dataclass(frozen=True, eq=False)
class Integrals:
    """What takes the place of ``F(û)`` in the Laplace approximation, with derivatives (J levels, n rows).

    Attributes
    ----------
    value : the criterion less log|M|, with the loss in place of a whole −2 log-likelihood.
    logdet_share : J derivatives by log M_j, those of log|M| itself included.
    by_mode : J derivatives by û_j.
    score : n values: −½ the derivative by η_i at fixed nodes.
    effect_score : Σ_j of node times score summed over the level, weighted: −½ the derivative by θ at fixed nodes.
    by_extra : derivatives by the family's further parameters of all rows' losses and constants.
    """

    value: float
    logdet_share: Floats
    by_mode: Floats
    score: Floats
    effect_score: float
    by_extra: Floats


@cache
def nodes_and_weights(count: int) -> tuple[Floats, Floats]:
    """Nodes, and logarithms of weights, for the standard normal distribution."""
    nodes, weights = roots_hermitenorm(count)
    return nodes, np.log(weights / weights.sum())


def integrate(mode: Mode, m: Floats, nodes: int) -> Integrals:
    """Integrals of all levels at once.

    Parameters
    ----------
    mode : the modes of one factor with one effect.
    m : J values M_j.
    nodes : N.
    """
    rows, family, extra = mode.inner.rows, mode.family, mode.extra
    z, log_w = nodes_and_weights(nodes)
    scale = 1.0 / np.sqrt(m)
    lam = float(mode.inner.lambdas[0][0, 0])
    u = mode.vector[: rows.size] + z[:, None] * scale
    spread = lam * scale[:, None]
    loss = np.empty_like(u)
    slopes = np.empty_like(u)
    width = max(1, _CHUNK // rows.n)
    chunks = [slice(begin, begin + width) for begin in range(0, nodes, width)]
    points = []
    for chunk in chunks:
        eta = mode.eta + (rows.z @ (spread * z[chunk])).T
        point = family.at(eta, extra)
        points.append(point if len(chunks) == 1 else None)
        loss[chunk] = (rows.zt_ones @ point.losses.T).T
        slopes[chunk] = (rows.zt @ point.score.T).T
    exponent = log_w[:, None] + 0.5 * (z[:, None] ** 2 - loss - u * u)
    top = exponent.max(axis=0)
    shares = np.exp(exponent - top)
    total = shares.sum(axis=0)
    shares /= total
    gradient = u - lam * slopes
    by_mode = 2.0 * (shares * gradient).sum(axis=0)
    score = np.zeros(rows.n)
    by_extra = np.zeros(family.extra)
    for chunk, kept in zip(chunks, points, strict=True):
        point = kept or family.at(mode.eta + (rows.z @ (spread * z[chunk])).T, extra)
        weights = shares[chunk][:, rows.codes[0]]
        score += (weights * point.score).sum(axis=0)
        if family.extra:
            by_extra += (weights * family.by_extra(point, extra)[0]).sum(axis=(1, 2))
    return Integrals(
        value=-2.0 * float((top + np.log(total)).sum()),
        logdet_share=1.0 - scale * (z @ (shares * gradient)),
        by_mode=by_mode,
        score=score,
        effect_score=float((shares * u * slopes).sum()),
        by_extra=by_extra,
    )
