"""A fitted generalised model as what studies draw from, and populations like it."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.study.block import Block
from mixedsim.study.varying import changed
from tests.models.glmms import cbpp, cbpp_fit, clinic


def quiet(*args, **kwargs):
    return ms.study(*args, progress=False, **kwargs)


# ---- studies of the very design


def test_a_replicate_is_what_the_fit_simulates() -> None:
    fit = cbpp_fit()
    draws = ms.study.draw(fit, n=3, seed=1)
    assert draws.redraw == "response"
    sample = draws[1]
    expected = fit.simulate(1, seed=int(draws.seeds[1]))[0]
    np.testing.assert_array_equal(sample.data["incidence"], expected)
    pd.testing.assert_frame_equal(sample.data.drop(columns="incidence"), cbpp().drop(columns="incidence"))
    pd.testing.assert_series_equal(sample.truth.fixef, fit.fixef)


def test_estimates_lie_around_those_of_the_fit() -> None:
    study = quiet(cbpp_fit(), n=60, seed=2)
    table = study.summary().loc["mixed"]
    assert list(table.index) == [*cbpp_fit().coefficient_names, "sd(Intercept | herd)"]
    truth = [*cbpp_fit().fixef, cbpp_fit().varcorr["sd_or_corr"].iloc[0]]
    np.testing.assert_allclose(table["truth"], truth, rtol=1e-12)
    coefficients = table.iloc[:4]
    assert (coefficients["bias"].abs() < 4 * coefficients["bias_mcse"] + 0.05).all()  # estimates of odds lie outwards
    assert (table["failed"] == 0).all()


def test_the_fit_of_a_replicate_is_the_model_of_its_data() -> None:
    study = quiet(cbpp_fit(), n=3, seed=2)
    own = ms.glmer(cbpp_fit().formula, study.sample(2).data)
    found = study.replicates.query("replicate == 2").set_index("parameter")["estimate"]
    np.testing.assert_allclose(found[:4], own.fixef, rtol=1e-5)


def test_quadrature_of_the_fit_is_that_of_its_study() -> None:
    fit = cbpp_fit().update(nagq=9)
    study = quiet(fit, n=2, seed=2)
    own = ms.glmer(fit.formula, study.sample(1).data, nagq=9)
    found = study.replicates.query("replicate == 1").set_index("parameter")["estimate"]
    np.testing.assert_allclose(found[:4], own.fixef, rtol=1e-6)
    laplace = ms.glmer(fit.formula, study.sample(1).data)
    assert abs(found.iloc[0] - laplace.fixef.iloc[0]) > 1e-4


KINDS = {
    "offset": lambda: ms.glmer(
        "incidence ~ period + (1 | herd)", cbpp(), "poisson", offset=np.log(cbpp()["size"].to_numpy())
    ),
    "shares": lambda: ms.glmer(
        "share ~ period + (1 | herd)", cbpp().assign(share=cbpp()["incidence"] / cbpp()["size"]), weights="size"
    ),
    "booleans": lambda: ms.glmer("y ~ x + (1 | g)", clinic().assign(y=clinic()["y"] == 1)),
    "categories": lambda: ms.glmer("k ~ x + (1 | g)", clinic().assign(x=np.cos(np.arange(120.0)))),
    "amounts": lambda: ms.glmer("a ~ x + (1 | g)", clinic(), ("gamma", "log")),
}


@pytest.mark.parametrize("name", KINDS)
def test_weights_offsets_and_categories_go_with_it(name: str) -> None:
    fit = KINDS[name]()
    study = quiet(fit, n=4, seed=3)
    table = study.summary().loc["mixed"]
    assert (table["failed"] == 0).all()
    y = fit.simulate(1, seed=int(study.draws.seeds[3]))[0]
    own = fit.refit(y.to_numpy())
    found = study.replicates.query("replicate == 3").set_index("parameter")["estimate"]
    np.testing.assert_allclose(found[: len(own.fixef)], own.fixef, rtol=1e-4, atol=1e-5)
    response = study.sample(3).data[study.draws.source.response]
    if name in ("booleans", "categories"):
        assert set(response) == set(fit.request.data[response.name])
        np.testing.assert_array_equal(Block(study.draws, 3, 4).data[0][response.name], response)


def test_another_link_has_no_truth_and_another_model_no_offset() -> None:
    study = quiet(cbpp_fit(), ms.Analysis(cbpp_fit().formula, family=("binomial", "probit")), n=2, seed=1)
    assert study.summary()["truth"].isna().all()
    fit = KINDS["offset"]()
    with pytest.raises(ms.MixedsimError, match="cannot take over the offset of the fitted model"):
        quiet(fit, {"sums": ms.Analysis("incidence ~ period + (1 | herd)", family="negative-binomial")}, n=2, seed=1)
    with pytest.raises(ms.MixedsimError, match="'ols' is a linear model, and a fitted model has a poisson outcome"):
        quiet(fit, "incidence ~ period", n=2, seed=1)


def test_a_calculated_response_cannot_be_drawn() -> None:
    fit = ms.glmer("I(n + 1) ~ x + (1 | g)", clinic(), "poisson")
    with pytest.raises(ms.MixedsimError, match="the response must be a column to be drawn anew"):
        ms.study.draw(fit, 2)
    with pytest.raises(ms.MixedsimError, match="redraw='all' needs a population"):
        ms.study.draw(cbpp_fit(), 2, redraw="all")


def test_a_source_travels_to_another_process() -> None:
    source = ms.study.draw(cbpp_fit(), n=2, seed=1).source
    again = pickle.loads(pickle.dumps(source))
    assert again.meaning() == source.meaning()
    np.testing.assert_array_equal(again.sample(5).data["incidence"], source.sample(5).data["incidence"])


# ---- populations like it


@pytest.mark.parametrize("name", ["cbpp", "poisson", "negative-binomial", "gamma", "probit"])
def test_a_population_has_the_parameters_of_the_fit(name: str) -> None:
    fit = {
        "cbpp": cbpp_fit,
        "poisson": lambda: ms.glmer("n ~ x + (x | g)", clinic(), "poisson"),
        "negative-binomial": lambda: ms.glmer("n ~ x + (1 | g)", overdispersed(), "negative-binomial"),
        "gamma": lambda: ms.glmer("a ~ x + (1 | g)", clinic(), ("gamma", "log")),
        "probit": lambda: ms.glmer("y ~ x + (1 | g)", clinic(), ("binomial", "probit")),
    }[name]()
    population = ms.Population.from_fit(fit)
    truth = population.draw(seed=1).truth
    np.testing.assert_allclose(truth.fixef, fit.fixef, rtol=1e-12)
    both = fit.varcorr.merge(truth.varcorr, on=["group", "term1", "term2"])
    assert len(both) == len(fit.varcorr)
    np.testing.assert_allclose(both["sd_or_corr_x"], both["sd_or_corr_y"], rtol=1e-9)
    assert (population.family["kind"], population.family["link"]) == (fit.family, fit.link)
    if name == "negative-binomial":
        assert population.family["theta"] == fit.tau
    if name == "gamma":
        assert population.family["cv"] == fit.sigma
    again = ms.glmer(population.formula, population.draw(seed=2).data, (fit.family, fit.link))
    assert again.n_groups == fit.n_groups
    assert again.nobs == fit.nobs


def overdispersed() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    mean = np.exp(1.0 + 0.3 * clinic()["x"] + rng.normal(0, 0.5, 12)[clinic()["g"]])
    return clinic().assign(n=rng.poisson(rng.gamma(2.0, mean / 2.0)))


def test_numbers_of_trials_are_like_those_of_the_data() -> None:
    data = ms.Population.from_fit(cbpp_fit()).draw(seed=3).data
    assert (data["incidence"] <= data["size"]).all()
    assert data["size"].between(cbpp()["size"].min(), cbpp()["size"].max()).all()
    assert data["size"].mean() == pytest.approx(cbpp()["size"].mean(), abs=4 * 7.5 / np.sqrt(15))


def test_a_fixed_number_of_trials_stays() -> None:
    fit = ms.glmer("k / 8 ~ x + (1 | g)", clinic().assign(k=np.minimum(clinic()["n"], 8)))
    data = ms.Population.from_fit(fit).draw(seed=1).data
    assert (data["trials"] == 8).all()


def test_an_offset_becomes_an_exposure() -> None:
    fit = KINDS["offset"]()
    population = ms.Population.from_fit(fit)
    assert population.family["exposure"] == "exposure"
    data = population.draw(seed=1).data
    assert data["exposure"].between(2, 34).all()
    tables = [ms.recover(population, seed=seed).table["estimate"] for seed in range(15)]
    estimates = pd.DataFrame(tables)[list(fit.coefficient_names)]
    z = (estimates.mean() - fit.fixef) / (estimates.std() / np.sqrt(15))
    assert (z.abs() < 4).all()


def test_other_numbers_of_groups_have_the_sizes_of_the_data_in_turn() -> None:
    population = ms.Population.from_fit(cbpp_fit())
    given = cbpp()["herd"].value_counts(sort=False).tolist()
    for herds in (5, 15, 40):
        data = changed(population, {"herd": herds}).draw(seed=1).data
        sizes = data["herd"].value_counts(sort=False).tolist()
        assert sizes == [given[k % 15] for k in range(herds)]


def test_power_curves_and_sizes_come_from_a_fit() -> None:
    curve = ms.power_curve(cbpp_fit(), "herd", [4, 30], n=12, seed=1, parameter="period[T.2]")
    few, many = curve.table["power"]
    assert few < many
    assert "imitates the data of the fit" in curve.notes[0]


REFUSED = {
    "shares": (KINDS["shares"], "from_fit cannot imitate shares: write 'share' as successes / trials, two columns."),
    "weights": (
        lambda: ms.glmer("n ~ x + (1 | g)", clinic(), "poisson", weights=np.full(120, 2.0)),
        "from_fit cannot imitate a model with weights: fit it without.",
    ),
    "an offset without a logarithm": (
        lambda: ms.glmer("y ~ x + (1 | g)", clinic(), offset=np.ones(120)),
        "from_fit cannot imitate a model with an offset: fit it without.",
    ),
    "a family of no population": (
        lambda: ms.glmer("a ~ x + (1 | g)", clinic(), ("inverse-gaussian", "log")),
        "from_fit cannot imitate a model of the family 'inverse-gaussian' with the link 'log', which no population "
        "has: fit another.",
    ),
    "calculated trials": (
        lambda: ms.glmer("y / (y + n + 1) ~ x + (1 | g)", clinic()),
        "from_fit needs a column as trials, found '(y + n + 1)': add it to the data under a name, and fit that.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_population_has_is_refused_in_a_sentence(name: str) -> None:
    make, sentence = REFUSED[name]
    with pytest.raises(ms.MixedsimError) as caught:
        ms.Population.from_fit(make())
    assert str(caught.value) == sentence
