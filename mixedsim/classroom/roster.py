"""The list of a course's students, and the name of each one's file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path

from mixedsim.classroom.seeds import student_id
from mixedsim.errors import MixedsimError

_HEADERS = ("student", "students", "student id", "student_id", "id")  # what the line above a list of ids may say
_LONGEST = 200  # bytes of UTF-8 in a file's name; file systems have room for 255


def read_roster(path: Path) -> list[str]:
    """The ids of the students in a roster, in its order, as they are hashed and reported (`student_id`).

    Parameters
    ----------
    path : a CSV file (commas, semicolons or tabs) whose first line names its columns: the one called ``student``, or
        else the first, holds the ids. Or plain text with one id a line, with or without ``student`` above.

    Raises
    ------
    MixedsimError
        If the file cannot be read or names nobody, an id is none, or somebody stands in it twice.
    """
    return list(read_columns(path))


def read_columns(path: Path) -> dict[str, dict[str, str]]:
    """For every student of a roster the other columns that are filled in: id -> column as written -> text.

    Parameters and errors are those of `read_roster`; also a roster that nobody has filled in yet is an error here.
    """
    lines = _lines(path)
    if not lines:
        raise MixedsimError(f"{path} names no student: write one id a line, or a CSV file with a column 'student'.")
    head = lines[0][1]
    several = max(len(cells) for _, cells in lines) > 1
    names = [cell.casefold() for cell in head]
    column = names.index("student") if "student" in names else 0
    body = lines[1:] if several or names[0] in _HEADERS else lines
    if several and not any(name in _HEADERS for name in names) and column == 0:
        _refuse_if_headless(path, head, [cells for _, cells in body])
    found: dict[str, dict[str, str]] = {}
    first: dict[str, int] = {}
    for number, cells in body:
        try:
            student = student_id(cells[column] if column < len(cells) else "")
        except MixedsimError as error:
            raise MixedsimError(f"{path}, line {number}: {error}") from None
        if student in found:
            twice = f"{student!r} stands in it twice, first on line {first[student]}"
            raise MixedsimError(f"{path}, line {number}: {twice}; capitals and outer blanks do not matter.")
        first[student] = number
        others = [(name, cell) for k, (name, cell) in enumerate(zip(head, cells, strict=False)) if k != column]
        found[student] = {name: cell for name, cell in others if name and cell}
    if not found:
        raise MixedsimError(f"{path} names no student below its first line, {', '.join(head)!r}.")
    return found


def file_names(students: Iterable[str]) -> dict[str, str]:
    """For every id what stands for it in the names of files: the id, with ``_`` for all that a file cannot be called.

    Raises
    ------
    MixedsimError
        If two ids come to the same name.
    """
    names: dict[str, str] = {}
    owners: dict[str, str] = {}
    for student in students:
        name = re.sub(r"[^\w.+@-]", "_", student)
        name = name.encode()[:_LONGEST].decode(errors="ignore")
        if name in owners:
            both = f"{owners[name]!r} and {student!r}"
            raise MixedsimError(f"{both} would have one file, data-{name}.csv: change one of the two ids.")
        names[student], owners[name] = name, student
    return names


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """The lines that are not empty, with their numbers, cut into cells."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise MixedsimError(f"{path} is not a text file in UTF-8: save it as CSV UTF-8.") from None
    except OSError as error:
        raise MixedsimError(f"cannot read {str(path)!r}: {error.strerror}.") from None
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=first.count)
    reader = csv.reader(text.splitlines(), delimiter=separator)
    rows = ((reader.line_num, [cell.strip() for cell in row]) for row in reader)
    return [(number, cells) for number, cells in rows if any(cells)]


def _refuse_if_headless(path: Path, head: list[str], body: list[list[str]]) -> None:
    """Raise if the first line looks like a student and not like names of columns: he would go without data."""
    shape = [re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "0", cells[0])) for cells in [head, *body]]
    if len(shape) > 1 and any(c == "0" for c in shape[0]) and shape[0] == shape[1]:
        problem = f"must name the columns of the roster, one of them 'student', found {head[0]!r}"
        raise MixedsimError(f"{path}, line 1: {problem}.")
