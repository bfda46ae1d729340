"""Overdispersion and zeros: against R's performance, fitted means, and data that have them or have not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.errors import MixedsimError
from tests.models.reference import MARKS, REFERENCE


def drawn(kind: str, seed: int = 4, groups: int = 60) -> pd.DataFrame:
    """Counts: as Poisson has them, twice as variable, or with zeros of their own."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), 10)
    x = rng.normal(size=len(group))
    mean = np.exp(1 + 0.3 * x + 0.6 * rng.normal(size=groups)[group])
    n = rng.poisson(mean * (rng.gamma(1.5, 1 / 1.5, len(group)) if kind == "variable" else 1.0))
    if kind == "zeros":
        n = np.where(rng.random(len(group)) < 0.25, 0, n)
    return pd.DataFrame({"g": group.astype(str), "x": x, "n": n})


@MARKS[0]
def test_a_poisson_model_is_rs() -> None:
    """R: performance::check_overdispersion(glmer(TICKS ~ YEAR + cHEIGHT + (1 | BROOD), grouseticks, poisson))."""
    data = pd.read_csv(REFERENCE / "data" / "grouseticks.csv").astype({"YEAR": "category", "BROOD": "category"})
    found = ms.glmer("TICKS ~ YEAR + cHEIGHT + (1 | BROOD)", data, family="poisson").overdispersion()
    assert found["chisq"] == pytest.approx(689.3076714, rel=1e-5)
    assert found["df"] == 398
    assert found["ratio"] == pytest.approx(1.731928823, rel=1e-5)
    assert found["p"] == pytest.approx(6.177624548e-18, rel=1e-3)
    assert found.attrs["sentence"] == (
        "the responses vary 1.7 times as much as the family says (p = 6.2e-18): standard errors are too small; look "
        "for a predictor that is missing, give every row an effect of its own, or take a negative binomial for counts."
    )
    negative = ms.glmer("TICKS ~ YEAR + cHEIGHT + (1 | BROOD)", data, family="negative-binomial").overdispersion()
    assert negative.tolist() == pytest.approx([0.7283409648, 289.151363, 397, 0.999987664], rel=1e-5)


def test_a_binomial_model_is_rs() -> None:
    """R: check_overdispersion(glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial))."""
    fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
    assert fit.overdispersion().tolist() == pytest.approx([1.2366152, 63.06737974, 51, 0.1196654], rel=5e-3)
    residuals = fit.residuals("pearson")
    assert fit.overdispersion()["chisq"] == pytest.approx(float((residuals**2).sum()))


def test_it_tells_variable_counts_from_others() -> None:
    kinds = {kind: ms.glmer("n ~ x + (1 | g)", drawn(kind), family="poisson") for kind in ("poisson", "variable")}
    assert 0.75 < kinds["poisson"].overdispersion()["ratio"] < 1.1
    assert kinds["poisson"].overdispersion()["p"] > 0.05
    assert kinds["poisson"].overdispersion().attrs["sentence"].endswith("which is no more than chance explains.")
    assert kinds["variable"].overdispersion()["ratio"] > 1.5


def test_expected_zeros_are_those_of_the_fitted_means() -> None:
    fit = ms.glmer("n ~ x + (1 | g)", drawn("poisson"), family="poisson")
    zero = np.exp(-fit.fitted.to_numpy())
    found = fit.zero_inflation(2000, seed=1)
    spread = (found["upper"] - found["lower"]) / 3.92
    assert found["expected"] == pytest.approx(zero.sum(), abs=4 * spread / np.sqrt(2000))
    assert found["observed"] == (fit.design.y == 0).sum()
    assert found["ratio"] == pytest.approx(found["observed"] / found["expected"])
    assert found["p"] > 0.05


def test_zeros_are_those_of_simulated_responses() -> None:
    fit = ms.glmer("n ~ x + (1 | g)", drawn("zeros"), family="poisson")
    numbers = (fit.simulate(300, seed=5, random="conditional") == 0).sum()
    found = fit.zero_inflation(300, seed=5)
    assert found["expected"] == pytest.approx(numbers.mean())
    assert found[["lower", "upper"]].tolist() == pytest.approx(np.quantile(numbers, [0.025, 0.975]).tolist())
    assert found["p"] == pytest.approx(2 / 301)
    assert "too many" in found.attrs["sentence"]


def test_few_zeros_of_their_own_are_found() -> None:
    """A Poisson mean varies by group, but the groups are those that were observed."""
    rng = np.random.default_rng(5)
    group = np.repeat(np.arange(40), 12)
    mean = np.exp(0.7 + 0.7 * rng.normal(size=40)[group])
    p = []
    for share in (0.0, 0.1):
        counts = np.where(rng.random(480) < share, 0, rng.poisson(mean))
        fit = ms.glmer("n ~ 1 + (1 | g)", pd.DataFrame({"g": group, "n": counts}), family="poisson")
        p.append(fit.zero_inflation(300, seed=2)["p"])
    assert p[0] > 0.1
    assert p[1] < 0.05


def test_a_seed_brings_the_numbers_back() -> None:
    fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
    assert fit.zero_inflation(50, seed=3).equals(fit.zero_inflation(50, seed=3))
    assert not fit.zero_inflation(50, seed=3).equals(fit.zero_inflation(50, seed=4))


def test_complaints() -> None:
    data = drawn("poisson").assign(yes=lambda d: (d["n"] > 2).astype(int), amount=lambda d: d["n"] + 0.5)
    single = ms.glmer("yes ~ x + (1 | g)", data)
    with pytest.raises(MixedsimError) as refused:
        single.overdispersion()
    assert str(refused.value) == (
        "overdispersion does not show in single yes or no answers, whose variance follows from their mean: add them up "
        "to successes / trials within groups first, or look at quantile_residuals()."
    )
    amounts = ms.glmer("amount ~ x + (1 | g)", data, family=("gamma", "log"))
    with pytest.raises(MixedsimError) as refused:
        amounts.overdispersion()
    assert str(refused.value) == (
        "the family 'gamma' estimates its dispersion, so nothing is left to be over it: look at sigma."
    )
    with pytest.raises(MixedsimError) as refused:
        amounts.zero_inflation(10, seed=1)
    assert str(refused.value) == (
        "responses of the family 'gamma' are never zero: zero_inflation is for counts, of the families 'poisson', "
        "'negative-binomial' and 'binomial'."
    )
    with pytest.raises(MixedsimError, match="n must be a whole number of at least 1, found 0"):
        single.zero_inflation(0)
