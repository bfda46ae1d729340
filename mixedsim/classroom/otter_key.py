"""What Otter's own graders call: the key that travels in ``autograder.zip``, asked about one answer.

`mixedsim grade` does not need it: it marks answers in its own process. Otter runs hidden tests in the notebook's
kernel, in the folder into which it has unpacked the archive.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from mixedsim.classroom.answers import Hint
from mixedsim.classroom.marking import Own, load_key

ARCHIVED = "key.py"  # beside the tests


def must_be_right(assignment: str, question: str, student: str, value: Any) -> None:
    """Nothing, if the answer gets every point; else `Hint`, with the feedback."""
    verdict = load_key(Path(ARCHIVED)).question(question).mark(value, _own(assignment, student))
    if verdict.points < verdict.maximum:
        raise Hint(verdict.feedback or f"{question} is wrong.")


@lru_cache(maxsize=4)
def _own(assignment: str, student: str) -> Own:
    return Own(assignment, student)
