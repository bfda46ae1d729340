"""Families of generalised linear mixed models: a response with its link, and how likely it is.

What single rows contribute stands in `glm_points`: deviances rather than log-likelihoods, because they keep their
digits where counts are large. The criterion adds what makes their sum a whole −2 log-likelihood. Constants are R's
(``family()$aic``), so that numbers can be compared with lme4's. Families with a dispersion follow lme4 too: random
effects are relative to it, modes minimise ``deviance + ‖u‖²``, and the dispersion within the criterion is deviance/Σw.

Sources: McCullagh & Nelder (1989), Generalized Linear Models, 2nd edition, chapter 2; Bates et al. (2015), J. Stat.
Softw. 67(1), section 2 for the notation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from mixedsim.engine.glm_links import ODDS, predictor_of
from mixedsim.engine.glm_points import OddsPoint, Point, Shares
from mixedsim.errors import DataError

Floats = NDArray[np.float64]


class Family(ABC):
    """A family with its link and its rows.

    Parameters
    ----------
    link : one of `links`.
    y : n responses; for binomial counts the share of successes.
    weights : n prior weights, or 1.0.

    Attributes
    ----------
    scaled : whether it has a dispersion to which the random effects are relative.
    extra : number of parameters beside θ and β: log τ of a negative binomial that is estimated, distances of the
        thresholds of ordered categories.
    extra_known : whether standard errors of β take these as known, as lme4 does with τ.
    """

    kind: ClassVar[str]
    links: ClassVar[tuple[str, ...]]
    scaled: ClassVar[bool] = False
    extra: int = 0
    extra_known: ClassVar[bool] = True

    def __init__(self, link: str, y: Floats, weights: Floats | float) -> None:
        if link not in self.links:
            raise DataError(f"the family {self.kind!r} has the links {', '.join(self.links)}, not {link!r}: use one.")
        self.link, self.y, self.weights = link, y, weights

    @property
    def total_weight(self) -> float:
        """Σ w."""
        return float(np.sum(np.broadcast_to(self.weights, self.y.shape)))

    @abstractmethod
    def at(self, eta: Floats, extra: Floats) -> Point:
        """The rows at η, whose last axis is the rows; `extra` are the further parameters."""

    @abstractmethod
    def criterion(self, loss: float, extra: Floats) -> tuple[float, float]:
        """−2 log-likelihood of the rows given the random effects, from the sum of losses; and its derivative by it."""

    def variance(self, mean: Floats, extra: Floats) -> Floats:
        """V(μ)."""
        raise NotImplementedError(f"{self.kind} has no means")

    def first_means(self) -> Floats:
        """Means from which iterations may start, one a row: R's ``mustart``."""
        raise NotImplementedError(f"{self.kind} has no means")

    def by_extra(self, point: Point, extra: Floats) -> tuple[Floats, Floats, Floats]:
        """Derivatives by k further parameters, at fixed η, of criterion, score and W: k × the shape of η each."""
        raise NotImplementedError(f"{self.kind} has no further parameter")

    def first_extra(self) -> Floats:
        """The further parameters from which iterations may start."""
        return np.empty(0)

    def again(self, extra: Floats) -> Floats:
        """Further parameters from which iterations for another response may start, where these were the estimates."""
        return extra

    def first_predictors(self) -> list[Floats]:
        """Linear predictors from which iterations may start, the best of them: all alike, or one for every row."""
        first = self.first_means()
        average = float(np.average(first, weights=np.broadcast_to(self.weights, first.shape)))
        return [self.predictor(np.full_like(first, average)), self.predictor(first)]

    def predictor(self, mean: Floats) -> Floats:
        """η of a mean."""
        return predictor_of(self.link, mean)


class Binomial(Family):
    """Successes out of so many trials, y their share; `weights` are those of a trial.

    Parameters
    ----------
    trials : n numbers of trials, or 1.0.
    """

    kind = "binomial"
    links = ("logit", "probit", "cloglog", "log", "identity")

    def __init__(self, link: str, y: Floats, weights: Floats | float, trials: Floats | float = 1.0) -> None:
        super().__init__(link, y, weights * trials)
        self._odds = ODDS[link]
        self._shares = Shares(y, 1.0 - y, log_or_zero(y), log_or_zero(1.0 - y))
        self._constant = 0.0
        if isinstance(trials, np.ndarray):
            successes = y * trials
            choices = gammaln(trials + 1.0) - gammaln(successes + 1.0) - gammaln(trials - successes + 1.0)
            saturated = trials * (y * self._shares.log_successes + (1.0 - y) * self._shares.log_failures)
            self._constant = -2.0 * float(np.sum(weights * (choices + saturated)))

    def at(self, eta: Floats, extra: Floats) -> OddsPoint:
        """See `Family.at`."""
        return OddsPoint(self._shares, self.weights, self._odds(eta))

    def criterion(self, loss: float, extra: Floats) -> tuple[float, float]:
        """The deviance, and that of the saturated model with its binomial coefficients."""
        return loss + self._constant, 1.0

    def variance(self, mean: Floats, extra: Floats) -> Floats:
        """``μ(1 − μ)``."""
        return mean * (1.0 - mean)

    def first_means(self) -> Floats:
        """``(wy + ½)/(w + 1)``."""
        return np.asarray((self.weights * self.y + 0.5) / (self.weights + 1.0))


def log_or_zero(y: Floats) -> Floats:
    """log y, and 0 for 0."""
    return np.log(np.where(y > 0, y, 1.0))
