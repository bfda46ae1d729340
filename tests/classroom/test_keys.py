"""Every key, on the data of many students: right answers are right, mistakes have their names and cost points."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import jupytext
import matplotlib.pyplot as plt
import pytest

from mixedsim.classroom.marking import MISCONCEPTIONS, Number, Own, load_key

SOURCES = Path(__file__).parents[2] / "exercises"
KEYS = {path.stem.replace("_", "-", 1): load_key(path) for path in sorted((SOURCES / "keys").glob("*.py"))}
KEYS = {key.name: key for key in KEYS.values()}
# A key is tried with MIXEDSIM_STUDENTS=500 when it is written or changed; every run of the tests takes fewer.
STUDENTS = int(os.environ.get("MIXEDSIM_STUDENTS", "200"))
SOLVED = 50
# Of the students, at most so many whose data make a mistake's answer right as well, or that of another mistake.
HARMLESS, ALIKE = 0.03, 0.05


def students(count):
    return [f"s{number:04d}" for number in range(count)]


@pytest.mark.parametrize("name", KEYS)
def test_right_answers_and_mistakes_of_many_students(name):
    key = KEYS[name]
    harmless, alike, seen = Counter(), Counter(), Counter()
    for student in students(STUDENTS):
        own = Own(name, student)
        for question in key.questions:
            right = question.mark(question.right_answer(own), own)
            assert (right.points, right.misconception) == (question.points, ""), (student, right)
            for mistake, answer in question.wrong_answers(own).items():
                verdict = question.mark(answer, own)
                place = (question.name, mistake)
                seen[place] += 1
                if verdict.points == question.points:
                    harmless[place] += 1
                elif verdict.misconception != mistake:
                    alike[place] += 1
                    assert verdict.misconception, (student, place, verdict)
    assert all(count >= STUDENTS / 20 for count in seen.values()), seen
    assert {p: n for p, n in harmless.items() if n > HARMLESS * seen[p]} == {}, "mistakes that cost nothing"
    assert {p: n for p, n in alike.items() if n > ALIKE * seen[p]} == {}, "mistakes that look like another"
    known = {(question.name, mistake) for question in key.questions for mistake in question.misconceptions}
    assert known == set(seen), "mistakes that no student's data show"


@pytest.mark.parametrize("name", KEYS)
def test_numbers_are_right_as_typed_to_the_digits_asked(name):
    key = KEYS[name]
    for student in students(40):
        own = Own(name, student)
        for question in key.questions:
            if isinstance(question, Number) and question.digits is not None:
                typed = float(f"{question.right_answer(own):.{question.digits}g}")
                assert question.mark(typed, own).points == question.points, (student, question.name, typed)


@pytest.mark.parametrize("name", KEYS)
def test_the_solution_gets_every_point_of_fifty_students_and_an_empty_notebook_none(name):
    key = KEYS[name]
    cells = [
        cell.source for cell in jupytext.read(SOURCES / f"{name}.md", fmt="md:myst").cells if cell.cell_type == "code"
    ]
    program = "\n".join(line for cell in cells for line in cell.splitlines() if not line.startswith(("%", "!")))
    for student in students(SOLVED):
        space = {}
        exec(re.sub(r"(?m)^student = .*$", f"student = {student!r}", program), space)
        plt.close("all")  # pictures of given cells
        marks = key.mark(space, Own(name, student))
        assert [mark.question for mark in marks if mark.points < mark.maximum] == [], (student, marks)
    assert [mark.points for mark in key.mark({}, Own(name, "anna"))] == [0] * len(key.questions)


@pytest.mark.parametrize("name", KEYS)
def test_the_visible_check_passes_what_is_right(name):
    key = KEYS[name]
    for student in students(10):
        own = Own(name, student)
        for question in key.questions:
            space = {question.variable: question.right_answer(own)}
            exec(f"from mixedsim.classroom import answers\n{question.visible()}", space)


def test_every_misconception_points_to_a_section_of_the_book():
    book = SOURCES.parent / "book"
    for known in MISCONCEPTIONS.values():
        text = (book / f"{known.chapter}.md").read_text(encoding="utf-8")
        headings = {re.sub(r"[`]", "", line.lstrip("# ")) for line in text.splitlines() if line.startswith("#")}
        assert known.section.replace("`", "") in headings, known
