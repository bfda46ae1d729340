"""Which walls stand on this machine between a student's notebook and everything else.

The strongest that works is taken; each is tried once, by executing a notebook behind it.

=============== ==================================================================================================
`namespaces`    Linux. A world of its own for every notebook (user, process, network and mount namespaces), from a
                warm process. No network. Of the file system only the system's programs and Python, read-only, and
                a scratch disk in memory. No process of the outside can be seen, so neither can its environment.
`bubblewrap`    Linux. The same walls, built by ``bwrap``, where only that program may build them. Python starts
                anew for each notebook: about two seconds of processor time more.
`landlock`      Linux without namespaces, as in most containers. Files by Landlock: the system's programs and Python
                can be read, nothing but the scratch folder be written. No sockets (seccomp). The memory and
                environment of other processes are closed; their names and command lines are not.
`limits`        Linux without any of these. Limits and a warden; the network is refused only within Python. The
                notebook can read and change what the grader's user can.
`plain`         macOS and Windows. A process and a scratch folder of its own, and a time limit; the network is refused
                only within Python. macOS sets limits on file size, open files and processor time; its kernel does
                not hold to a limit on memory. Windows has none of these. A process that a notebook detaches may
                survive, and the notebook can read and change what the grader's user can.
=============== ==================================================================================================

On Linux a warden counts memory, processes and time of all that a notebook has started, and ends all of it afterwards,
whatever tried to slip away. Everywhere the environment holds only a few allowed variables and never the course's
secret, and a fixed amount may be printed. What no wall here keeps out is a fault of the kernel itself: for that, and on
macOS and Windows, grade inside a container or a virtual machine, or with Otter's own Docker images.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from mixedsim.classroom.walled import kernel
from mixedsim.classroom.walled.limits import Limits
from mixedsim.classroom.walled.order import Wall
from mixedsim.classroom.walled.refusals import landlock_version
from mixedsim.classroom.walled.runs import run

_PROBE: Final = {"cells": [{"cell_type": "code", "source": "stands = 1"}], "metadata": {}, "nbformat": 4}
_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Walls:
    """What stands between a student's notebook and everything else.

    Attributes
    ----------
    wall : the kind; see the module's docstring.
    says : one sentence for the instructor.
    files, network, processes, memory : whether the kernel keeps these apart or within limits.
    """

    wall: Wall
    says: str
    files: bool
    network: bool
    processes: bool
    memory: bool

    def __str__(self) -> str:
        return self.says


_SAYS: Final[Mapping[Wall, str]] = {
    "namespaces": (
        "Each notebook runs in Linux namespaces of its own: no network, no file but Python's and its scratch disk, "
        "limits on time, memory and processes."
    ),
    "bubblewrap": (
        "Each notebook runs in bubblewrap: no network, no file but Python's and its scratch disk, limits on time, "
        "memory and processes."
    ),
    "landlock": (
        "Each notebook runs behind Landlock and seccomp: no network, no file but the system's, Python's and its "
        "scratch folder, limits on time, memory and processes."
    ),
    "limits": (
        "Each notebook has limits on time, memory and processes, but this system offers no walls: it can read and "
        "change what you can, and the network is refused only within Python. Grade inside a container or with Otter's "
        "Docker images if you do not trust who handed in."
    ),
    "plain": (
        "Each notebook has a process, a scratch folder and a time limit, but this system offers no walls: it can read "
        "and change what you can, and the network is refused only within Python. Grade on Linux, or with Otter's "
        "Docker images, if you do not trust who handed in."
    ),
}


@cache
def walls() -> Walls:
    """The strongest walls that stand on this machine; each is tried once by executing a small notebook behind it."""
    return described(next(wall for wall in _candidates() if wall == "plain" or works(wall)))


def described(wall: Wall) -> Walls:
    """The walls of one kind, whether they stand here or not.

    Examples
    --------
    >>> described("plain").network
    False
    """
    closed = wall in ("namespaces", "bubblewrap", "landlock")
    counted = wall != "plain"
    return Walls(wall, _SAYS[wall], files=closed, network=closed, processes=counted, memory=counted)


@cache
def works(wall: Wall) -> bool:
    """Whether walls of one kind stand on this machine: a small notebook is executed behind them.

    For `namespaces` and `bubblewrap` that is no question of the version alone: containers, and some distributions,
    forbid them to everybody or to most programs.
    """
    if wall == "plain":
        return True
    if sys.platform != "linux":
        return False
    if (wall == "bubblewrap" and shutil.which("bwrap") is None) or (wall == "landlock" and not landlock_version()):
        return False
    record, verdict = run(_PROBE, ("stands",), wall=wall, limits=Limits(seconds=_SECONDS), environment={})
    return verdict is not None and verdict.end == "exit" and record.answers == {"stands": 1}


def close_memory() -> None:
    """Close this process's memory and environment to other processes of the same user (Linux).

    For whoever holds a course's secret while notebooks are executed without namespaces: without it, they could read
    ``/proc/PID/environ``. The shell in which the secret was typed cannot be closed from here.
    """
    if sys.platform == "linux":
        kernel.shield()


def _candidates() -> tuple[Wall, ...]:
    return ("namespaces", "bubblewrap", "landlock", "limits", "plain")
