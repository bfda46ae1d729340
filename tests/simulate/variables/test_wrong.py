"""Variables that cannot be: each with the sentence a person sees."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import mixedsim as ms

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
    (
        lambda: ms.Categorical(["a", "b"], ["x", "1 - x"]),
        "Categorical.probs must be numbers; 'x' depends on other variables.",
    ),
    (lambda: ms.Categorical(["a", "b"], 0.5), "Categorical.probs must be a list of numbers, found 0.5."),
    (lambda: ms.ClusterMean(5), "ClusterMean.of must be the name of a variable, found 5."),
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
        ms.ClusterMean("x"),
    ],
    ids=lambda v: type(v).__name__,
)
def test_a_variable_is_a_value(variable: object) -> None:
    assert eval(repr(variable), vars(ms)) == variable  # its repr makes it again
    assert hash(eval(repr(variable), vars(ms))) == hash(variable)
    with pytest.raises(AttributeError):
        variable.observed = False  # type: ignore[attr-defined]
