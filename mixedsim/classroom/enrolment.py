"""The key that a student of a course holds: with it, and without the course's secret, the student's data are drawn.

A course with a secret hands every student a file ``mixedsim-key.json`` to keep beside the notebooks. A grader gives
the keys of the ids that it runs a notebook for in the environment variable ``MIXEDSIM_STUDENT_KEYS``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mixedsim.classroom.seeds import course_mark, course_secret, student_id, student_key
from mixedsim.errors import MixedsimError

KEY_FILE: Final = "mixedsim-key.json"
KEYS_VARIABLE: Final = "MIXEDSIM_STUDENT_KEYS"


def key_file_of(student: str, secret: str) -> dict[str, str]:
    """What a student's key file says: course, id and key."""
    return {
        "course": course_mark(secret),
        "student": student_id(student),
        "key": student_key(student, secret=secret).hex(),
    }


def keys_for(students: list[str], secret: str) -> str:
    """The value of ``MIXEDSIM_STUDENT_KEYS`` for these ids."""
    return json.dumps([key_file_of(student, secret) for student in students])


def as_held(keys: Mapping[str, bytes], course: str) -> str:
    """The value of ``MIXEDSIM_STUDENT_KEYS`` for these ids and keys of the course with this mark."""
    return json.dumps([{"course": course, "student": one, "key": key.hex()} for one, key in keys.items()])


def find_key(student: object, course: str | None = None, folder: Path | None = None) -> bytes:
    """The student's key: from the environment, from the key file, or from the course's secret in the environment.

    Parameters
    ----------
    student : the id.
    course : the mark of the course (`seeds.course_mark`) that the notebook belongs to; None or ``""`` for none.
    folder : where to look for the key file, and in all folders above; by default the current one.

    Raises
    ------
    MixedsimError
        If the notebook belongs to a course with a secret and there is no key of it for this id.
    """
    wanted = student_id(student)
    held = [*_from_environment(), *_from_files((folder or Path.cwd()).resolve())]
    for one, _ in held:
        if one["student"] == wanted and course in (None, "", one["course"]):
            return bytes.fromhex(one["key"])
    secret = course_secret()
    if not course or course == course_mark(secret):
        if held and not course and not secret:
            one, where = held[0]
            raise MixedsimError(f"{where} belongs to {one['student']!r}, not to {wanted!r}: write your own id.")
        return student_key(wanted, secret=secret)
    if held:
        one, where = held[0]
        if one["student"] != wanted:
            raise MixedsimError(f"{where} belongs to {one['student']!r}, not to {wanted!r}: write your own id.")
        raise MixedsimError(f"{where} belongs to another course than this notebook: ask for the right {KEY_FILE}.")
    raise MixedsimError(
        f"your data are drawn with a key of your own, and there is none here: put the file {KEY_FILE} that you were "
        "given into the folder of this notebook."
    )


def _from_environment() -> list[tuple[dict[str, str], str]]:
    text = os.environ.get(KEYS_VARIABLE)
    return [(one, "the key that this notebook was run with") for one in json.loads(text)] if text else []


def _from_files(folder: Path) -> list[tuple[dict[str, str], str]]:
    found = []
    for place in (folder, *folder.parents):
        path = place / KEY_FILE
        if path.is_file():
            found.append((_read(path), KEY_FILE))
    return found


def _read(path: Path) -> dict[str, str]:
    try:
        one: Any = json.loads(path.read_text(encoding="utf-8"))
        bytes.fromhex(one["key"])
        return {field: str(one[field]) for field in ("course", "student", "key")}
    except (OSError, ValueError, KeyError, TypeError):
        raise MixedsimError(f"{str(path)!r} is not as it was handed out: ask for it again.") from None
