"""Blocks run here, in threads and in processes: the same frames, in order, whoever runs them and whoever dies."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from mixedsim import MixedsimError
from mixedsim.study.dispatch import Dispatch
from mixedsim.study.running import run_blocks
from mixedsim.study.store import InMemory
from mixedsim.study.workers import Processes
from tests.study.toy_jobs import Deadly, Failing, Slow, Threads, Toy

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pool():
    with Processes(2) as processes:
        yield processes


@pytest.fixture(scope="module")
def expected() -> pd.DataFrame:
    job = Toy()
    return pd.concat([job.run(block) for block in range(job.blocks)], ignore_index=True)


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Equal to the last bit, types included."""
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


class Reluctant(Executor):
    """Does everything at once and backwards: the last task that was sent ends first."""

    def __init__(self) -> None:
        self.sent: list = []

    def submit(self, fn, /, *args, **kwargs):
        future: Future = Future()
        self.sent.append((future, fn, args))
        if len(self.sent) == 4 or (args and args[0][-1] == Toy().blocks - 1):
            for future_, fn_, args_ in reversed(self.sent):
                future_.set_result(fn_(*args_))
            self.sent.clear()
        return future

    number = 2  # workers


def test_here_it_is_one_block_after_the_other(expected):
    results = run_blocks(Toy())
    same(results.frame(), expected)
    assert (len(results), results.replicates, results.folder) == (13, 50, None)
    assert [frame.replicate.iloc[0] for frame in results] == list(range(0, 50, 4))
    same(results[-1], results[12])
    with pytest.raises(IndexError):
        results[13]
    assert repr(results) == "<Results of 50 replicates in 13 blocks, in memory>"


@pytest.mark.parametrize("chunk", [None, 1, 4, 5, 17, 1000, np.int64(8)])
def test_threads_give_the_same_whatever_the_chunk(expected, chunk):
    with ThreadPoolExecutor(3) as executor:
        same(run_blocks(Toy(), executor=executor, chunk=chunk).frame(), expected)


@pytest.mark.parametrize("chunk", [None, 9])
def test_processes_give_the_same(pool, expected, chunk):
    same(run_blocks(Toy(), executor=pool, chunk=chunk).frame(), expected)


def test_what_ends_first_does_not_come_first(expected):
    same(run_blocks(Toy(), executor=Reluctant()).frame(), expected)


def test_a_number_starts_so_many_processes_and_ends_them():
    frame = run_blocks(Threads(n=12, size=1), executor=2).frame()
    processes = set(frame.process)
    assert os.getpid() not in processes
    assert 1 <= len(processes) <= 2
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


@pytest.mark.parametrize("where", ["here", "threads", "processes"])
def test_blas_uses_one_thread_wherever_a_block_is_run(pool, where):
    with ThreadPoolExecutor(2) as threads, threadpool_limits(2, user_api="blas"):
        executor = {"here": None, "threads": threads, "processes": pool}[where]
        assert set(run_blocks(Threads(n=12, size=1), executor=executor).frame().threads) == {1}
        assert Threads().run(0).threads[0] == 2  # afterwards all is as it was


class TestChunks:
    """What goes to the workers at a time."""

    @staticmethod
    def sent(chunk, seconds_a_block=None, left=100):
        job = Toy(n=4 * left)
        with ThreadPoolExecutor(1) as executor:
            dispatch = Dispatch(job, range(left), executor, chunk=chunk, keep=InMemory(job))
        if seconds_a_block is not None:
            dispatch._seconds, dispatch._measured = seconds_a_block * 10, 10
        return dispatch._size(2)

    @pytest.mark.parametrize(("chunk", "blocks"), [(1, 1), (4, 1), (5, 2), (8, 2), (398, 100), (10**9, 100)])
    def test_a_chunk_is_rounded_up_to_whole_blocks(self, chunk, blocks):
        assert self.sent(chunk) == blocks

    @pytest.mark.parametrize(("seconds", "blocks"), [(None, 1), (0.0, 13), (0.1, 10), (0.2, 5), (0.7, 1), (60, 1)])
    def test_without_one_tasks_last_a_second_and_each_worker_gets_several(self, seconds, blocks):
        assert self.sent(None, seconds) == blocks

    def test_only_a_few_tasks_are_sent_ahead(self):
        sent = Reluctant()
        sent.submit = lambda *args: sent.sent.append(args) or Future()  # type: ignore[method-assign]
        job = Toy(n=4000)
        Dispatch(job, range(job.blocks), sent, chunk=None, keep=InMemory(job))._send()
        assert len(sent.sent) == 4


class TestWorkersDie:
    """Processes of our own are replaced, those of others are not."""

    def test_what_a_dead_process_had_is_run_again(self, pool, expected, tmp_path):
        job = Deadly(once=str(tmp_path / "died"))
        same(run_blocks(job, executor=pool, chunk=8).frame(), expected)
        assert (tmp_path / "died").exists()
        same(run_blocks(Toy(), executor=pool).frame(), expected)  # the pool has outlived it

    def test_a_block_that_kills_each_time_is_named(self, pool):
        with pytest.raises(
            MixedsimError,
            match=r"^the process that runs replicates 20 to 23 \(block 5\) dies each time, also with nothing "
            r"beside it: it needs more memory than there is, perhaps; nothing is kept \(with out=, a "
            r"folder, the same call would go on from what was done\)\.$",
        ):
            run_blocks(Deadly(), executor=pool, chunk=8)

    def test_a_foreign_pool_that_breaks_is_one_sentence(self):
        with (
            ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor,
            pytest.raises(
                MixedsimError,
                match=r"^the executor has lost the workers that ran replicates 20 to 27 \(2 blocks, from 5 to 6\) "
                r"\(BrokenProcessPool\): start another one, with more memory perhaps; nothing is kept",
            ),
        ):
            run_blocks(Deadly(), executor=executor, chunk=4)

    def test_an_executor_that_was_shut_down_is_one_sentence(self):
        executor = ThreadPoolExecutor(1)
        executor.shutdown()
        with pytest.raises(MixedsimError) as error:
            run_blocks(Toy(), executor=executor)
        assert str(error.value) == (
            "the executor takes no work (cannot schedule new futures after shutdown): open another one, and leave it "
            "open until the study is done; nothing is kept (with out=, a folder, the same call would go on from what "
            "was done)."
        )

    def test_a_cancelled_task_is_lost(self):
        class Cancels(Reluctant):
            def submit(self, fn, /, *args, **kwargs):
                future: Future = Future()
                future.cancel()
                future.set_running_or_notify_cancel()
                return future

        with pytest.raises(MixedsimError, match=r"^the executor has lost the workers .* \(CancelledError\): start"):
            run_blocks(Toy(), executor=Cancels())


class TestErrors:
    """The job's own errors come as they are."""

    @pytest.mark.parametrize("error", [MixedsimError, ZeroDivisionError])
    @pytest.mark.parametrize("where", ["here", "threads", "processes"])
    def test_an_error_of_the_job_is_not_wrapped(self, pool, where, error):
        with ThreadPoolExecutor(2) as threads, pytest.raises(error, match=r"^the moon is in the way\.$"):
            run_blocks(Failing(error=error), executor={"here": None, "threads": threads, "processes": pool}[where])

    def test_an_interrupt_cancels_what_waits(self, tmp_path):
        def interrupt(done: int, total: int) -> None:
            if done:
                raise KeyboardInterrupt

        with ThreadPoolExecutor(1) as executor, pytest.raises(KeyboardInterrupt) as stop:
            run_blocks(Slow(begun=str(tmp_path)), executor=executor, chunk=4, progress=interrupt)
        assert len(list(tmp_path.iterdir())) <= 2  # the one that is done, and one that had begun
        assert stop.value.__notes__ == [
            "Interrupted: nothing is kept (with out=, a folder, the same call would go on from what was done)."
        ]

    def test_an_interrupt_does_not_wait_for_our_own_processes(self):
        def interrupt(done: int, total: int) -> None:
            if done:
                raise KeyboardInterrupt

        begin = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            run_blocks(Napping(n=3, size=1), executor=2, progress=interrupt)
        assert time.monotonic() - begin < 20

    def test_what_cannot_travel_is_one_sentence(self, monkeypatch, pool):
        monkeypatch.setitem(sys.modules, "cloudpickle", None)
        job = Failing(error=type("Local", (Exception,), {}))
        with pytest.raises(
            MixedsimError,
            match=r"^this study cannot travel to other processes \(.*Local.*\): give functions a name in a file of "
            r"their own in place of lambda, or leave out executor=\.$",
        ):
            run_blocks(job, executor=pool)

    def test_what_a_worker_cannot_find_is_one_sentence(self, monkeypatch, pool):
        monkeypatch.setitem(sys.modules, "cloudpickle", None)
        job = InNotebook()
        monkeypatch.setattr(sys.modules["__main__"], "InNotebook", InNotebook, raising=False)
        monkeypatch.setattr(InNotebook, "__module__", "__main__")
        with pytest.raises(
            MixedsimError,
            match=r"^a worker cannot load this study \(.*InNotebook.*\): what was defined in a notebook or console "
            r"must stand in a file that workers can import, or install cloudpickle with  pip "
            r"install 'mixedsim\[scale\]'\.$",
        ):
            run_blocks(job, executor=pool)


class Napping(Slow):
    """All blocks but the first take a minute."""

    def run(self, block: int) -> pd.DataFrame:
        time.sleep(60 * (block > 0))
        return super().run(block)


class InNotebook(Toy):
    """Its module will be said to be a notebook."""


class NotAnExecutor:
    """Something else."""

    def __repr__(self) -> str:
        return "<a teapot>"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"executor": 0}, "executor must be at least 1 process, found 0."),
        (
            {"executor": NotAnExecutor()},
            "executor must be None, a number of processes or a concurrent.futures.Executor (for Dask, "
            "client.get_executor()), found <a teapot>.",
        ),
        (
            {"executor": True},
            "executor must be None, a number of processes or a concurrent.futures.Executor (for Dask, "
            "client.get_executor()), found True.",
        ),
        (
            {"executor": ThreadPoolExecutor},
            "executor must be an executor and not its class: call ThreadPoolExecutor() first.",
        ),
        ({"chunk": 0}, "chunk must be a number of replicates, at least 1, found 0."),
        ({"chunk": 2.5}, "chunk must be a number of replicates, at least 1, found 2.5."),
        ({"chunk": True}, "chunk must be a number of replicates, at least 1, found True."),
        ({"out": 3}, "out must be the name of a folder, found 3."),
        ({"resume": None}, "resume must be True or False, found None."),
        ({"progress": "yes"}, "progress must be True, False, None or a function of done and total, found 'yes'."),
    ],
    ids=lambda value: ", ".join(f"{k}={v!r}" for k, v in value.items())[:40] if isinstance(value, dict) else "",
)
def test_bad_input_is_one_sentence(options, sentence, tmp_path):
    options = {"out": tmp_path / "out", **options}
    with pytest.raises(MixedsimError, match=f"^{re.escape(sentence)}$"):
        run_blocks(Toy(), **options)
    assert list(tmp_path.iterdir()) == []  # it is said before anything is made


def test_a_script_without_a_guard_is_told_so(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from mixedsim.study.running import run_blocks\n"
        "from tests.study.toy_jobs import Toy\n"
        "run_blocks(Toy(), executor=1)\n"
    )
    ended = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, cwd=REPOSITORY, env=environment(), timeout=60
    )
    assert ended.stderr.strip().splitlines()[-1] == (
        "mixedsim.errors.MixedsimError: the worker processes cannot start: a script that uses several processes must "
        "keep what it runs under if __name__ == '__main__': (each process reads the script again), and one read from "
        "standard input cannot use them."
    )


def test_without_pyarrow_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    sentence = (
        "results go to a folder through the package pyarrow: install it with  pip install 'mixedsim[scale]', or leave "
        "out out=."
    )
    with pytest.raises(MixedsimError, match=f"^{re.escape(sentence)}$"):
        run_blocks(Toy(), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    run_blocks(Toy())  # memory needs nothing of the kind


def environment() -> dict[str, str]:
    """That of this process, with the tests to be found."""
    paths = [str(REPOSITORY), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
