"""What replicates are drawn from: a population, or a fitted model whose data are the design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.formula import unquote
from mixedsim.frame import as_frame
from mixedsim.inference.responses import responses
from mixedsim.models import LinearMixedModel
from mixedsim.simulate import Population, Sample, Truth
from mixedsim.simulate.contents import contents_of
from mixedsim.simulate.sample import sample_of
from mixedsim.simulate.streams import Streams
from mixedsim.study.fixed_design import FixedDesign, design_of, frame_with, is_linear
from mixedsim.study.generalized import FamilyAndLink, exposure_of, family_and_link, glmer_family
from mixedsim.study.lean import Lean
from mixedsim.study.recover import estimates_of, truths_of
from mixedsim.study.true_values import Symbol

Floats = NDArray[np.float64]
_OF_RESPONSE = ("ranef", "residual", "outcome", "problems")  # what is drawn anew where predictors stay


class Source(Protocol):
    """What a replicate is drawn from, and what is true of it."""

    @property
    def name(self) -> str:
        """What to call it in a title."""
        ...

    @property
    def formula(self) -> str:
        """How the response arises."""
        ...

    @property
    def rows(self) -> float:
        """Rows of a replicate, on average."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the data."""
        ...

    @property
    def hidden(self) -> frozenset[str]:
        """Variables that the data do not show."""
        ...

    @property
    def linear(self) -> bool:
        """Whether linear models are models of it."""
        ...

    @property
    def glmer_family(self) -> FamilyAndLink | None:
        """What `glmer` takes as `family`; None if it is linear, or another outcome that `glmer` does not model."""
        ...

    @property
    def link(self) -> str:
        """On whose scale the true parameters are."""
        ...

    @property
    def exposure(self) -> str | None:
        """The column whose logarithm is part of the linear predictor, if there is one."""
        ...

    @property
    def truth(self) -> Mapping[Symbol, float]:
        """The true parameters."""
        ...

    @property
    def design(self) -> FixedDesign | None:
        """Clusters and predictors, if all replicates share them."""
        ...

    @property
    def extras(self) -> Mapping[str, Any]:
        """Weights and offset of the rows, as `lmer` takes them; empty if there are none."""
        ...

    def sample(self, seed: int) -> Sample | FitSample:
        """The replicate that a seed stands for."""
        ...

    def meaning(self) -> tuple[Any, ...]:
        """What two equal sources share, in plain values."""
        ...


@dataclass(frozen=True)
class _TwoSeeds(Streams):
    """Clusters and predictors of one seed (`design`), effects, residuals and all that follows of another."""

    design: int

    def generator(self, *part: str) -> np.random.Generator:
        """As `Streams.generator`."""
        return super().generator(*part) if part[0] in _OF_RESPONSE else Streams(self.design).generator(*part)


@dataclass(frozen=True)
class RedrawnTruth(Truth):
    """The truth of a sample whose clusters and predictors are those of ``population.draw(design)``.

    Effects, residuals, and what goes wrong with the data, belong to `seed`.
    """

    design: int = field(kw_only=True)

    @property
    def _streams(self) -> Streams:
        assert isinstance(self.seed, int)
        return _TwoSeeds(self.seed, self.design)


@dataclass(frozen=True, eq=False)
class PopulationSource(Lean):
    """A population; `fixed` is the seed whose clusters and predictors all replicates have, None if each has its own."""

    population: Population
    fixed: int | None

    @property
    def name(self) -> str:
        return self.population.name or "a population"

    @property
    def formula(self) -> str:
        return self.population.formula

    @property
    def rows(self) -> float:
        return self.population.plan.structure.expected_rows()

    @property
    def columns(self) -> tuple[str, ...]:
        contents = contents_of(self.population.plan, self.population.family)
        return (*contents.clusters, *contents.observed)

    @property
    def hidden(self) -> frozenset[str]:
        return frozenset(name for name, variable in self.population.variables.items() if not variable.observed)

    @property
    def linear(self) -> bool:
        return is_linear(self.population)

    @property
    def glmer_family(self) -> FamilyAndLink | None:
        return glmer_family(self.population)

    @property
    def link(self) -> str:
        return family_and_link(self.population)[1]

    @property
    def exposure(self) -> str | None:
        return exposure_of(self.population)

    @property
    def truth(self) -> Mapping[Symbol, float]:
        return truths_of(Truth(self.population, 0))

    @cached_property
    def design(self) -> FixedDesign | None:
        return design_of(self.population, self.fixed)

    @property
    def extras(self) -> Mapping[str, Any]:
        return {}

    def sample(self, seed: int) -> Sample:
        if self.fixed is None:
            return self.population.draw(seed)
        return sample_of(RedrawnTruth(self.population, seed, design=self.fixed))

    def meaning(self) -> tuple[Any, ...]:
        return "population", self.population.fingerprint, self.fixed


@dataclass(frozen=True, eq=False)
class FitTruth:
    """What is true of data drawn from a fitted model: its estimates.

    Attributes
    ----------
    seed : ``fit.simulate(1, seed)`` draws the same response.
    fixef, varcorr, sigma : as those of the fit.
    """

    seed: int
    fixef: pd.Series[float]
    varcorr: pd.DataFrame = field(repr=False)
    sigma: float


@dataclass(frozen=True, eq=False)
class FitSample:
    """Data drawn from a fitted model: the rows that it used, with a new response.

    Attributes
    ----------
    data : all columns of the fit's data, the response drawn.
    truth : the parameters that it was drawn with.
    formula : of the fitted model.
    """

    data: pd.DataFrame
    truth: FitTruth
    formula: str

    def __repr__(self) -> str:
        return f"FitSample(seed {self.truth.seed}: {len(self.data):,} rows; {self.formula.strip()})"


@dataclass(frozen=True, eq=False)
class FitSource(Lean):
    """A fitted model."""

    fit: LinearMixedModel

    def __post_init__(self) -> None:
        if self.response not in self.frame.columns:
            raise MixedsimError(
                f"the response must be a column to be drawn anew, found {self.fit.design.formula.response!r}: add it "
                "to the data under a name, and fit that."
            )

    @property
    def name(self) -> str:
        return "a fitted model"

    @property
    def formula(self) -> str:
        return self.fit.formula

    @property
    def rows(self) -> float:
        return self.fit.nobs

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(map(str, self.frame.columns))

    @property
    def hidden(self) -> frozenset[str]:
        return frozenset()

    @property
    def linear(self) -> bool:
        return True

    @property
    def glmer_family(self) -> FamilyAndLink | None:
        return None

    @property
    def link(self) -> str:
        return "identity"

    @property
    def exposure(self) -> str | None:
        return None

    @property
    def truth(self) -> Mapping[Symbol, float]:
        estimates = estimates_of(self.fit, level=0.95)["estimate"]
        return {symbol: float(value) for symbol, value in zip(estimates.index, estimates, strict=True)}

    @property
    def design(self) -> FixedDesign:
        return self

    @property
    def extras(self) -> Mapping[str, Any]:
        known = {"weights": self.fit.design.weights, "offset": self.fit.design.offset}
        return {name: values for name, values in known.items() if values is not None}

    @property
    def response(self) -> str:
        """The column that is drawn."""
        return unquote(self.fit.design.formula.response)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The rows that were fitted, with all columns."""
        return as_frame(self.fit.request.data).iloc[self.fit.design.used].reset_index(drop=True)

    def responses(self, seeds: Sequence[int]) -> Floats:
        """Rows × replicates; a replicate's is ``fit.simulate(1, seed)`` of its seed."""
        fit, at = self.fit, self.fit.optimum.profile
        drawn = (block for seed in seeds for block in responses(fit.rows, fit.problem, at, 1, int(seed)))
        scaling = fit.problem.response
        y = scaling.centre + scaling.scale * np.concatenate(list(drawn), axis=1)
        return y if fit.design.offset is None else y + fit.design.offset[:, None]

    def sample(self, seed: int) -> FitSample:
        data = frame_with(self.frame, self.response, self.responses([seed])[:, 0])
        return FitSample(data, self._truth(seed), self.formula)

    def meaning(self) -> tuple[Any, ...]:
        """The formula, the estimates, responses and a sum of the columns: two fits with all of these alike are one."""
        fit, x = self.fit, self.fit.design.x
        rows = tuple(fit.design.y.tolist()), tuple(x.dot(np.sqrt(np.arange(1.0, 1.0 + len(x.names)))).tolist())
        return "fit", fit.formula, fit.reml, tuple(fit.theta.tolist()), tuple(fit.fixef.tolist()), fit.sigma, *rows

    def _truth(self, seed: int) -> FitTruth:
        return FitTruth(seed, self.fit.fixef, self.fit.varcorr, self.fit.sigma)
