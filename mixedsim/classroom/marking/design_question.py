"""A population of the student's own making, which must do what the question asks: make an analysis fail, say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mixedsim.classroom import answers
from mixedsim.classroom.marking.own import Own
from mixedsim.classroom.marking.question import Question
from mixedsim.classroom.marking.verdict import Verdict
from mixedsim.errors import MixedsimError
from mixedsim.simulate import Population

MOST_ROWS: Final = 20_000
Demand = Callable[[Population], bool]


@dataclass(frozen=True, kw_only=True)
class Design(Question):
    """A question whose answer is a population as YAML text (`Population.to_yaml`).

    Parameters
    ----------
    demands : what it must do: sentence -> a function that says whether a population does it. They are tried in their
        order; each that holds gets its share of the points. They may simulate, with a seed of their own.
    example : YAML text that meets all of them.
    wrong : misconception -> YAML text of a population that has it.
    rows : the most rows that it may have.
    """

    demands: Mapping[str, Demand]
    example: str
    wrong: Mapping[str, str] = field(default_factory=dict)
    signs: Mapping[str, Demand] = field(default_factory=dict)
    rows: int = MOST_ROWS

    kind = "design"

    @property
    def misconceptions(self) -> frozenset[str]:
        """The mistakes that it knows."""
        return frozenset(self.signs)

    def visible(self) -> str:
        """Source of the visible check."""
        return f"answers.design({self.variable!r}, {self.variable}, rows={self.rows})"

    def read(self, value: Any) -> Population:
        """The population."""
        return answers.design(self.variable, value, rows=self.rows)

    def right_answer(self, own: Own) -> str:
        """A population that does it."""
        return self.example

    def wrong_answers(self, own: Own) -> dict[str, str]:
        """A population for each mistake."""
        return dict(self.wrong)

    def judge(self, answer: Population, own: Own) -> Verdict:
        """Try every demand."""
        unmet = [said for said, demand in self.demands.items() if not _holds(demand, answer)]
        told: dict[str, Any] = {"given": answer.formula, "right": next(iter(self.demands))}
        if not unmet:
            return self.verdict("right", share=1.0, **told)
        share = 1 - len(unmet) / len(self.demands)
        mistake = next((name for name, sign in self.signs.items() if _holds(sign, answer)), "")
        feedback = f"Not met: {_listed(unmet)}."
        return self.verdict("partly" if share else "wrong", share=share, mistake=mistake, feedback=feedback, **told)


def _holds(demand: Demand, population: Population) -> bool:
    """A population that cannot be drawn, or whose data a demand cannot be tried on, does not do what was asked."""
    try:
        found = demand(population)
    except (MixedsimError, LookupError, TypeError, ValueError, ArithmeticError):  # text for numbers, no such column …
        return False
    return bool(found) and not (isinstance(found, float) and math.isnan(found))


def _listed(sentences: Sequence[str]) -> str:
    return "; ".join(sentence.rstrip(".") for sentence in sentences)
