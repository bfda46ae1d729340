"""Responses of many replicates, with what the engine's families do not say: further derivatives, and constants."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from mixedsim.engine.glm_batch_points import NATURAL, Lean
from mixedsim.engine.glm_families import Binomial, Family
from mixedsim.engine.glm_links import UNITLESS
from mixedsim.engine.glm_means import Poisson
from mixedsim.engine.glm_points import Point

Floats = NDArray[np.float64]
Which = NDArray[np.intp] | slice
KINDS = {one.kind: one for one in (Binomial, Poisson)}
_NOTHING = np.empty(0)
_STEP = 1e-4  # of differences of second derivatives by η: exact to some nine digits


@dataclass(frozen=True, eq=False)
class ManyResponses:
    """Responses in boxes (see `glm_batch_rows`) of a family without a further parameter, or at a given one.

    Attributes
    ----------
    family : with responses m × J × r and weights m × J × s.
    constants : r values that make the sum of losses −2 log-likelihood.
    """

    family: Family
    constants: Floats

    @property
    def replicates(self) -> int:
        """r."""
        return int(self.family.y.shape[-1])

    @property
    def link(self) -> str:
        """Such as ``"logit"``."""
        return self.family.link

    def take(self, which: Which) -> ManyResponses:
        """Those of some replicates."""
        own = self.family
        weights = np.asarray(own.weights)
        some = weights if weights.shape[-1] == 1 else weights[..., which]
        return replace(self, family=type(own)(own.link, own.y[..., which], some), constants=self.constants[which])

    def at(self, eta: Floats) -> Point:
        """All rows at η (m × J × r)."""
        own = self.family
        natural = NATURAL.get((own.kind, own.link))
        if natural is not None:
            return natural(own.y, np.asarray(own.weights), eta)
        return own.at(eta, _NOTHING)

    def bends(self, eta: Floats, point: Point) -> tuple[Floats, Floats]:
        """Second derivatives of Fisher's weights by η, and first ones of the observed weights."""
        if isinstance(point, Lean):
            return point.bend, point.observed_bend
        step = np.full_like(eta, _STEP) if self.link in UNITLESS else _STEP * np.abs(eta)
        up, down = self.at(eta + step), self.at(eta - step)
        return (up.slope - down.slope) / (2.0 * step), (up.observed - down.observed) / (2.0 * step)


def constants(kind: str, y: Floats, trials: Floats | None) -> Floats:
    """What −2 log-likelihood has of every row beside its part in the mean: the shape of y.

    Parameters
    ----------
    kind : ``"binomial"`` or ``"poisson"``.
    y : counts.
    trials : numbers of trials that go with them, or None for one each.
    """
    if kind != Binomial.kind:
        return np.asarray(2.0 * gammaln(y + 1.0))
    if trials is None:
        return np.zeros_like(y)
    return np.asarray(2.0 * (gammaln(y + 1.0) + gammaln(trials - y + 1.0) - gammaln(trials + 1.0)))


def saturated(family: Family) -> Floats:
    """What losses lack to be the part of −2 log-likelihood in the mean: r values, of the rows in boxes."""
    y = family.y
    if (family.kind, family.link) in NATURAL:
        return np.zeros(y.shape[-1])
    own = xlogy(y, y) + xlogy(1.0 - y, 1.0 - y) if family.kind == Binomial.kind else xlogy(y, y) - y
    return np.asarray(-2.0 * (family.weights * own).sum(axis=(0, 1)))
