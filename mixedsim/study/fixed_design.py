"""Designs that are the same in every replicate: clusters and predictors once, responses as many as one likes.

A population that leaves nothing to chance but its effects and residuals (assigned doses, fixed numbers of patients) has
one such design by nature; any other has one as soon as its predictors are those of one draw. Then a block of
replicates is one design and a matrix of responses, and a model is posed once and refitted many times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.columns import model_columns
from mixedsim.simulate import Custom, Population
from mixedsim.simulate.covariance import covariances
from mixedsim.simulate.expression import Values
from mixedsim.simulate.families import family_of
from mixedsim.simulate.layout import Layout, lay_out
from mixedsim.simulate.making import make_variables, to_rows
from mixedsim.simulate.outcome import draw_effects, log_exposure, residuals_of
from mixedsim.simulate.response import trials_in
from mixedsim.simulate.streams import Streams
from mixedsim.study.generalized import exposure_of, glmer_family

Floats = NDArray[np.float64]


class FixedDesign(Protocol):
    """Rows and predictors that all replicates have in common."""

    @property
    def response(self) -> str:
        """The column that is drawn."""
        ...

    def responses(self, seeds: Sequence[int]) -> Floats:
        """The response of every replicate, rows × replicates, from its seed."""
        ...

    def column(self, y: Floats) -> Any:
        """One of them as the data hold it."""
        ...


def is_linear(population: Population) -> bool:
    """Whether the outcome is its linear predictor plus a residual."""
    family = family_of(population.family)
    return (family.kind, family.link) == ("gaussian", "identity")


def design_of(population: Population, seed: int | None = None) -> PopulationDesign | None:
    """The design that replicates share.

    Parameters
    ----------
    population : what they are drawn from.
    seed : whose clusters and predictors they all have; None if each has its own, as ``population.draw`` gives it.

    Returns
    -------
    None if they share none, or if more than a residual or a family that `glmer` knows lies between the linear predictor
    and the data: ordered categories, or problems, which may leave other rows in every replicate.
    """
    known = is_linear(population) or glmer_family(population) is not None
    if not known or population.problems:
        return None
    if seed is not None:
        return PopulationDesign.of(population, Streams(seed))
    if any(isinstance(variable, Custom) for variable in population.variables.values()):
        return None  # a function might take the refusal for an error of its own
    try:
        return PopulationDesign.of(population, _Refusing(0))
    except _ChanceError:
        return None


class _ChanceError(Exception):
    """Somebody asked for a random number."""


class _Nothing:
    """A generator that has no numbers."""

    def __getattr__(self, name: str) -> Any:
        raise _ChanceError(name)


class _Refusing(Streams):
    """No random numbers at all: whatever can be made from these is the same in every replicate."""

    def generator(self, *part: str) -> np.random.Generator:
        """One that refuses as soon as it is asked."""
        nothing: Any = _Nothing()
        return nothing  # type: ignore[no-any-return]


@dataclass(frozen=True, eq=False)
class _Term:
    """One effect that varies: which one of its group's, the unit of every row, and the column it multiplies."""

    group: str
    place: int
    units: NDArray[np.integer[Any]]
    column: Floats | float


@dataclass(frozen=True, eq=False)
class PopulationDesign:
    """A `FixedDesign` of a population (n rows).

    Attributes
    ----------
    population, layout : what is drawn, and which row belongs where.
    rows : every variable, one value a row.
    mean : Xβ, and the logarithm of the exposure if there is one: n values.
    terms : what varies.
    """

    population: Population
    layout: Layout
    rows: dict[str, Values]
    mean: Floats
    terms: tuple[_Term, ...]

    @classmethod
    def of(cls, population: Population, streams: Streams) -> PopulationDesign:
        """The design that these random numbers make."""
        plan = population.plan
        layout = lay_out(plan.structure, streams)
        made = make_variables(plan.variables, plan.levels, layout, streams)
        rows = {name: to_rows(values, plan.levels[name], layout) for name, values in made.items()}
        fixed = model_columns(plan.formula.fixed, rows)
        exposure = exposure_of(population)
        mean = np.zeros(layout.rows) if exposure is None else log_exposure(exposure, rows[exposure])
        for name, column in zip(fixed.names, fixed.columns, strict=True):
            mean += population.fixef.get(name, 0.0) * column
        terms = []
        for term in plan.terms:
            grouping = layout.grouping(term.factors)
            units: Any = layout.to_rows(np.arange(grouping.units), grouping.cells)
            columns = model_columns(term.rhs, rows).columns
            terms += [_Term(term.group, term.first + i, units, column) for i, column in enumerate(columns)]
        return cls(population, layout, rows, mean, tuple(terms))

    @property
    def response(self) -> str:
        """The column that is drawn."""
        return self.population.plan.response.name

    def column(self, y: Floats) -> Any:
        """See `FixedDesign`."""
        return y.astype(np.int64) if self._counts else y

    @property
    def _counts(self) -> bool:
        """Whether the data hold whole numbers."""
        return not is_linear(self.population) and family_of(self.population.family).kind != "gamma"

    def responses(self, seeds: Sequence[int]) -> Floats:
        """Rows × replicates, each from the streams of its own seed: the same numbers as ``population.draw`` takes.

        Raises
        ------
        PopulationError
            If a mean is one that the family cannot have.
        """
        total = self._predictors(seeds)
        if is_linear(self.population):
            return total
        family, response = family_of(self.population.family), self.population.plan.response
        trials = trials_in(response, self.rows.__getitem__)
        for k, seed in enumerate(seeds):
            total[:, k] = family.draw(total[:, k], Streams(int(seed)).generator("outcome"), trials)
        return total

    def _predictors(self, seeds: Sequence[int]) -> Floats:
        """Linear predictors, with the residuals of a linear population: rows × replicates."""
        population, known = self.population, covariances(self.population.ranef)
        total = np.zeros((self.layout.rows, len(seeds)))
        effects = {group: [] for group in population.plan.effects}  # type: dict[str, list[Floats]]
        for k, seed in enumerate(seeds):
            streams = Streams(int(seed))
            if is_linear(population):
                total[:, k] = residuals_of(population, self.layout, streams, self.rows)
            for group, drawn in draw_effects(population.plan, known, self.layout, streams).items():
                effects[group].append(drawn)
        total += self.mean[:, None]
        for term in self.terms:
            varying = np.stack([drawn[:, term.place] for drawn in effects[term.group]], axis=1)
            column = term.column if isinstance(term.column, float) else term.column[:, None]
            total += varying[term.units] * column
        return total


def frame_with(frame: pd.DataFrame, response: str, y: Any) -> pd.DataFrame:
    """The same rows with another response."""
    return frame.assign(**{response: y})
