"""The Gibbs sampler against the posterior computed on a grid, and over many datasets against known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.engine import Objective
from mixedsim.engine.threads import threads_for
from mixedsim.inference.posterior import gibbs
from tests.engine.cases import make


def grid_posterior(fit, wide=5.0):
    """Posterior of (τ, σ) of a varying-intercept model by brute force, standardised units.

    With flat β the marginal likelihood of (τ, σ) is the restricted likelihood; the priors are half-t with 2 degrees of
    freedom and scale `wide`.
    """
    objective = fit.objective
    theta = np.linspace(0.0, 20.0, 3000)  # what the data say depends on τ/σ alone, and smoothly
    at = [objective.blocks.absorb([np.array([[t]])]) for t in theta]
    logdet = np.array([a.logdet + np.log(a.ww[0, 0]) for a in at])
    r2 = np.array([a.ww[1, 1] - a.ww[0, 1] ** 2 / a.ww[0, 0] for a in at])
    tau, sigma = np.linspace(1e-3, 6.0, 1500), np.linspace(0.3, 2.5, 300)
    t, s = tau[:, None], sigma[None, :]
    deviance = np.interp(t / s, theta, logdet) + objective.nu * np.log(s**2) + np.interp(t / s, theta, r2) / s**2
    prior = -1.5 * np.log1p((t / wide) ** 2 / 2) - 1.5 * np.log1p((s / wide) ** 2 / 2)
    log = prior - 0.5 * deviance
    density = np.exp(log - log.max())
    return tau, sigma, density / density.sum()


def quantile(values, weights, at):
    return np.interp(at, np.cumsum(weights) - weights / 2, values)


@pytest.mark.parametrize("name", ["Dyestuff", "Dyestuff2"])
def test_draws_agree_with_the_posterior_on_a_grid(name):
    """Dyestuff2's estimate is zero: there the sampler must cross the region near zero at the right rate."""
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load(name))
    tau, sigma, density = grid_posterior(fit)
    rngs = [np.random.default_rng(s) for s in np.random.SeedSequence(3).spawn(4)]
    drawn = gibbs(fit.problem, fit.objective, fit.optimum.profile.theta, draws=1200, warmup=200, rngs=rngs)
    taus = np.sqrt(drawn.covariances[0][:, :, 0, 0])
    stats = pytest.importorskip("arviz_stats.base").array_stats
    for values, grid, marginal in ((taus, tau, density.sum(axis=1)), (drawn.sigma, sigma, density.sum(axis=0))):
        effective = float(stats.ess(values, chain_axis=0, draw_axis=1))
        for p in (0.1, 0.25, 0.5, 0.75, 0.9):
            share = (values < quantile(grid, marginal, p)).mean()
            assert abs(share - p) < 4 * np.sqrt(p * (1 - p) / min(effective, 2000)), (p, share, effective)


def test_the_prior_is_of_effects_at_the_zero_of_the_data():
    """Slopes whose predictor is far from centred, against importance sampling of (sds, correlation, σ) in raw units."""
    data = ms.datasets.load("sleepstudy")
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", data)
    names = ["sd(Intercept | Subject)", "sd(Days | Subject)", "corr(Intercept, Days | Subject)", "sigma"]
    drawn = fit.posterior(1500, chains=2, seed=3).draws[names].to_numpy()
    free = np.column_stack([np.log(drawn[:, :2]), np.arctanh(drawn[:, 2]), np.log(drawn[:, 3])])
    rng = np.random.default_rng(1)
    root = np.linalg.cholesky(np.cov(free.T))
    t = rng.standard_normal((4000, 4)) / np.sqrt(rng.chisquare(6, (4000, 1)) / 6)
    proposed = free.mean(axis=0) + t @ root.T
    (a, b), rho, sigma = np.exp(proposed[:, :2]).T, np.tanh(proposed[:, 2]), np.exp(proposed[:, 3])
    y, x = fit.problem.response.scale, data["Days"].std(ddof=0)
    scales = np.array([5 * y, 5 * y / x, 5 * y])
    prior = (-1.5 * np.log1p((np.column_stack([a, b, sigma]) / scales) ** 2 / 2)).sum(axis=1)
    jacobian = np.log(a * b * sigma * (1 - rho**2))
    theta = np.column_stack([a / sigma, rho * b / sigma, np.sqrt(1 - rho**2) * b / sigma])
    nu, shift = fit.objective.nu, fit.problem.deviance_shift(True)
    restricted = np.empty(len(theta))
    for k, (one, s) in enumerate(zip(theta, sigma, strict=True)):
        at = fit.objective.evaluate(fit.problem.standard_theta(one))
        # the profile's deviance has its own σ² put in; with another one
        ratio = at.sigma2 * y**2 / s**2
        restricted[k] = -0.5 * (at.deviance + shift + nu * (ratio - 1 - np.log(ratio)))
    proposal = -0.5 * 10 * np.log1p((t**2).sum(axis=1) / 6)
    weight = restricted + prior + jacobian - proposal
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    effective = 1 / (weight**2).sum()
    assert effective > 1000
    for values, mine in zip((a, b, rho, sigma), drawn.T, strict=True):
        order = np.argsort(values)
        for p in (0.1, 0.5, 0.9):
            share = (mine < quantile(values[order], weight[order], p)).mean()
            assert abs(share - p) < 0.05, (p, share)


def test_with_many_groups_the_posterior_is_the_reml_fit():
    population = ms.scenarios.therapist_intervention(therapists=150, patients=10)
    sample = population.draw(seed=4)
    fit = ms.lmer(population.formula, sample.data)
    drawn = fit.posterior(400, chains=2, seed=1)
    table = drawn.summary()
    coefficients = fit.coefficients()
    off = (table["mean"][coefficients.index] - coefficients["estimate"]) / coefficients["se"]
    assert (off.abs() < 0.3).all()  # 400 draws or so: Monte-Carlo error is a tenth of a standard error
    np.testing.assert_allclose(table["sd"][coefficients.index], coefficients["se"], rtol=0.25)
    sds = fit.varcorr[fit.varcorr["term2"].isna()]["sd_or_corr"]
    names = ["sd(Intercept | therapist)", "sd(depression | therapist)"]
    np.testing.assert_allclose(table["median"][names], sds, rtol=0.1)
    assert table["median"]["sigma"] == pytest.approx(fit.sigma, rel=0.03)
    assert (table["rhat"] < 1.05).all()


@pytest.mark.parametrize(
    ("formula", "data"),
    [
        ("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin"),
        ("strength ~ 1 + (1 | batch/cask)", "Pastes"),
        ("Reaction ~ Days + (Days || Subject)", "sleepstudy"),
        ("Reaction ~ 0 + (Days | Subject)", "sleepstudy"),
    ],
    ids=["crossed", "nested", "uncorrelated", "no fixed effects"],
)
def test_every_structure_has_a_posterior_around_its_fit(formula, data):
    fit = ms.lmer(formula, ms.datasets.load(data))
    table = fit.posterior(300, chains=2, seed=2).summary()
    assert ((table["lower"] < table["median"]) & (table["median"] < table["upper"])).all()
    assert table["lower"]["sigma"] < fit.sigma < table["upper"]["sigma"]
    for row in fit.varcorr.itertuples():
        if pd.isna(row.term2):
            name = f"sd({row.term1} | {row.group})"
            assert table["lower"][name] < row.sd_or_corr < table["upper"][name]


def test_draws_of_effects_have_the_conditional_mean_and_covariance():
    """The engine's draws given everything else, in all structures, against its modes and covariances."""
    for name in ("intercept and slope", "three nested levels", "three crossed factors"):
        case = make(name)
        objective = Objective(case.cp, case.layout, True)
        theta = np.where(case.layout.diagonal, 0.8, 0.2)
        at = objective.evaluate(theta)
        rng = np.random.default_rng(0)
        with threads_for(0):
            drawn = [at.absorbed.draw(at.contrast, rng) for _ in range(2000)]
        for f, (mode, v) in enumerate(zip(objective.modes(at), at.absorbed.covariances(), strict=True)):
            sd = np.sqrt(np.diagonal(v, axis1=1, axis2=2))
            many = np.array([d[f] for d in drawn])
            z = (many.mean(axis=0) - mode) / (sd / np.sqrt(2000))
            assert np.abs(z).max() < 5
            ratio = many.std(axis=0) / sd
            assert np.abs(ratio - 1).max() < 5 / np.sqrt(2 * 2000)


def test_the_same_seed_gives_the_same_draws():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))
    one, two = (fit.posterior(20, chains=2, seed=9).draws for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(fit.posterior(20, chains=2, seed=10).draws)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"draws": 0}, "draws must be a whole number of at least 1, found 0."),
        ({"chains": 1.5}, "chains must be a whole number of at least 1, found 1.5."),
        ({"seed": "one"}, "seed must be an integer or a numpy Generator, found 'one'."),
    ],
)
def test_bad_arguments_are_named(arguments, said):
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))
    with pytest.raises(ms.MixedsimError) as caught:
        fit.posterior(**arguments)
    assert str(caught.value) == said
