"""Grades as learning platforms import them: one row a student of the roster, one column an assignment.

Moodle (Grades, Import, CSV file) asks which column says who a student is and which columns are grades; so the columns
of the roster that can say who go first, called as Moodle calls them. Who has handed in nothing has an empty cell.
Moodle tells e-mail addresses apart by capitals: they are written as in the roster.

Canvas (Gradebook, Import) knows students by ``ID``, ``SIS User ID`` or ``SIS Login ID`` and wants all five columns
first. Assignments are called by number and title; one that Canvas does not know, it offers to make, worth what the row
``Points Possible`` says. The roster may hold what Canvas exports, under the same names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from mixedsim.classroom.desk.course import Course
from mixedsim.classroom.desk.gradebook import Gradebook
from mixedsim.classroom.marking import Assignment
from mixedsim.classroom.score import built, load
from mixedsim.errors import MixedsimError

# Column of the platform: what the roster may call it. The student's own id stands in where it is said so.
_MOODLE: Final = {
    "Identifier": ("identifier", "participant", "moodle id", "moodle_id"),
    "ID number": ("id number", "idnumber"),
    "Username": ("username",),
    "Email address": ("email address", "email", "e-mail"),
}
_CANVAS: Final = {
    "ID": ("id", "canvas id", "canvas_id", "canvas user id"),
    "SIS User ID": ("sis user id",),
    "SIS Login ID": ("sis login id", "login", "username"),
    "Section": ("section",),
}


def totals(course: Course, book: Gradebook) -> pd.DataFrame:
    """The points of every student of the roster (rows) in every assignment that was built (columns); NaN for none."""
    marks = book.marks()
    known = [key.name for key in _keys(course)]
    table = marks.pivot_table(index="student", columns="assignment", values="points", aggfunc="sum")
    return table.reindex(index=course.roster, columns=known)


def for_moodle(course: Course, book: Gradebook) -> pd.DataFrame:
    """A table that Moodle's grade import reads.

    Columns: those of ``Identifier``, ``ID number``, ``Username`` and ``Email address`` that the roster has (``ID
    number`` is the student's id if it has none of them), ``Full name``, and one for each assignment, called by its
    number and title.
    """
    points, found = totals(course, book), _found(course, _MOODLE)
    if not found:
        found = {"ID number": dict(zip(course.roster, course.roster, strict=True))}
    told = {column: [cells.get(student, "") for student in course.roster] for column, cells in found.items()}
    if any(course.names.values()):
        told["Full name"] = [course.names[student] for student in course.roster]
    grades = {_called(key): points[key.name].to_numpy() for key in _keys(course)}
    return pd.DataFrame({**told, **grades})


def for_canvas(course: Course, book: Gradebook) -> pd.DataFrame:
    """A table that Canvas's gradebook imports; its first row says what each assignment is worth."""
    points, found = totals(course, book), _found(course, _CANVAS)
    if not found:
        found = {"SIS Login ID": dict(zip(course.roster, course.roster, strict=True))}
    table: dict[str, list[object]] = {
        "Student": ["    Points Possible", *(_sorted_name(course, s) for s in course.roster)]
    }
    for column in _CANVAS:
        cells = found.get(column, {})
        table[column] = ["", *(cells.get(student, "") for student in course.roster)]
    for key in _keys(course):
        table[_called(key)] = [sum(key.points.values()), *points[key.name].to_list()]
    return pd.DataFrame(table)


def plain(course: Course, book: Gradebook) -> pd.DataFrame:
    """Every student's points: ``student``, ``name`` if the roster has names, one column an assignment, ``total``."""
    points = totals(course, book)
    named = {"name": list(course.names.values())} if any(course.names.values()) else {}
    table = pd.DataFrame({"student": course.roster, **named})
    for name in points.columns:
        table[name] = points[name].to_numpy()
    return table.assign(total=points.sum(axis=1).to_numpy())


def of_gradebook(course: Course, gradebook: Path, platform: str | None = None) -> pd.DataFrame:
    """The table for a platform, ``"moodle"`` or ``"canvas"``, or the plain one, from a gradebook's file."""
    make = {"moodle": for_moodle, "canvas": for_canvas, None: plain}[platform]
    with Gradebook(gradebook) as book:
        return make(course, book)


def _keys(course: Course) -> list[Assignment]:
    names = built(course.built)
    if not names:
        raise MixedsimError(
            f"nothing is built in {str(course.built)!r}: run `mixedsim exercises build --course {course.folder.name}`."
        )
    return [load(course.built, name).key for name in names]


def _called(key: Assignment) -> str:
    """ "Exercise 1: Pupils and their tutors": what an assignment is called on the platform."""
    return f"Exercise {int(key.name[:2])}: {key.title}"


def _found(course: Course, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """The platform's columns that the roster has: column -> id -> text."""
    found: dict[str, dict[str, str]] = {}
    for student, columns in course.lms.items():
        known = {name.casefold(): text for name, text in columns.items()}
        for column, names in wanted.items():
            text = next((known[name] for name in names if name in known), "")
            if text:
                found.setdefault(column, {})[student] = text
    return {column: found[column] for column in wanted if column in found}


def _sorted_name(course: Course, student: str) -> str:
    """ "Young, Zoë", as Canvas lists people; the id where the roster has no name."""
    name = course.names[student]
    if "," in name or " " not in name:
        return name or student
    first, last = name.rsplit(" ", 1)
    return f"{last}, {first}"
