"""Population averages: the inverse link, averaged over normal random effects.

A coefficient of a generalised mixed model compares rows of one and the same group. Asked about a whole population, one
averages over its groups: with η the linear predictor of a group in the middle and s² = z'Σz the variance that the
random effects add to it, the mean of the population is

    E[μ] = ∫ g⁻¹(η + s z) φ(z) dz

which is no g⁻¹(η), unless the link is the identity. In closed form (Zeger, Liang & Albert 1988, Biometrics 44:1049,
section 3; Nakagawa et al. 2017, J. R. Soc. Interface 14:20170213):

    log     exp(η + s²/2)           sqrt      η² + s²
    probit  Φ(η/√(1 + s²))          identity  η

Logit and cloglog have none. Their integral is taken by the trapezoidal rule on the whole line, which for functions
that are analytic around it is exact to all digits with a few dozen nodes, and needs fewer of them than Gauss and
Hermite's rule where s is large (Trefethen & Weideman 2014, SIAM Review 56:385). With the inverse links there is no
average at all: 1/(η + s z) has no mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from mixedsim.engine.glm_families import Binomial
from mixedsim.engine.glm_laplace import GlmObjective
from mixedsim.engine.glm_links import MEANS, ODDS
from mixedsim.engine.glm_rows import Rows
from mixedsim.errors import MixedsimError

Floats = NDArray[np.float64]
WITHOUT_MEAN = ("inverse", "inverse-square")
_END = 8.6  # beyond which the normal density is nothing to all digits
_WIDEST = 0.4  # distance of nodes that the density alone asks for
_OF_LINK = {"logit": 0.5, "cloglog": 0.25}  # the same for the link at s = 1, from the nearest pole or fast growth
_ROOT_2PI = float(np.sqrt(2.0 * np.pi))


@dataclass(frozen=True, eq=False)
class Average:
    """Means of a population, with their derivatives.

    Attributes
    ----------
    mean : E[μ].
    by_eta, by_variance : its derivatives by η and by s².
    """

    mean: Floats
    by_eta: Floats
    by_variance: Floats


def check_average(link: str) -> None:
    """Raise `MixedsimError` unless means of a population exist with this link."""
    if link in WITHOUT_MEAN:
        raise MixedsimError(
            f"with the link {link!r} the mean over normal random effects does not exist, because their predictors "
            "reach zero: ask for the mean of a typical group, or fit the model with the log link."
        )


def inverse_link(kind: str, link: str, eta: Floats) -> Floats:
    """μ at η, for a family of this kind."""
    return ODDS[link](eta).success if kind == Binomial.kind else MEANS[link](eta).mean


def inverse_slope(kind: str, link: str, eta: Floats) -> Floats:
    """dμ/dη at η, for a family of this kind."""
    if kind == Binomial.kind:
        odds = ODDS[link](eta)
        return np.asarray(odds.ratio * odds.success * odds.failure)
    return MEANS[link](eta).slope


def average(kind: str, link: str, eta: Floats, variance: Floats) -> Average:
    """Return the `Average` over normal random effects.

    Parameters
    ----------
    kind, link : such as ``"binomial"`` and ``"logit"``.
    eta : linear predictors without random effects.
    variance : what these add to each, s².

    Raises
    ------
    MixedsimError
        For the links ``"inverse"`` and ``"inverse-square"``.

    Examples
    --------
    An odds of 1 to 9 in the middle group is more than 10 % of the population: groups above it gain more than those
    below it lose.

    >>> import numpy as np
    >>> from mixedsim.inference.glm_average import average
    >>> average("binomial", "logit", np.log([1 / 9]), np.array([4.0])).mean.round(3)
    array([0.203])
    """
    check_average(link)
    eta, variance = np.broadcast_arrays(np.asarray(eta, dtype=np.float64), np.asarray(variance, dtype=np.float64))
    if link == "log":
        mean = np.exp(eta + 0.5 * variance)
        if kind == Binomial.kind:  # effects that lead beyond a probability of 1 leave none
            mean = np.where(mean <= 1.0, mean, np.nan)
        return Average(mean, mean, 0.5 * mean)
    if link == "identity":
        return Average(eta.copy(), np.ones_like(eta), np.zeros_like(eta))
    if link == "sqrt":
        return Average(eta**2 + variance, 2.0 * eta, np.ones_like(eta))
    if link == "probit":
        return _probit(eta, variance)
    return _integrated(link, eta, variance)


def _probit(eta: Floats, variance: Floats) -> Average:
    root = np.sqrt(1.0 + variance)
    at = eta / root
    density = np.exp(-0.5 * at * at) / _ROOT_2PI
    return Average(ndtr(at), density / root, -0.5 * density * at / (1.0 + variance))


def _integrated(link: str, eta: Floats, variance: Floats) -> Average:
    """By quadrature; the derivative by s² is half the mean second derivative by η (integrate by parts)."""
    slopes = _SLOPES[link]
    mean, by_eta, by_variance = (np.zeros_like(eta) for _ in range(3))
    sd = np.sqrt(variance)
    for z, weight in nodes(_OF_LINK[link] / max(float(sd.max(initial=0.0)), 1e-12)):
        at = eta + sd * z
        slope, bend = slopes(at)
        mean += weight * inverse_link(Binomial.kind, link, at)
        by_eta += weight * slope
        by_variance += 0.5 * weight * bend
    return Average(mean, by_eta, by_variance)


def nodes(widest: float) -> NDArray[np.float64]:
    """Standard normal nodes and weights, no further apart than `widest`: m × 2."""
    half = int(np.ceil(_END / min(widest, _WIDEST)))
    z = np.linspace(-_END, _END, 2 * half + 1)
    weight = np.exp(-0.5 * z * z)
    return np.column_stack([z, weight / weight.sum()])


def _logit_slopes(eta: Floats) -> tuple[Floats, Floats]:
    odds = ODDS["logit"](eta)
    slope = odds.success * odds.failure
    return slope, slope * (odds.failure - odds.success)


def _cloglog_slopes(eta: Floats) -> tuple[Floats, Floats]:
    hazard = np.exp(np.clip(eta, -700.0, 50.0))
    slope = hazard * np.exp(-hazard)
    return slope, slope * (1.0 - hazard)


_SLOPES: dict[str, Callable[[Floats], tuple[Floats, Floats]]] = {"logit": _logit_slopes, "cloglog": _cloglog_slopes}


def effect_rows(rows: Rows) -> list[Floats]:
    """The columns that vary, by factor: n × q_f each, standardised."""
    ends = np.cumsum([q for _, q in rows.shapes])[:-1]
    return np.split(rows.z.data.reshape(rows.n, -1), ends, axis=1)


def effect_variances(objective: GlmObjective, lambdas: list[Floats], dispersion: float = 1.0) -> Floats:
    """s² = z'Σz of every row: what the random effects add to the variance of its linear predictor."""
    own = [((z @ lam) ** 2).sum(axis=1) for z, lam in zip(effect_rows(objective.rows), lambdas, strict=True)]
    return np.asarray(dispersion * np.sum(own, axis=0))
