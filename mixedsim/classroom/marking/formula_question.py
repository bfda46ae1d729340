"""A model's formula: right however it is written, wrong in ways that have names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mixedsim.classroom import answers
from mixedsim.classroom.marking.own import Own
from mixedsim.classroom.marking.question import Question
from mixedsim.classroom.marking.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class Formula(Question):
    """A question whose answer is a formula as text.

    Parameters
    ----------
    answer : the right formula.
    also : other formulas that are as right: other models that serve the same question.
    columns : the columns of the data.
    wrong : for each misconception the formula, or the formulas, that it leads to.
    """

    answer: str
    columns: Sequence[str]
    also: Sequence[str] = ()
    wrong: Mapping[str, str | Sequence[str]] = field(default_factory=dict)

    kind = "formula"

    @property
    def misconceptions(self) -> frozenset[str]:
        """The mistakes that it knows."""
        return frozenset(self.wrong)

    def visible(self) -> str:
        """Source of the visible check."""
        return f"answers.formula({self.variable!r}, {self.variable}, columns={list(self.columns)!r})"

    def read(self, value: Any) -> str:
        """The formula, which can be read and names columns of the data."""
        answers.formula(self.variable, value, columns=self.columns)
        return str(value)

    def right_answer(self, own: Own) -> str:
        """The right formula."""
        return self.answer

    def wrong_answers(self, own: Own) -> dict[str, str]:
        """One formula for each mistake."""
        return {name: _several(formulas)[0] for name, formulas in self.wrong.items()}

    def judge(self, answer: str, own: Own) -> Verdict:
        """Compare what the formulas mean."""
        told: dict[str, Any] = {"given": answer, "right": self.answer}
        if any(answers.means_the_same(answer, formula) for formula in (self.answer, *self.also)):
            return self.verdict("right", share=1.0, **told)
        for name, formulas in self.wrong.items():
            if any(answers.means_the_same(answer, formula) for formula in _several(formulas)):
                return self.verdict("wrong", mistake=name, **told)
        return self.verdict("wrong", **told)


def _several(formulas: str | Sequence[str]) -> Sequence[str]:
    return [formulas] if isinstance(formulas, str) else formulas
