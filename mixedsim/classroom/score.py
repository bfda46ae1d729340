"""Otter's test files, run against the answers of a notebook that has already ended.

Otter itself runs hidden tests inside the student's kernel, where the student's code can read and replace them. Here
they run in the grader's own process against plain data, and draw the student's data again from the id. The files
are Otter's all the same (exception-based tests in ``autograder.zip``), so that its own graders can use them too.
"""

from __future__ import annotations

import copy
import inspect
import re
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mixedsim.classroom.otter_parts import NBMetadataConfig, TestFile, create_test_file
from mixedsim.errors import MixedsimError

ARCHIVE = "autograder.zip"
# The last line of Otter's report on a failed test names the exception; these two mean that the answer is wrong.
_WRONG_ANSWER = re.compile(r"^(Hint|AssertionError)\b", re.MULTILINE)


@dataclass(frozen=True)
class Question:
    """One question of an assignment: its points and Otter's tests."""

    name: str
    points: float
    tests: TestFile

    @property
    def variables(self) -> frozenset[str]:
        """The student's variables that the tests look at."""
        functions = [case.body.test_func for case in self.tests.test_cases]
        return frozenset(name for function in functions for name in inspect.signature(function).parameters)


@dataclass(frozen=True)
class Autograder:
    """An assignment's questions with their hidden tests, in the order of their names."""

    assignment: str
    questions: tuple[Question, ...]

    @property
    def variables(self) -> list[str]:
        """Every variable that some test looks at, the student's id among them."""
        return sorted({"student"}.union(*(question.variables for question in self.questions)))

    @property
    def points(self) -> dict[str, float]:
        """What each question is worth."""
        return {question.name: question.points for question in self.questions}

    def score(self, answers: Mapping[str, Any]) -> tuple[dict[str, float], list[str]]:
        """Points for each question, and the questions whose tests themselves failed (the instructor's business)."""
        points: dict[str, float] = {}
        broken: list[str] = []
        for question in self.questions:
            tests = copy.copy(question.tests)  # running a test file stores its results in it
            tests.run(dict(answers))
            points[question.name] = float(tests.score)
            failed = [result for result in tests.test_case_results if not result.passed]
            if any(not _WRONG_ANSWER.search(_last_lines(result.message)) for result in failed):
                broken.append(question.name)
        return points, broken


def load(exercises: Path, assignment: str) -> Autograder:
    """The autograder of `assignment` from a folder that ``mixedsim exercises build`` has filled.

    Raises
    ------
    MixedsimError
        If that assignment was not built there.
    """
    archive = exercises / assignment / "autograder" / ARCHIVE
    if not archive.is_file():
        raise MixedsimError(
            f"there is no autograder for {assignment!r} in {str(exercises)!r}: run `mixedsim exercises build` first."
        )
    return _load(archive, assignment, archive.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _load(archive: Path, assignment: str, _changed: int) -> Autograder:
    """Read an archive once; its time of change is part of the question, because it may be built again."""
    return Autograder(assignment, tuple(_questions(archive)))


def built(exercises: Path) -> list[str]:
    """Names of the assignments that have an autograder in the folder `exercises`."""
    return sorted(archive.parent.parent.name for archive in exercises.glob(f"*/autograder/{ARCHIVE}"))


def _questions(archive: Path) -> list[Question]:
    with tempfile.TemporaryDirectory(prefix="mixedsim-") as scratch, zipfile.ZipFile(archive) as files:
        members = sorted(name for name in files.namelist() if re.fullmatch(r"tests/[^/]+\.py", name))
        read = [create_test_file(files.extract(member, scratch), NBMetadataConfig()) for member in members]
    return [Question(tests.name, float(tests.possible), tests) for tests in read]


def _last_lines(message: str) -> str:
    """The part of Otter's report after the quoted source line, where the exception is named."""
    _, _, tail = message.partition("\n  ")
    return tail or message
