"""Which predictors can stand in one formula: none that is a linear function of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.listing import listed
from mixedsim.words.kinds import Column
from mixedsim.words.variance import Floats

_DEPENDENT = 1e-7  # what is left of a column of length 1 beside the others, if it is a linear function of them
_PARTS = ("_within", "_between", "_mean")


@dataclass(frozen=True)
class Chosen:
    """Predictors without linear dependence in the order of the table, and a sentence on each that was left out."""

    columns: list[Column]
    left_out: list[str]


def independent(able: Sequence[Column], fixed: Sequence[Column], used: Sequence[Column], most: int) -> Chosen:
    """The first predictors, at most so many, that have coefficients of their own beside each other.

    Of ``x = x_within + x_between`` the parts stay and the whole goes, since they say more; otherwise, what comes first
    in the table stays.

    Parameters
    ----------
    able : predictors in the order of the table.
    fixed : groups that are in the formula as fixed effects in any case.
    used : other columns of the formula, the outcome and groups: rows without them do not count.
    most : how many to choose.
    """
    known = np.logical_and.reduce([c.codes >= 0 for c in (*used, *fixed)])
    kept: list[Column] = []
    left_out = []
    for column in sorted(able, key=lambda c: _is_whole(c, able)):
        if len(kept) == most:
            break
        rows = known & (column.codes >= 0)
        others = [*fixed, *kept]
        if _full_rank([*others, column], rows):
            kept.append(column)
            known = rows
        else:
            left_out.append(_why(column, others, rows))
    return Chosen([c for c in able if c in kept], left_out)


def _is_whole(column: Column, columns: Sequence[Column]) -> bool:
    """Whether the table has the part of it within groups, and the part between them."""
    names = {c.name for c in columns}
    within, *between = (f"{column.name}{part}" in names for part in _PARTS)
    return within and any(between)


def _design(column: Column, rows: NDArray[np.bool_]) -> Floats:
    """The columns that it has in a model beside an intercept, centred, of length 1; zeros where nothing varies."""
    if column.numbers is not None and column.kind != "group":
        raw = column.numbers[rows][:, None]
    else:
        raw = (column.codes[rows][:, None] == np.arange(1, column.levels)).astype(np.float64)
    if not len(raw):
        return raw
    size = np.abs(raw).max(axis=0)
    centred = raw - raw.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    varies = length > 1e-12 * size  # the mean of a constant may miss it by its last digit
    return np.asarray(np.where(varies, centred / np.where(varies, length, 1.0), 0.0))


def _full_rank(columns: Sequence[Column], rows: NDArray[np.bool_]) -> bool:
    design = np.hstack([_design(c, rows) for c in columns])
    if design.shape[0] <= design.shape[1]:
        return False
    triangle = np.linalg.qr(design, mode="r")
    return bool(np.abs(np.diag(triangle)).min() > _DEPENDENT)


def _why(column: Column, others: Sequence[Column], rows: NDArray[np.bool_]) -> str:
    """Why it cannot stand beside the others."""
    said = f"{column.name} is left out of the formulas: "
    own = _design(column, rows)
    if not others or not _full_rank(others, rows) or not own.any():
        return f"{said}the rows in which nothing is missing do not tell it from the other predictors."
    parts = [_design(c, rows) for c in others]
    weights = np.linalg.lstsq(np.hstack(parts), own, rcond=None)[0]
    starts = np.cumsum([p.shape[1] for p in parts])[:-1]
    of = [c.name for c, w in zip(others, np.split(weights, starts), strict=True) if np.abs(w).max() > _DEPENDENT]
    it = "it" if len(of) == 1 else "them"
    return f"{said}it is a linear function of {listed(of)}, so beside {it} it has no coefficient of its own."
