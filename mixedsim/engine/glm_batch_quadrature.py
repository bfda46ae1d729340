"""Adaptive Gauss-Hermite quadrature for many replicates with one grouping factor and one effect: `glm_quadrature`.

The integrals, and their derivatives at fixed nodes, are those of `glm_quadrature`, for all levels of all replicates at
once. Second derivatives are those of Laplace's approximation, which are close enough to lead to the optimum; near it
they are taken by differences of the exact gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.glm_batch_laplace import ManyEvaluation, ManyLaplace
from mixedsim.engine.glm_batch_modes import ManyModes, Varying, pulled, times
from mixedsim.engine.glm_quadrature import nodes_and_weights

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ManyQuadrature(ManyLaplace):
    """−2 log L of r replicates by quadrature, less constants.

    Attributes
    ----------
    nodes : how many.
    """

    nodes: int
    exact: ClassVar[bool] = False

    @property
    def laplace(self) -> ManyLaplace:
        """The approximation with one node."""
        return ManyLaplace(self.rows, self.responses, self.layout)

    def evaluate(self, psi: Floats, begin: Floats) -> QuadratureEvaluation:
        """Everything at ψ (M × r); the modes are sought from `begin` (q × J × r)."""
        return QuadratureEvaluation(self, psi, self.modes(psi, begin))


class QuadratureEvaluation:
    """The criterion at one ψ for each of r replicates.

    Attributes
    ----------
    psi, found, criterion, gradient : as those of `ManyEvaluation`.
    laplace : Laplace's approximation there.
    """

    def __init__(self, objective: ManyQuadrature, psi: Floats, at: tuple[Varying, ManyModes]) -> None:
        self.objective, self.psi = objective, psi
        self.laplace = laplace = ManyEvaluation(objective, psi, at)
        self.varying, self.modes = at
        self.scale = np.sqrt(laplace.inverse[0, 0])  # J × r, s_j
        self._integrate()
        self.criterion = self.value + laplace.logdet
        self.gradient = self._gradient()
        self.found = laplace.found & np.isfinite(self.criterion) & np.isfinite(self.gradient).all(axis=0)

    def _integrate(self) -> None:
        """The integrals of all levels with their derivatives; see `glm_quadrature.Integrals`."""
        z, log_w = nodes_and_weights(self.objective.nodes)
        rows, responses, lam = self.objective.rows, self.objective.responses, self.laplace.lam[0, 0]
        u = self.modes.u[0] + z[:, None, None] * self.scale
        loss, slopes, scores = np.empty_like(u), np.empty_like(u), []
        for k, node in enumerate(z):
            point = responses.at(self.modes.eta + self.varying.columns[0] * (node * self.scale))
            loss[k], slopes[k] = point.losses.sum(axis=0), pulled(rows.z, point.score)[0]
            scores.append(point.score)
        exponent = log_w[:, None, None] + 0.5 * (z[:, None, None] ** 2 - loss - u * u)
        top = exponent.max(axis=0)
        shares = np.exp(exponent - top)
        total = shares.sum(axis=0)
        shares /= total
        gradient = shares * (u - lam * slopes)
        self.value = -2.0 * (top + np.log(total)).sum(axis=0)
        self.by_mode = 2.0 * gradient.sum(axis=0)
        self.logdet_share = 1.0 - self.scale * np.einsum("k,kjr->jr", z, gradient)
        self.effect_score = np.einsum("kjr,kjr,kjr->r", shares, u, slopes)
        self.score = np.zeros_like(self.modes.eta)
        for share, own in zip(shares, scores, strict=True):
            self.score += share * own

    def _gradient(self) -> Floats:
        """`GlmObjective._derivatives`, for one factor with one effect."""
        laplace, rows, point = self.laplace, self.objective.rows, self.modes.point
        q = laplace.leverage * self.logdet_share * point.slope
        alpha = times(self.modes.inverse, self.varying.pulled(q) + self.by_mode)
        v = q - point.observed * self.varying.spread(alpha)
        own = 2.0 * laplace.zwz[0, 0] * self.logdet_share * laplace.lam[0, 0] * laplace.inverse[0, 0]
        own += pulled(rows.z, v)[0] * self.modes.u[0] + laplace.z_r[0] * alpha[0]
        by_theta = own.sum(axis=0) - 2.0 * self.effect_score
        return np.concatenate([by_theta[None], rows.pulled(v - 2.0 * self.score)])

    @property
    def u(self) -> Floats:
        """Modes: q × J × r."""
        return self.modes.u

    @property
    def eta(self) -> Floats:
        """Linear predictors: m × J × r."""
        return self.modes.eta

    @property
    def mode_slopes(self) -> Floats:
        """Their derivatives by ψ: q × M × J × r."""
        return self.laplace.mode_slopes

    @cached_property
    def hessian(self) -> Floats:
        """Second derivatives of Laplace's approximation: M × M × r."""
        return self.laplace.hessian
