"""Grades what students handed in: one row a notebook, whatever was in it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Final

import pandas as pd
from tqdm import tqdm

from mixedsim.classroom.sandbox import run_notebook
from mixedsim.classroom.score import Autograder, built, load
from mixedsim.classroom.seeds import student_id
from mixedsim.classroom.submissions import Submission, Unreadable, find
from mixedsim.errors import MixedsimError

EXERCISES: Final = Path("_build/exercises")
TIMEOUT: Final = 120.0
MOST_JOBS: Final = 61  # Windows cannot wait for more processes at a time


@dataclass(frozen=True)
class Row:
    """One row of the gradebook.

    Attributes
    ----------
    file, assignment, student : whose answers to what; ``""`` where that could not be found out.
    points : by question; empty where the assignment is unknown.
    maximum : the points that the assignment is worth.
    status : ``"graded"``, or what happened (``"crashed: …"``, ``"timed out: …"``, ``"unreadable: …"``).
    """

    file: str
    assignment: str = ""
    student: str = ""
    points: dict[str, float] = field(default_factory=dict)
    maximum: float = 0.0
    status: str = "graded"

    def cells(self) -> dict[str, Any]:
        """The row as the gradebook's columns."""
        head = {"file": _as_text(self.file), "assignment": self.assignment, "student": _as_text(self.student)}
        tail = {"total": sum(self.points.values()), "max": self.maximum, "status": _as_text(self.status)}
        return head | self.points | tail


@dataclass(frozen=True)
class Grader:
    """What a worker needs to turn one submission into one row; small, because it travels to every worker."""

    exercises: Path
    timeout: float

    def __call__(self, submission: Submission) -> Row:
        """The row of one submission; never raises for anything that a student could hand in."""
        try:
            notebook = submission.read()
            autograder = load(self.exercises, self._assignment(notebook))
        except (Unreadable, MixedsimError) as error:
            return Row(submission.name, status=f"unreadable: {error}")
        return grade_notebook(notebook, autograder, name=submission.name, timeout=self.timeout)

    def _assignment(self, notebook: dict[str, Any]) -> str:
        """Which assignment a notebook answers: its metadata say so, unless an editor has dropped them."""
        metadata = notebook.get("metadata")
        otter = metadata.get("otter") if isinstance(metadata, dict) else None
        named = otter.get("assignment_name") if isinstance(otter, dict) else None
        known = built(self.exercises)
        if named is None and len(known) == 1:
            return known[0]
        if named not in known:
            found = "it names no assignment" if named is None else f"it answers {str(named)[:40]!r}"
            raise Unreadable(f"{found}; built are {', '.join(known)}")
        return str(named)


def grade_notebook(notebook: dict[str, Any], autograder: Autograder, *, name: str, timeout: float) -> Row:
    """Execute one notebook and score its answers against data drawn again from the student's id."""
    outcome = run_notebook(notebook, names=autograder.variables, timeout=timeout, stopped=_stopped)
    answers = dict(outcome.answers)
    points, status = dict.fromkeys(autograder.points, 0.0), outcome.problem or "graded"
    student = ""
    try:
        student = student_id(answers.get("student"))
    except MixedsimError as error:
        # Without an id the data cannot be drawn; a notebook that broke before it named one says how it broke.
        if "student" in answers or not outcome.problem:
            status = f"no student id: {error}"
    else:
        points = {verdict.question: verdict.points for verdict in autograder.mark(answers, student)}
    return Row(name, autograder.assignment, student, points, sum(autograder.points.values()), status)


def grade(
    submissions: Path | str,
    *,
    exercises: Path | str = EXERCISES,
    jobs: int | None = None,
    timeout: float = TIMEOUT,
    progress: bool = False,
) -> pd.DataFrame:
    """A data frame with one row for each notebook in `submissions`, ordered by file name.

    Columns: ``file, assignment, student``, one for each question with its points, ``total, max, status``. Every
    notebook is executed in a process and a scratch folder of its own; what it printed or stored is not believed.
    Notebooks that answer the same assignment under the same id keep their points, and their status names each other.

    Parameters
    ----------
    submissions : a notebook, a zip archive, or a folder with any of these.
    exercises : the folder that ``mixedsim exercises build`` has filled.
    jobs : notebooks graded at the same time; by default as many as there are cores.
    timeout : seconds that each notebook may take.
    progress : whether to show a progress bar on stderr when it takes longer than a second.

    Raises
    ------
    MixedsimError
        If nothing was handed in, or nothing was built.
    """
    found, exercises = find(Path(submissions)), Path(exercises).absolute()
    if not built(exercises):
        raise MixedsimError(
            f"no exercise is built in {str(exercises)!r}: "
            "run `mixedsim exercises build` first, or say with --exercises where it was built."
        )
    if jobs is not None and jobs < 1:
        raise MixedsimError(f"jobs must be at least 1, found {jobs}.")
    if not timeout > 0:
        raise MixedsimError(f"timeout must be more than 0 seconds, found {timeout:g}.")
    grader = Grader(exercises, timeout)
    n_jobs = min(jobs or _cores(), len(found), MOST_JOBS)
    rows = _serially(grader, found) if n_jobs == 1 else _in_parallel(grader, found, n_jobs)
    shown = tqdm(
        rows, total=len(found), desc="grading", unit="notebook", delay=1, file=sys.stderr, disable=not progress
    )
    return _gradebook(_twice_named(sorted(shown, key=lambda row: row.file)))


def _twice_named(rows: list[Row]) -> list[Row]:
    """Say in the status of every row which others have its student id: handed in twice, or copied with the id."""
    files: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        if row.student:
            files[row.assignment, row.student].append(row.file)
    return [
        replace(row, status=f"needs a look: the same student id as in {', '.join(others)}; {row.status}")
        if (others := [file for file in files[row.assignment, row.student] if file != row.file])
        else row
        for row in rows
    ]


def _as_text(name: str) -> str:
    """A file's name may hold bytes that are no text: they are written out, because not every table can keep them."""
    return name.encode(errors="backslashreplace").decode()


def _gradebook(rows: list[Row]) -> pd.DataFrame:
    questions = sorted({question for row in rows for question in row.points})
    columns = ["file", "assignment", "student", *questions, "total", "max", "status"]
    return pd.DataFrame([row.cells() for row in rows], columns=columns)


def _serially(grader: Grader, submissions: list[Submission]) -> Iterator[Row]:
    yield from map(grader, submissions)


def _in_parallel(grader: Grader, submissions: list[Submission], jobs: int) -> Iterator[Row]:
    # A spawned worker starts clean; a forked one would share locks with tqdm's and BLAS's threads.
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_worker, initargs=(stop,)) as pool:
        try:
            yield from _as_finished(pool, grader, submissions)
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


_stop: Event | None = None  # in a worker: set when the grading is given up


def _start_worker(stop: Event) -> None:
    """Ctrl-C reaches every process of a terminal at once: only the first decides, the workers are told."""
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _stopped() -> bool:
    return _stop is not None and _stop.is_set()


def _as_finished(pool: Executor, grader: Grader, submissions: list[Submission]) -> Iterator[Row]:
    futures: dict[Future[Row], Submission] = {pool.submit(grader, one): one for one in submissions}
    for future in as_completed(futures):
        error = future.exception()
        if error is None:
            yield future.result()
        else:  # a fault of the grader, not of the student; the others must not suffer from it
            yield Row(futures[future].name, status=f"not graded: {type(error).__name__}: {error}")


def _cores() -> int:
    """Cores that this process may use (a container often has fewer than the machine)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
