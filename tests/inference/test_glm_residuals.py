"""Quantile residuals: distribution functions against SciPy's, averages against draws, and what they are made for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import mixedsim as ms
from mixedsim.engine.glm_problem import family_of
from mixedsim.errors import MixedsimError
from mixedsim.inference.glm_residuals import _places, distribution


def data(groups: int = 200, each: int = 5, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), each)
    x = rng.normal(size=len(group))
    mean = np.exp(0.5 + 0.4 * x + 0.7 * rng.normal(size=groups)[group])
    n = len(group)
    trials = rng.integers(2, 12, n)
    return pd.DataFrame(
        {
            "g": group.astype(str),
            "x": x,
            "n": rng.poisson(mean),
            "wild": rng.poisson(mean * rng.gamma(1.0, 1.0, n)),
            "won": rng.binomial(trials, mean / (1 + mean)),
            "trials": trials,
            "yes": (rng.random(n) < mean / (1 + mean)).astype(int),
            "amount": rng.gamma(3, mean / 3),
        }
    )


def test_distribution_functions_are_scipys() -> None:
    y, mean = np.array([0.0, 1.0, 4.0, 7.0]), np.array([0.7, 1.5, 2.0, 9.0])
    none, log_tau = np.empty(0), np.array([0.4])
    tau, size = np.exp(0.4), 0.3

    def both(law: object, extra: np.ndarray, family: object, trials: np.ndarray | None = None) -> None:
        below, through = distribution(family, extra_mean(family), extra, size, trials)  # type: ignore[arg-type]
        np.testing.assert_allclose(below, law.cdf(y - 1), rtol=1e-12)  # type: ignore[attr-defined]
        np.testing.assert_allclose(through, law.cdf(y), rtol=1e-12)  # type: ignore[attr-defined]

    def extra_mean(family: object) -> np.ndarray:
        return mean / 10 if family.kind == "binomial" else mean  # type: ignore[attr-defined]

    both(stats.poisson(mean), none, family_of("poisson", "log", y, None))
    both(stats.nbinom(tau, tau / (tau + mean)), log_tau, family_of("negative-binomial", "log", y, None))
    trials = np.array([3.0, 1.0, 9.0, 7.0])
    both(stats.binom(trials, mean / 10), none, family_of("binomial", "logit", y, None, trials), trials)
    amounts, weights = np.array([0.1, 1.0, 4.0, 7.0]), np.array([1.0, 2.0, 0.5, 1.0])
    shape = weights / size
    below, through = distribution(family_of("gamma", "log", amounts, weights), mean, none, size, None)
    np.testing.assert_allclose(through, stats.gamma(shape, scale=mean / shape).cdf(amounts), rtol=1e-12)
    np.testing.assert_array_equal(below, through)
    _, through = distribution(family_of("inverse-gaussian", "log", amounts, weights), mean, none, size, None)
    np.testing.assert_allclose(through, stats.invgauss(mean / shape, scale=shape).cdf(amounts), rtol=1e-10)


@pytest.mark.parametrize(
    ("formula", "family"),
    [
        ("n ~ x + (1 | g)", "poisson"),
        ("wild ~ x + (1 | g)", "negative-binomial"),
        ("won / trials ~ x + (1 | g)", "binomial"),
        ("yes ~ x + (1 | g)", ("binomial", "probit")),
        ("amount ~ x + (1 | g)", ("gamma", "log")),
    ],
)
def test_unconditional_residuals_of_a_model_that_holds_are_standard_normal(formula: str, family: str) -> None:
    """Kolmogorov's distance; rows of a group move together, so the bound is that of the 200 groups."""
    table = data()
    fit = ms.glmer(formula, table, family=family)
    residuals = fit.quantile_residuals(seed=3, kind="unconditional")[0]
    assert abs(residuals.mean()) < 4 / np.sqrt(200)
    assert residuals.std() == pytest.approx(1, abs=0.1)
    assert stats.kstest(residuals, "norm").statistic < 1.6 / np.sqrt(200)


def test_averaged_places_are_shares_of_drawn_responses() -> None:
    table = data(groups=20)
    fit = ms.glmer("n ~ x + (1 | g)", table, family="poisson")
    below, through = _places(fit.objective, fit.at, 1.0, "unconditional", None)
    drawn = fit.simulate(4000, seed=1).to_numpy()
    y = table["n"].to_numpy()[:, None]
    for place, share in ((below, (drawn < y).mean(axis=1)), (through, (drawn <= y).mean(axis=1))):
        assert np.abs(place - share).max() < 4.5 * 0.5 / np.sqrt(4000)


def test_conditional_places_are_those_of_the_fitted_means() -> None:
    table = data(groups=20)
    fit = ms.glmer("n ~ x + (1 | g)", table, family="poisson")
    place = stats.norm.cdf(fit.quantile_residuals(3, seed=2))
    law = stats.poisson(fit.fitted.to_numpy())
    y = table["n"].to_numpy()
    assert (place > law.cdf(y - 1)[:, None] - 1e-12).all()
    assert (place < law.cdf(y)[:, None] + 1e-12).all()


def test_they_show_what_a_poisson_model_does_not_allow() -> None:
    shares = {}
    for family in ("poisson", "negative-binomial"):
        residuals = ms.glmer("wild ~ x + (1 | g)", data(), family=family).quantile_residuals(seed=1)
        shares[family] = float(residuals.attrs["sentence"].split(" %")[0])
        assert shares[family] == pytest.approx(100 * (residuals[0].abs() > 1.96).mean(), abs=0.051)
    assert shares["negative-binomial"] < 5 + 3 * 0.7  # binomial error of 5 % of 1000 rows: 0.7
    assert shares["poisson"] > 9


def test_sets_differ_by_chance_alone_and_not_at_all_for_amounts() -> None:
    table = data(groups=30)
    counts = ms.glmer("n ~ x + (1 | g)", table, family="poisson")
    several = counts.quantile_residuals(4, seed=7)
    assert several.shape == (150, 4)
    assert several[0].equals(counts.quantile_residuals(1, seed=7)[0])
    assert not np.allclose(several[0], several[1])
    amounts = ms.glmer("amount ~ x + (1 | g)", table, family=("gamma", "log")).quantile_residuals(2, seed=7)
    np.testing.assert_array_equal(amounts[0], amounts[1])


def test_a_response_that_cannot_be_has_a_finite_residual() -> None:
    table = data(groups=30)
    table.loc[0, "n"] = 5000
    residuals = ms.glmer("n ~ x + (1 | g)", table, family="poisson").quantile_residuals(seed=1)
    assert np.isfinite(residuals.to_numpy()).all()


def test_complaints() -> None:
    fit = ms.glmer("n ~ x + (1 | g)", data(groups=10), family="poisson")
    with pytest.raises(MixedsimError, match="kind must be 'conditional' or 'unconditional', found 'both'"):
        fit.quantile_residuals(kind="both")  # type: ignore[arg-type]
    with pytest.raises(MixedsimError, match=r"n must be a whole number of at least 1, found 2\.5"):
        fit.quantile_residuals(2.5)  # type: ignore[arg-type]
