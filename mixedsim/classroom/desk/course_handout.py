"""What every student of a course is given: notebooks, data and key, in a folder of their own.

.. code-block:: text

    handouts/ab123/01-therapists.ipynb       the notebooks, as they were built for the course
    handouts/ab123/data/01-therapists.csv    the same data that the notebook draws, for R, SPSS and spreadsheets
    handouts/ab123/mixedsim-key.json         with it, and with no secret, notebooks draw this student's data
    handouts/ab123.zip                       all of it, if asked for
    handouts/.made/ab123.json                what was made from what; not for students

Every file appears whole or not at all, and what was made is noted after it was made. So an interrupted run is completed
by the next one, which keeps what is there. Whatever does not look as it was made is never replaced unasked.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from mixedsim.classroom.assignments import parts, population, sample
from mixedsim.classroom.desk.course import Course
from mixedsim.classroom.enrolment import KEY_FILE, key_file_of
from mixedsim.classroom.roster import file_names
from mixedsim.classroom.score import built
from mixedsim.classroom.seeds import student_key
from mixedsim.errors import MixedsimError, nearest
from mixedsim.files import draft

_MADE: Final = ".made"
_DATA: Final = "data"
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)  # of all files in archives: the same contents make the same archive


@dataclass(frozen=True)
class Given:
    """What has become of one student: the folder, and how many files were written and were there before."""

    student: str
    folder: str
    written: int
    kept: int


@dataclass(frozen=True)
class _Piece:
    """One file for one student: where, what it is made from, and how."""

    path: str
    source: str
    make: Callable[[], bytes]


def hand_out_course(
    course: Course,
    folder: Path,
    *,
    assignments: Sequence[str] | None = None,
    archives: bool = False,
    force: bool = False,
) -> Iterator[Given]:
    """Write what is missing of the folder of handouts, student by student; see the module for what is in it.

    Parameters
    ----------
    assignments : names; by default all that were built for the course.
    archives : whether to make a zip archive of each student's folder.
    force : whether to replace files that are not as they were made, or were made from something else.

    Raises
    ------
    MixedsimError
        If nothing was built, an assignment was not or was built for another course; or if a file is in the way. All
        that can be found out before anything is written is.
    """
    wanted = _wanted(course, assignments)
    names = file_names(course.roster)
    notebooks = {name: _notebook(course, name) for name in wanted}
    plans = {student: _pieces(course, student, notebooks) for student in names}
    if not force:
        for student, name in names.items():
            _refuse_to_replace(folder, name, plans[student])
    return _given(folder, names, plans, archives=archives, force=force)


def _wanted(course: Course, assignments: Sequence[str] | None) -> list[str]:
    known = built(course.built)
    if not known:
        raise MixedsimError(
            f"nothing is built in {str(course.built)!r}: run `mixedsim exercises build --course {course.folder.name}`."
        )
    for name in assignments or ():
        if name not in known:
            raise MixedsimError(f"{name!r} is not built in {str(course.built)!r}; {nearest(name, known)}")
    return known if assignments is None else list(dict.fromkeys(assignments))


def _notebook(course: Course, name: str) -> bytes:
    """The notebook to hand out, if it carries the course's mark: else it would draw other data than the grader."""
    content = (course.built / name / "student" / f"{name}.ipynb").read_bytes()
    if b"ms.classroom.data(" in content and f'course=\\"{course.mark}\\"'.encode() not in content:
        raise MixedsimError(
            f"{name!r} was not built for this course: run `mixedsim exercises build --course {course.folder.name}`."
        )
    return content


def _pieces(course: Course, student: str, notebooks: Mapping[str, bytes]) -> list[_Piece]:
    """All files of one student, the key first: without it nothing else is of use."""
    key = (json.dumps(key_file_of(student, course.secret), indent=1) + "\n").encode()
    pieces = [_Piece(KEY_FILE, course.mark, partial(bytes, key))]
    for name, content in notebooks.items():
        pieces.append(_Piece(f"{name}.ipynb", _sha256(content), partial(bytes, content)))
        for part in parts(name):
            file = f"{_DATA}/{name if part is None else f'{name}-{part}'}.csv"
            source = f"{population(name, part).fingerprint} {course.mark}"
            pieces.append(_Piece(file, source, _table_of(course, student, name, part)))
    return pieces


def _table_of(course: Course, student: str, assignment: str, part: str | None) -> Callable[[], bytes]:
    def make() -> bytes:
        text = io.StringIO()
        drawn = sample(assignment, student, part=part, key=student_key(student, secret=course.secret))
        drawn.data.to_csv(text, index=False, lineterminator="\n")
        return text.getvalue().encode()

    return make


def _refuse_to_replace(folder: Path, name: str, pieces: Sequence[_Piece]) -> None:
    """Raise if a file that is there was changed since it was made, or was made from something else."""
    made = _made(folder, name)
    for piece in pieces:
        path, known = folder / name / piece.path, made.get(piece.path)
        if known is None or not path.is_file():
            continue
        if known["sha256"] != _sha256(path.read_bytes()):
            raise MixedsimError(f"{str(path)!r} was changed since it was made: move it away, or use --force.")
        if known["source"] != piece.source:
            raise MixedsimError(
                f"{str(path)!r} was made for another course, or from an earlier version of the exercise: choose "
                "another folder, or use --force to replace it."
            )


def _given(
    folder: Path, names: Mapping[str, str], plans: Mapping[str, list[_Piece]], *, archives: bool, force: bool
) -> Iterator[Given]:
    (folder / _MADE).mkdir(parents=True, exist_ok=True)
    for student, name in names.items():
        made = _made(folder, name)
        written = [_write_piece(folder / name, piece, made, force=force) for piece in plans[student]]
        if any(written):
            _write(folder / _MADE / f"{name}.json", (json.dumps(made, indent=1) + "\n").encode())
        if archives:
            _archive(folder, name, [file for file in sorted(made) if (folder / name / file).is_file()])
        yield Given(student, name, written=sum(written), kept=len(written) - sum(written))


def _write_piece(place: Path, piece: _Piece, made: dict[str, Any], *, force: bool) -> bool:
    """Make one file unless it is there, note it in `made`, and say whether there was anything to do."""
    path, known = place / piece.path, made.get(piece.path)
    there = path.is_file()
    if there and known == {"sha256": _sha256(path.read_bytes()), "source": piece.source}:
        return False
    content = piece.make()
    if there and known is None and not force and path.read_bytes() != content:
        raise MixedsimError(f"{str(path)!r} is in the way, and was not made by this command: move it, or use --force.")
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, content)
    made[piece.path] = {"sha256": _sha256(content), "source": piece.source}
    return True


def _archive(folder: Path, name: str, files: Sequence[str]) -> None:
    """Pack a student's files; the archive is written only if it is not there as it would be."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(f"{name}/{file}", _LONG_AGO)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, (folder / name / file).read_bytes(), zipfile.ZIP_DEFLATED)
    path = folder / f"{name}.zip"
    if not path.is_file() or path.read_bytes() != packed.getvalue():
        _write(path, packed.getvalue())


def _made(folder: Path, name: str) -> dict[str, Any]:
    path = folder / _MADE / f"{name}.json"
    if not path.is_file():
        return {}
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise MixedsimError(f"{str(path)!r} is not as it was written: delete it.")
    return read


def _write(path: Path, content: bytes) -> None:
    with draft(str(path), force=True) as beside:
        beside.write_bytes(content)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
