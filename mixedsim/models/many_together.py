"""Replicates that are fitted together: their cross-products, and who has to be looked at alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Control, CrossProducts
from mixedsim.engine.batch_fit import minimise_many, products_of, takes, takes_control, worth_it
from mixedsim.formula import Formula
from mixedsim.inference.many import Together
from mixedsim.inference.many_scales import ManyScales
from mixedsim.inference.parameters import parameters_of
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.many_design import ManyDesigns, joined, many_designs
from mixedsim.models.many_stack import stack, works_row_by_row

Floats = NDArray[np.float64]
_ROWS = 60_000  # in one stack of data sets: what a processor's cache holds
_CACHED = 100_000  # numbers in one block of responses: what a processor's cache holds
_NUMBERS = 4_000_000  # in one array of cross-products
_CONSTANT = 1e-9  # sd over the largest value below which somebody shall look whether a response varies at all
_LARGEST, _SMALLEST = 1e90, 1e-90  # sizes of a response that nothing has to be said about


def fit_together(
    formula: Formula, datasets: Sequence[Any], reml: bool, control: Control
) -> tuple[list[Together], list[int]]:
    """Fits to data sets that can be had together, and the numbers of the others."""
    everybody = np.arange(len(datasets))
    if not formula.terms or not takes_control(control) or not is_plain(formula):
        return [], everybody.tolist()
    portions: list[Together] = []
    for designs in _in_bulk(_designs(formula, datasets, control)):
        portions += _settled(designs, reml, control)
    done = np.concatenate([portion.replicates for portion in portions] or [np.empty(0, dtype=np.intp)])
    return portions, np.setdiff1d(everybody, done).tolist()


def _designs(formula: Formula, datasets: Sequence[Any], control: Control) -> Iterator[ManyDesigns]:
    """The data sets that go together, a stack after the other."""
    for some in of_some_rows(datasets):
        found = stack(formula, datasets, some)
        designs = None if found is None else many_designs(formula, found)
        if designs is not None and takes(designs.layout, control):
            yield designs


def _in_bulk(designs: Iterator[ManyDesigns]) -> Iterator[ManyDesigns]:
    """The same in larger portions: a step of the search costs as much for ten replicates as for a hundred."""
    waiting: list[ManyDesigns] = []
    for one in designs:
        full = sum(w.products.zz.size + w.products.zx.size for w in waiting) > _NUMBERS
        if waiting and (full or not waiting[0].goes_with(one)):
            yield joined(waiting)
            waiting = []
        waiting.append(one)
    if waiting:
        yield joined(waiting)


def is_plain(formula: Formula) -> bool:
    """Whether the formula works row by row, and its grouping columns do nothing but group."""
    grouping = {name for term in formula.terms for name in term.factors}
    return works_row_by_row(formula) and not grouping & formula.predictors


def of_some_rows(datasets: Sequence[Any]) -> Iterator[list[int]]:
    """Numbers of data sets in portions of so many rows that memory stays bounded."""
    some: list[int] = []
    rows = 0
    for k, data in enumerate(datasets):
        some.append(k)
        rows += len(data) if hasattr(data, "__len__") else 0
        if rows > _ROWS:
            yield some
            some, rows = [], 0
    if some:
        yield some


def _settled(designs: ManyDesigns, reml: bool, control: Control) -> list[Together]:
    """Those that arrive in company: one portion, or none."""
    if not worth_it(designs.products):
        return []
    found = minimise_many(designs.products, designs.layout, reml, control)
    done = np.flatnonzero(found.settled)
    if not len(done):
        return []
    return [
        Together(
            replicates=designs.members[done],
            products=designs.products.take(done),
            layout=designs.layout,
            reml=reml,
            optima=found.take(done),
            scales=designs.scales.take(done),
            named=designs.parameters,
        )
    ]


def refit_together(
    fit: LinearEstimates, y: Floats, reml: bool, control: Control
) -> tuple[list[Together], list[int]]:
    """Fits to the columns of `y` that can be had together, and the numbers of the others."""
    everybody = np.arange(y.shape[1])
    if not takes(fit.problem.layout, control) or fit.design.rows <= fit.problem.cp.p:
        return [], everybody.tolist()
    width = max(1, _NUMBERS // max(sum(zz.shape[0] * zz.shape[1] for zz in fit.problem.cp.zz), 1))
    portions: list[Together] = []
    named = parameters_of(fit.design, fit.problem)
    for k in range(0, len(everybody), width):
        found = _products(fit, y[:, k : k + width])
        if len(found.members):
            scales = ManyScales.of(fit.problem, found.centre, found.scale)
            designs = ManyDesigns(k + found.members, products_of(found.cp), fit.problem.layout, scales, named)
            portions += _settled(designs, reml, control)
    done = np.concatenate([portion.replicates for portion in portions] or [np.empty(0, dtype=np.intp)])
    return portions, np.setdiff1d(everybody, done).tolist()


@dataclass(frozen=True, eq=False)
class _Responses:
    """Standardised cross-products of responses about which nothing has to be said: their numbers, centres, scales."""

    cp: CrossProducts
    members: NDArray[np.intp]
    centre: Floats
    scale: Floats


def _products(fit: LinearEstimates, y: Floats) -> _Responses:
    """The cross-products of many responses, a few at a time, so that their rows stay in the processor's cache."""
    width = max(1, _CACHED // len(y))
    parts = [_of_some(fit, y[:, k : k + width]) for k in range(0, y.shape[1], width)]
    sound = np.concatenate([part.members for part in parts]) > 0
    cps = [part.cp for part in parts]
    cp = replace(
        cps[0],
        zy=tuple(np.concatenate(zy, axis=2)[:, :, sound] for zy in zip(*(one.zy for one in cps), strict=True)),
        xy=np.concatenate([one.xy for one in cps], axis=1)[:, sound],
        yy=np.concatenate([one.yy for one in cps])[sound],
    )
    centre, scale = (np.concatenate([getattr(part, name) for part in parts])[sound] for name in ("centre", "scale"))
    return _Responses(cp, np.flatnonzero(sound), centre, scale)


def _of_some(fit: LinearEstimates, y: Floats) -> _Responses:
    """The same for a few; `members` are 1 where nothing has to be said, else 0."""
    with np.errstate(all="ignore"):
        high, low = y.max(axis=0), y.min(axis=0)
        size = np.maximum(np.abs(high), np.abs(low))
        sound = (size < _LARGEST) & (size > _SMALLEST)
        rest = y if fit.design.offset is None else y - fit.design.offset[:, None]
        # `scaling.scale_response` for every column
        centre = rest.mean(axis=0) if fit.problem.intercept is not None else np.zeros(y.shape[1])
        shifted = rest - centre
        cp = fit.rows.products(shifted, fit.problem.cp)
        weights = fit.design.weights
        squares = cp.yy if weights is None else np.einsum("ij,ij->j", shifted, shifted)
        scale = np.sqrt(squares / len(y))
        sound &= scale > _CONSTANT * np.maximum(np.abs(centre), size)
        cp = replace(cp, zy=tuple(zy / scale for zy in cp.zy), xy=cp.xy / scale, yy=cp.yy / scale**2)
    return _Responses(cp, sound.astype(np.intp), centre, scale)
