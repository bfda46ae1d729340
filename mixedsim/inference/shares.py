"""Shares of replicates, how often a test rejects for one, with what the Monte-Carlo error leaves open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Share:
    """How many of some replicates did something.

    Attributes
    ----------
    hits, n : how many did, and of how many.
    """

    hits: int
    n: int

    @property
    def value(self) -> float:
        """hits / n; NaN where there are no replicates."""
        return self.hits / self.n if self.n else float("nan")

    @property
    def mcse(self) -> float:
        """Monte-Carlo standard error, ``sqrt(p (1 − p) / n)`` (Morris et al. 2019, Statistics in Medicine 38:2074)."""
        return float(np.sqrt(self.value * (1.0 - self.value) / self.n)) if self.n else float("nan")

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Exact interval for the probability behind the share (Clopper & Pearson 1934, Biometrika 26:404).

        It never holds the truth less often than it says, and has a width where the share is 0 or 1.

        Examples
        --------
        >>> from mixedsim.inference.shares import Share
        >>> [round(end, 3) for end in Share(80, 100).interval()]
        [0.708, 0.873]
        >>> [round(end, 3) for end in Share(100, 100).interval()]
        [0.964, 1.0]
        """
        if not self.n:
            return float("nan"), float("nan")
        tail, hits, misses = 0.5 * (1.0 - level), self.hits, self.n - self.hits
        low = float(special.betaincinv(hits, misses + 1, tail)) if hits else 0.0
        high = float(special.betaincinv(hits + 1, misses, 1.0 - tail)) if misses else 1.0
        return low, high


def per_cent(value: float, digits: int = 1) -> str:
    """``"80.3 %"``."""
    return f"{100 * value:.{digits}f} %"
