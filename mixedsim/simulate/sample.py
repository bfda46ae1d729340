"""What a draw gives: the data, and the truth that made them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import PopulationError
from mixedsim.simulate.contents import contents_of
from mixedsim.simulate.covariance import covariances
from mixedsim.simulate.expression import Parameter, Values
from mixedsim.simulate.families import family_of
from mixedsim.simulate.families import words as family_words
from mixedsim.simulate.family import outcome
from mixedsim.simulate.layout import Layout, lay_out, unit_names
from mixedsim.simulate.making import make_variables, to_rows
from mixedsim.simulate.ordinal import Ordinal
from mixedsim.simulate.outcome import draw_effects, draw_outcome, linear_predictor, residuals_of
from mixedsim.simulate.problems import Complete, Table, spoiled
from mixedsim.simulate.remarks import remarks
from mixedsim.simulate.replay.sequence import rehearsed
from mixedsim.simulate.rseed import RSeed
from mixedsim.simulate.streams import Streams

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population

_REMEMBERED = 10_000  # units whose names are kept for the next draw


@dataclass(frozen=True)
class Truth:
    """Everything that is true of a sample and that its data do not say.

    It holds the population and the seed; whatever else one asks for is drawn again, number by number the same. So it
    costs no memory, and nothing that is done to the data can touch it. Tables with one row for every row are those of
    the `complete` data, before anything went wrong; where nothing does, they are the rows of the data.

    Attributes
    ----------
    population : what the sample was drawn from.
    seed : the integer (or `RSeed`) that gives this sample again, ``population.draw(seed)``.
    skipped : how many samples were drawn before this one, and did not show the lesson.
    """

    population: Population
    seed: int | RSeed
    skipped: int = field(default=0, compare=False)

    @property
    def fixef(self) -> pd.Series[float]:
        """The true fixed effects; index: coefficient."""
        fixef = self.population.fixef
        return pd.Series(list(fixef.values()), index=list(fixef), name="truth", dtype=float)

    @property
    def sigma(self) -> Parameter | None:
        """The true standard deviation of the residuals; text where it is an expression, None where there is none."""
        return self.population.sigma

    @property
    def varcorr(self) -> pd.DataFrame:
        """The true variances and covariances of the random effects, as a fitted model lays out its own.

        One row a variance (``term2`` missing, ``sd_or_corr`` the standard deviation), then one row a pair of effects
        that may be correlated (covariance in ``variance``, correlation in ``sd_or_corr``); `sigma` stands apart.
        """
        return _varcorr(self.population)

    @property
    def ranef(self) -> dict[str, pd.DataFrame]:
        """The random effects that were drawn; for every grouping factor, index: level, columns: effects."""
        layout = self._layout()
        drawn = draw_effects(self.population.plan, covariances(self.population.ranef), layout, self._streams)
        frames = {}
        for term in self.population.plan.terms:
            levels = layout.grouping(term.factors).names().rename(term.group)
            names = self.population.plan.effects[term.group].names
            frames[term.group] = pd.DataFrame(drawn[term.group], index=levels, columns=list(names))
        return frames

    @property
    def hidden(self) -> pd.DataFrame:
        """The variables that nobody observed, one row for every row of `complete`."""
        layout = self._layout()
        made = _variables(self.population, layout, self._streams)
        unseen = {n: made[n] for n, variable in self.population.variables.items() if not variable.observed}
        return pd.DataFrame(unseen, index=pd.RangeIndex(layout.rows), copy=False)

    @property
    def linear_predictor(self) -> pd.Series[float]:
        """Xβ + Zb (and log exposure) on the scale of the link; one value for every row of `complete`."""
        return pd.Series(self._predictor(), name="linear_predictor")

    @property
    def mean(self) -> pd.Series[float] | pd.DataFrame:
        """What the response is on average in every row of `complete`, given its random effects.

        For a binomial outcome the probability of a success, also where successes are counted; for an ordinal one a
        frame with the probability of every label.
        """
        family = family_of(self.population.family)
        if isinstance(family, Ordinal):
            return pd.DataFrame(family.shares(self._predictor()), columns=list(family.names()))
        return pd.Series(family.mean(self._predictor()), name="mean")

    @property
    def residuals(self) -> pd.Series[float]:
        """The residuals that were drawn; one value for every row of `complete`.

        Raises `PopulationError` where the outcome has none.
        """
        if self.sigma is None:
            without = outcome(family_of(self.population.family).kind)
            raise PopulationError(f"{without} has no residuals: what was drawn, it was drawn around truth.mean.")
        layout, streams = self._layout(), self._streams
        by_row = isinstance(self.sigma, str) or "exact" in (self.population.residual or {})
        rows = _variables(self.population, layout, streams) if by_row else {}
        return pd.Series(residuals_of(self.population, layout, streams, rows), name="residual")

    @property
    def complete(self) -> pd.DataFrame:
        """The data before anything went wrong: the same columns, and the rows of the other tables of the truth."""
        return pd.DataFrame(_complete(self).columns, copy=False)

    @property
    def original_row(self) -> pd.Series[int]:
        """For every row of the data, the row of `complete` (and of `hidden`, `residuals`, …) that it comes from.

        ``truth.residuals.loc[truth.original_row]`` are the residuals of the rows of the data. Where no row is gone or
        stands twice the two agree.
        """
        origin = _spoiled(self).origin
        return pd.Series(origin, name="original_row")

    @property
    def problems(self) -> pd.DataFrame:
        """What went wrong: one row a cell that a problem changed, or a row that it removed or entered twice.

        ``problem`` its kind; ``step`` which of the population's problems it was, from 1; ``row`` the label in the data
        (missing if the row is gone); ``original_row`` the label in `complete`; ``column``, ``was`` (the true value, as
        in `complete`) and ``now`` (what this step made of it), missing where a whole row came or went. Nothing else
        differs between the data and `complete`.
        """
        return _spoiled(self, keep_book=True).book()

    def __str__(self) -> str:
        called = self.population.name or "population"
        walked = f" ({self.skipped} before it did not show the lesson)" if self.skipped else ""
        parts = [f"Truth of {called}, seed {self.seed}{walked}", "", "Fixed effects", self.fixef.to_string()]
        if len(self.varcorr):
            parts += ["", "Random effects", self.varcorr.fillna({"term2": ""}).to_string(index=False)]
        sigma = f"{self.sigma:g}" if isinstance(self.sigma, float) else self.sigma
        last = f"Outcome  {family_words(self.population.family)}" if sigma is None else f"Residual sd  {sigma}"
        return "\n".join([*parts, "", last, *(f"{name}  {what}" for name, what in remarks(self.population))])

    def _predictor(self) -> NDArray[np.float64]:
        layout, streams = self._layout(), self._streams
        return linear_predictor(self.population, layout, streams, _variables(self.population, layout, streams))

    @property
    def _streams(self) -> Streams:
        """All random numbers of the sample; studies that keep the predictors and draw the rest anew have two seeds."""
        return _streams_of(self.population, self.seed)

    def _layout(self) -> Layout:
        return lay_out(self.population.plan.structure, self._streams)


@dataclass(frozen=True, eq=False)
class Sample:
    """Data from a population, with the truth behind them.

    Attributes
    ----------
    data : one row an observation: a categorical column a cluster, the observed variables, the response last; labelled
        0, 1, … like a file that was just read, also where rows were lost or entered twice (`Truth.original_row`).
    truth : parameters, realised random effects, hidden variables, seed.
    """

    data: pd.DataFrame
    truth: Truth

    @property
    def population(self) -> Population:
        """What the sample was drawn from."""
        return self.truth.population

    @property
    def formula(self) -> str:
        """The formula that generated the response."""
        return self.truth.population.formula

    def __repr__(self) -> str:
        structure = self.population.plan.structure
        units = ", ".join(f"{self.data[name].cat.categories.size:,} {name}" for name in structure.names)
        called = f"{self.population.name}, " if self.population.name else ""
        return f"Sample({called}seed {self.truth.seed}: {len(self.data):,} rows, {units}; {self.formula})"


def draw(population: Population, seed: int | RSeed) -> Sample:
    """The sample of `population` that `seed` stands for."""
    return sample_of(Truth(population, seed))


def sample_of(truth: Truth) -> Sample:
    """The sample that has this truth."""
    population, streams = truth.population, truth._streams
    layout = lay_out(population.plan.structure, streams)
    columns = columns_of(population, layout, streams, _ids)
    index = pd.RangeIndex(len(columns[population.plan.response.name]))  # given, so that pandas need not find it out
    return Sample(data=pd.DataFrame(columns, index=index, copy=False), truth=truth)


def _streams_of(population: Population, seed: int | RSeed) -> Streams:
    return rehearsed(population, seed, _all_columns) if isinstance(seed, RSeed) else Streams(seed)


def _all_columns(population: Population, streams: Streams) -> dict[str, Any]:
    return columns_of(population, lay_out(population.plan.structure, streams), streams, _ids)


def _spoiled(truth: Truth, *, keep_book: bool = False) -> Table:
    """The data after all that goes wrong, with the way there."""
    return spoiled(truth.population.problems, _complete(truth), truth._streams, keep_book=keep_book)


def _complete(truth: Truth) -> Complete:
    """The data before anything goes wrong, and what lies behind them."""
    population, streams = truth.population, truth._streams
    return complete_of(population, lay_out(population.plan.structure, streams), streams, _ids)


def columns_of(
    population: Population, layout: Layout, streams: Streams, ids: Callable[[str, Layout], Any]
) -> dict[str, Any]:
    """The columns of the data, as they arise in this layout from these random numbers.

    Parameters
    ----------
    ids : the column of a cluster, given its name.
    """
    complete = complete_of(population, layout, streams, ids)
    if not population.problems:
        return dict(complete.columns)
    return spoiled(population.problems, complete, streams).columns


def complete_of(
    population: Population, layout: Layout, streams: Streams, ids: Callable[[str, Layout], Any]
) -> Complete:
    """The same before anything goes wrong, and the variables behind it."""
    plan = population.plan
    rows = _variables(population, layout, streams)
    columns: dict[str, Any] = {name: ids(name, layout) for name in plan.structure.names}
    columns |= {name: rows[name] for name, variable in plan.variables.items() if variable.observed}
    outcome = draw_outcome(population, layout, streams, rows)
    return Complete(columns | outcome, rows | outcome, contents_of(plan, population.family), layout)


def _variables(population: Population, layout: Layout, streams: Streams) -> dict[str, Values]:
    """Every variable that the data, the truth or the formula shows, one value a row."""
    plan = population.plan
    made = make_variables(plan.variables, plan.levels, layout, streams)
    return {name: to_rows(values, plan.levels[name], layout) for name, values in made.items()}


def _ids(cluster: str, layout: Layout) -> pd.Categorical[str]:
    """A cluster's column: the unit's name in every row."""
    units = layout.units[cluster]
    names: Any = _names(units) if units <= _REMEMBERED else _names.__wrapped__(units)
    return pd.Categorical.from_codes(layout.codes(cluster), dtype=names, validate=False)


@lru_cache(maxsize=64)
def _names(units: int) -> pd.CategoricalDtype:
    """The names of units as categories: making them costs a sixth of a small draw, and a study makes thousands."""
    return pd.CategoricalDtype(pd.Index(unit_names(units)))


def _varcorr(population: Population) -> pd.DataFrame:
    known = covariances(population.ranef)
    records: list[tuple[str, str, str | None, float, float]] = []
    for term in population.plan.terms:
        sd, corr = known[term.group].sd, known[term.group].corr
        at = range(term.first, term.first + len(term.names))
        names = population.plan.effects[term.group].names
        records += [(term.group, names[i], None, sd[i] ** 2, sd[i]) for i in at]
        pairs = [(i, j) for i in at for j in at if i < j]
        records += [(term.group, names[i], names[j], corr[i][j] * sd[i] * sd[j], corr[i][j]) for i, j in pairs]
    return pd.DataFrame(records, columns=["group", "term1", "term2", "variance", "sd_or_corr"])
