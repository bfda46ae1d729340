"""Curves with bands, and points with intervals: how an expected value is drawn, with the truth behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mixedsim.plot.style import TRUTH

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curve:
    """Estimates along x for one value of the second predictor; `truth` is None where it is not known."""

    label: str
    colour: str
    x: Floats
    estimate: Floats
    lower: Floats
    upper: Floats
    truth: Floats | None


def draw_band(ax: Axes, curve: Curve) -> None:
    """A line with its confidence band."""
    ax.fill_between(curve.x, curve.lower, curve.upper, color=curve.colour, alpha=0.18, lw=0, zorder=3)
    ax.plot(curve.x, curve.estimate, color=curve.colour, lw=2.2, zorder=4, label=curve.label)
    _ghost(ax, curve.x, curve.truth)


def draw_intervals(ax: Axes, curve: Curve, shift: float) -> None:
    """Points with their intervals, moved sideways so that several curves do not hide each other."""
    x = curve.x + shift
    ax.vlines(x, curve.lower, curve.upper, color=curve.colour, lw=2.2, zorder=3)
    if curve.label:  # lines that are not parallel show an interaction
        ax.plot(x, curve.estimate, color=curve.colour, lw=1.0, alpha=0.6, zorder=3)
    ax.plot(x, curve.estimate, "o", color=curve.colour, ms=6.5, zorder=4, label=curve.label)
    if curve.truth is not None:
        ax.plot(x, curve.truth, "d", color=TRUTH.colour, ms=6, zorder=5, label=TRUTH.label)


def _ghost(ax: Axes, x: Floats, truth: Floats | None) -> None:
    if truth is not None:
        ax.plot(x, truth, color=TRUTH.colour, lw=TRUTH.width, ls=TRUTH.dashes, zorder=5, label=TRUTH.label)


def name_curves(figure: Figure, ax: Axes, title: str | None, *, outside: bool) -> None:
    """One entry a curve and one for the truth."""
    handles = {label: one for one, label in zip(*ax.get_legend_handles_labels(), strict=True) if label}
    if not handles:
        return
    if TRUTH.label in handles:  # last
        handles[TRUTH.label] = handles.pop(TRUTH.label)
    wide = sum(map(len, handles)) > 40
    if outside:
        figure.legend(
            handles=list(handles.values()), title=title, title_fontsize=8.5, loc="outside upper center",
            ncols=2 if wide else min(len(handles), 4),
        )  # fmt: skip
    else:
        ax.legend(handles=list(handles.values()), title=title, title_fontsize=8.5, loc="best")
