"""What every family of outcomes has in common: a link, means that are possible, a way to be drawn around them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.expression import Values
from mixedsim.simulate.fields import FieldError, shown, within
from mixedsim.simulate.links import mean_of

Array = NDArray[np.float64]
Trials = int | NDArray[np.int64]


def outcome(kind: str) -> str:
    """How sentences call what a family makes: ``a binomial outcome``, ``an ordinal outcome``."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind} outcome"


@dataclass(frozen=True)
class Family(ABC):
    """What an outcome is, given its linear predictor."""

    link: str

    kind: ClassVar[str]
    links: ClassVar[tuple[str, ...]]
    means: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    symbol: ClassVar[str] = "μ"

    def mean(self, predictor: Array) -> Array:
        """The mean of every row, or `FieldError` where the family cannot have the one that the link gives."""
        mean = mean_of(self.link, predictor)
        low, high = self.means
        smallest, largest = float(mean.min(initial=math.inf)), float(mean.max(initial=-math.inf))
        if smallest >= low and largest <= high and largest < math.inf:
            return mean
        worst = smallest if smallest < low else largest
        usual = "" if self.link == self.links[0] else f"the link {self.links[0]!r} or "
        must = within(low, high) if math.isfinite(high) or math.isfinite(worst) else "must be finite"
        problem = (
            f"is {self.link!r}, and in this draw a mean reaches {shown(worst)}; that of {outcome(self.kind)} {must}"
        )
        raise FieldError(("family", "link"), f"{problem}: choose {usual}smaller effects.")

    def support(self, trials: Trials | str | None) -> str:
        """The values it can have, for a codebook; `trials` as the formula has them (their number, or a variable)."""
        return "any number"

    @abstractmethod
    def draw(self, predictor: Array, rng: np.random.Generator, trials: Trials | None) -> Values:
        """One outcome a row; `trials` are those of a count of successes."""

    def equation(self, mean: str, trials: str) -> str:
        """The distribution for print, given how the mean (and the trials, if any) are written."""
        raise NotImplementedError
