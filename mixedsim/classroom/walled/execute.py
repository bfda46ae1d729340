"""The inside of the sandbox: executes one notebook and reports what its variables hold.

This process runs the student's code and therefore knows nothing: no hidden test, no right answer and no secret is in
its memory or its folder. What it reports is data in JSON, never objects, through a pipe that no program it starts
inherits. The student's code can get at the pipe all the same, because it lives in the same process: a forged report
is no more than another way to type an answer, since answers are compared with what the grader computes by itself.

IPython's shell runs the cells (magics, ``!``, top-level ``await`` work as in Jupyter) without Jupyter's kernel: no
second process to start and to clean up, no network port, about a second less for each notebook.
"""

from __future__ import annotations

import errno
import io
import json
import os
import socket
import sys
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import IO, Any, Final, Literal

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from mixedsim.classroom.walled.limits import apply
from mixedsim.classroom.walled.order import read
from mixedsim.classroom.walled.refusals import fence_off_network

LONGEST_ANSWER: Final = 100_000  # characters of JSON; no exercise asks for more
LONGEST_ERROR: Final = 200
_ABSENT: Final = object()
# Kept, because a notebook may put something else in place of json.dumps.
_written, _read = json.JSONEncoder().encode, json.JSONDecoder().decode

# What an error says about the wall that it ran into; "" for the notebook's own errors.
Wall = Literal["", "memory", "processes", "file", "disk", "network", "outside", "output"]
_BY_NUMBER: Final[Mapping[int, Wall]] = {
    errno.EFBIG: "file",
    errno.ENOSPC: "disk",
    errno.EROFS: "outside",
    errno.ENETUNREACH: "network",
    errno.EAGAIN: "processes",
    errno.ENOMEM: "memory",
}


@dataclass
class Report:
    """The pipe to the outside; every line is one fact."""

    pipe: IO[bytes]

    def say(self, **fact: Any) -> None:
        """Send one fact."""
        self.pipe.write(_written(fact).encode() + b"\n")
        self.pipe.flush()  # the process may be killed at any moment


def execute(notebook: Mapping[str, Any], names: Iterable[str], report: Report, *, output: int) -> None:
    """Execute every code cell; report the answers before each cell in which they changed, and after the last.

    Parameters
    ----------
    notebook : in format 4, as parsed JSON.
    names : the variables to report.
    report : where to.
    output : characters that the cells may print together; the process ends when they print more.
    """
    _silence_checks()
    sys.stdout = sys.stderr = _Counting(output, report)
    shell, wanted, said = _new_shell(), frozenset(names), ""
    for number, source in enumerate(code_cells(notebook), start=1):
        report.say(cell=number)
        result = shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            report.say(error=f"code cell {number} raised {_one_line(error)}", cell=number, wall=_wall(error))
        answers = _collect(shell.user_ns, wanted)
        if (text := repr(answers)) != said:
            report.say(answers=answers)
            said = text
    report.say(done=True)


class _Counting(io.TextIOBase):
    """Where the cells print to: counts, and keeps nothing."""

    encoding = "utf-8"

    def __init__(self, most: int, report: Report) -> None:
        self.left, self.report, self.pid = most, report, os.getpid()

    def writable(self) -> bool:
        """Always."""
        return True

    def fileno(self) -> int:
        """The standard output, which leads nowhere."""
        return 1

    def write(self, text: str) -> int:
        """Count `text`."""
        self.left -= len(text)
        if self.left < 0 and os.getpid() == self.pid:
            self.report.say(wall="output")
            os._exit(0)
        return len(text)


def _wall(error: BaseException) -> Wall:
    """Which wall an error speaks of, if any; libraries wrap what the system said in errors of their own."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError):
            return "memory"
        if isinstance(seen, socket.gaierror):
            return "network"
        if isinstance(seen, OSError) and seen.errno is not None and seen.errno in _BY_NUMBER:
            return _BY_NUMBER[seen.errno]
        if isinstance(seen, RuntimeError) and "can't start new thread" in str(seen):
            return "processes"
        seen = seen.__cause__ or seen.__context__
    return ""


def code_cells(notebook: Mapping[str, Any]) -> list[str]:
    """Sources of the code cells of a notebook in format 4, each as one text."""
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def plain(value: Any, *, depth: int = 4) -> Any:
    """`value` as JSON knows it: numbers, text, lists and dictionaries; an absent mark for anything else.

    NumPy's scalars become numbers, arrays and Series with one value become that value, other arrays lists, Series
    dictionaries. The three dots of an unanswered question become None.
    """
    if value is ...:
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value  # numpy.float64 is a float; JSON makes it one
    if isinstance(value, Real):
        return float(value)
    if depth == 0:
        return _ABSENT
    if getattr(value, "size", None) == 1 and hasattr(value, "item"):
        return plain(value.item(), depth=depth - 1)
    if isinstance(value, (list, tuple)):
        return _all_present([plain(item, depth=depth - 1) for item in value])
    if isinstance(value, dict):
        items = {str(key): plain(item, depth=depth - 1) for key, item in value.items()}
        return items if _ABSENT not in items.values() else _ABSENT
    if hasattr(value, "to_dict") and getattr(value, "ndim", 0) == 1:
        return plain(value.to_dict(), depth=depth - 1)
    if hasattr(value, "tolist"):
        return plain(value.tolist(), depth=depth - 1)
    return _ABSENT


def _all_present(items: list[Any]) -> Any:
    return _ABSENT if any(item is _ABSENT for item in items) else items


def _collect(namespace: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """The variables called `names` as plain data; those that are unset, too long or no data are left out."""
    answers = {}
    for name in sorted(namespace.keys() & names):
        try:
            value = plain(namespace[name])
            if value is not _ABSENT and len(text := _written(value)) <= LONGEST_ANSWER:
                answers[name] = _read(text)  # without classes of the student's own
        except Exception:  # whatever a student's object does when it is asked, it is no answer
            continue
    return answers


def _one_line(error: BaseException) -> str:
    said = error.msg if isinstance(error, SyntaxError) else error  # without the cell's made-up file name
    text = f"{type(error).__name__}: {said}".strip().removesuffix(":")
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_ERROR else text[: LONGEST_ERROR - 1] + "…"


def _silence_checks() -> None:
    """Make ``grader.check(...)`` do nothing: visible checks are for the student, grading happens elsewhere."""

    class Notebook:
        def __init__(self, *_: Any, **__: Any) -> None: ...

        def __getattr__(self, name: str) -> Any:
            return lambda *_, **__: None

    otter = types.ModuleType("otter")
    otter.Notebook = Notebook  # type: ignore[attr-defined]
    sys.modules["otter"] = otter


class _Shell(InteractiveShell):
    """IPython's shell without a window system: ``%matplotlib`` of any kind works and opens nothing.

    There is nobody to leave either: ``exit()`` and ``quit()`` do nothing, and the cells after them are executed.
    """

    def enable_gui(self, gui: Any = None) -> None:
        """Do nothing."""

    def enable_matplotlib(self, gui: Any = None) -> tuple[str, str]:
        """Do nothing: ``MPLBACKEND`` has chosen, and ``%matplotlib widget`` would ask for a package of its own."""
        return "agg", "agg"

    def ask_exit(self) -> None:
        """Do nothing."""

    def system(self, cmd: str) -> None:
        """Run a ``!`` command without the terminal that IPython would open for it."""
        self.system_raw(cmd)  # type: ignore[no-untyped-call]


def _new_shell() -> Any:  # the methods of IPython's shell are not annotated
    settings = Config()
    settings.HistoryManager.enabled = False
    return _Shell.instance(config=settings)


def main() -> None:
    """Execute the order that comes through the standard input, where no warden can watch; report to the output."""
    with open(0, "rb", closefd=False) as file:
        order = read(file)
    report = Report(os.fdopen(os.dup(1), "wb"))
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    Path("notebook.ipynb").write_text(json.dumps(order.notebook), encoding="utf-8")
    apply(order.limits)
    fence_off_network()
    execute(order.notebook, order.names, report, output=order.limits.output)
    os._exit(0)  # nothing that the notebook planned for the end is done


if __name__ == "__main__":
    main()
