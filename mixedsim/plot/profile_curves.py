"""ζ, or the density that belongs to it, against one parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from mixedsim.errors import MixedsimError
from mixedsim.inference.profile import LikelihoodProfile
from mixedsim.inference.profile_contours import SmoothProfile
from mixedsim.listing import listed
from mixedsim.plot.parameter_panels import ACROSS, colour_of_parameter, label, panels, sheet_size
from mixedsim.plot.style import FAINT, TRUTH, dress, figure_of, look, picture

_POINTS: Final = 301
_AT_END: Final = 1e-3  # of the height of ζ: a curve that ends lower ends where its scale does


def draw_curves(
    found: LikelihoodProfile,
    names: Sequence[str],
    kind: str,
    levels: Sequence[float],
    truth: Mapping[str, float],
    units: Mapping[str, str] | None,
    ax: Axes | None,
) -> tuple[Figure, str]:
    """One panel a parameter; returns the figure and the sentence for its `alt`."""
    if ax is not None and len(names) > 1:
        raise MixedsimError(f"ax has room for one parameter, found {len(names)}: name one by which=, or leave ax out.")
    ends = {level: found.confint(level) for level in levels}
    figure = picture(*sheet_size(len(names))) if ax is None else figure_of(ax)
    said = []
    with look():
        axes = panels(figure, len(names), share_y=kind == "zeta") if ax is None else [ax]
        for k, (panel, name) in enumerate(zip(axes, names, strict=True)):
            dress(panel)
            curve = SmoothProfile.of(found.table, name)
            intervals = {level: _ends(table, name) for level, table in ends.items()}
            draw = _zeta if kind == "zeta" else _density
            draw(panel, curve, intervals, named=k == min(len(names), ACROSS) - 1)
            if name in truth:
                panel.axvline(truth[name], color=TRUTH.colour, lw=TRUTH.width, ls=TRUTH.dashes, zorder=1.5)
            label(panel, name, units)
            said.append(_sentence(curve, intervals, truth.get(name)))
        _label_up(figure, axes, kind, alone=ax is not None)
    if len(levels) > 1:
        said.append(f"Drawn too: {listed(f'{100 * level:g} %' for level in levels[:-1])}.")
    return figure, " ".join(said)


def _ends(table: pd.DataFrame, name: str) -> tuple[float, float]:
    lower, upper = table.loc[name, ["lower", "upper"]].to_numpy(dtype=np.float64)
    return float(lower), float(upper)


def _zeta(ax: Axes, curve: SmoothProfile, intervals: Mapping[float, tuple[float, float]], *, named: bool) -> None:
    """The curve, its points, the line of a Wald interval, and the cuts of the intervals."""
    colour = colour_of_parameter(curve.name)
    values = curve.grid(_POINTS)
    at = curve.top
    (slope,) = curve.slope(np.array([at]))
    straight = slope * (values - at)
    reach = np.abs(curve.zetas).max()
    near = np.abs(straight) <= 1.05 * reach
    ax.plot(values[near], straight[near], color=TRUTH.colour, lw=1.0, ls=(0, (4, 2)), zorder=2)
    ax.axhline(0.0, color=FAINT, lw=0.6, zorder=1)
    for level, (lower, upper) in intervals.items():
        height = float(ndtri(0.5 + level / 2.0))
        for end, side in ((lower, -1.0), (upper, 1.0)):
            if np.isfinite(end) and _reached(curve, side * height):
                ax.plot([end, end], [0.0, side * height], color=colour, lw=0.8, alpha=0.7, zorder=2)
                ax.plot([end], [side * height], "o", color=colour, ms=2.6, zorder=4)
        if named:
            ax.annotate(
                f"{100 * level:g} %", (1.0, height), (3, 0), xycoords=ax.get_yaxis_transform(),
                textcoords="offset points", ha="left", va="center", fontsize=7.5, color=FAINT,
            )  # fmt: skip
    ax.plot(values, curve.zeta(values), color=colour, lw=1.6, zorder=3)
    top = 1.08 * max(reach, float(ndtri(0.5 + max(intervals) / 2.0)))
    ax.set_ylim(-top, top)


def _reached(curve: SmoothProfile, zeta: float) -> bool:
    """Whether ζ gets there before the scale ends; an interval that ends at the end of the scale has no cut."""
    end = curve.zetas[-1] if zeta > 0 else curve.zetas[0]
    return bool(abs(end) >= abs(zeta) - _AT_END)


def _density(ax: Axes, curve: SmoothProfile, intervals: Mapping[float, tuple[float, float]], *, named: bool) -> None:
    """The density, darker in narrower intervals; the mass at the end of a scale in words."""
    del named
    colour = colour_of_parameter(curve.name)
    values = curve.grid(_POINTS)
    height = curve.density(values)
    for lower, upper in intervals.values():
        inside = (values >= lower) & (values <= upper)
        ax.fill_between(values[inside], 0.0, height[inside], color=colour, alpha=0.16, lw=0, zorder=1)
    ax.plot(values, height, color=colour, lw=1.6, zorder=3)
    at = curve.top
    ax.plot([at, at], [0.0, float(np.interp(at, values, height))], color=colour, lw=1.0, zorder=2)
    ax.set_ylim(0.0, 1.08 * top_of(height))
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    for share, end, right in _masses_at_ends(curve):
        ax.annotate(
            f"{100 * share:.1f} % at {end:g}", (1.0 if right else 0.0, 1.0), xycoords="axes fraction",
            ha="right" if right else "left", va="bottom", fontsize=7.5, color=FAINT,
        )  # fmt: skip


def top_of(height: NDArray[np.float64]) -> float:
    """Where a density is highest, but for a corner in which it has no end; 1 where it is nothing."""
    finite = height[np.isfinite(height)]
    return float(np.quantile(finite, 0.995)) or 1.0


def _masses_at_ends(curve: SmoothProfile) -> list[tuple[float, float, bool]]:
    """For every end of the scale that the curve reaches: the share of the mass there, where, and if it is upper."""
    found = []
    for place, right in ((0, False), (-1, True)):
        end, zeta = curve.ends[place], float(curve.zetas[place])
        if (end == 0.0 and curve.name.startswith("sd(")) or (abs(end) >= 1.0 and curve.name.startswith("corr(")):
            found.append((float(ndtr(-abs(zeta))), end, right))
    return found


def _label_up(figure: Figure, axes: Sequence[Axes], kind: str, *, alone: bool) -> None:
    text = "ζ" if kind == "zeta" else "density"
    if alone or len(axes) == 1:
        axes[0].set_ylabel(text, rotation=0 if kind == "zeta" else 90)
    else:
        figure.supylabel(text, fontsize=9.5, rotation=0 if kind == "zeta" else 90)


def _sentence(
    curve: SmoothProfile,
    intervals: Mapping[float, tuple[float, float]],
    truth: float | None,
) -> str:
    """Alt text: the widest interval, how lopsided it is, and where the scale ends."""
    level = max(intervals)
    lower, upper = intervals[level]
    at = curve.top
    said = [f"Profile of {curve.name}: {100 * level:g} % interval {lower:.4g} to {upper:.4g}"]
    reached = [end for _, end, _ in _masses_at_ends(curve) if end in (lower, upper)]
    if reached:
        said.append(f"which ends where the scale does, at {listed(f'{end:g}' for end in reached)}")
    elif np.isfinite([lower, upper]).all() and upper > at > lower:
        long, short = max(upper - at, at - lower), min(upper - at, at - lower)
        side = "right" if upper - at >= at - lower else "left"
        said.append(
            "even to both sides of the maximum" if long / short < 1.05
            else f"{long / short:.2f} times as far to the {side} as to the other side"
        )  # fmt: skip
    if truth is not None:
        inside = "inside" if lower <= truth <= upper else "outside"
        said.append(f"its truth, {truth:.4g}, lies {inside}")
    return "; ".join(said) + "."
