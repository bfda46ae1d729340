"""Exercise 14: right by other routes, and what typical mistakes cost and are called."""

from pathlib import Path

import pytest

import mixedsim as ms
from mixedsim.classroom.marking import Own, load_key

KEY = load_key(Path(__file__).parents[2] / "exercises" / "keys" / "14_tests.py")
SHELTERS = "stress ~ garden + walks + build + (1 | shelter)"
WORLD = ms.Population(
    "stress ~ heated + (1 | shelter)",
    clusters={"shelter": 40},
    size=6,
    variables={"heated": ms.Assigned([0, 1], level="shelter")},
    fixef={"Intercept": 50, "heated": 0},
    ranef={"shelter": {"sd": 5}},
    sigma=9,
)


@pytest.fixture(scope="module")
def own():
    return Own("14-tests", "anna")


@pytest.fixture(scope="module")
def homes(own):
    return own.sample("homes").data


def marked(own, **answers):
    [verdict] = [one for one in KEY.mark(answers, own) if one.outcome != "missing"]
    return verdict


def test_kenward_and_roger_are_another_route(own):
    fit = ms.lmer(SHELTERS, own.data)
    assert marked(own, p_garden=fit.coefficients("kenward-roger").loc["garden", "p"]).points == 2
    assert marked(own, chi2_build=fit.anova(type=3, ddf="wald").loc["build", "chisq"]).points == 1


def test_the_boundary_may_be_halved_by_hand_from_either_likelihood(own, homes):
    for reml in (True, False):
        one, two = (ms.lmer(f, homes, reml=reml) for f in ("calm ~ week + (1 | dog)", "calm ~ week + (week || dog)"))
        p = ms.anova(one, two)["p"].iloc[1]
        assert marked(own, p_slopes=p / 2).points == 2
        assert (marked(own, p_slopes=p).points, marked(own, p_slopes=p).misconception) == (0, "boundary")


def test_compare_gives_the_change_of_aic(own, homes):
    two = [ms.lmer(f, homes) for f in ("calm ~ week + age + (1 | dog)", "calm ~ week + (1 | dog)")]
    aic = ms.compare(*two)["aic"]
    change = aic[two[0].formula] - aic[two[1].formula]
    assert marked(own, aic_change=change).points == 2
    assert marked(own, aic_change=two[0].aic - two[1].aic).misconception == "reml"
    assert marked(own, aic_change=-change).misconception == "wrong-sign"


def test_what_typical_mistakes_are_called(own, homes):
    fit = ms.lmer(SHELTERS, own.data)
    assert marked(own, df_garden=len(own.data) - 3).misconception == "residual-df"
    assert marked(own, p_garden=fit.coefficients("wald").loc["garden", "p"]).misconception == "z-for-t"
    assert marked(own, chi2_build=fit.anova(type=3).loc["build", "F"]).misconception == "f-for-chisq"
    conditional = ms.lmer("calm ~ week + age + (1 | dog)", homes).r2()["conditional"]
    assert marked(own, r2=conditional).misconception == "conditional-r2"


def test_one_test_in_the_wrong_place_costs_its_share(own):
    chosen = {
        "one coefficient": "z",
        "four levels": "F",
        "one variance": "half chi2",
        "disagreement": "calibrate",
        "not nested": "AIC",
    }
    verdict = marked(own, tests=chosen)
    assert (verdict.points, verdict.misconception) == (pytest.approx(1.6), "z-for-t")


def test_few_shelters_and_many_dogs_make_z_fail(own):
    assert marked(own, design=WORLD.to_yaml()).points == 0
    few = WORLD.with_(clusters={"shelter": 4}, size=100, ranef={"shelter": {"sd": 12}})
    assert marked(own, design=few.to_yaml()).points == 3
