"""Random populations make what they say, and a fit finds it again: described, drawn, rebuilt from the truth, fitted."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

import mixedsim as ms
from tests.simulate.random_populations import coefficients, populations, tried

seeds = st.integers(0, 2**40)


def rows_behind(sample: ms.Sample) -> pd.DataFrame:
    """Everything that a formula may use, as it was before anything went wrong; hidden variables too."""
    return pd.concat([sample.truth.complete, sample.truth.hidden], axis=1)


def rebuilt(sample: ms.Sample) -> np.ndarray:
    """Xβ + Zb by looking every name up, row by row: another road than the simulator's."""
    rows, truth = rows_behind(sample), sample.truth
    total = np.zeros(len(rows))
    for name, value in truth.fixef.items():
        total += value * column(name, rows)
    for group, effects in truth.ranef.items():
        unit = rows[group.split(":")].astype(str).agg(":".join, axis=1)
        for name in effects:
            total += effects[name].loc[unit].to_numpy() * column(name, rows)
    return total


def column(name: str, rows: pd.DataFrame) -> Any:
    """The column of a coefficient: ``Intercept``, ``x``, or ``x[T.level]``."""
    if name == "Intercept":
        return 1.0
    if "[T." not in name:
        return rows[name].to_numpy(dtype=float)
    variable, level = name[:-1].split("[T.")
    return (rows[variable] == level).to_numpy(dtype=float)


@tried(60)
@given(population=populations(wild=True), seed=seeds)
def test_the_truth_rebuilds_the_response(population: ms.Population, seed: int) -> None:
    sample = population.draw(seed=seed)
    truth = sample.truth
    linear = rebuilt(sample)
    scale = 1 + np.abs(linear).max(initial=0)
    np.testing.assert_allclose(truth.linear_predictor, linear, rtol=0, atol=1e-12 * scale)
    if population.sigma is not None:
        np.testing.assert_array_equal(truth.mean, truth.linear_predictor)
        response = truth.complete["y"].to_numpy()
        np.testing.assert_allclose(truth.linear_predictor + truth.residuals, response, rtol=0, atol=1e-12 * scale * 1e3)


@tried(60)
@given(population=populations(wild=True), seed=seeds)
def test_the_book_of_problems_leads_from_the_complete_data_to_the_data(population: ms.Population, seed: int) -> None:
    sample = population.draw(seed=seed)
    truth, data = sample.truth, sample.data
    expected = truth.complete.loc[truth.original_row].reset_index(drop=True).astype(object)
    book = truth.problems
    for entry in book[book["column"].notna() & book["row"].notna()].itertuples():
        expected.loc[entry.row, entry.column] = entry.now
    for name in data:
        now, then = data[name].astype(object), expected[name]
        same = (now == then) | (now.isna() & then.isna())
        assert same.all(), (name, now[~same].head(), then[~same].head())


@tried(60)
@given(population=populations(wild=True), seed=seeds)
def test_the_same_seed_is_the_same_sample_whatever_was_done_in_between(population: ms.Population, seed: int) -> None:
    sample = population.draw(seed=seed)
    data, ranef, hidden = sample.data.copy(deep=True), sample.truth.ranef, sample.truth.hidden
    population.draw(seed=seed + 1)
    sample.data["y"] = sample.data["g"]
    again = pickle.loads(pickle.dumps(population)).draw(seed=seed)
    pd.testing.assert_frame_equal(again.data, data)
    pd.testing.assert_frame_equal(again.truth.hidden, hidden)
    for group, effects in again.truth.ranef.items():
        pd.testing.assert_frame_equal(effects, ranef[group])
    if not population.problems:
        pd.testing.assert_frame_equal(sample.truth.complete, data)


@tried(50)
@given(population=populations(wild=True))
def test_files_pickles_and_copies_mean_the_same(population: ms.Population) -> None:
    copies = [
        ms.Population.from_yaml(population.to_yaml()),
        pickle.loads(pickle.dumps(population)),
        copy.copy(population),
        copy.deepcopy(population),
        population.with_(),
    ]
    for other in copies:
        assert other == population
        assert hash(other) == hash(population)
        assert other.fingerprint == population.fingerprint
        assert other.to_yaml() == population.to_yaml()
        assert str(other) == str(population)
    truth = population.draw(seed=1).truth
    assert pickle.loads(pickle.dumps(truth)) == truth
    assert copy.deepcopy(truth) == truth


@tried(60)
@given(population=populations(), seed=seeds)
def test_designs_are_as_described(population: ms.Population, seed: int) -> None:
    data = population.draw(seed=seed).data
    names = [*population.clusters, *population.variables, "y"]
    assert list(data) == names
    assert not data.isna().any(axis=None)
    assert np.isfinite(data.select_dtypes("number").to_numpy(dtype=float)).all()
    check_clusters(population, data)
    for name, variable in population.variables.items():
        level = population.plan.levels[name]
        if level is not None:
            unit = [one for one in population.clusters if one in population.plan.structure.chain_of(level)]
            assert not data[[*unit, name]].drop_duplicates()[unit].duplicated().any()
        if variable.categories() is not None:
            assert tuple(data[name].cat.categories) == variable.categories()


def check_clusters(population: ms.Population, data: pd.DataFrame) -> None:
    """How many units there are, who meets whom, and how many rows each cell has."""
    clusters, size = population.clusters, population.size
    assert data["g"].nunique() == clusters["g"]
    cells = data.groupby(list(clusters), observed=True).size()
    if isinstance(size, int):
        assert (cells == size).all()
    elif isinstance(size, tuple):
        assert cells.between(*size).all()
    elif isinstance(size, ms.Sizes):
        assert cells.tolist() == list(size.values)
    if "h" not in clusters:
        return
    entry, met = clusters["h"], cells.groupby("g", observed=True).size()
    if isinstance(entry, int):
        assert (met == entry).all()
        return
    low, high = (many, many) if isinstance(many := entry.get("sample", entry.get("rotate", entry["n"])), int) else many
    assert met.between(low, high).all()
    if "in" in entry:
        assert not data[["g", "h"]].drop_duplicates()["h"].duplicated().any()
    if "rotate" in entry:
        assert np.ptp(cells.groupby("h", observed=True).size().reindex(data["h"].cat.categories, fill_value=0)) <= 1


# What data cannot tell, in lmer's words: nothing to model, nothing left over, an effect that another one is.
REFUSALS = (
    "so there is nothing to model",
    "explains the response exactly",
    "so its effect cannot be estimated",
    "cannot be told from",
    "nothing separates them from the residual",
)


@tried(60)
@given(population=populations(), seed=seeds)
def test_a_fit_runs_or_says_what_the_data_cannot_tell(population: ms.Population, seed: int) -> None:
    sample = population.draw(seed=seed)
    try:
        fit = ms.lmer(sample.formula, sample.data)
    except ms.errors.MixedsimError as error:
        if any(one in str(error) for one in REFUSALS):
            return
        raise
    assert set(fit.fixef.index) <= set(coefficients(population.variables))
    assert np.isfinite(fit.fixef.dropna()).all()


CLINIC = ms.Population(
    "y ~ x + arm + (1 + x | g)",
    clusters={"g": 12},
    size=(3, 7),
    variables={"x": ms.Normal(0, 1), "arm": ms.Assigned(["old", "new"], level="g", shuffle=True)},
    fixef={"Intercept": 10, "x": 1, "arm[T.new]": -2},
    ranef={"g": {"sd": [2, 1], "corr": 0.5}},
    sigma=3,
)
DRAWS = 300


@pytest.fixture(scope="module")
def fits() -> list[ms.LinearMixedModel]:
    """Models of many samples of one population."""
    return [ms.lmer(CLINIC.formula, CLINIC.draw(seed=seed).data) for seed in range(DRAWS)]


def rejected(covered: int, rate: float) -> float:
    """How improbable so few, or so many, are if each interval covers with the probability `rate`: exactly."""
    few = special.bdtr(covered, DRAWS, rate)
    many = special.bdtrc(covered - 1, DRAWS, rate) if covered else 1.0
    return float(2 * min(few, many))


@pytest.mark.parametrize("name", CLINIC.fixef)
def test_intervals_cover_the_truth_of_fixed_effects_at_the_nominal_rate(
    fits: list[ms.LinearMixedModel], name: str
) -> None:
    tables = [fit.coefficients().loc[name] for fit in fits]
    covered = sum(row["lower"] <= CLINIC.fixef[name] <= row["upper"] for row in tables)
    assert rejected(covered, 0.95) > 1e-4, covered


def test_intervals_cover_the_truth_of_sigma_at_the_nominal_rate(fits: list[ms.LinearMixedModel]) -> None:
    ends = [fit.confint("wald", parameters="sigma").loc["sigma"] for fit in fits]
    covered = sum(row["lower"] <= 3 <= row["upper"] for row in ends)
    assert rejected(covered, 0.95) > 1e-4, covered


def test_another_truth_is_found_out(fits: list[ms.LinearMixedModel]) -> None:
    tables = [fit.coefficients().loc["Intercept"] for fit in fits]
    assert rejected(sum(row["lower"] <= 12 <= row["upper"] for row in tables), 0.95) < 1e-4
