"""Exponential numbers as R makes them.

Method: Ahrens & Dieter (1972), Computer methods for sampling from the exponential and normal distributions,
Communications of the ACM 15, 873–882, algorithm SA. A number takes one uniform number or several; how many is known
from the first of them, so that a block is tried from every place at once and then walked through.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.replay.words import Array, Words

Places = NDArray[np.int64]

# q_k = Σ_{i ≤ k} (log 2)^i / i!, the paper's table; to the last digit the sixteenth is 1.
_Q = np.cumsum([math.log(2) ** i / math.factorial(i) for i in range(1, 17)])
_Q[-1] = 1.0
_DOUBLED = np.concatenate([[0.0], np.cumsum(np.full(64, _Q[0]))])  # log 2 as often as the number was doubled
_WORDS = 2.1  # uniform numbers an exponential one takes on average, and a little more


def exponentials(words: Words, count: int) -> Array:
    """`count` exponential numbers of mean 1."""
    found: list[Array] = []
    while count:
        uniforms = words.peek(int(_WORDS * count) + 64)
        values, widths = from_every_place(uniforms)
        starts, end = _walk(widths, count)
        words.skip(end)
        found.append(values[starts])
        count -= len(starts)
    return np.concatenate(found) if found else np.empty(0)


def from_every_place(uniforms: Array) -> tuple[Array, Places]:
    """The number that a draw beginning at each uniform one would give, and how many of them it would take.

    The last draws, which would need more than there is, are given as taking more than there is.
    """
    mantissa, exponent = np.frexp(uniforms)
    doublings = 1 - exponent + (mantissa == 0.5)  # until it is above 1
    rest = np.ldexp(uniforms, doublings) - 1
    index = np.searchsorted(_Q, rest, side="left")
    widths = np.where(index == 0, 1, index + 2)
    values = _DOUBLED[doublings - 1] + rest
    longer = np.flatnonzero(index)
    longer = longer[longer + widths[longer] < len(uniforms)]
    if longer.size:
        stretches = np.column_stack([longer + 1, longer + widths[longer]]).ravel()
        smallest = np.minimum.reduceat(uniforms, stretches)[::2]
        values[longer] = _DOUBLED[doublings[longer] - 1] + smallest * _Q[0]
    return values, widths


def _walk(widths: Places, count: int) -> tuple[Places, int]:
    """Where up to `count` draws begin, one right after the other, and where the next would."""
    steps = widths.tolist()
    at = 0
    starts: list[int] = []
    while len(starts) < count and at < len(steps) and at + steps[at] < len(steps):
        starts.append(at)
        at += steps[at]
    return np.array(starts, dtype=np.int64), at
