"""The true coefficients that somebody knows, by the names that a fitted model gives to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from mixedsim.errors import MixedsimError, nearest, shown
from mixedsim.formula import Formula
from mixedsim.simulate import Sample, Truth
from mixedsim.study.recover import truths_of
from mixedsim.study.true_values import parameter_key, truth_for

TrueCoefficients: TypeAlias = Truth | Sample | Mapping[str, float] | pd.Series
Numbers: TypeAlias = "pd.Series[float]"


def true_coefficients(truth: Any, names: list[str], formula: Formula | None) -> Numbers:
    """True values of the named coefficients; NaN where one is not known.

    Parameters
    ----------
    truth : a `Sample` or its truth, a mapping, or a Series; numbers by coefficient (``x:z`` and ``z:x`` are one).
    names : of the coefficients.
    formula : of the model, which says what they mean; a sample's truth needs it.

    Raises
    ------
    MixedsimError
        If it is something else, or a mapping names no coefficient of the model.
    """
    drawn = isinstance(truth, Sample | Truth)
    if drawn:
        assert formula is not None
        known = truth.truth if isinstance(truth, Sample) else truth
        found = truth_for(formula, known.population.plan.formula, truths_of(known))
        values: Mapping[str, float] = {name: value for (kind, _, name), value in found.items() if kind == "fixed"}
    elif isinstance(truth, Mapping | pd.Series):
        values = {str(name): value for name, value in truth.items()}
    else:
        raise MixedsimError(
            f"truth must be a Sample, its truth, or numbers by coefficient, found {type(truth).__name__}."
        )
    ours = {parameter_key(("fixed", "", name)): name for name in names}
    out = pd.Series(np.nan, index=names, dtype=float)
    for name, value in values.items():
        own = ours.get(parameter_key(("fixed", "", name)))
        if not isinstance(value, int | float | np.number):
            raise MixedsimError(f"truth must be numbers, found {shown(value)} for {name!r}.")
        if own is not None:
            out[own] = float(value)
        elif not drawn and name != "Intercept":
            raise MixedsimError(f"truth names {name!r}, which is no coefficient of the model: {nearest(name, names)}")
    return out
