"""Exercise 6: what the harness of all keys does not cover."""

from pathlib import Path

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.classroom.marking import Own, load_key

KEY = load_key(Path(__file__).parents[2] / "exercises" / "keys" / "06_shrinkage.py")
STUDENTS = [f"anna{number}" for number in range(60)]


def verdicts(own, **given):
    return {mark.question: mark for mark in KEY.mark(given, own) if mark.question in {*map(question_of, given)}}


def question_of(variable):
    return next(question.name for question in KEY.questions if question.variable == variable)


def town(mountain=0, size=6, kinds=(0,) * 9 + (1,)):
    return ms.Population(
        "points ~ mountain + (1 | dairy)",
        clusters={"dairy": 40},
        size=size,
        variables={"mountain": ms.Assigned(list(kinds), level="dairy")},
        fixef={"Intercept": 60, "mountain": mountain},
        ranef={"dairy": {"sd": 3}},
        sigma=8,
    )


@pytest.mark.parametrize("student", STUDENTS[:5])
def test_what_the_model_says_is_right_as_well_as_what_hands_compute(student):
    data = ms.classroom.data("06-shrinkage", student=student)
    fit = ms.lmer("points ~ 1 + (1 | dairy)", data)
    rows = data.groupby("dairy", observed=True)["points"].agg(["size", "mean"])
    effects, spread = fit.ranef["dairy"]["Intercept"], fit.ranef_sd["dairy"]["Intercept"]
    kept = 1 - spread**2 / fit.varcorr["variance"].iloc[0]
    moved = (fit.coef["dairy"]["Intercept"] - rows["mean"]).abs().nlargest(4).index
    found = verdicts(
        Own("06-shrinkage", student),
        kept=kept[rows["size"].idxmin()],
        special=effects[rows["mean"].idxmax()],
        moved=moved,
        cheeses=np.ceil(3 * fit.sigma**2 / fit.varcorr["variance"].iloc[0]),
    )
    assert [mark.outcome for mark in found.values()] == ["right"] * 4


def test_typical_wrong_lines_cost_their_points_and_are_named():
    own = Own("06-shrinkage", "anna")
    means = own.data.groupby("dairy", observed=True)["points"].agg(["size", "mean"])
    fit = own.fit("points ~ 1 + (1 | dairy)")
    pooling = {**KEY.question("q2").right_answer(own), "no intercept": "none"}
    found = verdicts(
        own,
        pooling=pooling,
        special=means["mean"].max() - fit.fixef["Intercept"],
        moved=means["size"].nsmallest(4, keep="first").index.tolist(),
    )
    assert found["q2"].misconception == "zero-is-no-pooling"
    assert found["q2"].points == pytest.approx(2.5)
    assert [(found[q].points, found[q].misconception) for q in ("q4", "q5")] == [(0, "raw-mean"), (0, "rank-by-size")]


@pytest.mark.parametrize("mountain", [-10, 8, 30])
def test_any_large_difference_of_a_few_dairies_makes_shrinkage_hurt(mountain):
    assert verdicts(Own("06-shrinkage", "anna"), world=town(mountain))["q8"].points == 3


def test_worlds_in_which_it_does_not_hurt():
    own = Own("06-shrinkage", "anna")
    unchanged = verdicts(own, world=town())["q8"]
    assert (unchanged.points, unchanged.misconception) == (0, "")
    assert verdicts(own, world=town(10, size=60))["q8"].misconception == "large-keeps-less"
    half = verdicts(own, world=town(10, kinds=(0, 1)))["q8"]
    assert (half.points, half.misconception) == (0, "")
    other = town(10).with_(variables={"mountain": ms.Normal(0, 1, level="dairy")})
    assert verdicts(own, world=other)["q8"].points == 0


def test_the_five_best_fall_back_and_the_docstring_says_what_is_kept():
    kept, fallen = [], []
    for student in STUDENTS:
        own = Own("06-shrinkage", student)
        kept.append(KEY.question("q3").right_answer(own))
        fallen.append(KEY.question("q7").right_answer(own))
    assert abs(np.median(kept) - 0.40) < 0.05
    assert np.mean(np.array(fallen) > 0) > 0.9
