"""The probability that a latent variable falls between two cut points, with what its logarithm's derivatives are.

With F the distribution of the latent variable around η, and ends l < h measured from η (either may be infinite),

    ℓ = log (F(h) − F(l)),    s = ∂ℓ/∂η = −(∂ℓ/∂l + ∂ℓ/∂h),    W = −∂s/∂η

Every F here has a logarithmically concave density, so that W is positive (Pratt 1981, J. Am. Stat. Assoc. 76:103). A
difference of two numbers near 1 has no digits, so none is taken: each F has a form of its own that keeps them.

    logit    ℓ = log F(h) + log (1 − F(l)) + log (1 − e^(l−h))
    cloglog  ℓ = −e^l + log (1 − e^−D),  D = e^h − e^l
    loglog   cloglog upside down: −h and −l in place of l and h
    probit   ℓ from the logarithms of the normal distribution function in the tail in which both ends lie

Derivatives by the lower end follow from those by η and by the upper one, because only differences from η count:
``∂X/∂l = −∂X/∂η − ∂X/∂h``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_ndtr, ndtr, ndtri

Floats = NDArray[np.float64]
_LOG_ROOT_2PI = 0.5 * float(np.log(2.0 * np.pi))
_FAR = 230.0  # exp(±230) is 1e±100, whose cube is still a number
_CERTAIN = 700.0  # a difference of hazards beyond which nothing is left
_SHORT = 0.25  # difference of hazards below which series keep the digits


class Interval(NamedTuple):
    """ℓ, s, W and ∂W/∂η; then the derivatives by the upper end of ℓ, s and W."""

    log_share: Floats
    score: Floats
    weight: Floats
    weight_slope: Floats
    by_upper: Floats
    score_by_upper: Floats
    weight_by_upper: Floats


def _logistic(x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """F, 1 − F, log F, log (1 − F)."""
    small = np.exp(-np.abs(x))
    total, log_sum = 1.0 + small, np.log1p(small)
    high, low = 1.0 / total, small / total
    up = x >= 0
    return (
        np.where(up, high, low),
        np.where(up, low, high),
        np.minimum(x, 0.0) - log_sum,
        -np.maximum(x, 0.0) - log_sum,
    )


def _logit(lower: Floats, upper: Floats) -> Interval:
    below, above_lower, _, log_above = _logistic(lower)
    within, beyond, log_within, _ = _logistic(upper)
    minus_share = np.expm1(lower - upper)
    at_lower, at_upper = below * above_lower, within * beyond
    slope_lower, slope_upper = at_lower * (above_lower - below), at_upper * (beyond - within)
    return Interval(
        log_share=log_within + log_above + np.log(-minus_share),
        score=below - beyond,
        weight=at_lower + at_upper,
        weight_slope=-(slope_lower + slope_upper),
        by_upper=beyond - (1.0 + minus_share) / minus_share,
        score_by_upper=at_upper,
        weight_by_upper=slope_upper,
    )


def _probit(lower: Floats, upper: Floats) -> Interval:
    turned = lower + upper > 0  # the upper tail is the lower one of −x
    low, high = np.where(turned, -upper, lower), np.where(turned, -lower, upper)
    log_high = log_ndtr(high)
    log_share = log_high + np.log1p(-np.exp(log_ndtr(low) - log_high))
    at_lower = np.exp(-0.5 * lower * lower - _LOG_ROOT_2PI - log_share)
    at_upper = np.exp(-0.5 * upper * upper - _LOG_ROOT_2PI - log_share)
    score = at_lower - at_upper
    from_lower = np.where(np.isinf(lower), 0.0, lower) - score  # where an end is infinite its density is nothing
    from_upper = np.where(np.isinf(upper), 0.0, upper) - score
    score_by_upper = at_upper * from_upper
    weight = score_by_upper - at_lower * from_lower
    weight_by_upper = at_upper * (1.0 - from_upper**2 - weight)
    weight_by_lower = -at_lower * (1.0 - from_lower**2 - weight)
    return Interval(
        log_share, score, weight, -(weight_by_upper + weight_by_lower), at_upper, score_by_upper, weight_by_upper
    )


def _cloglog(lower: Floats, upper: Floats) -> Interval:
    hazard = np.exp(np.clip(lower, -np.inf, _FAR))
    top = np.exp(np.clip(upper, -_FAR, _FAR)) * -np.expm1(lower - upper)
    more = np.where(np.isinf(upper), _CERTAIN, np.minimum(top, _CERTAIN))
    odds = 1.0 / np.expm1(more)
    share = more * odds
    bend, bend_slope = _bends(more, odds)
    total = hazard + more
    return Interval(
        log_share=-hazard + np.log(-np.expm1(-more)),
        score=hazard - share,
        weight=hazard + more * bend,
        weight_slope=-hazard - more * (bend + more * bend_slope),
        by_upper=hazard * odds + share,
        score_by_upper=total * bend,
        weight_by_upper=total * (bend + more * bend_slope),
    )


def _bends(d: Floats, odds: Floats) -> tuple[Floats, Floats]:
    """−q' and −q'' for ``q(d) = d/(e^d − 1)``, by Bernoulli's series where d is small."""
    square = d * d
    rise = odds * (1.0 + odds)
    first = d * rise - odds
    second = rise * (2.0 - d * (1.0 + 2.0 * odds))
    short = d < _SHORT
    # q = 1 − d/2 + d²/12 − d⁴/720 + d⁶/30240 − d⁸/1209600 + d¹⁰/47900160
    series = 0.5 - d * (1 / 6 - square * (1 / 180 - square * (1 / 5040 - square * (1 / 151200 - square / 4790016))))
    slope = -1 / 6 + square * (1 / 60 - square * (1 / 1008 - square * (1 / 21600 - square * (9 / 4790016))))
    return np.where(short, series, first), np.where(short, slope, second)


def _loglog(lower: Floats, upper: Floats) -> Interval:
    other = _cloglog(-upper, -lower)
    return Interval(
        log_share=other.log_share,
        score=-other.score,
        weight=other.weight,
        weight_slope=-other.weight_slope,
        by_upper=other.score + other.by_upper,
        score_by_upper=other.weight - other.score_by_upper,
        weight_by_upper=other.weight_slope + other.weight_by_upper,
    )


INTERVALS: Mapping[str, Callable[[Floats, Floats], Interval]] = {
    "logit": _logit,
    "probit": _probit,
    "cloglog": _cloglog,
    "loglog": _loglog,
}
DISTRIBUTIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "logit": expit,
    "probit": ndtr,
    "cloglog": lambda x: -np.expm1(-np.exp(np.minimum(x, _FAR))),
    "loglog": lambda x: np.exp(-np.exp(np.minimum(-x, _FAR))),
}
QUANTILES: Mapping[str, Callable[[Floats], Floats]] = {
    "logit": lambda share: np.log(share) - np.log1p(-share),
    "probit": ndtri,
    "cloglog": lambda share: np.log(-np.log1p(-share)),
    "loglog": lambda share: -np.log(-np.log(share)),
}
