"""One attempt after the other at a twin: draw effects and residuals, change them, see whether a fit finds the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Design, build
from mixedsim.engine import Objective, Problem, pose
from mixedsim.errors import ConvergenceError, PopulationError
from mixedsim.inference.parameters import parameter_name
from mixedsim.inference.responses import Rows, standard_rows
from mixedsim.listing import listed
from mixedsim.models import LinearMixedModel, lmer
from mixedsim.simulate import Population, Sample, Truth
from mixedsim.simulate.covariance import Covariance, covariances
from mixedsim.simulate.layout import lay_out
from mixedsim.simulate.outcome import add_linear_predictor
from mixedsim.simulate.problems import Complete
from mixedsim.simulate.sample import complete_of
from mixedsim.simulate.streams import Streams
from mixedsim.study.twin_scores import Target, Twinned, ranks, twinned

Floats = NDArray[np.float64]
Effects = dict[str, pd.DataFrame]
_CLOSE = 1e-5  # how far an estimate may miss its parameter, in units of the parameter: `lmer` stops well before
_CURVED = -1e-6  # least curvature over largest below which the parameters are no maximum


@dataclass(frozen=True, eq=False)
class Made:
    """A twin's effects, and Xβ + Zb and residuals of every row of the complete data."""

    effects: Effects
    predicted: Floats
    left_over: Floats


@dataclass(frozen=True)
class _Streams(Streams):
    """The random numbers of one attempt: clusters and predictors as ever, effects and residuals its own.

    Attempt 0 has those of ``population.draw(seed)``.
    """

    attempt: int

    def generator(self, *part: str) -> np.random.Generator:
        """As `Streams.generator`."""
        if self.attempt and part[0] in ("ranef", "residual"):
            part = ("twin", str(self.attempt), *part)
        return super().generator(*part)


@dataclass(frozen=True)
class _Drawn(Truth):
    """Effects and residuals of one attempt."""

    attempt: int = field(kw_only=True)

    @property
    def _streams(self) -> Streams:
        assert isinstance(self.seed, int)
        return _Streams(self.seed, self.attempt)


@dataclass(frozen=True, eq=False)
class Stage:
    """All that attempts share.

    Attributes
    ----------
    population, seed : what is to be twinned.
    data : the data; a row without a response has none in the twin either.
    complete : what lies behind them, with every variable and nothing missing.
    origin : the row of the complete data that every row of the data is.
    design, problem, rows : these rows as a fit sees them.
    target : what is to be estimated.
    """

    population: Population
    seed: int
    data: pd.DataFrame
    complete: Complete
    origin: NDArray[np.integer[Any]]
    design: Design
    problem: Problem
    rows: Rows
    target: Target

    @classmethod
    def of(cls, drawn: Sample, seed: int, data: pd.DataFrame, reml: bool) -> Stage:
        """The stage for a sample and its seed, and its data with perhaps fewer responses.

        Raises
        ------
        DataError, PopulationError
            If no fit of these rows could have all parameters of the population.
        """
        population = drawn.population
        design = build(population.plan.formula, data)
        problem = pose(design)
        _check_columns(population, design, problem, seed)
        known = covariances(population.ranef)
        factors = [known[factor.name].factor() / _sigma(population) for factor in design.factors]
        stage = cls(
            population=population,
            seed=seed,
            data=data,
            complete=_complete(population, seed),
            origin=drawn.truth.original_row.to_numpy(),
            design=design,
            problem=problem,
            rows=standard_rows(design, problem),
            target=Target.of(problem, factors, reml),
        )
        stage._check_levels()
        return stage

    @property
    def used(self) -> NDArray[np.integer[Any]]:
        """The rows of the complete data that the fit uses, in its order."""
        return self.origin[self.design.used]

    def attempt(self, number: int) -> Made | str:
        """The twin from one draw of effects and residuals, or why it gives none."""
        truth = _Drawn(self.population, self.seed, attempt=number)
        found = twinned(self.problem, self.rows, self.target, self._random_part(truth))
        if found is None:
            return "the score equations had no solution near the draw"
        if not self._is_maximum(found):
            return "the likelihood had no maximum there"
        made = self._made(found, truth)
        return self._missed(made) or made

    def _random_part(self, truth: _Drawn) -> Floats:
        """(Zb + e)/σ of the rows that the fit uses."""
        total = self._predicted({}, truth.ranef) + truth.residuals.to_numpy()
        return np.asarray(total[self.used] / _sigma(self.population))

    def _predicted(self, fixef: Mapping[str, float], ranef: Effects) -> Floats:
        """Xβ + Zb of every row of the complete data."""
        plan, layout = self.population.plan, self.complete.layout
        total = np.zeros(layout.rows)
        effects = {group: frame.to_numpy() for group, frame in ranef.items()}
        add_linear_predictor(total, plan, fixef, effects, self.complete.rows, layout)
        return total

    def _is_maximum(self, found: Twinned) -> bool:
        """Whether the deviance curves downwards in no direction from the parameters."""
        cp = self.rows.products(found.response[:, None], self.problem.cp)
        objective = Objective(cp, self.problem.layout, self.target.reml)
        curvature = np.linalg.eigvalsh(objective.hessian(objective.evaluate(self.target.theta)))
        return not len(curvature) or bool(curvature[0] >= _CURVED * max(1.0, curvature[-1]))

    def _made(self, found: Twinned, truth: _Drawn) -> Made:
        """Effects, residuals and response in the units of the data."""
        sigma = _sigma(self.population)
        effects = {group: found.scale * frame for group, frame in truth.ranef.items()}
        for factor, change, t in zip(self.design.factors, found.changes, self.problem.varying, strict=True):
            effects[factor.name].loc[factor.levels, list(factor.effects)] += sigma * change @ t.T
        fixef = self.population.fixef
        predicted = self._predicted(fixef, effects)
        left_over = np.array(found.scale * truth.residuals, dtype=np.float64)
        response = self.design.x.dot(np.array([fixef[name] for name in self.design.x.names]))
        left_over[self.used] = response + sigma * found.response - predicted[self.used]
        return Made(effects, predicted, left_over)

    def response(self, made: Made) -> Floats:
        """The twin's response, one value a row of the data; missing where it has none."""
        response = self.population.plan.response.name
        complete = (made.predicted + made.left_over)[self.origin]
        return np.where(self.data[response].isna(), np.nan, complete)

    def _missed(self, made: Made) -> str:
        """Which parameter a fit that knows nothing of the truth does not give back; nothing if it gives back all."""
        plan = self.population.plan
        data = self.data.assign(**{plan.response.name: self.response(made)})
        try:
            fit = lmer(plan.formula.text, data, reml=self.target.reml)
        except ConvergenceError:  # these data have no estimates; those of the next draw may
            return "a fit found no estimates"
        for name, estimate, truth, unit in _beside(fit, self.population):
            if not abs(estimate - truth) <= _CLOSE * unit:
                return f"the likelihood was higher at another {name} than {truth:.6g}"
        return ""

    def _check_levels(self) -> None:
        """As many levels as effects must be left when the fixed effects are taken out."""
        drawn = self._random_part(_Drawn(self.population, self.seed, attempt=0))
        known = ranks(self.problem, self.rows, self.target, drawn)
        for factor, root, rank in zip(self.design.factors, self.target.roots, known, strict=True):
            # each fixed effect takes away one level at most; many levels look alike only where digits are scarce
            few = len(factor.levels) < root.shape[1] + self.problem.cp.p
            if few and rank < root.shape[1]:
                terms = " + ".join(term.term.text for term in factor.terms)
                raise PopulationError(
                    f"{len(factor.levels)} levels of {factor.name!r} are too few for a twin: beside the fixed effects "
                    f"they leave room for {rank} of the {root.shape[1]} effects that vary in {terms}."
                )


def _complete(population: Population, seed: int) -> Complete:
    streams = Streams(seed)
    layout = lay_out(population.plan.structure, streams)
    return complete_of(population, layout, streams, lambda cluster, of: of.codes(cluster))


def _sigma(population: Population) -> float:
    assert isinstance(population.sigma, float)  # see `twin`
    return population.sigma


def _beside(fit: LinearMixedModel, population: Population) -> Iterator[tuple[str, float, float, float]]:
    """Name, estimate, truth and unit of every parameter.

    A parameter is its own unit, a correlation has 1; a coefficient has at least its standard error, and a standard
    deviation of 0 what would add as much to a response as the residual does.
    """
    se = np.sqrt(np.diag(fit.vcov.to_numpy()))
    for (name, truth), estimate, own in zip(population.fixef.items(), fit.fixef, se, strict=True):
        yield name, float(estimate), truth, max(abs(truth), float(own))
    sigma = _sigma(population)
    yield "sigma", fit.sigma, sigma, sigma
    known = covariances(population.ranef)
    for factor in fit.design.factors:
        columns = [column for term in factor.terms for column in term.columns.columns]
        unit = np.array([sigma / np.sqrt(np.mean(np.square(column))) for column in columns])
        found = fit.covariances[factor.name].to_numpy()
        yield from _variances(factor.name, factor.effects, known[factor.name], found, unit)


def _variances(
    group: str, effects: tuple[str, ...], known: Covariance, found: Floats, unit: Floats
) -> Iterator[tuple[str, float, float, float]]:
    """Standard deviations of one factor, and correlations of what varies; `unit` is for those that are 0."""
    sd = np.sqrt(np.diag(found))
    for i, name in enumerate(effects):
        yield parameter_name("sd", group, name), float(sd[i]), known.sd[i], known.sd[i] or float(unit[i])
        for j in range(i):
            if known.sd[i] and known.sd[j]:
                both = parameter_name("corr", group, f"{effects[j]}, {name}")
                yield both, float(found[i, j] / (sd[i] * sd[j])), known.corr[i][j], 1.0


def _check_columns(population: Population, design: Design, problem: Problem, seed: int) -> None:
    """Raise `PopulationError` unless the columns of the data are those that the parameters belong to."""
    plan = population.plan
    pairs = [(plan.coefficients, design.x.names)]
    pairs += [(plan.effects[factor.name].names, factor.effects) for factor in design.factors]
    absent = [name for expected, found in pairs for name in expected if name not in found]
    if absent:
        raise PopulationError(
            f"the rows with a response say nothing of {listed(dict.fromkeys(absent))} (seed {seed}): take another "
            "seed, or more rows."
        )
    if problem.fixed.dropped:
        names = [design.x.names[j] for j in problem.fixed.dropped]
        raise PopulationError(
            f"{listed(names)} cannot be told from the other fixed effects in the rows with a response (seed {seed}): "
            "take another seed, or more rows."
        )
