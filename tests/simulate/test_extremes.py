"""Populations at the edge of what numbers can hold, and what they must keep whatever is done to them."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.errors import DataError, PopulationError
from mixedsim.simulate.counts import draw_counts


def population(**changes: Any) -> ms.Population:
    fields: dict[str, Any] = {
        "formula": "y ~ x + (1 + x | g)",
        "clusters": {"g": 5},
        "size": 4,
        "variables": {"x": ms.Normal(0, 1)},
        "fixef": {"Intercept": 1, "x": 2},
        "ranef": {"g": {"sd": [1, 1]}},
        "sigma": 1,
    } | changes
    return ms.Population(fields.pop("formula"), **fields)


BOUNDS = "must lie between -1e+300 and 1e+300, found"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sigma": 1e308}, f"sigma {BOUNDS} 1e+308."),
        ({"fixef": {"Intercept": 1, "x": -1e301}}, f"fixef.x {BOUNDS} -1e+301."),
        ({"ranef": {"g": {"sd": [1, 1e308]}}}, f"ranef.g.sd {BOUNDS} 1e+308."),
        ({"variables": {"x": {"kind": "Normal", "mean": 1e308, "sd": 1}}}, f"variables.x.mean {BOUNDS} 1e+308."),
        (
            {"ranef": {"g": {"sd": [1, 1], "shape": {"kind": "bimodal", "separation": 1e200}}}},
            "ranef.g.shape.separation must be at most 1e+06, found 1e+200.",
        ),
    ],
    ids=["sigma", "fixef", "ranef", "variable", "bimodal"],
)
def test_numbers_that_are_too_large_to_calculate_with(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PopulationError) as caught:
        population(**changes)
    assert str(caught.value) == message


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
def test_an_outcome_that_no_number_holds_is_refused(family: str) -> None:
    huge = population(
        variables={"x": ms.Normal(1e299, 1)},
        fixef={"Intercept": 1, "x": 1e300},
        family=family,
        sigma=1 if family == "gaussian" else None,
    )
    with pytest.raises(PopulationError, match=r"^formula makes values beyond 1e308 in this draw: choose smaller"):
        huge.draw(seed=1)


def test_a_problem_whose_values_no_number_holds_is_refused() -> None:
    wild = population(problems=[ms.Outliers("x", 1.0, times=1e300), ms.Outliers("x", 1.0, times=1e300)])
    with pytest.raises(PopulationError) as caught:
        wild.draw(seed=1)
    assert str(caught.value) == (
        "problems.2.column is 'x', of which this makes values beyond 1e308: choose smaller changes."
    )


@pytest.mark.parametrize(
    "changes",
    [{"size": ms.Normal(5, 1e9)}, {"clusters": {"g": 5, "h": {"in": "g", "n": ms.Normal(2, 1e9)}}}],
    ids=["rows", "units"],
)
def test_a_distribution_so_wide_that_its_mean_says_little_fills_no_memory(changes: dict[str, Any]) -> None:
    with pytest.raises(PopulationError, match=r"^size makes .* rows with these clusters; at most 1e\+09 are"):
        population(**changes)


def test_a_draw_of_far_too_many_is_refused() -> None:
    with pytest.raises(PopulationError, match=r"^size adds up to .* in this draw; at most 1e\+09 are"):
        draw_counts(ms.Uniform(1, 1e6), np.random.default_rng(1), units=10_000)


@pytest.mark.parametrize(
    ("family", "meant"), [("normal", "gaussian"), ("logistic", "binomial"), ("nbinom", "negative-binomial")]
)
def test_a_family_by_the_name_of_its_distribution_or_model(family: str, meant: str) -> None:
    with pytest.raises(PopulationError) as caught:
        population(family=family)
    assert str(caught.value) == f"family cannot be {family!r}: did you mean {meant!r}?"


def test_numpy_texts_can_be_written() -> None:
    named = population(name=np.str_("clinic"), formula=np.str_("y ~ x + (1 + x | g)"))
    again = ms.Population.from_yaml(named.to_yaml())
    assert (again, again.name, again.formula) == (named, "clinic", "y ~ x + (1 + x | g)")


EDGES: dict[str, dict[str, Any]] = {
    "one unit, one row": {"clusters": {"g": 1}, "size": 1},
    "nothing varies": {"ranef": {"g": {"sd": [0, 0], "corr": 1}}, "sigma": 0},
    "a predictor that is constant": {"variables": {"x": ms.Normal(3, 0)}},
    "far from zero": {"variables": {"x": ms.Normal(1e12, 1)}},
    "never": {"variables": {"x": ms.Bernoulli(0)}},
    "always": {"variables": {"x": ms.Binomial(3, 1)}},
    "as far as it goes": {"variables": {"x": ms.Normal(1e300, 1)}, "fixef": {"Intercept": 0, "x": 0}},
    "correlation one": {"variables": {"x, z": ms.Correlated([ms.Normal(0, 1), ms.Beta(2, 1)], corr=1)}},
    "correlation minus one": {"ranef": {"g": {"sd": [2, 1], "corr": -1}}},
    "all between": {"variables": {"x, z": ms.Correlated([ms.Normal(0, 1)] * 2, within=1, between=-1, icc=1)}},
    "everybody leaves": {"problems": [ms.Dropout(1.0), ms.Missing("y", 1.0)]},
    "everything twice": {"problems": [ms.Duplicated(1.0), ms.Duplicated(1.0)]},
}


@pytest.mark.parametrize("changes", EDGES.values(), ids=EDGES)
def test_edges_are_drawn_and_their_truth_rebuilds_them(changes: dict[str, Any]) -> None:
    edge = population(**changes)
    sample = edge.draw(seed=1)
    truth = sample.truth
    numbers = truth.complete.select_dtypes("number").to_numpy(dtype=float)
    assert np.isfinite(numbers).all()
    response = truth.complete["y"].to_numpy()
    rebuilt = (truth.linear_predictor + truth.residuals).to_numpy()
    np.testing.assert_allclose(rebuilt, response, rtol=1e-12, atol=1e-12 * np.abs(numbers).max())
    assert ms.Population.from_yaml(edge.to_yaml()) == edge


def test_a_truth_holds_no_data() -> None:
    sample = population(clusters={"g": 1000}, size=100).draw(seed=1)
    assert len(pickle.dumps(sample.truth)) < 5000
    assert sample.truth.residuals is not sample.truth.residuals


@pytest.mark.parametrize("seed", [1, ms.RSeed(1)], ids=["streams", "R"])
def test_draws_in_threads_are_independent(seed: int | ms.RSeed) -> None:
    made = population(residual={"ar1": 0.4}, problems=[ms.Missing("x", 0.2)])
    seeds = [seed + i if isinstance(seed, int) else ms.RSeed(seed.seed + i % 5) for i in range(30)]
    alone = [made.draw(seed=one).data for one in seeds]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda one: made.draw(seed=one).data, seeds))
    assert all(one.equals(other) for one, other in zip(alone, together, strict=True))


def test_a_fit_of_data_without_residual_says_so() -> None:
    exact = population(
        formula="y ~ x + (1 + x | g)", clusters={"g": 15}, variables={"x": ms.Beta(2, 0.5)}, sigma=0, size=(1, 6)
    )
    for seed in range(20):
        with pytest.raises(DataError, match="explains the response exactly"):
            ms.lmer(exact.formula, exact.draw(seed=seed).data)
