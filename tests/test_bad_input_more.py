"""More of what people type and pass to `ms.lmer`: formulas in full, names of every alphabet, tables of every shape.

As in test_bad_input: an error is one sentence that names the culprit, what was found and how to mend it; it stands
alone, without a chain of some library's errors behind it; nothing is printed and no warning escapes.
"""

from __future__ import annotations

import datetime
import traceback
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from tests.rows import N, good, with_

MODEL = "y ~ x + (1 | g)"


def said(error, formula=MODEL, data=None, **more):
    """What the error of that kind says; it must be alone."""
    with pytest.raises(error) as caught:
        ms.lmer(formula, good() if data is None else data, **more)
    printed = "".join(traceback.format_exception(caught.value))
    assert "During handling" not in printed
    assert "direct cause" not in printed
    return str(caught.value)


@pytest.fixture(autouse=True)
def _nothing_is_printed(capsys):
    yield
    assert capsys.readouterr() == ("", "")


# ---- formulas: ▲ stands before the character under which the caret belongs

COMPUTE = "compute it as a column of the data first, then name the column"
CODING = (
    "this is no coding that C(...) knows: contrasts are Sum, Helmert, Diff, Poly or Treatment('level'), as in C(x, Sum)"
)
NOTHING_READ = "this calculation reads no column of the data: leave it out"
LISTED = "columns cannot be listed inside a calculation: name one, and join terms by '+'"
SLIPS = [
    # names
    ("y ~ ▲True + (1 | g)", "'True' is a word of Python's: put backticks around a column of that name"),
    ("y ~ x:▲None + (1 | g)", "'None' is a word of Python's: put backticks around a column of that name"),
    ("y ~ x + (▲in | g)", "'in' is a word of Python's: put backticks around a column of that name"),
    ("y ~ x + ▲np.pi + (1 | g)", "'np.pi' is no column: use it inside a calculation, as in I(np.pi * x)"),
    ("y ~ log(▲class) + (1 | g)",
     "a calculation cannot read 'class', which is a word of Python's: rename the column"),
    ("y ~ log(▲`class`) + (1 | g)",
     "a calculation cannot read 'class', which is a word of Python's: rename the column"),
    ("y ~ log(▲µg) + (1 | g)", "a calculation reads 'µg' as 'μg': rename the column so"),
    ("y ~ x + (I(2 * ▲`ﬁ n`) | g)", "a calculation reads 'ﬁ n' as 'fi n': rename the column so"),
    ("y ~ log(▲e\u0301t) + (1 | g)", "a calculation reads 'e\u0301t' as 'ét': rename the column so"),
    ("y ~ e▲\u0301t + (1 | g)", "this letter is made of two characters: put backticks around the name"),
    ("y ~ ▲`` + (1 | g)", "no name stands between these backticks: write one, or remove them"),
    ("y ~ x + (1 | ▲``)", "no name stands between these backticks: write one, or remove them"),
    # characters that nobody sees
    ("▲\ufeffy ~ x + (1 | g)", "an invisible character (U+FEFF) stands here: type the formula again"),
    ("y ~ ▲\u200bx + (1 | g)", "an invisible character (U+200B) stands here: type the formula again"),
    ("y ~ log(x▲\0) + (1 | g)", "an invisible character (U+0000) stands here: type the formula again"),
    # what is removed must be there
    ("y ~ x - ▲z + (1 | g)", "there is no fixed effect 'z' to remove: there are 1, x"),
    ("y ~ -▲x + (1 | g)", "there is no fixed effect 'x' to remove: there are 1"),
    ("y ~ x * z - ▲x:c + (1 | g)", "there is no fixed effect 'x:c' to remove: there are 1, x, z, x:z"),
    # calculations
    ("y ~ ▲log(x, 2) + (1 | g)",
     "'log' takes one column, found 2 arguments: another base is written I(log(x) / log(2))"),
    ("y ~ ▲log(x, z) + (1 | g)",
     "'log' takes one column, found 2 arguments: another base is written I(log(x) / log(2))"),
    ("y ~ ▲log() + (1 | g)", "'log' needs a column: name it between the brackets"),
    ("y ~ ▲log(x=x) + (1 | g)", "'log' takes one column, found a keyword: leave the rest out"),
    ("y ~ I(2 * ▲sqrt(x, z)) + (1 | g)", "'sqrt' takes one column, found 2 arguments: leave the rest out"),
    ("y ~ ▲center(x, z) + (1 | g)", "'center' takes one column, found 2 arguments: leave the rest out"),
    ("y ~ ▲I(x, z) + (1 | g)", "'I' takes one column, found 2 arguments: leave the rest out"),
    ("y ~ ▲C() + (1 | g)", "'C' needs a column: name it between the brackets"),
    ("y ~ ▲I(1) + (1 | g)", NOTHING_READ),
    ("y ~ x + ▲I('lo') + (1 | g)", NOTHING_READ),
    ("y ~ x + (▲log(2) | g)", NOTHING_READ),
    ("y ~ I(▲(x, z)) + (1 | g)", LISTED),
    ("▲(y, z) ~ x + (1 | g)", LISTED),
    ("▲[y] ~ x + (1 | g)", LISTED),
    ("y ~ I(▲0 < x < 5) + (1 | g)", "a comparison has two sides: write I((0 < x) & (x < 5)) for both"),
    ("y ~ I(▲not x) + (1 | g)", "'not' is written '~' here, as in I(~(x > 0))"),
    ("y ~ I(▲c in z) + (1 | g)", "membership is written np.isin(x, ['a', 'b'])"),
    ("y ~ I(▲x is None) + (1 | g)", "equality is written '==' here"),
    ("y ~ I(▲x and z) + (1 | g)", f"a formula cannot do this calculation: {COMPUTE}"),
    ("y ~ I(x @ z▲) + (1 | g)", None),
    ("y ~ ▲C(c, sum) + (1 | g)", CODING),
    ("y ~ ▲C(c, 3) + (1 | g)", CODING),
    ("y ~ ▲C(c, 'lo') + (1 | g)", CODING),
    ("y ~ ▲C(c, contrasts=Treatment) + (1 | g)", CODING),
    # habits from elsewhere
    ("y ~ x + ▲weights(w) + (1 | g)",
     "the function 'weights' is not known here: give the weights as weights=\"column\" beside the formula"),
    ("y ~ x + (1/g)▲", "the formula has no random term: add one such as (1 | group), or use ordinary least squares"),
    ("y ~ x + ▲<1 | g>", None),
    ("y ~ data▲['x'] + (1 | g)", "only round brackets are part of the grammar: write '(' and ')'"),
    ("y ~ ▲{x} + (1 | g)", "only round brackets are part of the grammar: write '(' and ')'"),
    ("y ~ x + (1 | g/▲g)", None),
]


@pytest.mark.parametrize(("marked", "sentence"), SLIPS, ids=[ascii(marked) for marked, _ in SLIPS])
def test_a_slip_gets_one_sentence_and_a_caret(marked, sentence):
    formula = marked.replace("▲", "")
    message = said(ms.FormulaError, formula)
    first, shown, caret = message.split("\n")
    assert shown == f"    {formula}"
    assert caret.strip() == "^"
    if sentence is not None:
        assert first == f"{sentence}."
        assert len(caret) - 5 == marked.index("▲")


@pytest.mark.parametrize(
    ("formula", "sentence"),
    [
        (b"y ~ x + (1 | g)", "the formula must be text, found bytes: write one such as 'y ~ x + (1 | g)'."),
        (5, "the formula must be text, found int: write one such as 'y ~ x + (1 | g)'."),
        (["y ~ x + (1 | g)"], "the formula must be text, found list: write one such as 'y ~ x + (1 | g)'."),
        ("\n\t ", "the formula is empty: write one such as 'y ~ x + (1 | g)'."),
    ],
)
def test_a_formula_is_text(formula, sentence):
    assert said(ms.FormulaError, formula) == sentence


@pytest.mark.parametrize("seed", range(40))
def test_ten_thousand_characters_of_garbage_are_one_sentence(seed):
    """Random letters, operators and brackets: an error of our own, shown in a line that fits a screen."""
    rng = np.random.default_rng(seed)
    pieces = rng.choice([*"xz10g +-*:/^|()`'.", "log("], 10_000, p=rng.dirichlet(np.ones(19)))
    message = said(ms.MixedsimError, f"y ~ {''.join(pieces)[:10_000]}")
    assert len(message) < 400


def test_a_garbled_good_formula_is_read_or_refused():
    """Every way to lose, double or swap one character of a good formula."""
    text = "log(y) ~ x * C(c, Sum) + poly(z, 2) + (1 + x || g/c)"
    for i in range(len(text)):
        for changed in (text[:i] + text[i + 1 :], text[:i] + text[i] * 2 + text[i + 1 :],
                        text[:i] + text[i + 1 : i + 2] + text[i] + text[i + 2 :]):  # fmt: skip
            with suppress(ms.MixedsimError):
                ms.lmer(changed, good())


def test_two_thousand_terms_are_read():
    """10,000 characters and more of valid terms: here the same ones again and again."""
    plain = ms.lmer("y ~ x + z + log(w) + (1 | g)", good())
    again = ms.lmer("y ~ " + " + ".join(["x", "z", "log(w)"] * 660) + " + (1 | g)", good())
    pd.testing.assert_series_equal(again.fixef, plain.fixef)


def test_two_thousand_terms_of_which_one_is_missing():
    many = " + ".join([*(["x", "z"] * 900), "wanting"])
    assert said(ms.DataError, f"y ~ {many} + (1 | g)") == (
        "the formula needs a column 'wanting', which the data do not have: known are 'y', 'x', 'z', 'c', 'g', 'w'."
    )


def test_more_predictors_than_rows():
    data = pd.DataFrame(np.random.default_rng(1).normal(size=(N, 300))).add_prefix("x").assign(y=good().y, g=good().g)
    formula = "y ~ " + " + ".join(f"x{i}" for i in range(300)) + " + (1 | g)"
    assert said(ms.DataError, formula, data) == (
        "120 rows cannot carry 120 fixed effects and a residual: use more rows or fewer predictors."
    )


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ x + (1 | g) + (1 | g:c) - 1 + 1",
        "y ~ x*z - x:z + (1 | g)",
        "y ~ I((x > 5) | (z > 0)) + (1 | g)",
        "y ~ I(((x > 5) & (z > 0)) | (x > 6)) + (1 | g)",
        "y ~ np.power(x, 2) + (1 | g)",
        "y ~ np.where(x > 5, 1, 0) + (1 | g)",
        "y ~ scale(x, center=False) + (1 | g)",
        "y ~ C(c, levels=['hi', 'mid', 'lo']) + (1 | g)",
        "y ~ C(c, [[1, 0], [0, 1], [0, 0]]) + (1 | g)",
        "y ~ C(c, {'low': [1, -1, 0]}) + (1 | g)",
        "y ~ C(c, Treatment(reference='mid')) + (1 | g)",
        "y ~ bs(x, knots=(4.5, 5.5)) + (1 | g)",
        "y - z ~ x + (1 | g)",
        "y ~ x +\r\n\t(1 | g)\n",
        "y ~ x + ((1 | g))",
    ],
)
def test_what_is_allowed_is_fitted(formula):
    assert np.isfinite(ms.lmer(formula, good()).fixef).all()


# ---- names

NAMES = ["größe", "Δt", "身長", "हिन्दी", "e\u0301t", "µg", "😀", "x²", "class", "True", "in", "None", "log", "C", "I",
         "np", "Sum", "a b", "a-b", "a:b", "a|b", "a~b", "(a)", "a'b", 'a"b', "1a", "x[T.b]", "%", "#", " a ", "a\nb",
         "{0}", "\u200bx", "_", "__class__", "0"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=map(ascii, NAMES))
def test_any_name_works_in_backticks(name):
    """As predictor, varying effect and group, and again when predicting; the name comes back as it was."""
    plain = ms.lmer("y ~ x + (x || g)", good())
    data = good().rename(columns={"x": name})
    fit = ms.lmer(f"y ~ `{name}` + (`{name}` || g)", data)
    assert list(fit.fixef.index) == ["Intercept", name]
    np.testing.assert_allclose(fit.fixef, plain.fixef, rtol=1e-9)
    np.testing.assert_allclose(fit.predict(data), plain.predict(), rtol=1e-9)
    assert list(fit.update(". ~ . + z").fixef.index) == ["Intercept", name, "z"]
    grouped = ms.lmer(f"y ~ x + (1 | `{name}`)", good().rename(columns={"g": name}))
    assert list(grouped.ranef) == [name]


@pytest.mark.parametrize("name", ["log", "C", "I", "np", "exp", "scale", "poly", "Sum", "contr", "class", "größe"])
def test_plain_names_work_bare_even_if_functions_are_called_so(name):
    data = good().rename(columns={"x": name})
    fit = ms.lmer(f"y ~ {name} + ({name} | g)", data)
    np.testing.assert_allclose(fit.fixef, ms.lmer("y ~ x + (x | g)", good()).fixef, rtol=1e-9)
    ms.lmer(f"{name} ~ z + (1 | g)", data)


def test_a_function_that_is_a_column_too():
    data = good().rename(columns={"z": "log"})
    assert said(ms.FormulaError, "y ~ log + log(x) + (1 | g)", data).startswith(
        "'log' is a column here and a function too: rename the column.\n"
    )


@pytest.mark.parametrize("name", ["Intercept", "1"])
def test_the_constants_name_is_taken(name):
    """For effects; a response or a grouping factor may be called so."""
    for formula in (f"y ~ `{name}` + (1 | g)", f"y ~ x + (`{name}` | g)"):
        sentence = said(ms.FormulaError, formula, good().rename(columns={"z": name}))
        assert sentence.startswith(f"{name!r} is what the constant is called: rename the column of that name.\n")
    assert list(ms.lmer(f"y ~ x + (1 | `{name}`)", good().rename(columns={"g": name})).ranef) == [name]
    assert np.isfinite(ms.lmer(f"`{name}` ~ x + (1 | g)", good().rename(columns={"y": name})).sigma)


@pytest.mark.parametrize(
    ("columns", "formula", "sentence"),
    [
        ({"x": 1}, "y ~ `2` + (1 | g)", "known are 'y', '1', 'z', 'c', 'g', 'w'."),
        ({"x": 2}, "y ~ `2` + (1 | g)",
         "their name 2 is a number; make names text with data.columns.astype(str)."),
        ({"x": " 2"}, "y ~ `2` + (1 | g)", "did you mean ' 2'?"),
    ],
)  # fmt: skip
def test_columns_whose_names_are_numbers(columns, formula, sentence):
    assert said(ms.DataError, formula, good().rename(columns=columns)) == (
        f"the formula needs a column '2', which the data do not have: {sentence}"
    )


# ---- tables

TABLES = [
    ("no columns but rows", pd.DataFrame(index=range(5)),
     "the formula needs a column 'g', which the data do not have: there are none."),
    ("an empty mapping", {}, "the data have no rows: check how they were read or filtered."),
    ("an empty list", [], "the data have no rows: check how they were read or filtered."),
    ("a number", 5,
     "the data must be a table, found int: pass a DataFrame, a mapping of columns or a list of records."),
    ("a list of lists", [[1, 2, 3]],
     "the data must be a table, found list: pass a DataFrame, a mapping of columns or a list of records."),
    ("a series", good().y,
     "the data must be a table, found Series: pass a DataFrame, a mapping of columns or a list of records."),
    ("groups of a table", good().groupby("g"),
     "the data must be a table, found DataFrameGroupBy: pass a DataFrame, a mapping of columns or a list of records."),
    ("a generator", ({"y": i} for i in range(3)),
     "the data must be a table, found generator: pass a DataFrame, a mapping of columns or a list of records."),
    ("columns that are tables", {"y": [1.0, 2.0], "x": np.ones((2, 2)), "g": [1, 2]},
     "the data do not form a table: Per-column arrays must each be 1-dimensional."),
    ("a table that needs a library", type("Frame", (), {"to_pandas": lambda _: __import__("pyarroww")})(),
     "this Frame cannot become a pandas DataFrame: No module named 'pyarroww'."),
    ("the group in a MultiIndex", good().set_index(["g", "c"]),
     "the formula needs a column 'g', which the data do not have: it is the index; make it a column with "
     "data.reset_index()."),
    ("an unused column twice", pd.concat([good(), good()[["z"]]], axis=1),
     "the column name 'z' occurs more than once: rename one of the columns."),
]  # fmt: skip


@pytest.mark.parametrize(("table", "sentence"), [t[1:] for t in TABLES], ids=[t[0] for t in TABLES])
def test_a_table_that_is_none(table, sentence):
    assert said(ms.DataError, data=table) == sentence


def test_rows_are_named_as_the_index_names_them():
    hole = good().assign(x=np.where(np.arange(N) == 15, np.inf, good().x))
    named = {
        "(1, 5)": pd.MultiIndex.from_product([range(12), range(10)]),
        "'row 15'": [f"row {i}" for i in range(N)],
        "Timestamp('2020-01-16 00:00:00')": pd.date_range("2020-01-01", periods=N),
        "0": np.zeros(N, dtype=int),
    }
    for name, index in named.items():
        assert said(ms.DataError, data=hole.set_axis(index)) == (
            f"column 'x' holds infinite values: row {name} holds inf (1 such row); replace or remove them."
        )


def test_few_rows():
    assert said(ms.DataError, data=good().iloc[[0, 10]]) == (
        "the grouping factor 'g' has one row a level (2 levels, 2 rows): nothing separates (1 | g) from the residual; "
        "group by a coarser column, or leave the term out."
    )
    assert said(ms.DataError, data=good().iloc[:2]) == (
        "the grouping factor 'g' has only one level ('g00'): nothing can vary between levels; leave out (1 | g)."
    )


# ---- what columns hold

ODD_VALUES = [
    ("dictionaries", {"a": 0}, "{'a': 0} (dict)"),
    ("tuples", (0, 1), "(0, 1) (tuple)"),
    ("sets", {0}, "{0} (set)"),
    ("bytes", b"a", "b'a' (bytes)"),
    ("arrays", np.array([0, 2]), "array([0, 2]) (ndarray)"),
    ("times of day", datetime.time(8, 30), "datetime.time(8, 30) (time)"),
    ("fractions", Fraction(1, 3), "Fraction(1, 3) (Fraction)"),
    ("long lists", list(range(1000)),
     "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14… 998, 999] (list)"),
]  # fmt: skip


@pytest.mark.parametrize("column", ["y", "x", "g"])
@pytest.mark.parametrize(("value", "found"), [v[1:] for v in ODD_VALUES], ids=[v[0] for v in ODD_VALUES])
def test_a_column_of_odd_values(column, value, found):
    values = np.empty(N, dtype=object)
    values[:] = [value] * N
    assert said(ms.DataError, data=with_(**{column: pd.Series(list(values), dtype=object)})) == (
        f"column {column!r} holds neither numbers nor text, such as {found}: make all of them numbers, or all text."
    )


def test_values_are_cut_where_they_are_shown():
    assert said(ms.DataError, data=with_(g="a" * 5000)) == (
        f"the grouping factor 'g' has only one level ('{'a' * 48}…{'a' * 9}'): nothing can vary between levels; leave "
        "out (1 | g)."
    )


NULLABLE = {
    "Float64": lambda d: d.assign(x=d["x"].astype("Float64").where(d.index != 3)),
    "Int64": lambda d: d.assign(x=d["x"].round().astype("Int64").where(d.index != 3)),
    "boolean": lambda d: d.assign(x=(d["x"] > 5).astype("boolean").where(d.index != 3)),
    "string": lambda d: d.assign(x=d["c"].astype("string").where(d.index != 3)),
    "category": lambda d: d.assign(x=d["c"].astype("category").where(d.index != 3)),
    "decimal": lambda d: d.assign(x=d["x"].map(lambda v: Decimal(str(v))).where(d.index != 3)),
}


@pytest.mark.parametrize("kind", NULLABLE.values(), ids=NULLABLE.keys())
def test_a_gap_of_any_kind_is_a_row_less(kind):
    data = kind(good())
    fit = ms.lmer(MODEL, data)
    assert fit.messages[0] == "1 of 120 rows were dropped because of missing values (x 1)."
    np.testing.assert_allclose(fit.fixef, ms.lmer(MODEL, data.drop(index=3)).fixef, rtol=1e-9)


GROUPS = {
    "float with NaN": lambda g: pd.Series(g, dtype=float).where(g > 0),
    "Int64 with NA": lambda g: pd.Series(g, dtype="Int64").where(g > 0),
    "string with NA": lambda g: pd.Series(g).astype("string").where(g > 0),
    "text with None": lambda g: pd.Series([f"g{k}" if k else None for k in g], dtype=object),
    "text with NaN": lambda g: pd.Series([f"g{k}" if k else np.nan for k in g], dtype=object),
    "category with NaN": lambda g: pd.Series(pd.Categorical.from_codes(g - 1, [f"g{k}" for k in range(1, 12)])),
    "dates with NaT": lambda g: (pd.Timestamp("2020-01-01") + pd.Series(pd.to_timedelta(g, unit="D"))).where(g > 0),
}


@pytest.mark.parametrize("kind", GROUPS.values(), ids=GROUPS.keys())
def test_a_group_without_a_name_is_no_group(kind):
    fit = ms.lmer(MODEL, with_(g=kind(np.arange(N) // 10)))
    assert fit.messages == ("10 of 120 rows were dropped because of missing values (g 10).",)
    assert fit.n_groups == {"g": 11}
    np.testing.assert_allclose(fit.fixef, ms.lmer(MODEL, good().iloc[10:]).fixef, rtol=1e-9)


@pytest.mark.parametrize("dtype", ["Float64", "string", "boolean", "category", "datetime64[ns]", object])
@pytest.mark.parametrize("column", ["y", "x", "g"])
def test_a_column_without_values(column, dtype):
    empty = pd.Series([None] * N, dtype=dtype)
    assert said(ms.DataError, data=with_(**{column: empty})) == (
        f"column {column!r} has no values, all 120 are missing: check how it was read."
    )


# ---- predicting for columns of another kind


@pytest.mark.parametrize(
    ("fitted", "new", "sentence"),
    [
        (list(range(12)), ["1"], "'g' holds '1' (str) where the model was fitted to 1: convert the column to the kind "
         "that it was."),
        ([str(i) for i in range(12)], [1], "'g' holds 1 (int64) where the model was fitted to '1': convert the column "
         "to the kind that it was."),
        (list(range(12)), [0.5], "'g' has levels that the model was not fitted on: 0.5; use random=False to predict "
         "the population mean for them, or allow_new_levels=True to do so for these rows alone."),
    ],
)  # fmt: skip
def test_a_group_of_another_kind(fitted, new, sentence):
    fit = ms.lmer(MODEL, with_(g=np.repeat(fitted, 10)))
    with pytest.raises(ms.DataError) as caught:
        fit.predict({"x": [5.0], "g": new})
    assert str(caught.value) == sentence
