"""Kenward and Roger's method against n × n algebra, exact special cases, and pbkrtest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import mixedsim as ms
from mixedsim.engine import Objective
from mixedsim.inference.kenward_roger import kenward_roger
from tests.engine.cases import STRUCTURES, Case, make

UNBALANCED = Path(__file__).parents[1] / "models" / "unbalanced"
WITH_FIXED = [name for name, (_, _, p) in STRUCTURES.items() if p]
DIFFERENCES = 1e-7  # traces of several factors come from fourth-order differences


def dense(case: Case, theta: np.ndarray, sigma2: float) -> dict[str, np.ndarray]:
    """Halekoh & Højsgaard (2014), section 3, with every matrix written out."""
    n = len(case.y)
    x = case.dense_x()
    g = []
    for z, shape, lam in zip(case.dense_z(), case.layout.factors, case.layout.lambdas(theta), strict=True):
        start = 0
        for q in shape.terms:
            for i in range(start, start + q):
                for j in range(start, i + 1):
                    e = np.zeros(lam.shape)
                    e[i, j] = e[j, i] = 1.0
                    g.append(z @ np.kron(np.eye(shape.levels), e) @ z.T)
            start += q
    g.append(np.eye(n) if case.weights is None else np.diag(1 / case.weights))
    v_inverse = np.linalg.inv(sigma2 * case.dense_v(theta))
    phi = np.linalg.inv(x.T @ v_inverse @ x)
    r = len(g)
    vg = [v_inverse @ one for one in g]
    p = np.array([-x.T @ one @ v_inverse @ x for one in vg])
    q = np.array([[x.T @ one @ two @ v_inverse @ x for two in vg] for one in vg])
    information = np.array(
        [
            [
                np.trace(vg[i] @ vg[j]) - 2 * np.trace(phi @ q[i, j]) + np.trace(phi @ p[i] @ phi @ p[j])
                for j in range(r)
            ]
            for i in range(r)
        ]
    )
    w = 2 * np.linalg.inv(information)
    inner = sum(w[i, j] * (q[i, j] - p[i] @ phi @ p[j]) for i in range(r) for j in range(r))
    return {"phi": phi, "p": p, "w": w, "adjusted": phi + 2 * phi @ inner @ phi}


@pytest.mark.usefixtures("shape")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", WITH_FIXED)
def test_equals_dense_algebra(name, weighted):
    case = make(name, weighted)
    objective = Objective(case.cp, case.layout, True)
    at = objective.evaluate(np.random.default_rng(1).uniform(0.2, 0.9, case.layout.size))
    ours, theirs = kenward_roger(objective, at), dense(case, at.theta, at.sigma2)
    np.testing.assert_allclose(ours.phi, theirs["phi"], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(ours.covariance, theirs["adjusted"], rtol=DIFFERENCES, atol=1e-9)
    # ours are in units of γ/σ² and V/σ²; what both make of a contrast is the same
    contrast = np.random.default_rng(2).normal(size=(1, len(at.beta)))
    u = np.einsum("p,rpq,q->r", *(contrast @ theirs["phi"])[:1], theirs["p"], *(contrast @ theirs["phi"])[:1])
    u /= (contrast @ theirs["phi"] @ contrast.T).item()
    np.testing.assert_allclose(ours.df(contrast), 2 / (u @ theirs["w"] @ u), rtol=10 * DIFFERENCES)


@pytest.mark.usefixtures("shape")
@pytest.mark.parametrize("name", ["intercept and slope", "nested with slopes inside", "crossed with slopes on both"])
def test_singular_covariances_are_ordinary_points(name):
    """A zero variance and a correlation of 1: Σ is on its boundary, V is not."""
    case = make(name)
    theta = np.full(case.layout.size, 0.6)
    theta[2] = 0.0  # of (sd, covariance, sd): correlation 1
    theta[3:] *= 0.0
    objective = Objective(case.cp, case.layout, True)
    at = objective.evaluate(theta)
    ours, theirs = kenward_roger(objective, at), dense(case, at.theta, at.sigma2)
    np.testing.assert_allclose(ours.covariance, theirs["adjusted"], rtol=1e-6, atol=1e-9)


def test_one_contrast_is_the_general_formula_for_q_equal_to_one():
    """2/A_2 is what equations 12-16 come to for q = 1; they are evaluated here as printed."""
    case = make("intercept and slope")
    objective = Objective(case.cp, case.layout, True)
    ours = kenward_roger(objective, objective.evaluate(np.array([0.5, 0.2, 0.4])))
    contrast = np.array([[1.0, -0.4, 2.0]])
    theta = contrast.T @ contrast / (contrast @ ours.phi @ contrast.T)
    u = [np.trace(theta @ ours.phi @ p @ ours.phi) for p in ours.p_matrices]
    a1 = a2 = float(np.array(u) @ ours.w @ np.array(u))
    b, g = (a1 + 6 * a2) / 2, (2 * a1 - 5 * a2) / (3 * a2)
    c1, c2, c3 = g / (3 + 2 * (1 - g)), (1 - g) / (3 + 2 * (1 - g)), (3 - g) / (3 + 2 * (1 - g))
    rho = ((1 - a2) / (1 - c2 * b)) ** 2 * (1 + c1 * b) / (1 - c3 * b)
    assert ours.df(contrast)[0] == pytest.approx(4 + 3 / (rho - 1), rel=1e-9)
    assert ours.denominator(contrast) == (pytest.approx(4 + 3 / (rho - 1), rel=1e-9), 1.0)


@pytest.mark.parametrize("groups", [5, 6, 7, 12])
def test_balanced_between_group_factor_has_the_exact_f_test(groups):
    """Four arms given to whole groups: the F test of the group means, on 3 and J − 4 degrees of freedom."""
    rng = np.random.default_rng(groups)
    g = np.repeat(np.arange(groups), 8)
    y = rng.normal(size=groups)[g] * 2 + rng.normal(size=len(g))
    data = pd.DataFrame({"y": y, "g": g.astype(str), "arm": np.array(list("abcd"))[g % 4]})
    fit = ms.lmer("y ~ arm + (1 | g)", data)
    assert not fit.singular
    means = data.groupby("g", sort=False)["y"].mean().to_numpy()
    exact = stats.f_oneway(*(means[np.arange(groups) % 4 == k] for k in range(4)))
    row = fit.anova(ddf="kenward-roger").loc["arm"]
    assert row["df2"] == pytest.approx(groups - 4, rel=1e-5)
    assert row["F"] == pytest.approx(exact.statistic, rel=1e-5)
    assert row["p"] == pytest.approx(exact.pvalue, rel=1e-5)


# ---- prior weights


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pd.read_csv(UNBALANCED / "rows.csv", dtype={"g": str})


@pytest.fixture(scope="module")
def weighted(rows):
    return ms.lmer("y ~ x + (x | g)", rows, weights="w")


@pytest.fixture(scope="module")
def answers() -> dict:
    return json.loads((UNBALANCED / "answers.json").read_text())["weighted"]


def test_weighted_model_is_the_whitened_model(rows, weighted):
    """Rows times √w have residuals of one variance and need no weights: the same model, so the same inference."""
    s = np.sqrt(rows["w"])
    white = pd.DataFrame({"y": s * rows["y"], "s": s, "sx": s * rows["x"], "g": rows["g"]})
    whitened = ms.lmer("y ~ 0 + s + sx + (0 + s + sx | g)", white)
    for ddf in ("kenward-roger", "satterthwaite"):
        ours, theirs = weighted.coefficients(ddf=ddf), whitened.coefficients(ddf=ddf)
        np.testing.assert_allclose(ours[["estimate", "se", "df"]], theirs[["estimate", "se", "df"]], rtol=1e-5)


def test_weighted_model_has_pbkrtests_numbers_for_the_whitened_rows(weighted, answers):
    # lmer(sy ~ 0 + s + sx + (0 + s + sx | g)); vcovAdj(fit); get_Lb_ddf(fit, L)
    table = weighted.coefficients(ddf="kenward-roger")
    np.testing.assert_allclose(table["se"], answers["whitened"]["se"], rtol=1e-5)
    np.testing.assert_allclose(table["df"], answers["whitened"]["df"], rtol=1e-5)


def test_pbkrtest_disregards_prior_weights_and_we_do_not_follow(weighted, answers, rows):
    """pbkrtest 0.5.2 (get_SigmaG) takes V = ΣγG + σ²I whatever the weights: here it has more degrees of freedom for the
    slope than 16 groups could ever give, and other answers than it gives itself for the same model, whitened."""
    theirs = answers["as_pbkrtest_has_it"]
    assert answers["fixef_apart"] < 1e-6  # one model, by two roads
    assert min(theirs["df"]) > rows["g"].nunique() > weighted.coefficients(ddf="kenward-roger")["df"].max()


# ---- what has no answer


def test_maximum_likelihood_is_refused_in_one_sentence():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"), reml=False)
    with pytest.raises(ms.MixedsimError) as error:
        fit.coefficients(ddf="kenward-roger")
    assert str(error.value) == "Kenward-Roger's method needs a REML fit: fit the model with reml=True."


def test_variance_that_cannot_be_told_has_no_degrees_of_freedom(rows):
    """Dummies for all groups leave nothing to estimate the variance between groups from; x is not concerned."""
    fit = ms.lmer("y ~ poly(number, 15) + x + (1 | g)", rows.assign(number=rows["g"].astype(int)))
    assert any("do not determine all variances" in message for message in fit.messages)
    for ddf in ("kenward-roger", "satterthwaite"):
        table, tests = fit.coefficients(ddf=ddf), fit.anova(ddf=ddf)
        assert table.loc["poly(number, 15)[1]", "df"] == 0
        assert np.isnan(table.loc["poly(number, 15)[1]", "p"])
        assert np.isnan(tests.loc["poly(number, 15)", "p"])
        assert table.loc["x", "df"] == pytest.approx(223, rel=1e-6)  # 240 rows less 16 groups and x


# ---- truth


def test_small_designs_keep_their_level_where_wald_does_not():
    """Treatment given to 3 of 6 groups of 5: |t| beyond its 5 % point under a true null, 400 times."""
    rng = np.random.default_rng(11)
    g = np.repeat(np.arange(6), 5)
    data = pd.DataFrame({"g": g.astype(str), "treated": (g % 2).astype(float)})
    n = 400
    rejected = dict.fromkeys(("kenward-roger", "wald"), 0)
    for _ in range(n):
        fit = ms.lmer("y ~ treated + (1 | g)", data.assign(y=rng.normal(size=6)[g] + rng.normal(size=30)))
        for ddf in rejected:
            rejected[ddf] += int(fit.coefficients(ddf=ddf).loc["treated", "p"] < 0.05)
    error = np.sqrt(0.05 * 0.95 / n)
    assert abs(rejected["kenward-roger"] / n - 0.05) < 3 * error
    assert rejected["wald"] / n > 0.05 + 4 * error
