"""Frames one after the other into a Parquet file, or a folder of parts, which appears whole or not at all."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from mixedsim.errors import MixedsimError
from mixedsim.files import draft, draft_folder, refuse_to_fill, refuse_to_overwrite


def is_folder(target: str) -> bool:
    """Whether a target is to become a folder: it ends in a slash, or is one.

    Raises
    ------
    MixedsimError
        If it is to become a file that is no Parquet file.
    """
    if target.endswith(("/", os.sep)) or Path(target).is_dir():
        return True
    if not target.lower().endswith((".parquet", ".pq")):
        raise MixedsimError(
            f"rows are written to Parquet, found {target!r}: end the name in .parquet, or in a slash for a folder."
        )
    return False


def check_target(target: str, *, force: bool) -> None:
    """Raise `MixedsimError` if `target` cannot be written, before any work is done."""
    if is_folder(target):
        refuse_to_fill(target)
    else:
        refuse_to_overwrite(target, force=force)
    parquet()


def write_frames(frames: Iterable[pd.DataFrame], target: str, *, force: bool) -> int:
    """Write frames to `target` and return the number of rows; the columns of all are those of the first."""
    rows = 0
    with _opened(target, force=force) as add:
        for frame in frames:
            add(frame)
            rows += len(frame)
    return rows


class _Writer:
    """One file, or one file a frame in a folder."""

    def __init__(self, place: Path, folder: bool) -> None:
        self.place, self.folder = place, folder
        self.schema: Any = None
        self.count = 0
        self._file: Any = None

    def __call__(self, frame: pd.DataFrame) -> None:
        table = as_table(frame, self.schema)
        self.schema = table.schema
        self.count += 1
        if self.folder:
            parquet().write_table(table, part(self.place, self.count))
            return
        if self._file is None:
            self._file = parquet().ParquetWriter(self.place, self.schema)
        self._file.write_table(table)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def part(folder: Path, number: int) -> Path:
    """The file of one part."""
    return folder / f"part-{number:05}.parquet"


def as_table(frame: pd.DataFrame, schema: Any = None) -> Any:
    """A frame as a table of pyarrow's: categories by their values, and of the given schema, if there is one."""
    arrow = importlib.import_module("pyarrow")
    table = arrow.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    fields = [
        arrow.field(own.name, own.type.value_type) if arrow.types.is_dictionary(own.type) else own
        for own in table.schema
    ]
    try:
        return table.cast(arrow.schema(fields) if schema is None else schema)
    except arrow.ArrowInvalid as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise MixedsimError(f"a later chunk does not fit the columns of the first ({said}).") from error


@contextmanager
def _opened(target: str, *, force: bool) -> Iterator[_Writer]:
    folder = is_folder(target)
    with draft_folder(target.rstrip("/" + os.sep)) if folder else draft(target, force=force) as place:
        writer = _Writer(Path(place), folder)
        try:
            yield writer
        finally:
            writer.close()


def parquet() -> Any:
    """The module pyarrow.parquet."""
    try:
        return importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise MixedsimError(
            "Parquet files need the package pyarrow: install it with  pip install 'mixedsim[scale]'."
        ) from None
