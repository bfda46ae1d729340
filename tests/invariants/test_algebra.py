"""What any optimum must fulfil, against dense algebra; nested models; and other roads to the same fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

import mixedsim as ms
from tests.invariants.designs import CLOSE, DEVIANCE, assert_same, cases, term_columns, thorough

# Dense n × n algebra with some 80 rows loses a few digits of sixteen, more where a variance is a thousand residuals.
DENSE = 1e-7


def dense(fit):
    """X, Z of every group as n × Jq, V = ZΣZ' + σ²W⁻¹, and the residual of the mean."""
    data = fit.request.data
    x = fit.design.x.matrix()[:, list(fit.problem.fixed.kept)]
    w = np.ones(fit.nobs) if fit.design.weights is None else fit.design.weights
    v = np.diag(fit.sigma**2 / w)
    z = {}
    for factor, columns in zip(fit.design.factors, term_columns(fit).values(), strict=True):
        indicator = (factor.codes[:, None] == np.arange(len(factor.levels))).astype(float)
        z[factor.name] = (indicator[:, :, None] * columns[:, None, :]).reshape(fit.nobs, -1)
        sigma = fit.covariances[factor.name].to_numpy()
        v += z[factor.name] @ np.kron(np.eye(len(factor.levels)), sigma) @ z[factor.name].T
    offset = 0.0 if fit.design.offset is None else fit.design.offset
    return x, z, v, data["y"].to_numpy() - offset - x @ fit.fixef.to_numpy()


@thorough(40)
@given(case=cases())
def test_an_optimum_fulfils_its_equations(case):
    fit = case.fit()
    x, z, v, r = dense(fit)
    p = x.shape[1]
    solved = np.linalg.solve(v, np.column_stack([r, x]))
    score = x.T @ solved[:, 0]
    information = x.T @ solved[:, 1:]
    if p:  # the mean's residual is orthogonal to X, and β's covariance is the inverse information
        se = np.sqrt(np.diag(fit.vcov))
        assert (np.abs(score * se) < DENSE).all()
        np.testing.assert_allclose(fit.vcov.to_numpy() @ information, np.eye(p), atol=1e-6)
    criterion = np.linalg.slogdet(v)[1] + r @ solved[:, 0] + (fit.nobs - p * fit.reml) * np.log(2 * np.pi)
    criterion += np.linalg.slogdet(information)[1] if fit.reml and p else 0.0
    assert abs(fit.deviance - criterion) < DENSE * max(1.0, abs(criterion))
    fitted = case.data["y"] - r
    for name, columns in z.items():
        sigma = fit.covariances[name].to_numpy()
        modes = (columns.T @ solved[:, 0]).reshape(-1, len(sigma)) @ sigma
        np.testing.assert_allclose(fit.ranef[name], modes, atol=1e-6 * fit.sigma)
        fitted = fitted + columns @ modes.ravel()
    np.testing.assert_allclose(fit.predict(), fitted, atol=1e-6 * fit.sigma)
    np.testing.assert_allclose(fit.residuals(), case.data["y"] - fitted, atol=1e-6 * fit.sigma)


@thorough(30)
@given(case=cases())
def test_conditional_standard_deviations_are_those_of_dense_algebra(case):
    """Var(b | y) with V's share of β left out: lme4's condVar."""
    fit = case.fit()
    _, z, v, _ = dense(fit)
    names = list(z)
    all_z = np.column_stack([z[name] for name in names])
    blocks = [np.kron(np.eye(len(fit.ranef[name])), fit.covariances[name].to_numpy()) for name in names]
    size = all_z.shape[1]
    sigma = np.zeros((size, size))
    at = 0
    for block in blocks:
        sigma[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    sz = sigma @ all_z.T
    conditional = np.diag(sigma - sz @ np.linalg.solve(v, sz.T)).clip(min=0.0)
    expected = np.split(conditional, np.cumsum([len(block) for block in blocks])[:-1])
    for name, own in zip(names, expected, strict=True):
        sds = fit.ranef_sd[name]
        np.testing.assert_allclose(sds**2, own.reshape(sds.shape), atol=1e-7 * float(own.max() + fit.sigma**2))


@thorough(30)
@given(case=cases(intercept=True))
def test_random_effects_sum_to_zero_where_their_columns_are_fixed_effects_too(case):
    """Σ_j b_j = Σ Z'V⁻¹r summed over levels = Σ · (columns of X)'V⁻¹r = 0, balanced or not."""
    varying = [name for name in ("x1", "x2") if name in case.random]
    fit = case.with_(fixed=" + ".join([case.fixed, *varying])).fit()
    for name, effects in fit.ranef.items():
        scale = np.sqrt(np.diag(fit.covariances[name])) + fit.sigma
        assert (np.abs(effects.sum().to_numpy()) < 1e-7 * scale * len(effects)).all()


@thorough(30)
@given(case=cases(reml=False, intercept=True))
def test_a_richer_model_never_has_the_higher_deviance(case):
    """By maximum likelihood, for terms of either kind; each of these models contains the one before it."""
    first = case.random.split(" + (1 | b)")[0]
    models = [
        "1 + (1 | a)",
        f"{case.fixed} + (1 | a)",
        f"{case.fixed} + {first}",
        f"{case.fixed} + {first} + (1 | b)",
        f"{case.fixed} + x1 + x2 + {first} + (1 | b)",
    ]
    deviances = [case.fit(formula=f"y ~ {model}").deviance for model in models]
    assert (np.diff(deviances) < DEVIANCE).all(), deviances


@thorough(30)
@given(case=cases(reml=True, double_bar=False))
def test_by_reml_too_where_only_random_terms_differ(case):
    first = case.random.split(" + (1 | b)")[0]
    models = ["(1 | a)", first.replace("|", "||"), first, f"{first} + (1 | b)"]
    deviances = [case.fit(formula=f"y ~ {case.fixed} + {model}").deviance for model in models]
    assert (np.diff(deviances) < DEVIANCE).all(), deviances


@thorough(25)
@given(case=cases(), seed=st.integers(0, 2**32 - 1))
def test_refit_is_lmer_on_the_other_response(case, seed):
    y = case.data["y"] + np.random.default_rng(seed).normal(size=len(case.data))
    assert_same(case.fit(case.data.assign(y=y)), case.fit().refit(y))


@thorough(20)
@given(case=cases())
def test_updating_to_the_same_model_is_the_same_fit(case):
    one = case.fit()
    for other in (one.update(), one.update(". ~ ."), one.update(data=case.data), one.refit(case.data["y"])):
        assert_same(one, other)
        np.testing.assert_array_equal(other.fixef.index, one.fixef.index)
    back = one.update(reml=not one.reml).update(reml=one.reml)
    assert_same(one, back)


@thorough(25)
@given(case=cases(), seed=st.integers(0, 2**32 - 1))
def test_predictions_for_the_data_are_the_fitted_values(case, seed):
    """Both roads, whole and in pieces of reordered rows; what is known of groups enters for known ones alone."""
    fit = case.fit()
    fitted = fit.predict()
    rows = np.random.default_rng(seed).choice(len(case.data), 10, replace=False)
    np.testing.assert_allclose(fit.predict(case.data), fitted, rtol=1e-9, atol=1e-9 * fit.sigma)
    piece = fit.predict(case.data.iloc[rows])
    assert piece.index.tolist() == rows.tolist()
    np.testing.assert_allclose(piece, fitted.iloc[rows], rtol=1e-9, atol=1e-9 * fit.sigma)
    mean = fit.predict(random=False)
    others = case.data.assign(a=-1, b=-1)
    np.testing.assert_allclose(fit.predict(others, allow_new_levels=True), mean, rtol=1e-9, atol=1e-9 * fit.sigma)
    parts = sum(fit.predict(random=name) - mean for name in fit.ranef)
    np.testing.assert_allclose(mean + parts, fitted, rtol=1e-9, atol=1e-9 * fit.sigma)


@thorough(30)
@given(case=cases(weighted=True, shifted=False), seed=st.integers(0, 2**32 - 1))
def test_a_whole_weight_is_so_many_rows_with_their_mean(case, seed):
    """Row i with weight w is the mean of w rows of weight 1.

    The rows around their mean tell of σ² alone: with sum of squares S on N − n degrees of freedom they add
    (N − n) log 2πσ² + S/σ² + Σ log w to the deviance. With S = (N − n)σ̂² their σ̂² is that of the means, and all
    estimates agree.
    """
    rng = np.random.default_rng(seed)
    w = rng.integers(1, 5, len(case.data))
    w[0] = 2
    means = case.data.assign(w=w)
    one = case.fit(means)
    many = means.loc[np.repeat(means.index, w)].reset_index(names="row")
    apart = pd.Series(rng.normal(size=len(many)))
    apart -= apart.groupby(many["row"]).transform("mean")
    more = len(many) - len(means)
    apart *= one.sigma * np.sqrt(more / float((apart**2).sum()))
    # begun where the means ended: a small crossed layout may have a second optimum
    other = case.fit(many.assign(y=many["y"] + apart), weights=None, control=ms.Control(start=one.theta))
    expected = one.deviance + more * (1 + np.log(2 * np.pi * one.sigma**2)) + float(np.log(w).sum())
    assert abs(other.deviance - expected) < DEVIANCE
    assert abs(other.sigma / one.sigma - 1) < CLOSE
    se = np.sqrt(np.diag(one.vcov))
    assert (np.abs(other.fixef - one.fixef) < CLOSE * se).all()
    np.testing.assert_allclose(other.vcov, one.vcov, atol=10 * CLOSE * float((se**2).max(initial=0.0)))
    for name, effects in one.ranef.items():
        np.testing.assert_allclose(other.ranef[name], effects, atol=10 * CLOSE * one.sigma)
