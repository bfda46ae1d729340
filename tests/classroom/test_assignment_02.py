"""Exercise 2: other right routes get every point, and typical wrong notebooks lose theirs and are told why."""

from pathlib import Path

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.classroom.marking import Own, load_key

NAME = "02-fixed-or-random"
KEY = load_key(Path(__file__).parents[2] / "exercises" / "keys" / "02_fixed_or_random.py")
RIGHT = {question.name: question.points for question in KEY.questions}


def marks(answers, own):
    return {verdict.question: verdict for verdict in KEY.mark(answers, own)}


def test_other_routes_get_every_point(own, answers):
    """Hens within coops, terms in another order, the worth from variances, the interval from its standard error."""
    data = ms.classroom.data(NAME, student="anna")
    eggs = ms.classroom.data(NAME, student="anna", part="shells")
    fit = ms.lmer("weight ~ week * feed + (week | coop) + (1 | coop:hen)", data)
    mean = ms.lmer("strength ~ (1 | week) + (1 | hen)", eggs)
    total = mean.varcorr["variance"].sum() + mean.sigma**2
    new = {"feed": ["new"], "week": [4]}
    other = {
        "model": "weight ~ feed + week + feed:week + (week | coop) + (1 | coop:hen)",
        "error": float(np.sqrt(fit.vcov.loc["week:feed[T.new]", "week:feed[T.new]"])),
        "crossed": "strength ~ (1 | week) + (1 | hen) + lime",
        "worth": total / mean.coefficients()["se"]["Intercept"] ** 2,
        "width": round(2 * 1.96 * fit.predict(new, random=False, interval="prediction")["se"].iloc[0], 1),
    }
    assert {name: verdict.points for name, verdict in marks(answers | other, own).items()} == RIGHT


@pytest.mark.parametrize(
    ("wrong", "question", "lost", "mistake"),
    [
        ({"model": "weight ~ feed * week + (1 | coop / hen)"}, "q4", 2, "no-slopes"),
        ({"model": "weight ~ week * feed + (week | coop)"}, "q4", 2, "forgotten-level"),
        ({"crossed": "strength ~ week + lime + (1 | hen)"}, "q6", 2, "group-as-fixed"),
        ({"worth": 160}, "q7", 3, "rows-as-n"),
        ({"left": "Both"}, "q3", 1, "absorbed"),
    ],
)
def test_typical_mistakes_cost_their_points_and_are_named(own, answers, wrong, question, lost, mistake):
    found = marks(answers | wrong, own)
    assert {name: verdict.points for name, verdict in found.items()} == RIGHT | {question: RIGHT[question] - lost}
    assert found[question].misconception == mistake


def test_one_wrong_letter_costs_its_share(own, answers):
    letters = answers["letters"] | {"f": "fixed"}
    verdict = marks(answers | {"letters": letters}, own)["q2"]
    assert (round(verdict.points, 3), verdict.misconception) == (round(2 * 6 / 7, 3), "rule-of-five")


def test_the_growth_of_coops_is_what_the_small_model_forgets():
    """The standard errors are those of the population's docstring, 0.26 and 0.10, on average over students."""
    honest, claimed = [], []
    for student in range(30):
        own = Own(NAME, f"s{student}")
        question = KEY.question("q5")
        honest.append(question.right_answer(own))
        claimed.append(question.wrong_answers(own)["no-slopes"])
    assert abs(np.mean(honest) / 0.26 - 1) < 0.15
    assert abs(np.mean(claimed) / 0.10 - 1) < 0.15
