"""Means of rows, with or without what is known about their groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.columns import model_columns
from mixedsim.design import Design, GroupingFactor, as_frame
from mixedsim.errors import DataError, nearest

Floats = NDArray[np.float64]


def fitted(design: Design, fixef: Floats, modes: Sequence[Floats], random: bool) -> pd.Series[float]:
    """Means of the rows that were fitted; the offset is part of them."""
    eta = design.x.dot(fixef)
    if design.offset is not None:
        eta = eta + design.offset
    if random:
        for factor, b in zip(design.factors, modes, strict=True):
            columns = [c for term in factor.terms for c in term.columns.columns]
            for k, column in enumerate(columns):
                eta = eta + b[factor.codes, k] * column
    return pd.Series(eta, index=design.index, name="fitted")


def predicted(
    design: Design, fixef: Floats, modes: Sequence[Floats], new: Any, random: bool
) -> pd.Series[float]:
    """Means of new rows, coded as the fitted ones were; a missing value gives a missing mean."""
    frame = as_frame(new)
    eta = model_columns(design.formula.fixed, frame, design.x.spec).dot(fixef)
    if random:
        for factor, b in zip(design.factors, modes, strict=True):
            codes = _known_codes(factor, frame)
            columns = [
                column
                for term in factor.terms
                for column in model_columns(term.term.effects, frame, term.columns.spec).columns
            ]
            for k, column in enumerate(columns):
                eta = eta + b[codes, k] * column
    return pd.Series(eta, index=frame.index, name="predicted")


def _known_codes(factor: GroupingFactor, frame: pd.DataFrame) -> NDArray[np.intp]:
    """Level numbers of new rows; a level that the model has not seen raises."""
    names = factor.terms[0].term.factors
    for name in names:
        if name not in frame.columns:
            raise DataError(
                f"predicting with random effects needs the column {name!r}, which the new data do not have: "
                f"{nearest(name, frame.columns)} Use random=False to predict for the population."
            )
    if len(names) == 1:
        labels = pd.Index(np.asarray(frame[names[0]], dtype=object))
        known = pd.Index(np.asarray(factor.levels, dtype=object))
    else:
        parts = [frame[name].astype(str) for name in names]
        labels = pd.Index([":".join(row) for row in zip(*parts, strict=True)], dtype=object)
        known = pd.Index(np.asarray(factor.levels, dtype=object))
    codes = known.get_indexer(labels)
    if (codes < 0).any():
        unseen = list(dict.fromkeys(labels[codes < 0]))
        shown = ", ".join(repr(level) for level in unseen[:5])
        raise DataError(
            f"{factor.name!r} has levels that the model was not fitted on: {shown}"
            f"{', …' if len(unseen) > 5 else ''}; use random=False to predict the population mean for them."
        )
    return np.asarray(codes, dtype=np.intp)
