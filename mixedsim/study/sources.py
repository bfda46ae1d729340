"""What replicates are drawn from: a population here, or a fitted model whose data are the design (`fit_sources`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from mixedsim.simulate import Population, Sample, Truth
from mixedsim.simulate.contents import contents_of
from mixedsim.simulate.sample import sample_of
from mixedsim.simulate.streams import Streams
from mixedsim.study.fit_sources import FitSample
from mixedsim.study.fixed_design import FixedDesign, design_of, is_linear
from mixedsim.study.generalized import FamilyAndLink, exposure_of, family_and_link, glmer_family
from mixedsim.study.lean import Lean
from mixedsim.study.recover import truths_of
from mixedsim.study.true_values import Symbol

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
