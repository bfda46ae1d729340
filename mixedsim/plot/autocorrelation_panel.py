"""Autocorrelation of residuals over time, beside that of a right model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from mixedsim.inference.time_check import Autocorrelation
from mixedsim.models.diagnosis import Diagnosis
from mixedsim.plot.panels import DEPARTS, INNER, OUTER, ask, diagnosis_of, empty, remark
from mixedsim.plot.style import FAINT, PAPER, POINT, dress, figure_of, look, picture, say


def autocorrelation(
    fit: Any,
    time: str | ArrayLike,
    group: str | None = None,
    *,
    lags: int = 10,
    units: Mapping[str, str] | None = None,
    seed: Any = 0,
    ax: Axes | None = None,
) -> Figure:
    """Return the autocorrelations of the residuals within groups, along a time.

    Only rows that lie so many steps of the time apart are paired, so that gaps shift nothing. Random effects take part
    of each group's mean away, so that in a right model neighbours disagree a little: the bands, from responses drawn
    from the fit, lie where they should.

    Parameters
    ----------
    fit : a fitted model, or what its `diagnose` returned.
    time : a column of the data, or one number or date a row.
    group : grouping factor within which rows follow each other; the one with most levels if None.
    lags : the longest lag, in steps.
    units : {column: unit} for the label.
    seed : where the random numbers begin.
    ax : axes; a new figure if None.

    Raises
    ------
    MixedsimError
        If it is no fit, has no such factor, or there is no such time.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> figure = ms.plot.autocorrelation(fit, "Days", lags=4)
    >>> figure.alt.split(":")[0]
    'Autocorrelation of residuals within Subject at 4 lags, 0.11 at the first where -0.18 is expected'
    >>> plt.close(figure)
    """
    diagnosis = diagnosis_of(fit, seed, "autocorrelation")
    found = diagnosis.autocorrelation(time, group, lags)
    name = group or next(iter(diagnosis.fit.n_groups))
    figure = picture(4.8, 3.4) if ax is None else figure_of(ax)
    with look():
        panel = figure.subplots() if ax is None else ax
        time_panel(panel, diagnosis, found, time if isinstance(time, str) else "time", name, units)
    return figure


def time_panel(
    ax: Axes, diagnosis: Diagnosis, found: Autocorrelation, time: str, group: str, units: Mapping[str, str] | None
) -> None:
    """Do rows that follow each other agree? One bar a lag."""
    dress(ax)
    ask(ax, f"Is nothing left over {time}?", None if found.envelope is None else found.verdict)
    if found.envelope is None:
        empty(ax, found.verdict)
        say(figure_of(ax), f"Autocorrelation over {time}: {found.verdict.words}.")
        return
    own = found.envelope
    for low, high, colour, width, above in (
        (own.low, own.high, OUTER, 0.8, 1), (own.lower, own.upper, INNER, 0.6, 2),
    ):  # fmt: skip
        ax.bar(found.lags, high - low, bottom=low, width=width, color=colour, zorder=above)
    outside = (own.observed < own.low) | (own.observed > own.high)
    colours = list(np.where(outside, DEPARTS, POINT))
    ax.vlines(found.lags, 0.0, own.observed, color=colours, lw=2.0, zorder=4)
    ax.scatter(found.lags, own.observed, s=28, c=colours, edgecolors=PAPER, linewidths=0.6, zorder=5)
    ax.axhline(0.0, color=FAINT, lw=0.8, zorder=3)
    ax.set_xticks(found.lags)
    ax.set_xlabel(_axis(found.unit, time, (units or {}).get(time)))
    ax.set_ylabel(f"autocorrelation within {group}")
    if diagnosis.sampled:
        remark(ax, diagnosis.sampled)
    say(
        figure_of(ax),
        f"Autocorrelation of residuals within {group} at {len(found.lags)} lags, {own.observed[0]:.2f} at the first "
        f"where {own.centre[0]:.2f} is expected: {found.verdict.words}.",
    )


def _axis(unit: float | None, time: str, name: str | None) -> str:
    if unit is None:
        return f"lag (rows in order of {time})"
    if name:
        return f"lag ({name})" if unit == 1 else f"lag ({unit:g} {name})"
    return f"lag in {time}" if unit == 1 else f"lag (steps of {unit:g} in {time})"
