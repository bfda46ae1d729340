"""Estimates against the number of groups: do more of them lead to the truth?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError, nearest
from mixedsim.listing import counted, listed
from mixedsim.plot.forest_frame import number, true_number
from mixedsim.plot.parameter_panels import ACROSS, panels, sheet_size, wrapped
from mixedsim.plot.style import FAINT, PAPER, TINT, TRUTH, colour_of, dress, figure_of, look, picture, say
from mixedsim.study import Recovery

Floats = NDArray[np.float64]
_Z: Final = 1.96


def consistency(
    recoveries: Mapping[Any, Recovery] | Iterable[Recovery],
    parameters: str | Sequence[str] | None = None,
    *,
    group: str | None = None,
    units: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return estimates and intervals against the number of groups, one panel a parameter, around the dashed truth.

    The tinted funnel is the truth ± 1.96 standard errors of the largest sample, wider with 1/√k towards fewer groups:
    where estimates of a sound model lie. An estimate that settles beside the truth is biased, not unlucky. A hollow
    mark has an interval that does not hold the truth.

    Parameters
    ----------
    recoveries : what `mixedsim.recover` returned for populations of different numbers of groups: several, or by name.
    parameters : which; all that have a truth if None.
    group : the grouping factor whose levels are counted; the one with most levels if None.
    units : units of the parameters, by name.
    ax : axes for one parameter; a new figure if None.

    Raises
    ------
    MixedsimError
        If there are fewer than two different numbers of groups, or no such parameter or group.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> several = [ms.recover(ms.scenarios.therapist_plain(therapists=k, patients=5), seed=1) for k in (10, 100)]
    >>> figure = ms.plot.consistency(several, "depression")
    >>> figure.alt.split(";")[0]
    'depression, in truth 3: 3.47 with 10 levels of therapist, 2.99 with 100'
    >>> plt.close(figure)
    """
    several = _checked(recoveries)
    counts, name = _counts(several, group)
    order = np.argsort(counts, kind="stable")
    several, k = [several[i] for i in order], counts[order]
    known = _parameters(several, parameters)
    if ax is not None and len(known) > 1:
        raise MixedsimError(f"ax has room for one parameter, found {len(known)}: name one, or leave ax out.")
    figure = picture(*sheet_size(len(known))) if ax is None else figure_of(ax)
    effects = [effect for factor in several[-1].fit.design.factors for effect in factor.effects]
    with look():
        axes = panels(figure, len(known)) if ax is None else [ax]
        for i, (panel, parameter) in enumerate(zip(axes, known, strict=True)):
            _draw(panel, k, _rows(several, parameter), colour_of(effects))
            panel.set_ylabel(wrapped(parameter, units, 22), fontsize=8.5)
            if ax is not None or i >= len(known) - ACROSS:
                panel.set_xlabel(f"levels of {name}")
    say(figure, " ".join(_sentence(parameter, k, _rows(several, parameter), name) for parameter in known))
    return figure


def _checked(given: Any) -> list[Recovery]:
    several = list(given.values()) if isinstance(given, Mapping) else given
    if isinstance(several, Recovery) or not isinstance(several, Iterable):
        raise MixedsimError(
            f"plot.consistency draws several results of recover, found {type(given).__name__}: give a list, or a dict."
        )
    several = list(several)
    for one in several:
        if not isinstance(one, Recovery):
            raise MixedsimError(f"plot.consistency draws what recover returns, found {type(one).__name__}.")
    if len(several) < 2:
        raise MixedsimError(f"plot.consistency draws two recoveries or more, found {len(several)}.")
    return several


def _counts(several: Sequence[Recovery], group: str | None) -> tuple[NDArray[np.int64], str]:
    """Number of groups of each, and whose."""
    known = list(several[0].fit.n_groups)
    name = known[0] if group is None else group
    for one in several:
        if name not in one.fit.n_groups:
            raise MixedsimError(f"there is no grouping factor {name!r} in every fit: {nearest(name, one.fit.n_groups)}")
    counts = np.array([one.fit.n_groups[name] for one in several], dtype=np.int64)
    if len(set(counts.tolist())) < 2:
        raise MixedsimError(
            f"all recoveries have {counted(int(counts[0]), 'level')} of {name!r}: give some of different size."
        )
    return counts, name


def _parameters(several: Sequence[Recovery], wanted: str | Sequence[str] | None) -> list[str]:
    known: dict[str, bool] = {}
    for one in several:
        there = one.table["truth"].notna() & one.table["estimate"].notna()
        for name, both in there.items():
            known[str(name)] = known.get(str(name), False) or bool(both)
    if wanted is None:
        names = [name for name, true in known.items() if true]
        if not names:
            raise MixedsimError("no parameter of these recoveries has a truth and an estimate.")
        return names
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    for name in names:
        if name not in known:
            raise MixedsimError(f"the recoveries have no parameter {name!r}: {nearest(name, known)}")
    if not names:
        raise MixedsimError("parameters is empty: name some, or leave it out.")
    return names


def _rows(several: Sequence[Recovery], parameter: str) -> Floats:
    """m × 5: truth, estimate, se, lower, upper; NaN where one is missing."""
    columns = ["truth", "estimate", "se", "lower", "upper"]
    rows = [one.table.reindex([parameter])[columns].astype(float).to_numpy()[0] for one in several]
    return np.array(rows, dtype=np.float64)


def _draw(ax: Axes, k: NDArray[np.int64], rows: Floats, colour: str) -> None:
    dress(ax)
    truth, estimate, se, lower, upper = rows.T
    ends = float(k.min()) / 1.5, float(k.max()) * 1.5
    known = truth[np.isfinite(truth)]
    if len(known):
        true = float(known[-1])
        ax.axhline(true, color=TRUTH.colour, lw=TRUTH.width, ls=TRUTH.dashes, zorder=2)
        last = np.flatnonzero(np.isfinite(se))
        if len(last):
            along = np.geomspace(*ends, 101)
            half = _Z * float(se[last[-1]]) * np.sqrt(float(k[last[-1]]) / along)
            ax.fill_between(along, true - half, true + half, color=TINT, lw=0, zorder=0).set_gid("funnel")
    there = np.isfinite(lower) & np.isfinite(upper)
    ax.vlines(k[there], lower[there], upper[there], color=colour, lw=1.8, zorder=3)
    missed = there & ((truth < lower) | (truth > upper))
    faces = [PAPER if miss else colour for miss in missed]
    ax.scatter(k, estimate, s=30, c=faces, ec=colour, lw=1.4, zorder=4).set_gid("estimates")
    ax.set_xscale("log")
    ax.set_xlim(*ends)
    ax.set_xticks(k, [f"{value:,}" for value in k], fontsize=7.5)
    ax.xaxis.set_minor_locator(NullLocator())
    values = np.concatenate([estimate, lower[k > k.min()], upper[k > k.min()], known])
    values = values[np.isfinite(values)]
    if len(values):
        margin = 0.12 * float(np.ptp(values)) or max(0.1 * abs(float(values[0])), 0.1)
        ax.set_ylim(float(values.min()) - margin, float(values.max()) + margin)
    ax.tick_params(color=FAINT)


def _sentence(parameter: str, k: NDArray[np.int64], rows: Floats, group: str) -> str:
    """Alt text: the estimates from few groups to many, and whether the intervals hold the truth."""
    truth, estimate, se, lower, upper = rows.T
    known = truth[np.isfinite(truth)]
    head = f"{parameter}, in truth {true_number(float(known[-1]))}" if len(known) else parameter
    known_se = se[np.isfinite(se)]
    unit = float(known_se[-1]) if len(known_se) else np.nan
    values = [number(value, unit) if np.isfinite(value) else "none" for value in estimate]
    first, *rest = [f"{value} with {count:,}" for value, count in zip(values, k, strict=True)]
    told = ", ".join([f"{first} levels of {group}", *rest])
    there = np.isfinite(lower) & np.isfinite(upper) & np.isfinite(truth)
    held = there & (lower <= truth) & (truth <= upper)
    if not there.any():
        return f"{head}: {told}."
    missed = [f"{count:,}" for count in k[there & ~held]]
    tail = f", not with {listed(missed)}" if missed else ""
    return f"{head}: {told}; {int(held.sum())} of {int(there.sum())} intervals hold the truth{tail}."
