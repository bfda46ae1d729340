"""Replicates drawn from a fitted model: its rows, and responses drawn with its estimates, which are the truth then."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.formula import unquote
from mixedsim.frame import as_frame
from mixedsim.inference.glm_responses import generalized_responses
from mixedsim.inference.responses import responses
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.models.generalized_refitting import in_numbers, in_units_of_data
from mixedsim.response import quotient
from mixedsim.study.fixed_design import FixedDesign, frame_with
from mixedsim.study.generalized import FamilyAndLink, glmer_estimates
from mixedsim.study.lean import Lean
from mixedsim.study.recover import estimates_of
from mixedsim.study.true_values import Symbol

Floats = NDArray[np.float64]


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
class FittedSource(Lean):
    """A fitted model, as a `Source`."""

    fit: LinearMixedModel | GeneralizedLinearMixedModel

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
    def exposure(self) -> str | None:
        return None

    @property
    def design(self) -> FixedDesign:
        return self

    @property
    def extras(self) -> Mapping[str, Any]:
        known = {"weights": self._weights, "offset": self.fit.design.offset}
        return {name: values for name, values in known.items() if values is not None}

    @property
    def _weights(self) -> Floats | None:
        return self.fit.design.weights

    @property
    def response(self) -> str:
        """The column that is drawn."""
        return unquote(self.fit.design.formula.response)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The rows that were fitted, with all columns."""
        return as_frame(self.fit.request.data).iloc[self.fit.design.used].reset_index(drop=True)

    @abstractmethod
    def responses(self, seeds: Sequence[int]) -> Floats:
        """Rows × replicates; a replicate's is ``fit.simulate(1, seed)`` of its seed."""

    def sample(self, seed: int) -> FitSample:
        data = frame_with(self.frame, self.response, self.column(self.responses([seed])[:, 0]))
        return FitSample(data, self._truth(seed), self.formula)

    def column(self, y: Floats) -> Any:
        """A response as the data hold it."""
        return y

    def meaning(self) -> tuple[Any, ...]:
        """The formula, the estimates, responses and a sum of the columns: two fits with all of these alike are one."""
        fit, x = self.fit, self.fit.design.x
        rows = tuple(fit.design.y.tolist()), tuple(x.dot(np.sqrt(np.arange(1.0, 1.0 + len(x.names)))).tolist())
        return "fit", fit.formula, fit.reml, tuple(fit.theta.tolist()), tuple(fit.fixef.tolist()), fit.sigma, *rows

    def _truth(self, seed: int) -> FitTruth:
        return FitTruth(seed, self.fit.fixef, self.fit.varcorr, self.fit.sigma)


@dataclass(frozen=True, eq=False)
class FitSource(FittedSource):
    """A linear model."""

    fit: LinearMixedModel

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
    def truth(self) -> Mapping[Symbol, float]:
        estimates = estimates_of(self.fit, level=0.95)["estimate"]
        return {symbol: float(value) for symbol, value in zip(estimates.index, estimates, strict=True)}

    def responses(self, seeds: Sequence[int]) -> Floats:
        fit, at = self.fit, self.fit.optimum.profile
        drawn = (block for seed in seeds for block in responses(fit.rows, fit.problem, at, 1, int(seed)))
        scaling = fit.problem.response
        y = scaling.centre + scaling.scale * np.concatenate(list(drawn), axis=1)
        return y if fit.design.offset is None else y + fit.design.offset[:, None]


@dataclass(frozen=True, eq=False)
class GeneralizedFitSource(FittedSource):
    """A generalised model; of ``successes / trials`` the successes are drawn."""

    fit: GeneralizedLinearMixedModel

    @property
    def linear(self) -> bool:
        return False

    @property
    def glmer_family(self) -> FamilyAndLink | None:
        return self.fit.family, self.fit.link

    @property
    def link(self) -> str:
        return self.fit.link

    @property
    def truth(self) -> Mapping[Symbol, float]:
        estimates = glmer_estimates(self.fit, level=0.95)["estimate"]
        return {symbol: float(value) for symbol, value in zip(estimates.index, estimates, strict=True)}

    @property
    def nagq(self) -> int:
        """Nodes of its quadrature, which the model of its own data has too."""
        return self.fit.nagq

    @property
    def response(self) -> str:
        sides = quotient(self.fit.design.formula)
        return super().response if sides is None else unquote(sides[0])

    @property
    def _weights(self) -> Floats | None:
        return self.fit.design.trials if self.fit.design.shares else self.fit.design.weights

    def responses(self, seeds: Sequence[int]) -> Floats:
        fit, trials = self.fit, self.fit.design.trials
        drawn = (
            block for seed in seeds for block in generalized_responses(fit.objective, fit.at, trials, 1, int(seed))
        )
        return in_numbers(fit.design, np.concatenate(list(drawn), axis=1))

    def column(self, y: Floats) -> Any:
        design = self.fit.design
        return in_units_of_data(design, y) if design.categories is not None else y

    def meaning(self) -> tuple[Any, ...]:
        fit = self.fit
        return (*super().meaning(), fit.family, fit.link, fit.nagq, fit.tau)


def fit_source(fit: LinearMixedModel | GeneralizedLinearMixedModel) -> FitSource | GeneralizedFitSource:
    """The source that a fitted model is.

    Raises
    ------
    MixedsimError
        If its response is no column of the data.
    """
    return FitSource(fit) if isinstance(fit, LinearMixedModel) else GeneralizedFitSource(fit)
