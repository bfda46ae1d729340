"""Where the search begins: a generalised linear model without random effects, then their variances by moments.

The model without random effects is fitted by Fisher scoring with step halving (McCullagh & Nelder 1989, Generalized
Linear Models, 2nd edition, section 2.5), for a few steps only: it is a start. In the metric of its weights its working
response is one of a linear mixed model, to which the moments of `start` apply.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.glm_families import Family
from mixedsim.engine.glm_links import UNITLESS
from mixedsim.engine.glm_points import Point
from mixedsim.errors import DataError

Floats = NDArray[np.float64]
_STEPS = 6
_ENOUGH = 1e-3  # decrease of the loss below which another step is not worth taking
_HALVINGS = 30
_REACH = 4.0  # largest change of η in one step, for links whose η has no unit
_LEAST_WEIGHT = 1e-8  # of the largest: rows that are fitted to all digits


@dataclass(frozen=True, eq=False)
class Fixed:
    """A model without random effects, or nearly one.

    Attributes
    ----------
    beta : p values.
    extra : the further parameters, or nothing.
    working : n values: the working response, less the offset.
    weights : n working weights, all positive.
    """

    beta: Floats
    extra: Floats
    working: Floats
    weights: Floats


def fixed_only(family: Family, x: Floats, offset: Floats) -> Fixed:
    """Return a few steps towards the fit without random effects.

    Parameters
    ----------
    family : the rows.
    x : n × p.
    offset : n values.

    Raises
    ------
    DataError
        If no coefficients were found with which all means are possible: the link does not suit the data.
    """
    extra = family.first_extra()
    beta = _first_beta(family, x, offset, extra)
    point = family.at(offset + x @ beta, extra)
    for _ in range(_STEPS):
        weights = point.fisher
        gradient = x.T @ point.score
        step = _solve(x.T @ (weights[:, None] * x), gradient)
        if family.link in UNITLESS:
            step /= max(1.0, float(np.abs(x @ step).max()) / _REACH)
        new_beta, point, gain = _halved(family, x, offset, beta, step, point, extra)
        beta = new_beta
        if gain < _ENOUGH:
            break
    weights = np.maximum(point.fisher, _LEAST_WEIGHT * float(point.fisher.max()))
    return Fixed(beta, extra, x @ beta + point.score / weights, weights)


def _first_beta(family: Family, x: Floats, offset: Floats, extra: Floats) -> Floats:
    """Coefficients that give possible means: least squares on first linear predictors."""
    least, best = np.inf, None
    for eta in family.first_predictors():
        target = eta - offset
        beta = _solve(x.T @ x, x.T @ target)
        loss = float(family.at(offset + x @ beta, extra).losses.sum())
        if loss < least:
            least, best = loss, beta
    if best is None:
        raise DataError(
            f"no coefficients were found with which the link {family.link!r} gives possible means in all rows: "
            "choose another link, or check offset and predictors."
        )
    return best


def _solve(a: Floats, b: Floats) -> Floats:
    """``A⁻¹b`` with a little ridge, for rows that are fitted to all digits."""
    if not len(b):
        return b
    ridge = 1e-9 * max(float(np.trace(a)), 1e-300) / len(b)
    return np.asarray(np.linalg.solve(a + ridge * np.eye(len(b)), b))


def _halved(
    family: Family, x: Floats, offset: Floats, beta: Floats, step: Floats, point: Point, extra: Floats
) -> tuple[Floats, Point, float]:
    before = float(point.losses.sum())
    for halvings in range(_HALVINGS):
        candidate = beta + 0.5**halvings * step
        new = family.at(offset + x @ candidate, extra)
        after = float(new.losses.sum())
        if after <= before:
            return candidate, new, before - after
    return beta, point, 0.0
