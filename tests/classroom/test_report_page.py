"""The instructor's report as a page: what it says, what it never says, and that it opens anywhere."""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from mixedsim.classroom.desk.gradebook import Gradebook
from mixedsim.classroom.marking import MISCONCEPTIONS, Own, load_key
from mixedsim.classroom.reporting import class_material, known_answers
from mixedsim.classroom.reporting.pages import escaped, tag
from mixedsim.classroom.reporting.report import instructor_report
from mixedsim.classroom.seeds import student_key
from mixedsim.errors import MixedsimError
from tests.classroom.simulated_class import Habits, build_light, course_in, graded, hand_in

NAME = "01-therapists"
EXERCISES = Path(__file__).parents[2] / "exercises"
STUDENTS = [f"s{number:03d}" for number in range(40)]
EVIL = "<script>document.title = 'hit'</script><img src=x onerror=alert(1)>\u202e"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def classroom(tmp_path_factory):
    """A course of 41 of whom 40 handed in: one copied, one notebook crashed, one is no notebook."""
    folder = tmp_path_factory.mktemp("course")
    build_light(folder / "built", EXERCISES, [NAME])
    course, key = (
        course_in(folder, [*STUDENTS, "absent"], title="Models & <more>"),
        load_key(EXERCISES / "keys" / "01_therapists.py"),
    )
    gradebook = Gradebook(course.gradebook)
    habits = Habits({question.name: 0.7 for question in key.questions})
    hand_in(gradebook, key, course, STUDENTS, habits=habits, seed=1, copiers={"s003": "s007"})
    run = gradebook.begin("odd")
    own = Own(NAME, "s005", student_key("s005", secret=course.secret))
    verdicts = key.mark({key.questions[0].variable: EVIL}, own)
    gradebook.add(run, graded(key, "s005", verdicts, claimed="s009", status=f"crashed: {EVIL}", sha256="2"))
    gradebook.add(run, graded(key, "", [], file="x<b>.ipynb", status="unreadable: it is no notebook"))
    gradebook.finish(run)
    return gradebook, course, key


@pytest.fixture(scope="module")
def report(classroom):
    gradebook, course, _ = classroom
    return instructor_report(gradebook, course, course.folder / "report.html")


@pytest.fixture(scope="module")
def page(report):
    return BeautifulSoup(report.read_text(encoding="utf-8"), "html.parser")


def tables(page):
    """Rows as lists of text, by what the table holds."""
    return {
        one["aria-label"]: [
            [cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in one.select("tr")
        ]
        for one in page.select("table")
    }


def test_every_student_has_a_row_and_the_right_sum(classroom, page):
    gradebook, _, _ = classroom
    sums = gradebook.marks().groupby("student")["points"].sum()
    (rows,) = (rows for caption, rows in tables(page).items() if caption.startswith("Points by assignment"))
    found = {row[0]: row[-2] for row in rows[1:]}
    assert found == {student: f"{round(sums.get(student, 0.0), 2):g}" for student in [*STUDENTS, "absent"]}


def test_mistakes_are_counted_in_students(classroom, page):
    marks = classroom[0].marks()
    made = marks[marks["misconception"] != ""].groupby("misconception")["student"].nunique()
    first = page.select_one("#mistakes").find_next("ul")
    said = {
        item.get_text(" ", strip=True) for item in page.select("h2#mistakes ~ ul.bars li, h2#mistakes ~ details li")
    }
    assert {f"{count} of 40 {MISCONCEPTIONS[name].title}" for name, count in made.items()} == said
    counts = [int(item.strong.get_text().split()[0]) for item in first.select("li")]
    assert counts == sorted(counts, reverse=True)


def test_notebooks_that_need_a_look_are_listed_with_what_happened(page):
    rows = tables(page)["Notebooks that need a look"][1:]
    assert ["x<b>.ipynb", NAME, "–", "–", "unreadable: it is no notebook"] in rows
    (crashed,) = (row for row in rows if row[2] == "s005")
    assert crashed[3] == "s009"
    assert crashed[4].startswith("crashed: <script>")
    assert len(rows) == 2
    assert "On the roster, but without any mark: absent." in page.get_text()


def test_a_copier_is_shown_for_a_human_to_judge(page):
    rows = tables(page)["Answers that fit a classmate's data better than one's own"]
    (row,) = rows[1:]
    assert row[:2] == ["Name S003 (s003)", "Name S007 (s007)"]
    assert "For a human to judge." in page.get_text()
    assert tables(page)[
        "How many numbers of the student (row) fit the classmate's data (column) and not the student's own"
    ]


def test_the_class_as_a_sampling_distribution_is_that_of_the_whole_roster(classroom, page):
    text = page.get_text(" ", strip=True)
    hits, truth, missed = re.search(
        r"41 students have an interval each\. (\d+) hold the truth, (\S+); (\d+) miss it", text
    ).groups()
    assert (int(hits) + int(missed), truth) == (41, "−3")
    hit = 0
    for student in [*STUDENTS, "absent"]:
        own = Own(NAME, student, student_key(student, secret=classroom[1].secret))
        formula, coefficient = classroom[2].showcase
        row = own.fit(formula).coefficients().loc[coefficient]
        hit += row["lower"] <= -3 <= row["upper"]
    assert hit == int(hits)


def test_items_are_in_order_with_counts_that_add_up(classroom, page):
    rows = tables(page)["The questions of “Pupils and their tutors”"][1:]
    assert [row[0].split(".")[0] for row in rows] == [question.name[1:] for question in classroom[2].questions]
    assert all(sum(map(int, row[1:5])) == 40 for row in rows)


def test_nothing_of_a_student_becomes_html_and_nothing_is_loaded(report, page):
    text = report.read_text(encoding="utf-8")
    assert not page.select("script, iframe, object, embed, b, [onerror]")
    assert "\u202e" not in text
    assert "\\u202e" in text
    outside = [
        one
        for one in page.select("[src], [href]")
        if not (one.get("src") or one.get("href")).startswith(("data:", "#"))
    ]
    assert outside == []
    assert page.html["lang"] == "en"
    assert page.title.get_text() == "Models & <more>: report"


def test_pictures_say_what_they_show_and_links_lead_somewhere(page):
    assert all(len(picture["alt"]) > 30 for picture in page.select("img"))
    assert len(page.select("img")) == 3
    targets = {one["id"] for one in page.select("[id]")}
    assert {link["href"][1:] for link in page.select("a")} <= targets
    levels = [int(one.name[1]) for one in page.select("h1, h2, h3")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_what_the_data_give_is_computed_once(classroom, report, monkeypatch):
    gradebook, course, _ = classroom
    asked = []
    real = known_answers.answers_of
    monkeypatch.setattr(known_answers, "answers_of", lambda key, own: asked.append(own.student) or real(key, own))
    again = instructor_report(gradebook, course, course.folder / "again.html")
    assert asked == []
    cut = re.compile(r"Report for the instructor, [^<]*")
    one, other = (cut.sub("", path.read_text(encoding="utf-8")) for path in (report, again))
    assert one == other
    (kept,) = class_material.answers_folder(course).glob("*.json")
    kept.write_text("{", encoding="utf-8")  # a broken file is no answer
    instructor_report(gradebook, course, course.folder / "again.html")
    assert len(asked) == 41


def test_another_secret_is_another_class(classroom, report):
    _, course, _ = classroom
    autograder = known_answers.Autograder(classroom[2], "v")
    folder = class_material.answers_folder(course)
    one, other = (
        known_answers.known_answers(autograder, STUDENTS[:2], secret=secret, folder=folder / "x")
        for secret in ("a" * 16, "b" * 16)
    )
    assert (one.targets["q1", ""] != other.targets["q1", ""]).all()


def test_an_assignment_that_is_not_built_here_still_has_its_scores(classroom, tmp_path):
    gradebook, _, _ = classroom
    bare = course_in(tmp_path, STUDENTS)
    page = BeautifulSoup(instructor_report(gradebook, bare, tmp_path / "r.html").read_text("utf-8"), "html.parser")
    assert "01-therapists is not built here" in page.get_text()
    assert len(page.select("img")) == 2


def test_without_marks_there_is_no_report(classroom, tmp_path):
    with pytest.raises(MixedsimError, match=r"the gradebook has no marks yet: run `mixedsim grade` first\."):
        instructor_report(Gradebook(":memory:"), classroom[1], tmp_path / "r.html")


def test_a_course_of_one_student_has_a_report(classroom, tmp_path):
    _, _, key = classroom
    build_light(tmp_path / "built", EXERCISES, [NAME])
    course, gradebook = course_in(tmp_path, ["only"]), Gradebook(":memory:")
    hand_in(gradebook, key, course, ["only"], habits=Habits({}), seed=2)
    text = BeautifulSoup(
        instructor_report(gradebook, course, tmp_path / "r.html").read_text("utf-8"), "html.parser"
    ).get_text()
    assert "Only 1 students" not in text
    assert "One student: these numbers say nothing of the questions." in text
    assert "The class is too small to tell what chance would do." in text


def test_html_is_escaped_in_text_and_attributes():
    assert tag("p", "<&>", title='"<') == '<p title="&quot;&lt;">&lt;&amp;&gt;</p>'
    assert escaped("\x00\ud800") == "\\u0000\\ud800"


def test_it_opens_in_a_browser_wide_and_on_a_phone_light_and_dark(report):
    sync_api = pytest.importorskip("playwright.sync_api", reason="driving a browser needs playwright")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser on the path: one of {', '.join(BROWSERS)} shows the page")
    faults = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for width, scheme in ((1280, "light"), (390, "dark")):
            context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
            shown = context.new_page()
            shown.on("console", lambda said: faults.append(said.text))
            shown.on("dialog", lambda dialog: faults.append(dialog.message))
            shown.goto(report.resolve().as_uri())
            assert shown.title() == "Models & <more>: report"
            assert shown.evaluate("document.documentElement.scrollWidth") <= width
            assert shown.evaluate("[...document.images].every((one) => one.naturalWidth > 0)")
            dark = shown.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
            assert dark == (scheme == "dark")
        browser.close()
    assert faults == []
