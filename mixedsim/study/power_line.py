"""The power of a test against size: a straight line of probits on √size, through replicates at some sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
_SCORINGS = 12
_FAR = 6.0  # probits beyond this are certainty
_Z = float(special.ndtri(0.975))


@dataclass(frozen=True)
class Line:
    """Probit of the power as a + b√size, with the covariance of (a, b)."""

    a: float
    b: float
    covariance: Floats

    def at(self, size: float) -> tuple[float, float]:
        """The probit at a size, and its standard error."""
        x = np.array([1.0, np.sqrt(size)])
        return float(x @ (self.a, self.b)), float(np.sqrt(x @ self.covariance @ x))

    def interval(self, size: float) -> tuple[float, float]:
        """The 95 % interval of the power at a size."""
        at, se = self.at(size)
        low, high = special.ndtr([at - _Z * se, at + _Z * se])
        return float(low), float(high)

    def root(self, probit: float) -> float:
        """√size at which the probit is reached."""
        return float((probit - self.a) / self.b)

    def sizes(self, probit: float) -> tuple[float, float]:
        """The sizes around `root` at which the probit lies within the interval of the curve."""
        (v, c), (_, w) = self.covariance
        gap = self.a - probit
        # (a + b r − probit)² ≤ z² var(a + b r), a quadratic inequality in r = √size
        squared, linear, constant = self.b**2 - _Z**2 * w, 2 * (self.b * gap - _Z**2 * c), gap**2 - _Z**2 * v
        inside = linear**2 - 4 * squared * constant
        if squared <= 0 and (inside <= 0 or squared == 0):
            return 0.0, np.inf
        inside = max(inside, 0.0)  # below zero by rounding alone, since the root is one of the sizes
        ends = sorted((-linear + sign * np.sqrt(inside)) / (2 * squared) for sign in (-1, 1))
        if squared < 0:  # all but what lies between the ends
            ends = [ends[1], np.inf] if self.root(probit) >= ends[1] else [0.0, ends[0]]
        low, high = (float(max(end, 0.0)) ** 2 for end in ends)
        return low, high


@dataclass(frozen=True)
class Portion:
    """Replicates at one size: how many, how many have a p-value, and in how many of those the test rejected."""

    size: int
    n: int
    judged: int
    hits: int
    false: int
    singular: int

    @classmethod
    def of(cls, size: int, row: Mapping[str, Any]) -> Portion:
        """From a row of `power_rows`; where no test is one of the effect, there is none to be judged."""
        judged = row["n"] - row["failed"] if np.isfinite(row["false_positive"]) else 0
        hits, false = (round(row[name] * judged) if judged else 0 for name in ("power", "false_positive"))
        return cls(size, row["n"], judged, hits, false, row["singular"])

    @property
    def tells(self) -> bool:
        """Whether there is a test in at least half of the replicates: the power of the others is nobody's."""
        return 2 * self.judged >= self.n


def fitted(portions: Sequence[Portion]) -> Line:
    """Probit regression of some portions on √size, by Fisher scoring.

    Half a replicate that rejects and half a one that does not are added to every portion, so that shares of 0 and 1
    have a probit.
    """
    x = np.column_stack([np.ones(len(portions)), np.sqrt([one.size for one in portions])])
    n = np.array([one.judged + 1.0 for one in portions])
    share = np.array([one.hits + 0.5 for one in portions]) / n
    eta = special.ndtri(share)
    for _ in range(_SCORINGS):
        mean, density = special.ndtr(eta), np.exp(-0.5 * eta**2) / np.sqrt(2.0 * np.pi)
        weight = n * density**2 / (mean * (1.0 - mean))
        information = x.T @ (weight[:, None] * x)
        beta = np.linalg.solve(information, x.T @ (weight * (eta + (share - mean) / density)))
        eta = np.clip(x @ beta, -_FAR, _FAR)
    return Line(float(beta[0]), float(beta[1]), np.linalg.inv(information))
