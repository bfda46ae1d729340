"""A real Dask cluster of processes: the same bytes, also when a worker is killed in mid-run."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any

import pytest

from mixedsim import MixedsimError
from mixedsim.study.running import run_blocks
from mixedsim.study.workers import width_of
from tests.study.test_running import same
from tests.study.toy_jobs import Deadly, Failing, Slow, Threads, Toy, contents

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def client(cluster: Any) -> Iterator[Any]:
    with distributed.Client(cluster) as client:
        yield client


@pytest.fixture(params=["client", "executor"])
def executor(client: Any, request: pytest.FixtureRequest) -> Any:
    return client if request.param == "client" else client.get_executor()


def test_frames_are_those_of_one_process(executor):
    same(run_blocks(Toy(), executor=executor).frame(), run_blocks(Toy()).frame())


@pytest.mark.parametrize("chunk", [None, 4, 20])
def test_the_folder_is_that_of_one_process(tmp_path, client, chunk):
    run_blocks(Toy(), executor=client, chunk=chunk, out=tmp_path / "cluster")
    run_blocks(Toy(), out=tmp_path / "here")
    assert contents(tmp_path / "cluster") == contents(tmp_path / "here")


def test_the_work_is_done_by_its_workers_on_one_thread_each(client):
    frame = run_blocks(Threads(n=8, size=1), executor=client).frame()
    assert set(frame.process) <= set(client.run(os.getpid).values())
    assert set(frame.threads) == {1}


def test_all_threads_of_all_workers_are_counted(client):
    assert width_of(client.get_executor()) == 2


def test_a_function_of_a_notebook_travels(client, monkeypatch):
    class InNotebook(Toy):
        pass

    same(run_blocks(InNotebook(), executor=client).frame(), run_blocks(Toy()).frame())


def test_a_worker_is_killed_and_nothing_is_lost(tmp_path, client):
    """Both workers were at it, one of them was killed while it worked, and Dask gave its tasks to others."""
    begun = tmp_path / "begun"
    begun.mkdir()
    killed: list[int] = []

    def kill(done: int, total: int) -> None:
        workers = {int(path.name.split("-")[1]) for path in begun.iterdir()}
        if not killed and len(workers) == 2 and 0 < done < total / 2:
            killed.append(min(workers))
            os.kill(killed[0], signal.SIGKILL)

    job = Slow(n=120, begun=str(begun), seconds=0.05)
    run_blocks(job, executor=client, chunk=4, out=tmp_path / "cluster", progress=kill)
    assert killed
    run_blocks(Toy(n=120), out=tmp_path / "here")
    assert contents(tmp_path / "cluster") == contents(tmp_path / "here")


def test_an_error_of_the_job_is_not_wrapped(tmp_path, client):
    with pytest.raises(MixedsimError, match=r"^the moon is in the way\.$"):
        run_blocks(Failing(failing=6), executor=client, chunk=4, out=tmp_path / "out")
    run_blocks(Toy(), executor=client, out=tmp_path / "out")
    run_blocks(Toy(), out=tmp_path / "here")
    assert contents(tmp_path / "out") == contents(tmp_path / "here")


def test_a_block_that_kills_its_workers_again_and_again_is_told(tmp_path, client):
    """Dask tries it a few times by itself."""
    out = tmp_path / "out"
    with (
        pytest.raises(
            MixedsimError,
            match=r"^the executor has lost the workers that ran replicates \d+ to \d+ \(.*block.*\) \(KilledWorker\): "
            r"start another one, with more memory perhaps; \d+ of 50 replicates are safe in '.*out', and the "
            r"same call goes on from them\.$",
        ),
    ):
        run_blocks(Deadly(deadly=6), executor=client, chunk=4, out=out)
    run_blocks(Toy(), out=out)
    run_blocks(Toy(), out=tmp_path / "here")
    assert contents(out) == contents(tmp_path / "here")


def test_a_client_that_is_closed_is_one_sentence(cluster):
    with distributed.Client(cluster) as other:
        executor: Executor = other.get_executor()
    with pytest.raises(MixedsimError, match=r"^the executor has lost its workers \(\w+\): start another one"):
        run_blocks(Toy(), executor=executor)


def test_a_client_that_is_closed_in_mid_run_is_one_sentence(cluster, tmp_path):
    other = distributed.Client(cluster)

    def close(done: int, total: int) -> None:
        if 0 < done < total / 2:
            other.close()

    with pytest.raises(
        MixedsimError, match=r"^the executor has lost .*; \d+ of 80 replicates are safe in '.*out', and "
    ):
        run_blocks(Slow(n=80), executor=other, chunk=4, out=tmp_path / "out", progress=close)
