"""Rules that a process gives itself for good, where it gets no namespaces: Landlock for files, seccomp for calls.

Neither needs any right, so they also stand in most containers. Landlock (Linux 5.13) allows files by folder, and
keeps a process from looking into others; from 6.12 on also from sending them signals. seccomp refuses single calls.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from mixedsim.classroom.walled.kernel import Refused, call, syscall

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_READ = 1 << 0 | 1 << 2 | 1 << 3  # execute, read a file, list a folder
_OF_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15  # what can be allowed for a single file
# How many rights over files each version of Landlock knows.
_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15}
_NEWEST_RIGHTS: Final = 16
_TCP, _SCOPES = 0b11, 0b11  # bind and connect; abstract sockets and signals

_PR_SET_SECCOMP, _FILTER_MODE = 22, 2
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_X32: Final = 0x40000000  # calls of a second kind on x86-64, by which the others could be gone round


@dataclass(frozen=True)
class _Machine:
    """One kind of processor: the mark and the numbers of the calls that are refused."""

    mark: int
    socket: int
    spying: tuple[int, ...]  # ptrace, process_vm_readv, process_vm_writev


_IO_URING_SETUP: Final = 425  # opens sockets past seccomp
_MACHINES: Final = {
    "x86_64": _Machine(0xC000003E, 41, (101, 310, 311)),
    "aarch64": _Machine(0xC00000B7, 198, (117, 270, 271)),
}


def landlock_version() -> int:
    """The kernel's version of Landlock; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    try:
        return syscall(_CREATE_RULESET, None, 0, _VERSION)
    except Refused:
        return 0


def allow_files(*, readable: Iterable[str], writable: Iterable[str]) -> None:
    """Refuse this process, and all it starts, every file but those below `readable` and `writable`."""
    version = landlock_version()
    rights = (1 << _RIGHTS.get(version, _NEWEST_RIGHTS)) - 1
    attributes = struct.pack("=Q", rights)
    if version >= 4:
        attributes += struct.pack("=Q", _TCP)
    if version >= 6:
        attributes += struct.pack("=Q", _SCOPES)
    rules = syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for allowed, paths in ((_READ, readable), (rights, writable)):
            for path in paths:
                _allow(rules, path, allowed & rights)
        syscall(_RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        allowed = rights if os.path.isdir(path) else rights & _OF_FILES
        syscall(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", allowed, opened), 0)
    finally:
        os.close(opened)


def refuse_sockets() -> None:
    """Refuse this process, and all it starts, every socket (pairs of them and pipes work) and every look into others.

    Not only those of the internet: by a local socket one could ask Docker, or the desktop, to do what is refused here.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        raise Refused(0, f"seccomp: not known for {platform.machine()}")
    refused = {machine.socket: errno.ENETUNREACH, _IO_URING_SETUP: errno.ENOSYS}
    refused |= dict.fromkeys(machine.spying, errno.EPERM)
    steps = [
        (_LOAD, 0, 0, 4),  # the processor's mark
        (_EQUAL, 1, 0, machine.mark),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_LOAD, 0, 0, 0),  # the call's number
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]
    for number, code in refused.items():
        steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | code)]
    steps.append((_RETURN, 0, 0, _ALLOW))
    written = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = struct.pack("@HP", len(steps), ctypes.addressof(written))
    zero = ctypes.c_ulong(0)
    call("prctl", _PR_SET_SECCOMP, ctypes.c_ulong(_FILTER_MODE), program, zero, zero)


LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def fence_off_network() -> None:
    """Have Python's own sockets refuse to leave the machine: a fence, which other programs simply walk round.

    The loopback stays open, because Windows' event loop talks to itself through it.
    """

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.sendto"):
            address = arguments[1]
        elif event == "socket.getaddrinfo":
            address = arguments[:1]
        else:
            return
        if isinstance(address, tuple) and address and address[0] not in LOOPBACK:
            raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))

    sys.addaudithook(look)
