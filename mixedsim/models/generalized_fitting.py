"""The steps of a generalised fit: design, family, problem, objective, optimum, for `glmer`, `update` and `refit`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from mixedsim.design import Design, build
from mixedsim.engine import Control
from mixedsim.engine.glm_families import Family
from mixedsim.engine.glm_laplace import GlmObjective
from mixedsim.engine.glm_optimise import GlmOptimum, minimise_glm
from mixedsim.engine.glm_problem import GlmProblem, family_of, pose_glm
from mixedsim.errors import DataError, FormulaError, MixedsimError
from mixedsim.formula import Formula
from mixedsim.models.fitting import Request, start_of, too_many_columns
from mixedsim.models.generalized_family import Kind
from mixedsim.response import READERS
from mixedsim.scaling import Standardiser, scale_fixed

Floats = NDArray[np.float64]


class GlmParts(TypedDict):
    """What a fitted generalised model is made of."""

    design: Design
    kind: Kind
    problem: GlmProblem
    objective: GlmObjective
    optimum: GlmOptimum
    request: Request


def fit_generalized(formula: Formula, request: Request, kind: Kind) -> GlmParts:
    """The parts of a fitted model, from a formula and the request."""
    design = build(
        formula, request.data, request.weights, request.offset, reader=READERS[kind.family], residual=kind.scaled
    )
    return fit_design(design, request, kind)


def fit_design(design: Design, request: Request, kind: Kind) -> GlmParts:
    """The parts of a fitted model, from a design."""
    check_identified(design, kind)
    check_intercept(design, kind)
    check_rows(design)
    problem = pose_glm(design, family_of_response(design, kind)(design.y))
    objective = GlmObjective(problem.rows, problem.family, problem.layout, kind.nagq)
    optimum = minimise_glm(objective, _start(problem, request.control), problem.beta, problem.extra, request.control)
    return GlmParts(
        design=design, kind=kind, problem=problem, objective=objective, optimum=optimum, request=request
    )


def family_of_response(design: Design, kind: Kind) -> Callable[[Floats], Family]:
    """What makes the engine's family of a response on the rows of a design."""
    categories = len(design.categories or ())
    return lambda y: family_of(kind.family, kind.link, y, design.weights, design.trials, categories=categories)


def check_rows(design: Design) -> None:
    """Raise unless there are more rows than independent fixed effects."""
    if design.rows > len(design.x.names):
        return
    fixed = scale_fixed(design.x.columns, "Intercept" in design.x.names, Standardiser(design.rows))
    if design.rows <= len(fixed.kept):
        raise DataError(too_many_columns(design, fixed.kept, "random effects"))


def check_intercept(design: Design, kind: Kind) -> None:
    """Raise where thresholds would have no place to begin from."""
    if kind.family == "ordinal" and "Intercept" not in design.x.names:
        raise FormulaError(
            f"the formula {' '.join(design.formula.text.split())!r} takes the intercept away, whose place the "
            "thresholds of ordered categories have: leave the 0 or the -1 out."
        )


def check_identified(design: Design, kind: Kind) -> None:
    """Raise where single trials leave nothing from which an effect of every row could be told."""
    single = kind.family == "ordinal" or (
        kind.family == "binomial" and (design.trials is None or float(design.trials.max()) <= 1)
    )
    for factor in design.factors:
        if single and len(factor.levels) >= design.rows:
            terms = ", ".join(term.term.text for term in factor.terms)
            what = "ordered category" if kind.family == "ordinal" else "yes or no"
            raise DataError(
                f"the grouping factor {factor.name!r} has one row a level ({design.rows} rows), and each row is a "
                f"single {what}, which tells nothing of {terms}: leave it out; it takes counts out of several "
                "trials to see that they vary more than chance."
            )


def check_control(control: Control) -> Control:
    """The control, if `glmer` can follow it."""
    if control.optimizer != "newton":
        raise MixedsimError(
            f"ms.glmer has one optimiser, 'newton', found {control.optimizer!r}: leave optimizer out, the others are "
            "there to compare linear models with."
        )
    return control


def _start(problem: GlmProblem, control: Control) -> Floats:
    """θ to start from, standardised."""
    asked = start_of(problem.linear, control)
    return problem.theta if asked is None else asked
