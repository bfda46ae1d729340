"""What visible checks say about answers: form and plausibility; and what makes two formulas the same."""

import numpy as np
import pandas as pd
import pytest

from mixedsim.classroom import answers
from mixedsim.classroom.answers import Hint
from mixedsim.errors import FormulaError

COLUMNS = ["score", "hours", "boarding", "tutor"]
WANTED = "score ~ hours + boarding + (1 + hours | tutor)"


@pytest.mark.parametrize(
    "value", [0.31, 1, np.float64(0.31), np.float32(0.5), np.int64(1), np.array([0.3]), pd.Series([0.3]), np.array(0.3)]
)
def test_one_number_of_any_kind_is_a_number(value):
    assert answers.number("icc", value, low=0, high=1) == pytest.approx(float(np.asarray(value).item()))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (..., "`icc` has no answer yet: replace the three dots by your number."),
        (None, "`icc` has no answer yet: replace the three dots by your number."),
        ("0.3", "`icc` is text, '0.3': write the number without quotes."),
        ((0, 31), "`icc` holds two numbers, (0, 31): decimals take a point, not a comma."),
        (True, "`icc` must be one number, found a bool."),
        (np.array([0.1, 0.2]), "`icc` must be one number, found a ndarray."),
        (0.3 + 0j, "`icc` must be one number, found a complex."),
        (float("nan"), "`icc` is nan: something went wrong on the way; look at each step of the calculation."),
        (10**400, "`icc` is inf: something went wrong on the way; look at each step of the calculation."),
        (31, "`icc` is 31, but must lie between 0 and 1. A share."),
        (-0.1, "`icc` is -0.1, but must lie between 0 and 1. A share."),
    ],
)
def test_what_is_no_number_gets_a_sentence(value, says):
    with pytest.raises(Hint) as caught:
        answers.number("icc", value, low=0, high=1, look="A share.")
    assert str(caught.value) == says


@pytest.mark.parametrize(("bounds", "says"), [({"low": 5}, "be at least 5"), ({"high": 2}, "be at most 2")])
def test_one_sided_bounds_read_well(bounds, says):
    with pytest.raises(Hint, match=says):
        answers.number("n", 3, **bounds)


@pytest.mark.parametrize(
    ("truth", "digits", "expected"),
    [(0.3166, 2, 0.005), (-0.3166, 2, 0.005), (42.54, 3, 0.05), (0.997, 2, 0.005), (1234, 2, 50), (0.0, 2, 0.05)],
)
def test_the_tolerance_is_half_a_unit_of_the_last_digit_that_counts(truth, digits, expected):
    assert answers.tolerance(truth, digits=digits) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "same",
    [
        "score ~ hours + boarding + (hours | tutor)",
        "score ~ 1 + boarding + hours + (1 + hours | tutor)",
        "score~(hours|tutor)+hours+boarding",
        "score ~ boarding + hours + (hours + 1 | tutor)",
        "score ~ (boarding + hours) + (1 + hours | tutor)",
    ],
)
def test_any_way_of_writing_the_same_model_is_right(same):
    assert answers.means_the_same(same, WANTED)


@pytest.mark.parametrize(
    "other",
    [
        "score ~ hours + boarding + (1 | tutor)",
        "score ~ hours + boarding + (hours || tutor)",
        "score ~ hours + boarding + (0 + hours | tutor)",
        "score ~ hours + boarding + (1 | tutor) + (0 + hours | tutor)",
        "score ~ hours * boarding + (hours | tutor)",
        "score ~ 0 + hours + boarding + (hours | tutor)",
        "score ~ hours + (hours | tutor)",
        "hours ~ score + boarding + (1 + score | tutor)",
        "score ~ hours + boarding + (hours | boarding)",
    ],
)
def test_another_model_is_wrong(other):
    assert not answers.means_the_same(other, WANTED)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("y ~ x * z + (x || g)", "y ~ z + x + z:x + (1 | g) + (0 + x | g)"),
        ("y ~ x + (1 | a/b)", "y ~ x + (1 | b:a) + (1 | a)"),
        ("y ~ x - 1 + (x - 1 | g)", "y ~ 0 + x + (0 + x | g)"),
        ("log( y ) ~ x + (1|g)", "log(y) ~ x + (1 | g)"),
    ],
)
def test_shorthands_are_what_they_stand_for(one, another):
    assert answers.means_the_same(one, another)
    assert answers.means_the_same(another, one)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (..., "no answer yet: replace the three dots by your formula between quotes"),
        (3, "must be a formula between quotes, found a int"),
        ("score ~ hours + (1 | tutor", "cannot be read"),
        ("score ~ hours", "no term that varies by cluster"),
        ("score ~ hour + (1 | tutor)", "'hour', which is no column of the data: did you mean 'hours'"),
        ("score ~ " + "hours + " * 200 + "(1 | tutor)", "characters"),
        ("score ~ (hours + boarding + tutor)**40 + (1 | tutor)", "far more interactions"),
        ("score ~ " + "*".join("abcdefghijklmnop") + " + (1 | tutor)", "far more interactions"),
    ],
)
def test_what_is_no_formula_gets_a_sentence(value, says):
    with pytest.raises(Hint, match=says.replace("(", r"\(")):
        answers.formula("model", value, columns=COLUMNS)


def test_no_part_of_a_formula_is_ever_evaluated(tmp_path):
    trap = tmp_path / "trap"
    text = f"score ~ open('{trap}', 'w') + (1 | tutor)"
    with pytest.raises(FormulaError):
        answers.means_the_same(text, WANTED)
    with pytest.raises(Hint):
        answers.formula("model", text, columns=COLUMNS)
    assert not trap.exists()


def test_a_choice_is_read_kindly():
    assert answers.choice("kind", " Random ", among=["fixed", "random"]) == "random"


@pytest.mark.parametrize(
    ("value", "says"), [(..., "no answer yet"), ("both", "must be one of 'fixed', 'random'"), (1, "must be one of")]
)
def test_what_is_no_choice_gets_a_sentence(value, says):
    with pytest.raises(Hint, match=says):
        answers.choice("kind", value, among=["fixed", "random"])
