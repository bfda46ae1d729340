"""What a draw gives: the data, and the truth that made them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mixedsim.simulate.covariance import covariances
from mixedsim.simulate.expression import Values
from mixedsim.simulate.layout import Layout, lay_out, unit_names
from mixedsim.simulate.making import make_variables, to_rows
from mixedsim.simulate.outcome import add_linear_predictor, draw_effects, draw_residuals
from mixedsim.simulate.streams import Streams

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population


@dataclass(frozen=True)
class Truth:
    """Everything that is true of a sample and that its data do not say.

    It holds the population and the seed; whatever else one asks for is drawn again, number by number the same. So it
    costs no memory, and nothing that is done to the data can touch it.

    Attributes
    ----------
    population : what the sample was drawn from.
    seed : the integer that gives this sample again, ``population.draw(seed)``.
    """

    population: Population
    seed: int

    @property
    def fixef(self) -> pd.Series[float]:
        """The true fixed effects; index: coefficient."""
        fixef = self.population.fixef
        return pd.Series(list(fixef.values()), index=list(fixef), name="truth", dtype=float)

    @property
    def sigma(self) -> float:
        """The true standard deviation of the residuals."""
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
        drawn = draw_effects(self.population.plan, covariances(self.population.ranef), layout, Streams(self.seed))
        frames = {}
        for term in self.population.plan.terms:
            levels = layout.grouping(term.factors).names().rename(term.group)
            names = self.population.plan.effects[term.group].names
            frames[term.group] = pd.DataFrame(drawn[term.group], index=levels, columns=list(names))
        return frames

    @property
    def hidden(self) -> pd.DataFrame:
        """The variables that nobody observed, one row for every row of the data."""
        layout = self._layout()
        made = _variables(self.population, layout, Streams(self.seed))
        unseen = {n: made[n] for n, variable in self.population.variables.items() if not variable.observed}
        return pd.DataFrame(unseen, index=pd.RangeIndex(layout.rows), copy=False)

    @property
    def linear_predictor(self) -> pd.Series[float]:
        """Xβ + Zb: what the response would be without residuals; one value for every row of the data."""
        layout = self._layout()
        streams = Streams(self.seed)
        total = np.zeros(layout.rows)
        _add_systematic(total, self.population, layout, streams, _variables(self.population, layout, streams))
        return pd.Series(total, name="linear_predictor")

    @property
    def residuals(self) -> pd.Series[float]:
        """The residuals that were drawn; one value for every row of the data."""
        values = draw_residuals(self.sigma, self._layout(), Streams(self.seed))
        return pd.Series(values, name="residual")

    def __str__(self) -> str:
        called = self.population.name or "population"
        parts = [f"Truth of {called}, seed {self.seed}", "", "Fixed effects", self.fixef.to_string()]
        if len(self.varcorr):
            parts += ["", "Random effects", self.varcorr.fillna({"term2": ""}).to_string(index=False)]
        return "\n".join([*parts, "", f"Residual sd  {self.sigma:g}"])

    def _layout(self) -> Layout:
        return lay_out(self.population.plan.structure, Streams(self.seed))


@dataclass(frozen=True, eq=False)
class Sample:
    """Data from a population, with the truth behind them.

    Attributes
    ----------
    data : one row an observation: a categorical column a cluster, the observed variables, the response last.
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


def draw(population: Population, seed: int) -> Sample:
    """The sample of `population` that `seed` stands for."""
    plan, streams = population.plan, Streams(seed)
    layout = lay_out(plan.structure, streams)
    rows = _variables(population, layout, streams)
    response = draw_residuals(population.sigma, layout, streams)
    _add_systematic(response, population, layout, streams, rows)
    columns: dict[str, Any] = {name: _ids(name, layout) for name in plan.structure.names}
    columns |= {name: rows[name] for name, variable in plan.variables.items() if variable.observed}
    columns[plan.formula.response] = response
    return Sample(data=pd.DataFrame(columns, copy=False), truth=Truth(population, seed))


def _variables(population: Population, layout: Layout, streams: Streams) -> dict[str, Values]:
    """Every variable that the data, the truth or the formula shows, one value a row."""
    plan = population.plan
    made = make_variables(plan.variables, plan.levels, layout, streams)
    return {name: to_rows(values, plan.levels[name], layout) for name, values in made.items()}


def _add_systematic(
    total: np.ndarray[Any, np.dtype[np.float64]],
    population: Population,
    layout: Layout,
    streams: Streams,
    rows: dict[str, Values],
) -> None:
    effects = draw_effects(population.plan, covariances(population.ranef), layout, streams)
    add_linear_predictor(total, population.plan, population.fixef, effects, rows, layout)


def _ids(cluster: str, layout: Layout) -> pd.Categorical[str]:
    """A cluster's column: the unit's name in every row."""
    names = pd.Index(unit_names(layout.units[cluster]))
    return pd.Categorical.from_codes(layout.codes(cluster), categories=names, validate=False)


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
