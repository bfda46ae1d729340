"""Random mixed designs, several factors with slopes, weights and offsets among them, judged by n × n algebra.

Everything is computed a second time from V = Σ_f Z_f(I ⊗ Σ_f)Z_f' + σ²W⁻¹ itself: no cross-products, no factorisation
by blocks, no standardised units. Formulas: Kenward & Roger (1997); Halekoh & Højsgaard (2014), section 3; Gilmour,
Thompson & Cullis (1995) for the second derivatives of the criterion.
"""

from __future__ import annotations

from functools import cache, cached_property

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import mixedsim as ms

RISE = 3.841458820694124  # 95 % point of χ²₁


class Dense:
    """What a fitted model says, from matrices with one row and column a row of the data.

    Variance parameters γ are all free elements of Σ_1, Σ_2, …, then σ²; V = Σ_r γ_r G_r.
    """

    def __init__(self, fit: ms.LinearMixedModel) -> None:
        design, n = fit.design, fit.nobs
        self.fit, self.n = fit, n
        self.x = design.x.matrix()[:, list(fit.problem.fixed.kept)]
        self.y = design.y - (0.0 if design.offset is None else design.offset)
        self.noise = np.eye(n) if design.weights is None else np.diag(1.0 / design.weights)
        self.z, self.sigmas, self.g, self.gamma = [], [], [], []
        for factor in design.factors:
            columns = np.stack([np.broadcast_to(c, n) for t in factor.terms for c in t.columns.columns], axis=1)
            indicator = np.eye(len(factor.levels))[factor.codes]
            self.z.append((indicator[:, :, None] * columns[:, None, :]).reshape(n, -1))
            self.sigmas.append(fit.covariances[factor.name].to_numpy())
            start = 0
            for term in factor.terms:
                stop = start + len(term.columns.names)
                for i in range(start, stop):
                    for j in range(start, i + 1):
                        e = np.zeros((columns.shape[1],) * 2)
                        e[i, j] = e[j, i] = 1.0
                        self.g.append(self.z[-1] @ np.kron(np.eye(len(factor.levels)), e) @ self.z[-1].T)
                        self.gamma.append(self.sigmas[-1][i, j])
                start = stop
        self.g.append(self.noise)
        self.gamma.append(fit.sigma**2)
        self.v = sum(gamma * g for gamma, g in zip(self.gamma, self.g, strict=True))
        self.v_inverse = np.linalg.inv(self.v)
        self.phi = np.linalg.inv(self.x.T @ self.v_inverse @ self.x)
        self.beta = self.phi @ self.x.T @ self.v_inverse @ self.y
        self.e = self.y - self.x @ self.beta
        self.p = self.v_inverse - self.v_inverse @ self.x @ self.phi @ self.x.T @ self.v_inverse

    @property
    def loglik(self) -> float:
        two = np.linalg.slogdet(self.v)[1] + self.e @ self.v_inverse @ self.e + self.n * np.log(2 * np.pi)
        if self.fit.reml:
            two += -np.linalg.slogdet(self.phi)[1] - self.x.shape[1] * np.log(2 * np.pi)
        return -0.5 * float(two)

    def modes(self) -> list[np.ndarray]:
        return [
            (z.reshape(self.n, -1, len(s)) @ s).reshape(self.n, -1).T @ self.v_inverse @ self.e
            for z, s in zip(self.z, self.sigmas, strict=True)
        ]

    def mode_sds(self) -> list[np.ndarray]:
        out = []
        for z, s in zip(self.z, self.sigmas, strict=True):
            zs = (z.reshape(self.n, -1, len(s)) @ s).reshape(self.n, -1)
            prior = np.tile(np.diag(s), zs.shape[1] // len(s))
            out.append(np.sqrt((prior - np.einsum("ij,ij->j", zs, self.v_inverse @ zs)).clip(0)))
        return out

    def satterthwaite(self) -> np.ndarray:
        """2v²/(g'Ag) of every coefficient, A twice the inverse of the criterion's observed Hessian by γ."""
        q = self.p if self.fit.reml else self.v_inverse
        r = range(len(self.g))
        py = [g @ self.p @ self.y for g in self.g]
        qg = [q @ g for g in self.g]
        hessian = np.array([[-np.sum(qg[i] * qg[j].T) + 2 * py[i] @ self.p @ py[j] for j in r] for i in r])
        unit = 1 / np.sqrt(np.abs(np.diag(hessian)))
        spread = 2 * np.linalg.inv(hessian * np.outer(unit, unit)) * np.outer(unit, unit)
        slopes = np.array([np.diag(self.phi @ self._between(g) @ self.phi) for g in self.g])
        return 2 * np.diag(self.phi) ** 2 / np.einsum("rj,rs,sj->j", slopes, spread, slopes)

    def _between(self, g: np.ndarray) -> np.ndarray:
        return self.x.T @ self.v_inverse @ g @ self.v_inverse @ self.x

    @cached_property
    def kenward_roger(self) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
        """Φ_A, the matrices P_r, and W."""
        r = range(len(self.g))
        vg = [self.v_inverse @ g for g in self.g]
        p = [-self._between(g) for g in self.g]
        q = [[self.x.T @ vg[i] @ vg[j] @ self.v_inverse @ self.x for j in r] for i in r]
        information = np.array([[
            np.sum(vg[i] * vg[j].T) - 2 * np.sum(self.phi * q[i][j].T) + np.trace(self.phi @ p[i] @ self.phi @ p[j])
            for j in r
        ] for i in r])  # fmt: skip
        unit = 1 / np.sqrt(np.diag(information))
        w = 2 * np.linalg.inv(information * np.outer(unit, unit)) * np.outer(unit, unit)
        inner = sum(w[i, j] * (q[i][j] - p[i] @ self.phi @ p[j]) for i in r for j in r)
        return self.phi + self.phi @ (inner + inner.T) @ self.phi, p, w

    def kenward_roger_df(self) -> np.ndarray:
        """2/A₂ of every coefficient."""
        _, p, w = self.kenward_roger
        u = np.array([np.diag(self.phi @ one @ self.phi) for one in p]) / np.diag(self.phi)
        return 2 / np.einsum("rj,rs,sj->j", u, w, u)


# ---- designs

FIXED = (
    "x", "x + f", "x * f", "f * e + z", "0 + f + x", "poly(x, 2) + e", "1", "z * x", "f / x", "C(f, Sum) * e",
    "np.exp(z / 3) + f", "0", "e + e:z", "scale(x) * e",
)  # fmt: skip
FIRST = (
    "(1 | g)", "(z | g)", "(z || g)", "(0 + z | g)", "(0 + e | g)", "(e | g)", "(1 | g) + (0 + e | g)", "(x + z || g)",
    "(1 | g) + (0 + x + z | g)", "(1 | g:e)", "(x + z | g)", "(z:e | g)",
)  # fmt: skip
SECOND = (
    "", "", "(1 | h)", "(z | h)", "(1 | g:h)", "(1 | h) + (1 | k)", "(0 + e | h)", "(z || h)", "(1 | h/e)",
    "(1 | h:e) + (1|k)", "(1 | h) + (z | k)",
)  # fmt: skip


def random_model(seed: int) -> tuple[str, pd.DataFrame, dict[str, object]]:
    """A formula, data for it, and what else goes to `lmer`; the same for the same seed."""
    r = np.random.default_rng(seed)
    n = int(r.integers(40, 130))
    nested = r.random() < 0.4
    levels = int(r.integers(6, 16))
    d = pd.DataFrame(
        {"g": r.integers(0, levels, n), "h": r.integers(0, r.integers(4, 9), n), "k": r.integers(0, 4, n)}
    )
    if nested:
        d["h"] = d["g"] * 3 + r.integers(0, 3, n)
    d = d.assign(
        x=r.normal(r.choice([0, 5]), 1.5, n),
        z=r.normal(size=n),
        f=r.choice(list("abc"), n),
        e=r.choice(list("uv"), n),
        o=r.normal(size=n) * 3,
        w=10 ** r.uniform(-1.5, 1.5, n),
    )
    for c in "ghk":
        d[c] = c + d[c].astype(str)
    b = {c: r.normal(size=(d[c].nunique(), 3)) * r.choice([0.3, 1, 2], 3) for c in "ghk"}
    eta = d["x"] * 0.7 + (d["f"] == "b")
    for c in "ghk":
        code = pd.factorize(d[c])[0]
        sloped = b[c][code, 2] * (d["e"] == "u") if r.random() < 0.5 else 0
        eta = eta + b[c][code, 0] + b[c][code, 1] * d["z"] + sloped
    weights = "w" if r.random() < 0.3 else None
    d["y"] = eta + r.normal(size=n) / (np.sqrt(d["w"]) if weights else 1)
    offset = "o" if r.random() < 0.2 else None
    fixed, first, second = (str(r.choice(some)) for some in (FIXED, FIRST, SECOND))
    formula = " + ".join(part for part in (f"y ~ {fixed}", first, second) if part)
    return formula, d, {"weights": weights, "offset": offset, "reml": bool(r.random() < 0.75)}


@cache
def fitted(seed: int) -> ms.LinearMixedModel:
    formula, data, how = random_model(seed)
    return ms.lmer(formula, data, **how)


def described(seed: int) -> str:
    formula, _, how = random_model(seed)
    return f"{seed}: {formula}{', weights' if how['weights'] else ''}{', offset' if how['offset'] else ''}"


WITH_FIXED = [s for s in range(60) if "~ 0 +" not in random_model(s)[0] or "f + x" in random_model(s)[0]]
# formulas in which two terms describe the same variation have no Hessian to invert
DETERMINED = [s for s in WITH_FIXED if "(1 | g) + (0 + e | g)" not in random_model(s)[0]]
REML = [s for s in DETERMINED if random_model(s)[2]["reml"]]
# of the determined ones, those whose optimum has no variance of zero and no correlation of ±1
INTERIOR = (1, 2, 3, 4, 6, 7, 11, 23, 24, 39, 43, 50, 52, 53, 55)


@pytest.mark.parametrize("seed", WITH_FIXED, ids=described)
def test_criterion_estimates_and_random_effects(seed):
    fit = fitted(seed)
    dense = Dense(fit)
    se = np.sqrt(np.diag(dense.phi))
    assert fit.loglik == pytest.approx(dense.loglik, rel=1e-10, abs=1e-8)
    np.testing.assert_allclose((fit.fixef - dense.beta) / se, 0, atol=1e-7)
    np.testing.assert_allclose((fit.vcov - dense.phi) / np.outer(se, se), 0, atol=1e-8)
    for factor, modes, sds in zip(fit.design.factors, dense.modes(), dense.mode_sds(), strict=True):
        np.testing.assert_allclose(fit.ranef[factor.name].to_numpy().ravel(), modes, atol=1e-7 * fit.sigma)
        np.testing.assert_allclose(fit.ranef_sd[factor.name].to_numpy().ravel(), sds, atol=1e-6 * fit.sigma)


@pytest.mark.parametrize("seed", INTERIOR, ids=described)
def test_satterthwaite_away_from_the_boundary(seed):
    fit = fitted(seed)
    assert not fit.singular  # at the boundary the criterion has no Hessian
    # what is left to gain at the optimum moves the variances of flat criteria, and the df with them
    np.testing.assert_allclose(fit.coefficients()["df"], Dense(fit).satterthwaite(), rtol=5e-4)


# 98, 14 and 63: off-diagonal variance parameters of factors that cross, some of them at a singular optimum
@pytest.mark.parametrize("seed", [*REML, 63, 72, 98, 122], ids=described)
def test_kenward_roger_also_where_effects_vary_in_one_direction_only(seed):
    fit = fitted(seed)
    dense = Dense(fit)
    table = fit.coefficients(ddf="kenward-roger")
    np.testing.assert_allclose(table["se"], np.sqrt(np.diag(dense.kenward_roger[0])), rtol=1e-6)
    np.testing.assert_allclose(table["df"], dense.kenward_roger_df(), rtol=1e-5)


# ---- profiles in other units, and with zero far from all values


def crossed(rng: np.random.Generator) -> pd.DataFrame:
    n = 120
    g, h = np.repeat(np.arange(12), 10), rng.integers(0, 7, n)
    d = pd.DataFrame({"g": g.astype(str), "h": h.astype(str), "x": rng.normal(size=n), "f": rng.choice(list("ab"), n)})
    u, s, v = rng.normal(size=12), rng.normal(size=12), rng.normal(size=7)
    return d.assign(y=1 + d["x"] + u[g] + s[g] * d["x"] + 0.7 * v[h] + rng.normal(size=n))


@pytest.fixture(scope="module")
def data():
    return crossed(np.random.default_rng(5))


@pytest.mark.parametrize("unit", [1e6, 1e-6, 1e9, 1e-9])
def test_profiles_scale_with_the_predictor(data, unit):
    formula = "y ~ x * f + (x | g) + (1 | h)"
    one = ms.lmer(formula, data).confint()
    other = ms.lmer(formula, data.assign(x=data["x"] * unit)).confint()
    for name in one.index:
        size = 1 / unit if "x" in name and not name.startswith("corr") else 1.0
        np.testing.assert_allclose(other.loc[name], one.loc[name] * size, rtol=1e-5, atol=1e-7 * size, err_msg=name)


@pytest.mark.parametrize("shift", [3.0, 400.0, 3000.0])
def test_profile_of_a_correlation_with_zero_far_from_all_values(data, shift):
    """A year beside crossed factors: the ends are where the least deviance, by dense algebra, has risen by 3.84."""
    moved = data.assign(x=data["x"] + shift)
    fit = ms.lmer("y ~ x + (x | g) + (1 | h)", moved, reml=False)
    both = fit.confint()
    still = ms.lmer("y ~ x + (x | g) + (1 | h)", data, reml=False).confint(parameters=["x", "sd(x | g)", "sigma"])
    np.testing.assert_allclose(both.loc[still.index], still, rtol=1e-5)
    x, y = np.column_stack([np.ones(len(data)), moved["x"]]), data["y"].to_numpy()
    same_g = (data["g"].to_numpy()[:, None] == data["g"].to_numpy()).astype(float)
    same_h = (data["h"].to_numpy()[:, None] == data["h"].to_numpy()).astype(float)

    def deviance(v: np.ndarray, rho: float) -> float:
        """−2 log L; v: log sd of the slope, the intercepts' sd over shift times that, sd of h over σ, log σ."""
        slope = np.exp(v[0])
        intercept = slope * shift * np.exp(v[1] / shift)
        # the covariance of two rows' lines, (1, x_i) Σ (1, x_j)', without the cancellation of its large parts
        left, right = intercept + rho * slope * x[:, 1], slope * x[:, 1] * np.sqrt((1 - rho) * (1 + rho))
        v_all = same_g * (np.outer(left, left) + np.outer(right, right))
        v_all += np.exp(2 * v[3]) * (np.eye(len(y)) + v[2] ** 2 * same_h)
        root = np.linalg.cholesky(v_all)
        half = np.linalg.solve(root, np.column_stack([x, y]))
        rest = half[:, 2] - half[:, :2] @ np.linalg.lstsq(half[:, :2], half[:, 2], rcond=None)[0]
        return float(2 * np.log(np.diag(root)).sum() + rest @ rest + len(y) * np.log(2 * np.pi))

    sigma = fit.covariances["g"].to_numpy()
    sds = np.sqrt(np.diag(sigma))
    begin = [np.log(sds[1]), shift * np.log(sds[0] / sds[1] / shift), fit.varcorr["sd_or_corr"].iloc[-1] / fit.sigma]
    begin = np.array([*begin, np.log(fit.sigma)])
    for end in both.loc["corr(Intercept, x | g)", ["lower", "upper"]]:
        best = begin
        for _ in range(4):
            found = minimize(deviance, best, (end,), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-8})
            best = found.x
        assert found.fun - fit.deviance == pytest.approx(RISE, abs=2e-4)


def test_profiles_of_a_reml_fit_whose_ml_likelihood_has_two_maxima():
    """Seed 126: from the REML estimates the ML search ends 0.027 above the best; the curves start again from there."""
    fit = fitted(126)
    assert fit.reml
    starts = np.random.default_rng(1).exponential(size=(8, len(fit.theta)))
    best = min(fit.update(reml=False, control=ms.Control(start=list(start))).deviance for start in starts)
    assert fit.update(reml=False, control=ms.Control(start=list(fit.theta))).deviance > best + 1e-3
    profile = fit.profile()
    assert profile.table["deviance"].min() == pytest.approx(best, abs=1e-5)
    assert np.isfinite(fit.confint().to_numpy()).all()


def test_a_rough_point_is_no_better_model():
    """Seed 58: one Newton step on the way to an end promises more than there is."""
    assert np.isfinite(fitted(58).confint().to_numpy()).all()


# ---- hypotheses about columns that are nearly combinations of others


@pytest.mark.parametrize("shift", [1e8, 1e9])
@pytest.mark.parametrize("coded", ["f", "C(f, Sum)"])
def test_terms_beside_a_dropped_interaction_are_tested_as_without_it(data, shift, coded):
    moved = data.assign(x=data["x"] + shift)
    fit = ms.lmer(f"y ~ x * {coded} + (1 | g)", moved)
    assert fit.problem.fixed.dropped
    plain = ms.lmer(f"y ~ x + {coded} + (1 | g)", data)
    for kind in (1, 2, 3):
        table, wanted = fit.anova(type=kind), plain.anova(type=kind)
        np.testing.assert_allclose(table.loc[wanted.index, ["F", "df2"]], wanted[["F", "df2"]], rtol=1e-4)
        assert np.isnan(table.loc[f"x:{coded}", "F"])
