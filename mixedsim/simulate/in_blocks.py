"""What can be drawn in blocks of units of the first cluster, and what needs all data at once.

In a block there are whole units of the first cluster, with all that lies in them: whatever is worked out row by row, or
within such units, comes out as in data that are in memory. A unit of another cluster (an item that all subjects meet)
has rows in every block, and "all rows" are nowhere. So what looks across those is refused here, before anything is
drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mixedsim.columns import model_columns
from mixedsim.simulate.counts import Sizes
from mixedsim.simulate.fields import FieldError, Path
from mixedsim.simulate.layout import lay_out
from mixedsim.simulate.making import make_variables, to_rows
from mixedsim.simulate.plan import Plan
from mixedsim.simulate.problems import MeasurementError, Outliers, Problem
from mixedsim.simulate.streams import Streams
from mixedsim.simulate.structure import Structure
from mixedsim.simulate.variables import (
    Assigned,
    Centered,
    ClusterMean,
    Custom,
    Lag,
    Variable,
    Within,
)
from mixedsim.simulate.variables.assigned import WHOLE
from mixedsim.simulate.variables.correlated import Member

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population

_REMEDY = "draw the population whole, with draw."


def check_in_blocks(population: Population) -> None:
    """Raise `FieldError` if something in the population cannot be worked out in blocks."""
    plan = population.plan
    _check_sizes(plan.structure)
    for name, variable in plan.variables.items():
        _check_variable(name, variable, plan)
    _check_terms(plan)
    _check_transforms(plan)
    by = (population.residual or {}).get("by", "")
    if by and plan.structure.outside().issuperset(by.split(":")):
        raise _crossing(("residual", "by"), by)
    for step, problem in enumerate(population.problems, start=1):
        _check_problem(("problems", str(step)), problem, plan)


def _check_sizes(structure: Structure) -> None:
    inside = [one for one in structure.clusters if one.name not in structure.outside()]
    lists = [(("clusters", one.name, "n"), one.n) for one in inside] + [(("size",), structure.size)]
    for field, many in lists:
        if isinstance(many, Sizes):
            raise FieldError(field, f"is a list of Sizes, which has an end: {_REMEDY}")


def _check_variable(name: str, variable: Variable, plan: Plan) -> None:
    outside = plan.structure.outside()
    path = ("variables", variable.key if isinstance(variable, Member) else name)
    if isinstance(variable, Centered):
        raise FieldError(path, f"takes the mean of all rows, which never are in memory at once: {_REMEDY}")
    settled_outside = plan.levels[name] in outside and not isinstance(variable, ClusterMean | Within)
    for field, cluster in _spans(variable):
        if settled_outside:
            continue
        if cluster == WHOLE:
            raise FieldError((*path, field), f"is the whole dataset, which never is in memory at once: {_REMEDY}")
        if cluster in outside:
            raise _crossing((*path, field), cluster)


def _spans(variable: Variable) -> Iterator[tuple[str, str]]:
    """The fields that name clusters in whose units a variable looks from one row to others, and these clusters."""
    if isinstance(variable, ClusterMean | Within | Lag) and variable.by is not None:
        yield "by", variable.by
    if isinstance(variable, Assigned) and variable.within is not None:
        yield "within", variable.within
    if isinstance(variable, Member) and variable.block.by is not None:
        yield "by", variable.block.by
    if isinstance(variable, Custom):
        yield from (("by", cluster) for cluster in variable.by)


def _check_terms(plan: Plan) -> None:
    structure, outside = plan.structure, plan.structure.outside()
    for term in plan.terms:
        several = len(structure.innermost(term.factors)) > 1
        if several and outside.issuperset(term.factors) and not structure.full():
            raise FieldError(
                ("formula",), f"groups by {term.group}, and only all rows together tell which of these meet: {_REMEDY}"
            )


def _check_transforms(plan: Plan) -> None:
    """Raise `FieldError` if a function in the formula looks at a whole column, as ``center(x)`` does."""
    layout = lay_out(plan.structure.small(), Streams(0))
    made = make_variables(plan.variables, plan.levels, layout, Streams(0))
    rows = {name: to_rows(values, plan.levels[name], layout) for name, values in made.items()}
    for rhs in (plan.formula.fixed, *(term.rhs for term in plan.terms)):
        learned = model_columns(rhs, rows).spec.model_spec
        for call in learned.transform_state if learned is not None else ():
            raise FieldError(("formula",), f"contains {call}, which is computed from all rows at once: {_REMEDY}")


def _check_problem(path: Path, problem: Problem, plan: Plan) -> None:
    outside = plan.structure.outside()
    if problem.target in plan.structure.names and getattr(problem, "by", None) is None:
        raise FieldError(path, f"changes whose row it is, and units have no names but whole numbers here: {_REMEDY}")
    if getattr(problem, "by", None) in outside:
        raise _crossing((*path, "by"), str(getattr(problem, "by", None)))
    level = getattr(problem, "level", None) or plan.levels.get(problem.target)
    if level in outside:
        raise _crossing((*path, "level"), level)
    shifted = isinstance(problem, Outliers) and problem.shift is not None
    if shifted or (isinstance(problem, MeasurementError) and problem.reliability is not None):
        field = "shift" if shifted else "reliability"
        raise FieldError((*path, field), f"is measured by the standard deviation of all rows: {_REMEDY}")


def _crossing(field: Path, cluster: str) -> FieldError:
    return FieldError(field, f"is {cluster!r}, which has rows in every part of the data: {_REMEDY}")
