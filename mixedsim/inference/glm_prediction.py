"""How far a predicted linear predictor of a generalised model may be from the truth, random effects included.

``η = x'β + z'b`` is predicted with the mode b̂(θ, β) at the estimates. Given the parameters ψ = (θ, β), b varies about
its mode with covariance ``σ²ΛM⁻¹Λ'``; the mode moves with the parameters, which are estimates with covariance C (from
the second derivatives of the criterion). To first order (Kass & Steffey 1989, J. Am. Stat. Assoc. 84:717, section 2;
Kristensen et al. 2016, J. Stat. Softw. 70(5), section 2.2 for the implicit derivatives)

    Var(η − η̂) = σ² z'ΛM⁻¹Λ'z + J C J',     J = ∂η̂/∂ψ = (z'∂b̂/∂θ, x' + z'∂b̂/∂β)

With a normal response and θ known this is Henderson's variance (see `prediction_variance`). A level that the model has
not seen has b̂ = 0 and adds its full σ²z'ΛΛ'z instead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.glm_factor import covariance_cells
from mixedsim.engine.glm_laplace import GlmEvaluation, GlmObjective
from mixedsim.engine.glm_rows import CellBlocks
from mixedsim.inference.prediction_variance import Rows

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
_CHUNK = 64  # rows at a time, of which each asks for a solution of its own


def predictor_variance(
    objective: GlmObjective, at: GlmEvaluation, covariance: Floats, dispersion: float, rows: Rows
) -> Floats:
    """Return the variance of the prediction error of η of every row: n values.

    Parameters
    ----------
    objective, at : likelihood and optimum.
    covariance : C of the standardised (θ, β); τ of a negative binomial is taken as known.
    dispersion : σ².
    rows : what is predicted, in standardised columns; its noise plays no part.
    """
    if objective.profiled:
        objective, at = _with_coefficients(objective, at)
    jacobian, out = rows.x.copy(), np.zeros(len(rows.x))
    by_theta = np.zeros((len(rows.x), objective.layout.size))
    known = []
    for z, codes, unknown, lam, slopes in zip(
        rows.z, rows.codes, rows.unknown, at.lambdas, _mode_slopes(objective, at), strict=True
    ):
        used = np.where((codes >= 0)[:, None], z, 0.0)
        moved = np.einsum("nq,nqk->nk", used, slopes[codes])
        by_theta += moved[:, : by_theta.shape[1]]
        jacobian += moved[:, by_theta.shape[1] :]
        out += np.where(unknown, ((z @ lam) ** 2).sum(axis=1), 0.0)
        known.append(used)
    jacobian = np.hstack([by_theta, jacobian])
    out += _given_parameters(objective, at, known, rows.codes)
    return np.asarray(dispersion * out + np.einsum("nk,kl,nl->n", jacobian, covariance, jacobian))


def _with_coefficients(objective: GlmObjective, at: GlmEvaluation) -> tuple[GlmObjective, GlmEvaluation]:
    """The same point where β is one of the coordinates, instead of profiled (nagq = 0)."""
    own = objective.changed(nagq=1)
    return own, own.evaluate(np.concatenate([at.theta, at.beta, at.extra]), at.u)


def _mode_slopes(objective: GlmObjective, at: GlmEvaluation) -> list[Floats]:
    """Derivatives of the modes b = Λu by (θ, β): J_f × q_f × (K + p) for each factor.

    `GlmObjective.predicted` is linear in ψ, so that its values a unit apart are derivatives.
    """
    rows = objective.rows
    at_theta, at_beta, _ = objective.parts()
    out = np.empty((rows.size, at_beta.stop))
    for k in range(at_beta.stop):
        psi = at.psi.copy()
        psi[k] += 1.0
        move = objective.predicted(at, psi) - at.mode.vector
        out[:, k] = rows.scaled(at.lambdas, move)
        if k < at_theta.stop:
            lambdas = objective.layout.lambdas(psi[at_theta])
            change = [new - old for new, old in zip(lambdas, at.lambdas, strict=True)]
            out[:, k] += rows.scaled(change, at.u)
    return [out[part].reshape(*shape, -1) for part, shape in zip(rows.parts, rows.shapes, strict=True)]


def _given_parameters(objective: GlmObjective, at: GlmEvaluation, z: list[Floats], codes: list[Codes]) -> Floats:
    """``z'ΛM⁻¹Λ'z`` of every row; z is zero where the code is −1.

    Cells of M⁻¹ that the data have are at hand. Rows in which two levels meet that never met are solved for.
    """
    cells = covariance_cells(at.inverse, at.lambdas)
    out = np.zeros(len(codes[0]))
    for own, mine, block in zip(z, codes, cells.own, strict=True):
        out += np.einsum("na,nab,nb->n", own, block[mine], own)
    stray = np.zeros(len(out), dtype=bool)
    for f, g in objective.rows.pairs:
        both = np.flatnonzero((codes[f] >= 0) & (codes[g] >= 0))
        place, met = _met(objective, cells, (f, g), codes[f][both], codes[g][both])
        stray[both[~met]] = True
        block = cells.cross[f, g][place[met]]
        there = both[met]
        out[there] += 2.0 * np.einsum("na,nab,nb->n", z[f][there], block, z[g][there])
    where = np.flatnonzero(stray)
    for start in range(0, len(where), _CHUNK):
        some = where[start : start + _CHUNK]
        out[some] = _solved(objective, at, [own[some] for own in z], [mine[some] for mine in codes])
    return out


def _met(
    objective: GlmObjective, cells: CellBlocks, pair: tuple[int, int], one: Codes, other: Codes
) -> tuple[Codes, NDArray[np.bool_]]:
    """Where each pair of levels stands among those that meet, and whether it does."""
    pairs = objective.rows.pairs[pair]
    width = len(cells.own[pair[1]])
    known, wanted = pairs.left * width + pairs.right, one * width + other
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return place, known[place] == wanted


def _solved(objective: GlmObjective, at: GlmEvaluation, z: list[Floats], codes: list[Codes]) -> Floats:
    """The same for a few rows with any combination of levels."""
    rows = objective.rows
    sides = np.zeros((rows.size, len(codes[0])))
    for part, (_, q), own, mine, lam in zip(rows.parts, rows.shapes, z, codes, at.lambdas, strict=True):
        on = np.flatnonzero(mine >= 0)
        for a, values in enumerate((own @ lam).T):
            sides[part.start + mine[on] * q + a, on] = values[on]
    return np.asarray((sides * at.factor.solve(sides)).sum(axis=0))
