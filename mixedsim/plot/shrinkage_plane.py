"""Arrows of shrinkage in the plane of two effects."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError, nearest
from mixedsim.listing import counted, listed
from mixedsim.plot.curves import TruthLike
from mixedsim.plot.ellipses import dimensions, draw_ellipses, ellipse
from mixedsim.plot.parameter_panels import unit_of_effect
from mixedsim.plot.style import FAINT, INK, LINES, PAPER, TRUTH, colour_of, dress, with_unit
from mixedsim.simulate import Sample
from mixedsim.study.shrinking import Shrinkage

Floats = NDArray[np.float64]
Pair = tuple[str, str]
_MANY: Final = 60  # groups from which on marks and arrows are smaller and fainter
_LETTERS: Final = 72  # of a remark in one line
_FAR: Final = 3.0  # times the reach of the ellipses and of the partially pooled: what starts further out is cut


def draw_plane(
    figure: Figure,
    ax: Axes | None,
    found: Shrinkage,
    terms: Pair,
    complete: pd.DataFrame | None,
    ghost: Floats | None,
    shares: Sequence[float],
    labels: int,
    units: Mapping[str, str] | None,
) -> str:
    """Draw, and return the sentence for `alt`; `ghost` has J × 2 true coefficients."""
    given, names = ax is not None, list(terms)
    axes = figure.add_subplot() if ax is None else ax
    dress(axes)
    none, partial = (table[names].to_numpy(dtype=np.float64) for table in (found.none, found.partial))
    centre: Floats = np.asarray(found.centre[names], dtype=np.float64)
    covariance: Floats = found.covariance.loc[names, names].to_numpy(dtype=np.float64)
    colour = colour_of(found.centre.index)
    known = np.isfinite(none).all(axis=1)
    limits = _limits(none[known], partial, centre, covariance, shares, ghost)
    draw_ellipses(axes, centre, covariance, shares, colour)
    _arrows(axes, none, partial, known, colour)
    if ghost is not None:
        axes.scatter(ghost[:, 0], ghost[:, 1], s=16, marker="d", color=TRUTH.colour, lw=0, zorder=3, label=TRUTH.label)
    axes.plot(*centre, "+", color=INK, ms=11, mew=1.8, zorder=7)
    if complete is not None and set(names) <= set(complete.columns):
        axes.plot(*complete[names].iloc[0], "x", color=LINES["complete"].colour, ms=7, mew=1.5, zorder=7)
    axes.set(xlim=limits[0], ylim=limits[1])
    across, up = (with_unit(term, {term: unit_of_effect(found.fit, term, units)}) for term in terms)
    axes.set(xlabel=across, ylabel=up)
    outside = _outside(none[known], limits)
    _name(axes, found.none.index, none, partial, known, centre, labels)
    remark = _remark(found, terms, covariance, outside)
    if remark:
        axes.set_title(
            "\n".join(textwrap.fill(line, _LETTERS) for line in remark), loc="left", fontsize=8.5, color=FAINT
        )
    _legend(axes if given else figure, colour, found, complete is not None, ghost is not None)
    return _sentence(found, terms, none, partial, known, centre, covariance, shares, outside)


def _arrows(ax: Axes, none: Floats, partial: Floats, known: NDArray[np.bool_], colour: str) -> None:
    """One arrow a group, a ring where it starts and a dot where it ends; a square where there is no start."""
    many = len(none) > _MANY
    start, end = none[known], partial[known]
    moved = end - start
    ax.quiver(
        *start.T, *moved.T, angles="xy", scale_units="xy", scale=1.0, color=FAINT, alpha=0.35 if many else 0.7,
        width=0.0018 if many else 0.003, headwidth=5, headlength=6, headaxislength=5, zorder=4,
    ).set_gid("moves")  # fmt: skip
    size = float(np.clip(1200.0 / max(len(none), 1), 5.0, 26.0))
    width, green = 0.7 if many else 1.2, LINES["none"].colour
    rings = ax.scatter(start[:, 0], start[:, 1], s=size, c=PAPER, ec=green, lw=width, zorder=4)
    dots = ax.scatter(end[:, 0], end[:, 1], s=size, color=colour, lw=0, zorder=5)
    rings.set_gid("none")
    dots.set_gid("partial")
    if not known.all():
        alone = partial[~known]
        squares = ax.scatter(alone[:, 0], alone[:, 1], s=1.6 * size, marker="s", c=PAPER, ec=colour, lw=1.3, zorder=6)
        squares.set_gid("incomplete")


def _limits(
    none: Floats, partial: Floats, centre: Floats, covariance: Floats, shares: Sequence[float], ghost: Floats | None
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Both axes: all partially pooled groups and ellipses, and the starts that are not many times further out."""
    around = [centre + ellipse(covariance, share) for share in shares] if dimensions(covariance) else []
    inner = np.concatenate([partial, centre[None], *around])
    if ghost is not None:
        inner = np.concatenate([inner, ghost[np.isfinite(ghost).all(axis=1)]])
    out = []
    for k in range(2):
        reach = float(np.abs(inner[:, k] - centre[k]).max())
        starts = np.abs(none[:, k] - centre[k])
        usual = float(np.quantile(starts, 0.75)) if len(starts) else 0.0
        far = max(_FAR * max(reach, usual), 1e-12 * max(abs(float(centre[k])), 1.0))
        ends = np.concatenate([inner[:, k], none[starts <= far, k]])
        margin = 0.07 * float(np.ptp(ends)) or 1.0
        out.append((float(ends.min()) - margin, float(ends.max()) + margin))
    return out[0], out[1]


def _outside(none: Floats, limits: tuple[tuple[float, float], tuple[float, float]]) -> int:
    inside = np.ones(len(none), dtype=bool)
    for k, (low, high) in enumerate(limits):
        inside &= (none[:, k] >= low) & (none[:, k] <= high)
    return int((~inside).sum())


def _name(
    ax: Axes,
    levels: pd.Index[Any],
    none: Floats,
    partial: Floats,
    known: NDArray[np.bool_],
    centre: Floats,
    labels: int,
) -> None:
    """Names where the longest arrows on the picture start, and at squares; none on top of another."""
    spans = np.array([np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim())])
    lengths = np.linalg.norm((partial - none) / spans, axis=1)
    order = [int(k) for k in np.argsort(-np.where(known, lengths, -1.0), kind="stable") if known[k]][:labels]
    alone = [int(k) for k in np.flatnonzero(~known)][:labels]
    corner = np.array([ax.get_xlim()[0], ax.get_ylim()[0]])
    taken: list[Floats] = []
    for k in [*alone, *order]:
        at = none[k] if known[k] else partial[k]
        place = (at - corner) / spans
        crowded = any((np.abs(place - other) < (0.09, 0.045)).all() for other in taken)
        if crowded or not ((place >= 0) & (place <= 1)).all():
            continue
        taken.append(place)
        away = np.sign(at - (partial[k] if known[k] else centre))
        right, up = away[0] >= 0, away[1] >= 0
        if place[0] > 0.9 or place[0] < 0.1:
            right = place[0] < 0.5
        how: Any = {"ha": "left" if right else "right", "va": "bottom" if up else "top", "fontsize": 7.5, "zorder": 8}
        shift = (4 if right else -4, 3 if up else -3)
        name = ax.annotate(str(levels[k]), at, shift, textcoords="offset points", color=INK, **how)
        name.set_path_effects([withStroke(linewidth=2.0, foreground=PAPER)])
        name.set_gid("name")


def _legend(where: Any, colour: str, found: Shrinkage, complete: bool, ghost: bool) -> None:
    ring: dict[str, Any] = {"ls": "", "mfc": PAPER}
    handles = [
        Line2D([], [], marker="o", mec=LINES["none"].colour, ms=5, label="no pooling", **ring),
        Line2D([], [], marker="o", color=colour, ls="", ms=5, label="partial pooling"),
        Line2D([], [], marker="+", color=INK, ls="", ms=9, mew=1.8, label="fixed effects"),
    ]
    if complete:
        handles.append(Line2D([], [], marker="x", color=LINES["complete"].colour, ls="", label="complete pooling"))
    if len(found.incomplete):
        handles.append(Line2D([], [], marker="s", mec=colour, ms=6, label="no estimate of its own", **ring))
    if ghost:
        handles.append(Line2D([], [], marker="d", color=TRUTH.colour, ls="", label=TRUTH.label))
    how: dict[str, Any] = {"handletextpad": 0.3, "columnspacing": 1.1}
    if isinstance(where, Axes):
        where.legend(handles=handles, loc="best", fontsize=7.5, **how)
    else:
        where.legend(handles=handles, loc="outside upper center", ncols=4 if len(handles) == 4 else 3, **how)


def _flatness(covariance: Floats, terms: Pair) -> str:
    """Why the ellipse has no area; empty if it has one."""
    flat = dimensions(covariance)
    if flat == 2:
        return ""
    sd = np.sqrt(np.diag(covariance).clip(min=0.0))
    zero = [name for name, value in zip(terms, sd, strict=True) if value <= 0]
    if flat == 0:
        return "no ellipse: both effects have no estimated variance (singular fit)"
    if zero:
        return f"the ellipse is a line: {zero[0]} has no estimated variance (singular fit)"
    sign = "1" if covariance[0, 1] > 0 else "−1"
    return f"the ellipse is a line: the estimated correlation is {sign} (singular fit)"


def _remark(found: Shrinkage, terms: Pair, covariance: Floats, outside: int) -> list[str]:
    lines = []
    if len(found.centre) > 2:
        lines.append(f"2 of {len(found.centre)} varying effects: {listed(terms)}")
    if found.given:
        lines.append(f"no pooling with {found.given}")
    if _flatness(covariance, terms):
        lines.append(_flatness(covariance, terms))
    if outside:
        lines.append(f"{counted(outside, 'arrow')} of {len(found.none):,} start{'s' * (outside == 1)} outside")
    return lines


def true_coefficients(truth: TruthLike, found: Shrinkage, names: list[str]) -> Floats:
    """J × 2 true coefficients, NaN where a level has none: the population's fixed effects plus the group's own."""
    levels = found.none.index
    if isinstance(truth, pd.DataFrame):
        for name in names:
            if name not in truth.columns:
                raise MixedsimError(f"truth has no coefficient {name!r}: {nearest(name, truth.columns)}")
        return np.asarray(truth[names].reindex(levels), dtype=np.float64)
    known = truth.truth if isinstance(truth, Sample) else truth
    effects = known.ranef.get(found.group)
    out = np.zeros((len(levels), len(names)))
    for k, name in enumerate(names):
        varies = effects is not None and name in effects.columns
        if name not in known.fixef.index and not varies:
            raise MixedsimError(f"truth has no coefficient {name!r}: {nearest(name, known.fixef.index)}")
        out[:, k] += float(known.fixef.get(name, 0.0))
        if varies:
            assert effects is not None
            out[:, k] += effects[name].reindex(levels).to_numpy(dtype=np.float64)
    return out


def _sentence(
    found: Shrinkage,
    terms: Pair,
    none: Floats,
    partial: Floats,
    known: NDArray[np.bool_],
    centre: Floats,
    covariance: Floats,
    shares: Sequence[float],
    outside: int,
) -> str:
    """Alt text: how far groups spread before and after, which moved most, what the ellipses hold."""
    spreads = []
    for k, term in enumerate(terms):
        before, after = none[known, k], partial[:, k]
        sds = f"{before.std(ddof=1):.3g} to {after.std(ddof=1):.3g}" if len(before) > 1 else "–"
        spreads.append(f"standard deviation of {term} {sds}")
    said = [
        f"{listed(terms)} of {counted(len(none), 'level')} of {found.group}, from no pooling to partial pooling: "
        f"{listed(spreads)}, around fixed effects of {centre[0]:.4g} and {centre[1]:.4g}"
    ]
    if known.any():
        sd = np.where(none[known].std(axis=0) > 0, none[known].std(axis=0), 1.0)
        lengths = np.linalg.norm((none - partial) / sd, axis=1)
        said.append(f"{found.none.index[int(np.nanargmax(lengths))]} is moved most")
    flat = _flatness(covariance, terms)
    if flat:
        said.append(flat)
    elif shares:
        held = " and ".join(f"{100 * share:g} %" for share in sorted(shares))
        r = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
        said.append(f"ellipses hold {held} of the estimated population, whose correlation is {r:.2f}")
    if len(found.incomplete):
        said.append(f"without an estimate of their own: {listed(found.incomplete)}")
    if outside:
        said.append(f"{counted(outside, 'arrow')} start{'s' * (outside == 1)} outside the picture")
    return "; ".join(said) + "."
