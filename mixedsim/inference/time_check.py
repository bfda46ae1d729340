"""Is nothing left over time? Autocorrelations of residuals, judged by `envelopes`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.inference.autocorrelation import Succession, autocorrelations
from mixedsim.inference.envelopes import LEVEL, Envelope, envelope
from mixedsim.inference.verdict import Verdict, judged, nothing

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Autocorrelation:
    """Autocorrelations of the residuals within groups.

    Attributes
    ----------
    lags, pairs : L lags in steps, and the number of pairs behind each.
    unit : time of one step; None where rows are counted.
    envelope : of the autocorrelations.
    verdict : in words.
    """

    lags: Codes
    pairs: Codes
    unit: float | None
    envelope: Envelope | None
    verdict: Verdict


def autocorrelation_check(residual: Floats, rows: Succession, level: float = LEVEL) -> Autocorrelation:
    """Return whether rows that follow each other agree no more than the model says.

    Parameters
    ----------
    residual : n × m, the data in column 0.
    rows : which rows follow which.
    level : of the test.
    """
    pairs = np.array([len(first) for first, _ in rows.pairs], dtype=np.intp)
    if not len(rows.lags):
        verdict = nothing("autocorrelation", "too few rows of one group follow each other in time")
        return Autocorrelation(rows.lags, pairs, rows.unit, None, verdict)
    found = envelope(autocorrelations(residual, rows), level)
    k = found.worst
    apart = "one step" if rows.lags[k] == 1 else f"{rows.lags[k]} steps"
    how = f"rows {apart} apart correlate {found.observed[k]:.2f} ({found.centre[k]:.2f} expected)"
    return Autocorrelation(rows.lags, pairs, rows.unit, found, judged("autocorrelation", found.departs, found.p, how))
