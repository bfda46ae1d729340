"""Truth and intervals of every parameter: did it come back?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixedsim.errors import MixedsimError
from mixedsim.plot.forest_frame import (
    Row,
    draw_frame,
    far_out,
    height_of,
    limit_of,
    number,
    offset_of,
    rows_of,
    true_number,
    write_columns,
)
from mixedsim.plot.style import FAINT, PAPER, SEVERAL, colour_of, dress, figure_of, look, picture, say
from mixedsim.study import Recovery


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
    figure = picture(6.8, height_of(rows, len(several))) if ax is None else figure_of(ax)
    with look():
        axes = figure.add_subplot() if ax is None else ax
        dress(axes)
        colours = _colours(several)
        limit = _limit(rows, several)
        whose = "" if len(several) == 1 else f" of “{list(several)[-1]}”"
        draw_frame(axes, rows, limit, f"estimate − truth, in standard errors{whose}")
        for k, (name, one) in enumerate(several.items()):
            _marks(axes, rows, one, colours[name], offset_of(k, len(several)), limit)
        _numbers(axes, rows, several, colours)
    say(figure, _sentence(rows, several))
    return figure


def _by_name(given: Recovery | Mapping[str, Recovery]) -> dict[str, Recovery]:
    several = {"": given} if isinstance(given, Recovery) else dict(given) if isinstance(given, Mapping) else {}
    for name, one in several.items():
        if not isinstance(one, Recovery):
            raise MixedsimError(f"plot.recovery draws what recover returns, found {type(one).__name__} as {name!r}.")
    if not several:
        found = "an empty dict" if isinstance(given, Mapping) else type(given).__name__
        hint = " (plot.estimates draws a study)" if hasattr(given, "replicates") else ""
        raise MixedsimError(f"plot.recovery draws what recover returns, found {found}{hint}.")
    return {str(name): one for name, one in several.items()}


def _colours(several: Mapping[str, Recovery]) -> dict[str, str]:
    """One fit has the colour of its kind of model; several are told apart."""
    if len(several) == 1:
        ((name, one),) = several.items()
        return {name: colour_of(effect for factor in one.fit.design.factors for effect in factor.effects)}
    return {name: SEVERAL[k % len(SEVERAL)] for k, name in enumerate(several)}


def _rows(several: Sequence[Recovery]) -> list[Row]:
    """Headings and parameters from top to bottom."""
    known: dict[str, tuple[str, float, float]] = {}
    for one in several:
        for name, kind, truth in zip(one.table.index, one.table["kind"], one.table["truth"], strict=True):
            known.setdefault(str(name), (str(kind), float(truth), _unit(str(name), several)))
    return rows_of(known)


def _unit(name: str, several: Sequence[Recovery]) -> float:
    """The standard error of the last fit that has one."""
    for one in reversed(several):
        if name in one.table.index:
            se = float(one.table.loc[name, "se"])  # type: ignore[arg-type]
            if np.isfinite(se) and se > 0:
                return se
    return np.nan


def _distances(row: Row, one: Recovery) -> tuple[float, float, float] | None:
    """Estimate, lower and upper end in units of the row from its truth; None where they cannot be drawn."""
    if row.parameter is None or row.parameter not in one.table.index or not np.isfinite([row.truth, row.unit]).all():
        return None
    values = one.table.loc[row.parameter, ["estimate", "lower", "upper"]].to_numpy(dtype=np.float64)
    if np.isnan(values[0]):
        return None
    estimate, lower, upper = (values - row.truth) / row.unit
    return float(estimate), float(lower), float(upper)


def _limit(rows: Sequence[Row], several: Mapping[str, Recovery]) -> float:
    return limit_of([end for row in rows for one in several.values() for end in _distances(row, one) or ()])


def _marks(ax: Axes, rows: Sequence[Row], one: Recovery, colour: str, offset: float, limit: float) -> None:
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
            far_out(ax, estimate, limit, y, colour)
            continue
        if np.isfinite([lower, upper]).all():
            ax.plot(np.clip([lower, upper], -limit, limit), [y, y], color=colour, lw=2.2, zorder=2)
        held = one.table["covered"].to_dict()[row.parameter]
        face = PAPER if held is False else colour
        ax.plot([estimate], [y], "o", color=colour, mfc=face, mew=1.6, ms=6.5, zorder=3)


def _numbers(ax: Axes, rows: Sequence[Row], several: Mapping[str, Recovery], colours: Mapping[str, str]) -> None:
    """Truth, estimate and interval as columns at the right."""
    single = len(several) == 1
    heads = ["truth", *(name or "estimate" for name in several), *(["interval"] if single else [])]
    cells = {row.y: _cells(row, several, single) for row in rows if row.parameter is not None}
    write_columns(ax, rows, {head: colours.get(head, FAINT) for head in heads}, cells)


def _cells(row: Row, several: Mapping[str, Recovery], single: bool) -> dict[str, str]:
    out = {"truth": true_number(row.truth)}
    for name, one in several.items():
        out[name or "estimate"] = _cell(row, one, "estimate")
        if single:
            ends = [_cell(row, one, end) for end in ("lower", "upper")]
            out["interval"] = "–" if set(ends) == {"–"} else f"{ends[0]} to {ends[1]}"
    return out


def _cell(row: Row, one: Recovery, column: str) -> str:
    if row.parameter not in one.table.index:
        return "–"
    return number(float(one.table.loc[row.parameter, column]), row.unit)  # type: ignore[arg-type, index]


def _sentence(rows: Sequence[Row], several: Mapping[str, Recovery]) -> str:
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
