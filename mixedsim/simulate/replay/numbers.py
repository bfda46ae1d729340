"""R's random numbers under NumPy's names: what a variable, a random effect or a residual asks of its generator."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mixedsim.errors import PopulationError
from mixedsim.simulate.replay.generator import RGenerator
from mixedsim.simulate.replay.words import Words

_VERBS = "R's rnorm, runif, rbinom, rpois, rexp, rlnorm and sample"
Size = int | tuple[int, ...] | None


class RNumbers(RGenerator):
    """The methods of `numpy.random.Generator` for which R has a verb, each by that verb; the others are refused.

    Parameters
    ----------
    words : gives the random numbers, when they are first needed.
    part : what they are for, as an error names it.
    """

    def __init__(self, words: Callable[[], Words], part: str) -> None:
        self._ask = words
        self._part = part

    @property
    def _words(self) -> Words:
        return self._ask()

    def random(self, size: Size = None) -> Any:
        """``runif(n)``"""
        return _shaped(size, (), lambda n: self.runif(n))

    def uniform(self, low: ArrayLike = 0.0, high: ArrayLike = 1.0, size: Size = None) -> Any:
        """``runif(n, low, high)``"""
        return _shaped(size, (low, high), self.runif)

    def normal(self, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0, size: Size = None) -> Any:
        """``rnorm(n, loc, scale)``"""
        return _shaped(size, (loc, scale), self.rnorm)

    def standard_normal(self, size: Size = None, *, out: NDArray[np.float64] | None = None) -> Any:
        """``rnorm(n)``"""
        if out is None:
            return _shaped(size, (), lambda n: self.rnorm(n))
        out[...] = self.rnorm(out.size).reshape(out.shape)
        return out

    def lognormal(self, mean: ArrayLike = 0.0, sigma: ArrayLike = 1.0, size: Size = None) -> Any:
        """``rlnorm(n, mean, sigma)``"""
        return _shaped(size, (mean, sigma), self.rlnorm)

    def exponential(self, scale: ArrayLike = 1.0, size: Size = None) -> Any:
        """``rexp(n, 1 / scale)``"""
        return _shaped(size, (np.divide(1, scale),), self.rexp)

    def poisson(self, lam: ArrayLike = 1.0, size: Size = None) -> Any:
        """``rpois(n, lam)``"""
        return _shaped(size, (lam,), self.rpois)

    def binomial(self, n: ArrayLike, p: ArrayLike, size: Size = None) -> Any:
        """``rbinom(n, n, p)``"""
        return _shaped(size, (n, p), self.rbinom)

    def integers(
        self,
        low: ArrayLike,
        high: ArrayLike | None = None,
        size: Size = None,
        dtype: Any = np.int64,
        endpoint: bool = False,
    ) -> Any:
        """``sample(low:high, n, replace = TRUE)``; where bounds differ, ``sample(low:high, 1)`` for each"""
        lows, highs = (np.zeros_like(low), low) if high is None else (low, high)
        many = np.subtract(highs, lows) + (1 if endpoint else 0)
        return _shaped(size, (lows, many), lambda n, *of: self._whole_numbers(n, *of).astype(dtype))

    def permutation(self, x: Any) -> NDArray[Any]:
        """``sample(x)``; a whole number stands for 0, …, x − 1"""
        return self.sample(np.arange(x) if isinstance(x, int | np.integer) else x)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(np.random.Generator, name):
            raise AttributeError(name)
        raise PopulationError(f"RSeed replays {_VERBS}, and {self._part} needs {name}: take an integer as the seed.")

    def _whole_numbers(self, n: int, low: NDArray[Any], many: NDArray[Any]) -> NDArray[np.int64]:
        if not n:
            return np.empty(0, dtype=np.int64)
        low, many = np.resize(low, n), np.resize(many, n)
        if (many == many[0]).all():
            drawn = self.sample(int(many[0]), n, replace=True)
        else:
            drawn = np.array([self.sample(one, 1)[0] for one in many.tolist()])
        values: NDArray[np.int64] = low + drawn - 1
        return values


def replaying(rng: object) -> RNumbers | None:
    """The generator of a part, if it replays R."""
    return rng if isinstance(rng, RNumbers) else None


def _shaped(size: Size, parameters: tuple[ArrayLike, ...], draw: Callable[..., NDArray[Any]]) -> Any:
    """What `draw` gives, in the shape that NumPy would give it: one number if nothing has a shape."""
    shape = np.broadcast_shapes(*(np.shape(one) for one in parameters)) if size is None else size
    if shape == ():
        return draw(1, *parameters)[0]
    shape = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    spread = (one if np.ndim(one) == 0 else np.broadcast_to(one, shape).ravel() for one in parameters)
    return draw(math.prod(shape), *spread).reshape(shape)
