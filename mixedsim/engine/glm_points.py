"""What follows from a linear predictor, row by row.

For a row with prior weight w, response y and linear predictor η, with d its deviance (the loss):

    score     r = −½ dd/dη = w (y − μ) μ'/V(μ)
    Fisher    W = w μ'²/V(μ)                     (the weights of M, as in lme4)
    observed  −dr/dη                             (equals W for a canonical link)
    slope     dW/dη

Source: McCullagh & Nelder (1989), Generalized Linear Models, 2nd edition, sections 2.2-2.5.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.glm_links import Mean, Odds

Floats = NDArray[np.float64]


class Point(ABC):
    """One linear predictor with all that follows from it, row by row; arrays have the shape of η.

    Attributes
    ----------
    mean : μ; of ordered categories, which have none, the probability of the row's own.
    losses, score, fisher : see the module.
    """

    mean: Floats
    losses: Floats
    score: Floats

    @property
    @abstractmethod
    def fisher(self) -> Floats:
        """W of every row."""

    @property
    @abstractmethod
    def observed(self) -> Floats:
        """−dr/dη of every row; the very array `fisher` where the link is canonical."""

    @property
    @abstractmethod
    def slope(self) -> Floats:
        """dW/dη of every row."""


class Shares(NamedTuple):
    """Shares of successes and failures with their logarithms, those of 0 being 0."""

    successes: Floats
    failures: Floats
    log_successes: Floats
    log_failures: Floats


class OddsPoint(Point):
    """A point of the binomial family."""

    def __init__(self, shares: Shares, weights: Floats | float, odds: Odds) -> None:
        self.weights, self.odds = weights, odds
        self.mean = odds.success
        y, failures, log_y, log_failures = shares
        self.losses = 2.0 * weights * (y * (log_y - odds.log_success) + failures * (log_failures - odds.log_failure))
        self.residual = y * odds.failure - failures * odds.success
        self.score = weights * self.residual * odds.ratio

    @cached_property
    def fisher(self) -> Floats:
        """``w ab ρ²``."""
        return np.asarray(self.weights * self.odds.success * self.odds.failure * self.odds.ratio**2)

    @cached_property
    def observed(self) -> Floats:
        """``W − w (y − μ) ρ'``."""
        if isinstance(self.odds.ratio_slope, float):
            return self.fisher
        return np.asarray(self.fisher - self.weights * self.residual * self.odds.ratio_slope)

    @cached_property
    def slope(self) -> Floats:
        """``w ab ρ ((b − a)ρ² + 2ρ')``."""
        a, b, rho = self.odds.success, self.odds.failure, self.odds.ratio
        return np.asarray(self.weights * a * b * rho * ((b - a) * rho * rho + 2.0 * self.odds.ratio_slope))


class MeanPoint(Point):
    """A point of any other family, given V(μ) and V'(μ); ``extra`` are its derivatives by log τ, if it has a τ."""

    def __init__(
        self, y: Floats, weights: Floats | float, mean: Mean, losses: Floats, variance: Floats, variance_slope: Floats
    ) -> None:
        self.y, self.weights = y, weights
        self.mean, self._slope, self._bend = mean
        self.losses, self.variance = losses, variance
        self.residual = y - self.mean
        self._per_variance = weights * self._slope / variance
        self.score = self._per_variance * self.residual
        self._turn = self._bend - self._slope**2 * variance_slope / variance

    @cached_property
    def fisher(self) -> Floats:
        """``w μ'²/V``."""
        return np.asarray(self._per_variance * self._slope)

    @cached_property
    def observed(self) -> Floats:
        """``W − w (y − μ)(μ'' − μ'²V'/V)/V``; the bracket is 0 for a canonical link."""
        return np.asarray(self.fisher - self.weights * self.residual * self._turn / self.variance)

    @cached_property
    def slope(self) -> Floats:
        """``w μ'/V (2μ'' − μ'²V'/V)``."""
        return np.asarray(self._per_variance * (self._bend + self._turn))


class CanonicalPoint(MeanPoint):
    """Where μ' = V up to a factor: observed and expected weights are one."""

    @property
    def observed(self) -> Floats:
        """W."""
        return self.fisher
