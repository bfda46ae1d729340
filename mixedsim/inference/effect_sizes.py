"""How much of the variance lies where: intraclass correlations and R² of a linear mixed model.

The variance of the response is split into that of the fixed part, ``var(Xβ̂)`` over the rows, that of the random part,
``mean_i z_i'Σz_i`` (which for a random intercept is its variance, and for random slopes its mean over the rows:
Johnson 2014, Methods Ecol. Evol. 5:944), and σ². With these, Nakagawa, Johnson & Schielzeth (2017, J. R. Soc.
Interface 14:20170213, section 2) define

    R²_marginal    = fixed / (fixed + random + σ²)          ICC_adjusted   = random / (random + σ²)
    R²_conditional = (fixed + random) / (fixed + random + σ²)   ICC_unadjusted = random / (fixed + random + σ²)

A variance of zero is a number like any other: at a singular fit every one of them exists.

Where one factor has several terms, as in ``(x || g)``, the random variance is that of all of them. R's performance
package counts the first alone (insight issue 304), which is what ``terms="first"`` is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Design, GroupingFactor
from mixedsim.engine import Problem
from mixedsim.engine.streamed import StreamedDesign
from mixedsim.errors import MixedsimError

Floats = NDArray[np.float64]
Terms = Literal["first", "all"]


class Estimates(Protocol):
    """What the variances follow from, standardised."""

    @property
    def beta(self) -> Floats:
        """p coefficients."""
        ...

    @property
    def theta(self) -> Floats:
        """K elements of the relative covariance factors."""
        ...

    @property
    def sigma2(self) -> float:
        """What these are relative to."""
        ...


@dataclass(frozen=True)
class VarianceParts:
    """The variance of the response, split (squared units of the response).

    Attributes
    ----------
    fixed : variance of Xβ̂ over the rows; an offset is no part of it.
    random : for each grouping factor, the mean over the rows of the variance that each of its terms adds.
    residual : σ².
    """

    fixed: float
    random: dict[str, tuple[float, ...]]
    residual: float

    def of_groups(self, terms: Terms = "all") -> dict[str, float]:
        """Variance by grouping factor: of all its terms, or of the first alone."""
        if terms not in ("first", "all"):
            raise MixedsimError(f"terms must be 'first' or 'all', found {terms!r}.")
        return {name: sum(parts if terms == "all" else parts[:1]) for name, parts in self.random.items()}

    def icc(self, terms: Terms = "all") -> pd.Series[float]:
        """Adjusted and unadjusted intraclass correlation."""
        random = sum(self.of_groups(terms).values())
        shares = [random / (random + self.residual), random / (self.fixed + random + self.residual)]
        return pd.Series(shares, index=["adjusted", "unadjusted"], name="icc")

    def icc_by_group(self, terms: Terms = "all") -> pd.Series[float]:
        """Share of every grouping factor in the random and residual variance; they add up to the adjusted ICC."""
        groups = self.of_groups(terms)
        total = sum(groups.values()) + self.residual
        return pd.Series({name: part / total for name, part in groups.items()}, name="icc", dtype=float)

    def r2(self, terms: Terms = "all") -> pd.Series[float]:
        """Marginal and conditional R²."""
        random = sum(self.of_groups(terms).values())
        total = self.fixed + random + self.residual
        shares = [self.fixed / total, (self.fixed + random) / total]
        return pd.Series(shares, index=["marginal", "conditional"], name="r2")


def variance_parts(design: Design, problem: Problem, at: Estimates) -> VarianceParts:
    """Return the `VarianceParts` of a fit.

    Parameters
    ----------
    design, problem, at : the rows, their standardised problem, and the optimum.

    Examples
    --------
    >>> import mixedsim as ms
    >>> from mixedsim.inference.effect_sizes import variance_parts
    >>> fit = ms.lmer("Reaction ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy"))
    >>> variance_parts(fit.design, fit.problem, fit.optimum.profile).icc().round(3).to_dict()
    {'adjusted': 0.589, 'unadjusted': 0.424}
    """
    size = problem.response.scale**2
    if isinstance(design, StreamedDesign):
        return _from_sums(design, problem, at)
    fixed = np.zeros(design.rows)
    for column, b in zip(problem.fixed.columns, at.beta, strict=True):
        if not isinstance(column, float):  # a constant moves all rows alike
            fixed += column * b
    random = {}
    for factor, own in zip(design.factors, _by_term(design.factors, problem, at.theta), strict=True):
        random[factor.name] = tuple(float(size * at.sigma2 * rows.mean()) for rows in own)
    return VarianceParts(
        fixed=size * float(fixed.var(ddof=1)) if len(fixed) > 1 else 0.0,
        random=random,
        residual=size * at.sigma2,
    )


def _from_sums(design: StreamedDesign, problem: Problem, at: Estimates) -> VarianceParts:
    """The same where the rows are not in memory."""
    size = problem.response.scale**2
    random = {}
    for f, (factor, lam) in enumerate(zip(design.factors, problem.layout.lambdas(at.theta), strict=True)):
        own = np.einsum("ij,ik,kj->j", lam, design.varying_squares[f], lam)  # mean_i (λ_j'z_i)²
        starts = np.cumsum([0, *(len(term.columns.names) for term in factor.terms)])
        random[factor.name] = tuple(float(size * at.sigma2 * part) for part in np.add.reduceat(own, starts[:-1]))
    fixed = float(at.beta @ design.fixed_covariance @ at.beta)
    return VarianceParts(fixed=size * fixed, random=random, residual=size * at.sigma2)


def random_variances(factors: Sequence[GroupingFactor], problem: Problem, theta: Floats) -> Floats:
    """``z_i'ΛΛ'z_i``: the variance that the random effects give each of the n rows, over σ²."""
    return np.asarray(sum(sum(own) for own in _by_term(factors, problem, theta)))


def _by_term(factors: Sequence[GroupingFactor], problem: Problem, theta: Floats) -> list[list[Floats]]:
    """For each factor and each of its terms, the n variances that it gives the rows, over σ²."""
    out = []
    lambdas = problem.layout.lambdas(theta)
    for factor, transform, lam in zip(factors, problem.varying, lambdas, strict=True):
        # Z T first: the columns are standardised before they meet Λ, so that no digits are lost far from zero
        own: list[Floats] = []
        start = 0
        for term in factor.terms:
            where = slice(start, start + len(term.columns.names))
            scaled = standardised(term.columns.columns, transform[where, where], len(factor.codes))
            own.append(((scaled @ lam[where, where]) ** 2).sum(axis=1))
            start = where.stop
        out.append(own)
    return out


def standardised(columns: Sequence[Floats | float], transform: Floats, rows: int) -> Floats:
    """``X T``: n × q, from columns in the units of the data and the transformation that standardises them."""
    out = np.zeros((rows, transform.shape[1]))
    for k, column in enumerate(columns):
        for j in np.flatnonzero(transform[k]):
            out[:, j] += column * transform[k, j]
    return out
