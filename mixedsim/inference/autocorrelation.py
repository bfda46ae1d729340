"""Do rows that follow each other in time agree more than the model says?

Within each group, rows are set on a grid of times. The autocorrelation at lag k is

    r_k = mean of e_t e_s over all pairs of one group with s − t = k   /   mean of e_t² over all rows,

so that a gap in the times takes pairs away and shifts none (Parzen 1963, Sankhya A 25:383, for one series with gaps).
Residuals are not centred by group once more. They need not have mean zero in
one, but random effects have taken most of each mean away, which makes neighbours seem to disagree by about 1/n: what is
to be expected of a right model is not zero, and is taken from responses drawn from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
_OFF_GRID = 0.05  # share of the unit that a time may lie off the grid
_LONGEST = 100_000  # steps of the grid within a group beyond which times are no grid


@dataclass(frozen=True, eq=False)
class Succession:
    """Which rows follow which.

    Attributes
    ----------
    lags : L lags, in steps.
    pairs : for each lag two arrays of row numbers, the earlier and the later ones.
    unit : how much time a step is; None where times lie on no grid, and a step is the next row of the group.
    """

    lags: NDArray[np.intp]
    pairs: list[tuple[Codes, Codes]]
    unit: float | None


def succession(codes: Codes, time: Floats, most: int = 10) -> Succession:
    """Return which rows of a group lie 1, 2, … steps apart.

    The step is the smallest difference of two times within a group; where others are no multiples of it, rows are
    counted instead. Rows of one group at one time are all paired with those a step later. Lags that fewer than
    20 pairs have, or 5 where no lag has as many, are left out.

    Parameters
    ----------
    codes : n group numbers.
    time : n times.
    most : the longest lag.

    Examples
    --------
    >>> import numpy as np
    >>> from mixedsim.inference.autocorrelation import succession
    >>> found = succession(np.zeros(9, dtype=int), np.array([0.0, 1, 2, 3, 5, 6, 7, 8, 9]), most=2)
    >>> found.lags.tolist(), [len(first) for first, _ in found.pairs], found.unit
    ([1, 2], [7, 6], 1.0)
    """
    order = np.lexsort((time, codes))
    group, at = codes[order], time[order]
    unit = _unit(group, at)
    step = _ranks(group, at) if unit is None else np.rint((at - at[_begins(group)]) / unit).astype(np.intp)
    lags, pairs = [], []
    for lag in range(1, most + 1):
        first, second = _apart(group, step, lag)
        lags.append(lag)
        pairs.append((order[first], order[second]))
    count = np.array([len(first) for first, _ in pairs])
    least = 20 if count.max(initial=0) >= 20 else 5
    kept = np.flatnonzero(count >= least)
    return Succession(np.array(lags, dtype=np.intp)[kept], [pairs[k] for k in kept], unit)


def autocorrelations(residuals: Floats, rows: Succession) -> Floats:
    """Return r_k: L × m for m sets of n residuals."""
    size = (residuals**2).mean(axis=0)
    out = np.empty((len(rows.lags), residuals.shape[1]))
    for k, (first, second) in enumerate(rows.pairs):
        out[k] = np.einsum("nm,nm->m", residuals[first], residuals[second]) / len(first) / size
    return out


def _begins(group: Codes) -> Codes:
    """For each row of sorted groups the first row of its group."""
    new = np.flatnonzero(np.diff(group, prepend=group[0] - 1))
    return np.repeat(new, np.diff(np.append(new, len(group))))


def _unit(group: Codes, at: Floats) -> float | None:
    """The step of the grid; None where there is none."""
    gaps = np.diff(at)[np.diff(group) == 0]
    gaps = gaps[gaps > 0]
    if not len(gaps):
        return None
    unit = float(gaps.min())
    steps = gaps / unit
    off = np.abs(steps - np.rint(steps)).max()
    return None if off > _OFF_GRID or steps.max() > _LONGEST else unit


def _ranks(group: Codes, at: Floats) -> Codes:
    """Which time of its group each row has, counted from 0."""
    begins = _begins(group)
    new = (np.diff(at, prepend=at[0]) > 0) & (begins != np.arange(len(at)))
    total = np.cumsum(new)
    return np.asarray(total - total[begins], dtype=np.intp)


def _apart(group: Codes, step: Codes, lag: int) -> tuple[Codes, Codes]:
    """All pairs of rows of one group that lie `lag` steps apart, by position in the sorted rows."""
    width = int(step.max(initial=0)) + lag + 2
    key = group.astype(np.int64) * width + step
    begin = np.searchsorted(key, key + lag, side="left")
    count = np.searchsorted(key, key + lag, side="right") - begin
    first = np.repeat(np.arange(len(key)), count)
    within = np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    return first, begin[first] + within
