"""Executes one notebook that was handed in and marks its answers, whatever is in it.

Whose data the answers are held against is decided here: the data of whom the path names; where it names nobody, of
whom the notebook names, if the roster has this id. A notebook that names somebody else is marked all the same, against
its owner's data, and its status says whom it names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mixedsim.classroom.desk.graded import Graded, as_text
from mixedsim.classroom.desk.owners import Owner, claimed_in
from mixedsim.classroom.desk.submissions import Submission, Unreadable
from mixedsim.classroom.enrolment import KEYS_VARIABLE, as_held
from mixedsim.classroom.marking import Own, Question, Verdict
from mixedsim.classroom.score import Autograder, built, load, version_of_all
from mixedsim.classroom.seeds import course_mark, course_secret, student_id, student_key
from mixedsim.classroom.walled.limits import Limits
from mixedsim.classroom.walled.order import Wall
from mixedsim.classroom.walled.sandbox import run_notebook
from mixedsim.errors import MixedsimError


@dataclass(frozen=True)
class Task:
    """One notebook to grade: where it is, its SHA-256, and whom its path names."""

    submission: Submission
    sha256: str
    owner: Owner

    @property
    def file(self) -> str:
        """How the gradebook calls it."""
        return as_text(self.submission.name)


@dataclass(frozen=True)
class Examiner:
    """What a worker needs to turn tasks into gradings.

    Attributes
    ----------
    exercises : the folder that ``mixedsim exercises build`` has filled.
    limits : what a notebook may use.
    keys : id -> key of all students of the roster; None where there is no roster, and everybody is who they say.
    mark : of the course's secret; a notebook's process is given one student's key and never the secret.
    wall : the kind of wall that notebooks are executed behind; None for the strongest.
    """

    exercises: Path
    limits: Limits
    keys: Mapping[str, bytes] | None = None
    mark: str = ""
    wall: Wall | None = None

    def __call__(self, task: Task, stopped: Callable[[], bool] = lambda: False) -> Graded:
        """What became of one notebook; never raises for anything that a student could hand in."""
        started, known = time.monotonic(), Graded(task.file, task.sha256, student=task.owner.student)
        try:
            notebook = task.submission.read()
            autograder = load(self.exercises, self._assignment(notebook))
        except (Unreadable, MixedsimError) as error:
            seconds = time.monotonic() - started
            return replace(known, status=f"unreadable: {error}", version=self.version(""), seconds=seconds)
        graded = self.examine(notebook, autograder, known, task.owner, stopped)
        return replace(graded, seconds=time.monotonic() - started)

    def version(self, assignment: str) -> str:
        """Which key and which course's data marks stand for: with another, notebooks are graded again.

        What cannot be read (``""``) is so with these exercises; with others, or another key, it is looked at again.
        """
        mark = self.mark if self.keys is not None else course_mark(course_secret())
        version = load(self.exercises, assignment).version if assignment else version_of_all(self.exercises)
        return version + (f"-{mark}" if mark else "")

    def owner_of(self, owner: Owner, claimed: str) -> str:
        """The id against whose data answers are held; ``""`` if nobody knows."""
        if self.keys is None:
            return claimed
        return owner.student or (claimed if claimed in self.keys else "")

    def examine(
        self,
        notebook: Mapping[str, Any],
        autograder: Autograder,
        known: Graded,
        owner: Owner,
        stopped: Callable[[], bool],
    ) -> Graded:
        """Execute a notebook that could be read, find out whose it is, and mark it."""
        expected = self._key_of(owner.student or claimed_in(notebook))
        outcome = run_notebook(
            notebook,
            names=autograder.variables,
            limits=self.limits,
            environment={KEYS_VARIABLE: as_held(*expected)} if expected else {},
            stopped=stopped,
            wall=self.wall,
        )
        claimed, no_id = _claimed(outcome.answers)
        student = self.owner_of(owner, claimed)
        known = replace(
            known, assignment=autograder.assignment, version=self.version(autograder.assignment), student=student,
            claimed=claimed, maximum=sum(autograder.points.values()),
            kinds={question.name: (question.kind, question.level) for question in autograder.key.questions},
        )  # fmt: skip
        notes = self._notes(owner, student, claimed)
        if not student:  # a notebook that broke before it named an id says how it broke
            why = outcome.problem if no_id and "student" not in outcome.answers else ""
            status = why or no_id or f"unknown student: {claimed!r} is not on the roster"
            verdicts = [question.verdict("missing", feedback=f"{status}.") for question in autograder.key.questions]
            return replace(known, status="; ".join([*notes, status]), verdicts=verdicts)
        key = self._key_of(student)
        own = Own(autograder.assignment, student, key[0][student] if key else None)
        marks = [_marked(question, outcome.answers, own) for question in autograder.key.questions]
        failed = [failure for _, failure in marks if failure]
        if failed:
            notes = [f"needs a look: {', '.join(failed)}", *notes]
        status = "; ".join([*notes, outcome.problem or "graded"])
        return replace(known, status=status, verdicts=[verdict for verdict, _ in marks])

    def _key_of(self, student: str) -> tuple[dict[str, bytes], str] | None:
        """One student's key and the mark of its course; None where data are drawn without."""
        if self.keys is not None:
            return ({student: self.keys[student]}, self.mark) if student in self.keys else None
        secret = course_secret()
        return ({student: student_key(student, secret=secret)}, course_mark(secret)) if secret and student else None

    def _notes(self, owner: Owner, student: str, claimed: str) -> list[str]:
        """What an instructor must know of whose notebook this is."""
        if self.keys is None:
            return []
        several = f"needs a look: the path names {' and '.join(owner.several)}" if owner.several else ""
        if not student:
            return [several] if several else []
        if not owner.student:
            return [f"{several}, owner taken from the notebook" if several else "owner taken from the notebook"]
        if not claimed:
            return ["needs a look: the notebook names no id"]
        if claimed != student:
            whose = f"of {claimed}" if claimed in self.keys else f"{claimed!r}, which is not on the roster"
            return [f"needs a look: names the id {whose}"]
        return []

    def _assignment(self, notebook: Mapping[str, Any]) -> str:
        """Which assignment a notebook answers: its metadata say so, unless an editor has dropped them."""
        metadata = notebook.get("metadata")
        otter = metadata.get("otter") if isinstance(metadata, dict) else None
        named = otter.get("assignment_name") if isinstance(otter, dict) else None
        known = built(self.exercises)
        if named is None and len(known) == 1:
            return known[0]
        if named not in known:
            found = "it names no assignment" if named is None else f"it answers {str(named)[:40]!r}"
            raise Unreadable(f"{found}; built are {', '.join(known)}")
        return str(named)


def _claimed(answers: Mapping[str, Any]) -> tuple[str, str]:
    """The id that an executed notebook names, or why that is none."""
    try:
        return student_id(answers.get("student")), ""
    except MixedsimError as error:
        return "", f"no student id: {error}"


def _marked(question: Question, answers: Mapping[str, Any], own: Own) -> tuple[Verdict, str]:
    """The mark of one question; and what went wrong, if its key did.

    A key is Python that somebody wrote. Whatever it raises must cost neither the other questions nor, without a word,
    this one.
    """
    try:
        return question.mark(answers.get(question.variable), own), ""
    except Exception as error:
        told = "This question could not be marked. That is not your fault; your instructor can see it."
        return question.verdict("missing", feedback=told), f"the key of {question.name} failed ({_in_words(error)})"


def _in_words(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
