"""Ordered categories: a latent variable around η, cut at thresholds (cumulative-link models).

    P(y ≤ k) = F(α_k − η),    α_1 < α_2 < ... < α_{K−1}

so that a larger η makes higher categories more likely (McCullagh 1980, J. R. Stat. Soc. B 42:109; Christensen 2018,
Cumulative Link Models for Ordinal Regression with the R Package ordinal, section 2). The first threshold takes the
place of the intercept, β_0 = −α_1; the others stand behind θ and β as distances, each from the one before it. In these
the loss is convex (Pratt 1981, J. Am. Stat. Assoc. 76:103), and it grows without bound as a distance goes to zero, so
that the search keeps them in order. With K = 2 this is the binomial model.

Weights of M are the observed ones, −∂²ℓ/∂η², so that the criterion is Laplace's approximation itself, as that of R's
ordinal is; with the logit and two categories they are Fisher's.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.glm_families import Family
from mixedsim.engine.glm_intervals import DISTRIBUTIONS, INTERVALS, QUANTILES, Interval
from mixedsim.engine.glm_points import Point
from mixedsim.errors import ConvergenceError

Floats = NDArray[np.float64]


class CategoryPoint(Point):
    """A point of the family of ordered categories; `mean` is the probability of the row's own category.

    Parameters
    ----------
    weights : of the rows.
    interval : where η stands between the thresholds of every row.
    ends : derivatives of the lower and the upper end of every row's interval by the distances: (K − 2) × n each.
    """

    def __init__(self, weights: Floats | float, interval: Interval, ends: tuple[Floats, Floats]) -> None:
        self.weights, self.interval, self._ends = weights, interval, ends
        self.mean = np.exp(interval.log_share)
        self.losses = -2.0 * weights * interval.log_share
        self.score = weights * interval.score
        self._fisher = weights * interval.weight

    @property
    def fisher(self) -> Floats:
        """The observed weights."""
        return self._fisher

    @property
    def observed(self) -> Floats:
        """The same."""
        return self._fisher

    @property
    def slope(self) -> Floats:
        """Their derivative by η."""
        return np.asarray(self.weights * self.interval.weight_slope)

    @cached_property
    def by_distances(self) -> tuple[Floats, Floats, Floats]:
        """Derivatives of the losses, the score and W by the distances of the thresholds."""
        one, (lower, upper) = self.interval, self._ends
        if one.score.ndim > 1:
            lower, upper = lower[:, None, :], upper[:, None, :]
        moved = (
            (one.by_upper, -one.score - one.by_upper),
            (one.score_by_upper, one.weight - one.score_by_upper),
            (one.weight_by_upper, -one.weight_slope - one.weight_by_upper),
        )
        share, score, weight = (self.weights * (upper * high + lower * low) for high, low in moved)
        return -2.0 * share, score, weight


class Cumulative(Family):
    """Ordered categories, coded 0, 1, ..., K − 1.

    Parameters
    ----------
    y : n codes.
    categories : K.
    anchor : the threshold, counted from 0, of which the intercept is the negative.

    Raises
    ------
    ConvergenceError
        If a category has no rows, so that its thresholds coincide or run away.
    """

    kind = "ordinal"
    links = ("logit", "probit", "cloglog", "loglog")
    extra_known = False

    def __init__(self, link: str, y: Floats, weights: Floats | float, categories: int, anchor: int = 0) -> None:
        super().__init__(link, y, weights)
        self.categories, self.anchor = categories, anchor
        self.extra = categories - 2
        self.codes = y.astype(np.intp)
        self._interval = INTERVALS[link]
        self._counts = np.bincount(self.codes, np.broadcast_to(weights, y.shape), categories)
        if not self._counts.all():
            empty = int(np.argmin(self._counts)) + 1
            raise ConvergenceError(
                f"no row has category {empty} of {categories}, so that its thresholds have no estimate: leave the "
                "category out."
            )

    def cuts(self, extra: Floats) -> Floats:
        """K − 1 thresholds less the one at the anchor."""
        return self._from_anchor(np.concatenate([[0.0], np.cumsum(extra)]))

    @cached_property
    def cuts_by_extra(self) -> Floats:
        """Their derivatives by the distances: (K − 1) × (K − 2)."""
        return self._from_anchor(np.tril(np.ones((self.extra + 1, self.extra)), -1))

    def _from_anchor(self, values: Floats) -> Floats:
        return np.asarray(values - values[self.anchor])

    def anchored(self, anchor: int) -> Cumulative:
        """The same rows with another meaning of the intercept."""
        return Cumulative(self.link, self.y, self.weights, self.categories, anchor)

    def at(self, eta: Floats, extra: Floats) -> CategoryPoint:
        """See `Family.at`."""
        ends = np.concatenate([[-np.inf], self.cuts(extra), [np.inf]])
        interval = self._interval(ends[self.codes] - eta, ends[self.codes + 1] - eta)
        return CategoryPoint(self.weights, interval, self._ends_by_extra)

    def places(self, eta: Floats, extra: Floats) -> tuple[Floats, Floats]:
        """Probabilities of a lower category than the row's own, and of no higher one."""
        ends = np.concatenate([[-np.inf], self.cuts(extra), [np.inf]])
        distribution = DISTRIBUTIONS[self.link]
        return distribution(ends[self.codes] - eta), distribution(ends[self.codes + 1] - eta)

    def criterion(self, loss: float, extra: Floats) -> tuple[float, float]:
        """The loss is all there is: probabilities have no constant."""
        return loss, 1.0

    def by_extra(self, point: Point, extra: Floats) -> tuple[Floats, Floats, Floats]:
        """By way of both ends of each row's interval."""
        assert isinstance(point, CategoryPoint)
        return point.by_distances

    @cached_property
    def _ends_by_extra(self) -> tuple[Floats, Floats]:
        """Derivatives of the lower and of the upper end of every row's interval: (K − 2) × n each."""
        none = np.zeros((1, self.extra))
        lower, upper = np.vstack([none, self.cuts_by_extra]), np.vstack([self.cuts_by_extra, none])
        return np.ascontiguousarray(lower[self.codes].T), np.ascontiguousarray(upper[self.codes].T)

    def first_extra(self) -> Floats:
        """Thresholds that give the categories' shares, where η is 0."""
        return np.diff(self._first_thresholds())

    def first_predictors(self) -> list[Floats]:
        """Minus the first of these thresholds."""
        return [np.full(len(self.y), -self._first_thresholds()[self.anchor])]

    def _first_thresholds(self) -> Floats:
        cumulative = np.cumsum(self._counts)
        return np.asarray(QUANTILES[self.link](cumulative[:-1] / cumulative[-1]), dtype=np.float64)
