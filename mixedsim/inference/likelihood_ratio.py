"""Likelihood-ratio tests: what the larger of two models adds, and how surprising its gain would be without it.

The naive reference distribution of the ratio is χ² with as many degrees of freedom as there are parameters more. A
variance cannot be negative, so under the null hypothesis it sits on the boundary, and the naive p-value is too large.
Adding one effect that varies, with k covariances (and whatever else is free), gives ``½ χ²_{d−1} + ½ χ²_d`` with d all
parameters added (Self & Liang 1987, J. Am. Stat. Assoc. 82:605, case 5; Stram & Lee 1994, Biometrics 50:1171, cases 1
to 3): the parameter space is a half-space around the null. With two variances or more the weights depend on the data,
and the parametric bootstrap (`bootstrap_ratio`) takes the place of a formula, as in Halekoh & Højsgaard (2014),
J. Stat. Softw. 59(9), section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mixedsim.columns import Columns
from mixedsim.design import Design, GroupingFactor, VaryingTerm
from mixedsim.engine import Control, Objective, Problem, Profile
from mixedsim.engine.streamed import Absent, StreamedFactor
from mixedsim.inference.bootstrap import refit_all
from mixedsim.inference.responses import Rows, responses

Floats = NDArray[np.float64]
_NOTHING = 1e-7  # a gain in deviance that is rounding
_OUTSIDE = 1e-6  # share of a column that others do not explain, above which it is not one of theirs


@dataclass(frozen=True)
class Step:
    """What one model adds to another.

    Attributes
    ----------
    fixed_nested : whether the fixed effects of the larger model can say all that those of the smaller one can.
    random_nested : the same of the random effects; None if that cannot be told.
    variances : directions in which random effects of the larger model vary and those of the smaller do not.
    """

    fixed_nested: bool
    random_nested: bool | None
    variances: int


def step(small: Design, large: Design) -> Step:
    """Return what `large` adds to `small`: two designs on the same rows."""
    fixed = _inside(small.x, large.x) is not None
    taken: dict[tuple[int, int], list[Floats]] = {}
    for factor in small.factors:
        for term in factor.terms:
            home = _home(factor, term, large)
            if home is None:
                return Step(fixed, None, 0)
            key, coefficients = home
            taken.setdefault(key, []).append(coefficients)
    variances = 0
    for f, factor in enumerate(large.factors):
        for t, term in enumerate(factor.terms):
            have = np.concatenate(taken[f, t], axis=1) if (f, t) in taken else np.empty((0, 0))
            variances += len(term.columns.names) - (int(np.linalg.matrix_rank(have, tol=1e-7)) if have.size else 0)
    return Step(fixed, True, variances)


def naive_p(chisq: float, df: int) -> float:
    """Upper tail of χ² with `df` degrees of freedom; NaN without any."""
    return float(special.chdtrc(df, max(chisq, 0.0))) if df > 0 else np.nan


def mixture_p(chisq: float, df: int) -> float:
    """Upper tail of ``½ χ²_{df−1} + ½ χ²_df`` (χ²₀ is zero): one variance among the `df` parameters added.

    Examples
    --------
    >>> from mixedsim.inference.likelihood_ratio import mixture_p
    >>> round(mixture_p(2.706, 1), 3), mixture_p(0.0, 1)
    (0.05, 1.0)
    """
    if df < 1:
        return np.nan
    if chisq <= _NOTHING:
        return 1.0
    return 0.5 * (naive_p(chisq, df) + (naive_p(chisq, df - 1) if df > 1 else 0.0))


@dataclass(frozen=True, eq=False)
class Fitted:
    """What the bootstrap needs of a fitted model."""

    rows: Rows
    problem: Problem
    objective: Objective
    at: Profile
    offset: Floats | None

    def standard(self, y: Floats) -> Floats:
        """Responses in the units of the data (n × r) as this model standardises them."""
        rest = y if self.offset is None else y - self.offset[:, None]
        return (rest - self.problem.response.centre) / self.problem.response.scale

    def raw(self, standard: Floats) -> Floats:
        """The inverse of `standard`."""
        y = self.problem.response.centre + self.problem.response.scale * standard
        return y if self.offset is None else y + self.offset[:, None]

    def deviances(self, y: Floats, control: Control | None) -> Floats:
        """Deviance of this model for every column of y, NaN where the fit failed, in the units of the data."""
        cp = self.rows.products(self.standard(y), self.problem.cp)
        found = refit_all(cp, self.problem.layout, self.objective.reml, self.at.theta, control)
        deviance = found.deviance + self.problem.deviance_shift(self.objective.reml)
        return np.where(found.converged, deviance, np.nan)


@dataclass(frozen=True, eq=False)
class RatioBootstrap:
    """Likelihood ratios of responses drawn from the smaller model.

    Attributes
    ----------
    observed : the ratio of the data (a difference of deviances).
    ratios : those of the replicates in which both models converged.
    failed : how many did not.
    """

    observed: float
    ratios: Floats
    failed: int

    @property
    def p(self) -> float:
        """``(1 + #{LR* ≥ LR}) / (1 + replicates)`` (Davison & Hinkley 1997, Bootstrap Methods, eq. 4.11)."""
        return float((1 + (self.ratios >= self.observed - _NOTHING).sum()) / (1 + len(self.ratios)))

    @property
    def mcse(self) -> float:
        """Monte-Carlo standard error of `p`."""
        return float(np.sqrt(self.p * (1.0 - self.p) / max(len(self.ratios), 1)))


def bootstrap_ratio(
    small: Fitted, large: Fitted, observed: float, n: int, seed: int, control: Control | None = None
) -> RatioBootstrap:
    """Draw n responses from `small`, fit both models to each, and return the likelihood ratios.

    Parameters
    ----------
    small, large : fits to the same rows by the same criterion, the smaller first.
    observed : the difference of their deviances.
    n, seed, control : replicates, random numbers, and how each is fitted.
    """
    ratios = []
    for standard in responses(small.rows, small.problem, small.at, n, seed):
        y = small.raw(standard)
        ratios.append(small.deviances(y, control) - large.deviances(y, control))
    found = np.concatenate(ratios)
    known = np.isfinite(found)
    return RatioBootstrap(observed, found[known], int((~known).sum()))


def _home(factor: GroupingFactor, term: VaryingTerm, large: Design) -> tuple[tuple[int, int], Floats] | None:
    """Where a term of the smaller model lives in the larger one: (factor, term), and its effects in terms of theirs."""
    homes = []
    for f, other in enumerate(large.factors):
        if not _groups_alike(factor, other):
            continue
        for t, room in enumerate(other.terms):
            coefficients = _inside(term.columns, room.columns)
            if coefficients is not None:
                homes.append((len(room.columns.names), (f, t), coefficients))
    if not homes:
        return None
    _, key, coefficients = min(homes, key=lambda home: home[:2])
    return key, coefficients


def _groups_alike(one: GroupingFactor, other: GroupingFactor) -> bool:
    """Whether two factors put the same rows together, whatever they call the levels."""
    if len(one.levels) != len(other.levels):
        return False
    if isinstance(one, StreamedFactor) or isinstance(other, StreamedFactor):
        return one.levels.equals(other.levels) and np.array_equal(one.rows_by_level(), other.rows_by_level())
    partner = np.empty(len(one.levels), dtype=np.intp)
    partner[one.codes] = other.codes
    return bool((partner[one.codes] == other.codes).all())


def _inside(own: Columns, room: Columns) -> Floats | None:
    """Coefficients of the columns in terms of `room`'s (both of unit length), or None if some column is none of theirs.

    Where the room has a constant, all means are taken away first: a column near 1e8 is not a constant but for rounding.
    Columns that are not in memory are known by their names.
    """
    if isinstance(own.columns, Absent) or isinstance(room.columns, Absent):
        known = set(own.names) <= set(room.names)
        return np.array([[float(a == b) for a in own.names] for b in room.names]) if known else None
    centre = any(isinstance(column, float) for column in room.columns)
    a, b = _unit(own.columns, own.rows, centre), _unit(room.columns, own.rows, centre)
    if a.shape[1] == 0:
        return np.empty((b.shape[1], 0))
    coefficients: Floats = np.asarray(np.linalg.lstsq(b, a, rcond=1e-10)[0], dtype=np.float64)
    return coefficients if np.linalg.norm(a - b @ coefficients, axis=0).max() < _OUTSIDE else None


def _unit(columns: tuple[Floats | float, ...], rows: int, centre: bool) -> Floats:
    """Columns of unit length side by side."""
    out = np.empty((rows, len(columns)), order="F")
    for j, column in enumerate(columns):
        out[:, j] = column - column.mean() if centre and not isinstance(column, float) else column
    size = np.linalg.norm(out, axis=0)
    return out / np.where(size > 0, size, 1.0)
