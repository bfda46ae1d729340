"""Sphinx extension: the directive ``{quiz}``, questions that answer back.

A built quiz is plain HTML: a fieldset a question, radio buttons or boxes to tick or a field for a number, and the
answers with their reasons in a ``<details>``. Without a script it can be read and the answers be looked up; the few
lines of quiz.js fold them away, check, and say why in a live region. Nothing is fetched. How it is written stands in
book/README.md.
"""

from __future__ import annotations

import copy
import hashlib
from typing import Any, ClassVar

from docutils import nodes
from myst_nb.core.variables import RetrievalError
from myst_nb.ext.glue.utils import retrieve_glue_data
from quiz_source import Answer, Choice, Number, Question, QuizError, is_computed, numbers_apart, read_number, read_quiz
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)


class quiz(nodes.General, nodes.Element):
    """All questions of one directive."""


class quiz_question(nodes.General, nodes.Element):
    """One question: ``kind`` is one, several or number."""


class quiz_prompt(nodes.General, nodes.TextElement):
    """What is asked."""


class quiz_answer(nodes.General, nodes.TextElement):
    """An answer to tick."""


class quiz_field(nodes.General, nodes.Element):
    """A field for a number."""


class quiz_key(nodes.General, nodes.Element):
    """The answers and their reasons."""


class quiz_verdict(nodes.General, nodes.Element):
    """An answer again, and what there is to say to it."""


class quiz_again(nodes.General, nodes.TextElement):
    """The answer's words, inside a verdict."""


class quiz_why(nodes.General, nodes.TextElement):
    """The feedback, inside a verdict."""


class QuizDirective(SphinxDirective):
    """Turns YAML into the nodes above; every mistake is a warning that names file, line and question."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        told = read_quiz("\n".join(self.content))
        for mistake in told.mistakes:
            self._warn(mistake.line, mistake.sentence)
        if told.mistakes:
            return []
        name = f"quiz-{nodes.make_id(self.env.docname)}-{self.env.new_serialno('quiz') + 1}"
        whole = quiz(ids=[name])
        for place, question in enumerate(told.questions, start=1):
            try:
                whole += self._question(question, f"{name}-{place}", place, len(told.questions))
            except QuizError as error:
                self._warn(question.line, f"question {place}: {error}")
        return [whole]

    def _warn(self, line: int, sentence: str) -> None:
        where = (self.env.docname, self.lineno + self.content_offset + line + 1)
        logger.warning("quiz, %s", sentence, location=where, type="quiz")

    def _question(self, question: Question, name: str, place: int, total: int) -> quiz_question:
        kind = "number" if isinstance(question, Number) else "several" if question.several else "one"
        node = quiz_question(ids=[name], kind=kind)
        node += quiz_prompt("", "", *self._inline(question.question, question), place=place, total=total, kind=kind)
        key = quiz_key()
        if isinstance(question, Number):
            node += quiz_field(name=name)
            key.extend(self._number_verdicts(question))
        else:
            for position, answer in enumerate(_in_order(question)):
                said = self._inline(answer.text, question)
                node += quiz_answer("", "", *said, name=name, position=position, kind=kind)
                key += self._verdict(question, answer.feedback, _copied(said), correct=answer.correct)
        node += key
        return node

    def _number_verdicts(self, question: Number) -> list[quiz_verdict]:
        number, tolerance = self._value(question.number), self._value(question.tolerance)
        wrong = [self._value(one.number) for one in question.wrong]
        numbers_apart(number, tolerance, wrong)
        verdicts = [self._verdict(question, question.feedback_right, [nodes.Text(f"{number:.10g}")], correct=True)]
        verdicts[0]["tolerance"] = repr(tolerance)
        for value, one in zip(wrong, question.wrong, strict=True):
            verdicts.append(self._verdict(question, one.feedback, [nodes.Text(f"{value:.10g}")], correct=False))
        for verdict, value in zip(verdicts, [number, *wrong], strict=True):
            verdict["number"] = repr(value)
        other = self._verdict(question, question.feedback_wrong, [nodes.Text("Any other number")], correct=False)
        return [*verdicts, other]

    def _verdict(self, question: Question, feedback: str, said: list[nodes.Node], *, correct: bool) -> quiz_verdict:
        verdict = quiz_verdict(correct=correct)
        verdict += quiz_again("", "", *said, correct=correct)
        verdict += quiz_why("", "", *self._inline(feedback, question))
        return verdict

    def _inline(self, text: str, question: Question) -> list[nodes.Node]:
        told, messages = self.state.inline_text(text, self.lineno + question.line)
        return [*told, *messages]

    def _value(self, text: str) -> float:
        """A number as it is typed, or as the page's own code has computed and glued it."""
        shown = text
        if is_computed(text):
            key = text.removeprefix("{glue:text}`").removesuffix("`")
            try:
                shown = str(retrieve_glue_data(self.state.document, key).data["text/plain"])
            except RetrievalError:
                raise QuizError(f"no cell of this page glues {key!r}.") from None
        number = read_number(shown)
        if number is None:
            raise QuizError(f"{text} is glued as {shown}, which is not a number.")
        return number


def _in_order(question: Choice) -> list[Answer]:
    """The answers in an order that has nothing to do with which is right, the same in every build."""
    if question.keep_order:
        return list(question.answers)
    return sorted(
        question.answers, key=lambda answer: hashlib.sha256((question.question + answer.text).encode()).digest()
    )


def _copied(told: list[nodes.Node]) -> list[nodes.Node]:
    return [copy.deepcopy(node) for node in told]


# --- HTML ---------------------------------------------------------------------------------------------------------


def visit_quiz(self: HTML5Translator, node: quiz) -> None:
    self.body.append(self.starttag(node, "div", "", CLASS="quiz", role="group", **{"aria-label": "Quiz"}))


def depart_quiz(self: HTML5Translator, node: quiz) -> None:
    self.body.append('<p class="quiz-score" role="status"></p></div>\n')


def visit_question(self: HTML5Translator, node: quiz_question) -> None:
    self.body.append(self.starttag(node, "fieldset", "", CLASS="quiz-question", **{"data-kind": node["kind"]}))


def depart_question(self: HTML5Translator, node: quiz_question) -> None:
    self.body.append("</fieldset>\n")


def visit_prompt(self: HTML5Translator, node: quiz_prompt) -> None:
    place = f"Question {node['place']} of {node['total']}"
    self.body.append(f'<legend><span class="quiz-place">{place}</span> ')


def depart_prompt(self: HTML5Translator, node: quiz_prompt) -> None:
    hint = ' <span class="quiz-hint">Choose all that hold.</span>' if node["kind"] == "several" else ""
    self.body.append(f"{hint}</legend>\n")


def visit_answer(self: HTML5Translator, node: quiz_answer) -> None:
    name, position = node["name"], node["position"]
    kind = "checkbox" if node["kind"] == "several" else "radio"
    self.body.append(
        f'<div class="quiz-answer"><input type="{kind}" id="{name}-{position}" name="{name}" value="{position}">'
        f'<label for="{name}-{position}">'
    )


def depart_answer(self: HTML5Translator, node: quiz_answer) -> None:
    self.body.append("</label></div>\n")


def visit_field(self: HTML5Translator, node: quiz_field) -> None:
    name = node["name"]
    self.body.append(
        f'<div class="quiz-answer"><label for="{name}-number">Your number</label> '
        f'<input type="text" inputmode="decimal" autocomplete="off" id="{name}-number" size="10">'
    )


def depart_field(self: HTML5Translator, node: quiz_field) -> None:
    self.body.append("</div>\n")


def visit_key(self: HTML5Translator, node: quiz_key) -> None:
    self.body.append(
        '<button type="button" class="quiz-check" hidden>Check</button>\n'
        '<div class="quiz-feedback" role="status" aria-live="polite"></div>\n'
        '<details class="quiz-key"><summary>All answers</summary><ul>\n'
    )


def depart_key(self: HTML5Translator, node: quiz_key) -> None:
    self.body.append("</ul></details>\n")


def visit_verdict(self: HTML5Translator, node: quiz_verdict) -> None:
    data = {f"data-{name}": node[name] for name in ("number", "tolerance") if name in node}
    data["data-correct"] = "true" if node["correct"] else "false"
    told = " ".join(f'{name}="{value}"' for name, value in data.items())
    self.body.append(f'<li class="quiz-verdict" {told}>')


def depart_verdict(self: HTML5Translator, node: quiz_verdict) -> None:
    self.body.append("</li>\n")


def visit_again(self: HTML5Translator, node: quiz_again) -> None:
    self.body.append(f'<span class="quiz-again"><b>{"Right" if node["correct"] else "Wrong"}:</b> ')


def visit_why(self: HTML5Translator, node: quiz_why) -> None:
    self.body.append('<span class="quiz-why">')


def depart_span(self: HTML5Translator, node: nodes.Node) -> None:
    self.body.append("</span> ")


def nothing(self: Any, node: nodes.Node) -> None:
    """Other builders print a quiz's words one after the other."""


def setup(app: Sphinx) -> dict[str, bool]:
    html: dict[type[nodes.Element], tuple[Any, Any]] = {
        quiz: (visit_quiz, depart_quiz),
        quiz_question: (visit_question, depart_question),
        quiz_prompt: (visit_prompt, depart_prompt),
        quiz_answer: (visit_answer, depart_answer),
        quiz_field: (visit_field, depart_field),
        quiz_key: (visit_key, depart_key),
        quiz_verdict: (visit_verdict, depart_verdict),
        quiz_again: (visit_again, depart_span),
        quiz_why: (visit_why, depart_span),
    }
    for node, visitors in html.items():
        plain = (nothing, nothing)
        app.add_node(node, html=visitors, latex=plain, text=plain, man=plain, texinfo=plain)
    app.add_directive("quiz", QuizDirective)
    app.add_css_file("quiz.css")
    app.add_js_file("quiz.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
