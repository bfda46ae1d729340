"""Yes or no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.replay.numbers import RNumbers
from mixedsim.simulate.variables.scores import upto
from mixedsim.simulate.variables.variable import Array, Drawn, Interval


@dataclass(frozen=True)
class Bernoulli(Drawn):
    """A variable that is 1 with probability p, else 0.

    ``x ~ Bernoulli(p)``: support 0 and 1 (integers), mean ``p``, variance ``p (1 − p)``.

    Parameters
    ----------
    p : probability of a 1; number in [0, 1], or expression in earlier variables.
    level : cluster that shares one value; None for one value a row.
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If ``p`` leaves [0, 1]; for an expression, when the population is drawn.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Bernoulli(0.5)
    Bernoulli(p=0.5, level=None, observed=True)
    """

    p: Parameter
    level: str | None = None
    observed: bool = True

    limits: ClassVar[Mapping[str, Interval]] = {"p": (0.0, 1.0)}

    def sample(self, rng: np.random.Generator, size: int, given: Mapping[str, Any]) -> NDArray[np.int64]:
        ones: NDArray[np.bool_] = np.less(rng.random(size), given["p"])
        return ones.astype(np.int64)

    def replay(self, rng: RNumbers, size: int, given: Mapping[str, Any]) -> NDArray[np.int64]:
        return rng.rbinom(size, 1, given["p"])

    def at_scores(self, scores: Array, given: Mapping[str, Any]) -> NDArray[np.int64]:
        ones: NDArray[np.bool_] = upto(scores) >= np.subtract(1, given["p"])
        return ones.astype(np.int64)

    def support(self) -> str:
        return "0 or 1"

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        return "~", f"Bernoulli({write(self.p)})"
