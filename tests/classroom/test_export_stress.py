"""Hundreds of variants at once: everything that may go wrong with one student's data only.

All assignments are tried with a few ids, one of them with five hundred. ``MIXEDSIM_STRESS=500`` tries all with as many.
"""

import os
import re
import time
import xml.etree.ElementTree as ET
import zipfile
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from mixedsim.classroom.export import canvas_qti, moodle_xml, read_exam, summary
from mixedsim.classroom.export.items import ChoiceItem, MatchItem, NumberItem
from mixedsim.classroom.export.whose import anonymous
from tests.classroom.lms_rules import QTI, canvas_number, moodle_number

EXERCISES = Path(__file__).parents[2] / "exercises"
KEYS = EXERCISES / "keys"
NAMES = [
    one.stem for one in sorted(EXERCISES.glob("[0-9]*.md")) if (KEYS / f"{one.stem.replace('-', '_')}.py").exists()
]
MANY, FEW = 500, int(os.environ.get("MIXEDSIM_STRESS", "4"))
THOROUGH = "12-crossed-and-nested"
SECONDS = 0.5  # for one variant, and this is generous
BYTES = 400_000  # of Moodle XML for one variant
DROPPED = 0.35  # of the mistakes of one question; more, and its feedback is hardly ever seen


@pytest.fixture(scope="module", params=NAMES)
def trial(request, tmp_path_factory):
    exam = read_exam(EXERCISES / f"{request.param}.md")
    count = MANY if request.param == THOROUGH else FEW
    start = time.perf_counter()
    variants = list(exam.variants(anonymous(count, secret="stress")))
    seconds = time.perf_counter() - start
    folder = tmp_path_factory.mktemp(request.param)
    moodle_xml(exam, variants, str(folder / "quiz.xml"))
    lost = canvas_qti(exam, variants, str(folder / "quiz.zip"))
    return exam, variants, seconds, folder, lost


def numbers(variants):
    return [item for variant in variants for item in variant.items.values() if isinstance(item, NumberItem)]


def test_every_variant_is_there_in_good_time_and_size(trial):
    exam, variants, seconds, folder, _ = trial
    assert all(list(variant.items) == list(exam.exported) for variant in variants)
    assert seconds < 3 + SECONDS * len(variants)
    assert (folder / "quiz.xml").stat().st_size < BYTES * len(variants)
    assert (folder / "quiz.zip").stat().st_size < BYTES / 4 * len(variants)


def test_right_answers_are_right_and_mistakes_wrong_by_both_platforms_rules(trial):
    _, variants, _, folder, lost = trial
    moodle = {one.findtext("name/text"): one for one in ET.parse(folder / "quiz.xml").getroot() if one.find("name")}
    with zipfile.ZipFile(folder / "quiz.zip") as archive:
        (quiz,) = [name for name in archive.namelist() if name.endswith(".xml") and "/" in name]
        canvas = {one.get("title"): one for one in ET.fromstring(archive.read(quiz)).iter(f"{QTI}item")}
    assert set(moodle) - set(canvas) == {variant.items[name].name for variant in variants for name in lost}
    for item in numbers(variants):
        for value in item.right:
            for typed in (repr(value.number), f"{value.number:.4g}"):
                assert moodle_number(moodle[item.name], typed).share == 1
                assert item.name not in canvas or canvas_number(canvas[item.name], typed)
        for value in item.mistakes:
            found = moodle_number(moodle[item.name], repr(value.number))
            assert (found.share == 0 and found.feedback == value.feedback) or found.share == 0.5
            assert item.name not in canvas or not canvas_number(canvas[item.name], repr(value.number))


def test_numbers_are_finite_tolerances_positive_and_mistakes_apart(trial):
    for item in numbers(trial[1]):
        assert all(np.isfinite([value.number, value.tolerance]).all() and value.tolerance > 0 for value in item.values)
        assert not any(one.overlaps(right) for one in item.mistakes for right in item.right)
        mistakes = item.mistakes
        assert not any(one.overlaps(other) for k, one in enumerate(mistakes) for other in mistakes[:k])


def solution_lines(name):
    """Code of the source's own solutions."""
    cells = re.findall(r"(?s)```\{code-cell\}[^\n]*\n(.*?)```", (EXERCISES / f"{name}.md").read_text(encoding="utf-8"))
    lines = [
        line.partition("# SOLUTION")[0].strip() for cell in cells if "SOLUTION" in cell for line in cell.splitlines()
    ]
    return {line for line in lines if len(line) > 12 and "=" in line and "classroom.data" not in line}


def test_no_text_tells_the_answer(trial):
    """Neither right numbers of four digits, nor a line of the solution's code."""
    exam, variants, *_ = trial
    code = solution_lines(exam.key.name)
    assert code
    for variant in variants:
        for item in variant.items.values():
            text = unescape(item.text)
            assert [line for line in code if line in text] == [], item.name
            assert not re.search(r"SOLUTION|classroom\.data|grader\.check", text)
            for value in item.right if isinstance(item, NumberItem) else ():
                told = f"{abs(value.number):.4g}"
                if "." in told and len(told) > 4:
                    assert not re.search(rf"(?<![\d.]){re.escape(told)}", text), item.name


def test_texts_differ_between_students_in_the_names_of_files_only(trial):
    _, variants, *_ = trial
    for name in variants[0].items:
        texts = {variant.items[name].text.replace(variant.student, "ID") for variant in variants}
        assert len(texts) == 1, name


def test_the_summary_tells_range_spread_and_what_was_dropped(trial):
    exam, variants, *_ = trial
    table = summary(exam, variants)
    assert list(table.index) == list(exam.key.points)
    assert (table.loc[list(exam.exported), "variants"] == len(variants)).all()
    assert all(table.loc[name, "note"] == why for name, why in exam.left_out.items())
    for name in exam.exported:
        items, row = [variant.items[name] for variant in variants], table.loc[name]
        if isinstance(items[0], NumberItem):
            right = [item.right[0].number for item in items]
            assert (row["low"], row["median"], row["high"]) == (min(right), np.median(right), max(right))
            question = exam.key.question(name)
            if callable(question.answer) and question.digits is not None:
                assert row["different"] > len(variants) / 20, "almost everybody has the same answer"
            assert row["dropped"] <= DROPPED, (name, row["dropped"])
        else:
            assert isinstance(items[0], ChoiceItem | MatchItem)
            assert row["different"] >= 1
