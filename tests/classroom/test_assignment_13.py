"""Exercise 13: right by other routes, and what typical mistakes cost and are called."""

from pathlib import Path

import pytest

import mixedsim as ms
from mixedsim.classroom.marking import Own, load_key

KEY = load_key(Path(__file__).parents[2] / "exercises" / "keys" / "13_repeated_measures.py")


@pytest.fixture(scope="module", params=["anna", "bela", "cleo"])
def own(request):
    return Own("13-repeated-measures", request.param)


def marked(own, **answers):
    [verdict] = [one for one in KEY.mark(answers, own) if one.outcome != "missing"]
    return verdict


def test_other_codings_and_contrasts_find_the_same_numbers(own):
    turned = ms.lmer("grip ~ C(time, Treatment('post')) * C(group, Treatment('board')) + (1 | climber)", own.data)
    assert marked(own, more=turned.fixef.iloc[3]).points == 2
    assert marked(own, gain_board=-turned.fixef.iloc[1]).points == 2
    fit = ms.lmer("grip ~ time * group + (1 | climber)", own.data)
    gain = fit.contrasts("time[T.post] + time[T.post]:group[T.board]")["estimate"].iloc[0]
    assert marked(own, gain_board=gain).points == 2


@pytest.mark.parametrize(
    "random",
    [
        "(1 | climber/hand) + (1 | climber:time)",
        "(1 | climber/time) + (1 | climber:hand)",
        "(time | climber) + (1 | hand:climber)",
    ],
)
def test_days_and_hands_may_be_written_in_several_ways(own, random):
    formula = f"grip ~ board * time + {random}"
    assert marked(own, model=formula).points == 2
    small = ms.lmer("grip ~ time * board + (1 | climber)", own.sample("hands").data).coefficients()["se"].iloc[3]
    large = ms.lmer(formula, own.sample("hands").data).coefficients()["se"].iloc[3]
    assert marked(own, times=small / large).points == 2


def test_plans_that_are_equally_exact_may_change_places(own):
    right = KEY.question("q4").right_answer(own)
    other = [{"A": "D", "D": "A"}.get(plan, plan) for plan in right]
    assert marked(own, best_first=right).points == marked(own, best_first=other).points == 2


def test_what_typical_mistakes_are_called(own):
    means = own.data.groupby(["group", "time"], observed=True)["grip"].mean()
    gain = {group: means[group, "post"] - means[group, "pre"] for group in ("usual", "board")}
    twice = own.data[own.data.groupby("climber", observed=True)["grip"].transform("size") == 2]
    complete = ms.lmer("grip ~ time * group + (1 | climber)", twice).fixef.iloc[3]
    for answers, name in [
        ({"more": gain["board"] - gain["usual"]}, "ols"),
        ({"more": means["board", "post"] - means["usual", "post"]}, "difference-of-ends"),
        ({"more": complete}, "complete-cases"),
        ({"gain_board": gain["board"]}, "ols"),
        ({"estimand": "c"}, "difference-of-ends"),
        ({"sentence": "A"}, "mean-for-change"),
        ({"model": "grip ~ time * board + (1 | climber)"}, "forgotten-level"),
    ]:
        verdict = marked(own, **answers)
        assert (verdict.points, verdict.misconception) == (0, name)
