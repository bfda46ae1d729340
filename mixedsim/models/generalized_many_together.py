"""Replicates of a generalised model that are fitted together, and who has to be looked at alone.

The search begins at the estimates of one fit: the model that is refitted, or that of the first data set. Where it ends
does not depend on that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Control, Layout
from mixedsim.engine.batch_fit import takes_control
from mixedsim.engine.glm_batch_fit import COMPANY, ManyGlmOptima, OneDesign, knows, minimise_many_glms, takes_glm
from mixedsim.formula import Formula
from mixedsim.inference.glm_many import GlmTogether
from mixedsim.inference.glm_profile import glm_parameters
from mixedsim.inference.many_scales import ManyScales, many_thetas
from mixedsim.inference.parameters import Parameter
from mixedsim.models.fitting import Request
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.generalized_family import Kind
from mixedsim.models.generalized_many_alone import fit_glms_alone, plain
from mixedsim.models.generalized_many_design import ManyGlmDesigns, many_glm_designs
from mixedsim.models.many_stack import stack
from mixedsim.models.many_together import is_plain, of_some_rows

Floats = NDArray[np.float64]
Which = NDArray[np.intp]
_LIFT = 0.1  # where a search begins instead of at zero: a zero on Λ's diagonal is a saddle, with nothing to go by
_FIRST = 5  # data sets of which one must have a fit, for the others to begin at its estimates
_WHOLE = 1e-9  # share of a count that dividing and multiplying by the trials can make


def refit_glms_together(fit: GeneralizedEstimates, y: Floats, control: Control) -> tuple[list[GlmTogether], list[int]]:
    """Fits to the columns of `y` that can be had together, and the numbers of the others."""
    everybody, design = np.arange(y.shape[1]), fit.design
    if not takes_glm(fit.objective, control):
        return [], everybody.tolist()
    counts = _whole(y * design.trials[:, None]) if design.shares and design.trials is not None else y
    members = np.flatnonzero(plain(fit.kind.family, counts, design.trials))
    if len(members) < COMPANY:
        return [], everybody.tolist()
    layout, one = fit.problem.layout, np.ones(len(members))
    found = OneDesign.of(fit.objective, design.trials).minimise(
        counts[:, members],
        _lifted(fit.at.theta[:, None], layout)[:, 0],
        fit.at.beta,
        control,
        fit.objective.family.again(fit.at.extra),
    )
    scales = ManyScales.of(fit.problem.linear, 0.0 * one, one)
    return _portions(members, layout, found, scales, glm_parameters(fit.design, fit.problem), len(everybody))


def fit_glms_together(
    formula: Formula, requests: Sequence[Request], kind: Kind, offsets: Sequence[Floats] | None, control: Control
) -> tuple[list[GlmTogether], list[int]]:
    """Fits to data sets that can be had together, and the numbers of the others."""
    portions: list[GlmTogether] = []
    first: GeneralizedEstimates | None = None
    for designs in _designs(formula, requests, kind, offsets, control):
        if first is None or not _same(first, designs):
            first = _first(formula, requests, kind, designs.members[:_FIRST])
        if first is None or not _same(first, designs) or len(designs.members) < COMPANY:
            continue
        begin = _begin(first, designs)
        found = minimise_many_glms(designs.objective, begin, control)
        portions += _portions(designs.members, designs.objective.layout, found, designs.scales, designs.named, 0)[0]
    done = np.concatenate([portion.replicates for portion in portions] or [np.empty(0, dtype=np.intp)])
    return portions, np.setdiff1d(np.arange(len(requests)), done).tolist()


def _designs(
    formula: Formula, requests: Sequence[Request], kind: Kind, offsets: Sequence[Floats] | None, control: Control
) -> Iterator[ManyGlmDesigns]:
    """The data sets that go together, a stack after the other."""
    if len(formula.groups) != 1 or not knows(kind.family, kind.nagq) or not takes_control(control):
        return
    if not is_plain(formula):
        return
    tables = [request.data for request in requests]
    for some in of_some_rows(tables):
        found = stack(formula, tables, some)
        designs = None if found is None else many_glm_designs(formula, kind, found, offsets)
        if designs is not None:
            yield designs


def _first(formula: Formula, requests: Sequence[Request], kind: Kind, which: Which) -> GeneralizedEstimates | None:
    """The fit of the first of these data sets that has one; None if none has."""
    for k in map(int, which):
        fits, _ = fit_glms_alone(formula, requests, kind, [k])
        if fits and fits[0].fit.converged:
            return fits[0].fit
    return None


def _same(fit: GeneralizedEstimates, designs: ManyGlmDesigns) -> bool:
    """Whether a fit has the parameters of the data sets."""
    return glm_parameters(fit.design, fit.problem) == designs.named


def _begin(fit: GeneralizedEstimates, designs: ManyGlmDesigns) -> Floats:
    """The estimates of a fit in the standardised units of each data set: M × s."""
    layout, scales = designs.objective.layout, designs.scales
    count = len(designs.members)
    back = np.linalg.inv(np.moveaxis(scales.varying[0], -1, 0)) @ fit.problem.linear.varying[0]
    relative = ManyScales(scales.fixed, (np.moveaxis(back, 0, -1),), scales.centre, scales.scale, None)
    theta = many_thetas(np.tile(fit.at.theta[:, None], count), layout, relative)
    transforms = np.moveaxis(np.broadcast_to(scales.fixed, (*scales.fixed.shape[:2], count)), -1, 0)
    beta = np.linalg.solve(transforms, np.broadcast_to(fit._fixef[:, None], (count, len(fit._fixef), 1)))
    extra = np.tile(fit.objective.family.again(fit.at.extra)[:, None], count)
    return np.concatenate([_lifted(theta, layout), beta[:, :, 0].T, extra])


def _lifted(theta: Floats, layout: Layout) -> Floats:
    """θ (K × r) without zeros on the diagonal of Λ."""
    return np.where(layout.diagonal[:, None] & (np.abs(theta) < _LIFT), _LIFT, theta)


def _portions(
    members: Which,
    layout: Layout,
    found: ManyGlmOptima,
    scales: ManyScales,
    named: tuple[Parameter, ...],
    count: int,
) -> tuple[list[GlmTogether], list[int]]:
    """Those that are settled as one portion (or none), and the others of `count`."""
    done = np.flatnonzero(found.settled)
    rest = np.setdiff1d(np.arange(count), members[done]).tolist()
    if not len(done):
        return [], rest
    return [GlmTogether(members[done], layout, found.take(done), scales.take(done), named)], rest


def _whole(counts: Floats) -> Floats:
    """Counts without what dividing and multiplying may leave."""
    rounded = np.round(counts)
    return np.where(np.abs(counts - rounded) < _WHOLE * (1.0 + np.abs(counts)), rounded, counts)
