"""Slips of the keyboard, habits from R, and formulas that would do harm: one sentence and a caret for each."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.columns import model_columns
from mixedsim.errors import FormulaError
from mixedsim.formula import fixed_terms, parse
from mixedsim.grammar import FormulaText, for_formulaic

# ▲ stands before the character under which the caret belongs.
SLIPS = [
    ("y ▲= x + (1|g)", "the formula has no '~': write the response, '~' in place of '=', then what explains it"),
    ("y x + (1|g)▲", "the formula has no '~': write the response, '~', then what explains it"),
    ("y ~ x ▲~ (1|g)", "the formula has more than one '~': keep the one after the response"),
    ("▲~ x + (1|g)", "the response is missing: write its column name before '~'"),
    ("y ~▲", "nothing stands on the right of '~': write at least a random term such as (1 | g)"),
    ("▲'y' ~ x + (1|g)", "quoted text names no column: write the name alone, or in backticks if it has spaces"),
    ("▲. ~ x + (1|g)", "the response must be named, and in backticks if its name begins with a dot"),
    ("▲3 ~ x + (1|g)", "the response reads no column of the data: name one before '~'"),
    ("d▲$y ~ x + (1|g)", "'$' is not needed: write the name of the column alone"),
    ("my ▲y ~ x + (1|g)", "an operator such as '+' is missing here, or backticks around a name with a space"),
    ("▲cbind(a, b) ~ x + (1|g)", "the function 'cbind' is not known here: write successes / trials, for glmer"),
    # operators and operands
    ("y ~ x ▲z + (1|g)", "an operator such as '+' is missing before 'z', or backticks around a name with a space"),
    ("y ~ x + (1 ▲g)", "an operator such as '+' is missing before 'g', or backticks around a name with a space"),
    ("y ~ `x` ▲`z` + (1|g)", "an operator such as '+' is missing before '`z`'"),
    ("y ~ x ▲(1|g)", "an operator such as '+' is missing before '('"),
    ("y ~ x▲(1|g)", "an operator such as '+' is missing before '('"),
    ("y ~ x + (1|g)▲(1|h)", "an operator such as '+' is missing before '(', or backticks around a name with a space"),
    ("y ~ x * ▲+ (1|g)", "nothing stands between '*' and '+': remove one of the two"),
    ("y ~ x + ▲+ (1|g)", "nothing stands between '+' and '+': remove one of the two"),
    ("y ~ x : ▲* z + (1|g)", "nothing stands between ':' and '*': remove one of the two"),
    ("y ~ x + (1|g) ▲+", "nothing follows this '+': remove it, or write a term"),
    ("y ~ x + (z ▲*) + (1|g)", "nothing follows this '*': remove it, or write a term"),
    ("y ~ ▲* x + (1|g)", "nothing stands before this '*': remove it, or write a term"),
    ("y ~ x + ▲() + (1|g)", "nothing stands between these brackets: remove them, or write a term"),
    # brackets
    ("y ~ x + ▲(1|g", "this '(' is never closed: add ')'"),
    ("y ~ x + 1|g▲)", "this ')' closes nothing: remove it, or open it before"),
    ("y ~ x + (1|g▲]", "this ']' closes a '(': write ')'"),
    ("y ~ x + (1|▲`g)", "this ` is never closed: add another where the name ends"),
    ("y ~ x + ▲[1|g]", "only round brackets are part of the grammar: write '(' and ')'"),
    ("y ~ ▲{x + 1} + (1|g)", "only round brackets are part of the grammar: write '(' and ')'"),
    # bars
    ("y ~ x + 1▲|g", "a bar needs parentheses around its term, as in (1 | g)"),
    ("y ~ x + (▲|g)", "nothing stands before the bar: write (1 | g) for an intercept that varies"),
    ("y ~ x + (1▲|)", "nothing stands after the bar: name the grouping factor, as in (1 | g)"),
    ("y ~ x + (1▲|/g)", "nothing stands after the bar: name the grouping factor, as in (1 | g)"),
    ("y ~ x + (1|g▲|h)", "a random term has one bar, or '||' for uncorrelated effects"),
    ("y ~ x + (1|▲||g)", "a random term has one bar, or '||' for uncorrelated effects"),
    ("y ~ x + (▲0|g)", "this term has no effect that could vary: write (1 | g) or (0 + x | g)"),
    ("y ~ x + ▲(1|g)*x", "a random term must stand on its own, joined to the rest by '+'"),
    ("y ~ x * ▲(1|g)", "a random term must stand on its own, joined to the rest by '+'"),
    ("y ~ (x + ▲(1|g))", "a random term must stand on its own, joined to the rest by '+'"),
    ("y ~ x - ▲(1|g)", "a random term cannot be subtracted: leave it out"),
    ("y ~ x + (1|g) + (▲1|g)", "the term (1 | g) appears twice: remove one of the two"),
    ("y ~ x + (1|a:b) + (▲1|b:a)", "the term (1 | b:a) appears twice: remove one of the two"),
    ("y ~ x + (1|`a:b`) + (▲0+x|a:b)", "'a:b' names a column and a combination of columns: rename the column"),
    # grouping factors
    ("y ~ x + (1|▲g+h)", "one bar has one grouping factor: write (1 | a) + (1 | b) for crossed factors"),
    ("y ~ x + (1|▲g*h)", "a '*' between grouping factors is written out: (1 | a) + (1 | b) + (1 | a:b)"),
    ("y ~ x + (1|▲factor(g))", "a grouping factor is a category in any case: write g alone"),
    ("y ~ x + (1|a/▲as.factor(b))", "a grouping factor is a category in any case: write b alone"),
    ("y ~ x + (1|▲log(g))", "a grouping factor must be a column of the data: add the column first, then name it"),
    ("y ~ x + (1|▲1)", "'1' is no grouping factor: name a column, in backticks if it begins with a digit"),
    ("y ~ x + (1|g▲:)", "nothing follows this ':': remove it, or write a term"),
    ("y ~ x + (1|g/▲/h)", "nothing stands between '/' and '/': remove one of the two"),
    # the response explains nothing
    ("y ~ x + ▲y + (1|g)", "the response 'y' also stands on the right-hand side: remove it there"),
    ("y ~ x + (▲y|g)", "the response 'y' also stands on the right-hand side: remove it there"),
    ("y ~ x + (1|g:▲y)", "the response 'y' also stands on the right-hand side: remove it there"),
    ("y ~ log(▲y) + (1|g)", "the response 'y' also stands on the right-hand side: remove it there"),
    ("log(y) ~ yy + ▲y + (1|g)", "the response 'y' also stands on the right-hand side: remove it there"),
    ("y ~ x + ▲Intercept + (1|g)", "'Intercept' is what the constant is called: rename the column of that name"),
    ("y ~ ▲log + log(x) + (1|g)", "'log' is a column here and a function too: rename the column"),
    ("y ~ np.log(▲np) + (1|g)", "'np' is a column here and a function too: rename the column"),
    # powers and numbers
    ("y ~ x + ▲x^2 + (1|g)", "a power crosses a variable with itself, which gives nothing new: write I(x**2)"),
    ("y ~ ▲log(x)**2 + (1|g)", "a power crosses a variable with itself, which gives nothing new: write I(log(x)**2)"),
    ("y ~ (a+b)^▲x + (1|g)", "a power must be a whole number from 1 to 9: (a + b)^2 stands for a*b"),
    ("y ~ (a+b)^▲0 + (1|g)", "a power must be a whole number from 1 to 9: (a + b)^2 stands for a*b"),
    ("y ~ I(x▲^2) + (1|g)", "inside a call a power is written '**', as in I(x**2)"),
    ("y ~ ▲2 + x + (1|g)", "the only numbers among the terms are 1 (an intercept) and 0 (none): write I(2 * x)"),
    ("y ~ ▲2*x + (1|g)", "the only numbers among the terms are 1 (an intercept) and 0 (none): write I(2 * x)"),
    ("y ~ ▲1st + (1|g)", "put backticks around '1st', a name that begins with a digit"),
    ("y ~ ▲.x + (1|g)", "a name that begins with a dot needs backticks"),
    # habits from R
    ("y ~ ▲. + (1|g)", "'.' cannot stand for all other columns: name the predictors"),
    ("y ~ d▲$x + (1|g)", "'$' is not needed: write the name of the column alone"),
    ("y ~ ▲factor(c) + (1|g)", "the function 'factor' is not known here: write C(...) for a category"),
    ("y ~ ▲as.factor(c) + (1|g)", "the function 'as.factor' is not known here: write C(...) for a category"),
    ("y ~ x + ▲offset(z) + (1|g)",
     "the function 'offset' is not known here: give the offset as offset=\"column\" beside the formula"),
    ("y ~ ▲s(x) + (1|g)", "the function 's' is not known here: splines are written bs(x, df=4) or cr(x, df=4)"),
    ("y ~ I(x - ▲mean(x)) + (1|g)",
     "the function 'mean' is not known here: write center(x) or scale(x), which remember the mean for new data"),
    ("y ~ poly(x, 2, raw=▲TRUE) + (1|g)", "TRUE is written True here"),
    ("y ~ x ▲%in% z + (1|g)",
     "operators with '%' are not part of the grammar: a:b stands for combinations, a/b for nesting"),
    ("y ~ x + (1 | g)▲, data=d", "a comma belongs inside a function call"),
    ("y ~ x▲; (1|g)", "a formula is one line: join its terms by '+'"),
    ("y ~ x + (1|g) ▲# nested", "a formula has no comments: leave it out"),
    # comparisons, quotes, odd characters
    ("y ~ x ▲> 0 + (1|g)", "comparisons go inside a call: I(x > 0)"),
    ("y ~ (x ▲== 1) + (1|g)", "comparisons go inside a call: I(x > 0)"),
    ("y ~ ▲'x' + (1|g)", "quoted text names no column: write the name alone, or in backticks if it has spaces"),
    ("y ~ x ▲@ z + (1|g)", "'@' is no operator of a formula: remove it, or put backticks around a name"),
    ("y ▲∼ x + (1|g)", "this '∼' only looks like '~': type it again"),
    ("y ~ x ▲− z + (1|g)", "this '−' only looks like '-': type it again"),
    ("y ~ x + (1 ▲∣ g)", "this '∣' only looks like '|': type it again"),
    # calculations
    ("y ~ ▲scal(x) + (1|g)", "the function 'scal' is not known here: perhaps 'scale' is meant"),
    ("y ~ ▲foo(x) + (1|g)",
     "the function 'foo' is not known here: compute it as a column of the data first, then name the column"),
    ("y ~ log(x, ▲, 2) + (1|g)", "this cannot be read as a calculation with columns"),
    ("y ~ I(▲x[0]) + (1|g)",
     "a formula cannot do this calculation: compute it as a column of the data first, then name the column"),
]


@pytest.mark.parametrize(("marked", "sentence"), SLIPS, ids=[marked for marked, _ in SLIPS])
def test_a_slip_gets_a_sentence_and_a_caret(marked, sentence):
    text, at = marked.replace("▲", ""), marked.index("▲")
    with pytest.raises(FormulaError) as caught:
        parse(text)
    assert str(caught.value) == f"{sentence}.\n    {text}\n    {' ' * at}^"


@pytest.mark.parametrize(
    "call",
    [
        "__import__('os').getcwd()",
        "I(__import__('os'))",
        "open('x')",
        "eval('x')",
        "I((lambda: x)())",
        "I([v for v in x])",
        "I(x if z else z)",
        "np.load('x')",
        "np.fromfile('x')",
        "np.lib.format.open_memmap('x')",
        "contr.__class__('x')",
        "I(f'{x}')",
        "I((y := x))",
        "log(x).__class__",
    ],
)
@pytest.mark.parametrize("place", ["y ~ {} + (1 | g)", "y ~ x + ({} | g)", "{} ~ x + (1 | g)"])
def test_nothing_but_arithmetic_with_columns_is_ever_evaluated(call, place):
    with pytest.raises(FormulaError):
        parse(place.format(call))
    with pytest.raises(FormulaError):
        model_columns(call, {"x": [1.0], "z": [1.0]})


@pytest.mark.parametrize(
    "call",
    [
        "log(x)",
        "np.log1p(x)",
        "sqrt(abs(x))",
        "poly(x, 3)",
        "bs(x, df=4)",
        "scale(x)",
        "I(-x**2 / (z + 1.5e3))",
        "I((x > 0) & ~(z <= 1))",
        "C(c, Treatment('b'))",
        "C(c, contr.sum)",
        "C(c, contr.custom({'low': [-1, 0, 1]}))",
        "C(c, levels=['b', 'a'])",
        "np.where(np.isin(c, ('a', 'b')), x, np.pi)",
        "log ( `a b` + my.x )",
        'C(c, contr.treatment("b|c"))',
    ],
)
def test_arithmetic_with_columns_is_read(call):
    assert len(fixed_terms(call)) == 2
    assert parse(f"y ~ {call} + ({call} | g)").groups == ("g",)


def test_an_attribute_of_a_column_is_a_column_with_a_dot():
    assert parse("y ~ I(x.__class__) + (1 | g)").variables == {"y", "x.__class__", "g"}


def test_a_long_formula_is_shown_around_the_caret():
    with pytest.raises(FormulaError) as caught:
        parse("y ~ " + " + ".join(f"x{i}" for i in range(500)) + " + + " + " + ".join(f"z{i}" for i in range(500)))
    _, shown, caret = str(caught.value).split("\n")
    assert len(shown) < 120
    assert shown[len(caret) - 1] == "+"
    assert shown.strip()[0] == shown.strip()[-1] == "…"


def test_a_formula_over_several_lines_is_shown_as_one():
    with pytest.raises(FormulaError) as caught:
        parse("y ~ x\n  + z\n\t* + (1 | g)")
    _, shown, caret = str(caught.value).split("\n")
    assert shown == "    y ~ x   + z  * + (1 | g)"
    assert len(caret) - 1 == shown.rindex("+")


def test_two_thousand_nested_brackets_are_an_error_not_a_crash():
    with pytest.raises(FormulaError, match=r"^more than 50 brackets within brackets: simplify the formula"):
        parse("y ~ " + "(" * 2000 + "x" + ")" * 2000 + " + (1 | g)")


def test_fifty_nested_brackets_are_read():
    assert parse("y ~ " + "(" * 49 + "x" + ")" * 49 + " + (1 | g)").variables == {"x", "y", "g"}


@pytest.mark.parametrize(
    "rhs",
    [
        " + ".join(f"x{i}" for i in range(5000)),
        "*".join(f"x{i}" for i in range(40)),
        "(" + " + ".join(f"x{i}" for i in range(30)) + ")^9",
        "((((a + b)^9 + c)^9 + d)^9)^9",
        "*".join(f"(a{i} + b{i})" for i in range(9)),
    ],
    ids=["5000 terms", "40 crossed", "a high power", "powers of powers", "sums crossed"],
)
def test_a_formula_of_too_many_terms_says_the_limit(rhs):
    with pytest.raises(FormulaError, match=r"^the formula stands for more than 2000 terms: cross fewer variables"):
        parse(f"y ~ {rhs} + (1 | g)")


@pytest.mark.parametrize("sign", ["+x", " and x", "-"], ids=["sums", "conjunctions", "signs"])
@pytest.mark.parametrize("times", [102, 10_000])
def test_a_calculation_of_too_many_operations_is_an_error_not_a_crash(sign, times):
    with pytest.raises(FormulaError, match=r"^(this|a formula cannot do this) calculation"):
        fixed_terms(f"I({sign * times if sign == '-' else ''}x{sign * times if sign != '-' else ''})")


def test_a_calculation_of_100_operations_is_made():
    columns = model_columns("0 + I(x" + " + x" * 99 + ")", {"x": np.arange(3.0)}).columns
    np.testing.assert_array_equal(columns[0], 100 * np.arange(3.0))


def test_dots_become_backticks_outside_modules_quotes_and_calls():
    assert for_formulaic("a.b + log(c.d.e) + np.log(x) + `q.r` + 'e.f' + f.g(x) + 1.5 + x1.2") == (
        "`a.b` + log(`c.d.e`) + np.log(x) + `q.r` + 'e.f' + f.g(x) + 1.5 + `x1.2`"
    )


def test_pieces_are_cut_outside_brackets_and_quotes():
    text = FormulaText("a/(b/c)/`d/e`")
    assert [text.text[i:j] for i, j in text.split(0, len(text.text), "/")] == ["a", "(b/c)", "`d/e`"]
