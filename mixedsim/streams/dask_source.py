"""A Dask DataFrame: each partition becomes sums where it lies, and the sums are added up in a tree."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import pandas as pd

from mixedsim.errors import DataError, MixedsimError
from mixedsim.streams.frame_source import frame_chunk
from mixedsim.streams.source import Chunk, S, Source

_FEW: Final = 100_000  # rows of a partition that are fetched to learn from
_TOGETHER: Final = 8  # sums that are added up in one task


class DaskSource(Source):
    """A Dask DataFrame, computed on the cluster of the client at hand.

    Parameters
    ----------
    frame : a ``dask.dataframe.DataFrame``.
    """

    name = "a Dask DataFrame"

    def __init__(self, frame: Any) -> None:
        self.frame = frame

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns."""
        return tuple(map(str, self.frame.columns))

    def chunks(self, names: Sequence[str]) -> Iterator[Chunk]:
        """Partition by partition, fetched one after the other; `first` numbers the rows of what was fetched."""
        return self._fetched(names, None)

    def first(self, names: Sequence[str]) -> Iterator[Chunk]:
        """The first rows of each partition."""
        return self._fetched(names, _FEW)

    def _fetched(self, names: Sequence[str], most: int | None) -> Iterator[Chunk]:
        before = 0
        for number, part in enumerate(self.frame[list(names)].to_delayed()):
            frame = _computed(part if most is None else _dask().delayed(_head)(part, most))
            yield frame_chunk(frame, names, before, f"partition {number}")
            before += len(frame)

    def fold(self, names: Sequence[str], step: Callable[[Chunk], S]) -> S | None:
        """The sum over all partitions, computed where they are; always in the same order."""
        delayed = _dask().delayed
        one, add = delayed(_stepped, pure=False), delayed(_added, pure=False)
        level = [
            one(part, list(names), f"partition {number}", step)
            for number, part in enumerate(self.frame[list(names)].to_delayed())
        ]
        while len(level) > 1:
            level = [add(level[start : start + _TOGETHER]) for start in range(0, len(level), _TOGETHER)]
        if not level:
            return None
        whole: S = _computed(level[0])
        return whole


def _head(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    return frame.iloc[:most]


def _stepped(frame: pd.DataFrame, names: list[str], where: str, step: Callable[[Chunk], S]) -> S:
    return step(frame_chunk(frame, names, 0, where))


def _added(parts: list[S]) -> S:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    return whole


def _computed(task: Any) -> Any:
    """What a task gives; an error of the cluster's is told in one sentence, one of ours as it is."""
    try:
        return task.compute()
    except MixedsimError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:300].rstrip(".")
        raise DataError(
            f"the cluster could not compute a partition ({type(error).__name__}: {said}): look at the workers' logs, "
            "then fit again."
        ) from error


def _dask() -> Any:
    return importlib.import_module("dask")


def is_dask(data: Any) -> bool:
    """Whether `data` is a Dask DataFrame, without loading Dask to find out."""
    return type(data).__module__.split(".")[0] in ("dask", "dask_expr") and hasattr(data, "to_delayed")
