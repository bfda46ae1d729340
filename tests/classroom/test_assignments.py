"""Each student's own data, and the lesson that they must carry."""

import os
import subprocess
import sys

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.classroom import answers
from mixedsim.classroom.seeds import SECRET_VARIABLE
from mixedsim.errors import MixedsimError

STUDENTS = [f"student-{i}" for i in range(100)]
# Student ab123, no secret: first and last row of the measurements, and counts.
GOLDEN = {
    "rows": 1132,
    "boarding": 337,
    "hours": [4.980539627027347, 8.117517311117878],
    "score": [48.42883128372972, 62.930938227398215],
}


@pytest.fixture(autouse=True)
def _no_secret(monkeypatch):
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)


def test_the_same_id_gives_the_same_data():
    one = ms.classroom.data("01-therapists", student="ab123")
    assert one.equals(ms.classroom.data("01-therapists", student=" AB123"))


def test_another_id_or_another_course_gives_other_data(monkeypatch):
    one = ms.classroom.data("01-therapists", student="ab123")
    assert not one.equals(ms.classroom.data("01-therapists", student="ab124"))
    monkeypatch.setenv(SECRET_VARIABLE, "tea at four")
    assert not one.equals(ms.classroom.data("01-therapists", student="ab123"))


def test_golden_numbers():
    """Data that students have worked on must never change: these numbers were written down once."""
    data = ms.classroom.data("01-therapists", student="ab123")
    assert len(data) == GOLDEN["rows"]
    assert data["boarding"].sum() == GOLDEN["boarding"]
    for column in ("hours", "score"):
        np.testing.assert_allclose(data[column].iloc[[0, -1]], GOLDEN[column], rtol=1e-9)


def test_the_confounder_is_not_in_the_data():
    data = ms.classroom.data("01-therapists", student="ab123")
    assert set(data.columns) == {"tutor", "hours", "boarding", "score"}
    assert data["tutor"].nunique() == 60
    assert data["tutor"].value_counts().between(5, 30).all()


def test_the_lesson_holds_for_every_student():
    """No usual mistake is right by luck: it misses the right answer by more than the tolerance."""
    for student in STUDENTS:
        data = ms.classroom.data("01-therapists", student=student)
        empty = ms.lmer("score ~ 1 + (1 | tutor)", data)
        between, within = empty.varcorr["variance"].iloc[0], empty.sigma**2
        n = data["tutor"].value_counts().min()
        icc, kept = between / (between + within), between / (between + within / n)
        slope = ms.lmer("score ~ hours + (1 | tutor)", data).fixef["hours"]
        wrong = {
            "standard deviations for variances": (icc, between**0.5 / (between**0.5 + within**0.5)),
            "ratio of the variances": (icc, between / within),
            "share within": (icc, within / (between + within)),
            "ordinary regression": (slope, np.polyfit(data["hours"], data["score"], 1)[0]),
            "what is pulled": (kept, 1 - kept),
            "rows for n": (kept, between / (between + within / len(data))),
            "the icc again": (kept, icc),
        }
        for mistake, (right, answer) in wrong.items():
            assert abs(answer - right) > 1.5 * answers.tolerance(right), (student, mistake, right, answer)


def test_the_bias_is_the_one_of_the_docstring():
    """OLS comes to 3.25 and the within-tutor slope to 2, up to what the mean of 100 students' slopes varies by."""
    ols, within = [], []
    for student in STUDENTS:
        data = ms.classroom.data("01-therapists", student=student)
        ols.append(np.polyfit(data["hours"], data["score"], 1)[0])
        centred = data["hours"] - data.groupby("tutor", observed=True)["hours"].transform("mean")
        within.append((centred * data["score"]).sum() / (centred**2).sum())
    for slopes, truth in ((ols, 3.25), (within, 2.0)):
        assert abs(np.mean(slopes) - truth) < 4 * np.std(slopes) / len(slopes) ** 0.5


@pytest.mark.parametrize("name", ["01-therapist", "nothing", 3])
def test_an_unknown_assignment_is_named(name):
    with pytest.raises(MixedsimError, match="there is no assignment"):
        ms.classroom.data(name, student="ab123")


def test_a_missing_id_is_said_in_one_sentence():
    with pytest.raises(MixedsimError, match="write your own id between quotes"):
        ms.classroom.data("01-therapists", student=...)


def test_students_need_no_grader():
    """`ms.classroom.data` imports neither Otter nor jupytext nor click."""
    code = (
        "import sys, mixedsim as ms; ms.classroom.data('01-therapists', student='a'); "
        "print([m for m in ('otter', 'jupytext', 'click', 'tqdm', 'IPython', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "7"},
    )
    assert done.stdout.strip() == "[]"
