"""Parquet and CSV files, or folders of them, read by pyarrow a batch at a time."""

from __future__ import annotations

import importlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pandas as pd

from mixedsim.errors import DataError, MixedsimError, shown
from mixedsim.reading import read_column
from mixedsim.streams.source import CHUNK, Chunk, S, Source, total

_FORMATS: Final = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv"}
_ENDINGS: Final = ", ".join(_FORMATS)
# What stands for a missing value in a CSV file: the same as for pandas.read_csv.
_MISSING: Final = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip


class ArrowSource(Source):
    """Files of one format, in the order of their names.

    Parameters
    ----------
    path : a Parquet or CSV file, or a folder in which all files of that kind are parts of one table.
    chunk : about how many rows are in memory at a time.

    Raises
    ------
    DataError
        If there is no such file, it is of another kind, or the folder holds none.
    """

    def __init__(self, path: str | os.PathLike[str], chunk: int = CHUNK) -> None:
        self.path = Path(path)
        self.name = str(self.path)
        self.chunk = chunk
        self.files = tuple(_files(self.path))
        kinds = sorted({file.suffix.lower() for file in self.files})
        self.format = _FORMATS[kinds[0]]
        if any(_FORMATS[kind] != self.format for kind in kinds):
            raise DataError(f"{self.name!r} holds both Parquet and CSV files: keep one kind in a folder.")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the first file."""
        return tuple(_schema(self.files[0], self.format).names)

    def is_same(self, other: Source) -> bool:
        """Whether another source reads the same files."""
        return isinstance(other, ArrowSource) and [f.resolve() for f in self.files] == [
            f.resolve() for f in other.files
        ]

    def chunks(self, names: Sequence[str]) -> Iterator[Chunk]:
        """All rows, file by file."""
        first = 0
        for file in self.files:
            where = file.name if len(self.files) > 1 else ""
            before = 0
            for table in self._tables(file, list(names)):
                yield _chunk(table, first, where, before)
                first += table.num_rows
                before += table.num_rows

    def fold(self, names: Sequence[str], step: Callable[[Chunk], S]) -> S | None:
        """The sum over all chunks, of which several are worked on at a time; always added up in the same order."""
        return total(_mapped(step, self.chunks(names), cores()))

    def _tables(self, file: Path, names: list[str]) -> Iterator[Any]:
        """Tables of about `chunk` rows; what pyarrow complains of is told with the file's name."""
        arrow, _ = _arrow()
        schema = _schema(file, self.format)
        for name in names:
            if name not in schema.names:
                raise DataError(
                    f"{str(file)!r} has no column {name!r}, which the files before it have: write it again, or take "
                    "it out of the folder."
                )
        batches: list[Any] = []
        rows = 0
        try:
            scanned = _opened(file, self.format).to_batches(
                columns=names, batch_size=self.chunk, batch_readahead=2, fragment_readahead=1
            )
            for batch in scanned:
                batches.append(batch)
                rows += batch.num_rows
                if rows >= self.chunk:
                    yield arrow.Table.from_batches(batches)
                    batches, rows = [], 0
        except (arrow.ArrowException, OSError) as error:
            raise _unreadable(file, error) from error
        if rows:
            yield arrow.Table.from_batches(batches)


def _mapped(step: Callable[[Chunk], S], chunks: Iterator[Chunk], threads: int) -> Iterator[S]:
    """What `step` makes of each chunk, in order; NumPy leaves other threads room while it adds."""
    if threads == 1:
        yield from map(step, chunks)
        return
    waiting: deque[Future[S]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for chunk in chunks:
                waiting.append(pool.submit(step, chunk))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def cores() -> int:
    """How many chunks are worked on at a time: memory holds as many, and one more."""
    return max(1, min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1))


def _files(path: Path) -> list[Path]:
    name = shown(str(path))
    if os.path.isdir(path):  # which takes any string; Path.is_dir raises for a very long one
        inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in _FORMATS and file.is_file())
        files = [file for file in inside if not _is_hidden(file.relative_to(path))]
        if not files:
            raise DataError(f"the folder {name} holds no file that ends in {_ENDINGS}: check the path.")
        return files
    if not os.path.exists(path):
        raise DataError(f"there is no file or folder {name}, and data that are text must name one: check the path.")
    if path.suffix.lower() not in _FORMATS:
        raise DataError(
            f"the file {name} ends in none of {_ENDINGS}: read it first, as with pandas, or write it as Parquet."
        )
    return [path]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _opened(file: Path, kind: str) -> Any:
    """One file as a dataset of pyarrow's."""
    dataset = _arrow()[1]
    if kind == "parquet":
        return dataset.dataset(str(file), format=kind)
    options = importlib.import_module("pyarrow.csv").ConvertOptions(null_values=_MISSING, strings_can_be_null=True)
    return dataset.dataset(str(file), format=dataset.CsvFileFormat(convert_options=options))


def _schema(file: Path, kind: str) -> Any:
    arrow, _ = _arrow()
    try:
        return _opened(file, kind).schema
    except (arrow.ArrowException, OSError) as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: BaseException) -> DataError:
    said = " ".join(str(error).split()).rstrip(".")
    return DataError(f"{str(file)!r} cannot be read ({said}): write it again, or take it out of the folder.")


def _chunk(table: Any, first: int, where: str, before: int) -> Chunk:
    """A table of pyarrow's as a chunk; text comes as categories, which costs no Python string a row."""
    text = frozenset(field.name for field in table.schema if _is_text(field.type))
    frame: pd.DataFrame = table.to_pandas(strings_to_categorical=True, split_blocks=True)
    columns = {str(name): read_column(str(name), frame[name]) for name in frame.columns}
    return Chunk(columns, text, len(frame), first, where, before)


def _is_text(kind: Any) -> bool:
    return str(kind) in ("string", "large_string", "string_view")


def _arrow() -> tuple[Any, Any]:
    """The modules pyarrow and pyarrow.dataset."""
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.dataset")
    except ImportError:
        raise MixedsimError(
            "files are read in chunks through the package pyarrow: install it with  pip install 'mixedsim[scale]', "
            "or pass a DataFrame."
        ) from None
