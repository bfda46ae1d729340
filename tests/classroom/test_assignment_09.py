"""Exercise 9: what the harness of all keys does not cover."""

from pathlib import Path

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.classroom.marking import Own, load_key

KEY = load_key(Path(__file__).parents[2] / "exercises" / "keys" / "09_confounder.py")
STUDENTS = [f"anna{number}" for number in range(60)]


def marks(own, **given):
    return [mark for mark in KEY.mark(given, own) if mark.outcome != "missing"]


def garden(**changes):
    honest = ms.Population(
        "crop ~ water + (1 | site)",
        clusters={"site": 60},
        size=5,
        variables={"water": ms.Normal(8, 2)},
        fixef={"Intercept": 18, "water": 1.5},
        ranef={"site": {"sd": 1.5}},
        sigma=4,
    )
    return honest.with_(**changes)


@pytest.mark.parametrize("student", STUDENTS[:5])
def test_every_road_to_the_slope_within_is_right(student):
    data = ms.classroom.data("09-confounder", student=student)
    split = ms.within_between(data, ["water", "crop"], "site")
    centred = ms.lmer("crop ~ water_within + water_mean + (1 | site)", split).fixef
    dummies = ms.pooling("crop ~ water", data, group="site", varying="1").no_pooling["water"].iloc[0]
    deviations = np.polyfit(split["water_within"], split["crop_within"], 1)[0]
    own = Own("09-confounder", student)
    for slope in (centred["water_within"], dummies, deviations):
        (mark,) = marks(own, slope_within=slope)
        assert mark.outcome == "right"
    (mark,) = marks(own, alarm=centred["water_mean"] - centred["water_within"])
    assert mark.outcome == "right"


def test_typical_wrong_lines_cost_their_points_and_are_named():
    own = Own("09-confounder", "anna")
    biased = {**KEY.question("q4").right_answer(own), "sun": "varying intercepts", "hose": "both"}
    varying = ms.lmer("crop ~ water + (1 | site)", own.data).fixef["water"]
    found = marks(own, missing="Fenced", biased=biased, slope_within=round(varying, 3), remedy="more sites")
    assert [mark.misconception for mark in found] == [
        "chance-relation",
        "centring-cures-all",
        "trusts-varying-intercepts",
        "more-groups-for-bias",
    ]
    assert [mark.points for mark in found] == [0, 2, 0, 0]


def test_a_bad_measure_of_the_water_is_another_world_in_which_nobody_notices():
    noisy = garden(fixef={"Intercept": 18, "water": 3}, problems=[ms.MeasurementError("water", reliability=0.5)])
    (mark,) = marks(Own("09-confounder", "anna"), world=noisy.to_yaml())
    assert mark.points == 3


@pytest.mark.parametrize(
    ("world", "misconception"),
    [
        (garden(), "left-out-is-harmless"),
        (
            garden(
                formula="crop ~ water + soil + (1 | site)",
                variables={
                    "soil": ms.Normal(0, 1, level="site", observed=False),
                    "water": ms.Normal("8 - soil", 2),
                },
                fixef={"Intercept": 18, "water": 1.5, "soil": 6},
            ),
            "within-not-safe",
        ),
        (garden(variables={"water": ms.Categorical(["a", "b"])}, fixef={"Intercept": 18, "water[T.b]": 1}), ""),
        (
            garden(
                formula="crop ~ rain + (1 | site)",
                variables={"rain": ms.Normal(8, 2)},
                fixef={"Intercept": 18, "rain": 1.5},
            ),
            "",
        ),
    ],
    ids=["honest", "confounder of the sites", "water in words", "no water"],
)
def test_worlds_that_do_not_fool_anybody(world, misconception):
    (mark,) = marks(Own("09-confounder", "anna"), world=world)
    assert (mark.points, mark.misconception) == (0, misconception)


def test_the_slopes_are_those_of_the_docstring():
    found = {name: [] for name in ("within", "ordinary", "means")}
    score = KEY.question("q5").answer
    for student in STUDENTS:
        slopes = score(Own("09-confounder", student))
        for name, values in found.items():
            values.append(slopes[name])
    for name, truth in {"within": 1.5, "ordinary": -0.5, "means": -1.75}.items():
        error = np.std(found[name]) / len(STUDENTS) ** 0.5
        assert abs(np.mean(found[name]) - truth) < 4 * error, (name, np.mean(found[name]))


def test_the_missing_trait_is_the_glass_for_everybody_and_the_heaps_are_apart():
    jumps = []
    for student in STUDENTS:
        own = Own("09-confounder", student)
        assert KEY.question("q2").right_answer(own) == "glass"
        effects = own.fit("crop ~ plants + (1 | site)", part="others").ranef["site"]["Intercept"].sort_values()
        steps = np.sort(np.diff(effects))
        jumps.append(steps[-1] > 1.5 * steps[-2])
    assert np.mean(jumps) > 0.9
