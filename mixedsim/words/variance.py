"""How much a variable differs between groups and within them, and in how many of them it varies at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    """One variable split between and within the levels of one group (one-way analysis of variance).

    With J levels of nᵢ rows, N = Σnᵢ rows, MSB and MSW the mean squares between and within levels, and
    n₀ = (N − Σnᵢ²/N)/(J − 1), the size that an unequal level counts for:

        σ̂²_between = (MSB − MSW)/n₀,   σ̂²_within = MSW,   ICC = (MSB − MSW)/(MSB + (n₀ − 1) MSW)

    (Donner, A. and Koval, J. J. (1980). The estimation of intraclass correlation in the analysis of family data.
    Biometrics 36, 19–25.) Where the levels differ less than chance alone would make them, MSB < MSW: the estimated
    variance between is then negative, `sd_between` is NaN and the ICC below zero. Nothing is cut off at zero.

    Attributes
    ----------
    rows, groups : N and J, of the rows that have both a value and a group.
    size : n₀; NaN with fewer than two levels.
    sd_within, sd_between : square roots of the two variances; NaN where there is none.
    icc : share of the variance that lies between levels, freed from chance; NaN where nothing can be said.
    share : sum of squares between over the total (η²): what the sample shows, chance included.
    by_chance : what `share` would be on average if the groups meant nothing, (J − 1)/(N − 1).
    """

    rows: int
    groups: int
    size: float
    sd_within: float
    sd_between: float
    icc: float
    share: float
    by_chance: float


def split(values: Floats, codes: Codes) -> Split:
    """The `Split` of n values by n codes (−1: no group); rows with a missing value or group are left out."""
    use = np.isfinite(values) & (codes >= 0)
    y, g = values[use], codes[use]
    n = np.bincount(g)
    rows, groups = len(y), int((n > 0).sum())
    within = deviations(y, g)
    total = deviations(y, np.zeros(rows, dtype=np.intp))
    ssw = float(within @ within)
    ssb = float(np.square(total - within).sum())
    share = ssb / (ssb + ssw) if ssb + ssw > 0 else np.nan
    chance = (groups - 1) / (rows - 1) if rows > 1 else np.nan
    size = (rows - float(np.square(n.astype(np.float64)).sum()) / rows) / (groups - 1) if groups > 1 else np.nan
    if groups < 2 or rows == groups:
        return Split(rows, groups, size, np.nan, np.nan, np.nan, share, chance)
    msb, msw = ssb / (groups - 1), ssw / (rows - groups)
    between = (msb - msw) / size
    whole = msb + (size - 1.0) * msw
    icc = (msb - msw) / whole if whole > 0 else np.nan
    return Split(rows, groups, size, np.sqrt(msw), np.sqrt(between) if between >= 0 else np.nan, icc, share, chance)


def deviations(values: Floats, codes: Codes) -> Floats:
    """Each value minus the mean of its level: exactly zero in a level whose values are all the same.

    Values must be finite and codes not negative.
    """
    if not len(values):
        return values
    # Means are taken from each level's own first value: no digits are lost in 1e9 + small differences.
    first = np.zeros(int(codes.max()) + 1)
    first[codes[::-1]] = values[::-1]
    away = values - first[codes]
    n = np.maximum(np.bincount(codes), 1)
    return np.asarray(away - (np.bincount(codes, weights=away) / n)[codes])


def varying(x: Codes, codes: Codes) -> tuple[int, int]:
    """In how many levels x takes more than one value, and how many levels have two rows or more of it.

    Parameters
    ----------
    x : n codes of the variable's values, −1 where missing.
    codes : n codes of the group, −1 where missing.
    """
    use = (x >= 0) & (codes >= 0)
    if not use.any():
        return 0, 0
    v, g = x[use], codes[use]
    n = np.bincount(g)
    first = np.zeros(len(n), dtype=np.intp)
    first[g[::-1]] = v[::-1]
    return int((np.bincount(g[v != first[g]], minlength=len(n)) > 0).sum()), int((n > 1).sum())


def cells(a: Codes, b: Codes) -> tuple[NDArray[np.int64], Codes, Codes]:
    """Rows in every combination of two codes that occurs, and the two codes of each combination."""
    use = (a >= 0) & (b >= 0)
    wide = int(b.max(initial=0)) + 1
    joint, count = np.unique(a[use].astype(np.int64) * wide + b[use], return_counts=True)
    own, other = np.divmod(joint, wide)
    return count.astype(np.int64), own.astype(np.intp), other.astype(np.intp)


def combined(parts: list[Codes]) -> Codes:
    """Codes 0 … J − 1 of the combinations of several codes that occur; −1 where any is missing."""
    joint = parts[0].astype(np.int64)
    for part in parts[1:]:
        joint = np.where((joint >= 0) & (part >= 0), joint * (int(part.max(initial=0)) + 1) + part, -1)
        joint = _packed(joint)
    return joint.astype(np.intp)


def _packed(joint: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same groups numbered without gaps, −1 left as it is."""
    present, codes = np.unique(joint, return_inverse=True)
    return codes.astype(np.int64) - int(len(present) > 0 and present[0] < 0)
