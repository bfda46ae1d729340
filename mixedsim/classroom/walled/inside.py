"""In a process of its own: goes behind the walls, and only then executes the notebook.

Three processes belong to a run in a new world: one that stays outside and whose end says that all has ended, the
warden, who is the first inside, and the notebook's own. Elsewhere the warden is the first of two.
"""

from __future__ import annotations

import json
import os
import platform
import re
import socket
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

from mixedsim.classroom.walled import kernel, limits, refusals, separate, view
from mixedsim.classroom.walled.execute import Report, execute
from mixedsim.classroom.walled.order import Order, read
from mixedsim.classroom.walled.warden import Verdict, watch


def carry_out(order: int, report: int, line: int) -> None:
    """Execute an order and say how it ended; the process ends with it. The three are numbers of open files."""
    kernel.die_with_parent()
    said = socket.socket(fileno=line)
    code = 1
    try:
        with open(order, "rb") as file:
            given = read(file)
        if given.wall == "namespaces":
            _in_a_new_world(given, report=report, line=said)
        else:
            kernel.adopt_orphans()
            _watched(given, report=report, line=said)
        code = 0
    except OSError as error:  # among them what the kernel refused
        Verdict("failed", words=str(error)).say(said)
    finally:
        os._exit(code)


def _in_a_new_world(order: Order, *, report: int, line: socket.socket) -> None:
    """Leave the old world; this process stays until the new one has ended, so that its own end says so."""
    kernel.shield(on=False)  # or the kernel would not let it say who its users are
    separate.leave()
    pid = os.fork()
    if pid:
        os.close(report)
        os.waitpid(pid, 0)
        return
    kernel.die_with_parent()
    separate.furnish(order.limits.disk)
    _watched(order, report=report, line=line)


def _watched(order: Order, *, report: int, line: socket.socket) -> None:
    kernel.shield()  # nobody inside may look into the warden, or halt it as a debugger would
    verdict = watch(partial(_as_student, order, report=report, line=line), line=line, limits=order.limits)
    verdict.say(line)


def _as_student(order: Order, *, report: int, line: socket.socket) -> None:
    """In the notebook's own process: go behind the walls, and only then execute the notebook."""
    line.close()
    kernel.shield(on=False)  # the warden must be able to see which memory it shares with others
    os.setsid()
    os.umask(0o077)
    _no_input_no_output()
    os.environ.clear()
    os.environ.update(order.environment)
    folder = Path(order.folder)
    for name in ("work", "home"):
        (folder / name).mkdir(exist_ok=True)
    os.chdir(folder / "work")
    Path("notebook.ipynb").write_text(json.dumps(order.notebook), encoding="utf-8")
    with suppress(OSError):  # when memory runs out, the kernel shall end this one and not the grader
        Path("/proc/self/oom_score_adj").write_text("1000")
    limits.apply(order.limits, counted_alone=order.wall == "namespaces" and _counts_alone())
    kernel.drop_privileges()
    if order.wall == "landlock":
        writable = [order.folder, *(f"/dev/{name}" for name in view.DEVICES)]
        refusals.allow_files(readable=[*view.readable(), "/proc"], writable=writable)
        refusals.refuse_sockets()
    if order.wall == "limits":
        refusals.fence_off_network()
    execute(order.notebook, order.names, Report(os.fdopen(report, "wb")), output=order.limits.output)


def _no_input_no_output() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.close(nothing)


def _counts_alone() -> bool:
    """Whether the kernel counts a user's processes in each world for itself; it never counts those of root."""
    version = re.match(r"(\d+)\.(\d+)", platform.release())
    return os.getuid() != 0 and version is not None and tuple(map(int, version.groups())) >= (5, 14)


if __name__ == "__main__":  # behind bubblewrap's walls, which nobody can enter with what they have loaded
    carry_out(*map(int, sys.argv[1:]))
