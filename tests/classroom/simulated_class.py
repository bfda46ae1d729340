"""Classes that nobody taught: students who are right, or make known or unknown mistakes, with known probabilities."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mixedsim.classroom.desk.course import Course
from mixedsim.classroom.desk.gradebook import Gradebook
from mixedsim.classroom.desk.graded import Graded
from mixedsim.classroom.marking import Assignment, Number, Own, Verdict
from mixedsim.classroom.seeds import student_key


@dataclass(frozen=True)
class Habits:
    """Probabilities of a right answer by question, and what the others do; digits that people type."""

    right: Mapping[str, float]
    known: float = 0.5  # of what is not right: a mistake with a name
    missing: float = 0.1
    digits: tuple[int, ...] = (2, 3, 4, 15)


def typed(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def answers_of(key: Assignment, own: Own, habits: Habits, rng: np.random.Generator) -> dict[str, Any]:
    """One student's answers. All unknown mistakes of a student are one: their numbers are off by the same share."""
    digits, off = int(rng.choice(habits.digits)), 1 + 0.15 * rng.standard_normal()
    found: dict[str, Any] = {}
    for question in key.questions:
        wrong = question.wrong_answers(own)
        if rng.random() < habits.right.get(question.name, 0.6):
            answer = question.right_answer(own)
        elif (chance := rng.random()) < habits.missing:
            continue
        elif wrong and chance < habits.missing + habits.known:
            answer = wrong[str(rng.choice(sorted(wrong)))]
        elif isinstance(question, Number):
            answer = question.right_answer(own) * off
        else:
            continue
        found[question.variable] = typed(answer, digits) if isinstance(question, Number) else answer
    return found


def graded(key: Assignment, student: str, verdicts: list[Verdict], **changes: Any) -> Graded:
    kinds = {question.name: (question.kind, question.level) for question in key.questions}
    told: dict[str, Any] = {
        "file": f"{student}/{key.name}.ipynb",
        "sha256": f"{student}-{key.name}",
        "assignment": key.name,
        "version": "v",
        "student": student,
        "claimed": student,
        "maximum": sum(key.points.values()),
        "verdicts": verdicts,
        "kinds": kinds,
    }
    return Graded(**(told | changes))


def build_light(folder: Path, exercises: Path, names: list[str]) -> None:
    """What report and feedback read of a build: the keys, and the headings of the notebooks."""
    for name in names:
        for part in ("autograder", "student"):
            (folder / name / part).mkdir(parents=True)
        shutil.copy(exercises / "keys" / f"{name.replace('-', '_')}.py", folder / name / "autograder" / "key.py")
        cell = {"cell_type": "markdown", "source": (exercises / f"{name}.md").read_text(encoding="utf-8")}
        notebook = json.dumps({"cells": [cell]})
        (folder / name / "student" / f"{name}.ipynb").write_text(notebook, encoding="utf-8")


def course_in(
    folder: Path, students: list[str], *, title: str = "Mixed models, autumn", secret: str = "s" * 32
) -> Course:
    roster = "student,name\n" + "".join(f"{student},Name {student.upper()}\n" for student in students)
    (folder / "roster.csv").write_text(roster, encoding="utf-8")
    return Course(
        folder, title, secret, folder / "roster.csv", folder / "exercises", folder / "built",
        folder / "gradebook.sqlite", 60.0, None,
    )  # fmt: skip


def hand_in(
    gradebook: Gradebook, key: Assignment, course: Course, students: list[str], *, habits: Habits, seed: int,
    copiers: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Every student answers and is graded; copiers hand in the right answers of somebody else's data."""
    rng, run = np.random.default_rng(seed), gradebook.begin("simulated")
    for student in students:
        own = Own(key.name, student, student_key(student, secret=course.secret))
        source = (copiers or {}).get(student)
        if source is None:
            answers = answers_of(key, own, habits, rng)
        else:
            other = Own(key.name, source, student_key(source, secret=course.secret))
            answers = {question.variable: question.right_answer(other) for question in key.questions}
        gradebook.add(run, graded(key, student, key.mark(answers, own)))
    gradebook.finish(run)
