"""Separation: coefficients that the data let run away, and which cells of the data let them.

Where a category has no success, or a predictor tells successes from failures without error, the likelihood of a
binomial model rises for ever as a coefficient grows (Albert & Anderson 1984, Biometrika 71:1); so does that of counts
where a category has none. The search ends where next to nothing is left to gain, with finite numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Design
from mixedsim.engine.glm_estimates import runaway
from mixedsim.engine.glm_families import Binomial
from mixedsim.engine.glm_laplace import GlmObjective
from mixedsim.engine.glm_optimise import GlmOptimum
from mixedsim.engine.glm_problem import GlmProblem
from mixedsim.errors import shown
from mixedsim.formula import fixed_terms, variables_of
from mixedsim.models.messages import Finding

Floats = NDArray[np.float64]
_LOST = 50.0  # standard error of a linear predictor beyond which nothing is known of the row
MOST_CULPRITS = 3  # so many cells are named
WAY_OUT = (
    "merge the category with another, leave the predictor out, or test it by likelihood ratio (ms.drop1), which stays "
    "meaningful"
)


def separation(
    design: Design, problem: GlmProblem, objective: GlmObjective, optimum: GlmOptimum, covariance: Floats
) -> list[Finding]:
    """One finding if coefficients run away: which, and which cells or which predictor are behind it.

    `covariance` is that of the coefficients in the units of the data.
    """
    away = runaway_columns(problem, objective, optimum, covariance)
    if not away:
        return []
    names = [design.x.names[problem.linear.fixed.kept[j]] for j in away]
    terms = {design.x.terms[problem.linear.fixed.kept[j]] for j in away}
    reasons = list(_reasons(design, objective, terms))
    because = f" because {'; '.join(reasons[:MOST_CULPRITS])}" if reasons else ""
    verb = "runs away" if len(names) == 1 else "run away"
    message = (
        f"separation: {', '.join(map(repr, names))} {verb}{because}: the likelihood rises for ever, so that the "
        f"estimate is where the search stopped and its standard error means nothing; {WAY_OUT}."
    )
    fixef = problem.linear.fixef(optimum.evaluation.beta.copy())
    evidence = ", ".join(f"{name} {fixef[j]:.3g}" for name, j in zip(names, away, strict=True))
    return [Finding(message, evidence, WAY_OUT)]


def runaway_columns(
    problem: GlmProblem, objective: GlmObjective, optimum: GlmOptimum, covariance: Floats
) -> list[int]:
    """Positions among the kept columns of coefficients that run away, and take the rows with them."""
    away = runaway(problem, objective, optimum)
    return [] if not away or _rows_are_known(problem, covariance) else away


def _rows_are_known(problem: GlmProblem, covariance: Floats) -> bool:
    """Whether every row's η is known: then what is uncertain lies far from all rows, as an intercept in the year 0."""
    back = np.linalg.inv(problem.linear.fixed.transform)
    x = problem.rows.x
    variance = np.einsum("ij,ij->i", x @ (back @ covariance @ back.T), x)
    return bool((variance < _LOST**2).all())


def one_sided_levels(design: Design, objective: GlmObjective) -> list[Finding]:
    """One finding for each grouping factor all of whose levels have only successes or only failures."""
    successes, failures = _outcomes(design, objective)
    if failures is None or not successes.any() or not failures.any():
        return []
    out = []
    for factor in design.factors:
        won, lost = (np.bincount(factor.codes, values, len(factor.levels)) for values in (successes, failures))
        if ((won > 0) & (lost > 0)).any():
            continue
        message = (
            f"every level of {factor.name!r} has only successes or only failures, so the likelihood goes on rising as "
            "its standard deviation grows: the estimate is where the search stopped; nothing within the levels is left "
            "for the model to explain, so model one row a level."
        )
        evidence = f"{int((won > 0).sum())} levels with successes, {int((lost > 0).sum())} with failures"
        out.append(Finding(message, evidence, "model one row a level"))
    return out


def _reasons(design: Design, objective: GlmObjective, terms: set[str]) -> Iterator[str]:
    """Cells without successes (or failures) and predictors that tell all; the intercept may stand for any of them."""
    successes, failures = _outcomes(design, objective)
    explained: list[set[str]] = []
    for term in sorted(fixed_terms(design.formula.fixed), key=lambda term: len(term.factors)):
        own = {name for factor in term.factors for name in variables_of(factor.expr)}
        known = own <= set(design.variables) and not any(part <= own for part in explained)
        if not own or not known or (str(term) not in terms and "1" not in terms):
            continue
        names = sorted(own)
        values = [design.variables[name] for name in names]
        if all(isinstance(column, pd.Categorical) for column in values):
            found = list(_empty_cells(design, names, successes, failures))
        elif len(names) == 1:
            found = list(_split_by(names[0], np.asarray(values[0], dtype=np.float64), successes, failures))
        else:
            continue
        if found:
            explained.append(own)
        yield from found


def _outcomes(design: Design, objective: GlmObjective) -> tuple[Floats, Floats | None]:
    """Successes and failures of every row; counts have no failures."""
    if not isinstance(objective.family, Binomial):
        return design.y, None
    return design.y, (np.ones(design.rows) if design.trials is None else design.trials) - design.y


def _empty_cells(design: Design, names: list[str], successes: Floats, failures: Floats | None) -> Iterator[str]:
    counts = pd.DataFrame({"won": successes, "lost": 1.0 if failures is None else failures})
    columns = [design.variables[name] for name in names]
    for cell, (won, lost) in counts.groupby(columns, observed=True).sum().iterrows():
        labels = cell if isinstance(cell, tuple) else (cell,)
        where = " and ".join(f"{name} = {shown(label)}" for name, label in zip(names, labels, strict=True))
        if won == 0:
            yield f"no row with {where} has {'a success' if failures is not None else 'a count above 0'}"
        elif lost == 0:
            yield f"no row with {where} has a failure"


def _split_by(name: str, x: Floats, successes: Floats, failures: Floats | None) -> Iterator[str]:
    """Whether all successes lie on one side of all failures."""
    won = x[successes > 0]
    lost = x[(successes == 0) if failures is None else (failures > 0)]
    if not len(won) or not len(lost):
        return
    what = ("successes", "failures") if failures is not None else ("counts above 0", "zeros")
    if won.min() >= lost.max():
        yield f"{name!r} tells all {what[0]} ({won.min():g} and more) from all {what[1]} ({lost.max():g} and less)"
    elif won.max() <= lost.min():
        yield f"{name!r} tells all {what[0]} ({won.max():g} and less) from all {what[1]} ({lost.min():g} and more)"
