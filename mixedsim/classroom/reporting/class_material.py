"""What a section of the report is made of: points, statistics, intervals and pairs of one assignment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mixedsim.classroom.desk.course import Course
from mixedsim.classroom.reporting.class_sampling import ClassIntervals
from mixedsim.classroom.reporting.copied_answers import Pairs, copied_answers
from mixedsim.classroom.reporting.item_statistics import Reliability, item_statistics, reliability
from mixedsim.classroom.reporting.known_answers import KnownAnswers, known_answers, showcases_of
from mixedsim.classroom.reporting.question_titles import question_titles
from mixedsim.classroom.score import built, load

_NOBODY = Pairs(pd.DataFrame(), pd.DataFrame(), 0)


@dataclass(frozen=True)
class Material:
    """One assignment.

    Attributes
    ----------
    name, title : of the assignment; the title is the name where it is not built here.
    marks : rows of `Gradebook.marks`.
    points : one row a student, one column a question.
    maximum : what each question is worth.
    titles : of the questions, where they are known.
    items : `item_statistics.item_statistics`.
    alpha : `item_statistics.reliability`.
    intervals : the class as a sampling distribution, for each showcase.
    pairs : answers that fit a classmate's data.
    known_mistakes : mistakes that the key knows; none where it is not built here.
    built : whether the key is here.
    """

    name: str
    title: str
    marks: pd.DataFrame
    points: pd.DataFrame
    maximum: pd.Series[float]
    titles: Mapping[str, str]
    items: pd.DataFrame
    alpha: Reliability
    intervals: tuple[ClassIntervals, ...]
    pairs: Pairs
    known_mistakes: frozenset[str]
    built: bool


def answers_folder(course: Course) -> Path:
    """Where what the students' data give is kept: beside the gradebook, which is out of every repository."""
    return course.gradebook.with_name(f"{course.gradebook.name}.answers")


def material_of(name: str, marks: pd.DataFrame, course: Course, *, progress: bool = False) -> Material:
    """The material of one assignment.

    Parameters
    ----------
    name : of the assignment.
    marks : its rows of `Gradebook.marks`.
    course : the roster, whose data are all used, and the secret.
    progress : whether to show a progress bar on stderr when the students' data take longer than a second.
    """
    order = marks.drop_duplicates("question").set_index("question")
    questions = sorted(order.index, key=lambda question: int(question[1:]))
    points = marks.pivot_table(index="student", columns="question", values="points", aggfunc="sum")[questions].fillna(
        0.0
    )
    maximum = order["max"].reindex(questions).astype(float)
    here = name in built(course.built)
    known = _known(name, marks, course, progress) if here else None
    return Material(
        name=name,
        title=known.key.title if known else name,
        marks=marks,
        points=points,
        maximum=maximum,
        titles=question_titles(course.built, name),
        items=item_statistics(points, maximum),
        alpha=reliability(points),
        intervals=tuple(ClassIntervals(one, known.intervals(one)) for one in showcases_of(known.key)) if known else (),
        pairs=_pairs(marks, known) if known else _NOBODY,
        known_mistakes=frozenset().union(*(one.misconceptions for one in known.key.questions))
        if known
        else frozenset(),
        built=here,
    )


def _known(name: str, marks: pd.DataFrame, course: Course, progress: bool) -> KnownAnswers:
    students = list(dict.fromkeys([*course.roster, *marks["student"]]))
    folder = answers_folder(course)
    return known_answers(load(course.built, name), students, secret=course.secret, folder=folder, progress=progress)


def _pairs(marks: pd.DataFrame, known: KnownAnswers) -> Pairs:
    numbers = marks[marks["kind"] == "number"]
    if not len(numbers):
        return _NOBODY
    given = numbers.pivot_table(index="student", columns="question", values="given", aggfunc="first")
    return copied_answers(given.fillna(""), known.targets, leave_out=frozenset(known.simulated))
