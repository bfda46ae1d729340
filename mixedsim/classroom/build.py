"""From an exercise's MyST Markdown to what is handed out and what grades it.

jupytext reads the source as a notebook; Otter Assign takes solutions and hidden tests out of the student's copy and
packs the tests. What comes out is tried before it is kept: the solution must get every point, the notebook as it is
handed out none.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import shutil
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jupytext
from tqdm import tqdm

from mixedsim.classroom.enrolment import KEYS_VARIABLE, as_held
from mixedsim.classroom.marking import load_key
from mixedsim.classroom.otter_key import ARCHIVED
from mixedsim.classroom.otter_parts import assign
from mixedsim.classroom.otter_source import with_checks
from mixedsim.classroom.score import EXERCISES, KEY, Autograder, load
from mixedsim.classroom.seeds import student_key
from mixedsim.classroom.walled.sandbox import Outcome, run_notebook
from mixedsim.errors import MixedsimError

SOURCES: Final = Path("exercises")
ARCHIVE: Final = "autograder.zip"
REFERENCE: Final = "reference"  # the student whose data the solution is tried on
_TIMEOUT: Final = 120.0  # seconds for the solution
_MANIFEST: Final = "built.json"
_DRAWS: Final = re.compile(r"(ms\.classroom\.data\([^()]*student=student[^()]*)\)")


@dataclass(frozen=True)
class Built:
    """Where one assignment's parts are."""

    name: str
    folder: Path

    @property
    def student(self) -> Path:
        """The notebook to hand out."""
        return self.folder / "student" / f"{self.name}.ipynb"

    @property
    def solution(self) -> Path:
        """The same notebook with its solutions; not for students."""
        return self.folder / "autograder" / f"{self.name}.ipynb"

    @property
    def autograder(self) -> Path:
        """The archive that Otter's own graders read; not for students."""
        return self.folder / "autograder" / ARCHIVE


def sources(path: Path | str | Sequence[Path] = SOURCES) -> list[Path]:
    """The exercise sources at `path`: one file, several, or every ``NN-name.md`` in a folder.

    Raises
    ------
    MixedsimError
        If there is none.
    """
    if not isinstance(path, Path | str):
        return list(path)
    path = Path(path)
    if not path.exists():
        raise MixedsimError(
            f"there is no {str(path)!r} in {str(Path.cwd())!r}: name the folder that holds the exercises, NN-name.md, "
            "or one of these files."
        )
    if path.is_file():
        return [path]
    found = sorted(file for file in path.glob("*.md") if re.match(r"\d\d-", file.name))
    if not found:
        raise MixedsimError(f"there is no exercise NN-name.md in {str(path)!r}.")
    return found


def build(
    path: Path | str | Sequence[Path] = SOURCES,
    *,
    output: Path | str = EXERCISES,
    force: bool = False,
    course: str = "",
    progress: bool = False,
) -> list[Built]:
    """Build every exercise at `path` into ``output/NAME/student`` and ``output/NAME/autograder``.

    Parameters
    ----------
    path : one source, several, or the folder that holds them.
    output : where to build; what an earlier build left there is replaced.
    force : whether to replace files even if somebody has worked in them since they were built.
    course : the mark of a course with a secret (`seeds.course_mark`), which its notebooks carry.
    progress : whether to show a progress bar on stderr when it takes longer than a second.

    Raises
    ------
    MixedsimError
        If a source cannot be read, or if its solution does not get every point, or if the notebook as it is handed
        out gets any.
    """
    found, output = sources(path), Path(output).absolute()
    if not force:
        for source in found:
            _refuse_if_edited(output / source.stem)
    shown = tqdm(found, desc="building", unit="exercise", delay=1, file=sys.stderr, disable=not progress)
    return [_build_one(source, output, course) for source in shown]


def _build_one(source: Path, output: Path, course: str) -> Built:
    """Build beside the old one, try it, then put it in the old one's place."""
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=output) as scratch:
        draft = assembled(source, Path(scratch), course)
        _try_out(draft, course)
        _write_manifest(draft.folder)
        final = output / source.stem
        if final.exists():
            final.rename(Path(scratch) / "old")
        draft.folder.rename(final)
    return Built(source.stem, final)


def assembled(source: Path, folder: Path, course: str = "") -> Built:
    """An exercise's parts in a folder below `folder`, put together by jupytext and Otter Assign but not tried out.

    Otter's notebook and archive get names that do not change with the hour.
    """
    draft = Built(source.stem, folder / source.stem)
    master = draft.folder.parent / "master" / f"{draft.name}.ipynb"
    master.parent.mkdir(exist_ok=True)
    notebook = jupytext.read(source, fmt="md:myst")
    if "kernelspec" not in notebook.metadata:
        raise MixedsimError(f"{source.name} is no exercise: it must begin with a notebook's header, with a kernelspec.")
    notebook.metadata.pop("jupytext", None)
    key = key_of(source)
    assignment = load_key(key)
    if assignment.name != source.stem:
        raise MixedsimError(f"{str(key)!r} is the key of {assignment.name!r}, not of {source.stem!r}.")
    # ids belong to a later version of the format than Otter writes
    plain = [{field: value for field, value in cell.items() if field != "id"} for cell in notebook.cells]
    cells = with_checks(plain, assignment)
    as_json = {"cells": cells, "metadata": dict(notebook.metadata), "nbformat": 4, "nbformat_minor": 4}
    master.write_text(json.dumps(as_json), encoding="utf-8")
    with _otter_in_one_sentence(source):
        assign(str(master), str(draft.folder), no_pdfs=True, no_run_tests=True)
    archives = list(draft.autograder.parent.glob("*.zip"))
    if len(archives) != 1:
        raise MixedsimError(f"{source.name}: no question has a test.")
    archives[0].rename(draft.autograder)
    shutil.copyfile(key, draft.autograder.parent / KEY)
    with zipfile.ZipFile(draft.autograder, "a") as archive:
        archive.write(key, f"files/{ARCHIVED}")
    _finish_student(draft, course)
    return draft


def key_of(source: Path) -> Path:
    """The key of an exercise's source: ``exercises/keys/09_confounder.py`` of ``exercises/09-confounder.md``."""
    return source.parent / "keys" / f"{source.stem.replace('-', '_')}.py"


def _finish_student(draft: Built, course: str) -> None:
    """Three things that Otter leaves undone in the student's copy.

    It marks the cells that held a solution: the marks are taken out. Its checks read the notebook's own file, and
    what a student reads who has renamed it says nothing of names: a comment in the first cell does. And where the
    course has a secret, the line that draws the data names the course.
    """
    path = draft.student
    notebook = _notebook(path)
    for cell in notebook["cells"]:
        cell["metadata"].pop("tags", None)
        if course and cell["cell_type"] == "code":
            cell["source"] = _DRAWS.sub(rf'\1, course="{course}")', "".join(cell["source"]))
    first = notebook["cells"][0]
    first["source"] = f"# The checks need this notebook to keep its name, {path.name}\n" + "".join(first["source"])
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@contextlib.contextmanager
def _otter_in_one_sentence(source: Path) -> Iterator[None]:
    """Otter talks while it works, and its errors are of many kinds: turn them into one that names the source."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        raise MixedsimError(f"{source.name}: Otter Assign cannot use it: {error}") from error


def _try_out(draft: Built, course: str) -> None:
    """Make sure that the exercise does what it must before anyone sees it."""
    autograder = load(draft.folder.parent, draft.name)
    solution, handed_out = _notebook(draft.solution), _notebook(draft.student)
    _check_handed_out(draft, handed_out)
    trials = (solution, with_student(handed_out, REFERENCE))
    with ThreadPoolExecutor(2) as pool:  # two processes side by side; the threads only wait
        full, none = pool.map(lambda trial: _trial(trial, autograder, course), trials)
    solved, given = _points(autograder, full), _points(autograder, none)
    lost = [name for name, points in autograder.points.items() if solved[name] < points]
    if lost or full.problem:
        raise MixedsimError(f"{draft.name}: the solution loses points in {', '.join(lost)} ({full.problem or 'ran'}).")
    got = [name for name, points in given.items() if points]
    if got or none.problem:
        raise MixedsimError(f"{draft.name}: unanswered, it gets points in {', '.join(got)} ({none.problem or 'ran'}).")


def _trial(notebook: dict[str, Any], autograder: Autograder, course: str) -> Outcome:
    """Execute a notebook for the student whose key needs no secret, whatever the course's is."""
    keys = as_held({REFERENCE: student_key(REFERENCE, secret="")}, course)
    return run_notebook(notebook, names=autograder.variables, timeout=_TIMEOUT, environment={KEYS_VARIABLE: keys})


def _points(autograder: Autograder, outcome: Outcome) -> dict[str, float]:
    marks = autograder.mark(outcome.answers, REFERENCE, student_key(REFERENCE, secret=""))
    return {mark.question: mark.points for mark in marks}


def _check_handed_out(draft: Built, handed_out: dict[str, Any]) -> None:
    """The student's notebook holds every visible check and nothing of the hidden ones."""
    visible = handed_out["metadata"]["otter"]["tests"]
    for name in load_key(draft.autograder.parent / KEY).points:
        if "test_form" not in visible[name]:
            raise MixedsimError(f"{draft.name}: {name} has no visible check.")
        if "hidden=True" in visible[name] or "test_value" in visible[name]:
            raise MixedsimError(f"{draft.name}: the student's notebook would hold a hidden test of {name}.")


def with_student(notebook: dict[str, Any], student: str) -> dict[str, Any]:
    """A copy of `notebook` in which the line ``student = …`` names `student`.

    Raises
    ------
    MixedsimError
        If there is not exactly one such line.
    """
    copy: dict[str, Any] = json.loads(json.dumps(notebook))
    replaced = 0
    for cell in copy["cells"]:
        if cell["cell_type"] == "code":
            text, n = re.subn(r"(?m)^student = .*$", f"student = {student!r}", "".join(cell["source"]))
            cell["source"], replaced = text, replaced + n
    if replaced != 1:
        raise MixedsimError(f"the notebook must have one line `student = …`, found {replaced}.")
    return copy


def _notebook(path: Path) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def _hashes(folder: Path) -> dict[str, str]:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and file.name != _MANIFEST]
    return {file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _write_manifest(folder: Path) -> None:
    (folder / _MANIFEST).write_text(json.dumps(_hashes(folder), indent=1), encoding="utf-8")


def _refuse_if_edited(folder: Path) -> None:
    """Stop before work is lost: people answer exercises in the folder in which they were built."""
    if not folder.exists():
        return
    manifest = folder / _MANIFEST
    built: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {}
    now = _hashes(folder)
    edited = [name for name, value in built.items() if name in now and now[name] != value]
    if edited or not built:
        what = f"{edited[0]!r} in it was changed" if edited else "it was not made by this command"
        raise MixedsimError(f"{str(folder)!r} would be replaced, but {what}: copy it, or use --force.")
