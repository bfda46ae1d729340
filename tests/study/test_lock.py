"""One run at a time in a folder."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mixedsim import MixedsimError
from mixedsim.study.lock import LOCK, Lock

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot ask for a process safely")


def write(folder: Path, *, silent: float = 0, **holder: object) -> None:
    (folder / LOCK).write_text(json.dumps(holder))
    os.utime(folder / LOCK, (time.time() - silent,) * 2)


def dead_process() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def taken(folder: Path) -> bool:
    lock = Lock(folder)
    try:
        lock.take()
    except MixedsimError:
        return False
    lock.release()
    assert not (folder / LOCK).exists()
    return True


def test_two_runs_do_not_share_a_folder(tmp_path):
    first, second = Lock(tmp_path), Lock(tmp_path)
    first.take()
    sentence = (
        f"{str(tmp_path)!r} is in use by another run (process {os.getpid()} on {socket.gethostname()}): wait for it or "
        f"choose another folder; if no such run exists, delete {str(tmp_path / LOCK)!r}."
    )
    with pytest.raises(MixedsimError, match=f"^{re.escape(sentence)}$"):
        second.take()
    first.release()
    second.take()
    second.release()


@POSIX
def test_a_dead_process_of_this_machine_holds_nothing(tmp_path):
    write(tmp_path, process=dead_process(), machine=socket.gethostname(), token="x")
    assert taken(tmp_path)


@POSIX
def test_a_living_process_of_this_machine_does(tmp_path):
    write(tmp_path, process=os.getppid(), machine=socket.gethostname(), token="x", silent=1e5)
    assert not taken(tmp_path)


def test_our_own_number_in_a_lock_that_is_not_ours_is_of_a_container_that_is_gone(tmp_path):
    write(tmp_path, process=os.getpid(), machine=socket.gethostname(), token="x")
    assert taken(tmp_path) == (sys.platform != "win32")


@pytest.mark.parametrize(("silent", "free"), [(0, False), (500, False), (700, True)])
def test_on_another_machine_it_is_the_last_sign_of_life_that_counts(tmp_path, silent, free):
    write(tmp_path, process=1, machine="elsewhere", token="x", silent=silent)
    assert taken(tmp_path) == free


@pytest.mark.parametrize(("silent", "free"), [(0, False), (700, True)])
@pytest.mark.parametrize("text", ["", "{", "[1]"])
def test_half_a_lock_is_of_a_run_that_begins_or_is_dead(tmp_path, text, silent, free):
    (tmp_path / LOCK).write_text(text)
    os.utime(tmp_path / LOCK, (time.time() - silent,) * 2)
    assert taken(tmp_path) == free


def test_a_full_disk_leaves_no_lock(tmp_path, monkeypatch):
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def opens(path: Path, mode: str, encoding: str) -> io.StringIO:
        path.touch(exist_ok=False)
        return Full()

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", opens)
        with pytest.raises(OSError, match="No space left"):
            Lock(tmp_path).take()
    assert taken(tmp_path)


def test_a_sign_of_life_is_given_now_and_then(tmp_path, monkeypatch):
    lock = Lock(tmp_path)
    lock.take()
    os.utime(tmp_path / LOCK, (0, 0))
    lock.beat()
    assert (tmp_path / LOCK).stat().st_mtime == 0  # the last one was just now
    later = time.monotonic() + 60
    monkeypatch.setattr(time, "monotonic", lambda: later)
    lock.beat()
    assert time.time() - (tmp_path / LOCK).stat().st_mtime < 10
    lock.release()


def test_a_run_that_was_taken_for_dead_leaves_the_other_ones_lock(tmp_path):
    lock = Lock(tmp_path)
    lock.take()
    write(tmp_path, process=1, machine="elsewhere", token="another")
    lock.release()
    assert json.loads((tmp_path / LOCK).read_text())["token"] == "another"
