"""Numbers and tolerances for a platform, against what the grader says of the same answers."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mixedsim.classroom.export.items import NumberItem, Value
from mixedsim.classroom.export.number_values import reach, values_of
from mixedsim.classroom.marking import MISCONCEPTIONS, Number, Own
from mixedsim.errors import MixedsimError

OWN = Own("01-therapists", "ab123")


def number(answer, **fields):
    return Number(name="q1", variable="x", points=2, answer=answer, **fields)


def first(values, typed):
    """Of the values that hold what was typed, the first: as Moodle takes it."""
    return next((one for one in values if abs(one.number - typed) <= one.tolerance), None)


def share(values, typed):
    found = first(values, typed)
    return found.share if found else 0.0


@settings(max_examples=60, deadline=None)
@given(
    st.floats(1e-3, 1e4),
    st.sampled_from([-1, 1]),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.2]),
    st.floats(0.5, 2),
)
def test_what_is_typed_gets_the_points_that_the_grader_gives(size, sign, digits, spread, factor):
    answer = sign * size
    question = number(
        answer, digits=digits, spread=spread * size, also=[answer * 1.004], wrong={"ols": answer * factor}
    )
    values, _ = values_of(question, OWN)
    # Where one of two right answers lies below a power of ten and one above, a platform is more generous.
    assume(reach(answer, question) == reach(answer * 1.004, question))
    place = 10 ** (math.floor(math.log10(size)) - digits + 1)
    for typed in (answer + place * np.linspace(-3, 3, 41)).tolist():
        for rounded in (typed, float(f"{typed:.{digits}g}"), float(f"{typed:.1g}")):
            near = min((abs(abs(one.number - rounded) / one.tolerance - 1) for one in values), default=1)
            if near > 1e-6:  # on an edge both may be right
                assert share(values, rounded) == question.mark(rounded, OWN).points / 2, (answer, rounded)


def test_a_right_answer_that_is_rounded_too_far_gets_half():
    values, _ = values_of(number(0.31664, digits=3), OWN)
    assert [(one.number, one.share) for one in values] == [(0.31664, 1), (0.3, 0.5), (0.32, 0.5)]
    assert "3 significant digits were asked for" in values[1].feedback
    assert [share(values, typed) for typed in (0.317, 0.32, 0.3, 0.31, 0.321)] == [1, 0.5, 0.5, 0, 0]


def test_a_mistake_has_its_own_value_feedback_and_tolerance():
    values, dropped = values_of(number(0.31, wrong={"ols": 0.46, "intercept": 12.3}), OWN)
    right, rounded, ols, intercept = values
    assert [(one.number, one.mistake, one.share) for one in (ols, intercept)] == [
        (0.46, "ols", 0),
        (12.3, "intercept", 0),
    ]
    assert [one.tolerance for one in (right, ols, intercept)] == pytest.approx([0.005, 0.005, 0.5])
    assert "chapter 1" in ols.feedback
    assert rounded.number == 0.3
    assert dropped == ()


@pytest.mark.parametrize("wrong", [0.31, 0.312, 0.3195])
def test_a_mistake_that_is_nearly_right_is_dropped(wrong):
    values, dropped = values_of(number(0.31, wrong={"ols": wrong}), OWN)
    assert [one.number for one in values] == [0.31, 0.3]
    assert dropped == ("ols",)


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_mistake_that_leads_to_no_number_is_dropped(wrong):
    values, dropped = values_of(number(24, digits=None, wrong={"ols": wrong}), OWN)
    assert [one.number for one in values] == [24]
    assert dropped == ("ols",)


def test_a_mistake_near_another_right_answer_is_dropped_too():
    assert values_of(number(0.31, also=[0.5], wrong={"ols": 0.502}), OWN)[1] == ("ols",)


def test_of_two_mistakes_that_nobody_can_tell_apart_both_are_dropped_and_the_third_stays():
    wrong = {"ols": 0.51, "intercept": 0.513, "percent": 31.0}
    values, dropped = values_of(number(0.31, wrong=wrong), OWN)
    assert dropped == ("intercept", "ols")
    assert [one.mistake for one in values if one.mistake] == ["percent"]


def test_two_mistakes_that_are_further_apart_share_what_lies_between_them():
    values, dropped = values_of(number(0.31, wrong={"ols": 0.51, "intercept": 0.517}), OWN)
    one, other = (value for value in values if value.mistake)
    assert dropped == ()
    assert not one.overlaps(other)
    assert (first(values, 0.512).mistake, first(values, 0.516).mistake) == ("ols", "intercept")


def test_a_count_must_be_exact():
    values, _ = values_of(number(24, digits=None, wrong={"rows-as-n": 480}), OWN)
    assert [share(values, typed) for typed in (24, 24.1, 25)] == [1, 0, 0]
    assert first(values, 480).mistake == "rows-as-n"


def test_p_values_too_small_for_a_platform_are_not_told_apart():
    values, dropped = values_of(number(1.5e-17, wrong={"z-for-t": 3.7e-22, "ols": 0.04}), OWN)
    assert dropped == ("z-for-t",)
    assert [one.mistake for one in values] == ["", "ols"]
    values, dropped = values_of(number(1.4e-4, wrong={"z-for-t": 1e-22, "ols": 3.1e-15}), OWN)
    assert dropped == ("ols", "z-for-t")
    assert [one.number for one in values] == [1.4e-4]


def test_zero_has_a_tolerance():
    values, _ = values_of(number(0.0), OWN)
    assert values[0].tolerance > 0


def test_mistakes_never_overlap_anything_whatever_they_are():
    rng = np.random.default_rng(3)
    names = sorted(MISCONCEPTIONS)[:8]
    kept = 0
    for _ in range(300):
        wrong = dict(zip(names, 0.3 * np.exp(rng.normal(0, 0.3, 8)), strict=True))
        values, dropped = values_of(number(0.3, wrong=wrong), OWN)
        named = [one for one in values if one.mistake]
        assert len(named) + len(dropped) == 8
        assert not any(one.overlaps(values[0]) for one in named)
        assert not any(a.overlaps(b) for a in named for b in named if a is not b)
        kept += len(named)
    assert kept > 800  # most of them, though all lie close to one another


FIELDS = dict.fromkeys(("assignment", "question", "student", "heading", "text", "kind", "otherwise"), "x")


@pytest.mark.parametrize("value", [Value(math.nan, 1, 1, ""), Value(1, 0, 1, ""), Value(1, math.inf, 1, "")])
def test_what_cannot_be_marked_is_no_item(value):
    with pytest.raises(MixedsimError, match=r"^x x x: .* is no answer that can be marked\.$"):
        NumberItem(**FIELDS, level=1, points=1, files=(), values=(value,))


def test_an_item_with_a_mistake_over_a_right_answer_is_none():
    with pytest.raises(MixedsimError, match="the mark of a mistake overlaps a right answer"):
        NumberItem(**FIELDS, level=1, points=1, files=(), values=(Value(1, 0.1, 1, ""), Value(1.15, 0.1, 0, "", "ols")))
