"""Exercise 22: other roads to a right answer, and the numbers that the population promises."""

from pathlib import Path

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.classroom.marking import Own, load_key
from mixedsim.classroom.populations.bakeries import fair

KEY = load_key(Path(__file__).parents[2] / "exercises" / "keys" / "22_final_case.py")
CENTRED = "points ~ hours_within + hours_mean + rye + (1 | bakery) + (1 | judge)"
LADDER = [
    "points ~ 1 + (1 | bakery) + (1 | judge)",
    "points ~ hours + rye + wood + (1 | bakery) + (1 | judge)",
    "points ~ hours + hours_mean + rye + (1 | bakery) + (1 | judge)",
    "points ~ hours + hours_mean + rye + wood + (1 | bakery) + (1 | judge)",
    "points ~ hours + hours_mean + rye + wood + (hours | bakery) + (1 | judge)",
]


@pytest.fixture(scope="module")
def anna():
    return Own("22-final-case", "anna")


@pytest.fixture(scope="module")
def table(anna):
    return ms.within_between(anna.data, "hours", "bakery")


def outcomes(own, **answers):
    return {
        mark.question: (mark.points, mark.misconception) for mark in KEY.mark(answers, own) if mark.outcome != "missing"
    }


def test_the_other_spelling_of_the_same_model(anna, table):
    fit = ms.lmer(CENTRED, table)
    within, between = fit.fixef["hours_within"], fit.fixef["hours_mean"]
    assert outcomes(anna, practice=within, company=between - within) == {"q5": (2, ""), "q6": (2, "")}
    assert outcomes(anna, company=between) == {"q6": (0, "between-for-context")}


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("points ~ hours*rye + hours_mean + (1|judge) + (1|bakery)", (2, "")),
        ("points ~ hours_mean + rye + hours + rye:hours + (1 | bakery) + (1 | judge)", (2, "")),
        ("points ~ hours_within * rye + hours_mean + (1 | bakery) + (1 | judge)", (2, "")),
        ("points ~ hours + hours_mean + rye + (1 | bakery) + (1 | judge)", (0, "no-interaction")),
        ("points ~ hours * rye + hours_mean + (1 | judge)", (0, "forgotten-level")),
        ("points ~ hours * rye + hours_mean + (1 | judge/bakery)", (0, "crossed-as-nested")),
        ("points ~ hours * rye * hours_mean + (1 | bakery) + (1 | judge)", (0, "")),
    ],
)
def test_formulas(anna, formula, expected):
    assert outcomes(anna, formula=formula) == {"q4": expected}


def test_compare_climbs_the_ladder_as_the_key_does(anna, table):
    compared = ms.compare(*[ms.lmer(formula, table) for formula in LADDER])
    best = f"m{LADDER.index(compared['aic'].idxmin()) + 1}"
    assert outcomes(anna, best=best) == {"q8": (2, "")}


def test_share_of_the_judges_by_hand_of_sds(anna):
    fit = ms.lmer(LADDER[0], anna.data)
    sd = fit.varcorr.set_index("group")["sd_or_corr"]
    share = sd["judge"] ** 2 / (sd["judge"] ** 2 + sd["bakery"] ** 2 + fit.sigma**2)
    assert outcomes(anna, of_judges=round(share, 3)) == {"q3": (1, "")}


def test_the_numbers_of_the_docstring():
    world = fair().with_(clusters={"bakery": 1500, "judge": {"n": 60, "sample": (5, 12)}})
    data = ms.within_between(world.draw(seed=1).data, "hours", "bakery")
    full, blind = ms.lmer(LADDER[3], data), ms.lmer(LADDER[2], data)
    expected = {"hours": 1, "hours_mean": 2.5, "rye": -4, "wood": 7}
    np.testing.assert_allclose(full.fixef[list(expected)], list(expected.values()), atol=0.35)
    sds = [fit.varcorr.set_index("group")["sd_or_corr"]["bakery"] for fit in (full, blind)]
    assert abs(sds[0] - 2) < 0.2
    assert abs(sds[1] - 4) < 0.3
    pooled = np.polyfit(data["hours"], data["points"], 1)[0]
    assert 1.7 < pooled < 2.4
