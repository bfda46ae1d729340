"""Newton's steps of many replicates, and second derivatives where a criterion has none of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.batch_small import clear_inverse
from mixedsim.engine.glm_batch_criteria import Evaluation, ManyCriteria

Floats = NDArray[np.float64]
Which = NDArray[np.intp]
_DIFFERENCE = 3e-3  # as in `glm_descent`
_FLAT = 1e-7  # share of the largest curvature that rounding can make, as in `glm_optimise`


def differences(objective: ManyCriteria, at: Evaluation, which: Which, hessian: Floats) -> Floats:
    """Second derivatives at the points of some replicates by central differences of the gradient: M × M × s.

    Steps are shares of a standard error, as in `glm_descent`, by the second derivatives that are known so far.
    """
    size = np.sqrt(2.0) * _DIFFERENCE / np.sqrt(np.abs(np.einsum("kkr->kr", hessian)))
    psi, u, slopes = at.psi[:, which], at.u[..., which], at.mode_slopes[..., which]
    out = np.empty_like(hessian)
    for k, step in enumerate(size):
        move = np.zeros_like(psi)
        move[k] = step
        up, down = (objective.evaluate(psi + sign * move, u + sign * slopes[:, k] * step) for sign in (1.0, -1.0))
        out[k] = np.where(up.found & down.found, up.gradient - down.gradient, np.nan) / (2.0 * step)
    return 0.5 * (out + np.swapaxes(out, 0, 1))


def newton_step(hessian: Floats, gradient: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Newton's steps by absolute curvature, M × r, and what goes with them.

    Returns
    -------
    The steps; the decrease that each promises; −1 where the criterion curves downwards in some direction, 0 where it
    does not clearly curve upwards, else 1; and the direction of least curvature, in which the largest element is 1.
    """
    diagonal = np.abs(np.einsum("kkr->kr", hessian))
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled, slope = hessian * scale[:, None] * scale, gradient * scale
    inverse, clear = clear_inverse(scaled)
    step = -np.einsum("klr,lr->kr", inverse, slope)
    lowest, downwards = np.ones(len(clear)), np.zeros_like(gradient)
    decrease = -0.5 * np.einsum("kr,kr->r", step, slope)
    if not clear.all():
        few = np.flatnonzero(~clear)
        own = np.moveaxis(scaled[..., few], -1, 0)
        known = np.asarray(np.isfinite(own).all(axis=(1, 2)))
        # what has overflowed has no eigenvalues: the identity stands in, and nobody stays for it
        values, vectors = np.linalg.eigh(np.where(known[:, None, None], own, np.eye(len(slope))))
        size = np.maximum(np.abs(values), 1e-9 * np.maximum(1.0, np.abs(values).max(axis=1))[:, None])
        share = np.einsum("rkl,kr->rl", vectors, slope[:, few])
        step[:, few] = -np.einsum("rkl,rl->kr", vectors, share / size)
        decrease[few] = np.where(known, 0.5 * (share**2 / size).sum(axis=1), np.nan)
        lowest[few] = np.where(values[:, 0] < -_FLAT * np.abs(values).max(axis=1), -1.0, 0.0)
        along = scale[:, few] * vectors[:, :, 0].T
        downwards[:, few] = along / np.abs(along).max(axis=0)
    return scale * step, decrease, lowest, downwards
