"""The response: fixed part, plus what varies by group, plus residuals.

y = Xβ + Σ_g Z_g b_g + ε, one column at a time into one array: X and Z never exist as matrices, because at a million
rows making them would cost more than drawing the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mixedsim.columns import model_columns
from mixedsim.errors import DataError
from mixedsim.simulate.covariance import Covariance
from mixedsim.simulate.expression import Values
from mixedsim.simulate.fields import FieldError
from mixedsim.simulate.layout import Layout
from mixedsim.simulate.plan import Plan
from mixedsim.simulate.streams import Streams

Array = NDArray[np.float64]


def draw_effects(
    plan: Plan, covariances: Mapping[str, Covariance], layout: Layout, streams: Streams
) -> dict[str, Array]:
    """The realised random effects of every grouping factor: units × effects, b = z T'.

    Every effect has its own stream of standard normals z, so that a slope that begins to vary, or a standard
    deviation that grows, leaves the other effects as they were.
    """
    factors = {term.group: term.factors for term in plan.terms}
    drawn = {}
    for group, effects in plan.effects.items():
        z = np.empty((len(effects.names), layout.grouping(factors[group]).units))
        for row, name in zip(z, effects.names, strict=True):
            streams.generator("ranef", group, name).standard_normal(out=row)
        drawn[group] = z.T @ covariances[group].factor().T
    return drawn


def draw_residuals(sigma: float, layout: Layout, streams: Streams) -> Array:
    """The residuals: one value a row."""
    return streams.generator("residual").normal(0.0, sigma, layout.rows)


def add_linear_predictor(
    total: Array,
    plan: Plan,
    fixef: Mapping[str, float],
    ranef: Mapping[str, Array],
    rows: Mapping[str, Values],
    layout: Layout,
) -> None:
    """Add Xβ + Σ Zb to `total`, in place.

    Parameters
    ----------
    ranef : for every grouping factor, units × effects.
    rows : every variable that the formula uses, one value a row.
    """
    fixed = _columns(plan.formula.fixed, rows, plan.coefficients)
    work = np.empty_like(total)
    for column, coefficient in zip(fixed, fixef.values(), strict=True):
        if coefficient != 0:
            total += column * coefficient if isinstance(column, float) else np.multiply(column, coefficient, out=work)
    for term in plan.terms:
        cells = layout.grouping(term.factors).cells
        for position, column in enumerate(_columns(term.rhs, rows, term.names)):
            varying = ranef[term.group][:, term.first + position]
            _add_by_cell(total, varying if cells is None else varying[cells], column, layout, work)


def _add_by_cell(total: Array, values: Array, column: Array | float, layout: Layout, work: Array) -> None:
    """Add one value a cell, times a column of the rows, to `total`; `work` is as long and may be overwritten.

    Equal cells are the rows of a rectangle, so that nothing needs to be repeated: new arrays of a million rows are
    what costs time here.
    """
    if not isinstance(layout.sizes, int):
        by_row = np.repeat(values, layout.sizes)
        total += by_row if isinstance(column, float) else np.multiply(by_row, column, out=by_row)
        return
    rectangle = (-1, layout.sizes)
    if not isinstance(column, float):
        np.multiply(column.reshape(rectangle), values[:, None], out=work.reshape(rectangle))
        total += work
    else:
        total.reshape(rectangle)[...] += values[:, None]


def _columns(rhs: str, rows: Mapping[str, Values], names: tuple[str, ...]) -> tuple[Array | float, ...]:
    """The columns of `rhs`, once it is sure that they are the ones the coefficients were given for."""
    try:
        columns = model_columns(rhs, rows)
    except DataError as error:
        raise FieldError(("formula",), f"does not work for these data: {error}") from None
    if columns.names != names:
        found = ", ".join(columns.names)
        raise FieldError(
            ("formula",), f"has other columns in these data, {found}, than its coefficients, {', '.join(names)}."
        )
    return columns.columns
