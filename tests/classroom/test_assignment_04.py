"""Exercise 4: other right routes get every point, wrong answers lose theirs, and plans are judged by what they do."""

from pathlib import Path

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.classroom.marking import Own, load_key

NAME = "04-varying-slopes"
KEY = load_key(Path(__file__).parents[2] / "exercises" / "keys" / "04_varying_slopes.py")
RIGHT = {question.name: question.points for question in KEY.questions}
WORLD = ms.Population.from_yaml(KEY.question("q8").right_answer(None)).with_(size=6)


def marks(answers, own):
    return {verdict.question: verdict for verdict in KEY.mark(answers, own)}


def test_other_routes_get_every_point(own, answers):
    """Fits with zero elsewhere in place of formulas, two standard deviations for 1.96, another plan."""
    data = ms.classroom.data(NAME, student="anna")

    def sds(zero):
        moved = data.assign(temp=data["temp"] - zero)
        return ms.lmer("time ~ temp + (temp | runner)", moved).varcorr["sd_or_corr"]

    fit = ms.lmer("time ~ temp + (temp | runner)", data)
    other = {
        "model": "time ~ (temp | runner) + temp",
        "worst": fit.fixef["temp"] + 2 * fit.varcorr["sd_or_corr"].iloc[1],
        "together": round(sds(30).iloc[2], 2),
        "spread": sds(25).iloc[0],
        "plan": WORLD.with_(clusters={"runner": 12}, size=(40, 100)),
    }
    assert {name: verdict.points for name, verdict in marks(answers | other, own).items()} == RIGHT


@pytest.mark.parametrize(
    ("variable", "wrong", "question", "mistake"),
    [
        ("model", lambda right, own: "time ~ temp + (1 | runner) + (0 + temp | runner)", "q2", "no-correlation"),
        ("worst", lambda right, own: own.fit("time ~ temp + (temp | runner)").coefficients()["upper"]["temp"],
         "q3", "se-for-sd"),
        ("together", lambda right, own: own.fit("time ~ temp + (1 + temp | runner)").varcorr["sd_or_corr"].iloc[2],
         "q5", "uncentred"),
        ("claim", lambda right, own: "c", "q6", "other-zero"),
        ("spread", lambda right, own: right["spread"] ** 2, "q7", "variance-for-sd"),
    ],
)  # fmt: skip
def test_typical_mistakes_cost_their_question_and_are_named(own, answers, variable, wrong, question, mistake):
    found = marks(answers | {variable: wrong(answers, own)}, own)
    assert {name: verdict.points for name, verdict in found.items()} == RIGHT | {question: 0}
    assert found[question].misconception == mistake


@pytest.mark.parametrize(
    ("plan", "points", "mistake"),
    [
        (WORLD, 2, ""),
        (WORLD.with_(clusters={"runner": 300}), 2, "more-groups"),
        (WORLD.with_(clusters={"runner": 4}, size=400), 3, ""),
        (WORLD.with_(fixef={"Intercept": 45, "temp": 1}), 2, "power-is-type-one"),
        (WORLD.with_(ranef={"runner": {"sd": [4, 1]}}), 2, ""),
        (WORLD.with_(sigma=0.5), 2, ""),
        (ms.Population("y ~ 1 + (1 | g)", clusters={"g": 5}, size=5, fixef={"Intercept": 1}, ranef={"g": {"sd": 1}},
                       sigma=1), 0, "power-is-type-one"),
        (ms.Population("time ~ temp", clusters={"runner": 5}, size=5, variables={"temp": ms.Normal(0, 1)},
                       fixef={"Intercept": 45, "temp": 0}, sigma=1), 1, ""),
    ],
)  # fmt: skip
def test_plans_get_a_share_for_each_demand(own, plan, points, mistake):
    verdict = KEY.question("q8").mark(plan, own)
    assert (verdict.points, verdict.misconception) == (points, mistake)


def test_the_correlation_belongs_to_a_zero():
    """Over students it is what the population's docstring says, at 0, 20 and 30 °C."""
    found = []
    for student in range(60):
        covariance = Own(NAME, f"s{student}").fit("time ~ temp + (1 + temp | runner)").covariances["runner"].to_numpy()
        row = []
        for zero in (0, 20, 30):
            move = np.array([[1, zero], [0, 1]])
            moved = move @ covariance @ move.T
            row.append(moved[0, 1] / np.sqrt(moved[0, 0] * moved[1, 1]))
        found.append(row)
    error = np.std(found, axis=0) / np.sqrt(len(found))
    assert (abs(np.mean(found, axis=0) - [-0.80, 0.20, 0.70]) < 4 * error + 0.02).all()
