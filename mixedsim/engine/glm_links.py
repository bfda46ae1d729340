"""Links of generalised linear models with their derivatives, safe in the tails.

A probability needs its complement to all digits, so links of binomial models give a = μ and b = 1 − μ with their
logarithms, and ρ = μ'/(ab), in terms of which nothing underflows before it should (`Odds`). Links of other means give
μ, μ' and μ'' (`Mean`). What leaves a link's range comes back as NaN or infinity: the caller's step is then too long.

Source: McCullagh & Nelder (1989), Generalized Linear Models, 2nd edition, sections 2.2.4 and 4.3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri

Floats = NDArray[np.float64]
_LOG_ROOT_2PI = 0.5 * float(np.log(2.0 * np.pi))
# links whose η does not depend on the response's unit
UNITLESS = frozenset(("logit", "probit", "cloglog", "loglog", "log"))
_FAR = 230.0  # exp(±230) is 1e±100, whose cube is still a number


class Odds(NamedTuple):
    """Probabilities of success and failure at η: a, b, log a, log b, ρ = μ'/(ab) and dρ/dη.

    ρ = 1 and its derivative 0 are plain floats for the logit, the canonical link.
    """

    success: Floats
    failure: Floats
    log_success: Floats
    log_failure: Floats
    ratio: Floats | float
    ratio_slope: Floats | float


class Mean(NamedTuple):
    """μ, dμ/dη, d²μ/dη²."""

    mean: Floats
    slope: Floats
    bend: Floats


def _logit(eta: Floats) -> Odds:
    small = np.exp(-np.abs(eta))
    log_sum = np.log1p(small)
    total = 1.0 + small
    positive = eta >= 0
    high, low = 1.0 / total, small / total
    return Odds(
        success=np.where(positive, high, low),
        failure=np.where(positive, low, high),
        log_success=np.minimum(eta, 0.0) - log_sum,
        log_failure=-np.maximum(eta, 0.0) - log_sum,
        ratio=1.0,
        ratio_slope=0.0,
    )


def _probit(eta: Floats) -> Odds:
    log_a, log_b = log_ndtr(eta), log_ndtr(-eta)
    a, b = np.exp(log_a), np.exp(log_b)
    ratio = np.exp(-0.5 * eta * eta - _LOG_ROOT_2PI - log_a - log_b)
    return Odds(a, b, log_a, log_b, ratio, ratio * ((a - b) * ratio - eta))


def _cloglog(eta: Floats) -> Odds:
    hazard = np.exp(np.clip(eta, -_FAR, _FAR))
    a, b = -np.expm1(-hazard), np.exp(-hazard)
    ratio = hazard / a
    # 1 − bρ, which loses its digits where the hazard is small: there it is hazard/2
    rest = np.where(hazard < 1e-5, 0.5 * hazard, 1.0 - b * ratio)
    return Odds(a, b, np.log(a), -hazard, ratio, ratio * rest)


def _log_odds(eta: Floats) -> Odds:
    a = np.exp(eta)
    b = -np.expm1(eta)
    ratio = 1.0 / b
    return Odds(a, b, eta, np.log(b), ratio, a * ratio * ratio)


def _identity_odds(eta: Floats) -> Odds:
    a, b = eta, 1.0 - eta
    ratio = 1.0 / (a * b)
    return Odds(a, b, np.log(a), np.log(b), ratio, (a - b) * ratio * ratio)


def _log(eta: Floats) -> Mean:
    mean = np.exp(np.clip(eta, -_FAR, _FAR))
    return Mean(mean, mean, mean)


def _identity(eta: Floats) -> Mean:
    return Mean(eta, np.ones_like(eta), np.zeros_like(eta))


def _inverse(eta: Floats) -> Mean:
    mean = 1.0 / eta
    square = mean * mean
    return Mean(mean, -square, 2.0 * square * mean)


def _sqrt(eta: Floats) -> Mean:
    return Mean(np.where(eta > 0, eta * eta, np.nan), 2.0 * eta, np.full_like(eta, 2.0))


def _inverse_square(eta: Floats) -> Mean:
    mean = 1.0 / np.sqrt(eta)
    cube = mean**3
    return Mean(mean, -0.5 * cube, 0.75 * cube * mean * mean)


ODDS: Mapping[str, Callable[[Floats], Odds]] = {
    "logit": _logit,
    "probit": _probit,
    "cloglog": _cloglog,
    "log": _log_odds,
    "identity": _identity_odds,
}
MEANS: Mapping[str, Callable[[Floats], Mean]] = {
    "log": _log,
    "identity": _identity,
    "inverse": _inverse,
    "sqrt": _sqrt,
    "inverse-square": _inverse_square,
}
_PREDICTORS: Mapping[str, Callable[[Floats], Floats]] = {
    "logit": lambda mean: np.log(mean) - np.log1p(-mean),
    "probit": ndtri,
    "cloglog": lambda mean: np.log(-np.log1p(-mean)),
    "log": np.log,
    "identity": np.asarray,
    "inverse": np.reciprocal,
    "sqrt": np.sqrt,
    "inverse-square": lambda mean: 1.0 / (mean * mean),
}


def predictor_of(link: str, mean: Floats) -> Floats:
    """The η that stands for a mean μ."""
    return np.asarray(_PREDICTORS[link](mean), dtype=np.float64)
