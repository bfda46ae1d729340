"""What the model expects along one predictor, with how surely that is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError, nearest
from mixedsim.inference.contrasts import Ddf
from mixedsim.listing import listed
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.models.mean_rows import reference_grid
from mixedsim.models.predictors import check_told, is_category, is_date, observed, position_of
from mixedsim.models.true_means import true_means
from mixedsim.plot.curve_bands import Curve, draw_band, draw_intervals, name_curves
from mixedsim.plot.fitted import response_label
from mixedsim.plot.points import cloud, hues
from mixedsim.plot.remarks import date_axis, held_text, in_words, remark, value_text
from mixedsim.plot.style import POINT, colour_of, dress, figure_of, look, picture, say, with_unit
from mixedsim.plot.true_coefficients import TrueCoefficients, true_coefficients

Floats = NDArray[np.float64]
Fit = LinearMixedModel | GeneralizedLinearMixedModel
Scale = Literal["response", "link"]
Kind = Literal["conditional", "marginal"]
_POINTS = 61  # of a curve
_MOST = 8  # curves


def effects(
    fit: Fit,
    x: str,
    by: str | None = None,
    *,
    scale: Scale = "response",
    kind: Kind = "conditional",
    ddf: Ddf = "satterthwaite",
    level: float = 0.95,
    at: Mapping[str, Any] | None = None,
    points: bool = False,
    truth: TrueCoefficients | None = None,
    units: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return the mean that a model expects along one predictor, with its confidence band (or intervals).

    The means are those of `emmeans`, so what stands for all other predictors is the same: numbers are at their mean,
    and categories are averaged over, each level counting alike. The picture says at which values. With `by` there is
    one curve for each level of a second predictor; for a number these are its mean and the mean ± 1 sd, or what `at`
    says. Curves that are not parallel are an interaction.

    Parameters
    ----------
    fit : linear or generalised.
    x : a predictor of the fixed part: a number has a curve and a band, a category points and intervals.
    by : a second predictor.
    scale : of a generalised model: ``"response"`` (probabilities, counts), or ``"link"``.
    kind : of a generalised model: ``"conditional"``, a group in the middle, or ``"marginal"``, the mean of the
        population (see `GeneralizedLinearMixedModel.marginal_means`). In a linear model the two are one.
    ddf : of a linear model, as in its `coefficients`; intervals are t intervals.
    level : confidence level.
    at : values of predictors, ``{"IQ": [8, 12]}``, those of `x` and `by` among them.
    points : draw the data behind; they are not adjusted for the other predictors.
    truth : true coefficients, a `Sample` or numbers by name: the true curves, dashed (not of marginal means, which
        need more than coefficients).
    units : units for the axis labels.
    ax : axes to draw on; a new figure if None.

    Raises
    ------
    MixedsimError
        If a name is no predictor of the fixed part, or an option is none of those there are.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> figure = ms.plot.effects(fit, "Days")
    >>> print(figure.alt)
    Expected Reaction along Days, with 95 % intervals: from 251 (237 to 266) at 0 to 346 (315 to 376) at 9.
    >>> plt.close(figure)
    """
    _check(fit, x, by, scale, kind)
    if truth is not None and kind == "marginal" and not isinstance(fit, LinearMixedModel):
        raise MixedsimError("truth has no coefficients of marginal means: leave truth out, or take kind='conditional'.")
    grid = _grid(fit, x, by, {} if at is None else at)
    table = _table(fit, x, by, scale, kind, ddf, level, grid)
    if table["estimate"].isna().mean() > 0.5:  # of a line, all but the point at which it would be anchored
        raise MixedsimError(
            f"the data do not determine the means along {x!r}, because columns were dropped from the fit or cells are "
            "empty: fit a model without them, or choose other values by at=."
        )
    categorical = is_category(fit.design, x)
    levels = list(grid[x]) if categorical else None
    if truth is not None:
        known = true_coefficients(truth, list(fit.coefficient_names), fit.design.formula)
        table["truth"] = true_means(fit, x, by, known, at=grid, response=scale == "response").to_numpy()
    curves = _curves(fit, table, x, by, grid, levels)
    others = _others(fit, x, by, grid)
    figure = picture(5.4, 3.8) if ax is None else figure_of(ax)
    with look():
        panel = figure.add_subplot() if ax is None else ax
        dress(panel)
        said = [_data(panel, fit, x, levels)] if points and scale == "response" else []
        for k, curve in enumerate(curves):
            if levels is None:
                draw_band(panel, curve)
            else:
                draw_intervals(panel, curve, shift=0.0 if len(curves) == 1 else 0.36 * (k / (len(curves) - 1) - 0.5))
        if is_date(fit.design, x):
            date_axis(panel)
        if levels is not None:
            panel.set_xticks(range(len(levels)), [value_text(one) for one in levels])
            panel.set_xlim(-0.5, len(levels) - 0.5)
        name_curves(figure, panel, None if by is None else with_unit(by, units), outside=ax is None)
        panel.set(xlabel=with_unit(x, units), ylabel=_up(fit, scale, kind, units))
        said += [others, f"{_band_name(levels)}: {100 * level:g} % confidence"]
        remark(panel, said)
    say(figure, _sentence(fit, x, by, curves, grid[x], level, kind) + in_words(said[:-1]))
    return figure


def _check(fit: Any, x: str, by: str | None, scale: str, kind: str) -> None:
    if not isinstance(fit, LinearMixedModel | GeneralizedLinearMixedModel):
        raise MixedsimError(f"plot.effects draws a fitted mixed model, found {type(fit).__name__}.")
    if scale not in get_args(Scale):
        raise MixedsimError(f"scale must be 'response' or 'link', found {scale!r}.")
    if kind not in get_args(Kind):
        raise MixedsimError(f"kind must be 'conditional' or 'marginal', found {kind!r}.")
    generalised = isinstance(fit, GeneralizedLinearMixedModel)
    if generalised and scale == "link" and kind == "marginal":
        raise MixedsimError("means of the population are on the scale of the response: leave scale out, or kind.")
    known = fit.design.variables
    for what, name in (("x", x), ("by", by)):
        if name is not None and name not in known:
            tail = nearest(name, known) if known else "it has none."
            raise MixedsimError(f"{what} must be a predictor of {fit.formula!r}, found {name!r}: {tail}")
        if name is not None:
            check_told(fit, name)
    if x == by:
        raise MixedsimError(f"x and by are both {x!r}: name another predictor by by=.")


def _grid(fit: Fit, x: str, by: str | None, at: Mapping[str, Any]) -> dict[str, Any]:
    """Values of all predictors: the curve's points, a few of a second number, and those of the reference grid."""
    chosen = dict(at)
    if x not in chosen and not is_category(fit.design, x):
        values = np.asarray(fit.design.variables[x], dtype=np.float64)
        chosen[x] = np.linspace(values.min(), values.max(), _POINTS).tolist()
    if by is not None and by not in chosen and not is_category(fit.design, by):
        values = np.asarray(fit.design.variables[by], dtype=np.float64)
        middle, sd = float(values.mean()), float(values.std(ddof=1))
        few = np.unique(values)
        chosen[by] = few.tolist() if len(few) <= 3 else [middle - sd, middle, middle + sd]
    grid = reference_grid(fit.design, chosen)
    if by is not None and len(grid[by]) > _MOST:
        raise MixedsimError(
            f"by={by!r} has {len(grid[by])} values, more curves than can be told apart: choose up to {_MOST} with "
            f"at={{{by!r}: [...]}}."
        )
    return grid


def _table(
    fit: Fit, x: str, by: str | None, scale: Scale, kind: Kind, ddf: Ddf, level: float, grid: Mapping[str, Any]
) -> pd.DataFrame:
    """Estimates with intervals, x changing fastest: estimate, lower, upper."""
    if isinstance(fit, LinearMixedModel):
        found = fit.emmeans(x, by, ddf, level, at=grid)
    elif kind == "marginal":
        population = fit.marginal_means(x, by, level, at=grid)
        columns = {"marginal": "estimate", "marginal_lower": "lower", "marginal_upper": "upper"}
        return pd.DataFrame(population)[list(columns)].rename(columns=columns)
    else:
        found = fit.emmeans(x, by, level, scale=scale, at=grid)
    return pd.DataFrame(found)[["emmean", "lower", "upper"]].rename(columns={"emmean": "estimate"})


def _curves(
    fit: Fit, table: pd.DataFrame, x: str, by: str | None, grid: Mapping[str, Any], levels: list[Any] | None
) -> list[Curve]:
    along = np.arange(len(levels), dtype=np.float64) if levels is not None else np.asarray(grid[x], dtype=np.float64)
    numbers = table.to_numpy(dtype=np.float64).reshape(-1, len(along), table.shape[1])
    if by is None:
        names, colours = [""], [colour_of(e for factor in fit.design.factors for e in factor.effects)]
    else:
        names, colours = _names(fit, by, grid[by]), hues(len(grid[by]))
    return [
        Curve(name, colour, along, own[:, 0], own[:, 1], own[:, 2], own[:, 3] if own.shape[1] > 3 else None)
        for name, colour, own in zip(names, colours, numbers, strict=True)
    ]


def _names(fit: Fit, by: str, values: list[Any]) -> list[str]:
    """The values of the second predictor; of a number, also where they stand."""
    plain = [value_text(value) for value in values]
    if is_category(fit.design, by) or len(values) != 3:
        return plain
    own = np.asarray(fit.design.variables[by], dtype=np.float64)
    middle, sd = float(own.mean()), float(own.std(ddof=1))
    if not np.allclose(values, [middle - sd, middle, middle + sd], rtol=1e-12):
        return plain
    return [f"{text} ({said})" for text, said in zip(plain, ("mean − sd", "mean", "mean + sd"), strict=True)]


def _others(fit: Fit, x: str, by: str | None, grid: Mapping[str, Any]) -> str:
    """What stands for the other predictors."""
    rest = {name: values for name, values in grid.items() if name not in (x, by)}
    held = {name: values[0] for name, values in rest.items() if len(values) == 1}
    averaged = [name for name, values in rest.items() if len(values) > 1]
    offset = None if fit.design.offset is None else float(fit.design.offset.mean())
    parts = [held_text(held, offset)]
    if averaged:
        parts.append(f"averaged over the levels of {listed(averaged, 6)}")
    return "; ".join(part for part in parts if part)


def _data(ax: Axes, fit: Fit, x: str, levels: list[Any] | None) -> str:
    """The rows behind the curves; of categories those that are drawn, spread sideways."""
    y = observed(fit)
    if levels is None:
        return cloud(ax, np.asarray(fit.design.variables[x], dtype=np.float64), y, POINT)
    known = reference_grid(fit.design, {})[x]
    place = pd.Index(levels).get_indexer(pd.Index(known))[position_of(fit.design, x)]
    shown = place >= 0
    aside = np.random.default_rng(1).uniform(-0.12, 0.12, int(shown.sum()))
    return cloud(ax, place[shown] + aside, y[shown], POINT)


def _band_name(levels: list[Any] | None) -> str:
    return "band" if levels is None else "intervals"


def _up(fit: Fit, scale: Scale, kind: Kind, units: Mapping[str, str] | None) -> str:
    """The vertical label: what is expected, of whom, on which scale."""
    response = response_label(fit)
    if isinstance(fit, LinearMixedModel):
        return f"expected {with_unit(response, units)}"
    if scale == "link":
        return f"{fit.link} of expected {response}"
    whom = f"{listed(fit.n_groups)} in the middle" if kind == "conditional" else "population"
    return f"expected {with_unit(response, units)}\n({whom})"


def _sentence(fit: Fit, x: str, by: str | None, curves: list[Curve], values: Any, level: float, kind: Kind) -> str:
    """Alt text: both ends of every curve with their intervals."""
    told, dates = [], is_date(fit.design, x)
    for curve in curves:
        ends = [
            f"{_known(curve.estimate[k], curve.lower[k], curve.upper[k])} at {value_text(values[k], date=dates)}"
            for k in (0, -1)
        ]
        before = f"{by} {curve.label}: " if by is not None else ""
        true = "" if curve.truth is None else f", in truth from {curve.truth[0]:.3g} to {curve.truth[-1]:.3g}"
        told.append(f"{before}from {ends[0]} to {ends[1]}{true}")
    whom = "" if isinstance(fit, LinearMixedModel) else (
        " of a group in the middle" if kind == "conditional" else " of the population"
    )  # fmt: skip
    return f"Expected {response_label(fit)}{whom} along {x}, with {100 * level:g} % intervals: {'; '.join(told)}."


def _known(estimate: float, lower: float, upper: float) -> str:
    return "undetermined" if np.isnan(estimate) else f"{estimate:.3g} ({lower:.3g} to {upper:.3g})"
