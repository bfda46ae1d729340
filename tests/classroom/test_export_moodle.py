"""Moodle XML: what is in the file, and how Moodle's own rule marks with it."""

import base64
import io
import re
import xml.etree.ElementTree as ET
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest

from mixedsim.classroom.assignments import parts
from mixedsim.classroom.export import Exam, moodle_xml, read_exam
from mixedsim.classroom.export.filed import AsRead, Filed
from mixedsim.classroom.export.sheet import Asked, Sheet
from mixedsim.classroom.export.whose import anonymous
from mixedsim.classroom.marking import Assignment, Number, Own
from mixedsim.errors import MixedsimError
from tests.classroom.lms_rules import moodle_choice, moodle_match, moodle_number

EXERCISES = Path(__file__).parents[2] / "exercises"
# All three kinds are in it, and two tables.
EXAM = read_exam(EXERCISES / "09-confounder.md")
KEYS = anonymous(3, secret="a secret")


@pytest.fixture(scope="module")
def variants():
    return list(EXAM.variants(KEYS))


@pytest.fixture(scope="module")
def path(variants, tmp_path_factory):
    target = tmp_path_factory.mktemp("moodle") / "quiz.xml"
    moodle_xml(EXAM, variants, str(target))
    return target


@pytest.fixture(scope="module")
def questions(path):
    """Name -> element, without the categories."""
    found = ET.parse(path).getroot().findall("question")
    return {one.findtext("name/text"): one for one in found if one.get("type") != "category"}


def test_a_category_for_each_question_comes_before_its_variants(path):
    names = []
    for one in ET.parse(path).getroot():
        category = one.findtext("category/text")
        names.append(category.rpartition("/")[2] if category else one.findtext("name/text").split()[1])
    expected = [name for name in EXAM.exported for _ in range(1 + len(KEYS))]
    assert names == expected
    first = ET.parse(path).getroot()[0].findtext("category/text")
    assert first == "$course$/top/09-confounder Left-out variables and true confounders/q1"


def test_every_question_has_what_moodle_asks_for(questions):
    assert len({one.findtext("idnumber") for one in questions.values()}) == len(questions) == 3 * len(EXAM.exported)
    types = {"number": "numerical", "choice": "multichoice", "sorting": "match"}
    for name, one in questions.items():
        question = EXAM.key.question(name.split()[1])
        assert one.get("type") == types[question.kind]
        assert float(one.findtext("defaultgrade")) == question.points
        assert one.find("questiontext").get("format") == "html"
        tags = [tag.findtext("text") for tag in one.iterfind("tags/tag")]
        assert tags == ["09-confounder", question.kind, f"level {question.level}", "chapter 8", "chapter 9"]


def test_a_student_finds_the_right_answer_in_the_files_alone(questions):
    for student, key in KEYS.items():
        own = AsRead("09-confounder", student, key)
        for name in ("q3", "q6", "q7"):
            typed = f"{EXAM.key.question(name).right_answer(own):.2g}"
            assert moodle_number(questions[f"09-confounder {name} {student}"], typed).share == 1
        water = questions[f"09-confounder q6 {student}"].find("questiontext/file")
        table = pd.read_csv(io.BytesIO(base64.b64decode(water.text)), dtype={"site": str})
        assert table.equals(own.data)


def test_every_link_has_its_file_and_no_file_lacks_a_link(questions):
    with_two = 0
    for one in questions.values():
        files = [file.get("name") for file in one.iterfind("questiontext/file")]
        links = [piece.partition('"')[0] for piece in one.findtext("questiontext/text").split("@@PLUGINFILE@@/")[1:]]
        assert [unquote(link) for link in links] == files
        assert all((file.get("path"), file.get("encoding")) == ("/", "base64") for file in one.iterfind("*/file"))
        with_two += len(files) == 2
    _, second = parts("09-confounder")
    assert with_two == 0  # each question of this assignment asks of one table, or of none
    assert (
        questions["09-confounder q3 v001"].find("questiontext/file").get("name") == f"09-confounder-{second}-v001.csv"
    )


def test_numbers_are_marked_by_moodles_rule_as_the_grader_marks_them(questions):
    for student, key in KEYS.items():
        own = Own("09-confounder", student, key)
        for name in ("q3", "q6", "q7"):
            question, element = EXAM.key.question(name), questions[f"09-confounder {name} {student}"]
            right = question.right_answer(own)
            for typed in (right, f"{right:.1g}", f"{right:.2g}", f"{right:.3g}", 1.5 * right, 0, -right, 1e6):
                mark = question.mark(float(typed), own)
                assert moodle_number(element, str(typed)).share == mark.points / mark.maximum, (name, typed)
            for mistake, value in question.wrong_answers(own).items():
                found = moodle_number(element, f"{value:.2g}")
                verdict = question.mark(float(f"{value:.2g}"), own)
                assert found.share == verdict.points / verdict.maximum
                if verdict.misconception == mistake:
                    assert found.feedback.split("<")[0][:20] == verdict.feedback[:20]


def test_a_wrong_number_that_nobody_expects_is_told_where_to_look(questions):
    assert moodle_number(questions["09-confounder q6 v001"], "17").feedback.startswith("Compare plots of one site only")


def test_choices_are_marked_with_feedback_for_every_wrong_word(questions):
    for name in ("q1", "q2", "q8"):
        question, element = EXAM.key.question(name), questions[f"09-confounder {name} v002"]
        own = Own("09-confounder", "v002", KEYS["v002"])
        for word in question.among:
            found, verdict = moodle_choice(element, word), question.mark(word, own)
            assert found.share == verdict.points / verdict.maximum
            assert found.feedback[:20] == (verdict.feedback or "Right.")[:20]


def test_things_in_their_place_get_their_share(questions):
    question, element = EXAM.key.question("q4"), questions["09-confounder q4 v001"]
    own = Own("09-confounder", "v001", KEYS["v001"])
    right = question.right_answer(own)
    assert moodle_match(element, right) == 1
    assert moodle_match(element, {**right, "soil": "both"}) == pytest.approx(5 / 6)
    words = {one.findtext("answer/text") for one in element.iterfind("subquestion")}
    assert words == set(question.among)


def test_the_same_variants_make_the_same_file(path, tmp_path):
    again = tmp_path / "again.xml"
    moodle_xml(EXAM, list(EXAM.variants(dict(reversed(KEYS.items())))), str(again))
    assert sorted(again.read_text().splitlines()) == sorted(path.read_text().splitlines())
    moodle_xml(EXAM, list(EXAM.variants(KEYS)), str(again), force=True)
    assert again.read_bytes() == path.read_bytes()


def test_another_secret_makes_other_data_and_other_answers(path, variants):
    other = next(EXAM.variants(anonymous(1, secret="another secret")))
    assert other.files != variants[0].files
    assert other.items["q6"].right[0].number != variants[0].items["q6"].right[0].number


def test_a_file_that_exists_is_kept_and_one_that_fails_leaves_nothing(variants, tmp_path):
    target = tmp_path / "quiz.xml"
    target.write_text("mine")
    with pytest.raises(MixedsimError, match="exists: choose another name, or use --force"):
        moodle_xml(EXAM, variants, str(target))
    with pytest.raises(KeyError):
        moodle_xml(EXAM, [*variants, type(variants[0])("v009", {}, variants[0].items)], str(tmp_path / "new.xml"))
    assert [one.name for one in tmp_path.iterdir()] == ["quiz.xml"]
    assert target.read_text() == "mine"


@pytest.mark.parametrize("student", ["j doe+x", "äé/7", 'o"<&>'])
def test_odd_ids_are_written_so_that_they_are_read_again(student, tmp_path):
    exam, target = read_exam(EXERCISES / "01-therapists.md"), tmp_path / "odd.xml"
    moodle_xml(exam, list(exam.variants({student: bytes(32)})), str(target))
    one = ET.parse(target).getroot()[1]
    file = one.find("questiontext/file").get("name")
    assert one.findtext("name/text") == f"01-therapists q1 {student}"
    assert file.isascii()
    assert f"@@PLUGINFILE@@/{file.replace('+', '%2B')}" in one.findtext("questiontext/text")


def test_two_ids_that_would_share_a_file_are_refused():
    with pytest.raises(MixedsimError, match="would have one file"):
        list(EXAM.variants({"a/b": bytes(32), "a:b": bytes(32)}))


def test_a_question_says_which_columns_are_labels_and_in_which_order_they_stand():
    exam = read_exam(EXERCISES / "02-fixed-or-random.md")
    own = Filed("02-fixed-or-random", "v001", KEYS["v001"])
    assert own.labels() == {"coop": [], "hen": [], "feed": ["old", "new"]}
    text = next(exam.variants({"v001": KEYS["v001"]})).items["q5"].text
    shown = re.search(r"data = (pd\.read_csv\(.*?\))</code>", unescape(text))[1]
    read = eval(shown.replace('"02-fixed-or-random-v001.csv"', "io.StringIO(own.csv())"))
    pd.testing.assert_frame_equal(read, own.data.astype(dict(read.dtypes)))
    assert list(read["feed"].cat.categories) == ["old", "new"]


def test_an_answer_that_the_file_does_not_give_stops_the_export():
    """A key that asks for a label that no reader of the file has."""
    key = Assignment(
        "09-confounder",
        "Made up",
        chapters=[9],
        questions=[Number(name="q1", variable="x", answer=lambda own: 1.0 + (type(own) is AsRead), wrong={})],
    )
    exam = Exam(key, Sheet("", {"q1": Asked("Question 1", "")}, {}), ("q1",), {})
    with pytest.raises(
        MixedsimError, match=r"^09-confounder q1: its answer is 1\.0 in the notebook, but 2\.0 from the file"
    ):
        list(exam.variants(KEYS))
