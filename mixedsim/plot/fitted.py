"""The fitted model over the data: a line for every group, and that of the population in bold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError, nearest
from mixedsim.formula import unquote, variables_of
from mixedsim.frame import as_frame
from mixedsim.listing import counted, listed
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.models.fitted_lines import FittedLines, fitted_lines, true_line
from mixedsim.models.predictors import factor_of, is_category, is_date, observed, position_of, predictors
from mixedsim.plot.points import MOST_LINES, cloud, shades, some_of
from mixedsim.plot.remarks import date_axis, held_text, in_words, remark, value_text
from mixedsim.plot.side_by_side import no_variance, side_by_side
from mixedsim.plot.style import PAPER, TRUTH, colour_of, dress, figure_of, look, picture, say, with_unit
from mixedsim.plot.true_coefficients import TrueCoefficients, true_coefficients

Floats = NDArray[np.float64]
Fit = LinearMixedModel | GeneralizedLinearMixedModel
_NAMED = 8  # more groups than this are not named in a legend
_FACETS = 12


def fit(
    fit: Fit,
    x: str | None = None,
    *,
    group: str | None = None,
    facet: str | None = None,
    points: bool = True,
    truth: TrueCoefficients | None = None,
    units: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return the lines of a fitted model over its data: one a group, coloured, and that of the population in bold.

    The line of a group runs over its own values of `x` and holds all other predictors at the group's mean (or most
    frequent category), that of the population at those of all rows. In a generalised model they are means on the scale
    of the response, so they bend, and the bold one is that of a group in the middle. The bold line is blue where
    intercepts vary, red where slopes do. Colours follow the order of the groups' random slopes,
    or else of their intercepts, from violet to green.

    Parameters
    ----------
    fit : linear or generalised.
    x : predictor on the horizontal axis; the first number that varies, or else the first, if None. A model without
        predictors shows its groups side by side, in the order of their means.
    group : grouping factor whose levels have lines; the one with most levels if None. Effects of factors that it lies
        in are in its lines; those of crossed factors are not.
    facet : a categorical column of the data, one panel for each of its values.
    points : whether the data are drawn.
    truth : true coefficients, a `Sample` or numbers by name: the population's true line, dashed.
    units : units for the axis labels, ``{"Reaction": "ms"}``.
    ax : axes to draw on; a new figure if None.

    Raises
    ------
    MixedsimError
        If there is no such predictor, factor or column, or `ax` is given with `facet`.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> figure = ms.plot.fit(fit, units={"Reaction": "ms"})
    >>> print(figure.alt)
    Fitted Reaction along Days: from 251 at 0 to 346 at 9 for the population; 18 levels of Subject from 211 to 286
    where they start and 228 to 458 where they end.
    >>> plt.close(figure)
    """
    if not isinstance(fit, LinearMixedModel | GeneralizedLinearMixedModel):
        raise MixedsimError(f"plot.fit draws a fitted mixed model, found {type(fit).__name__}.")
    chosen = factor_of(fit.design, next(iter(fit.n_groups)) if group is None else group).name
    across = _predictor(fit, x, chosen)
    if ax is not None and facet is not None:
        raise MixedsimError("ax has room for one panel: leave facet out, or ax.")
    if across is None:
        if facet is not None:
            raise MixedsimError(
                f"{fit.formula!r} has no predictor to draw lines along, so facet has no panels to fill."
            )
        return side_by_side(fit, chosen, points=points, units=units, ax=ax)
    parts = _parts(fit, facet)
    known = None if truth is None else true_coefficients(truth, list(fit.coefficient_names), fit.design.formula)
    lines = {name: fitted_lines(fit, across, chosen, rows=rows) for name, rows in parts.items()}
    ghosts = {name: None if known is None else true_line(fit, one, known) for name, one in lines.items()}
    figure = _sheet(len(parts)) if ax is None else figure_of(ax)
    with look():
        panels = _panels(figure, len(parts)) if ax is None else [ax]
        drawn = [
            _draw(panel, fit, lines[name], rows, ghosts[name], with_points=points)
            for panel, (name, rows) in zip(panels, parts.items(), strict=True)
        ]
        said = list(dict.fromkeys(one for some in drawn for one in some))
        first = next(iter(lines.values()))
        said += [_held(first, facet), no_variance(fit, chosen)]
        handles = _handles(panels[0], fit, first)
        if ax is None:
            figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 6))
        else:
            ax.legend(handles=handles, loc="best")
        _label(figure, panels, with_unit(across, units), with_unit(response_label(fit), units), said)
        if facet is not None:
            for panel, name in zip(panels, parts, strict=True):
                panel.set_title(f"{facet} {name}", loc="left", fontsize=9.5)
    say(
        figure, " ".join(_sentence(fit, one, name, facet, ghosts[name]) for name, one in lines.items()) + in_words(said)
    )
    return figure


def _predictor(fit: Fit, x: str | None, group: str) -> str | None:
    """The column for the horizontal axis; None where the model has no predictor."""
    known = predictors(fit.design)
    if x is not None:
        if x not in known:
            tail = nearest(x, known) if known else "it has none."
            raise MixedsimError(f"x must be a predictor of {fit.formula!r}, found {x!r}: {tail}")
        return x
    terms = factor_of(fit.design, group).terms
    varying = frozenset().union(*(variables_of(term.columns.spec.rhs) for term in terms))
    numbers = [name for name in known if not is_category(fit.design, name)]
    order = [*(name for name in numbers if name in varying), *numbers, *known]
    return order[0] if order else None


def _parts(fit: Fit, facet: str | None) -> dict[str, NDArray[np.bool_]]:
    """Rows of every panel by its name."""
    if facet is None:
        return {"": np.ones(fit.nobs, dtype=bool)}
    frame = as_frame(fit.request.data)
    if facet not in frame.columns:
        raise MixedsimError(f"facet names {facet!r}, which is no column of the data: {nearest(facet, frame.columns)}")
    values = pd.Categorical(frame[facet].iloc[fit.design.used])
    values = values.remove_unused_categories()
    if not 1 <= len(values.categories) <= _FACETS:
        raise MixedsimError(
            f"facet={facet!r} has {len(values.categories)} values, more than {_FACETS} panels: take a coarser column."
        )
    return {str(level): np.asarray(values.codes == k) for k, level in enumerate(values.categories)}


def _sheet(count: int) -> Figure:
    columns = _across(count)
    if count == 1:
        return picture(5.6, 4.0)
    return picture(1.2 + 2.4 * columns, 0.9 + 2.4 * -(-count // columns))


def _across(count: int) -> int:
    return count if count <= 3 else 2 if count == 4 else 3 if count <= 9 else 4


def _panels(figure: Figure, count: int) -> list[Axes]:
    columns = _across(count)
    grid = figure.subplots(-(-count // columns), columns, sharex=True, sharey=True, squeeze=False).ravel()
    for spare in grid[count:]:
        spare.remove()
    for last in grid[max(count - columns, 0) : count]:
        last.tick_params(labelbottom=True)
    return list(grid[:count])


def _draw(
    ax: Axes, fit: Fit, lines: FittedLines, rows: NDArray[np.bool_], ghost: Floats | None, *, with_points: bool
) -> list[str]:
    """Points and lines of one panel; what was left out comes back in words."""
    dress(ax)
    order = _order(fit, lines)
    colours = _colours(order)
    said = [_data(ax, fit, lines, rows, colours)] if with_points else []
    drawn = some_of(order, MOST_LINES)
    _group_lines(ax, lines.group_x[drawn], lines.group_y[drawn], colours[drawn])
    if len(drawn) < len(lines.levels):
        said.append(f"lines: {len(drawn)} of {len(lines.levels):,} levels, evenly spaced in their order")
    bold = colour_of(effect for factor in fit.design.factors for effect in factor.effects)
    halo = [withStroke(linewidth=5.4, foreground=PAPER)]
    mark = "o" if lines.categories is not None else None
    label = "population" if isinstance(fit, LinearMixedModel) else f"{listed(fit.n_groups)} in the middle"
    ax.plot(lines.x_all, lines.y_all, color=bold, lw=3.0, marker=mark, ms=6, zorder=6, path_effects=halo, label=label)
    if ghost is not None:
        ax.plot(lines.x_all, ghost, color=TRUTH.colour, lw=2.0, ls=TRUTH.dashes, zorder=7, label=TRUTH.label)
    if is_date(fit.design, lines.x):
        date_axis(ax)
    if lines.categories is not None:
        ax.set_xticks(range(len(lines.categories)), [str(value) for value in lines.categories])
        ax.set_xlim(-0.35, len(lines.categories) - 0.65)
    return said


def _group_lines(ax: Axes, x: Floats, y: Floats, colours: Floats) -> None:
    """One line a group; a short dash for a group with one value of x."""
    paths = [np.column_stack([one, other])[~np.isnan(other)] for one, other in zip(x, y, strict=True)]
    many = len(paths) > 40
    width, strength = (0.8, 0.6) if many else (1.5, 0.9)
    ax.add_collection(LineCollection(paths, colors=list(colours), lw=width, alpha=strength, zorder=3))
    known = np.isfinite(y)
    alone = (np.ptp(x, axis=1) == 0) | (known.sum(axis=1) == 1)
    where = known.argmax(axis=1)[alone]
    ax.scatter(x[alone, where], y[alone, where], s=60, marker="_", c=list(colours[alone]), lw=1.8, zorder=3)


def _data(ax: Axes, fit: Fit, lines: FittedLines, rows: NDArray[np.bool_], colours: Floats) -> str:
    design = fit.design
    factor = factor_of(design, lines.group)
    codes = pd.Index(lines.levels).get_indexer(factor.levels)[factor.codes[rows]]
    if lines.categories is not None:
        x = position_of(design, lines.x)[rows].astype(np.float64)
    else:
        x = np.asarray(predictors(design)[lines.x], dtype=np.float64)[rows]
    return cloud(ax, x, observed(fit)[rows], colours[codes])


def _order(fit: Fit, lines: FittedLines) -> Floats:
    """What colours follow: the random slopes of x where it has any, else the first random effect."""
    effects = fit.ranef[lines.group].loc[lines.levels]
    slopes = lines.x in effects.columns and bool(effects[lines.x].to_numpy().any())
    return np.asarray(effects[lines.x] if slopes else effects.iloc[:, 0], dtype=np.float64)


def _colours(order: Floats) -> Floats:
    """One colour a group: J × 4."""
    out = np.empty((len(order), 4))
    out[np.argsort(order, kind="stable")] = [to_rgba(shade) for shade in shades(len(order))]
    return out


def _held(lines: FittedLines, facet: str | None) -> str:
    """What the bold line holds constant; in several panels each at its own values."""
    if facet is None:
        return held_text(lines.held, lines.offset, " in the bold line")
    others = [name for name in lines.held if name != facet]
    return f"{listed(others, 6)} at the mean, or most frequent value, of each panel" if others else ""


def _handles(ax: Axes, fit: Fit, lines: FittedLines) -> list[Line2D]:
    """The bold line, the truth, and groups if they are few."""
    named = [one for one in ax.get_legend_handles_labels()[0] if isinstance(one, Line2D)]
    if len(lines.levels) > _NAMED:
        return named
    groups = zip(lines.levels, _colours(_order(fit, lines)), strict=True)
    return [*named, *(Line2D([], [], color=tuple(colour), lw=1.8, label=str(level)) for level, colour in groups)]


def _label(figure: Figure, panels: Sequence[Axes], across: str, up: str, said: Sequence[str]) -> None:
    """Names of the axes, and the remark below them."""
    if len(panels) == 1:
        panels[0].set(xlabel=across, ylabel=up)
        remark(panels[0], said)
        return
    small = "; ".join(one for one in said if one)
    figure.supxlabel(f"{across}\n{small}" if small else across, fontsize=9.5)
    figure.supylabel(up, fontsize=9.5)


def response_label(fit: Fit) -> str:
    """The response as an axis names it."""
    return unquote(fit.design.formula.response)


def _sentence(fit: Fit, lines: FittedLines, name: str, facet: str | None, ghost: Floats | None) -> str:
    """Alt text: the population's line, and how far those of the groups lie apart."""
    where = f" in {facet} {name}" if facet is not None else ""
    known = lines.x_all if lines.categories is None else lines.categories
    start, end = (value_text(value, date=is_date(fit.design, lines.x)) for value in (known[0], known[-1]))
    first, last = lines.group_y[:, 0], lines.group_y[:, -1]
    text = (
        f"Fitted {response_label(fit)} along {lines.x}{where}: from {lines.y_all[0]:.3g} at {start} to "
        f"{lines.y_all[-1]:.3g} at {end} for the population; {counted(len(lines.levels), 'level')} of "
        f"{lines.group} from {np.nanmin(first):.3g} to {np.nanmax(first):.3g} where they start and "
        f"{np.nanmin(last):.3g} to {np.nanmax(last):.3g} where they end"
    )
    return f"{text}." if ghost is None else f"{text}; in truth from {ghost[0]:.3g} to {ghost[-1]:.3g}."
