"""Exercise 12: right by other routes, and what typical mistakes cost and are called."""

from pathlib import Path

import pytest

import mixedsim as ms
from mixedsim.classroom.marking import Own, load_key

KEY = load_key(Path(__file__).parents[2] / "exercises" / "keys" / "12_crossed_and_nested.py")
WORLD = ms.Population(
    "points ~ label + (1 | taster) + (1 | jar)",
    clusters={"taster": 8, "jar": 60},
    size=1,
    variables={"label": ms.Assigned([0, 1], level="jar")},
    fixef={"Intercept": 60, "label": 0},
    ranef={"taster": {"sd": 7}, "jar": {"sd": 1}},
    sigma=10,
)


@pytest.fixture(scope="module")
def own():
    return Own("12-crossed-and-nested", "anna")


def marked(own, **answers):
    [verdict] = [one for one in KEY.mark(answers, own) if one.outcome != "missing"]
    return verdict


def test_unique_ids_of_hives_are_another_route(own):
    unique = own.data.assign(box=own.data["apiary"].astype(str) + "-" + own.data["hive"].astype(str))
    fit = ms.lmer("honey ~ syrup + (1 | apiary) + (1 | box)", unique)
    sds = fit.varcorr.set_index("group")["sd_or_corr"]
    assert marked(own, hive_sd=sds["box"]).points == 2
    assert marked(own, syrup_se=fit.coefficients().loc["syrup", "se"]).points == 2


def test_the_effective_n_of_the_fit_is_that_by_hand(own):
    fit = ms.lmer("points ~ 1 + (1 | taster) + (1 | jar)", own.sample("tasting").data)
    assert marked(own, worth=fit.effective_n()["n_eff"]["Intercept"]).points == 2


@pytest.mark.parametrize(
    "formula",
    [
        "honey ~ syrup + (1 | apiary:hive) + (1 | apiary)",
        "honey ~ 1 + syrup + (1 | apiary) + (1 | hive:apiary)",
    ],
)
def test_nesting_may_be_written_out(own, formula):
    assert marked(own, model=formula).points == 1


def test_what_typical_mistakes_are_called(own):
    crossed = ms.lmer("honey ~ syrup + (1 | apiary) + (1 | hive)", own.data).varcorr.set_index("group")["sd_or_corr"]
    assert (marked(own, hive_sd=crossed["hive"]).points, marked(own, hive_sd=crossed["hive"]).misconception) == (
        0,
        "nested-as-crossed",
    )
    assert marked(own, model="honey ~ syrup + (1 | apiary)").misconception == "forgotten-level"
    assert marked(own, best_first=list("BECDA")).misconception == "one-sample-of-two"


def test_worlds_in_which_nothing_fails_get_nothing(own):
    assert marked(own, design=WORLD.to_yaml()).points == 0
    assert marked(own, design=WORLD.with_(fixef={"Intercept": 60, "label": 20})).misconception == "effect-not-zero"


def test_more_tasters_and_unlike_jars_make_the_tempting_analysis_fail(own):
    more = WORLD.with_(clusters={"taster": 30, "jar": 24}, ranef={"taster": {"sd": 3}, "jar": {"sd": 9}})
    assert marked(own, design=more.to_yaml()).points == 3
