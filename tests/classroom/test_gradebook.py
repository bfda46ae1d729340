"""The gradebook: nothing is replaced, what counts does not depend on the order of grading, a kill harms nothing."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from mixedsim.classroom.desk.gradebook import Gradebook
from mixedsim.classroom.desk.graded import Graded
from mixedsim.classroom.marking import Verdict
from mixedsim.errors import MixedsimError

KINDS = {"q1": ("number", 1), "q2": ("formula", 2)}


def graded(file, student="anna", assignment="01-one", points=(1.0, 2.0), **changes):
    verdicts = [
        Verdict(f"q{k}", worth, 2.0, "right", feedback="Well.", given="1", right="1")
        for k, worth in enumerate(points, 1)
    ]
    told = {"sha256": "a" * 64, "assignment": assignment, "student": student, "claimed": student, "version": "v1"}
    return Graded(file, **(told | {"maximum": 4.0, "verdicts": verdicts, "kinds": KINDS} | changes))


@pytest.fixture
def book(tmp_path):
    with Gradebook(tmp_path / "gradebook.sqlite") as opened:
        yield opened


def counting(book):
    """Points that count, by student and question."""
    marks = book.marks()
    return {(row.student, row.question): row.points for row in marks.itertuples()}


def test_what_is_written_is_read(book):
    run = book.begin("submissions", walls="high")
    book.add(run, graded("a.ipynb", seconds=1.5))
    book.finish(run)
    (row,) = book.submissions().to_dict("records")
    assert row.pop("graded").startswith("20")
    assert row == {
        "submission": 1, "run": 1, "file": "a.ipynb", "sha256": "a" * 64, "assignment": "01-one", "student": "anna",
        "claimed": "anna", "status": "graded", "total": 3.0, "max": 4.0, "seconds": 1.5, "current": True,
    }  # fmt: skip
    marks = book.marks().to_dict("records")
    assert [mark["question"] for mark in marks] == ["q1", "q2"]
    assert marks[1] == {
        "student": "anna", "assignment": "01-one", "question": "q2", "kind": "formula", "level": 2, "points": 2.0,
        "max": 2.0, "outcome": "right", "misconception": "", "feedback": "Well.", "given": "1", "right": "1",
        "adjusted": False, "reason": "", "submission": 1, "file": "a.ipynb", "status": "graded",
    }  # fmt: skip
    (told,) = book.runs().to_dict("records")
    assert (told["source"], told["walls"], told["again"]) == ("submissions", "high", 0)
    assert told["finished"] >= told["started"]


def test_an_empty_gradebook_has_tables_with_columns(book):
    assert book.marks().empty
    assert {"student", "points", "adjusted", "reason", "status"} <= set(book.marks().columns)
    assert book.submissions().columns.to_list() == [
        "submission", "run", "file", "sha256", "assignment", "student", "claimed", "status", "total", "max", "graded",
        "seconds", "current",
    ]  # fmt: skip


def test_grading_again_keeps_the_history(book):
    for points in ((0, 0), (1, 0), (2, 2)):
        run = book.begin("submissions", again=True)
        book.add(run, graded("a.ipynb", points=points))
        book.finish(run)
    assert book.history("Anna ", "01-one")["total"].to_list() == [0, 1, 4]
    assert book.history("anna", "01-one")["current"].to_list() == [False, False, True]
    assert counting(book) == {("anna", "q1"): 2, ("anna", "q2"): 2}


def test_of_several_files_the_last_by_name_counts_whatever_was_graded_first(book):
    files = ["a/x-1.ipynb", "a/x-2.ipynb", "a/x.ipynb"]
    for shuffled in (files, files[::-1], [files[1], files[2], files[0]]):
        run = book.begin("submissions", again=True)
        for file in shuffled:
            book.add(run, graded(file, points=(files.index(file), 0)))
        book.finish(run)
        assert counting(book)["anna", "q1"] == 2


def test_what_was_handed_in_later_counts(book):
    first = book.begin("week 1")
    book.add(first, graded("z.ipynb", points=(2, 2)))
    book.finish(first)
    second = book.begin("week 2")
    book.add(second, graded("a.ipynb", points=(1, 1), sha256="b" * 64))
    book.finish(second)
    assert counting(book)["anna", "q1"] == 1
    third = book.begin("week 1")  # the first folder once more, unchanged
    book.keep(third, {"z.ipynb": "a" * 64})
    assert counting(book)["anna", "q1"] == 2
    assert book.of_run(third)["file"].to_list() == ["z.ipynb"]


def test_an_adjustment_outlives_regrading_and_can_be_taken_back(book):
    run = book.begin("submissions")
    book.add(run, graded("a.ipynb"))
    book.adjust("ANNA", "01-one", "q1", 2, "Right on paper.")
    assert counting(book) == {("anna", "q1"): 2, ("anna", "q2"): 2}
    again = book.begin("submissions", again=True)
    book.add(again, graded("a.ipynb", points=(0, 0)))
    marks = book.marks()
    assert marks["points"].to_list() == [2, 0]
    assert marks["adjusted"].to_list() == [True, False]
    assert marks["reason"].to_list() == ["Right on paper.", ""]
    assert book.submissions()["total"].to_list() == [3, 2]  # the old grading stays as it was
    assert book.points_of(again)["points"].to_list() == [2, 0]
    book.adjust("anna", "01-one", "q1", 1.5, "Rather half.")
    assert counting(book)["anna", "q1"] == 1.5
    book.adjust("anna", "01-one", "q1", None, "It was right after all.")
    assert counting(book)["anna", "q1"] == 0
    assert book.adjustments()["reason"].to_list() == ["Right on paper.", "Rather half.", "It was right after all."]


def test_an_adjustment_is_of_one_student_assignment_and_question(book):
    run = book.begin("submissions")
    for student in ("anna", "ben"):
        for assignment in ("01-one", "02-two"):
            book.add(run, graded(f"{student}/{assignment}.ipynb", student, assignment, points=(0, 0)))
    book.adjust("anna", "02-two", "q2", 1, "So.")
    marks = book.marks()
    assert marks["points"].sum() == 1
    assert book.marks("02-two")["points"].sum() == 1
    assert book.marks("01-one")["points"].sum() == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ana", "01-one", "q1", 1, "So."), "the gradebook has no marks for the student 'ana'; did you mean 'anna'?"),
        (("anna", "01-two", "q1", 1, "So."), "'anna' has no marks for the assignment '01-two'; did you mean '01-one'?"),
        (("anna", "01-one", "q3", 1, "So."), "'01-one' has no marks for the question 'q3'; known are 'q1', 'q2'."),
        (("anna", "01-one", "q1", 3, "So."), "the points of q1 must lie between 0 and 2, found 3."),
        (("anna", "01-one", "q1", float("nan"), "So."), "the points of q1 must lie between 0 and 2, found nan."),
        (("anna", "01-one", "q1", -1, "So."), "must lie between 0 and 2"),
        (("anna", "01-one", "q1", 1, " "), "an adjustment needs a reason"),
    ],
)
def test_an_adjustment_that_cannot_be_is_refused(book, arguments, says):
    book.add(book.begin("submissions"), graded("a.ipynb"))
    with pytest.raises(MixedsimError) as caught:
        book.adjust(*arguments)
    assert says in str(caught.value)
    assert book.adjustments().empty


def test_an_interrupted_run_goes_on_and_a_finished_one_does_not(book):
    first = book.begin("submissions")
    assert book.begin("submissions") == first
    assert book.begin("elsewhere") != first
    again = book.begin("submissions", again=True)
    assert book.begin("submissions") not in (first, again)
    last = book.begin("submissions", again=True)
    book.finish(last)
    assert book.begin("submissions", again=True) != last


def test_what_is_known_of_a_file_depends_on_its_contents(book):
    run = book.begin("submissions")
    book.add(run, graded("a.ipynb"))
    found, graded_in = book.known("a.ipynb", "a" * 64)
    assert (found.student, found.version, found.status, graded_in) == ("anna", "v1", "graded", run)
    assert book.known("a.ipynb", "b" * 64) is None
    assert book.known("b.ipynb", "a" * 64) is None


def test_text_that_is_none_is_kept_as_it_can_be(book):
    run = book.begin("submissions")
    verdicts = [Verdict("q1", 0, 1, "wrong", given="half a \ud800 letter", feedback="a\x00b")]
    book.add(run, graded("caf\udce9.ipynb", verdicts=verdicts))
    assert book.marks()["given"].to_list() == ["half a \\ud800 letter"]
    assert book.submissions()["file"].to_list() == ["caf\\udce9.ipynb"]


def test_a_notebook_is_written_whole_or_not_at_all(book):
    run = book.begin("submissions")
    twice = [Verdict("q1", 1, 1, "right"), Verdict("q1", 1, 1, "right")]
    with pytest.raises(sqlite3.IntegrityError):
        book.add(run, graded("a.ipynb", verdicts=twice))
    assert book.submissions().empty
    assert book.of_run(run).empty


WRITER = """
import sys
from mixedsim.classroom.desk.gradebook import Gradebook
from tests.classroom.test_gradebook import graded
with Gradebook(sys.argv[1]) as book:
    run = book.begin("submissions")
    for number in range(100_000):
        book.add(run, graded(f"{number}.ipynb", student=f"s{number}"))
        print(number, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
@pytest.mark.parametrize("seed", range(4))
def test_a_kill_at_any_time_loses_nothing_that_was_written(tmp_path, seed):
    path = tmp_path / "gradebook.sqlite"
    here = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=here) as writer:
        assert writer.stdout.readline() == "0\n"
        time.sleep(random.Random(seed).uniform(0.0, 0.2))
        writer.send_signal(signal.SIGKILL)
        said = [0, *(line for line in writer.stdout.read().split("\n") if line)]
    with Gradebook(path) as book:
        submissions, marks = book.submissions(), book.marks()
        assert len(submissions) in (len(said), len(said) + 1)  # killed between writing and saying so
        assert len(marks) == 2 * len(submissions)
        assert book.begin("submissions") == 1
    with sqlite3.connect(path) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    raw.close()


def test_other_files_are_no_gradebooks(tmp_path):
    (tmp_path / "text").write_text("student,points\n" * 100)
    with pytest.raises(MixedsimError, match=r"cannot open the gradebook .*: file is not a database"):
        Gradebook(tmp_path / "text")
    with sqlite3.connect(tmp_path / "other.sqlite") as raw:
        raw.execute("CREATE TABLE songs (title TEXT)")
    raw.close()
    with pytest.raises(MixedsimError, match="is a database, but no gradebook: choose another name"):
        Gradebook(tmp_path / "other.sqlite")
    Gradebook(tmp_path / "new.sqlite").close()
    with sqlite3.connect(tmp_path / "new.sqlite") as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    with pytest.raises(MixedsimError, match="was made by a later version of mixedsim"):
        Gradebook(tmp_path / "new.sqlite")
    with pytest.raises(MixedsimError, match="cannot open the gradebook"):
        Gradebook(tmp_path / "nowhere" / "new.sqlite")


def test_two_processes_may_write_at_the_same_time(tmp_path):
    path = tmp_path / "gradebook.sqlite"
    with Gradebook(path) as one, Gradebook(path) as other:
        run = one.begin("submissions")
        for number in range(20):
            (one, other)[number % 2].add(run, graded(f"{number}.ipynb", student=f"s{number}"))
        assert len(one.submissions()) == len(other.submissions()) == 20
