"""The first verb: replicates by number, each with a seed of its own."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.study.block import Block
from mixedsim.study.fixed_design import design_of
from tests.study.clinics import assigned, redrawn, slopes


def test_the_first_hundred_of_a_thousand_are_those_of_a_hundred():
    few, many = (ms.study.draw(redrawn(), n, 7).seeds for n in (100, 1000))
    np.testing.assert_array_equal(few, many[:100])
    assert len(np.unique(many)) == 1000
    assert many.dtype == np.int64
    assert many.min() >= 0
    assert many.max() < 2**53


def test_seeds_of_a_range_need_not_be_counted_through():
    draws = ms.study.draw(redrawn(), 5000, 7)
    np.testing.assert_array_equal(draws.seeds_of(4200, 4300), draws.seeds[4200:4300])


def test_seeds_look_like_random_numbers():
    seeds = ms.study.draw(redrawn(), 40_000, 3).seeds / 2**53
    assert abs(seeds.mean() - 0.5) < 4 * np.sqrt(1 / 12 / 40_000)
    assert abs(np.corrcoef(seeds[:-1], seeds[1:])[0, 1]) < 4 / np.sqrt(40_000)


def test_other_seeds_give_other_replicates():
    one, other = (ms.study.draw(redrawn(), 10, seed).seeds for seed in (1, 2))
    assert not set(one) & set(other)


def test_a_replicate_is_the_population_drawn_with_its_seed():
    population = redrawn()
    draws = ms.study.draw(population, 10, 1)
    sample = draws[3]
    pd.testing.assert_frame_equal(sample.data, population.draw(int(draws.seeds[3])).data)
    assert sample.truth.seed == draws.seeds[3]
    pd.testing.assert_frame_equal(draws[-7].data, sample.data)
    assert [one.truth.seed for one in draws[2:5]] == draws.seeds[2:5].tolist()


def test_there_are_as_many_as_were_asked_for():
    draws = ms.study.draw(assigned(), 3, 1)
    assert len(draws) == len(list(draws)) == 3
    with pytest.raises(IndexError, match=r"^replicates are numbered from 0 to 2, found 3$"):
        draws[3]


def test_with_new_responses_clusters_and_predictors_stay():
    population = redrawn(size=(2, 6))
    draws = ms.study.draw(population, 4, 11, redraw="response")
    first, second, own = draws[0], draws[1], population.draw(11)
    for sample in (first, second):
        pd.testing.assert_frame_equal(sample.data.drop(columns="y"), own.data.drop(columns="y"))
    assert not np.isclose(first.data["y"], second.data["y"]).any()
    assert not np.isclose(first.data["y"], own.data["y"]).any()


def test_the_truth_of_a_new_response_is_what_made_it():
    sample = ms.study.draw(redrawn(), 2, 11, redraw="response")[1]
    data, truth = sample.data, sample.truth
    effects = truth.ranef["g"]["Intercept"].loc[data["g"].astype(str)].to_numpy()
    np.testing.assert_allclose(1 + 0.5 * data["x"] + effects + truth.residuals, data["y"], rtol=1e-12)
    np.testing.assert_allclose(truth.linear_predictor + truth.residuals, data["y"], rtol=1e-12)
    pd.testing.assert_frame_equal(truth.complete, data)


def test_with_new_responses_problems_strike_anew():
    population = redrawn(problems=[ms.Missing("y", 0.3)])
    draws = ms.study.draw(population, 3, 11, redraw="response")
    gaps = [sample.data["y"].isna() for sample in draws]
    assert not gaps[0].equals(gaps[1])
    assert int(gaps[0].sum()) == len(draws[0].truth.problems)
    pd.testing.assert_series_equal(draws[0].data["x"], draws[1].data["x"])


CHANCE = {
    "everything assigned": (assigned(), True),
    "assigned, slopes, crossed": (slopes(), True),
    "sizes given": (assigned(size=ms.Sizes([2, 3, 4, 5, 2, 3, 4, 5])), True),
    "residuals with ar1": (assigned(residual={"ar1": 0.5}), True),
    "sigma by an expression": (assigned(sigma="1 + 0.5 * x"), True),
    "a drawn predictor": (redrawn(), False),
    "random sizes": (assigned(size=(2, 6)), False),
    "a random number of groups": (assigned(clusters={"area": 3, "g": {"in": "area", "n": (2, 4)}}), False),
    "shuffled": (
        assigned().with_(variables={"x": ms.Normal(0, 1), "w": ms.Assigned([0, 1], level="g", shuffle=True)}),
        False,
    ),
    "a sample of items": (slopes(clusters={"subject": 9, "item": {"n": 6, "sample": 3}}), False),
    "items by turns from a random start": (slopes(clusters={"subject": 9, "item": {"n": 6, "rotate": 3}}), False),
    "problems": (assigned(problems=[ms.Missing("y", 0.1)]), False),
    "a function": (
        redrawn(variables={"x": ms.Custom(lambda rng, size: np.arange(size)), "w": ms.Assigned([0, 1], level="g")}),
        False,
    ),
    "yes or no": (assigned(family="binomial", sigma=None), True),
    "successes out of trials": (assigned(family="binomial", sigma=None).with_(formula="y / 5 ~ x + w + (1 | g)"), True),
    "events, crossed": (slopes(family="poisson", sigma=None), True),
    "events in days": (
        assigned(family="poisson", sigma=None).with_(
            family={"kind": "poisson", "exposure": "days"},
            variables={"x": ms.Assigned([0, 1]), "w": ms.Assigned([0, 1], level="g"), "days": ms.Assigned([1, 3])},
        ),
        True,
    ),
    "bunches of events": (assigned(family={"kind": "negative-binomial", "theta": 2}, sigma=None), True),
    "amounts": (assigned(family={"kind": "gamma", "cv": 0.4}, sigma=None), True),
    "a logarithmic link": (assigned(family=("gaussian", "log")), False),
}


@pytest.mark.parametrize("name", CHANCE)
def test_designs_without_chance_are_recognised(name):
    population, fixed = CHANCE[name]
    assert (design_of(population) is not None) == fixed


FIXED = [name for name, (_, fixed) in CHANCE.items() if fixed]


@pytest.mark.parametrize("name", FIXED)
def test_responses_of_a_fixed_design_are_those_of_draws(name):
    population, _ = CHANCE[name]
    draws = ms.study.draw(population, 5, 3)
    y = draws.source.design.responses(draws.seeds)
    expected = np.stack([population.draw(int(seed)).data["y"] for seed in draws.seeds], axis=1)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("population", [redrawn(size=(2, 6)), slopes(sigma="1 + x")], ids=["sizes", "slopes"])
def test_new_responses_of_a_block_are_those_of_draws(population):
    draws = ms.study.draw(population, 5, 3, redraw="response")
    y = draws.source.design.responses(draws.seeds)
    np.testing.assert_allclose(y, np.stack([one.data["y"] for one in draws], axis=1), rtol=1e-12, atol=1e-12)


def test_what_cannot_be_drawn_on_a_fixed_design_says_which_replicate():
    population = assigned(family=("binomial", "log"), sigma=None, fixef={"Intercept": -0.9, "x": 0, "w": 0})
    draws = ms.study.draw(population, 40, 3)
    block = Block(draws, 0, 40)
    assert draws.source.design is not None
    with pytest.raises(ms.PopulationError) as caught:
        _ = block.responses
    with pytest.raises(ms.PopulationError) as told:
        _ = [block._drawn(k) for k in range(40)]
    assert str(caught.value) == str(told.value)
    assert re.match(r"replicate \d+ \(seed \d+\) cannot be drawn: family.link is 'log'", str(told.value))


# ---- from a fitted model


@pytest.fixture(scope="module")
def fit():
    return ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))


def test_a_fit_draws_what_it_simulates(fit):
    draws = ms.study.draw(fit, 4, 1)
    assert draws.redraw == "response"
    for k in (0, 3):
        expected = fit.simulate(1, int(draws.seeds[k]))[0]
        np.testing.assert_allclose(draws[k].data["Reaction"], expected, rtol=1e-13)
    y = draws.source.design.responses(draws.seeds)
    np.testing.assert_array_equal(y[:, 2], draws[2].data["Reaction"])


def test_the_truth_of_data_from_a_fit_are_its_estimates(fit):
    sample = ms.study.draw(fit, 4, 1)[0]
    assert sample.truth.sigma == fit.sigma
    pd.testing.assert_series_equal(sample.truth.fixef, fit.fixef)
    assert ms.study.draw(fit, 4, 1).source.truth["sd", "Subject", "Days"] == pytest.approx(fit.varcorr["sd_or_corr"][1])


def test_rows_that_a_fit_left_out_are_not_drawn():
    data = ms.datasets.load("sleepstudy").copy()
    data.loc[3, "Reaction"] = np.nan
    fit = ms.lmer("Reaction ~ Days + (1 | Subject)", data)
    assert len(ms.study.draw(fit, 1, 1)[0].data) == 179


# ---- what is wrong


@pytest.mark.parametrize("n", [0, -3, 2.5, True, "10", None])
def test_n_is_a_number_of_replicates(n):
    with pytest.raises(ms.MixedsimError) as error:
        ms.study.draw(redrawn(), n, 1)
    assert str(error.value) == f"n must be a whole number of at least 1, found {n!r}."


WRONG = {
    "no population": (
        lambda fit: ms.study.draw("pop", 3),
        "a study draws from a Population or a model fitted by lmer or glmer, found str: read a file with "
        "Population.from_yaml.",
    ),
    "redraw": (
        lambda fit: ms.study.draw(redrawn(), 3, redraw="none"),
        "redraw must be 'all' or 'response', found 'none'.",
    ),
    "seed": (lambda fit: ms.study.draw(redrawn(), 3, -1), "seed must not be negative, found -1."),
    "all of a fit": (
        lambda fit: ms.study.draw(fit, 3, redraw="all"),
        "redraw='all' needs a population: a fitted model has only its own predictors; take Population.from_fit(fit), "
        "or leave redraw out.",
    ),
    "a calculated response": (
        lambda fit: ms.study.draw(ms.lmer("log(Reaction) ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy")), 3),
        "the response must be a column to be drawn anew, found 'log(Reaction)': add it to the data under a name, and "
        "fit that.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_drawn(name, fit):
    call, sentence = WRONG[name]
    with pytest.raises(ms.MixedsimError) as error:
        call(fit)
    assert str(error.value) == sentence


def test_a_block_depends_on_the_size_of_a_replicate_alone():
    small, large = (ms.study.draw(redrawn(clusters={"g": g}, size=100), 10, 1) for g in (8, 4000))
    assert (small.block_size, large.block_size) == (250, 5)
    assert ms.study.draw(redrawn(clusters={"g": 8}, size=100), 10_000, 2).block_size == 250


def test_draws_travel():
    draws = ms.study.draw(assigned(), 3, 1)
    assert draws.source.design is not None  # computed, and not sent along
    again = pickle.loads(pickle.dumps(draws))
    pd.testing.assert_frame_equal(again[1].data, draws[1].data)
    assert "design" not in vars(again.source)
