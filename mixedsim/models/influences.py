"""What single rows and groups do to a fit, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Design
from mixedsim.engine import Objective, Problem, Profile
from mixedsim.errors import MixedsimError, nearest
from mixedsim.inference.glm_working import working_model
from mixedsim.inference.influence import Influence, level_influence, row_influence
from mixedsim.inference.whitened import Whitened, whitened
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.linear_estimates import LinearEstimates

Floats = NDArray[np.float64]
Estimates = LinearEstimates | GeneralizedEstimates


def standard_response(design: Design, problem: Problem) -> Floats:
    """The response less its offset in standardised units: n values."""
    y = design.y if design.offset is None else design.y - design.offset
    return np.asarray((y - problem.response.centre) / problem.response.scale)


@dataclass(frozen=True, eq=False)
class LinearParts:
    """The linear model in which influence is closed form: the fit, or the working model of a generalised one.

    Attributes
    ----------
    objective, at : criterion, and its profile at the estimated θ.
    rows : the rows, times the roots of their weights.
    sigma2 : residual variance.
    transform : p × p, standardised coefficients to those of the data, but for their common scale.
    """

    objective: Objective
    at: Profile
    rows: Whitened
    sigma2: float
    transform: Floats

    @classmethod
    def of(cls, fit: Estimates) -> LinearParts:
        """Those of a fitted model."""
        if isinstance(fit, GeneralizedEstimates):
            return cls(*working_model(fit.objective, fit.at), fit.problem.linear.fixed.transform)
        at = fit.optimum.profile
        y = standard_response(fit.design, fit.problem)
        rows = whitened(fit.rows, fit.objective, at, y)
        return cls(fit.objective, at, rows, at.sigma2, fit.problem.fixed.transform)

    def of_rows(self) -> Influence:
        """The `Influence` of every row."""
        return row_influence(self.objective, self.at, self.rows, self.sigma2)

    def of_levels(self, factor: int, alone: Influence) -> Influence:
        """The `Influence` of every level of a factor, beside that of its rows."""
        return level_influence(self.objective, self.at, self.rows, factor, self.sigma2, alone)

    def dfbetas(self, found: Influence) -> Floats:
        """Changes of the coefficients over their standard errors, in the columns of the data: k × p."""
        t = self.transform
        se = np.sqrt(np.einsum("ap,pq,aq->a", t, self.at.w_inverse, t) * self.sigma2)
        return np.asarray(found.change @ t.T / se)


def influence_table(fit: Estimates, group: str | None) -> pd.DataFrame:
    """The table behind ``fit.influence()``."""
    number = None if group is None else factor_number(fit, group)
    parts, design = LinearParts.of(fit), fit.design
    found = parts.of_rows()
    if number is None:
        out = pd.DataFrame(index=design.index)
    else:
        factor = design.factors[number]
        found = parts.of_levels(number, found)
        out = pd.DataFrame(index=pd.Index(factor.levels, name=group))
        out["rows"] = np.bincount(factor.codes, minlength=len(factor.levels))
    out["leverage"], out["leverage_fixed"], out["cook"] = found.leverage, found.leverage_fixed, found.cook
    changes = parts.dfbetas(found)
    for name, column in zip(fit.coefficient_names, changes.T, strict=True):
        out[f"dfbetas {name}"] = column
    out.attrs["sentence"] = _sentence(out, changes, fit.coefficient_names, "row" if group is None else group)
    return out


def factor_number(fit: Estimates, group: str) -> int:
    """Which grouping factor has this name; raises `MixedsimError` if none has."""
    names = list(fit.n_groups)
    if group not in names:
        raise MixedsimError(f"the model has no grouping factor {group!r}: {nearest(group, names)}")
    return names.index(group)


def _sentence(table: pd.DataFrame, changes: Floats, names: Sequence[str], what: str) -> str:
    known = table["cook"].notna().to_numpy()
    if not known.any() or not len(names):
        return "There are no coefficients that could change."
    k = int(np.flatnonzero(known)[np.argmax(table["cook"].to_numpy()[known])])
    j = int(np.argmax(np.abs(changes[k])))
    side = "lower" if changes[k, j] > 0 else "higher"
    alone = int((~known).sum())
    rest = f" {alone:,} cannot be left out at all: without them a coefficient is not known." if alone else ""
    return (
        f"Without {what} {table.index[k]} (Cook's distance {table['cook'].iloc[k]:.2g}, the largest of {len(table):,}) "
        f"{names[j]} would be {abs(changes[k, j]):.2g} standard errors {side}.{rest}"
    )
