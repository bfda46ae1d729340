"""Generalised mixed models of a block of replicates, fitted side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.formula import parse
from mixedsim.inference.many_estimates import Estimates
from mixedsim.models import GeneralizedLinearMixedModel, glmer
from mixedsim.models.many import ManyFits, fit_many, refit_many
from mixedsim.study.analysis import Analysis
from mixedsim.study.attempt import attempted, shares_design
from mixedsim.study.block import Block
from mixedsim.study.draws import Draws
from mixedsim.study.found import Found, Parameters
from mixedsim.study.generalized import FamilyAndLink, symbols_of, with_offset
from mixedsim.study.lean import Lean
from mixedsim.study.ordinary import undetermined
from mixedsim.study.sources import Source
from mixedsim.study.true_values import Symbol, truth_for

Floats = NDArray[np.float64]
Table = tuple[pd.DataFrame, Floats | None]  # with the offset of its rows


def fits_glmer(source: Source, analysis: Analysis) -> bool:
    """Whether an analysis of a source is a generalised mixed model."""
    return analysis.is_mixed and (analysis.family is not None or not source.linear)


@dataclass(frozen=True, eq=False)
class GeneralizedFitter(Lean):
    """One generalised mixed model, for all analyses that share it.

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
    def of(cls, draws: Draws, analyses: Mapping[str, Analysis]) -> GeneralizedFitter:
        """The fitter of analyses with one model, once a replicate has shown what its parameters are."""
        name, one = next(iter(analyses.items()))
        pattern, fit = attempted(
            draws, name, lambda data: _fitted(draws, one, data), lambda fit: not fit.problem.linear.fixed.dropped
        )
        x, fixed = fit.design.x, fit.problem.linear.fixed
        unknown = undetermined(x.matrix(), fixed.kept) if fixed.dropped else ()
        return cls(draws, analyses, symbols_of(fit), pattern, tuple(x.names[j] for j in unknown))

    @property
    def parameters(self) -> Mapping[str, Parameters]:
        """Of every analysis; without truth where the link is another one, on whose scale nothing is known."""
        source, one = self.draws.source, next(iter(self.analyses.values()))
        truth: Mapping[Symbol, float] = {}
        if _family(source, one)[1] == source.link:
            truth = truth_for(one.parsed, parse(source.formula), source.truth, undetermined=self.undetermined)
        return dict.fromkeys(self.analyses, Parameters.of(self.symbols, truth))

    def fit(self, block: Block) -> Mapping[str, Found]:
        """What each analysis found in the replicates of a block."""
        if self._template is not None:
            return self._found(block, np.arange(len(block)), refit_many(self._template, block.responses), {})
        known, failures = self._tables(block)
        many = self._many(list(known.values())) if known else None
        return self._found(block, np.array(list(known), dtype=np.intp), many, failures)

    def _found(
        self, block: Block, where: NDArray[np.intp], many: ManyFits | None, failures: dict[int, str]
    ) -> Mapping[str, Found]:
        """The fits to the replicates `where`, and why others have none."""
        if many is not None:
            failures |= {int(where[k]): sentence for k, sentence in many.failures.items()}
        failures = dict(sorted(failures.items()))
        if many is None or not many.symbols:  # nothing was fitted
            return dict.fromkeys(self.analyses, Found.nothing(len(block), len(self.symbols), failures))
        converged, singular = np.zeros((2, len(block)), dtype=bool)
        converged[where], singular[where] = many.converged, many.singular
        out = {}
        for name, one in self.analyses.items():
            estimates = Estimates.empty(len(block), len(self.symbols))
            estimates.put(where, many.parameters("wald", one.level))
            out[name] = Found(estimates, converged, singular, failures)
        return out

    def _tables(self, block: Block) -> tuple[dict[int, Table], dict[int, str]]:
        """Data and offset of the replicates, and for those whose exposure makes none the sentence that says so."""
        exposure = _exposure(self.draws.source, self._model)
        known, failures = {}, {}
        for k, data in enumerate(block.data):
            try:
                rows, extra = with_offset(data, exposure)
            except MixedsimError as error:
                failures[k] = str(error)
                continue
            known[k] = rows, extra.get("offset")
        return known, failures

    def _many(self, tables: list[Table]) -> ManyFits:
        model = self._model
        return fit_many(
            model.formula,
            [rows for rows, _ in tables],
            family=_family(self.draws.source, model),
            nagq=model.nagq,
            offsets=[offset for _, offset in tables if offset is not None] or None,
            symbols=self.symbols,
        )

    @property
    def _model(self) -> Analysis:
        """Any of the analyses: they have one model."""
        return next(iter(self.analyses.values()))

    @cached_property
    def _template(self) -> GeneralizedLinearMixedModel | None:
        """A fit on the design of all replicates; None if each has its own, or the model has another response."""
        if not shares_design(self.draws.source, self._model):
            return None
        return _fitted(self.draws, self._model, Block(self.draws, self.pattern, self.pattern + 1).data[0])


def _exposure(source: Source, one: Analysis) -> str | None:
    """The exposure that an analysis takes notice of."""
    return source.exposure if _family(source, one)[1] == "log" else None


def _fitted(draws: Draws, one: Analysis, data: pd.DataFrame) -> GeneralizedLinearMixedModel:
    rows, extra = with_offset(data, _exposure(draws.source, one))
    given = {**draws.source.extras, **extra}
    return glmer(one.formula, rows, family=_family(draws.source, one), nagq=one.nagq, **given)


def _family(source: Source, one: Analysis) -> FamilyAndLink:
    """What was asked for, or else what the source is."""
    family = one.family_and_link or source.glmer_family
    assert family is not None  # `check_analyses` has refused it
    return family
