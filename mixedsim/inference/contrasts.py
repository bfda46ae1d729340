"""Linear combinations of fixed effects: estimates, standard errors, t tests and joint tests, in the data's units.

A `Method` says how uncertain β̂ is and with how many degrees of freedom that is known: Satterthwaite's, Kenward and
Roger's, or none at all (`Wald`). Everything else is the same for all three. Computed in standardised units, where an
estimate such as "the mean at x = 2020" is no difference of large numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mixedsim.engine import Problem
from mixedsim.errors import MixedsimError

Floats = NDArray[np.float64]
Ddf = Literal["satterthwaite", "kenward-roger", "wald"]

_DEPENDENT = 1e-9  # share of a contrast's variance below which the others determine it
_GRADED = 1e8  # variances further apart than this are brought to one unit before anything is decomposed


class Estimate(Protocol):
    """What an optimum tells about the fixed effects."""

    @property
    def beta(self) -> Floats:
        """p standardised coefficients."""
        ...


class Method(Protocol):
    """How uncertain the fixed effects are (p of them, standardised columns)."""

    @property
    def covariance(self) -> Floats:
        """Covariance of β̂: p × p."""
        ...

    def df(self, contrasts: Floats) -> Floats:
        """Degrees of freedom of the t test of each of m contrasts (m × p): m values."""
        ...

    def denominator(self, contrasts: Floats) -> tuple[float, float]:
        """Denominator degrees of freedom, and a scale for the Wald statistic over q, of the F test of q contrasts."""
        ...


@dataclass(frozen=True, eq=False)
class Wald:
    """The normal distribution: as if the variances were known."""

    covariance: Floats

    def df(self, contrasts: Floats) -> Floats:
        """Infinite."""
        return np.full(len(contrasts), np.inf)

    def denominator(self, contrasts: Floats) -> tuple[float, float]:
        """Infinite: the statistic times q has a χ² distribution."""
        return np.inf, 1.0


@dataclass(frozen=True, eq=False)
class Combinations:
    """m linear combinations of fixed effects, in the units of the data.

    Attributes
    ----------
    estimate, df : m values each.
    covariance : m × m.
    """

    estimate: Floats
    covariance: Floats
    df: Floats

    @property
    def se(self) -> Floats:
        """Standard errors; NaN where Kenward and Roger's correction leaves a negative variance (tiny data)."""
        variance = np.diag(self.covariance)
        return np.asarray(np.sqrt(np.where(variance < 0.0, np.nan, variance)))


@dataclass(frozen=True)
class JointTest:
    """F test of several contrasts: ``f`` on ``df1`` and ``df2`` degrees of freedom."""

    f: float
    df1: int
    df2: float

    @property
    def p(self) -> float:
        """Probability of a larger F if all contrasts are zero; NaN without degrees of freedom."""
        if self.df1 == 0 or not self.df2 > 0:
            return np.nan
        if np.isinf(self.df2):
            return float(special.chdtrc(self.df1, self.df1 * self.f))
        return float(special.fdtrc(self.df1, self.df2, self.f))


def check_ddf(ddf: object, known: Sequence[str] = get_args(Ddf)) -> None:
    """Raise `MixedsimError` unless `ddf` names a method, one of those that are `known` where it is asked for."""
    if ddf not in known:
        *others, last = map(repr, known)
        raise MixedsimError(f"ddf must be {', '.join(others)} or {last}, found {ddf!r}.")


def check_level(level: float) -> None:
    """Raise `MixedsimError` unless `level` is a confidence level."""
    if not isinstance(level, int | float | np.number) or not 0 < level < 1:
        raise MixedsimError(f"level must lie between 0 and 1, found {level!r}.")


def two_sided(t: Floats, df: Floats | float) -> Floats:
    """Two-sided p-values of t statistics; NaN where there are no degrees of freedom."""
    # scipy.special knows the t distribution as scipy.stats does, and loads in a tenth of the time
    return np.asarray(2.0 * special.stdtr(df, -np.abs(t)))


def combine(problem: Problem, at: Estimate, method: Method, contrasts: Floats) -> Combinations:
    """Return the m linear combinations ``contrasts β`` (m × p, columns as the coefficients in the data's units)."""
    standard = contrasts @ problem.fixed.transform
    scale = problem.response.scale
    return Combinations(
        estimate=_estimates(problem, at, contrasts, standard),
        covariance=scale**2 * standard @ method.covariance @ standard.T,
        df=method.df(standard) if len(standard) else np.empty(0),
    )


def joint_test(
    problem: Problem, at: Estimate, method: Method, contrasts: Floats, null: Floats | float = 0.0
) -> JointTest:
    """Return the F test of ``contrasts β = null`` (q × p in the data's units; dependent rows count once).

    The degrees of freedom are those of the contrasts that have uncorrelated estimates (Fai & Cornelius 1996, J. Stat.
    Comput. Simul. 54:363; Kuznetsova et al. 2017, J. Stat. Softw. 82(13), section 4.2), or Kenward and Roger's.

    Raises
    ------
    MixedsimError
        If rows depend on each other and the values they are compared with do not agree.
    """
    standard = contrasts @ problem.fixed.transform
    gap = (_estimates(problem, at, contrasts, standard) - null) / problem.response.scale
    covariance = standard @ method.covariance @ standard.T
    spread = np.diag(covariance)
    tested = spread > 1e-14 * (standard**2 @ np.diag(method.covariance))
    if not tested.any():
        return JointTest(np.nan, 0, np.nan)
    standard, gap, spread = standard[tested], gap[tested], spread[tested]
    unit = np.sqrt(spread) if spread.max() > _GRADED * spread.min() else np.ones(len(spread))
    values, vectors = np.linalg.eigh(covariance[np.ix_(tested, tested)] / np.outer(unit, unit))
    solid = values > _DEPENDENT * values.max()
    turned = vectors.T @ (gap / unit)
    size = np.sqrt(values.max())
    if (np.abs(turned[~solid]) > 1e-5 * max(size, float(np.abs(gap / unit).max()))).any():
        raise MixedsimError("the contrasts depend on each other, and the values they are tested against disagree.")
    q = int(solid.sum())
    df2, scale = method.denominator(vectors[:, solid].T @ (standard / unit[:, None]))
    return JointTest(float(scale * (turned[solid] ** 2 / values[solid]).sum() / q), q, df2)


def _estimates(problem: Problem, at: Estimate, contrasts: Floats, standard: Floats) -> Floats:
    """``contrasts β̂`` in the data's units, by way of the standardised β̃."""
    out = problem.response.scale * (standard @ at.beta)
    if problem.intercept is not None:
        out = out + problem.response.centre * contrasts[:, problem.intercept]
    return np.asarray(out)
