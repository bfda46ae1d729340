"""Exercise 7: what the harness of all keys does not cover."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.classroom.marking import Own, load_key

KEY = load_key(Path(__file__).parents[2] / "exercises" / "keys" / "07_prediction.py")
STUDENTS = [f"anna{number}" for number in range(40)]


def marks(own, **given):
    return [mark for mark in KEY.mark(given, own) if mark.outcome != "missing"]


@pytest.mark.parametrize("student", STUDENTS[:5])
def test_other_roads_to_the_right_numbers(student):
    data = ms.classroom.data("07-prediction", student=student)
    fit = ms.lmer("minutes ~ bags + (1 | carrier)", data)
    line, own_line = fit.fixef @ [1, 9], fit.coef["carrier"].loc["5"] @ [1, 9]
    x = np.array([1.0, 9.0])
    se_line = np.sqrt(x @ fit.vcov.to_numpy() @ x)
    either = fit.predict(pd.DataFrame({"bags": [9]}), random=False, interval="prediction").iloc[0]
    found = marks(
        Own("07-prediction", student),
        five=own_line,
        se_new=np.sqrt(se_line**2 + fit.varcorr["variance"].iloc[0]),
        width=either["upper"] - either["lower"],
    )
    assert [mark.outcome for mark in found] == ["right"] * 3
    assert line == pytest.approx(either["estimate"])


def test_typical_wrong_lines_cost_their_points_and_are_named():
    own = Own("07-prediction", "berta")
    fit = own.fit("minutes ~ bags + (1 | carrier)")
    new = pd.DataFrame({"bags": [9], "carrier": ["new"]})
    line = fit.predict(new, random=False, interval="confidence").iloc[0]
    found = marks(
        own,
        asked={**KEY.question("q1").right_answer(own), "contract": "mean of all"},
        five=fit.predict(new, random=False),
        width=line["upper"] - line["lower"],
        held=own.sample("hired").data["usual"].between(line["lower"], line["upper"]).sum(),
        limit="a point",
    )
    assert [mark.misconception for mark in found] == [
        "no-group-variance",
        "marginal-for-known",
        "no-group-variance",
        "no-group-variance",
        "no-group-variance",
    ]
    assert [mark.points for mark in found] == pytest.approx([2.4, 0, 0, 0, 0])


def test_the_interval_for_new_carriers_keeps_its_promise_and_that_of_the_line_does_not():
    right, line = [], []
    for student in STUDENTS:
        own = Own("07-prediction", student)
        right.append(KEY.question("q6").right_answer(own) / 40)
        line.append(KEY.question("q6").wrong_answers(own)["no-group-variance"] / 40)
    assert 0.92 < np.mean(right) < 0.995
    assert 0.33 < np.mean(line) < 0.52
