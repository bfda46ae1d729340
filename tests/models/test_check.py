"""What `check` says of a fit: messages with evidence, the deviance along the boundary, and simpler models."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.engine import Control
from mixedsim.inference.boundary import flat_directions
from mixedsim.models.check import what_if


@pytest.fixture(scope="module")
def pencil():
    """Groups whose lines all meet at x = 3: intercept and slope are perfectly correlated."""
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(10), 8)
    x = np.tile(np.linspace(0, 7, 8), 10)
    slope = rng.normal(size=10)[g]
    return pd.DataFrame({"g": g, "x": x, "z": rng.normal(size=80),
                         "y": 1 + slope * (x - 3) + 0.5 * rng.normal(size=80)})  # fmt: skip


@pytest.fixture(scope="module")
def level():
    """Groups with less variation between them than rows alone would show."""
    rng = np.random.default_rng(6)
    g = np.repeat(np.arange(10), 8)
    data = pd.DataFrame({"g": g, "x": rng.normal(size=80), "y": rng.normal(size=80)})
    return data.assign(y=data["y"] - data.groupby("g")["y"].transform("mean") + data["x"])


def test_nothing_to_report():
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    table = fit.check()
    assert isinstance(table, pd.DataFrame)
    assert len(table) == len(table.boundary) == len(table.what_if) == 0
    assert list(table.columns) == ["message", "evidence", "way_out"]
    assert str(table).startswith("Nothing to report")


def test_a_zero_variance(level):
    fit = ms.lmer("y ~ x + (1 | g)", level)
    table = fit.check()
    assert tuple(table["message"]) == fit.messages
    assert fit.messages == (
        "singular fit: the standard deviation of Intercept by 'g' is estimated as zero: the data show no such "
        "variation beyond the residual; the term may be left out.",
    )
    assert table["evidence"][0].startswith("Intercept has no variance (standard deviations: Intercept 0)")
    assert table["way_out"][0] == "the term may be left out"
    assert fit.icc()["adjusted"] == 0
    assert table.what_if.index.tolist() == ["as it is", "without g"]
    np.testing.assert_allclose(table.what_if.loc["without g", "delta_aic"], -2.0, atol=1e-6)
    np.testing.assert_allclose(table.what_if.loc["without g", ["Intercept", "x"]], 0.0, atol=1e-6)


def test_a_perfect_correlation(pencil):
    fit = ms.lmer("y ~ x + (x | g)", pencil)
    (message,) = fit.messages
    assert message.startswith("singular fit: the correlation of Intercept and x by 'g' is estimated as −1: ")
    table = fit.check()
    where = -fit.covariances["g"].loc["Intercept", "x"] / fit.covariances["g"].loc["x", "x"]
    assert where == pytest.approx(3, abs=0.5)
    assert f"the lines of all groups meet at x = {where:.3g}" in table["evidence"][0]
    assert table.what_if.index.tolist() == [
        "as it is", "without the correlations of (1 + x | g)", "without x by g", "without g",
    ]  # fmt: skip
    # no correlation means that lines do not meet: the data are all against it
    assert (table.what_if["delta_aic"].iloc[1:] > 2).all()
    assert "What if?" in str(table)


def test_the_named_combination_has_no_variance(pencil):
    fit = ms.lmer("y ~ x + z + (x + z | g)", pencil)
    directions = flat_directions(fit.problem, fit.optimum.profile)
    covariance = fit.covariances["g"].to_numpy()
    assert directions
    assert len(directions) == 3 - np.linalg.matrix_rank(covariance, tol=1e-7)
    for direction in directions:
        scale = direction.weights**2 @ np.diag(covariance)
        assert direction.weights @ covariance @ direction.weights == pytest.approx(0, abs=1e-6 * max(scale, 1.0))


def test_the_deviance_along_the_boundary(pencil):
    """Against the deviance of a model that is given that covariance, with σ and β found anew."""
    fit = ms.lmer("y ~ x + (x | g)", pencil)
    table = fit.check().boundary
    assert table["rise"].is_monotonic_increasing
    assert table["rise"].iloc[0] == 0
    assert table["rise"].iloc[-1] == pytest.approx(3.8415, abs=1e-3)
    np.testing.assert_allclose(table["deviance"], fit.deviance + table["rise"])
    (direction,) = flat_directions(fit.problem, fit.optimum.profile)
    w = direction.weights
    # the direction s²·uu' with w'u = 1, orthogonal to w in standardised effects
    t = fit.problem.varying[0]
    u = t @ direction.standard
    u = u / (w @ u)
    x, y = fit.design.x.matrix(), fit.design.y
    z = np.column_stack([np.ones(80), pencil["x"]])
    same = pencil["g"].to_numpy()[:, None] == pencil["g"].to_numpy()[None, :]
    sd = table["sd"].iloc[-1]

    def deviance(sigma2: float) -> float:
        relative = fit.covariances["g"].to_numpy() / fit.sigma**2
        v = sigma2 * np.eye(80) + same * (z @ (sigma2 * relative + sd**2 * np.outer(u, u)) @ z.T)
        vx = np.linalg.solve(v, x)
        information = x.T @ vx
        beta = np.linalg.solve(information, vx.T @ y)
        r = y - x @ beta
        logs = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
        return logs + r @ np.linalg.solve(v, r) + 78 * np.log(2 * np.pi)

    # σ is profiled out with the ratio sd/σ held: look there
    ratio = sd / _sigma_at(fit, direction, table)
    sigma2 = (sd / ratio) ** 2
    assert deviance(sigma2) == pytest.approx(table["deviance"].iloc[-1], abs=1e-6)


def _sigma_at(fit, direction, table):
    """σ at the last step, from its own equation: r² / (n − p) is stationary in σ² there."""
    from mixedsim.inference.boundary import _moved

    w = np.linalg.solve(fit.problem.varying[0].T, direction.standard)
    unit = fit.problem.response.scale * np.linalg.norm(direction.weights) / np.linalg.norm(w)
    low, high = 0.0, 50.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        profile = _moved(fit.objective, fit.optimum.profile, direction, middle)
        if middle * np.sqrt(profile.sigma2) * unit < table["sd"].iloc[-1]:
            low = middle
        else:
            high = middle
    return fit.problem.response.scale * np.sqrt(profile.sigma2)


def test_what_if_equals_refits_by_hand(pencil):
    fit = ms.lmer("y ~ x + z + (x | g)", pencil)
    table = what_if(fit)
    here = ms.lmer("y ~ x + z + (x | g)", pencil, reml=False)
    se = np.sqrt(np.diag(here.vcov))
    by_hand = {
        "without the correlations of (1 + x | g)": ms.lmer("y ~ x + z + (x || g)", pencil, reml=False),
        "without x by g": ms.lmer("y ~ x + z + (1 | g)", pencil, reml=False),
    }
    for label, there in by_hand.items():
        row = table.loc[label]
        assert row["delta_aic"] == pytest.approx(there.aic - here.aic, abs=1e-6)
        assert row["npar"] == there.npar
        np.testing.assert_allclose(row[["Intercept", "x", "z"]], (there.fixef - here.fixef) / se, atol=1e-5)
    x = here.design.x.matrix()
    rest = pencil["y"] - x @ np.linalg.lstsq(x, pencil["y"], rcond=None)[0]
    aic = 80 * (1 + np.log(2 * np.pi * (rest**2).mean())) + 2 * 4
    assert table.loc["without g", "delta_aic"] == pytest.approx(aic - here.aic, abs=1e-6)


def test_weights_enter_the_model_without_groups(level):
    weights = np.linspace(0.5, 2, 80)
    fit = ms.lmer("y ~ x + (1 | g)", level.assign(y=level["y"] - 0.01 * level["g"]), weights=weights)
    assert fit.singular
    assert fit.check().what_if.loc["without g", "delta_aic"] == pytest.approx(-2.0, abs=1e-6)


def test_a_factor_s_slopes_are_left_out_together(pencil):
    data = pencil.assign(c=np.array(["a", "b", "c", "d"])[np.arange(80) % 4])
    table = what_if(ms.lmer("y ~ c + x + (c | g)", data))
    correlations = "without the correlations of (1 + c | g)"
    assert table.index.tolist() == ["as it is", correlations, "without c by g", "without g"]


def test_only_the_culprits_are_taken_apart(level):
    data = level.assign(h=np.arange(80) % 8)
    data["y"] += np.random.default_rng(1).normal(size=8)[data["h"]]
    data["y"] -= data.groupby("g")["y"].transform("mean") - 0.8 * data["x"]
    fit = ms.lmer("y ~ x + (1 | g) + (1 | h)", data)
    assert "g" in fit.messages[0]
    assert fit.check().what_if.index.tolist() == ["as it is", "without g"]


def test_a_likelihood_that_says_nothing():
    rng = np.random.default_rng(3)
    g = np.repeat([0, 1], 20)
    data = pd.DataFrame({"g": g, "treated": g, "y": g + rng.normal(size=40)})
    table = ms.lmer("y ~ treated + (1 | g)", data).check()
    assert "mostly the standard deviation of Intercept by 'g'" in table["evidence"].iloc[-1]
    assert table.boundary["sd"].is_monotonic_increasing
    assert table.boundary["sd"].iloc[-1] > 3 * table.boundary["sd"].iloc[0]
    np.testing.assert_allclose(table.boundary["rise"], 0.0, atol=1e-9)


def test_few_groups_come_with_their_rows(pencil):
    table = ms.lmer("y ~ x + (1 | g)", pencil[pencil["g"] < 4]).check()
    assert table["message"][0].startswith("'g' has only 4 levels")
    assert table["evidence"][0] == "0: 8 rows, 1: 8 rows, 2: 8 rows, 3: 8 rows"
    assert table["way_out"][0] == "consider it as a fixed effect"


def test_a_grouping_factor_that_looks_continuous(pencil):
    age = np.round(np.linspace(20, 60, 40), 2)[np.arange(80) % 40]
    fit = ms.lmer("y ~ x + (1 | age)", pencil.assign(age=age))
    assert fit.messages[0] == (
        "the grouping factor 'age' looks continuous: 40 distinct numbers such as 21.03; use 'age' as a predictor, or "
        "group by bins of it."
    )
    assert fit.check()["evidence"][0] == "40 levels in 80 rows"
    whole = ms.lmer("y ~ x + (1 | age)", pencil.assign(age=np.floor(age)))
    assert not any("continuous" in message for message in whole.messages)


def test_dropped_columns(pencil):
    table = ms.lmer("y ~ x + twice + (1 | g)", pencil.assign(twice=2 * pencil["x"])).check()
    assert table["message"][0] == "'twice' was dropped from the fixed effects: it depends linearly on earlier columns."
    assert table["evidence"][0] == "3 columns of rank 2"


def test_nearly_collinear_predictors_are_told_only_where_digits_are_lost(pencil):
    def messages(share):
        data = pencil.assign(same=pencil["x"] + share * pencil["x"].std() * pencil["z"])
        return [m for m in ms.lmer("y ~ x + same + (1 | g)", data).messages if "nearly" in m]

    assert messages(1e-4) == []
    lost = messages(1e-6)
    assert [m.split(" is nearly")[0] for m in lost] == ["'x'", "'same'"]
    assert "only 9e-07 of its spread is its own" in lost[1]
    # nothing is lost by units: the fit standardises inside
    scaled = ms.lmer("y ~ x + z + (1 | g)", pencil.assign(x=3e8 * pencil["x"] + 1e9))
    assert scaled.messages == ms.lmer("y ~ x + z + (1 | g)", pencil).messages


def test_a_notebook_shows_every_word(pencil):
    table = ms.lmer("y ~ x + (x | g)", pencil).check()
    page = table._repr_html_()
    assert table["message"][0].replace("'", "&#x27;") in page or table["message"][0] in page
    assert page.count("<table") == 3
    plain = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy")).check()
    assert plain._repr_html_().startswith("<p>Nothing to report")


def test_a_failure_to_converge_is_told():
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"),
                  control=Control(max_iterations=1, start=[1, 0, 1]))  # fmt: skip
    assert not fit.converged
    table = fit.check()
    assert table["message"][0].startswith("the optimiser did not converge: after ")
    assert "the largest gradient is" in table["message"][0]
    assert "smallest curvature" in table["message"][0]
    assert table["evidence"][0].startswith("one more Newton step would lower the deviance by")
    assert np.isfinite(fit.fixef).all()
