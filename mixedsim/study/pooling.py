"""One formula, pooled three ways: all groups alike, every group alone, and the mixed models in between."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Design
from mixedsim.errors import FormulaError, nearest
from mixedsim.formula import Formula, fixed_terms, parse
from mixedsim.frame import as_frame
from mixedsim.listing import listed
from mixedsim.models import LinearMixedModel, lmer
from mixedsim.study.least_squares import fit_groups

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pooling:
    """Coefficients of every group under complete, no and partial pooling (J groups, p coefficients).

    Attributes
    ----------
    complete : J × p DataFrame, one regression for all rows, repeated for every group.
    no_pooling : J × p, a regression of its own for every group; NaN where a group's rows do not determine it.
    intercepts : J × p, the mixed model in which only the intercept varies.
    partial : J × p, the mixed model in which all effects of `varying` vary.
    fit, intercept_fit : those two mixed models.
    sizes : J row counts.
    formula, group, varying : what was asked for.
    messages : what a reader should know, in sentences.
    data : the rows used, with all columns that were given.
    """

    complete: pd.DataFrame
    no_pooling: pd.DataFrame
    intercepts: pd.DataFrame
    partial: pd.DataFrame
    fit: LinearMixedModel = field(repr=False)
    intercept_fit: LinearMixedModel = field(repr=False)
    sizes: pd.Series[int]
    formula: str
    group: str
    varying: str
    messages: tuple[str, ...]
    data: pd.DataFrame = field(repr=False)

    @property
    def incomplete(self) -> tuple[Any, ...]:
        """Groups whose rows do not determine coefficients of their own."""
        return tuple(self.no_pooling.index[self.no_pooling.isna().all(axis=1)])

    def summary(self) -> pd.DataFrame:
        """For every coefficient its value when all is pooled, and its standard deviation over groups when it is not.

        Columns: complete, mixed (the fixed effect of `fit`), sd_none, sd_intercepts, sd_partial.
        """
        names = self.complete.columns
        return pd.DataFrame(
            {
                "complete": self.complete.iloc[0],
                "mixed": self.fit.fixef.reindex(names),
                "sd_none": _spread(self.no_pooling),
                "sd_intercepts": _spread(self.intercepts.reindex(columns=names)),
                "sd_partial": _spread(self.partial),
            }
        ).rename_axis("coefficient")

    def __str__(self) -> str:
        notes = "".join(f"\nNote: {message}" for message in self.messages)
        return f"{self._title()}\n\n{self.summary().rename_axis(None).to_string(float_format='{:.4g}'.format)}\n{notes}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        table = self.summary().rename_axis(None).to_html(border=0, float_format="{:.4g}".format)
        notes = "".join(f"<p><em>{html.escape(message)}</em></p>" for message in self.messages)
        title = html.escape(self._title())
        return f'<div class="mixedsim-pooling"><p><strong>{title}</strong></p>{table}{notes}</div>'

    def _title(self) -> str:
        low, high = int(self.sizes.min()), int(self.sizes.max())
        rows = f"{low}" if low == high else f"{low} to {high}"
        return f"Pooling of {self.formula.strip()} by {self.group}: {len(self.sizes)} groups of {rows} rows"


def pooling(formula: str, data: Any, group: str, *, varying: str | None = None, reml: bool = True) -> Pooling:
    """Return the coefficients of every group under complete, no and partial pooling.

    Parameters
    ----------
    formula : response and predictors without a random term, such as ``"Reaction ~ Days"``.
    data : a DataFrame with one row an observation, or anything that becomes one.
    group : the grouping factor, a column or a combination ``"a:b"``.
    varying : which effects differ between groups, as a right-hand side of the same predictors (``"1 + IQ"``); all of
        them if None. The others have one coefficient for all groups, also without pooling.
    reml : how the mixed models are fitted.

    Raises
    ------
    FormulaError, DataError
        If the formula has a random term or no predictor at all, or `varying` an effect that the formula has not.

    Examples
    --------
    >>> import mixedsim as ms
    >>> pooled = ms.pooling("Reaction ~ Days", ms.datasets.load("sleepstudy"), group="Subject")
    >>> [float(table.loc["335", "Days"].round(1)) for table in (pooled.complete, pooled.no_pooling, pooled.partial)]
    [10.5, -2.9, -0.3]
    """
    given = parse(formula)
    _check(given, formula, group)
    effects = given.fixed if varying is None else varying
    fit = lmer(f"{formula} + ({effects} | {group})", data, reml=reml)
    intercept_fit = lmer(f"{formula} + (1 | {group})", data, reml=reml)
    design, factor = fit.design, fit.design.factors[0]
    for name in factor.effects:
        if name not in design.x.names:
            raise FormulaError(f"{name!r} varies but is no effect of {formula!r}: {nearest(name, design.x.names)}")
    names = list(fit.coefficient_names)
    own = [name for name in names if name in factor.effects]
    levels = pd.Index(factor.levels, name=factor.name)
    everyone = _ordinary(design, names, own=names, codes=np.zeros_like(factor.codes), groups=1)
    alone = _ordinary(design, names, own=own, codes=factor.codes, groups=len(levels))
    return Pooling(
        complete=pd.DataFrame(np.repeat(everyone.table, len(levels), axis=0), index=levels, columns=names),
        no_pooling=pd.DataFrame(alone.table, index=levels, columns=names),
        intercepts=intercept_fit.coef[factor.name],
        partial=fit.coef[factor.name].reindex(columns=names),
        fit=fit,
        intercept_fit=intercept_fit,
        sizes=pd.Series(np.bincount(factor.codes, minlength=len(levels)), index=levels, name="rows"),
        formula=formula,
        group=factor.name,
        varying=effects,
        messages=_messages(fit, intercept_fit, alone, levels),
        data=as_frame(data).iloc[design.used],
    )


@dataclass(frozen=True, eq=False)
class _Ordinary:
    """Least-squares coefficients of J groups: a J × p table, and which of its columns and rows are missing."""

    table: Floats
    absorbed: tuple[str, ...]
    unknown: tuple[str, ...]
    undetermined: NDArray[np.bool_]


def _spread(table: pd.DataFrame) -> pd.Series[float]:
    """Standard deviations over groups; a column that differs by rounding alone has none."""
    sd = table.std()
    return sd.mask(sd < 1e-12 * table.abs().max(), 0.0)


def _ordinary(
    design: Design, names: list[str], *, own: list[str], codes: NDArray[np.intp], groups: int
) -> _Ordinary:
    """Ordinary least squares with coefficients of their own for every group in `own`, shared ones for the rest.

    Columns are centred first where each group has an intercept of its own to take the shift, so that a predictor far
    from zero loses no digits.
    """
    common = [name for name in names if name not in own]
    x = {name: np.broadcast_to(c, design.rows) for name, c in zip(design.x.names, design.x.columns, strict=True)}
    y = design.y
    shift = dict.fromkeys(names, 0.0)
    centre = 0.0
    if "Intercept" in own:
        shift |= {name: float(x[name].mean()) for name in names if name != "Intercept"}
        centre = float(y.mean())
    fits = fit_groups(
        _stacked([x[name] - shift[name] for name in own], design.rows),
        _stacked([x[name] - shift[name] for name in common], design.rows),
        y - centre,
        codes,
        groups,
    )
    table = np.full((groups, len(names)), np.nan)
    table[:, [names.index(name) for name in own]] = fits.own
    table[:, [names.index(name) for name in common]] = np.where(fits.undetermined[:, None], np.nan, fits.common)
    if "Intercept" in own:
        means = np.array([shift[name] for name in names])
        table[:, names.index("Intercept")] += centre - np.nansum(table * means, axis=1)
    absorbed = tuple(name for name, gone in zip(own, fits.absorbed, strict=True) if gone)
    unknown = tuple(name for name, value in zip(common, fits.common, strict=True) if np.isnan(value))
    return _Ordinary(table, absorbed, unknown, fits.undetermined)


def _stacked(columns: list[Floats], rows: int) -> Floats:
    return np.column_stack(columns) if columns else np.empty((rows, 0))


def _check(given: Formula, formula: str, group: str) -> None:
    """Raise `FormulaError` if formula or group is none for `pooling`."""
    if given.terms:
        raise FormulaError(
            f"pooling takes {formula!r} without its random term {given.terms[0].text}: "
            "say which groups by group=, and which effects vary by varying=."
        )
    if not fixed_terms(given.fixed):
        raise FormulaError(f"the formula {formula!r} has no effect that could be pooled: write y ~ 1 or y ~ x.")
    found = parse(f"{formula} + (1 | {group})").groups
    if len(found) > 1:
        raise FormulaError(f"pooling compares the groups of one factor, found {group!r}: choose {' or '.join(found)}.")


def _messages(
    fit: LinearMixedModel, intercept_fit: LinearMixedModel, alone: _Ordinary, levels: pd.Index[Any]
) -> tuple[str, ...]:
    """What the mixed models say, and why coefficients without pooling are missing."""
    said = list(fit.messages)
    said += [f"with varying intercepts alone: {message}" for message in intercept_fit.messages if message not in said]
    gone = (*alone.absorbed, *alone.unknown)
    if gone:
        what = "it has no coefficient" if len(gone) == 1 else "they have no coefficients"
        said.append(
            f"without pooling, {listed(map(repr, gone))} cannot be told from what each level of {levels.name!r} has of "
            f"its own: {what} there (NaN)."
        )
    few = [str(level) for level in levels[alone.undetermined]]
    if few:
        whose = "has no coefficients (NaN): its" if len(few) == 1 else "have no coefficients (NaN): their"
        which = f"{listed(few)} ({len(few)} of {len(levels)} levels of {levels.name!r})"
        said.append(f"without pooling, {which} {whose} rows do not determine them.")
    return tuple(said)
