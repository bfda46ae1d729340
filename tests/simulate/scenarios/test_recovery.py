"""What the recommended models find, over twenty draws of each: the truth, to within the error of their mean."""

from __future__ import annotations

from functools import cache
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.simulate.scenarios.scenario import scenario_of

DRAWS, STANDARD_ERRORS = 20, 4.0
POPULATIONS = {name: ms.scenarios.load(name) for name in ms.scenarios.names()}
GAUSSIAN = [name for name, population in POPULATIONS.items() if population.family["kind"] == "gaussian"]
RECOVERED = [name for name in GAUSSIAN if name not in ("simpson", "shop_prices")]  # their formula has a hidden variable
# Lasting residuals pass for differences between clusters, as their stories tell; no variance is none that is found.
OTHER_VARIANCES = ("daily_diary", "growth_curves", "null")


@cache
def fits(name: str, formula: str) -> tuple[ms.LinearMixedModel, ...]:
    return tuple(ms.lmer(formula, POPULATIONS[name].draw(seed).data) for seed in range(DRAWS))


def recommended(name: str) -> tuple[ms.LinearMixedModel, ...]:
    return fits(name, scenario_of(name).model)


def assert_mean(values: pd.DataFrame | pd.Series, expected: object) -> None:
    """The mean over draws is as expected, to within 4 of its standard errors."""
    z = (values.mean() - expected) / (values.std() / np.sqrt(len(values)))
    assert (np.abs(z) < STANDARD_ERRORS).all(), z


@pytest.mark.parametrize("name", RECOVERED)
def test_fixed_effects(name: str) -> None:
    found = pd.DataFrame([fit.coefficients()["estimate"] for fit in recommended(name)])
    truth = pd.Series(dict(POPULATIONS[name].fixef))
    assert set(found) == set(truth.index)
    assert_mean(found, truth[found.columns])


@pytest.mark.parametrize("name", [name for name in RECOVERED if name not in OTHER_VARIANCES])
def test_variances(name: str) -> None:
    keys = ["group", "term1", "term2"]
    tables = [fit.varcorr.fillna({"term2": ""}).set_index(keys)["variance"] for fit in recommended(name)]
    truth = POPULATIONS[name].draw(0).truth.varcorr.fillna({"term2": ""}).set_index(keys)["variance"]
    found = pd.DataFrame(tables)[list(truth.index)]
    assert_mean(found, truth)


@pytest.mark.parametrize("name", [name for name in RECOVERED if name not in OTHER_VARIANCES and name != "lab_batches"])
def test_residual_variances(name: str) -> None:
    assert_mean(pd.Series([fit.sigma**2 for fit in recommended(name)]), POPULATIONS[name].sigma ** 2)


def test_the_price_within_shops_has_the_true_elasticity() -> None:
    found = pd.Series([fit.coefficients().loc["price_within", "estimate"] for fit in recommended("shop_prices")])
    assert_mean(found, -1.8)


# What a standard error is by the closed form of the docstring, and what the fits say of it.
SAID = {
    "ferns": ("light[T.full]:day", 0.15, "height ~ light * day + (1 | seedling)", 0.05),
    "wolves": ("wolves", None, "flood ~ wolves + (1 | park)", None),
    "split_plot": ("irrigation[T.high]", 0.31, "harvest ~ irrigation + variety + (1 | field)", 0.16),
    "essay_ratings": ("writing[T.hand]", 1.9, "grade ~ writing + (1 | essay)", 1.9),
    "sleep_like": ("day", 1.56, "reaction ~ day + (1 | person)", 0.80),
    "reading_times": ("condition[T.complex]", 0.028, "log_rt ~ condition + (1 | subject) + (1 | item)", 0.020),
    "training_trial": ("time[T.post]:volume[T.more]", 3.13, None, None),
    "two_legs": ("time[T.post]:sets[T.three]", 3.65, "strength ~ time * sets + (1 | participant)", 5.4),
    "cluster_trial": ("programme", 1.94, None, None),
    "multisite_trial": ("new", 6.7, "walk ~ new + (1 | hospital)", 5.0),
    "lab_batches": ("content", 0.0054, None, None),
}


@pytest.mark.parametrize("name", SAID)
def test_standard_errors_are_those_of_the_docstring(name: str) -> None:
    coefficient, own, formula, naive = SAID[name]
    for model, said in ((scenario_of(name).model, own), (formula, naive)):
        if model is None or said is None:
            continue
        variances = pd.Series([fit.coefficients().loc[coefficient, "se"] ** 2 for fit in fits(name, model)])
        assert abs(np.sqrt(variances.mean()) / said - 1) < 0.12
        assert f"{said:g}" in scenario_of(name).told


def test_years_left_out_are_residuals() -> None:
    alone = fits("wolves", "flood ~ wolves + (1 | park)")
    assert_mean(pd.Series([fit.sigma**2 for fit in alone]), 3**2 + 5**2)
    se = [np.mean([fit.coefficients().loc["wolves", "se"] for fit in some]) for some in (alone, recommended("wolves"))]
    assert 1.5 < se[0] / se[1] < 2


def slopes(name: str, x: str, by: str | None = None, draws: int = DRAWS) -> pd.Series:
    """Slopes of the response on x in many draws, clusters ignored or (`by`) inside them."""
    population = POPULATIONS[name]
    y, found = population.plan.response.name, []
    for seed in range(draws):
        data = population.draw(seed).data[[x, y, *([by] if by else [])]]
        if by:
            data = data[[x, y]] - data.groupby(by, observed=True)[[x, y]].transform("mean")
        found.append(np.polyfit(data[x], data[y], deg=1)[0])
    return pd.Series(found)


def test_biases_of_naive_slopes() -> None:
    assert_mean(slopes("school", "ses"), 20 + 30 * (0.25 + 0.64 / 66) / 0.89)
    assert_mean(slopes("daily_diary", "stress"), -2 - 3 * (1 + 1.44 / 28) / 2.44)
    assert_mean(slopes("stepped_wedge", "treated"), 9)
    assert_mean(slopes("stepped_wedge", "treated", "ward"), 10)
    assert_mean(slopes("growth_curves", "month"), 0.49)
    price = slopes("shop_prices", "log_price", draws=100)
    assert abs(price.mean() - 0.05) < 0.1  # a ratio of moments of 40 shops is a little off its limit


def test_the_true_error_of_a_slope_with_unequal_noise() -> None:
    content = np.tile([2.0, 5, 10, 20, 40, 80], 40)
    deviation, sd = content - content.mean(), 0.5 + 0.05 * content
    squares = (deviation**2).sum()
    true = np.sqrt((deviation**2 * sd**2).sum()) / squares
    assert round(true, 4) == 0.0088
    assert round(np.sqrt((sd**2).mean() / squares), 4) == 0.0054
    found = [fit.coefficients().loc["content", "estimate"] for fit in recommended("lab_batches")]
    assert abs(np.std(found, ddof=1) / true - 1) < STANDARD_ERRORS / np.sqrt(2 * DRAWS)


def test_those_who_stay_are_better_off() -> None:
    sample = ms.scenarios.dropout_trial(patients=40_000).draw(1)
    last = sample.data.query("week == 8").groupby("drug")["score"]
    assert (abs(last.mean() - [16.2, 11.7]) < STANDARD_ERRORS * last.std() / np.sqrt(last.size()) + 0.05).all()
    everybody = sample.truth.complete.query("week == 8").groupby("drug")["score"].mean()
    np.testing.assert_allclose(everybody, [17.6, 12.8], atol=0.2)


def test_leaving_before_the_bad_visit_biases_the_model() -> None:
    population = ms.scenarios.dropout_trial(patients=2000, leaves="before")
    at_random = ms.scenarios.dropout_trial(patients=2000)
    model = scenario_of("dropout_trial").model
    found = [
        [ms.lmer(model, p.draw(seed).data).coefficients().loc["week", "estimate"] for seed in range(4)]
        for p in (population, at_random)
    ]
    assert abs(np.mean(found[1]) + 0.8) < 0.06
    assert np.mean(found[0]) < -0.85


POINTS, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
WEIGHTS = WEIGHTS / WEIGHTS.sum()  # for the mean over a standard normal variable


def logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def assert_clustered(values: pd.Series, clusters: pd.Series, expected: float) -> None:
    """A mean over equal clusters, to within 4 standard errors of the clusters' means."""
    means = values.groupby(clusters, observed=True).mean()
    assert abs(means.mean() - expected) < STANDARD_ERRORS * means.std() / np.sqrt(len(means)), (means.mean(), expected)


def test_satisfaction_has_the_shares_of_the_cumulative_logit_model() -> None:
    data = ms.scenarios.satisfaction(homes=2000).draw(1).data
    for own_room in (0, 1):
        some = data[data["own_room"] == own_room]
        for code, cut in enumerate([-2.5, -1, 0.3, 2]):
            share = WEIGHTS @ logistic(cut - 0.8 * own_room - 0.9 * POINTS)
            assert_clustered(some["answer"].cat.codes <= code, some["home"], share)


def test_blood_cells_have_the_moments_of_the_docstring() -> None:
    data = ms.scenarios.blood_cells(herds=3000).draw(1).data
    start = data[data["week"] == 0]
    mean = np.exp(3.4 + (0.2**2 + 0.4**2) / 2)
    variance = mean + mean**2 * (np.exp(0.2) - 1)
    assert (round(mean, 1), round(variance)) == (33.1, 276)
    assert_clustered(start["cells"], start["herd"], mean)
    assert_clustered((start["cells"] - mean) ** 2, start["herd"], variance)
    late = data[(data["week"] == 6) & (data["treated"] == 1)]
    assert_clustered(late["cells"], late["herd"], mean * np.exp(-0.12 * 6))


def test_visits_have_the_moments_of_the_negative_binomial_model() -> None:
    data = ms.scenarios.gp_visits(practices=4000).draw(1).data

    def moment(k: int) -> float:
        years = (3 ** (k + 1) - 0.5 ** (k + 1)) / (2.5 * (k + 1))
        normal = np.exp(1.1 * k + k**2 * (0.15**2 * 1.5**2 + 0.25**2) / 2)
        return years * normal * (0.7 + 0.3 * np.exp(0.6 * k))

    assert_clustered(data["visits"], data["practice"], moment(1))
    assert_clustered(data["visits"] * (data["visits"] - 1), data["practice"], moment(2) * (1 + 1 / 1.5))


def test_batting_averages_vary_as_the_docstring_says() -> None:
    averages = ms.scenarios.baseball(players=50_000).draw(1).data.eval("hits / trials")
    p = logistic(-1.02 + 0.15 * POINTS)
    mean = WEIGHTS @ p
    variance = WEIGHTS @ (p - mean) ** 2 + WEIGHTS @ (p * (1 - p)) / 45
    assert round(np.sqrt(variance), 3) == 0.072
    assert abs(averages.mean() - mean) < STANDARD_ERRORS * np.sqrt(variance / 50_000)
    assert abs(averages.var() / variance - 1) < STANDARD_ERRORS * np.sqrt(2 / 50_000)


def test_numbers_that_are_a_matter_of_arithmetic() -> None:
    normal = NormalDist(25, 20)
    assert round(normal.cdf(0), 2) == 0.11
    assert [round(normal.mean + z * 20) for z in (-1.96, 1.96)] == [-14, 64]
    assert round(1 + 29 * 16 / 212, 2) == 3.19
    assert round(720 / (1 + 29 * 16 / 212)) == 226
    assert [round(136 / 242, 2), round(61 / 242, 2), round(36 / 242, 2)] == [0.56, 0.25, 0.15]
    assert round(np.sqrt(1 + 100 / 206), 2) == 1.22
    assert round(0.8 / np.sqrt(1 + 0.346 * 0.81), 2) == 0.71
    assert round(np.sqrt(4 * 212 / 720), 2) == 1.09
    assert [round(64 / 114, 2), round(64 / (64 + 50 / 3), 2), round(64 / (64 + 25 / 3), 2)] == [0.56, 0.79, 0.88]
