"""Grading: what is right gets its points, what is wrong loses exactly its own, and nothing stops the others."""

import hashlib
import json
import shutil
import sys
import zipfile

import pandas as pd
import pytest

from mixedsim.classroom.build import key_of, with_student
from mixedsim.classroom.desk.grade import digest, grade
from mixedsim.classroom.desk.gradebook import Gradebook
from mixedsim.classroom.desk.submissions import Submission, find
from mixedsim.classroom.marking import Own, load_key
from mixedsim.classroom.seeds import SECRET_VARIABLE, student_key
from mixedsim.errors import MixedsimError
from tests.classroom.conftest import NAME, SOURCES

KEY = load_key(key_of(SOURCES / f"{NAME}.md"))
FULL = sum(KEY.points.values())
TIMEOUT = 60
# What is computed from the data, and what is the same whatever they are.
NUMBERS = {question.name for question in KEY.questions if question.kind == "number"}

# name of the submission: (answers in place of the solution's, questions that lose points, beginning of the status)
VARIANTS = {
    "right-by-other-routes": (
        {
            "icc": "1 / (1 + within / between)",
            "slope": "ms.lmer('score ~ 1 + hours + (1 | tutor)', data, reml=False).coef['tutor']['hours'].mean()",
            "model": "'score ~ 1 + boarding + hours + (1 + hours | tutor)'",
            "kept": "(empty.ranef['tutor']['Intercept'] / (data.groupby('tutor', observed=True)['score'].mean()"
            " - empty.fixef['Intercept']))[data['tutor'].value_counts().idxmin()]",
        },
        set(),
        "graded",
    ),
    "wrong-ols-slope": (
        {"slope": "__import__('numpy').polyfit(data['hours'], data['score'], 1)[0]"},
        {"q2"},
        "graded",
    ),
    # somebody else's data: only what does not depend on them is right
    "borrowed-data": ({"data": "ms.classroom.data('01-therapists', student='ben')"}, NUMBERS, "graded"),
    "crash-midway": (
        {"slope": "varying.fixef['hour']"},
        {"q2"},
        "crashed: code cell 5 raised KeyError: 'hour'",
    ),
    "crash-first-cell": ({"data": "undefined"}, NUMBERS, "crashed: code cell 2 raised NameError"),
    "crash-for-good": (
        {"slope": "__import__('os')._exit(1)"},
        set(KEY.points) - {"q1"},
        "crashed: code cell 5 ended the process with exit code 1",
    ),
}
IDS = ("anna", "ben", "Zoë-3")


@pytest.fixture(scope="module")
def graded(shared_once, exercises, solution, handed_out, edited):
    """All submissions of this module, handed in together and graded in parallel."""

    def grade_all(folder):
        files = folder / "submissions"
        (files / "late").mkdir(parents=True)
        notebooks = {
            name: edited(with_student(solution, f"of-{name}"), **new) for name, (new, _, _) in VARIANTS.items()
        }
        notebooks |= {f"solution-of-{i}": with_student(solution, student) for i, student in enumerate(IDS)}
        notebooks |= {"unanswered": with_student(handed_out, "carla"), "untouched": handed_out}
        notebooks |= {"twin-1": with_student(handed_out, "twin"), "twin-2": with_student(handed_out, " Twin")}
        notebooks["late/foreign"] = handed_out | {"metadata": {"otter": {"assignment_name": "99-other"}}}
        for name, notebook in notebooks.items():
            (files / f"{name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        (files / "corrupt.ipynb").write_text('{"cells": [\n{,')
        grades = grade(files, exercises=exercises, jobs=2, timeout=TIMEOUT)
        grades.to_pickle(folder / "grades.pkl")

    return pd.read_pickle(shared_once("graded", grade_all) / "grades.pkl").set_index("file")


def points(row):
    return row[list(KEY.points)].to_dict()


def without(*lost):
    return {name: 0 if name in lost else worth for name, worth in KEY.points.items()}


@pytest.mark.parametrize("number", range(len(IDS)), ids=IDS)
def test_the_solution_gets_every_point_whoever_hands_it_in(graded, number):
    row = graded.loc[f"solution-of-{number}.ipynb"]
    assert points(row) == KEY.points
    assert (row["total"], row["max"], row["status"]) == (FULL, FULL, "graded")
    assert row["student"] == IDS[number].casefold()
    assert row["assignment"] == "01-therapists"


@pytest.mark.parametrize("name", VARIANTS)
def test_every_answer_gets_exactly_its_points(graded, name):
    _, lost, status = VARIANTS[name]
    row = graded.loc[f"{name}.ipynb"]
    assert points(row) == without(*lost)
    assert row["total"] == sum(without(*lost).values())
    assert row["status"].startswith(status)


def test_an_unanswered_notebook_gets_no_points(graded):
    row = graded.loc["unanswered.ipynb"]
    assert points(row) == without(*KEY.points)
    assert (row["student"], row["total"], row["status"]) == ("carla", 0, "graded")


def test_a_notebook_without_id_gets_no_points_and_says_so(graded):
    row = graded.loc["untouched.ipynb"]
    assert (row["total"], row["max"], row["student"]) == (0, FULL, "")
    assert row["status"].startswith("no student id: the student id is missing")


def test_what_cannot_be_graded_has_a_row_that_says_why(graded):
    assert graded.loc["corrupt.ipynb", "status"] == "unreadable: not a notebook: broken JSON in line 2"
    foreign = graded.loc["late/foreign.ipynb", "status"]
    assert foreign == "unreadable: it answers '99-other'; built are 01-therapists"
    assert graded.loc[["corrupt.ipynb", "late/foreign.ipynb"], "total"].tolist() == [0, 0]


def test_the_gradebook_is_ordered_and_complete(graded):
    assert list(graded.index) == sorted(graded.index)
    assert len(graded) == len(VARIANTS) + len(IDS) + 6
    columns = ["assignment", "student", *KEY.points, "total", "max", "status"]
    assert list(graded.columns) == columns


def test_notebooks_with_the_same_id_name_each_other(graded):
    one, other = graded.loc["twin-1.ipynb"], graded.loc["twin-2.ipynb"]
    assert one["status"] == "needs a look: the same student id as in twin-2.ipynb; graded"
    assert other["status"] == "needs a look: the same student id as in twin-1.ipynb; graded"


def hand_in(folder, **notebooks):
    for name, notebook in notebooks.items():
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


def test_an_endless_loop_is_stopped_and_the_others_are_graded(tmp_path, exercises, solution, edited):
    mine = with_student(solution, "anna")
    looping = edited(mine, slope="all(zero == 0 for zero in iter(int, 1))")
    hand_in(tmp_path, loop=looping, right=with_student(solution, "ben"))
    grades = grade(tmp_path, exercises=exercises, jobs=1, timeout=6)
    assert grades["total"].tolist() == [KEY.points["q1"], FULL]
    stopped = "timed out: code cell 5 was still running after 6 seconds"
    assert grades["status"].tolist() == [stopped, "graded"]


def test_one_at_a_time_gives_what_two_at_a_time_give(tmp_path, exercises, solution, edited):
    mine = with_student(solution, "anna")
    hand_in(tmp_path, right=mine, wrong=edited(mine, model="'score ~ hours + (hours | tutor)'"))
    one, two = (grade(tmp_path, exercises=exercises, jobs=jobs, timeout=TIMEOUT) for jobs in (1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert one["total"].tolist() == [FULL, FULL - KEY.points["q3"]]


def test_metadata_that_an_editor_dropped_are_not_needed(tmp_path, exercises, solution):
    hand_in(tmp_path, bare=with_student(solution, "anna") | {"metadata": {}})
    assert grade(tmp_path, exercises=exercises)["total"].tolist() == [FULL]


def test_a_secret_of_the_environment_reaches_no_notebook_but_its_students_key_does(
    tmp_path, exercises, solution, monkeypatch
):
    """Without a course, too: data are then those of the secret, where the exercise is worked on and graded."""
    hand_in(tmp_path, right=with_student(solution, "anna"))
    monkeypatch.setenv(SECRET_VARIABLE, "tea at four")
    assert grade(tmp_path, exercises=exercises, jobs=1)["total"].tolist() == [FULL]
    own = [Own(NAME, "anna", student_key("anna", secret=secret)).data for secret in ("", "tea at four")]
    assert not own[0].equals(own[1])


def test_a_gradebook_without_a_course_keeps_what_was_graded(tmp_path, exercises, solution):
    hand_in(tmp_path, right=with_student(solution, "anna"))
    first, second = (
        grade(tmp_path / "right.ipynb", exercises=exercises, jobs=1, gradebook=tmp_path / "kept") for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, second)
    with Gradebook(tmp_path / "kept") as book:
        assert len(book.runs()) == 2
        (row,) = book.submissions()[["student", "claimed", "total"]].to_dict("records")
        assert row == {"student": "anna", "claimed": "anna", "total": FULL}


def test_a_key_that_breaks_is_the_instructors_business(tmp_path, exercises, solution):
    """A key with a fault of its own must not quietly cost a student points, nor stop the other questions."""
    folder = tmp_path / "exercises"
    shutil.copytree(exercises, folder)
    key = folder / NAME / "autograder" / "key.py"
    text = key.read_text(encoding="utf-8")
    right = 'answer=lambda own: own.fit("score ~ hours + (1 | tutor)").fixef["hours"]'
    assert right in text
    key.write_text(text.replace(right, right.replace('["hours"]', '["hour"]')), encoding="utf-8")
    hand_in(tmp_path, right=with_student(solution, "anna"))
    (row,) = grade(tmp_path / "right.ipynb", exercises=folder).to_dict("records")
    assert row["status"] == "needs a look: the key of q2 failed (KeyError: 'hour'); graded"
    assert (row["q1"], row["q2"], row["total"]) == (KEY.points["q1"], 0, FULL - KEY.points["q2"])


def test_a_digest_is_of_the_contents_wherever_they_lie(tmp_path, monkeypatch):
    (tmp_path / "a.ipynb").write_bytes(b"{}")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("a.ipynb", "{}")
    assert [digest(one) for one in find(tmp_path)] == [hashlib.sha256(b"{}").hexdigest()] * 2
    monkeypatch.setattr("mixedsim.classroom.desk.grade.LARGEST_NOTEBOOK", 1)
    assert [digest(one) for one in find(tmp_path)] == ["", ""]  # far too large: not read to its end


def test_what_cannot_be_read_has_no_digest(tmp_path):
    (tmp_path / "b.zip").write_bytes(b"PK but not really")
    (one,) = find(tmp_path)
    assert digest(Submission("b.zip/x.ipynb", one.path, "x.ipynb")) == ""
    assert digest(Submission("gone.ipynb", tmp_path / "gone.ipynb")) == ""
    if sys.platform != "win32":
        (tmp_path / "link.ipynb").symlink_to(one.path)
        assert digest(Submission("link.ipynb", tmp_path / "link.ipynb")) == ""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"exercises": "nowhere"}, "no exercise is built"),
        ({"jobs": 0}, "jobs must be at least 1, found 0"),
        ({"timeout": 0}, "timeout must be more than 0 seconds"),
    ],
)
def test_what_cannot_work_is_said_before_anything_runs(tmp_path, exercises, change, says):
    (tmp_path / "x.ipynb").write_text("{}")
    with pytest.raises(MixedsimError, match=says):
        grade(tmp_path, **({"exercises": exercises} | change))
