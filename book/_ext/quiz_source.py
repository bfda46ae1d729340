"""What stands between the fences of a ``{quiz}``: YAML in, questions out, one sentence for every mistake.

Nothing here knows Sphinx. All scalars are read as the text that was typed (``Yes`` is a word, not a truth value).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

CHOICE_KEYS = ("question", "answers", "keep_order")
ANSWER_KEYS = ("text", "correct", "feedback")
NUMBER_KEYS = ("question", "number", "tolerance", "feedback_right", "feedback_wrong", "wrong")
WRONG_KEYS = ("number", "feedback")
FEWEST, MOST = 2, 6


class QuizError(ValueError):
    """A sentence about a mistake that leaves nothing to look at further."""


@dataclass(frozen=True)
class Mistake:
    line: int
    sentence: str


@dataclass(frozen=True)
class Answer:
    text: str
    feedback: str
    correct: bool


@dataclass(frozen=True)
class Choice:
    """A question with answers to tick: one of them is right, or several."""

    question: str
    answers: tuple[Answer, ...]
    keep_order: bool = False
    line: int = 0

    @property
    def several(self) -> bool:
        return sum(answer.correct for answer in self.answers) > 1


@dataclass(frozen=True)
class WrongNumber:
    number: str
    feedback: str


@dataclass(frozen=True)
class Number:
    """A question whose answer is a number; numbers are text, since they may be computed (``{glue:text}`icc` ``)."""

    question: str
    number: str
    tolerance: str
    feedback_right: str
    feedback_wrong: str
    wrong: tuple[WrongNumber, ...] = ()
    line: int = 0


Question = Choice | Number


@dataclass
class Quiz:
    """The questions that are sound, and the mistakes of the others."""

    questions: list[Question] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)


def read_quiz(text: str) -> Quiz:
    """The questions of a quiz and its mistakes; lines count from 0, the first line of ``text``."""
    quiz = Quiz()
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
        given = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        quiz.mistakes.append(_not_yaml(error))
        return quiz
    if not isinstance(given, list) or not given:
        quiz.mistakes.append(Mistake(0, "a quiz is a list of questions, each beginning with `- question:`."))
        return quiz
    lines = [part.start_mark.line for part in node.value]
    for place, (one, line) in enumerate(zip(given, lines, strict=True), start=1):
        try:
            quiz.questions.append(_question(one, line))
        except QuizError as error:
            quiz.mistakes.append(Mistake(line, f"question {place}: {error}"))
    asked = [question.question for question in quiz.questions]
    for question in quiz.questions:
        if asked.count(question.question) > 1:
            quiz.mistakes.append(Mistake(question.line, f"{_short(question.question)} is asked twice; ask it once."))
            break
    return quiz


def read_number(text: str) -> float | None:
    """The number that ``text`` means, None if it means none; computed text may come in quotes, with commas or a %."""
    plain = text.strip().strip("'\"").replace("\N{MINUS SIGN}", "-").replace(",", "").removesuffix("%").strip()
    try:
        return float(plain)
    except ValueError:
        return None


def is_computed(text: str) -> bool:
    return text.startswith("{glue:text}`") and text.endswith("`")


def _question(given: object, line: int) -> Question:
    if not isinstance(given, dict):
        raise QuizError("expected `question:` and `answers:` (or `number:`), found " + _short(str(given)) + ".")
    if "answers" in given and "number" in given:
        raise QuizError("has both `answers` and `number`; keep one of them.")
    return _number(given, line) if "number" in given else _choice(given, line)


def _choice(given: dict[str, Any], line: int) -> Choice:
    _only(given, CHOICE_KEYS, "a question with answers")
    question = _text(given, "question")
    answers = given.get("answers")
    if not isinstance(answers, list) or not FEWEST <= len(answers) <= MOST:
        raise QuizError(f"needs `answers`, a list of {FEWEST} to {MOST} (or `number:` for a number).")
    told = tuple(_answer(one, place) for place, one in enumerate(answers, start=1))
    right = sum(answer.correct for answer in told)
    if right == 0:
        raise QuizError("no answer is right; write `correct: true` under one of them.")
    if right == len(told):
        raise QuizError("every answer is right; a question needs a wrong one.")
    texts = [answer.text for answer in told]
    if len(set(texts)) < len(texts):
        twice = next(text for text in texts if texts.count(text) > 1)
        raise QuizError(f"the answer {_short(twice)} stands there twice.")
    keep = given.get("keep_order", "false")
    return Choice(question, told, keep_order=_truth(keep, "keep_order"), line=line)


def _answer(given: object, place: int) -> Answer:
    if not isinstance(given, dict):
        raise QuizError(f"answer {place} needs `text:` and `feedback:`, found {_short(str(given))}.")
    _only(given, ANSWER_KEYS, f"answer {place}")
    try:
        text, feedback = _text(given, "text"), _text(given, "feedback")
        return Answer(text, feedback, _truth(given.get("correct", "false"), "correct"))
    except QuizError as error:
        raise QuizError(f"answer {place} {error}") from None


def _number(given: dict[str, Any], line: int) -> Number:
    _only(given, NUMBER_KEYS, "a question for a number")
    question, number, tolerance, right, wrong = (_text(given, key) for key in NUMBER_KEYS[:5])
    _numeric(number, "number")
    width = _numeric(tolerance, "tolerance")
    if width is not None and width <= 0:
        raise QuizError(f"`tolerance` is how far off an answer may be, more than 0, not {tolerance}.")
    listed = given.get("wrong", [])
    if not isinstance(listed, list):
        raise QuizError("`wrong` is a list, each with `number:` and `feedback:`.")
    return Number(question, number, tolerance, right, wrong, tuple(_wrong(one) for one in listed), line)


def _wrong(given: object) -> WrongNumber:
    if not isinstance(given, dict):
        raise QuizError(f"`wrong` needs `number:` and `feedback:`, found {_short(str(given))}.")
    _only(given, WRONG_KEYS, "`wrong`")
    number, feedback = _text(given, "number"), _text(given, "feedback")
    _numeric(number, "number")
    return WrongNumber(number, feedback)


def numbers_apart(number: float, tolerance: float, wrong: list[float]) -> None:
    """Raises where a number that is said to be wrong would count as right."""
    for one in wrong:
        if abs(one - number) <= tolerance:
            raise QuizError(f"{one:g} is listed as wrong, but within {tolerance:g} of {number:g}, the right answer.")


def _numeric(text: str, key: str) -> float | None:
    if is_computed(text):
        return None
    number = read_number(text)
    if number is None:
        raise QuizError(f'`{key}` is a number or "{{glue:text}}`name`", not {_short(text)}.')
    return number


def _text(given: dict[str, Any], key: str) -> str:
    value = given.get(key)
    if isinstance(value, str) and value.strip():
        if "\n\n" in value.strip():
            raise QuizError(f"`{key}` is one paragraph, without an empty line.")
        return " ".join(value.split())
    if isinstance(value, (list, dict)):
        raise QuizError(f"`{key}` is a sentence; put it in quotes.")
    raise QuizError(f"has no `{key}`.")


def _truth(value: object, key: str) -> bool:
    if value not in ("true", "false"):
        raise QuizError(f"`{key}` is true or false, not {_short(str(value))}.")
    return value == "true"


def _only(given: dict[str, Any], known: tuple[str, ...], what: str) -> None:
    for key in given:
        if key not in known:
            raise QuizError(f"{what} has no `{key}`; there are {', '.join(known)}.")


def _short(text: str) -> str:
    return repr(text if len(text) <= 50 else text[:47] + "...")


def _not_yaml(error: yaml.YAMLError) -> Mistake:
    mark = getattr(error, "problem_mark", None)
    what = str(getattr(error, "problem", None) or error).splitlines()[0]
    return Mistake(
        mark.line if mark else 0,
        f'this is not YAML ({what}): put a text in "quotes" that holds `: ` or begins with one of ` {{ [ * & > | % @.',
    )
