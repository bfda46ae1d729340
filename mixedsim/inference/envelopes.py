"""Does a curve of the data lie among those of responses drawn from the model? One test for the whole curve.

A curve has k points: quantiles, means, autocorrelations. With m − 1 drawn ones beside it, each point has a middle, and
an upper and a lower half-width (to the quantiles that hold 95 % between them). A curve's departure is the largest
distance of a point from the middle, in half-widths of its side; the p-value is the share of all m curves, the
observed one among them, that depart at least as much. It is exact whatever the points depend on, because under the
model the m curves are exchangeable, and the simultaneous band is where the test draws its line: a curve leaves the
band at some point if and only if p ≤ α. This is the directional quantile envelope test of Myllymäki, Mrkvička,
Grabarnik, Seijo & Hahn (2017), J. R. Stat. Soc. B 79:381, with the scaling of Myllymäki, Grabarnik, Seijo & Stoyan
(2015), Spat. Stat. 11:19; Barnard (1963), J. R. Stat. Soc. B 25:294, has the idea of the test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEVEL = 0.01  # of each test, so that a page of many raises a false alarm in one right model of twenty
POINTWISE = 0.95
_ON_LINE = 1e-12  # what lies on the line does not leave the band, however it is rounded
_CERTAIN = 1e-9  # a half-width below this share of the curve's size is no spread, but rounding


@dataclass(frozen=True, eq=False)
class Envelope:
    """A curve of k points beside those drawn from the model.

    Attributes
    ----------
    observed, centre : k values: of the data, and in the middle of all.
    lower, upper : k values: 95 % of the curves lie between them at each point.
    low, high : k values: the simultaneous band, which a curve of the model leaves anywhere with probability `level`.
    p : of the test.
    level : α.
    worst : the point that departs most.
    departure : how far, in half-widths of the pointwise band; negative below.
    largest : m departures in size, of the observed and of the drawn curves.
    """

    observed: Floats
    centre: Floats
    lower: Floats
    upper: Floats
    low: Floats
    high: Floats
    p: float
    level: float
    worst: int
    departure: float
    largest: Floats

    @property
    def departs(self) -> bool:
        """Whether the curve leaves the simultaneous band."""
        return self.p <= self.level

    def part(self, where: slice) -> Envelope:
        """Some of the points, in the band of all; p is that of their departure among the largest of all points.

        So that p-values of several parts hold together (Westfall & Young 1993, Resampling-Based Multiple Testing,
        section 2.3.2: single-step maxT).
        """
        here = range(*where.indices(len(self.observed)))
        worst = self.worst - here.start if self.worst in here else int(np.argmax(np.abs(self._distance()[where])))
        departure = float(self._distance()[where][worst])
        p = float((self.largest >= abs(departure)).mean())
        return replace(self.mapped(lambda curve: curve[where]), worst=worst, departure=departure, p=p)

    def _distance(self) -> Floats:
        return _distances(self.observed[:, None], self.centre, self.lower, self.upper)[:, 0]

    def mapped(self, to: Callable[[Floats], Floats]) -> Envelope:
        """The same in other units, by a function that rises."""
        return replace(
            self, observed=to(self.observed), centre=to(self.centre), lower=to(self.lower), upper=to(self.upper),
            low=to(self.low), high=to(self.high),
        )  # fmt: skip


def envelope(curves: Floats, level: float = LEVEL) -> Envelope:
    """Return the `Envelope` of the first of m curves.

    Parameters
    ----------
    curves : k × m, the observed one first; NaN nowhere.
    level : of the test; at least 1/m, or it could never reject.

    Examples
    --------
    >>> import numpy as np
    >>> from mixedsim.inference.envelopes import envelope
    >>> curves = np.random.default_rng(1).standard_normal((5, 200))
    >>> envelope(curves).departs
    False
    >>> curves[3, 0] = 9.0
    >>> far = envelope(curves)
    >>> far.departs, far.worst, far.p
    (True, 3, 0.005)
    """
    count = curves.shape[1]
    tail = 0.5 * (1.0 - POINTWISE)
    lower, centre, upper = np.quantile(curves, [tail, 0.5, 1.0 - tail], axis=1)
    each = np.abs(_distances(curves, centre, lower, upper))
    largest = each.max(axis=0, initial=0.0)
    p = float((largest >= largest[0]).mean())
    # rejected are those among the `allowed` largest: the line is the next one
    allowed = int(np.floor(level * count + 1e-9))
    line = float(np.sort(largest)[::-1][min(allowed, count - 1)]) * (1.0 + _ON_LINE)
    worst = int(np.argmax(each[:, 0])) if len(each) else 0
    low, high = centre - line * (centre - lower), centre + line * (upper - centre)
    signed = _distances(curves[:, :1], centre, lower, upper)
    departure = float(signed[worst, 0]) if len(each) else 0.0
    return Envelope(
        curves[:, 0].copy(), centre, lower, upper, low, high, p, level, worst, departure, largest
    )  # fmt: skip


def _distances(curves: Floats, centre: Floats, lower: Floats, upper: Floats) -> Floats:
    """Distance of every point from the middle, in half-widths of its side; 0 where there is no spread."""
    size = _CERTAIN * float(np.abs(centre).max(initial=0.0) + (upper - lower).max(initial=0.0))
    up, down = upper - centre, centre - lower
    certain = (up <= size) | (down <= size)
    away = curves - centre[:, None]
    half = np.where(away > 0, np.where(certain, 1.0, up)[:, None], np.where(certain, 1.0, down)[:, None])
    return np.asarray(np.where(certain[:, None], 0.0, away / half))
