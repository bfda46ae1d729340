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


class Natural(Point):
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
    @abstractmethod
    def bend(self) -> Floats:
        """wκ''''."""


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


NATURAL: dict[tuple[str, str], type[Natural]] = {("binomial", "logit"): YesOrNo, ("poisson", "log"): Count}
