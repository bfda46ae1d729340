"""Kenward and Roger's adjusted covariance of the fixed effects, and their degrees of freedom.

Kenward & Roger (1997), Biometrics 53:983, in the notation of Halekoh & Højsgaard (2014), J. Stat. Softw. 59(9),
sections 2-3. With V = Σ_r γ_r G_r (one γ for every variance and covariance, and one for the residual),

    Φ    = (X'V⁻¹X)⁻¹
    P_r  = −X'V⁻¹G_rV⁻¹X,   Q_rs = X'V⁻¹G_rV⁻¹G_sV⁻¹X
    W    = covariance of γ̂ = 2 [tr(V⁻¹G_rV⁻¹G_s) − 2 tr(ΦQ_rs) + tr(ΦP_rΦP_s)]⁻¹
    Φ_A  = Φ + 2Φ [Σ_rs W_rs (Q_rs − P_rΦP_s)] Φ

No n × n matrix is formed. With H = Z'V⁻¹Z and G = Z'V⁻¹X a random effect's G_r = ZE_rZ' gives P_r = −G'E_rG and
Q_rs = G'E_rHE_sG, a few right-hand sides for the factorisation that the fit ended with; the traces tr(HE_rHE_s) are
minus the second derivatives of log|V| by the variances. The residual's terms follow from V⁻¹V = I.

Prior weights belong to the residual, whose G is W⁻¹: a weighted model is the unweighted one of √w·y, √w·X and √w·Z,
and gets its numbers. (pbkrtest 0.5.2 takes G = I for the residual whatever the weights, so it mixes a weighted Φ with
traces of an unweighted V; on whitened rows it gives the numbers that come out here.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import FactorShape, Objective, Profile
from mixedsim.engine.covariance import lower_factor
from mixedsim.engine.dense import DenseAbsorbed
from mixedsim.engine.nested import NestedAbsorbed
from mixedsim.errors import MixedsimError

Floats = NDArray[np.float64]
_NO_INFORMATION = 1e-9  # share of the information that the fixed effects leave: what rounding makes of none
_STEP = 2e-3  # times the largest curvature that the data allow: fourth-order differences then err by some 1e-10
_FORWARD = np.array([-25.0, 48.0, -36.0, 16.0, -3.0]) / 12.0  # first derivative from five points ahead


@dataclass(frozen=True, eq=False)
class KenwardRoger:
    """Adjusted inference for p fixed effects (standardised columns, σ² included).

    Attributes
    ----------
    phi, covariance : Φ and Φ_A, p × p.
    p_matrices : R × p × p, P_r of every variance parameter.
    w : R × R, covariance of the variance parameters.
    unit : R natural units of the variance parameters, for comparing them with each other.
    unknown : R × u, orthonormal directions (in those units) of which the data say nothing; mostly u = 0.
    """

    phi: Floats
    covariance: Floats
    p_matrices: Floats
    w: Floats
    unit: Floats
    unknown: Floats

    def df(self, contrasts: Floats) -> Floats:
        """Degrees of freedom of each of m contrasts (m × p): m values.

        For one contrast Kenward and Roger's formulas reduce to ``2/A_2``, with ``A_2 = Σ_rs W_rs u_r u_s`` and
        ``u_r = l'ΦP_rΦl / l'Φl``. It is 0 where the variance of l'β cannot be told from the data.
        """
        phi_l = contrasts @ self.phi
        u = np.einsum("mp,rpq,mq->mr", phi_l, self.p_matrices, phi_l, optimize=True)
        u /= np.einsum("mp,mp->m", phi_l, contrasts)[:, None]
        with np.errstate(divide="ignore"):
            df = 2.0 / np.einsum("mr,rs,ms->m", u, self.w, u)
        return np.where(self._undetermined(u), 0.0, df)

    def denominator(self, contrasts: Floats) -> tuple[float, float]:
        """Denominator degrees of freedom and scale of the F test of q contrasts (q × p, of full rank).

        Kenward & Roger (1997), section 3.2; Halekoh & Højsgaard (2014), eqs. 12-16. The test statistic is the scale
        times the Wald statistic with Φ_A over q.
        """
        q = len(contrasts)
        if q == 1:
            return float(self.df(contrasts)[0]), 1.0
        theta = contrasts.T @ np.linalg.solve(contrasts @ self.phi @ contrasts.T, contrasts)
        inner = theta @ self.phi @ self.p_matrices @ self.phi
        traces = np.trace(inner, axis1=1, axis2=2)
        if self._undetermined(traces[None] / q)[0]:
            return 0.0, 1.0
        a1 = float(traces @ self.w @ traces)
        a2 = float(np.einsum("rs,rij,sji->", self.w, inner, inner, optimize=True))
        if a2 == 0:  # nothing is uncertain: the test is a chi-squared test
            return np.inf, 1.0
        b = (a1 + 6.0 * a2) / (2.0 * q)
        g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
        divisor = 3.0 * q + 2.0 * (1.0 - g)
        v0 = 1.0 + g / divisor * b
        v1 = 1.0 - (q - g) / divisor * b
        v2 = 1.0 - (q + 2 - g) / divisor * b
        left = 1.0 - a2 / q
        ratio = 1.0 if max(abs(left), abs(v1)) < 1e-14 else left / v1
        rho = ratio**2 * v0 / v2 / q
        df = 4.0 + (q + 2) / (q * rho - 1.0)
        # a scale for the F distribution's mean, df/(df − 2); pbkrtest takes 1 near df = 2, where it has none
        scale = 1.0 if abs(df - 2.0) < 1e-2 else df * left / (df - 2.0)
        return float(df), float(scale)

    def _undetermined(self, u: Floats) -> NDArray[np.bool_]:
        """Which rows of u (m × R) move with something that the data say nothing about."""
        u = u * self.unit
        size = np.linalg.norm(u, axis=1, keepdims=True)
        return np.asarray((np.abs(u @ self.unknown) > 1e-6 * size).any(axis=1))


def kenward_roger(objective: Objective, at: Profile) -> KenwardRoger:
    """Return the adjusted covariance of the fixed effects of a REML fit.

    Raises
    ------
    MixedsimError
        For a maximum-likelihood fit, to which the method does not apply, and a model without fixed effects.
    """
    if not len(at.beta):
        raise MixedsimError("Kenward-Roger's method is about fixed effects, and this model has none: add one.")
    if not objective.reml:
        raise MixedsimError("Kenward-Roger's method needs a REML fit: fit the model with reml=True.")
    basis = _Basis.of(objective)
    h = at.absorbed.scores(np.zeros_like(at.absorbed.ww))  # ∂log|V|/∂Σ_f = Σ_j H_jj
    traces = _traces(objective, at, basis, h)
    return _adjust(objective, at, basis, *_products(objective, at, basis), traces, basis.inner(h))


@dataclass(frozen=True, eq=False)
class _Basis:
    """Symmetric q × q matrices E_r, one for each free element of every factor's covariance."""

    factor: list[int]
    place: list[tuple[int, int]]
    matrices: list[Floats]

    @classmethod
    def of(cls, objective: Objective) -> _Basis:
        basis = cls([], [], [])
        for f, shape in enumerate(objective.layout.factors):
            for i, j in _free(shape):
                e = np.zeros((shape.effects, shape.effects))
                e[i, j] = e[j, i] = 1.0
                basis.factor.append(f)
                basis.place.append((i, j))
                basis.matrices.append(e)
        return basis

    def of_factor(self, f: int) -> Floats:
        """The E of one factor; the factors stand in order."""
        return np.array([e for own, e in zip(self.factor, self.matrices, strict=True) if own == f])

    def inner(self, by_factor: list[Floats]) -> Floats:
        """``Σ_ab E_ab S_ab`` of every E with its factor's S: R values."""
        return np.array([(e * by_factor[f]).sum() for f, e in zip(self.factor, self.matrices, strict=True)])

    def gamma(self, objective: Objective, theta: Floats) -> Floats:
        """γ_r/σ² at θ."""
        sigmas = [lam @ lam.T for lam in objective.layout.lambdas(theta)]
        return np.array([sigmas[f][i, j] for f, (i, j) in zip(self.factor, self.place, strict=True)])


def _free(shape: FactorShape) -> list[tuple[int, int]]:
    """Places of the free covariance elements of one factor: the lower triangles of its terms."""
    out = []
    start = 0
    for q in shape.terms:
        out += [(start + i, start + j) for i in range(q) for j in range(i + 1)]
        start += q
    return out


def _products(objective: Objective, at: Profile, basis: _Basis) -> tuple[Floats, Floats]:
    """P_r (R × p × p) and Q_rs (R × R × p × p) of the random effects, for σ = 1."""
    p, count = len(at.beta), len(basis.matrices)
    g = objective.marginal_products(at, np.eye(p + 1)[:, :p])
    p_matrices = np.empty((count, p, p))
    eg = [np.zeros((*part.shape[:2], count, p)) for part in g]
    for r, (f, e) in enumerate(zip(basis.factor, basis.matrices, strict=True)):
        eg[f][:, :, r] = e @ g[f]
        p_matrices[r] = -np.tensordot(g[f], eg[f][:, :, r], axes=([0, 1], [0, 1]))
    q_flat, _ = at.absorbed.inner([part.reshape(*part.shape[:2], count * p) for part in eg])
    return p_matrices, q_flat.reshape(count, p, count, p).transpose(0, 2, 1, 3)


def _traces(objective: Objective, at: Profile, basis: _Basis, h_sums: list[Floats]) -> Floats:
    """tr(HE_rHE_s) for σ = 1: in closed form where H is at hand, else by differences of exact first derivatives."""
    if isinstance(at.absorbed, NestedAbsorbed) and len(at.absorbed.stages) == 1:
        stage = at.absorbed.stages[0]
        q = stage.d.shape[1]
        h = (stage.d - stage.d @ stage.k @ stage.d).reshape(-1, q * q)
        hh = (h.T @ h).reshape(q, q, q, q)
        e = np.array(basis.matrices)
        return np.asarray(np.einsum("rab,scd,bcda->rs", e, e, hh, optimize=True))
    if isinstance(at.absorbed, DenseAbsorbed):
        elements = at.absorbed.blocks.elements
        along_r = elements.aligned([basis.of_factor(f) for f in range(len(h_sums))])
        return np.asarray(along_r @ elements.pair_sums(at.absorbed.zz, at.absorbed.zz) @ along_r.T)
    out = np.empty((len(basis.matrices), len(basis.matrices)))
    along: dict[tuple[int, int, int], Floats] = {}
    for s, (f, (i, j)) in enumerate(zip(basis.factor, basis.place, strict=True)):
        # Only v v' is added to Σ, never an off-diagonal element alone, so that Σ stays a covariance at a singular fit
        for a, b in {(i, i), (j, j), (i, j)}:
            if (f, a, b) not in along:
                along[f, a, b] = -_along(objective, at, basis, h_sums[f], f, a, b)
        out[s] = along[f, i, j] if i == j else along[f, i, j] - along[f, i, i] - along[f, j, j]
    return 0.5 * (out + out.T)


def _along(
    objective: Objective, at: Profile, basis: _Basis, h_sum: Floats, f: int, i: int, j: int
) -> Floats:
    """Derivative of ``∂log|V|/∂γ_r`` as Σ_f moves along vv', v = e_i (if i = j) or e_i + e_j: R values.

    A step t changes log|V| by ``Σ log(1 + t λ)``, λ the eigenvalues of the J × J matrix v'Hv, so it has to be small
    beside 1/λ for the largest; their sum, `h_sum` in direction v, is no less. (The size of v'Σv says little: effects
    that vary a lot together leave λ large in every direction in which they do not.)
    """
    lambdas = objective.layout.lambdas(at.theta)
    v = np.zeros(len(lambdas[f]))
    v[[i, j]] = 1.0
    sigma = lambdas[f] @ lambdas[f].T
    total = float(v @ h_sum @ v)
    step = _STEP / total if total > 0 else 1.0
    out = np.zeros(len(basis.matrices))
    for k, weight in enumerate(_FORWARD):
        lambdas[f] = lower_factor(sigma + k * step * np.outer(v, v), objective.layout.factors[f].terms)
        absorbed = objective.blocks.absorb(lambdas)
        out += weight / step * basis.inner(absorbed.scores(np.zeros_like(absorbed.ww)))
    return out


def _adjust(
    objective: Objective, at: Profile, basis: _Basis, p_z: Floats, q_z: Floats, t_z: Floats, h_z: Floats
) -> KenwardRoger:
    """Add the residual's terms, then put the formulas of the module's docstring together (in units of σ = 1).

    From V = R + Σ γ_r G_r (σ = 1, R the residual's part): V⁻¹RV⁻¹ = V⁻¹ − Σ γ_r V⁻¹G_rV⁻¹.
    """
    gamma = basis.gamma(objective, at.theta)
    count, p = len(gamma), len(at.beta)
    phi = at.w_inverse
    p_all = np.empty((count + 1, p, p))
    p_all[:count] = p_z
    p_all[count] = -(at.absorbed.ww[:p, :p] + np.tensordot(gamma, p_z, axes=1))
    q_all = np.empty((count + 1, count + 1, p, p))
    q_all[:count, :count] = q_z
    q_all[:count, count] = -p_z - np.einsum("s,rsij->rij", gamma, q_z)
    q_all[count, :count] = q_all[:count, count].transpose(0, 2, 1)
    q_all[count, count] = -p_all[count] - np.tensordot(gamma, q_all[count, :count], axes=1)
    t_all = np.empty((count + 1, count + 1))
    t_all[:count, :count] = t_z
    t_all[:count, count] = t_all[count, :count] = h_z - t_z @ gamma
    t_all[count, count] = objective.cp.n - gamma @ h_z - gamma @ t_all[:count, count]
    phi_p = phi @ p_all
    information = t_all - 2.0 * np.einsum("ij,rsji->rs", phi, q_all) + np.einsum("rij,sji->rs", phi_p, phi_p)
    unit = np.sqrt(1.0 / np.where(np.diag(t_all) > 0, np.diag(t_all), 1.0))
    inverse, unknown = _inverse(0.5 * (information + information.T) * np.outer(unit, unit))
    w = 2.0 * inverse * np.outer(unit, unit)
    inner = np.einsum("rs,rsij->ij", w, q_all) - np.einsum("rs,rij,sjk->ik", w, p_all, phi_p, optimize=True)
    adjusted = phi + phi @ (inner + inner.T) @ phi
    sigma2 = at.sigma2
    # W of γ/σ² and P of V/σ² carry σ² in opposite powers, so only Φ has to be scaled
    return KenwardRoger(sigma2 * phi, sigma2 * adjusted, p_all / sigma2, w, unit, unknown)


def _inverse(information: Floats) -> tuple[Floats, Floats]:
    """Inverse of the information on the directions that have any, and the directions that have none.

    Without fixed effects the diagonal would be 1. A direction has no information where the fixed effects use up a
    factor, or where two terms vary in the same way.
    """
    values, vectors = np.linalg.eigh(information)
    solid = values > _NO_INFORMATION
    return np.asarray((vectors[:, solid] / values[solid]) @ vectors[:, solid].T), vectors[:, ~solid]
