"""Ordinary least squares for many data sets at once: r regressions on n rows and p columns each.

As `mixedsim.study.ordinary`, with a replicate's axis in front: β̂ = (X'X)⁻¹ X'y by QR factorisation, s² = |y − Xβ̂|² /
(n − p), var β̂ = s² (X'X)⁻¹, t tests on n − p degrees of freedom. The interval of σ is the one from the χ²
distribution of (n − p) s²/σ², exact for normal residuals; its standard error is s / √(2 (n − p)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from mixedsim.design import Design, build
from mixedsim.formula import Formula
from mixedsim.inference.many_estimates import Estimates, t_estimates
from mixedsim.study.ordinary import DEPENDENT, independent

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Solved:
    """r regressions with the same p coefficients.

    Attributes
    ----------
    estimate, se : r × p.
    sigma : r residual standard deviations.
    dependent : r booleans: columns depend on each other, or no longer do, and all numbers mean nothing.
    """

    estimate: Floats
    se: Floats
    sigma: Floats
    dependent: NDArray[np.bool_]

    def estimates(self, rows: int, *, level: float, normal: bool) -> Estimates:
        """Tests and intervals of the coefficients, and σ as the last parameter: r × (p + 1), NaN where dependent.

        Parameters
        ----------
        rows : n.
        level : confidence level of the intervals.
        normal : take the normal distribution in place of t for the coefficients.
        """
        r, p = self.estimate.shape
        df = float(rows - p)
        found = t_estimates(self.estimate, self.se, np.full((r, p), np.inf if normal else df), level)
        found = Estimates.beside(found, _of_sigma(self.sigma, df, level))
        found.put(np.flatnonzero(self.dependent), Estimates.empty(int(self.dependent.sum()), p + 1))
        return found


class Way(Protocol):
    """A way to do one regression many times."""

    def design(self, data: pd.DataFrame) -> Design:
        """The rows of a data set."""
        ...

    def columns(self, design: Design) -> tuple[Floats | NDArray[np.intp], ...] | None:
        """What it needs of the rows, arrays with n in front; None if the coefficients would be others."""
        ...

    def solved(self, y: Floats, *columns: NDArray[Any]) -> Solved:
        """The regressions of r × n responses on columns with r, or 1 for all, in front."""
        ...


@dataclass(frozen=True, eq=False)
class AllColumns:
    """The columns as they are.

    Attributes
    ----------
    formula : of the regression.
    names : of all P columns; one called ``Intercept`` is taken to be all ones.
    kept : the places of the p columns that have a coefficient, the others depending on them; n must be above p.
    """

    formula: Formula
    names: tuple[str, ...]
    kept: tuple[int, ...]

    @classmethod
    def of(cls, design: Design) -> AllColumns:
        """The columns of a design, and which of them have a coefficient."""
        x = design.x.matrix()
        standard, _ = _centred(x[None], _intercept(design.x.names))
        return cls(design.formula, design.x.names, tuple(independent(standard[0], x)))

    def design(self, data: pd.DataFrame) -> Design:
        return build(self.formula, data, mixed=False)

    def columns(self, design: Design) -> tuple[Floats] | None:
        return (design.x.matrix(),) if design.x.names == self.names else None

    def solved(self, y: Floats, *columns: NDArray[Any]) -> Solved:
        (x,), kept, one = columns, list(self.kept), _intercept(self.names)
        standard, means = _centred(x, one)
        q, upper = np.linalg.qr(standard[:, :, kept])
        right = np.swapaxes(q, 1, 2) @ y[:, :, None]
        left = y - (q @ right)[:, :, 0]
        sigma = np.sqrt((left * left).sum(axis=1) / (y.shape[1] - len(kept)))
        dependent = _is_another(x, standard, q, upper, kept)
        upper[dependent] = np.eye(len(kept))
        back = np.tile(np.eye(len(kept)), (len(x), 1, 1))
        if one in kept:
            back[:, kept.index(one)] -= means[:, kept]
        root = back @ np.linalg.inv(upper)
        se = sigma[:, None] * np.sqrt((root * root).sum(axis=2))
        return Solved((root @ right)[:, :, 0], se, sigma, np.broadcast_to(dependent, len(y)))


def _intercept(names: Sequence[str]) -> int | None:
    return list(names).index("Intercept") if "Intercept" in names else None


def _centred(x: Floats, one: int | None) -> tuple[Floats, Floats]:
    """The columns less their means, r × P, where an intercept takes the shift."""
    means = np.zeros((len(x), x.shape[2]))
    if one is None:
        return x, means
    means = x.mean(axis=1)
    means[:, one] = 0.0
    return x - means[:, None, :], means


def _is_another(x: Floats, standard: Floats, q: Floats, upper: Floats, kept: list[int]) -> NDArray[np.bool_]:
    """Whether a column that should have a coefficient depends on others, or one that should not does not."""
    lengths = np.linalg.norm(standard, axis=1)
    rounding = 1e-13 * np.linalg.norm(x, axis=1)
    pivots = np.abs(np.diagonal(upper, axis1=1, axis2=2))
    gone = pivots <= np.maximum(DEPENDENT * lengths[:, kept], rounding[:, kept])
    others = [j for j in range(x.shape[2]) if j not in kept]
    rest = standard[:, :, others]
    for _ in range(2):
        rest = rest - q @ (np.swapaxes(q, 1, 2) @ rest)
    come = np.linalg.norm(rest, axis=1) > np.maximum(DEPENDENT * lengths[:, others], rounding[:, others])
    return np.asarray(gone.any(axis=1) | come.any(axis=1))


def _of_sigma(sigma: Floats, df: float, level: float) -> Estimates:
    """σ with its interval: r × 1."""
    tail = 0.5 * (1.0 - level)
    low, high = (np.sqrt(df / special.chdtri(df, part)) for part in (tail, 1.0 - tail))
    nothing = np.full((len(sigma), 1), np.nan)
    s = sigma[:, None]
    return Estimates(s, s / np.sqrt(2.0 * df), nothing, nothing, s * low, s * high)
