"""From many responses to their optima, a portion at a time."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.batch_fit import takes_control
from mixedsim.engine.batch_small import many_lambdas
from mixedsim.engine.covariance import Layout
from mixedsim.engine.glm_batch import GlmBatch, glm_newton
from mixedsim.engine.glm_batch_laplace import ManyLaplace
from mixedsim.engine.glm_batch_modes import Varying
from mixedsim.engine.glm_batch_quadrature import ManyQuadrature
from mixedsim.engine.glm_batch_responses import KINDS, ManyResponses, constants, saturated
from mixedsim.engine.glm_batch_rows import Boxes, ManyRows, boxes_of
from mixedsim.engine.glm_batch_tau import Bunched, BunchedResponses, ManyBunched, bunched
from mixedsim.engine.glm_laplace import MOST_NODES, GlmObjective
from mixedsim.engine.glm_links import UNITLESS
from mixedsim.engine.glm_lost import lost_replicates
from mixedsim.engine.optimise import Control
from mixedsim.engine.threads import threads_for

Floats = NDArray[np.float64]
COMPANY = 3  # replicates from which on company costs less than going one by one
CHUNK = 80_000  # numbers in one array of rows: what a processor's cache holds
_LIFT = 0.1  # where a search begins instead of at zero: a zero on Λ's diagonal is a saddle, with nothing to go by
_LARGE = 2.0  # standard deviation of η from which on chances are extreme
_POISSON = float(np.log(1e4))  # log τ beyond which counts hardly tell it from infinity, and the likelihood is flat
_KNOWN = 4.0  # standard errors of Λ's size below which it is little known
WASTE = 4.0  # places a row, beyond which too many are filled with copies


@dataclass(frozen=True, eq=False)
class ManyGlmOptima:
    """Optima of r replicates, standardised (replicates on the last axis).

    Attributes
    ----------
    theta, beta, extra, deviance : K × r, p × r, E × r (log τ of a negative binomial, or nothing) and r.
    hessian : second derivatives of the deviance by θ, β and the rest, M × M × r.
    settled : those that are at a minimum.
    """

    theta: Floats
    beta: Floats
    extra: Floats
    deviance: Floats
    hessian: Floats
    settled: NDArray[np.bool_]

    def take(self, which: NDArray[np.intp]) -> ManyGlmOptima:
        """Those of some replicates."""
        return ManyGlmOptima(*(getattr(self, one.name)[..., which] for one in fields(self)))

    @classmethod
    def joined(cls, parts: list[ManyGlmOptima]) -> ManyGlmOptima:
        """One after the other."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts], axis=-1) for one in fields(cls)))

    @property
    def covariance(self) -> Floats:
        """Of the fixed effects, the uncertainty of θ included: of ``2H⁻¹`` what belongs to β, p × p × r.

        τ counts as known, as in `glm_estimates.fixed_covariance`.
        Only of those that are settled, whose H is that of a minimum.
        """
        k, end = len(self.theta), len(self.theta) + len(self.beta)
        h = np.moveaxis(self.hessian[:end, :end], -1, 0)
        scale = 1.0 / np.sqrt(np.einsum("rkk->rk", h))
        inverse = np.linalg.inv(h * scale[:, :, None] * scale[:, None]) * scale[:, :, None] * scale[:, None]
        return np.moveaxis(2.0 * inverse[:, k:, k:], 0, -1)


def takes_glm(objective: GlmObjective, control: Control) -> bool:
    """Whether the batch knows this model and this way of optimising."""
    rows, family = objective.rows, objective.family
    if len(rows.shapes) > 1 or not knows(family.kind, objective.nagq) or not takes_control(control):
        return False
    if family.extra != (family.kind == Bunched.kind):  # a τ that is known
        return False
    return bool(np.bincount(rows.codes[0]).max() * rows.shapes[0][0] <= WASTE * rows.n)


def knows(kind: str, nagq: int) -> bool:
    """Whether the batch knows the family and the approximation."""
    return (kind in KINDS and 1 <= nagq <= MOST_NODES) or (kind == Bunched.kind and nagq == 1)


def criterion(rows: ManyRows, responses: ManyResponses, layout: Layout, nagq: int) -> ManyLaplace:
    """Laplace's approximation, or quadrature."""
    if isinstance(responses, BunchedResponses):
        return ManyBunched(rows, responses, layout)
    if nagq == 1:
        return ManyLaplace(rows, responses, layout)
    return ManyQuadrature(rows, responses, layout, nagq)


@dataclass(frozen=True, eq=False)
class OneDesign:
    """A design with one grouping factor, on which many responses are fitted.

    Attributes
    ----------
    boxes : its rows.
    layout : where θ stands in Λ.
    kind, link : of the responses.
    trials : n numbers of trials of binomial counts, or None.
    weights : of the rows (of a single trial), n values or one for all.
    nagq : nodes of the quadrature, or 1 for Laplace's approximation.
    """

    boxes: Boxes
    layout: Layout
    kind: str
    link: str
    trials: Floats | None
    weights: Floats | float
    nagq: int

    @classmethod
    def of(cls, objective: GlmObjective, trials: Floats | None) -> OneDesign:
        """That of an objective whose responses are out of so many trials."""
        family = objective.family
        weights = family.weights if trials is None else family.weights / trials
        boxes = boxes_of(objective.rows, family.kind in KINDS)
        return cls(boxes, objective.layout, family.kind, family.link, trials, weights, objective.nagq)

    def minimise(
        self, y: Floats, theta: Floats, beta: Floats, control: Control, extra: Floats | None = None
    ) -> ManyGlmOptima:
        """The optima for n × r responses (numbers of successes), sought from one ψ = (θ, β, extra), standardised."""
        width = max(COMPANY, CHUNK // self.boxes.place.size)
        parts = []
        for k in range(0, y.shape[1], width):
            objective = self.objective(y[:, k : k + width])
            begin = np.concatenate([theta, beta, np.empty(0) if extra is None else extra])[:, None]
            parts.append(minimise_many_glms(objective, np.tile(begin, objective.replicates), control))
        return ManyGlmOptima.joined(parts)

    def objective(self, y: Floats) -> ManyLaplace:
        """The criterion of these responses."""
        weights, means = self.weights, y
        if self.trials is not None:
            weights, means = weights * self.trials, y / self.trials[:, None]
        if self.kind == Bunched.kind:
            counts = bunched(self.link, *self.boxes.responses(y, weights))
            return criterion(self.boxes.rows, counts, self.layout, self.nagq)
        family = KINDS[self.kind](self.link, *self.boxes.responses(means, weights))
        of_rows = constants(self.kind, y, None if self.trials is None else self.trials[:, None])
        rest = np.broadcast_to(self.weights, len(y)) @ of_rows + saturated(family)
        return criterion(self.boxes.rows, ManyResponses(family, rest), self.layout, self.nagq)


def minimise_many_glms(objective: ManyLaplace, psi: Floats, control: Control) -> ManyGlmOptima:
    """The optima of r replicates, each sought from its own ψ (M × r)."""
    u = np.zeros(objective.shape)
    with threads_for(0):
        if isinstance(objective, ManyQuadrature):  # the way there is cheaper with one node
            first = glm_newton(objective.laplace, psi, u, control)
            theta = np.where(objective.layout.diagonal[:, None] & (first.theta < _LIFT), _LIFT, first.theta)
            near = np.concatenate([theta, first.beta])
            psi, u = np.where(first.settled, near, psi), np.where(first.settled, first.u, u)
        found = glm_newton(objective, psi, u, control)
    deviance = found.criterion + objective.responses.constants
    settled = found.settled & ~_ambiguous(objective, found) & (found.extra < _POISSON).all(axis=0)
    optima = ManyGlmOptima(found.theta, found.beta, found.extra, deviance, found.hessian, settled)
    return _but_separated(optima, objective)


def _ambiguous(objective: ManyLaplace, found: GlmBatch) -> NDArray[np.bool_]:
    """Where effects are so large, and so little known, that the likelihood may have another valley: r booleans.

    A few yes or no in each of a few levels can often be explained by next to no variation, or by so much that no level
    has a choice; which is found depends on the way there, and `minimise_glm` shall go its own.
    """
    if objective.responses.link not in UNITLESS:
        return np.zeros(objective.replicates, dtype=bool)
    columns = Varying.of(objective.rows, many_lambdas(found.theta, objective.layout, 0)).columns
    spread = np.asarray(sum((column**2 for column in columns[1:]), columns[0] ** 2)).mean(axis=(0, 1))
    few = np.flatnonzero(found.settled & (spread > _LARGE**2))
    out = np.zeros(objective.replicates, dtype=bool)
    theta = found.theta[:, few]
    inverse = 2.0 * np.linalg.inv(np.moveaxis(found.hessian[..., few], -1, 0))[:, : len(theta), : len(theta)]
    variance = np.einsum("kr,rkl,lr->r", theta, inverse, theta)
    out[few] = (theta**2).sum(axis=0) ** 2 < _KNOWN**2 * variance
    return out


def _but_separated(optima: ManyGlmOptima, objective: ManyLaplace) -> ManyGlmOptima:
    """The same with those unsettled whose likelihood has no maximum, see `glm_lost`."""
    x, done = objective.rows.x, np.flatnonzero(optima.settled)
    if objective.responses.link not in UNITLESS or not len(x) or not len(done):
        return optima
    rows = x.reshape(len(x), -1) if x.shape[-1] == 1 else x.reshape(len(x), -1, x.shape[-1])[..., done]
    settled = optima.settled.copy()
    settled[done] = ~lost_replicates(rows, optima.take(done).covariance)
    return replace(optima, settled=settled)
