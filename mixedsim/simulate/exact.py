"""Random numbers whose sample moments are exact, unit by unit: for data that show to all digits what they should."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.fields import FieldError, Path

Array = NDArray[np.float64]
Codes = NDArray[np.integer[Any]]

_ROUNDING = 1e-10  # what is left of a column that others determine, relative to what it was


def exact(values: Array, columns: Sequence[Array], units: Codes, field: Path) -> Array:
    """Values that have mean 0, variance 1 (with n − 1) and no correlation with any column, in every unit.

    They are what the regression of `values` on the columns leaves over in each unit, divided by its standard deviation:
    the Gram–Schmidt process in all units at once, and twice, because once leaves rounding errors behind (Giraud,
    Langou & Rozložník 2005, Computers & Mathematics with Applications 50:1069–1075).

    Parameters
    ----------
    values, columns : one number a row.
    units : the unit of every row, numbered from 0.
    field : what asks for it, for the error.

    Raises
    ------
    FieldError
        If a unit has so few rows that nothing is left.
    """
    size = np.bincount(units)
    directions: list[Array] = []
    for column in columns:
        centred = _without_means(column, units)
        rest = _left_over(centred, directions, units)
        real = _squares(rest, units) > _ROUNDING * _squares(centred, units)
        directions.append(np.where(real[units], rest, 0.0))
    made = _left_over(_without_means(values, units), directions, units)
    squares = _squares(made, units)
    if (squares[size > 0] <= _ROUNDING).any():
        problem = f"needs at least {len(columns) + 2} rows in every unit: with fewer, nothing is left to chance."
        raise FieldError(field, problem)
    with np.errstate(divide="ignore", invalid="ignore"):  # units without rows
        made *= np.sqrt((size - 1) / squares)[units]
    return made


def _left_over(values: Array, directions: Sequence[Array], units: Codes) -> Array:
    for _ in range(2):
        for direction in directions:
            squares = _squares(direction, units)
            along = np.bincount(units, weights=direction * values, minlength=len(squares))
            slopes = np.divide(along, squares, out=np.zeros_like(squares), where=squares > 0)
            values = values - slopes[units] * direction
        values = _without_means(values, units)
    return values


def _without_means(values: Array, units: Codes) -> Array:
    with np.errstate(invalid="ignore"):  # a unit that has no row has no mean either
        means = np.bincount(units, weights=values) / np.bincount(units)
    centred: Array = values - means[units]
    return centred


def _squares(values: Array, units: Codes) -> Array:
    return np.bincount(units, weights=values * values).astype(np.float64, copy=False)
