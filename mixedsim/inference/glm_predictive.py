"""Where a new response of a generalised model will lie: quantiles of its distribution, mixed over what is not known.

Given its linear predictor, a response has the distribution of the family, F(y | η). The predictor is known but for a
normal error of variance s² (`glm_prediction`; a group that is not known adds its whole variance), so that

    F(y) = ∫ F(y | η̂ + s z) φ(z) dz

whose quantiles are the ends (a plug-in predictive distribution, as in Booth & Hobert 1998, J. Am. Stat. Assoc. 93:262,
with the parameters' uncertainty in s²). No random numbers: the integral is taken by the trapezoidal rule, whose nodes
stand closer than the steps that F(y | η) makes over η, and the equation F(y) = α is solved by bisection. Of whole
numbers an end is the least y with F(y) ≥ α: the interval holds the stated share or more, with few trials far more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mixedsim.inference.glm_average import inverse_slope, nodes
from mixedsim.inference.glm_distribution import Law, cumulative, variance
from mixedsim.inference.glm_responses import means

Floats = NDArray[np.float64]
Cumulative: TypeAlias = Callable[[Floats], Floats]
_FINEST, _WIDEST = 1.0 / 32.0, 0.4  # distances of nodes
_OF_STEP = 0.7  # the same, over the width of the step of F(y | η)
_CELLS = 400_000  # rows × nodes at a time
_LOST = 1e-4  # share of the distribution of η beyond the link's range from which there is none of y
_LOOKED_AT = (-2.0, -1.0, 0.0, 1.0, 2.0)  # standard deviations of η at which the width of the step is taken
_HALVINGS = 200
_CLOSE = 1e-10  # relative distance of the two sides of a bisection


@dataclass(frozen=True, eq=False)
class Predictive:
    """Ends and standard deviation of new responses, n values each; NaN where η leaves the link's range too often."""

    lower: Floats
    upper: Floats
    sd: Floats


def predictive(law: Law, link: str, eta: Floats, sd: Floats, level: float) -> Predictive:
    """Return the `Predictive` distribution's ends.

    Parameters
    ----------
    law : the distribution beside its mean, with one trials or precision a row (or one for all).
    link : of the model.
    eta, sd : predicted linear predictors and the standard deviations of their errors, n values each.
    level : share of new responses between the ends.

    Examples
    --------
    A Poisson count with mean 4, known and not so well known:

    >>> import numpy as np
    >>> from mixedsim.inference.glm_distribution import Law
    >>> from mixedsim.inference.glm_predictive import predictive
    >>> found = predictive(Law("poisson"), "log", np.log([4.0, 4.0]), np.array([0.0, 0.5]), 0.95)
    >>> found.lower.tolist(), found.upper.tolist()
    ([1.0, 0.0], [8.0, 12.0])
    """
    widest = _node_distances(law, link, eta, sd)
    out = np.full((3, len(eta)), np.nan)
    order = np.argsort(widest)
    start = 0
    while start < len(order):
        z = nodes(float(widest[order[start]]))
        rows = order[start : start + max(1, _CELLS // len(z))]
        out[:, rows] = _ends(law.taken(rows), link, eta[rows, None] + sd[rows, None] * z[:, 0], z[:, 1], level)
        start += len(rows)
    return Predictive(*out)


def _node_distances(law: Law, link: str, eta: Floats, sd: Floats) -> Floats:
    """For each row, how far apart nodes may stand."""
    steepest = np.zeros(len(eta))
    with np.errstate(all="ignore"):
        for z in _LOOKED_AT:
            at = eta + z * sd
            slope = inverse_slope(law.kind, link, at)
            if law.kind == "binomial":
                slope = slope * law.trials
            own = slope / np.sqrt(variance(law, means(law.kind, link, at)))
            steepest = np.fmax(steepest, np.where(np.isfinite(own), np.abs(own), 0.0))
        return np.clip(_OF_STEP / (steepest * sd), _FINEST, _WIDEST)


def _ends(law: Law, link: str, eta: Floats, weights: Floats, level: float) -> Floats:
    """Lower end, upper end and standard deviation of some rows: 3 × rows, from rows × nodes."""
    mean = means(law.kind, link, eta)
    there = np.isfinite(mean)
    share = np.where(there, weights, 0.0)
    total = share.sum(axis=1)
    share = share / np.where(total > 0, total, 1.0)[:, None]
    mean = np.where(there, mean, np.nanmax(np.where(there, mean, np.nan), axis=1, initial=0.5, keepdims=True))
    usable = total > 1.0 - _LOST
    expected = (share * variance(law, mean)).sum(axis=1)
    size = mean * law.trials if law.kind == "binomial" else mean
    centre = (share * size).sum(axis=1)
    sd = np.sqrt(expected + (share * (size - centre[:, None]) ** 2).sum(axis=1))

    def below(y: Floats) -> Floats:
        return np.asarray((share * cumulative(law, y[:, None], mean)).sum(axis=1))

    tail = 0.5 * (1.0 - level)
    find = _whole_quantile if law.counted else _quantile
    with np.errstate(all="ignore"):
        ends = [find(below, np.full(len(sd), p), centre, sd) for p in (tail, 1.0 - tail)]
    return np.where(usable, np.array([*ends, sd]), np.nan)


def _whole_quantile(below: Cumulative, p: Floats, centre: Floats, sd: Floats) -> Floats:
    """The least whole number y with F(y) ≥ p, by bisection."""
    low = np.full(len(p), -1.0)
    high = _raised(below, p, np.ceil(centre + 4.0 * sd) + 1.0)
    while (high - low > 1.0).any():
        middle = np.floor(0.5 * (low + high))
        enough = below(middle) >= p
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def _quantile(below: Cumulative, p: Floats, centre: Floats, sd: Floats) -> Floats:
    """The y > 0 with F(y) = p, by bisection on its logarithm."""
    high = _raised(below, p, centre + 4.0 * sd)
    low = centre.copy()
    for _ in range(_HALVINGS):
        over = below(low) > p
        if not over.any():
            break
        low = np.where(over, 0.5 * low, low)
    for _ in range(_HALVINGS):
        middle = np.sqrt(low * high)
        enough = below(middle) >= p
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        if (high - low <= _CLOSE * high).all():
            break
    return np.sqrt(low * high)


def _raised(below: Cumulative, p: Floats, high: Floats) -> Floats:
    """Doubled until F is p there."""
    for _ in range(_HALVINGS):
        under = below(high) < p
        if not under.any():
            break
        high = np.where(under, 2.0 * high, high)
    return high
