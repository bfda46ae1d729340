"""Numbers: what was typed, what is near enough, and which mistake shows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mixedsim.classroom.marking import Number
from mixedsim.classroom.marking.number_question import half_unit_typed
from mixedsim.errors import MixedsimError

ICC = Number(
    name="q1", variable="icc", points=2, answer=0.3166123, also=[0.3302],
    wrong={"residual-share": 0.6833877, "percent": 31.66123, "sd-ratio": 0.4050}, look="Look at the two variances.",
)  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "half"),
    [
        (0.32, 0.005), (0.5, 0.05), (12, 0.5), (12.0, 0.5), (1200, 0.5), (1.5e-7, 5e-9), (-3.25, 0.005),
        (0.3166123411, 0.0), (np.float64(0.32), 0.005), (np.array([0.32]), 0.005), (0, 0.0),
    ],
)  # fmt: skip
def test_the_last_digit_says_how_exact_a_number_was_typed(typed, half):
    assert half_unit_typed(typed) == pytest.approx(half, abs=1e-15)


@pytest.mark.parametrize(
    ("given", "outcome", "points", "mistake"),
    [
        (0.3166123, "right", 2, ""),
        (0.32, "right", 2, ""),
        (0.3199, "right", 2, ""),  # to two digits
        (0.33, "right", 2, ""),  # the other legitimate method
        (0.3, "rounded", 1, ""),  # one digit, and two were asked
        (0.36, "wrong", 0, ""),
        (0.3633333333, "wrong", 0, ""),
        (0.68, "wrong", 0, "residual-share"),
        (0.6833877, "wrong", 0, "residual-share"),
        (32, "wrong", 0, "percent"),
        (31.66, "wrong", 0, "percent"),
        (0.41, "wrong", 0, "sd-ratio"),
        (0.4, "wrong", 0, "sd-ratio"),  # it rounds to 0.4, and to nothing else that is known
        (0.7, "wrong", 0, ""),  # one digit is no evidence
        (0, "wrong", 0, ""),
        (np.float64(0.3166123), "right", 2, ""),
        (math.nan, "unreadable", 0, ""),
        ("0.32", "unreadable", 0, ""),
        ((0, 32), "unreadable", 0, ""),
        (None, "missing", 0, ""),
        (..., "missing", 0, ""),
    ],
)
def test_verdicts(given, outcome, points, mistake):
    verdict = ICC.mark(given, None)
    assert (verdict.outcome, verdict.points, verdict.misconception) == (outcome, points, mistake)
    assert outcome == "right" or verdict.feedback
    assert "0.3166" not in verdict.feedback


def test_a_wrong_answer_without_a_name_gets_the_general_hint():
    assert ICC.mark(0.36, None).feedback == "Look at the two variances."


def test_a_simulated_answer_may_be_off_by_its_monte_carlo_error():
    power = Number(name="q1", variable="power", answer=0.8, spread=0.038)
    assert power.mark(0.832, None).points == 1
    assert power.mark(0.844, None).points == 0


def test_a_count_is_exact():
    count = Number(name="q1", variable="n", answer=12, digits=None, wrong={"rows-as-n": 120})
    assert [count.mark(value, None).points for value in (12, 12.0, 13, 12.4, 120)] == [1, 1, 0, 0, 0]
    assert count.mark(120, None).misconception == "rows-as-n"


def test_answers_of_different_size_keep_their_digits():
    small = Number(name="q1", variable="p", answer=0.00421, wrong={"one-sided": 0.002105})
    assert [small.mark(value, None).outcome for value in (0.0042, 0.004, 0.0021, 0.01)] == [
        "right", "rounded", "wrong", "wrong",
    ]  # fmt: skip
    assert small.mark(0.0021, None).misconception == "one-sided"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "one"}, "a question's name must be q1"),
        ({"variable": "2x"}, "the variable must be a name"),
        ({"level": 4}, "the level must be 1, 2 or 3"),
        ({"points": 0}, "points must be more than 0"),
        ({"wrong": {"olss": 1.0}}, "there is no misconception 'olss'"),
    ],
)
def test_a_key_that_is_wrong_says_so(wrong, sentence):
    with pytest.raises(MixedsimError, match=sentence):
        Number(**({"name": "q1", "variable": "x", "answer": 1.0} | wrong))
