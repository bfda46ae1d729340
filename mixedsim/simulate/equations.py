"""A population as its equations: for the terminal in Unicode, for notebooks in HTML, for papers in LaTeX.

They are built once, and `mixedsim.equation` prints them.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Literal, get_args

from mixedsim.equation import Equation, Latex, in_html, latex_block, unicode_lines
from mixedsim.errors import PopulationError
from mixedsim.simulate import outcome_equations
from mixedsim.simulate.counts import Sizes, words
from mixedsim.simulate.notation import Letters
from mixedsim.simulate.structure import Structure
from mixedsim.simulate.sums import scalar_sum, varying_coefficients, varying_sum

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population

Notation = Literal["scalar", "varying"]
Format = Literal["latex", "text"]


def written(population: Population, notation: Notation, format: Format) -> str:
    """The equations in one of the notations, as LaTeX or as text; `PopulationError` for another one."""
    for name, value, kind in (("notation", notation, Notation), ("format", format, Format)):
        if value not in get_args(kind):
            allowed = " or ".join(map(repr, get_args(kind)))
            raise PopulationError(f"{name} must be {allowed}, found {value!r}.")
    if format == "latex":
        return as_latex(population, notation)
    return as_text(population, notation)


def as_text(population: Population, notation: Notation = "scalar") -> str:
    """The equations in Unicode, aligned at their relation."""
    return "\n".join([_title(population), *unicode_lines(_blocks(population, notation))])


def as_latex(population: Population, notation: Notation = "scalar") -> Latex:
    """The equations in LaTeX, aligned at their relation; they need the package amsmath."""
    return latex_block(_blocks(population, notation))


def as_html(population: Population) -> str:
    """The equations as an HTML table; needs no mathematics from the network."""
    cell = '<td style="text-align:left;border:none;padding:0 .5em 0 0;vertical-align:top">'
    rows = []
    for block in _blocks(population):
        for one in block:
            remark = f" <small>({in_html(one.remark)})</small>" if one.remark else ""
            right = " ".join(map(str, one.right))
            sides = (in_html(str(one.left)), html.escape(one.relation), in_html(right) + remark)
            rows.append("<tr>" + "".join(f"{cell}{side}</td>" for side in sides) + "</tr>")
        rows.append('<tr><td colspan="3" style="border:none;padding:.3em"></td></tr>')
    table = '<table style="border:none">' + "".join(rows[:-1]) + "</table>"
    return f"<div><p><b>{html.escape(_title(population))}</b></p>{table}</div>"


def _title(population: Population) -> str:
    rows = population.plan.structure.expected_rows()
    about = "" if _is_fixed(population.plan.structure) else "about "
    called = f" {population.name}" if population.name else ""
    return f"Population{called}: {about}{rows:,.0f} rows"


def _is_fixed(structure: Structure) -> bool:
    counts = [structure.size, *(many for one in structure.clusters for many in (one.n, one.met or 1))]
    return all(isinstance(n, int | Sizes) for n in counts)


def _blocks(population: Population, notation: Notation = "scalar") -> list[list[Equation]]:
    """The equations in the order of reading: response; variables; what varies; what the indices count; what follows."""
    letters = Letters(population.plan)
    varying = notation == "varying"
    blocks = [
        outcome_equations.response(population, letters, varying_sum if varying else scalar_sum),
        varying_coefficients(population, letters) if varying else [],
        _variables(population, letters),
        outcome_equations.random(population, letters),
        _indices(population.plan.structure, letters),
        _afterwards(population, letters),
    ]
    return [block for block in blocks if block]


def _variables(population: Population, letters: Letters) -> list[Equation]:
    block = []
    for name, variable in population.variables.items():
        relation, right = variable.equation(letters.write)
        block.append(Equation(letters.variable(name), relation, (right,), "" if variable.observed else "not observed"))
        block += [Equation(left, "=", (one,)) for left, one in variable.further_equations(letters.write)]
    return block


def _indices(structure: Structure, letters: Letters) -> list[Equation]:
    """What every letter counts, and how far."""
    innermost = " × ".join(structure.leaves())
    block = [Equation("i", ":", (f"row, {words(structure.size)} in each {innermost}",))] if letters.row else []
    for name, letter in letters.of.items():
        cluster = structure.cluster(name)
        inside = f" in each {cluster.within}" if cluster.within else ""
        block.append(Equation(letter, ":", (f"{name}, {words(cluster.n)}{inside}",), structure.meeting(cluster)))
    return block


def _afterwards(population: Population, letters: Letters) -> list[Equation]:
    """What goes wrong with the data, and what they must show."""
    block = []
    for problem in population.problems:
        of_rows = problem.target in letters.plan.levels or problem.target == letters.plan.response.name
        left = letters.variable(problem.target) if of_rows else problem.target
        block.append(Equation(left, "→", (problem.equation(letters.write),)))
    if population.lesson is not None:
        shown = population.lesson if isinstance(population.lesson, str) else "a Python function"
        block.append(Equation("lesson", ":", (shown,)))
    return block
