"""How columns are made of levels: the algebra reproduces formulaic's columns, and treatment-coded ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedsim.columns import model_columns
from mixedsim.inference.coding import coding


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 400
    return pd.DataFrame(
        {
            "a": rng.choice(list("xyz"), n),
            "b": rng.choice(list("pq"), n),
            "c": rng.choice(list("uvwm"), n),
            "x": rng.normal(size=n),
            "z": rng.normal(size=n) + 5,
            "k": rng.integers(0, 3, n),
            "t": rng.random(n) < 0.5,
        }
    )


# formula -> the same with every factor treatment-coded
FORMULAS = {
    "a * b": "a * b",
    "0 + a * b": "0 + a * b",
    "a : b": "a : b",
    "a + a:b": "a + a:b",
    "x + x:a": "x + x:a",
    "C(a, contr.sum) * b": "a * b",
    "C(a, contr.poly) * x": "a * x",
    "C(a, contr.helmert) * C(b, contr.sum) * x": "a * b * x",
    "C(a, contr.treatment('y')) * b": "a * b",
    "a * poly(z, 2) * b": "a * poly(z, 2) * b",
    "x * poly(z, 2):C(a, contr.sum)": "x * poly(z, 2):a",
    "C(k) * C(a, contr.diff)": "C(k) * a",
    "bs(z, df=4) * a": "bs(z, df=4) * a",
    "a * b * c": "a * b * c",
    "t * a": "t * a",
    "t * x": "t * x",
    "0 + t * a": "0 + t * a",
    "1 + x + I(x ** 2)": "1 + x + I(x ** 2)",
}


@pytest.mark.parametrize("rhs", FORMULAS)
def test_one_set_of_atoms_gives_the_columns_in_every_coding(rhs, data):
    fitted = model_columns(rhs, data)
    found = coding(fitted.spec, data)
    atoms = fitted.matrix() @ np.linalg.pinv(found.fitted)
    np.testing.assert_allclose(atoms @ found.fitted, fitted.matrix(), atol=1e-9)
    np.testing.assert_allclose(atoms @ found.treatment, model_columns(FORMULAS[rhs], data).matrix(), atol=1e-9)
    assert [found.terms[t].name for t in found.of_term] == list(fitted.terms)


def test_saturated_columns_are_indicators_of_every_combination(data):
    fitted = model_columns("C(a, contr.sum) * b", data)
    found = coding(fitted.spec, data)
    saturated = fitted.matrix() @ np.linalg.pinv(found.fitted) @ found.saturated
    expected = [np.ones(len(data)), *(data["a"] == v for v in "xyz"), *(data["b"] == v for v in "pq")]
    expected += [(data["a"] == v) & (data["b"] == w) for w in "pq" for v in "xyz"]
    np.testing.assert_allclose(saturated, np.column_stack(expected), atol=1e-9)


def test_a_term_contains_another_with_the_same_numbers_and_fewer_factors(data):
    terms = {t.name: t for t in coding(model_columns("a * b * x", data).spec, data).terms}
    assert terms["a:b"].contains(terms["a"])
    assert terms["a:x"].contains(terms["x"])
    assert not terms["a:x"].contains(terms["a"])
    assert not terms["a"].contains(terms["a"])


def test_booleans_are_factors_only_beside_the_same_term_without_them(data):
    assert coding(model_columns("t * x", data).spec, data).terms[1].factors == {"t"}
    assert coding(model_columns("0 + t + x", data).spec, data).terms[0].factors == frozenset()
