"""What a fitted model says along one predictor: a line for the population, and one for every group.

The line of a group holds all other predictors at the group's own mean, or most frequent category, so that it runs
through its rows; that of the population holds them at those of all rows. Random effects of the chosen factor, and of
factors in whose levels its own lie, are in the lines of the groups; those of crossed factors are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.columns import Columns, model_columns
from mixedsim.design import Design, GroupingFactor, VaryingTerm
from mixedsim.errors import MixedsimError, nearest
from mixedsim.formula import variables_of
from mixedsim.models.comparable import MixedModel
from mixedsim.models.generalized_means import on_response
from mixedsim.models.linear import LinearMixedModel
from mixedsim.models.prediction_rows import Target, linear_predictor, of_all_columns
from mixedsim.models.predictors import check_told, factor_of, levels_of, position_of, predictors

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class FittedLines:
    """Lines of J groups and of the population, with K points each, on the scale of the response.

    Attributes
    ----------
    x, group : the predictor along which they run, and the grouping factor.
    categories : the K levels of a categorical `x`; None for numbers.
    levels : J labels.
    group_x, group_y : J × K; for a categorical `x` positions 0 … K − 1, and NaN where the group has no rows.
    x_all, y_all : K values of the population.
    held : value of every other predictor in the line of the population.
    offset : mean offset that is in the line of the population; None without one.
    columns : the fixed-effect columns of the population's K points.
    """

    x: str
    group: str
    categories: tuple[Any, ...] | None
    levels: pd.Index[Any]
    group_x: Floats
    group_y: Floats
    x_all: Floats
    y_all: Floats
    held: Mapping[str, Any]
    offset: float | None
    columns: Columns


def fitted_lines(
    fit: MixedModel, x: str, group: str, *, rows: NDArray[np.bool_] | None = None, points: int = 31
) -> FittedLines:
    """Return the lines of a fitted model along `x`.

    Parameters
    ----------
    fit : linear or generalised.
    x : a variable of the fixed part, or a number that varies by a factor.
    group : a grouping factor; groups without rows have no line.
    rows : which of the fitted rows count, n booleans; all if None. The line of a group spans its own values of `x`.
    points : K, for numbers.

    Raises
    ------
    MixedsimError
        If there is no such predictor or factor, or the predictor's column was dropped.

    Examples
    --------
    >>> import mixedsim as ms
    >>> from mixedsim.models.fitted_lines import fitted_lines
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> lines = fitted_lines(fit, "Days", "Subject", points=2)
    >>> lines.levels[0], lines.group_y[0].round(1).tolist()
    ('308', [253.7, 430.7])
    """
    design = fit.design
    known = predictors(design)
    if x not in known:
        raise MixedsimError(f"x must be a predictor of {fit.formula!r}, found {x!r}: {nearest(x, known)}")
    check_told(fit, x)
    own = factor_of(design, group)
    used = np.ones(design.rows, dtype=bool) if rows is None else rows
    values = levels_of(design, x)
    present, codes = np.unique(own.codes[used], return_inverse=True)
    along = _along(design, x, values, used, codes, len(present), points)
    everyone = np.zeros(len(codes), dtype=np.intp)
    whole = _along(design, x, values, used, everyone, 1, points)
    typical = {name: _typical(v[used], everyone, 1) for name, v in known.items() if name != x}
    return FittedLines(
        x=x,
        group=group,
        categories=None if values is None else tuple(values),
        levels=own.levels[present],
        group_x=_positions(along, values),
        group_y=np.where(_absent(design, x, values, used, codes, len(present)), np.nan,
                         _lines(fit, x, along, used, codes, own, present)),
        x_all=_positions(whole, values)[0],
        y_all=_lines(fit, x, whole, used, everyone, None, present)[0],
        held={name: one[0] for name, one in typical.items()},
        offset=None if design.offset is None else float(design.offset[used].mean()),
        columns=model_columns(design.formula.fixed, _frame(design, x, whole, used, everyone), design.x.spec),
    )  # fmt: skip


def true_line(fit: MixedModel, lines: FittedLines, coefficients: pd.Series[float]) -> Floats:
    """The line of the population with these coefficients in place of the estimates: K values.

    Raises
    ------
    MixedsimError
        If a coefficient that the line needs is not known (missing or NaN).
    """
    needed = [name for name, column in zip(lines.columns.names, lines.columns.columns, strict=True) if np.any(column)]
    unknown = [name for name in needed if np.isnan(coefficients.get(name, np.nan))]
    if unknown:
        raise MixedsimError(f"truth has no value for {unknown[0]!r}, without which there is no true line: name it too.")
    values = np.array([coefficients.get(name, 0.0) for name in lines.columns.names], dtype=np.float64)
    eta = lines.columns.dot(np.nan_to_num(values)) + (lines.offset or 0.0)
    return eta if isinstance(fit, LinearMixedModel) else on_response(fit, eta)


def _along(
    design: Design, x: str, values: list[Any] | None, used: NDArray[np.bool_], codes: Codes, groups: int, points: int
) -> Any:
    """The values of x on every line: groups × K; objects for categories."""
    if values is not None:
        return np.tile(np.array(values, dtype=object), (groups, 1))
    own = np.asarray(predictors(design)[x], dtype=np.float64)[used]
    low, high = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.minimum.at(low, codes, own)
    np.maximum.at(high, codes, own)
    return low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, points)


def _positions(along: Any, values: list[Any] | None) -> Floats:
    if values is None:
        return np.asarray(along, dtype=np.float64)
    return np.tile(np.arange(len(values), dtype=np.float64), (len(along), 1))


def _absent(
    design: Design, x: str, values: list[Any] | None, used: NDArray[np.bool_], codes: Codes, groups: int
) -> NDArray[np.bool_]:
    """Which categories no row of a group has: groups × K, or one False for numbers."""
    if values is None:
        return np.zeros((1, 1), dtype=bool)
    out = np.ones((groups, len(values)), dtype=bool)
    out[codes, position_of(design, x)[used]] = False
    return out


def _typical(values: Any, codes: Codes, groups: int) -> Any:
    """Means of numbers in every group, most frequent categories otherwise: one a group."""
    if not isinstance(values, pd.Categorical) and values.dtype != np.bool_:
        return np.bincount(codes, weights=np.asarray(values, dtype=np.float64)) / np.bincount(codes)
    known = values.categories if isinstance(values, pd.Categorical) else pd.Index([False, True])
    own = values.codes if isinstance(values, pd.Categorical) else values.astype(np.intp)
    count = np.zeros((groups, len(known)), dtype=np.intp)
    np.add.at(count, (codes, own), 1)
    return np.asarray(known)[count.argmax(axis=1)]


def _lines(
    fit: MixedModel,
    x: str,
    along: Any,
    used: NDArray[np.bool_],
    codes: Codes,
    own: GroupingFactor | None,
    present: Codes,
) -> Floats:
    """Means on the scale of the response: groups × K; without a factor, of the population."""
    design, shape = fit.design, along.shape
    frame = _frame(design, x, along, used, codes)
    fixed = model_columns(design.formula.fixed, frame, design.x.spec)
    offset = None
    if design.offset is not None:
        offset = np.repeat(_typical(design.offset[used], codes, shape[0]), shape[1])
    part = [own is not None and _lies_in(own, factor) for factor in design.factors]
    absent, none = np.full(along.size, -1, dtype=np.intp), np.zeros(along.size, dtype=bool)
    z: list[tuple[Floats | float, ...]] = []
    levels: list[Codes] = []
    for factor, taken in zip(design.factors, part, strict=True):
        z.append(_effects(factor, frame, used, codes, shape) if taken else ())
        levels.append(np.repeat(_code_of(own, factor)[present], shape[1]) if own is not None and taken else absent)
    target = Target(
        x=fixed,
        z=z,
        codes=levels,
        new=[none for _ in part],
        missing=[none for _ in part],
        part=part,
        offset=offset,
        index=frame.index,
    )
    kept = fit.problem.fixed.kept if isinstance(fit, LinearMixedModel) else fit.problem.linear.fixed.kept
    eta = linear_predictor(target, of_all_columns(design, kept, fit._fixef), fit._modes)
    mean = eta if isinstance(fit, LinearMixedModel) else on_response(fit, eta)
    return mean.reshape(shape)


def _frame(design: Design, x: str, along: Any, used: NDArray[np.bool_], codes: Codes) -> pd.DataFrame:
    """One row a point: x runs, everything else stays at what is typical of the group."""
    groups, points = along.shape
    frame = {
        name: np.repeat(_typical(values[used], codes, groups), points)
        for name, values in predictors(design).items()
        if name != x
    }
    run = along.ravel()
    own = predictors(design)[x]
    if not isinstance(own, pd.Categorical):
        run = run.astype(own.dtype if own.dtype == np.bool_ else np.float64)
    return pd.DataFrame({**frame, x: run})


def _effects(
    factor: GroupingFactor, frame: pd.DataFrame, used: NDArray[np.bool_], codes: Codes, shape: tuple[int, int]
) -> tuple[Floats | float, ...]:
    """The columns that vary by a factor; what is made of other variables than the fixed part's stays at its mean."""
    return tuple(column for term in factor.terms for column in _of_term(term, frame, used, codes, shape).columns)


def _of_term(
    term: VaryingTerm, frame: pd.DataFrame, used: NDArray[np.bool_], codes: Codes, shape: tuple[int, int]
) -> Columns:
    spec = term.columns.spec
    if variables_of(spec.rhs) <= set(frame.columns):
        return model_columns(spec.rhs, frame, spec)
    own = tuple(
        np.repeat(_typical(np.broadcast_to(column, len(used))[used], codes, shape[0]), shape[1])
        for column in term.columns.columns
    )
    return Columns(term.columns.names, own, len(frame), term.columns.terms, spec)


def _lies_in(inner: GroupingFactor, outer: GroupingFactor) -> bool:
    """Whether every level of one factor lies within a single level of the other, or the two are one."""
    return bool((_code_of(inner, outer)[inner.codes] == outer.codes).all())


def _code_of(inner: GroupingFactor, outer: GroupingFactor) -> Codes:
    """For every level of one factor the level of the other that its first row has."""
    out = np.zeros(len(inner.levels), dtype=np.intp)
    out[inner.codes[::-1]] = outer.codes[::-1]
    return out
