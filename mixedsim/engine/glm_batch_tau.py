"""Negative binomial models of many replicates: Laplace's criterion with log τ behind θ and β.

Everything at a given τ is `glm_batch_laplace`'s. What log τ adds to the gradient is as in `glm_laplace`; second
derivatives by log τ are differences of that gradient, two of them, whatever the number of parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, psi

from mixedsim.engine.glm_batch_criteria import Evaluation
from mixedsim.engine.glm_batch_laplace import ManyEvaluation, ManyLaplace
from mixedsim.engine.glm_batch_modes import times
from mixedsim.engine.glm_batch_points import Bunch
from mixedsim.engine.glm_batch_responses import ManyResponses
from mixedsim.engine.glm_means import NegativeBinomial
from mixedsim.engine.glm_points import Point

Floats = NDArray[np.float64]
Which = NDArray[np.intp] | slice
_LARGE = 1e3  # τ from which three terms of a series are exact
_STEP = 1e-4  # of the differences by log τ


class Bunched(NegativeBinomial):
    """Counts m × J × r with one log τ a replicate as `extra`."""

    def tau(self, extra: Floats) -> Floats:  # type: ignore[override]
        """τ of every replicate: r values."""
        return np.exp(extra)


@dataclass(frozen=True, eq=False)
class BunchedResponses(ManyResponses):
    """Counts at given log τ.

    Attributes
    ----------
    log_tau : r values.
    """

    log_tau: Floats

    def take(self, which: Which) -> BunchedResponses:
        """Those of some replicates."""
        some = super().take(which)
        return BunchedResponses(some.family, some.constants, self.log_tau[which])

    def given(self, log_tau: Floats) -> BunchedResponses:
        """The same with other τ."""
        return replace(self, log_tau=log_tau)

    def at(self, eta: Floats) -> Point:
        """All rows at η (m × J × r)."""
        own = self.family
        if own.link == "log":
            return Bunch(own.y, np.asarray(own.weights), eta, np.exp(self.log_tau))
        return own.at(eta, self.log_tau)

    def saturated(self) -> Floats:
        """What the losses lack to be −2 log-likelihood: r values; see `NegativeBinomial.criterion`."""
        y, tau = self.family.y, np.exp(self.log_tau)
        some = np.where(y > 0, y, 1.0)
        own = np.log(some) + betaln(tau, some) + some * np.log(tau)  # y! = yΓ(y)
        if self.link != "log":
            own = own + (some + tau) * np.log1p(some / tau) - some * np.log(some)
        return np.asarray(2.0 * (self.family.weights * np.where(y > 0, own, 0.0)).sum(axis=(0, 1)))

    def by_log_tau(self, point: Point) -> tuple[Floats, Floats, Floats]:
        """Derivatives by log τ, at fixed η, of −2 log-likelihood, the score and W of every row."""
        y, tau, mean = self.family.y, np.exp(self.log_tau), point.mean
        own = np.log1p(mean / tau) + (y - mean) / (mean + tau) - _psi_rise(tau, y)
        share = mean / (tau + mean)
        return 2.0 * tau * self.family.weights * own, point.score * share, point.fisher * share


def _psi_rise(tau: Floats, y: Floats) -> Floats:
    """ψ(τ + y) − ψ(τ); for large τ by the series of ψ, term by term: Abramowitz & Stegun (1964), 6.3.18."""
    both = tau + y
    series = np.log1p(y / tau) + y / (2.0 * tau * both) + y * (tau + both) / (12.0 * (tau * both) ** 2)
    return np.where(tau < _LARGE, psi(both) - psi(tau), series)


@dataclass(frozen=True, eq=False)
class ManyBunched(ManyLaplace):
    """−2 log L of r replicates as a function of ψ = (θ, β, log τ)."""

    responses: BunchedResponses

    def evaluate(self, psi: Floats, begin: Floats) -> Evaluation:
        """Everything at ψ (M × r); the modes are sought from `begin` (q × J × r)."""
        return BunchedEvaluation(self, psi, begin)


class BunchedEvaluation:
    """The criterion at one ψ for each of r replicates.

    Attributes
    ----------
    psi, found, gradient : as those of `ManyEvaluation`.
    given : the criterion at given τ, less what depends on τ alone.
    """

    def __init__(self, objective: ManyBunched, psi: Floats, begin: Floats) -> None:
        self.objective, self.psi = objective, psi
        self.responses = objective.responses.given(psi[-1])
        inner = ManyLaplace(objective.rows, self.responses, objective.layout)
        self.given = given = ManyEvaluation(inner, psi[:-1], inner.modes(psi[:-1], begin))
        own, self.by_score, by_fisher = self.responses.by_log_tau(given.modes.point)
        by_tau = (own + given.leverage * by_fisher + given.along * self.by_score).sum(axis=(0, 1))
        self.gradient = np.concatenate([given.gradient, by_tau[None]])
        self.found = given.found & np.isfinite(by_tau)

    @cached_property
    def criterion(self) -> Floats:
        """r values; it is the gradient alone that differences ask for."""
        return np.asarray(self.given.criterion + self.responses.saturated())

    @property
    def u(self) -> Floats:
        """Modes: q × J × r."""
        return self.given.u

    @property
    def eta(self) -> Floats:
        """Linear predictors: m × J × r."""
        return self.given.eta

    @cached_property
    def mode_slopes(self) -> Floats:
        """Their derivatives by ψ: q × M × J × r."""
        by_tau = times(self.given.modes.inverse, self.given.varying.pulled(self.by_score))
        return np.concatenate([self.given.mode_slopes, by_tau[:, None]], axis=1)

    @cached_property
    def hessian(self) -> Floats:
        """Second derivatives: M × M × r."""
        size = len(self.psi)
        out = np.empty((size, size, self.psi.shape[1]))
        out[:-1, :-1] = self.given.hessian
        up, down = (self._beside(step) for step in (_STEP, -_STEP))
        out[-1] = out[:, -1] = np.where(up.found & down.found, up.gradient - down.gradient, np.nan) / (2.0 * _STEP)
        return out

    def _beside(self, step: float) -> Evaluation:
        """The criterion at another log τ."""
        psi = self.psi.copy()
        psi[-1] += step
        return self.objective.evaluate(psi, self.u + step * self.mode_slopes[:, -1])


def bunched(link: str, y: Floats, weights: Floats) -> BunchedResponses:
    """Counts m × J × r with their weights; τ is still to be given."""
    nothing = np.zeros(y.shape[-1])
    return BunchedResponses(Bunched(link, y, weights), nothing, nothing)
