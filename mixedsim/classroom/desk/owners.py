"""Whose notebook is it? The path under which a notebook was handed in tells, before anything in it is believed.

Learning platforms put a student's name and number into what they export:

- Moodle: a folder (or the beginning of a file's name) ``Zoë Young_4711_assignsubmission_file_``, where 4711 is what the
  grading worksheet calls ``Identifier``: "Participant 4711";
- Canvas: a file ``youngzoe_LATE_4711_567_01-therapists.ipynb``, where 4711 is the student's ``ID`` there and 567 that
  of the file;
- elsewhere, a folder or a file with the student's id in its name.

A roster may hold such numbers and names in columns of its own, called as the platform calls them. The outermost folder
that names somebody counts: it is the platform's, while the names of files within it are the student's own choice.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from mixedsim.classroom.desk.course import display_name
from mixedsim.classroom.roster import file_names
from mixedsim.classroom.seeds import student_id
from mixedsim.errors import MixedsimError

_MOODLE: Final = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_\w+?_*(?P<rest>$|_.*)", re.DOTALL)
_CANVAS: Final = re.compile(r"(?P<name>[^_]+)(?:_LATE)?_(?P<number>\d+)_\d+_(?P<rest>.*)", re.DOTALL | re.IGNORECASE)
_MOODLE_NUMBERS: Final = ("identifier", "participant", "moodle id", "moodle_id")
_CANVAS_NUMBERS: Final = ("id", "canvas id", "canvas_id", "canvas user id")
# Columns that hold what stands for a student anywhere in a path.
_IDS: Final = (
    "email",
    "email address",
    "e-mail",
    "id number",
    "idnumber",
    "username",
    "login",
    "sis user id",
    "sis login id",
    "matriculation number",
)
# What browsers and platforms add to the name of a file that they have stored before: "x (2).ipynb", "x-3.ipynb".
_COPY: Final = re.compile(r"\s*\(\d+\)$")
_AGAIN: Final = r"(?:-\d{1,2}(?![^\W_]))?"  # only behind the assignment's name: elsewhere it may belong to an id


@dataclass(frozen=True)
class Owner:
    """Whom a path names.

    Attributes
    ----------
    student : the roster's id; ``""`` if the path names nobody, or several.
    several : ids between which the path does not decide.
    """

    student: str = ""
    several: tuple[str, ...] = ()


class Owners:
    """Finds the owners of notebooks from their paths.

    Parameters
    ----------
    students : for every id of the roster its other columns.
    assignments : names of assignments, which are no one's id though they hold digits.

    Examples
    --------
    >>> owners = Owners({"ab123": {"name": "Zoë Young", "ID": "4711"}, "cd456": {}}, ["01-therapists"])
    >>> owners.of("youngzoe_4711_567_01-therapists.ipynb").student
    'ab123'
    >>> owners.of("cd456/01-therapists (2).ipynb").student
    'cd456'
    >>> owners.of("01-therapists.ipynb")
    Owner(student='', several=())
    """

    def __init__(self, students: Mapping[str, Mapping[str, str]], assignments: Iterable[str] = ()) -> None:
        self.students = students
        self._moodle, self._canvas = (_numbers(students, which) for which in (_MOODLE_NUMBERS, _CANVAS_NUMBERS))
        self._names = _by_name(students)
        self._ids = _by_id(students)
        self._any_id = _one_of(self._ids)
        self._assignment = re.compile(_one_of(_folded(name) for name in assignments).pattern + _AGAIN)

    def of(self, path: str) -> Owner:
        """Whom the outermost part of `path` names that names anybody."""
        for part in PurePosixPath(unicodedata.normalize("NFC", path)).parts:
            for found in self._named_by(part):
                if len(found) == 1:
                    return Owner(min(found))
                if found:
                    return Owner(several=tuple(sorted(found)))
        return Owner()

    def _named_by(self, part: str) -> Iterator[set[str]]:
        """Who is named by one folder or file, the surest first."""
        part = re.sub(r"(?i)\.(ipynb|zip)$", "", part)
        for pattern, numbers in ((_MOODLE, self._moodle), (_CANVAS, self._canvas)):
            if match := pattern.fullmatch(part):
                yield numbers.get(match["number"], set())
                yield self._names.get(_letters(match["name"]), set())
                yield self._with_id(match["name"])
                yield self._with_id(match["rest"])
                return
        yield self._with_id(part)
        yield self._names.get(_letters(self._without_assignment(part)), set())

    def _with_id(self, text: str) -> set[str]:
        found = self._any_id.findall(_folded(self._without_assignment(text)))
        return {student for token in found for student in self._ids[token]}

    def _without_assignment(self, text: str) -> str:
        """`text` without what is no one's: the assignment's name, and numbers of copies."""
        return _COPY.sub("", self._assignment.sub(" ", _folded(text)).strip())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _letters(name: str) -> str:
    """A name as platforms shorten it: small letters and digits, accents dropped."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(one for one in plain if one.isalnum())


def _one_of(tokens: Iterable[str]) -> re.Pattern[str]:
    """A pattern for any of these where it is no part of a longer word; of two that fit the longer one."""
    ordered = sorted({token for token in tokens if token}, key=lambda token: (-len(token), token))
    if not ordered:
        return re.compile(r"(?!)")
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, ordered))})(?![^\W_])")


def _columns(columns: Mapping[str, str], wanted: Iterable[str]) -> list[str]:
    known = {name.casefold(): text for name, text in columns.items()}
    return [known[name] for name in wanted if name in known]


def _numbers(students: Mapping[str, Mapping[str, str]], wanted: Iterable[str]) -> dict[str, set[str]]:
    """The platform's numbers: number -> ids. Moodle writes "Participant 4711"."""
    found: dict[str, set[str]] = defaultdict(set)
    for student, columns in students.items():
        for text in _columns(columns, wanted):
            found[text.split()[-1]].add(student)
    return dict(found)


def _by_name(students: Mapping[str, Mapping[str, str]]) -> dict[str, set[str]]:
    """Names as platforms write them: "Zoë Young", "youngzoe", "Young, Zoë"."""
    found: dict[str, set[str]] = defaultdict(set)
    for student, columns in students.items():
        words = display_name(columns).replace(",", " ").split()
        for first in range(len(words)):
            found[_letters("".join(words[first:] + words[:first]))].add(student)
    return dict(found)


def _by_id(students: Mapping[str, Mapping[str, str]]) -> dict[str, set[str]]:
    """All that stands for one student wherever it is found."""
    found: dict[str, set[str]] = defaultdict(set)
    for student, columns in students.items():
        for text in (student, *file_names([student]).values(), *_columns(columns, _IDS)):
            found[_folded(text)].add(student)
    return dict(found)


def claimed_in(notebook: Mapping[str, Any]) -> str:
    """The id that a notebook's text names, ``student = "ab123"``, read without executing it; ``""`` if there is none.

    Examples
    --------
    >>> claimed_in({"cells": [{"cell_type": "code", "source": "student = 'AB123'"}]})
    'ab123'
    """
    claimed = ""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            for line in re.findall(r"(?m)^student\s*=\s*(.+)$", "".join(cell["source"])):
                claimed = _literal_id(line) or claimed
    return claimed


def _literal_id(code: str) -> str:
    try:
        return student_id(ast.literal_eval(code.strip()))
    except (MixedsimError, ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return ""
