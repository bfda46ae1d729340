"""Rows that come in chunks: what a source of them is, and which things are one.

A source is read as often as it takes, each time from the start, and only the columns that a model needs.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self, TypeVar

from mixedsim.reading import Values

CHUNK: Final = 2**20  # rows: a row group as Parquet is mostly written, so that none is cut and joined again


class Adds(Protocol):
    """What can be added to its like."""

    def __add__(self, other: Self, /) -> Self:
        """Both together."""
        ...


S = TypeVar("S", bound=Adds)


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some rows.

    Attributes
    ----------
    columns : the columns asked for, as `mixedsim.reading.read_column` gives them.
    text : those of them that hold text, whose categories therefore have no order of their own.
    rows : how many rows there are.
    first : how many rows the source has before them.
    where : the file or piece that they stand in, for messages; empty where there is but one.
    before : how many rows of that file stand before them.
    """

    columns: Mapping[str, Values]
    text: frozenset[str]
    rows: int
    first: int
    where: str = ""
    before: int = 0

    def place(self, row: int) -> str:
        """Where row number `row` of the chunk stands, in words."""
        return f"row {self.before + row} of {self.where}" if self.where else f"row {self.first + row}"


class Source(ABC):
    """A table too large for memory, or far away.

    Attributes
    ----------
    name : what messages call it.
    """

    name: str

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""

    @abstractmethod
    def chunks(self, names: Sequence[str]) -> Iterator[Chunk]:
        """All rows, in order, with the columns `names` alone.

        Raises
        ------
        DataError
            For a piece that cannot be read, or lacks a column: it names the piece.
        """

    def is_same(self, other: Source) -> bool:
        """Whether another source gives the same rows."""
        return self is other

    def first(self, names: Sequence[str]) -> Iterator[Chunk]:
        """The first chunks, or the first rows of each."""
        return self.chunks(names)

    def fold(self, names: Sequence[str], step: Callable[[Chunk], S]) -> S | None:
        """The sum over all chunks of what `step` makes of each, in their order; None if there are no chunks."""
        return total(map(step, self.chunks(names)))


def total(parts: Iterable[S]) -> S | None:
    """The sum in order; like added to like in size, so that many small parts are not copied into a large one."""
    stack: list[tuple[int, S]] = []
    for part in parts:
        rank, own = 0, part
        while stack and stack[-1][0] == rank:
            own = stack.pop()[1] + own
            rank += 1
        stack.append((rank, own))
    if not stack:
        return None
    whole = stack.pop()[1]
    while stack:
        whole = stack.pop()[1] + whole
    return whole


def is_path(data: Any) -> bool:
    """Whether `data` is the path of a file or folder."""
    return isinstance(data, str | os.PathLike)
