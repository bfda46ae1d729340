"""Families of counts and positive amounts: Poisson, negative binomial, gamma, inverse Gaussian.

Sources: McCullagh & Nelder (1989), Generalized Linear Models, 2nd edition, chapters 6 and 8; Venables & Ripley (2002),
Modern Applied Statistics with S, 4th edition, section 7.4 (negative binomial).
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln, psi

from mixedsim.engine.glm_families import Family, log_or_zero
from mixedsim.engine.glm_links import MEANS
from mixedsim.engine.glm_points import CanonicalPoint, MeanPoint, Point

Floats = NDArray[np.float64]
_LARGE = 1e3  # τ from which three terms of a series are exact
_MOST = float(np.log(10.0))  # log τ where a search begins instead of further on, where the likelihood is flat
_POISSON = 18.0  # log τ beyond which a negative binomial is Poisson to all digits of its likelihood


class MeanFamily(Family):
    """What families of means have in common."""

    canonical: ClassVar[str] = ""

    def __init__(self, link: str, y: Floats, weights: Floats | float) -> None:
        super().__init__(link, y, weights)
        self._mean = MEANS[link]
        self._log_y = log_or_zero(y)
        self._point = CanonicalPoint if link == self.canonical else MeanPoint

    def at(self, eta: Floats, extra: Floats) -> MeanPoint:
        """See `Family.at`."""
        mean = self._mean(eta)
        variance, slope = self.variances(mean.mean, extra)
        return self._point(self.y, self.weights, mean, self.losses(mean.mean, extra), variance, slope)

    def variance(self, mean: Floats, extra: Floats) -> Floats:
        """V(μ)."""
        return self.variances(mean, extra)[0]

    @abstractmethod
    def variances(self, mean: Floats, extra: Floats) -> tuple[Floats, Floats]:
        """V(μ) and V'(μ)."""

    @abstractmethod
    def losses(self, mean: Floats, extra: Floats) -> Floats:
        """The loss of every row."""

    def first_means(self) -> Floats:
        """The responses themselves."""
        return self.y

    def _grown(self, mean: Floats) -> Floats:
        """``y log(μ/y)`` of counts, exact where μ is near a large y; NaN for a mean that is not positive."""
        own = self.y * np.log1p((mean - self.y) / np.where(self.y > 0, self.y, 1.0))
        return np.where(mean > 0, np.where(self.y > 0, own, 0.0), np.nan)


class Poisson(MeanFamily):
    """Counts with variance μ."""

    kind = "poisson"
    links = ("log", "identity", "sqrt")
    canonical = "log"

    def variances(self, mean: Floats, extra: Floats) -> tuple[Floats, Floats]:
        """μ and 1."""
        return mean, np.ones_like(mean)

    def losses(self, mean: Floats, extra: Floats) -> Floats:
        """``2w (y log(y/μ) − (y − μ))``."""
        return np.asarray(2.0 * self.weights * (mean - self.y - self._grown(mean)))

    def criterion(self, loss: float, extra: Floats) -> tuple[float, float]:
        """The deviance, and that of the saturated model: ``2w (y − y log y + log y!)``."""
        return loss + self._constant, 1.0

    @cached_property
    def _constant(self) -> float:
        return 2.0 * float(np.sum(self.weights * (self.y * (1.0 - self._log_y) + gammaln(self.y + 1.0))))

    def first_means(self) -> Floats:
        """y + 0.1."""
        return self.y + 0.1


class NegativeBinomial(MeanFamily):
    """Counts with variance μ + μ²/τ.

    Parameters
    ----------
    theta : τ, or None to estimate it: log τ then stands behind θ and β.
    """

    kind = "negative-binomial"
    links = ("log", "identity", "sqrt")

    def __init__(self, link: str, y: Floats, weights: Floats | float, theta: float | None = None) -> None:
        super().__init__(link, y, weights)
        self.theta = theta
        self.extra = int(theta is None)

    def tau(self, extra: Floats) -> float:
        """τ as given, or from log τ, as far as counts can tell it from the Poisson's infinity."""
        return float(np.exp(min(extra[0], _POISSON))) if self.theta is None else self.theta

    def variances(self, mean: Floats, extra: Floats) -> tuple[Floats, Floats]:
        """``μ + μ²/τ`` and ``1 + 2μ/τ``."""
        share = mean / self.tau(extra)
        return mean * (1.0 + share), 1.0 + 2.0 * share

    def losses(self, mean: Floats, extra: Floats) -> Floats:
        """``2w [y log(y/μ) − (y + τ) log((y + τ)/(μ + τ))]``."""
        tau = self.tau(extra)
        both = np.log1p((self.y - mean) / (mean + tau))
        return np.asarray(-2.0 * self.weights * (self._grown(mean) + (self.y + tau) * both))

    def criterion(self, loss: float, extra: Floats) -> tuple[float, float]:
        """The deviance, and that of the saturated model: with ``−2w log(Γ(τ + y)/(Γ(τ) y! τ^y))``."""
        tau = self.tau(extra)
        some = self.y > 0
        y = self.y[some]
        weights = np.broadcast_to(self.weights, self.y.shape)[some]
        rising = betaln(tau, y) - gammaln(y) + y * np.log(tau)
        saturated = (y + tau) * np.log1p(y / tau) - y * self._log_y[some]
        return loss + 2.0 * float(np.sum(weights * (gammaln(y + 1.0) + rising + saturated))), 1.0

    def by_extra(self, point: Point, extra: Floats) -> tuple[Floats, Floats, Floats]:
        """τ times the derivatives by τ."""
        tau = self.tau(extra)
        mean = point.mean
        if extra[0] >= _POISSON:
            none = np.zeros_like(mean)[None]
            return none, none, none
        own = np.log1p(mean / tau) + (self.y - mean) / (mean + tau) - _psi_rise(tau, self.y)
        share = mean / (tau + mean)
        return (
            np.asarray(2.0 * tau * self.weights * own)[None],
            (point.score * share)[None],
            (point.fisher * share)[None],
        )

    def again(self, extra: Floats) -> Floats:
        """No larger than where the likelihood is not flat."""
        return np.minimum(extra, _MOST)

    def first_extra(self) -> Floats:
        """log τ by moments: ``Σ (y − ȳ)² = Σ (ȳ + ȳ²/τ)``."""
        if self.theta is not None:
            return np.empty(0)
        mean, variance = float(self.y.mean()), float(self.y.var())
        return np.array([np.log(np.clip(mean**2 / max(variance - mean, 1e-3 * mean, 1e-300), 0.1, 100.0))])

    def first_means(self) -> Floats:
        """y, and a sixth for none."""
        return np.where(self.y > 0, self.y, 1.0 / 6.0)


class Gamma(MeanFamily):
    """Positive amounts with variance φμ²."""

    kind = "gamma"
    links = ("inverse", "log", "identity")
    scaled = True
    canonical = "inverse"

    def variances(self, mean: Floats, extra: Floats) -> tuple[Floats, Floats]:
        """μ² and 2μ."""
        return mean * mean, 2.0 * mean

    def losses(self, mean: Floats, extra: Floats) -> Floats:
        """The deviance ``2w [log(μ/y) + (y − μ)/μ]``."""
        return np.asarray(2.0 * self.weights * (np.log(mean / self.y) + (self.y - mean) / mean))

    def criterion(self, loss: float, extra: Floats) -> tuple[float, float]:
        """R's ``Gamma()$aic``, its 2 for the dispersion included: shape ν = Σw/deviance."""
        n = self.total_weight
        shape = n / loss
        own = 2.0 * (shape + gammaln(shape) - shape * np.log(shape))
        return n + n * float(own) + self._constant + 2.0, 2.0 * shape**2 * float(np.log(shape) - psi(shape))

    @cached_property
    def _constant(self) -> float:
        return 2.0 * float(np.sum(self.weights * np.log(self.y)))


class InverseGaussian(MeanFamily):
    """Positive amounts with variance φμ³."""

    kind = "inverse-gaussian"
    links = ("inverse-square", "inverse", "log", "identity")
    scaled = True
    canonical = "inverse-square"

    def variances(self, mean: Floats, extra: Floats) -> tuple[Floats, Floats]:
        """μ³ and 3μ²."""
        square = mean * mean
        return square * mean, 3.0 * square

    def losses(self, mean: Floats, extra: Floats) -> Floats:
        """The deviance ``w (y − μ)²/(yμ²)``; a negative mean has none."""
        own = self.weights * (self.y - mean) ** 2 / (self.y * mean * mean)
        return np.where(mean > 0, own, np.nan)

    def criterion(self, loss: float, extra: Floats) -> tuple[float, float]:
        """R's ``inverse.gaussian()$aic``."""
        n = self.total_weight
        return n * (float(np.log(2.0 * np.pi * loss / n)) + 1.0) + self._constant + 2.0, n / loss

    @cached_property
    def _constant(self) -> float:
        return 3.0 * float(np.sum(self.weights * np.log(self.y)))


def _psi_rise(tau: float, y: Floats) -> Floats:
    """ψ(τ + y) − ψ(τ); for large τ by the asymptotic series of ψ, term by term, because the difference has no digits.

    Abramowitz & Stegun (1964), Handbook of Mathematical Functions, 6.3.18.
    """
    if tau < _LARGE:
        return np.asarray(psi(tau + y) - psi(tau))
    both = tau + y
    return np.asarray(np.log1p(y / tau) + y / (2.0 * tau * both) + y * (tau + both) / (12.0 * (tau * both) ** 2))
