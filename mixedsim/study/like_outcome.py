"""The outcome of a population like a generalised fit: family and link, trials, exposure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mixedsim.errors import PopulationError
from mixedsim.formula import Formula
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.response import quotient
from mixedsim.simulate.families import KINDS

_EXPOSURE = "exposure"
_COUNTED = ("poisson", "negative-binomial")
_MOST_TAU = 1e6  # theta of a population; beyond it nobody tells the counts from a Poisson population's


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a population has beside the formula and the random effects.

    Attributes
    ----------
    fields : ``sigma``, or ``family``.
    columns : name → one value a row, of variables that no term of the formula reads: trials, exposure.
    """

    fields: Mapping[str, Any]
    columns: Mapping[str, Any]


def outcome_like(fit: LinearMixedModel | GeneralizedLinearMixedModel, frame: pd.DataFrame) -> Outcome:
    """The outcome of a fitted model; `frame` has the rows that were fitted.

    Raises
    ------
    PopulationError
        If no population has such a response, or the model has weights, or an offset without a log link.
    """
    formula, offset = fit.design.formula, fit.design.offset
    if fit.design.weights is not None:
        raise PopulationError("from_fit cannot imitate a model with weights: fit it without.")
    if offset is not None and not _has_exposure(fit):
        raise PopulationError("from_fit cannot imitate a model with an offset: fit it without.")
    sides = quotient(formula) if isinstance(fit, GeneralizedLinearMixedModel) else None
    if not (formula.response if sides is None else sides[0]).isidentifier():
        raise PopulationError(
            f"from_fit needs a column as response, found {formula.response!r}: add it to the data under a name, and "
            "fit that."
        )
    if not isinstance(fit, GeneralizedLinearMixedModel):
        return Outcome({"sigma": fit.sigma}, {})
    return _generalized(fit, formula, frame)


def _has_exposure(fit: LinearMixedModel | GeneralizedLinearMixedModel) -> bool:
    """Whether a population of this kind may have an exposure, whose logarithm the offset then is."""
    return isinstance(fit, GeneralizedLinearMixedModel) and fit.link == "log" and fit.family in _COUNTED


def _generalized(fit: GeneralizedLinearMixedModel, formula: Formula, frame: pd.DataFrame) -> Outcome:
    family: dict[str, Any] = {"kind": fit.family, "link": fit.link}
    columns: dict[str, Any] = {}
    known = KINDS.get(fit.family)
    if known is None or fit.link not in known.links:
        raise PopulationError(
            f"from_fit cannot imitate a model of the family {fit.family!r} with the link {fit.link!r}, which no "
            "population has: fit another."
        )
    sides = quotient(formula)
    if fit.design.shares:
        raise PopulationError(
            f"from_fit cannot imitate shares: write {formula.response!r} as successes / trials, two columns."
        )
    if sides is not None and not sides[1].isdecimal():
        if not sides[1].isidentifier():
            raise PopulationError(
                f"from_fit needs a column as trials, found {sides[1]!r}: add it to the data under a name, and fit that."
            )
        columns[sides[1]] = fit.design.trials
    if fit.family == "negative-binomial":
        if not fit.tau <= _MOST_TAU:
            raise PopulationError(
                "from_fit cannot imitate a negative binomial whose tau is infinite: fit it with family='poisson'."
            )
        family["theta"] = fit.tau
    if fit.family == "gamma":
        family["cv"] = fit.sigma
    if fit.design.offset is not None:
        family["exposure"] = name = _free(_EXPOSURE, frame)
        columns[name] = np.exp(fit.design.offset)
    return Outcome({"family": family}, columns)


def _free(name: str, frame: pd.DataFrame) -> str:
    """A name that no column has."""
    while name in frame.columns:
        name += "_"
    return name
