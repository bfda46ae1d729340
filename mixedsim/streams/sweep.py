"""One reading of all rows: what becomes of each chunk, wherever that is done, and the sum of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic

from mixedsim.errors import DataError
from mixedsim.reading import kind_of
from mixedsim.streams.kept import Asked, Kept, Tally, kept
from mixedsim.streams.source import Chunk, S, Source


@dataclass(frozen=True)
class Held:
    """What each column held in the first chunk, and which chunk that was: it must hold the same everywhere."""

    kinds: Mapping[str, str]
    where: str


@dataclass(frozen=True, eq=False)
class _Swept(Generic[S]):
    """What became of the rows of some chunks, and what came of the complete ones (None where there are none)."""

    tally: Tally
    result: S | None

    def __add__(self, other: _Swept[S]) -> _Swept[S]:
        """Both together."""
        if self.result is None or other.result is None:
            return _Swept(self.tally + other.tally, other.result if self.result is None else self.result)
        return _Swept(self.tally + other.tally, self.result + other.result)


@dataclass(frozen=True, eq=False)
class _Step(Generic[S]):
    """What is done to one chunk; it can be sent to another process."""

    asked: Asked
    held: Held
    work: Callable[[Chunk, Kept], S]

    def __call__(self, chunk: Chunk) -> _Swept[S]:
        """The chunk's part of the sum."""
        own = kept(chunk, self.asked)
        if not own.tally.used:
            return _Swept(own.tally, None)
        for name, values in own.columns.items():
            kind = kind_of(values)
            if kind != self.held.kinds[name]:
                raise DataError(
                    f"column {name!r} holds {kind} in {chunk.where or 'a later chunk'}, where it held "
                    f"{self.held.kinds[name]} in {self.held.where or 'an earlier one'}: write it alike everywhere."
                )
        return _Swept(own.tally, self.work(chunk, own))


def sweep(source: Source, asked: Asked, held: Held, work: Callable[[Chunk, Kept], S]) -> tuple[Tally, S]:
    """Return what became of the rows, and the sum over all chunks of what `work` makes of their complete rows.

    Raises
    ------
    DataError
        If no row is complete, or a column holds something else than in the first chunk.
    """
    swept = source.fold(asked.all, _Step(asked, held, work))
    tally = Tally() if swept is None else swept.tally
    tally.check()
    assert swept is not None  # a tally of nothing does not pass
    assert swept.result is not None
    return tally, swept.result
