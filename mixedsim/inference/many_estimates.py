"""Estimates of many replicates side by side: one row a replicate, one column a parameter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mixedsim.inference.contrasts import two_sided

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Estimates:
    """What is known of m parameters in r replicates, in the units of the data: r × m each, NaN where it does not exist.

    Attributes
    ----------
    estimate, se : estimates and standard errors.
    df : degrees of freedom of the t test; infinite for Wald's, NaN for standard deviations, correlations and σ.
    p : two-sided p-values of coefficients; NaN for all others.
    lower, upper : ends of the confidence intervals.
    """

    estimate: Floats
    se: Floats
    df: Floats
    p: Floats
    lower: Floats
    upper: Floats

    @classmethod
    def empty(cls, replicates: int, parameters: int) -> Estimates:
        """All NaN, to be filled."""
        return cls(*(np.full((replicates, parameters), np.nan) for _ in fields(cls)))

    def put(self, rows: NDArray[np.intp], other: Estimates) -> None:
        """Fill in some replicates; only for whoever has just made the arrays with `empty`."""
        for one in fields(self):
            getattr(self, one.name)[rows] = getattr(other, one.name)

    @classmethod
    def below(cls, parts: Sequence[Estimates]) -> Estimates:
        """The replicates of all parts, one after the other."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))

    @classmethod
    def beside(cls, left: Estimates, right: Estimates) -> Estimates:
        """The parameters of both, those of `left` first."""
        parts = ((getattr(left, one.name), getattr(right, one.name)) for one in fields(cls))
        return cls(*(np.concatenate(pair, axis=1) for pair in parts))


def t_estimates(estimate: Floats, se: Floats, df: Floats, level: float) -> Estimates:
    """Two-sided t tests against zero and t intervals (r × m arrays)."""
    half = special.stdtrit(df, 0.5 + level / 2.0) * se
    with np.errstate(divide="ignore", invalid="ignore"):
        p = two_sided(estimate / se, df)
    return Estimates(estimate, se, df, p, estimate - half, estimate + half)
