"""The first questions of the first exercise: for several students, every right route and every usual mistake gets its
points.

Answers go straight to the autograder here; that notebooks lead to the same is in `test_grade.py`.
"""

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.classroom.score import load
from mixedsim.errors import MixedsimError

IDS = ["anna", "ben", "zoë-3", "12345"]
FULL = {"q1": 2, "q2": 2, "q3": 2, "q4": 2}


class Work:
    """What one student can compute."""

    def __init__(self, student):
        self.data = ms.classroom.data("01-therapists", student=student)
        self.empty = ms.lmer("score ~ 1 + (1 | tutor)", self.data)
        self.varying = ms.lmer("score ~ hours + (1 | tutor)", self.data)
        self.between = self.empty.varcorr["variance"].iloc[0]
        self.within = self.empty.sigma**2
        self.n = int(self.data["tutor"].value_counts().min())
        self.icc = self.between / (self.between + self.within)
        self.slope = float(self.varying.fixef["hours"])
        self.kept = self.between / (self.between + self.within / self.n)
        self.answers = {
            "student": student,
            "icc": self.icc,
            "slope": self.slope,
            "model": "score ~ hours + boarding + (hours | tutor)",
            "kept": self.kept,
        }


@pytest.fixture(scope="module", params=IDS)
def work(request):
    return Work(request.param)


@pytest.fixture
def score(exercises, work):
    """Points for the right answers, some of them replaced."""

    def points(**replaced):
        return points_of(exercises, work.answers | replaced, work.answers["student"])

    return points


def points_of(exercises, answers, student):
    marks = load(exercises, "01-therapists").mark(answers, student)
    return {mark.question: mark.points for mark in marks if mark.question in FULL}


def rounded(value, digits):
    return float(f"{value:.{digits}g}")


RIGHT = {
    "as computed": lambda w: {},
    "to two digits": lambda w: {name: rounded(w.answers[name], 2) for name in ("icc", "slope", "kept")},
    "to three digits": lambda w: {name: rounded(w.answers[name], 3) for name in ("icc", "slope", "kept")},
    "rounded on the way": lambda w: {"icc": rounded(w.between, 3) / (rounded(w.between, 3) + rounded(w.within, 3))},
    "ML for the slope": lambda w: {
        "slope": float(ms.lmer("score ~ hours + (1 | tutor)", w.data, reml=False).fixef["hours"])
    },
    "kept from the icc": lambda w: {"kept": w.n * w.icc / (1 + (w.n - 1) * w.icc)},
    "formula in other words": lambda w: {"model": "score ~ 1 + boarding + (1 + hours | tutor) + hours"},
}
WRONG = {
    "standard deviations for variances": ("q1", lambda w: {"icc": w.between**0.5 / (w.between**0.5 + w.within**0.5)}),
    "ratio for share": ("q1", lambda w: {"icc": w.between / w.within}),
    "percent for share": ("q1", lambda w: {"icc": 100 * w.icc}),
    "share within": ("q1", lambda w: {"icc": 1 - w.icc}),
    "text for a number": ("q1", lambda w: {"icc": f"{w.icc}"}),
    "one digit": ("q1", lambda w: {"icc": rounded(w.icc, 1) + 0.1}),
    "ordinary regression": ("q2", lambda w: {"slope": np.polyfit(w.data["hours"], w.data["score"], 1)[0]}),
    "slope between tutors": ("q2", lambda w: {"slope": between_slope(w.data)}),
    "intercept for slope": ("q2", lambda w: {"slope": float(w.varying.fixef["Intercept"])}),
    "no varying slope": ("q3", lambda w: {"model": "score ~ hours + boarding + (1 | tutor)"}),
    "no correlation": ("q3", lambda w: {"model": "score ~ hours + boarding + (hours || tutor)"}),
    "an interaction": ("q3", lambda w: {"model": "score ~ hours * boarding + (hours | tutor)"}),
    "no boarding": ("q3", lambda w: {"model": "score ~ hours + (hours | tutor)"}),
    "pulled for kept": ("q4", lambda w: {"kept": 1 - w.kept}),
    "the icc again": ("q4", lambda w: {"kept": w.icc}),
    "all rows for one tutor's": ("q4", lambda w: {"kept": w.between / (w.between + w.within / len(w.data))}),
}


def between_slope(data):
    means = data.groupby("tutor", observed=True)[["hours", "score"]].mean()
    return float(np.polyfit(means["hours"], means["score"], 1)[0])


@pytest.mark.parametrize("route", RIGHT)
def test_every_right_route_gets_every_point(score, work, route):
    assert score(**RIGHT[route](work)) == FULL


@pytest.mark.parametrize("mistake", WRONG)
def test_every_mistake_costs_its_own_question_and_no_other(score, work, mistake):
    question, answers = WRONG[mistake]
    assert score(**answers(work)) == FULL | {question: 0}


@pytest.mark.parametrize("nothing", [None, ..., "", [], {}, True, float("nan"), [1, 2, 3], "x" * 10_000])
def test_what_is_no_answer_gets_nothing_and_breaks_nothing(score, nothing):
    assert score(icc=nothing, slope=nothing, model=nothing, kept=nothing) == dict.fromkeys(FULL, 0)


def test_another_students_answers_are_wrong(exercises, work):
    other = Work("somebody-else")
    assert points_of(exercises, other.answers, work.answers["student"]) == {"q1": 0, "q2": 0, "q3": 2, "q4": 0}


def test_an_assignment_that_was_not_built_is_named(exercises):
    with pytest.raises(MixedsimError, match=r"no autograder for '02-other'.*run `mixedsim exercises build` first"):
        load(exercises, "02-other")
