"""Grading for a course: whose data count, what a borrowed id is called, and what an interruption leaves."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from mixedsim.classroom.build import key_of, with_student
from mixedsim.classroom.desk import examiner
from mixedsim.classroom.desk.course import Course
from mixedsim.classroom.desk.grade import digest, grade
from mixedsim.classroom.desk.gradebook import Gradebook
from mixedsim.classroom.desk.submissions import find
from mixedsim.classroom.enrolment import KEYS_VARIABLE
from mixedsim.classroom.marking import Own, load_key
from mixedsim.classroom.seeds import SECRET_VARIABLE, student_key
from mixedsim.classroom.walled.warden import below
from tests.classroom.conftest import NAME, SOURCES

KEY = load_key(key_of(SOURCES / f"{NAME}.md"))
FULL = sum(KEY.points.values())
WORDS = sum(question.points for question in KEY.questions if question.kind != "number")  # the same for everybody


@pytest.fixture(scope="module")
def solved(course):
    """``solved("anna")``: the course's own notebook with the solution's answers, which names this id."""
    solution = json.loads((course.built / NAME / "autograder" / f"{NAME}.ipynb").read_text(encoding="utf-8"))
    text = json.dumps(solution).replace("student=student)", f'student=student, course=\\"{course.mark}\\")')
    assert course.mark in text
    return lambda student: with_student(json.loads(text), student)


@pytest.fixture(scope="module")
def dictated(course, solved):
    """``dictated("anna", "ben")``: a notebook that names anna's id and holds ben's answers as numbers, typed."""

    def make(student, by):
        notebook = solved(student)
        own = Own(NAME, by, student_key(by, secret=course.secret))
        lines = [f"{question.variable} = {question.right_answer(own)!r}" for question in KEY.questions]
        first = [{"cell_type": "code", "metadata": {}, "source": f"student = {student!r}"}]
        last = [{"cell_type": "code", "metadata": {}, "source": line} for line in lines]
        return notebook | {"cells": [*first, *last]}

    return make


@pytest.fixture(scope="module")
def borrowed(course):
    """``borrowed("anna", "ben")``: the points of anna if she hands in ben's right answers."""

    def points(student, by):
        own, other = (Own(NAME, one, student_key(one, secret=course.secret)) for one in (student, by))
        answers = {question.variable: question.right_answer(other) for question in KEY.questions}
        found = sum(verdict.points for verdict in KEY.mark(answers, own))
        assert WORDS <= found < FULL / 2
        return found

    return points


def hand_in(folder, **notebooks):
    for name, notebook in notebooks.items():
        write(folder / f"{name}.ipynb", notebook)


def write(path, notebook):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")


LOOKS_INTO_ITS_KEYS = (
    f"import os; icc = os.environ.get('{KEYS_VARIABLE}', '') + os.environ.get('{SECRET_VARIABLE}', '-')"
)


@pytest.fixture(scope="module")
def graded(shared_once, course, solved, dictated):
    """A folder as platforms export it, graded for the course."""

    def grade_all(folder):
        files = folder / "submissions"
        moodle, mine = "_assignsubmission_file_", f"{NAME}.ipynb"
        write(files / f"Anna Li_101{moodle}" / mine, solved("Anna"))
        write(files / f"Ben de Vries_102{moodle}" / mine, dictated("anna", by="anna"))  # borrowed, with its answers
        write(files / f"youngzoe_4713_9_{mine}", dictated("zoë-3", by="zoë-3"))
        write(files / "late" / "homework.ipynb", solved("carla"))
        write(files / "late" / "nobody.ipynb", solved("mallory"))
        write(files / "late" / "unsigned.ipynb", json.loads((course.built / NAME / "student" / mine).read_text()))
        write(
            files / "ben" / "unsigned.ipynb", dictated("ben", by="ben") | {"cells": dictated("ben", "ben")["cells"][1:]}
        )
        write(files / "anna and carla" / "both.ipynb", solved("carla"))
        (files / "carla").mkdir()
        (files / "carla" / "broken.ipynb").write_text("{")
        spy = dictated("anna", by="anna")
        spy["cells"].append({"cell_type": "code", "metadata": {}, "source": LOOKS_INTO_ITS_KEYS})
        write(files / "zoë-3.ipynb", spy)
        table = grade(files, course=course, gradebook=folder / "book.sqlite", jobs=2)
        table.to_pickle(folder / "grades.pkl")

    folder = shared_once("graded-for-a-course", grade_all)
    with Gradebook(folder / "book.sqlite") as book:
        yield pd.read_pickle(folder / "grades.pkl").set_index("file"), book


CASES = {
    "Anna Li_101_assignsubmission_file_/01-therapists.ipynb": ("anna", "anna", FULL, "graded"),
    "Ben de Vries_102_assignsubmission_file_/01-therapists.ipynb": (
        "ben", "anna", "anna's", "needs a look: names the id of anna; graded",
    ),
    "youngzoe_4713_9_01-therapists.ipynb": ("zoë-3", "zoë-3", FULL, "graded"),
    "late/homework.ipynb": ("carla", "carla", FULL, "owner taken from the notebook; graded"),
    "late/nobody.ipynb": ("", "mallory", 0, "unknown student: 'mallory' is not on the roster"),
    "late/unsigned.ipynb": ("", "", 0, "no student id: the student id is missing"),
    "ben/unsigned.ipynb": ("ben", "", FULL, "needs a look: the notebook names no id; graded"),
    "anna and carla/both.ipynb": (
        "carla", "carla", FULL, "needs a look: the path names anna and carla, owner taken from the notebook; graded",
    ),
    "carla/broken.ipynb": ("carla", "", 0, "unreadable: not a notebook"),
    "zoë-3.ipynb": ("zoë-3", "anna", "anna's", "needs a look: names the id of anna; graded"),
}  # fmt: skip


@pytest.mark.parametrize("file", CASES)
def test_answers_are_held_against_the_owners_data(graded, file, borrowed, course):
    grades, book = graded
    student, claimed, points, status = CASES[file]
    if points == "anna's":
        points = borrowed(student, "anna")
    row = grades.loc[file]
    assert (row["student"], row["total"]) == (student, points)
    assert status in row["status"]
    kept = book.submissions().set_index("file").loc[file]
    assert (kept["student"], kept["claimed"]) == (student, claimed)
    assert kept["status"].startswith(status)


def test_every_file_has_one_row(graded):
    assert sorted(graded[0].index) == sorted(CASES)


def test_a_notebook_is_given_its_owners_key_and_nothing_else(graded, course):
    """Not even that of the id which it names: who borrows an id cannot draw its data, nor read its key."""
    marks = graded[1].marks(NAME).set_index(["file", "question"])
    given = marks.loc[("zoë-3.ipynb", "q1"), "given"] if ("zoë-3.ipynb", "q1") in marks.index else None
    if given is None:  # another file of the same student counts: read the grading itself
        with Gradebook(graded[1].path) as book:
            (given,) = book._db.execute(
                "SELECT given FROM marks JOIN submissions USING (submission) WHERE file = 'zoë-3.ipynb' "
                "AND question = 'q1'"
            ).fetchone()
    assert given.startswith(f'[{{"course": "{course.mark}", "student": "zo')
    assert course.keys()["zoë-3"].hex()[:20] in given
    whole = "".join(map(str, graded[1]._db.execute("SELECT * FROM marks").fetchall()))
    assert course.keys()["anna"].hex()[:20] not in whole
    assert course.secret[:20] not in whole


@pytest.fixture
def copied(course, tmp_path):
    """The course, for tests that change it."""
    shutil.copytree(course.folder, tmp_path / "course")
    return Course.load(tmp_path / "course")


@pytest.fixture
def counted(monkeypatch):
    """The files that are executed, in their order."""
    executed, examine = [], examiner.Examiner.examine

    def counting(self, notebook, autograder, known, *others):
        executed.append(known.file)
        return examine(self, notebook, autograder, known, *others)

    monkeypatch.setattr(examiner.Examiner, "examine", counting)
    return executed


def test_what_is_graded_already_is_not_graded_again(copied, dictated, borrowed, tmp_path, counted):
    files = tmp_path / "submissions"
    hand_in(files, anna=dictated("anna", "anna"), ben=dictated("ben", "ben"))
    first = grade(files, course=copied, jobs=1)
    assert first["total"].to_list() == [FULL, FULL]
    pd.testing.assert_frame_equal(grade(files, course=copied, jobs=1), first)
    assert counted == ["anna.ipynb", "ben.ipynb"]

    hand_in(files, ben=dictated("ben", "anna"))  # another file
    assert grade(files, course=copied, jobs=1)["total"].to_list() == [FULL, borrowed("ben", "anna")]
    assert counted[2:] == ["ben.ipynb"]

    key = copied.built / NAME / "autograder" / "key.py"  # another key
    key.write_text(key.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    grade(files, course=copied, jobs=1)
    assert sorted(counted[3:]) == ["anna.ipynb", "ben.ipynb"]

    grade(files, course=copied, jobs=1, again=True)
    assert len(counted) == 7
    with Gradebook(copied.gradebook) as book:
        assert book.history("ben", NAME)["total"].to_list() == [FULL, *[borrowed("ben", "anna")] * 3]


def test_another_owner_or_another_course_is_graded_again(copied, dictated, tmp_path, counted):
    files = tmp_path / "submissions"
    hand_in(files, homework=dictated("anna", "anna"), mallory=dictated("mallory", "anna"))
    assert grade(files, course=copied, jobs=1)["student"].to_list() == ["anna", ""]
    roster = copied.roster_file.read_text(encoding="utf-8")
    copied.roster_file.write_text(roster + "mallory\n", encoding="utf-8")
    enlarged = Course.load(copied.folder)
    assert grade(files, course=enlarged, jobs=1)["student"].to_list() == ["anna", "mallory"]
    assert counted[2:] == ["mallory.ipynb"]
    (copied.folder / "secret").write_text("f" * 64)
    other = grade(files, course=Course.load(copied.folder), jobs=1)
    assert (other["total"] < FULL).all()
    assert len(counted) == 5


def test_what_cannot_be_read_is_noted_once_and_read_again_with_other_keys(copied, tmp_path):
    files, broken = tmp_path / "submissions", "unreadable: not a notebook: broken JSON in line 1"
    (files / "anna").mkdir(parents=True)
    (files / "anna" / "x.ipynb").write_text("{")
    key = copied.built / NAME / "autograder" / "key.py"
    for rows in (1, 1, 2):
        assert grade(files, course=copied, jobs=1)["status"].to_list() == [broken]
        with Gradebook(copied.gradebook) as book:
            assert len(book.submissions()) == rows
        if rows == 1 and len(book_runs(copied)) == 2:
            key.write_text(key.read_text(encoding="utf-8") + "\n", encoding="utf-8")


def book_runs(course):
    with Gradebook(course.gradebook) as book:
        return book.runs()


def test_what_the_grader_could_not_do_is_tried_again(copied, dictated, tmp_path, monkeypatch):
    hand_in(tmp_path / "submissions", anna=dictated("anna", "anna"))
    with Gradebook(copied.gradebook) as book:
        run = book.begin("elsewhere")
        (one,) = find(tmp_path / "submissions")
        broken = examiner.Graded(
            one.name, digest(one), NAME, "anna", "v", "anna", "not graded: BrokenProcessPool: a worker was killed"
        )
        book.add(run, broken)
    assert grade(tmp_path / "submissions", course=copied, jobs=1)["status"].to_list() == ["graded"]


def test_points_changed_by_hand_stay_changed(copied, dictated, borrowed, tmp_path):
    hand_in(tmp_path / "submissions", anna=dictated("anna", "ben"))
    worth, before = KEY.points["q1"], borrowed("anna", "ben")
    first = grade(tmp_path / "submissions", course=copied, jobs=1)
    assert (first["q1"].to_list(), first["total"].to_list()) == ([0], [before])
    with Gradebook(copied.gradebook) as book:
        book.adjust("anna", NAME, "q1", worth, "Showed it on paper.")
    again = grade(tmp_path / "submissions", course=copied, jobs=1, again=True)
    assert (again["q1"].to_list(), again["total"].to_list()) == ([worth], [before + worth])


GRADER = """
import sys
from pathlib import Path
from mixedsim.classroom.desk.course import Course
from mixedsim.classroom.desk.grade import grade
if __name__ == "__main__":
    grade(Path(sys.argv[2]), course=Course.load(sys.argv[1]), jobs=2)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
def test_killed_half_way_and_resumed_the_grades_are_the_same(copied, dictated, tmp_path):
    """The grader is killed, without a chance to tidy up, when some of the notebooks are graded; nothing of it stays."""
    files = tmp_path / "submissions"
    for number in range(8):
        student = ("anna", "ben", "zoë-3", "carla")[number % 4]
        by = student if number % 3 else "ben"
        notebook = dictated(student, by)
        pause = {"cell_type": "code", "metadata": {}, "source": "import time; time.sleep(0.3)"}
        write(files / student / f"{number}.ipynb", notebook | {"cells": [*notebook["cells"], pause]})
    uninterrupted = grade(files, course=copied, gradebook=tmp_path / "other.sqlite", jobs=1)
    here = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    (tmp_path / "grader.py").write_text(GRADER)
    command = [sys.executable, tmp_path / "grader.py", copied.folder, files]
    with subprocess.Popen(command, env=here) as grader:
        deadline = time.monotonic() + 120
        while _done(copied) < 3:
            assert time.monotonic() < deadline
            assert grader.poll() is None
            time.sleep(0.02)
        started = list(below(grader.pid)) if sys.platform == "linux" else []
        grader.kill()
    deadline = time.monotonic() + 30
    while left := [pid for pid in started if _runs(pid)]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.05)
    done = _done(copied)
    assert 3 <= done < 8
    resumed = grade(files, course=copied, jobs=1)
    pd.testing.assert_frame_equal(resumed, uninterrupted)
    with Gradebook(copied.gradebook) as book, Gradebook(tmp_path / "other.sqlite") as other:
        assert len(book.submissions()) == 8  # nothing was graded twice
        assert len(book.runs()) == 1
        columns = ["student", "question", "points", "outcome", "file"]
        pd.testing.assert_frame_equal(book.marks()[columns], other.marks()[columns])


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _done(course):
    if not course.gradebook.is_file():
        return 0
    with Gradebook(course.gradebook) as book:
        return len(book.submissions())
