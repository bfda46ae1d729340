"""The one who watches: starts a notebook's process, counts what it uses, and leaves nothing of it running.

The kernel's limits hold for single processes, and some not at all for root; the warden counts all that a notebook has
started. In a world of its own it is the first process, whose end is the end of all others there; elsewhere it adopts
whoever is left behind, so that every process can be found below it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mixedsim.classroom.walled.limits import Limits

_LOOK = 0.03  # seconds between two looks at what is running
End = Literal["exit", "signal", "time", "memory", "processes", "failed"]


@dataclass(frozen=True)
class Verdict:
    """How a notebook's process ended: what did it, and with which exit code, signal or words."""

    end: End
    code: int = 0
    words: str = ""

    def say(self, line: socket.socket) -> None:
        """Send it to the outside; nobody listens any more when the outside has given up."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            line.sendall(json.dumps([self.end, self.code, self.words]).encode())


def heard(said: bytes) -> Verdict | None:
    """The verdict that was sent; None if the warden ended before it could say anything."""
    return Verdict(*json.loads(said)) if said else None


def watch(start: Callable[[], None], *, line: socket.socket, limits: Limits) -> Verdict:
    """Start a process that does what `start` says, and return how it ended; all that it started has ended too.

    Parameters
    ----------
    start : what the process does; it ends when that returns.
    line : the connection to the outside, which closes its half when it wants no more.
    limits : time, memory and processes are kept here.
    """
    if not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
        raise OSError("this kernel does not say which processes a process has started")
    pid = os.fork()
    if pid == 0:
        _leave_no_doubt(start)
    deadline = time.monotonic() + limits.seconds
    try:
        while True:
            gone, _, _ = select.select([line], [], [], _LOOK)
            if pid in (ended := reap()):
                return _by_itself(ended[pid])
            if gone or time.monotonic() > deadline:
                return Verdict("time")
            if over := _too_much(limits):
                return over
    finally:
        end_all()


def _leave_no_doubt(start: Callable[[], None]) -> None:
    """In the new process: do it and end, without anything that Python or a notebook planned for the end."""
    code = 70
    try:
        start()
        code = 0
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    finally:
        os._exit(code)


def _by_itself(status: int) -> Verdict:
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGXCPU:
        return Verdict("time")
    return Verdict("exit", code) if code >= 0 else Verdict("signal", -code)


def _too_much(limits: Limits) -> Verdict | None:
    tree = list(below(os.getpid()))
    if sum(map(_threads, tree)) > limits.processes:
        return Verdict("processes")
    # What processes share is counted in each of them: look closely only when the sum is too large.
    if sum(map(_resident, tree)) > limits.memory and sum(map(_own_share, tree)) > limits.memory:
        return Verdict("memory")
    return None


def reap() -> dict[int, int]:
    """Collect every child that has ended: by its number, how it ended."""
    found: dict[int, int] = {}
    with contextlib.suppress(ChildProcessError):
        while (child := os.waitpid(-1, os.WNOHANG))[0]:
            found.update([child])
    return found


def end_all(*, spare: frozenset[int] = frozenset()) -> set[int]:
    """End every process below this one, except those in `spare` and what is below them; return who was collected.

    First all are halted, so that none can start another while the others are ended.
    """
    if os.getpid() == 1:  # the first of a world of its own: the kernel reaches all others in one step
        _signal(-1, signal.SIGKILL)
    collected = set(reap())
    while left := list(below(os.getpid(), spare=spare)):
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in left:
                _signal(pid, number)
        collected |= reap().keys()
        time.sleep(0.001)
    return collected


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def below(pid: int, *, spare: frozenset[int] = frozenset()) -> Iterator[int]:
    """The numbers of all processes below `pid` that still run."""
    for child in _children(pid):
        if child not in spare:
            if _state(child) != "Z":
                yield child
            yield from below(child, spare=spare)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in _entries(f"/proc/{pid}/task"):
        found += map(int, _read(f"/proc/{pid}/task/{task}/children").split())
    return found


def _entries(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except (FileNotFoundError, ProcessLookupError):
        return []


def _read(path: str) -> str:
    """The text of a file in /proc; ``""`` when its process has ended meanwhile."""
    try:
        return Path(path).read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _after_name(pid: int) -> list[str]:
    """The fields of a process's state after its name, which may hold blanks and brackets itself."""
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def _state(pid: int) -> str:
    return (_after_name(pid) or ["Z"])[0]


def _threads(pid: int) -> int:
    fields = _after_name(pid)
    return int(fields[17]) if fields else 0


def _resident(pid: int) -> int:
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") if fields else 0


def _own_share(pid: int) -> int:
    """Bytes in memory, what is shared divided by those who share it; all of it where that may not be read."""
    try:
        lines = _read(f"/proc/{pid}/smaps_rollup").splitlines()
    except PermissionError:
        return _resident(pid)
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
