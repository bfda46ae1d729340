"""Formulas, words, orders and designs: what is right, partly right and wrong, and what a student is told."""

from __future__ import annotations

import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.classroom.marking import Choice, Design, Formula, Ranking, Sorting
from mixedsim.errors import MixedsimError

MODEL = Formula(
    name="q1", variable="model", points=2, columns=["y", "x", "g", "h"], answer="y ~ x + (1 + x | g)",
    also=["y ~ x + (1 | g) + (1 | h)"], wrong={"no-slopes": ["y ~ x + (1 | g)", "y ~ 1 + (1 | g)"]}, look="Which?",
)  # fmt: skip
KIND = Choice(name="q1", variable="kind", among=["fixed", "random"], answer="random", wrong={"group-as-fixed": "fixed"})
KINDS = Sorting(
    name="q1", variable="kinds", points=3, among=["fixed", "random"],
    answer={"light": "fixed", "tray": "random", "day": ("fixed", "random")},
    wrong={"treatment-as-random": ("light", "random")},
)  # fmt: skip
SCORES = pd.Series({308: 4.0, 309: 3.0, 310: 2.95, 330: 1.0})
ORDER = Ranking(
    name="q1", variable="order", top=3, tie=0.1, answer=lambda own: SCORES, wrong={"rank-by-size": lambda own: -SCORES}
)


class Once:
    """As much of a student's `Own` as these questions need."""

    def once(self, name, make):
        return make()


def verdict(question, value):
    found = question.mark(value, Once())
    return found.outcome, found.points, found.misconception


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("y ~ (x | g) + x", ("right", 2, "")),
        ("y ~ 1 + x + (1 | h) + (1 | g)", ("right", 2, "")),
        ("y ~ x + (1 | g)", ("wrong", 0, "no-slopes")),
        ("y ~ (1 | g)", ("wrong", 0, "no-slopes")),
        ("y ~ x + (1 | h)", ("wrong", 0, "")),
        ("y ~ z + (1 | g)", ("unreadable", 0, "")),
        ("y ~ x + (1 | g", ("unreadable", 0, "")),
        (3, ("unreadable", 0, "")),
    ],
)
def test_formulas_by_what_they_mean(value, found):
    assert verdict(MODEL, value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [("Random ", ("right", 1, "")), ("fixed", ("wrong", 0, "group-as-fixed")), ("both", ("unreadable", 0, ""))],
)
def test_choices(value, found):
    assert verdict(KIND, value) == found


@pytest.mark.parametrize(("word", "mistake"), [("a", ""), ("b", "no-slopes"), ("c", "no-slopes"), ("d", "uncentred")])
def test_several_words_may_show_one_mistake(word, mistake):
    several = Choice(
        name="q1", variable="kind", among=["a", "b", "c", "d"], answer="a",
        wrong={"no-slopes": ["a", "b", "c"], "uncentred": lambda own: "d"},
    )  # fmt: skip
    assert several.mark(word, Once()).misconception == mistake
    assert several.wrong_answers(Once()) == {"no-slopes": "b", "uncentred": "d"}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"light": "fixed", "tray": "random", "day": "random"}, ("right", 3, "")),
        ({"light": "fixed", "tray": "fixed", "day": "fixed"}, ("partly", 2, "")),
        ({"light": "random", "tray": "random", "day": "fixed"}, ("partly", 2, "treatment-as-random")),
        ({"light": "fixed", "tray": "random"}, ("unreadable", 0, "")),
        ({"light": "fixed", "tray": "random", "day": ...}, ("unreadable", 0, "")),
        ({"light": "fixed", "tray": "random", "day": "fixed", "moon": "fixed"}, ("unreadable", 0, "")),
        (["fixed", "random", "fixed"], ("unreadable", 0, "")),
    ],
)
def test_sorting_thing_by_thing(value, found):
    assert verdict(KINDS, value) == found


@pytest.mark.parametrize(
    ("day", "tray", "mistake"),
    [("random", "random", "treatment-as-random"), ("fixed", "fixed", "group-as-fixed"), ("fixed", "random", "")],
)
def test_one_mistake_may_show_at_several_things(day, tray, mistake):
    several = Sorting(
        name="q1", variable="kinds", among=["fixed", "random"],
        answer={"light": "fixed", "day": "fixed", "tray": "random"},
        wrong={"treatment-as-random": [("light", "random"), ("day", "random")], "group-as-fixed": ("tray", "fixed")},
    )  # fmt: skip
    assert several.mark({"light": "fixed", "day": day, "tray": tray}, Once()).misconception == mistake
    assert several.wrong_answers(Once())["treatment-as-random"]["light"] == "random"


def test_sorting_says_how_many_are_in_their_place():
    assert KINDS.mark({"light": "fixed", "tray": "fixed", "day": "fixed"}, Once()).feedback.startswith("2 of 3")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (["308", "309", "310"], ("right", 1, "")),
        ([308, 310, 309], ("right", 1, "")),  # a tie
        (pd.Index([308.0, 309.0, 310.0]), ("right", 1, "")),
        (["309", "308", "310"], ("wrong", 0, "")),
        (["330", "310", "309"], ("wrong", 0, "rank-by-size")),
        (["308", "309"], ("unreadable", 0, "")),
        (["308", "308", "309"], ("unreadable", 0, "")),
        (["308", "309", "999"], ("unreadable", 0, "")),
        ("308", ("unreadable", 0, "")),
    ],
)
def test_rankings_with_ties(value, found):
    assert verdict(ORDER, value) == found


EXAMPLE = ms.Population(
    "y ~ x + (1 | g)", clusters={"g": 20}, size=10, variables={"x": ms.Normal(0, 1)}, fixef={"Intercept": 0, "x": 1},
    ranef={"g": {"sd": [1]}}, sigma=1,
).to_yaml()  # fmt: skip
DESIGN = Design(
    name="q1", variable="design", points=2, example=EXAMPLE, rows=1000,
    demands={
        "It must have 20 groups": lambda pop: pop.draw(seed=1).data["g"].nunique() == 20,
        "groups must differ": lambda pop: ms.lmer("y ~ x + (1 | g)", pop.draw(seed=1).data).icc()["adjusted"] > 0.3,
    },
    signs={"rows-as-n": lambda pop: pop.draw(seed=1).data["g"].nunique() < 5},
    wrong={"rows-as-n": EXAMPLE.replace("20", "3")},
)  # fmt: skip


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (EXAMPLE, ("right", 2, "")),
        (ms.Population.from_yaml(EXAMPLE), ("right", 2, "")),
        (EXAMPLE.replace("sd:\n    - 1", "sd:\n    - 0.1").replace("[1]", "[0.1]"), ("partly", 1, "")),
        (EXAMPLE.replace("20", "3"), ("partly", 1, "rows-as-n")),
        (EXAMPLE.replace("20", "2000"), ("unreadable", 0, "")),
        ("formula: y ~ x +", ("unreadable", 0, "")),
        ("a: &a [1]\nb: *a\n", ("unreadable", 0, "")),
        ("x" * 6000, ("unreadable", 0, "")),
    ],
)
def test_designs_by_what_they_do(value, found):
    assert verdict(DESIGN, value) == found


def test_a_design_is_told_what_it_does_not_meet():
    assert "Not met: It must have 20 groups." in DESIGN.mark(EXAMPLE.replace("20", "19"), Once()).feedback


def test_an_unknown_misconception_is_refused():
    with pytest.raises(MixedsimError, match="there is no misconception"):
        Choice(name="q1", variable="kind", among=["a", "b"], answer="a", wrong={"nonsense": "b"})
