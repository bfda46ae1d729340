"""Power against what a design can change, with the false-positive rate of the same test beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mixedsim.errors import MixedsimError, nearest
from mixedsim.inference.shares import per_cent
from mixedsim.listing import listed
from mixedsim.plot.forest_frame import size_of
from mixedsim.plot.power_found import found_size
from mixedsim.plot.power_frame import draw_legend, draw_levels
from mixedsim.plot.power_grid import contours, grid_of
from mixedsim.plot.replicates import several_axes, with_error
from mixedsim.plot.style import (
    FAINT,
    INK,
    LINES,
    PAPER,
    SEVERAL,
    figure_of,
    look,
    picture,
    rung_colour,
    say,
    with_unit,
)
from mixedsim.study import FoundSize, PowerCurve

_SHARED: Final = "all points begin at the same random numbers: the curve is smoother than its band"
_NEEDED: Final = ("analysis", "parameter", "power", "power_mcse", "lower", "upper", "false_positive")


def power(
    result: Any,
    parameter: str | Sequence[str] | None = None,
    *,
    analyses: str | Sequence[str] | None = None,
    target: float | None = 0.8,
    units: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return power curves with their Monte-Carlo bands, contours where two things were varied, or a search for a size.

    In one dimension every test has its power as a solid line, a point where it was simulated, the band of its 95 %
    Monte-Carlo interval, and its false-positive rate as a dashed line of the same colour, beside the nominal level. In
    two dimensions every test has a panel of contours, points where it was simulated, and its false-positive rates in
    the title. A test that finds too much where there is nothing has no use for its power. All points of a curve begin
    at the same random numbers, so that it is smoother than its band: the figure says so.

    Of a search for a size every size that was tried is a point, larger the more replicates it took, with its interval;
    the answer is an upright line, in the band of sizes that the Monte-Carlo error leaves open.

    Parameters
    ----------
    result : what `mixedsim.power_curve` or `mixedsim.find_size` returned.
    parameter : the coefficient, or coefficients, tested; all if None.
    analyses : which to draw; all if None.
    target : the power that is wished for, a grey line (a heavy contour in two dimensions); None for none. Of a search
        it is the one that was looked for.
    units : units for the axis labels, ``{"size": "patients"}``.
    ax : axes to draw on (in two dimensions, for one test); a new figure if None.

    Raises
    ------
    MixedsimError
        If it is no such result, has no such parameter or analysis, or the target is no probability.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> trial = ms.scenarios.therapist_plain(therapists=10, patients=5).with_(sigma=40)
    >>> curve = ms.power_curve(trial, "therapist", [5, 10], parameter="depression", n=40, seed=1)
    >>> figure = ms.plot.power(curve)
    >>> figure.alt.split(" from")[0]
    'depression: power'
    >>> plt.close(figure)
    """
    if isinstance(result, FoundSize):
        return found_size(result, units, ax)
    table, along, alpha = _checked(result)
    if target is not None and (isinstance(target, bool) or not isinstance(target, int | float) or not 0 < target < 1):
        raise MixedsimError(f"target must lie between 0 and 1, such as 0.8, or be None, found {target!r}.")
    tests = _tests(table, parameter, analyses)
    axis = {name: with_unit(name, units) for name in along}
    if len(along) == 2:
        figure = _surfaces(tests, along, axis, target, ax)
    else:
        figure = _curves(tests, along[0], axis, alpha, target, ax, shared=isinstance(result, PowerCurve))
    labels = _labels(list(tests))
    say(figure, " ".join(_sentence(labels[key], rows, along, alpha, target) for key, rows in tests.items()))
    if isinstance(result, PowerCurve) and len(along) == 1:
        say(figure, f"{_SHARED[0].upper()}{_SHARED[1:]}.")
    return figure


def _checked(result: Any) -> tuple[pd.DataFrame, tuple[str, ...], float]:
    table, along = getattr(result, "table", None), getattr(result, "along", None)
    if not isinstance(table, pd.DataFrame) or not isinstance(along, tuple | list):
        raise MixedsimError(f"plot.power draws what mixedsim.power_curve returns, found {type(result).__name__}.")
    missing = [name for name in (*along, *_NEEDED) if name not in table.columns]
    if missing:
        raise MixedsimError(f"plot.power needs a column {listed(map(repr, missing))}, which the table does not have.")
    if len(along) not in (1, 2) or not len(table):
        raise MixedsimError("plot.power draws power against one or two things that were varied, at least at one point.")
    return table, tuple(map(str, along)), float(result.alpha)


Key = tuple[str, str]  # analysis and parameter


def _tests(
    table: pd.DataFrame, parameter: str | Sequence[str] | None, analyses: str | Sequence[str] | None
) -> dict[Key, pd.DataFrame]:
    """The rows of every test that was asked for, by analysis and parameter."""
    wanted = {}
    for column, given in (("analysis", analyses), ("parameter", parameter)):
        known = [str(name) for name in table[column].drop_duplicates()]
        names = known if given is None else [given] if isinstance(given, str) else list(given)
        for name in names:
            if name not in known:
                raise MixedsimError(f"the power table has no {column} {name!r}: {nearest(name, known)}")
        wanted[column] = names
    groups = table.groupby(["analysis", "parameter"], sort=False, observed=True)
    found = {(str(analysis), str(parameter)): rows for (analysis, parameter), rows in groups}
    return {(a, p): found[a, p] for p in wanted["parameter"] for a in wanted["analysis"] if (a, p) in found}


def _labels(keys: Sequence[Key]) -> dict[Key, str]:
    """What tells the tests apart: analysis, parameter, or both."""
    analyses, parameters = {a for a, _ in keys}, {p for _, p in keys}
    if len(analyses) == 1:
        return {key: key[1] for key in keys}
    return {key: key[0] if len(parameters) == 1 else f"{key[0]}, {key[1]}" for key in keys}


def _colours(names: Sequence[str]) -> dict[str, str]:
    """One colour an analysis; that of the rung where they have the names of a ladder's."""
    if len(names) == 1:
        return {names[0]: rung_colour(names[0]) or LINES["intercepts"].colour}
    several = (*SEVERAL, "#7a5230", "#000000", LINES["slopes"].colour)
    known = {name: colour for name in names if (colour := rung_colour(name)) is not None}
    if "mixed" in names:  # what a study calls the population's own model
        known.setdefault("mixed", LINES["intercepts"].colour)
    free = [colour for colour in several if colour not in known.values()]
    others = [name for name in names if name not in known]
    return {name: known.get(name) or free[others.index(name) % len(free)] for name in names}


def _surfaces(
    tests: Mapping[Key, pd.DataFrame],
    along: tuple[str, ...],
    axis: Mapping[str, str],
    target: float | None,
    ax: Axes | None,
) -> Figure:
    """One panel of contours a test."""
    several_axes(ax, len(tests), "analysis and parameter")
    grids = {key: grid_of(rows, along) for key, rows in tests.items()}
    labels = _labels(list(tests))
    across = min(len(tests), 2)
    figure = picture(0.9 + 3.4 * across, 3.2 * -(-len(tests) // across)) if ax is None else figure_of(ax)
    with look():
        panels = _panels(figure, len(tests), across) if ax is None else [ax]
        for panel, (key, grid) in zip(panels, grids.items(), strict=True):
            contours(panel, grid, f"power for {labels[key]}" if len(tests) == 1 else labels[key], target)
            panel.set(xlabel=axis[along[0]], ylabel=axis[along[1]])
    return figure


def _curves(
    tests: Mapping[Key, pd.DataFrame],
    along: str,
    axis: Mapping[str, str],
    alpha: float,
    target: float | None,
    ax: Axes | None,
    *,
    shared: bool,
) -> Figure:
    """One panel of curves a parameter; `shared` says that all points begin at the same random numbers."""
    parameters = list(dict.fromkeys(parameter for _, parameter in tests))
    names = list(dict.fromkeys(analysis for analysis, _ in tests))
    several_axes(ax, len(parameters), "parameter")
    across = min(len(parameters), 2)
    size = (5.6, 3.5) if across == 1 else (6.8, 0.5 + 2.6 * -(-len(parameters) // across))
    figure = picture(*size) if ax is None else figure_of(ax)
    colours = _colours(names)
    at, places = _positions(tests, along)
    with look():
        panels = _panels(figure, len(parameters), across) if ax is None else [ax]
        for k, (panel, parameter) in enumerate(zip(panels, parameters, strict=True)):
            draw_levels(panel, alpha, target, last=k % across == across - 1 or k == len(parameters) - 1)
            for name in names:
                if (name, parameter) in tests:
                    _curve(panel, tests[name, parameter], along, at, colours[name])
            if places or len(at) == 1:
                panel.set_xticks(list(at.values()), places or [f"{value:g}" for value in at])
            elif all(float(value).is_integer() for value in at):
                panel.xaxis.set_major_locator(MaxNLocator(integer=True))
            panel.set_xlabel(axis[along], fontsize=size_of(axis[along], 60))
            panel.set_ylabel("share of replicates with p below the level" if across == 1 else "")
            panel.set_title(f"power for {parameter}", loc="left", fontsize=9.0, color=INK)
        if across > 1:
            figure.supylabel("share of replicates with p below the level", fontsize=9.0)
        draw_legend(figure if ax is None else ax, names, colours)
        if ax is None and shared and len(at) > 1:
            figure.supxlabel(_SHARED, fontsize=8.0, color=FAINT)
    return figure


def _curve(ax: Axes, rows: pd.DataFrame, along: str, at: Mapping[Any, float], colour: str) -> None:
    """Power with its band, and false positives, of one test."""
    x = np.array([at[_fixed(value)] for value in rows[along]], dtype=np.float64)
    order = np.argsort(x, kind="stable")
    value, low, high, false = (
        rows[name].to_numpy(dtype=np.float64)[order] for name in ("power", "lower", "upper", "false_positive")
    )
    x = x[order]
    if len(x) > 1:
        ax.fill_between(x, low, high, color=colour, alpha=0.22, lw=0, zorder=2)
    else:
        ax.vlines(x, low, high, color=colour, lw=3.0, alpha=0.4, zorder=2)
    ax.plot(x, value, color=colour, lw=1.8, marker="o", ms=4.5, zorder=4)
    ax.plot(x, false, color=colour, lw=1.3, ls=(0, (4, 2)), marker="o", mfc=PAPER, ms=3.5, zorder=3)


def _positions(tests: Mapping[Key, pd.DataFrame], along: str) -> tuple[dict[Any, float], list[str]]:
    """Where a value stands on the axis, and the names of the places if values are no numbers: pairs, settings, …"""
    values = list(dict.fromkeys(_fixed(value) for rows in tests.values() for value in rows[along]))
    if all(isinstance(value, int | float | np.number) for value in values):
        return {value: float(value) for value in values}, []
    return {value: float(k) for k, value in enumerate(values)}, [str(value) for value in values]


def _fixed(value: Any) -> Any:
    """What can be looked up: a list, such as the values that a variable takes, as a tuple."""
    return tuple(map(_fixed, value)) if isinstance(value, list) else value


def _panels(figure: Figure, count: int, across: int) -> list[Axes]:
    grid = figure.subplots(-(-count // across), across, sharex=True, sharey=True, squeeze=False).ravel()
    for spare in grid[count:]:
        spare.remove()
    for last in grid[max(count - across, 0) : count]:
        last.tick_params(labelbottom=True)
    return list(grid[:count])


def _in_order(rows: pd.DataFrame, along: Sequence[str]) -> pd.DataFrame:
    """From the smallest number up; settings that are no numbers as they come."""
    known = [name for name in along if pd.api.types.is_numeric_dtype(rows[name].dtype)]
    return rows.sort_values(known, kind="stable") if known else rows


def _sentence(label: str, rows: pd.DataFrame, along: Sequence[str], alpha: float, target: float | None) -> str:
    """Alt text: powers at the ends, false positives, and where the target is first reached."""
    ordered = rows.sort_values("power", kind="stable")
    least, most = ordered.iloc[0], ordered.iloc[-1]

    def where(row: pd.Series[Any]) -> str:
        return listed(f"{name} {row[name]}" for name in along)

    false = rows["false_positive"].dropna()
    parts = [
        f"{label}: power from {with_error(float(least['power']), float(least['power_mcse']))} at {where(least)} to "
        f"{with_error(float(most['power']), float(most['power_mcse']))} at {where(most)}"
        if len(rows) > 1
        else f"{label}: power {with_error(float(most['power']), float(most['power_mcse']))} at {where(most)}"
    ]
    if len(false):
        low, high = per_cent(float(false.min())), per_cent(float(false.max()))
        span = low if low == high else f"{low} to {high}"
        parts.append(f"false positives {span} where the level is {100 * alpha:g} %")
    if target is not None:
        enough = _in_order(rows, along)
        enough = enough[enough["power"] >= target]
        at = f"reached first at {where(enough.iloc[0])}" if len(enough) else "not reached"
        if len(along) == 1 or not len(enough):
            parts.append(f"{100 * target:g} % is {at}")
        else:
            parts.append(f"{100 * target:g} % is reached at {len(enough)} of {len(rows)} points")
    return "; ".join(parts) + "."
