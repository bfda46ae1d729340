"""The fields of a population in their one canonical form, each checked by its own module and against the others.

A population stores what this gives: so two that mean the same are equal, and whoever reads a field knows its type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixedsim.formula import parse
from mixedsim.simulate.about import settled_about
from mixedsim.simulate.clusters import clusters_of, structure_of
from mixedsim.simulate.contents import contents_of
from mixedsim.simulate.counts import count
from mixedsim.simulate.families import check_exposure, expected_fixef, settled_family
from mixedsim.simulate.fields import ABSENT, FieldError, shown
from mixedsim.simulate.lesson import settled_lesson
from mixedsim.simulate.plan import make_plan, settled_fixef, settled_ranef
from mixedsim.simulate.problems import settled_problems
from mixedsim.simulate.residuals import settled_residual, settled_sigma
from mixedsim.simulate.response import response_of
from mixedsim.simulate.variables import settled_variables

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population


_NEEDED = {
    "formula": "say how the response arises, as in 'y ~ x + (1 | g)'",
    "clusters": "name what groups the rows and how many of each there are, as in {'therapist': 100}",
    "size": "say how many rows each cluster has, as in size=50",
}


def settled_fields(given: Population) -> dict[str, Any]:
    """What a population stores in place of what it was given, its plan included.

    Raises
    ------
    FieldError
        If a field is impossible, or fields contradict each other.
    FormulaError
        If the formula cannot be read.
    """
    for needed, what in _NEEDED.items():
        if getattr(given, needed) is ABSENT:
            raise FieldError((needed,), f"is missing: {what}.")
    if not isinstance(given.formula, str):
        raise FieldError(("formula",), f"must be text such as 'y ~ x + (1 | g)', found {shown(given.formula)}.")
    if given.name is not None and not isinstance(given.name, str):
        raise FieldError(("name",), f"must be text, found {shown(given.name)}.")
    formula = parse(given.formula)
    clusters = clusters_of(given.clusters)
    size = count(given.size, ("size",))
    structure = structure_of(clusters, size)
    variables = settled_variables(given.variables, structure)
    family = settled_family(given.family)
    response = response_of(formula.response, family["kind"])
    plan = make_plan(structure, variables, formula, response)
    check_exposure(family, plan.variables)
    contents = contents_of(plan, family)
    return {
        "clusters": clusters,
        "size": size,
        "variables": variables,
        "plan": plan,
        "fixef": settled_fixef(given.fixef, expected_fixef(family, plan.coefficients, given.fixef)),
        "ranef": settled_ranef(given.ranef, plan.effects),
        "sigma": settled_sigma(given.sigma, family["kind"], plan),
        "residual": settled_residual(given.residual, family["kind"], plan),
        "family": family,
        "problems": settled_problems(given.problems, contents),
        "lesson": settled_lesson(given.lesson, contents),
        "about": settled_about(given.about, contents),
    }
