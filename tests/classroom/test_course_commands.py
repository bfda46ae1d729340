"""The commands of a course, as typed, from an empty folder to adjusted grades."""

import json
import shutil
import sys
import types

import pandas as pd
import pytest
from click.testing import CliRunner

from mixedsim.classroom.build import with_student
from mixedsim.classroom.desk.course import Course
from mixedsim.classroom.desk.gradebook import Gradebook
from mixedsim.cli import main
from tests.classroom.conftest import NAME, SOURCES
from tests.classroom.test_gradebook import graded


def run(*arguments, code=0):
    """Run a command, require its exit code, and give back what it wrote."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def copied(course, tmp_path, monkeypatch):
    """The course in the current folder, called spring."""
    shutil.copytree(course.folder, tmp_path / "spring")
    monkeypatch.chdir(tmp_path)
    return Course.load("spring")


@pytest.fixture
def kept(copied):
    """The course with a gradebook."""
    with Gradebook(copied.gradebook) as book:
        first = book.begin("submissions")
        book.add(first, graded("anna/x.ipynb", "anna", NAME))
        book.finish(first)
    return copied


@pytest.mark.parametrize(
    "command",
    [
        "classroom",
        "classroom new",
        "classroom adjust",
        "classroom show",
        "classroom grades",
        "data",
        "report",
        "feedback",
    ],
)
def test_every_command_explains_itself(command):
    assert run(*command.split(), "--help").stdout.startswith("Usage: ")


def test_a_course_is_made_built_and_handed_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = run("classroom", "new", "spring", "--title", "Mixed models", "--exercises", SOURCES).stdout
    assert said.splitlines()[1] == "mixedsim exercises build --course spring"
    assert "is not empty" in run("classroom", "new", "spring", "--exercises", SOURCES, code=1).stderr
    settings = (tmp_path / "spring" / "course.yml").read_text(encoding="utf-8")
    assert "# assignments: [01-therapists]" in settings
    (tmp_path / "spring" / "course.yml").write_text(settings.replace("# assignments", "assignments"), encoding="utf-8")
    said = run("exercises", "build", "--course", "spring").stdout
    assert said == f"{NAME}: hand out spring/built/{NAME}/student/{NAME}.ipynb\n".replace("/", "/")
    assert "names no student" in run("data", "--course", "spring", "-o", "handouts", code=1).stderr
    (tmp_path / "spring" / "roster.csv").write_text("student\nanna\nben\n")
    said = run("data", "--course", "spring", "-o", "handouts", "--zip").stderr
    assert said == "2 students in handouts: 6 files written, 0 there before.\n"
    assert run("data", "--course", "spring", "-o", "handouts").stderr.endswith("0 files written, 6 there before.\n")
    (tmp_path / "late.csv").write_text("student\nBEN\n")
    said = run("data", "--course", "spring", "--roster", "late.csv", "-o", "late").stderr
    assert said == "1 student in late: 3 files written, 0 there before.\n"
    (tmp_path / "late.csv").write_text("student\ncarla\n")
    said = run("data", "--course", "spring", "--roster", "late.csv", "-o", "late", code=1).stderr
    assert "late.csv names 'carla', whom" in said
    assert sorted(path.name for path in (tmp_path / "handouts").iterdir()) == [
        ".made", "anna", "anna.zip", "ben", "ben.zip",
    ]  # fmt: skip


def test_submissions_are_graded_for_the_course(copied, solution):
    own = with_student(solution, "anna")
    (copied.folder.parent / "submissions" / "anna").mkdir(parents=True)
    (copied.folder.parent / "submissions" / "anna" / "x.ipynb").write_text(json.dumps(own))
    said = run("grade", "submissions", "--course", "spring", "-o", "grades.csv", "--jobs", 1).stderr
    assert said.splitlines()[0].startswith("Each notebook ")  # what stands between it and everything else
    assert said.splitlines()[-1] == "1 notebook in grades.csv."
    (row,) = pd.read_csv("grades.csv").to_dict("records")
    assert (row["student"], row["total"] == row["max"], row["status"]) == ("anna", True, "graded")
    run("grade", "submissions", "--course", "spring", "-o", "moodle.csv", "--lms", "moodle")
    assert pd.read_csv("moodle.csv").columns[0] == "Identifier"
    with Gradebook(copied.gradebook) as book:
        assert book.runs()["walls"].str.startswith("Each notebook ").all()
        assert len(book.submissions()) == 1


def test_points_are_changed_shown_and_changed_back(kept):
    run("classroom", "adjust", "spring", "Anna", NAME, "q1", "2", "--reason", "Right on paper.")
    shown = run("classroom", "show", "spring", "anna").stdout
    assert "Right on paper." in shown
    assert "anna/x.ipynb" in shown
    run("classroom", "grades", "spring", "-o", "grades.csv")
    assert pd.read_csv("grades.csv")[NAME].to_list()[0] == 4
    run("classroom", "adjust", "spring", "anna", NAME, "q1", "computed", "--reason", "No.")
    run("classroom", "grades", "spring", "-o", "grades.csv", "--lms", "canvas", "--force")
    assert pd.read_csv("grades.csv").iloc[1, -1] == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ("classroom", "adjust", "spring", "anna", NAME, "q1", "two", "--reason", "So."),
            "must be a number, or the word",
        ),
        (
            ("classroom", "adjust", "spring", "anna", NAME, "q9", "1", "--reason", "So."),
            "no marks for the question 'q9'",
        ),
        (("classroom", "show", "spring", "ana"), "the gradebook has nothing of 'ana'"),
        (("classroom", "show", "autumn", "ana"), "make a course with `mixedsim classroom new FOLDER`"),
        (("classroom", "grades", "spring", "-o", "spring/course.yml"), "exists: choose another name"),
    ],
)
def test_what_cannot_be_is_one_sentence(kept, arguments, says):
    said = run(*arguments, code=1).stderr
    assert says in said
    assert said.startswith("Error: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("grade", "spring", "-o", "x.csv", "--lms", "moodle"), "--lms needs --course"),
        (("grade", "spring", "-o", "x.csv", "--course", "spring", "--exercises", "e"), "leave out --exercises"),
        (("exercises", "build", "--course", "spring", "-o", "e"), "leave out -o"),
    ],
)
def test_options_that_do_not_go_together_are_refused(copied, arguments, says):
    assert says in run(*arguments, code=2).stderr


def test_without_a_gradebook_one_sentence_says_what_to_do(copied):
    for command in (("classroom", "grades", "spring", "-o", "x.csv"), ("report", "--course", "spring", "-o", "r.html")):
        assert "run `mixedsim grade SUBMISSIONS --course COURSE` first" in run(*command, code=1).stderr


def test_report_and_feedback_are_given_gradebook_and_course(kept, monkeypatch):
    """Only that the right things arrive: what they write has tests of its own."""
    seen = []
    for name, function in (("report", "instructor_report"), ("feedback", "write_feedback")):
        module = types.ModuleType(f"mixedsim.classroom.reporting.{name}")
        arrived = lambda held, given, place, **_: seen.append((len(held.marks()), given.title, str(place)))  # noqa: E731
        setattr(module, function, arrived)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    run("report", "--course", "spring", "-o", "report.html")
    run("feedback", "--course", "spring", "-o", "feedback")
    assert seen == [(2, "Spring", "report.html"), (2, "Spring", "feedback")]
