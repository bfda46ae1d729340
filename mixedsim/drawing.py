"""Drawn data on their way into a file: CSV, Parquet, or a folder of Parquet parts; in memory or a chunk at a time."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tqdm import tqdm

from mixedsim.errors import MixedsimError
from mixedsim.files import STDOUT, draft, draft_folder, refuse_to_fill, refuse_to_overwrite

if TYPE_CHECKING:
    import pandas as pd

    from mixedsim.simulate.streaming import Blocks, Piece

Kind = Literal["csv", "parquet", "folder"]


def kind_of(target: str) -> Kind:
    """What a target is to become: a folder if it ends in a slash, Parquet if its name says so, else CSV."""
    if target.endswith(("/", os.sep)):
        return "folder"
    return "parquet" if target.lower().endswith((".parquet", ".pq")) else "csv"


def check_target(target: str, *, force: bool) -> None:
    """Raise `MixedsimError` if `target` cannot be written, before anything is drawn."""
    if kind_of(target) == "folder":
        refuse_to_fill(target)
    else:
        refuse_to_overwrite(target, force=force)
    if kind_of(target) != "csv":
        _arrow()


def write_frame(data: pd.DataFrame, target: str, *, force: bool) -> None:
    """Write data that are in memory to a Parquet file, or to a folder of one part."""
    kind = kind_of(target)
    with _open(target, kind, force=force) as (add, place):
        add(_packed(data, 0, kind, place))


def write_blocks(blocks: Blocks, target: str, *, chunk: int, processes: int, force: bool) -> None:
    """Draw `blocks` and write them, with no more than a chunk in memory (of each process, if there are several).

    Parameters
    ----------
    chunk : about how many rows.
    processes : how many draw at the same time; the file is the same, byte by byte.
    """
    kind = kind_of(target)
    bar = tqdm(
        total=blocks.expected_rows, desc="drawing", unit="row", unit_scale=True, delay=1, file=sys.stderr,
        disable=target == STDOUT,
    )  # fmt: skip
    with bar, _open(target, kind, force=force) as (add, place):
        for rows, packed in _drawn(blocks, kind, place, chunk, processes):
            add(packed)
            del packed  # before the next one is drawn
            bar.update(rows)


def _drawn(blocks: Blocks, kind: Kind, place: str, chunk: int, processes: int) -> Iterator[tuple[int, Any]]:
    """Rows and packed data of every piece, in order."""
    pieces = enumerate(blocks.pieces(chunk))
    if processes == 1:
        for number, piece in pieces:
            yield _draw(blocks, piece, number, kind, place)
        return
    # A fresh interpreter, not a fork of this one: a fork while a thread (the progress bar's) holds a lock hangs.
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    waiting: deque[Future[tuple[int, Any]]] = deque()
    try:
        for number, piece in pieces:
            waiting.append(pool.submit(_draw, blocks, piece, number, kind, place))
            if len(waiting) > processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _draw(blocks: Blocks, piece: Piece, number: int, kind: Kind, place: str) -> tuple[int, Any]:
    frame = blocks.frame(piece)
    return len(frame), _packed(frame, number, kind, place)


def _packed(data: pd.DataFrame, number: int, kind: Kind, place: str) -> Any:
    """A chunk as it goes into the file: CSV as bytes, Parquet as a table; a part of a folder is written here."""
    if kind == "csv":
        packed = io.BytesIO()
        data.to_csv(packed, index=False, header=number == 0, lineterminator="\n", errors="backslashreplace")
        return packed.getvalue()
    arrow, parquet = _arrow()
    table = arrow.Table.from_pandas(data, preserve_index=False)
    if kind == "parquet":
        return table
    parquet.write_table(table, Path(place) / f"part-{number + 1:05}.parquet")
    return None


@contextmanager
def _open(target: str, kind: Kind, *, force: bool) -> Iterator[tuple[Callable[[Any], object], str]]:
    """What takes packed chunks, and where parts of a folder go; all is in place when the block ends."""
    if target == STDOUT:
        yield sys.stdout.buffer.write, ""
    elif kind == "folder":
        with draft_folder(target) as folder:
            yield lambda _: None, str(folder)
    elif kind == "csv":
        with draft(target, force=force) as path, path.open("wb") as file:
            yield file.write, ""
    else:
        with draft(target, force=force) as path, _ParquetFile(path) as parquet:
            yield parquet.add, ""


class _ParquetFile:
    """A Parquet file whose columns are those of the first table."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def __enter__(self) -> _ParquetFile:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def add(self, table: Any) -> None:
        """Write a table below the ones before."""
        if self._writer is None:
            self._writer = _arrow()[1].ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)


def _arrow() -> tuple[Any, Any]:
    """The modules pyarrow and pyarrow.parquet."""
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise MixedsimError(
            "Parquet files need the package pyarrow: install it with  pip install 'mixedsim[scale]', or write a CSV."
        ) from None
