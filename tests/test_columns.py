"""Columns are formulaic's, whichever way they are made, and the same again for new data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from formulaic import Formula

from mixedsim.columns import model_columns
from mixedsim.errors import DataError

RNG = np.random.default_rng(20)
N = 60
DATA = pd.DataFrame(
    {
        "x": RNG.normal(5, 1, N),
        "z": RNG.normal(size=N),
        "i": RNG.integers(0, 4, N),
        "b": RNG.random(N) < 0.5,
        "c": RNG.choice(["lo", "mid", "hi"], N),
        "o": pd.Categorical(RNG.choice(["lo", "mid", "hi"], N), categories=["lo", "mid", "hi"], ordered=True),
        "my x": RNG.normal(size=N),
        "w.y": RNG.normal(size=N),
    },
    index=RNG.permutation(N),
)

RIGHT_HAND_SIDES = [
    "1",
    "x",
    "0 + x",
    "x + z",
    "x * z",
    "x:z:i",
    "x + i + b",
    "x:b",
    "c",
    "0 + c",
    "c + o",
    "0 + c + o",
    "x * c",
    "c:o",
    "x:c",
    "c / x",
    "x * c - x",
    "C(i)",
    "C(i) * x",
    "C(c, Treatment('mid'))",
    "C(c, Sum)",
    "C(o, contr.poly)",
    "poly(x, 2)",
    "scale(x) + center(z)",
    "bs(x, df=5)",
    "log(x) + exp(z) + I(x**2) + np.sin(z)",
    "I(x > 5)",
    "`my x`",
    "`my x` * c",
    "log(`my x` + 10)",
    "(x + z + c)**2",
]


@pytest.mark.parametrize("rhs", RIGHT_HAND_SIDES)
def test_names_and_columns_are_those_of_formulaic(rhs):
    ours = model_columns(rhs, DATA)
    theirs = Formula(rhs).get_model_matrix(DATA)
    assert list(ours.names) == list(theirs.columns)
    assert len(ours.names) == len(ours.columns) == len(ours.terms)
    np.testing.assert_allclose(ours.matrix(), theirs.to_numpy(dtype=float), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("rhs", [*RIGHT_HAND_SIDES, "w.y + log(w.y + 9)", "sqrt(abs(z))"])
def test_new_data_are_coded_as_the_old(rhs):
    fitted = model_columns(rhs, DATA)
    some = [7, 3, 30]
    again = model_columns(rhs, DATA.iloc[some], fitted.spec)
    assert again.names == fitted.names
    assert again.terms == fitted.terms
    np.testing.assert_allclose(again.matrix(), fitted.matrix()[some], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rhs", ["x + z", "x * c", "poly(x, 2)", "C(i) + b", "np.where(x > 5, 1, 0)", "c + scale(x)"])
def test_a_missing_value_in_new_data_is_a_missing_row(rhs):
    fitted = model_columns(rhs, DATA)
    new = DATA.iloc[:4].astype({"c": object, "b": object, "i": object}).reset_index(drop=True)
    for name in ("x", "c", "i"):
        new.loc[1, name] = None
    again = model_columns(rhs, new, fitted.spec).dot(np.ones(len(fitted.names)))
    assert np.isnan(again).tolist() == [False, True, False, False]
    np.testing.assert_allclose(again[[0, 2, 3]], fitted.dot(np.ones(len(fitted.names)))[[0, 2, 3]])


@pytest.mark.parametrize("rhs", ["x + c", "poly(x, 2)"])
def test_no_new_rows_are_no_rows(rhs):
    assert model_columns(rhs, DATA.iloc[:0], model_columns(rhs, DATA).spec).matrix().shape == (0, 3 + (rhs == "x + c"))


def test_a_category_may_come_back_as_text_or_with_other_levels():
    fitted = model_columns("o * x", DATA)
    for column in (DATA["o"].astype(str), pd.Categorical(DATA["o"].astype(str), categories=["mid", "new", "lo", "hi"])):
        again = model_columns("o * x", DATA.assign(o=column), fitted.spec)
        np.testing.assert_array_equal(again.matrix(), fitted.matrix())


def test_an_unseen_category_is_named():
    fitted = model_columns("x + c", DATA)
    with pytest.raises(DataError) as caught:
        model_columns("x + c", DATA.assign(c="higher"), fitted.spec)
    assert str(caught.value) == (
        "column 'c' has levels that the model was not fitted on: 'higher'; known are 'hi', 'lo', 'mid'."
    )


@pytest.mark.parametrize("rhs", ["x", "x + c", "C(i)"])
def test_text_in_place_of_numbers_is_refused(rhs):
    fitted = model_columns(rhs, DATA)
    name = "i" if "i" in rhs else "x"
    with pytest.raises(DataError) as caught:
        model_columns(rhs, DATA.assign(**{name: "a"}), fitted.spec)
    assert str(caught.value) == f"column {name!r} held numbers when the model was fitted: convert it to numbers."


def test_the_intercept_is_a_number():
    assert model_columns("x", DATA).columns[0] == 1.0
    assert model_columns("c", DATA).columns[0] == 1.0
    assert isinstance(model_columns("c", DATA).columns[0], float)


def test_plain_columns_are_not_copied():
    columns = model_columns("x + z", DATA).columns
    assert np.shares_memory(columns[1], DATA["x"].to_numpy())


def test_several_right_hand_sides_share_their_arrays():
    shared = {}
    first = model_columns("1 + x + i", DATA, shared=shared)
    second = model_columns("0 + i + x:i", DATA, shared=shared)
    assert first.columns[2] is second.columns[0] is shared["i"]
    assert first.columns[1] is shared["x"]


def test_a_mapping_of_arrays_will_do():
    columns = model_columns("x * c", {"x": np.array([1.0, 2.0]), "c": pd.Categorical(["a", "b"])})
    assert columns.names == ("Intercept", "x", "c[T.b]", "x:c[T.b]")
    assert columns.matrix().tolist() == [[1, 1, 0, 0], [1, 2, 1, 2]]


def test_no_terms_are_no_columns():
    columns = model_columns("0", DATA)
    assert columns.matrix().shape == (N, 0)
    assert columns.dot(np.empty(0)).tolist() == [0.0] * N


def test_a_linear_predictor_is_the_matrix_times_the_coefficients():
    columns = model_columns("x * c + z", DATA)
    b = RNG.normal(size=len(columns.names))
    np.testing.assert_allclose(columns.dot(b), columns.matrix() @ b)


def test_small_integers_do_not_overflow():
    data = pd.DataFrame({"a": np.array([100, 120], dtype="int8"), "u": np.array([1, 2], dtype="uint8")})
    columns = model_columns("0 + I(a * a) + I(u - 2) + a:u", data)
    assert columns.matrix().tolist() == [[10000, -1, 100], [14400, 0, 240]]


def test_a_function_outside_its_domain_gives_nan_without_a_warning():
    values = model_columns("0 + log(x)", pd.DataFrame({"x": [-1.0, 0.0, 1.0]})).columns[0]
    np.testing.assert_array_equal(values, [np.nan, -np.inf, 0])


@pytest.mark.parametrize(
    ("rhs", "sentence"),
    [
        ("log(c)", "cannot compute 'log(c)': 'c' holds text or categories, not numbers."),
        ("nothing", "the formula needs a column 'nothing', which the data do not have: known are "),
        ("bs(x, df=1)", "cannot compute 'bs(x, df=1)': Invalid value for `df`."),
        ("C(c, Treatment('zz'))", "cannot compute \"C(c, Treatment('zz'))\": Value `'zz'` for "),
    ],
)
def test_what_cannot_be_computed_is_named(rhs, sentence):
    with pytest.raises(DataError) as caught:
        model_columns(rhs, DATA)
    assert str(caught.value).startswith(sentence)
    assert ".." not in str(caught.value)
