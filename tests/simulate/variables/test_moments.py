"""Every variable has the moments that its docstring promises, to within the error that the sample size allows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import mixedsim as ms
from mixedsim.simulate.variables import Drawn
from mixedsim.simulate.variables.scores import first_whole

N = 200_000
STANDARD_ERRORS = 4.5  # a right generator misses this in 1 of 100,000 seeds; the seed is fixed


def drawn(variable: Drawn, seed: int = 1) -> np.ndarray:
    population = ms.Population(
        "y ~ 1 + (1 | g)",
        clusters={"g": N // 10},
        size=10,
        variables={"x": variable},
        fixef={"Intercept": 0},
        ranef={"g": {"sd": 1}},
        sigma=1,
    )
    return population.draw(seed).data["x"].to_numpy()


def close(values: np.ndarray, expected: float) -> None:
    """The mean of `values` is `expected` to within its standard error."""
    assert abs(values.mean() - expected) <= STANDARD_ERRORS * values.std() / np.sqrt(len(values))


@pytest.mark.parametrize(
    ("variable", "mean", "variance"),
    [
        pytest.param(ms.Normal(5, 2), 5, 4, id="normal"),
        pytest.param(ms.Uniform(-1, 3), 1, 16 / 12, id="uniform"),
        pytest.param(ms.Uniform(0, 5, decimals=0), 2.5, 2.25, id="uniform, rounded to whole numbers"),
        pytest.param(ms.Uniform(0, 1, decimals=1), 0.5, 0.085, id="uniform, rounded to tenths"),
        pytest.param(ms.Integers(0, 5), 2.5, 35 / 12, id="integers"),
        pytest.param(ms.Integers(-2, 2), 0, 2, id="integers around 0"),
        pytest.param(ms.Bernoulli(0.3), 0.3, 0.21, id="bernoulli"),
        pytest.param(ms.LogNormal(1, 0.5), np.exp(1.125), (np.exp(0.25) - 1) * np.exp(2.25), id="lognormal"),
        pytest.param(ms.Binomial(10, 0.3), 3, 2.1, id="binomial"),
        pytest.param(ms.Poisson(2.5), 2.5, 2.5, id="poisson"),
        pytest.param(ms.Beta(2, 6), 0.25, 0.25 * 0.75 / 9, id="beta"),
        pytest.param(ms.StudentT(5, 10, 3), 10, 9, id="student t, whose sd is the sd"),
    ],
)
def test_mean_and_variance(variable: Drawn, mean: float, variance: float) -> None:
    for values in (drawn(variable), drawn_by_scores(variable)):
        close(values, mean)
        close((values - mean) ** 2, variance)
    if not isinstance(variable, ms.Bernoulli):
        assert variable.expectation() == pytest.approx(mean)


def drawn_by_scores(variable: Drawn) -> np.ndarray:
    """The same variable as a member of a `Correlated` block, where it is made from normal scores."""
    return variable.at_scores(np.random.default_rng(3).standard_normal(N), vars(variable))


@pytest.mark.parametrize("make", [drawn, drawn_by_scores], ids=["drawn", "from scores"])
@pytest.mark.parametrize(
    ("variable", "law"),
    [
        (ms.Normal(5, 2), stats.norm(5, 2)),
        (ms.LogNormal(1, 0.5), stats.lognorm(0.5, scale=np.e)),
        (ms.Uniform(-1, 3), stats.uniform(-1, 4)),
        (ms.Integers(-2, 4), stats.randint(-2, 5)),
        (ms.Bernoulli(0.3), stats.bernoulli(0.3)),
        (ms.Binomial(7, 0.35), stats.binom(7, 0.35)),
        (ms.Poisson(0.7), stats.poisson(0.7)),
        (ms.Poisson(40), stats.poisson(40)),
        (ms.Beta(0.5, 2), stats.beta(0.5, 2)),
        (ms.StudentT(3, 1, 2), stats.t(3, 1, 2 / np.sqrt(3))),
    ],
    ids=lambda v: repr(v)[:25] if isinstance(v, Drawn) else "",
)
def test_the_whole_distribution(variable: Drawn, law: stats.distributions.rv_frozen, make: Callable) -> None:
    values = make(variable)
    for share in (0.001, 0.05, 0.25, 0.5, 0.75, 0.95, 0.999):
        point = law.ppf(share)
        close((values <= point).astype(float), law.cdf(point))


def test_quantiles_are_exact() -> None:
    """Whole numbers are the smallest ones whose cumulative probability reaches Φ(z), as SciPy has them."""
    scores = np.linspace(-6, 6, 2001)
    shares = stats.norm.cdf(scores)
    for variable, law in [
        (ms.Binomial(40, 0.2), stats.binom(40, 0.2)),
        (ms.Poisson(12), stats.poisson(12)),
        (ms.Poisson(0), stats.poisson(0)),
        (ms.Binomial(0, 0.5), stats.binom(0, 0.5)),
        (ms.Binomial(5, 1), stats.binom(5, 1)),
        (ms.Binomial(5, 0), stats.binom(5, 0)),
    ]:
        np.testing.assert_array_equal(variable.at_scores(scores, vars(variable)), law.ppf(shares))
        each = {key: np.full(2001, value) for key, value in vars(variable).items() if key in variable.limits}
        np.testing.assert_array_equal(variable.at_scores(scores, each), law.ppf(shares))  # without a table
    t = ms.StudentT(4, 0, np.sqrt(2)).at_scores(scores, {"df": 4.0, "mean": 0.0, "sd": np.sqrt(2)})
    np.testing.assert_allclose(t, np.sign(scores) * stats.t.isf(stats.norm.sf(np.abs(scores)), 4), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        ms.Beta(2, 3).at_scores(scores, {"a": 2.0, "b": 3.0}), stats.beta.ppf(shares, 2, 3), rtol=1e-9
    )


def test_a_share_that_is_reached_exactly_is_reached() -> None:
    numbers = np.arange(12)
    for far_out in (None, 1e9):  # a continuous inverse, that errs by a little to either side
        for slip in (-1e-9, 0, 1e-9):
            shares = stats.poisson(4.2).cdf(numbers)
            found = first_whole(shares, stats.poisson(4.2).cdf, lambda _, slip=slip: numbers + slip, far_out)
            np.testing.assert_array_equal(found, numbers)


def test_scores_far_out_have_a_value() -> None:
    far = np.array([-40.0, 40.0])
    assert ms.Categorical(["a", "b", "c"], [0.5, 0.5, 0]).at_scores(far, {"probs": [0.5, 0.5, 0.0]}).tolist() == [
        "a",
        "b",
    ]
    assert ms.Integers(1, 6).at_scores(far, {}).tolist() == [1, 6]
    assert np.isfinite(ms.Poisson(3).at_scores(far, {"mean": 3.0})).all()


def test_a_rounded_uniform_has_its_ends_half_as_often() -> None:
    values = drawn(ms.Uniform(0, 5, decimals=0))
    assert values.dtype == np.int64
    for number, probability in zip(range(6), [0.1, 0.2, 0.2, 0.2, 0.2, 0.1], strict=True):
        close((values == number).astype(float), probability)
    assert set(np.unique(values)) == set(range(6))


def test_integers_are_all_equally_likely_and_include_both_ends() -> None:
    values = drawn(ms.Integers(3, 7))
    for number in range(3, 8):
        close((values == number).astype(float), 0.2)


def test_categories_have_their_probabilities_and_keep_their_order() -> None:
    values = drawn_categories(ms.Categorical(["new", "usual", "none"], probs=[0.5, 0.3, 0.2]))
    assert values.categories.tolist() == ["new", "usual", "none"]
    for code, probability in enumerate([0.5, 0.3, 0.2]):
        close((values.codes == code).astype(float), probability)


def drawn_categories(variable: Drawn) -> pd.Categorical:
    values = drawn(variable)
    return pd.Categorical(values, categories=list(variable.categories() or ()))


def test_probabilities_of_zero_and_one_are_exact() -> None:
    assert drawn(ms.Bernoulli(0)).max() == 0
    assert drawn(ms.Bernoulli(1)).min() == 1
    assert set(drawn(ms.Categorical(["a", "b", "c"], probs=[0, 1, 0]))) == {"b"}


CLINIC = {
    "ses": ms.Normal(0, 1, level="g", observed=False),
    "arm": ms.Categorical(["usual", "new"], level="g"),
}


def from_clinic(variable: Drawn, *, correlated: bool = False) -> tuple[np.ndarray, pd.DataFrame]:
    x = {"x": variable} if not correlated else {"w, x": ms.Correlated([ms.Normal(0, 1), variable], corr=0.5)}
    population = ms.Population(
        "y ~ 1 + (1 | g)",
        clusters={"g": N // 10},
        size=10,
        variables={**CLINIC, **x},
        fixef={"Intercept": 0},
        ranef={"g": {"sd": 1}},
        sigma=1,
    )
    sample = population.draw(2)
    return sample.data["x"].to_numpy(), sample.truth.hidden.assign(arm=sample.data["arm"])


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        pytest.param(ms.Normal("5 + 0.8 * ses", 2), lambda c: 5 + 0.8 * c.ses, id="normal"),
        pytest.param(
            ms.Bernoulli("1 / (1 + exp(-ses))"), lambda c: 1 / (1 + np.exp(-c.ses)), id="bernoulli on a logit scale"
        ),
        pytest.param(
            ms.Uniform("ses", "ses + 1 + (arm == 'new')"),
            lambda c: c.ses + 0.5 + 0.5 * (c.arm == "new"),
            id="uniform with moving bounds",
        ),
        pytest.param(
            ms.LogNormal("ses / 2", "0.1 + 0.2 * (arm == 'new')"),
            lambda c: np.exp(c.ses / 2 + (0.1 + 0.2 * (c.arm == "new")) ** 2 / 2),
            id="lognormal",
        ),
        pytest.param(
            ms.Binomial("3 + 2 * (arm == 'new')", "logistic(ses)"),
            lambda c: (3 + 2 * (c.arm == "new")) / (1 + np.exp(-c.ses)),
            id="binomial",
        ),
        pytest.param(ms.Poisson("exp(0.3 * ses)"), lambda c: np.exp(0.3 * c.ses), id="poisson"),
        pytest.param(
            ms.Beta("10 * logistic(ses)", "10 * logistic(-ses)"), lambda c: 1 / (1 + np.exp(-c.ses)), id="beta"
        ),
        pytest.param(ms.StudentT("4 + exp(ses)", "ses", "1 + ses ** 2"), lambda c: c.ses, id="student t"),
    ],
)
def test_a_mean_follows_the_earlier_variables(variable: Drawn, expected: Callable[[pd.DataFrame], pd.Series]) -> None:
    for values, clinic in (from_clinic(variable), from_clinic(variable, correlated=True)):
        rest = values - expected(clinic).to_numpy()
        close(rest, 0)
        close(rest * clinic.ses.to_numpy(), 0)


def test_weights_of_categories_follow_the_earlier_variables() -> None:
    variable = ms.Categorical(["none", "mild", "severe"], probs=[2, "exp(ses)", "3 * (arm == 'new')"])
    for values, clinic in (from_clinic(variable), from_clinic(variable, correlated=True)):
        weights = np.column_stack([np.full(len(clinic), 2), np.exp(clinic.ses), 3 * (clinic.arm == "new")])
        for level, expected in zip(["none", "mild", "severe"], (weights.T / weights.sum(axis=1)), strict=True):
            rest = (values == level) - expected
            close(rest, 0)
            close(rest * clinic.ses.to_numpy(), 0)
        assert not ((values == "severe") & (clinic.arm == "usual")).any()


def test_degrees_of_freedom_are_those_of_the_tails() -> None:
    values, clinic = from_clinic(ms.StudentT("where(arm == 'new', 3, 30)", 0, 2))
    for arm, df in [("new", 3), ("usual", 30)]:
        beyond = np.abs(values[(clinic.arm == arm).to_numpy()]) > 6  # three standard deviations
        close(beyond.astype(float), 2 * stats.t.sf(3 / np.sqrt(1 - 2 / df), df))


def test_probabilities_can_leave_nothing_to_chance() -> None:
    values, clinic = from_clinic(ms.Categorical(["low", "high"], probs=["ses <= 0", "ses > 0"]))
    assert ((values == "high") == (clinic.ses > 0)).all()


def test_a_spread_follows_the_earlier_variables() -> None:
    values, clinic = from_clinic(ms.Normal(0, "exp(ses / 2)"))
    close((values / np.exp(clinic.ses.to_numpy() / 2)) ** 2, 1)


def test_without_spread_a_variable_is_its_expression() -> None:
    values, clinic = from_clinic(ms.Normal("2 * ses ** 2 - 1", 0))
    np.testing.assert_allclose(values, 2 * clinic.ses**2 - 1, rtol=1e-12)
