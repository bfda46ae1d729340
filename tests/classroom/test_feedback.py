"""What a student reads: words, pointers, no right answer, and text that stays text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from mixedsim.classroom.desk.gradebook import Gradebook
from mixedsim.classroom.marking import MISCONCEPTIONS, Number, Own, load_key
from mixedsim.classroom.marking.verdict import OUTCOMES
from mixedsim.classroom.reporting.feedback import write_feedback
from mixedsim.classroom.reporting.pages import prose
from mixedsim.classroom.reporting.question_titles import question_titles
from mixedsim.classroom.reporting.wording import OUTCOME_WORDS, anchor, points_of
from mixedsim.classroom.seeds import student_key
from mixedsim.errors import MixedsimError
from tests.classroom.simulated_class import build_light, course_in, graded, typed

NAME = "01-therapists"
EXERCISES = Path(__file__).parents[2] / "exercises"
EVIL = "</code></dd><script>alert(1)</script>"
STUDENTS = ["right", "wrong", "nothing", "odd/../id"]


@pytest.fixture(scope="module")
def classroom(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    build_light(folder / "built", EXERCISES, [NAME])
    course, key = course_in(folder, STUDENTS), load_key(EXERCISES / "keys" / "01_therapists.py")
    gradebook = Gradebook(course.gradebook)
    run = gradebook.begin("all")
    for student in STUDENTS:
        own = Own(NAME, student, student_key(student, secret=course.secret))
        gradebook.add(run, graded(key, student, key.mark(answers(student, key, own), own)))
    gradebook.finish(run)
    gradebook.adjust("wrong", NAME, "q3", 1, "Nearly <right>.")
    return gradebook, course, key


def answers(student, key, own):
    if student == "right":
        return {question.variable: question.right_answer(own) for question in key.questions}
    if student == "wrong":
        return {
            question.variable: next(iter(question.wrong_answers(own).values()), EVIL) for question in key.questions
        } | {key.questions[2].variable: EVIL}
    return {}


@pytest.fixture(scope="module")
def pages(classroom):
    gradebook, course, _ = classroom
    return written(write_feedback(gradebook, course, course.folder / "feedback"))


def written(paths):
    return {path.parent.name: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in paths}


def articles(page):
    return {one.h2.get_text().split(":")[0]: one for one in page.select("article")}


def test_everybody_has_a_page_in_a_folder_of_their_own(classroom, pages):
    folder = classroom[1].folder / "feedback"
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html")) == [
        f"{name}/{NAME}.html" for name in sorted(["right", "wrong", "nothing", "odd_.._id"])
    ]
    assert pages["right"].h1.get_text() == "Pupils and their tutors"


def test_each_question_has_title_stars_answer_verdict_and_points(classroom, pages):
    _, course, key = classroom
    marks = classroom[0].marks(NAME)
    titles = question_titles(course.built, NAME)
    assert set(titles) == {question.name for question in key.questions}
    for student in ("right", "wrong", "nothing"):
        found = pages[student].select("article")
        mine = marks[marks["student"] == student].to_dict("records")
        for article, mark, question in zip(found, mine, key.questions, strict=True):
            assert article.h2.get_text() == f"Question {question.name[1:]}: {titles[question.name].replace('`', '')}"
            assert article.select_one(".stars")["aria-label"] == f"level {question.level} of 3"
            words = article.select_one(".verdict").get_text(" ", strip=True)
            assert OUTCOME_WORDS[mark["outcome"]][1] in words
            assert points_of(mark["points"], mark["max"]) in words
            assert (mark["given"] in article.get_text()) == bool(mark["given"]) or not mark["given"]
        total = points_of(sum(mark["points"] for mark in mine), sum(key.points.values()))
        assert pages[student].select_one(".total").get_text() == total


def test_a_mistake_points_to_the_chapter_and_is_told_once(pages):
    text = articles(pages["wrong"])["Question 1"].get_text(" ", strip=True)
    known = MISCONCEPTIONS["residual-share"]
    assert text.count(known.tells) == 1
    assert text.count(f"chapter {int(known.chapter[:2])}, “{known.section}”.") == 1


def test_no_page_tells_a_right_answer(classroom, pages):
    """Neither as it stands nor rounded, unless the student gave it."""
    _, course, key = classroom
    for student in ("wrong", "nothing"):
        own = Own(NAME, student, student_key(student, secret=course.secret))
        text = pages[student].get_text(" ")
        for question in key.questions:
            right = question.right_answer(own)
            told = [f"{typed(right, n):g}" for n in (3, 4, 6)] if isinstance(question, Number) else []
            assert not any(f" {number} " in f" {text} " for number in told), question.name
        assert "Right for your data" not in text


def test_solutions_are_told_when_the_instructor_says_so_also_to_who_gave_nothing(classroom):
    gradebook, course, key = classroom
    paths = write_feedback(gradebook, course, course.folder / "solved", solutions=True)
    page = written(paths)["nothing"]
    own = Own(NAME, "nothing", student_key("nothing", secret=course.secret))
    for question in key.questions:
        right = question.right_answer(own)
        shown = f"{right:.6g}" if isinstance(right, float) else str(right)
        assert shown in articles(page)[f"Question {question.name[1:]}"].get_text(), question.name


def test_a_students_text_stays_text(pages):
    page = pages["wrong"]
    assert not page.select("script")
    article = articles(page)["Question 3"]
    assert EVIL in article.select_one("dl").get_text()
    assert "These points were set by hand: Nearly <right>." in article.get_text()


def test_with_an_address_of_the_book_mistakes_link_to_their_section(classroom):
    gradebook, course, _ = classroom
    page = written(write_feedback(gradebook, course, course.folder / "linked", book="https://example.org/book/"))[
        "wrong"
    ]
    known = MISCONCEPTIONS["residual-share"]
    links = [link["href"] for link in page.select("article a")]
    assert f"https://example.org/book/{known.chapter}.html#{anchor(known.section)}" in links


def test_sections_are_called_as_sphinx_calls_them():
    nodes = pytest.importorskip("docutils.nodes")
    sections = {known.section for known in MISCONCEPTIONS.values()}
    assert {section: anchor(section) for section in sections} == {
        section: nodes.make_id(section) for section in sections
    }


def test_every_outcome_has_words_and_a_sign_of_its_own():
    assert tuple(OUTCOME_WORDS) == OUTCOMES
    assert len(set(OUTCOME_WORDS.values())) == len({sign for sign, _ in OUTCOME_WORDS.values()}) == len(OUTCOMES)


def test_pages_stand_alone_and_print(pages):
    for page in pages.values():
        assert page.html["lang"] == "en"
        assert [
            one for one in page.select("[src], link[href]") if not (one.get("src") or one["href"]).startswith("data:")
        ] == []
        assert "@media print" in page.style.get_text()
        assert "prefers-color-scheme: dark" in page.style.get_text()


def test_backticks_become_code_and_nothing_else_does():
    assert prose("`x` <i> `y") == "<code>x</code> &lt;i&gt; `y"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"assignment": "01-therapist"}, "nobody has marks for '01-therapist'; did you mean '01-therapists'?"),
        ({"solutions": True}, "the right answers of '01-therapists' are not known: build it first"),
    ],
)
def test_what_cannot_be_written_is_said(classroom, tmp_path, asked, sentence):
    with pytest.raises(MixedsimError) as error:
        write_feedback(classroom[0], course_in(tmp_path, STUDENTS), tmp_path / "f", **asked)
    assert str(error.value).startswith(sentence)


def test_without_marks_there_is_no_feedback(classroom, tmp_path):
    with pytest.raises(MixedsimError, match=r"the gradebook has no marks yet"):
        write_feedback(Gradebook(":memory:"), classroom[1], tmp_path)


def luminance(colour):
    """Relative luminance (WCAG 2.1)."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_colour_of_text_can_be_read_on_both_grounds_light_dark_and_printed(pages):
    """4.5 : 1, as WCAG 2.1 asks of small text."""
    blocks = re.findall(r":root \{(.*?)\}", pages["right"].style.get_text(), flags=re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
        for ground in ("ground", "tint"):
            for text in ("ink", "faint", "primary", "second", "link", "good"):
                low, high = sorted((luminance(colours[ground]), luminance(colours[text])))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground, block)
