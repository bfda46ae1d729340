"""The replicates of a parametric bootstrap, every two parameters as a cloud."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError, nearest
from mixedsim.inference.kernel_density import kernel_density
from mixedsim.inference.shares import per_cent
from mixedsim.listing import counted, listed, unbroken
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.models.replicated_parameters import replicated_parameters
from mixedsim.plot.parameter_panels import (
    TruthLike,
    bounds_of,
    colour_of_parameter,
    estimates_of,
    label,
    reach_of,
    true_values,
)
from mixedsim.plot.style import INK, POINT, SEVERAL, TRUTH, dress, figure_of, look, say
from mixedsim.plot.triangle import triangle

Floats = NDArray[np.float64]
_MOST: Final = 6  # parameters that are drawn if none is named
_POINTS: Final = 2_000  # replicates that are drawn as points
_SINGULAR: Final = SEVERAL[0]


def bootstrap(
    draws: pd.DataFrame,
    fit: LinearMixedModel | GeneralizedLinearMixedModel | None = None,
    *,
    which: str | Sequence[str] | None = None,
    truth: TruthLike | None = None,
    units: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return clouds of bootstrap replicates, one panel a pair of parameters, with each one's density on the diagonal.

    A cross is the estimate around which they were drawn, a grey diamond the truth. Singular replicates are orange: a
    line of them along a standard deviation of 0, or a correlation of ±1, says how often data like these leave nothing
    to estimate. Of more than 2,000 replicates so many are drawn as points; the figure says so.

    Parameters
    ----------
    draws : what `fit.bootstrap()` returned.
    fit : the model. With it, θ is shown as standard deviations and correlations, and its estimates are drawn.
    which : parameters; the first six if None.
    truth : the sample that was fitted, its truth, or true values by name.
    units : units of the parameters, by name.
    ax : axes for one pair; a new figure if None.

    Raises
    ------
    MixedsimError
        If the table is no bootstrap, or none of this fit; for fewer than two parameters, or an unknown one.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))
    >>> figure = ms.plot.bootstrap(fit.bootstrap(200, seed=1), fit)
    >>> figure.alt.split(":")[0]
    '200 bootstrap replicates of Intercept, sd(Intercept | Batch) and sigma in pairs'
    >>> plt.close(figure)
    """
    table, singular, failed = _replicates(draws, fit)
    names = _names(table, which)
    estimates = {} if fit is None else estimates_of(fit)
    known = true_values(truth)
    values = {name: table[name].to_numpy(dtype=np.float64) for name in names}
    limits = {name: reach_of(values[name], estimates.get(name), known.get(name)) for name in names}
    outside = _outside(values, limits)
    shown = _sample(len(table))
    if ax is None:
        drawn = triangle(names, limits, units)
        figure = drawn.figure
        with look():
            for name, panel in drawn.alone.items():
                _alone(panel, name, values[name], known.get(name))
            for (one, other), panel in drawn.pairs.items():
                _cloud(panel, (one, other), values, shown, singular, estimates, known)
            remark = _remark(len(table), len(shown), singular, failed, outside)
            drawn.legend(_handles(bool(singular.any()), bool(estimates), any(n in known for n in names), remark))
    else:
        if len(names) != 2:
            raise MixedsimError(f"ax has room for one pair, found {len(names)} parameters: name two by which=.")
        figure = figure_of(ax)
        with look():
            dress(ax)
            one, other = names
            _cloud(ax, (one, other), values, shown, singular, estimates, known)
            ax.set(xlim=limits[one], ylim=limits[other])
            label(ax, one, units)
            label(ax, other, units, up=True)
    say(figure, _sentence(values, len(table.columns), singular, failed, len(shown), outside, estimates))
    return figure


def _replicates(
    draws: Any, fit: LinearMixedModel | GeneralizedLinearMixedModel | None
) -> tuple[pd.DataFrame, NDArray[np.bool_], int]:
    """Parameters of the replicates that converged, which of them are singular, and how many did not converge."""
    if not isinstance(draws, pd.DataFrame) or not {"converged", "singular"} <= set(draws.columns):
        raise MixedsimError(f"plot.bootstrap draws what fit.bootstrap() returns, found {_kind(draws)}.")
    if fit is not None and not isinstance(fit, LinearMixedModel | GeneralizedLinearMixedModel):
        raise MixedsimError(f"fit must be the model that was bootstrapped, found {type(fit).__name__}.")
    known = draws[draws["converged"].to_numpy(dtype=np.bool_)]
    if not len(known):
        raise MixedsimError("no bootstrap replicate converged: there is nothing to draw.")
    table = known.drop(columns=["converged", "singular"]) if fit is None else replicated_parameters(fit, known)
    table = table.select_dtypes("number")
    return table, known["singular"].to_numpy(dtype=np.bool_), len(draws) - len(known)


def _kind(draws: Any) -> str:
    return "a table without these columns" if isinstance(draws, pd.DataFrame) else type(draws).__name__


def _names(table: pd.DataFrame, which: str | Sequence[str] | None) -> list[str]:
    known = [str(name) for name in table.columns]
    names = known[:_MOST] if which is None else [which] if isinstance(which, str) else list(which)
    for name in names:
        if name not in known:
            raise MixedsimError(f"the bootstrap has no parameter {name!r}: {nearest(name, known)}")
    if len(set(names)) < 2:
        raise MixedsimError(
            f"pairs need two parameters or more, found {listed(map(repr, names))}: name more by which=."
        )
    return names


def _sample(count: int) -> NDArray[np.intp]:
    """Evenly spaced replicates: they come in no order."""
    return np.linspace(0, count - 1, min(count, _POINTS)).round().astype(np.intp)


def _outside(values: Mapping[str, Floats], limits: Mapping[str, tuple[float, float]]) -> int:
    """How many replicates lie beyond an axis."""
    beyond = [(column < limits[name][0]) | (column > limits[name][1]) for name, column in values.items()]
    return int(np.any(beyond, axis=0).sum())


def _alone(ax: Axes, name: str, values: Floats, truth: float | None) -> None:
    colour = colour_of_parameter(name)
    x, height = kernel_density(values[np.isfinite(values)], *bounds_of(name))
    if len(x):
        ax.fill_between(x, 0.0, height, color=colour, alpha=0.16, lw=0)
        ax.plot(x, height, color=colour, lw=1.2)
        ax.set_ylim(0.0, 1.15 * float(height.max()))
    if truth is not None:
        ax.axvline(truth, color=TRUTH.colour, lw=1.1, ls=TRUTH.dashes)


def _cloud(
    ax: Axes,
    pair: tuple[str, str],
    values: Mapping[str, Floats],
    shown: NDArray[np.intp],
    singular: NDArray[np.bool_],
    estimates: Mapping[str, float],
    truth: Mapping[str, float],
) -> None:
    """Points, singular ones on top, estimate and truth above all."""
    x, y = (values[name][shown] for name in pair)
    size, strength = float(np.clip(3000.0 / len(shown), 3.0, 10.0)), float(np.clip(250.0 / len(shown), 0.2, 0.7))
    flat = singular[shown]
    for mine, colour, name in ((~flat, POINT, "replicates"), (flat, _SINGULAR, "singular")):
        dots = ax.scatter(x[mine], y[mine], s=size, color=colour, alpha=strength, lw=0, zorder=2)
        dots.set_gid(name)
    if all(name in estimates for name in pair):
        ax.plot([estimates[pair[0]]], [estimates[pair[1]]], "+", color=INK, ms=9, mew=1.6, zorder=5)
    if all(name in truth for name in pair):
        ax.plot([truth[pair[0]]], [truth[pair[1]]], "d", color=TRUTH.colour, mec=INK, mew=0.5, ms=6, zorder=4)


def _remark(count: int, shown: int, singular: NDArray[np.bool_], failed: int, outside: int) -> str:
    said = [f"{count:,} replicates" if shown == count else f"{shown:,} of {count:,} replicates"]
    if singular.any():
        said.append(unbroken(f"{per_cent(float(singular.mean()))} singular"))
    if failed:
        said.append(f"{failed:,} more did not converge")
    if outside:
        said.append(f"{outside:,} beyond an axis")
    return textwrap.fill(", ".join(said), 36)


def _handles(singular: bool, estimated: bool, with_truth: bool, remark: str) -> list[Any]:
    handles = [Line2D([], [], marker="o", ls="", ms=4, color=POINT, label=remark)]
    if singular:
        handles.append(Line2D([], [], marker="o", ls="", ms=4, color=_SINGULAR, label="singular"))
    if estimated:
        handles.append(Line2D([], [], marker="+", ls="", ms=9, mew=1.6, color=INK, label="estimate"))
    if with_truth:
        handles.append(Line2D([], [], marker="d", ls="", color=TRUTH.colour, label=TRUTH.label))
    return handles


def _sentence(
    values: Mapping[str, Floats],
    columns: int,
    singular: NDArray[np.bool_],
    failed: int,
    shown: int,
    outside: int,
    estimates: Mapping[str, float],
) -> str:
    """Alt text: how many, how many singular, the most correlated pair, and where the middle is not the estimate."""
    part = f" (of {columns} parameters)" if len(values) < columns else ""
    flat = int(singular.sum())
    said = [
        f"{counted(len(singular), 'bootstrap replicate')} of {listed(values)}{part} in pairs: "
        + (f"{per_cent(float(singular.mean()))} are singular" if flat else "none is singular")
    ]
    if failed:
        said.append(f"{failed:,} more did not converge")
    if shown < len(singular):
        said.append(f"{shown:,} are drawn as points")
    if outside:
        said.append(f"{outside:,} lie{'s' * (outside == 1)} beyond an axis")
    tied = {pair: _correlation(values[pair[0]], values[pair[1]]) for pair in combinations(values, 2)}
    tied = {pair: r for pair, r in tied.items() if np.isfinite(r)}
    if tied:
        one, other = max(tied, key=lambda key: abs(tied[key]))
        said.append(f"most closely tied are {one} and {other}, correlation {tied[one, other]:.2f}")
    shifts = {
        name: (float(np.nanmean(column)) - estimates[name]) / float(np.nanstd(column))
        for name, column in values.items()
        if name in estimates and np.isfinite(estimates[name]) and np.nanstd(column) > 0
    }
    if shifts:
        name = max(shifts, key=lambda key: abs(shifts[key]))
        way = "above" if shifts[name] > 0 else "below"
        said.append(f"furthest from its estimate is the mean of {name}, {abs(shifts[name]):.2f} sd {way} it")
    return "; ".join(said) + "."


def _correlation(x: Floats, y: Floats) -> float:
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 3 or x[known].std() == 0 or y[known].std() == 0:
        return float("nan")
    return float(np.corrcoef(x[known], y[known])[0, 1])
