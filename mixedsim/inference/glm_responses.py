"""Responses drawn from a generalised model: random effects, means, and what the family makes of them.

``η* = Xβ̂ + Zb* + offset`` with ``b* ~ N(0, σ̂²ΛΛ')``, and y* from the family with mean ``g⁻¹(η*)``; σ̂² is 1 or the
dispersion, to which random effects are relative. A prior weight divides the dispersion; families that have none take no
notice of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import glm_estimates
from mixedsim.engine.glm_families import Binomial, Family
from mixedsim.engine.glm_intervals import QUANTILES
from mixedsim.engine.glm_laplace import GlmEvaluation, GlmObjective
from mixedsim.engine.glm_links import MEANS, ODDS
from mixedsim.engine.glm_means import Gamma, InverseGaussian, NegativeBinomial
from mixedsim.engine.glm_ordinal import Cumulative
from mixedsim.errors import MixedsimError
from mixedsim.simulate.streams import Streams

Floats = NDArray[np.float64]
_CHUNK = 1_000_000  # numbers in one block of responses


def means(kind: str, link: str, eta: Floats) -> Floats:
    """g⁻¹(η): probabilities of a binomial model, means of others; NaN where η leaves the link's range.

    Examples
    --------
    >>> import numpy as np
    >>> from mixedsim.inference.glm_responses import means
    >>> means("binomial", "logit", np.array([0.0, 2.0])).round(2).tolist()
    [0.5, 0.88]
    """
    with np.errstate(all="ignore"):
        found = ODDS[link](eta).success if kind == Binomial.kind else MEANS[link](eta).mean
        highest = 1.0 if kind == Binomial.kind else np.inf
        return np.where((found >= 0) & (found <= highest), found, np.nan)


def generalized_responses(
    objective: GlmObjective, at: GlmEvaluation, trials: Floats | None, n: int, seed: int, conditional: bool = False
) -> Iterator[Floats]:
    """Draw n responses from a fitted model, a block of columns at a time: rows × block.

    Parameters
    ----------
    objective, at : the model and its optimum.
    trials : n numbers of trials of a binomial model, whose responses are numbers of successes; None for one each.
    n, seed : how many, and where the random numbers begin. Every factor has a stream of its own, so that the first
        responses are the same however many are drawn.
    conditional : keep the random effects of the fit.

    Raises
    ------
    MixedsimError
        Where a drawn linear predictor leaves the range of the link.
    """
    rows, family = objective.rows, objective.family
    streams = Streams(seed)
    of_factor = [streams.generator("simulate", "effects", str(f)) for f in range(len(at.lambdas))]
    of_rows = streams.generator("simulate", "residuals")
    of_mixture = streams.generator("simulate", "mixture")
    dispersion = glm_estimates.dispersion(objective, at)
    fixed = rows.offset + rows.x @ at.beta
    if conditional:
        fixed = fixed + np.asarray(rows.z @ rows.scaled(at.lambdas, at.u))
    block = max(1, _CHUNK // max(rows.n, 1))
    for done in range(0, n, block):
        count = min(block, n - done)
        eta = np.broadcast_to(fixed, (count, rows.n))
        if not conditional:
            effects = [
                rng.standard_normal((count, *shape)) @ (np.sqrt(dispersion) * lam.T)
                for rng, shape, lam in zip(of_factor, rows.shapes, at.lambdas, strict=True)
            ]
            eta = eta + (rows.z @ np.concatenate([b.reshape(count, -1).T for b in effects])).T
        if isinstance(family, Cumulative):
            yield _categories(family, eta, at.extra, of_rows).T
            continue
        mean = means(family.kind, family.link, eta)
        if np.isnan(mean).any():
            raise MixedsimError(
                f"random effects drawn from this model lead beyond the range of the link {family.link!r}, where the "
                f"{family.kind} family has no mean: draw with random='conditional', or fit another link."
            )
        yield _draw(family, mean, trials, dispersion, at.extra, of_rows, of_mixture).T


def _categories(family: Cumulative, eta: Floats, extra: Floats, rng: np.random.Generator) -> Floats:
    """Codes of ordered categories: replicates × rows."""
    with np.errstate(divide="ignore"):  # a random number of 0 lies at the end of the scale
        latent = QUANTILES[family.link](rng.random(eta.shape)) + eta
    return np.searchsorted(family.cuts(extra), latent).astype(np.float64)


def _draw(
    family: Family,
    mean: Floats,
    trials: Floats | None,
    dispersion: float,
    extra: Floats,
    rng: np.random.Generator,
    mixture: np.random.Generator,
) -> Floats:
    """Responses with these means: replicates × rows."""
    if isinstance(family, Binomial):
        size = 1 if trials is None else trials.astype(np.int64)
        return rng.binomial(size, mean).astype(np.float64)
    if isinstance(family, Gamma):
        shape = np.broadcast_to(family.weights / dispersion, mean.shape)
        return np.asarray(rng.standard_gamma(shape) * mean / shape)
    if isinstance(family, InverseGaussian):
        return rng.wald(mean, np.broadcast_to(family.weights / dispersion, mean.shape))
    if isinstance(family, NegativeBinomial):
        tau = family.tau(extra)
        mean = mean * mixture.standard_gamma(tau, mean.shape) / tau
    return rng.poisson(mean).astype(np.float64)
