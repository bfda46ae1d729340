"""The random effects of a factor, one line a level, sorted: who stands out, and how surely."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import special

from mixedsim.errors import MixedsimError, nearest
from mixedsim.inference.contrasts import check_level
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.plot.parameter_panels import unit_of_effect
from mixedsim.plot.style import FAINT, PAPER, SEVERAL, TRUTH, colour_of, dress, figure_of, look, picture, say, with_unit
from mixedsim.simulate import Sample, Truth

Floats = NDArray[np.float64]
Fit = LinearMixedModel | GeneralizedLinearMixedModel
_NAMED = 45  # more levels than this are not named on the axis
_MOST = 1_200  # more levels than this would lie on top of each other


def caterpillar(
    fit: Fit | Mapping[str, Fit],
    *,
    group: str | None = None,
    term: str | None = None,
    truth: Truth | Sample | pd.DataFrame | None = None,
    level: float = 0.95,
    units: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return the random effects of every level with their intervals, sorted by value.

    One panel an effect; or, for several fits, one panel a fit on one scale, with levels in the order of the first.
    The interval is mode ± z sd with the conditional standard deviation, given the estimated variances. Effects of a
    generalised model are on the scale of its link. Of more than 1,200 levels so many are drawn, evenly spaced in their
    order; the figure says so.

    Parameters
    ----------
    fit : a fitted model, linear or generalised; or several by name (before and after a predictor came in).
    group : grouping factor; the one with most levels if None.
    term : effect, ``"Intercept"`` or ``"Days"``; all of them if None (for several fits or `ax`: the first).
    truth : the sample that was fitted, its truth, or a DataFrame of true effects (levels × effects): a grey diamond.
    level : of the intervals, between 0 and 1.
    units : units of response and predictors, ``{"Reaction": "ms", "Days": "days"}``; of linear models.
    ax : axes for one effect of one fit; a new figure if None.

    Raises
    ------
    MixedsimError
        If there is no such group or effect, or `ax` is given for several fits.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> figure = ms.plot.caterpillar(fit, term="Days")
    >>> figure.alt
    'Effects of Days for 18 levels of Subject, from -10.75 (335) to 9.20 (308); 8 of 18 intervals exclude zero.'
    >>> plt.close(figure)
    """
    fits = _by_name(fit)
    check_level(level)
    if ax is not None and len(fits) > 1:
        raise MixedsimError(f"ax has room for one fit, found {len(fits)}: draw them one by one, or leave ax out.")
    first = next(iter(fits.values()))
    group = _group(first, group)
    terms = _terms(first, group, term, alone=ax is not None or len(fits) > 1)
    parts = [(name, one, effect) for name, one in fits.items() for effect in terms]
    for name, one, effect in parts:
        if group not in one.ranef or effect not in one.ranef[group]:
            raise MixedsimError(f"the fit {name!r} has no effect of {effect!r} by {group!r}: name another by term=.")
    known = _true_effects(truth, group)
    z = float(special.ndtri(0.5 + level / 2.0))
    height = float(np.clip(0.14 * first.n_groups[group] + 0.8, 2.2, 6.4))
    figure = picture(4.6 if len(parts) == 1 else 6.8, height) if ax is None else figure_of(ax)
    with look():
        axes = _panels(figure, len(parts), shared=len(fits) > 1) if ax is None else [ax]
        for k, (panel, (name, one, effect)) in enumerate(zip(axes, parts, strict=True)):
            modes = one.ranef[group][effect]
            sds = one.ranef_sd[group][effect]
            leading = first if len(fits) > 1 else one
            order = list(leading.ranef[group][effect].sort_values(kind="stable").index)
            varying = [e for factor in one.design.factors for e in factor.effects]
            colour = SEVERAL[k % len(SEVERAL)] if len(fits) > 1 else colour_of(varying)
            ghost = known[effect] if known is not None and effect in known else None
            shown = order if len(order) <= _MOST else [order[at] for at in _evenly(len(order))]
            _draw(panel, modes.loc[shown], sds.loc[shown], z, colour, ghost)
            _label(panel, len(shown), len(order))
            what = f"{effect} by {group}{_scale(one)}"
            panel.set_xlabel(with_unit(what, {what: unit_of_effect(one, effect, units)}))
            flat = not modes.any()
            why = "estimated variance 0 (singular fit)" if flat else ""
            panel.set_title(": ".join(filter(None, (name, why))), loc="left", fontsize=9.5, color=colour)
            say(figure, _sentence(name, modes, sds, z, effect, group))
            if flat:
                say(figure, "None differs: their estimated variance is 0 (singular fit).")
    return figure


def _evenly(count: int) -> list[int]:
    return [int(at) for at in np.linspace(0, count - 1, _MOST).round()]


def _scale(fit: Fit) -> str:
    """What the effects of a generalised model are measured on."""
    return f" ({fit.link} scale)" if isinstance(fit, GeneralizedLinearMixedModel) and fit.link != "identity" else ""


def _by_name(fit: Any) -> dict[str, Fit]:
    fits = dict(fit) if isinstance(fit, Mapping) else {"": fit}
    for one in fits.values():
        if not isinstance(one, Fit):
            raise MixedsimError(f"plot.caterpillar draws a fitted mixed model, found {type(one).__name__}.")
    if not fits:
        raise MixedsimError("plot.caterpillar draws a fitted mixed model, found none.")
    return {str(name): one for name, one in fits.items()}


def _group(fit: Fit, group: str | None) -> str:
    if group is None:
        return next(iter(fit.n_groups))
    if group not in fit.n_groups:
        raise MixedsimError(f"the model has no grouping factor {group!r}: {nearest(group, fit.n_groups)}")
    return group


def _terms(fit: Fit, group: str, term: str | None, *, alone: bool) -> list[str]:
    names = [str(name) for name in fit.ranef[group].columns]
    if term is None:
        return names[:1] if alone else names
    if term not in names:
        raise MixedsimError(f"{term!r} does not vary by {group!r}: {nearest(term, names)}")
    return [term]


def _true_effects(truth: Any, group: str) -> pd.DataFrame | None:
    if truth is None or isinstance(truth, pd.DataFrame):
        return truth
    if isinstance(truth, Truth | Sample):
        return (truth.truth if isinstance(truth, Sample) else truth).ranef.get(group)
    raise MixedsimError(f"truth must be a Sample, its truth, or a DataFrame of effects, found {type(truth).__name__}.")


def _panels(figure: Figure, count: int, *, shared: bool) -> list[Axes]:
    return list(figure.subplots(1, count, sharex=shared, sharey=shared, squeeze=False).ravel())


def _draw(
    ax: Axes, modes: pd.Series[float], sds: pd.Series[float], z: float, colour: str, ghost: pd.Series[float] | None
) -> None:
    """Intervals and modes from bottom to top, filled where the interval excludes zero."""
    dress(ax)
    y = np.arange(len(modes))
    at, half = modes.to_numpy(dtype=np.float64), z * sds.to_numpy(dtype=np.float64)
    dense = len(modes) > _NAMED
    ax.axvline(0.0, color=FAINT, lw=0.8, zorder=1)
    strength = 0.3 if len(modes) > 200 else 0.45 if dense else 0.75
    lines = ax.hlines(y, at - half, at + half, color=colour, lw=0.7 if dense else 1.5, alpha=strength, zorder=2)
    lines.set_snap(not dense)  # lines drawn to whole pixels would leave stripes
    outside = np.abs(at) > half
    size = float(np.clip(900.0 / len(modes), 3.0, 22.0))
    faces = np.where(outside, colour, PAPER)
    ax.scatter(at, y, s=size, c=list(faces), edgecolors=colour, linewidths=0.5 if dense else 1.1, zorder=4)
    if ghost is not None:
        true = ghost.reindex(modes.index).to_numpy(dtype=np.float64)
        ax.scatter(true, y, s=max(1.3 * size, 6.0), marker="d", color=TRUTH.colour, lw=0, zorder=3, label=TRUTH.label)
        ax.legend(loc="lower right", handletextpad=0.2)
    ax.set_ylim(-0.8, len(modes) - 0.2)
    if not dense:
        ax.set_yticks(y, [str(name) for name in modes.index], fontsize=7.5)
        ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _label(ax: Axes, shown: int, count: int) -> None:
    """What stands where there is no room for names."""
    if shown > _NAMED:
        ax.set_yticks([])
        ax.set_ylabel(
            f"{count:,} levels, sorted" if shown == count else f"{shown:,} of {count:,} levels, evenly spaced"
        )


def _sentence(name: str, modes: pd.Series[float], sds: pd.Series[float], z: float, effect: str, group: str) -> str:
    ends = modes.sort_values(kind="stable").iloc[[0, -1]]
    (low, least), (high, most) = zip(ends.index, ends.to_list(), strict=True)
    outside = int((modes.abs() > z * sds).sum())
    before = f"{name}: effects" if name else "Effects"
    drawn = f"; {_MOST:,} are drawn" if len(modes) > _MOST else ""
    return (
        f"{before} of {effect} for {len(modes):,} levels of {group}, from {least:.2f} ({low}) to "
        f"{most:.2f} ({high}); {outside} of {len(modes):,} intervals exclude zero{drawn}."
    )
