"""Generalised mixed models of a block of replicates, fitted one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mixedsim.errors import MixedsimError
from mixedsim.formula import parse
from mixedsim.inference.many_estimates import Estimates, t_estimates
from mixedsim.models import GeneralizedLinearMixedModel, glmer
from mixedsim.study.analysis import Analysis
from mixedsim.study.attempt import attempted
from mixedsim.study.block import Block
from mixedsim.study.draws import Draws
from mixedsim.study.found import Found, Parameters
from mixedsim.study.generalized import FamilyAndLink, glmer_estimates, symbols_of, with_offset
from mixedsim.study.lean import Lean
from mixedsim.study.ordinary import undetermined
from mixedsim.study.sources import Source
from mixedsim.study.true_values import Symbol, truth_for

_ANOTHER = (
    "the model of this data set has other coefficients than that of the others, because a category or a predictor does "
    "not vary in it as it does there."
)


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
    undetermined : the coefficients that its columns do not determine, though they have an estimate.
    """

    draws: Draws
    analyses: Mapping[str, Analysis]
    symbols: tuple[Symbol, ...]
    undetermined: tuple[str, ...]

    @classmethod
    def of(cls, draws: Draws, analyses: Mapping[str, Analysis]) -> GeneralizedFitter:
        """The fitter of analyses with one model, once a replicate has shown what its parameters are."""
        name, one = next(iter(analyses.items()))
        _, fit = attempted(
            draws, name, lambda data: _fitted(draws, one, data), lambda fit: not fit.problem.linear.fixed.dropped
        )
        x, fixed = fit.design.x, fit.problem.linear.fixed
        unknown = undetermined(x.matrix(), fixed.kept) if fixed.dropped else ()
        return cls(draws, analyses, symbols_of(fit), tuple(x.names[j] for j in unknown))

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
        m, failures = len(block), {}
        converged, singular = np.zeros(m, dtype=bool), np.zeros(m, dtype=bool)
        out = {name: Estimates.empty(m, len(self.symbols)) for name in self.analyses}
        model = next(iter(self.analyses.values()))
        for k, data in enumerate(block.data):
            try:
                fit = _fitted(self.draws, model, data)
                self._fill(out, k, fit)
            except (MixedsimError, np.linalg.LinAlgError) as error:
                failures[k] = _sentence(error)
                continue
            converged[k], singular[k] = fit.converged, fit.singular
        return {name: Found(out[name], converged, singular, failures) for name in self.analyses}

    def _fill(self, out: Mapping[str, Estimates], k: int, fit: GeneralizedLinearMixedModel) -> None:
        if symbols_of(fit) != self.symbols:
            raise MixedsimError(_ANOTHER)
        for name, one in self.analyses.items():
            out[name].put(np.array([k]), _row(fit, one.level))


def _row(fit: GeneralizedLinearMixedModel, level: float) -> Estimates:
    """One replicate's estimates: z tests of coefficients, estimates alone of standard deviations and correlations."""
    estimate, se, df, _, _ = glmer_estimates(fit, level).to_numpy(dtype=np.float64).T[:, None]
    return t_estimates(estimate, se, df, level)


def _fitted(draws: Draws, one: Analysis, data: pd.DataFrame) -> GeneralizedLinearMixedModel:
    family = _family(draws.source, one)
    rows, extra = with_offset(data, draws.source.exposure if family[1] == "log" else None)
    return glmer(one.formula, rows, family=family, nagq=one.nagq, **extra)


def _family(source: Source, one: Analysis) -> FamilyAndLink:
    """What was asked for, or else what the source is."""
    family = one.family_and_link or source.glmer_family
    assert family is not None  # `check_analyses` has refused it
    return family


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, MixedsimError) else f"a matrix could not be factorised: {error}"
