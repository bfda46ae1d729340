"""The YAML of a quiz: sound questions come out as they were meant, every mistake gets its one sentence."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("yaml", reason="quizzes are YAML")


def _load(name: str) -> ModuleType:
    """A module of book/_ext, which is no package: Sphinx finds it by its folder."""
    path = Path(__file__).parents[2] / "book" / "_ext" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


source = _load("quiz_source")

SOUND = """
- question: What does $\\tau$ mean?
  answers:
    - text: Yes
      feedback: no
    - text: >-
        The standard deviation
        between clusters.
      correct: true
      feedback: Right.
- question: How much?
  number: "{glue:text}`icc`"
  tolerance: 0.01
  feedback_right: Yes.
  feedback_wrong: No.
  wrong: [{number: 0.04, feedback: That is the variance.}]
"""


def test_a_sound_quiz_keeps_every_word() -> None:
    quiz = source.read_quiz(SOUND)
    assert quiz.mistakes == []
    choice, number = quiz.questions
    assert choice.question == "What does $\\tau$ mean?"
    assert [answer.text for answer in choice.answers] == ["Yes", "The standard deviation between clusters."]
    assert [answer.correct for answer in choice.answers] == [False, True]
    assert not choice.several
    assert number.number == "{glue:text}`icc`"
    assert number.wrong == (source.WrongNumber("0.04", "That is the variance."),)
    assert [choice.line, number.line] == [1, 10]


TWO = (
    "- question: Q?\n  answers:\n"
    "    - text: a\n      correct: true\n      feedback: yes\n"
    "    - text: b\n      feedback: no\n"
)
NUMBER = "- question: Q?\n  number: 2\n  tolerance: 0.1\n  feedback_right: yes\n  feedback_wrong: no\n"
MISTAKES = {
    "": "a quiz is a list of questions, each beginning with `- question:`.",
    "question: Q?": "a quiz is a list of questions, each beginning with `- question:`.",
    "- why": "question 1: expected `question:` and `answers:` (or `number:`), found 'why'.",
    TWO.replace("correct", "right"): "question 1: answer 1 has no `right`; there are text, correct, feedback.",
    TWO.replace("      correct: true\n", ""): (
        "question 1: no answer is right; write `correct: true` under one of them."
    ),
    TWO.replace("text: b", "text: b\n      correct: true"): (
        "question 1: every answer is right; a question needs a wrong one."
    ),
    TWO.replace("text: b", "text: a"): "question 1: the answer 'a' stands there twice.",
    TWO.replace("correct: true", "correct: yes"): "question 1: answer 1 `correct` is true or false, not 'yes'.",
    TWO.replace("      feedback: no\n", ""): "question 1: answer 2 has no `feedback`.",
    TWO.replace("Q?", "{glue:text}"): "question 1: `question` is a sentence; put it in quotes.",
    TWO.replace("question: Q?", "question:"): "question 1: has no `question`.",
    TWO + TWO: "'Q?' is asked twice; ask it once.",
    "- question: Q?\n  answers: [a, b]": "question 1: answer 1 needs `text:` and `feedback:`, found 'a'.",
    "- question: Q?\n  answers: []": ("question 1: needs `answers`, a list of 2 to 6 (or `number:` for a number)."),
    TWO + "  number: 3\n": "question 1: has both `answers` and `number`; keep one of them.",
    NUMBER.replace("number: 2", "number: two"): (
        "question 1: `number` is a number or \"{glue:text}`name`\", not 'two'."
    ),
    NUMBER.replace("tolerance: 0.1", "tolerance: 0"): (
        "question 1: `tolerance` is how far off an answer may be, more than 0, not 0."
    ),
    NUMBER.replace("  tolerance: 0.1\n", ""): "question 1: has no `tolerance`.",
    NUMBER + "  wrong: 3\n": "question 1: `wrong` is a list, each with `number:` and `feedback:`.",
    NUMBER + "  wrong: [3]\n": "question 1: `wrong` needs `number:` and `feedback:`, found '3'.",
}


@pytest.mark.parametrize("text", MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_has_one_sentence(text: str) -> None:
    assert [mistake.sentence for mistake in source.read_quiz(text).mistakes] == [MISTAKES[text]]


@pytest.mark.parametrize("answer", ["`tau` is it", "so: this", "{glue:text}`icc`"])
def test_text_that_yaml_reads_otherwise_is_told_to_be_quoted(answer: str) -> None:
    (mistake,) = source.read_quiz(TWO.replace("text: b", f"text: {answer}")).mistakes
    assert 'in "quotes"' in mistake.sentence
    assert mistake.line in (5, 6)


def test_every_mistake_is_told_with_its_line() -> None:
    faulty = TWO.replace("correct", "right") + TWO.replace("Q?", "P?") + NUMBER.replace("Q?", "R?").replace("2", "two")
    assert [mistake.line for mistake in source.read_quiz(faulty).mistakes] == [0, 14]


def test_a_number_listed_as_wrong_lies_outside_the_tolerance() -> None:
    source.numbers_apart(2.0, 0.1, [2.2, 1.8])
    with pytest.raises(source.QuizError, match=r"2\.05 is listed as wrong, but within 0\.1 of 2, the right answer\."):
        source.numbers_apart(2.0, 0.1, [2.05])


@pytest.mark.parametrize(
    ("text", "number"), [("'0.20'", 0.2), ("1,234", 1234.0), ("\N{MINUS SIGN}3", -3.0), ("25 %", 25.0), ("many", None)]
)
def test_glued_text_is_read_as_the_number_that_it_shows(text: str, number: float | None) -> None:
    assert source.read_number(text) == number
