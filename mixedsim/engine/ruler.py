"""Columns of a chunk in units that suit all chunks, whoever measures them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.columns import Columns, model_columns
from mixedsim.engine.cross_products import Column
from mixedsim.formula import Formula, unquote
from mixedsim.measurements import calculated, numbers_of
from mixedsim.scaling import ResponseScaling
from mixedsim.streams import Learned, predictors
from mixedsim.streams.kept import Kept

Floats = NDArray[np.float64]
Units = Mapping[tuple[str, bool], tuple[float, float]]  # (column, centred or not) -> what is subtracted, what divides


@dataclass(frozen=True, eq=False)
class Ruler:
    """The units in which every portion is measured.

    Attributes
    ----------
    units : for each column, by name and whether it may be centred, its centre and scale.
    response : centre and scale of the response.
    mix : p × p; what is done to the fixed columns after that, or None.
    """

    units: Units
    response: ResponseScaling
    mix: Floats | None = None

    def fixed(self, x: Columns) -> Floats:
        """What fixed columns in the units of the data are multiplied by: p × p."""
        matrix = self.term(x)
        return matrix if self.mix is None else matrix @ self.mix

    def term(self, columns: Columns) -> Floats:
        """What the columns of a term are multiplied by: q × q."""
        out = np.eye(len(columns.names))
        intercept = columns.names.index("Intercept") if "Intercept" in columns.names else None
        for j, name in enumerate(columns.names):
            if j != intercept:
                mean, scale = self.units[name, intercept is not None]
                out[j, j] = 1.0 / scale
                if intercept is not None:
                    out[intercept, j] = -mean / scale
        return out


@dataclass(frozen=True, eq=False)
class RowColumns:
    """The columns of some rows in the units of the data: response, fixed part, and effects by factor and term."""

    y: Floats
    x: Columns
    terms: tuple[tuple[Columns, ...], ...]
    predictors: Mapping[str, Any]


def row_columns(formula: Formula, learned: Learned, own: Kept) -> RowColumns:
    """The columns of complete rows."""
    ours = predictors(own.columns, formula)
    shared: dict[str, Floats] = {}
    terms = tuple(
        tuple(
            model_columns(term.effects, ours, learned.specs[term.effects], shared)
            for term in formula.terms
            if term.group == group
        )
        for group in formula.groups
    )
    x = model_columns(formula.fixed, ours, learned.specs[formula.fixed], shared)
    return RowColumns(_response(formula, own), x, terms, ours)


def _response(formula: Formula, own: Kept) -> Floats:
    name = unquote(formula.response)
    if name in own.columns:
        y = numbers_of(name, own.columns[name])
    else:
        y = calculated(formula.response, own.columns)
    return y if own.offset is None else y - own.offset


def cut(rows: RowColumns) -> Ruler:
    """A ruler for data of which these rows are some."""
    units: dict[tuple[str, bool], tuple[float, float]] = {}
    for columns in [rows.x, *(term for some in rows.terms for term in some)]:
        centre = "Intercept" in columns.names
        for name, column in zip(columns.names, columns.columns, strict=True):
            if not isinstance(column, float):
                units[name, centre] = _unit(column, centre)
    return Ruler(units, ResponseScaling(*_unit(rows.y, "Intercept" in rows.x.names)))


def _unit(column: Floats, centre: bool) -> tuple[float, float]:
    mean = float(column.mean()) if centre else 0.0
    shifted = column - mean
    scale = float(np.sqrt(np.dot(shifted, shifted) / len(column)))
    # what does not vary in the first rows may vary later on
    return mean, scale if scale > 1e-8 * abs(mean) else max(abs(mean), 1.0)


class Scaled:
    """Columns in the ruler's units, each made once, so that X and Z share what they share."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._known: dict[tuple[int, bool], Floats] = {}
        self._owners: list[Floats] = []  # ids are only unique while the arrays live

    def __call__(self, columns: Columns, j: int) -> Column:
        column, centre = columns.columns[j], "Intercept" in columns.names
        if isinstance(column, float):
            return column
        key = (id(column), centre)
        if key not in self._known:
            mean, scale = self._units[columns.names[j], centre]
            self._owners.append(column)
            scaled = column - mean
            scaled /= scale  # in place: fresh memory costs more than the arithmetic
            self._known[key] = scaled
        return self._known[key]


def mixed(columns: list[Column], mix: Floats, rows: int) -> list[Column]:
    """Fixed columns times a matrix."""
    matrix = np.empty((rows, len(columns)), order="F")
    for j, column in enumerate(columns):
        matrix[:, j] = column
    return list(np.asfortranarray(matrix @ mix).T)
