"""What every kind of question has in common."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mixedsim.classroom.answers import Hint
from mixedsim.classroom.marking.misconceptions import misconception
from mixedsim.classroom.marking.own import Own
from mixedsim.classroom.marking.verdict import Outcome, Verdict
from mixedsim.errors import MixedsimError

LEVELS: Final = (1, 2, 3)
_LONGEST_SHOWN: Final = 120
_GENERAL: Final = "Compare each step of yours with the chapter that this exercise belongs to."


@dataclass(frozen=True, kw_only=True)
class Question(ABC):
    """One question of an assignment's key.

    Parameters
    ----------
    name : ``"q1"``, as in the source's ``# BEGIN QUESTION``.
    variable : the variable that the student gives the answer to.
    points : what it is worth.
    level : 1 to 3 stars.
    look : where to look when the answer is wrong and no misconception explains it: one sentence that tells nothing.
    """

    name: str
    variable: str
    points: float = 1.0
    level: int = 1
    look: str = field(default="")

    kind = "question"  # of what kind it is, for reports and exports

    def __post_init__(self) -> None:
        if not re.fullmatch(r"q\d+", self.name):
            raise MixedsimError(f"a question's name must be q1, q2, …, found {self.name!r}.")
        if not self.variable.isidentifier():
            raise MixedsimError(f"{self.name}: the variable must be a name of Python's, found {self.variable!r}.")
        if self.level not in LEVELS:
            raise MixedsimError(f"{self.name}: the level must be 1, 2 or 3, found {self.level!r}.")
        if not self.points > 0:
            raise MixedsimError(f"{self.name}: points must be more than 0, found {self.points!r}.")
        for name in self.misconceptions:
            misconception(name)

    @property
    @abstractmethod
    def misconceptions(self) -> frozenset[str]:
        """The mistakes that it knows."""

    @abstractmethod
    def visible(self) -> str:
        """Source of the visible check: one call on `mixedsim.classroom.answers`, in terms of the variable."""

    @abstractmethod
    def read(self, value: Any) -> Any:
        """The answer in the form in which it is marked; raises `Hint` if it has not that form."""

    @abstractmethod
    def right_answer(self, own: Own) -> Any:
        """A right answer for this student: it gets every point."""

    @abstractmethod
    def wrong_answers(self, own: Own) -> Mapping[str, Any]:
        """For each misconception the answer that it leads this student to."""

    @abstractmethod
    def judge(self, answer: Any, own: Own) -> Verdict:
        """The mark of an answer that `read` has given back."""

    def mark(self, value: Any, own: Own) -> Verdict:
        """The mark of what a student's variable held; None or ``...`` is no answer."""
        if value is None or value is ...:
            return self.verdict("missing", feedback=f"`{self.variable}` has no answer.")
        try:
            answer = self.read(value)
        except Hint as hint:
            return self.verdict("unreadable", feedback=str(hint), given=value)
        return self.judge(answer, own)

    def verdict(
        self,
        outcome: Outcome,
        *,
        share: float = 0.0,
        mistake: str = "",
        feedback: str = "",
        given: Any = "",
        right: Any = "",
    ) -> Verdict:
        """A `Verdict` with this question's name and points; a mistake brings its own feedback."""
        if mistake:
            feedback = " ".join([feedback, misconception(mistake).advice]).strip()
        elif outcome in ("wrong", "partly") and not feedback:
            feedback = self.look or _GENERAL
        return Verdict(
            question=self.name, points=round(self.points * share, 4), maximum=self.points, outcome=outcome,
            misconception=mistake, feedback=feedback, given=shown(given), right=shown(right),
        )  # fmt: skip


def shown(value: Any) -> str:
    """An answer as short text."""
    text = f"{value:.6g}" if isinstance(value, float) else value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def settled(value: Any | Callable[[Own], Any], own: Own) -> Any:
    """What is the same for everybody, or computed from the student's own data."""
    return value(own) if callable(value) else value
