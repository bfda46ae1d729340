"""Means and variances that are gathered part by part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Moments:
    """Number, mean and sum of squared deviations of G groups of values.

    Two sets are joined by the formulas of Chan, Golub & LeVeque (1983, The American Statistician 37:242, eqs. 2.1),
    which lose no digits where the mean is large beside the standard deviation.
    """

    n: Floats
    mean: Floats
    squares: Floats

    @classmethod
    def of(cls, values: Floats, codes: Codes, groups: int) -> Moments:
        """The moments of values by group; what is not finite does not count."""
        known = np.isfinite(values)
        values, codes = values[known], codes[known]
        n = np.bincount(codes, minlength=groups).astype(np.float64)
        mean = np.bincount(codes, weights=values, minlength=groups) / np.maximum(n, 1.0)
        squares = np.bincount(codes, weights=(values - mean[codes]) ** 2, minlength=groups)
        return cls(n, mean, squares.astype(np.float64, copy=False))

    def __add__(self, other: Moments) -> Moments:
        n = self.n + other.n
        gap = other.mean - self.mean
        share = other.n / np.maximum(n, 1.0)
        return Moments(n, self.mean + gap * share, self.squares + other.squares + gap**2 * self.n * share)

    def at(self, places: Codes) -> Moments:
        """The groups at these places; those at −1 are empty."""
        empty = places < 0
        return Moments(*(np.where(empty, 0.0, values[places]) for values in (self.n, self.mean, self.squares)))

    def average(self) -> Floats:
        """Means; NaN of nothing."""
        return np.where(self.n > 0, self.mean, np.nan)

    def sd(self) -> Floats:
        """Standard deviations, with n − 1; NaN of fewer than two values."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.n > 1, np.sqrt(self.squares / (self.n - 1.0)), np.nan)

    def error(self) -> Floats:
        """Standard errors of the means."""
        return self.sd() / np.sqrt(np.maximum(self.n, 1.0))
