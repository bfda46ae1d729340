"""NumPy's names over R's verbs: same numbers, NumPy's shapes; what R has no verb for is refused."""

from __future__ import annotations

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.simulate.replay.numbers import RNumbers
from mixedsim.simulate.replay.words import Words


def numbers() -> RNumbers:
    words = Words(9)
    return RNumbers(lambda: words, "variables.x")


def r() -> object:
    return ms.RSeed(9).generator()


ENDS = [(0, 5), (0, 1), (3, 9)]
LOW, HIGH = np.transpose(ENDS)


@pytest.mark.parametrize(
    ("ours", "by_r"),
    [
        (lambda rng: rng.random(5), lambda r: r.runif(5)),
        (lambda rng: rng.uniform(2, 5, 5), lambda r: r.runif(5, 2, 5)),
        (lambda rng: rng.uniform(LOW, HIGH), lambda r: r.runif(3, LOW, HIGH)),
        (lambda rng: rng.normal(size=5), lambda r: r.rnorm(5)),
        (lambda rng: rng.normal(LOW, 2.0), lambda r: r.rnorm(3, LOW, 2)),
        (lambda rng: rng.standard_normal(5), lambda r: r.rnorm(5)),
        (lambda rng: rng.standard_normal(out=np.empty(5)), lambda r: r.rnorm(5)),
        (lambda rng: rng.lognormal(1, 0.5, 5), lambda r: np.exp(r.rnorm(5, 1, 0.5))),
        (lambda rng: rng.exponential(4, 5), lambda r: r.rexp(5, 0.25)),
        (lambda rng: rng.poisson(HIGH), lambda r: r.rpois(3, HIGH)),
        (lambda rng: rng.binomial(10, 0.3, 5), lambda r: r.rbinom(5, 10, 0.3)),
        (lambda rng: rng.binomial(HIGH, np.array([0.1, 0.5, 0.9]), 3), lambda r: r.rbinom(3, HIGH, [0.1, 0.5, 0.9])),
        (lambda rng: rng.integers(3, 8, 5, endpoint=True), lambda r: r.sample([3, 4, 5, 6, 7, 8], 5, replace=True)),
        (lambda rng: rng.integers(6, size=5), lambda r: r.sample(6, 5, replace=True) - 1),
        (lambda rng: rng.integers(LOW, HIGH), lambda r: [r.sample(range(*ends), 1)[0] for ends in ENDS]),
        (lambda rng: rng.permutation(7), lambda r: r.sample(7) - 1),
        (lambda rng: rng.permutation(["a", "b", "c"]), lambda r: r.sample(["a", "b", "c"])),
    ],
)  # fmt: skip
def test_a_method_draws_by_its_verb(ours, by_r) -> None:
    np.testing.assert_array_equal(ours(numbers()), by_r(r()))


def test_shapes_and_types_are_numpys() -> None:
    rng, numpys = numbers(), np.random.default_rng(1)
    for draw in (
        lambda g: g.random(),
        lambda g: g.normal(0, [1, 2]),
        lambda g: g.normal(size=(2, 3)),
        lambda g: g.integers(0, 5, 4, dtype=np.int8),
        lambda g: g.integers([[1, 2], [3, 4]]),
        lambda g: g.poisson([1.5, 2]),
        lambda g: g.random(0),
        lambda g: g.integers(3, size=0),
    ):
        assert np.shape(draw(rng)) == np.shape(draw(numpys))
        assert np.asarray(draw(rng)).dtype == np.asarray(draw(numpys)).dtype


def test_what_r_has_no_verb_for_is_refused() -> None:
    message = "RSeed replays R's rnorm, runif, rbinom, rpois, rexp, rlnorm and sample, and variables.x needs beta: take"
    with pytest.raises(ms.PopulationError, match=message):
        numbers().beta(1, 2)
    with pytest.raises(AttributeError):
        numbers().betta(1, 2)
