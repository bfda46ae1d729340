"""How much of the machine one notebook may use, and the kernel's limits that say so to its process."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass, fields
from typing import Final

from mixedsim.errors import MixedsimError

if sys.platform != "win32":
    import resource

_SPARE: Final = 64  # the kernel's own count of processes lies this far above ours, which can say what happened


@dataclass(frozen=True)
class Limits:
    """What one notebook may use; whoever wants more is stopped, and what was answered until then counts.

    Attributes
    ----------
    seconds : for the whole notebook, by the clock on the wall.
    memory : bytes, for each process and for all that the notebook starts together.
    processes : processes and threads that run at the same time.
    file : bytes of the largest file.
    disk : bytes of all files together (only where the notebook has a disk of its own, see `walls`).
    open_files : files open at the same time, in each process.
    output : characters that the cells may print.

    Raises
    ------
    MixedsimError
        If one of them is not more than 0.

    Examples
    --------
    >>> Limits(seconds=30).memory
    2000000000
    """

    seconds: float = 120.0
    memory: int = 2_000_000_000
    processes: int = 64
    file: int = 100_000_000
    disk: int = 500_000_000
    open_files: int = 512
    output: int = 100_000_000

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not value > 0:
                raise MixedsimError(f"the limit `{one.name}` must be more than 0, found {value:g}.")


def apply(limits: Limits, *, counted_alone: bool = False) -> None:
    """Set the kernel's limits for this process and for all that it will start; they cannot be raised again.

    Parameters
    ----------
    limits : what to set; on Windows nothing of it can be.
    counted_alone : whether the kernel counts this user's processes from here on by themselves. If not, they are
        counted with everything else the user runs, and a limit would hit a desktop or spare a crowd.
    """
    if sys.platform == "win32":
        return
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: limits.file,
        resource.RLIMIT_NOFILE: limits.open_files,
        # Time by the clock is kept outside; this one ends a process that has got away.
        resource.RLIMIT_CPU: math.ceil(limits.seconds * (os.cpu_count() or 1)) + 10,
        # What is allocated, not what is mapped: libraries map gigabytes that they never touch.
        resource.RLIMIT_DATA: limits.memory,
    }
    if counted_alone:
        wanted[resource.RLIMIT_NPROC] = limits.processes + _SPARE
    for name, value in wanted.items():
        _, hard = resource.getrlimit(name)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (most, most))


def size(n_bytes: float) -> str:
    """A number of bytes for people.

    Examples
    --------
    >>> size(2_000_000_000), size(100_000_000), size(500)
    ('2 GB', '100 MB', '500 bytes')
    """
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if n_bytes >= unit:
            return f"{n_bytes / unit:.3g} {name}"
    return f"{n_bytes:.0f} bytes"
