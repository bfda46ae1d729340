"""What a reader should know about a cumulative-link fit, in sentences: as of other generalised models, by category."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Design
from mixedsim.engine.glm_estimates import FixedCovariance
from mixedsim.engine.glm_laplace import GlmObjective
from mixedsim.engine.glm_optimise import GlmOptimum
from mixedsim.engine.glm_problem import GlmProblem
from mixedsim.errors import shown
from mixedsim.formula import fixed_terms, variables_of
from mixedsim.models.generalized_messages import not_converged, uncertain_errors
from mixedsim.models.messages import (
    Finding,
    dropped_columns,
    looks_continuous,
    nearly_collinear,
    of_data,
    singular_terms,
)
from mixedsim.models.separation import MOST_CULPRITS, WAY_OUT, runaway_columns

Floats = NDArray[np.float64]


def findings(
    design: Design,
    problem: GlmProblem,
    objective: GlmObjective,
    optimum: GlmOptimum,
    covariance: FixedCovariance,
) -> tuple[Finding, ...]:
    """Everything that is worth saying about data and fit, in the order in which it came about."""
    separated = separation(design, problem, objective, optimum, covariance)
    return (
        *of_data(design),
        *looks_continuous(design.factors),
        *dropped_columns(design, problem.linear),
        *nearly_collinear(design, problem.linear),
        *separated,
        *levels_of_one_category(design),
        *singular_terms(design.factors, problem.linear, optimum.evaluation, 1.0, "chance"),
        *([] if separated else [*not_converged(optimum), *uncertain_errors(objective, covariance)]),
    )


def separation(
    design: Design, problem: GlmProblem, objective: GlmObjective, optimum: GlmOptimum, covariance: FixedCovariance
) -> list[Finding]:
    """One finding if coefficients run away: which, and which cells or which predictor are behind it."""
    away = runaway_columns(problem, objective, optimum, covariance.matrix)
    if not away:
        return []
    columns = [problem.linear.fixed.kept[j] for j in away]
    names = [design.x.names[j] for j in columns if design.x.names[j] != "Intercept"]
    said = [repr(name) for name in names] + ["the thresholds"] * (len(names) < len(columns))
    reasons = list(_reasons(design, {design.x.terms[j] for j in columns}))
    because = f" because {'; '.join(reasons[:MOST_CULPRITS])}" if reasons else ""
    verb = "runs away" if len(said) == 1 and names else "run away"
    message = (
        f"separation: {', '.join(said)} {verb}{because}: the likelihood rises for ever, so that the estimate is where "
        f"the search stopped and its standard error means nothing; {WAY_OUT}."
    )
    fixef = problem.linear.fixef(optimum.evaluation.beta.copy())
    evidence = ", ".join(f"{design.x.names[problem.linear.fixed.kept[j]]} {fixef[j]:.3g}" for j in away)
    return [Finding(message, evidence, WAY_OUT)]


def _reasons(design: Design, terms: set[str]) -> Iterator[str]:
    """Cells all of whose rows are in the lowest or highest category, and predictors that tell all categories."""
    categories = design.categories or ()
    for term in sorted(fixed_terms(design.formula.fixed), key=lambda term: len(term.factors)):
        own = sorted({name for factor in term.factors for name in variables_of(factor.expr)})
        if not own or not set(own) <= set(design.variables) or (str(term) not in terms and "1" not in terms):
            continue
        values = [design.variables[name] for name in own]
        if all(isinstance(column, pd.Categorical) for column in values):
            ends = pd.Series(design.y).groupby(values, observed=True).agg(["min", "max"])
            for cell, (low, high) in ends.iterrows():
                labels = cell if isinstance(cell, tuple) else (cell,)
                if low == high and low in (0, len(categories) - 1):
                    where = " and ".join(f"{name} = {shown(one)}" for name, one in zip(own, labels, strict=True))
                    yield f"all rows with {where} are in the category {shown(categories[int(low)])}"
        elif len(own) == 1 and _tells_all(np.asarray(values[0], dtype=np.float64), design.y):
            yield f"{own[0]!r} tells every category from the next"


def _tells_all(x: Floats, y: Floats) -> bool:
    """Whether the categories follow each other along x, rising or falling."""
    ends = pd.Series(x).groupby(y).agg(["min", "max"]).to_numpy()
    return bool((ends[:-1, 1] <= ends[1:, 0]).all() or (ends[:-1, 0] >= ends[1:, 1]).all())


def levels_of_one_category(design: Design) -> list[Finding]:
    """One finding for each grouping factor all of whose levels have rows of one category alone."""
    out = []
    for factor in design.factors:
        ends = pd.Series(design.y).groupby(factor.codes).agg(["min", "max"])
        if bool((ends["min"] < ends["max"]).any()):
            continue
        message = (
            f"every level of {factor.name!r} has rows of one category only, so the likelihood goes on rising as its "
            "standard deviation grows: the estimate is where the search stopped; nothing within the levels is left for "
            "the model to explain, so model one row a level."
        )
        out.append(Finding(message, f"{len(ends)} levels of one category each", "model one row a level"))
    return out
