"""Satterthwaite's degrees of freedom of every coefficient in every replicate: `satterthwaite`, for all at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.batch_profiles import Profiles
from mixedsim.inference.many_variance import ManyVariances

Floats = NDArray[np.float64]
_MATTERS = 1e-4  # share of a variance's gradient that lies along flat directions, as in `satterthwaite`


def many_satterthwaite(at: Profiles, known: ManyVariances, contrasts: Floats) -> tuple[Floats, Floats]:
    """Return variances and degrees of freedom of c contrasts (c × p × (1 or m), standardised): c × m each.

    ``df = 2 (l'C l)² / (g'A g)`` with C = σ²W⁻¹, A the covariance of (θ̂, σ̂) and g = ∂(l'Cl)/∂(θ, σ) (Kuznetsova,
    Brockhoff & Christensen 2017, J. Stat. Softw. 82(13), eqs. 8-9): infinite where nothing is uncertain, and 0 where
    the variance cannot be told from the data.
    """
    half = np.einsum("pqm,cqm->cpm", at.w_inverse, contrasts)
    spread = np.einsum("cpm,cpm->cm", half, contrasts)
    size, m = known.theta.shape
    slopes = np.empty((len(half), size + 1, m))
    sigma2 = known.sigma**2
    slopes[:, :size] = sigma2 * np.einsum("ckpm,cpm->ckm", np.einsum("kpqm,cqm->ckpm", at.w_slopes, half), half)
    slopes[:, size] = 2.0 * known.sigma * spread
    doubt = np.einsum("ckm,klm,clm->cm", slopes, known.covariance, slopes)
    variance = sigma2 * spread
    with np.errstate(divide="ignore"):
        df = 2.0 * variance**2 / doubt
    return variance, np.where(known.inverse.unknown(slopes, known.unit, _MATTERS), 0.0, df)
