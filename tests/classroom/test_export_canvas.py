"""Canvas' QTI archive: its layout, its grammar, and how Canvas' own rule marks with it."""

import io
import re
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest

from mixedsim.classroom.export import canvas_qti, read_exam
from mixedsim.classroom.export.items import Value
from mixedsim.classroom.export.qti_item import item_xml, survives_rounding
from mixedsim.classroom.export.variants import Variant
from mixedsim.classroom.export.whose import anonymous
from mixedsim.classroom.marking import Own
from mixedsim.errors import MixedsimError
from tests.classroom.lms_rules import (
    CONTENT,
    NEEDED,
    QTI,
    TEXT,
    canvas_choice,
    canvas_feedback,
    canvas_match,
    canvas_number,
)

EXERCISES = Path(__file__).parents[2] / "exercises"
EXAM = read_exam(EXERCISES / "09-confounder.md")
NAME = "09-confounder"
KEYS = anonymous(3, secret="a secret")
PACKAGE = "{http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1}"


@pytest.fixture(scope="module")
def variants():
    return list(EXAM.variants(KEYS))


@pytest.fixture(scope="module")
def archive(variants, tmp_path_factory):
    target = tmp_path_factory.mktemp("canvas") / "quiz.zip"
    assert canvas_qti(EXAM, variants, str(target)) == {}
    with zipfile.ZipFile(target) as opened:
        yield opened


@pytest.fixture(scope="module")
def quiz(archive):
    return ET.fromstring(archive.read(f"{NAME}/{NAME}.xml"))


@pytest.fixture(scope="module")
def items(quiz):
    return {one.get("title"): one for one in quiz.iter(f"{QTI}item")}


def grammar_faults(element):
    """Elements that stand where QTI 1.2 has no place for them, or lack an attribute."""
    for one in element.iter():
        name = one.tag.removeprefix(QTI)
        children = "".join(f"{child.tag.removeprefix(QTI)} " for child in one)
        if name in TEXT:
            if children:
                yield f"{name} holds {children}"
        elif not re.fullmatch(re.sub(r"(\w)(?= |$)", r"\1", CONTENT[name]) + " ?", children):
            yield f"{name} holds {children or 'nothing'}"
        if not NEEDED.get(name, set()) <= set(one.attrib):
            yield f"{name} lacks {NEEDED[name] - set(one.attrib)}"


def test_the_quiz_keeps_to_the_grammar_of_qti(quiz):
    assert list(grammar_faults(quiz)) == []


def test_the_grammar_finds_faults(quiz):
    broken = ET.fromstring(ET.tostring(quiz))
    item = broken.find(f".//{QTI}item")
    item.append(item[0])  # metadata once more, at the end
    del item.attrib["ident"]
    assert [fault.split()[:2] for fault in grammar_faults(broken)] == [["item", "holds"], ["item", "lacks"]]


def test_the_archive_holds_what_its_manifest_says_and_nothing_else(archive):
    manifest = ET.fromstring(archive.read("imsmanifest.xml"))
    resources = manifest.findall(f".//{PACKAGE}resource")
    assert [one.get("type") for one in resources] == ["imsqti_xmlv1p2"]
    listed = [unquote(one.get("href")) for one in resources[0].findall(f"{PACKAGE}file")]
    assert sorted(["imsmanifest.xml", *listed]) == sorted(archive.namelist())
    assert listed[0] == f"{NAME}/{NAME}.xml"
    assert all(one.startswith("media/") and one.isascii() for one in listed[1:])


def test_every_question_is_a_group_that_picks_one_of_its_variants(quiz):
    groups = quiz.findall(f"{QTI}assessment/{QTI}section/{QTI}section")
    assert [group.get("title") for group in groups] == [f"{NAME} {name}" for name in EXAM.exported]
    for name, group in zip(EXAM.exported, groups, strict=True):
        assert group.findtext(f".//{QTI}selection_number") == "1"
        assert float(group.findtext(f".//{QTI}points_per_item")) == EXAM.key.points[name]
        assert [one.get("title").split()[-1] for one in group.findall(f"{QTI}item")] == list(KEYS)


def test_identifiers_are_names_and_each_is_there_once(quiz):
    idents = [one.get("ident") for tag in ("assessment", "section", "item") for one in quiz.iter(f"{QTI}{tag}")]
    assert len(set(idents)) == len(idents)
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", one) for one in idents)


def test_the_data_that_a_question_links_to_are_in_the_archive(archive, items, variants):
    for title, item in items.items():
        links = re.findall(r'href="(media/[^"]+)"', item.findtext(f".//{QTI}mattext"))
        assert set(map(unquote, links)) <= set(archive.namelist())
        assert bool(links) == bool(variants[0].items[title.split()[1]].files)
    own = Own(NAME, "v002", KEYS["v002"])
    table = pd.read_csv(io.BytesIO(archive.read(f"media/{NAME}-v002.csv")), dtype={"site": str})
    drawn = own.data.astype({"site": table["site"].dtype})
    pd.testing.assert_frame_equal(table, drawn, rtol=1e-7)


def test_numbers_are_right_by_canvas_rule_where_the_grader_gives_all_points(items):
    for student, key in KEYS.items():
        own = Own(NAME, student, key)
        for name in ("q3", "q6", "q7"):
            question, item = EXAM.key.question(name), items[f"{NAME} {name} {student}"]
            right = question.right_answer(own)
            tried = [right, *(float(f"{right:.{d}g}") for d in (1, 2, 3)), 1.5 * right, 0.0, -right]
            for typed in [*tried, *question.wrong_answers(own).values()]:
                mark = question.mark(typed, own)
                assert canvas_number(item, f"{typed:.10f}") == (mark.points == mark.maximum), (name, typed)


def test_an_item_lists_no_number_of_a_mistake(items, variants):
    """Canvas would take it for right."""
    for variant in variants:
        for name in ("q3", "q6", "q7"):
            values = variant.items[name]
            assert values.mistakes
            listed = [float(one.text) for one in items[values.name].iter(f"{QTI}varequal")]
            assert listed == pytest.approx([value.number for value in values.right])


def test_choices_and_sortings_are_marked_as_the_grader_marks_them(items):
    own = Own(NAME, "v001", KEYS["v001"])
    for name in ("q1", "q2", "q8"):
        question = EXAM.key.question(name)
        for word in question.among:
            found, verdict = canvas_choice(items[f"{NAME} {name} v001"], word), question.mark(word, own)
            assert found.share == verdict.points / verdict.maximum
            assert found.feedback[:20] == verdict.feedback[:20]
    right = EXAM.key.question("q4").right_answer(own)
    item = items[f"{NAME} q4 v001"]
    assert canvas_match(item, right) == pytest.approx(1, abs=1e-3)
    assert canvas_match(item, {**right, "soil": "none"}) == pytest.approx(5 / 6, abs=1e-3)
    assert canvas_feedback(item)["general_incorrect_fb"].startswith("Ask of each")


def test_the_same_variants_make_the_same_archive(variants, tmp_path):
    one, other = tmp_path / "one.zip", tmp_path / "other.zip"
    canvas_qti(EXAM, variants, str(one))
    canvas_qti(EXAM, list(EXAM.variants(KEYS)), str(other))
    assert one.read_bytes() == other.read_bytes()


def with_values(variant, name, *values):
    item = replace(variant.items[name], values=values)
    return Variant(variant.student, variant.files, {**variant.items, name: item})


@pytest.mark.parametrize(
    ("value", "survives"),
    [
        (Value(0.0032, 0.00005, 1, ""), True),
        (Value(0.00032, 0.000005, 1, ""), False),
        (Value(24, 1e-9, 1, ""), True),
        (Value(0.33333, 1e-9, 1, ""), False),
    ],
)
def test_an_answer_that_four_decimals_cannot_tell_is_known(variants, value, survives):
    item = with_values(variants[0], "q6", value).items["q6"]
    assert survives_rounding(item) == survives
    text = f'<questestinterop xmlns="{QTI[1:-1]}">{"".join(item_xml(item, "i1", "media/"))}</questestinterop>'
    typed = f"{value.number:.2g}" if value.tolerance > 1e-8 else repr(value.number)
    assert canvas_number(ET.fromstring(text), typed) == survives


def test_a_question_with_such_an_answer_is_left_out_with_the_reason(variants, tmp_path):
    tiny = with_values(variants[1], "q6", Value(0.00032, 0.000005, 1, ""))
    target = tmp_path / "quiz.zip"
    lost = canvas_qti(EXAM, [variants[0], tiny], str(target))
    assert lost == {"q6": "Canvas rounds what is typed to four decimals, which is too few for its answer"}
    with zipfile.ZipFile(target) as opened:
        assert f"{NAME} q6 v001" not in opened.read(f"{NAME}/{NAME}.xml").decode()


def test_a_file_that_exists_is_kept(variants, tmp_path):
    target = tmp_path / "quiz.zip"
    target.write_bytes(b"mine")
    with pytest.raises(MixedsimError, match="exists: choose another name, or use --force"):
        canvas_qti(EXAM, variants, str(target))
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"mine"]
