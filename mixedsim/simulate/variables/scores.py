"""From standard normal scores to the quantiles of other distributions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]

_BELOW_ONE = 1 - 2**-53  # the largest double below 1
_LONGEST_TABLE = 10_000


def upto(scores: Array) -> Array:
    """Φ(z), the share of a standard normal population that lies below each score; always below 1.

    So the score's quantile exists in every distribution, also where the highest value has probability 0.
    """
    shares: Array = np.minimum(ndtr(scores), _BELOW_ONE)
    return shares


def first_whole(
    shares: Array, cumulative: Callable[[Array], Any], inverse: Callable[[Array], Array], largest: float | None
) -> NDArray[np.int64]:
    """The smallest whole number of at least 0 whose cumulative probability reaches each share.

    Parameters
    ----------
    cumulative : P(X ≤ k) for whole numbers k of at least 0.
    inverse : the number of each share as a continuous inverse has it, right to within rounding.
    largest : a number that is hardly ever exceeded, if all shares have one distribution: then one short table answers
        for all, which is fifty times faster.
    """
    if largest is not None and largest <= _LONGEST_TABLE:
        return np.searchsorted(cumulative(np.arange(largest + 1)), shares).astype(np.int64)
    numbers = np.maximum(np.ceil(inverse(shares)), 0)
    below = np.maximum(numbers - 1, 0)
    return np.where(cumulative(below) >= shares, below, numbers).astype(np.int64)
