"""From a stack of data sets to the rows of a generalised model, standardised data set by data set.

Columns and their scales are those of `many_design`; the rows then go into boxes, level by level, and rows of one level
with the same predictors become one (`mixedsim.engine.glm_batch_rows`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.glm_batch_fit import WASTE, criterion
from mixedsim.engine.glm_batch_laplace import ManyLaplace
from mixedsim.engine.glm_batch_responses import KINDS, ManyResponses, constants, saturated
from mixedsim.engine.glm_batch_rows import ManyRows, places
from mixedsim.engine.glm_batch_tau import Bunched, bunched
from mixedsim.engine.glm_families import Binomial
from mixedsim.engine.glm_means import Poisson
from mixedsim.formula import Formula, unquote
from mixedsim.inference.many_scales import ManyScales
from mixedsim.inference.parameters import Parameter
from mixedsim.models.generalized_family import Kind
from mixedsim.models.generalized_many_alone import most_of, told
from mixedsim.models.many_design import Making, making
from mixedsim.models.many_stack import Codes, Stack, keep
from mixedsim.response import quotient

Floats = NDArray[np.float64]
_COLLAPSE = 0.7  # distinct rows a row, below which it pays to look for them in all data sets


@dataclass(frozen=True, eq=False)
class ManyGlmDesigns:
    """s data sets of one model, ready to be fitted together.

    Attributes
    ----------
    members : their numbers.
    objective : their criterion.
    scales : the way back to the units of the data.
    named : the parameters.
    """

    members: Codes
    objective: ManyLaplace
    scales: ManyScales
    named: tuple[Parameter, ...]


def many_glm_designs(
    formula: Formula, kind: Kind, found: Stack, offsets: Sequence[Floats] | None
) -> ManyGlmDesigns | None:
    """Return those data sets of the stack about which nothing has to be said; None if there are none.

    Parameters
    ----------
    formula, kind : the model.
    found : the data sets.
    offsets : of the rows of all data sets that there are (not only of the stack), or None.
    """
    response = _response(formula, kind, found)
    if response is None:
        return None
    sound = _sound(found, *response)
    if not sound.all():
        found = keep(found, sound)
        return many_glm_designs(formula, kind, found, offsets) if len(found.members) else None
    made = making(formula, found)
    if made is None or len(made.factors) > 1 or (kind.nagq > 1 and len(made.factors[0].columns) > 1):
        return None
    boxed = _Boxing(made, kind, None if offsets is None else np.concatenate([offsets[k] for k in made.found.members]))
    response = _response(formula, kind, made.found)
    return None if response is None or boxed.wasteful else boxed.designs(*response)


def _response(formula: Formula, kind: Kind, found: Stack) -> tuple[Floats, Floats] | None:
    """Counts, and how large they may be (the trials), where both are plain columns; None where they are calculated."""
    sides = quotient(formula) if kind.family == Binomial.kind else None
    names = [unquote(side) for side in sides or (formula.response,)]
    if not all(name in found.columns for name in names):
        return None
    y, *trials = (np.asarray(found.columns[name], dtype=np.float64) for name in names)
    return y, trials[0] if trials else np.full(len(y), most_of(kind.family))


def _sound(found: Stack, y: Floats, most: Floats) -> NDArray[np.bool_]:
    """Which data sets have a response of which nothing has to be said."""
    good, some, rest = (values.astype(np.float64) for values in told(y, most))
    with np.errstate(invalid="ignore"):
        good *= (most >= 1) & ((most == np.round(most)) | np.isinf(most))
    return np.asarray((found.sums(good) == found.sizes) & (found.sums(some) > 0) & (found.sums(rest) > 0))


class _Boxing:
    """Rows on their way into boxes.

    Attributes
    ----------
    order : the rows, those of a level together and those with the same predictors next to each other.
    begins : where in that order each row begins that is to stay.
    place, present : see `glm_batch_rows.places`; m × J × s.
    """

    def __init__(self, made: Making, kind: Kind, offset: Floats | None) -> None:
        self.made, self.kind = made, kind
        found, (factor,) = made.found, made.factors
        self.offset = np.zeros(made.rows.shape[1]) if offset is None else offset
        level = found.of * factor.most + factor.codes
        self.varying = [np.broadcast_to(column, level.shape) for column in factor.columns]
        self.order, self.begins = _distinct(level, [*made.rows[:-1], *self.varying, self.offset])
        if kind.family not in KINDS:  # of such counts more matters than their sum
            self.begins = np.arange(len(level))
        place, present = places(level[self.order[self.begins]], factor.most * len(found.members))
        shape = (len(place), len(found.members), factor.most)
        self.place, self.present = (a.reshape(shape).transpose(0, 2, 1) for a in (place, present))

    @property
    def wasteful(self) -> bool:
        """Whether too many places would be filled with copies."""
        return self.place.size > WASTE * len(self.begins)

    def designs(self, y: Floats, most: Floats) -> ManyGlmDesigns:
        """Everything together."""
        made, kind = self.made, self.kind
        if kind.family == Bunched.kind:
            once: Floats = self.present.astype(np.float64)
            counts = bunched(kind.link, y[self.order][self.begins][self.place], once)
            return self._told(self._unit(Poisson, counts.family.y, once), counts)
        trials = most if np.isfinite(most).all() else np.ones_like(y)
        weights: Floats = np.add.reduceat(trials[self.order], self.begins).astype(np.float64)
        means = np.add.reduceat(y[self.order], self.begins) / weights
        counted = weights[self.place] * self.present
        family = KINDS[kind.family](kind.link, means[self.place], counted)
        unit = self._unit(KINDS[kind.family], family.y, counted)
        of_rows = constants(kind.family, y[:, None], trials[:, None] if kind.family == Binomial.kind else None)
        rest = made.found.sums(of_rows[:, 0]) + saturated(family)
        return self._told(unit, ManyResponses(family, rest))

    def _told(self, unit: Floats, responses: ManyResponses) -> ManyGlmDesigns:
        made = self.made
        scales = made.scales
        one = np.ones(len(unit))
        return ManyGlmDesigns(
            members=made.found.members,
            objective=criterion(self._rows(unit), responses, made.layout, self.kind.nagq),
            scales=replace(scales, varying=tuple(t * unit for t in scales.varying), centre=0.0 * one, scale=one),
            named=tuple(one for one in made.parameters if one.kind != "sigma"),
        )

    def _rows(self, unit: Floats) -> ManyRows:
        """The predictors; columns that vary by level in `unit`, as in `glm_problem`."""
        of_place = self.order[self.begins][self.place]
        constants = [isinstance(column, float) for column in self.made.factors[0].columns]
        z = tuple(
            (column[0] if same else column[of_place]) * unit[None, None]
            for column, same in zip(self.varying, constants, strict=True)
        )
        x = (
            np.stack([column[of_place] for column in self.made.rows[:-1]])
            if len(self.made.rows) > 1
            else np.empty((0, *of_place.shape))
        )
        return ManyRows(x, z, self.offset[of_place])

    def _unit(self, make: type[Binomial] | type[Poisson], y: Floats, weights: Floats) -> Floats:
        """What a standard deviation of 1 means, so that it is as much as a row tells: s values."""
        total = weights.sum(axis=(0, 1))
        mean = (weights * y).sum(axis=(0, 1)) / total
        own = make(self.kind.link, mean, 1.0)
        share = own.at(own.predictor(mean), np.empty(0)).fisher * total / self.made.found.sizes
        return np.asarray(1.0 / np.sqrt(share))


def _distinct(level: Codes, columns: Sequence[Floats]) -> tuple[Codes, Codes]:
    """An order of the rows by level, and where in it those begin that differ from the one before; each by itself where
    too few are alike."""
    mixed = np.zeros(len(level))
    for k, column in enumerate(columns):
        mixed += np.sqrt(k + 2.0) * column  # equal rows have equal sums, whatever their neighbours
    order = np.lexsort((mixed, level))
    new = np.ones(len(level), dtype=bool)
    new[1:] = level[order[1:]] != level[order[:-1]]
    for column in columns:
        sorted_column = column[order]
        new[1:] |= sorted_column[1:] != sorted_column[:-1]
    begins = np.flatnonzero(new)
    return order, begins if len(begins) < _COLLAPSE * len(level) else np.arange(len(level))
