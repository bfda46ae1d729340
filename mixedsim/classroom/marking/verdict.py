"""What the grader says of one answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Outcome = Literal["right", "rounded", "partly", "wrong", "unreadable", "missing"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)


@dataclass(frozen=True)
class Verdict:
    """The mark of one question.

    Attributes
    ----------
    question : ``"q1"``.
    points, maximum : what it got, and what it is worth.
    outcome : ``"right"``; ``"rounded"``, right to fewer digits than asked; ``"partly"``, some of several parts are
        right; ``"wrong"``; ``"unreadable"``, not of the form that was asked for; ``"missing"``, no answer.
    misconception : the name of the mistake that the answer is the mark of (see `misconceptions`); ``""`` if none.
    feedback : one to three sentences for the student; they do not tell the right answer.
    given, right : both answers as short text; `right` is for the instructor.
    """

    question: str
    points: float
    maximum: float
    outcome: Outcome
    misconception: str = ""
    feedback: str = ""
    given: str = ""
    right: str = ""
