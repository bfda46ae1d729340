"""Residuals: how large (``sigma``), of which shape, and how each goes with the one before (``residual``).

``sigma`` is a number, or an expression in variables, ``"2 + 0.5 * age"``: the standard deviation of the residual in
each row. ``residual`` is nothing, or ``{"shape": {"kind": "t", "df": 4}, "ar1": 0.5, "by": "subject"}``.

With ``ar1`` the residuals of each unit of ``by``, in the order of its rows, follow an autoregression of order one,

    e₁ = z₁,   eₜ = φ eₜ₋₁ + √(1 − φ²) zₜ,

with z independent, of mean 0 and variance 1. Every eₜ then has variance 1, whatever the shape of z, and eₜ and eₜ₊ₖ
have correlation φᵏ; multiplied by the row's sigma they are the residuals. The shape is that of z: the sum that eₜ is
lies nearer to the normal one. Source: Box, Jenkins, Reinsel & Ljung (2015), Time Series Analysis, section 3.2.3.

With ``{"exact": ["x"], "by": "group"}`` nothing of the residuals' moments is left to chance: in every unit of ``by``
they have mean 0, standard deviation sigma (with n − 1) and no correlation with x, exactly. Then least squares in each
unit finds the truth, whatever the seed (see `mixedsim.simulate.exact`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.errors import nearest
from mixedsim.simulate.exact import exact
from mixedsim.simulate.expression import Parameter, Values, check_kinds, evaluate, names_in, parameter
from mixedsim.simulate.family import outcome
from mixedsim.simulate.fields import FieldError, number, only, shown
from mixedsim.simulate.frozen import Frozen
from mixedsim.simulate.layout import Layout
from mixedsim.simulate.plan import Plan
from mixedsim.simulate.shapes import settled_shape, shape_of
from mixedsim.simulate.streams import Streams
from mixedsim.simulate.structure import Structure
from mixedsim.simulate.variables.turns import turns

Array = NDArray[np.float64]

_NOTHING = 1e-20  # a weight that changes no digit of a residual


def settled_sigma(given: Any, kind: str, plan: Plan) -> Parameter | None:
    """The `sigma` field in its one form: a number or an expression; None for a family without residuals.

    Parameters
    ----------
    kind : the kind of outcome.

    Raises
    ------
    FieldError
        If a gaussian outcome has none or another kind has one, it is negative, or it reads what is no variable.
    """
    field = ("sigma",)
    if kind != "gaussian":
        if given is not None:
            raise FieldError(field, f"is the sd of residuals, which {outcome(kind)} has not: leave it out.")
        return None
    if given is None:
        raise FieldError(field, "is missing: give the standard deviation of the residuals.")
    sigma = parameter(given, field, low=0)
    if isinstance(sigma, str):
        known = {name: variable.categories() for name, variable in plan.variables.items()}
        for name in sorted(names_in(sigma) - known.keys()):
            expected = nearest(name, known) if known else "there are none."
            raise FieldError(field, f"uses {name!r}, which is not among the variables: {expected}")
        check_kinds(sigma, known, field)
    return sigma


def settled_residual(given: Any, kind: str, plan: Plan) -> Frozen[str, Any] | None:
    """The `residual` field in its one form: what differs from independent normal residuals; None if nothing does.

    Raises
    ------
    FieldError
        If the outcome has no residuals, an entry is unknown or impossible, or no unit has two rows to be correlated.
    """
    if given is None:
        return None
    if kind != "gaussian":
        raise FieldError(("residual",), f"describes residuals, which {outcome(kind)} has not: leave it out.")
    if not isinstance(given, Mapping):
        raise FieldError(("residual",), f"must hold shape or ar1, as in {{'ar1': 0.5}}, found {shown(given)}.")
    only(given, ("shape", "ar1", "exact", "by"), ("residual",))
    shape = settled_shape(given.get("shape", "normal"), ("residual", "shape"))
    settled: dict[str, Any] = {} if shape is None else {"shape": shape}
    if "ar1" in given:
        ar1 = number(given["ar1"], ("residual", "ar1"))
        if not -1 < ar1 < 1:
            raise FieldError(("residual", "ar1"), f"must lie between -1 and 1, without either, found {shown(ar1)}.")
        by = _settled_by(given.get("by"), plan.structure)
        settled |= {"ar1": ar1, "by": by} if ar1 else {}
    if "exact" in given:
        if "ar1" in given:
            raise FieldError(("residual", "exact"), "cannot stand beside ar1: what is made exact follows nothing.")
        settled["exact"] = _settled_exact(given["exact"], plan)
        settled["by"] = _settled_by(given.get("by"), plan.structure)
    if "by" in given and not {"ar1", "exact"} & given.keys():
        raise FieldError(("residual", "by"), "says in whose rows ar1 runs, but there is no ar1.")
    return Frozen(settled) if settled else None


def draw_residuals(
    sigma: Parameter,
    residual: Mapping[str, Any] | None,
    layout: Layout,
    streams: Streams,
    read: Callable[[str], Values],
) -> Array:
    """The residuals: one value a row.

    Parameters
    ----------
    read : gives a variable by name, one value a row; asked only where `sigma` is an expression, or for ``exact``.
    """
    rng = streams.generator("residual")
    if residual is None and not isinstance(sigma, str):
        return rng.normal(0.0, sigma, layout.rows)
    residual = residual or {}
    values = shape_of(residual.get("shape")).standard(rng, layout.rows)
    if "by" in residual:
        grouping = layout.grouping(tuple(residual["by"].split(":")))
        units: Any = layout.to_rows(np.arange(grouping.units), grouping.cells)
        if "ar1" in residual:
            values = autoregressive(values, residual["ar1"], units)
        else:
            columns = [np.asarray(read(name), dtype=np.float64) for name in residual["exact"]]
            values = exact(values, columns, units, ("residual", "exact"))
    values *= evaluate(sigma, read, ("sigma",), low=0)
    return values


def autoregressive(values: Array, ar1: float, units: NDArray[np.integer[Any]]) -> Array:
    """Independent values of variance 1 made into autoregressions of order one, see the top of this file.

    Neither rows nor units are looped over. With S the shift by one row within a unit, e = (1 − φS)⁻¹ z, and

        (1 − φS)⁻¹ = Π_s (1 + φ^h S^h),   h = 1, 2, 4, 8, …

    so that adding up shifted copies of the whole column takes a step for every doubling of the shift, until the
    longest unit ends or φ^h is nothing.

    Parameters
    ----------
    values : one a row.
    ar1 : φ, between −1 and 1.
    units : the unit of every row, in any order.
    """
    order = turns(units)
    place = order.place
    made = np.where(place == 0, 1.0, math.sqrt(1 - ar1**2)) * values[order.units]
    shift, weight, longest = 1, ar1, place.max(initial=0)
    while shift <= longest and abs(weight) > _NOTHING:
        made[shift:] += np.where(place[shift:] >= shift, weight * made[:-shift], 0.0)
        shift, weight = 2 * shift, weight**2
    back = np.empty_like(made)
    back[order.units] = made
    return back


def _settled_exact(given: Any, plan: Plan) -> tuple[str, ...]:
    """The variables with which residuals are uncorrelated: numeric ones, each once."""
    field = ("residual", "exact")
    if isinstance(given, str) or not isinstance(given, Sequence) or not all(isinstance(one, str) for one in given):
        raise FieldError(field, f"must be a list of variables, as in ['x'], found {shown(given)}.")
    for name in given:
        if name not in plan.variables:
            known = nearest(name, plan.variables) if plan.variables else "there are none."
            raise FieldError(field, f"must name variables, found {name!r}: {known}")
        if plan.variables[name].categories() is not None:
            raise FieldError(field, f"must name numeric variables; {name} is categorical.")
    return tuple(dict.fromkeys(given))


def _settled_by(given: Any, structure: Structure) -> str:
    """The cluster, or clusters joined by ``:``, in whose units rows follow each other; the innermost if not given."""
    field = ("residual", "by")
    if given is not None and not isinstance(given, str):
        raise FieldError(field, f"must be a cluster, found {shown(given)}.")
    factors = structure.names if given is None else tuple(part.strip() for part in given.split(":"))
    for factor in factors:
        if factor not in structure.names:
            raise FieldError(field, f"must be a cluster, found {factor!r}: {nearest(factor, structure.names)}")
    units = structure.innermost(factors)
    if structure.size == 1 and units == structure.innermost(structure.names):
        one = ":".join(units)
        if given is None:
            raise FieldError(
                field, f"must be given, because every {one} has one row: which of {', '.join(structure.names)}?"
            )
        raise FieldError(field, f"is {one!r}, which has one row in each unit: nothing there follows anything.")
    return ":".join(units)
