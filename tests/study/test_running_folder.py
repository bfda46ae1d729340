"""Results in a folder: whatever stops a run, the same call goes on, and in the end the folder is the same."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import pytest

import mixedsim as ms
from mixedsim import MixedsimError
from mixedsim.study import store as store_module
from mixedsim.study.running import run_blocks
from mixedsim.study.workers import Processes
from tests.study.test_running import environment, same
from tests.study.toy_jobs import Deadly, Failing, Slow, Toy, contents

pytest.importorskip("pyarrow")

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four blocks a file: the 13 blocks of a toy make four files, the last of one block."""
    monkeypatch.setattr(store_module, "GROUP", 4)


@pytest.fixture(scope="module")
def pool():
    with Processes(2) as processes:
        yield processes


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_module, "GROUP", 4)
        run_blocks(Toy(), out=folder)
    return folder


@pytest.fixture
def uninterrupted(tmp_path: Path, finished: Path) -> dict[str, bytes]:
    """What a finished folder holds; a copy of it is at hand under this name."""
    shutil.copytree(finished, tmp_path / "uninterrupted")
    return contents(tmp_path / "uninterrupted")


def stops(job, out: Path, error: type[BaseException] = MixedsimError, match: str | None = None, **options) -> None:
    with pytest.raises(error, match=match):
        run_blocks(job, out=out, **options)


def counting(job: Toy, counted: list[int]) -> Toy:
    """The same job, which notes the blocks that are run (here)."""

    class Counting(type(job)):
        def run(self, block: int) -> pd.DataFrame:
            counted.append(block)
            return super().run(block)

    return Counting(**vars(job))


def test_the_folder_holds_what_memory_would(tmp_path):
    results = run_blocks(Toy(), out=str(tmp_path / "out"))
    same(results.frame(), run_blocks(Toy()).frame())
    for one, other in zip(results, run_blocks(Toy()), strict=True):
        same(one, other)
    assert sorted(contents(tmp_path / "out")) == ["_study.json", *(f"part-{k:05}.parquet" for k in range(4))]
    assert repr(results) == f"<Results of 50 replicates in 13 blocks, in '{tmp_path / 'out'}'>"


def test_other_programs_read_the_folder_as_one_table(tmp_path):
    expected = run_blocks(Toy(), out=tmp_path / "out").frame()
    read = pd.read_parquet(tmp_path / "out")
    assert read.columns.tolist() == expected.columns.tolist()
    assert read.estimate.equals(expected.estimate)
    assert read.parameter.astype(str).tolist() == expected.parameter.astype(str).tolist()
    assert read.error.isna().tolist() == expected.error.isna().tolist()


@pytest.mark.parametrize("chunk", [None, 24])
@pytest.mark.parametrize("where", ["threads", "processes"])
def test_bytes_depend_neither_on_who_works_nor_on_the_chunk(tmp_path, uninterrupted, pool, where, chunk):
    with ThreadPoolExecutor(3) as threads:
        run_blocks(Toy(), executor={"threads": threads, "processes": pool}[where], chunk=chunk, out=tmp_path / "out")
    assert contents(tmp_path / "out") == uninterrupted


def test_results_are_found_from_another_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = run_blocks(Toy(), out="out")
    monkeypatch.chdir("/")
    assert results.folder == "out"
    same(results.frame(), run_blocks(Toy()).frame())


def test_a_finished_run_is_read_and_not_repeated(tmp_path, uninterrupted):
    ran: list[int] = []
    results = run_blocks(counting(Toy(), ran), out=tmp_path / "uninterrupted")
    assert ran == []
    same(results.frame(), run_blocks(Toy()).frame())
    assert contents(tmp_path / "uninterrupted") == uninterrupted


class TestStopped:
    """An error, an interrupt, the death of workers or of the run itself."""

    def test_an_error_of_the_job_keeps_what_was_done(self, tmp_path, uninterrupted):
        stops(Failing(failing=6), tmp_path / "out", match=r"^the moon is in the way\.$")
        assert sorted(contents(tmp_path / "out")) == [
            "_study.json", "block-0000004.parquet", "block-0000005.parquet", "part-00000.parquet",
        ]  # fmt: skip
        ran: list[int] = []
        run_blocks(counting(Toy(), ran), out=tmp_path / "out")
        assert ran == [6, 7, 8, 9, 10, 11, 12]
        assert contents(tmp_path / "out") == uninterrupted

    def test_an_interrupt_leaves_a_folder_that_goes_on(self, tmp_path, uninterrupted, pool):
        def interrupt(done: int, total: int) -> None:
            if done > 20:
                raise KeyboardInterrupt

        stops(Toy(), tmp_path / "out", KeyboardInterrupt, executor=pool, progress=interrupt)
        assert "_lock.json" not in contents(tmp_path / "out")
        run_blocks(Toy(), out=tmp_path / "out")
        assert contents(tmp_path / "out") == uninterrupted

    def test_what_our_own_dead_process_had_is_run_again(self, tmp_path, uninterrupted, pool):
        run_blocks(Deadly(once=str(tmp_path / "died")), executor=pool, out=tmp_path / "out")
        assert (tmp_path / "died").exists()
        assert contents(tmp_path / "out") == uninterrupted

    def test_the_death_of_a_foreign_worker_says_what_is_safe(self, tmp_path, uninterrupted):
        out = tmp_path / "out"
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
            stops(
                Deadly(deadly=8),
                out,
                match=rf"\(BrokenProcessPool\): start another one, with more memory perhaps; 32 of 50 replicates are "
                rf"safe in {re.escape(repr(str(out)))}, and the same call goes on from them\.$",
                executor=executor,
                chunk=4,
            )
        run_blocks(Toy(), out=out)
        assert contents(out) == uninterrupted

    @pytest.mark.parametrize("executor", ["None", "2"])
    def test_a_run_that_is_killed_goes_on(self, tmp_path, monkeypatch, executor):
        monkeypatch.undo()  # the other process has groups of the usual size
        out = tmp_path / "out"
        script = tmp_path / "script.py"
        script.write_text(
            "from mixedsim.study.running import run_blocks\n"
            "from tests.study.toy_jobs import Slow\n"
            "if __name__ == '__main__':\n"
            f"    run_blocks(Slow(n=400, begun={str(tmp_path / 'begun')!r}), executor={executor}, out={str(out)!r})\n"
        )
        (tmp_path / "begun").mkdir()
        running = subprocess.Popen([sys.executable, str(script)], cwd=REPOSITORY, env=environment())
        wait_for(lambda: out.is_dir() and len(list(out.glob("block-*"))) > 5)
        running.send_signal(signal.SIGKILL)
        running.wait()
        workers = {int(path.name.split("-")[1]) for path in (tmp_path / "begun").iterdir()}
        for worker in workers:
            wait_for(lambda worker=worker: is_dead(worker))
        assert (out / "_lock.json").exists()  # of a process that is no more
        (out / ".part-00000.parquet.x1y2").write_bytes(b"PAR1 half")  # as if it had died while it wrote
        results = run_blocks(Toy(n=400), out=out)
        same(results.frame(), run_blocks(Toy(n=400)).frame())
        run_blocks(Toy(n=400), out=tmp_path / "at once")
        assert contents(out) == contents(tmp_path / "at once")


def wait_for(what: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_dead(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
        return True  # nobody has asked how it ended
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


class TestFullDisk:
    """The disk is full when the k-th file is written."""

    @pytest.mark.parametrize("good", [0, 1, 3, 4, 5, 6, 12])
    def test_it_says_what_is_safe_and_goes_on_afterwards(self, tmp_path, uninterrupted, monkeypatch, good):
        out, writes = tmp_path / "out", []

        def write_bytes(path: Path, data: bytes) -> int:
            writes.append(path)
            with path.open("wb") as file:
                if len(writes) > good:
                    file.write(data[: len(data) // 2])
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return file.write(data)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", write_bytes)
            stops(
                Toy(),
                out,
                match=rf"^cannot write to {re.escape(repr(str(out)))}: No space left on device; \d+ of 50 "
                rf"replicates are safe in {re.escape(repr(str(out)))}, and the same call goes on from them\.$",
            )
        left = contents(out)
        assert [name for name in left if name.startswith((".", "_lock"))] == []
        for name, data in left.items():
            assert uninterrupted.get(name, data) == data
        run_blocks(Toy(), out=out)
        assert contents(out) == uninterrupted

    def test_the_number_that_is_safe_is_that_of_the_files(self, tmp_path, monkeypatch):
        writes = []

        def write_bytes(path: Path, data: bytes) -> int:
            writes.append(path)
            if len(writes) > 4:  # the folder's own file, and three blocks
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            with path.open("wb") as file:
                return file.write(data)

        monkeypatch.setattr(Path, "write_bytes", write_bytes)
        stops(Toy(), tmp_path / "out", match=r"; 12 of 50 replicates are safe in ")
        ran: list[int] = []
        monkeypatch.undo()
        monkeypatch.setattr(store_module, "GROUP", 4)
        run_blocks(counting(Toy(), ran), out=tmp_path / "out")
        assert ran == list(range(3, 13))


class TestGrowth:
    """The same study with more replicates, in the folder of the shorter one."""

    @pytest.mark.parametrize(("before", "after"), [(50, 51), (50, 52), (48, 50), (3, 50), (50, 200), (64, 68)])
    def test_a_folder_grows_and_what_is_complete_is_kept(self, tmp_path, before, after):
        run_blocks(Toy(n=before), out=tmp_path / "out")
        ran: list[int] = []
        results = run_blocks(counting(Toy(n=after), ran), out=tmp_path / "out")
        assert ran == list(range(before // 4, Toy(n=after).blocks))
        same(results.frame(), run_blocks(Toy(n=after)).frame())
        run_blocks(Toy(n=after), out=tmp_path / "at once")
        assert contents(tmp_path / "out") == contents(tmp_path / "at once")

    def test_it_does_not_shrink(self, tmp_path, uninterrupted):
        out = tmp_path / "uninterrupted"
        stops(
            Toy(n=49),
            out,
            match=rf"^{re.escape(repr(str(out)))} holds a run of 50 replicates of this study, and 49 are asked "
            r"for: ask for 50 or more, or choose another folder\.$",
        )
        assert contents(out) == uninterrupted

    def test_growth_that_is_interrupted_goes_on(self, tmp_path):
        run_blocks(Toy(n=50), out=tmp_path / "out")
        stops(Failing(n=80, failing=14), tmp_path / "out")
        run_blocks(Toy(n=80), out=tmp_path / "out")
        run_blocks(Toy(n=80), out=tmp_path / "at once")
        assert contents(tmp_path / "out") == contents(tmp_path / "at once")


class TestRefused:
    """Folders that are not this study's, and are left as they are."""

    def refused(self, out: Path, sentence: str, job: Toy | None = None, **options) -> None:
        before = contents(out) if out.is_dir() else None
        stops(job or Toy(), out, match=f"^{re.escape(sentence)}$", **options)
        assert (contents(out) if out.is_dir() else None) == before

    def test_another_study(self, tmp_path, uninterrupted):
        out = tmp_path / "uninterrupted"
        here, other = (store_module._hash(job)[:8] for job in (Toy(), Toy(seed=2)))
        self.refused(
            out,
            f"{str(out)!r} holds the results of another study (its hash is {here}…, this one's is {other}…): choose "
            "another folder.",
            Toy(seed=2),
        )

    def test_resume_false(self, tmp_path, uninterrupted):
        out = tmp_path / "uninterrupted"
        self.refused(
            out,
            f"{str(out)!r} holds results already and resume is False: choose another folder, delete this one, or leave "
            "out resume=False to go on from them.",
            resume=False,
        )

    @pytest.mark.parametrize("name", ["notes.txt", "part-1.parquet", "part-00001.csv"])
    @pytest.mark.parametrize("where", ["new", "uninterrupted"])
    def test_a_foreign_file(self, tmp_path, uninterrupted, name, where):
        (tmp_path / "new").mkdir()
        out = tmp_path / where
        (out / name).write_text("precious")
        self.refused(
            out,
            f"{str(out)!r} holds {name!r}, which no study wrote: choose an empty folder, or one with results of this "
            "study and nothing else.",
        )

    def test_a_foreign_parquet_file_of_the_same_name(self, tmp_path):
        out = tmp_path / "out"
        out.mkdir()
        pd.DataFrame({"x": [1]}).to_parquet(out / "part-00001.parquet")
        sentence = (
            f"{str(out)!r} holds 'part-00001.parquet', which does not belong to this study: move it elsewhere, or "
            "choose another folder."
        )
        self.refused(out, sentence)

    def test_a_part_of_another_study(self, tmp_path, uninterrupted):
        run_blocks(Toy(seed=2), out=tmp_path / "other")
        out = tmp_path / "uninterrupted"
        shutil.copy(tmp_path / "other" / "part-00001.parquet", out)
        self.refused(
            out,
            f"{str(out)!r} holds 'part-00001.parquet', which does not belong to this study: move it elsewhere, or "
            "choose another folder.",
        )

    def test_a_file(self, tmp_path):
        (tmp_path / "out").write_text("precious")
        self.refused(tmp_path / "out", f"out={str(tmp_path / 'out')!r} is a file: name a folder.")

    def test_a_folder_that_cannot_be_made(self, tmp_path):
        out = tmp_path / "no" / "out"
        self.refused(out, f"cannot make the folder {str(out)!r}: there is no folder {str(out.parent)!r}.")

    @pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
    def test_a_folder_that_cannot_be_used(self, tmp_path, monkeypatch):
        def refuses(path: Path, *_: object, **__: object) -> None:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr(Path, "mkdir", refuses)
        self.refused(tmp_path / "out", f"cannot use the folder {str(tmp_path / 'out')!r}: Permission denied.")

    def test_a_hidden_file_does_no_harm(self, tmp_path, uninterrupted):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / ".DS_Store").write_text("x")
        run_blocks(Toy(), out=tmp_path / "out", resume=False)
        assert contents(tmp_path / "out") == {".DS_Store": b"x", **uninterrupted}


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def empty(data: bytes) -> bytes:
    return b""


def altered(data: bytes) -> bytes:
    place = len(data) // 8  # among the first pages
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def text(data: bytes) -> bytes:
    return b"a friendly letter"


class TestDamage:
    """Files that are cut off or altered are noticed, and their replicates run again."""

    @pytest.mark.parametrize("damage", [cut, empty, altered, text])
    def test_a_damaged_part_is_run_again(self, tmp_path, uninterrupted, damage):
        out = tmp_path / "uninterrupted"
        path = out / "part-00002.parquet"
        path.write_bytes(damage(path.read_bytes()))
        ran: list[int] = []
        with pytest.warns(
            UserWarning, match=rf"^{re.escape(repr(str(path)))} is damaged \(.+\): its replicates are run again\.$"
        ):
            run_blocks(counting(Toy(), ran), out=out)
        assert ran == [8, 9, 10, 11]
        assert contents(out) == uninterrupted

    def test_a_damaged_block_of_an_unfinished_run_is_run_again(self, tmp_path, uninterrupted):
        out = tmp_path / "out"
        stops(Failing(failing=6), out)
        (out / "block-0000005.parquet").write_bytes(b"PAR1")
        ran: list[int] = []
        with pytest.warns(UserWarning, match=r"block-0000005.parquet' is damaged"):
            run_blocks(counting(Toy(), ran), out=out)
        assert ran == list(range(5, 13))
        assert contents(out) == uninterrupted

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"study": 3}', None])
    def test_a_damaged_description_is_written_anew(self, tmp_path, uninterrupted, text):
        path = tmp_path / "uninterrupted" / "_study.json"
        path.unlink()
        if text is not None:
            path.write_text(text)
        run_blocks(Toy(), out=tmp_path / "uninterrupted")
        assert contents(tmp_path / "uninterrupted") == uninterrupted

    def test_damage_after_the_run_is_an_error_of_reading(self, tmp_path):
        results = run_blocks(Toy(), out=tmp_path / "out")
        path = tmp_path / "out" / "part-00001.parquet"
        path.write_bytes(path.read_bytes()[:-9])
        with pytest.raises(MixedsimError, match=rf"^cannot read {re.escape(repr(str(path)))}: .+\.$"):
            results.frame()
        shutil.rmtree(tmp_path / "out")
        with pytest.raises(MixedsimError, match=rf"^cannot read {re.escape(repr(str(path)))}: .+\.$"):
            results[5]


def test_memory_is_bounded_by_what_is_under_way(tmp_path):
    """Of 100 blocks no more than a few are alive at the same time."""
    import gc
    import weakref

    alive: list[weakref.ref] = []
    most = 0

    class Watched(Toy):
        def run(self, block: int) -> pd.DataFrame:
            nonlocal most
            frame = super().run(block)
            alive.append(weakref.ref(frame))
            gc.collect(0)
            most = max(most, sum(one() is not None for one in alive))
            return frame

    results = run_blocks(Watched(n=400), out=tmp_path / "out")
    assert most <= 3
    assert sum(len(frame) for frame in results) == 800


def test_the_description_says_what_the_folder_is_for(tmp_path):
    run_blocks(Toy(), out=tmp_path / "out")
    assert json.loads((tmp_path / "out" / "_study.json").read_text()) == {
        "format": 1, "study": store_module._hash(Toy()), "blocks": 13, "replicates": 50,
    }  # fmt: skip


def test_the_bar_begins_with_what_is_there(tmp_path):
    stops(Failing(failing=6), tmp_path / "out")
    told: list[tuple[int, int]] = []
    run_blocks(Slow(seconds=0), out=tmp_path / "out", progress=lambda *numbers: told.append(numbers))
    assert told == [(24, 50), (28, 50), (32, 50), (36, 50), (40, 50), (44, 50), (48, 50), (50, 50)]


def test_a_study_is_the_same_in_memory_in_processes_and_in_a_folder(tmp_path, pool):
    def study(**how) -> pd.DataFrame:
        clinic = ms.scenarios.therapist_confounder(therapists=30, patients=8)
        analyses = {"naive": "anxiety ~ depression", "mixed": "anxiety ~ depression + (1 | therapist)"}
        return ms.study(clinic, analyses, n=550, seed=1, **how).replicates

    expected = study()
    same(study(executor=pool), expected)
    same(study(executor=pool, out=tmp_path / "processes"), expected)
    same(study(out=tmp_path / "here"), expected)
    assert contents(tmp_path / "processes") == contents(tmp_path / "here")
