"""Moodle's own XML: a category a question, a variant a student, the data in the file itself.

Source: docs.moodle.org, "Moodle XML format"; what Moodle reads is in its ``question/format/xml/format.php``, how it
marks numbers in ``question/type/numerical/question.php``: the first answer within its tolerance counts.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import IO, Final

from mixedsim.classroom.export.items import ChoiceItem, Item, MatchItem, NumberItem
from mixedsim.classroom.export.variants import Exam, Variant

PLACE: Final = "@@PLUGINFILE@@/"
_LONGEST_IDNUMBER: Final = 100
_TYPES: Final = {NumberItem: "numerical", ChoiceItem: "multichoice", MatchItem: "match"}
_PENALTY: Final = "0.3333333"  # of each further try, where a quiz allows tries; Moodle's own default


def write(exam: Exam, variants: Sequence[Variant], file: IO[str]) -> None:
    """Write all variants as one Moodle XML file."""
    file.write('<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n')
    for name in exam.exported:
        file.write(_category(exam, name))
        for variant in variants:
            file.writelines(_question(variant.items[name], variant.files, exam))
    file.write("</quiz>\n")


def _category(exam: Exam, question: str) -> str:
    """All questions after it belong to the category; a random question of a quiz draws from one."""
    place = "/".join(part.replace("/", "//") for part in (f"{exam.key.name} {exam.key.title}", question))
    path = f"$course$/top/{place}"
    return f'<question type="category">\n<category>{_text(path)}</category>\n</question>\n'


def _question(item: Item, files: Mapping[str, str], exam: Exam) -> Iterator[str]:
    yield f'<question type="{_TYPES[type(item)]}">\n<name>{_text(item.name)}</name>\n'
    yield f'<questiontext format="html">\n{_text(item.at(PLACE))}\n'
    for name in item.files:
        content = base64.b64encode(files[name].encode()).decode()
        yield f'<file name="{_plain(name)}" path="/" encoding="base64">{content}</file>\n'
    yield f'</questiontext>\n<generalfeedback format="html">{_text("")}</generalfeedback>\n'
    yield f"<defaultgrade>{item.points:g}</defaultgrade>\n<penalty>{_PENALTY}</penalty>\n<hidden>0</hidden>\n"
    if len(item.name) <= _LONGEST_IDNUMBER:  # it has to be unique in its category; a longer one would be cut
        yield f"<idnumber>{_plain(item.name)}</idnumber>\n"
    if isinstance(item, NumberItem):
        yield from _number(item)
    elif isinstance(item, ChoiceItem):
        yield from _choice(item)
    elif isinstance(item, MatchItem):
        yield from _match(item)
    yield from _tags(item, exam)
    yield "</question>\n"


def _number(item: NumberItem) -> Iterator[str]:
    """Right values first, because the first that fits counts; last a ``*``, which fits all."""
    for value in item.values:
        tolerance = f"<tolerance>{value.tolerance:.12g}</tolerance>\n"
        yield _answer(f"{value.number:.12g}", 100 * value.share, value.feedback, "moodle_auto_format", tolerance)
    yield _answer("*", 0, item.otherwise, "moodle_auto_format", "<tolerance>0</tolerance>\n")
    yield "<unitgradingtype>0</unitgradingtype>\n<unitpenalty>0.1</unitpenalty>\n"
    yield "<showunits>3</showunits>\n<unitsleft>0</unitsleft>\n"


def _choice(item: ChoiceItem) -> Iterator[str]:
    yield "<single>true</single>\n<shuffleanswers>true</shuffleanswers>\n<answernumbering>none</answernumbering>\n"
    yield "<showstandardinstruction>0</showstandardinstruction>\n"
    yield from _overall("", "", "")
    for option in item.options:
        yield _answer(_plain(option.word), 100.0 * option.right, option.feedback, "html")


def _match(item: MatchItem) -> Iterator[str]:
    yield "<shuffleanswers>true</shuffleanswers>\n"
    yield from _overall("Right.", item.otherwise, item.otherwise)
    yield "<shownumcorrect/>\n"
    for thing, word in item.pairs:
        yield _pair(_plain(thing), word)
    for word in item.words:
        if word not in dict(item.pairs).values():
            yield _pair("", word)  # without a thing, it is only one more word to choose from


def _pair(thing: str, word: str) -> str:
    return f'<subquestion format="html">\n{_text(thing)}\n<answer>{_text(word)}</answer>\n</subquestion>\n'


def _answer(text: str, percent: float, feedback: str, form: str, more: str = "") -> str:
    told = f'<feedback format="html">{_text(feedback)}</feedback>'
    return f'<answer fraction="{percent:g}" format="{form}">\n{_text(text)}\n{told}\n{more}</answer>\n'


def _overall(right: str, partly: str, wrong: str) -> Iterator[str]:
    for name, said in (("correct", right), ("partiallycorrect", partly), ("incorrect", wrong)):
        yield f'<{name}feedback format="html">{_text(said)}</{name}feedback>\n'


def _tags(item: Item, exam: Exam) -> Iterator[str]:
    names = [item.assignment, item.kind, f"level {item.level}", *(f"chapter {n}" for n in exam.key.chapters)]
    yield "<tags>\n" + "".join(f"<tag>{_text(name)}</tag>\n" for name in names) + "</tags>\n"


def _text(content: str) -> str:
    return f"<text>{_plain(content)}</text>"


def _plain(text: str) -> str:
    return escape(text)
