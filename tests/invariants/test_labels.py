"""Order and names: rows, levels, dtypes, terms and columns that say nothing new."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from tests.invariants.designs import CLOSE, DEVIANCE, assert_same, cases, thorough

SEEDS = st.integers(0, 2**32 - 1)
# How a label of a group may be stored, from its number.
DTYPES = {
    "int": lambda k: k,
    "large int": lambda k: k * 10**15,
    "float": lambda k: k + 0.0,
    "str": lambda k: f"level {k}",
    "text of numbers": lambda k: str(100 - k),
    "category": lambda k: f"{97 * k % 13:02d}/{k}",
    "date": lambda k: pd.Timestamp("2020-01-01") + pd.Timedelta(days=int(k)),
}


def relabelled(values, how, seed):
    """The column with other labels in another order, and the function that gives them."""
    numbers = {old: int(new) for old, new in enumerate(np.random.default_rng(seed).permutation(max(values) + 1))}
    label = DTYPES[how]
    column = pd.Series([label(numbers[v]) for v in values], index=values.index)
    if how == "category":
        order = np.random.default_rng(seed).permutation(column.unique())
        column = pd.Series(pd.Categorical(column, categories=["never", *order]), index=values.index)
    return column, lambda old: label(numbers[old])


@thorough(30)
@given(case=cases(), seed=SEEDS)
def test_the_order_of_rows_says_nothing(case, seed):
    order = np.random.default_rng(seed).permutation(len(case.data))
    one, other = case.fit(), case.fit(case.data.iloc[order])
    assert_same(one, other)
    there = other.predict()
    assert there.index.tolist() == order.tolist()
    np.testing.assert_allclose(there.loc[case.data.index], one.predict(), atol=10 * CLOSE * one.sigma)


@thorough(40)
@given(case=cases(), how=st.tuples(*[st.sampled_from(list(DTYPES))] * 2), seed=SEEDS)
def test_names_order_and_dtype_of_groups_say_nothing(case, how, seed):
    data, labels = case.data.copy(), {}
    for name, kind in zip("ab", how, strict=True):
        data[name], labels[name] = relabelled(data[name], kind, seed)
    one, other = case.fit(), case.fit(data)
    assert one.n_groups == other.n_groups
    assert_same(one, other, labels=labels)
    np.testing.assert_allclose(other.predict(data), one.predict(), atol=10 * CLOSE * one.sigma)


@thorough(20)
@given(case=cases(layouts=("nested",)), seed=SEEDS)
def test_nesting_does_not_need_unique_names(case, seed):
    """(1 | a) + (1 | b) with b's own labels, and a/b with labels that start anew within every a."""
    data = case.data.assign(inner=case.data.groupby("a")["b"].transform(lambda b: pd.factorize(b)[0]))
    one = case.fit()
    slash = case.fit(data, formula=case.formula.replace("(1 | b)", "(1 | a:inner)"))
    labels = dict(zip(data["b"], data["a"].astype(str) + ":" + data["inner"].astype(str), strict=True))
    for fit in (one, slash):
        assert set(fit.ranef) == {"a", "b" if fit is one else "a:inner"}
    assert abs(one.loglik - slash.loglik) < DEVIANCE
    effects = slash.ranef["a:inner"].loc[[labels[b] for b in one.ranef["b"].index]].to_numpy()
    np.testing.assert_allclose(effects, one.ranef["b"].to_numpy(), atol=10 * CLOSE * one.sigma)
    if case.random.startswith("(1 | a)"):
        short = case.fit(data, formula=f"y ~ {case.fixed} + (1 | a/inner)")
        assert abs(short.loglik - slash.loglik) < DEVIANCE


@thorough(20)
@given(case=cases(layouts=("nested", "crossed"), predictors=("x1", "x2"), double_bar=False))
def test_the_order_of_terms_says_nothing(case):
    first, second = case.random.split(" + (1 | b)")[0], "(1 | b)"
    terms = [t for t in case.fixed.replace(" * ", " + ").split(" + ") if t not in ("0", "1")]
    start = "0" if case.fixed.startswith("0") else "1"
    one = case.fit(formula=f"y ~ {' + '.join([start, *terms])} + {first} + {second}")
    other = case.fit(formula=f"y ~ {second} + {' + '.join([*terms[::-1], start])} + {first}")
    assert set(one.fixef.index) == set(other.fixef.index)
    assert abs(one.loglik - other.loglik) < DEVIANCE
    se = np.sqrt(np.diag(one.vcov))
    assert (np.abs(other.fixef[one.fixef.index] - one.fixef) < CLOSE * se + 1e-12).all()
    np.testing.assert_allclose(other.predict(), one.predict(), atol=10 * CLOSE * one.sigma)


@thorough(20)
@given(case=cases(), weights=st.tuples(*[st.integers(-3, 3)] * 3))
def test_a_column_that_others_explain_is_dropped_and_changes_nothing(case, weights):
    """Combinations of columns that stand before it, with whatever weights: its name is told, it is never another."""
    one = case.with_(fixed=f"{case.fixed} + x1 + x2").fit()
    constant = "Intercept" in one.fixef
    more = weights[0] * case.data["x1"] + weights[1] * case.data["x2"] + weights[2] * constant
    other = case.with_(fixed=f"{case.fixed} + x1 + x2 + more").fit(case.data.assign(more=more))
    assert "'more' was dropped from the fixed effects: it depends linearly on earlier columns." in other.messages
    assert_same(one, other)


@thorough(15)
@given(case=cases(predictors=("x1", "c")), order=st.permutations(["lo", "mid", "hi"]))
def test_the_reference_level_changes_coefficients_and_no_prediction(case, order):
    case = case.with_(fixed=f"{case.fixed} + c")
    other_data = case.data.assign(c=pd.Categorical(case.data["c"], categories=order))
    one, other = case.fit(), case.fit(other_data)
    a = np.linalg.lstsq(one.design.x.matrix(), other.design.x.matrix(), rcond=None)[0]
    assert_same(one, other, a=a)
    np.testing.assert_allclose(other.predict(case.data), one.predict(), atol=10 * CLOSE * one.sigma)


@thorough(15)
@given(case=cases())
def test_kinds_of_tables_say_nothing(case):
    one = case.fit()
    for data in (case.data.convert_dtypes(), case.data.astype(object), case.data.to_dict("list"),
                 case.data.set_axis(pd.MultiIndex.from_arrays([case.data["a"], range(len(case.data))]))):  # fmt: skip
        assert_same(one, case.fit(data))


@thorough(15)
@given(case=cases())
def test_a_factor_in_disguise_is_the_same_factor(case):
    """Interactions of a group with a constant column, or with itself, group the rows alike."""
    case = case.with_(random=case.random.split(" + (1 | b)")[0])
    one = case.fit()
    other = case.fit(case.data.assign(one="all"), formula=case.formula.replace("a)", "one:a)"))
    assert list(other.ranef["one:a"].index) == [f"all:{label}" for label in one.ranef["a"].index]
    assert abs(one.loglik - other.loglik) < DEVIANCE
    np.testing.assert_allclose(other.ranef["one:a"], one.ranef["a"], atol=10 * CLOSE * one.sigma)
