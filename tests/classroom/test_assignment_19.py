"""Exercise 19: other roads to a right answer, and the numbers that the populations promise."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

import mixedsim as ms
from mixedsim.classroom.marking import Own, load_key
from mixedsim.classroom.populations import swifts

KEY = load_key(Path(__file__).parents[2] / "exercises" / "keys" / "19_yes_no.py")


@pytest.fixture(scope="module")
def anna():
    return Own("19-yes-no", "anna")


@pytest.fixture(scope="module")
def fit(anna):
    return ms.glmer("settled ~ call + (1 | village)", anna.data, family="binomial", nagq=25)


def outcomes(own, **answers):
    return {
        mark.question: (mark.points, mark.misconception) for mark in KEY.mark(answers, own) if mark.outcome != "missing"
    }


def test_by_hand_and_with_more_points(anna, fit):
    boxes = anna.data.query("call == 0")["settled"]
    typical = fit.predict({"call": [1]}, random=False)
    effects = fit.varcorr["sd_or_corr"].iloc[0] * stats.norm.ppf((np.arange(4000) + 0.5) / 4000)
    got = outcomes(
        anna,
        log_odds=np.log(boxes.sum() / (len(boxes) - boxes.sum())),
        villages=fit.varcorr["variance"].iloc[0] ** 0.5,
        ratio=float(np.exp(fit.fixef["call"])),
        typical=typical,
        everywhere=expit(fit.fixef.sum() + effects).mean(),
    )
    assert got == {"q1": (1, ""), "q2": (2, ""), "q3": (1, ""), "q4": (2, ""), "q5": (2, "")}


def test_who_took_laplace_loses_one_question_and_not_all(anna):
    first = ms.glmer("settled ~ call + (1 | village)", anna.data, family="binomial")
    got = outcomes(
        anna,
        villages=first.varcorr["sd_or_corr"].iloc[0],
        ratio=first.ratios().loc["call", "ratio"],
        typical=first.predict({"call": [1]}, random=False),
        everywhere=first.predict({"call": [1]}, random="average"),
    )
    assert got == {"q2": (0, "laplace"), "q3": (1, ""), "q4": (2, ""), "q5": (2, "")}


def test_rates_by_hours_of_another_unit(anna):
    visits = anna.sample("visits").data
    minutes = ms.glmer("visits ~ call + (1 | village)", visits, family="poisson", offset=np.log(60 * visits["hours"]))
    assert outcomes(anna, rate_ratio=np.exp(minutes.fixef["call"])) == {"q7": (2, "")}


def test_poisson_errors_are_too_small_for_everybody():
    for student in (f"s{number}" for number in range(20)):
        visits = ms.classroom.data("19-yes-no", student=student, part="visits")
        fit = ms.glmer("visits ~ call + (1 | village)", visits, family="poisson", offset=np.log(visits["hours"]))
        assert fit.overdispersion()["ratio"] > 1.5


def test_the_numbers_of_the_docstrings():
    data = swifts.boxes().with_(clusters={"village": 20_000}).draw(seed=1).data
    share = data.groupby("call")["settled"].mean()
    odds = share / (1 - share)
    assert abs(share[1] - 0.40) < 0.01
    assert abs(odds[1] / odds[0] - 2.0) < 0.1
    assert abs(expit(-1.8 + 1.1) - 0.33) < 0.005
    visits = swifts.visits().with_(clusters={"village": 2000}).draw(seed=1).data
    sums = visits.groupby("call")[["visits", "hours"]].sum()
    rate = sums["visits"] / sums["hours"]
    mean = visits.groupby("call")["visits"].mean()
    assert abs(rate[1] / rate[0] - np.exp(-0.4)) < 0.03
    assert abs(mean[1] / mean[0] - 1.7) < 0.1
