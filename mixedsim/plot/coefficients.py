"""The coefficients of one or several fits, below each other on one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mixedsim.errors import MixedsimError, nearest
from mixedsim.inference.contrasts import Ddf, check_level
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.plot.forest_frame import size_of
from mixedsim.plot.intervals_down import Ghost, Mark, Name, draw_marks, folded, interval_text
from mixedsim.plot.points import hues
from mixedsim.plot.remarks import remark
from mixedsim.plot.style import RUNGS, TRUTH, colour_of, figure_of, look, picture, rung_colour, say
from mixedsim.plot.true_coefficients import TrueCoefficients, true_coefficients
from mixedsim.simulate import Sample, Truth
from mixedsim.study.ordinary import LeastSquares

Fit = LinearMixedModel | GeneralizedLinearMixedModel | LeastSquares
_MOST = 60  # coefficients
_STEP = 0.62  # from one fit to the next, in rows


def forest(
    fit: Fit | Mapping[str, Fit],
    *,
    terms: str | Sequence[str] | None = None,
    intercept: bool = False,
    ddf: Ddf = "satterthwaite",
    level: float = 0.95,
    exponentiate: bool = False,
    truth: TrueCoefficients | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return the fixed effects of one or several fits with their intervals, held against zero.

    A mark is hollow where its interval holds zero. All stand on one axis, each in units of its own predictor: the
    larger is not the more important. Several fits have a colour each, those of `mixedsim.ladder` the ones that they
    have there.

    Parameters
    ----------
    fit : a fitted model, or several by name, such as the ``fits`` of a ladder.
    terms : which coefficients, in this order; all if None.
    intercept : whether the intercept is among them, if `terms` does not say.
    ddf : of linear models, as in their `coefficients`.
    level : confidence level.
    exponentiate : ratios in place of coefficients, on a logarithmic axis: odds ratios, rate ratios, … (`ratios`), for
        generalised models whose link is a logarithm.
    truth : true coefficients, a `Sample` or numbers by name: a dashed grey stroke.
    ax : axes to draw on; a new figure if None.

    Raises
    ------
    MixedsimError
        If there is no such coefficient, nothing is left to draw, or a model has no ratios.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
    >>> figure = ms.plot.forest(fit, exponentiate=True)
    >>> print(figure.alt)
    Odds ratios with 95 % intervals: period[T.2] 0.37 (0.20 to 0.68); period[T.3] 0.32 (0.17 to 0.61);
    period[T.4] 0.21 (0.09 to 0.48).
    >>> plt.close(figure)
    """
    fits = _by_name(fit)
    check_level(level)
    tables, what = _tables(fits, ddf, level, exponentiate=exponentiate)
    shown = _shown(tables, terms, intercept=intercept)
    known = _truth(truth, fits, shown, exponentiate=exponentiate)
    colours = _colours(fits)
    rows = _rows(tables, shown, known, colours)
    figure = picture(6.4, 0.95 + 0.28 * (1.0 - rows.marks[-1].y)) if ax is None else figure_of(ax)
    with look():
        panel = figure.add_subplot() if ax is None else ax
        null, few = 1.0 if exponentiate else 0.0, len(rows.marks) <= 40
        draw_marks(panel, rows.names, rows.marks, rows.ghosts, null=null, log=exponentiate, numbers=few)
        label = f"{what}, {100 * level:g} % intervals"
        panel.set_xlabel(label, fontsize=size_of(label, 60))
        remark(panel, [_cut(shown, tables)])
        handles = [
            Line2D([], [], marker="o", color=colour, lw=2.2, ms=6, label=name)
            for name, colour in colours.items()
            if name
        ]
        if rows.ghosts:
            handles.append(Line2D([], [], color=TRUTH.colour, lw=2.0, ls=TRUTH.dashes, label=TRUTH.label))
        if handles and ax is None:
            figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 3))
        elif handles:
            panel.legend(handles=handles, loc="best")
    say(figure, f"{what[:1].upper()}{what[1:]} with {100 * level:g} % intervals: {'; '.join(rows.told)}.")
    return figure


def _by_name(fit: Any) -> dict[str, Fit]:
    fits = dict(fit) if isinstance(fit, Mapping) else {"": fit}
    for one in fits.values():
        if not isinstance(one, LinearMixedModel | GeneralizedLinearMixedModel | LeastSquares):
            raise MixedsimError(f"plot.forest draws fitted models, found {type(one).__name__}.")
    if not fits:
        raise MixedsimError("plot.forest draws fitted models, found none.")
    return {str(name): one for name, one in fits.items()}


def _tables(
    fits: Mapping[str, Fit], ddf: Ddf, level: float, *, exponentiate: bool
) -> tuple[dict[str, pd.DataFrame], str]:
    """estimate, lower, upper of every fit, and what the numbers are."""
    out = {}
    kinds = []
    for name, fit in fits.items():
        if not exponentiate:
            kinds.append("coefficients")
            if isinstance(fit, LinearMixedModel):
                table = fit.coefficients(ddf, level)
            else:
                table = fit.coefficients(level=level)
        elif isinstance(fit, GeneralizedLinearMixedModel):
            table = fit.ratios(level=level)
            kinds.append(f"{table.attrs['ratio']}s".replace("ratio of means" + "s", "ratios of means"))
            table = table.rename(columns={"ratio": "estimate"})
        else:
            called = f" {name!r}" if name else ""
            raise MixedsimError(f"the linear model{called} has no ratios: leave exponentiate out.")
        out[name] = pd.DataFrame(table)[["estimate", "lower", "upper"]]
    if len(set(kinds)) > 1:
        raise MixedsimError(f"these fits have different ratios ({', '.join(dict.fromkeys(kinds))}): draw them apart.")
    return out, kinds[0]


def _shown(tables: Mapping[str, pd.DataFrame], terms: str | Sequence[str] | None, *, intercept: bool) -> list[str]:
    """Names of the coefficients to draw, in order."""
    known = list(dict.fromkeys(str(name) for table in tables.values() for name in table.index))
    if terms is None:
        names = [name for name in known if intercept or name != "Intercept"]
        if not names:
            why = "the intercept alone: set intercept=True" if known else "no fixed effects"
            raise MixedsimError(f"there is nothing to draw, for the model has {why}.")
        return names[:_MOST]
    names = [terms] if isinstance(terms, str) else list(terms)
    for name in names:
        if name not in known:
            raise MixedsimError(f"terms names {name!r}, which is no coefficient: {nearest(name, known)}")
    if not names:
        raise MixedsimError("terms is empty: name the coefficients to draw, or leave it out.")
    return names


def _cut(shown: Sequence[str], tables: Mapping[str, pd.DataFrame]) -> str:
    known = {str(name) for table in tables.values() for name in table.index} - {"Intercept"}
    return f"the first {_MOST} of {len(known)} coefficients" if len(shown) == _MOST and len(known) > _MOST else ""


def _truth(truth: Any, fits: Mapping[str, Fit], shown: list[str], *, exponentiate: bool) -> pd.Series[float]:
    """True values of what is drawn, NaN where unknown; a sample's are those of the first mixed model's formula."""
    if truth is None:
        return pd.Series(np.nan, index=shown, dtype=float)
    formulas = [fit.design.formula for fit in fits.values() if not isinstance(fit, LeastSquares)]
    everything = list(dict.fromkeys([*shown, *(str(name) for fit in fits.values() for name in _names_of(fit))]))
    if not formulas and isinstance(truth, Sample | Truth):
        own = (truth.truth if isinstance(truth, Sample) else truth).fixef
        truth = own[own.index.isin(everything)]
    known = true_coefficients(truth, everything, formulas[0] if formulas else None)[shown]
    return pd.Series(np.exp(known.to_numpy()), index=shown) if exponentiate else known


def _names_of(fit: Fit) -> Sequence[str]:
    return fit.names if isinstance(fit, LeastSquares) else fit.coefficient_names


def _colours(fits: Mapping[str, Fit]) -> dict[str, str]:
    """One colour a fit: that of its rung where it is one, that of what varies where it is alone."""
    if len(fits) == 1:
        ((name, fit),) = fits.items()
        if isinstance(fit, LeastSquares):
            return {name: RUNGS["OLS"]}
        return {name: colour_of(e for factor in fit.design.factors for e in factor.effects)}
    own: dict[str, str] = {}
    for name in fits:
        rung = rung_colour(name)
        if rung is not None and rung not in own.values():
            own[name] = rung
    rest = [colour for colour in hues(len(fits) + len(own)) if colour not in own.values()]
    return {name: own[name] if name in own else rest.pop(0) for name in fits}


@dataclass(frozen=True)
class _Rows:
    """What is drawn from top to bottom, and said."""

    names: list[Name]
    marks: list[Mark]
    ghosts: list[Ghost]
    told: list[str]


def _rows(
    tables: Mapping[str, pd.DataFrame], shown: list[str], known: pd.Series[float], colours: Mapping[str, str]
) -> _Rows:
    """A row for every coefficient, as high as it has fits."""
    out = _Rows([], [], [], [])
    top = 0.0
    for coefficient, truth in zip(shown, known.to_list(), strict=True):
        mine = [name for name, table in tables.items() if coefficient in table.index]
        own = _STEP * (len(mine) - 1)
        extra = 0.5 * max(0.0, 0.55 * (folded(coefficient).count("\n") + 1) - 0.7 - own)  # for names of several lines
        top -= extra
        bottom = top - own
        out.names.append(Name(0.5 * (top + bottom), coefficient))
        parts: list[str] = []
        for k, fit in enumerate(mine):
            estimate, lower, upper = tables[fit].loc[[coefficient]].to_numpy(dtype=np.float64)[0].tolist()
            out.marks.append(Mark(top - _STEP * k, estimate, lower, upper, colours[fit]))
            parts.append(f"{f'{fit} ' if fit else ''}{interval_text(estimate, lower, upper)}")
        if np.isfinite(truth):
            out.ghosts.append(Ghost(bottom - 0.3, top + 0.3, truth))
            parts.append(f"in truth {truth:.3g}")
        out.told.append(f"{coefficient} {', '.join(parts)}")
        top = bottom - 1.0 - extra
    return out
