"""The report's pictures, beside that of the class as a sampling distribution."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from mixedsim.plot.style import INK, PAPER, Picture, dress, look, picture, say

_BAR = "#3d7fa6"
_MOST_BINS = 24


def score_picture(scores: pd.Series[float], label: str, *, maximum: float | None = None) -> Picture:
    """How many students have how many points, as a histogram, with the median.

    Parameters
    ----------
    scores : points by student.
    label : what is counted, for the axis.
    maximum : where the axis ends; by default at the highest score.
    """
    top = float(max(maximum or 0.0, scores.max(), 1.0))
    width = max(0.5, np.ceil(2 * top / _MOST_BINS) / 2)
    edges = np.arange(0.0, top + width + 1e-9, width) - width / 2
    edges = np.append(edges, edges[-1] + width) if edges[-1] < top else edges
    counts, _ = np.histogram(scores, edges)
    sheet = picture(4.6, 2.1)
    with look():
        ax = sheet.subplots()
        dress(ax)
        ax.bar(edges[:-1] + width / 2, counts, width=0.9 * width, color=_BAR)
        ax.set_ylim(0, 1.2 * counts.max())
        middle = float(scores.median())
        ax.axvline(middle, color=INK, lw=1.2, ls=":")
        ax.annotate(
            f"median {middle:.4g}", (middle, 1.0), (3, -2), xycoords=ax.get_xaxis_transform(),
            textcoords="offset points", va="top", fontsize=8.5, color=INK, bbox={"fc": PAPER, "ec": "none", "pad": 1},
        )  # fmt: skip
        ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        ax.xaxis.set_major_locator(MaxNLocator(9, integer=True))
        ax.set_xlabel(label)
        ax.set_ylabel("students")
    low, high = float(scores.min()), float(scores.max())
    say(sheet, f"Histogram of {label}: {len(scores)} students, from {low:.4g} to {high:.4g}, median {middle:.4g}.")
    return sheet
