"""What people do to a linear mixed model, and what they get: numbers, a message or one sentence. Nothing is silent.

An error names the culprit, says what was found and how to mend it. A message stands in `fit.messages` and in the
summary. Nothing goes to stdout, and no warning escapes (pytest turns warnings into errors).
"""

from __future__ import annotations

import datetime
from functools import cache

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms

N = 120
GROUPS = 12
RNG = np.random.default_rng(2024)
MODEL = "y ~ x + (1 | g)"


@cache
def good() -> pd.DataFrame:
    effects, slopes = RNG.normal(0, 1, (2, GROUPS)).repeat(N // GROUPS, axis=1)
    x = RNG.normal(5, 1, N)
    return pd.DataFrame(
        {
            "y": 10 + 2 * x + effects + slopes * (x - 5) + RNG.normal(size=N),
            "x": x,
            "z": RNG.normal(size=N),
            "c": np.tile(["lo", "mid", "hi"], N // 3),
            "g": np.repeat([f"g{i:02d}" for i in range(GROUPS)], N // GROUPS),
            "w": RNG.uniform(0.5, 2, N),
        }
    )


@pytest.fixture
def data() -> pd.DataFrame:
    return good().copy()


@pytest.fixture(autouse=True)
def _nothing_is_printed(capsys):
    yield
    assert capsys.readouterr() == ("", "")


def with_(**columns):
    """The good data with other columns; a function is given the data."""
    return good().assign(**columns)


def at(column, value, *rows):
    """The good data with `value` in some rows of a column."""
    changed = good().copy()
    if value is None or isinstance(value, str):
        changed[column] = changed[column].astype(object)
    changed.loc[list(rows), column] = value
    return changed


def case(what, sentence, data=None, formula=MODEL, error=ms.DataError, **more):
    return pytest.param(formula, good() if data is None else data, more, error, sentence, id=what)


def caret(sentence, formula, position):
    return f"{sentence}.\n    {formula}\n    {' ' * position}^"


PLUS = "nothing stands between '+' and '+': remove one of the two"
HIGH = "too extreme to square: change the unit."
NOT_IN = "which the data do not have:"

ERRORS = [
    # ---- values
    case("an infinite predictor", "column 'x' holds infinite values: row 7 holds inf (2 such rows); replace or remove "
         "them.", at("x", np.inf, 7, 9)),
    case("an infinite response", "column 'y' holds infinite values: row 3 holds -inf (1 such row); replace or remove "
         "them.", at("y", -np.inf, 3)),
    case("an infinite group", "column 'g' holds infinite values: row 0 holds inf (1 such row); replace or remove them.",
         with_(g=np.where(np.arange(N) == 0, np.inf, np.arange(N) // 10))),
    case("no rows", "the data have no rows: check how they were read or filtered.", good().iloc[:0]),
    case("no columns and no rows", "the data have no rows: check how they were read or filtered.", pd.DataFrame()),
    case("a column without values", "column 'x' has no values, all 120 are missing: check how it was read.",
         with_(x=np.nan)),
    case("a group without values", "column 'g' has no values, all 120 are missing: check how it was read.",
         with_(g=None)),
    case("columns that are never there together", "no row has values in all of 'x', 'y': leave one of them out.",
         with_(x=good().x.where(good().index < 60), y=good().y.where(good().index >= 60))),
    case("a logarithm of negative numbers", "the column 'log(z)' is not finite: row ",
         formula="y ~ log(z) + (1 | g)"),
    case("a response that is not finite", "the column 'log(z)' is not finite: row ", formula="log(z) ~ x + (1 | g)"),
    case("a predictor beyond squaring", f"column 'x' holds values of size 3e+160, "
         f"{HIGH}", with_(x=1e160 * good().z)),
    case("a response beyond squaring", "column 'y' holds values of size ", with_(y=good().y * 1e-200)),
    # ---- groups
    case("a grouping factor with one level", "the grouping factor 'g' has only one level ('a'): nothing can vary "
         "between "
         "levels; leave out (1 | g).", with_(g="a")),
    case("one level after rows are dropped", "the grouping factor 'g' has only one level ('g00'): nothing can vary "
         "between levels; leave out (1 | g).", with_(x=good().x.where(good().g == "g00"))),
    case("one row a level", "the grouping factor 'g' has one row a level (120 levels, 120 rows): nothing separates "
         "(1 | g) from the residual; group by a coarser column, or leave the term out.", with_(g=range(N))),
    case("a continuous column as group", "the grouping factor 'z' has one row a level (120 levels, 120 rows): nothing "
         "separates (1 | z) from the residual; group by a coarser column, or leave the term out.",
         formula="y ~ x + (1 | z)"),
    case("as many random effects as rows", "(1 + x | g) has 120 random effects (60 levels × 2 effects) for 120 rows: "
         "nothing separates them from the residual; drop an effect, as in (1 | g).",
         with_(g=np.arange(N) // 2), "y ~ x + (x | g)"),
    case("pupils within classes within schools, a row a pupil", "the grouping factor 'row:c:g' has one row a level "
         "(120 "
         "levels, 120 rows): nothing separates (1 | row:c:g) from the residual; group by a coarser column, or leave "
         "the "
         "term out.", with_(row=range(N)), "y ~ x + (1 | g/c/row)"),
    # ---- constants
    case("a constant response", "the response 'y' is constant (3 in all rows), so there is nothing to model: check the "
         "column.", with_(y=3)),
    case("a response that is its offset", "the response 'y' less its offset is constant (0 in all rows), so there is "
         "nothing to model: check the column.", offset="y"),
    case("a factor with one level", "the factor 'c' has only one level, 'lo', so its effect cannot be estimated: "
         "leave it "
         "out of the formula.", with_(c="lo"), "y ~ c + (1 | g)"),
    case("a factor with one level left", "the factor 'c' has only one level, 'lo', so its effect cannot be estimated: "
         "leave it out of the formula.", with_(c=good().c.where(good().c == "lo")), "y ~ x * c + (1 | g)"),
    case("a calculated factor with one level", "the term 'C(i)' has only one level, so it has no effect: leave it out.",
         with_(i=1), "y ~ C(i) + (1 | g)"),
    case("a factor with a level a row", "the factor 'c' has a different level in every row, so nothing is left for the "
         "residual: leave it out, or use a coarser column.", with_(c=[f"c{i}" for i in range(N)]), "y ~ c + (1 | g)"),
    case("a predictor of numbers stored as text", "the factor 'x' has numbers stored as text, a different one in every "
         "row, so nothing is left for the residual: convert it with data['x'].astype(float).",
         with_(x=good().x.astype(str))),
    # ---- names
    case("a missing column", f"the formula needs a column 'price', {NOT_IN} known are 'y', 'x', 'z', 'c', 'g', 'w'.",
         formula="y ~ price + (1 | g)"),
    case("a missing grouping column", f"the formula needs a column 'school', {NOT_IN} known are 'y', 'x', 'z', 'c', "
         "'g', "
         "'w'.", formula="y ~ x + (1 | school)"),
    case("a typo", f"the formula needs a column 'anxeity', {NOT_IN} did you mean 'anxiety'?",
         good().rename(columns={"y": "anxiety"}), "anxeity ~ x + (1 | g)"),
    case("a capital letter", f"the formula needs a column 'X', {NOT_IN} did you mean 'x'?", formula="y ~ X + (1 | g)"),
    case("a group in the index", f"the formula needs a column 'g', {NOT_IN} it is the index; make it a column with "
         "data.reset_index().", good().set_index("g")),
    case("two columns of one name", "the column name 'x' occurs more than once: rename one of the columns.",
         pd.concat([good(), good()[["x"]]], axis=1)),
    case("columns of columns", "the column names have several levels, such as ('a', 'y'): flatten them to one.",
         pd.concat({"a": good()}, axis=1)),
    case("a predictor called Intercept", caret("'Intercept' is what the constant is called: rename the column of that "
         "name", "y ~ Intercept + (1 | g)", 4), good().rename(columns={"x": "Intercept"}), "y ~ Intercept + (1 | g)",
         ms.FormulaError),
    # ---- formulas (many more in test_grammar)
    *(
        case(what, caret(sentence, formula, position), formula=formula, error=ms.FormulaError)
        for what, sentence, formula, position in [
            ("no tilde", "the formula has no '~': write the response, '~', then what explains it", "y + x + (1 | "
             "g)", 15),
            ("no random term", "the formula has no random term: add one such as (1 | group), or use ordinary least "
             "squares", "y ~ x", 5),
            ("a bar without parentheses", "a bar needs parentheses around its term, as in (1 | g)", "y ~ x + 1 | "
             "g", 10),
            ("a parenthesis left open", "this '(' is never closed: add ')'", "y ~ x + (1 | g", 8),
            ("a parenthesis too many", "this ')' closes nothing: remove it, or open it before", "y ~ x + (1 | g))", 15),
            ("two bars", "a random term has one bar, or '||' for uncorrelated effects", "y ~ x + (1 | g | h)", 15),
            ("nothing on the right", "nothing stands on the right of '~': write at least a random term such as (1 | g)",
             "y ~", 3),
            ("nothing on the left", "the response is missing: write its column name before '~'", "~ x + (1 | g)", 0),
            ("a trailing plus", "nothing follows this '+': remove it, or write a term", "y ~ x + (1 | g) +", 16),
            ("two operators", PLUS, "y ~ x + + (1 | g)", 8),
            ("a trailing times", "nothing stands between '*' and '+': remove one of the two", "y ~ x * + (1 | g)", 8),
            ("a missing operator", "an operator such as '+' is missing before 'z', or backticks around a name with a "
             "space", "y ~ x z + (1 | g)", 6),
            ("the response among the predictors", "the response 'y' also stands on the right-hand side: remove it "
             "there",
             "y ~ x + y + (1 | g)", 8),
            ("the response as group", "the response 'y' also stands on the right-hand side: remove it there",
             "y ~ x + (1 | y)", 13),
            ("the same term twice", "the term (1 | g) appears twice: remove one of the two",
             "y ~ x + (1 | g) + (1 | g)", 19),
            ("a term inside another", "the intercept varies by 'g' already in (1 + x | g): keep it in one of the terms",
             "y ~ x + (x | g) + (1 | g)", 19),
            ("a square without I()", "a power crosses a variable with itself, which gives nothing new: write I(x**2)",
             "y ~ x + x^2 + (1 | g)", 8),
            ("an offset in the formula", "the function 'offset' is not known here: give the offset as "
             "offset=\"column\" "
             "beside the formula", "y ~ x + offset(z) + (1 | g)", 8),
            ("R's factor()", "the function 'factor' is not known here: write C(...) for a category",
             "y ~ factor(c) + (1 | g)", 4),
        ]
    ),
    case("an empty formula", "the formula is empty: write one such as 'y ~ x + (1 | g)'.", formula="  ",
         error=ms.FormulaError),
    case("no formula", "the formula must be text, found NoneType: write one such as 'y ~ x + (1 | g)'.", formula=None,
         error=ms.FormulaError),
    case("the data before the formula", "the formula must be text, found DataFrame: it comes first, then the data.",
         MODEL, good(), ms.FormulaError),
    case("successes / trials", "the response 'y / x' is a number of successes over trials, which is a model for "
         "glmer; for "
         "lmer add the quotient as a column, or write I(...) around it.", formula="y / x ~ z + (1 | g)",
         error=ms.FormulaError),
    # ---- responses
    case("a response of text", "the response 'y' must be numeric, found text or categories such as 'hi': mend them, "
         "then "
         "convert it with data['y'].astype(float).", with_(y=good().c)),
    case("a response of numbers stored as text", "the response 'y' holds numbers stored as text or categories: "
         "convert it "
         "with data['y'].astype(float).", with_(y=good().y.astype(str))),
    case("a response of categories", "the response 'y' holds numbers stored as text or categories: convert it with "
         "data['y'].astype(float).", with_(y=pd.Categorical(good().y.round()))),
    case("one word in the response", "column 'y' holds different kinds of values, such as 'n/a' (str): make all of "
         "them "
         "numbers, or all text.", at("y", "n/a", 5)),
    case("a complex response", "column 'y' holds complex numbers: take their real part or modulus first.",
         with_(y=good().y * 1j)),
    case("a boolean response", "the response 'y' is boolean (True or False): use glmer with family='binomial', or "
         "convert "
         "it with data['y'].astype(float).", with_(y=good().y > 20)),
    case("a response of dates", "the response 'y' holds dates or times (datetime64[s]): turn them into a number, such "
         "as "
         "days, first.", with_(y=pd.date_range("2020", periods=N, unit="s"))),
    case("two responses", "the response 'poly(y, 2)' must be one column, found 2: choose one.",
         formula="poly(y, 2) ~ x + (1 | g)"),
    case("a predictor of lists", "column 'x' holds neither numbers nor text, such as [0] (list): make all of them "
         "numbers, or all text.", with_(x=[[0]] * N)),
    case("groups of mixed kinds", "column 'g' holds different kinds of values, such as 'a' (str): make all of them "
         "numbers, or all text.", with_(g=pd.Series([1, 2, "a"] * (N // 3), dtype=object))),
    # ---- too few rows
    case("as many coefficients as rows", "4 rows cannot carry 4 fixed effects and a residual: use more rows or fewer "
         "predictors.", good().iloc[[0, 1, 10, 12]].assign(q=[0, 1, 1, 3]), "y ~ x + z + q + (1 | g)"),
    case("too many levels of a factor", "20 rows cannot carry 20 fixed effects (16 of 'C(q)', 2 of 'c') "
         "and a residual: use more rows or fewer predictors.",
         good().iloc[:20].assign(q=np.arange(20) % 17), "y ~ C(q) + c + x + (1 | g)"),
    case("one row", "the grouping factor 'g' has only one level ('g00'): nothing can vary between levels; leave out "
         "(1 | g).", good().iloc[:1]),
    # ---- weights and offset
    case("too few weights", "weights must have one value for each of the 120 rows, found 3.", weights=[1, 2, 3]),
    case("one weight", "weights must have one value for each of the 120 rows, found a single number.", weights=2.0),
    case("a table of weights", "weights must have one value for each of the 120 rows, found shape (120, 1).",
         weights=np.ones((N, 1))),
    case("a negative weight", "weights must not be negative: row 4 holds -1 (1 such row); replace them.",
         weights=np.where(np.arange(N) == 4, -1, 1)),
    case("a missing weight", "weights must be finite numbers: row 4 holds nan (1 such row); replace them, or drop the "
         "rows.", weights=np.where(np.arange(N) == 4, np.nan, 1)),
    case("only zero weights", "all weights are zero: give positive ones.", weights=np.zeros(N)),
    case("weights of another table", "weights is a Series whose index is not that of the data: pass a column name, or "
         "its "
         "values.", weights=good().w.set_axis(range(1, N + 1))),
    case("weights in a missing column", f"weights names a column 'ww', {NOT_IN} did you mean 'w'?", weights="ww"),
    case("weights of text", "weights must be numbers, one a row, or the name of a numeric column, found the column "
         "'c'.",
         weights="c"),
    case("an offset of the wrong length", "offset must have one value for each of the 120 rows, found 119.",
         offset=np.zeros(N - 1)),
    case("an infinite offset", "offset must be finite numbers: row 0 holds inf (120 such rows); replace them, or drop "
         "the "
         "rows.", offset=np.inf),
    case("an offset of dates", "offset must be numbers, one a row, or the name of a numeric column, found the column "
         "'t'.", with_(t=pd.Timestamp("2020")), offset="t"),
    # ---- data that are no table
    case("a path that does not exist", "there is no file or folder 'sleep.csv', and data that are text must name one: "
         "check the path.", "sleep.csv"),
    case("a path that exists", f"the file {__file__!r} ends in none of .parquet, .pq, .csv: read it first, as with "
         "pandas, or write it as Parquet.", __file__),
    case("an array", "the data must be a table, found ndarray: pass a DataFrame, a mapping of columns or a list of "
         "records.", np.zeros((3, 3))),
    case("lists of unequal length", "the columns of the data have different lengths ('y' 2, 'x' 1, 'g' 1): "
         "give each one value a row.",
         {"y": [1, 2], "x": [1], "g": [1]}),
    case("a sample, not its data", "the data must be a table, found Sample: pass its .data.",
         type("Sample", (), {"data": good()})()),
]


@pytest.mark.parametrize(("formula", "table", "more", "error", "sentence"), ERRORS)
def test_an_error_is_one_sentence(formula, table, more, error, sentence):
    with pytest.raises(error) as caught:
        ms.lmer(formula, table, **more)
    said = str(caught.value)
    assert said == sentence if sentence.endswith((".", "?", "^")) else said.startswith(sentence)


MESSAGES = [
    case("missing values", "10 of 120 rows were dropped because of missing values (g 1, x 9).",
         at("x", np.nan, *range(9)).assign(g=at("g", None, 100).g)),
    case("zero weights", "2 of 120 rows were dropped because their weight is zero.",
         weights=np.where(np.arange(N) < 2, 0.0, 1.0)),
    case("a constant predictor", "'x' was dropped from the fixed effects: it depends linearly on earlier columns.",
         with_(x=2.5)),
    case("an inexact constant", "'x' was dropped from the fixed effects: it depends linearly on earlier columns.",
         with_(x=0.1)),
    case("collinear predictors", "'z', 'u' were dropped from the fixed effects: they depend linearly on earlier "
         "columns.",
         with_(z=2 * good().x + 1, u=good().x / 3), "y ~ x + z + u + (1 | g)"),
    case("an empty cell of an interaction", "'c[T.mid]:k[T.v]' was dropped from the fixed effects: it depends "
         "linearly on "
         "earlier columns.", with_(k=np.where((good().c != "mid") & (good().w > 1), "v", "u")), "y ~ c * k + (1 | g)"),
    case("fewer than five groups", "'c' has only 3 levels: its standard deviation is known very poorly from so few; "
         "consider it as a fixed effect.", formula="y ~ x + (1 | c) + (1 | g)"),
    case("a date", "the dates or times in 'x' enter as days, so its slope is a change per day.",
         with_(x=pd.date_range("2020-01-01", periods=N))),
    case("numbers stored as text", "'x' holds numbers stored as text and enters as a factor of 12 levels; for a slope "
         "convert it with data['x'].astype(float).", with_(x=[f"{i % 12 / 4}" for i in range(N)])),
    case("digits that rounding took", "the values of 'x' lie near 1e+15 but only ", with_(x=good().x + 1e15)),
    case("uncorrelated effects that overlap", "(1 | g) and (0 + c | g) overlap: ", formula="y ~ x + (c || g)"),
    case("zero variance", "singular fit: the standard deviation of Intercept by 'g' is estimated as zero: ",
         with_(y=2 * good().x + np.resize([1.0, -1.0], N))),
    case("perfect correlation", "singular fit: the correlation of Intercept and x by 'g' is estimated as ",
         with_(y=0.3 * good().g.str[1:].astype(int) * (good().x - 5) + np.resize([1.0, -1.0], N)), "y ~ x + (x | g)"),
]


@pytest.mark.parametrize(("formula", "table", "more", "error", "sentence"), MESSAGES)
def test_a_message_stands_with_the_fit_and_in_its_summary(formula, table, more, error, sentence):
    fit = ms.lmer(formula, table, **more)
    said = next((m for m in fit.messages if m.startswith(sentence)), None)
    assert said is not None, fit.messages
    assert said in str(fit.summary())
    assert np.isfinite(fit.fixef).all()
    assert np.isfinite(fit.deviance)
    assert "Intercept" in fit.fixef.index


def test_a_good_fit_has_nothing_to_say(data):
    assert ms.lmer(MODEL, data).messages == ()


def test_what_the_formula_does_not_read_may_be_anything(data):
    data["other"] = np.inf
    data["more"] = [[1]] * N
    assert ms.lmer(MODEL, data).fixef.equals(ms.lmer(MODEL, good()).fixef)


# ---- what works, and gives the same numbers

SAME = 1e-7  # relative: centring and scaling inside leave rounding of x itself, 1e8 × 2e-16 of its spread
KINDS = {
    "a dict of lists": lambda d: d.to_dict("list"),
    "a dict of arrays": lambda d: {name: column.to_numpy() for name, column in d.items()},
    "a list of records": lambda d: d.to_dict("records"),
    "float32-free objects": lambda d: d.astype(object),
    "nullable dtypes": lambda d: d.convert_dtypes(),
    "categories": lambda d: d.astype({"g": "category", "c": "category"}),
    "unused levels": lambda d: d.assign(c=pd.Categorical(d["c"], categories=["never", "hi", "lo", "mid", "nor"])),
    "an index with repeats": lambda d: d.set_axis(np.zeros(N, dtype=int)),
    "an index of two levels": lambda d: d.set_axis(pd.MultiIndex.from_product([range(12), range(10)])),
    "rows in another order": lambda d: d.sample(frac=1, random_state=1),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_the_same_table_in_other_clothes_is_the_same_fit(data, kind):
    plain = ms.lmer("y ~ x * c + (x | g)", data)
    other = ms.lmer("y ~ x * c + (x | g)", kind(data))
    assert list(other.fixef.index) == list(plain.fixef.index)
    np.testing.assert_allclose(other.fixef, plain.fixef, rtol=1e-8)
    assert other.deviance == pytest.approx(plain.deviance, rel=1e-10)
    assert other.messages == plain.messages


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_tables_of_other_libraries_work(data, library):
    module = pytest.importorskip(library)
    pytest.importorskip("pyarrow", reason="polars becomes pandas through pyarrow")
    table = module.from_pandas(data) if library == "polars" else module.Table.from_pandas(data)
    np.testing.assert_allclose(ms.lmer(MODEL, table).fixef, ms.lmer(MODEL, data).fixef, rtol=1e-10)


@pytest.mark.parametrize("formula", [MODEL, "y ~ x + z + c + (1 | g)", "y ~ x + (x | g)"])
@pytest.mark.parametrize("shift", [1e3, 1e6, 1e8])
def test_a_predictor_far_from_zero_has_the_same_slope(data, formula, shift):
    here, there = ms.lmer(formula, data), ms.lmer(formula, data.assign(x=data["x"] + shift))
    assert there.messages == here.messages
    a, b = here.coefficients().loc["x"], there.coefficients().loc["x"]
    parts = ["estimate", "se", "df", "t"]  # p is far out in a tail, where a digit of t costs many
    np.testing.assert_allclose(b[parts], a[parts], rtol=SAME)
    assert there.deviance == pytest.approx(here.deviance, rel=SAME)


@pytest.mark.parametrize("formula", [MODEL, "y ~ x * z + (x | g)", "y ~ 0 + x + (0 + x | g)"])
@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1e9, 1e60])
def test_the_unit_of_a_predictor_scales_its_slope(data, formula, unit):
    here, there = ms.lmer(formula, data), ms.lmer(formula, data.assign(x=data["x"] * unit))
    a, b = here.coefficients().loc["x"], there.coefficients().loc["x"]
    assert b["estimate"] * unit == pytest.approx(a["estimate"], rel=SAME)
    assert b["se"] * unit == pytest.approx(a["se"], rel=SAME)
    assert (b["df"], b["t"], b["p"]) == pytest.approx((a["df"], a["t"], a["p"]), rel=1e-5)
    assert there.messages == here.messages


@pytest.mark.parametrize("formula", [MODEL, "y ~ x + (x | g)", "y ~ 0 + x + (1 | g)"])
@pytest.mark.parametrize("unit", [1e-9, 1e9, -1.0])
def test_the_unit_of_the_response_scales_the_fit(data, formula, unit):
    here, there = ms.lmer(formula, data), ms.lmer(formula, data.assign(y=data["y"] * unit))
    a, b = here.coefficients(), there.coefficients()
    np.testing.assert_allclose(b["estimate"], a["estimate"] * unit, rtol=SAME)
    np.testing.assert_allclose(b["se"], a["se"] * abs(unit), rtol=SAME)
    np.testing.assert_allclose(b["df"], a["df"], rtol=1e-5)
    assert there.sigma == pytest.approx(here.sigma * abs(unit), rel=SAME)
    np.testing.assert_allclose(there.theta, here.theta, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    "dates",
    [
        pd.Series(pd.date_range("2020-01-01", periods=N)),
        pd.Series(pd.date_range("2020-01-01", periods=N, tz="Asia/Tokyo")),
        pd.Series([datetime.date(2020, 1, 1) + datetime.timedelta(days=i) for i in range(N)]),
        pd.Series(pd.to_timedelta(np.arange(N), unit="D")),
    ],
    ids=["timestamps", "with a time zone", "date objects", "durations"],
)
def test_a_date_has_a_slope_per_day(data, dates):
    by_number = ms.lmer("y ~ t + (1 | g)", data.assign(t=np.arange(N))).coefficients().loc["t"]
    fit = ms.lmer("y ~ t + (1 | g)", data.assign(t=dates))
    np.testing.assert_allclose(fit.coefficients().loc["t"], by_number, rtol=SAME)
    assert fit.messages == ("the dates or times in 't' enter as days, so its slope is a change per day.",)
    np.testing.assert_allclose(fit.predict(data.assign(t=dates)), fit.predict(), rtol=1e-10)


def test_zero_weights_are_rows_that_are_not_there(data):
    zero = ms.lmer(MODEL, data, weights=np.where(np.arange(N) % 3 == 0, 0.0, data["w"]))
    rest = data[np.arange(N) % 3 != 0]
    without = ms.lmer(MODEL, rest, weights="w")
    np.testing.assert_allclose(zero.fixef, without.fixef, rtol=1e-10)
    assert zero.deviance == pytest.approx(without.deviance)
    assert zero.nobs == len(rest)
    assert zero.residuals().index.equals(rest.index)


def test_a_dropped_column_changes_nothing_else(data):
    plain = ms.lmer(MODEL, data)
    doubled = ms.lmer("y ~ x + again + (1 | g)", data.assign(again=3 * data["x"] - 1))
    np.testing.assert_allclose(doubled.fixef, plain.fixef, rtol=1e-9)
    np.testing.assert_allclose(doubled.predict(), plain.predict(), rtol=1e-9)
    np.testing.assert_allclose(doubled.predict(data.assign(again=0.0)), plain.predict(), rtol=1e-9)


def test_150_predictors(data):
    rng = np.random.default_rng(3)
    many = pd.DataFrame(rng.normal(size=(400, 150)), columns=[f"predictor number {i}" for i in range(150)])
    many["g"] = np.repeat(np.arange(20), 20)
    many["y"] = many.iloc[:, :150].sum(axis=1) + rng.normal(size=20).repeat(20) + rng.normal(size=400)
    fit = ms.lmer("y ~ " + " + ".join(f"`{name}`" for name in many.columns[:150]) + " + (1 | g)", many)
    assert fit.converged
    assert len(fit.fixef) == 151
    assert (np.abs(fit.fixef.iloc[1:] - 1) < 5 * np.sqrt(np.diag(fit.vcov))[1:]).all()


def test_a_formula_of_5000_terms_says_the_limit():
    with pytest.raises(ms.FormulaError, match=r"^the formula stands for more than 2000 terms: cross fewer variables"):
        ms.lmer("y ~ " + " + ".join(f"x{i}" for i in range(5000)) + " + (1 | g)", good())


def test_two_thousand_nested_parentheses_are_no_recursion_error():
    with pytest.raises(ms.FormulaError, match=r"^more than 50 brackets within brackets: simplify the formula"):
        ms.lmer("y ~ " + "(" * 2000 + "x" + ")" * 2000 + " + (1 | g)", good())


@pytest.mark.parametrize("formula", ["my.y ~ my.x + (my.x || my.g)", "`my.y` ~ `my.x` + (`my.x` || `my.g`)"])
def test_names_with_dots_work(data, formula):
    fit = ms.lmer(formula, data.rename(columns={"y": "my.y", "x": "my.x", "g": "my.g"}))
    np.testing.assert_allclose(fit.fixef, ms.lmer("y ~ x + (x || g)", data).fixef)
    assert list(fit.ranef) == ["my.g"]


def test_names_with_spaces_work(data):
    fit = ms.lmer("`my y` ~ `my x` + (1 | `my g`)", data.rename(columns={"y": "my y", "x": "my x", "g": "my g"}))
    np.testing.assert_allclose(fit.fixef, ms.lmer(MODEL, data).fixef)
    assert list(fit.fixef.index) == ["Intercept", "my x"]


@pytest.mark.parametrize(
    ("change", "more", "sentence"),
    [
        ({"g": "g99"}, {}, "'g' has levels that the model was not fitted on: 'g99'; use random=False to predict the "
         "population mean for them, or allow_new_levels=True to do so for these rows alone."),
        ({"c": "new"}, {"random": False}, "column 'c' has levels that the model was not fitted on: 'new'; known are "
         "'hi', "
         "'lo', 'mid'."),
        ({"x": "five"}, {}, "column 'x' held numbers when the model was fitted: convert it to numbers."),
    ],
    ids=["an unseen group", "an unseen category", "text in place of numbers"],
)  # fmt: skip
def test_predicting_for_what_was_not_seen(data, change, more, sentence):
    fit = ms.lmer("y ~ x + c + (1 | g)", data)
    with pytest.raises(ms.DataError) as caught:
        fit.predict(data.iloc[:2].assign(**change), **more)
    assert str(caught.value) == sentence


def test_an_unseen_group_is_predicted_at_the_population_mean(data):
    fit = ms.lmer("y ~ x + c + (1 | g)", data)
    np.testing.assert_allclose(
        fit.predict(data.iloc[:3].assign(g="new"), random=False), fit.predict(data.iloc[:3], random=False)
    )


def test_a_missing_predictor_has_a_missing_prediction(data):
    fit = ms.lmer("y ~ x + c + (1 | g)", data)
    new = data.iloc[:3].assign(x=[5.0, np.nan, 5.0], c=["lo", "lo", None])
    assert fit.predict(new).isna().tolist() == [False, True, True]
