"""R's verbs for random numbers, on one sequence of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mixedsim.simulate.fields import FieldError, number, shown, whole
from mixedsim.simulate.replay import sampling
from mixedsim.simulate.replay.binomial import binomials
from mixedsim.simulate.replay.exponential import exponentials
from mixedsim.simulate.replay.normal import normals
from mixedsim.simulate.replay.poisson import poissons
from mixedsim.simulate.replay.words import Array, Words

_MOST_TRIALS = 10**8  # with many more R 4.2 parts from the paper that it names
_MOST_EVENTS = 1e9
_MOST_VALUES = 2**31 - 1


class RGenerator:
    """Random numbers as R draws them, one call after the other: what an R tutorial shows, number by number.

    Calls share one sequence, as in an R session: what a call gives depends on the calls before it. Parameters may be
    arrays and are recycled to `n` values, as in R. ``ms.RSeed(123).generator()`` makes one.

    Examples
    --------
    ``set.seed(1); rnorm(2, 10, 2); sample(6, 4); rbinom(5, 10, 0.5)``

    >>> import mixedsim as ms
    >>> r = ms.RSeed(1).generator()
    >>> r.rnorm(2, 10, 2).round(6)
    array([ 8.747092, 10.367287])
    >>> r.sample(6, 4)
    array([2, 5, 3, 4])
    >>> r.rbinom(5, 10, 0.5)
    array([6, 3, 4, 4, 6])
    """

    def __init__(self, words: Words) -> None:
        self._given = words

    @property
    def _words(self) -> Words:
        return self._given

    def rnorm(self, n: int, mean: ArrayLike = 0.0, sd: ArrayLike = 1.0) -> Array:
        """`n` normal numbers, ``rnorm(n, mean, sd)``; where the sd is 0 they are the mean and take no random number."""
        n = _count(n, "rnorm")
        means, sds = _recycled(mean, n, ("rnorm", "mean")), _recycled(sd, n, ("rnorm", "sd"), low=0)
        return _where(sds > 0, means, lambda at: means[at] + sds[at] * normals(self._words.take(2 * _size(at, n))))

    def rlnorm(self, n: int, meanlog: ArrayLike = 0.0, sdlog: ArrayLike = 1.0) -> Array:
        """`n` numbers whose logarithms are normal, ``rlnorm(n, meanlog, sdlog)``."""
        return np.exp(self.rnorm(n, meanlog, sdlog))

    def runif(self, n: int, low: ArrayLike = 0.0, high: ArrayLike = 1.0) -> Array:
        """`n` numbers equally likely anywhere between two bounds, ``runif(n, low, high)``."""
        n = _count(n, "runif")
        lows, highs = _recycled(low, n, ("runif", "low")), _recycled(high, n, ("runif", "high"))
        if (highs < lows).any():
            raise FieldError(("runif", "high"), "must be at least low.")
        return _where(highs > lows, lows, lambda at: lows[at] + (highs - lows)[at] * self._words.take(_size(at, n)))

    def rexp(self, n: int, rate: ArrayLike = 1.0) -> Array:
        """`n` exponential numbers with mean 1 / rate, ``rexp(n, rate)``."""
        n = _count(n, "rexp")
        rates = _recycled(rate, n, ("rexp", "rate"), low=0)
        if (rates == 0).any():
            raise FieldError(("rexp", "rate"), "must be positive, found 0.")
        return 1 / rates * exponentials(self._words, n)

    def rbinom(self, n: int, size: ArrayLike, prob: ArrayLike) -> NDArray[np.int64]:
        """`n` numbers of successes in `size` trials with probability `prob` each, ``rbinom(n, size, prob)``."""
        n = _count(n, "rbinom")
        sizes = _recycled(size, n, ("rbinom", "size"), low=0, high=_MOST_TRIALS)
        if (sizes != np.floor(sizes)).any():
            raise FieldError(("rbinom", "size"), "must be whole numbers.")
        probs = _recycled(prob, n, ("rbinom", "prob"), low=0, high=1)
        return binomials(self._words, sizes.astype(np.int64), probs)

    def rpois(self, n: int, mean: ArrayLike) -> NDArray[np.int64]:
        """`n` Poisson numbers, ``rpois(n, mean)``."""
        n = _count(n, "rpois")
        return poissons(self._words, _recycled(mean, n, ("rpois", "mean"), low=0, high=_MOST_EVENTS))

    def sample(
        self, x: int | Sequence[Any] | NDArray[Any], size: int | None = None, replace: bool = False, prob: Any = None
    ) -> NDArray[Any]:
        """`size` of the values of `x`, ``sample(x, size, replace, prob)``.

        Parameters
        ----------
        x : values, or one whole number that stands for 1, 2, …, x. (A sequence of one number is that number, other
            than in R, where ``sample(c(5))`` is ``sample(1:5)``.)
        size : how many; all, if left out.
        replace : whether a value can be drawn again.
        prob : weights, one a value, in place of equal chances; they need not sum to 1.
        """
        values = None if isinstance(x, int | float | np.integer | np.floating) else np.asarray(x)
        n = len(values) if values is not None else whole(x, ("sample", "x"), low=1)
        if not n:
            raise FieldError(("sample", "x"), "must be values, or how many, found none.")
        if n > _MOST_VALUES:
            raise FieldError(("sample", "x"), f"must have at most {_MOST_VALUES} values, found {n}.")
        count = n if size is None else whole(size, ("sample", "size"), low=0)
        weights = None if prob is None else _weights(prob, n)
        available = n if weights is None else int((weights > 0).sum())
        if count > available and not (replace and available):
            problem = f"must be at most {available} without replacement, found {count}."
            raise FieldError(("sample", "size"), problem)
        at = self._positions(n, count, replace, weights)
        return at + 1 if values is None else values[at]

    def _positions(self, n: int, count: int, replace: bool, weights: Array | None) -> sampling.Positions:
        if weights is None:
            draw = sampling.with_replacement if replace or count < 2 else sampling.without_replacement
            return draw(self._words, n, count)
        weighted = sampling.weighted_with_replacement if replace else sampling.weighted_without_replacement
        return weighted(self._words, weights, count)


def _count(n: int, verb: str) -> int:
    return whole(n, (verb, "n"), low=0)


def _recycled(
    value: ArrayLike, n: int, field: tuple[str, str], *, low: float = -math.inf, high: float = math.inf
) -> Array:
    """One number for every draw: a shorter row of them begins anew, as in R."""
    if isinstance(value, str | bool) or value is None:
        raise FieldError(field, f"must be a number, or numbers, found {shown(value)}.")
    values = np.asarray(value, dtype=np.float64).ravel()
    if not values.size:
        raise FieldError(field, "must be at least one number, found none.")
    for extreme in (values.min(), values.max()):
        number(extreme, field, low=low, high=high)
    return np.broadcast_to(values, n) if len(values) == 1 else np.resize(values, n)


def _where(drawn: NDArray[np.bool_], otherwise: Array, draw: Callable[[Any], Array]) -> Array:
    """The values of `draw`, which is told where, and `otherwise` where nothing is left to chance."""
    if drawn.all():
        return draw(slice(None))
    values = otherwise.copy()
    at = np.flatnonzero(drawn)
    values[at] = draw(at)
    return values


def _size(at: slice | NDArray[np.int64], n: int) -> int:
    return n if isinstance(at, slice) else len(at)


def _weights(prob: Any, n: int) -> Array:
    path = ("sample", "prob")
    weights = np.asarray(prob, dtype=np.float64).ravel()
    if len(weights) != n:
        raise FieldError(path, f"must hold one weight a value: {n} values, found {len(weights)} weights.")
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
        raise FieldError(path, "must be weights: not negative, finite, and not all 0.")
    return weights
