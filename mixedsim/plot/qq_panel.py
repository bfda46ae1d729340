"""Quantiles of residuals or of random effects beside those of a right model."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixedsim.inference.shape_checks import Shape
from mixedsim.models.diagnosis import Diagnosis
from mixedsim.plot.panels import DEPARTS, ask, band, diagnosis_of, empty, remark, short
from mixedsim.plot.style import FAINT, INK, POINT, dress, figure_of, look, picture, say

_NAMES = 2  # points that are named at most


def qq(fit: Any, what: str = "residuals", term: str | None = None, *, seed: Any = 0, ax: Axes | None = None) -> Figure:
    """Return the quantiles of residuals, or of the random effects of a factor, against those of a normal distribution.

    The bands hold the quantiles of responses drawn from the fit, each analysed as the data were: 95 % of them at each
    point (inner), and 99 % of all their points together (outer). The verdict says whether any point leaves the outer
    band, and what shape that is. Values are over their standard deviation under the model.

    Parameters
    ----------
    fit : a fitted model, or what its `diagnose` returned.
    what : ``"residuals"``, or a grouping factor.
    term : effect of that factor; all of them, a panel each, if None (with `ax`: the first).
    seed : where the random numbers begin.
    ax : axes for one panel; a new figure if None.

    Raises
    ------
    MixedsimError
        If it is no fit, or there is no such factor or effect.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> figure = ms.plot.qq(fit, "Subject", "Days")
    >>> figure.alt
    'Quantiles of 18 effects of Days by Subject, from -2.03 to 1.74 sd: looks fine.'
    >>> plt.close(figure)
    """
    diagnosis = diagnosis_of(fit, seed, "qq")
    effects: list[str | None] = [term]
    if what in diagnosis.fit.n_groups and term is None:
        factor = next(one for one in diagnosis.fit.design.factors if one.name == what)
        effects = list(factor.effects) if ax is None else [factor.effects[0]]
    found = [(effect, diagnosis.shape(what, effect)) for effect in effects]
    figure = picture(4.2 * len(found), 4.0) if ax is None else figure_of(ax)
    with look():
        axes = list(figure.subplots(1, len(found), squeeze=False).ravel()) if ax is None else [ax]
        for panel, (effect, shape) in zip(axes, found, strict=True):
            qq_panel(panel, diagnosis, shape, _name(diagnosis, what, effect))
    return figure


def _name(diagnosis: Diagnosis, what: str, effect: str | None) -> str:
    return "residuals" if what not in diagnosis.fit.n_groups else f"{effect} by {what}"


def qq_panel(ax: Axes, diagnosis: Diagnosis, shape: Shape, name: str) -> None:
    """Is the shape normal? One panel."""
    dress(ax)
    question = "Are residuals normal?" if name == "residuals" else f"Normal effects? {short(name, 28)}"
    if shape.envelope is None:
        ask(ax, question, None)
        empty(ax, shape.verdict)
        say(figure_of(ax), f"{name}: {shape.verdict.words}.")
        return
    found = shape.envelope
    ask(ax, question, shape.verdict)
    band(ax, shape.normal, found)
    ax.plot(shape.normal, found.centre, color=FAINT, lw=0.8, zorder=3)
    outside = (found.observed < found.low) | (found.observed > found.high)
    size = float(np.clip(1500.0 / len(shape.normal), 5.0, 18.0))
    colours = np.where(outside, DEPARTS, POINT)
    ax.scatter(shape.normal, found.observed, s=size, c=list(colours), lw=0, zorder=5)
    _name_outside(ax, diagnosis, shape, outside, name)
    ax.set_xlabel("normal quantile")
    ax.set_ylabel("standardised residual" if name == "residuals" else "standardised effect")
    count = len(diagnosis.replicated.used) if name == "residuals" else _count(diagnosis, name)
    if diagnosis.sampled:
        remark(ax, f"{count:,} of {diagnosis.sampled}" if name != "residuals" else diagnosis.sampled)
    what = "residuals" if name == "residuals" else f"effects of {name}"
    say(
        figure_of(ax),
        f"Quantiles of {count:,} {what}, from {found.observed[0]:.2f} to {found.observed[-1]:.2f} sd: "
        f"{shape.verdict.words}.",
    )


def _count(diagnosis: Diagnosis, name: str) -> int:
    effects = diagnosis.replicated.effects
    for (f, a), values in effects.items():
        factor = diagnosis.fit.design.factors[f]
        if f"{factor.effects[a]} by {factor.name}" == name:
            return len(values)
    return 0


def _name_outside(ax: Axes, diagnosis: Diagnosis, shape: Shape, outside: Any, name: str) -> None:
    """Name the furthest points outside of the band, the lowest and the highest."""
    assert shape.envelope is not None
    where = np.flatnonzero(outside)
    ends = [k for k in (0, len(outside) - 1) if k in where][:_NAMES]
    for k in ends:
        place = int(shape.order[k])
        if name == "residuals":
            label = f"row {diagnosis.fit.design.index[diagnosis.replicated.used[place]]}"
        else:
            f = next(i for i, one in enumerate(diagnosis.fit.design.factors) if name.endswith(f" by {one.name}"))
            label = str(diagnosis.fit.design.factors[f].levels[diagnosis.replicated.levels[f][place]])
        side = "left" if k == 0 else "right"
        ax.annotate(
            label, (shape.normal[k], shape.envelope.observed[k]), xytext=(6 if side == "left" else -6, 0),
            textcoords="offset points", fontsize=7.5, color=INK, ha=side, va="center", zorder=6,
        )  # fmt: skip
