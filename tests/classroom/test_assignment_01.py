"""Exercise 1: other right routes get every point, and typical wrong answers lose theirs and are told why."""

from pathlib import Path

import numpy as np
import pytest

from mixedsim.classroom.marking import Own, load_key

NAME = "01-therapists"
KEY = load_key(Path(__file__).parents[2] / "exercises" / "keys" / "01_therapists.py")
RIGHT = {question.name: question.points for question in KEY.questions}


def marks(answers, own):
    return {verdict.question: verdict for verdict in KEY.mark(answers, own)}


def test_other_routes_get_every_point(own, answers):
    """The variance of a mean of 10 against that of 10 independent pupils, the variance's root, a very large cluster."""
    icc, empty = answers["icc"], own.fit("score ~ 1 + (1 | tutor)")
    other = {
        "effect": (icc + (1 - icc) / 10) / (1 / 10),
        "distance": float(np.sqrt(empty.varcorr["variance"].iloc[0])),
        "guess": " Larger",
        "ceiling": 60 * 10**6 / (1 + (10**6 - 1) * icc),
    }
    assert {name: verdict.points for name, verdict in marks(answers | other, own).items()} == RIGHT


@pytest.mark.parametrize(
    ("variable", "wrong", "question", "mistake"),
    [
        ("effect", lambda right, own: 1 + 10 * right["icc"], "q5", "off-by-one"),
        ("effect", lambda right, own: (1 + 9 * right["icc"]) ** 0.5, "q5", "root-of-design-effect"),
        ("distance", lambda right, own: right["distance"] ** 2, "q6", "variance-for-sd"),
        (
            "distance",
            lambda right, own: round(own.fit("score ~ 1 + (1 | tutor)").sigma, 2),
            "q6",
            "residual-for-between",
        ),
        ("guess", lambda right, own: "smaller", "q7", "clusters-always-hurt"),
        ("ceiling", lambda right, own: 60, "q8", "groups-as-n"),
        ("ceiling", lambda right, own: len(own.data), "q8", "rows-as-n"),
    ],
)
def test_typical_mistakes_cost_their_question_and_are_named(own, answers, variable, wrong, question, mistake):
    found = marks(answers | {variable: wrong(answers, own)}, own)
    assert {name: verdict.points for name, verdict in found.items()} == RIGHT | {question: 0}
    assert found[question].misconception == mistake


def test_the_prediction_holds_for_every_student():
    """Boarding varies within tutors, so ordinary regression knows it less well."""
    for student in range(30):
        own = Own(NAME, f"s{student}")
        ordinary = own.ols("score ~ boarding")["se"]["boarding"]
        assert ordinary > 1.08 * own.fit("score ~ boarding + (1 | tutor)").coefficients()["se"]["boarding"]
