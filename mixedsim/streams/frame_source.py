"""DataFrames one after the other: a list of them, something that can be asked for them again, or an iterator."""

from __future__ import annotations

import pickle
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from mixedsim.errors import DataError
from mixedsim.frame import as_frame, no_table
from mixedsim.reading import is_text, read_column
from mixedsim.streams.source import Chunk, Source


class FrameSource(Source):
    """Frames that are there again each time one asks.

    Parameters
    ----------
    frames : gives an iterator over all frames, each time from the first.
    name : what messages call it.
    """

    def __init__(self, frames: Callable[[], Iterable[Any]], name: str = "the frames") -> None:
        self.frames = frames
        self.name = name

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the first frame."""
        for frame in self.frames():
            return tuple(map(str, as_frame(frame).columns))
        raise DataError("there are no frames to read: the iterator is empty.")

    def chunks(self, names: Sequence[str]) -> Iterator[Chunk]:
        """Frame by frame."""
        first = 0
        for number, given in enumerate(self.frames()):
            frame = as_frame(given)
            lacking = [name for name in names if name not in frame]
            if lacking:
                raise DataError(
                    f"frame number {number} has no column {lacking[0]!r}, which the frames before it have: give all "
                    "frames the same columns."
                )
            yield frame_chunk(frame, names, first, f"frame number {number}")
            first += len(frame)


def frame_chunk(frame: pd.DataFrame, names: Sequence[str], first: int, where: str) -> Chunk:
    """A DataFrame as a chunk."""
    text = frozenset(name for name in names if is_text(frame[name]))
    return Chunk({name: read_column(name, frame[name]) for name in names}, text, len(frame), first, where)


def is_frame(given: Any) -> bool:
    """Whether something is a table of its own: a DataFrame, or what becomes one."""
    return isinstance(given, pd.DataFrame) or hasattr(given, "to_pandas")


class Spooled:
    """Frames of an iterator, which gives them once, kept in a file that is gone when nobody reads it any more.

    Parameters
    ----------
    frames : the iterator.
    """

    def __init__(self, frames: Iterator[Any]) -> None:
        self._file = tempfile.TemporaryFile(prefix="mixedsim-")  # noqa: SIM115  # it lives as long as this object
        weakref.finalize(self, self._file.close)
        self._count = 0
        for given in frames:
            if not is_frame(given):
                raise DataError(no_table(frames))
            pickle.dump(as_frame(given), self._file, protocol=5)
            self._count += 1

    def __call__(self) -> Iterator[pd.DataFrame]:
        """All frames from the first."""
        self._file.seek(0)
        for _ in range(self._count):
            frame = pickle.load(self._file)
            at = self._file.tell()
            yield frame
            self._file.seek(at)  # two may read in turns
