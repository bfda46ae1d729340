"""The placement quiz: other right routes get every point, and typical wrong answers lose theirs and are told why."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.classroom.marking import Own, load_key

NAME = "00-placement"
KEY = load_key(Path(__file__).parents[2] / "exercises" / "keys" / "00_placement.py")
RIGHT = {question.name: question.points for question in KEY.questions}


def marks(answers, own):
    return {verdict.question: verdict for verdict in KEY.mark(answers, own)}


def test_other_routes_get_every_point(own, answers):
    """Least squares by hand with mountain bicycles as the reference, and two regressions, one for each service."""
    data = ms.classroom.data(NAME, student="anna")
    ones, kinds = np.ones(len(data)), pd.get_dummies(data["kind"], dtype=float)

    def solve(rows, *columns):
        x = np.column_stack(columns)[rows]
        found, (left,), _, _ = np.linalg.lstsq(x, data["price"].to_numpy()[rows], rcond=None)
        return found, (left / (len(x) - x.shape[1])) ** 0.5, np.linalg.inv(x.T @ x)

    everybody = np.full(len(data), True)
    found, sigma, inverse = solve(everybody, ones, data["age"], kinds["city"], kinds["road"])
    yes = (data["serviced"] == "yes").astype(float)
    joint, _, _ = solve(everybody, ones, kinds["city"], kinds["road"], yes, data["age"] * (1 - yes), data["age"] * yes)
    other = {
        "cheaper": round(-2 * found[1], 1),
        "around": sigma,
        "dearer": found[3],
        "saved": joint[5] - joint[4],
        "slopes": sigma * inverse[1, 1] ** 0.5,
        "meaning": "B",
        "decisions": float(len(set(data["shop"]))),
    }
    assert {name: verdict.points for name, verdict in marks(answers | other, own).items()} == RIGHT


@pytest.mark.parametrize(
    ("variable", "wrong", "question", "mistake"),
    [
        ("cheaper", lambda right, own: right["cheaper"] / 2, "q1", "one-unit"),
        ("around", lambda right, own: right["around"] ** 2, "q2", "variance-for-sd"),
        ("dearer", lambda right, own: own.ols("price ~ kind + age")["estimate"]["kind[T.road]"], "q3",
         "wrong-reference"),
        ("saved", lambda right, own: own.ols("price ~ age * serviced + kind")["estimate"]["age"], "q4",
         "main-effect-for-interaction"),
        ("slopes", lambda right, own: right["around"], "q5", "sd-for-se"),
        ("meaning", lambda right, own: "a", "q6", "p-is-probability"),
        ("broken", lambda right, own: "spread", "q7", "noise-not-checked"),
        ("decisions", lambda right, own: len(own.data), "q8", "rows-as-n"),
    ],
)  # fmt: skip
def test_typical_mistakes_cost_their_question_and_are_named(own, answers, variable, wrong, question, mistake):
    found = marks(answers | {variable: wrong(answers, own)}, own)
    assert {name: verdict.points for name, verdict in found.items()} == RIGHT | {question: 0}
    assert found[question].misconception == mistake


def test_shops_are_what_the_regression_does_not_know():
    """For every student the shops' means of residuals scatter more than twice as much as chance would make them."""
    for student in range(30):
        own = Own(NAME, f"s{student}")
        fit = own.fit("price ~ kind + age * serviced + (1 | shop)")
        sizes = own.data.groupby("shop", observed=True).size()
        assert fit.varcorr["variance"].iloc[0] > 3 * fit.sigma**2 / sizes.mean()
