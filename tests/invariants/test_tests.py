"""Degrees of freedom, F tests and marginal means do not depend on units, coding or reference levels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.invariants.designs import CLOSE, cases, thorough

# df are ratios of a variance to its own gradient, both known to 1e-4 or so (see `designs.CLOSE`).
DF = 100 * CLOSE
F = 20 * CLOSE
DDF = ("satterthwaite", "kenward-roger")


def assert_tests(one, other, several=True):
    """Two tables of F tests, term by term; `several`: the df of terms with several columns too."""
    np.testing.assert_array_equal(other["df1"], one["df1"])
    np.testing.assert_allclose(other["F"], one["F"], rtol=F, atol=F)
    compared = (one["df1"] == 1).to_numpy() | several
    np.testing.assert_allclose(other["df2"].to_numpy()[compared], one["df2"].to_numpy()[compared], rtol=DF)


@pytest.mark.parametrize("ddf", DDF)
@thorough(15)
@given(case=cases(reml=True, double_bar=False, predictors=("x1", "x2")), scale=st.sampled_from([1e-4, 3.0, 1e5]),
       size=st.sampled_from([-1e-3, 2.2, 1e4]))  # fmt: skip
def test_degrees_of_freedom_know_no_units(ddf, case, scale, size):
    data = case.data.assign(y=size * case.data["y"], o=size * case.data["o"], x1=scale * case.data["x1"])
    one, other = (fit.coefficients(ddf=ddf) for fit in (case.fit(), case.fit(data)))
    np.testing.assert_allclose(other["df"], one["df"], rtol=DF)
    np.testing.assert_allclose(np.sign(size) * other["t"], one["t"], rtol=F, atol=F)


@pytest.mark.parametrize("ddf", DDF)
@thorough(15)
@given(case=cases(reml=True, intercept=True, predictors=()), coding=st.sampled_from(["Sum", "Helmert", "contr.poly"]),
       base=st.sampled_from(["lo", "mid", "hi"]))  # fmt: skip
def test_type_3_knows_no_coding(ddf, case, coding, base):
    """Nor which level comes first, but for Fai & Cornelius's df of a term with several columns.

    They average over the principal axes of the coefficients' covariance, which turn when another level is left out.
    """
    data = case.data.assign(k=np.where(case.data["x2"] > 0, "p", "q"))
    plain = case.fit(data, formula=f"y ~ c * k + x1 + {case.random}").anova(type=3, ddf=ddf)
    other = f"y ~ C(c, {coding}) * C(k, Sum) + x1 + {case.random}"
    assert_tests(plain, case.fit(data, formula=other).anova(type=3, ddf=ddf))
    moved = data.assign(c=pd.Categorical(data["c"], categories=[base, *({"lo", "mid", "hi"} - {base})]))
    table = case.fit(moved, formula=f"y ~ c * k + x1 + {case.random}").anova(type=3, ddf=ddf)
    assert_tests(plain, table, several=ddf == "kenward-roger")


@thorough(20)
@given(case=cases(reml=True, intercept=True, predictors=()), order=st.permutations(["lo", "mid", "hi"]))
def test_marginal_means_know_no_reference_level(case, order):
    formula = f"y ~ c * x1 + x2 + {case.random}"
    one = case.fit(formula=formula)
    other = case.fit(case.data.assign(c=pd.Categorical(case.data["c"], categories=order)), formula=formula)
    here, there = one.emmeans("c"), other.emmeans("c")
    se = here["se"].to_numpy()
    there = there.loc[here.index]
    np.testing.assert_allclose(there["emmean"], here["emmean"], atol=CLOSE * float(se.max()))
    np.testing.assert_allclose(there["se"], se, rtol=10 * CLOSE)
    np.testing.assert_allclose(there["df"], here["df"], rtol=DF)
    # pairs are the same up to the sign of their difference
    sizes = [np.sort(np.abs(fit.emmeans("c").pairs()["estimate"])) for fit in (one, other)]
    np.testing.assert_allclose(sizes[1], sizes[0], atol=10 * CLOSE * float(se.max()))


@thorough(20)
@given(case=cases(reml=True, intercept=True, predictors=("x1", "x2", "c")), weights=st.lists(
    st.integers(-3, 3), min_size=12, max_size=12).filter(any))  # fmt: skip
def test_one_contrast_is_a_t_test_and_its_own_f_test(case, weights):
    fit = case.fit()
    row = np.resize(np.array(weights, dtype=float), len(fit.fixef))
    if not row.any():
        return
    for ddf in DDF:
        single = fit.contrasts(row, ddf=ddf).iloc[0]
        joint = fit.contrasts(row, ddf=ddf, joint=True).iloc[0]
        estimate = float(row @ fit.fixef.to_numpy())
        assert abs(single["estimate"] - estimate) < 1e-9 * (1 + abs(estimate))
        assert joint["F"] == pytest.approx(single["t"] ** 2, rel=1e-6)
        assert joint["df2"] == pytest.approx(single["df"], rel=1e-6)
        assert joint["p"] == pytest.approx(single["p"], rel=1e-6, abs=1e-12)
