"""The key of an assignment: its questions, and how answers to them are marked."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mixedsim.classroom.assignments import names
from mixedsim.classroom.marking.own import Own
from mixedsim.classroom.marking.question import Question
from mixedsim.classroom.marking.showcase import Showcase, showcases
from mixedsim.classroom.marking.verdict import Verdict
from mixedsim.errors import MixedsimError, nearest


@dataclass(frozen=True)
class Assignment:
    """The questions of one assignment.

    Parameters
    ----------
    name : as in ``exercises/NAME.md``, and of its population.
    title : what gradebooks show.
    chapters : numbers of the chapters that it belongs to.
    questions : in their order.
    showcase : what the report shows of the whole class: formula and coefficient of a model that is right for the
        population, or several such pairs (`Showcase` where the truth is another, or the data are of another part).
    """

    name: str
    title: str
    chapters: Sequence[int]
    questions: Sequence[Question]
    showcase: tuple[Showcase | tuple[str, str], ...] | tuple[str, str] = ()

    def __post_init__(self) -> None:
        if self.name not in names():
            raise MixedsimError(f"no population belongs to the assignment {self.name!r}; {nearest(self.name, names())}")
        expected = [f"q{k}" for k in range(1, len(self.questions) + 1)]
        if [question.name for question in self.questions] != expected:
            raise MixedsimError(f"{self.name}: questions must be q1, q2, … in their order.")
        variables = [question.variable for question in self.questions]
        taken = {"student", "data", "answers"} & set(variables)
        twice = {name for name in variables if variables.count(name) > 1} | taken
        if twice:
            both = "two questions, or one and the notebook's own, share the variable"
            raise MixedsimError(f"{self.name}: {both} {min(twice)!r}.")

    @property
    def points(self) -> dict[str, float]:
        """What each question is worth."""
        return {question.name: question.points for question in self.questions}

    @property
    def showcases(self) -> tuple[Showcase, ...]:
        """What the report shows of the whole class."""
        return showcases(self.showcase)

    @property
    def variables(self) -> list[str]:
        """The student's variables that are read."""
        return [question.variable for question in self.questions]

    def question(self, name: str) -> Question:
        """The question of that name."""
        return next(question for question in self.questions if question.name == name)

    def mark(self, answers: Mapping[str, Any], own: Own) -> list[Verdict]:
        """The marks of all questions.

        Parameters
        ----------
        answers : variable -> what it held; variables that are absent have no answer.
        own : the student's data, drawn from the roster's id and not from what the notebook says.
        """
        return [question.mark(answers.get(question.variable), own) for question in self.questions]


def load_key(path: Path | str) -> Assignment:
    """The ``KEY`` of a key file, which is Python.

    Raises
    ------
    MixedsimError
        If there is no such file, or it defines no `Assignment` called ``KEY``.
    """
    path = Path(path)
    if not path.is_file():
        raise MixedsimError(f"there is no key {str(path)!r}: an assignment NN-name.md needs keys/NN_name.py beside it.")
    return _load(path.resolve(), path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _load(path: Path, _changed: int) -> Assignment:
    """Read a key once; its time of change is part of the question, because it may be written again."""
    spec = importlib.util.spec_from_file_location(f"mixedsim_key_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    key = getattr(module, "KEY", None)
    if not isinstance(key, Assignment):
        raise MixedsimError(f"{str(path)!r} defines no KEY = Assignment(…).")
    return key
