"""lme4's grammar: what every form stands for."""

from __future__ import annotations

import pytest

import mixedsim as ms
from mixedsim.errors import FormulaError
from mixedsim.formula import (
    RandomTerm,
    check_varies_once,
    column_of,
    fixed_terms,
    parse,
    unquote,
    variables_of,
    with_fixed,
)


def texts(formula):
    return [term.text for term in parse(formula).terms]


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("(1 | g)", ["(1 | g)"]),
        ("(x | g)", ["(1 + x | g)"]),
        ("(1 + x | g)", ["(1 + x | g)"]),
        ("(x + 1 | g)", ["(1 + x | g)"]),
        ("(0 + x | g)", ["(0 + x | g)"]),
        ("(x - 1 | g)", ["(0 + x | g)"]),
        ("(-1 + x | g)", ["(0 + x | g)"]),
        ("(x + 0 | g)", ["(0 + x | g)"]),
        ("(x || g)", ["(1 | g)", "(0 + x | g)"]),
        ("(1 + x || g)", ["(1 | g)", "(0 + x | g)"]),
        ("(0 + x || g)", ["(0 + x | g)"]),
        ("(1 || g)", ["(1 | g)"]),
        ("(x + z || g)", ["(1 | g)", "(0 + x | g)", "(0 + z | g)"]),
        ("(x * z | g)", ["(1 + x + z + x:z | g)"]),
        ("(x * z || g)", ["(1 | g)", "(0 + x | g)", "(0 + z | g)", "(0 + x:z | g)"]),
        ("(x:z | g)", ["(1 + x:z | g)"]),
        ("((x + z)^2 | g)", ["(1 + x + z + x:z | g)"]),
        ("(log(x + 1) | g)", ["(1 + log(x + 1) | g)"]),
        ("(poly(x, 2) - 1 | g)", ["(0 + poly(x, 2) | g)"]),
        ("(1 | a:b)", ["(1 | a:b)"]),
        ("(1 | a/b)", ["(1 | a)", "(1 | b:a)"]),
        ("(1 | a/b/c)", ["(1 | a)", "(1 | b:a)", "(1 | c:b:a)"]),
        ("(1 | a/b:c)", ["(1 | a)", "(1 | b:c:a)"]),
        ("(x || a/b)", ["(1 | a)", "(0 + x | a)", "(1 | b:a)", "(0 + x | b:a)"]),
        ("(1 | (a/b))", ["(1 | a)", "(1 | b:a)"]),
        ("(1 | a) + (1 | b)", ["(1 | a)", "(1 | b)"]),
        ("(1 | g) + (0 + x | g)", ["(1 | g)", "(0 + x | g)"]),
        ("(1 | class)", ["(1 | class)"]),  # fine in a formula, a keyword in Python
        ("((1 | g))", ["(1 | g)"]),
        ("(((x | g)))", ["(1 + x | g)"]),
    ],
)
def test_random_terms_are_written_out(typed, terms):
    written = parse(f"y ~ z + {typed}").terms
    assert [term.text.replace("`class`", "class") for term in written] == terms


@pytest.mark.parametrize(
    "typed", ["(x || a/b)", "(1 | `my g`:b)", "(`Weight (kg)` | g)", "(`log(x)` || g)", "(`class` | g)"]
)
def test_a_term_is_written_so_that_it_can_be_read_again(typed):
    terms = parse(f"y ~ 1 + {typed}").terms
    again = parse("y ~ 1 + " + " + ".join(term.text for term in terms)).terms
    assert again == terms


@pytest.mark.parametrize(
    ("typed", "fixed"),
    [
        ("x + (1 | g)", "1 + x"),
        ("(1 | g) + x", "1 + x"),
        ("(1 | g)", "1"),
        ("1 + (1 | g)", "1"),
        ("x - 1 + (1 | g)", "0 + x"),
        ("-1 + x + (1 | g)", "0 + x"),
        ("0 + x + (1 | g)", "0 + x"),
        ("x + 0 + (1 | g)", "0 + x"),
        ("0 + (1 | g)", "0"),
        ("(1 | g) - 1", "0"),
        ("+ x + (1 | g)", "1 + x"),
        ("a * b + (1 | g)", "1 + a + b + a:b"),
        ("a*b - a + (1 | g)", "1 + b + a:b"),
        ("a/b + (1 | g)", "1 + a + a:b"),
        ("(a + b + c)^2 + (1 | g)", "1 + a + b + c + a:b + a:c + b:c"),
        ("(a + b)**2 - b + (1 | g)", "1 + a + a:b"),
        ("((a)) + ((b + c)) + (1 | g)", "1 + a + b + c"),
        ("x + x + (1 | g)", "1 + x"),
        ("x - x + (1 | g)", "1"),
        ("x\n  + z\n\t+ (1 | g)\n", "1 + x + z"),
        ("x+z+(1|g)", "1 + x + z"),
        ("(1|g)+I(x|z)", "1 + I(x | z)"),
    ],
)
def test_the_fixed_part_is_what_is_left(typed, fixed):
    def meaning(rhs):
        return {frozenset(f.expr for f in term.factors) for term in fixed_terms(rhs)}

    assert meaning(parse(f"y ~ {typed}").fixed) == meaning(fixed)


def test_names_with_spaces_and_signs_go_into_backticks():
    formula = parse("`my y` ~ `a + b` * log(`x|z`) + (`Weight (kg)` || `the ~ group`/`b:c`)")
    assert formula.variables == {"my y", "a + b", "x|z", "Weight (kg)", "the ~ group", "b:c"}
    assert formula.response == "`my y`"
    assert formula.groups == ("the ~ group", "b:c:the ~ group")
    assert [term.effects for term in formula.terms] == ["1", "0 + `Weight (kg)`"] * 2


def test_names_with_dots_are_columns():
    formula = parse("Sepal.Length ~ Sepal.Width*log(Petal.Width) + (Sepal.Width | Spec.ies) + np.log(x) + I(x**1.5)")
    assert formula.variables == {"Sepal.Length", "Sepal.Width", "Petal.Width", "Spec.ies", "x"}
    assert unquote(formula.response) == "Sepal.Length"
    assert formula.groups == ("Spec.ies",)


def test_letters_of_any_alphabet_are_letters():
    formula = parse("größe ~ année * 年 + (année | 学校)")
    assert formula.variables == {"größe", "année", "年", "学校"}


@pytest.mark.parametrize("response", ["log(y)", "y / size", "I(a - b)", "np.sqrt(y)", "a + b", "`my y` * 2"])
def test_the_response_may_be_calculated(response):
    assert parse(f"{response} ~ x + (1 | g)").response == response


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("x + log(z)", {"x", "z"}),
        ("C(c, Treatment('b'))", {"c"}),
        ('C(c, contr.treatment(base="b"))', {"c"}),
        ("poly(x, degree=2, raw=True)", {"x"}),
        ("np.where(x == threshold, 1, 0)", {"x", "threshold"}),
        ("`a b`:x.y", {"a b", "x.y"}),
        ("1", set()),
        ("np", {"np"}),
        ("np.log(np)", {"np"}),
    ],
)
def test_variables_are_the_columns_that_an_expression_reads(expression, names):
    assert variables_of(expression) == names


def test_a_factor_of_a_term_is_a_column_or_a_calculation():
    columns = {f.expr: column_of(f) for term in fixed_terms("1 + x:`a b` + log(x)") for f in term.factors}
    assert columns == {"1": None, "x": "x", "a b": "a b", "log(x)": None}


def test_a_formula_is_a_value():
    a, b = parse("y ~ x + (1 | g)"), parse("y ~ x + (1 | g)")
    assert a == b
    assert hash(a) == hash(b)
    assert RandomTerm("1", "g", ("g",)) == a.terms[0]


def test_another_fixed_part_keeps_the_random_terms():
    formula = with_fixed(parse("`my y` ~ x + (x || `my g`)"), "x + z")
    assert formula.text == "`my y` ~ x + z + (1 | `my g`) + (0 + x | `my g`)"
    assert parse(formula.text).terms == formula.terms


def test_a_formula_of_ten_thousand_characters_is_read():
    predictors = [f"a_rather_long_name_of_a_column_number_{i:03d}" for i in range(250)]
    formula = parse("y ~ " + " + ".join(predictors) + " + (1 | g)")
    assert len(formula.text) > 10_000
    assert formula.variables == {*predictors, "y", "g"}


def test_150_predictors_are_150_terms():
    assert len(fixed_terms(parse("y ~ " + " + ".join(f"x{i}" for i in range(150)) + " + (1 | g)").fixed)) == 151


def test_an_effect_varies_by_a_factor_only_once():
    check_varies_once(parse("y ~ x + (1 | g) + (0 + x | g) + (x | h) + (x | g:h)"))
    with pytest.raises(FormulaError) as caught:
        check_varies_once(parse("y ~ x + (x | g) + (1 | g)"))
    assert str(caught.value) == (
        "the intercept varies by 'g' already in (1 + x | g): keep it in one of the terms.\n"
        "    y ~ x + (x | g) + (1 | g)\n"
        "                       ^"
    )
    with pytest.raises(FormulaError, match=r"^'z:x' varies by 'h:g' already in \(1 \+ x:z \| g:h\)"):
        check_varies_once(parse("y ~ x + (x:z | g:h) + (0 + z:x | h:g)"))


@pytest.mark.parametrize("text", [None, 3, b"y ~ x", ["y ~ x + (1 | g)"]])
def test_a_formula_is_text(text):
    with pytest.raises(FormulaError) as caught:
        parse(text)
    assert str(caught.value) == (
        f"the formula must be text, found {type(text).__name__}: write one such as 'y ~ x + (1 | g)'."
    )


def test_what_has_a_formula_is_none():
    with pytest.raises(FormulaError) as caught:
        parse(ms.scenarios.therapist_plain())
    assert str(caught.value) == "the formula must be text, found Population: pass its .formula."
