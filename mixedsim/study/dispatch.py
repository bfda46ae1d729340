"""Blocks on their way through workers: sent a few ahead, received as they come, sent again when a worker has died."""

from __future__ import annotations

import math
import queue
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future
from itertools import islice
from typing import Any, Final, Protocol, TypeAlias

import pandas as pd

from mixedsim.errors import MixedsimError
from mixedsim.study.jobs import Job
from mixedsim.study.workers import Done, Processes, task_of, width_of

Block: TypeAlias = tuple[int, pd.DataFrame]

_AHEAD: Final = 2  # tasks for each worker: the one that it works on, and one that waits
_SECONDS: Final = 1.0  # that a task should last, so that sending it costs next to nothing,
_TASKS: Final = 4  # unless what is left makes fewer tasks a worker than this: the last one would keep all waiting
_PATIENCE: Final = 1.0  # seconds without news after which the folder is told that the run is alive
_LOST: Final = {"KilledWorker", "ClosedClientError"}  # Dask's: workers die again and again; nobody is there any more


class Keep(Protocol):
    """What keeps the blocks: see `mixedsim.study.store`."""

    @property
    def safe(self) -> str: ...

    def beat(self) -> None: ...


def here(job: Job, left: Iterable[int]) -> Generator[Block]:
    """Run blocks in this process, one after the other."""
    for block in left:
        yield block, job.run(block)


class Dispatch:
    """One job's way through an executor's workers; `run` gives the blocks in the order in which they come.

    Parameters
    ----------
    left : the blocks to be run.
    workers : an object with `submit`.
    chunk : replicates a task; None measures how long blocks take.
    keep : says what is safe when the workers are lost.
    """

    def __init__(self, job: Job, left: Iterable[int], workers: Any, *, chunk: int | None, keep: Keep) -> None:
        self._job, self._left, self._workers, self._chunk, self._keep = job, deque(left), workers, chunk, keep
        self._task = task_of(job, workers)
        self._running: dict[Future[Done], tuple[int, ...]] = {}
        self._ended: queue.SimpleQueue[Future[Done]] = queue.SimpleQueue()
        self._seconds, self._measured = 0.0, 0  # what so many blocks took

    def run(self) -> Generator[Block]:
        """All blocks; closing it cancels what waits.

        Raises
        ------
        MixedsimError
            If workers die and cannot be replaced, or one block kills them again and again.
        """
        try:
            while self._left or self._running:
                lost = self._send()
                if lost is None:
                    lost = yield from self._receive()
                if lost is not None:
                    yield from self._recover(lost)
        finally:
            for future in self._running:
                future.cancel()

    def _send(self) -> BaseException | None:
        """Give out tasks until enough are under way; the error if nobody takes them any more."""
        try:
            self._fill()
        except Exception as error:
            if _is_lost(error) or isinstance(error, RuntimeError | OSError):  # shut down, or out of reach
                return error
            raise
        return None

    def _fill(self) -> None:
        width = width_of(self._workers)
        while self._left and len(self._running) < _AHEAD * width:
            blocks = tuple(islice(self._left, self._size(width)))
            future = self._workers.submit(self._task, blocks)
            for _ in blocks:
                self._left.popleft()
            self._running[future] = blocks
            future.add_done_callback(self._ended.put)

    def _size(self, width: int) -> int:
        """How many blocks the next task has."""
        if self._chunk is not None:
            size, replicates = 0, 0
            while replicates < self._chunk and size < len(self._left):
                replicates += self._job.replicates(self._left[size])
                size += 1
            return size
        if not self._measured:
            return 1
        lasting = _SECONDS * self._measured / max(self._seconds, 1e-9)
        return max(1, int(min(lasting, math.ceil(len(self._left) / (_TASKS * width)))))

    def _receive(self) -> Generator[Block, None, BaseException | None]:
        """Wait for a task to end, and give its blocks; returns the error if its worker was lost."""
        future = self._wait()
        error = _error_of(future)
        if error is None:
            yield from self._taken(future, self._running.pop(future))
        elif not _is_lost(error):
            raise error
        return error

    def _wait(self) -> Future[Done]:
        while True:
            try:
                return self._ended.get(timeout=_PATIENCE)
            except queue.Empty:
                self._keep.beat()

    def _taken(self, future: Future[Done], blocks: tuple[int, ...]) -> Iterator[Block]:
        seconds, frames = future.result()
        self._seconds, self._measured = self._seconds + seconds, self._measured + len(blocks)
        yield from zip(blocks, frames, strict=True)

    def _recover(self, error: BaseException) -> Iterator[Block]:
        """Start our own processes again and run what was lost, one block at a time: so the one to blame is known."""
        own = self._workers if isinstance(self._workers, Processes) and isinstance(error, BrokenExecutor) else None
        lost: list[int] = []
        for future, blocks in list(self._running.items()):
            if own is None and not future.done():
                continue
            end = _error_of(future)  # a broken pool tells all futures at once
            if end is None:
                yield from self._taken(future, self._running.pop(future))
            elif not _is_lost(end):
                raise end
            else:
                lost += blocks
        if own is None:
            if not lost and isinstance(error, RuntimeError) and not isinstance(error, BrokenExecutor):
                raise MixedsimError(
                    f"the executor takes no work ({error}): open another one, and leave it open until the study is "
                    f"done; {self._keep.safe}."
                ) from error
            where = f"the workers that ran {self._named(lost)}" if lost else "its workers"
            raise MixedsimError(
                f"the executor has lost {where} ({type(error).__name__}): start another one, with more memory perhaps; "
                f"{self._keep.safe}."
            ) from error
        self._running.clear()
        self._ended = queue.SimpleQueue()
        own.restart()
        for block in lost:
            yield from self._alone(block, own)

    def _alone(self, block: int, own: Processes) -> Iterator[Block]:
        """Run a block with nothing beside it, at most twice."""
        for last in (False, True):
            try:
                _, frames = own.submit(self._task, (block,)).result()
            except BrokenExecutor as error:
                own.restart()
                if last:
                    raise MixedsimError(
                        f"the process that runs {self._named([block])} dies each time, also with nothing beside it: it "
                        f"needs more memory than there is, perhaps; {self._keep.safe}."
                    ) from error
            else:
                yield block, frames[0]
                return

    def _named(self, blocks: list[int]) -> str:
        """``"replicates 128 to 383 (blocks 1 and 2)"``."""
        first = sum(map(self._job.replicates, range(blocks[0])))
        last = sum(map(self._job.replicates, range(blocks[-1] + 1))) - 1
        which = f"block {blocks[0]}" if len(blocks) == 1 else f"{len(blocks)} blocks, from {blocks[0]} to {blocks[-1]}"
        return f"replicates {first:,} to {last:,} ({which})"


def _error_of(future: Future[Done]) -> BaseException | None:
    """How a task failed, once it has ended."""
    return CancelledError() if future.cancelled() else future.exception()


def _is_lost(error: BaseException) -> bool:
    """Whether it was the worker that failed, and not the job."""
    return isinstance(error, BrokenExecutor | CancelledError) or type(error).__name__ in _LOST
