"""Rows of families with their canonical link, as few operations as there are: y counts by ``yη − κ(η)`` alone.

With the cumulant function κ, ``κ = log(1 + e^η)`` of a yes or no and ``κ = e^η`` of a count, the mean is κ', weights
are κ'' and their derivatives κ''' and so on (McCullagh & Nelder 1989, Generalized Linear Models, 2nd edition, section
2.2.2). The losses are ``2w(κ − yη)``: deviances less what the data alone make of them.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.glm_points import Point

Floats = NDArray[np.float64]
_FAR = 230.0  # exp(230) is 1e100, whose cube is still a number


class Lean(Point):
    """A linear predictor, with what second derivatives of the criterion need of it, too."""

    @property
    @abstractmethod
    def bend(self) -> Floats:
        """d²W/dη² of every row."""

    @property
    @abstractmethod
    def observed_bend(self) -> Floats:
        """Derivatives of the observed weights by η."""


class Natural(Lean):
    """A linear predictor η, with weights w and responses y."""

    def __init__(self, y: Floats, weights: Floats, eta: Floats) -> None:
        self.weights = weights
        cumulant = self._cumulant(eta)
        cumulant -= y * eta
        cumulant *= 2.0 * weights
        self.losses = cumulant
        self.score = y - self.mean
        self.score *= weights

    @abstractmethod
    def _cumulant(self, eta: Floats) -> Floats:
        """κ, a new array; sets `mean`."""

    @property
    def observed(self) -> Floats:
        """wκ''."""
        return self.fisher

    @property
    def observed_bend(self) -> Floats:
        """wκ'''."""
        return self.slope


class YesOrNo(Natural):
    """Shares of successes with the logit."""

    def _cumulant(self, eta: Floats) -> Floats:
        small = np.exp(-np.abs(eta))
        total = 1.0 + small
        high = 1.0 / total
        self.low = small * high
        self.mean = np.where(eta >= 0, high, self.low)
        self.high = high
        np.log(total, out=total)
        total += np.maximum(eta, 0.0)
        return total

    @cached_property
    def fisher(self) -> Floats:
        """``w μ(1 − μ)``."""
        return np.asarray(self.weights * self.high * self.low)

    @cached_property
    def slope(self) -> Floats:
        """``w μ(1 − μ)(1 − 2μ)``."""
        return np.asarray(self.fisher * (1.0 - 2.0 * self.mean))

    @property
    def bend(self) -> Floats:
        """``w μ(1 − μ)(1 − 6μ(1 − μ))``."""
        return np.asarray(self.fisher * (1.0 - 6.0 * self.high * self.low))


class Count(Natural):
    """Counts with the logarithm."""

    def _cumulant(self, eta: Floats) -> Floats:
        self.mean = np.exp(np.minimum(eta, _FAR))
        return self.mean.copy()

    @cached_property
    def fisher(self) -> Floats:
        """``wμ``."""
        return np.asarray(self.weights * self.mean)

    @property
    def slope(self) -> Floats:
        """``wμ``."""
        return self.fisher

    @property
    def bend(self) -> Floats:
        """``wμ``."""
        return self.fisher


class Bunch(Lean):
    """Counts of events in bunches with the logarithm: variance μ + μ²/τ, where s = μ/(μ + τ).

    The losses are ``2w((y + τ) log(1 + μ/τ) − yη)``, −2 log-likelihood less what depends on y and τ alone.
    """

    def __init__(self, y: Floats, weights: Floats, eta: Floats, tau: Floats) -> None:
        self.weights = weights
        self.mean = np.exp(np.minimum(eta, _FAR))
        ratio = self.mean / tau
        self.rest = 1.0 / (1.0 + ratio)  # 1 − s
        self.losses = (2.0 * weights) * ((y + tau) * np.log1p(ratio) - y * eta)
        self.residual = y - self.mean
        self.score = weights * self.residual * self.rest

    @cached_property
    def fisher(self) -> Floats:
        """``wμ(1 − s)``."""
        return np.asarray(self.weights * self.mean * self.rest)

    @cached_property
    def observed(self) -> Floats:
        """``W + rs``, r the score."""
        return np.asarray(self.fisher + self.score * (1.0 - self.rest))

    @cached_property
    def slope(self) -> Floats:
        """``W(1 − s)``."""
        return np.asarray(self.fisher * self.rest)

    @property
    def bend(self) -> Floats:
        """``W(1 − s)(1 − 2s)``."""
        return np.asarray(self.slope * (2.0 * self.rest - 1.0))

    @property
    def observed_bend(self) -> Floats:
        """``W(1 − 2s) + rs(1 − 2s)``."""
        return np.asarray((2.0 * self.rest - 1.0) * self.observed)


NATURAL: dict[tuple[str, str], type[Natural]] = {("binomial", "logit"): YesOrNo, ("poisson", "log"): Count}
