"""Exercise 18: other roads to a right answer, designs of many kinds, and the numbers that the population promises."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import mixedsim as ms
from mixedsim.classroom.marking import Own, load_key
from mixedsim.classroom.populations.choirs import records

KEY = load_key(Path(__file__).parents[2] / "exercises" / "keys" / "18_planning.py")
TRIAL = ms.Population(
    "hold ~ exercise + (1 | choir)",
    clusters={"choir": 24},
    size=10,
    variables={"exercise": ms.Assigned([0, 1])},
    fixef={"Intercept": 18, "exercise": 0},
    ranef={"choir": {"sd": 3}},
    sigma=6,
)


@pytest.fixture(scope="module")
def anna():
    return Own("18-planning", "anna")


def marked(own, **answers):
    return [mark for mark in KEY.mark(answers, own) if mark.outcome != "missing"]


def test_power_by_scipy_and_by_simulation_of_ones_own(anna):
    fit = ms.lmer("hold ~ 1 + (1 | choir)", anna.data, reml=False)
    error = 2 * np.sqrt((fit.varcorr["variance"].iloc[0] + fit.sigma**2 / 10) / 24)
    limit = stats.t.ppf(0.975, 22)
    power = stats.nct.sf(limit, 22, 2.5 / error) + stats.nct.cdf(-limit, 22, 2.5 / error)
    assert [mark.points for mark in marked(anna, error=error, power=power)] == [1, 2]
    world = TRIAL.with_(
        variables={"exercise": ms.Assigned([0, 1], level="choir")},
        fixef={"Intercept": 18, "exercise": 2.5},
        ranef={"choir": {"sd": float(fit.varcorr["sd_or_corr"].iloc[0])}},
        sigma=fit.sigma,
    )
    found = ms.study(world, n=2000, seed=1).summary().loc[("mixed", "exercise"), "power"]
    assert abs(found - power) < 4 * np.sqrt(0.25 / 2000)


def test_a_hidden_trait_that_moves_the_effect_breaks_the_design_too(anna):
    moved = TRIAL.with_(
        formula="hold ~ exercise + exercise:habit + (1 | choir)",
        variables={"exercise": ms.Assigned([0, 1]), "habit": ms.Normal(0, 1, level="choir", observed=False)},
        fixef={"Intercept": 18, "exercise": 0, "exercise:habit": 6},
    )
    assert marked(anna, broken=moved.to_yaml())[0].points == 3
    assert marked(anna, broken=moved)[0].points == 3


def test_a_design_with_other_columns_gets_no_point_for_what_it_cannot_show(anna):
    other = ms.Population(
        "y ~ 1 + (1 | g)", clusters={"g": 5}, size=5, fixef={"Intercept": 0}, ranef={"g": {"sd": 1}}, sigma=1
    )
    mark = marked(anna, broken=other.to_yaml())[0]
    assert (mark.points, mark.misconception) == (0, "between-clusters")


def test_the_world_that_was_given_gets_no_point(anna):
    mark = marked(anna, broken=TRIAL.to_yaml())[0]
    assert (mark.points, mark.misconception) == (0, "no-slopes")


def test_too_large_a_design_is_not_drawn(anna):
    mark = marked(anna, broken=TRIAL.with_(size=50).to_yaml())[0]
    assert mark.outcome == "unreadable"
    assert "at most 1,000" in mark.feedback


def test_the_tempting_answers_lose_their_points_only(anna):
    wrong = {"order": ["A", "B", "C", "D"], "friend": "Ada", "error": 2 * np.sqrt(45 / 240)}
    marks = KEY.mark({question.variable: question.right_answer(anna) for question in KEY.questions} | wrong, anna)
    lost = {mark.question: mark.misconception for mark in marks if mark.points < mark.maximum}
    assert lost.keys() == {"q1", "q2", "q4"}
    assert (lost["q2"], lost["q4"]) == ("power-of-rows", "uncalibrated")


def test_the_records_have_the_variances_of_the_docstring():
    fit = ms.lmer("hold ~ 1 + (1 | choir)", records().with_(clusters={"choir": 4000}).draw(seed=1).data)
    assert abs(fit.varcorr["sd_or_corr"].iloc[0] - 3) < 0.15
    assert abs(fit.sigma - 6) < 0.1
