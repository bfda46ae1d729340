"""Leverage and deletion: dense algebra at the same variances, R, invariants, and refits as a loose check."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import block_diag

import mixedsim as ms
from mixedsim.inference import influence_crossed

SAME = 1e-8  # both roads are exact; what differs is rounding
EARLY = 1e-5  # lme4's optimiser stops that far from the optimum


def _crossed() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    n = 900
    data = pd.DataFrame({"a": rng.integers(0, 60, n), "b": rng.integers(0, 40, n), "x": rng.normal(size=n)})
    data["c"] = data.b // 4
    data["w"] = rng.uniform(0.5, 2.0, n)
    data["o"] = rng.normal(size=n)
    effects = rng.normal(size=60)[data.a] + rng.normal(size=40)[data.b] + rng.normal(size=10)[data.c]
    return data.assign(y=data.x + effects + rng.normal(size=n))


def _nested() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"pupil": rng.integers(0, 150, 900), "x": rng.normal(size=900)})
    data["form"], data["school"] = data.pupil // 6, data.pupil // 30
    slopes = 1 + 0.5 * rng.normal(size=150)[data.pupil] + 0.5 * rng.normal(size=25)[data.form]
    levels = rng.normal(size=150)[data.pupil] + rng.normal(size=25)[data.form] + rng.normal(size=5)[data.school]
    return data.assign(y=slopes * data.x + levels + rng.normal(size=900))


CASES = {
    "one factor, slopes": lambda: ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy")),
    "weights and offset": lambda: ms.lmer("y ~ x + (x | a)", _crossed(), weights="w", offset="o"),
    "singular": lambda: ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2")),
    "few nested": lambda: ms.lmer("strength ~ 1 + (1 | batch/cask)", ms.datasets.load("Pastes")),
    "few crossed": lambda: ms.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", ms.datasets.load("Penicillin")),
    "many nested": lambda: ms.lmer("y ~ x + (x | b) + (x || c)", _crossed()),
    "three levels": lambda: ms.lmer("y ~ x + (x | pupil) + (x | form) + (1 | school)", _nested()),
    "many crossed": lambda: ms.lmer("y ~ x + (x | a) + (1 | b)", _crossed(), weights="w"),
    "crossed and nested": lambda: ms.lmer("y ~ x + (x | a) + (x | c) + (1 | b)", _crossed()),
    "maximum likelihood": lambda: ms.lmer("angle ~ recipe * temp + (1 | recipe:replicate)",
                                          ms.datasets.load("cake"), reml=False),
}  # fmt: skip


@cache
def fitted(name):
    return CASES[name]()


class Dense:
    """The fit as n × n matrices, in the units of the data."""

    def __init__(self, fit):
        design, n = fit.design, fit.nobs
        self.x = design.x.matrix()[:, list(fit.problem.fixed.kept)]
        self.y = design.y - (0.0 if design.offset is None else design.offset)
        self.weights = np.ones(n) if design.weights is None else design.weights
        self.v = np.diag(fit.sigma**2 / self.weights)
        for factor in design.factors:
            columns = np.stack([np.broadcast_to(c, n) for t in factor.terms for c in t.columns.columns], axis=1)
            z = (np.eye(len(factor.levels))[factor.codes][:, :, None] * columns[:, None, :]).reshape(n, -1)
            cov = fit.covariances[factor.name].to_numpy()
            self.v += z @ block_diag(*[cov] * len(factor.levels)) @ z.T
        self.sigma2 = fit.sigma**2
        self.information = self.x.T @ np.linalg.solve(self.v, self.x)
        self.beta = self.without([])

    def without(self, rows):
        """Generalised least squares at the same variances."""
        keep = np.setdiff1d(np.arange(len(self.y)), rows)
        inverse = np.linalg.inv(self.v[np.ix_(keep, keep)])
        x, y = self.x[keep], self.y[keep]
        return np.linalg.solve(x.T @ inverse @ x, x.T @ inverse @ y)

    def leverages(self):
        inverse = np.linalg.inv(self.v)
        fixed = self.x @ np.linalg.solve(self.information, self.x.T @ inverse)
        # fitted values with random effects are y − R V⁻¹(y − Xβ̂), R the residual covariance
        whole = np.eye(len(self.y)) - (self.sigma2 / self.weights)[:, None] * inverse @ (np.eye(len(self.y)) - fixed)
        return np.diag(whole), np.diag(fixed)


@cache
def dense(name):
    return Dense(fitted(name))


def assert_deleted(fit, own, row, rows):
    """A row of the table says what generalised least squares without these rows does."""
    moved = own.beta - own.without(rows)
    se = np.sqrt(np.diag(np.linalg.inv(own.information)))
    assert row.filter(like="dfbetas").to_numpy() == pytest.approx(moved / se, rel=SAME, abs=SAME)
    assert row["cook"] == pytest.approx(moved @ own.information @ moved / len(moved), rel=SAME, abs=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_rows_are_as_if_deleted(name):
    fit, own, table = fitted(name), dense(name), fitted(name).influence()
    whole, fixed = own.leverages()
    assert table["leverage"].to_numpy() == pytest.approx(whole, rel=SAME, abs=1e-10)
    assert table["leverage_fixed"].to_numpy() == pytest.approx(fixed, rel=SAME, abs=1e-10)
    for k in np.random.default_rng(1).choice(fit.nobs, 4, replace=False):
        assert_deleted(fit, own, table.iloc[k], [k])


@pytest.mark.parametrize("name", CASES)
def test_levels_are_as_if_deleted(name):
    fit, own = fitted(name), dense(name)
    rows = fit.influence()
    for factor in fit.design.factors:
        table = fit.influence(factor.name)
        assert table.index.tolist() == factor.levels.tolist()
        assert table["rows"].tolist() == np.bincount(factor.codes).tolist()
        assert table["leverage"].sum() == pytest.approx(rows["leverage"].sum(), rel=1e-10)
        for k in np.random.default_rng(2).choice(len(table), 3, replace=False):
            assert_deleted(fit, own, table.iloc[k], np.flatnonzero(factor.codes == k))


def test_large_levels_take_the_other_road_to_the_same_place(monkeypatch):
    fit = fitted("many crossed")
    together = fit.influence("b")
    monkeypatch.setattr(influence_crossed, "_LARGE", 20)
    assert (together["rows"] > 20).any()
    pd.testing.assert_frame_equal(fit.influence("b"), together, rtol=1e-8, atol=1e-10)


def test_leverages_add_up():
    fit = fitted("one factor, slopes")
    table = fit.influence()
    assert table["leverage_fixed"].sum() == pytest.approx(2.0, rel=1e-12)
    # R, lme4 1.1, the sum and values 1, 2, 180 of: hatvalues(lmer(Reaction ~ Days + (Days | Subject), sleepstudy))
    assert table["leverage"].sum() == pytest.approx(29.0221239506, rel=EARLY)
    assert table["leverage"].iloc[[0, 1, 179]].tolist() == pytest.approx(
        [0.22930403774, 0.169729993799, 0.293177188099], rel=EARLY
    )


def test_refits_move_alike():
    """lme4 refits without the group, so that variances move too: dfbetas(influence(fit, "Subject"))."""
    table = fitted("one factor, slopes").influence("Subject")
    refitted = {
        "308": [0.0587248822986, -0.448927438694],
        "309": [0.4108749215917, 0.309896897997],
        "335": [-0.0949854230083, 0.555956233258],
    }
    for subject, (intercept, days) in refitted.items():
        own = table.loc[subject, ["dfbetas Intercept", "dfbetas Days"]].to_numpy(dtype=float)
        assert np.abs(own) == pytest.approx(np.abs([intercept, days]), abs=0.06)


def test_a_row_that_alone_tells_a_coefficient_has_no_answer():
    data = ms.datasets.load("sleepstudy")
    data["alone"] = (data.index == 7).astype(float)
    table = ms.lmer("Reaction ~ Days + alone + (1 | Subject)", data).influence()
    assert np.isnan(table["cook"]).sum() == 1
    assert np.isnan(table["cook"].iloc[7])
    assert table["leverage"].iloc[7] == pytest.approx(1.0, abs=1e-9)
    assert "1 cannot be left out at all" in table.attrs["sentence"]


def test_a_group_that_alone_tells_a_coefficient_has_no_answer():
    data = ms.datasets.load("sleepstudy")
    data["alone"] = (data["Subject"].astype(str) == "335").astype(float)
    fit = ms.lmer("Reaction ~ Days + alone + (1 | Subject)", data)
    table = fit.influence("Subject")
    assert table.index[table["cook"].isna()].tolist() == ["335"]
    assert fit.diagnose(n=99).influence.level.alone.tolist() == [table.index.get_loc("335")]


def test_without_fixed_effects_nothing_moves():
    data = ms.datasets.load("sleepstudy")
    table = ms.lmer("Reaction ~ 0 + (1 | Subject)", data.assign(Reaction=data.Reaction - 300)).influence("Subject")
    assert (table["cook"] == 0).all()
    assert table.attrs["sentence"] == "There are no coefficients that could change."


def test_units_do_not_matter():
    data = ms.datasets.load("sleepstudy")
    one = fitted("one factor, slopes").influence("Subject")
    other = ms.lmer("y ~ x + (x | Subject)", data.assign(y=1e4 * data.Reaction + 3, x=1e-3 * data.Days)).influence(
        "Subject"
    )
    assert other["cook"].to_numpy() == pytest.approx(one["cook"].to_numpy(), rel=1e-5)


def test_the_sentence_names_the_largest():
    table = fitted("one factor, slopes").influence("Subject")
    worst = table["cook"].idxmax()
    assert table.attrs["sentence"].startswith(f"Without Subject {worst} (Cook's distance {table['cook'].max():.2g}")


def test_an_unknown_group_is_named():
    with pytest.raises(ms.MixedsimError, match="no grouping factor 'subject': did you mean 'Subject'"):
        fitted("one factor, slopes").influence("subject")


def test_a_million_rows_take_seconds():
    """A tenth of it here: what is not linear in rows would show."""
    rng = np.random.default_rng(1)
    n = 100_000
    data = pd.DataFrame({"g": rng.integers(0, 2_000, n), "x": rng.normal(size=n)})
    data["y"] = data.x + rng.normal(size=2_000)[data.g] + rng.normal(size=n)
    fit = ms.lmer("y ~ x + (x | g)", data)
    table = fit.influence("g")
    assert len(table) == 2_000
    assert np.isfinite(table["cook"]).all()


# ---- generalised models: one step


@cache
def herds():
    return ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))


def test_one_step_points_where_refits_go():
    fit, data = herds(), ms.datasets.load("cbpp")
    table = fit.influence("herd")
    se = np.sqrt(np.diag(fit.vcov))
    steps, refits = [], []
    for herd in table.index:
        rest = fit.update(data=data[data.herd.astype(str) != str(herd)])
        refits.append((fit.fixef - rest.fixef).to_numpy() / se)
        steps.append(table.loc[herd].filter(like="dfbetas").to_numpy(dtype=float))
    steps, refits = np.ravel(steps), np.ravel(refits)
    assert np.corrcoef(steps, refits)[0, 1] > 0.97
    slope = (steps @ refits) / (steps @ steps)
    assert 0.8 < slope < 1.25


def test_leverage_of_a_generalised_model_is_that_of_its_working_model():
    fit = herds()
    table = fit.influence()
    assert table["leverage_fixed"].sum() == pytest.approx(4.0, rel=1e-8)
    rows, at = fit.objective.rows, fit.at
    root = np.sqrt(at.mode.point.fisher)[:, None]
    z = (rows.z.toarray() * at.lambdas[0][0, 0]) * root
    both = np.hstack([rows.x * root, z])
    penalty = np.diag([0.0] * 4 + [1.0] * z.shape[1])
    hat = both @ np.linalg.solve(both.T @ both + penalty, both.T)
    assert table["leverage"].to_numpy() == pytest.approx(np.diag(hat), rel=1e-8)
