"""Plain columns are those that formulaic makes: same names, same order, same numbers."""

import numpy as np
import pandas as pd
import pytest
from formulaic import Formula as FormulaicFormula

from mixedsim.columns import model_columns
from mixedsim.formula import fixed_terms
from mixedsim.grammar import for_formulaic
from mixedsim.plain_columns import plain_columns

N = 24
RNG = np.random.default_rng(1)
DATA = {
    "x": RNG.normal(size=N),
    "z": RNG.normal(size=N),
    "i": np.arange(N),
    "b": np.arange(N) % 2 == 0,
    "a": pd.Categorical(np.array(list("pqr"))[RNG.permutation(np.arange(N) % 3)]),
    "c": pd.Categorical(RNG.permutation(np.arange(N) % 2) + 1, categories=[2, 1], ordered=True),
    "e": pd.Categorical(np.array(["u", "v w"])[RNG.permutation(np.arange(N) % 2)]),
    "a b": pd.Categorical(np.array(["1", "2"])[RNG.permutation(np.arange(N) % 2)]),
}
PLAIN = [
    "1 + a", "0 + a", "x + a - 1", "x + x:a + a - 1", "x:a", "1 + x:a", "1 + b + a", "x*a", "a*b", "a*c", "c*a",
    "a*c*e", "a:c + a + c", "1 + a + x:a + x", "1 + a + i", "a*x*c", "x + e:a + a + e", "a + a:x:i + a:x + x:i + a:i",
    "`a b`*x", "(a + c + e)**2", "1 + a + a", "x", "0", "1", "z:x + a",
]  # fmt: skip
OTHERS = ["0 + a + c", "a:c", "1 + a + a:c", "1 + C(i)", "1 + log(x)", "1 + x:a:c", "C(a, Sum)", "0 + a:c"]


@pytest.mark.parametrize("rhs", PLAIN)
def test_they_are_formulaics(rhs):
    plain = plain_columns(fixed_terms(rhs), DATA, {})
    assert plain is not None
    theirs = FormulaicFormula(for_formulaic(rhs)).get_model_matrix(pd.DataFrame(DATA), output="pandas")
    assert list(plain.names) == list(theirs.columns)
    ours = np.array([np.broadcast_to(column, N) for column in plain.columns]).reshape(-1, N).T
    np.testing.assert_array_equal(ours, theirs.to_numpy(dtype=float).reshape(N, -1))
    labels = [str(term) for term, where in theirs.model_spec.term_indices.items() for _ in where]
    assert list(plain.terms) == labels


@pytest.mark.parametrize("rhs", OTHERS)
def test_what_is_not_plain_is_left_to_formulaic(rhs):
    assert plain_columns(fixed_terms(rhs), DATA, {}) is None


def test_numbers_are_shared_and_not_copied():
    shared = {}
    columns = plain_columns(fixed_terms("1 + x + a"), DATA, shared).columns
    assert columns[1] is shared["x"] is DATA["x"]


def test_new_rows_are_coded_as_the_old_were_and_gaps_stay_gaps():
    old = model_columns("1 + x*a", DATA)
    new = model_columns("1 + x*a", pd.DataFrame({"x": [2.0, 3.0, 4.0], "a": ["r", None, "p"]}), old.spec)
    assert new.names == old.names
    expected = [[1, 2, 0, 1, 0, 2], [1, 3, *[np.nan] * 4], [1, 4, 0, 0, 0, 0]]
    np.testing.assert_array_equal(new.matrix(), expected)
