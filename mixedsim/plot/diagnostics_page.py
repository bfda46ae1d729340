"""One page that answers: may I trust this fit?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from mixedsim.errors import MixedsimError, nearest
from mixedsim.inference.row_checks import FITTED
from mixedsim.models.diagnosis import CHECKS, Diagnosis
from mixedsim.plot.autocorrelation_panel import time_panel
from mixedsim.plot.collinearity_panel import collinearity_panel
from mixedsim.plot.influence_panels import level_panel, row_panel
from mixedsim.plot.panels import diagnosis_of
from mixedsim.plot.qq_panel import qq_panel
from mixedsim.plot.residual_panels import compare_panel, fit_beside, group_panel, mean_panel, spread_panel
from mixedsim.plot.style import INK, look, picture, say

Panel = Callable[[Axes, Diagnosis], None]
_MOST_EFFECTS = 4


def diagnostics(
    fit: Any,
    compare: Any = None,
    time: str | ArrayLike | None = None,
    *,
    page: Sequence[str] | None = None,
    units: Mapping[str, str] | None = None,
    seed: Any = 0,
) -> Figure:
    """Return one page that answers "may I trust this fit?": a panel an assumption, each with a verdict in words.

    A verdict "departs" rests on a test at the 1 % level against 199 responses drawn from the fit and analysed as the
    data were (collinearity, in which nothing is random, on common limits), so that a right model raises one false alarm
    in some twenty pages. Where a check looks along several predictors, the one that departs most is drawn.

    Parameters
    ----------
    fit : a fitted model, or what its `diagnose` returned.
    compare : ``"OLS"`` for least squares without groups, or another fit: its residuals stand beside.
    time : a column of the data, or one number or date a row: adds the autocorrelation of residuals within groups.
    page : the panels, of ``"mean"``, ``"spread"``, ``"groups"``, ``"residuals"`` and ``"effects"`` (their shapes),
        ``"rows"`` and ``"levels"`` (their influence), ``"time"``, ``"collinearity"``; all that apply if None.
    units : {column: unit} for the labels.
    seed : where the random numbers begin: the same fit has the same verdicts.

    Raises
    ------
    MixedsimError
        If it is no fit, or there is no such panel or time.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> figure = ms.plot.diagnostics(fit, time="Days")
    >>> figure.alt.split(": ")[0]
    'May I trust this fit? 7 of 9 checks look fine'
    >>> plt.close(figure)
    """
    diagnosis = diagnosis_of(fit, seed, "diagnostics")
    beside: Panel | None = None
    if compare is not None:
        beside = partial(compare_panel, beside=fit_beside(diagnosis, compare, seed), units=units)
    chosen = _chosen(diagnosis, page, time)
    panels = _panels(diagnosis, chosen, beside, time, units)
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = picture(3.9 * columns, 0.5 + 3.3 * rows)
    with look():
        head, verdict = _answer(diagnosis, chosen, time)
        say(figure, verdict)
        figure.suptitle(head, x=0.01, ha="left", fontsize=12.0, color=INK)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax, draw in zip(axes, panels, strict=False):
            draw(ax, diagnosis)
        for ax in axes[len(panels) :]:
            ax.set_axis_off()
    return figure


def _chosen(diagnosis: Diagnosis, page: Sequence[str] | None, time: Any) -> list[str]:
    if page is None:
        silent = {"time": time is None, "collinearity": diagnosis.collinearity[1].fine is None}
        return [name for name in CHECKS if not silent.get(name)]
    names = [page] if isinstance(page, str) else list(page)
    for name in names:
        if name not in CHECKS:
            raise MixedsimError(f"there is no panel {name!r} of a page of diagnostics: {nearest(name, CHECKS)}")
    if not names:
        raise MixedsimError(f"page must name at least one panel of {', '.join(CHECKS)}.")
    if "time" in names and time is None:
        raise MixedsimError("the panel 'time' needs to know the time of each row: give time=, a column of the data.")
    return names


def _panels(
    diagnosis: Diagnosis, chosen: Sequence[str], beside: Panel | None, time: Any, units: Mapping[str, str] | None
) -> list[Panel]:
    """What draws each panel; where a check departs along a predictor, that one is drawn."""
    out: list[Panel] = []
    for name in chosen:
        if name == "mean":
            along = diagnosis.mean.worst if diagnosis.mean.verdict.fine is False else FITTED
            out.append(partial(mean_panel, name=along, units=units))
            out += [] if beside is None else [beside]
        elif name == "spread":
            along = diagnosis.spread.worst if diagnosis.spread.verdict.fine is False else FITTED
            out.append(partial(spread_panel, name=along, units=units))
        elif name == "groups":
            out.append(partial(group_panel, group=None))
        elif name == "residuals":
            out.append(partial(qq_panel, shape=diagnosis.shape(), name="residuals"))
        elif name == "effects":
            out += _effects(diagnosis)
        elif name == "rows":
            out.append(partial(row_panel, found=diagnosis.influence))
        elif name == "levels":
            out.append(partial(level_panel, found=diagnosis.influence))
        elif name == "time":
            found, group = diagnosis.autocorrelation(time), next(iter(diagnosis.fit.n_groups))
            label = time if isinstance(time, str) else "time"
            out.append(partial(time_panel, found=found, time=label, group=group, units=units))
        else:
            out.append(collinearity_panel)
    return out


def _effects(diagnosis: Diagnosis) -> list[Panel]:
    """A panel for each random effect; those that depart first where there are many."""
    found = [
        (diagnosis.shape(factor.name, effect), f"{effect} by {factor.name}")
        for factor in diagnosis.fit.design.factors
        for effect in factor.effects
    ]
    if len(found) > _MOST_EFFECTS:
        found.sort(key=lambda one: one[0].verdict.fine is not False)
    return [partial(qq_panel, shape=shape, name=name) for shape, name in found[:_MOST_EFFECTS]]


def _answer(diagnosis: Diagnosis, chosen: Sequence[str], time: Any) -> tuple[str, str]:
    """The headline, and the sentence that leads the alt text."""
    verdicts = diagnosis.verdicts(time, chosen)
    judged = [one for one in verdicts if one.fine is not None]
    departs = [one for one in judged if not one.fine]
    head = f"May I trust this fit? {len(judged) - len(departs)} of {len(judged)} checks look fine"
    why = f": departs in {', '.join(one.check for one in departs)}." if departs else "."
    return f"{diagnosis.fit.formula}\n{head}", head + why
