"""One run at a time in a folder: a file says who is in it, and a file that a dead run left behind is recognised.

Two runs in one folder would do no harm beyond doing everything twice, since both write the same bytes and every file
appears whole. So this is a courtesy, and it may be simple: it needs no lock of the operating system, which many file
systems of clusters do not have.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
import uuid
from pathlib import Path
from typing import Any, Final

from mixedsim.errors import MixedsimError

LOCK: Final = "_lock.json"
_BEAT = 30.0  # seconds between signs of life
_SILENCE = 600.0  # after so many seconds without one, a run on another machine counts as dead

_held: set[str] = set()  # tokens of this process's own locks


class Lock:
    """Holds a folder for one run. Use `take` and `release`, and `beat` now and then in between."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOCK
        self._token = uuid.uuid4().hex
        self._beaten = time.monotonic()

    def take(self) -> None:
        """Take the folder; `MixedsimError` if a run that may be alive has it."""
        text = json.dumps({"process": os.getpid(), "machine": socket.gethostname(), "token": self._token})
        try:
            self._create(text)
        except FileExistsError:
            self._refuse_if_alive()
            self.path.unlink(missing_ok=True)
            try:
                self._create(text)
            except FileExistsError:  # somebody else saw the same dead lock, and was faster
                self._refuse_if_alive()
                raise
        _held.add(self._token)

    def beat(self) -> None:
        """Give a sign of life, if the last one is some time ago."""
        if time.monotonic() - self._beaten >= _BEAT:
            self.path.touch()
            self._beaten = time.monotonic()

    def release(self) -> None:
        """Leave the folder to others."""
        _held.discard(self._token)
        with contextlib.suppress(FileNotFoundError):
            if self._token in self.path.read_text(encoding="utf-8"):  # else another run took us for dead
                self.path.unlink()

    def _create(self, text: str) -> None:
        with self.path.open("x", encoding="utf-8") as file:
            try:
                file.write(text)
                file.flush()
            except OSError:  # a full disk must not leave a lock that nobody holds
                self.path.unlink()
                raise

    def _refuse_if_alive(self) -> None:
        try:
            silent = time.time() - self.path.stat().st_mtime
            holder = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:  # it was released just now
            return
        except ValueError:
            holder = None
        if not isinstance(holder, dict):  # written half: its run is dead, or has just begun
            holder = {}
        if _is_alive(holder, silent):
            who = f"process {holder.get('process', '?')} on {holder.get('machine', 'an unknown machine')}"
            raise MixedsimError(
                f"{str(self.path.parent)!r} is in use by another run ({who}): wait for it or choose another folder; "
                f"if no such run exists, delete {str(self.path)!r}."
            )


def _is_alive(holder: dict[str, Any], silent: float) -> bool:
    """Whether the run that wrote a lock may be alive.

    On this machine a process of its number exists (one with our own number that is not ours belongs to a container
    that was here before); on another machine it has given a sign of life not long ago.
    """
    process = holder.get("process")
    if holder.get("machine") != socket.gethostname() or not isinstance(process, int) or sys.platform == "win32":
        return silent < _SILENCE  # Windows cannot ask for a process without the risk of ending it
    if process == os.getpid():
        return holder.get("token") in _held
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
