"""What `check` says of a generalised fit at the boundary, what separation and limited steps leave, edges of links."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.engine.glm_lost import LOST, loses_rows, lost_replicates
from tests.models.glmms import cbpp, clinic

F = "incidence / size ~ period + (1 | herd)"


def level(seed: int = 3) -> pd.DataFrame:
    """Groups that differ less than chance alone would make them."""
    rng = np.random.default_rng(seed)
    g, x = np.repeat(np.arange(12), 10), rng.normal(size=120)
    return pd.DataFrame({"g": g, "x": x, "y": (np.arange(120) % 10 < 5).astype(int), "n": 3 + np.arange(120) % 3})


# ---- the boundary


def test_the_deviance_along_a_zero_variance_is_its_profile() -> None:
    fit = ms.glmer("n ~ x + (1 | g)", level(), "poisson")
    assert fit.singular
    table = fit.check().boundary
    assert list(table) == ["group", "combination", "sd", "deviance", "rise"]
    assert table["combination"].unique().tolist() == ["Intercept"]
    assert table["sd"].iloc[0] == table["rise"].iloc[0] == 0
    assert table["rise"].iloc[-1] == pytest.approx(3.8415, abs=0.02)
    assert fit.confint(parameters="sd")["upper"].iloc[0] == pytest.approx(table["sd"].iloc[-1], rel=2e-3)
    # the model with the variance held there, by brute force over the coefficients of a fixed offset model
    for sd, deviance in table[["sd", "deviance"]].iloc[1:3].to_numpy():
        profile = fit.profile("sd", level=0.95, points=6).table
        assert np.interp(sd, profile["value"], profile["deviance"]) == pytest.approx(deviance, abs=0.1)
    assert "Deviance as the combination is given a standard deviation" in str(fit.check())


def test_a_perfect_correlation_is_given_variance_where_it_has_none() -> None:
    rng = np.random.default_rng(5)
    g, x = np.repeat(np.arange(12), 10), np.tile(np.linspace(0, 4, 10), 12)
    n = rng.poisson(np.exp(1.2 + 0.4 * rng.normal(size=12)[g] * (x - 2)))
    fit = ms.glmer("n ~ x + (x | g)", pd.DataFrame({"g": g, "x": x, "n": n}), "poisson")
    assert fit.singular
    table = fit.check().boundary
    assert table["combination"].str.match(r"Intercept \+ (1\.[5-9]|2\.[0-4])\d* × x").all()
    assert (np.diff(table["rise"]) > 0).all()
    assert table["rise"].iloc[-1] == pytest.approx(3.8415, abs=0.02)


@pytest.mark.parametrize("given", [{"nagq": 0}, {"nagq": 7}, {"family": "negative-binomial"}])
def test_every_kind_of_fit_has_a_boundary(given: dict) -> None:
    formula = "n ~ x + (1 | g)" if "family" in given else "y ~ x + (1 | g)"
    fit = ms.glmer(formula, level(), **given)
    table = fit.check().boundary
    assert fit.singular
    assert (np.diff(table["rise"]) > 0).all()
    assert table["rise"].iloc[-1] == pytest.approx(3.8415, abs=0.02)


def test_inside_there_is_no_boundary() -> None:
    assert ms.glmer(F, cbpp()).check().boundary.empty


# ---- separation: there is no maximum


def separated() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    data = clinic().assign(y=rng.integers(0, 2, 120))
    return data.assign(y=np.where(data["c"] == "c", 0, data["y"]))


def test_separation_is_no_convergence_and_says_which_cell() -> None:
    fit = ms.glmer("y ~ x + c + (1 | g)", separated())
    assert not fit.converged
    (message,) = [one for one in fit.messages if one.startswith("separation")]
    assert "'c[T.c]' runs away because no row with c = 'c' has a success" in message
    assert not any("did not converge" in one for one in fit.messages)
    assert np.isfinite(fit.fixef).all()
    kept = ms.glmer("y ~ x + c + (1 | g)", separated()[separated()["c"] != "c"])
    assert fit.loglik == pytest.approx(kept.loglik, abs=1e-4)
    assert fit.fixef["x"] == pytest.approx(kept.fixef["x"], abs=1e-4)


def test_one_category_alone_is_no_convergence() -> None:
    fit = ms.glmer("y ~ x + (1 | g)", clinic().assign(y=0))
    assert not fit.converged
    (message,) = fit.messages
    assert message.startswith("no trial is a success, so the likelihood rises for ever")


def test_a_rare_success_is_no_separation() -> None:
    data = separated()
    data.loc[data.index[data["c"] == "c"][0], "y"] = 1
    fit = ms.glmer("y ~ x + c + (1 | g)", data)
    assert fit.converged
    assert not any(one.startswith("separation") for one in fit.messages)


def test_in_company_and_alone_the_same_replicates_have_no_maximum() -> None:
    data = separated()
    data.loc[data.index[data["c"] == "c"][0], "y"] = 1
    fit = ms.glmer("y ~ x + c + (1 | g)", data)
    table = fit.bootstrap(40, seed=1)
    y = fit.simulate(40, seed=1)
    alone = [fit.refit(y[k]).converged for k in range(40)]
    assert table["converged"].tolist() == alone
    assert 0 < sum(alone) < 40
    assert [any(fit.refit(y[k]).fixef.abs() > 15) for k in range(40)] == [not one for one in alone]


def test_an_intercept_far_from_all_rows_is_none() -> None:
    data = clinic().assign(year=2000 + clinic()["x"])
    fit = ms.glmer("y ~ year + (1 | g)", data)
    assert fit.converged
    assert np.sqrt(fit.vcov.loc["Intercept", "Intercept"]) > LOST


def test_rows_lost_one_by_one_and_together() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(30, 3))
    hessians = []
    for size in (1.0, 1e-2, 1e-3, 1e-6):
        a = rng.normal(size=(5, 5))
        hessians.append(a @ a.T * np.outer([1, 1, 1, 1, size], [1, 1, 1, 1, size]))
    covariances = np.stack([2 * np.linalg.inv(h)[2:, 2:] for h in hessians], axis=-1)
    errors = [np.sqrt(np.einsum("np,pq,nq->n", x, covariances[..., k], x).max()) for k in range(4)]
    expected = [error > LOST for error in errors]
    assert [loses_rows(x, h, slice(2, 5)) for h in hessians] == expected
    assert lost_replicates(x.T, covariances).tolist() == expected
    assert lost_replicates(np.repeat(x.T[..., None], 4, axis=2), covariances).tolist() == expected
    assert True in expected
    assert False in expected


# ---- how the optimiser is told to work


def test_steps_are_limited() -> None:
    fit = ms.glmer(F, cbpp(), control=ms.Control(max_iterations=1))
    assert not fit.converged
    assert fit.messages[0].startswith("the optimiser did not converge: after ")
    assert ms.glmer(F, cbpp(), control=ms.Control(max_iterations=50)).converged


def test_a_start_is_where_the_search_begins() -> None:
    far = ms.Control(start=[5.0], max_iterations=1)
    assert abs(ms.glmer(F, cbpp(), control=far).theta[0] - ms.glmer(F, cbpp()).theta[0]) > 0.05
    best = ms.glmer(F, cbpp())
    near = ms.glmer(F, cbpp(), control=ms.Control(start=best.theta))
    assert near.deviance == pytest.approx(best.deviance, abs=1e-9)
    assert near.optimum.evaluations < ms.glmer(F, cbpp(), control=ms.Control(start=[5.0])).optimum.evaluations
    with pytest.raises(ms.MixedsimError, match="start must have 1 value, one an element of θ"):
        ms.glmer(F, cbpp(), control=ms.Control(start=[1.0, 2.0]))


def test_another_optimiser_is_refused() -> None:
    with pytest.raises(ms.MixedsimError, match=r"ms\.glmer has one optimiser, 'newton', found 'bfgs'"):
        ms.glmer(F, cbpp(), control=ms.Control(optimizer="bfgs"))


# ---- the identity link


def test_counts_with_zeros_begin_with_the_identity_link() -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        g, x = np.repeat(np.arange(12), 10), rng.uniform(0, 1, 120)
        mean = np.clip(0.5 + 0.8 * x + rng.normal(0, 0.3, 12)[g], 0.02, None)
        data = pd.DataFrame({"g": g, "x": x, "n": rng.poisson(mean)})
        assert (data["n"] == 0).sum() > 20
        fit = ms.glmer("n ~ x + (1 | g)", data, ("poisson", "identity"))
        assert fit.converged
        assert (fit.fitted > 0).all()


def test_the_edge_of_a_link_is_named() -> None:
    rng = np.random.default_rng(2)
    g, x = np.repeat(np.arange(12), 10), rng.normal(size=120)
    mean = np.clip(1 + 0.5 * x + rng.normal(0, 0.3, 12)[g], 0.05, None)
    fit = ms.glmer("n ~ x + (1 | g)", pd.DataFrame({"g": g, "x": x, "n": rng.poisson(mean)}), ("poisson", "identity"))
    assert not fit.converged
    assert fit.messages[-1] == (
        "the estimates lie at the edge of what the link 'identity' allows, where the mean of a row becomes 0: there "
        "the likelihood has no maximum that standard errors could be taken from; use the log link."
    )
