"""Randomised quantile residuals: standard normal in a model that holds, whatever the family.

A response y has the place ``F(y)`` in the distribution that the model gives its row, and the residual is the normal
quantile of that place. Where y is discrete, F jumps at it, and a place is drawn from within the jump (Dunn & Smyth
1996, J. Comput. Graph. Stat. 5:236, section 2): then places are uniform, where Pearson residuals of a yes or no lie on
two curves and say little to the eye.

Conditional residuals take the distribution given the random effects, at their modes. For unconditional ones F is
averaged over them (``η + s z`` with z standard normal, by the trapezoidal rule): they show a wrong distribution of the
random effects too, but rows of one group then move together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mixedsim.engine.glm_estimates import dispersion
from mixedsim.engine.glm_families import Family
from mixedsim.engine.glm_laplace import GlmEvaluation, GlmObjective
from mixedsim.engine.glm_means import NegativeBinomial
from mixedsim.engine.glm_ordinal import Cumulative
from mixedsim.inference.glm_average import effect_variances, nodes
from mixedsim.inference.glm_distribution import Law, cumulative
from mixedsim.simulate.streams import Streams

Floats = NDArray[np.float64]
Places = tuple[Floats, Floats]
_LEAST = 2.0**-53  # a place cannot be told from 1 when it is nearer: residuals end at ±8.2
_FINEST = 1.0 / 64.0  # distance of nodes
ResidualKind = Literal["conditional", "unconditional"]


def quantile_residuals(
    objective: GlmObjective,
    at: GlmEvaluation,
    n: int,
    seed: int,
    *,
    kind: ResidualKind = "conditional",
    trials: Floats | None = None,
) -> Floats:
    """Return randomised quantile residuals: rows × n, which differ by the places drawn within the jumps.

    Parameters
    ----------
    objective, at : likelihood and optimum.
    n, seed : how many sets, and where the random numbers begin; for continuous responses all are the same.
    kind : given the random effects, or averaged over them.
    trials : n numbers of trials of a binomial response, or None for single ones.
    """
    size = dispersion(objective, at)
    with np.errstate(all="ignore"):  # far nodes may leave the range of a link: their weight is next to nothing
        below, through = _places(objective, at, size, kind, trials)
    share = Streams(seed).generator("quantile residuals").random((n, objective.rows.n)).T
    place = below[:, None] + share * (through - below)[:, None]
    return np.asarray(special.ndtri(np.clip(place, _LEAST, 1.0 - _LEAST)))


def _places(
    objective: GlmObjective, at: GlmEvaluation, size: float, kind: ResidualKind, trials: Floats | None
) -> Places:
    """F just below y, and at y."""
    family = objective.family

    def at_eta(eta: Floats) -> Places:
        if isinstance(family, Cumulative):
            return family.places(eta, at.extra)
        mean = family.at(eta, at.extra).mean
        return distribution(family, mean, at.extra, size, trials)

    if kind == "conditional":
        return at_eta(at.mode.eta)
    rows = objective.rows
    centre = rows.offset + rows.x @ at.beta
    variance = effect_variances(objective, at.lambdas, size)
    # F rises from 0 to 1 within 1/√W of η: nodes stand closer than that
    steep = np.sqrt(np.max(variance * at.mode.point.fisher / size, initial=0.0))
    return _averaged(at_eta, centre, np.sqrt(variance), max(_FINEST, 0.5 / max(float(steep), 1.0)))


def _averaged(at_eta: Callable[[Floats], Places], centre: Floats, sd: Floats, widest: float) -> Places:
    below, through, total = (np.zeros_like(centre) for _ in range(3))
    for z, weight in nodes(widest):
        low, high = at_eta(centre + sd * z)
        there = np.isfinite(low) & np.isfinite(high)
        below += weight * np.where(there, low, 0.0)
        through += weight * np.where(there, high, 0.0)
        total += weight * there
    return below / total, through / total


def distribution(family: Family, mean: Floats, extra: Floats, size: float, trials: Floats | None) -> Places:
    """F just below each response and at it, for means μ.

    Parameters
    ----------
    family, extra, size : the family, its log τ, its dispersion.
    mean : n values.
    trials : n numbers of trials of a binomial response, or None for single ones.
    """
    y = family.y
    law = Law(
        family.kind,
        trials=1.0 if trials is None else trials,
        precision=family.weights / size,
        tau=family.tau(extra) if isinstance(family, NegativeBinomial) else np.inf,
    )
    if not law.counted:
        through = cumulative(law, y, mean)
        return through, through
    k = np.rint(y * law.trials)
    return cumulative(law, k - 1.0, mean), cumulative(law, k, mean)
