"""Blocks of results as Parquet files: one row group a block, the same bytes for the same rows.

A file says of itself which study and which blocks it holds, and every page of it carries a checksum, so that a file
can be trusted, or not, by itself.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from mixedsim.errors import MixedsimError

FORMAT: Final = 1  # of files and folder; another number is another study
_KEY: Final = b"mixedsim"


class Damaged(Exception):
    """A file is not, or no longer, what was written."""


@dataclass(frozen=True)
class Part:
    """What a file holds.

    Attributes
    ----------
    study : the hash of the study that it belongs to; empty for a Parquet file of another origin.
    replicates : block number → how many replicates, in the order of the row groups.
    """

    study: str
    replicates: Mapping[int, int]


def arrow() -> tuple[Any, Any]:
    """The modules pyarrow and pyarrow.parquet; `MixedsimError` if they are not installed."""
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise MixedsimError(
            "results go to a folder through the package pyarrow: install it with  pip install 'mixedsim[scale]', or "
            "leave out out=."
        ) from None


def packed(part: Part, frames: Iterable[pd.DataFrame]) -> bytes:
    """The bytes of a file that holds `part`, whose blocks' rows are `frames`.

    Raises
    ------
    MixedsimError
        If a column holds neither numbers nor text, or the frames differ in columns or types.
    """
    pa, parquet = arrow()
    file = io.BytesIO()
    writer: Any = None
    columns: list[list[Any]] = []
    for frame in frames:
        found = _columns(frame)
        if writer is None:
            columns = found
            told = {"format": FORMAT, "study": part.study, "blocks": list(part.replicates.items()), "columns": columns}
            schema = _schema(columns).with_metadata({_KEY: _signed(json.dumps(told))})
            writer = parquet.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True)
        elif found != columns:
            odd = next(new or old for old, new in zip_longest(columns, found) if old != new)[0]
            raise MixedsimError(f"a block's columns differ from those of the blocks before, first in {odd!r}.")
        arrays = [_array(pa, frame[name]) for name in frame.columns]
        table = pa.Table.from_arrays(arrays, schema=schema)
        writer.write_table(table, row_group_size=max(len(frame), 1))
    if writer is not None:
        writer.close()
    return file.getvalue()


def read_part(path: Path) -> Part:
    """What the file at `path` holds, once every page of it has been read and its checksum holds.

    Raises
    ------
    Damaged
        If the file is cut off or altered.
    """
    pa, parquet = arrow()
    try:
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            told = _told(file)
            if told is None:
                return Part("", {})
            if file.num_row_groups != len(told["blocks"]) or not file.schema_arrow.equals(_schema(told["columns"])):
                raise Damaged("its footer contradicts itself")
            for group in range(file.num_row_groups):
                file.read_row_group(group)
    except (pa.ArrowException, OSError) as error:
        raise Damaged(" ".join(str(error).split()) or type(error).__name__) from error
    return Part(told["study"], dict(told["blocks"]))


def read_frames(path: Path, groups: Iterable[int]) -> Iterator[pd.DataFrame]:
    """The rows of some row groups of a file, as they were before they were written.

    Raises
    ------
    MixedsimError
        If the file is gone, or damaged since it was checked.
    """
    pa, parquet = arrow()
    try:
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            told = _told(file)
            for group in groups:
                table = file.read_row_group(group)
                yield pd.DataFrame({one[0]: _values(table.column(one[0]), *one[1:]) for one in told["columns"]})
    except (pa.ArrowException, OSError, Damaged) as error:
        raise MixedsimError(f"cannot read {str(path)!r}: {' '.join(str(error).split())}.") from error


def _signed(text: str) -> str:
    """A text with its checksum below: a footer has none of its own."""
    return f"{text}\n{hashlib.sha256(text.encode()).hexdigest()}"


def _told(file: Any) -> Any:
    """What a file says of itself; None if it does not come from here."""
    signed = (file.schema_arrow.metadata or {}).get(_KEY)
    if signed is None:
        return None
    text = signed.decode(errors="replace").partition("\n")[0]
    if _signed(text).encode() != signed:
        raise Damaged("what it says of itself was altered")
    return json.loads(text)


def _columns(frame: pd.DataFrame) -> list[list[Any]]:
    """Name and type of every column, and the categories of those that have some, as JSON has them."""
    found: list[list[Any]] = []
    for name, dtype in frame.dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype):
            found.append([name, "category", dtype.categories.tolist(), bool(dtype.ordered)])
        elif _is_number(dtype) or str(dtype) == "object" or isinstance(dtype, pd.StringDtype):
            found.append([name, str(dtype)])
        else:
            raise MixedsimError(f"column {name!r} holds {dtype}, which results cannot: make it numbers or text.")
    return found


def _is_number(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in "biuf"


def _schema(columns: list[list[Any]]) -> Any:
    """The columns as Arrow has them: numbers as they are, all else as text."""
    pa, _ = arrow()
    text = ("category", "object", "str", "string")
    return pa.schema([(name, pa.string() if kind in text else pa.type_for_alias(kind)) for name, kind, *_ in columns])


def _array(pa: Any, series: pd.Series[Any]) -> Any:
    if _is_number(series.dtype):
        return pa.array(series.to_numpy(), from_pandas=False)  # NaN is a number, not a gap
    if isinstance(series.dtype, pd.CategoricalDtype):
        codes = pa.array(series.cat.codes.to_numpy(), mask=series.isna().to_numpy())
        names = pa.array(series.cat.categories.to_numpy(dtype=object), type=pa.string())
        return pa.DictionaryArray.from_arrays(codes, names).cast(pa.string())
    return pa.array(series.to_numpy(dtype=object), type=pa.string(), from_pandas=True)


def _values(column: Any, dtype: str, categories: list[str] | None = None, ordered: bool = False) -> Any:
    """A column as pandas had it."""
    if dtype == "category":
        return pd.Categorical(column.to_numpy(), dtype=pd.CategoricalDtype(categories, ordered=ordered))
    return pd.Series(column.to_numpy(), dtype=dtype)  # with its type, else pandas 3 guesses one for text
