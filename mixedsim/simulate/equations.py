"""A population as its equations, in scalar notation: for the terminal in Unicode, for notebooks in HTML.

Equations are built once, as text in which an index stands between two marks; the two ways of writing differ only in
what they make of the marks (``depressionᵢⱼ``, ``<i>depression</i><sub>ij</sub>``).
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from mixedsim.simulate import outcome_equations
from mixedsim.simulate.counts import Sizes, words
from mixedsim.simulate.notation import CLOSE, OPEN, Equation, Letters
from mixedsim.simulate.structure import Structure

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population

_INDEXED = re.compile(rf"(\w+){OPEN}(\w+){CLOSE}")
_SUBSCRIPTS = str.maketrans("0123456789aijklmnprst", "₀₁₂₃₄₅₆₇₈₉ₐᵢⱼₖₗₘₙₚᵣₛₜ")
_WIDTH = 96


def as_text(population: Population) -> str:
    """The equations in Unicode, aligned at their relation."""
    blocks = _blocks(population)
    widest = max(len(_in_unicode(one.left)) for block in blocks for one in block)
    lines = [_title(population)]
    for block in blocks:
        lines.append("")
        for one in block:
            start = f"  {_in_unicode(one.left):<{widest}} {one.relation} "
            lines += _wrapped(start, [_in_unicode(part) for part in one.right], one.remark)
    return "\n".join(lines)


def as_html(population: Population) -> str:
    """The equations as an HTML table; needs no mathematics from the network."""
    cell = '<td style="text-align:left;border:none;padding:0 .5em 0 0;vertical-align:top">'
    rows = []
    for block in _blocks(population):
        for one in block:
            remark = f" <small>({html.escape(one.remark)})</small>" if one.remark else ""
            sides = (_in_html(one.left), html.escape(one.relation), _in_html(" ".join(one.right)) + remark)
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


def _blocks(population: Population) -> list[list[Equation]]:
    """The equations in the order of reading: response; variables; what varies; what the indices count; what follows."""
    letters = Letters(population.plan)
    blocks = [
        outcome_equations.response(population, letters),
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


def _in_unicode(text: str) -> str:
    return _INDEXED.sub(lambda found: found[1] + found[2].translate(_SUBSCRIPTS), text)


def _in_html(text: str) -> str:
    return _INDEXED.sub(r"<i>\1</i><sub>\2</sub>", html.escape(text))


def _wrapped(start: str, parts: list[str], remark: str) -> list[str]:
    """Addends on as many lines as they need, continued under the first; the remark behind the last."""
    lines, current = [], start + parts[0]
    for part in parts[1:]:
        if len(current) + 1 + len(part) > _WIDTH:
            lines.append(current)
            current = " " * len(start) + part
        else:
            current += " " + part
    if remark and len(current) + len(remark) > _WIDTH:
        lines.append(current)
        current = " " * len(start) + f"({remark})"
    elif remark:
        current += f"   ({remark})"
    return [*lines, current]
