"""The steps of a fit: design, problem, objective, optimum. `lmer`, `update` and `refit` all go through here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mixedsim.design import Design, build, check_formula
from mixedsim.engine import Control, Objective, Optimum, Problem, minimise, pose
from mixedsim.engine.streamed import pose_stream
from mixedsim.errors import DataError, MixedsimError
from mixedsim.formula import Formula
from mixedsim.frame import as_now
from mixedsim.reading import require
from mixedsim.streams import Asked, Source, as_source

Floats = NDArray[np.float64]
_NAMED = 3  # terms that are named when there are too many columns


@dataclass(frozen=True, eq=False)
class Request:
    """What was asked for beside formula and criterion, so that it can be asked for again.

    Attributes
    ----------
    data, weights, offset : as they were given.
    control : how to optimise.
    response : the n values that took the place of the data's response (`refit`), or None.
    """

    data: Any
    weights: str | ArrayLike | None = None
    offset: str | ArrayLike | None = None
    control: Control = field(default_factory=Control)
    response: Floats | None = None

    def __post_init__(self) -> None:
        """A fitted model never changes, whatever becomes of the table that it was fitted to."""
        object.__setattr__(self, "data", as_now(self.data))


class Parts(TypedDict):
    """What a fitted model is made of."""

    design: Design
    problem: Problem
    objective: Objective
    optimum: Optimum
    request: Request


def fit_formula(formula: Formula, request: Request, reml: bool) -> Parts:
    """The parts of a fitted model, from a formula and the request."""
    source = as_source(request.data)
    if source is not None:
        return _fit_stream(formula, source, request, reml)
    design = build(formula, request.data, request.weights, request.offset)
    return fit_problem(design, pose(design), request, reml)


def _fit_stream(formula: Formula, source: Source, request: Request, reml: bool) -> Parts:
    """The parts of a fitted model from rows that are read in chunks."""
    for what, given in (("weights", request.weights), ("offset", request.offset)):
        if given is not None and not isinstance(given, str):
            raise DataError(
                f"{what} must be the name of a column where the rows are read in chunks, found "
                f"{type(given).__name__}: add them to {source.name} as a column."
            )
    check_formula(formula)
    extra = [name for name in (request.weights, request.offset) if isinstance(name, str)]
    require(dict.fromkeys(source.columns), [*formula.variables, *extra])
    names = tuple(sorted(formula.variables & set(source.columns)))
    asked = Asked(names, *(given if isinstance(given, str) else None for given in (request.weights, request.offset)))
    design, problem = pose_stream(formula, source, asked)
    return fit_problem(design, problem, replace(request, data=source), reml)


def fit_problem(design: Design, problem: Problem, request: Request, reml: bool) -> Parts:
    """The parts of a fitted model, from cross-products."""
    if design.rows <= problem.cp.p:
        raise DataError(too_many_columns(design, problem.fixed.kept, "a residual"))
    objective = Objective(problem.cp, problem.layout, reml)
    optimum = minimise(objective, begin=start_of(problem, request.control), control=request.control)
    return Parts(design=design, problem=problem, objective=objective, optimum=optimum, request=request)


def too_many_columns(design: Design, kept: Sequence[int], beside: str) -> str:
    """What to say where the rows do not suffice for these fixed effects, and what stands beside them."""
    columns = Counter(design.x.terms[j] for j in kept)
    several = [f"{count} of {term!r}" for term, count in columns.most_common(_NAMED) if count > 1]
    largest = f" ({', '.join(several)})" if several else ""
    return (
        f"{design.rows} rows cannot carry {len(kept)} fixed effects{largest} and {beside}: use more rows or fewer "
        "predictors."
    )


def settle_control(control: Control | None) -> Control:
    """The control that was asked for, or the default."""
    if control is None:
        return Control()
    if not isinstance(control, Control):
        raise MixedsimError(
            f"control must be an ms.Control, found {type(control).__name__}: write ms.Control(tolerance=1e-8), or "
            "leave it out."
        )
    return control


def settle_flag(name: str, value: object) -> bool:
    """An option that is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise MixedsimError(f"{name} must be True or False, found {value!r}.")
    return bool(value)


def without_start(control: Control) -> Control:
    """The same control for another model, whose θ has another meaning."""
    return control if control.start is None else replace(control, start=None)


def start_of(problem: Problem, control: Control) -> Floats | None:
    """θ that was asked for as the start, standardised; None for none."""
    if control.start is None:
        return None
    size = problem.layout.size
    if len(control.start) != size:
        raise MixedsimError(
            f"start must have {size} value{'s' * (size != 1)}, one an element of θ (see a fit's theta), "
            f"found {len(control.start)}."
        )
    return problem.standard_theta(np.array(control.start))
