"""Every question that can be exported, for every student."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mixedsim.classroom.assignments import parts
from mixedsim.classroom.export.agreement import compare, needed
from mixedsim.classroom.export.filed import AsRead, Filed
from mixedsim.classroom.export.items import ChoiceItem, Item, MatchItem, NumberItem, Option
from mixedsim.classroom.export.markup import inline
from mixedsim.classroom.export.number_values import values_of
from mixedsim.classroom.export.sheet import Sheet, read_sheet
from mixedsim.classroom.export.wording import data_paragraph, whole_text
from mixedsim.classroom.marking import Assignment, Choice, Number, Own, Question, Sorting, load_key, misconception
from mixedsim.classroom.roster import file_names
from mixedsim.errors import MixedsimError

_NOT_HERE: Final = {
    "formula": "a formula can be written in many ways, and a platform knows only the spellings that it is given",
    "ranking": "no platform takes an order in which ties may stand either way",
    "design": "a population has to be drawn and fitted to be marked",
}
_TWO_PLACES: Final = "one of its things has more than one right word, and a platform takes one"


@dataclass(frozen=True)
class Variant:
    """One student's questions.

    Attributes
    ----------
    student : the id.
    files : name of each file -> its text.
    items : question -> item.
    """

    student: str
    files: Mapping[str, str]
    items: Mapping[str, Item]


@dataclass(frozen=True)
class Exam:
    """An assignment, ready to be exported.

    Attributes
    ----------
    key, sheet : its questions and its texts.
    exported : names of the questions that are exported.
    left_out : name of each of the others -> why.
    """

    key: Assignment
    sheet: Sheet
    exported: tuple[str, ...]
    left_out: Mapping[str, str]

    def variants(self, keys: Mapping[str, bytes | None]) -> Iterator[Variant]:
        """One variant after the other.

        Parameters
        ----------
        keys : each student's id -> key (`Course.keys`); None for the key of the secret in the environment.

        Raises
        ------
        MixedsimError
            If two ids would share a file, an answer cannot be marked by a platform, or the first student's answers
            from the file are not those from the data.
        """
        needs: Mapping[str, Sequence[str | None]] = {}
        names = {student: _ascii(name) for student, name in file_names(keys).items()}
        for count, (student, key) in enumerate(keys.items()):
            filed = Filed(self.key.name, student, key)
            if count == 0:
                needs = {name: self._needed(name, student, key) for name in self.exported}
                as_read = AsRead(self.key.name, student, key)
                compare(self.key, self.exported, Own(self.key.name, student, key), filed, as_read)
            yield self._variant(student, names[student], filed, needs)

    def _needed(self, name: str, student: str, key: bytes | None) -> list[str | None]:
        return needed(self.key.question(name), self.sheet, Filed(self.key.name, student, key))

    def _variant(self, student: str, name: str, filed: Filed, needs: Mapping[str, Sequence[str | None]]) -> Variant:
        called = {part: _file_name(self.key.name, part, name) for part in parts(self.key.name)}
        items = {}
        for one in self.exported:
            files = {part: called[part] for part in needs[one]}
            items[one] = self._item(self.key.question(one), student, files, filed)
        used = [part for part in called if any(part in needs[one] for one in self.exported)]
        return Variant(student, {called[part]: filed.csv(part) for part in used}, items)

    def _item(self, question: Question, student: str, files: Mapping[str | None, str], own: Filed) -> Item:
        data = data_paragraph(self.sheet, files, own) if files else ""
        asked = self.sheet.asked[question.name]
        common: dict[str, Any] = {
            "assignment": self.key.name, "question": question.name, "student": student, "heading": asked.heading,
            "text": whole_text(self.sheet, question, data), "kind": question.kind, "level": question.level,
            "points": question.points, "otherwise": inline(question.verdict("wrong").feedback),
            "files": tuple(files.values()),
        }  # fmt: skip
        if isinstance(question, Number):
            values, dropped = values_of(question, own)
            return NumberItem(**common, values=values, dropped=dropped)
        if isinstance(question, Choice):
            return ChoiceItem(**common, options=_options(question, own))
        assert isinstance(question, Sorting)
        return MatchItem(**common, pairs=tuple(question.right_answer(own).items()), words=tuple(question.among))


def read_exam(source: Path) -> Exam:
    """The exam of an exercise's source, ``NN-name.md`` with its key in ``keys/NN_name.py`` beside it.

    Raises
    ------
    MixedsimError
        If source or key cannot be read, or none of its questions can be exported.
    """
    key = load_key(source.parent / "keys" / f"{source.stem.replace('-', '_')}.py")
    left_out = {one.name: why for one in key.questions if (why := _why_not(one))}
    exported = tuple(name for name in key.points if name not in left_out)
    if not exported:
        raise MixedsimError(f"{key.name} has no question that a platform can mark: hand out the notebook.")
    return Exam(key, read_sheet(source, key), exported, left_out)


def _why_not(question: Question) -> str:
    """Why a question cannot be exported; ``""`` if it can."""
    if isinstance(question, Number | Choice):
        return ""
    if isinstance(question, Sorting):
        several = callable(question.answer) or any(not isinstance(word, str) for word in question.answer.values())
        return _TWO_PLACES if several else ""
    return _NOT_HERE.get(question.kind, f"platforms have nothing like a question of the kind {question.kind!r}")


def _options(question: Choice, own: Own) -> tuple[Option, ...]:
    """The words; a wrong one is told its misconception, or else where to look."""
    right = question.right_answer(own)
    mistakes = {word: name for name, word in question.wrong_answers(own).items()}
    general = inline(question.verdict("wrong").feedback)
    options = []
    for word in question.among:
        mistake = mistakes.get(word, "")
        feedback = inline(misconception(mistake).advice) if mistake else "Right." if word == right else general
        options.append(Option(word, word == right, feedback, mistake))
    return tuple(options)


def _ascii(name: str) -> str:
    """What stands for a student in names of files: Canvas loses a file whose name has other letters than ASCII's."""
    return name if name.isascii() else hashlib.blake2b(name.encode(), digest_size=8).hexdigest()


def _file_name(assignment: str, part: str | None, student: str) -> str:
    return f"{'-'.join(filter(None, (assignment, part, student)))}.csv"
