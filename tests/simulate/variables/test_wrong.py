"""Variables that cannot be: each with the sentence a person sees."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import mixedsim as ms

NORMAL = ms.Normal(0, 1)
WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: ms.Normal(0, -1), "Normal.sd must not be negative, found -1."),
    (lambda: ms.Normal(None, 1), "Normal.mean must be a number, found None."),
    (lambda: ms.Normal(True, 1), "Normal.mean must be a number, found True."),
    (lambda: ms.Normal(float("nan"), 1), "Normal.mean must be a finite number, found nan."),
    (lambda: ms.Normal(0, 1, level=3), "Normal.level must be the name of a cluster, found 3."),
    (lambda: ms.Normal(0, 1, observed="no"), "Normal.observed must be true or false, found 'no'."),
    (lambda: ms.Bernoulli(2), "Bernoulli.p must lie between 0 and 1, found 2."),
    (lambda: ms.Bernoulli("3/2"), "Bernoulli.p must lie between 0 and 1, found 1.5."),
    (lambda: ms.Integers(0.5, 2), "Integers.low must be a whole number, found 0.5."),
    (lambda: ms.Integers(3, 2), "Integers.high must be at least low, 3, found 2."),
    (lambda: ms.Integers(0, 10**17), "Integers.high must lie between -2^53 and 2^53, found 1e+17."),
    (lambda: ms.Uniform(3, 2), "Uniform.high must be at least low, 3, found 2."),
    (lambda: ms.Uniform(0, 1, decimals=-1), "Uniform.decimals must be at least 0, found -1."),
    (lambda: ms.Uniform(0, 1, decimals=16), "Uniform.decimals must be at most 15, found 16."),
    (lambda: ms.Categorical(["a"]), "Categorical.levels must name at least two levels, found 1."),
    (lambda: ms.Categorical([0, 1]), "Categorical.levels must be texts; write '0' in quotes, found 0."),
    (lambda: ms.Categorical("ab"), "Categorical.levels must be a list of texts, found 'ab'."),
    (lambda: ms.Categorical(["a", "a"]), "Categorical.levels must differ; 'a' occurs twice."),
    (lambda: ms.Categorical(["a", "b"], [0.5, 0.6]), "Categorical.probs must sum to 1, found 1.1."),
    (
        lambda: ms.Categorical(["a", "b"], [0.5]),
        "Categorical.probs must hold one number a level: 2 levels, found 1 numbers.",
    ),
    (lambda: ms.Categorical(["a", "b"], [-1, "x"]), "Categorical.probs must not be negative, found -1."),
    (lambda: ms.Categorical(["a", "b"], [1.5, -0.5]), "Categorical.probs must not be negative, found -0.5."),
    (lambda: ms.Categorical(["a", "b"], [1.5, 0]), "Categorical.probs must lie between 0 and 1, found 1.5."),
    (lambda: ms.Categorical(["a", "b"], 0.5), "Categorical.probs must be a list of numbers, found 0.5."),
    (lambda: ms.ClusterMean(5), "ClusterMean.of must be the name of a variable, found 5."),
    (lambda: ms.LogNormal(0, -1), "LogNormal.sdlog must not be negative, found -1."),
    (lambda: ms.Binomial(2.5, 0.5), "Binomial.n must be a whole number, found 2.5."),
    (lambda: ms.Binomial(-1, 0.5), "Binomial.n must lie between 0 and 1e+09, found -1."),
    (lambda: ms.Binomial(5, 2), "Binomial.p must lie between 0 and 1, found 2."),
    (lambda: ms.Poisson(-1), "Poisson.mean must lie between 0 and 1e+09, found -1."),
    (lambda: ms.Beta(0, 1), "Beta.a must lie between 0.001 and 1e+09, found 0."),
    (lambda: ms.StudentT(2, 0, 1), "StudentT.df must be above 2, or there is no variance, found 2."),
    (lambda: ms.StudentT(5, 0, -1), "StudentT.sd must not be negative, found -1."),
    (lambda: ms.Assigned("ab"), "Assigned.values must be a list of numbers or texts, found 'ab'."),
    (lambda: ms.Assigned(5), "Assigned.values must be a list of numbers or texts, found 5."),
    (lambda: ms.Assigned([1]), "Assigned.values must hold at least two different ones, found [1]."),
    (lambda: ms.Assigned(["a", "a"]), "Assigned.values must hold at least two different ones, found ['a', 'a']."),
    (lambda: ms.Assigned([1, "b"]), "Assigned.values must be all numbers or all texts, found 'b' and 1."),
    (lambda: ms.Assigned(["a", ""]), "Assigned.values must not hold an empty text."),
    (lambda: ms.Assigned([1, None]), "Assigned.values must be a number, found None."),
    (lambda: ms.Assigned([1, float("nan")]), "Assigned.values must be a finite number, found nan."),
    (lambda: ms.Assigned(range(10**9)), "Assigned.values must be at most 10,000."),
    (lambda: ms.Assigned([1, 2], level=3), "Assigned.level must be the name of a cluster, found 3."),
    (lambda: ms.Assigned([1, 2], within=3), "Assigned.within must be the name of a cluster, found 3."),
    (lambda: ms.Assigned([1, 2], shuffle=1), "Assigned.shuffle must be true or false, found 1."),
    (lambda: ms.Derived(5), "Derived.expr must be an expression in earlier variables, found 5."),
    (lambda: ms.Derived("2 + 3"), "Derived.expr must read an earlier variable, found '2 + 3'."),
    (
        lambda: ms.Derived("x +"),
        "Derived.expr must be a number or an expression such as '5 + 0.8 * ses', found 'x +'.",
    ),
    (lambda: ms.Within(5), "Within.of must be the name of a variable, found 5."),
    (lambda: ms.Within("x", by=5), "Within.by must be the name of a cluster, found 5."),
    (lambda: ms.Centered("x", scale="no"), "Centered.scale must be true or false, found 'no'."),
    (lambda: ms.Lag("x", n=0), "Lag.n must be at least 1, found 0."),
    (lambda: ms.Lag("x", n=1.5), "Lag.n must be a whole number, found 1.5."),
    (lambda: ms.Lag("x", first=None), "Lag.first must be a number, found None."),
    (
        lambda: ms.Custom("os:system"),
        "Custom.function must be a function of (rng, size, **columns), which no file can hold, found 'os:system'.",
    ),
    (lambda: ms.Custom(len, of="x"), "Custom.of must be a list of names, found 'x'."),
    (lambda: ms.Custom(len, by=[1]), "Custom.by must be a list of names, found [1]."),
    (lambda: ms.Custom(len, levels=["a"]), "Custom.levels must name at least two levels, found 1."),
    (lambda: ms.Correlated([]), "Correlated.members must be a list of at least two distributions, found []."),
    (
        lambda: ms.Correlated([NORMAL, ms.Derived("x")], corr=0),
        "Correlated.members.2 must be a distribution such as Normal(5, 2), found Derived.",
    ),
    (
        lambda: ms.Correlated([NORMAL, {"kind": "Normal", "mean": 0, "sd": -1}], corr=0),
        "Correlated.members.2.sd must not be negative, found -1.",
    ),
    (
        lambda: ms.Correlated([NORMAL, ms.Normal(0, 1, level="g")], corr=0),
        "Correlated.members.2 has one value a g, the first has one value a row: variables drawn together live at one "
        "level.",
    ),
    (
        lambda: ms.Correlated([NORMAL, NORMAL]),
        "Correlated.corr is missing: one number for every pair, or a matrix.",
    ),
    (
        lambda: ms.Correlated([NORMAL, NORMAL], corr=0.5, icc=0.1),
        "Correlated.icc cannot stand beside corr: give either corr, or within, between and icc.",
    ),
    (
        lambda: ms.Correlated([NORMAL, NORMAL], within=0.5, icc=0.1),
        "Correlated.between is missing: within, between and icc belong together.",
    ),
    (lambda: ms.Correlated([NORMAL, NORMAL], corr=2), "Correlated.corr must lie between -1 and 1, found 2."),
    (
        lambda: ms.Correlated([NORMAL, NORMAL], corr=[[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
        "Correlated.corr must be one number or 2×2, a row for each member, found 3×3.",
    ),
    (
        lambda: ms.Correlated([NORMAL, NORMAL], corr=[0.5, 0.5]),
        "Correlated.corr must be one number or 2×2, a row for each member, found 2×1.",
    ),
    (
        lambda: ms.Correlated([NORMAL, NORMAL], corr=[[1, 0.5], [0.4, 1]]),
        "Correlated.corr must be symmetric: member 1 and member 2 have 0.5 and 0.4.",
    ),
    (
        lambda: ms.Correlated([NORMAL, NORMAL], corr=[[1, 0.5], [0.5, 0.9]]),
        "Correlated.corr must have ones on its diagonal, found 0.9 in row 2.",
    ),
    (
        lambda: ms.Correlated([NORMAL] * 3, corr=-0.6),
        "Correlated.corr is impossible: no variables are correlated like this (a negative eigenvalue).",
    ),
    (
        lambda: ms.Correlated([NORMAL] * 2, within=0, between=0, icc=1.5),
        "Correlated.icc must lie between 0 and 1, found 1.5.",
    ),
    (
        lambda: ms.Correlated([NORMAL] * 2, within=0, between=0, icc=[0.1] * 3),
        "Correlated.icc must be one number or 2, one for each member, found 3.",
    ),
    (
        lambda: ms.Correlated([NORMAL] * 2, within=0, between=0, icc=0.1, by=3),
        "Correlated.by must be the name of a cluster, found 3.",
    ),
]


@pytest.mark.parametrize(
    ("make", "message"), WRONG, ids=[message.split(".")[0] + str(i) for i, (_, message) in enumerate(WRONG)]
)
def test_a_variable_that_cannot_be(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "variable",
    [
        ms.Normal("5 + x", 2),
        ms.Uniform(0, 5),
        ms.Integers(0, 5),
        ms.Bernoulli(0.5),
        ms.Categorical(["a", "b"]),
        ms.Categorical(["a", "b"], [1, "exp(x)"]),
        ms.ClusterMean("x"),
        ms.LogNormal(0, "x"),
        ms.Binomial(10, "logistic(x)"),
        ms.Poisson(3),
        ms.Beta(2, 3),
        ms.StudentT(4, 0, 1),
        ms.Assigned(["a", "b"], level="g", shuffle=True),
        ms.Assigned(np.arange(3)),
        ms.Assigned([0, 0.5]),
        ms.Derived("x>1"),
        ms.Within("x"),
        ms.Centered("x", scale=True),
        ms.Lag("x", n=2, first="x"),
        ms.Correlated([ms.Normal(0, 1), ms.Poisson(2)], corr=0.5),
        ms.Correlated([ms.Normal(0, 1)] * 3, within=0.1, between=np.eye(3), icc=[0.1, 0.2, 0.3]),
    ],
    ids=repr,
)
def test_a_variable_is_a_value(variable: object) -> None:
    assert eval(repr(variable), vars(ms)) == variable  # its repr makes it again
    assert hash(eval(repr(variable), vars(ms))) == hash(variable)
    with pytest.raises(AttributeError):
        variable.observed = False  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ms.Assigned(range(3)), ms.Assigned([0.0, 1.0, 2.0])),
        (ms.Correlated([NORMAL] * 3, corr=0.5), ms.Correlated([NORMAL] * 3, corr=0.5 + 0.5 * np.eye(3))),
        (
            ms.Correlated([NORMAL] * 2, within=0, between=0, icc=[0.2, 0.2]),
            ms.Correlated([{"kind": "Normal", "mean": 0, "sd": 1}] * 2, within=0, between=0, icc=0.2),
        ),
        (ms.Binomial("5 * 2", 0.5), ms.Binomial(10, "1/2")),
        (ms.Derived("(x>1)and y"), ms.Derived("x > 1 and y")),
    ],
    ids=lambda v: repr(v)[:30],
)
def test_what_means_the_same_has_one_form(one: object, other: object) -> None:
    assert one == other
    assert repr(one) == repr(other)
