"""The rows with what the model makes of them: returned, or written chunk by chunk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.engine.streamed import StreamedDesign
from mixedsim.errors import DataError, MixedsimError, nearest
from mixedsim.formula import unquote, variables_of
from mixedsim.frame import as_frame
from mixedsim.measurements import calculated, numbers_of
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.prediction import predict
from mixedsim.models.prediction_rows import RandomPart
from mixedsim.reading import gaps_in, read_column
from mixedsim.streams import Chunk, Source, as_source
from mixedsim.streams.writing import check_target, write_frames

Floats = NDArray[np.float64]
_ADDED: Final = ("fitted", "residual")


@dataclass(frozen=True, eq=False)
class _Maker:
    """What is made of some rows: their columns, the fitted mean, and the residual where the response is known."""

    fit: LinearEstimates
    names: tuple[str, ...]
    random: RandomPart
    allow_new_levels: bool
    with_residual: bool

    def __call__(self, frame: pd.DataFrame) -> pd.DataFrame:
        fitted = predict(
            self.fit, frame, random=self.random, allow_new_levels=self.allow_new_levels, interval=None, level=0.95,
            offset=None, weights=None,
        )  # fmt: skip
        out = frame[list(self.names)].assign(fitted=np.asarray(fitted))
        if self.with_residual:
            out["residual"] = _response(self.fit, frame) - out["fitted"]
        return out


def augment(
    fit: LinearEstimates,
    new: Any,
    to: str | os.PathLike[str] | None,
    keep: Sequence[str],
    random: RandomPart,
    allow_new_levels: bool,
    force: bool,
) -> pd.DataFrame | None:
    """The table behind `LinearMixedModel.augment`."""
    source = _source(fit, new)
    if to is not None:
        check_target(os.fspath(to), force=force)
    if source is None:
        frame = as_frame(fit.request.data if new is None else new)
        made = _maker(fit, tuple(map(str, frame.columns)), keep, random, allow_new_levels)(frame)
        if to is None:
            return made
        write_frames([made], os.fspath(to), force=force)
    elif to is None:
        raise MixedsimError(
            f"the rows of {source.name} are read in chunks, so what the model makes of them goes to a file: name one, "
            "as in augment(to='fitted.parquet')."
        )
    else:
        maker = _maker(fit, source.columns, keep, random, allow_new_levels)
        read = [*maker.names, *(one for one in (fit.request.offset,) if isinstance(one, str))]
        made_of = (maker(_frame(chunk)) for chunk in source.chunks(list(dict.fromkeys(read))))
        write_frames(made_of, os.fspath(to), force=force)
    return None


def _source(fit: LinearEstimates, new: Any) -> Source | None:
    if new is None:
        return fit.design.source if isinstance(fit.design, StreamedDesign) else None
    return as_source(new)


def _maker(
    fit: LinearEstimates, columns: tuple[str, ...], keep: Sequence[str], random: RandomPart, allow_new_levels: bool
) -> _Maker:
    if isinstance(keep, str):
        raise MixedsimError(f"keep must be a list of columns, found {keep!r}: write [{keep!r}].")
    for name in keep:
        if name not in columns:
            raise DataError(f"keep names a column {name!r}, which the data do not have: {nearest(name, columns)}")
    formula = fit.design.formula
    names = tuple(name for name in columns if name in formula.variables or name in keep)
    taken = [name for name in _ADDED if name in names]
    if taken:
        raise DataError(f"the data have a column {taken[0]!r} already, which would be lost: rename it.")
    known = variables_of(formula.response) <= set(columns) or unquote(formula.response) in columns
    return _Maker(fit, names, random, allow_new_levels, known)


def _frame(chunk: Chunk) -> pd.DataFrame:
    return pd.DataFrame(dict(chunk.columns), index=pd.RangeIndex(chunk.rows))


def _response(fit: LinearEstimates, frame: pd.DataFrame) -> Floats:
    """The response; missing where one of its columns is."""
    text = fit.design.formula.response
    name = unquote(text)
    if name in frame:
        return numbers_of(name, read_column(name, frame[name]))
    columns = {one: read_column(one, frame[one]) for one in sorted(variables_of(text)) if one in frame}
    gaps = np.any([gaps_in(values) for values in columns.values()], axis=0)
    out = np.full(len(frame), np.nan)
    if not gaps.all():
        out[~gaps] = calculated(text, {one: values[~gaps] for one, values in columns.items()})
    return out
