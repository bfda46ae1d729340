"""Seeds: what they may be, and what one seed stands for."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim import PopulationError
from mixedsim.simulate.streams import Streams, settle_seed


def test_a_stream_depends_on_seed_and_name_alone() -> None:
    first = Streams(1).generator("variables", "price").random(3)
    Streams(1).generator("variables", "ses").random(100)
    np.testing.assert_array_equal(Streams(1).generator("variables", "price").random(3), first)
    assert not np.array_equal(Streams(1).generator("variables", "ses").random(3), first)
    assert not np.array_equal(Streams(2).generator("variables", "price").random(3), first)


def test_streams_of_different_names_are_uncorrelated() -> None:
    n = 100_000
    one, other = (Streams(1).generator("variables", name).standard_normal(n) for name in ("a", "b"))
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(n)  # four standard errors of a correlation of 0


def test_the_bits_are_the_same_on_every_machine() -> None:
    # Written down once. SeedSequence and PCG64 are guaranteed by NumPy; a failure here means that they changed.
    bits = Streams(1).generator("variables", "price").bit_generator.random_raw(2)
    assert bits.tolist() == [11139446068530055721, 5664144414181010]


def test_a_generator_gives_a_seed_that_can_be_used_again() -> None:
    rng = np.random.default_rng(7)
    first, second = settle_seed(rng), settle_seed(rng)
    assert first != second
    assert settle_seed(np.random.default_rng(7)) == first


def test_no_seed_is_a_new_seed_each_time() -> None:
    assert len({settle_seed(None) for _ in range(5)}) == 5


def test_numpy_integers_are_integers() -> None:
    assert settle_seed(np.int64(5)) == 5


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        ("1", "seed must be an integer or a numpy Generator, found '1'."),
        (1.0, "seed must be an integer or a numpy Generator, found 1.0."),
        (True, "seed must be an integer or a numpy Generator, found True."),
        (-1, "seed must not be negative, found -1."),
    ],
)
def test_other_seeds_are_refused(seed: object, message: str) -> None:
    with pytest.raises(PopulationError) as caught:
        settle_seed(seed)
    assert str(caught.value) == message
