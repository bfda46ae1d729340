"""Who does the work: processes of our own, or an executor that somebody brought."""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import lru_cache, partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from mixedsim.engine.threads import one_thread
from mixedsim.errors import MixedsimError, shown
from mixedsim.study.jobs import Job

Done: TypeAlias = tuple[float, list[pd.DataFrame]]  # seconds that the blocks of a task took, and their frames


class Processes:
    """A number of processes of our own, which can be started again when one of them dies; a context.

    Whoever calls `run_blocks` many times starts them once and hands them over as `executor`:

    >>> with Processes(2) as executor:  # doctest: +SKIP
    ...     first = run_blocks(job, executor=executor)
    ...     second = run_blocks(longer, executor=executor)
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._start()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(at_once=kind is not None)

    def submit(self, work: Callable[..., Done], *arguments: Any) -> Future[Done]:
        return self._pool.submit(work, *arguments)

    def restart(self) -> None:
        """New processes in the place of those that are left."""
        self.close(at_once=True)
        self._start()

    def close(self, *, at_once: bool = False) -> None:
        """End the processes; `at_once` in the middle of their work."""
        if at_once:
            self._leash.close()
        self._pool.shutdown(cancel_futures=True)
        self._leash.close()
        self._collar.close()

    def _start(self) -> None:
        # A fresh interpreter, not a fork of this one: a fork while a thread (a progress bar's) holds a lock hangs.
        context = get_context("spawn")
        self._collar, self._leash = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(
            self.number, mp_context=context, initializer=_wait_for_the_end, initargs=(self._collar,)
        )
        try:
            self._pool.submit(os.getpid).result()
        except BrokenExecutor as error:
            self.close(at_once=True)
            raise MixedsimError(
                "the worker processes cannot start: a script that uses several processes must keep what it runs under "
                "if __name__ == '__main__': (each process reads the script again), and one read from standard input "
                "cannot use them."
            ) from error
        except BaseException:
            self.close(at_once=True)
            raise


def _wait_for_the_end(collar: Connection) -> None:
    """In a new worker: end when the other end of the pipe is closed, be it that its process is gone.

    Else workers of a run that was killed would wait for work for ever, and an interrupted run for its workers.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the caller decides

    def wait() -> None:
        with contextlib.suppress(EOFError, OSError):
            collar.recv()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def check_executor(executor: Any) -> None:
    """Raise `MixedsimError` unless `executor` is None, a number of processes, or takes work."""
    if isinstance(executor, type):
        raise MixedsimError(f"executor must be an executor and not its class: call {executor.__name__}() first.")
    if _is_number(executor):
        if executor < 1:
            raise MixedsimError(f"executor must be at least 1 process, found {executor}.")
    elif executor is not None and not callable(getattr(executor, "submit", None)):
        raise MixedsimError(
            "executor must be None, a number of processes or a concurrent.futures.Executor (for Dask, "
            f"client.get_executor()), found {shown(executor)}."
        )


@contextlib.contextmanager
def workers_of(executor: Any) -> Iterator[Any]:
    """What takes work for `executor`: None for this process, else an object with `submit`.

    A number of processes are started, and ended with the context; what somebody else has opened stays open.

    Raises
    ------
    MixedsimError
        If `executor` is neither None nor a number of processes nor an executor.
    """
    check_executor(executor)
    if _is_number(executor):
        with Processes(int(executor)) as own:
            yield own
    elif callable(getattr(executor, "get_executor", None)):  # a Dask client, whose own submit is another one
        yield executor.get_executor(pure=False)
    else:
        yield executor


def _is_number(executor: Any) -> bool:
    return isinstance(executor, int | np.integer) and not isinstance(executor, bool)


def width_of(executor: Any) -> int:
    """How many tasks the executor can work on at the same time, as far as it tells."""
    for name in ("number", "_max_workers", "num_workers"):  # ours, the standard library's, mpi4py's
        number = getattr(executor, name, None)
        if isinstance(number, int) and number > 0:
            return number
    client = getattr(executor, "_client", None)  # Dask's, whose workers come and go
    if client is not None and client.status == "running":
        return max(1, sum(map(int, client.nthreads().values())))
    return os.cpu_count() or 1


def task_of(job: Job, executor: Any) -> Callable[[tuple[int, ...]], Done]:
    """The function that goes to the workers with a few numbers of blocks.

    Threads share the job. Elsewhere it travels as bytes that were made once, and is unpacked where an error in doing so
    can be told from the death of the worker. Cloudpickle, where it is installed, takes along functions that were
    defined in a notebook.

    Raises
    ------
    MixedsimError
        If the job cannot travel.
    """
    if isinstance(executor, ThreadPoolExecutor):
        return partial(_run, job)
    try:
        dumps = importlib.import_module("cloudpickle").dumps
    except ImportError:
        dumps = pickle.dumps
    try:
        return partial(run_packed, dumps(job))
    except (pickle.PicklingError, AttributeError, TypeError) as error:  # Python raises any of the three
        raise MixedsimError(
            f"this study cannot travel to other processes ({_flat(error)}): give functions a name in a file of their "
            "own in place of lambda, or leave out executor=."
        ) from error


def run_packed(job: bytes, blocks: tuple[int, ...]) -> Done:
    """Run some blocks of a pickled job; in a worker."""
    return _run(_unpacked(job), blocks)


def _run(job: Job, blocks: tuple[int, ...]) -> Done:
    begin = perf_counter()
    with one_thread():
        frames = [job.run(block) for block in blocks]
    return perf_counter() - begin, frames


@lru_cache(maxsize=1)
def _unpacked(job: bytes) -> Job:
    try:
        unpacked: Job = pickle.loads(job)
    except (AttributeError, ImportError) as error:
        raise MixedsimError(
            f"a worker cannot load this study ({_flat(error)}): what was defined in a notebook or console must stand "
            "in a file that workers can import, or install cloudpickle with  pip install 'mixedsim[scale]'."
        ) from error
    return unpacked


def _flat(error: BaseException) -> str:
    return " ".join(str(error).split())
