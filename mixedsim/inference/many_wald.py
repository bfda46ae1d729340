"""Standard deviations, correlations and σ of many replicates with their intervals: `wald`, for all at once.

The derivatives of the delta method are exact here. With the rows t_i = (T_fΛ_f)_i the covariance of two effects over
σ² is ``t_i't_j``, and ``∂t_i/∂θ_k`` has one element: T_f[i, row_k], in column_k.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Layout
from mixedsim.inference.boundary import FLAT
from mixedsim.inference.many_estimates import Estimates
from mixedsim.inference.many_scales import ManyScales
from mixedsim.inference.many_variance import ManyVariances
from mixedsim.inference.parameters import Parameter
from mixedsim.inference.wald import CERTAIN

Floats = NDArray[np.float64]


class ManyWald:
    """Estimates and intervals of variance parameters, one at a time, for all replicates.

    Parameters
    ----------
    known : what is known of (θ̂, σ̂).
    layout, scales : where θ stands, and the way back to the units of the data.
    z : normal quantile of the intervals.
    """

    def __init__(self, known: ManyVariances, layout: Layout, scales: ManyScales, z: float) -> None:
        self.known, self.layout, self.scales, self.z = known, layout, scales, z
        self.halves = scales.halves(known.theta, layout)

    def estimates(self, parameters: Sequence[Parameter]) -> Estimates:
        """Those of the parameters that are no coefficients, in their order: m × c arrays."""
        rows = [self._row(one) for one in parameters if one.kind != "fixed"]
        estimate, se, lower, upper = (np.stack(part, axis=1) for part in zip(*rows, strict=True))
        none = np.full_like(estimate, np.nan)
        return Estimates(estimate, se, none, none, lower, upper)

    def _row(self, one: Parameter) -> tuple[Floats, Floats, Floats, Floats]:
        """Estimate, se, lower, upper of one parameter: m values each."""
        if one.kind == "sd":
            return self._sd(one.factor, one.effects[0])
        if one.kind == "corr":
            return self._corr(one.factor, one.effects[0], one.effects[1])
        slopes = np.zeros_like(self.known.unit)
        slopes[-1] = 1.0 / self.known.sigma
        return self._positive(self.scales.scale * self.known.sigma, self._se(slopes))

    def _sd(self, f: int, i: int) -> tuple[Floats, Floats, Floats, Floats]:
        length = self._length(f, i)
        estimate = self.scales.scale * self.known.sigma * length
        flat = length <= self._flat(f, i)
        slopes = np.zeros_like(self.known.unit)
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes[self.layout.of_factor[f]] = 0.5 * self._slopes(f, i, i) / length**2
        slopes[-1] = 1.0 / self.known.sigma
        _, se, lower, upper = self._positive(estimate, self._se(np.where(flat, 0.0, slopes)))
        nan = np.where(flat, np.nan, 0.0)
        return estimate, se + nan, np.where(flat, 0.0, lower), upper + nan

    def _positive(self, estimate: Floats, se_log: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """An interval on the logarithmic scale."""
        half = self.z * se_log
        with np.errstate(over="ignore"):  # an sd just above zero may reach to infinity
            return estimate, estimate * se_log, estimate * np.exp(-half), estimate * np.exp(half)

    def _corr(self, f: int, i: int, j: int) -> tuple[Floats, Floats, Floats, Floats]:
        lengths = self._length(f, i), self._length(f, j)
        absent = (lengths[0] <= self._flat(f, i)) | (lengths[1] <= self._flat(f, j))
        a, b = (np.where(absent, 1.0, length) for length in lengths)
        r = np.clip((self.halves[f][i] * self.halves[f][j]).sum(axis=0) / (a * b), -1.0, 1.0)
        certain = 1.0 - np.abs(r) < CERTAIN
        slopes = np.zeros_like(self.known.unit)
        moved = self._slopes(f, i, j) / (a * b)
        moved -= 0.5 * r * (self._slopes(f, i, i) / a**2 + self._slopes(f, j, j) / b**2)
        inside = np.where(certain | absent, 0.5, r)
        slopes[self.layout.of_factor[f]] = moved / (1.0 - inside**2)
        se = self._se(slopes)
        z = np.arctanh(inside)
        nan = np.where(certain | absent, np.nan, 0.0)
        estimate = np.where(certain, np.sign(r), r) + np.where(absent, np.nan, 0.0)
        half = self.z * se + nan
        return estimate, (1.0 - inside**2) * se + nan, np.tanh(z - half), np.tanh(z + half)

    def _length(self, f: int, i: int) -> Floats:
        """The sd of effect i over σ."""
        return np.asarray(np.sqrt((self.halves[f][i] ** 2).sum(axis=0)))

    def _flat(self, f: int, i: int) -> Floats:
        """The sd over σ below which an effect counts as not varying."""
        return np.asarray(FLAT * np.sqrt((self.scales.varying[f][i] ** 2).sum(axis=0)))

    def _slopes(self, f: int, i: int, j: int) -> Floats:
        """``∂(t_i't_j)/∂θ_k`` for the θ of factor f: K_f × m."""
        mine = self.layout.of_factor[f]
        row, column = self.layout.row[mine], self.layout.column[mine]
        t, half = self.scales.varying[f], self.halves[f]
        return np.asarray(t[i, row] * half[j, column] + t[j, row] * half[i, column])

    def _se(self, slopes: Floats) -> Floats:
        """Standard error of a function with these derivatives ((K + 1) × m); NaN where there is no minimum."""
        variance = np.einsum("km,klm,lm->m", slopes, self.known.covariance, slopes)
        return np.where(self.known.is_minimum, np.sqrt(np.maximum(variance, 0.0)), np.nan)
