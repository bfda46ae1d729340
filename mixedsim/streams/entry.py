"""What somebody passed for data, as a source of chunks if it is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mixedsim.streams.arrow_source import ArrowSource
from mixedsim.streams.dask_source import DaskSource, is_dask
from mixedsim.streams.frame_source import FrameSource, Spooled, is_frame
from mixedsim.streams.source import Source, is_path


def as_source(data: Any) -> Source | None:
    """Return the source of chunks that `data` is, or None if it is a table in memory.

    A path is a Parquet or CSV file, or a folder of them. A list of DataFrames, or what can be asked again for an
    iterator over them, is read each time anew; an iterator gives its frames once, so they are kept in a file. A Dask
    DataFrame is summed where its partitions lie.
    """
    if isinstance(data, Source):
        return data
    if is_path(data):
        return ArrowSource(data)
    if is_dask(data):
        return DaskSource(data)
    if isinstance(data, Iterator):
        return FrameSource(Spooled(data))
    if isinstance(data, Sequence) and len(data) and all(map(is_frame, data)):
        frames = tuple(data)
        return FrameSource(lambda: frames)
    return None
