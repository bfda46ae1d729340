"""Exercise 16: the faults are to be seen, other routes are right, and typical mistakes are called by their names."""

from pathlib import Path

import pytest

import mixedsim as ms
from mixedsim.classroom.marking import Own, load_key

KEY = load_key(Path(__file__).parents[2] / "exercises" / "keys" / "16_diagnosis.py")
MODEL = "fuel ~ wind + trip + painted + (1 | ferry)"


@pytest.fixture(scope="module", params=["anna", "bela", "cleo", "dora"])
def own(request):
    return Own("16-diagnosis", request.param)


def marked(own, **answers):
    [verdict] = [one for one in KEY.mark(answers, own) if one.outcome != "missing"]
    return verdict


def test_each_table_shows_its_fault_and_independence_only_where_it_is_broken(own):
    found = {part: own.fit(MODEL, part=None if part == "A" else part).diagnose() for part in "ABCD"}
    assert not found["A"].mean.verdict.fine
    assert not found["B"].spread.verdict.fine
    assert not found["D"].shape("residuals").verdict.fine
    fine = {part: one.autocorrelation("trip").verdict.fine for part, one in found.items()}
    assert fine == {"A": True, "B": True, "C": False, "D": True}


def test_influence_finds_the_captain_and_so_does_a_look_at_the_loads(own):
    table = own.sample("E").data
    moved = ms.lmer("fuel ~ load + (1 | ferry)", table).influence("ferry")
    assert marked(own, captain=[moved["cook"].idxmax()]).points == 1
    assert marked(own, captain=[int(table.loc[table["load"].idxmax(), "ferry"])]).points == 1


def test_a_centred_square_has_the_same_coefficient(own):
    fit = ms.lmer("fuel ~ wind + I((wind - 6)**2) + trip + painted + (1 | ferry)", own.data)
    assert marked(own, bend=fit.fixef.filter(like="** 2").iloc[0]).points == 1


def test_what_typical_mistakes_cost_and_are_called(own):
    plain = own.fit(MODEL, part="C").coefficients().loc["trip", "se"]
    lines = ["C, trip", "C, wind", "C, painted", "D, wind", "D, sigma", "B, painted"]
    bold = {**dict.fromkeys(lines, "trust"), "D, sigma": "distrust"}
    for answers, points, name in [
        ({"broken": {"A": "mean", "B": "shape", "C": "independence", "D": "shape"}}, 1.5, "noise-not-checked"),
        ({"trip_se": plain}, 0, "no-slopes"),
        ({"verdicts": bold}, 2 * 5 / 6, "ignored-drift"),
        ({"report": "A"}, 0, "drop-if-singular"),
    ]:
        verdict = marked(own, **answers)
        assert (verdict.points, verdict.misconception) == (pytest.approx(points, abs=1e-3), name)
