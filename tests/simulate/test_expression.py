"""Expressions are arithmetic and nothing else, and have one spelling."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixedsim import PopulationError
from mixedsim.simulate.expression import canonical, evaluate, gives_whole_numbers, names_in, parameter

FIELD = ("Normal", "mean")
X = np.array([1.0, 2.0, 4.0])
ARM = pd.Categorical(["usual", "new", "usual"], categories=["usual", "new"])


@pytest.mark.parametrize(
    ("typed", "spelled"),
    [
        ("5+.8*ses", "5 + 0.8 * ses"),
        ("  (5 + (0.8 * ses)) ", "5 + 0.8 * ses"),
        ("(a+b)*c", "(a + b) * c"),
        ("a-(b-c)", "a - (b - c)"),
        ("(a-b)-c", "a - b - c"),
        ("a/(b*c)", "a / (b * c)"),
        ("(a**b)**c", "(a ** b) ** c"),
        ("a**(b**c)", "a ** b ** c"),
        ("(-a)**2", "(-a) ** 2"),
        ("-a**2", "-a ** 2"),
        ("2**-a", "2 ** -a"),
        ("exp((a))", "exp(a)"),
        ('2*(arm=="new")', "2 * (arm == 'new')"),
        ("1e-5 * a", "1e-05 * a"),
        ("((a<1) and (b<1)) and c", "a < 1 and b < 1 and c"),
        ("a and (b and c)", "a and b and c"),
        ("a and (b or c)", "a and (b or c)"),
        ("(a and b) or c", "a and b or c"),
        ("not (a==b)", "not a == b"),
        ("not (a and b)", "not (a and b)"),
        ("(not a)+1", "(not a) + 1"),
        ("(a<b)==c", "(a < b) == c"),
        ("a%(b*c)", "a % (b * c)"),
        ("min( a,b,c )", "min(a, b, c)"),
        ("round(a,1)+round(a)", "round(a, 1) + round(a)"),
        ("where((x>1),(a+b),0)", "where(x > 1, a + b, 0)"),
    ],
)
def test_every_expression_has_one_spelling(typed: str, spelled: str) -> None:
    assert canonical(typed, FIELD) == spelled
    assert canonical(spelled, FIELD) == spelled


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5 + 0.8 * x", 5 + 0.8 * X),
        ("-x ** 2", -(X**2)),
        ("2 ** -x", 2.0**-X),
        ("1 / (1 + exp(-x))", 1 / (1 + np.exp(-X))),
        ("log(x) + sqrt(x) - abs(-x)", np.log(X) + np.sqrt(X) - X),
        ("x > 1", [0, 1, 1]),
        ("(x > 1) + (x > 2)", [0, 1, 2]),
        ("2 * (arm == 'new')", [0, 2, 0]),
        ("2 * ('new' != arm)", [2, 0, 2]),
        ("x > 1 and x < 4", [0, 1, 0]),
        ("x == 1 or x == 4", [1, 0, 1]),
        ("not x > 1", [1, 0, 0]),
        ("x - 1 and arm == 'usual'", [0, 0, 1]),
        ("where(arm == 'new', log(x), -1)", [-1, np.log(2), -1]),
        ("where(x > 3, log(x - 3), 0)", [0, 0, 0]),
        ("where(x - 2, x, 7)", [1, 7, 4]),
        ("min(x, 2)", [1, 2, 2]),
        ("max(x, 2, 3)", [3, 3, 4]),
        ("floor(x / 3) + floor(-x / 3)", [-1, -1, -1]),
        ("round(x / 8)", [0, 0, 0]),
        ("round(x / 8, 1)", [0.1, 0.2, 0.5]),
        ("round(10 * x, -1)", [10, 20, 40]),
        ("(x + 1) % 3", [2, 0, 2]),
        ("-x % 3", [2, 1, 2]),
        ("logistic(x) - 1 / (1 + exp(-x))", [0, 0, 0]),
    ],
)
def test_an_expression_is_what_numpy_makes_of_it(text: str, values: object) -> None:
    given = {"x": X, "arm": ARM}
    np.testing.assert_array_equal(evaluate(canonical(text, FIELD), given.__getitem__, FIELD), values)


def test_integers_are_calculated_as_floats() -> None:
    x = np.array([3, 10**6])
    np.testing.assert_array_equal(evaluate("x ** 4", lambda _: x, FIELD), [81.0, 1e24])


def test_an_expression_without_variables_is_a_number() -> None:
    assert parameter("1/4", FIELD) == 0.25
    assert parameter(3, FIELD) == 3.0


def test_names_are_variables_and_not_functions() -> None:
    assert names_in("exp(a) + b * (c == 'd')") == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("i + 1", True),
        ("i % 3 * i - 2", True),
        ("x > 1", True),
        ("not x", True),
        ("x > 1 or i", True),
        ("floor(x)", True),
        ("round(x)", True),
        ("max(i, 2)", True),
        ("where(x, i, 0)", True),
        ("-abs(i)", True),
        ("i / 2", False),
        ("i ** 2", False),  # 2 ** -1 is a half
        ("round(x, 1)", False),
        ("where(i, x, 0)", False),
        ("i + 0.5", False),
        ("x", False),
    ],
)
def test_some_expressions_can_only_be_whole(text: str, whole: bool) -> None:
    given = {"x": X, "i": np.array([1, 2, 3])}
    assert gives_whole_numbers(text, given.__getitem__) is whole


trees = st.recursive(
    st.sampled_from(["x", "z", "2", "0.5", "1e-05"]),
    lambda inner: st.one_of(
        st.builds(
            "({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "%", "**", "<", "==", "and", "or"]), inner
        ),
        st.builds("(-{})".format, inner),
        st.builds("(not {})".format, inner),
        st.builds("abs({})".format, inner),
        st.builds("where({}, {}, {})".format, inner, inner, inner),
    ),
    max_leaves=8,
)


@given(trees)
def test_the_one_spelling_keeps_the_meaning(typed: str) -> None:
    values = {"x": np.array([0.5, 3.0, -2.0]), "z": np.array([1.5, -1.0, 2.0])}

    def result(text: str) -> object:
        try:
            return np.asarray(evaluate(text + " + 0 * x", values.__getitem__, FIELD)).tolist()
        except PopulationError:  # 0 / 0, (-2) ** 0.5: not finite in both spellings or in none
            return None

    spelled = canonical(typed, FIELD)
    assert result(f"({spelled})") == result(typed)
    assert canonical(spelled, FIELD) == spelled


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b", "Normal.mean must be a number or an expression such as '5 + 0.8 * ses', found 'a b'."),
        ("", "Normal.mean must be a number or an expression such as '5 + 0.8 * ses', found ''."),
        (
            "__import__('os')",
            "Normal.mean calls '__import__' in \"__import__('os')\", which is no function here: "
            "known are 'exp', 'log', 'sqrt', 'abs', 'floor', 'round', 'min', 'max', 'logistic', 'where'.",
        ),
        (
            "x.real",
            "Normal.mean contains 'x.real', which is not arithmetic: use numbers, variables, + - * / % **, one "
            "comparison at a time, and, or, not, exp, log, sqrt, abs, floor, round, min, max, logistic, where.",
        ),
        (
            "1 < x < 2",
            "Normal.mean contains '1 < x < 2', which is not arithmetic: write two comparisons with 'and' between them.",
        ),
        ("x & z", "Normal.mean contains 'x & z', which is not arithmetic: write 'and'."),
        ("x ^ 2", "Normal.mean contains 'x ^ 2', which is not arithmetic: a power is written **."),
        ("x // 2", "Normal.mean contains 'x // 2', which is not arithmetic: write floor(a / b)."),
        ("~x", "Normal.mean contains '~x', which is not arithmetic: write 'not'."),
        (
            "1 if x else 2",
            "Normal.mean contains '1 if x else 2', which is not arithmetic: write where(condition, yes, no).",
        ),
        (
            "x in ['a', 'b']",
            "Normal.mean contains \"x in ['a', 'b']\", which is not arithmetic: write x == 'a' or x == 'b'.",
        ),
        ("where(x, 1)", "Normal.mean calls 'where' in 'where(x, 1)'; it takes three: where(condition, yes, no)."),
        ("max(x)", "Normal.mean calls 'max' in 'max(x)'; it takes two arguments or more."),
        (
            "round(x, 1, 2)",
            "Normal.mean calls 'round' in 'round(x, 1, 2)'; "
            "it takes one argument, or two as in round(x, 1) for one decimal.",
        ),
        (
            "round(x, z)",
            "Normal.mean rounds to a number of decimals in 'round(x, z)' that is not a whole number up to 15.",
        ),
        (
            "True",
            "Normal.mean contains 'True', which is not arithmetic: use numbers, variables, + - * / % **, one "
            "comparison at a time, and, or, not, exp, log, sqrt, abs, floor, round, min, max, logistic, where.",
        ),
        ("exp(x, 2)", "Normal.mean calls 'exp' in 'exp(x, 2)'; it takes one argument."),
        ("exp(x=2)", "Normal.mean calls 'exp' in 'exp(x=2)'; it takes one argument."),
        ("'a'", "Normal.mean contains the text 'a', which is compared with nothing."),
        ("5,5", "Normal.mean contains '5,5', which is not arithmetic: decimals take a point, not a comma, as in 0.5."),
        (
            "np.log(x)",
            "Normal.mean contains 'np.log(x)', which is not arithmetic: write a function by its name alone, as in "
            "log(x).",
        ),
        (
            "x = 1",
            "Normal.mean must be a number or an expression such as '5 + 0.8 * ses', found 'x = 1': that two things are "
            "equal is written ==.",
        ),
        ("9 ** 9 ** 9 ** 9", "Normal.mean must be a finite number, found inf."),
        ("1 / 0", "Normal.mean must be a finite number, found inf."),
        ("x" * 1001, "Normal.mean is 1001 characters long; an expression has at most 1000."),
        (
            " + ".join(["x"] * 150),
            "Normal.mean has more than 100 operations within operations: simplify it.",
        ),
    ],
)
def test_what_is_no_arithmetic_is_refused(text: str, message: str) -> None:
    with pytest.raises(PopulationError) as caught:
        parameter(text, FIELD)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text", ["(" * 300 + "x" + ")" * 300, "-" * 900 + "x", "x" + ".a" * 400, "[" * 150 + "]" * 150]
)
def test_deep_nesting_is_an_error_and_not_a_crash(text: str) -> None:
    with pytest.raises(PopulationError, match=r"^Normal\.mean "):
        parameter(text, FIELD)
