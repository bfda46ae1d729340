"""Cumulative-link mixed models of a block of replicates, fitted one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mixedsim.errors import MixedsimError
from mixedsim.formula import parse
from mixedsim.inference.many_estimates import Estimates, t_estimates
from mixedsim.models import CumulativeLinkMixedModel, clmm
from mixedsim.study.analysis import Analysis
from mixedsim.study.attempt import attempted
from mixedsim.study.block import Block
from mixedsim.study.draws import Draws
from mixedsim.study.found import Found, Parameters
from mixedsim.study.lean import Lean
from mixedsim.study.ordinal import clmm_estimates, clmm_link, clmm_symbols
from mixedsim.study.ordinary import undetermined
from mixedsim.study.sources import PopulationSource, Source
from mixedsim.study.true_values import Symbol, truth_for

_ANOTHER = (
    "the model of this data set has other parameters than that of the others, because somebody was drawn in other "
    "categories, or a predictor does not vary in it as it does there."
)


def fits_clmm(source: Source, analysis: Analysis) -> bool:
    """Whether an analysis of a source is a cumulative-link mixed model."""
    return analysis.is_mixed and analysis.family is None and _link(source) is not None


def _link(source: Source) -> str | None:
    return clmm_link(source.population) if isinstance(source, PopulationSource) else None


@dataclass(frozen=True, eq=False)
class OrdinalFitter(Lean):
    """One cumulative-link mixed model, for all analyses that share it.

    Attributes
    ----------
    draws : what is fitted.
    analyses : what is asked of it, by name.
    symbols : its parameters; a replicate in which it has others has failed.
    undetermined : the coefficients that its columns do not determine, though they have an estimate.
    """

    draws: Draws
    analyses: Mapping[str, Analysis]
    symbols: tuple[Symbol, ...]
    undetermined: tuple[str, ...]

    @classmethod
    def of(cls, draws: Draws, analyses: Mapping[str, Analysis]) -> OrdinalFitter:
        """The fitter of analyses with one model, once a replicate has shown what its parameters are."""
        name, one = next(iter(analyses.items()))
        expected = sum(symbol[0] == "threshold" for symbol in draws.source.truth)
        _, fit = attempted(
            draws,
            name,
            lambda data: _fitted(draws, one, data),
            lambda fit: not fit.problem.linear.fixed.dropped and len(fit.threshold_names) == expected,
        )
        x, fixed = fit.design.x, fit.problem.linear.fixed
        unknown = undetermined(x.matrix(), fixed.kept) if fixed.dropped else ()
        return cls(draws, analyses, clmm_symbols(fit), tuple(x.names[j] for j in unknown))

    @property
    def parameters(self) -> Mapping[str, Parameters]:
        """Of every analysis."""
        source, one = self.draws.source, next(iter(self.analyses.values()))
        truth = truth_for(one.parsed, parse(source.formula), source.truth, undetermined=self.undetermined)
        return dict.fromkeys(self.analyses, Parameters.of(self.symbols, truth))

    def fit(self, block: Block) -> Mapping[str, Found]:
        """What each analysis found in the replicates of a block."""
        m, failures = len(block), {}
        converged, singular = np.zeros((2, m), dtype=bool)
        out = {name: Estimates.empty(m, len(self.symbols)) for name in self.analyses}
        model = next(iter(self.analyses.values()))
        for k, data in enumerate(block.data):
            try:
                fit = _fitted(self.draws, model, data)
                self._fill(out, k, fit)
            except MixedsimError as error:
                failures[k] = str(error)
                continue
            converged[k], singular[k] = fit.converged, fit.singular
        return {name: Found(out[name], converged, singular, failures) for name in self.analyses}

    def _fill(self, out: Mapping[str, Estimates], k: int, fit: CumulativeLinkMixedModel) -> None:
        if clmm_symbols(fit) != self.symbols:
            raise MixedsimError(_ANOTHER)
        for name, one in self.analyses.items():
            estimate, se, df, _, _ = clmm_estimates(fit, one.level).to_numpy(dtype=np.float64).T[:, None]
            found = t_estimates(estimate, se, df, one.level)
            found.p[:, : len(fit.threshold_names)] = np.nan  # where the latent scale has its zero is no hypothesis
            out[name].put(np.array([k]), found)


def _fitted(draws: Draws, one: Analysis, data: pd.DataFrame) -> CumulativeLinkMixedModel:
    link = _link(draws.source)
    assert link is not None  # `fits_clmm` has said so
    return clmm(one.formula, data, link=link, nagq=one.nagq)
