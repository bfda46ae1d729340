"""Leverage and Cook's distance: which rows and groups the coefficients hang on."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixedsim.inference.influence_check import Pull, Pulls
from mixedsim.models.diagnosis import Diagnosis
from mixedsim.plot.panels import DEPARTS, ask, cloud, diagnosis_of, short
from mixedsim.plot.style import FAINT, INK, PAPER, POINT, dress, figure_of, look, picture, say

_SHOWN = 12  # levels, the largest first
_NAMED = 2  # rows that are named
_APART = 0.05  # of the height, for two names


def influence(fit: Any, group: str | None = None, *, seed: Any = 0, ax: Axes | None = None) -> Figure:
    """Return Cook's distances: of rows against their leverage, and of the levels of a factor, largest first.

    The dashed line is what the largest of all exceeds in one right model of two hundred; beyond it the verdict is that
    a row or level pulls more than any should. Nothing is fitted again: see ``fit.influence()``.

    Parameters
    ----------
    fit : a fitted model, or what its `diagnose` returned.
    group : draw the levels of this factor alone; rows, and levels of the factor with most of them, if None.
    seed : where the random numbers begin.
    ax : axes for the levels; a new figure if None.

    Raises
    ------
    MixedsimError
        If it is no fit, or has no such factor.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> figure = ms.plot.influence(fit, "Subject")
    >>> figure.alt.split(";")[0]
    "Cook's distance of 18 levels of Subject, the largest 309 (0.15): Intercept by 0.4 standard errors"
    >>> plt.close(figure)
    """
    diagnosis = diagnosis_of(fit, seed, "influence")
    found = diagnosis.pulls(group)
    alone = ax is not None or group is not None
    figure = picture(4.4 if alone else 8.4, 3.8) if ax is None else figure_of(ax)
    with look():
        if alone:
            level_panel(figure.subplots() if ax is None else ax, diagnosis, found)
            return figure
        left, right = figure.subplots(1, 2)
        row_panel(left, diagnosis, found)
        level_panel(right, diagnosis, found)
    return figure


def row_panel(ax: Axes, diagnosis: Diagnosis, found: Pulls) -> None:
    """Does a single row pull? Cook's distance against leverage."""
    dress(ax)
    leverage, cook = found.rows.leverage, found.rows.cook
    known = np.isfinite(cook)
    ask(ax, "Does a single row pull?", found.row_verdict)
    binned = cloud(ax, leverage[known], cook[known])
    _line(ax, found.row, horizontal=True)
    top = np.flatnonzero(known)[np.argsort(-cook[known], kind="stable")[:_NAMED]]
    widest = float(np.max(leverage[known], initial=0.0))
    highest = max(float(np.max(cook[known], initial=0.0)), _limit(found.row))
    for place, k in enumerate(top):
        if place and cook[top[0]] - cook[k] < _APART * highest:
            continue  # its name would lie on that of the first
        ax.plot(leverage[k], cook[k], "o", color=POINT, ms=3.5, mew=0, zorder=5)
        right = leverage[k] < 0.6 * widest
        ax.annotate(
            f"row {diagnosis.fit.design.index[k]}", (leverage[k], cook[k]), xytext=(5 if right else -5, 0),
            textcoords="offset points", fontsize=7.5, color=INK, ha="left" if right else "right", va="center", zorder=6,
        )  # fmt: skip
    ax.set_xlim(0.0, 1.06 * widest if widest > 0 else 1.0)
    ax.set_ylim(bottom=0.0)
    ax.set_xlabel("leverage")
    ax.set_ylabel("Cook's distance")
    largest = "" if not len(top) else f", the largest row {diagnosis.fit.design.index[top[0]]} ({cook[top[0]]:.2g})"
    say(
        figure_of(ax),
        f"Cook's distance of {int(known.sum()):,} rows against leverage{' (binned)' if binned else ''}{largest}: "
        f"{found.row_verdict.words}.",
    )


def level_panel(ax: Axes, diagnosis: Diagnosis, found: Pulls) -> None:
    """Does a group pull? Cook's distances of the levels, largest on top."""
    dress(ax)
    cook = found.levels.cook
    known = np.flatnonzero(np.isfinite(cook))
    order = known[np.argsort(-cook[known], kind="stable")][:_SHOWN]
    names = diagnosis.fit.design.factors[list(diagnosis.fit.n_groups).index(found.group)].levels
    ask(ax, f"Does a {short(found.group, 28)} pull?", found.level_verdict)
    y = np.arange(len(order))[::-1]
    beyond = cook[order] > found.level.limit
    colours = list(np.where(beyond, DEPARTS, POINT))
    ax.hlines(y, 0.0, cook[order], color=colours, lw=1.6, zorder=3)
    ax.scatter(cook[order], y, s=26, c=colours, edgecolors=PAPER, linewidths=0.6, zorder=4)
    _line(ax, found.level, horizontal=False)
    ax.set_yticks(y, [str(names[k]) for k in order], fontsize=8.0)
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(left=0.0)
    ax.set_ylim(-0.7, len(order) - 0.3)
    more = f", {len(order)} largest of {len(cook):,}" if len(order) < len(cook) else ""
    ax.set_xlabel(f"Cook's distance by {found.group}{more}")
    say(figure_of(ax), _sentence(diagnosis, found, order))


def _line(ax: Axes, pull: Pull, *, horizontal: bool) -> None:
    """What the largest of all hardly ever exceeds."""
    if np.isfinite(pull.limit):
        (ax.axhline if horizontal else ax.axvline)(pull.limit, color=FAINT, lw=1.0, ls="--", zorder=2)
        if horizontal:
            at, coords, shift = (1.0, pull.limit), ("axes fraction", "data"), (-2, -2)
        else:
            at, coords, shift = (pull.limit, 0.0), ("data", "axes fraction"), (-3, 4)
        ax.annotate(
            "largest in 1 of 200", at, xycoords=coords, xytext=shift, textcoords="offset points", fontsize=7.5,
            color=FAINT, ha="right", va="top" if horizontal else "bottom", rotation=0 if horizontal else 90, zorder=6,
        )  # fmt: skip


def _limit(pull: Pull) -> float:
    return pull.limit if np.isfinite(pull.limit) else 0.0


def _sentence(diagnosis: Diagnosis, found: Pulls, order: Any) -> str:
    names = diagnosis.fit.design.factors[list(diagnosis.fit.n_groups).index(found.group)].levels
    head = f"Cook's distance of {len(found.levels.cook):,} levels of {found.group}"
    if not len(order):
        return f"{head}: {found.level_verdict.words}."
    changes = diagnosis.dfbetas(found.levels)[order[0]]
    k = int(np.argmax(np.abs(changes)))
    moved = f"{diagnosis.fit.coefficient_names[k]} by {abs(changes[k]):.2g} standard errors"
    largest = f"the largest {names[order[0]]} ({found.levels.cook[order[0]]:.2g})"
    return f"{head}, {largest}: {moved}; {found.level_verdict.words}."
