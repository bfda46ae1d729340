"""Exercise 10: what the harness of all keys does not cover."""

from pathlib import Path

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.classroom.marking import Own, load_key

KEY = load_key(Path(__file__).parents[2] / "exercises" / "keys" / "10_contextual.py")
STUDENTS = [f"anna{number}" for number in range(60)]


def marks(own, **given):
    return [mark for mark in KEY.mark(given, own) if mark.outcome != "missing"]


@pytest.mark.parametrize("student", STUDENTS[:5])
def test_other_roads_to_the_right_numbers(student):
    data = ms.within_between(ms.classroom.data("10-contextual", student=student), "years", "kitchen")
    shared = ms.classroom.data("10-contextual", student=student, part="tips")
    centred = ms.lmer("plates ~ years_within + years_mean + (1 | kitchen)", data).fixef
    means = data.groupby("kitchen", observed=True)[["years", "plates"]].mean()
    moved = ms.lmer("plates ~ years * tips + (years | kitchen)", shared.assign(tips=shared["tips"] - 2))
    found = marks(
        Own("10-contextual", student),
        context=centred["years_mean"] - centred["years_within"],
        between=np.polyfit(means["years"], means["plates"], 1)[0],
        model="plates ~ tips + years + years:tips + (1 + years | kitchen)",
        slope_at_two=moved.fixef["years"],
    )
    assert [mark.outcome for mark in found] == ["right"] * 4


def test_typical_wrong_lines_cost_their_points_and_are_named():
    own = Own("10-contextual", "anna")
    data = ms.within_between(own.data, "years", "kitchen")
    centred = ms.lmer("plates ~ years_within + years_mean + (1 | kitchen)", data).fixef
    found = marks(
        own,
        slope_of_means=-6,
        which={**KEY.question("q2").right_answer(own), "move": "between"},
        context=round(centred["years_mean"], 2),
        model="plates ~ years * tips + (years + tips | kitchen)",
        alarms="in 5 of 100 draws",
    )
    assert [mark.misconception for mark in found] == [
        "context-for-between",
        "between-for-context",
        "between-for-context",
        "extra-slope",
        "no-slopes",
    ]
    assert [mark.points for mark in found] == pytest.approx([0, 2.4, 0, 0, 0])


def test_the_populations_are_those_of_their_docstrings():
    truths = {"q3": 3.0, "q4": 4.5, "q6": 4.0}
    found = {name: [] for name in (*truths, "q8")}
    for student in STUDENTS:
        own = Own("10-contextual", student)
        for name, values in found.items():
            values.append(KEY.question(name).right_answer(own))
    for name, truth in truths.items():
        assert abs(np.mean(found[name]) - truth) < 4 * np.std(found[name]) / len(STUDENTS) ** 0.5, name
    assert abs(np.median(found["q8"]) - 0.70) < 0.06


def test_the_shorter_model_finds_what_is_not_there():
    """Question 9: what its answer says, in 60 draws."""
    world = ms.Population(
        "plates ~ years * tips + (years | kitchen)",
        clusters={"kitchen": 45},
        size=12,
        variables={"years": ms.Normal(0, 2.5), "tips": ms.Integers(0, 2, level="kitchen")},
        fixef={"Intercept": 40, "years": 1, "tips": 0, "years:tips": 0},
        ranef={"kitchen": {"sd": [2, 0.8], "corr": 0.2}},
        sigma=5,
    )
    false = 0
    for seed in range(60):
        table = ms.lmer("plates ~ years * tips + (1 | kitchen)", world.draw(seed=seed).data).coefficients()
        false += table["p"]["years:tips"] < 0.05
    assert false / 60 > 0.1
