"""How much wider intervals are because predictors repeat each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixedsim.inference.collinearity import MODERATE, SEVERE
from mixedsim.models.diagnosis import Diagnosis
from mixedsim.plot.panels import DEPARTS, ask, diagnosis_of, empty
from mixedsim.plot.style import FAINT, PAPER, POINT, dress, figure_of, look, picture, say

_SHOWN = 14


def collinearity(fit: Any, *, ax: Axes | None = None) -> Figure:
    """Return how much wider the intervals of each term are than if predictors did not repeat each other.

    The widening is GVIF^(1/2df): the root of the variance inflation factor, comparable between terms of one and of
    several coefficients. Dashed lines stand where factors of 5 and 10 are in common use.

    Parameters
    ----------
    fit : a fitted model, or what its `diagnose` returned.
    ax : axes; a new figure if None.

    Raises
    ------
    MixedsimError
        If it is no fit.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> fit = ms.lmer("lang ~ IQ + SES + (1 | class)", ms.datasets.load("nlschools"))
    >>> figure = ms.plot.collinearity(fit)
    >>> figure.alt
    'Collinearity of 2 terms: intervals of IQ are widened most, 1.05 times; looks fine.'
    >>> plt.close(figure)
    """
    diagnosis = diagnosis_of(fit, 0, "collinearity")
    terms = diagnosis.collinearity[0]["term"].nunique()
    figure = picture(4.6, 1.5 + 0.28 * min(max(terms, 2), _SHOWN)) if ax is None else figure_of(ax)
    with look():
        collinearity_panel(figure.subplots() if ax is None else ax, diagnosis)
    return figure


def collinearity_panel(ax: Axes, diagnosis: Diagnosis) -> None:
    """Do predictors repeat each other? One line a term."""
    dress(ax)
    table, verdict = diagnosis.collinearity
    question = "Do predictors repeat each other?"
    if verdict.fine is None:
        ask(ax, question, None)
        empty(ax, verdict)
        say(figure_of(ax), f"Collinearity: {verdict.words}")
        return
    ask(ax, question, verdict)
    by_term = table.groupby("term", sort=False)["widening"].first()
    # two predictors share one factor but for rounding: then the first leads
    by_term = by_term.iloc[np.argsort(-by_term.to_numpy().round(9), kind="stable")[:_SHOWN]][::-1]
    wide = by_term.to_numpy(dtype=np.float64)
    y = np.arange(len(wide))
    colours = list(np.where(wide**2 >= SEVERE, DEPARTS, POINT))
    ax.hlines(y, 1.0, wide, color=colours, lw=1.6, zorder=3)
    ax.scatter(wide, y, s=28, c=colours, edgecolors=PAPER, linewidths=0.6, zorder=4)
    for limit in (MODERATE, SEVERE):
        ax.axvline(np.sqrt(limit), color=FAINT, lw=0.9, ls="--", zorder=1)
        ax.annotate(
            f"VIF {limit:g}", (float(np.sqrt(limit)), 1.0), xycoords=("data", "axes fraction"), xytext=(-2, -2),
            textcoords="offset points", fontsize=7.5, color=FAINT, ha="right", va="top", rotation=90,
        )  # fmt: skip
    ax.set_yticks(y, [str(name) for name in by_term.index], fontsize=8.0)
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0.95, 1.08 * max(float(wide.max()), np.sqrt(SEVERE)))
    ax.set_ylim(-0.7, len(wide) - 0.3)
    ax.set_xlabel("times that intervals are widened")
    say(
        figure_of(ax),
        f"Collinearity of {table['term'].nunique()} terms: intervals of {by_term.index[-1]} are widened most, "
        f"{wide[-1]:.2f} times; {verdict.words}.",
    )
