"""Parameters by name: their true values, how axes name them, and a grid with one panel each."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.formula import unquote
from mixedsim.inference.parameters import parameter_name
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.plot.forest_frame import size_of
from mixedsim.plot.style import INK, LINES, with_unit
from mixedsim.simulate import Sample, Truth
from mixedsim.study.recover import truths_of

TruthLike = Truth | Sample | Mapping[str, float] | pd.Series
Floats = NDArray[np.float64]
ACROSS: Final = 3
_TAIL: Final = 0.001  # of the draws that may lie beyond either end of an axis
_FAR: Final = 1.5  # times the span of the middle nine tenths, beyond which an axis does not go


def true_values(truth: Any) -> dict[str, float]:
    """True values by the names of parameters; none of None.

    Raises
    ------
    MixedsimError
        If it is neither a sample, nor its truth, nor values by name.
    """
    if truth is None:
        return {}
    if isinstance(truth, Truth | Sample):
        known = truths_of(truth.truth if isinstance(truth, Sample) else truth)
        return {parameter_name(*symbol): value for symbol, value in known.items()}
    if isinstance(truth, Mapping | pd.Series):
        values = {str(name): value for name, value in truth.items()}
        for name, value in values.items():
            if isinstance(value, bool) or not isinstance(value, int | float | np.number):
                raise MixedsimError(f"truth must hold numbers, found {value!r} for {name!r}.")
        return {name: float(value) for name, value in values.items()}
    raise MixedsimError(f"truth must be a Sample, its truth, or values by parameter, found {type(truth).__name__}.")


def estimates_of(fit: LinearMixedModel | GeneralizedLinearMixedModel) -> dict[str, float]:
    """Estimates by the names of parameters."""
    out = {str(name): float(value) for name, value in fit.fixef.items()}
    for group, first, second, _, value in fit.varcorr.itertuples(index=False):
        if pd.isna(second):
            out[parameter_name("sd", group, first)] = float(value)
        else:
            out[parameter_name("corr", group, f"{first}, {second}")] = float(value)
    return {**out, "sigma": float(fit.sigma)}


def colour_of_parameter(name: str) -> str:
    """Ink for what all groups share, blue for standard deviations and correlations of what varies."""
    return LINES["intercepts"].colour if name.startswith(("sd(", "corr(")) else INK


def unit_of_effect(
    fit: LinearMixedModel | GeneralizedLinearMixedModel, term: str, units: Mapping[str, str] | None
) -> str:
    """What an effect is measured in: ``ms`` for an intercept, ``ms per day`` for a slope; empty where unknown."""
    own, of = ((units or {}).get(name, "") for name in (unquote(fit.design.formula.response), term))
    if not own or isinstance(fit, GeneralizedLinearMixedModel):
        return ""
    if term == "Intercept":
        return own
    each = of[:-1] if len(of) > 3 and of.endswith("s") else of  # days, but not ms
    return f"{own} per {each}" if of else ""


def wrapped(name: str, units: Mapping[str, str] | None, letters: int) -> str:
    """A parameter's name in lines of so many letters."""
    return textwrap.fill(with_unit(name, units), letters, break_long_words=False)


def label(ax: Axes, name: str, units: Mapping[str, str] | None, *, up: bool = False, letters: int = 28) -> None:
    """Name an axis after a parameter, smaller where the name is long."""
    text = with_unit(name, units)
    (ax.set_ylabel if up else ax.set_xlabel)(text, fontsize=size_of(text, letters))


def panels(figure: Figure, count: int, *, share_y: bool = False) -> list[Axes]:
    """So many axes, three in a row."""
    across = min(count, ACROSS)
    grid = figure.subplots(-(-count // across), across, sharey=share_y, squeeze=False).ravel()
    for spare in grid[count:]:
        spare.remove()
    return list(grid[:count])


def sheet_size(count: int, each: float = 2.1) -> tuple[float, float]:
    """Inches for so many panels."""
    return (4.8, 3.2) if count == 1 else (6.8, 0.4 + each * -(-count // min(count, ACROSS)))


def bounds_of(name: str) -> tuple[float, float]:
    """The ends of a parameter's scale."""
    if name.startswith("sd(") or name == "sigma":
        return 0.0, np.inf
    return (-1.0, 1.0) if name.startswith("corr(") else (-np.inf, np.inf)


def reach_of(values: Floats, *also: float | None) -> tuple[float, float]:
    """An axis for draws: all but the last thousandth to each side, and no further than a few times the usual spread.

    A replicate in which a coefficient ran away must not squeeze the others into a line.

    Parameters
    ----------
    also : values that have to be on it.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return -1.0, 1.0
    low, first, last, high = np.quantile(known, [_TAIL, 0.05, 0.95, 1.0 - _TAIL])
    far = _FAR * (last - first)
    ends = [max(low, first - far), min(high, last + far)] if far > 0 else [low, high]
    ends += [value for value in also if value is not None and np.isfinite(value)]
    margin = 0.06 * float(max(ends) - min(ends)) or 1.0
    return float(min(ends)) - margin, float(max(ends)) + margin
