"""Rows to predict, coded as the fitted ones were, and their linear predictor: for linear and generalised models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mixedsim.columns import Columns, model_columns
from mixedsim.design import Design, GroupingFactor
from mixedsim.errors import DataError, MixedsimError, nearest
from mixedsim.levels import codes_in
from mixedsim.ranges import row_of
from mixedsim.reading import kind_of, read_column

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
RandomPart: TypeAlias = bool | str | Sequence[str]


@dataclass(frozen=True, eq=False)
class Target:
    """The rows to predict, coded as the fitted ones were (n rows).

    Attributes
    ----------
    x : the fixed-effect columns.
    z : for each factor its columns; none where nobody asks for them.
    codes : for each factor the level of every row; −1 where the level is missing, new, or the factor takes no part.
    new, missing : for each factor, rows whose level the model has not seen, and rows that have none.
    part : for each factor, whether it takes part.
    offset : n values or None.
    index : row labels.
    """

    x: Columns
    z: list[tuple[Floats | float, ...]]
    codes: list[Codes]
    new: list[NDArray[np.bool_]]
    missing: list[NDArray[np.bool_]]
    part: list[bool]
    offset: Floats | None
    index: pd.Index[Any]


def named(given: str | ArrayLike | None, asked: str | ArrayLike | None, new: Any) -> str | ArrayLike | None:
    """What is given for the new rows, or the name of the column that the fit used."""
    return asked if given is None and new is not None and isinstance(asked, str) else given


def taking_part(factors: Sequence[GroupingFactor], random: RandomPart) -> list[bool]:
    """For each factor, whether its effects enter."""
    if isinstance(random, bool | np.bool_):
        return [bool(random)] * len(factors)
    names = [factor.name for factor in factors]
    given: object = random
    if not isinstance(given, Iterable):
        known = ", ".join(map(repr, names))
        raise MixedsimError(f"random must be True, False or names of grouping factors ({known}), found {given!r}.")
    wanted = [random] if isinstance(random, str) else list(random)
    for name in wanted:
        if name not in names:
            raise MixedsimError(
                f"random names {name!r}, which is no grouping factor of this model: {nearest(str(name), names)}"
            )
    return [name in wanted for name in names]


def fitted_rows(design: Design, part: list[bool]) -> Target:
    """The rows that were fitted."""
    none = np.zeros(design.rows, dtype=bool)
    absent = np.full(design.rows, -1, dtype=np.intp)
    return Target(
        x=design.x,
        z=[tuple(c for term in factor.terms for c in term.columns.columns) for factor in design.factors],
        codes=[f.codes if taken else absent for f, taken in zip(design.factors, part, strict=True)],
        new=[none for _ in design.factors],
        missing=[none for _ in design.factors],
        part=part,
        offset=design.offset,
        index=design.index,
    )


def new_rows(
    design: Design,
    part: list[bool],
    needed: list[bool],
    frame: pd.DataFrame,
    allow_new: bool,
    offset: str | ArrayLike | None,
) -> Target:
    """The rows of a new table.

    Parameters
    ----------
    design : of the fit.
    part : for each factor, whether its effects enter.
    needed : for each factor, whether its columns are wanted.
    frame : the new rows.
    allow_new : whether they may have levels that the model has not seen.
    offset : a column of theirs, or one number a row.
    """
    none = np.zeros(len(frame), dtype=bool)
    absent = np.full(len(frame), -1, dtype=np.intp)
    z: list[tuple[Floats | float, ...]] = []
    codes: list[Codes] = []
    new: list[NDArray[np.bool_]] = []
    missing: list[NDArray[np.bool_]] = []
    for factor, taken, wanted in zip(design.factors, part, needed, strict=True):
        own = _levels_of(factor, frame, allow_new) if taken else (absent, none, none)
        terms = factor.terms if wanted else ()
        columns = [model_columns(t.term.effects, frame, t.columns.spec).columns for t in terms]
        z.append(tuple(column for some in columns for column in some))
        codes.append(own[0])
        new.append(own[1])
        missing.append(own[2])
    _check_kinds(design, frame)
    if design.offset is None and offset is not None:
        raise MixedsimError("the model was fitted without an offset, so new rows have none: leave offset out.")
    if design.offset is not None and offset is None:
        raise DataError(
            "the model was fitted with an offset, which new rows need too: pass offset=, a column of the new data or "
            "one number a row."
        )
    return Target(
        x=model_columns(design.formula.fixed, frame, design.x.spec),
        z=z,
        codes=codes,
        new=new,
        missing=missing,
        part=part,
        offset=None if offset is None else row_numbers("offset", offset, frame),
        index=frame.index,
    )


def _check_kinds(design: Design, frame: pd.DataFrame) -> None:
    """New predictors are finite, and dates only where the model was fitted to dates."""
    predictors = design.formula.predictors
    for name in sorted(predictors & design.kinds.keys() & set(frame.columns)):
        values = read_column(name, frame[name])
        found, old = kind_of(values), design.kinds[name]
        if found != old and "categories" not in (found, old):
            raise DataError(f"column {name!r} holds {found} where the model was fitted to {old}: convert the column.")
        if found == "numbers" and np.isinf(values).any():
            where = row_of(np.isinf(values), frame.index, values)
            raise DataError(f"column {name!r} holds infinite values: {where}; replace or remove them.")


def _levels_of(
    factor: GroupingFactor, frame: pd.DataFrame, allow_new: bool
) -> tuple[Codes, NDArray[np.bool_], NDArray[np.bool_]]:
    """Level numbers of new rows, which of them are new levels, and which are missing."""
    for name in factor.coding.names:
        if name not in frame.columns:
            raise DataError(
                f"predicting with random effects needs the column {name!r}, which the new data do not have: "
                f"{nearest(name, frame.columns)} Use random=False to predict for the population."
            )
    codes, missing = codes_in(factor.coding, frame, allow_new=allow_new)
    return codes, (codes < 0) & ~missing, missing


def row_numbers(what: str, given: str | ArrayLike, frame: pd.DataFrame) -> Floats:
    """One number for each new row, from a column's name or from values; NaN stays."""
    if isinstance(given, str):
        if given not in frame.columns:
            tail = nearest(given, frame.columns)
            raise DataError(f"{what} names a column {given!r}, which the new data do not have: {tail}")
        given = read_column(given, frame[given])
    values = np.asarray(given)
    if values.dtype.kind not in "iuf":
        raise DataError(f"{what} must be numbers, one a row of the new data, or the name of a numeric column.")
    if values.shape not in ((), (len(frame),)):
        raise DataError(f"{what} must have one value for each of the {len(frame)} new rows, found {values.size}.")
    return np.broadcast_to(values.astype(np.float64), len(frame))


def linear_predictor(target: Target, fixef: Floats, modes: Sequence[Floats]) -> Floats:
    """``Xβ + Zb + offset`` of every row: n values.

    Parameters
    ----------
    target : the rows.
    fixef : one number a column of X; of dropped columns zero.
    modes : J_f × q_f random effects for each factor.
    """
    eta = target.x.dot(fixef)
    if target.offset is not None:
        eta = eta + target.offset
    for columns, codes, missing, taken, b in zip(
        target.z, target.codes, target.missing, target.part, modes, strict=True
    ):
        if not taken:
            continue
        known = codes >= 0
        for k, column in enumerate(columns):
            eta = eta + np.where(known, b[codes, k], 0.0) * column
        eta = np.where(missing, np.nan, eta)
    return np.asarray(eta, dtype=np.float64)


def of_all_columns(design: Design, kept: Sequence[int], fixef: Floats) -> Floats:
    """Fixed effects of all columns: those that were dropped count as zero."""
    out = np.zeros(len(design.x.names))
    out[list(kept)] = fixef
    return out
