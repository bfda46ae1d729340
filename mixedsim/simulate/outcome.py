"""The outcome: fixed part, plus what varies by group, plus residuals; or drawn around a mean that these two give.

η = Xβ + Σ_g Z_g b_g, one column at a time into one array: X and Z never exist as matrices, because at a million rows
making them would cost more than drawing the numbers. A gaussian outcome adds residuals, y = η + ε; any other one is
drawn around the mean that its link makes of η (`mixedsim.simulate.families`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mixedsim.columns import model_columns
from mixedsim.errors import DataError
from mixedsim.simulate.covariance import Covariance, covariances
from mixedsim.simulate.expression import Values
from mixedsim.simulate.families import Gaussian, family_of
from mixedsim.simulate.fields import FieldError, shown
from mixedsim.simulate.layout import Layout
from mixedsim.simulate.plan import Plan
from mixedsim.simulate.residuals import draw_residuals
from mixedsim.simulate.response import TRIALS, trials_in
from mixedsim.simulate.streams import Streams

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population

Array = NDArray[np.float64]
Rows = Mapping[str, Values]


def draw_outcome(population: Population, layout: Layout, streams: Streams, rows: Rows) -> dict[str, Values]:
    """The columns that stand left of ``~``, in the order in which the data show them.

    Parameters
    ----------
    rows : every variable, one value a row.

    Raises
    ------
    FieldError
        If the link makes a mean that the family cannot have, or a variable is no sd, no exposure or no trials.
    """
    family, response = family_of(population.family), population.plan.response
    if isinstance(family, Gaussian):
        return {response.name: _gaussian(family, population, layout, streams, rows)}
    predictor = linear_predictor(population, layout, streams, rows)
    trials = trials_in(response, rows.__getitem__)
    drawn = family.draw(predictor, streams.generator("outcome"), trials)
    column = {TRIALS: np.full(layout.rows, trials)} if isinstance(trials, int) else {}
    return {**column, response.name: drawn}


def linear_predictor(population: Population, layout: Layout, streams: Streams, rows: Rows) -> Array:
    """Xβ + Zb, and the logarithm of the exposure if there is one: one value a row."""
    exposure = getattr(family_of(population.family), "exposure", None)
    total = np.zeros(layout.rows) if exposure is None else log_exposure(exposure, rows[exposure])
    with np.errstate(over="ignore", invalid="ignore"):
        _add_systematic(total, population, layout, streams, rows)
        return _checked(total)


def residuals_of(population: Population, layout: Layout, streams: Streams, rows: Rows) -> Array:
    """The residuals of a gaussian outcome; `rows` is looked into only where they depend on variables."""
    assert population.sigma is not None
    return draw_residuals(population.sigma, population.residual, layout, streams, rows.__getitem__)


def _gaussian(family: Gaussian, population: Population, layout: Layout, streams: Streams, rows: Rows) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        total = residuals_of(population, layout, streams, rows)
        if family.link == "identity":  # into the one array there is
            _add_systematic(total, population, layout, streams, rows)
        else:
            total += family.mean(linear_predictor(population, layout, streams, rows))
        return _checked(total)


def _checked(total: Array) -> Array:
    """The same values, or `FieldError` if one is too large for a number; a sum shows it without a second array."""
    if not np.isfinite(total.sum()) and not np.isfinite(total).all():
        raise FieldError(("formula",), "makes values beyond 1e308 in this draw: choose smaller variables or effects.")
    return total


def _add_systematic(total: Array, population: Population, layout: Layout, streams: Streams, rows: Rows) -> None:
    effects = draw_effects(population.plan, covariances(population.ranef), layout, streams)
    add_linear_predictor(total, population.plan, population.fixef, effects, rows, layout)


def log_exposure(name: str, values: Values) -> Array:
    """The logarithm of an exposure, or `FieldError` if it is not positive."""
    exposure: Array = np.asarray(values, dtype=np.float64)
    if len(exposure) and not exposure.min() > 0:
        raise FieldError(("variables", name), f"is the exposure and must be positive, found {shown(exposure.min())}.")
    return np.log(exposure)


def draw_effects(
    plan: Plan, covariances: Mapping[str, Covariance], layout: Layout, streams: Streams
) -> dict[str, Array]:
    """The realised random effects of every grouping factor: units × effects, b = z T'.

    Every effect has its own stream of numbers z of mean 0 and variance 1, so that a slope that begins to vary, or a
    standard deviation that grows, leaves the other effects as they were.
    """
    factors = {term.group: term.factors for term in plan.terms}
    drawn = {}
    for group, effects in plan.effects.items():
        z = np.empty((len(effects.names), layout.grouping(factors[group]).units))
        for row, name in zip(z, effects.names, strict=True):
            row[:] = covariances[group].shape.standard(streams.generator("ranef", group, name), len(row))
        drawn[group] = z.T @ covariances[group].factor().T
    return drawn


def add_linear_predictor(
    total: Array,
    plan: Plan,
    fixef: Mapping[str, float],
    ranef: Mapping[str, Array],
    rows: Rows,
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
    for column, name in zip(fixed, plan.coefficients, strict=True):
        coefficient = fixef.get(name, 0.0)  # an ordinal outcome has no intercept
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


def _columns(rhs: str, rows: Rows, names: tuple[str, ...]) -> tuple[Array | float, ...]:
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
