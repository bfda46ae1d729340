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
from mixedsim.models import LinearMixedModel
from mixedsim.plot.style import FAINT, PAPER, SEVERAL, TRUTH, colour_of, dress, figure_of, look, picture, say
from mixedsim.simulate import Sample, Truth

Floats = NDArray[np.float64]
_NAMED = 45  # more levels than this are not named on the axis


def caterpillar(
    fit: LinearMixedModel | Mapping[str, LinearMixedModel],
    *,
    group: str | None = None,
    term: str | None = None,
    truth: Truth | Sample | pd.DataFrame | None = None,
    level: float = 0.95,
    ax: Axes | None = None,
) -> Figure:
    """Return the random effects of every level with their intervals, sorted by value.

    One panel an effect; or, for several fits, one panel a fit on one scale, with levels in the order of the first.
    The interval is mode ± z sd with the conditional standard deviation, given the estimated variances.

    Parameters
    ----------
    fit : a fitted model; or several by name (before and after a predictor came in).
    group : grouping factor; the one with most levels if None.
    term : effect, ``"Intercept"`` or ``"Days"``; all of them if None (for several fits or `ax`: the first).
    truth : the sample that was fitted, its truth, or a DataFrame of true effects (levels × effects): a grey diamond.
    level : of the intervals, between 0 and 1.
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
            _draw(panel, modes.loc[order], sds.loc[order], z, colour, ghost)
            panel.set_xlabel(f"{effect} by {group}")
            if name:
                panel.set_title(name, loc="left", fontsize=9.5, color=colour)
            say(figure, _sentence(name, modes, sds, z, effect, group))
    return figure


def _by_name(fit: Any) -> dict[str, LinearMixedModel]:
    fits = dict(fit) if isinstance(fit, Mapping) else {"": fit}
    for one in fits.values():
        if not isinstance(one, LinearMixedModel):
            raise MixedsimError(f"plot.caterpillar draws a fitted mixed model, found {type(one).__name__}.")
    if not fits:
        raise MixedsimError("plot.caterpillar draws a fitted mixed model, found none.")
    return {str(name): one for name, one in fits.items()}


def _group(fit: LinearMixedModel, group: str | None) -> str:
    if group is None:
        return next(iter(fit.n_groups))
    if group not in fit.n_groups:
        raise MixedsimError(f"the model has no grouping factor {group!r}: {nearest(group, fit.n_groups)}")
    return group


def _terms(fit: LinearMixedModel, group: str, term: str | None, *, alone: bool) -> list[str]:
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
    ax.hlines(y, at - half, at + half, color=colour, lw=0.7 if dense else 1.5, alpha=0.45 if dense else 0.75, zorder=2)
    outside = np.abs(at) > half
    size = float(np.clip(900.0 / len(modes), 3.0, 22.0))
    faces = np.where(outside, colour, PAPER)
    ax.scatter(at, y, s=size, c=list(faces), edgecolors=colour, linewidths=0.5 if dense else 1.1, zorder=4)
    if ghost is not None:
        true = ghost.reindex(modes.index).to_numpy(dtype=np.float64)
        ax.scatter(true, y, s=max(1.3 * size, 6.0), marker="d", color=TRUTH.colour, lw=0, zorder=3, label=TRUTH.label)
        ax.legend(loc="lower right", handletextpad=0.2)
    ax.set_ylim(-0.8, len(modes) - 0.2)
    if dense:
        ax.set_yticks([])
        ax.set_ylabel(f"{len(modes):,} levels, sorted")
    else:
        ax.set_yticks(y, [str(name) for name in modes.index], fontsize=7.5)
        ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _sentence(
    name: str, modes: pd.Series[float], sds: pd.Series[float], z: float, effect: str, group: str
) -> str:
    ends = modes.sort_values(kind="stable").iloc[[0, -1]]
    (low, least), (high, most) = zip(ends.index, ends.to_list(), strict=True)
    outside = int((modes.abs() > z * sds).sum())
    before = f"{name}: effects" if name else "Effects"
    return (
        f"{before} of {effect} for {len(modes):,} levels of {group}, from {least:.2f} ({low}) to "
        f"{most:.2f} ({high}); {outside} of {len(modes):,} intervals exclude zero."
    )
