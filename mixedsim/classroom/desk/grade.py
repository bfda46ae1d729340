"""Grades what students handed in: one row a notebook, whatever was in it; all of it kept in a gradebook."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import sys
import threading
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing.connection import wait
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import IO, Final

import pandas as pd
from tqdm import tqdm

from mixedsim.classroom.desk.course import Course
from mixedsim.classroom.desk.examiner import Examiner, Task
from mixedsim.classroom.desk.gradebook import Gradebook
from mixedsim.classroom.desk.graded import Graded
from mixedsim.classroom.desk.owners import Owner, Owners
from mixedsim.classroom.desk.submissions import LARGEST_NOTEBOOK, Submission, find
from mixedsim.classroom.score import EXERCISES, built
from mixedsim.classroom.walled.limits import Limits
from mixedsim.classroom.walled.walls import close_memory, walls
from mixedsim.errors import MixedsimError

TIMEOUT: Final = 120.0
MOST_JOBS: Final = 61  # Windows cannot wait for more processes at a time
NOT_GRADED: Final = "not graded"  # the beginning of a status that is the grader's fault


def grade(
    submissions: Path | str,
    *,
    exercises: Path | str = EXERCISES,
    course: Course | None = None,
    gradebook: Path | str | None = None,
    jobs: int | None = None,
    timeout: float | None = None,
    again: bool = False,
    progress: bool = False,
) -> pd.DataFrame:
    """A data frame with one row for each notebook in `submissions`, ordered by file name.

    Columns: ``file, assignment, student``, one for each question with its points, ``total, max, status``. Every
    notebook is executed in a process and a scratch folder of its own; what it printed or stored is not believed. With a
    course, answers are held against the data of whom the path names (`owners`); else of whom the notebook names.
    Notebooks of one assignment and student keep their points, and their status names each other.

    Parameters
    ----------
    submissions : a notebook, a zip archive, or a folder with any of these.
    exercises : the folder that ``mixedsim exercises build`` has filled; with a course, the course's own is taken.
    course : its roster, its keys and its gradebook.
    gradebook : a file that keeps all results; without one and without a course nothing is kept. What a gradebook has
        of the same file, key and student is not graded again; so an interrupted grading goes on where it was.
    jobs : notebooks graded at the same time; by default as many as there are cores.
    timeout : seconds that each notebook may take; by default the course's, or 120.
    again : whether to grade also what was graded before.
    progress : whether to show a progress bar on stderr when it takes longer than a second.

    Raises
    ------
    MixedsimError
        If nothing was handed in, or nothing was built.
    """
    found = find(Path(submissions))
    exercises = course.built if course is not None else Path(exercises).absolute()
    timeout = timeout if timeout is not None else course.timeout if course is not None else TIMEOUT
    _refuse_nonsense(exercises, jobs, timeout)
    path = gradebook if gradebook is not None else course.gradebook if course is not None else ":memory:"
    if course is not None:
        close_memory()  # it holds the secret
    owners = Owners(course.lms, built(exercises)) if course is not None else None
    tasks = [Task(one, digest(one), owners.of(one.name) if owners else Owner()) for one in found]
    examiner = Examiner(
        exercises,
        Limits(seconds=timeout),
        keys=course.keys() if course is not None else None,
        mark=course.mark if course is not None else "",
        wall=walls().wall,
    )
    with Gradebook(path) as book:
        run = book.begin(str(Path(submissions).resolve()), walls=str(walls()), again=again)
        done = {task.file: task.sha256 for task in tasks if _stands(book, examiner, task, run, again)}
        book.keep(run, done)
        left = [task for task in tasks if task.file not in done]
        results = _graded(examiner, left, jobs or _cores())
        shown = tqdm(
            results, total=len(tasks), initial=len(done), desc="grading", unit="notebook", delay=1, file=sys.stderr,
            disable=not progress,
        )  # fmt: skip
        for graded in shown:
            book.add(run, graded)
        book.finish(run)
        return _table(book, run)


def _refuse_nonsense(exercises: Path, jobs: int | None, timeout: float) -> None:
    if not built(exercises):
        raise MixedsimError(
            f"no exercise is built in {str(exercises)!r}: "
            "run `mixedsim exercises build` first, or say with --exercises where it was built."
        )
    if jobs is not None and jobs < 1:
        raise MixedsimError(f"jobs must be at least 1, found {jobs}.")
    if not timeout > 0:
        raise MixedsimError(f"timeout must be more than 0 seconds, found {timeout:g}.")


def digest(submission: Submission) -> str:
    """The SHA-256 of a submission's contents; ``""`` if they cannot be read, are a link's or far too many."""
    try:
        if submission.path.is_symlink():
            return ""
        if not submission.member:
            with submission.path.open("rb") as file:
                return _digest(file)
        with zipfile.ZipFile(submission.path) as archive, archive.open(submission.member) as member:
            return _digest(member)
    except (OSError, EOFError, KeyError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return ""


def _digest(file: IO[bytes]) -> str:
    """What an archive says about a size may be wrong: no more is read than of a notebook that is graded."""
    found, n_bytes = hashlib.sha256(), 0
    while content := file.read(1 << 20):
        found.update(content)
        n_bytes += len(content)
        if n_bytes > LARGEST_NOTEBOOK:
            return ""
    return found.hexdigest()


def _stands(book: Gradebook, examiner: Examiner, task: Task, run: int, again: bool) -> bool:
    """Whether the gradebook has what grading a notebook would give: same file, same key, same data."""
    found = book.known(task.file, task.sha256) if task.sha256 else None
    if found is None:
        return False
    graded, graded_in = found
    if (again and graded_in != run) or graded.status.startswith(NOT_GRADED):
        return False
    if graded.assignment and graded.assignment not in built(examiner.exercises):
        return False
    same_owner = graded.student == examiner.owner_of(task.owner, graded.claimed)
    return same_owner and graded.version == examiner.version(graded.assignment)


def _table(book: Gradebook, run: int) -> pd.DataFrame:
    """What a run has seen, as a table for people."""
    rows, points = book.of_run(run), book.points_of(run)
    wide = points.pivot_table(index="submission", columns="question", values="points")
    questions = sorted(wide.columns, key=lambda name: int(name[1:]))
    rows = rows.join(wide, on="submission")
    rows["status"] = _twice_named(rows)
    return rows[["file", "assignment", "student", *questions, "total", "max", "status"]]


def _twice_named(rows: pd.DataFrame) -> list[str]:
    """Say in the status of every row which others have its student: handed in twice, or copied with the id."""
    files: dict[tuple[str, str], list[str]] = defaultdict(list)
    keys = list(zip(rows["assignment"], rows["student"], strict=True))
    for key, file in zip(keys, rows["file"], strict=True):
        files[key].append(file)
    return [
        f"needs a look: the same student id as in {', '.join(others)}; {status}"
        if key[1] and (others := [other for other in files[key] if other != file])
        else status
        for key, file, status in zip(keys, rows["file"], rows["status"], strict=True)
    ]


def _graded(examiner: Examiner, tasks: list[Task], jobs: int) -> Iterator[Graded]:
    """The gradings, in any order."""
    jobs = min(jobs, len(tasks), MOST_JOBS)
    return (examiner(task) for task in tasks) if jobs <= 1 else _in_parallel(examiner, tasks, jobs)


def _in_parallel(examiner: Examiner, tasks: list[Task], jobs: int) -> Iterator[Graded]:
    # A spawned worker starts clean; a forked one would share locks with tqdm's and BLAS's threads.
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_worker, initargs=(stop, examiner)) as pool:
        try:
            yield from _as_finished(pool, tasks)
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


_stop: Event | None = None  # in a worker: set when the grading is given up
_examiner: Examiner | None = None  # in a worker: sent once, because it holds the keys of all students


def _start_worker(stop: Event, examiner: Examiner) -> None:
    """Ctrl-C reaches every process of a terminal at once: only the first decides, the workers are told."""
    global _stop, _examiner
    _stop, _examiner = stop, examiner
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_grader, daemon=True).start()
    close_memory()


def _end_with_the_grader() -> None:
    """A grader that is killed tells nobody: without this its workers, and what they execute, would live on."""
    grader = multiprocessing.parent_process()
    assert grader is not None
    wait([grader.sentinel])
    os._exit(1)


def _in_worker(task: Task) -> Graded:
    assert _examiner is not None
    assert _stop is not None
    return _examiner(task, _stop.is_set)


def _as_finished(pool: ProcessPoolExecutor, tasks: list[Task]) -> Iterator[Graded]:
    futures: dict[Future[Graded], Task] = {pool.submit(_in_worker, task): task for task in tasks}
    for future in as_completed(futures):
        error, task = future.exception(), futures[future]
        if error is None:
            yield future.result()
        else:  # a fault of the grader, not of the student; the others must not suffer from it
            said = f"{NOT_GRADED}: {type(error).__name__}: {error}"
            yield Graded(task.file, task.sha256, student=task.owner.student, status=said)


def _cores() -> int:
    """Cores that this process may use (a container often has fewer than the machine)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
