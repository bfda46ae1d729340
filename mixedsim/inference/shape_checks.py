"""Are residuals, and random effects, normal? Their quantiles beside those of responses drawn from the model.

Quantiles of conditional residuals and modes are not quite those of a normal sample even where the model holds (Loy,
Hofmann & Cook 2017, J. Comput. Graph. Stat. 26:478), and rows of a group go together; quantiles of drawn responses go
the same ways. Modes are shrunken towards a normal shape where groups are small (Verbeke & Lesaffre 1996, J. Am. Stat.
Assoc. 91:217): there, "looks fine" may also mean that the data cannot tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from mixedsim.inference.envelopes import LEVEL, Envelope, envelope
from mixedsim.inference.verdict import Verdict, judged, nothing

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
_MANY = 300  # quantiles that are looked at; all of them up to here
_FEW = 5


@dataclass(frozen=True, eq=False)
class Shape:
    """Quantiles of n values of variance one under the model.

    Attributes
    ----------
    normal : k quantiles of the standard normal distribution.
    order : positions of the values that stand there.
    envelope : of the quantiles.
    verdict : in words.
    """

    normal: Floats
    order: Codes
    envelope: Envelope | None
    verdict: Verdict


def shape_check(values: Floats, what: str, labels: pd.Index[Any], prefix: str = "", level: float = LEVEL) -> Shape:
    """Return whether values have the quantiles that the model gives them.

    Parameters
    ----------
    values : n × m, the data in column 0.
    what : they are, as in ``"residuals"``.
    labels, prefix : n names, and what stands before them.
    level : of the test.
    """
    check = f"shape of {what}"
    n = len(values)
    if n < _FEW:
        return Shape(np.empty(0), np.arange(0), None, nothing(check, f"{n} values have no shape to speak of"))
    at = _places(n)
    normal = special.ndtri((at + 0.5) / n)  # Hazen's plotting positions
    ordered = np.sort(values, axis=0)[at]
    found = envelope(ordered, level)
    order = np.argsort(values[:, 0], kind="stable")[at]
    how = (
        _described(values, found, at, [f"{prefix}{labels[k]}" for k in order[[0, 1, -2, -1]]]) if found.departs else ""
    )
    return Shape(normal, order, found, judged(check, found.departs, found.p, how))


def _places(n: int) -> Codes:
    """Which of n sorted values are looked at: all, or some that lie evenly along a normal quantile axis."""
    if n <= _MANY:
        return np.arange(n)
    end = special.ndtri(1.0 - 0.5 / n)
    share = special.ndtr(np.linspace(-end, end, _MANY))
    return np.unique(np.clip(np.rint(share * n - 0.5), 0, n - 1).astype(np.intp))


def _described(values: Floats, found: Envelope, at: Codes, ends: list[str]) -> str:
    """What is unlike a normal shape, by moments and by what lies outside."""
    outside = np.flatnonzero((found.observed < found.low) | (found.observed > found.high))
    if len(outside) <= 2 and ((outside < 2) | (outside >= len(at) - 2)).all():
        names = " and ".join(ends[k if k < 2 else k - len(at)] for k in outside)
        return f"{names} {'lies' if len(outside) == 1 else 'lie'} far out, at {found.observed[outside[0]]:.1f} sd"
    z = (values - values.mean(axis=0)) / values.std(axis=0)
    skewness, kurtosis = (z**3).mean(axis=0), (z**4).mean(axis=0)
    crowded = (np.abs(z) < 0.5).mean(axis=0)
    skewed, tailed, middle = (_score(one) for one in (skewness, np.log(kurtosis), crowded))
    if tailed < -2.0 and middle < -2.0:
        return f"two humps, {100 * crowded[0]:.0f} % in the middle where {100 * crowded[1:].mean():.0f} % should be"
    if abs(skewed) > max(3.0, tailed):
        return f"skewed to the {'right' if skewed > 0 else 'left'} (skewness {skewness[0]:.1f})"
    if tailed > 2.0:
        return f"heavier tails than normal (kurtosis {kurtosis[0]:.1f}, {kurtosis[1:].mean():.1f} expected)"
    if tailed < -2.0:
        return f"shorter tails than normal (kurtosis {kurtosis[0]:.1f}, {kurtosis[1:].mean():.1f} expected)"
    return f"not normal, most at {found.observed[found.worst]:.1f} sd"


def _score(values: Floats) -> float:
    """Of the first value among the others, in their standard deviations."""
    return float((values[0] - values[1:].mean()) / max(values[1:].std(), 1e-300))
