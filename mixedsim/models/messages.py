"""What a reader should know about a fit, in sentences with the culprit's name, with the evidence and a way out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Design, GroupingFactor, VaryingTerm
from mixedsim.engine import Optimum, Problem
from mixedsim.inference.boundary import FlatDirection, HasTheta, flat_directions
from mixedsim.models.simpler_terms import is_separable, simpler

Floats = NDArray[np.float64]
_NO_CURVATURE = 1e-9  # second derivative of the deviance per row: what rounding leaves of zero
_OWN_SHARE = 1e-5  # share of a predictor's sd that others do not explain: below it half of all digits are gone
_MANY = 10  # values without a repeat of which more than half are no whole numbers look like measurements


@dataclass(frozen=True)
class Finding:
    """One thing to know.

    Attributes
    ----------
    message : the sentence that stands in `messages` and in the summary.
    evidence : the numbers behind it.
    way_out : what one may do.
    """

    message: str
    evidence: str = ""
    way_out: str = ""


def findings(design: Design, problem: Problem, optimum: Optimum, sigma: float) -> tuple[Finding, ...]:
    """Everything that is worth saying about data and fit, in the order in which it came about."""
    singular = singular_terms(design.factors, problem, optimum.profile, sigma)
    return (
        *of_data(design),
        *looks_continuous(design.factors),
        *dropped_columns(design, problem),
        *nearly_collinear(design, problem),
        *singular,
        *flat_likelihood(design.factors, problem, optimum, bool(singular)),
        *not_converged(optimum),
    )


def of_data(design: Design) -> list[Finding]:
    """What was said while the data were read."""
    return [_of_data(message, design) for message in design.messages]


def _of_data(message: str, design: Design) -> Finding:
    """One of these: after a semicolon stands what to do about it."""
    _, _, tail = message.partition("; ")
    evidence = ""
    for factor in design.factors:
        if message.startswith(f"{factor.name!r} has only"):
            rows = factor.rows_by_level()
            evidence = ", ".join(f"{level}: {n} rows" for level, n in zip(factor.levels, rows, strict=True))
    return Finding(message, evidence, tail.rstrip("."))


def looks_continuous(factors: Sequence[GroupingFactor]) -> list[Finding]:
    """Grouping factors whose levels are measurements rather than names."""
    out = []
    for factor in factors:
        if len(factor.coding.names) > 1 or not pd.api.types.is_float_dtype(factor.levels.dtype):
            continue
        values = factor.levels.to_numpy(dtype=np.float64)
        broken = values[values != np.round(values)]
        if len(values) > _MANY and 2 * len(broken) > len(values):
            mend = f"use {factor.name!r} as a predictor, or group by bins of it"
            message = (
                f"the grouping factor {factor.name!r} looks continuous: {len(values)} distinct numbers such as "
                f"{broken[0]:g}; {mend}."
            )
            out.append(Finding(message, f"{len(values)} levels in {factor.rows_by_level().sum()} rows", mend))
    return out


def dropped_columns(design: Design, problem: Problem) -> list[Finding]:
    """One finding if fixed-effect columns depend on earlier ones."""
    names = [repr(design.x.names[j]) for j in problem.fixed.dropped]
    if not names:
        return []
    verb, they = ("was", "it depends") if len(names) == 1 else ("were", "they depend")
    message = f"{', '.join(names)} {verb} dropped from the fixed effects: {they} linearly on earlier columns."
    evidence = f"{len(design.x.names)} columns of rank {len(problem.fixed.kept)}"
    return [Finding(message, evidence, "leave the column out, or the ones that it repeats")]


def nearly_collinear(design: Design, problem: Problem) -> list[Finding]:
    """One finding for each predictor that the others explain but for some digits."""
    p = len(problem.fixed.kept)
    if p < 2:
        return []
    t = problem.fixed.transform
    back = np.linalg.inv(t)
    gram = back.T @ problem.cp.xx @ back
    if problem.intercept is not None:  # spread is around the mean
        sums = gram[problem.intercept]
        gram = gram - np.outer(sums, sums) / sums[problem.intercept]
    own = t @ np.linalg.solve(problem.cp.xx, t.T)
    out = []
    for i, j in enumerate(problem.fixed.kept):
        if i == problem.intercept or gram[i, i] <= 0:
            continue
        share = float(np.sqrt(1.0 / (own[i, i] * gram[i, i])))
        if share < _OWN_SHARE:
            name = design.x.names[j]
            mend = "centre or rescale what they are made from, or leave one of them out"
            message = (
                f"{name!r} is nearly a combination of the other predictors: only {share:.1g} of its spread is its own, "
                f"which costs its coefficient half of all digits; {mend}."
            )
            out.append(Finding(message, f"variance inflation {share**-2:.2g}", mend))
    return out


def flat_terms(
    factors: Sequence[GroupingFactor], problem: Problem, at: HasTheta
) -> list[tuple[GroupingFactor, VaryingTerm, Floats]]:
    """Terms whose covariance matrix is singular, with their q × q relative covariance in the data's units."""
    relative = problem.relative_covariances(at.theta)
    flat = {(d.factor, d.where.start) for d in flat_directions(problem, at)}
    out = []
    for f, (factor, sigma) in enumerate(zip(factors, relative, strict=True)):
        start = 0
        for term in factor.terms:
            own = slice(start, start + len(term.columns.names))
            if (f, start) in flat:
                out.append((factor, term, sigma[own, own]))
            start = own.stop
    return out


def singular_terms(
    factors: Sequence[GroupingFactor], problem: Problem, at: HasTheta, sigma: float, rest: str = "the residual"
) -> list[Finding]:
    """One finding for each term without full variance: which component, and what to try.

    `rest` is what varies beside the random effects.
    """
    directions = flat_directions(problem, at)
    out = []
    for factor, term, relative in flat_terms(factors, problem, at):
        names = term.columns.names
        mine = [d for d in directions if factors[d.factor] is factor and _term_of(factor, d) is term]
        zero = [names[int(np.argmax(d.weights))] for d in mine if np.count_nonzero(d.weights) == 1]
        apart = is_separable(term)
        if zero:
            what = f"the standard deviation of {' and of '.join(zero)} by {factor.name!r} is estimated as zero"
            why, mend = f"the data show no such variation beyond {rest}", "the term may be left out"
            if not apart and len(zero) < len(names):
                mend = simpler(factor, term, factors)
        elif len(names) == 2:
            sign = "+1" if relative[0, 1] > 0 else "−1"
            what = f"the correlation of {names[0]} and {names[1]} by {factor.name!r} is estimated as {sign}"
            why = "the data cannot tell the two apart"
            uncorrelated = "try uncorrelated effects with '||', or leave one out"
            mend = uncorrelated if apart else simpler(factor, term, factors)
        else:
            what = f"{combination(names, mine[0].weights)} by {factor.name!r} has no variance"
            why = "the term is richer than the data"
            mend = "try '||', or leave an effect out" if apart else simpler(factor, term, factors)
        evidence = "; ".join(_no_variance(names, direction) for direction in mine)
        sds = ", ".join(
            f"{name} {sd:.3g}" for name, sd in zip(names, sigma * np.sqrt(np.diag(relative)), strict=True)
        )
        message = f"singular fit: {what}: {why}; {mend}."
        out.append(Finding(message, f"{evidence} (standard deviations: {sds})", mend))
    return out


def _term_of(factor: GroupingFactor, direction: FlatDirection) -> VaryingTerm:
    starts = np.cumsum([0, *(len(term.columns.names) for term in factor.terms)])
    return factor.terms[int(np.searchsorted(starts, direction.where.start))]


def combination(names: Sequence[str], weights: Floats) -> str:
    """``Intercept − 3.2 × Days``: the effects with their weights."""
    parts = []
    for name, w in zip(names, weights, strict=True):
        if w == 0:
            continue
        size = name if abs(w) == 1 else f"{abs(w):.3g} × {name}"
        parts.append(f"{'−' if w < 0 else '+'} {size}")
    return " ".join(parts).removeprefix("+ ")


def _no_variance(names: Sequence[str], direction: FlatDirection) -> str:
    w = direction.weights
    said = f"{combination(names, w)} has no variance"
    if len(names) == 2 and names[0] == "Intercept" and np.count_nonzero(w) == 2:
        said += f": the lines of all groups meet at {names[1]} = {w[1]:.3g}"
    return said


def flat_likelihood(
    factors: Sequence[GroupingFactor], problem: Problem, optimum: Optimum, singular: bool
) -> list[Finding]:
    """One finding if the likelihood does not depend on some combination of variance parameters at all."""
    values = np.linalg.eigvalsh(optimum.curvature)
    if singular or not len(values) or values[0] > _NO_CURVATURE * problem.cp.n:
        return []
    _, vectors = np.linalg.eigh(optimum.curvature)
    layout = problem.layout
    k = int(np.argmax(np.abs(vectors[:, 0])))
    effect = factors[int(layout.factor[k])].effects[int(layout.row[k])]
    message = (
        "the data do not determine all variances of the random effects: the likelihood is the same for a whole range "
        "of them, as when a predictor leaves no level of a grouping factor to compare with; use more levels, or leave "
        "out the term or the predictor."
    )
    evidence = (
        f"the deviance has curvature {values[0]:.1g} in its flattest direction, which is mostly the standard deviation "
        f"of {effect} by {factors[int(layout.factor[k])].name!r}"
    )
    return [Finding(message, evidence, "use more levels, or leave out the term or the predictor")]


def not_converged(optimum: Optimum) -> list[Finding]:
    """One finding if the optimiser did not arrive."""
    if optimum.converged:
        return []
    lowest = float(np.linalg.eigvalsh(optimum.curvature).min(initial=np.inf))
    message = (
        f"the optimiser did not converge: after {optimum.evaluations} evaluations the largest gradient is "
        f"{optimum.gradient_norm:.2g} and the smallest curvature {lowest:.2g}; the estimates are not to be trusted."
    )
    evidence = f"one more Newton step would lower the deviance by {optimum.decrease:.2g}"
    return [Finding(message, evidence, "start elsewhere, allow more iterations, or simplify the random terms")]
