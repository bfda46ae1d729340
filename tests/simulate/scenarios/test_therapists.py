"""The therapists: every closed form in a docstring against a large sample, to within its sampling error."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms

STANDARD_ERRORS = 4.5
THERAPISTS = [name for name in ms.scenarios.names() if name.startswith("therapist")]


def ols(data: pd.DataFrame, *names: str) -> tuple[np.ndarray, np.ndarray]:
    """Ordinary regression of anxiety on an intercept and `names`; standard errors clustered by therapist."""
    x = np.column_stack([np.ones(len(data)), *(data[name] for name in names)])
    y = data["anxiety"].to_numpy()
    slopes = np.linalg.lstsq(x, y, rcond=None)[0]
    scores = pd.DataFrame(x * (y - x @ slopes)[:, None]).groupby(data["therapist"].cat.codes.to_numpy()).sum()
    bread = np.linalg.inv(x.T @ x)
    return slopes, np.sqrt(np.diag(bread @ (scores.T @ scores).to_numpy() @ bread))


def assert_slope(data: pd.DataFrame, expected: float, *others: str) -> None:
    slopes, errors = ols(data, "depression", *others)
    assert abs(slopes[1] - expected) < STANDARD_ERRORS * errors[1]


def assert_mean(values: pd.Series, expected: float) -> None:
    assert abs(values.mean() - expected) < STANDARD_ERRORS * values.std() / np.sqrt(len(values))


def by_therapist(data: pd.DataFrame) -> pd.DataFrame:
    return data.drop(columns="therapist").groupby(data["therapist"], observed=True).mean()


def large(name: str, patients: int = 50, therapists: int = 20_000) -> pd.DataFrame:
    return getattr(ms.scenarios, name)(therapists=therapists, patients=patients).draw(seed=1).data


@pytest.mark.parametrize("name", THERAPISTS)
def test_a_scenario_is_a_population_of_its_name_and_of_the_classic_size(name: str) -> None:
    scenario = getattr(ms.scenarios, name)
    population = scenario()
    assert population.name == name
    data = population.draw(seed=1).data
    assert data["therapist"].value_counts().tolist() == [50] * 100
    assert data.columns[-1] == "anxiety"
    assert population.sigma == 8
    assert population.fixef["Intercept"] == 45
    assert population.fixef["depression"] == 3
    assert population.fixef["sex"] == 10


@pytest.mark.parametrize("name", THERAPISTS)
def test_a_scenario_can_be_made_smaller_and_unbalanced(name: str) -> None:
    data = getattr(ms.scenarios, name)(therapists=30, patients=(3, 9)).draw(seed=1).data
    sizes = data["therapist"].value_counts()
    assert len(sizes) == 30
    assert sizes.between(3, 9).all()
    assert len(set(sizes)) > 1


@pytest.mark.parametrize("name", THERAPISTS)
def test_a_docstring_tells_what_it_must(name: str) -> None:
    told = inspect.getdoc(getattr(ms.scenarios, name)) or ""
    for part in ("Story:", "Equations::", "Truth:", "What the naive", "Fit:", "Parameters", "Examples"):
        assert part in told, part
    assert getattr(ms.scenarios, name)().formula in told


@pytest.mark.parametrize("name", THERAPISTS)
def test_the_recommended_predictors_give_back_the_truth(name: str) -> None:
    population = getattr(ms.scenarios, name)(therapists=20_000)
    sample = population.draw(seed=2)
    data = sample.data
    if "intervention" in data:
        data = data.assign(**{"depression:intervention": data["depression"] * data["intervention"]})
    names = [coefficient for coefficient in population.fixef if coefficient != "Intercept"]
    slopes, errors = ols(data, *names)
    truth = sample.truth.fixef[["Intercept", *names]].to_numpy()
    assert (abs(slopes - truth) < STANDARD_ERRORS * errors).all()


def test_plain_has_an_icc_of_a_sixty_fifth() -> None:
    data = large("therapist_plain")
    rest = data["anxiety"] - 45 - 3 * data["depression"] - 10 * data["sex"]
    means = rest.groupby(data["therapist"], observed=True).mean()
    assert_mean(means**2, 1 + 64 / 50)
    assert_mean(rest**2, 65)
    assert_slope(data, 3)


def test_plain_has_depression_of_mean_5_and_sd_2_and_half_of_each_sex() -> None:
    data = large("therapist_plain")
    assert_mean(data["depression"], 5)
    assert_mean((data["depression"] - 5) ** 2, 4)
    assert_mean(data["sex"], 0.5)


def test_price_left_out_makes_therapists_differ_and_leaves_the_slope() -> None:
    data = large("therapist_price")
    assert_slope(data, 3, "sex")
    rest = data["anxiety"] - 37.5 - 3 * data["depression"] - 10 * data["sex"]
    means = rest.groupby(data["therapist"], observed=True).mean()
    assert_mean(means, 0)
    assert_mean(means**2, 1 + 9 * 2.25 + 64 / 50)
    assert np.sqrt(1 + 9 * 2.25) == pytest.approx(4.61, abs=0.005)
    prices = by_therapist(data)["price"]
    assert set(prices) == set(range(6))
    assert_mean((prices == 0).astype(float), 0.1)
    assert_mean((prices - 2.5) ** 2, 2.25)


@pytest.mark.parametrize(("patients", "therapists"), [(3, 200_000), (50, 20_000)])
def test_the_confounder_biases_ordinary_regression_by_its_closed_form(patients: int, therapists: int) -> None:
    data = large("therapist_confounder", patients, therapists)
    expected = 3 - 3 * 1.8 / (1.44 + 4)
    assert expected == pytest.approx(2.01, abs=0.005)
    assert_slope(data, expected)
    assert_slope(data, expected, "sex")


@pytest.mark.parametrize(("patients", "therapists"), [(3, 200_000), (50, 20_000)])
def test_the_confounder_between_and_within_therapists(patients: int, therapists: int) -> None:
    data = large("therapist_confounder", patients, therapists)
    means = by_therapist(data).reset_index()
    assert_slope(means, 3 - 3 * 1.8 / (1.44 + 4 / patients))
    own = data.assign(
        depression=data["depression"] - data.groupby("therapist", observed=True)["depression"].transform("mean")
    )
    assert_slope(own, 3)


@pytest.mark.parametrize(
    ("patients", "therapists", "sigma", "tau", "slope"),
    [(3, 200_000, 8.13, 4.05, 2.27), (50, 20_000, 8.00, 4.77, 2.93)],
)
def test_the_confounder_in_a_model_with_varying_intercepts(
    patients: int, therapists: int, sigma: float, tau: float, slope: float
) -> None:
    within = (patients - 1) * 4 / sigma**2
    between = (patients * 1.44 + 4) / (sigma**2 + patients * tau**2)
    mean = (within * 3 + between * (3 - 3 * 1.8 / (1.44 + 4 / patients))) / (within + between)
    assert mean == pytest.approx(slope, abs=0.005)
    # The same average from a sample: the regression on quasi-demeaned columns is generalised least squares.
    data = large("therapist_confounder", patients, therapists)
    part = 1 - sigma / np.sqrt(sigma**2 + patients * tau**2)
    means = data.groupby("therapist", observed=True)[["anxiety", "depression", "sex"]].transform("mean")
    quasi = data[["anxiety", "depression", "sex"]] - part * means
    assert_slope(quasi.assign(therapist=data["therapist"]), mean, "sex")


def test_ses_moves_both_price_and_depression_and_stays_hidden() -> None:
    sample = ms.scenarios.therapist_confounder(therapists=20_000).draw(seed=3)
    assert "ses" not in sample.data
    assert_mean(sample.data["price"] - 6 - 1.5 * sample.truth.hidden["ses"], 0)
    covariance = (sample.data["price"] - 6) * (sample.data["depression"] - 5)
    assert_mean(covariance.groupby(sample.data["therapist"], observed=True).mean(), 1.8)


def test_prices_are_positive() -> None:
    assert large("therapist_confounder", 1, 100_000)["price"].quantile(0.001) > 0
    # 6 is 3.8 standard deviations of √(1.5² + 0.5²) above 0: a negative price in 1 of 13,000 therapists


def test_context_left_out_goes_into_the_therapists_and_a_little_into_the_slope() -> None:
    data = large("therapist_context")
    assert_slope(data, 3 + 12 / 50, "sex")
    means = by_therapist(data)
    assert_slope(means.reset_index(), 15, "sex")
    rest = means["anxiety"] - 45 - 15 * 5 - 3 * (means["depression"] - 5) - 10 * means["sex"]
    assert_mean(rest**2, 1 + 144 * 4 / 50 + 64 / 50)
    assert np.sqrt(1 + 144 * 4 / 50) == pytest.approx(3.54, abs=0.005)
    assert_slope(data, 3, "sex", "depression_mean")


def test_intervention_left_out_gives_the_average_slope_and_more_variation() -> None:
    sample = ms.scenarios.therapist_intervention(therapists=20_000).draw(seed=1)
    data = sample.data
    assert_slope(data, 7, "sex")
    steps = data.groupby("therapist", observed=True)["intervention"].first()
    slopes = 3 + 4 * steps.to_numpy() + sample.truth.ranef["therapist"]["depression"]
    assert_mean((slopes - 7) ** 2, 4 + 16 * 2 / 3)
    assert np.sqrt(4 + 16 * 2 / 3) == pytest.approx(3.83, abs=0.005)
    for step in range(3):
        assert_mean((steps == step).astype(float), 1 / 3)
        assert_slope(data[data["intervention"] == step], 3 + 4 * step, "sex")
    sds = sample.truth.ranef["therapist"].std()
    assert (abs(sds - [2.5, 2]) < STANDARD_ERRORS * np.array([2.5, 2]) / np.sqrt(2 * 20_000)).all()


def test_the_five_have_the_same_patients() -> None:
    plain = ms.scenarios.therapist_plain().draw(seed=1)
    for name in ("therapist_price", "therapist_context"):
        data = getattr(ms.scenarios, name)().draw(seed=1).data
        pd.testing.assert_frame_equal(data[["depression", "sex"]], plain.data[["depression", "sex"]])
