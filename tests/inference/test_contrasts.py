"""Linear combinations and joint tests, from formulas written out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import mixedsim as ms
from mixedsim.errors import MixedsimError
from mixedsim.inference.contrasts import JointTest, Wald, check_ddf, combine, joint_test
from mixedsim.inference.satterthwaite import Satterthwaite


@pytest.fixture(scope="module")
def fit():
    rng = np.random.default_rng(3)
    g = rng.integers(0, 12, 150)
    data = pd.DataFrame(
        {"g": g.astype(str), "a": rng.choice(list("uvw"), 150), "x": rng.normal(2020, 4, 150), "z": (g % 3).astype(str)}
    )
    data["y"] = rng.normal(size=12)[g] + 0.3 * (data["x"] - 2020) + rng.normal(size=150) + 50
    return ms.lmer("y ~ a + x + z + (1 | g)", data)


METHODS = ("satterthwaite", "kenward_roger")


def test_estimates_and_standard_errors_are_those_of_the_coefficients(fit):
    rows = np.random.default_rng(0).normal(size=(4, 6))
    found = combine(fit.problem, fit.optimum.profile, fit.satterthwaite, rows)
    # β and its covariance have an intercept 2,020 away from the data: the straight way loses some six digits
    np.testing.assert_allclose(found.estimate, rows @ fit.fixef, rtol=1e-8)
    np.testing.assert_allclose(found.covariance, rows @ fit.vcov @ rows.T, rtol=1e-6)


def test_joint_wald_is_the_quadratic_form(fit):
    rows = np.eye(6)[[1, 2]]
    method = Wald(fit.optimum.profile.sigma2 * fit.optimum.profile.w_inverse)
    test = joint_test(fit.problem, fit.optimum.profile, method, rows)
    b, v = rows @ fit.fixef, rows @ fit.vcov.to_numpy() @ rows.T
    assert test.f * 2 == pytest.approx(b @ np.linalg.solve(v, b), rel=1e-8)
    assert test.p == pytest.approx(stats.chi2.sf(test.f * 2, 2), rel=1e-10)


def test_fai_and_cornelius_from_their_formula(fit):
    """Two contrasts of different certainty: ν = 2E/(E − q), E = Σ ν_m/(ν_m − 2) over uncorrelated contrasts."""
    rows = np.eye(6)[[1, 4]]  # one within groups, one between
    test = joint_test(fit.problem, fit.optimum.profile, fit.satterthwaite, rows)
    values, vectors = np.linalg.eigh(rows @ fit.vcov.to_numpy() @ rows.T)
    turned = vectors.T @ rows
    nu = fit.satterthwaite.df(turned @ fit.problem.fixed.transform)
    assert abs(nu[0] / nu[1] - 1) > 0.5
    e = (nu / (nu - 2)).sum()
    assert test.df2 == pytest.approx(2 * e / (e - 2), rel=1e-6)
    assert test.f == pytest.approx(((turned @ fit.fixef) ** 2 / values).mean(), rel=1e-6)
    assert test.p == pytest.approx(stats.f.sf(test.f, 2, test.df2), rel=1e-9)


@pytest.mark.parametrize(("nu", "expected"), [([10, 10], 10), ([np.inf, np.inf], np.inf), ([1.5, 30], 2), ([0, 30], 0)])
def test_special_denominators(nu, expected):
    class Fixed(Satterthwaite):
        def df(self, contrasts):
            return np.array(nu, dtype=float)

    empty = np.empty((0, 0))
    assert Fixed(empty, empty, empty, empty).denominator(np.eye(2))[0] == expected


def test_certain_contrasts_add_nothing_to_the_excess():
    class Fixed(Satterthwaite):
        def df(self, contrasts):
            return np.array([12.0, np.inf])

    empty = np.empty((0, 0))
    # E = 12/10 + 1, so 2E/(E − 2) = 4.4/0.2
    assert Fixed(empty, empty, empty, empty).denominator(np.eye(2))[0] == pytest.approx(22.0)


@pytest.mark.parametrize("method", METHODS)
def test_one_contrast_is_the_square_of_its_t(fit, method):
    row = np.array([[0, 1.0, -1.0, 0, 0, 0]])
    method = getattr(fit, method)
    found = combine(fit.problem, fit.optimum.profile, method, row)
    test = joint_test(fit.problem, fit.optimum.profile, method, row, null=0.5)
    assert test.f == pytest.approx(((found.estimate[0] - 0.5) / found.se[0]) ** 2, rel=1e-9)
    assert test.df2 == pytest.approx(found.df[0], rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=25, deadline=None)
@given(scale=st.floats(-9, 9), repeat=st.integers(0, 3))
def test_dependent_rows_count_once_and_the_unit_does_not_matter(fit, method, scale, repeat):
    method = getattr(fit, method)
    rows = np.eye(6)[[1, 2]]
    plain = joint_test(fit.problem, fit.optimum.profile, method, rows)
    more = 10.0**scale * np.vstack([rows, *([rows.sum(axis=0, keepdims=True)] * repeat)])
    other = joint_test(fit.problem, fit.optimum.profile, method, more)
    assert (other.df1, other.f) == (2, pytest.approx(plain.f, rel=1e-6))
    # the degrees of freedom by Fai & Cornelius depend on the rows that were written down, a little
    assert other.df2 == pytest.approx(plain.df2, rel=0.02)


def test_rows_of_very_different_size_are_all_tested(fit):
    rows = np.diag([1e-9, 1.0])[:, [0, 1]] @ np.eye(6)[[1, 2]]
    test = joint_test(fit.problem, fit.optimum.profile, fit.kenward_roger, rows)
    plain = joint_test(fit.problem, fit.optimum.profile, fit.kenward_roger, np.eye(6)[[1, 2]])
    assert test.df1 == 2
    assert test.f == pytest.approx(plain.f, rel=1e-8)


def test_contradicting_values_are_refused(fit):
    rows = np.eye(6)[[1, 1]]
    joint_test(fit.problem, fit.optimum.profile, fit.satterthwaite, rows, np.array([1.0, 1.0]))
    with pytest.raises(MixedsimError, match="the values they are tested against disagree"):
        joint_test(fit.problem, fit.optimum.profile, fit.satterthwaite, rows, np.array([1.0, 2.0]))


def test_nothing_to_test_has_no_degrees_of_freedom():
    assert np.isnan(JointTest(np.nan, 0, np.nan).p)


def test_unknown_method_is_named():
    with pytest.raises(MixedsimError, match=r"^ddf must be 'satterthwaite', 'kenward-roger' or 'wald', found 'kr'\.$"):
        check_ddf("kr")
