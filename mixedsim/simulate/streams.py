"""Random numbers: one seed, and an independent stream for every named part of a population.

A variable called ``price`` takes its numbers from a stream that depends on the seed and on the words "variables" and
"price", on nothing else. So a population with one variable more, or a slope that varies, or a larger sigma, draws the
*same* people otherwise: what differs between two samples is what differs between the two populations.

Method: `numpy.random.SeedSequence` with the seed as entropy and four words of the SHA-256 of the part's name as spawn
key, feeding PCG64. NumPy guarantees both to be the same on every machine and in every version; the distributions on
top (normal, integers) are the same on every machine, and NumPy announces the rare release that changes one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixedsim.simulate.fields import FieldError
from mixedsim.simulate.rseed import RSeed


@dataclass(frozen=True)
class Streams:
    """All random numbers that one seed stands for."""

    seed: int

    def generator(self, *part: str) -> np.random.Generator:
        """A fresh generator for one part; the same part always gives the same numbers."""
        digest = hashlib.sha256("/".join(part).encode()).digest()
        words = tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))
        sequence = np.random.SeedSequence(self.seed, spawn_key=words)
        return np.random.Generator(np.random.PCG64(sequence))


def settle_seed(seed: Any) -> int:
    """The seed as a number that can be written down and used again.

    Parameters
    ----------
    seed : an integer of at least 0; a `numpy.random.Generator`, from which one number is taken (so that the next
        draw differs); or None for a seed that nobody chose.

    Raises
    ------
    FieldError
        For anything else; also for an `RSeed`, which stands for one sequence of numbers and not for streams.
    """
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**63))
    if isinstance(seed, RSeed):
        raise FieldError(("seed",), f"must be an integer here, found {seed!r}: only Population.draw replays R.")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise FieldError(("seed",), f"must be an integer or a numpy Generator, found {seed!r:.60}.")
    if seed < 0:
        raise FieldError(("seed",), f"must not be negative, found {seed}.")
    return int(seed)
