"""The outside of the sandbox: runs a notebook in a process of its own, with a time limit, in a scratch folder."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import mixedsim

LARGEST_RECORD: Final = 5_000_000  # bytes of answers that are read back


@dataclass(frozen=True)
class Outcome:
    """What executing a notebook left behind.

    Attributes
    ----------
    answers : the variables that were asked for and held data when the notebook ended (or was ended).
    problem : ``""``, or one phrase such as ``"crashed: code cell 3 raised NameError: …"`` or ``"timed out: …"``.
    """

    answers: Mapping[str, Any]
    problem: str


def run_notebook(
    notebook: Mapping[str, Any],
    *,
    names: Iterable[str],
    timeout: float,
    stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Execute `notebook` and return what the variables called `names` hold afterwards.

    A cell that raises does not stop the ones after it, as in Otter: whoever fails one question can still get the
    points of the others. When the time is up the whole process group is killed; answers given until then count.

    Parameters
    ----------
    notebook : a notebook in format 4, as parsed JSON.
    names : the variables to report.
    timeout : seconds for the whole notebook.
    stopped : asked a few times a second whether to give up.

    Raises
    ------
    KeyboardInterrupt
        When `stopped` said so; nothing that the notebook started is left running.
    """
    with tempfile.TemporaryDirectory(prefix="mixedsim-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch) / "work"
        folder.mkdir()
        copy = folder / "notebook.ipynb"
        copy.write_text(json.dumps(notebook), encoding="utf-8")
        answers = Path(scratch) / "answers.json"
        command = [sys.executable, "-m", "mixedsim.classroom.execute", str(copy), str(answers), *names]
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=_environment(scratch),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            code = _wait(process, timeout=timeout, stopped=stopped)
        finally:
            _kill_group(process)
        return _outcome(answers, code=code, timeout=timeout)


def _wait(process: subprocess.Popen[bytes], *, timeout: float, stopped: Callable[[], bool]) -> int | None:
    """The process's exit code, or None when the time is up."""
    deadline = time.monotonic() + timeout
    while (left := deadline - time.monotonic()) > 0:
        if stopped():
            raise KeyboardInterrupt
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(min(left, 0.25))
    return None


def _outcome(path: Path, *, code: int | None, timeout: float) -> Outcome:
    """Read what the process wrote; nothing in that file is trusted beyond being data."""
    try:
        if path.stat().st_size > LARGEST_RECORD:
            raise ValueError("too large")
        record = json.loads(path.read_text(encoding="utf-8"))
        answers, errors, cell = dict(record["answers"]), list(record["errors"]), int(record["cell"])
        n_errors, done = int(record["n_errors"]), bool(record["done"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        answers, errors, cell, n_errors, done = {}, [], 0, 0, False
    where = f"code cell {cell}" if cell else "starting up"
    if code is None:
        return Outcome(answers, f"timed out: {where} was still running after {timeout:g} seconds")
    if not done:
        how = f"was killed by signal {-code}" if code < 0 else f"ended the process with exit code {code}"
        return Outcome(answers, f"crashed: {where} {how}")
    if errors:
        more = f" (and {n_errors - 1} more)" if n_errors > 1 else ""
        return Outcome(answers, f"crashed: {errors[0]}{more}")
    return Outcome(answers, "")


def _environment(scratch: str) -> dict[str, str]:
    """The grader's environment, with everything that could make two runs differ set the same."""
    package = str(Path(mixedsim.__file__).parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    return os.environ | {
        "PYTHONPATH": os.pathsep.join([package, inherited] if inherited else [package]),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "IPYTHONDIR": scratch,
        "TMPDIR": scratch,
        "TEMP": scratch,  # what Windows calls it
        "TMP": scratch,
        "PYTHONUTF8": "1",  # open() without an encoding reads the same on Windows
        "MPLBACKEND": "agg",  # no window ever opens
        # The pool already uses every core: more threads would only wait for each other.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started."""
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
