"""Wald intervals of every parameter: two roads to one answer, closed forms, and what does not exist at the boundary."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import mixedsim as ms
from mixedsim.inference.wald import wald_intervals, without_interval


def intervals(fit, **options):
    return wald_intervals(
        fit.design, fit.problem, fit.objective, fit.optimum.profile, fit.variance_parameters, **options
    )


@pytest.fixture(scope="module")
def sleep():
    return ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))


def reml_criterion(fit, log_sds, fisher_z, log_sigma):
    """The REML criterion of sleepstudy in (log sd, log sd, arctanh r, log σ), by dense algebra over all rows."""
    sd, r = np.exp(log_sds), np.tanh(fisher_z)
    covariance = np.array([[sd[0] ** 2, r * sd[0] * sd[1]], [r * sd[0] * sd[1], sd[1] ** 2]])
    y, x = fit.design.y, fit.design.x.matrix()
    same = fit.design.factors[0].codes[:, None] == fit.design.factors[0].codes
    v = same * (x @ covariance @ x.T) + np.exp(2 * log_sigma) * np.eye(len(y))
    vx, vy = np.linalg.solve(v, x), np.linalg.solve(v, y)
    w = x.T @ vx
    beta = np.linalg.solve(w, x.T @ vy)
    return np.linalg.slogdet(v)[1] + np.linalg.slogdet(w)[1] + (y - x @ beta) @ (vy - vx @ beta)


def test_they_are_those_of_the_dense_likelihood_on_the_transformed_scales(sleep):
    table = intervals(sleep)
    estimate = table["estimate"].to_numpy()[2:]
    centre = np.array([np.log(estimate[0]), np.log(estimate[1]), np.arctanh(estimate[2]), np.log(estimate[3])])

    def criterion(p):
        return reml_criterion(sleep, p[:2], p[2], p[3])

    def gradient(p):
        return optimize.approx_fprime(p, criterion, 1e-5)

    step = 1e-3
    hessian = np.array(
        [(gradient(centre + step * e) - gradient(centre - step * e)) / (2 * step) for e in np.eye(len(centre))]
    )
    se = np.sqrt(np.diag(2 * np.linalg.inv((hessian + hessian.T) / 2)))
    ends = centre[:, None] + 1.959964 * se[:, None] * [-1, 1]
    ends[2] = np.tanh(ends[2])
    ends[[0, 1, 3]] = np.exp(ends[[0, 1, 3]])
    widths = ends[:, 1] - ends[:, 0]
    found = table[["lower", "upper"]].to_numpy()[2:]
    assert np.abs(found - ends).max(axis=1) / widths == pytest.approx(np.zeros(4), abs=1e-3)  # of finite differences
    slope = {"sd": estimate, "corr": 1 - estimate**2}
    natural = se * [slope["sd"][0], slope["sd"][1], slope["corr"][2], slope["sd"][3]]
    assert table["se"].to_numpy()[2:] == pytest.approx(natural, rel=1e-3)


def test_a_balanced_design_has_the_closed_form():
    """log σ̂² has variance 2/(J(m−1)), and τ̂² = (λ̂ − σ̂²)/m with λ̂ independent of variance 2λ²/(J−1)."""
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("dyestuff"))
    table = intervals(fit)
    groups, m = 6, 5
    sigma, tau = fit.sigma, float(np.sqrt(fit.covariances["Batch"].iloc[0, 0]))
    between = sigma**2 + m * tau**2
    variance = (2 * between**2 / (groups - 1) + 2 * sigma**4 / (groups * (m - 1))) / m**2
    assert table.loc[("sigma", "", "sigma"), "se"] == pytest.approx(sigma / np.sqrt(2 * groups * (m - 1)), rel=1e-5)
    assert table.loc[("sd", "Batch", "Intercept"), "se"] == pytest.approx(np.sqrt(variance) / (2 * tau), rel=1e-5)


def test_fixed_effects_are_those_of_the_coefficient_table(sleep):
    for ddf in ("satterthwaite", "wald"):
        expected = sleep.coefficients(ddf=ddf, level=0.8)[["estimate", "se", "df", "lower", "upper"]]
        found = intervals(sleep, ddf=ddf, level=0.8).xs("fixed").droplevel("group")
        pd.testing.assert_frame_equal(found, expected, check_names=False, rtol=1e-12)


def test_rows_are_named_by_kind_group_and_term(sleep):
    assert intervals(sleep).index.tolist() == [
        ("fixed", "", "Intercept"),
        ("fixed", "", "Days"),
        ("sd", "Subject", "Intercept"),
        ("sd", "Subject", "Days"),
        ("corr", "Subject", "Intercept, Days"),
        ("sigma", "", "sigma"),
    ]


def test_a_model_without_fixed_effects_has_the_others():
    fit = ms.lmer("Reaction ~ 0 + (Days | Subject)", ms.datasets.load("sleepstudy"))
    table = intervals(fit)
    assert set(table.index.get_level_values("kind")) == {"sd", "corr", "sigma"}
    assert table[["lower", "upper"]].notna().all(axis=None)


def test_several_factors_and_terms_keep_their_places():
    fit = ms.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", ms.datasets.load("penicillin"))
    table = intervals(fit)
    expected = fit.varcorr.set_index("group")["sd_or_corr"]
    assert table.xs("sd")["estimate"].droplevel("term").to_dict() == pytest.approx(expected.to_dict(), rel=1e-12)
    assert (table["lower"] < table["estimate"]).all()
    assert (table["estimate"] < table["upper"]).all()


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_units_of_response_and_predictor_carry_over(sleep, factor):
    data = ms.datasets.load("sleepstudy").assign(Reaction=lambda d: d.Reaction * factor, Days=lambda d: d.Days / factor)
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", data)
    scales = {"Intercept": factor, "Days": factor**2, "Intercept, Days": 1.0, "sigma": factor}
    units = np.array([scales[term] for term in intervals(sleep).index.get_level_values("term")])
    expected = intervals(sleep)[["estimate", "se", "lower", "upper"]].mul(units, axis=0)
    pd.testing.assert_frame_equal(intervals(fit)[["estimate", "se", "lower", "upper"]], expected, rtol=1e-5)


def test_a_standard_deviation_of_zero_has_no_upper_end_and_says_so():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("dyestuff2"))
    table = intervals(fit)
    row = table.loc[("sd", "Batch", "Intercept")]
    assert row["estimate"] == row["lower"] == 0
    assert np.isnan(row["upper"])
    assert np.isnan(row["se"])
    assert table.loc[("sigma", "", "sigma"), ["lower", "upper"]].notna().all()
    (said,) = without_interval(table)
    assert said.startswith("the standard deviation of Intercept by 'Batch' has no interval")


def test_a_correlation_of_one_has_no_interval_and_says_so():
    data = ms.scenarios.therapist_plain(therapists=10, patients=10).draw(seed=2).data
    fit = ms.lmer("anxiety ~ depression + (depression | therapist)", data)
    assert fit.singular
    table = intervals(fit)
    row = table.loc[("corr", "therapist", "Intercept, depression")]
    assert abs(row["estimate"]) == 1
    assert row[["se", "lower", "upper"]].isna().all()
    (said,) = without_interval(table)
    assert "is estimated as −1" in said


def test_without_interval_is_silent_where_all_exist(sleep):
    assert without_interval(intervals(sleep)) == ()


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_outside_zero_and_one_is_refused(sleep, level):
    with pytest.raises(ms.MixedsimError, match=rf"level must lie between 0 and 1, found {level}"):
        intervals(sleep, level=level)


def test_unknown_degrees_of_freedom_are_refused(sleep):
    with pytest.raises(ms.MixedsimError, match="ddf must be 'satterthwaite' or 'wald', found 'kr'"):
        intervals(sleep, ddf="kr")


def test_a_wider_level_gives_a_wider_interval(sleep):
    ratio = stats.norm.ppf(0.995) / stats.norm.ppf(0.975)
    logs = [np.log(intervals(sleep, level=level).xs("sigma")[["lower", "upper"]].to_numpy()) for level in (0.95, 0.99)]
    assert np.ptp(logs[1]) == pytest.approx(ratio * np.ptp(logs[0]), rel=1e-9)
