"""A course: the folder that an instructor's commands work in.

.. code-block:: text

    course/course.yml     its settings
    course/roster.csv     its students
    course/secret         what makes its data its own; never in a repository, never handed out
    course/.gitignore     keeps the secret, and what is about people, out of a repository
    course/built/         the notebooks and keys, by ``mixedsim exercises build --course course``
    course/gradebook.sqlite
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final

from mixedsim.classroom.roster import read_columns
from mixedsim.classroom.seeds import course_mark, student_key
from mixedsim.errors import MixedsimError, nearest, shown
from mixedsim.files import draft_folder, refuse_to_fill
from mixedsim.simulate import yaml_text

try:
    from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
except ModuleNotFoundError as missing:
    raise MixedsimError('a course needs pydantic: pip install "mixedsim[classroom]".') from missing

SETTINGS: Final = "course.yml"
SECRET: Final = "secret"
ROSTER_HEAD: Final = "student,name,email\n"
_LEAST_SECRET: Final = 16  # characters; those that are made here have 64
_NAMES: Final = ("name", "full name", "fullname", "student name", "display name")
_NEW: Final = """\
# A course. Paths are relative to this file.
title: {title}

# Where the exercises' sources are, NN-name.md with keys/NN_name.py.
exercises: {exercises}

# Only these belong to the course; without this line, all that lie there.
# assignments: [01-therapists]

# Seconds that a student's notebook may take.
timeout: 120
"""
_IGNORED: Final = """\
# The secret must never be published: with it anybody can draw anybody's data.
/secret

# What holds answers, or is about people.
/built/
/gradebook.sqlite*
/roster.csv
/handouts/
/submissions/
/feedback/
/report.html
/*.csv
"""


class Settings(BaseModel):
    """What may stand in ``course.yml``."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    exercises: Annotated[str, StringConstraints(min_length=1)] = "exercises"
    assignments: Annotated[list[str], Field(min_length=1)] | None = None
    roster: Annotated[str, StringConstraints(min_length=1)] = "roster.csv"
    built: Annotated[str, StringConstraints(min_length=1)] = "built"
    gradebook: Annotated[str, StringConstraints(min_length=1)] = "gradebook.sqlite"
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 120.0


@dataclass(frozen=True)
class Course:
    """One course, as its folder says.

    Attributes
    ----------
    folder : the folder itself.
    title : what people call it.
    secret : the text that makes its data its own.
    roster_file : the list of its students.
    exercises : the folder of the exercises' sources.
    built : the folder that they are built in.
    gradebook : the file of the gradebook.
    timeout : seconds that a notebook may take.
    assignments : names of those that belong to it; None for all.
    """

    folder: Path
    title: str
    secret: str = field(repr=False)
    roster_file: Path
    exercises: Path
    built: Path
    gradebook: Path
    timeout: float
    assignments: tuple[str, ...] | None

    @classmethod
    def load(cls, folder: Path | str) -> Course:
        """The course in `folder`.

        Raises
        ------
        MixedsimError
            If there is none, or one of its files is missing or cannot be read; the sentence names file and line.
        """
        folder = Path(folder).absolute()
        settings = read_settings(folder / SETTINGS)
        return cls(
            folder=folder,
            title=settings.title,
            secret=_secret(folder / SECRET),
            roster_file=folder / settings.roster,
            exercises=folder / settings.exercises,
            built=folder / settings.built,
            gradebook=folder / settings.gradebook,
            timeout=settings.timeout,
            assignments=None if settings.assignments is None else tuple(settings.assignments),
        )

    @property
    def mark(self) -> str:
        """Eight characters that its notebooks carry (`seeds.course_mark`)."""
        return course_mark(self.secret)

    @cached_property
    def lms(self) -> dict[str, dict[str, str]]:
        """For every id the other columns of the roster that are filled in, as they are called there.

        It is read when it is first needed: notebooks can be built before anybody has enrolled.
        """
        return read_columns(self.roster_file)

    def only(self, roster: Path) -> Course:
        """The same course with those of its students who stand in another list.

        Raises
        ------
        MixedsimError
            If the list cannot be read, or names somebody whom the course's own roster does not.
        """
        for student in read_columns(roster):
            if student not in self.lms:
                where = f"{str(self.roster_file)!r} does not have"
                raise MixedsimError(f"{roster} names {student!r}, whom {where}: write the id there, too.")
        return replace(self, roster_file=roster)

    @property
    def roster(self) -> list[str]:
        """The ids of its students, in the order of the roster."""
        return list(self.lms)

    @property
    def names(self) -> dict[str, str]:
        """For every id the student's name, as in "Zoë Young"; ``""`` where the roster has none."""
        return {student: display_name(columns) for student, columns in self.lms.items()}

    def keys(self) -> dict[str, bytes]:
        """For every id the student's key, which draws this student's data and no other's."""
        return {student: student_key(student, secret=self.secret) for student in self.lms}

    def sources(self) -> list[Path]:
        """The sources of its assignments, in their order.

        Raises
        ------
        MixedsimError
            If there is no such folder, or an assignment of the course has no source in it.
        """
        found = {path.stem: path for path in sorted(self.exercises.glob("[0-9][0-9]-*.md"))}
        if not found:
            raise MixedsimError(
                f"there is no exercise NN-name.md in {str(self.exercises)!r}: say in {SETTINGS}, after `exercises:`, "
                "where the sources are."
            )
        wanted = list(found) if self.assignments is None else list(self.assignments)
        for name in wanted:
            if name not in found:
                raise MixedsimError(
                    f"{SETTINGS} names the assignment {name!r}, but {str(self.exercises)!r} has none; "
                    f"{nearest(name, found)}"
                )
        return [found[name] for name in wanted]


def display_name(columns: Mapping[str, str]) -> str:
    """A student's name from the columns of a roster, whether it stands in one of them or in two.

    Examples
    --------
    >>> display_name({"First name": "Zoë", "Last name": "Young"})
    'Zoë Young'
    """
    known = {column.casefold().replace("_", " "): text for column, text in columns.items()}
    whole = next((known[name] for name in _NAMES if name in known), "")
    first, last = (known.get(f"{which} name", known.get(f"{which}name", "")) for which in ("first", "last"))
    return whole or f"{first} {last or known.get('surname', '')}".strip()


def read_settings(path: Path) -> Settings:
    """The settings in a file ``course.yml``.

    Raises
    ------
    MixedsimError
        If it cannot be read or a setting is wrong: one sentence with file, line and setting.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise MixedsimError(f"{path} is not a text file in UTF-8.") from None
    except OSError:
        raise MixedsimError(f"there is no {str(path)!r}: make a course with `mixedsim classroom new FOLDER`.") from None
    given, lines = yaml_text.read(text, str(path))
    if not isinstance(given, dict):
        raise MixedsimError(f"{path}, line 1: settings are written as `title: My course`, one a line.")
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        first: Any = error.errors(include_url=False)[0]
        at = tuple(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
        raise MixedsimError(f"{lines.of(at)}: {_complaint(first, '.'.join(at))}") from None


def _complaint(error: Mapping[str, Any], name: str) -> str:
    if error["type"] == "extra_forbidden":
        return f"`{name}` is no setting of a course; {nearest(name, Settings.model_fields)}"
    if error["type"] == "missing":
        return f"`{name}` is missing: a course needs a {name}."
    if error["type"].endswith("too_short"):
        return f"`{name}` must not be empty."
    expected = str(error["msg"]).replace("Input should be", "must be").replace("a valid ", "a ")
    expected = {"must be a string": "must be text"}.get(expected, expected)
    return f"`{name}` {expected}, found {shown(error['input'])}."


def _secret(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError:
        raise MixedsimError(
            f"there is no {str(path)!r}: copy it from where the course was made; with another secret, all students "
            "would have other data."
        ) from None
    if len(text) < _LEAST_SECRET:
        raise MixedsimError(
            f"{str(path)!r} is too short to keep a secret: it must have {_LEAST_SECRET} characters or more."
        )
    return text


def new(folder: Path | str, *, title: str = "", exercises: Path | str = "exercises") -> Path:
    """Make the folder of a new course, with a secret of its own, and return it.

    Parameters
    ----------
    folder : must not exist, or be empty.
    title : what people call it; by default the folder's name.
    exercises : the folder with the exercises' sources.

    Raises
    ------
    MixedsimError
        If there is something in `folder`, or no folder `exercises`.
    """
    folder, exercises = Path(folder).absolute(), Path(exercises).absolute()
    refuse_to_fill(str(folder))
    if not exercises.is_dir():
        raise MixedsimError(
            f"there is no folder {str(exercises)!r} with exercises: say where their sources are with --exercises."
        )
    settings = _NEW.format(
        title=yaml_text.scalar(title or folder.name), exercises=yaml_text.scalar(_from(folder, exercises))
    )
    with draft_folder(str(folder)) as beside:
        (beside / SETTINGS).write_text(settings, encoding="utf-8")
        (beside / "roster.csv").write_text(ROSTER_HEAD, encoding="utf-8")
        (beside / ".gitignore").write_text(_IGNORED, encoding="utf-8")
        _write_secret(beside / SECRET)
    return folder


def _from(folder: Path, exercises: Path) -> str:
    """The path from the course to the exercises; absolute where there is none, as between two drives."""
    try:
        return Path(os.path.relpath(exercises, folder)).as_posix()
    except ValueError:
        return exercises.as_posix()


def _write_secret(path: Path) -> None:
    """Readable for its owner alone from its first moment, not only afterwards."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w", encoding="utf-8") as file:
        file.write(secrets.token_hex(32) + "\n")
