"""Balanced layouts, where REML has a closed form: the estimators of the analysis of variance, or zero.

Searle, Casella & McCulloch (1992), Variance Components, sections 3.8, 4.5 and 4.6: where the ANOVA estimates of a
balanced layout are not negative, REML is the same.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import assume, given
from hypothesis import strategies as st

import mixedsim as ms
from tests.invariants.designs import thorough

# Estimates lie within 1e-5 of their standard errors, and a variance component of a dozen levels has a standard error
# of half its size, or more where it is small beside the residual: hence relative to the total variance.
VARIANCE = 1e-4
SIZES = st.integers(2, 6)
SD = st.sampled_from([0.0, 0.3, 1.0, 3.0])
SEEDS = st.integers(0, 2**32 - 1)
UNITS = st.sampled_from([1e-6, 1.0, 1e6])


def variances(fit):
    table = fit.varcorr.set_index("group")["variance"]
    return {str(name): float(table[name]) for name in table.index} | {"residual": fit.sigma**2}


def assert_variances(fit, **expected):
    found = variances(fit)
    total = sum(expected.values())
    assert found.keys() == {name.replace("__", ":") for name in expected}
    for name, value in expected.items():
        assert abs(found[name.replace("__", ":")] - value) < VARIANCE * total, (name, found, expected)


def mean_square(effects, times, df):
    return times * float((np.asarray(effects) ** 2).sum()) / df


@thorough(60)
@given(j=st.integers(3, 12), m=SIZES, sd=SD, unit=UNITS, seed=SEEDS)
def test_one_way(j, m, sd, unit, seed):
    """σ² = MSE and σ²_g = (MSB − MSE)/m where that is positive; else all is residual. ML divides SSB by J."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(j), m)
    y = unit * (5 + sd * rng.normal(size=j)[g] + rng.normal(size=j * m))
    data = pd.DataFrame({"y": y, "g": g}).sample(frac=1, random_state=seed % 1000)
    means = data.groupby("g")["y"].mean()
    between = mean_square(means - y.mean(), m, j - 1)
    within = mean_square(data["y"] - means[data["g"]].to_numpy(), 1, j * (m - 1))
    for reml, msb, df in ((True, between, j * m - 1), (False, between * (j - 1) / j, j * m)):
        fit = ms.lmer("y ~ 1 + (1 | g)", data, reml=reml)
        assert fit.converged
        if msb > within:
            assert_variances(fit, g=(msb - within) / m, residual=within)
        else:
            assert_variances(fit, g=0.0, residual=mean_square(y - y.mean(), 1, df))
            assert fit.varcorr["variance"][0] == 0
            assert fit.singular
        assert abs(fit.fixef["Intercept"] - y.mean()) < 1e-9 * unit
        shrink = variances(fit)["g"] / (variances(fit)["g"] + fit.sigma**2 / m)
        np.testing.assert_allclose(fit.ranef["g"]["Intercept"], shrink * (means - y.mean()), atol=1e-9 * unit)


@thorough(40)
@given(j=st.integers(4, 10), m=st.integers(3, 6), sd=SD, seed=SEEDS)
def test_one_way_with_a_treatment_between_groups(j, m, sd, seed):
    """The groups' mean square is taken around their arm's mean, on J − 2 degrees of freedom."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(2 * j), m)
    data = pd.DataFrame({"g": g, "arm": np.where(g % 2, "new", "old")})
    data["y"] = sd * rng.normal(size=2 * j)[g] + rng.normal(size=len(g)) + (g % 2)
    means = data.groupby(["arm", "g"])["y"].mean()
    between = mean_square(means - means.groupby("arm").transform("mean"), m, 2 * j - 2)
    within = mean_square(data["y"] - data.groupby("g")["y"].transform("mean"), 1, 2 * j * (m - 1))
    assume(between > within)
    fit = ms.lmer("y ~ arm + (1 | g)", data)
    assert_variances(fit, g=(between - within) / m, residual=within)
    # the classical test: F of the arms over that of the groups within them, on 1 and 2J − 2 degrees of freedom
    arms = data.groupby("arm")["y"].mean()
    f = j * m * float(arms.diff().iloc[1]) ** 2 / 2 / between
    for ddf in ("satterthwaite", "kenward-roger"):
        table = fit.anova(ddf=ddf)
        assert abs(table.loc["arm", "F"] / f - 1) < 1e-3
        assert abs(table.loc["arm", "df2"] / (2 * j - 2) - 1) < 1e-3


@thorough(40)
@given(a=st.integers(3, 8), b=SIZES, m=SIZES, sd=st.tuples(SD, SD), seed=SEEDS)
def test_nested(a, b, m, sd, seed):
    rng = np.random.default_rng(seed)
    inner = np.repeat(np.arange(a * b), m)
    outer = inner // b
    y = sd[0] * rng.normal(size=a)[outer] + sd[1] * rng.normal(size=a * b)[inner] + rng.normal(size=len(inner))
    data = pd.DataFrame({"y": y, "outer": outer, "inner": inner % b})
    cells = data.groupby(["outer", "inner"])["y"].mean()
    groups = data.groupby("outer")["y"].mean()
    ms_outer = mean_square(groups - y.mean(), b * m, a - 1)
    ms_inner = mean_square(cells - groups.loc[cells.index.get_level_values(0)].to_numpy(), m, a * (b - 1))
    within = mean_square(y - data.groupby(["outer", "inner"])["y"].transform("mean"), 1, a * b * (m - 1))
    assume(ms_outer > ms_inner > within)
    fit = ms.lmer("y ~ 1 + (1 | outer/inner)", data)
    parts = {"outer": (ms_outer - ms_inner) / (b * m), "inner:outer": (ms_inner - within) / m, "residual": within}
    assert_variances(fit, **{name.replace(":", "__"): value for name, value in parts.items()})
    assert fit.anova().empty
    df = fit.coefficients()["df"]["Intercept"]
    assert abs(df / (a - 1) - 1) < 1e-3


@thorough(40)
@given(a=st.integers(3, 8), b=st.integers(3, 6), m=st.integers(1, 3), sd=st.tuples(SD, SD), seed=SEEDS)
def test_crossed(a, b, m, sd, seed):
    rng = np.random.default_rng(seed)
    i, k, _ = (v.ravel() for v in np.meshgrid(range(a), range(b), range(m), indexing="ij"))
    y = sd[0] * rng.normal(size=a)[i] + sd[1] * rng.normal(size=b)[k] + rng.normal(size=a * b * m)
    data = pd.DataFrame({"y": y, "a": i, "b": k}).sample(frac=1, random_state=seed % 1000)
    rows, columns = data.groupby("a")["y"].mean() - y.mean(), data.groupby("b")["y"].mean() - y.mean()
    ms_a, ms_b = mean_square(rows, b * m, a - 1), mean_square(columns, a * m, b - 1)
    rest = data["y"] - y.mean() - rows[data["a"]].to_numpy() - columns[data["b"]].to_numpy()
    error = mean_square(rest, 1, a * b * m - a - b + 1)
    assume(min(ms_a, ms_b) > error)
    fit = ms.lmer("y ~ 1 + (1 | a) + (1 | b)", data)
    assert_variances(fit, a=(ms_a - error) / (b * m), b=(ms_b - error) / (a * m), residual=error)


@thorough(30)
@given(a=st.integers(3, 6), b=st.integers(3, 5), m=st.integers(2, 4), seed=SEEDS)
def test_crossed_with_an_interaction(a, b, m, seed):
    rng = np.random.default_rng(seed)
    i, k, _ = (v.ravel() for v in np.meshgrid(range(a), range(b), range(m), indexing="ij"))
    y = 2 * rng.normal(size=a)[i] + 2 * rng.normal(size=b)[k] + rng.normal(size=a * b)[i * b + k]
    data = pd.DataFrame({"y": y + rng.normal(size=len(y)), "a": i, "b": k})
    mean = data["y"].mean()
    rows, columns = data.groupby("a")["y"].mean() - mean, data.groupby("b")["y"].mean() - mean
    cells = data.groupby(["a", "b"])["y"].mean().to_numpy().reshape(a, b) - mean
    both = cells - rows.to_numpy()[:, None] - columns.to_numpy()
    ms_a, ms_b = mean_square(rows, b * m, a - 1), mean_square(columns, a * m, b - 1)
    ms_ab = mean_square(both, m, (a - 1) * (b - 1))
    error = mean_square(data["y"] - data.groupby(["a", "b"])["y"].transform("mean"), 1, a * b * (m - 1))
    assume(min(ms_a, ms_b) > ms_ab > error)
    fit = ms.lmer("y ~ 1 + (1 | a) + (1 | b) + (1 | a:b)", data)
    expected = {"a": (ms_a - ms_ab) / (b * m), "b": (ms_b - ms_ab) / (a * m), "a__b": (ms_ab - error) / m}
    assert_variances(fit, **expected, residual=error)


@thorough(40)
@given(j=st.integers(5, 12), m=st.integers(3, 6), seed=SEEDS)
def test_slopes_on_a_common_design_are_least_squares_lines_shrunken(j, m, seed):
    """Same x in every group: β is the mean of the groups' lines, Σ their covariance less that of their error.

    Laird & Ware (1982), Biometrics 38:963, section 3, in the balanced case.
    """
    rng = np.random.default_rng(seed)
    x = np.linspace(-1, 2, m)
    lines = rng.multivariate_normal([1.0, 2.0], [[2.0, 0.4], [0.4, 1.0]], size=j)
    y = lines[:, :1] + lines[:, 1:] * x + 0.5 * rng.normal(size=(j, m))
    data = pd.DataFrame({"y": y.ravel(), "x": np.tile(x, j), "g": np.repeat(np.arange(j), m)})
    design = np.column_stack([np.ones(m), x])
    inverse = np.linalg.inv(design.T @ design)
    own = y @ design @ inverse
    sigma2 = float(((y - own @ design.T) ** 2).sum()) / (j * (m - 2))
    covariance = np.cov(own.T) - sigma2 * inverse
    assume(np.linalg.eigvalsh(covariance)[0] > 0)
    fit = ms.lmer("y ~ x + (x | g)", data)
    total = np.sqrt(np.diag(np.cov(own.T)))
    assert abs(fit.sigma**2 / sigma2 - 1) < VARIANCE
    assert (np.abs(fit.covariances["g"].to_numpy() - covariance) < VARIANCE * np.outer(total, total)).all()
    np.testing.assert_allclose(fit.fixef, own.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(fit.vcov, np.cov(own.T) / j, atol=VARIANCE * total.max() ** 2)
    for ddf in ("satterthwaite", "kenward-roger"):
        np.testing.assert_allclose(fit.coefficients(ddf)["df"], j - 1, rtol=1e-3)
