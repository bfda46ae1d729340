"""Which numbers a platform has to know to mark a question about a number nearly as the grader does.

A platform knows values and tolerances, and not how many digits were typed. So a right answer has half a unit of the
last digit asked for (or its Monte-Carlo error) as its tolerance; the few numbers that are right to fewer digits are
listed, with half of the points; and a mistake's answer has half a unit of its own.

Where two right answers lie on two sides of a power of ten, the larger one's tolerance also covers numbers near the
smaller one that the grader, which asks the nearer one only, takes for wrong.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import Final

from mixedsim.classroom.answers import tolerance
from mixedsim.classroom.export.items import Value
from mixedsim.classroom.export.markup import inline
from mixedsim.classroom.marking import Number, Own, misconception
from mixedsim.classroom.marking.question import settled

_SLACK: Final = 1 + 1e-9  # 0.32 for 0.315 is half a unit off but for binary fractions
_EXACT: Final = 1e-9  # how far a count may be off, and relatively a rounded number
_FINEST: Final = 1e-13  # Moodle adds 1e-14 to every tolerance: p-values smaller than that are all one to it
_APART: Final = 0.499  # of the distance of two mistakes: so far each of them reaches


def values_of(question: Number, own: Own) -> tuple[tuple[Value, ...], tuple[str, ...]]:
    """Right values, those rounded too far and those of mistakes, in this order; and mistakes that are left out."""
    right = _right(question, own)
    rounded = _rounded(question, own, right)
    mistakes, dropped = _mistakes(question, own, right)
    return (*right, *rounded, *mistakes), dropped


def reach(number: float, question: Number) -> float:
    """Half a unit of the last digit that is asked for, or the least that a platform can tell."""
    return _EXACT if question.digits is None else max(tolerance(number, digits=question.digits) * _SLACK, _FINEST)


def _right(question: Number, own: Own) -> list[Value]:
    numbers = [question.right_answer(own), *(float(settled(value, own)) for value in question.also)]
    spread = float(settled(question.spread, own))
    different = list(dict.fromkeys(numbers))
    return [Value(number, max(reach(number, question), spread), 1.0, "Right.") for number in different]


def _rounded(question: Number, own: Own, right: Sequence[Value]) -> list[Value]:
    """Right to fewer digits than asked: the grader itself says which numbers it takes for that."""
    found: list[Value] = []
    for value, digits in itertools.product(right, range(1, question.digits or 1)):
        number = float(f"{value.number:.{digits}g}")
        verdict = question.mark(number, own)
        if verdict.outcome == "rounded" and number not in [one.number for one in found]:
            share = verdict.points / verdict.maximum
            found.append(Value(number, max(_EXACT * abs(number), _FINEST), share, inline(verdict.feedback)))
    return found


def _mistakes(question: Number, own: Own, right: Sequence[Value]) -> tuple[list[Value], tuple[str, ...]]:
    """Each usual mistake's number, where it is neither nearly right nor nearly that of another mistake.

    Two that lie within each other's reach are both left out: whoever hits them may have made either. Two whose reaches
    only overlap get less of it.
    """
    known = []
    for name, number in question.wrong_answers(own).items():
        if math.isfinite(number):
            known.append(Value(number, reach(number, question), 0.0, inline(misconception(name).advice), name))
    kept = [one for one in known if not any(one.overlaps(value) for value in right)]
    alike = {
        mistake.mistake
        for one, other in itertools.combinations(kept, 2)
        if abs(one.number - other.number) <= max(one.tolerance, other.tolerance)
        for mistake in (one, other)
    }
    kept = [_apart(one, kept) for one in kept if one.mistake not in alike]
    return kept, tuple(sorted(question.misconceptions - {one.mistake for one in kept}))


def _apart(one: Value, others: Sequence[Value]) -> Value:
    """With no more reach than leaves every other mistake its own."""
    distances = [abs(one.number - other.number) for other in others if other is not one and one.overlaps(other)]
    return dataclasses.replace(one, tolerance=min([one.tolerance, *(_APART * distance for distance in distances)]))
