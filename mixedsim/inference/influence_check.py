"""Does a single row or group pull more than one does in a right model?

Under the model, at the estimated variances, a change of coefficients is normal with a known covariance, so that Cook's
distance of a row is ``s χ²_1`` and that of a group ``Σ_m s_m χ²_1`` with known s (`influence.Influence.spread`). What
is judged is the largest of all: for rows by the product of their distribution functions, for groups by maxima of drawn
ones. Both take distances as independent, which they are but for what estimating the coefficients ties together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from mixedsim.inference.envelopes import LEVEL
from mixedsim.inference.influence import Influence
from mixedsim.inference.verdict import Verdict, judged, nothing
from mixedsim.simulate.streams import Streams

Floats = NDArray[np.float64]
_DRAWN = 2e7  # chi-squared numbers at most


@dataclass(frozen=True, eq=False)
class Pull:
    """The largest of k Cook's distances beside what is to be expected.

    Attributes
    ----------
    of : all of them.
    largest : its position; None where no distance is known.
    limit : what the largest exceeds with probability `level` in a right model.
    p : of the largest.
    alone : positions without which the coefficients are not known.
    """

    of: Influence
    largest: int | None
    limit: float
    p: float
    alone: NDArray[np.intp]


def row_pull(rows: Influence, level: float) -> Pull:
    """Return the largest of the rows' distances beside what is to be expected."""
    known = np.isfinite(rows.cook) & (rows.spread[:, 0] > 0)
    spread = rows.spread[known, 0]
    alone = np.flatnonzero(~np.isfinite(rows.cook))
    if not len(spread):
        return Pull(rows, None, np.nan, np.nan, alone)
    largest = int(np.flatnonzero(known)[np.argmax(rows.cook[known])])

    def beyond(d: float) -> float:
        tail = special.erfc(np.sqrt(0.5 * d / spread))  # P(χ²_1 > d/s)
        return float(-np.expm1(np.log1p(-np.minimum(tail, 1.0 - 1e-16)).sum()))

    return Pull(rows, largest, _limit(beyond, float(spread.max()), level), beyond(float(rows.cook[largest])), alone)


def _limit(beyond: Callable[[float], float], scale: float, level: float) -> float:
    """Where the tail has the given probability, by bisection."""
    low, high = 0.0, 200.0 * scale
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if beyond(middle) > level else (low, middle)
    return 0.5 * (low + high)


def level_pull(groups: Influence, n: int, seed: int, level: float) -> Pull:
    """Return the largest of the groups' distances beside n maxima that are drawn."""
    known = np.isfinite(groups.cook)
    spread = groups.spread[known]
    alone = np.flatnonzero(~known)
    if not spread.size:
        return Pull(groups, None, np.nan, np.nan, alone)
    largest = int(np.flatnonzero(known)[np.argmax(groups.cook[known])])
    rng = Streams(seed).generator("diagnose", "influence")
    maxima = np.empty(n)
    block = max(1, int(min(_DRAWN / n, _DRAWN / 10) // spread.size))
    for done in range(0, n, block):
        count = min(block, n - done)
        drawn = rng.standard_normal((count, *spread.shape)) ** 2
        maxima[done : done + count] = np.einsum("rkp,kp->rk", drawn, spread).max(axis=1)
    p = float((1 + np.count_nonzero(maxima >= groups.cook[largest])) / (n + 1))
    allowed = int(np.floor(level * (n + 1) + 1e-9))
    limit = float(np.sort(maxima)[::-1][max(0, min(allowed - 1, n - 1))])
    return Pull(groups, largest, limit, p, alone)


def pull_words(
    pull: Pull, changes: Floats, names: tuple[str, ...], what: str, labels: pd.Index[Any], level: float = LEVEL
) -> Verdict:
    """The verdict on rows, or on the levels of a factor.

    Parameters
    ----------
    pull : from `row_pull` or `level_pull`.
    changes : k × p changes of the coefficients over their standard errors.
    names : of the p coefficients.
    what, labels : what the k are, and their names.
    level : of the test of rows and levels together: each takes half.
    """
    check = f"influence of {'rows' if what == 'row' else what}"
    if pull.largest is None:
        return nothing(check, "there are no coefficients that could move")
    mine = np.abs(changes[pull.largest])
    k = int(np.argmax(mine))
    how = f"{what} {labels[pull.largest]} pulls more than any should, {names[k]} by {mine[k]:.2g} standard errors"
    return judged(check, pull.p <= 0.5 * level, pull.p, how)


@dataclass(frozen=True, eq=False)
class Pulls:
    """The influence of rows, and of the levels of one factor.

    Attributes
    ----------
    group : the factor.
    row, level : the largest of each beside what is to be expected, with all of them.
    row_verdict, level_verdict : in words.
    """

    group: str
    row: Pull
    level: Pull
    row_verdict: Verdict
    level_verdict: Verdict

    @property
    def rows(self) -> Influence:
        """Of all rows."""
        return self.row.of

    @property
    def levels(self) -> Influence:
        """Of all levels."""
        return self.level.of
