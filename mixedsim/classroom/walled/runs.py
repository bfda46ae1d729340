"""The outside of a run: hands an order to a process behind walls, listens to it, and sees to it that it ends."""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import matplotlib as mpl

from mixedsim.classroom.walled import kernel, separate, view
from mixedsim.classroom.walled.limits import Limits
from mixedsim.classroom.walled.order import Order, Wall
from mixedsim.classroom.walled.record import Record
from mixedsim.classroom.walled.surroundings import of_a_notebook, of_the_nursery
from mixedsim.classroom.walled.warden import Verdict, heard

_GRACE: Final = 30.0  # seconds after which the outside no longer believes that the warden will keep the time
_ASK: Final = 0.25  # seconds between two questions whether to give up
_FONTS: Final = f"{separate.SCRATCH}/home/matplotlib"


def run(
    notebook: Mapping[str, Any],
    names: Iterable[str],
    *,
    wall: Wall,
    limits: Limits,
    environment: Mapping[str, str],
    stopped: Callable[[], bool] = lambda: False,
) -> tuple[Record, Verdict | None]:
    """Execute a notebook behind `wall`; return what was reported and how it ended. Nothing of it still runs then.

    Raises
    ------
    KeyboardInterrupt
        When `stopped` said so.
    """
    with contextlib.ExitStack() as stack:
        if wall in ("namespaces", "bubblewrap"):
            folder = separate.SCRATCH  # on a disk of its own
        else:
            scratch = tempfile.TemporaryDirectory(prefix="mixedsim-", ignore_cleanup_errors=True)
            folder = os.path.realpath(stack.enter_context(scratch))
        order = Order(notebook, tuple(names), of_a_notebook(folder, environment), limits, wall, folder)
        file = stack.enter_context(tempfile.TemporaryFile())  # without a name: no other process can find it
        order.write(file)
        if wall == "limits":
            kernel.shield()
        return (_plain if wall == "plain" else _watched)(order, file, stopped)


def _watched(order: Order, file: IO[bytes], stopped: Callable[[], bool]) -> tuple[Record, Verdict | None]:
    report, theirs = os.pipe()
    line, their_line = socket.socketpair()
    given = (file.fileno(), theirs, their_line.fileno())
    with line, open(report, "rb", buffering=0) as pipe:
        try:
            process = _in_bubblewrap(given, order) if order.wall == "bubblewrap" else nursery().send(given)
        finally:
            os.close(theirs)
            their_line.close()
        try:
            return _listen(pipe, line, order, stopped)
        except TimeoutError:  # not even its warden answers
            process.kill()
            return Record(frozenset(order.names)), None
        finally:
            if order.wall == "bubblewrap":
                process.kill()
                process.wait()


def _listen(
    pipe: IO[bytes], line: socket.socket, order: Order, stopped: Callable[[], bool]
) -> tuple[Record, Verdict | None]:
    """Listen until the warden has hung up: then all that it watched has ended."""
    record, said, given_up = Record(frozenset(order.names)), b"", False
    last = time.monotonic() + order.limits.seconds + _GRACE
    waiting: list[IO[bytes] | socket.socket] = [pipe, line]
    while line in waiting:
        ready, _, _ = select.select(waiting, [], [], _ASK)
        if pipe in ready and not _fed(record, pipe):
            waiting.remove(pipe)
        if line in ready:
            more = line.recv(65536)
            said += more
            if not more:
                waiting.remove(line)
        if not given_up and (time.monotonic() > last or stopped()):
            given_up, last = True, time.monotonic() + _GRACE
            line.shutdown(socket.SHUT_WR)
        if given_up and time.monotonic() > last:
            raise TimeoutError
    while pipe in waiting and select.select([pipe], [], [], _ASK)[0] and _fed(record, pipe):
        pass
    if stopped():
        raise KeyboardInterrupt
    return record, heard(said)


def _fed(record: Record, pipe: IO[bytes]) -> bool:
    content = os.read(pipe.fileno(), 1 << 20)
    record.feed(content)
    return bool(content)


def _in_bubblewrap(given: tuple[int, int, int], order: Order) -> subprocess.Popen[bytes]:
    inside = [sys.executable, "-P", "-m", "mixedsim.classroom.walled.inside", *map(str, given)]
    environment = of_the_nursery() | {"MPLCONFIGDIR": _FONTS, "HOME": f"{separate.SCRATCH}/home"}
    return subprocess.Popen(
        [*bubblewrap(order.limits.disk), *inside],
        env=environment,
        pass_fds=given,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def bubblewrap(disk: int) -> list[str]:
    """The beginning of a command that runs the rest behind bubblewrap's walls, the same as `separate` builds.

    `disk` is in bytes, what can be written there.
    """
    shown = [part for path in view.readable() for part in _shown(path)]
    fonts = [str(file) for file in Path(mpl.get_cachedir()).glob("fontlist-*.json")]
    fonts = [part for file in fonts for part in ("--ro-bind", file, f"{_FONTS}/{os.path.basename(file)}")]
    memory = ("--perms", "1777", "--size")
    return [
        shutil.which("bwrap") or "bwrap",
        # A world within this one would give its makers rights again: no more of them.
        *("--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL"),
        *("--die-with-parent", "--as-pid-1", "--new-session"),
        *shown,
        *("--proc", "/proc", "--dev", "/dev", *memory, str(separate.SHARED), "--tmpfs", "/dev/shm"),
        *(*memory, str(disk), "--tmpfs", separate.SCRATCH, "--dir", _FONTS, *fonts, "--remount-ro", "/", "--"),
    ]


def _shown(path: str) -> tuple[str, ...]:
    real = os.path.realpath(path)
    top_link = os.path.islink(path) and os.path.dirname(path) == "/"
    return ("--symlink", real, path) if top_link else ("--ro-bind", real, path)


@dataclass
class Nursery:
    """The warm process of this one, and the connection to it."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    owner: int

    @classmethod
    def start(cls) -> Nursery:
        """Start one; it ends when this process does, because the connection is closed then."""
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "mixedsim.classroom.walled.nursery", str(theirs.fileno())],
                env=of_the_nursery(),
                pass_fds=[theirs.fileno()],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the grader, which tells the others
            )
        return cls(process, control, os.getpid())

    def send(self, files: tuple[int, int, int]) -> subprocess.Popen[bytes]:
        """Hand it an order, the pipe for the report and the line of the warden."""
        socket.send_fds(self.control, [b"order"], list(files))
        return self.process

    def close(self) -> None:
        """End it, and what it has started."""
        self.control.close()
        self.process.wait()

    @property
    def usable(self) -> bool:
        """Whether it still runs, and belongs to this process and not to one that this was forked from."""
        return self.owner == os.getpid() and self.process.poll() is None


_lock = threading.Lock()
_nursery: Nursery | None = None


def nursery() -> Nursery:
    """The warm process of this one, started when it is first needed."""
    global _nursery
    with _lock:
        if _nursery is None or not _nursery.usable:
            _close()
            _nursery = Nursery.start()
        return _nursery


@atexit.register
def _close() -> None:
    if _nursery is not None and _nursery.owner == os.getpid():
        _nursery.close()


def _plain(order: Order, file: IO[bytes], stopped: Callable[[], bool]) -> tuple[Record, Verdict | None]:
    """Without Linux: a process of its own in a session of its own, ended with that session when the time is up."""
    (work := Path(order.folder) / "work").mkdir()
    (Path(order.folder) / "home").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "mixedsim.classroom.walled.execute"],
        env={"MPLCONFIGDIR": mpl.get_configdir(), **order.environment},
        cwd=work,
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout is not None
    record = Record(frozenset(order.names))
    reader = threading.Thread(target=_feed_all, args=(record, process.stdout), daemon=True)
    reader.start()
    try:
        verdict = _wait(process, order.limits.seconds, stopped)
    finally:
        _kill_session(process)
    reader.join(_ASK)  # whoever slipped away may hold the pipe open
    return record, verdict


def _feed_all(record: Record, pipe: IO[bytes]) -> None:
    with pipe:
        while _fed(record, pipe):
            pass


def _wait(process: subprocess.Popen[bytes], seconds: float, stopped: Callable[[], bool]) -> Verdict:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if stopped():
            raise KeyboardInterrupt
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(min(left, _ASK))
            return Verdict("exit", code) if code >= 0 else Verdict("signal", -code)
    return Verdict("time")


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started, as far as that stayed in its session."""
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
