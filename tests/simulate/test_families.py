"""Outcomes of every family: their distribution given the mean, and their mean given the linear predictor."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import roots_hermitenorm

import mixedsim as ms
from mixedsim.simulate.families import Gamma, NegativeBinomial, settled_family, words

FIELDS: dict[str, Any] = {
    "formula": "y ~ x + (1 | g)",
    "clusters": {"g": 4000},
    "size": 25,
    "variables": {
        "x": ms.Normal(0, 1),
        "days": ms.Integers(1, 30),
        "tried": ms.Integers(1, 12),
        "arm": ms.Categorical(["old", "new"], level="g"),
    },
    "fixef": {"Intercept": -0.5, "x": 0.8},
    "ranef": {"g": {"sd": 0.7}},
}
RATING: dict[str, Any] = {
    "family": {"kind": "ordinal", "thresholds": [-1, 0.5, 2], "labels": ["never", "at times", "often", "always"]},
    "fixef": {"x": 0.8},
}
SMALL = {"clusters": {"g": 20}, "size": 5}


def population(**changes: Any) -> ms.Population:
    return ms.Population(**{**FIELDS, **changes})


def close(values: Any, expected: Any = 0.0) -> None:
    """The mean of independent `values` is `expected` to within four and a half of its standard errors."""
    values = np.asarray(values, dtype=float) - expected
    assert abs(values.mean()) < 4.5 * values.std() / math.sqrt(len(values))


def logit(p: pd.Series) -> pd.Series:
    return np.log(p / (1 - p))


LINKS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda m: m,
    "log": np.log,
    "inverse": lambda m: 1 / m,
    "logit": logit,
    "probit": stats.norm.ppf,
    "cloglog": lambda p: np.log(-np.log(1 - p)),
}
LOW = {"Intercept": -3, "x": 0.1}  # for links that have an end to reach
FAMILIES: dict[str, dict[str, Any]] = {
    "binomial, logit": {"family": "binomial"},
    "binomial, probit": {"family": ("binomial", "probit")},
    "binomial, cloglog": {"family": ("binomial", "cloglog"), "fixef": {"Intercept": -1.5, "x": 0.3}},
    "binomial, log": {"family": ("binomial", "log"), "fixef": LOW, "ranef": {"g": {"sd": 0.3}}},
    "binomial, identity": {
        "family": ("binomial", "identity"),
        "fixef": {"Intercept": 0.5, "x": 0.02},
        "ranef": {"g": {"sd": 0.05}},
    },
    "successes in trials": {"family": "binomial", "formula": "y / tried ~ x + (1 | g)"},
    "successes in ten": {"family": ("binomial", "probit"), "formula": "y / 10 ~ x + (1 | g)"},
    "poisson": {"family": "poisson"},
    "poisson, identity": {"family": ("poisson", "identity"), "fixef": {"Intercept": 9, "x": 0.8}},
    "poisson with exposure": {"family": {"kind": "poisson", "exposure": "days"}},
    "negative binomial": {"family": {"kind": "negative-binomial", "theta": 2}},
    "negative binomial, few bunches": {"family": {"kind": "negative-binomial", "theta": 0.3, "exposure": "days"}},
    "gamma": {"family": {"kind": "gamma", "cv": 0.5}},
    "gamma, inverse": {"family": {"kind": "gamma", "cv": 2, "link": "inverse"}, "fixef": {"Intercept": 9, "x": 0.8}},
}
EVERY = pytest.mark.parametrize("changes", FAMILIES.values(), ids=FAMILIES)


def variance(changes: dict[str, Any], mean: np.ndarray, data: pd.DataFrame) -> np.ndarray:
    """Variance of the outcome given its mean, from the table in `mixedsim.simulate.families`."""
    family = settled_family(changes["family"])
    if family["kind"] == "binomial":
        return trials(data) * mean * (1 - mean)
    if family["kind"] == "negative-binomial":
        return mean + mean**2 / family["theta"]
    return (family["cv"] * mean) ** 2 if family["kind"] == "gamma" else mean


def trials(data: pd.DataFrame) -> Any:
    return data.get("trials", 1)


@EVERY
def test_mean_and_variance_given_the_truth(changes: dict[str, Any]) -> None:
    """Standardised by truth.mean every row has mean 0 and variance 1, in every fifth of the linear predictor too."""
    sample = population(**changes).draw(1)
    data, truth = sample.data, sample.truth
    data = data.rename(columns={"tried": "trials"}) if "tried" in sample.formula else data
    mean = truth.mean.to_numpy()
    sd = np.sqrt(variance(changes, mean, data))
    z = np.asarray((data["y"] - trials(data) * mean) / sd)
    for fifth in np.array_split(np.argsort(truth.linear_predictor.to_numpy()), 5):
        close(z[fifth])
        close(z[fifth] ** 2, 1)


@EVERY
def test_the_link_of_the_mean_is_the_linear_predictor(changes: dict[str, Any]) -> None:
    pop = population(**{**changes, **SMALL})
    truth = pop.draw(1).truth
    link = LINKS[settled_family(changes["family"])["link"]]
    np.testing.assert_allclose(link(truth.mean), truth.linear_predictor, rtol=1e-9, atol=1e-9)


@EVERY
def test_the_linear_predictor_by_hand(changes: dict[str, Any]) -> None:
    pop = population(**{**changes, **SMALL})
    sample = pop.draw(1)
    effects = sample.truth.ranef["g"]["Intercept"].loc[sample.data["g"]].to_numpy()
    by_hand = pop.fixef["Intercept"] + pop.fixef["x"] * sample.data["x"] + effects
    if "exposure" in settled_family(changes["family"]):
        by_hand += np.log(sample.data["days"])
    np.testing.assert_allclose(sample.truth.linear_predictor, by_hand, rtol=1e-13, atol=1e-13)


@EVERY
def test_the_same_numbers_every_time_and_first_ones_among_more(changes: dict[str, Any]) -> None:
    pop = population(**{**changes, **SMALL})
    one, more = pop.draw(1), pop.with_(clusters={"g": 30}).draw(1)
    pd.testing.assert_frame_equal(one.data, pop.draw(1).data, check_exact=True)
    pd.testing.assert_series_equal(more.data["y"][:100], one.data["y"])


@EVERY
def test_everything_else_is_what_a_gaussian_population_draws(changes: dict[str, Any]) -> None:
    pop = population(**{**changes, **SMALL})
    plain = pop.with_(family="gaussian", sigma=1, formula="y ~ x + (1 | g)").draw(1)
    one = pop.draw(1)
    columns = ["g", "x", "days", "tried", "arm"]
    pd.testing.assert_frame_equal(one.data[columns], plain.data[columns], check_exact=True)
    pd.testing.assert_frame_equal(one.truth.ranef["g"], plain.truth.ranef["g"], check_exact=True)


@EVERY
def test_equality_hash_and_yaml(changes: dict[str, Any]) -> None:
    pop = population(**{**changes, **SMALL})
    again = ms.Population.from_yaml(pop.to_yaml())
    assert (again, hash(again), again.to_yaml()) == (pop, hash(pop), pop.to_yaml())
    assert eval(repr(pop), {**vars(ms)}) == pop
    pd.testing.assert_frame_equal(again.draw(3).data, pop.draw(3).data, check_exact=True)
    others = [population(**{**other, **SMALL}) for other in FAMILIES.values()]
    assert others.count(pop) == 1


def test_all_moments_of_a_family_from_its_distribution_in_scipy() -> None:
    """At one mean, shares of single values against SciPy's probabilities."""
    rng, mean = np.random.default_rng(1), np.full(200_000, 3.0)
    counts = NegativeBinomial("log", theta=0.7).draw(np.log(mean), rng, None)
    for k in range(8):
        close(counts == k, stats.nbinom.pmf(k, 0.7, 0.7 / 3.7))
    amounts = Gamma("log", cv=0.5).draw(np.log(mean), rng, None)
    for edge in (1.0, 3.0, 6.0):
        close(amounts < edge, stats.gamma.cdf(edge, 4, scale=0.75))


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_marginal_share_of_successes_by_integration_over_groups(link: str) -> None:
    """E y = ∫∫ g⁻¹(β₀ + β₁x + τz) φ(x)φ(z): the average probability, which is not the probability on average."""
    pop = population(family=("binomial", link), clusters={"g": 200_000}, size=1, ranef={"g": {"sd": 1.5}})
    nodes, weights = roots_hermitenorm(60)
    eta = -0.5 + math.sqrt(0.8**2 + 1.5**2) * nodes  # x and the effect are both normal, so is their sum
    inverse = {
        "logit": lambda e: 1 / (1 + np.exp(-e)),
        "probit": stats.norm.cdf,
        "cloglog": lambda e: 1 - np.exp(-np.exp(e)),
    }[link]
    close(pop.draw(1).data["y"], float(weights @ inverse(eta) / weights.sum()))


def test_marginal_mean_and_variance_of_counts() -> None:
    """Log-normal means: E μ = exp(β₀ + s²/2), and var y = E μ + var μ (Poisson given μ), with s² = β₁² + τ²."""
    pop = population(family="poisson", clusters={"g": 200_000}, size=1, fixef={"Intercept": 1, "x": 0.3})
    y = pop.draw(1).data["y"].to_numpy()
    s2 = 0.3**2 + 0.7**2
    mean = math.exp(1 + s2 / 2)
    close(y, mean)
    close((y - mean) ** 2, mean + mean**2 * (math.exp(s2) - 1))


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_shares_of_ordered_labels(link: str) -> None:
    pop = population(**{**RATING, "family": {**RATING["family"], "link": link}})
    sample = pop.draw(1)
    y, shares = sample.data["y"], sample.truth.mean
    assert y.cat.ordered
    assert list(y.cat.categories) == list(shares.columns) == ["never", "at times", "often", "always"]
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)
    for name in shares:
        indicator, share = (y == name).to_numpy().astype(float), shares[name].to_numpy()
        for fifth in np.array_split(np.argsort(sample.truth.linear_predictor.to_numpy()), 5):
            n, p = len(fifth), share[fifth]  # some labels are all but impossible here: one case may be too many
            assert abs((indicator[fifth] - p).sum()) < 4.5 * math.sqrt((p * (1 - p)).sum()) + 1, (name, n)
    for cut, name in zip([-1, 0.5, 2], shares.columns, strict=False):
        up_to = shares.loc[:, :name].sum(axis=1)
        inside = up_to < 1 - 1e-9
        np.testing.assert_allclose(
            LINKS[link](up_to[inside]), cut - sample.truth.linear_predictor[inside], rtol=1e-5, atol=1e-5
        )


def test_labels_are_numbers_if_none_are_given_and_higher_predictors_give_higher_ones() -> None:
    pop = population(family={"kind": "ordinal", "thresholds": [0]}, fixef={"x": 5})
    data = pop.draw(1).data
    assert list(data["y"].cat.categories) == ["1", "2"]
    assert data["x"][data["y"] == "2"].mean() > 0.5 > -0.5 > data["x"][data["y"] == "1"].mean()


def test_a_label_that_nobody_has_stays_among_the_categories() -> None:
    pop = population(**{**RATING, "fixef": {"x": 0}, "ranef": {"g": {"sd": 0}}, **SMALL})
    far = pop.with_(family={"kind": "ordinal", "thresholds": [50, 60]})
    assert far.draw(1).data["y"].cat.categories.tolist() == ["1", "2", "3"]
    assert far.draw(1).data["y"].unique().tolist() == ["1"]


def test_an_ordinal_outcome_has_no_intercept() -> None:
    pop = population(**RATING, **SMALL)
    assert list(pop.fixef) == ["x"]
    sample = pop.draw(1)
    effects = sample.truth.ranef["g"]["Intercept"].loc[sample.data["g"]].to_numpy()
    np.testing.assert_allclose(sample.truth.linear_predictor, 0.8 * sample.data["x"] + effects, atol=1e-13)
    assert ms.Population.from_yaml(pop.to_yaml()) == pop


def test_a_gaussian_outcome_around_a_mean_on_the_log_scale() -> None:
    pop = population(family=("gaussian", "log"), sigma=2, **SMALL)
    sample = pop.draw(1)
    np.testing.assert_allclose(np.log(sample.truth.mean), sample.truth.linear_predictor, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(sample.data["y"], sample.truth.mean + sample.truth.residuals, rtol=1e-12)
    assert ms.Population.from_yaml(pop.to_yaml()) == pop != pop.with_(family="gaussian")


def test_the_mean_of_a_gaussian_outcome_is_its_linear_predictor() -> None:
    truth = population(sigma=2, **SMALL).draw(1).truth
    np.testing.assert_array_equal(truth.mean, truth.linear_predictor)


class TestColumns:
    def test_yes_or_no(self) -> None:
        data = population(family="binomial", **SMALL).draw(1).data
        assert data.columns[-1] == "y"
        assert data["y"].dtype == np.int64
        assert set(data["y"]) == {0, 1}

    def test_successes_and_the_variable_that_counts_trials(self) -> None:
        data = population(**FAMILIES["successes in trials"], **SMALL).draw(1).data
        assert list(data.columns) == ["g", "x", "days", "tried", "arm", "y"]
        assert (data["y"] <= data["tried"]).all()
        assert data["y"].max() > 1

    def test_successes_and_a_number_of_trials(self) -> None:
        data = population(**FAMILIES["successes in ten"], **SMALL).draw(1).data
        assert list(data.columns[-2:]) == ["trials", "y"]
        assert set(data["trials"]) == {10}

    @pytest.mark.parametrize("text", ["y/tried", "y  /  tried"])
    def test_spaces_mean_nothing(self, text: str) -> None:
        one = population(family="binomial", formula=f"{text} ~ x + (1 | g)")
        assert one == population(**FAMILIES["successes in trials"])
        assert one != population(family="binomial")


class TestTruth:
    def test_there_are_no_residuals(self) -> None:
        truth = population(family="poisson", **SMALL).draw(1).truth
        assert truth.sigma is None
        with pytest.raises(ms.PopulationError) as caught:
            _ = truth.residuals
        assert str(caught.value) == (
            "a poisson outcome has no residuals: what was drawn, it was drawn around truth.mean."
        )

    def test_printing(self) -> None:
        truth = population(**RATING, **SMALL).draw(1).truth
        assert str(truth).endswith("\n\nOutcome  ordinal, logit link, thresholds -1, 0.5, 2")
        poisson = population(family={"kind": "poisson", "exposure": "days"})
        assert words(poisson.family) == "poisson, log link, exposure days"


@pytest.mark.parametrize(
    ("given", "settled", "in_yaml"),
    [
        ("gaussian", {"kind": "gaussian", "link": "identity"}, None),
        (("binomial", "logit"), {"kind": "binomial", "link": "logit"}, "binomial"),
        (["binomial", "cloglog"], {"kind": "binomial", "link": "cloglog"}, "{kind: binomial, link: cloglog}"),
        ({"kind": "gamma", "cv": 1}, {"kind": "gamma", "link": "log", "cv": 1.0}, "{kind: gamma, cv: 1}"),
        (
            {"theta": 2, "kind": "negative-binomial", "link": "log"},
            {"kind": "negative-binomial", "link": "log", "theta": 2.0},
            "{kind: negative-binomial, theta: 2}",
        ),
    ],
)
def test_one_form(given: Any, settled: dict[str, Any], in_yaml: str | None) -> None:
    sigma = 1 if settled["kind"] == "gaussian" else None
    pop = population(family=given, sigma=sigma)
    assert pop.family == settled
    assert pop == population(family=pop.family, sigma=sigma)
    written = [line for line in pop.to_yaml().splitlines() if line.startswith("family")]
    assert written == ([f"family: {in_yaml}"] if in_yaml else [])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"family": 5},
            "family must be one of gaussian, binomial, poisson, negative-binomial, gamma, ordinal, or with its link "
            "('binomial', 'probit'), found 5.",
        ),
        (
            {"family": ("binomial", "probit", 3)},
            "family must be one of gaussian, binomial, poisson, negative-binomial, gamma, ordinal, or with its link "
            "('binomial', 'probit'), found ('binomial', 'probit', 3).",
        ),
        ({"family": "binomal"}, "family cannot be 'binomal': did you mean 'binomial'?"),
        ({"family": "negative_binomial"}, "family cannot be 'negative_binomial': did you mean 'negative-binomial'?"),
        (
            {"family": {"link": "logit"}},
            "family.kind is missing: say which of gaussian, binomial, poisson, negative-binomial, gamma, ordinal.",
        ),
        ({"family": ("binomial", "logits")}, "family.link cannot be 'logits' for binomial: did you mean 'logit'?"),
        ({"family": ("poisson", "logit")}, "family.link cannot be 'logit' for poisson: did you mean 'log'?"),
        ({"family": {"kind": "binomial", "theta": 2}}, "family.theta is not a field: known are 'kind', 'link'."),
        ({"family": "negative-binomial"}, "family.theta is missing, as in {kind: negative-binomial, theta: …}."),
        (
            {"family": {"kind": "negative-binomial", "theta": 0}},
            "family.theta must lie between 0.001 and 1e+06, found 0.",
        ),
        ({"family": {"kind": "gamma", "cv": -1}}, "family.cv must lie between 0.001 and 5, found -1."),
        (
            {"family": {"kind": "poisson", "exposure": "day"}},
            "family.exposure must be a variable, found 'day': did you mean 'days'?",
        ),
        (
            {"family": {"kind": "poisson", "exposure": "arm"}},
            "family.exposure must be a numeric variable; arm is categorical.",
        ),
        (
            {"family": {"kind": "poisson", "exposure": 3}},
            "family.exposure must be the name of a variable, found 3.",
        ),
        (
            {"family": {"kind": "poisson", "exposure": "days", "link": "identity"}},
            "family.exposure multiplies the mean, which needs the link 'log', not 'identity'.",
        ),
        ({"family": "ordinal"}, "family.thresholds is missing, as in {kind: ordinal, thresholds: …}."),
        (
            {"family": {"kind": "ordinal", "thresholds": []}},
            "family.thresholds must be a list of numbers, one fewer than labels, found [].",
        ),
        (
            {"family": {"kind": "ordinal", "thresholds": [1, 1]}},
            "family.thresholds must rise, found 1 before 1.",
        ),
        (
            {"family": {"kind": "ordinal", "thresholds": ["a"]}},
            "family.thresholds must be a number, found 'a'.",
        ),
        (
            {"family": {"kind": "ordinal", "thresholds": [0], "labels": ["no", "perhaps", "yes"]}},
            "family.labels must be 2, one more than there are thresholds, found 3.",
        ),
        (
            {"family": {"kind": "ordinal", "thresholds": [0], "labels": ["no", "no"]}},
            "family.labels must differ; 'no' occurs twice.",
        ),
        (
            {"family": {"kind": "ordinal", "thresholds": [0], "labels": [1, 2]}},
            "family.labels must be texts; write '1' in quotes, found 1.",
        ),
        (
            {"family": {"kind": "ordinal", "thresholds": [0], "labels": "no"}},
            "family.labels must be a list of texts, found 'no'.",
        ),
        (
            {"family": RATING["family"]},
            "fixef.Intercept has no place in an ordinal outcome: family.thresholds say as much.",
        ),
        (
            {"family": RATING["family"], "fixef": {}},
            "fixef.x is missing; expected are x.",
        ),
        (
            {"family": "binomial", "sigma": 2},
            "sigma is the sd of residuals, which a binomial outcome has not: leave it out.",
        ),
        (
            {"family": "poisson", "residual": {"ar1": 0.5}},
            "residual describes residuals, which a poisson outcome has not: leave it out.",
        ),
        ({}, "sigma is missing: give the standard deviation of the residuals."),
        (
            {"formula": "y / tried ~ x + (1 | g)", "sigma": 1},
            "formula counts successes in 'y / tried', which a gaussian outcome does not: say family 'binomial'.",
        ),
        (
            {"formula": "y / (2 * tried) ~ x + (1 | g)", "family": "binomial"},
            "formula must have a plain name left of '~', found 'y / (2 * tried)'.",
        ),
        (
            {"formula": "y / 0 ~ x + (1 | g)", "family": "binomial"},
            "formula must have at least 1 trial, found 'y / 0'.",
        ),
        (
            {"formula": "y / tred ~ x + (1 | g)", "family": "binomial"},
            "formula uses 'tred', which is not among the variables: did you mean 'tried'?",
        ),
        (
            {"formula": "y / arm ~ x + (1 | g)", "family": "binomial"},
            "formula counts its trials in 'arm', which is categorical.",
        ),
        (
            {
                "formula": "y / tried ~ x + (1 | g)",
                "family": "binomial",
                "variables": {**FIELDS["variables"], "tried": ms.Integers(1, 3, observed=False)},
            },
            "variables.tried.observed must be true: the data show y with its trials.",
        ),
        (
            {
                "formula": "y / 10 ~ x + (1 | g)",
                "family": "binomial",
                "variables": {**FIELDS["variables"], "trials": ms.Integers(1, 3)},
            },
            "formula has 10 trials a row, whose column is called 'trials': that name is taken.",
        ),
        (
            {"formula": "trials / 10 ~ x + (1 | g)", "family": "binomial"},
            "formula has 10 trials a row, whose column is called 'trials': that name is taken.",
        ),
    ],
)
def test_what_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        population(**changes)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"family": ("binomial", "identity"), "fixef": {"Intercept": 1.25, "x": 0}},
            "family.link is 'identity', and in this draw a mean reaches 1.25; that of a binomial outcome must lie "
            "between 0 and 1: choose the link 'logit' or smaller effects.",
        ),
        (
            {"family": ("binomial", "log"), "fixef": {"Intercept": math.log(2), "x": 0}},
            "family.link is 'log', and in this draw a mean reaches 2; that of a binomial outcome must lie "
            "between 0 and 1: choose the link 'logit' or smaller effects.",
        ),
        (
            {"family": ("poisson", "identity"), "fixef": {"Intercept": -3, "x": 0}},
            "family.link is 'identity', and in this draw a mean reaches -3; that of a poisson outcome must lie "
            "between 0 and 1e+09: choose the link 'log' or smaller effects.",
        ),
        (
            {"family": "poisson", "fixef": {"Intercept": 900, "x": 0}},
            "family.link is 'log', and in this draw a mean reaches inf; that of a poisson outcome must lie "
            "between 0 and 1e+09: choose smaller effects.",
        ),
        (
            {"family": {"kind": "gamma", "cv": 1, "link": "inverse"}, "fixef": {"Intercept": -2, "x": 0}},
            "family.link is 'inverse', and in this draw a mean reaches -0.5; that of a gamma outcome must not be "
            "negative: choose the link 'log' or smaller effects.",
        ),
        (
            {"family": {"kind": "gamma", "cv": 1}, "fixef": {"Intercept": 900, "x": 0}},
            "family.link is 'log', and in this draw a mean reaches inf; that of a gamma outcome must be finite: "
            "choose smaller effects.",
        ),
        (
            {"family": {"kind": "gamma", "cv": 1}, "fixef": {"Intercept": -900, "x": 0}},
            "family.link is 'log', and in this draw a mean is 0; that of a gamma outcome must be above 0: choose other "
            "effects.",
        ),
        (
            {"family": ("gaussian", "log"), "sigma": 1, "fixef": {"Intercept": 900, "x": 0}},
            "family.link is 'log', and in this draw a mean reaches inf; that of a gaussian outcome must be finite: "
            "choose the link 'identity' or smaller effects.",
        ),
        (
            {"family": {"kind": "poisson", "exposure": "x"}, "variables": {"x": ms.Integers(0, 0)}},
            "variables.x is the exposure and must be positive, found 0.",
        ),
        (
            {"family": "binomial", "formula": "y / x ~ x + (1 | g)", "variables": {"x": ms.Uniform(2.5, 2.5)}},
            "variables.x counts trials and must hold whole numbers of at least 1, found 2.5.",
        ),
        (
            {"family": "binomial", "formula": "y / x ~ x + (1 | g)", "variables": {"x": ms.Integers(0, 0)}},
            "variables.x counts trials and must hold whole numbers of at least 1, found 0.",
        ),
    ],
)
def test_what_a_draw_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        population(**{"ranef": {"g": {"sd": 0}}, **SMALL, **changes}).draw(1)
    assert str(caught.value) == message


def test_a_hidden_exposure_counts_all_the_same() -> None:
    variables = {**FIELDS["variables"], "days": ms.Integers(1, 30, observed=False)}
    seen = population(family={"kind": "poisson", "exposure": "days"}, **SMALL)
    hidden = seen.with_(variables=variables)
    pd.testing.assert_series_equal(hidden.draw(1).data["y"], seen.draw(1).data["y"])
    assert "days" not in hidden.draw(1).data


@pytest.mark.parametrize("theta", [0.001, 1e6])
def test_counts_at_the_ends_of_what_is_allowed(theta: float) -> None:
    family = NegativeBinomial("log", theta=theta)
    for mean in (1e-6, 1.0, 1e9):
        counts = family.draw(np.full(1000, math.log(mean * (1 - 1e-12))), np.random.default_rng(1), None)
        assert counts.min() >= 0


def test_a_population_in_a_file() -> None:
    text = """\
formula: rating ~ x + (1 | rater)
clusters: {rater: 5}
size: 4
variables:
  x: {kind: Normal, mean: 0, sd: 1}
fixef: {x: 1}
ranef: {rater: {sd: 1}}
family:
  kind: ordinal
  thresholds: [-1, 1]
  labels: [no, perhaps, yes]
"""
    pop = ms.Population.from_yaml(text)
    assert pop.draw(1).data["rating"].cat.categories.tolist() == ["no", "perhaps", "yes"]
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population.from_yaml(text.replace("[-1, 1]", "[1, -1]"))
    assert str(caught.value) == "line 10: family.thresholds must rise, found 1 before -1."
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population.from_yaml(text + "sigma: 3\n")
    assert str(caught.value) == (
        "line 12: sigma is the sd of residuals, which an ordinal outcome has not: leave it out."
    )


def test_amounts_that_vary_most_are_above_zero_still() -> None:
    """A gamma variable of shape 1/25 is below the smallest double with probability exp(−744/25), once in 1e13."""
    values = population(family={"kind": "gamma", "cv": 5}, size=200).draw(1).data["y"]
    assert values.min() > 0
