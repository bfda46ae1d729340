"""Long runs: a study's blocks on one process or many, kept in a folder or in memory, always in the same order.

A block is computed as a whole, by itself and with one BLAS thread, and knows its own random numbers. So it does not
matter who computes it, when, or beside what: results are the same to the byte.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

import numpy as np

from mixedsim.engine.threads import one_thread
from mixedsim.errors import MixedsimError, shown
from mixedsim.study.dispatch import Dispatch, here
from mixedsim.study.jobs import Job, Results
from mixedsim.study.progress import Progress, Tally, check_progress
from mixedsim.study.store import InMemory, Store, opened
from mixedsim.study.workers import check_executor, workers_of


def run_blocks(
    job: Job,
    *,
    executor: Any = None,
    chunk: int | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: Progress = None,
    resume: bool = True,
) -> Results:
    """The frames of all blocks of a job: the same bytes whoever computes them.

    Parameters
    ----------
    job : see `Job`.
    executor : None computes here; a number starts as many processes and ends them afterwards; any
        `concurrent.futures.Executor`, a Dask client or its ``get_executor()``, an MPI pool, is used and left open. Of
        our own processes one that dies is replaced, and its blocks are run again.
    chunk : replicates a task, rounded up to whole blocks; None measures how long blocks take, and makes tasks of about
        a second.
    out : a folder that keeps the blocks as they come (it needs pyarrow); the same call goes on from what is there,
        also with more replicates. Memory then holds the tasks that are under way, not the results.
    progress : None shows a bar in terminals and notebooks, True always, False never; or a function of the replicates
        done and in all.
    resume : False refuses a folder that holds results.

    Returns
    -------
    Results
        The blocks in their order; with `out`, read from the folder when they are asked for.

    Raises
    ------
    MixedsimError
        If an argument is none of these; if `out` belongs to another study, is in use, or cannot be written; if
        workers die. It says what is safe. An error of the job itself comes as it is.
    KeyboardInterrupt
        As ever, with a note that says what is safe; what waits is cancelled, what was done is in `out`.

    Examples
    --------
    >>> import pandas as pd
    >>> class Squares:
    ...     blocks, fingerprint = 3, "0" * 64
    ...     def replicates(self, block):
    ...         return 2
    ...     def run(self, block):
    ...         return pd.DataFrame({"replicate": [2 * block, 2 * block + 1]}).eval("square = replicate**2")
    >>> run_blocks(Squares()).frame().square.tolist()
    [0, 1, 4, 9, 16, 25]
    """
    _check(chunk, out, resume)
    check_progress(progress)
    check_executor(executor)
    with contextlib.ExitStack() as stack:
        keep: Store | InMemory = InMemory(job) if out is None else stack.enter_context(opened(out, job, resume=resume))
        left = [block for block in range(job.blocks) if block not in keep]
        total = sum(map(job.replicates, range(job.blocks)))
        done = total - sum(map(job.replicates, left))
        tally = stack.enter_context(Tally(progress, done=done, total=total))
        if left:
            workers = stack.enter_context(workers_of(executor))
            stack.enter_context(one_thread())
            run = here(job, left) if workers is None else Dispatch(job, left, workers, chunk=chunk, keep=keep).run()
            try:
                with contextlib.closing(run) as came:
                    for block, frame in came:
                        keep.add(block, frame)
                        tally.add(job.replicates(block))
            except KeyboardInterrupt as stop:
                stop.add_note(f"Interrupted: {keep.safe}.")
                raise
    return keep.results()


def _check(chunk: object, out: object, resume: object) -> None:
    whole = isinstance(chunk, int | np.integer) and not isinstance(chunk, bool)
    if chunk is not None and not (whole and chunk >= 1):  # type: ignore[operator]
        raise MixedsimError(f"chunk must be a number of replicates, at least 1, found {shown(chunk)}.")
    if out is not None and not (isinstance(out, str | os.PathLike) and os.fspath(out)):
        raise MixedsimError(f"out must be the name of a folder, found {shown(out)}.")
    if not isinstance(resume, bool):
        raise MixedsimError(f"resume must be True or False, found {shown(resume)}.")
