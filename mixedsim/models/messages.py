"""What a reader should know about a fit, in sentences with the culprit's name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mixedsim.design import Design, GroupingFactor, VaryingTerm
from mixedsim.engine import Optimum, Problem

Floats = NDArray[np.float64]
# The same threshold as lme4's isSingular, applied to the standardised problem, where zeros are exact.
_FLAT = 1e-4
_NO_CURVATURE = 1e-9  # second derivative of the deviance per row: what rounding leaves of zero


def dropped_columns(design: Design, problem: Problem) -> list[str]:
    """One sentence if fixed-effect columns depend on earlier ones."""
    names = [repr(design.x.names[j]) for j in problem.fixed.dropped]
    if not names:
        return []
    verb, they = ("was", "it depends") if len(names) == 1 else ("were", "they depend")
    return [f"{', '.join(names)} {verb} dropped from the fixed effects: {they} linearly on earlier columns."]


def flat_terms(
    factors: Sequence[GroupingFactor], problem: Problem, optimum: Optimum
) -> list[tuple[GroupingFactor, VaryingTerm, Floats]]:
    """Terms whose covariance matrix is singular, with their q × q relative covariance in the data's units."""
    lambdas = problem.layout.lambdas(optimum.profile.theta)
    relative = problem.relative_covariances(optimum.profile.theta)
    out = []
    for factor, lam, sigma in zip(factors, lambdas, relative, strict=True):
        start = 0
        for term in factor.terms:
            own = slice(start, start + len(term.columns.names))
            if np.linalg.svd(lam[own, own], compute_uv=False).min() < _FLAT:
                out.append((factor, term, sigma[own, own]))
            start = own.stop
    return out


def singular_terms(
    factors: Sequence[GroupingFactor], problem: Problem, optimum: Optimum, sigma: float
) -> list[str]:
    """One sentence for each term without full variance: which component, and what to try."""
    out = []
    for factor, term, relative in flat_terms(factors, problem, optimum):
        names = term.columns.names
        sd = sigma * np.sqrt(np.diag(relative).clip(min=0.0))
        zero = [name for name, s in zip(names, sd, strict=True) if s < _FLAT * sigma]
        if zero:
            what = f"the standard deviation of {' and of '.join(zero)} by {factor.name!r} is estimated as zero"
            mend = "the data show no such variation beyond the residual; the term may be left out"
        elif len(names) == 2:
            sign = "+1" if relative[0, 1] > 0 else "−1"
            what = f"the correlation of {names[0]} and {names[1]} by {factor.name!r} is estimated as {sign}"
            mend = "the data cannot tell the two apart; try uncorrelated effects with '||', or leave one out"
        else:
            what = f"a combination of {', '.join(names)} by {factor.name!r} has no variance"
            mend = "the term is richer than the data; try '||', or leave an effect out"
        out.append(f"singular fit: {what}: {mend}.")
    return out


def flat_likelihood(problem: Problem, optimum: Optimum, singular: bool) -> list[str]:
    """One sentence if the likelihood does not depend on some combination of variance parameters at all."""
    values = np.linalg.eigvalsh(optimum.curvature)
    if singular or not len(values) or values[0] > _NO_CURVATURE * problem.cp.n:
        return []
    return [
        "the data do not determine all variances of the random effects: the likelihood is the same for a whole range "
        "of them, as when a predictor leaves no level of a grouping factor to compare with; use more levels, or leave "
        "out the term or the predictor."
    ]


def not_converged(optimum: Optimum) -> list[str]:
    """One sentence if the optimiser did not arrive."""
    if optimum.converged:
        return []
    lowest = float(np.linalg.eigvalsh(optimum.curvature).min(initial=np.inf))
    return [
        f"the optimiser did not converge: after {optimum.evaluations} evaluations the largest gradient is "
        f"{optimum.gradient_norm:.2g} and the smallest curvature {lowest:.2g}; the estimates are not to be trusted."
    ]
