"""Units and origins: what a change of y, of x, of the offset or of the weights must do to every estimate."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.invariants.designs import CLOSE, DEVIANCE, assert_same, cases, term_columns, thorough

SCALES = st.sampled_from([-3.0, 1e-3, 0.7, 2.54, 1e4])
SHIFTS = st.sampled_from([-100.0, -0.3, 12.5, 273.15])


def same_df(one, other):
    """Satterthwaite's df divide a variance by its own gradient: they are as close as the variances, ten times over."""
    a, b = (fit.coefficients()["df"].to_numpy() for fit in (one, other))
    np.testing.assert_allclose(b, a, rtol=100 * CLOSE)


@thorough(30)
@given(case=cases(), scale=SCALES)
def test_the_unit_of_the_response_multiplies_everything(case, scale):
    data = case.data.assign(y=scale * case.data["y"], o=scale * case.data["o"])
    one, other = case.fit(), case.fit(data)
    assert_same(one, other, scale=scale)
    same_df(one, other)


@thorough(25)
@given(case=cases(intercept=True), shift=SHIFTS)
def test_the_origin_of_the_response_moves_the_intercept_alone(case, shift):
    one, other = case.fit(), case.fit(case.data.assign(y=case.data["y"] + shift))
    moved = np.where(one.fixef.index == "Intercept", shift, 0.0)
    assert_same(one, other, shift=moved)
    same_df(one, other)


@thorough(25)
@given(case=cases(intercept=True, shifted=True), shift=SHIFTS)
def test_a_constant_more_of_offset_is_a_constant_less_of_intercept(case, shift):
    one, other = case.fit(), case.fit(case.data.assign(o=case.data["o"] + shift))
    assert_same(one, other, shift=np.where(one.fixef.index == "Intercept", -shift, 0.0))


@thorough(20)
@given(case=cases(shifted=True), slope=SHIFTS)
def test_an_offset_along_a_predictor_moves_its_slope(case, slope):
    case = case.with_(fixed=f"{case.fixed} + x1")
    one, other = case.fit(), case.fit(case.data.assign(o=case.data["o"] + slope * case.data["x1"]))
    assert_same(one, other, shift=np.where(one.fixef.index == "x1", -slope, 0.0))


@thorough(40)
@given(case=cases(intercept=True, double_bar=False), scale=SCALES, shift=SHIFTS)
def test_unit_and_origin_of_a_predictor_are_another_way_to_write_the_model(case, scale, shift):
    """X becomes XA and Z becomes ZT, so β becomes A⁻¹β and Σ becomes T⁻¹Σ(T⁻¹)': intercepts are those at x = 0."""
    one, other = case.fit(), case.fit(case.data.assign(x1=scale * case.data["x1"] + shift))
    a = np.linalg.lstsq(one.design.x.matrix(), other.design.x.matrix(), rcond=None)[0]
    old, new = term_columns(one), term_columns(other)
    t = {name: np.linalg.lstsq(old[name], new[name], rcond=None)[0] for name in old}
    assert_same(one, other, a=a, t=t)
    if "x1" in one.fixef and "x1:" not in "".join(one.fixef.index):
        before, after = (fit.coefficients().loc["x1"] for fit in (one, other))
        assert abs(after["df"] / before["df"] - 1) < 100 * CLOSE
        assert abs(np.sign(scale) * after["t"] - before["t"]) < 10 * CLOSE * (1 + abs(before["t"]))


@thorough(20)
@given(case=cases(), scale=SCALES)
def test_uncorrelated_effects_follow_the_unit_of_their_predictor(case, scale):
    one, other = case.fit(), case.fit(case.data.assign(x2=scale * case.data["x2"]))
    a = np.linalg.lstsq(one.design.x.matrix(), other.design.x.matrix(), rcond=None)[0]
    old, new = term_columns(one), term_columns(other)
    assert_same(one, other, a=a, t={n: np.linalg.lstsq(old[n], new[n], rcond=None)[0] for n in old})


@thorough(20)
@given(case=cases(weighted=True), scale=st.sampled_from([1e-6, 0.1, 7.0, 1e6]))
def test_the_unit_of_the_weights_multiplies_the_residual_variance_alone(case, scale):
    one, other = case.fit(), case.fit(case.data.assign(w=scale * case.data["w"]))
    assert abs(other.loglik - one.loglik) < DEVIANCE
    assert abs(other.sigma / (np.sqrt(scale) * one.sigma) - 1) < CLOSE
    se = np.sqrt(np.diag(one.vcov))
    assert (np.abs(other.fixef - one.fixef) < CLOSE * se).all()
    np.testing.assert_allclose(np.sqrt(np.diag(other.vcov)), se, rtol=10 * CLOSE)
    np.testing.assert_allclose(other.predict(), one.predict(), atol=10 * CLOSE * one.sigma)
    same_df(one, other)
