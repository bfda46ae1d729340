"""A number: right within rounding and within what legitimate methods differ by.

An answer may be typed (0.32) or computed (0.3166123). What was typed stands for every number that rounds to it, so the
last typed digit says how exact the answer is. It is right if it lies

- within half a unit of digit number `digits` of the right answer, or of that of another legitimate method, or
- within `spread`, the Monte-Carlo error of a simulated answer (three standard errors).

An answer that is right only to fewer digits than asked gets half of the points, and is told so. A wrong one is compared
with what the usual mistakes lead to; the comparison is as exact as the answer was typed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mixedsim.classroom import answers
from mixedsim.classroom.marking.own import Own
from mixedsim.classroom.marking.question import Question, settled
from mixedsim.classroom.marking.verdict import Verdict

Value = float | Callable[[Own], float]
_COMPUTED: Final = 7  # digits from which a number was hardly typed
_EQUAL: Final = 2e-6  # relative: the same computation, on another machine or to another tolerance of the search
_COARSEST: Final = 0.2  # of the right answer: half a unit of what was typed may not be more


@dataclass(frozen=True, kw_only=True)
class Number(Question):
    """A question whose answer is a number.

    Parameters
    ----------
    answer : the right one: a number, or a function of the student's `Own`.
    wrong : for each misconception the number that it leads to, likewise.
    also : other right ones: what other legitimate methods give.
    digits : significant digits that are asked for; None for a count, which must be exact.
    spread : how far a simulated answer may lie from the right one: three Monte-Carlo standard errors.
    low, high : what is plausible, for the visible check.
    """

    answer: Value
    wrong: Mapping[str, Value] = field(default_factory=dict)
    also: Sequence[Value] = ()
    digits: int | None = 2
    spread: Value = 0.0
    low: float = -math.inf
    high: float = math.inf

    kind = "number"

    @property
    def misconceptions(self) -> frozenset[str]:
        """The mistakes that it knows."""
        return frozenset(self.wrong)

    def visible(self) -> str:
        """Source of the visible check."""
        bounds = "".join(
            f", {name}={value!r}" for name, value in (("low", self.low), ("high", self.high)) if math.isfinite(value)
        )
        look = f", look={self.look!r}" if self.look else ""
        return f"answers.number({self.variable!r}, {self.variable}{bounds}{look})"

    def read(self, value: Any) -> Any:
        """The number as it was given: its digits say how exact it is."""
        answers.number(self.variable, value)
        return value

    def right_answer(self, own: Own) -> float:
        """The right number."""
        return float(settled(self.answer, own))

    def wrong_answers(self, own: Own) -> dict[str, float]:
        """The numbers that mistakes lead to."""
        found = {name: float(settled(value, own)) for name, value in self.wrong.items()}
        return {name: value for name, value in found.items() if math.isfinite(value)}  # a mistake may lead nowhere

    def judge(self, answer: Any, own: Own) -> Verdict:
        """Compare with the right answers first, then with the mistakes."""
        given, typed = answers.number(self.variable, answer), half_unit_typed(answer)
        targets = [self.right_answer(own), *(float(settled(value, own)) for value in self.also)]
        nearest = min(targets, key=lambda target: abs(given - target))
        off = abs(given - nearest) * (1 - 1e-9)  # 0.32 for 0.315 is half a unit off but for binary fractions
        told: dict[str, Any] = {"given": given, "right": targets[0]}
        if _equal(given, nearest):
            return self.verdict("right", share=1.0, **told)
        mistake = self._mistake(given, typed, own)
        if off <= max(self._asked(nearest), float(settled(self.spread, own))):
            return self.verdict("right", share=1.0, feedback=self._to_digits(mistake), **told)
        if off <= typed <= _COARSEST * abs(nearest) and self.digits is not None:
            asked = f"Right as far as it goes, but {self.digits} significant digits were asked for."
            return self.verdict("rounded", share=0.5, feedback=asked, **told)
        return self.verdict("wrong", mistake=mistake, **told)

    def _asked(self, target: float) -> float:
        return 1e-9 if self.digits is None else answers.tolerance(target, digits=self.digits)

    def _to_digits(self, mistake: str) -> str:
        if not mistake:
            return f"Right to {self.digits} digits." if self.digits is not None else ""
        return f"Right to {self.digits} digits, though it looks as if it was computed in another way."

    def _mistake(self, given: float, typed: float, own: Own) -> str:
        """The mistake whose answer is nearest, if the answer given rounds to it."""
        near = []
        for name, value in self.wrong_answers(own).items():
            coarse = min(typed, 2 * self._asked(value))  # one digit is no evidence
            if _equal(given, value) or abs(given - value) <= coarse * (1 + 1e-9):
                near.append((abs(given - value), name))
        return min(near)[1] if near else ""


def half_unit_typed(value: Any) -> float:
    """Half a unit of the last digit of a number as it was typed; next to nothing for a computed one.

    Examples
    --------
    >>> half_unit_typed(0.32), half_unit_typed(12), half_unit_typed(0.3166123411)
    (0.005, 0.5, 0.0)
    """
    number = float(value.item() if hasattr(value, "item") else value)
    mantissa, _, exponent = repr(number).partition("e")
    whole, _, decimals = mantissa.partition(".")
    decimals = decimals.rstrip("0")
    if len((whole + decimals).strip("-0")) >= _COMPUTED or number == 0:
        return 0.0
    return 0.5 * 10.0 ** (int(exponent or 0) - len(decimals))


def _equal(given: float, target: float) -> bool:
    return abs(given - target) <= _EQUAL * abs(target) + 1e-12
