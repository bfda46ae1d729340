"""Truth and intervals of every parameter: did it come back?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixedsim.errors import MixedsimError
from mixedsim.plot.style import FAINT, INK, PAPER, SEVERAL, TINT, TRUTH, colour_of, dress, figure_of, look, picture, say
from mixedsim.study import Recovery

_HEADINGS = {
    "fixed": "fixed effects",
    "sd": "standard deviations",
    "sigma": "standard deviations",
    "corr": "correlations",
}
_ORDER = ("fixed effects", "standard deviations", "correlations")
_NARROWEST, _WIDEST = 3.6, 9.0  # standard errors on either side of the truth


@dataclass(frozen=True)
class _Row:
    """One line of the picture: a heading, or a parameter with the standard error that is its unit (NaN if none)."""

    y: float
    label: str
    parameter: str | None
    truth: float = np.nan
    unit: float = np.nan


def recovery(recovery: Recovery | Mapping[str, Recovery], *, ax: Axes | None = None) -> Figure:
    """Return a forest of intervals around the truth, one row a parameter.

    The truth is the dashed line; every row has its own unit, the parameter's standard error, so that parameters of
    all sizes share one axis, and the numbers stand on the right. A filled mark means that the interval holds the
    truth, a hollow one that it does not. What lies too far out for the axis is an arrow with its distance.

    Parameters
    ----------
    recovery : what `mixedsim.recover` returned; or several, by name, which are drawn one below the other in every row,
        in units of the last one's standard error.
    ax : axes to draw on; a new figure if None.

    Raises
    ------
    MixedsimError
        If there is nothing to draw, or `ax` is no axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> figure = ms.plot.recovery(ms.recover(ms.scenarios.therapist_plain(), seed=1))
    >>> figure.alt.split(":")[0]
    'Estimates of 5 parameters in standard errors from the truth'
    >>> plt.close(figure)
    """
    several = _by_name(recovery)
    rows = _rows(list(several.values()))
    height = 0.75 + (0.26 + 0.11 * (len(several) - 1)) * (rows[0].y - rows[-1].y + 1)
    figure = picture(6.8, height) if ax is None else figure_of(ax)
    with look():
        axes = figure.add_subplot() if ax is None else ax
        dress(axes)
        colours = _colours(several)
        limit = _limit(rows, several)
        _frame(axes, rows, limit, several)
        for k, (name, one) in enumerate(several.items()):
            offset = 0.0 if len(several) == 1 else 0.44 * (k / (len(several) - 1) - 0.5)
            _marks(axes, rows, one, colours[name], offset, limit)
        _numbers(axes, rows, several, colours)
    say(figure, _sentence(rows, several))
    return figure


def _by_name(given: Recovery | Mapping[str, Recovery]) -> dict[str, Recovery]:
    several = {"": given} if isinstance(given, Recovery) else dict(given) if isinstance(given, Mapping) else {}
    for name, one in several.items():
        if not isinstance(one, Recovery):
            raise MixedsimError(f"plot.recovery draws what recover returns, found {type(one).__name__} as {name!r}.")
    if not several:
        raise MixedsimError(f"plot.recovery draws what recover returns, found {type(given).__name__} without any.")
    return {str(name): one for name, one in several.items()}


def _colours(several: Mapping[str, Recovery]) -> dict[str, str]:
    """One fit has the colour of its kind of model; several are told apart."""
    if len(several) == 1:
        ((name, one),) = several.items()
        return {name: colour_of(effect for factor in one.fit.design.factors for effect in factor.effects)}
    return {name: SEVERAL[k % len(SEVERAL)] for k, name in enumerate(several)}


def _rows(several: Sequence[Recovery]) -> list[_Row]:
    """Headings and parameters from top to bottom."""
    known: dict[str, tuple[str, str, float]] = {}
    for one in several:
        for name, kind, truth in zip(one.table.index, one.table["kind"], one.table["truth"], strict=True):
            known.setdefault(str(name), (_HEADINGS[kind], _label(str(name), kind), float(truth)))
    out: list[_Row] = []
    y = 0.0
    for heading in _ORDER:
        members = [(name, label, truth) for name, (under, label, truth) in known.items() if under == heading]
        if not members:
            continue
        y -= 0.35 if out else 0.0
        out.append(_Row(y, heading, None))
        for name, label, truth in members:
            y -= 1.0
            out.append(_Row(y, label, name, truth, _unit(name, several)))
        y -= 1.0
    return out


def _label(name: str, kind: str) -> str:
    if kind == "sigma":
        return "residual"
    return name if kind == "fixed" else name[name.index("(") + 1 : -1]


def _unit(name: str, several: Sequence[Recovery]) -> float:
    """The standard error of the last fit that has one."""
    for one in reversed(several):
        if name in one.table.index:
            se = float(one.table.loc[name, "se"])  # type: ignore[arg-type]
            if np.isfinite(se) and se > 0:
                return se
    return np.nan


def _distances(row: _Row, one: Recovery) -> tuple[float, float, float] | None:
    """Estimate, lower and upper end in units of the row from its truth; None where they cannot be drawn."""
    if row.parameter is None or row.parameter not in one.table.index or not np.isfinite([row.truth, row.unit]).all():
        return None
    values = one.table.loc[row.parameter, ["estimate", "lower", "upper"]].to_numpy(dtype=np.float64)
    if np.isnan(values[0]):
        return None
    estimate, lower, upper = (values - row.truth) / row.unit
    return float(estimate), float(lower), float(upper)


def _limit(rows: Sequence[_Row], several: Mapping[str, Recovery]) -> float:
    ends = [abs(v) for row in rows for one in several.values() for v in _distances(row, one) or () if np.isfinite(v)]
    return float(np.clip(1.06 * max(ends, default=0.0), _NARROWEST, _WIDEST))


def _frame(ax: Axes, rows: Sequence[_Row], limit: float, several: Mapping[str, Recovery]) -> None:
    """Labels, the truth, and what the axis counts."""
    top, bottom = rows[0].y + 0.6, rows[-1].y - 0.7
    ax.set_xlim(-limit, limit)
    ax.set_ylim(bottom, top)
    ax.axvspan(-1.96, 1.96, color=TINT, lw=0, zorder=0)
    ax.axvline(0.0, color=TRUTH.colour, lw=TRUTH.width, ls=TRUTH.dashes, zorder=1)
    ax.set_yticks([row.y for row in rows], [row.label for row in rows])
    for tick, row in zip(ax.get_yticklabels(), rows, strict=True):
        if row.parameter is None:
            tick.set(fontstyle="italic", color=FAINT)
    ax.tick_params(axis="y", length=0, pad=6)
    ax.spines["left"].set_visible(False)
    whose = "" if len(several) == 1 else f" of “{list(several)[-1]}”"
    ax.set_xlabel(f"estimate − truth, in standard errors{whose}")
    _note(ax, TRUTH.label, (0.0, top), (0, 2), FAINT, ha="center", va="bottom")


def _note(
    ax: Axes, text: str, at: tuple[float, float], shift: tuple[float, float], colour: str, **how: Any
) -> None:
    """Small text so many points from a place, also where that lies outside the axes."""
    style: dict[str, Any] = {"va": "center", "fontsize": 8.5, "annotation_clip": False} | how
    ax.annotate(text, at, shift, textcoords="offset points", color=colour, **style)


def _marks(ax: Axes, rows: Sequence[_Row], one: Recovery, colour: str, offset: float, limit: float) -> None:
    """Interval and estimate of every row; an arrow where they leave the axis."""
    for row in rows:
        found = _distances(row, one)
        if found is None:
            continue
        estimate, lower, upper = found
        y = row.y - offset
        for end in (lower, upper):
            if abs(end) > limit >= abs(estimate):
                ax.plot([np.sign(end) * limit], [y], ">" if end > 0 else "<", color=colour, ms=5, clip_on=False)
        if abs(estimate) > limit:
            right = estimate > 0
            ax.plot([limit if right else -limit], [y], ">" if right else "<", color=colour, ms=6, clip_on=False)
            said, at = f"{estimate:+.0f}".replace("-", "−"), limit if right else -limit
            _note(ax, said, (at, y), (-8 if right else 8, 0), colour, ha="right" if right else "left", fontsize=8)
            continue
        if np.isfinite([lower, upper]).all():
            ax.plot(np.clip([lower, upper], -limit, limit), [y, y], color=colour, lw=2.2, zorder=2)
        held = one.table["covered"].to_dict()[row.parameter]
        face = PAPER if held is False else colour
        ax.plot([estimate], [y], "o", color=colour, mfc=face, mew=1.6, ms=6.5, zorder=3)


def _numbers(ax: Axes, rows: Sequence[_Row], several: Mapping[str, Recovery], colours: Mapping[str, str]) -> None:
    """Truth, estimate and interval as columns at the right, so many points from the axes."""
    single = len(several) == 1
    heads = ["truth", *(name or "estimate" for name in several), *(["interval"] if single else [])]
    cells = {row.y: _cells(row, several, single) for row in rows if row.parameter is not None}
    x = 10.0
    for head in heads:
        longest = max(len(head), *(len(these[head]) for these in cells.values()))
        x += 5.1 * longest
        colour = colours.get(head, FAINT)
        for y, text in [(rows[0].y, head), *((y, these[head]) for y, these in cells.items())]:
            shade = colour if text == head else FAINT if head == "truth" else INK
            _note(ax, text, (1.0, y), (x, 0), shade, xycoords=ax.get_yaxis_transform(), ha="right")
        x += 12.0


def _cells(row: _Row, several: Mapping[str, Recovery], single: bool) -> dict[str, str]:
    out = {"truth": "–" if np.isnan(row.truth) else f"{row.truth:.4g}".replace("-", "−")}
    for name, one in several.items():
        out[name or "estimate"] = _cell(row, one, "estimate")
        if single:
            ends = [_cell(row, one, end) for end in ("lower", "upper")]
            out["interval"] = "–" if set(ends) == {"–"} else f"{ends[0]} to {ends[1]}"
    return out


def _cell(row: _Row, one: Recovery, column: str) -> str:
    if row.parameter not in one.table.index:
        return "–"
    value = float(one.table.loc[row.parameter, column])  # type: ignore[arg-type, index]
    if np.isnan(value):
        return "–"
    decimals = 2 if np.isnan(row.unit) else int(np.clip(1 - np.floor(np.log10(row.unit)), 0, 6))
    return f"{value:.{decimals}f}".replace("-", "−")


def _sentence(rows: Sequence[_Row], several: Mapping[str, Recovery]) -> str:
    """Alt text: how many rows, how many intervals hold the truth, and which estimate is furthest out."""
    count = sum(row.parameter is not None for row in rows)
    said = []
    for name, one in several.items():
        share = f"{one.held} of {one.judged} intervals hold the truth"
        distances = {row: found[0] for row in rows if (found := _distances(row, one)) is not None}
        if distances:
            row = max(distances, key=lambda r: abs(distances[r]))
            share += (
                f", and the furthest from it is {row.parameter}, {_cell(row, one, 'estimate')} where the truth is "
                f"{row.truth:.4g}"
            )
        said.append(f"{name}: {share}" if name else share)
    return f"Estimates of {count} parameters in standard errors from the truth: {'; '.join(said)}."
