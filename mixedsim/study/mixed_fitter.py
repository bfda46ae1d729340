"""Mixed models of a block of replicates.

Analyses that differ only in how they test share their fits. Where all replicates have one design, the model is posed
once and refitted to a matrix of responses; else the data sets of a block are fitted side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from mixedsim.formula import parse
from mixedsim.inference.parameters import parameters_of
from mixedsim.models import LinearMixedModel, lmer
from mixedsim.models.many import ManyFits, fit_many, refit_many
from mixedsim.study.analysis import Analysis
from mixedsim.study.attempt import attempted, shares_design
from mixedsim.study.block import Block
from mixedsim.study.draws import Draws
from mixedsim.study.found import Found, Parameters
from mixedsim.study.lean import Lean
from mixedsim.study.ordinary import undetermined
from mixedsim.study.true_values import Symbol, truth_for


@dataclass(frozen=True, eq=False)
class MixedFitter(Lean):
    """One mixed model, for all analyses that share it.

    Attributes
    ----------
    draws : what is fitted.
    analyses : what is asked of it, by name.
    symbols : its parameters; a replicate in which it has others has failed.
    pattern : a replicate that it fits.
    undetermined : the coefficients that its columns do not determine, though they have an estimate.
    """

    draws: Draws
    analyses: Mapping[str, Analysis]
    symbols: tuple[Symbol, ...]
    pattern: int
    undetermined: tuple[str, ...]

    @classmethod
    def of(cls, draws: Draws, analyses: Mapping[str, Analysis]) -> MixedFitter:
        """The fitter of analyses with one model, once a replicate has shown what its parameters are."""
        name, one = next(iter(analyses.items()))
        pattern, fit = attempted(
            draws, name, lambda data: _fitted(draws, one, data), lambda fit: not fit.problem.fixed.dropped
        )
        symbols = tuple((p.kind, p.group, p.term) for p in parameters_of(fit.design, fit.problem))
        x, kept = fit.design.x, fit.problem.fixed.kept
        unknown = undetermined(x.matrix(), kept) if fit.problem.fixed.dropped else ()
        return cls(draws, analyses, symbols, pattern, tuple(x.names[j] for j in unknown))

    @property
    def parameters(self) -> Mapping[str, Parameters]:
        """Of every analysis."""
        source = self.draws.source
        truth = truth_for(self._model.parsed, parse(source.formula), source.truth, undetermined=self.undetermined)
        return dict.fromkeys(self.analyses, Parameters.of(self.symbols, truth))

    def fit(self, block: Block) -> Mapping[str, Found]:
        """What each analysis found in the replicates of a block."""
        many = self._many(block)
        if not many.symbols:  # nothing was fitted
            return dict.fromkeys(self.analyses, Found.nothing(len(block), len(self.symbols), many.failures))
        return {
            name: Found(many.parameters(ddf=one.ddf, level=one.level), many.converged, many.singular, many.failures)
            for name, one in self.analyses.items()
        }

    @property
    def _model(self) -> Analysis:
        """Any of the analyses: they have one model."""
        return next(iter(self.analyses.values()))

    def _many(self, block: Block) -> ManyFits:
        if self._template is not None:
            return refit_many(self._template, block.responses)
        return fit_many(self._model.formula, block.data, reml=self._model.reml, symbols=self.symbols)

    @cached_property
    def _template(self) -> LinearMixedModel | None:
        """A fit on the design of all replicates; None if each has its own, or the model has another response."""
        if not shares_design(self.draws.source, self._model):
            return None
        return _fitted(self.draws, self._model, Block(self.draws, self.pattern, self.pattern + 1).data[0])


def _fitted(draws: Draws, one: Analysis, data: pd.DataFrame) -> LinearMixedModel:
    return lmer(one.formula, data, reml=one.reml, **draws.source.extras)
