"""A process tree of its own for one notebook: own users, processes, network and files, all by the Linux kernel.

What bubblewrap does, done from a Python that has its libraries loaded already: starting Python anew for every
notebook would cost more than the walls. In the new world there is no network, no process but the notebook's own, and
no file but those of `view` (read-only) and a scratch disk in memory that ends with it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from mixedsim.classroom.walled import kernel, view

WORLD: Final = (
    kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC
)
SCRATCH: Final = "/tmp"
_BASE: Final = "/tmp"  # any folder that is there: what it holds is only covered in the new world
_MOST_FILES: Final = 20_000
SHARED: Final = 64_000_000  # bytes of /dev/shm


def leave() -> None:
    """Move this process into a new world in which it has every right and which reaches nothing outside.

    The process itself keeps its number; the next one that it starts is the first of the new world.
    """
    user, group = os.getuid(), os.getgid()
    kernel.unshare(WORLD)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def furnish(disk: int) -> None:
    """As the new world's first process: build its file system, `disk` bytes to write on, and shut the old one out."""
    readable = [(path, os.path.realpath(path)) for path in view.readable()]
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    # A folder in memory becomes the root and the old root lies below it, so that nothing covers what is to be shown.
    _memory(_BASE, size=1_000_000, files=100)
    os.mkdir(f"{_BASE}/old")
    os.mkdir(f"{_BASE}/new")
    kernel.pivot_root(_BASE, f"{_BASE}/old")
    os.chdir("/")
    _memory("/new", size=1_000_000, files=2000)
    # before what is shown, or it would cover a Python that lies there
    os.makedirs(f"/new{SCRATCH}", exist_ok=True)
    _memory(f"/new{SCRATCH}", size=disk, files=_MOST_FILES, mode="1777")
    for path, real in readable:
        _show(path, real)
    _devices()
    os.mkdir("/new/proc")
    kernel.mount("proc", "/new/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    # A world within this one would give its makers rights again.
    Path("/new/proc/sys/user/max_user_namespaces").write_text("0")
    os.chdir("/new")
    kernel.pivot_root(".", ".")
    kernel.detach(".")  # the old root now lies on top of the new one: take it off
    os.chdir("/")
    kernel.make_readonly("/", below=False)


def _show(path: str, real: str) -> None:
    """Make one path of the old world readable at the same place in the new one."""
    new = f"/new{path}"
    os.makedirs(os.path.dirname(new), exist_ok=True)
    if os.path.islink(f"/old{path}") and os.path.dirname(path) == "/":  # /bin, in truth /usr/bin
        os.symlink(real, new)
        return
    if os.path.isdir(f"/old{real}"):
        os.makedirs(new, exist_ok=True)
    else:
        Path(new).touch()
    kernel.mount(f"/old{real}", new, flags=kernel.MS_BIND | kernel.MS_REC)
    kernel.make_readonly(new, below=True)


def _devices() -> None:
    os.mkdir("/new/dev")
    for name in view.DEVICES:
        Path(f"/new/dev/{name}").touch()
        kernel.mount(f"/old/dev/{name}", f"/new/dev/{name}", flags=kernel.MS_BIND)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"/new/dev/{name}")
    os.symlink("/proc/self/fd", "/new/dev/fd")
    os.mkdir("/new/dev/shm")
    _memory("/new/dev/shm", size=SHARED, files=1000, mode="1777")


def _memory(path: str, *, size: int, files: int, mode: str = "0755") -> None:
    options = f"mode={mode},size={size},nr_inodes={files}"
    kernel.mount("none", path, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, options)
