"""Residuals along fitted values, a predictor, or group by group, with what a right model would show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError, nearest
from mixedsim.inference.row_checks import FITTED, Curves
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.models.diagnosis import Diagnosis
from mixedsim.plot.panels import INNER, OUTER, ask, band, cloud, colour_of_fit, diagnosis_of, empty, remark, short
from mixedsim.plot.style import FAINT, LINES, POINT, dress, figure_of, look, picture, say, with_unit

Floats = NDArray[np.float64]
_NAMED = 24  # groups whose names stand on the axis
_ROOM = 40  # letters that fit side by side
_DOTS = 3_000  # residuals that are drawn behind groups


def residuals(
    fit: Any,
    against: str | None = None,
    *,
    spread: bool = False,
    compare: Any = None,
    units: Mapping[str, str] | None = None,
    seed: Any = 0,
    ax: Axes | None = None,
) -> Figure:
    """Return the residuals along the fitted values, along a predictor, or group by group, with a verdict.

    The line is the smooth curve that follows them best; the bands hold such curves of responses drawn from the fit:
    95 % of them at each point (inner), and 99 % of them everywhere along all predictors (outer). The verdict says
    whether the line leaves the outer band. Residuals are those around fitted values with random effects; of a
    generalised model, randomised quantile residuals against the linear predictor.

    Parameters
    ----------
    fit : a fitted model, or what its `diagnose` returned.
    against : a numeric predictor of the fixed part; a grouping factor, whose levels are then ordered by the size of
        their residuals; a categorical predictor (with ``spread=True``). Fitted values if None.
    spread : draw √|standardised residual|: is the spread the same everywhere?
    compare : ``"OLS"`` for least squares without groups, or another fit: its residuals stand beside, on the same scale.
    units : {column: unit} for the labels.
    seed : where the random numbers begin.
    ax : axes for one panel; a new figure if None.

    Raises
    ------
    MixedsimError
        If it is no fit, `against` is none of these, or `ax` is given beside `compare`.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> figure = ms.plot.residuals(fit, "Days")
    >>> figure.alt
    '180 residuals against Days: looks fine.'
    >>> plt.close(figure)
    """
    diagnosis = diagnosis_of(fit, seed, "residuals")
    grouped = against in diagnosis.fit.n_groups
    curves = None if grouped else _curves(diagnosis, against, spread)
    if grouped and (spread or compare is not None):
        raise MixedsimError(f"against={against!r} is a grouping factor: leave out spread and compare.")
    beside = None if compare is None else fit_beside(diagnosis, compare, seed)
    if compare is not None and (ax is not None or spread or against is not None):
        raise MixedsimError("compare draws two panels against fitted values: leave out ax, spread and against.")
    figure = picture(7.2 if compare is not None else 4.8, 3.6) if ax is None else figure_of(ax)
    with look():
        if compare is not None:
            left, right = figure.subplots(1, 2, sharey=True)
            mean_panel(left, diagnosis, FITTED, units)
            compare_panel(right, diagnosis, beside, units)
            right.set_ylabel("")
            return figure
        panel = figure.subplots() if ax is None else ax
        if grouped:
            group_panel(panel, diagnosis, against)
        elif spread:
            spread_panel(panel, diagnosis, _name(against), units)
        else:
            assert curves is not None
            mean_panel(panel, diagnosis, _name(against), units)
    return figure


def _name(against: str | None) -> str:
    return FITTED if against is None else against


def _curves(diagnosis: Diagnosis, against: str | None, spread: bool) -> Curves:
    """The check behind the panel; raises where it does not know the variable."""
    found = diagnosis.spread if spread else diagnosis.mean
    name = _name(against)
    if name in found.curves or name == FITTED:
        return found
    if name in diagnosis.numbers:
        raise MixedsimError(f"{name!r} has too few values for a curve: against=None draws the fitted values.")
    if not spread and name in diagnosis.spread.curves:
        raise MixedsimError(f"{name!r} is a category, whose means the fit takes up: draw its spread by spread=True.")
    known = [*(one for one in found.curves if one != FITTED), *diagnosis.fit.n_groups]
    raise MixedsimError(f"against must be a predictor or a grouping factor, found {name!r}: {nearest(name, known)}")


def fit_beside(diagnosis: Diagnosis, compare: Any, seed: Any) -> Diagnosis | None:
    """The diagnosis to stand beside; None for least squares, of which generalised models have none."""
    if isinstance(compare, str) and compare.upper() == "OLS":
        diagnosis.check_linear()
        return None
    if isinstance(compare, Diagnosis | LinearMixedModel | GeneralizedLinearMixedModel):
        other = diagnosis_of(compare, seed, "residuals")
        alike = type(other.fit) is type(diagnosis.fit)
        if not alike or not np.array_equal(other.fit.design.y, diagnosis.fit.design.y):
            raise MixedsimError(
                "compare must be a model of the same kind, fitted to the same response on the same rows."
            )
        return other
    raise MixedsimError(f"compare must be 'OLS' or another fitted model, found {compare!r}.")


def mean_panel(ax: Axes, diagnosis: Diagnosis, name: str, units: Mapping[str, str] | None) -> None:
    """Is the mean right? Residuals along fitted values or a predictor."""
    dress(ax)
    x, y, unit = _coordinates(diagnosis, name)
    binned = cloud(ax, x, y)
    ax.axhline(0.0, color=FAINT, lw=0.8, zorder=2)
    curve = diagnosis.mean.curves.get(name)
    if curve is not None:
        found = curve.envelope.mapped(lambda values: unit * values)
        band(ax, curve.x, found)
        ax.plot(curve.x, found.observed, color=colour_of_fit(diagnosis), lw=2.0, zorder=5)
    _label(ax, diagnosis, name, units)
    verdict = diagnosis.mean.verdict if curve is None else curve.verdict
    ask(ax, "Is the mean right?", verdict)
    _say(ax, diagnosis, f"residuals against {name}", verdict.words, binned)


def _coordinates(diagnosis: Diagnosis, name: str) -> tuple[Floats, Floats, float]:
    fitted, residual, unit = diagnosis.shown
    if name == FITTED:
        return fitted, residual, unit
    return np.asarray(diagnosis.fit.design.variables[name], dtype=np.float64), residual, unit


def _label(ax: Axes, diagnosis: Diagnosis, name: str, units: Mapping[str, str] | None) -> None:
    fit, response = diagnosis.fit, diagnosis.fit.design.formula.response
    unit = (units or {}).get(response)
    fitted = f"fitted {with_unit(response, units)}"
    if isinstance(fit, GeneralizedLinearMixedModel):
        ax.set_ylabel("quantile residual")
        fitted = f"linear predictor ({fit.link})"
    else:
        ax.set_ylabel(f"residual ({unit})" if unit else "residual")
    if name == FITTED:
        ax.set_xlabel(fitted)
    else:
        ax.set_xlabel(with_unit(name, units))


def compare_panel(ax: Axes, diagnosis: Diagnosis, beside: Diagnosis | None, units: Mapping[str, str] | None) -> None:
    """Residuals of another analysis of the same response, on the scale of the first."""
    dress(ax)
    _, own, _ = diagnosis.shown
    fitted, residual = diagnosis.ordinary if beside is None else beside.shown[:2]
    cloud(ax, fitted, residual)
    ax.axhline(0.0, color=FAINT, lw=0.8, zorder=2)
    other = "least squares, no groups" if beside is None else beside.fit.formula
    colour = LINES["complete"].colour if beside is None else colour_of_fit(beside)
    ax.set_title(other, loc="left", fontsize=10.0, color=colour, pad=27.0)
    sizes = [float(np.std(values)) for values in (residual, own)]
    text = f"residual sd {sizes[0]:.3g}, in this model {sizes[1]:.3g}"
    ax.annotate(text, (0.0, 1.0), xycoords="axes fraction", xytext=(0, 25), textcoords="offset points", fontsize=8.5,
                color=FAINT, ha="left", va="top")  # fmt: skip
    _label(ax, diagnosis if beside is None else beside, FITTED, units)
    say(figure_of(ax), f"Beside it {other}: {text}.")


def spread_panel(ax: Axes, diagnosis: Diagnosis, name: str, units: Mapping[str, str] | None) -> None:
    """Is the spread the same? √|standardised residual| along fitted values or a predictor."""
    dress(ax)
    curve = diagnosis.spread.curves.get(name)
    values = np.sqrt(np.abs(diagnosis.standardised))
    binned = False
    if curve is not None and curve.labels:
        codes = _codes(diagnosis, name, curve.labels)
        jitter = np.random.default_rng(1).uniform(-0.18, 0.18, len(codes))
        binned = cloud(ax, codes + jitter, values)
        found = curve.envelope
        for half, (low, high) in ((0.36, (found.low, found.high)), (0.28, (found.lower, found.upper))):
            colour = OUTER if half > 0.3 else INNER
            ax.bar(curve.x, high - low, width=2 * half, bottom=low, color=colour, zorder=1 if half > 0.3 else 2)
        ax.plot(curve.x, found.observed, "o", color=colour_of_fit(diagnosis), ms=5, zorder=5)
        ax.set_xticks(curve.x, curve.labels, fontsize=8.0)
        ax.set_xlabel(name)
    else:
        x, _, _ = _coordinates(diagnosis, name)
        binned = cloud(ax, x, values)
        if curve is not None:
            band(ax, curve.x, curve.envelope)
            ax.plot(curve.x, curve.envelope.observed, color=colour_of_fit(diagnosis), lw=2.0, zorder=5)
        _label(ax, diagnosis, name, units)
    ax.set_ylabel("√|standardised residual|")
    ax.set_ylim(bottom=0.0)
    verdict = diagnosis.spread.verdict if curve is None else curve.verdict
    ask(ax, "Is the spread the same?", verdict)
    _say(ax, diagnosis, f"roots of absolute residuals against {name}", verdict.words, binned)


def _codes(diagnosis: Diagnosis, name: str, labels: tuple[str, ...]) -> Floats:
    values = [str(value) for value in diagnosis.fit.design.variables[name]]
    number = {label: k for k, label in enumerate(labels)}
    return np.array([number.get(value, np.nan) for value in values], dtype=np.float64)


def group_panel(ax: Axes, diagnosis: Diagnosis, group: str | None) -> None:
    """Are groups alike? The typical size of the residuals of each, smallest first."""
    dress(ax)
    found = diagnosis.groups(group)
    f = 0 if group is None else list(diagnosis.fit.n_groups).index(group)
    name = list(diagnosis.fit.n_groups)[f]
    ask(ax, "Is the spread alike in every group?", None if found.envelope is None else found.verdict)
    if found.envelope is None:
        empty(ax, found.verdict)
        say(figure_of(ax), f"Residuals by {name}: {found.verdict.words}.")
        return
    here = diagnosis.replicated
    place = np.full(len(here.levels[f]), -1)
    place[found.order] = np.arange(len(found.order))
    x = np.arange(len(found.order))
    at = place[here.codes[f]]
    if len(at) <= _DOTS:
        ax.scatter(at[at >= 0], here.residual[at >= 0, 0], s=5, color=POINT, alpha=0.4, lw=0, zorder=3)
    for sign in (1.0, -1.0):
        for low, high, colour, above in (
            (found.envelope.low, found.envelope.high, OUTER, 1),
            (found.envelope.lower, found.envelope.upper, INNER, 2),
        ):
            ax.fill_between(x, sign * low, sign * high, color=colour, lw=0, zorder=above)
        ax.plot(x, sign * found.envelope.observed, color=colour_of_fit(diagnosis), lw=1.8, zorder=5)
    ax.axhline(0.0, color=FAINT, lw=0.8, zorder=2)
    ax.set_ylabel("standardised residual")
    if len(x) <= _NAMED:
        levels = diagnosis.fit.design.factors[f].levels
        names = [str(levels[here.levels[f][k]]) for k in found.order]
        ax.set_xticks(x, names, rotation=90 if max(map(len, names)) * len(names) > _ROOM else 0, fontsize=7.5)
        ax.set_xlabel(f"{short(name, 24)}, in order of sd (line)")
    else:
        ax.set_xticks([])
        ax.set_xlabel(f"{len(x):,} levels of {short(name, 14)}, by sd (line)")
    if diagnosis.sampled:
        remark(ax, diagnosis.sampled)
    sizes = found.envelope.observed
    say(
        figure_of(ax),
        f"Residuals of {len(x):,} levels of {name}, whose sd runs from {sizes[0]:.2f} to {sizes[-1]:.2f} of what the "
        f"model says: {found.verdict.words}.",
    )


def _say(ax: Axes, diagnosis: Diagnosis, what: str, words: str, binned: bool) -> None:
    parts = ["binned"] if binned else []
    if diagnosis.sampled:
        parts.append(f"line and bands from {diagnosis.sampled}")
    if parts:
        remark(ax, ", ".join(["binned"] * binned + ["line: a sample"] * bool(diagnosis.sampled)))
    how = f" ({'; '.join(parts)})" if parts else ""
    say(figure_of(ax), f"{diagnosis.fit.nobs:,} {what}{how}: {words}.")
