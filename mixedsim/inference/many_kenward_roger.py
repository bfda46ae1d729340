"""Kenward and Roger's method for every coefficient in every replicate: `kenward_roger`, for all at once.

The notation is that of `kenward_roger`; all traces are in closed form, with one grouping factor sums over its levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.batch_cells import Absorbed, OneFactor
from mixedsim.engine.batch_dense import Dense, DenseAbsorbed
from mixedsim.engine.batch_dense_products import pair_sums
from mixedsim.engine.batch_profiles import Profiles
from mixedsim.engine.batch_small import many_lambdas
from mixedsim.engine.batch_solid import SolidInverse
from mixedsim.engine.covariance import Layout
from mixedsim.engine.elements import Elements

Floats = NDArray[np.float64]
_NO_INFORMATION = 1e-9  # share of the information that the fixed effects leave, as in `kenward_roger`
_MATTERS = 1e-6  # share of u along unknown directions, as in `kenward_roger`


@dataclass(frozen=True, eq=False)
class Traces:
    """What the random effects' variance parameters contribute (R of them, m replicates, σ = 1).

    Attributes
    ----------
    gamma : R × m, the parameters over σ².
    p, q : R × p × p × m and R × R × p × p × m, P_r and Q_rs.
    t : R × R × m, tr(HE_rHE_s).
    h : R × m, tr(HE_r).
    """

    gamma: Floats
    p: Floats
    q: Floats
    t: Floats
    h: Floats

    @classmethod
    def of(cls, objective: OneFactor | Dense, theta: Floats) -> tuple[Traces, Floats]:
        """Those at `theta`, and [X y]'V⁻¹[X y]."""
        absorbed = objective.absorb(theta)
        gamma = _gamma(theta, objective.layout)
        if isinstance(absorbed, DenseAbsorbed):
            return cls(gamma, *_of_several_factors(absorbed, objective.layout)), absorbed.ww
        return cls(gamma, *_of_one_factor(absorbed, objective.layout)), absorbed.ww


def _gamma(theta: Floats, layout: Layout) -> Floats:
    """The free elements of ``ΛΛ'``, in the order of θ: R × m."""
    out = np.empty_like(theta)
    for f, mine in enumerate(layout.of_factor):
        lam = many_lambdas(theta, layout, f)
        out[mine] = np.einsum("abm,cbm->acm", lam, lam)[layout.row[mine], layout.column[mine]]
    return out


def _basis(layout: Layout, f: int) -> Floats:
    """Symmetric q × q matrices E_r, one for each free element of a factor's covariance."""
    q, mine = layout.factors[f].effects, layout.of_factor[f]
    out = np.zeros((len(mine), q, q))
    numbers = np.arange(len(mine))
    row, column = layout.row[mine], layout.column[mine]
    out[numbers, row, column] = out[numbers, column, row] = 1.0
    return out


def _of_one_factor(absorbed: Absorbed, layout: Layout) -> tuple[Floats, Floats, Floats, Floats]:
    """P, Q, t and h where all is a sum over levels."""
    e = _basis(layout, 0)
    count, size = len(e), len(absorbed.ww) - 1
    counted = absorbed.counts * absorbed.h
    hh = np.einsum("abMm,cdMm->abcdm", counted, absorbed.h)
    q = np.empty((count, count, size, size, absorbed.ww.shape[2]))
    for s in range(count):
        q[:, s] = np.einsum("rca,caPQm->rPQm", e, _pressed(absorbed, e[s], size))
    return (
        -np.einsum("rab,aPbQm->rPQm", e, absorbed.t[:, :size, :, :size]),
        q,
        np.einsum("rab,scd,bcdam->rsm", e, e, hh, optimize=["einsum_path", (0, 2), (0, 1)]),
        np.einsum("rab,abm->rm", e, counted.sum(axis=2)),
    )


def _pressed(absorbed: Absorbed, e: Floats, size: int) -> Floats:
    """``Σ_j g_aP (H E g)_cQ`` over all levels: q (c) × q (a) × p × p × m."""
    he = np.einsum("cdMm,db->cbMm", absorbed.h, e)
    if absorbed.g is not None:
        g = absorbed.g[:, :size]
        return np.asarray(np.einsum("aPMm,cQMm->caPQm", g, np.einsum("cbMm,bQMm->cQMm", he, g)))
    assert absorbed.squares is not None
    return np.asarray(np.einsum("cbMm,aPbQMm->caPQm", he, absorbed.squares[:, :size, :, :size]))


def _of_several_factors(absorbed: DenseAbsorbed, layout: Layout) -> tuple[Floats, Floats, Floats, Floats]:
    """P, Q, t and h from Z'V⁻¹Z of all effects."""
    elements, h, size = absorbed.elements, absorbed.h, len(absorbed.ww) - 1
    along = elements.aligned([_basis(layout, f) for f in range(len(layout.factors))])
    outer = absorbed.outer_sums()[:, :, :size, :size]
    # E_r g of every r side by side: r × Q × (R p)
    pressed = np.stack([_spread(elements, one) @ absorbed.g[:, :, :size] for one in along], axis=2)
    flat = pressed.reshape(*pressed.shape[:2], -1)
    q = (flat.swapaxes(1, 2) @ (h @ flat)).reshape(len(h), len(along), size, len(along), size)
    sums = h[:, elements.first, elements.second] @ elements.member
    return (
        -np.einsum("kE,mEPQ->kPQm", along, outer),
        np.ascontiguousarray(q.transpose(1, 3, 2, 4, 0)),
        np.einsum("kE,mEF,lF->klm", along, pair_sums(elements, h, h), along, optimize=["einsum_path", (0, 1), (0, 1)]),
        np.einsum("kE,mE->km", along, sums),
    )


def _spread(elements: Elements, values: Floats) -> Floats:
    """A matrix by element repeated for all levels: Q × Q."""
    out = np.zeros((elements.size, elements.size))
    out[elements.first, elements.second] = elements.member @ values
    return out


@dataclass(frozen=True, eq=False)
class ManyKenwardRoger:
    """Adjusted inference of m replicates (see `kenward_roger.KenwardRoger`), the replicates on the last axis."""

    phi: Floats
    covariance: Floats
    p_matrices: Floats
    w: Floats
    unit: Floats
    inverse: SolidInverse

    @classmethod
    def of(cls, traces: Traces, at: Profiles, ww: Floats, rows: Floats, nu: Floats) -> ManyKenwardRoger:
        """Put the formulas together; `ww` is [X y]'V⁻¹[X y], `rows` and `nu` are n and n − p of each replicate."""
        phi = at.w_inverse
        p_all, q_all, t_all = _with_residual(traces, ww[: len(phi), : len(phi)], rows)
        phi_p = np.einsum("ijm,rjkm->rikm", phi, p_all)
        information = t_all - 2.0 * np.einsum("ijm,rsjim->rsm", phi, q_all)
        information += np.einsum("rijm,sjim->rsm", phi_p, phi_p)
        diagonal = np.einsum("rrm->rm", t_all)
        unit = np.sqrt(1.0 / np.where(diagonal > 0, diagonal, 1.0))
        both = unit[:, None] * unit
        inverse = SolidInverse.of(
            0.5 * (information + np.swapaxes(information, 0, 1)) * both, lambda values: values > _NO_INFORMATION
        )
        w = 2.0 * inverse.inverse * both
        inner = np.einsum("rsm,rsijm->ijm", w, q_all)
        inner -= np.einsum("rijm,rjkm->ikm", p_all, np.einsum("rsm,sjkm->rjkm", w, phi_p))
        inner += np.swapaxes(inner, 0, 1).copy()
        adjusted = phi + np.einsum("ijm,jkm,klm->ilm", phi, inner, phi, optimize=["einsum_path", (0, 1), (0, 1)])
        sigma2 = at.r2 / nu
        return cls(sigma2 * phi, sigma2 * adjusted, p_all / sigma2, w, unit, inverse)

    def tests(self, contrasts: Floats) -> tuple[Floats, Floats]:
        """Variances and degrees of freedom of c contrasts (c × p × (1 or m), standardised): c × m each."""
        phi_l = np.einsum("cpm,pqm->cqm", contrasts, self.phi)
        u = np.einsum("crqm,cqm->crm", np.einsum("cpm,rpqm->crqm", phi_l, self.p_matrices), phi_l)
        u /= np.einsum("cpm,cpm->cm", phi_l, contrasts)[:, None]
        with np.errstate(divide="ignore"):
            df = 2.0 / np.einsum("crm,rsm,csm->cm", u, self.w, u)
        variance = np.einsum("cpm,pqm,cqm->cm", contrasts, self.covariance, contrasts)
        unknown = self.inverse.unknown(u * self.unit, np.ones_like(self.unit), _MATTERS)
        return variance, np.where(unknown, 0.0, df)


def _with_residual(traces: Traces, w: Floats, rows: Floats) -> tuple[Floats, Floats, Floats]:
    """P, Q and traces with those of the residual last: see `kenward_roger._adjust`."""
    count, p, m = len(traces.gamma), len(w), len(rows)
    gamma = traces.gamma
    p_all = np.empty((count + 1, p, p, m))
    p_all[:count] = traces.p
    p_all[count] = -(w + np.einsum("rm,rijm->ijm", gamma, traces.p))
    q_all = np.empty((count + 1, count + 1, p, p, m))
    q_all[:count, :count] = traces.q
    q_all[:count, count] = -traces.p - np.einsum("sm,rsijm->rijm", gamma, traces.q)
    q_all[count, :count] = np.swapaxes(q_all[:count, count], 1, 2)
    q_all[count, count] = -p_all[count] - np.einsum("rm,rijm->ijm", gamma, q_all[count, :count])
    t_all = np.empty((count + 1, count + 1, m))
    t_all[:count, :count] = traces.t
    t_all[:count, count] = t_all[count, :count] = traces.h - np.einsum("rsm,sm->rm", traces.t, gamma)
    t_all[count, count] = rows - (gamma * traces.h).sum(axis=0) - (gamma * t_all[:count, count]).sum(axis=0)
    return p_all, q_all, t_all
