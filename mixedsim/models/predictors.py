"""The rows of a fit as pictures need them: predictors, their levels, groups, and what was observed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Design, GroupingFactor
from mixedsim.errors import MixedsimError, nearest
from mixedsim.formula import variables_of
from mixedsim.models.comparable import MixedModel
from mixedsim.models.linear import LinearMixedModel
from mixedsim.models.mean_rows import reference_grid

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


def predictors(design: Design) -> dict[str, Any]:
    """Variables of the fixed part, then numbers that stand in random terms alone: n values each."""
    out = dict(design.variables)
    for factor in design.factors:
        for term in factor.terms:
            for name, column in zip(term.columns.names, term.columns.columns, strict=True):
                if name not in out and name in variables_of(term.columns.spec.rhs):
                    out[name] = np.broadcast_to(np.asarray(column, dtype=np.float64), design.rows)
    return out


def check_told(fit: MixedModel, x: str) -> None:
    """Raise `MixedsimError` if all columns that `x` makes were dropped from the fit."""
    design = fit.design
    linear = fit.problem if isinstance(fit, LinearMixedModel) else fit.problem.linear
    mine = [j for j, term in enumerate(design.x.terms) if x in variables_of(term)]
    varying = any(x in variables_of(term.columns.spec.rhs) for factor in design.factors for term in factor.terms)
    if mine and not varying and not set(mine) & set(linear.fixed.kept):
        raise MixedsimError(
            f"{x!r} has no coefficient in this fit, because its column depends on others: choose another predictor."
        )


def factor_of(design: Design, group: str) -> GroupingFactor:
    """The grouping factor of this name; `MixedsimError` if there is none."""
    for factor in design.factors:
        if factor.name == group:
            return factor
    raise MixedsimError(
        f"the model has no grouping factor {group!r}: {nearest(group, [f.name for f in design.factors])}"
    )


def observed(fit: MixedModel) -> Floats:
    """The response of every fitted row: n numbers; shares of successes where there are trials."""
    design = fit.design
    return design.y if design.trials is None else design.y / design.trials


def is_category(design: Design, name: str) -> bool:
    """Whether a variable of the fixed part is one of categories, numbers made a factor included."""
    return levels_of(design, name) is not None


def is_date(design: Design, name: str) -> bool:
    """Whether a predictor was given as dates, which enter as days since 1970."""
    return design.kinds.get(name) == "dates"


def levels_of(design: Design, x: str) -> list[Any] | None:
    """The levels of a categorical predictor; None for numbers."""
    if x not in design.variables:
        return None
    levels = reference_grid(design, {})[x]
    own = design.variables[x]
    return levels if len(levels) > 1 or isinstance(own, pd.Categorical) or own.dtype == np.bool_ else None


def position_of(design: Design, x: str) -> Codes:
    """The place of every row's category among the levels of `x`: n integers."""
    return np.asarray(pd.Index(levels_of(design, x) or []).get_indexer(pd.Index(np.asarray(design.variables[x]))))
