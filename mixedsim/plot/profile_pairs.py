"""Joint confidence regions of every two parameters, with both profile traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from mixedsim.errors import MixedsimError
from mixedsim.inference.profile import LikelihoodProfile
from mixedsim.inference.profile_contours import SmoothProfile, tie, trace
from mixedsim.listing import listed
from mixedsim.plot.parameter_panels import colour_of_parameter, label
from mixedsim.plot.profile_curves import top_of
from mixedsim.plot.style import INK, LINES, SEVERAL, TRUTH, dress, figure_of, look
from mixedsim.plot.triangle import triangle

Floats = NDArray[np.float64]
_FIRST, _SECOND = LINES["intercepts"].colour, SEVERAL[0]  # traces: as the parameter across is moved, as the one up is


def draw_pairs(
    found: LikelihoodProfile,
    names: Sequence[str],
    count: int,
    levels: Sequence[float],
    truth: Mapping[str, float],
    units: Mapping[str, str] | None,
    ax: Axes | None,
) -> tuple[Figure, str]:
    """A triangle of panels; returns the figure and the sentence for its `alt`."""
    if len(names) < 2:
        raise MixedsimError(
            f"pairs need two parameters or more, found {listed(map(repr, names))}: name more by which=."
        )
    if ax is not None and len(names) != 2:
        raise MixedsimError(f"ax has room for one pair, found {len(names)} parameters: name two by which=.")
    lines = {
        pair: {level: found.contour(*pair, level).to_numpy(dtype=np.float64) for level in levels}
        for pair in combinations(names, 2)
    }
    limits = _limits(found, names, lines, truth)
    if ax is not None:
        figure = figure_of(ax)
        with look():
            dress(ax)
            ((one, other),) = lines
            _pair(ax, found, one, other, lines[one, other], truth)
            ax.set(xlim=limits[one], ylim=limits[other])
            label(ax, one, units)
            label(ax, other, units, up=True)
    else:
        figure = _triangle(found, names, lines, limits, truth, units)
    unknown = [pair for pair, drawn in lines.items() if all(np.isnan(line).all() for line in drawn.values())]
    cut = [
        listed(pair)
        for pair, drawn in lines.items()
        if pair not in unknown and any(np.isnan(line).any() for line in drawn.values())
    ]
    return figure, _sentence(found, names, count, levels, cut, [listed(pair) for pair in unknown])


def _triangle(
    found: LikelihoodProfile,
    names: Sequence[str],
    lines: Mapping[tuple[str, str], Mapping[float, Floats]],
    limits: Mapping[str, tuple[float, float]],
    truth: Mapping[str, float],
    units: Mapping[str, str] | None,
) -> Figure:
    """Below the diagonal one panel a pair, on it each parameter's density."""
    drawn = triangle(names, limits, units)
    with look():
        for name, ax in drawn.alone.items():
            _alone(ax, found, name, truth)
        for (one, other), ax in drawn.pairs.items():
            _pair(ax, found, one, other, lines[one, other], truth)
        drawn.legend(_handles(list(next(iter(lines.values()))), with_truth=any(name in truth for name in names)))
    return drawn.figure


def _limits(
    found: LikelihoodProfile,
    names: Sequence[str],
    lines: Mapping[tuple[str, str], Mapping[float, Floats]],
    truth: Mapping[str, float],
) -> dict[str, tuple[float, float]]:
    """For every parameter the range of its contours, one for all panels, with room for the truth."""
    out = {}
    for name in names:
        ends = [line[:, pair.index(name)] for pair, drawn in lines.items() if name in pair for line in drawn.values()]
        if any(np.isnan(end).any() for end in ends):  # what the end of a scale cuts off reaches to that end
            ends.append(found.table.loc[[name], "value"].to_numpy(dtype=np.float64))
        values = np.concatenate([*ends, [truth[name]] if name in truth else []])
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        margin = 0.06 * (high - low)
        out[name] = (low - margin, high + margin)
    return out


def _pair(
    ax: Axes,
    found: LikelihoodProfile,
    one: str,
    other: str,
    lines: Mapping[float, Floats],
    truth: Mapping[str, float],
) -> None:
    """Contours from the widest, both traces, the estimate."""
    for level, line in sorted(lines.items(), reverse=True):
        inside = _from_gap(line)
        ax.fill(inside[:, 0], inside[:, 1], color=INK, alpha=0.07, lw=0, zorder=1)
        (drawn,) = ax.plot(line[:, 0], line[:, 1], color=INK, lw=0.9, zorder=3)
        drawn.set_gid(f"contour {level:g}")
    for moved, followed, colour, turned in ((one, other, _FIRST, False), (other, one, _SECOND, True)):
        x, y = _smooth_trace(found, moved, followed)
        (drawn,) = ax.plot(*((y, x) if turned else (x, y)), color=colour, lw=1.2, zorder=4)
        drawn.set_gid(f"trace {moved}")
    at = [SmoothProfile.of(found.table, name).top for name in (one, other)]
    ax.plot([at[0]], [at[1]], "+", color=INK, ms=6, mew=1.2, zorder=5)
    if one in truth and other in truth:
        ax.plot([truth[one]], [truth[other]], "d", color=TRUTH.colour, ms=5, zorder=5)


def _from_gap(line: Floats) -> Floats:
    """A closed line without its gap, which a straight line along the end of a scale closes."""
    missing = np.asarray(np.isnan(line).any(axis=1), dtype=np.bool_)
    if not missing.any():
        return line
    turned = np.roll(line[:-1], -int(np.argmax(missing[:-1])), axis=0)
    return np.asarray(turned[~np.isnan(turned).any(axis=1)], dtype=np.float64)


def _smooth_trace(found: LikelihoodProfile, moved: str, other: str) -> tuple[Floats, Floats]:
    """The trace through its points, which all lie on it; no bends between them that they do not have."""
    x, y = trace(found.table, found.along, moved, other)
    keep = np.concatenate([[True], np.diff(x) > 0]) if len(x) else np.zeros(0, dtype=bool)
    x, y = x[keep], y[keep]
    if len(x) < 3:
        return x, y
    fine = np.unique(np.concatenate([np.linspace(x[0], x[-1], 121), x]))
    return fine, np.asarray(PchipInterpolator(x, y)(fine), dtype=np.float64)


def _alone(ax: Axes, found: LikelihoodProfile, name: str, truth: Mapping[str, float]) -> None:
    """On the diagonal: the density of one parameter."""
    curve = SmoothProfile.of(found.table, name)
    values = curve.grid(201)
    height = curve.density(values)
    colour = colour_of_parameter(name)
    ax.fill_between(values, 0.0, height, color=colour, alpha=0.16, lw=0)
    ax.plot(values, height, color=colour, lw=1.2)
    if name in truth:
        ax.axvline(truth[name], color=TRUTH.colour, lw=1.1, ls=TRUTH.dashes)
    ax.set_ylim(0.0, 1.15 * top_of(height))


def _handles(levels: Sequence[float], *, with_truth: bool) -> list[Any]:
    regions = ", ".join(f"{100 * level:g}" for level in levels)
    handles = [
        Line2D([], [], color=INK, lw=0.9, label=f"joint regions, {regions} %"),
        Line2D([], [], color=_FIRST, lw=1.2, label="best as the one across moves"),
        Line2D([], [], color=_SECOND, lw=1.2, label="best as the one up moves"),
    ]
    if with_truth:
        handles.append(Line2D([], [], color=TRUTH.colour, marker="d", ls="", label=TRUTH.label))
    return handles


def _sentence(
    found: LikelihoodProfile,
    names: Sequence[str],
    count: int,
    levels: Sequence[float],
    cut: Sequence[str],
    unknown: Sequence[str],
) -> str:
    """Alt text: which pairs, and which two are most alike where one moves."""
    ties = {pair: tie(found.table, found.along, *pair) for pair in combinations(names, 2)}
    known = {pair: value for pair, value in ties.items() if np.isfinite(value)}
    regions = listed(f"{100 * level:g} %" for level in levels)
    part = f"{len(names)} of {count} parameters" if len(names) < count else f"{len(names)} parameters"
    said = [f"Joint confidence regions of {part} in pairs ({listed(names)}), {regions}, with profile traces"]
    if known:
        one, other = max(known, key=lambda pair: abs(known[pair]))
        said.append(
            f"most closely tied are {one} and {other}, along whose traces ζ has a correlation of "
            f"{known[one, other] + 0.0:.2f}"
        )
    if cut:
        verb = "end where a scale does" if len(cut) > 1 else "ends where a scale does"
        said.append(f"the region of {'; of '.join(cut)} {verb}")
    if unknown:
        verb = "has" if len(unknown) == 1 else "have"
        said.append(f"{'; '.join(unknown)} {verb} no region, since the likelihood of one of them is too flat")
    return "; ".join(said) + "."
