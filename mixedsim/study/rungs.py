"""The rungs of a ladder: analyses of the same rows, each with what it assumes and what it cannot tell.

The last one, within-between, is in `mixedsim.study.splitting`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Design
from mixedsim.errors import DataError
from mixedsim.formula import fixed_terms, written
from mixedsim.frame import as_frame
from mixedsim.listing import counted, listed
from mixedsim.models import LinearMixedModel, lmer
from mixedsim.study.ordinary import DEPENDENT, LeastSquares, least_squares
from mixedsim.words.variance import deviations

Floats = NDArray[np.float64]
COLUMNS = ("estimate", "se", "df", "lower", "upper", "p")


@dataclass(frozen=True, eq=False)
class Rung:
    """One analysis.

    Attributes
    ----------
    name : ``"OLS"``, ``"group means"``, …
    table : index: coefficient; columns: estimate, se, df, lower, upper, p. NaN where the analysis cannot tell.
    fit : the fitted model; None where there is none.
    notes : what it assumes and what it lost, in sentences.
    """

    name: str
    table: pd.DataFrame
    fit: LeastSquares | LinearMixedModel | None
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Ground:
    """What all rungs stand on: n rows, p columns of the fixed part that do not depend on each other, J groups.

    Attributes
    ----------
    formula : without a random term.
    design : of the model with varying intercepts.
    names, terms : of the p columns, the intercept first.
    x, within : n × p columns, and the same taken from the means of their groups.
    asked : the coefficients to be compared.
    level : of the intervals.
    frame : the rows used, with all columns that were given.
    """

    formula: str
    design: Design
    names: tuple[str, ...]
    terms: tuple[str, ...]
    x: Floats
    within: Floats
    asked: tuple[str, ...]
    level: float
    frame: pd.DataFrame = field(repr=False)

    @classmethod
    def of(cls, fit: LinearMixedModel, formula: str, data: Any, level: float) -> Ground:
        """The ground under a fitted model with varying intercepts."""
        design, kept = fit.design, fit.problem.fixed.kept
        x = design.x.matrix()[:, list(kept)]
        codes = design.factors[0].codes
        names = tuple(design.x.names[j] for j in kept)
        return cls(
            formula=formula,
            design=design,
            names=names,
            terms=tuple(design.x.terms[j] for j in kept),
            x=x,
            within=np.column_stack([deviations(x[:, j], codes) for j in range(x.shape[1])]),
            asked=tuple(name for name in names if name != "Intercept") or ("Intercept",),
            level=level,
            frame=as_frame(data).iloc[design.used],
        )

    @property
    def group(self) -> str:
        """Name of the grouping factor."""
        return self.design.factors[0].name

    @property
    def groups(self) -> int:
        """J."""
        return len(self.design.factors[0].levels)

    def bar(self, effects: str) -> str:
        """The random term in which these effects vary."""
        return replace(self.design.formula.terms[0], effects=effects).text

    @property
    def varies(self) -> NDArray[np.bool_]:
        """Which of the p columns take several values in one group."""
        return np.asarray(np.linalg.norm(self.within, axis=0) > DEPENDENT * np.linalg.norm(self.x, axis=0))

    def means(self, values: Floats, within: Floats) -> Floats:
        """Group means, J values or J × p, of what has these deviations from them."""
        codes = self.design.factors[0].codes
        out = np.empty((self.groups, *values.shape[1:]))
        out[codes] = values - within
        return out

    def table(self, found: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
        """The rows of a table of t tests that were asked for, NaN where it has none."""
        return found.reindex(index=pd.Index(names, name="coefficient"), columns=list(COLUMNS))

    def nothing(self) -> pd.DataFrame:
        """The table of a rung without a fit."""
        return pd.DataFrame(np.nan, index=pd.Index(self.asked, name="coefficient"), columns=list(COLUMNS))

    def fitted(self, formula: str, frame: pd.DataFrame | None = None) -> LinearMixedModel | str:
        """The mixed model, or why these data cannot carry it."""
        try:
            return lmer(formula, self.frame if frame is None else frame)
        except DataError as error:
            return str(error)


def ols(ground: Ground) -> Rung:
    """All rows, as if each were alone in the world."""
    fit = least_squares(ground.names, ground.x, ground.design.y)
    said = (
        f"takes all {fit.rows:,} rows for independent, and differences between levels of {ground.group!r} for "
        "differences like any others."
    )
    return Rung("OLS", ground.table(fit.coefficients(ground.level), ground.asked), fit, (said,))


def group_means(ground: Ground) -> Rung:
    """One row a group: the means of response and columns, each with the same weight."""
    y = ground.design.y
    fit = least_squares(
        ground.names,
        ground.means(ground.x, ground.within),
        ground.means(y, deviations(y, ground.design.factors[0].codes)),
    )
    said = [f"has {fit.rows:,} rows in place of {len(y):,}: differences within {ground.group!r} are gone."]
    lost = [name for name in ground.asked if np.isnan(fit.estimate[fit.names.index(name)])]
    if lost:
        said.append(f"cannot tell {listed(lost)}: the means of one say what the others do, or do not differ at all.")
    if fit.df < 1:
        said.append(f"has no degrees of freedom left: {counted(fit.rows, 'mean')} for {len(fit.names)} coefficients.")
    return Rung("group means", ground.table(fit.coefficients(ground.level), ground.asked), fit, tuple(said))


def dummies(ground: Ground) -> Rung:
    """An indicator for every group, which is the same as taking out the group means; see `ordinary`."""
    codes = ground.design.factors[0].codes
    use = [j for j, (name, varies) in enumerate(zip(ground.names, ground.varies, strict=True)) if varies]
    names = [ground.names[j] for j in use]
    fit = least_squares(names, ground.within[:, use], deviations(ground.design.y, codes), spent=ground.groups)
    said = [
        f"gives each of {ground.groups:,} levels of {ground.group!r} an intercept of its own: whatever their rows "
        "share, measured or not, is taken out."
    ]
    constant = [name for name in ground.asked if name not in names]
    if constant:
        does = "does" if len(constant) == 1 else "do"
        said.append(f"cannot tell {listed(constant)}, which {does} not vary within any level: the dummies take it all.")
    lost = [name for name, value in zip(names, fit.estimate, strict=True) if np.isnan(value)]
    if lost:
        said.append(f"cannot tell {listed(lost)} apart: within levels the one says what the others do.")
    alone = int((np.bincount(codes) == 1).sum())
    if alone:
        said.append(f"learns nothing from {counted(alone, 'level')} with a single row.")
    return Rung("dummies", ground.table(fit.coefficients(ground.level), ground.asked), fit, tuple(said))


def varying_intercepts(ground: Ground, fit: LinearMixedModel) -> Rung:
    """Intercepts from one normal distribution."""
    said = (
        f"assumes that what levels of {ground.group!r} have of their own has nothing to do with the predictors, and "
        "so may average what lies within and between them."
    )
    return _mixed("varying intercepts", ground, fit, (said,))


def varying_slopes(ground: Ground, effects: str | None) -> Rung:
    """Slopes that vary too: `effects` as they are typed, or the first predictor that varies within groups."""
    name = "varying slopes"
    chosen = _first_within(ground) if effects is None else effects
    if chosen is None:
        why = f"does not exist: no predictor varies within {ground.group!r}, so that its slope could."
        return Rung(name, ground.nothing(), None, (why,))
    formula = f"{ground.formula} + {ground.bar(chosen)}"
    fit = lmer(formula, ground.frame) if effects is not None else ground.fitted(formula)
    if isinstance(fit, str):
        return Rung(name, ground.nothing(), None, (f"cannot be fitted: {fit}",))
    sds = fit.varcorr[fit.varcorr["term2"].isna() & (fit.varcorr["term1"] != "Intercept")]
    slopes = [f"{term} (sd {sd:.3g})" for term, sd in zip(sds["term1"], sds["sd_or_corr"], strict=True)]
    said = (
        f"lets the slope of {listed(slopes)} differ by {ground.group!r}, and its standard error says how well the "
        "mean slope of all levels is known, not only of these."
    )
    return _mixed(name, ground, fit, (said,))


def _first_within(ground: Ground) -> str | None:
    """The first main effect that varies within groups, with the intercept beside it."""
    inside = {term for term, varies in zip(ground.terms, ground.varies, strict=True) if varies}
    for term in fixed_terms(ground.design.formula.fixed):
        if str(term) in inside and len(term.factors) == 1:
            return f"1 + {written([term]).removeprefix('0 + ')}"
    return None


def _mixed(name: str, ground: Ground, fit: LinearMixedModel, said: Sequence[str]) -> Rung:
    table = ground.table(fit.coefficients(level=ground.level), ground.asked)
    return Rung(name, table, fit, with_messages(fit, said))


def with_messages(fit: LinearMixedModel, said: Sequence[str]) -> tuple[str, ...]:
    """What is always to be said, and what this fit says: not what was done to the data, which all rungs share."""
    return (*said, *(message for message in fit.messages if message not in fit.design.messages))
