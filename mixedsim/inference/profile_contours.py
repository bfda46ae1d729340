"""Between the points of a profile: smooth curves, densities, and the contours of two parameters at once.

A contour of the likelihood of two parameters would take a search for each of its points. Bates & Watts (1988, Nonlinear
Regression Analysis and Its Applications, section 6.1.2 and appendix 6) sketch it from what the two profiles have found
on their way. On the scale of ζ it is nearly an ellipse,

    ζ_i = ζ cos(a − d/2),  ζ_j = ζ cos(a + d/2),  0 ≤ a < 2π,

whose phase d would be constant, with cos d the correlation, were the deviance a parabola. Where the contour is furthest
to either side it meets a profile trace (the other parameter's best value, as one is moved); that gives d at four a,
between which a periodic spline runs. Exact for a parabola, and for a mild departure from one good.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

Floats = NDArray[np.float64]
_FINE = 2_001  # points at which a curve is tabulated to be read the other way round
_AROUND = 361
_LEAST_PHASE = 1e-3
_FLAT = 0.05  # of ζ from end to end: nothing is known about such a parameter
_STEP = 1e-4  # of ζ between two points that a curve can tell apart
_TRACED = 2  # points that a trace needs
_REACHED = 1.5  # ζ that a parameter's curve reaches on one side at least
_FEWEST = 4  # points from which on a cubic is drawn through them


@dataclass(frozen=True, eq=False)
class SmoothProfile:
    """One parameter's ζ as a function of its value.

    Attributes
    ----------
    name : of the parameter.
    points, zetas : the values at which the profile was computed, in rising order, and ζ there.
    """

    name: str
    points: Floats
    zetas: Floats

    @classmethod
    def of(cls, table: pd.DataFrame, name: str) -> SmoothProfile:
        """From the rows of `LikelihoodProfile.table`."""
        rows = table.loc[[name]]
        return cls(name, rows["value"].to_numpy(dtype=np.float64), rows["zeta"].to_numpy(dtype=np.float64))

    @property
    def top(self) -> float:
        """The value at the maximum."""
        return float(self.points[int(np.argmin(np.abs(self.zetas)))])

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest value on the curve."""
        low, high = self.points[[0, -1]]
        return float(low), float(high)

    def zeta(self, values: Floats) -> Floats:
        """ζ at values within the curve."""
        return np.asarray(_spline(self._straight(self.points), self.zetas)(self._straight(values)), dtype=np.float64)

    def slope(self, values: Floats) -> Floats:
        """Derivative of ζ by the value."""
        inner = _spline(self._straight(self.points), self.zetas)(self._straight(values), 1)
        return np.asarray(inner * self._unbent(values), dtype=np.float64)

    def density(self, values: Floats) -> Floats:
        """φ(ζ(v)) ζ'(v): the density of which every profile interval holds its own level."""
        return np.asarray(
            np.exp(-0.5 * self.zeta(values) ** 2) / np.sqrt(2.0 * np.pi) * self.slope(values), dtype=np.float64
        )

    def value(self, zetas: Floats) -> Floats:
        """Where ζ is reached; NaN beyond the ends of the curve."""
        fine = self.grid(_FINE)
        along = np.maximum.accumulate(self.zeta(fine))
        ends = along[0], along[-1]
        near = 1e-9 * (ends[1] - ends[0])  # an end is still one where rounding has moved it
        snapped = np.where((zetas > ends[0] - near) & (zetas < ends[1] + near), np.clip(zetas, *ends), zetas)
        return np.interp(snapped, along, fine, left=np.nan, right=np.nan)

    def grid(self, count: int) -> Floats:
        """So many values from end to end, evenly spaced where the curve is nearly straight."""
        low, high = self._straight(self.points[[0, -1]])
        inner = np.linspace(low, high, count)
        if self.name.startswith("corr("):
            inner = np.sin(inner)
        elif self.name == "sigma":
            inner = np.exp(inner)
        inner[[0, -1]] = self.points[[0, -1]]
        return np.asarray(inner, dtype=np.float64)

    def _straight(self, values: Floats) -> Floats:
        """On the scale on which the profile was followed, ζ bends little: log σ, arcsin of a correlation."""
        if self.name.startswith("corr("):
            return np.arcsin(np.clip(values, -1.0, 1.0))
        return np.log(values) if self.name == "sigma" else values

    def _unbent(self, values: Floats) -> Floats:
        """Derivative of that scale by the value."""
        if self.name.startswith("corr("):
            return np.asarray(1.0 / np.sqrt(np.maximum(1.0 - values**2, 1e-12)), dtype=np.float64)
        return 1.0 / values if self.name == "sigma" else np.ones_like(values)


def trace(table: pd.DataFrame, along: pd.DataFrame, moved: str, other: str) -> tuple[Floats, Floats]:
    """Where `other` is best as `moved` is moved: values of both at the points of the profile of `moved`.

    A correlation that does not exist there (of an effect without variance) is left out.
    """
    rows = along.loc[[moved]]
    x, y = table.loc[[moved], "value"].to_numpy(dtype=np.float64), rows[other].to_numpy(dtype=np.float64)
    known = np.isfinite(y)
    return x[known], y[known]


def contour(table: pd.DataFrame, along: pd.DataFrame, one: str, other: str, zeta: float) -> Floats:
    """The line (m × 2) on which the deviance has risen by ζ²; NaN where it lies beyond the end of a scale.

    All of it is NaN where the likelihood of one of the parameters is so flat that it does not rise as far, or by more
    than 2.25, to either side: such a correlation is not known at all, and there is no parabola to depart from.

    Parameters
    ----------
    table, along : of a `LikelihoodProfile` that has both parameters.
    one, other : the parameters.
    zeta : the root of the rise of the deviance; no more than the profiles reach, unless their scale ends before.
    """
    first, second = SmoothProfile.of(table, one), SmoothProfile.of(table, other)
    if any(max(-curve.zetas[0], curve.zetas[-1]) < min(zeta, _REACHED) for curve in (first, second)):
        return np.full((_AROUND, 2), np.nan)
    here = _cosines(table, along, first, second, zeta)
    there = _cosines(table, along, second, first, zeta)
    # the phase where the contour is furthest right, left, up and down
    right, left = np.arccos(here[1]), np.arccos(-here[0])
    up, down = np.arccos(there[1]), np.arccos(-there[0])
    at = np.array([-up / 2.0, right / 2.0, np.pi - down / 2.0, np.pi + left / 2.0])
    phase = np.array([up, right, down, left])
    whole = CubicSpline(np.append(at, at[0] + 2.0 * np.pi), np.append(phase, up), bc_type="periodic")
    a = np.linspace(at[0], at[0] + 2.0 * np.pi, _AROUND)
    d = np.clip(whole(a), 0.0, np.pi)
    return np.column_stack([first.value(zeta * np.cos(a - d / 2.0)), second.value(zeta * np.cos(a + d / 2.0))])


def tie(table: pd.DataFrame, along: pd.DataFrame, one: str, other: str) -> float:
    """How closely two parameters hang together: the correlation that their traces would have on a parabola.

    The geometric mean of both slopes of ζ on ζ along the traces; NaN where one of the two likelihoods is flat.
    """
    first, second = SmoothProfile.of(table, one), SmoothProfile.of(table, other)
    slopes = []
    for moved, followed in ((first, second), (second, first)):
        x, y = trace(table, along, moved.name, followed.name)
        at, by = moved.zeta(x), followed.zeta(np.clip(y, *followed.ends))
        if np.ptp(moved.zetas) < _FLAT or float(at @ at) < _FLAT**2:
            return float("nan")
        slopes.append(float(at @ by) / float(at @ at))
    return float(np.sign(slopes[0]) * np.sqrt(abs(slopes[0] * slopes[1])))


def _cosines(
    table: pd.DataFrame, along: pd.DataFrame, moved: SmoothProfile, other: SmoothProfile, zeta: float
) -> tuple[float, float]:
    """The other's ζ over ζ where the moved one is at −ζ and at ζ; beyond the end of a trace it runs on straight."""
    x, y = trace(table, along, moved.name, other.name)
    at = moved.zeta(x)
    rising = np.concatenate([[True], np.diff(np.maximum.accumulate(at)) > _STEP])
    x, y, at = x[rising], y[rising], at[rising]
    if len(x) < _TRACED:
        return 0.0, 0.0  # the other parameter is not known along the way: as if it did not follow
    other_at = other.zeta(np.clip(y, *other.ends))
    ends = [_runs_on(at, other_at, sign * zeta) / zeta for sign in (-1.0, 1.0)]
    low, high = np.clip(ends, -np.cos(_LEAST_PHASE), np.cos(_LEAST_PHASE))
    return float(low), float(high)


def _runs_on(x: Floats, y: Floats, at: float) -> float:
    curve = _spline(x, y)
    inside = float(np.clip(at, x[0], x[-1]))
    return float(curve(inside) + (at - inside) * curve(inside, 1))


def _spline(x: Floats, y: Floats) -> CubicSpline:
    """A cubic through the points; a straight line or a parabola through two or three."""
    if len(x) >= _FEWEST:
        return CubicSpline(x, y)
    return CubicSpline(x, y, bc_type="natural" if len(x) == 2 else "not-a-knot")
