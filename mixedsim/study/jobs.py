"""What a long run works on, and what it hands back: a job in blocks, and the frames of its blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import pandas as pd


class Job(Protocol):
    """A study cut into blocks of replicates, each of which is computed on its own.

    A job is picklable, since it travels to other processes, and running a block changes nothing in it.

    Attributes
    ----------
    blocks : how many; they are numbered from 0.
    fingerprint : 64 hexadecimal digits that stand for everything on which rows depend: source, analyses, seed, size of
        a block. Two jobs have the same fingerprint if, and only if, blocks of the same number and the same number of
        replicates have the same rows in both. So a job that is the same but longer keeps its fingerprint, and a
        folder of results can grow.
    """

    @property
    def blocks(self) -> int: ...

    @property
    def fingerprint(self) -> str: ...

    def replicates(self, block: int) -> int:
        """How many replicates block number `block` holds."""
        ...

    def run(self, block: int) -> pd.DataFrame:
        """The rows of a block.

        At least one row; columns and their types are the same for every block: NumPy's numbers or booleans, text
        (an object column with None where it is missing, or pandas' ``str``), or categories of text. The index does
        not count.
        """
        ...


@dataclass(frozen=True, eq=False)
class Results:
    """The frames of all blocks, in order; from memory, or read from a folder when they are asked for.

    Attributes
    ----------
    blocks : how many.
    replicates : of all blocks together.
    read : the frame of a block.
    folder : where they are kept; None for memory.
    """

    blocks: int
    replicates: int
    read: Callable[[int], pd.DataFrame]
    folder: str | None = None

    def __len__(self) -> int:
        """How many blocks."""
        return self.blocks

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """One frame after the other; of those in a folder no more than one is in memory."""
        return map(self.read, range(self.blocks))

    def __getitem__(self, block: int) -> pd.DataFrame:
        if not -self.blocks <= block < self.blocks:
            raise IndexError(f"there are {self.blocks} blocks")
        return self.read(block % self.blocks)

    def frame(self) -> pd.DataFrame:
        """The rows of all blocks in one frame, numbered from 0."""
        return pd.concat(list(self), ignore_index=True)

    def __repr__(self) -> str:
        where = "memory" if self.folder is None else repr(self.folder)
        return f"<Results of {self.replicates:,} replicates in {self.blocks:,} blocks, in {where}>"
