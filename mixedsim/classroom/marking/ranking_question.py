"""An order: the three most shrunken subjects, the designs from least to most power."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from mixedsim.classroom import answers
from mixedsim.classroom.marking.own import Own
from mixedsim.classroom.marking.question import Question
from mixedsim.classroom.marking.verdict import Verdict

Scores = Callable[[Own], "pd.Series[float]"]


@dataclass(frozen=True, kw_only=True)
class Ranking(Question):
    """A question whose answer is a list of labels, that with the largest score first.

    Things whose scores differ by less than `tie` may stand in any order.

    Parameters
    ----------
    answer : from the student's `Own`, a Series: label -> score.
    top : how many of the first are asked for.
    wrong : misconception -> the scores by which it ranks.
    tie : difference of scores that is none.
    """

    answer: Scores
    top: int
    wrong: Mapping[str, Scores] = field(default_factory=dict)
    tie: float = 0.0

    kind = "ranking"

    @property
    def misconceptions(self) -> frozenset[str]:
        """The mistakes that it knows."""
        return frozenset(self.wrong)

    def visible(self) -> str:
        """Source of the visible check."""
        return f"answers.ranking({self.variable!r}, {self.variable}, count={self.top})"

    def read(self, value: Any) -> list[str]:
        """As many labels as were asked for, as text."""
        return answers.ranking(self.variable, value, count=self.top)

    def right_answer(self, own: Own) -> list[str]:
        """The labels with the largest scores."""
        return _first(self._scores(own), self.top)

    def wrong_answers(self, own: Own) -> dict[str, list[str]]:
        """What a mistaken order begins with, where that is not right as well."""
        found = {name: _first(_labelled(scores(own)), self.top) for name, scores in self.wrong.items()}
        return {name: labels for name, labels in found.items() if not self._holds(labels, own)}

    def judge(self, answer: list[str], own: Own) -> Verdict:
        """Every label must have the largest score of those that are left, but for ties."""
        told: dict[str, Any] = {"given": answer, "right": self.right_answer(own)}
        unknown = [label for label in answer if label not in self._scores(own).index]
        if unknown:
            return self.verdict(
                "unreadable", feedback=f"`{self.variable}` names {unknown[0]!r}, which is none.", **told
            )
        if self._holds(answer, own):
            return self.verdict("right", share=1.0, **told)
        mistake = next((name for name, labels in self.wrong_answers(own).items() if labels == answer), "")
        return self.verdict("wrong", mistake=mistake, **told)

    def _scores(self, own: Own) -> pd.Series[float]:
        return own.once(("ranking", self.name), lambda: _labelled(self.answer(own)))

    def _holds(self, labels: list[str], own: Own) -> bool:
        left = self._scores(own)
        for label in labels:
            if label not in left.index or left[label] < left.max() - self.tie:
                return False
            left = left.drop(label)
        return True


def _labelled(scores: pd.Series[float]) -> pd.Series[float]:
    return scores.set_axis([str(label) for label in scores.index])


def _first(scores: pd.Series[float], count: int) -> list[str]:
    return [str(label) for label in scores.sort_values(ascending=False, kind="stable").index[:count]]
