"""The calls to the Linux kernel that separate a process from the rest, which Python itself does not offer."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
from functools import cache
from typing import Any, Final

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWIPC: Final = 0x08000000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWPID: Final = 0x20000000
CLONE_NEWNET: Final = 0x40000000

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x8, 0x1000, 0x4000, 0x40000
_MNT_DETACH: Final = 2
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 0x1, 0x2, 0x4

_PDEATHSIG, _DUMPABLE, _SUBREAPER, _NO_NEW_PRIVS, _AMBIENT, _AMBIENT_CLEAR = 1, 4, 36, 38, 47, 4
_CAPABILITY_VERSION: Final = 0x20080522

# The numbers of calls that the C library does not wrap; from 424 on they are the same on every machine.
MOUNT_SETATTR: Final = 442
_PIVOT_ROOT: Final = {"x86_64": 155, "aarch64": 41}


class Refused(OSError):
    """The kernel would not do it; the message names the call."""


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> int:
    """What the C library's function `name` returns; the text arguments are paths or names.

    Raises
    ------
    Refused
        If it fails.
    """
    given = [os.fsencode(one) if isinstance(one, str) else one for one in arguments]
    result = int(getattr(_libc(), name)(*given))
    if result < 0:
        code = ctypes.get_errno()
        shown = " ".join(one for one in arguments if isinstance(one, str))
        raise Refused(code, f"{name} {shown}".strip() + f": {os.strerror(code)}")
    return result


def syscall(number: int, *arguments: Any) -> int:
    """What the kernel's call `number` returns; whole numbers are passed as 64 bits."""
    wide = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return call("syscall", ctypes.c_long(number), *wide)


def prctl(option: int, value: int) -> None:
    """Set a property of this process."""
    call("prctl", option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))


def die_with_parent() -> None:
    """Have the kernel end this process when the one that started it ends."""
    prctl(_PDEATHSIG, signal.SIGKILL)


def shield(*, on: bool = True) -> None:
    """Close this process's memory and environment to other processes of the same user (or open them again)."""
    prctl(_DUMPABLE, 0 if on else 1)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none can slip away."""
    prctl(_SUBREAPER, 1)


def drop_privileges() -> None:
    """Give up every capability, for good: no program that is started can gain one."""
    prctl(_NO_NEW_PRIVS, 1)
    prctl(_AMBIENT, _AMBIENT_CLEAR)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    call("capset", header, (ctypes.c_uint32 * 6)())


def unshare(flags: int) -> None:
    """Leave the namespaces that are named by `flags` for new ones."""
    call("unshare", flags)


def mount(source: str, target: str, kind: str = "none", flags: int = 0, options: str = "") -> None:
    """Mount `source` at `target`."""
    call("mount", source, target, kind, ctypes.c_ulong(flags), options)


def make_readonly(path: str, *, below: bool) -> None:
    """Make the mount at `path` read-only (and those `below` it), without devices or programs that gain rights."""
    attributes = (ctypes.c_uint64 * 4)(_ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV, 0, 0, 0)
    flags = _AT_RECURSIVE if below else 0
    syscall(MOUNT_SETATTR, _AT_FDCWD, os.fsencode(path), flags, attributes, ctypes.sizeof(attributes))


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root of the file system, and put the old root at `old`."""
    number = _PIVOT_ROOT.get(platform.machine())
    if number is None:
        raise Refused(0, f"pivot_root: not known for {platform.machine()}")
    syscall(number, os.fsencode(new), os.fsencode(old))


def detach(path: str) -> None:
    """Unmount whatever is at `path`, now for new users and for good when nobody uses it."""
    call("umount2", path, _MNT_DETACH)
