"""Which files a question needs, and whether its answer is the same from them as in the notebook."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Final

from mixedsim.classroom.assignments import parts
from mixedsim.classroom.export.filed import AsRead, Filed
from mixedsim.classroom.export.number_values import reach
from mixedsim.classroom.export.sheet import Sheet
from mixedsim.classroom.marking import Assignment, Number, Own, Question
from mixedsim.errors import DataError, MixedsimError

_CLOSE: Final = 0.1  # of its tolerance: so far an answer from the file may lie from that of the data themselves


def needed(question: Question, sheet: Sheet, filed: Filed) -> list[str | None]:
    """The parts of the data that a question's answers are computed from, or that its text names.

    Parameters
    ----------
    filed : data of some student that nothing has been computed from yet.
    """
    question.right_answer(filed)
    question.wrong_answers(filed)
    body = sheet.asked[question.name].body
    named = {part for part, variable in sheet.tables.items() if re.search(rf"\b{variable}\b", body)}
    return [part for part in parts(filed.assignment) if part in filed.opened | named]


def compare(key: Assignment, exported: Sequence[str], own: Own, filed: Filed, as_read: AsRead) -> None:
    """Raise if a student who reads the file gets another answer than one who works in the notebook."""
    for name in exported:
        question = key.question(name)
        answers = [question.right_answer(own), question.right_answer(filed), _answer_as_read(question, as_read)]
        if not all(_close(answer, answers[0], question) for answer in answers[1:]):
            raise MixedsimError(
                f"{key.name} {name}: its answer is {answers[0]} in the notebook, but {answers[-1]} from the file "
                "that would be exported: let it not depend on how labels are named or ordered."
            )


def _answer_as_read(question: Question, own: AsRead) -> Any:
    """The right answer; None where the key asks for a label or a coefficient that the file's reader does not have."""
    try:
        return question.right_answer(own)
    except (KeyError, DataError):
        return None


def _close(one: Any, other: Any, question: Question) -> bool:
    if not isinstance(question, Number):
        return bool(one == other)
    return one is not None and math.isclose(one, other, rel_tol=1e-9, abs_tol=_CLOSE * reach(float(other), question))
