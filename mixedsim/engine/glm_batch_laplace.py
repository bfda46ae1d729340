"""Laplace's criterion of many replicates with one grouping factor, with first and second derivatives.

The criterion and its gradient are those of `glm_laplace`, which is the place to read them. The second derivatives are
exact too, so that every step is Newton's and standard errors come with the last one. Write a dot for a derivative along
the path of the mode û(ψ), D_i = Λ'z_i, h_i = D_i'M⁻¹D_i, W° for observed weights, W', W'' and W°' for derivatives by η,
and α, v as in `glm_laplace` (without a dispersion, so that a = 1). Then, for two parameters k and l,

    u̇_k = M°⁻¹ (Σ Ḋ_k r − Σ D W° ∂_kη),    η̇_k = ∂_kη + D'u̇_k,    Ṁ_k = Σ (W'η̇_k DD' + W(Ḋ_kD' + DḊ_k'))
    ∂²C = Σ_i (2W° + hW'' − W°'D'α) η̇_kη̇_l + 2u̇_k'u̇_l − tr(M⁻¹Ṁ_kM⁻¹Ṁ_l) + 2Σ_i W Ḋ_k'M⁻¹Ḋ_l
          + [k, l] Σ_i (2W' D'M⁻¹Ḋ_k − W° α'Ḋ_k) η̇_l + [k, l] Σ_i v Ḋ_k'u̇_l

where [k, l] adds the same with k and l exchanged: what the second derivative of û contributes has gone into α by
implicit differentiation, once more as in Kristensen et al. (2016), J. Stat. Softw. 70(5), section 2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.batch_small import many_lambdas
from mixedsim.engine.covariance import Layout
from mixedsim.engine.glm_batch_criteria import Evaluation
from mixedsim.engine.glm_batch_modes import ManyModes, Varying, grams, inverse_of_m, many_modes, pulled, times
from mixedsim.engine.glm_batch_responses import ManyResponses
from mixedsim.engine.glm_batch_rows import ManyRows

Floats = NDArray[np.float64]
Which = NDArray[np.intp] | slice


@dataclass(frozen=True, eq=False)
class ManyLaplace:
    """−2 log L of r replicates as a function of one ψ = (θ, β) each, less constants.

    Attributes
    ----------
    rows, responses : the data.
    layout : where θ stands in Λ; one factor.
    """

    rows: ManyRows
    responses: ManyResponses
    layout: Layout
    exact: ClassVar[bool] = True
    """Whether the second derivatives of an evaluation are exact."""

    @property
    def replicates(self) -> int:
        """r."""
        return self.responses.replicates

    @property
    def shape(self) -> tuple[int, int, int]:
        """q, J and r."""
        return self.rows.effects, self.rows.offset.shape[1], self.replicates

    def take(self, which: Which) -> Self:
        """The same for some of the replicates."""
        return replace(self, rows=self.rows.take(which), responses=self.responses.take(which))

    def evaluate(self, psi: Floats, begin: Floats) -> Evaluation:
        """Everything at ψ (M × r); the modes are sought from `begin` (q × J × r)."""
        return ManyEvaluation(self, psi, self.modes(psi, begin))

    def modes(self, psi: Floats, begin: Floats) -> tuple[Varying, ManyModes]:
        """Λ'z and the modes at ψ."""
        k = self.layout.size
        varying = Varying.of(self.rows, many_lambdas(psi[:k], self.layout, 0))
        fixed = self.rows.offset + self.rows.mean_part(psi[k:])
        return varying, many_modes(varying, self.responses, fixed, begin)


class ManyEvaluation:
    """The criterion at one ψ for each of r replicates; see the module for the symbols.

    Attributes
    ----------
    psi : M × r.
    found : r booleans, whether there is a criterion at all.
    criterion, gradient : r and M × r.
    """

    def __init__(self, objective: ManyLaplace, psi: Floats, at: tuple[Varying, ManyModes]) -> None:
        self.objective, self.psi = objective, psi
        self.varying, self.modes = at
        self.k = objective.layout.size
        self.lam = many_lambdas(psi[: self.k], objective.layout, 0)
        modes, rows, varying = self.modes, objective.rows, self.varying
        point = modes.point
        self.zwz = grams(rows.z, point.fisher)
        self.inverse, logdet = inverse_of_m(varying.grams(point.fisher))
        self.solved = [varying.spread(self.inverse[:, c]) for c in range(len(self.inverse))]  # columns of M⁻¹D
        self.leverage = np.asarray(
            sum(d * s for d, s in zip(varying.columns, self.solved, strict=True)), dtype=np.float64
        )
        self.logdet = logdet.sum(axis=0)
        self.found = modes.found & np.isfinite(self.logdet)
        self.criterion = self._known_value() + self.logdet
        self._adjoint()
        self.gradient = self._gradient()
        self.found &= np.isfinite(self.criterion) & np.isfinite(self.gradient).all(axis=0)

    def _known_value(self) -> Floats:
        """What the criterion is beside log|M|: r values."""
        losses, u = self.modes.point.losses, self.modes.u
        return np.asarray(losses.sum(axis=(0, 1)) + np.einsum("cjr,cjr->r", u, u))

    def _adjoint(self) -> None:
        """α with ``D'α`` in every row, and v."""
        point = self.modes.point
        q = self.leverage * point.slope
        self.alpha = times(self.modes.inverse, self.varying.pulled(q))
        self.along = self.varying.spread(self.alpha)
        self.v = q - point.observed * self.along - 2.0 * point.score
        self.z_v, self.z_r = (pulled(self.objective.rows.z, w) for w in (self.v, point.score))

    @property
    def u(self) -> Floats:
        """Modes: q × J × r."""
        return self.modes.u

    @property
    def eta(self) -> Floats:
        """Linear predictors: m × J × r."""
        return self.modes.eta

    @property
    def zwz_lam(self) -> Floats:
        """``Z'WZΛ`` of every level: q × q × J × r."""
        return np.asarray(np.einsum("abjr,bcr->acjr", self.zwz, self.lam))

    def _gradient(self) -> Floats:
        layout = self.objective.layout
        by_lambda = 2.0 * np.einsum("abjr,bcjr->acr", self.zwz_lam, self.inverse)
        by_lambda += np.einsum("ajr,cjr->acr", self.z_v, self.modes.u)
        by_lambda += np.einsum("ajr,cjr->acr", self.z_r, self.alpha)
        return np.concatenate([by_lambda[layout.row, layout.column], self.objective.rows.pulled(self.v)])

    # ---- along the path of the mode

    @cached_property
    def direct(self) -> list[Floats]:
        """∂_kη of every parameter, at fixed modes; broadcasts to m × J × r."""
        layout, rows, u = self.objective.layout, self.objective.rows, self.modes.u
        by_theta = [rows.z[a] * u[c] for a, c in zip(layout.row, layout.column, strict=True)]
        return [*by_theta, *rows.x]

    @cached_property
    def mode_slopes(self) -> Floats:
        """u̇_k: q × M × J × r."""
        layout, observed = self.objective.layout, self.modes.point.observed
        right = np.stack([-self.varying.pulled(observed * own) for own in self.direct], axis=1)
        for k, (a, c) in enumerate(zip(layout.row, layout.column, strict=True)):
            right[c, k] += self.z_r[a]
        return times(self.modes.inverse, right)

    @cached_property
    def hessian(self) -> Floats:
        """Exact second derivatives of Laplace's criterion: M × M × r."""
        layout, point, slopes = self.objective.layout, self.modes.point, self.mode_slopes
        where = list(zip(layout.row, layout.column, strict=True))
        along = np.empty((len(self.direct), *self.modes.eta.shape))
        for k, own in enumerate(self.direct):
            along[k] = own + self.varying.spread(slopes[:, k])
        bend, observed_bend = self.objective.responses.bends(self.modes.eta, point)
        weight = 2.0 * point.observed + self.leverage * bend - observed_bend * self.along
        out = _gram(weight * along, along) + 2.0 * np.einsum("ckjr,cljr->klr", slopes, slopes)
        out -= self._traces(along)
        half = np.zeros_like(out)
        rows = [2.0 * point.slope * own - point.observed * self.alpha[c] for c, own in enumerate(self.solved)]
        for k, (a, c) in enumerate(where):
            half[k] = np.einsum("mjr,lmjr->lr", self.objective.rows.z[a] * rows[c], along)
            half[k] += np.einsum("jr,ljr->lr", self.z_v[a], slopes[c])
            for other, (b, d) in enumerate(where):
                out[k, other] += 2.0 * np.einsum("jr,jr->r", self.zwz[a, b], self.inverse[c, d])
        out += half + np.swapaxes(half, 0, 1)
        return np.asarray(0.5 * (out + np.swapaxes(out, 0, 1)))

    def _traces(self, along: Floats) -> Floats:
        """``tr(M⁻¹Ṁ_kM⁻¹Ṁ_l)`` summed over levels: M × M × r."""
        layout, slope = self.objective.layout, self.modes.point.slope
        slopes = np.stack([self.varying.grams(slope * own) for own in along], axis=2)  # q × q × M × J × r
        half = self.zwz_lam
        for k, (a, c) in enumerate(zip(layout.row, layout.column, strict=True)):
            slopes[c, :, k] += half[a]
            slopes[:, c, k] += half[a]
        if len(half) == 1:
            share = self.inverse[0, 0] * slopes[0, 0]
            return np.asarray(np.einsum("kjr,ljr->klr", share, share))
        share = np.einsum("cejr,edkjr->cdkjr", self.inverse, slopes)
        return np.asarray(np.einsum("cdkjr,dcljr->klr", share, share))


def _gram(one: Floats, other: Floats) -> Floats:
    """``Σ_i one_ki other_li``: M × M × r."""
    size, replicates = len(one), one.shape[-1]
    left, right = (part.reshape(size, -1, replicates) for part in (one, other))
    return np.asarray(np.einsum("kir,lir->klr", left, right))
