"""From an exercise as it is written to one with checks and tests, as Otter Assign reads it.

The source holds text, cells to answer in, and solutions. What the answers must look like, and which are right, stands
in the key; the checks are made of it, so that text and key cannot drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mixedsim.classroom.marking import Assignment, Question
from mixedsim.errors import MixedsimError

_CONFIG = """# ASSIGNMENT CONFIG
name: {name}
export_cell: false
show_question_points: false
strip_solutions_from_all_cells: true
files: []
tests:
  ok_format: false"""
_VISIBLE = '''""" # BEGIN TEST CONFIG
success_message: The form is right and the size is plausible. Whether the value is right, only the grader knows.
""" # END TEST CONFIG
def test_form({variable}):
    from mixedsim.classroom import answers
    {call}'''
_HIDDEN = """# HIDDEN
def test_value(student, {variable}):
    from mixedsim.classroom.otter_key import must_be_right
    must_be_right({assignment!r}, {question!r}, student, {variable})"""


def with_checks(cells: Iterable[Mapping[str, Any]], key: Assignment) -> list[dict[str, Any]]:
    """The cells of a source with Otter's marks around every answer, and the key's checks behind it.

    Question 1 begins at the heading ``## Question 1: …``, which gets its stars and points. Its text and given code stay
    as they are; the one code cell with a line that ends in ``# SOLUTION`` is what students answer in.

    Raises
    ------
    MixedsimError
        If the source's questions are not the key's, or a question has no answer cell, or two.
    """
    out = [_raw(_CONFIG.format(name=key.name))]
    answered: dict[str, int] = dict.fromkeys(key.points, 0)
    asked: list[str] = []
    current: Question | None = None
    for cell in _cut(cells):
        text = cell["source"]
        if cell["cell_type"] == "markdown" and text.startswith("## "):
            current = _question(text, key)
            if current is not None:
                asked.append(current.name)
                cell = {**cell, "source": _headed(text, current)}
        if current is None or cell["cell_type"] != "code" or "SOLUTION" not in text:
            out.append(cell)
            continue
        answered[current.name] += 1
        out += [
            _raw(f"# BEGIN QUESTION\nname: {current.name}\npoints: {current.points:g}\nall_or_nothing: true"),
            _raw("# BEGIN SOLUTION"), cell, _raw("# END SOLUTION"),
            _raw("# BEGIN TESTS"), *_tests(current, key), _raw("# END TESTS"), _raw("# END QUESTION"),
        ]  # fmt: skip
    if asked != list(key.points):
        raise MixedsimError(f"{key.name}: the source asks {', '.join(asked)}, its key {', '.join(key.points)}.")
    for name, count in answered.items():
        if count != 1:
            raise MixedsimError(f"{key.name}: {name} must have one code cell with `# SOLUTION`, found {count}.")
    return out


def _cut(cells: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The cells, with text cut before each heading of the second rank."""
    for cell in cells:
        text = "".join(cell["source"])
        pieces = re.split(r"(?m)^(?=## )", text) if cell["cell_type"] == "markdown" else [text]
        for piece in pieces:
            if piece.strip():
                yield {**cell, "source": piece.strip() if cell["cell_type"] == "markdown" else piece}


def _question(heading: str, key: Assignment) -> Question | None:
    """The question that a heading begins; None for any other heading."""
    numbered = re.match(r"## Question (\d+)\b", heading)
    if numbered is None:
        return None
    if f"q{numbered[1]}" not in key.points:
        raise MixedsimError(f"{key.name}: the key has no question {numbered[1]}.")
    return key.question(f"q{numbered[1]}")


def _headed(text: str, question: Question) -> str:
    """The heading with stars and points: ``## Question 1: how much? ★★ (2 points)``."""
    heading, _, rest = text.partition("\n")
    points = "1 point" if question.points == 1 else f"{question.points:g} points"
    return f"{heading.rstrip()} {'★' * question.level} ({points})\n{rest}"


def _tests(question: Question, key: Assignment) -> list[dict[str, Any]]:
    visible = _VISIBLE.format(variable=question.variable, call=question.visible())
    hidden = _HIDDEN.format(assignment=key.name, question=question.name, variable=question.variable)
    return [_code(visible), _code(hidden)]


def _raw(source: str) -> dict[str, Any]:
    return {"cell_type": "raw", "metadata": {}, "source": source}


def _code(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": source, "execution_count": None, "outputs": []}
