"""What each student's own data give, right and mistaken, for a whole class: computed once, kept beside the gradebook.

The file holds right answers. It belongs where the gradebook and the secret are, and nowhere else.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from tqdm import tqdm

import mixedsim
from mixedsim.classroom.assignments import parts, population
from mixedsim.classroom.marking import Assignment, Number, Own, Showcase
from mixedsim.classroom.marking.question import settled
from mixedsim.classroom.score import Autograder
from mixedsim.classroom.seeds import course_mark, student_key
from mixedsim.errors import ConvergenceError, DataError
from mixedsim.files import draft

_SAVE_EACH: Final = 50  # students: what is lost when it is interrupted


@dataclass(frozen=True)
class KnownAnswers:
    """One assignment, many students.

    Attributes
    ----------
    key : the assignment's key.
    students : by id, ``{"targets": {question: {name: number}}, "spread": {question: number}, "intervals": […]}``.
    """

    key: Assignment
    students: dict[str, dict[str, Any]]

    @cached_property
    def targets(self) -> pd.DataFrame:
        """Index: student; columns: (question, name), where the name is ``""`` for the right answer, ``"also 1"`` for
        another one that is as right, else the misconception that leads to it."""
        rows = {
            student: {
                (question, name): value for question, named in one["targets"].items() for name, value in named.items()
            }
            for student, one in self.students.items()
        }
        table = pd.DataFrame.from_dict(rows, orient="index", dtype=np.float64)
        columns: list[Any] = table.columns.to_list()
        table.columns = pd.MultiIndex.from_tuples(columns, names=["question", "name"])
        return table

    @property
    def simulated(self) -> set[str]:
        """The questions whose answer is a simulation's: right within Monte-Carlo error, the same for nobody."""
        return {question for one in self.students.values() for question, spread in one["spread"].items() if spread > 0}

    def intervals(self, showcase: Showcase) -> pd.DataFrame:
        """Index: student; estimate, lower, upper, truth; NaN where the model could not be fitted."""
        which = showcases_of(self.key).index(showcase)
        rows = {student: one["intervals"][which] for student, one in self.students.items()}
        columns = ["estimate", "lower", "upper", "truth", "skipped"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns, dtype=np.float64)


def known_answers(
    autograder: Autograder, students: Iterable[str], *, secret: str, folder: Path, progress: bool = False
) -> KnownAnswers:
    """What the data of `students` give; what the file in `folder` knows already is not computed again.

    Parameters
    ----------
    autograder : of the assignment.
    students : ids.
    secret : the course's secret, from which the students' data follow.
    folder : where it is kept, in ``NAME.json``; made if need be. Another key, secret or population begins anew.
    progress : whether to show a progress bar on stderr when it takes longer than a second.
    """
    path = folder / f"{autograder.assignment}.json"
    version = _version(autograder, secret)
    kept = _kept(path, version)
    wanted = list(students)
    new = [student for student in wanted if student not in kept]
    shown = tqdm(
        new, desc=f"answers of {autograder.assignment}", unit="student", delay=1, leave=False, disable=not progress
    )
    for count, student in enumerate(shown, 1):
        own = Own(autograder.assignment, student, student_key(student, secret=secret))
        kept[student] = answers_of(autograder.key, own)
        if count % _SAVE_EACH == 0 or count == len(new):
            _keep(path, version, kept)
    return KnownAnswers(autograder.key, {student: kept[student] for student in wanted})


def answers_of(key: Assignment, own: Own) -> dict[str, Any]:
    """What one student's data give, ready for JSON."""
    numbers = [question for question in key.questions if isinstance(question, Number)]
    return {
        "targets": {question.name: _targets(question, own) for question in numbers},
        "spread": {question.name: float(settled(question.spread, own)) for question in numbers},
        "intervals": [_interval(showcase, own) for showcase in showcases_of(key)],
    }


def showcases_of(key: Assignment) -> tuple[Showcase, ...]:
    """Those that the key names; else the first predictor in the model that the data were drawn from.

    There is none where that model has a variable that nobody observed, an outcome that is not normal, or data that
    something went wrong with: then only the key's author knows which model is right.
    """
    if key.showcase:
        return key.showcases
    drawn_from = population(key.name)
    predictors = [name for name in drawn_from.fixef if name != "Intercept"]
    hidden = any(not variable.observed for variable in drawn_from.variables.values())
    family = drawn_from.family
    assert isinstance(family, Mapping)
    plain = (family["kind"], family["link"]) == ("gaussian", "identity")
    if hidden or drawn_from.problems or not plain or not predictors or not drawn_from.ranef:
        return ()
    return (Showcase(drawn_from.formula, predictors[0]),)


def _targets(question: Number, own: Own) -> dict[str, float]:
    also = {f"also {k}": float(settled(value, own)) for k, value in enumerate(question.also, 1)}
    return {"": question.right_answer(own), **also, **question.wrong_answers(own)}


def _interval(showcase: Showcase, own: Own) -> list[float]:
    """Estimate, ends, truth, and how many draws were passed over because they did not show the lesson."""
    truth = own.sample(showcase.part).truth
    try:
        found = showcase.interval(own)
    except (ConvergenceError, DataError):  # counted and said in the report: it must not cost the others
        found = (math.nan, math.nan, math.nan)
    return [*found, showcase.true_value(truth), truth.skipped]


def _version(autograder: Autograder, secret: str) -> str:
    """What the answers depend on, in a few letters."""
    name = autograder.assignment
    drawn_from = [_shape(name, part) for part in parts(name)]
    told = [autograder.version, course_mark(secret), mixedsim.__version__, *drawn_from]
    return blake2b("\n".join(told).encode(), digest_size=12).hexdigest()


def _shape(name: str, part: str | None) -> str:
    drawn_from = population(name, part)
    return re.sub(r" at 0x[0-9a-f]+", "", repr(drawn_from))  # where a function lies differs from run to run


def _kept(path: Path, version: str) -> dict[str, dict[str, Any]]:
    """What the file knows; nothing if there is none, or it belongs to another version, or is no such file."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    mine = isinstance(held, dict) and held.get("version") == version
    return dict(held["students"]) if mine else {}


def _keep(path: Path, version: str, students: dict[str, dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with draft(str(path), force=True) as file:
        file.write_text(json.dumps({"version": version, "students": students}), encoding="utf-8")
