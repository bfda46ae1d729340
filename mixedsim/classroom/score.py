"""The autograder of an assignment as it was built: its key, beside the notebooks, for the instructor alone.

Otter itself runs hidden tests inside the student's kernel, where the student's code can read and replace them. Here
answers are marked in the grader's own process, against plain data, with the student's data drawn again from the id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mixedsim.classroom.marking import Assignment, Own, Verdict, load_key
from mixedsim.errors import MixedsimError

EXERCISES: Final = Path("_build/exercises")  # where they are built without a course
KEY = "key.py"  # in an assignment's folder `autograder`


@dataclass(frozen=True)
class Autograder:
    """One assignment's key, and which version of it this is."""

    key: Assignment
    version: str

    @property
    def assignment(self) -> str:
        """The assignment's name."""
        return self.key.name

    @property
    def variables(self) -> list[str]:
        """Every variable that is read, the student's id among them."""
        return sorted({"student", *self.key.variables})

    @property
    def points(self) -> dict[str, float]:
        """What each question is worth."""
        return self.key.points

    def mark(self, answers: Mapping[str, Any], student: str, key: bytes | None = None) -> list[Verdict]:
        """The marks of all questions, against the data of `student`.

        Parameters
        ----------
        answers : variable -> what it held.
        student : whose data count; the roster's id, whatever the notebook says.
        key : the student's key (`seeds.student_key`); None finds it.
        """
        return self.key.mark(answers, Own(self.assignment, student, key))


def load(exercises: Path, assignment: str) -> Autograder:
    """The autograder of `assignment` from a folder that ``mixedsim exercises build`` has filled.

    Raises
    ------
    MixedsimError
        If that assignment was not built there.
    """
    path = exercises / assignment / "autograder" / KEY
    if not path.is_file():
        raise MixedsimError(
            f"there is no autograder for {assignment!r} in {str(exercises)!r}: run `mixedsim exercises build` first."
        )
    return Autograder(load_key(path), _version(path.read_bytes()))


def built(exercises: Path) -> list[str]:
    """Names of the assignments that have an autograder in the folder `exercises`."""
    return sorted(path.parent.parent.name for path in exercises.glob(f"*/autograder/{KEY}"))


def version_of_all(exercises: Path) -> str:
    """The version of all keys in the folder `exercises` together."""
    keys = [exercises / name / "autograder" / KEY for name in built(exercises)]
    return _version(b"".join(key.parent.parent.name.encode() + key.read_bytes() for key in keys))


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
