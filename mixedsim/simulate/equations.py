"""A population as its equations, in scalar notation: for the terminal in Unicode, for notebooks in HTML.

Equations are built once, as text in which an index stands between two marks; the two ways of writing differ only in
what they make of the marks (``depressionᵢⱼ``, ``<i>depression</i><sub>ij</sub>``).
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mixedsim.simulate.counts import words
from mixedsim.simulate.covariance import covariances
from mixedsim.simulate.expression import Parameter, render
from mixedsim.simulate.plan import Plan, Varying
from mixedsim.simulate.structure import Structure

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population

_OPEN, _CLOSE = "\ue000", "\ue001"  # around an index; from the private area, so that no name contains them
_INDEXED = re.compile(rf"(\w+){_OPEN}(\w+){_CLOSE}")
_SUBSCRIPTS = str.maketrans("0123456789aijklmnprst", "₀₁₂₃₄₅₆₇₈₉ₐᵢⱼₖₗₘₙₚᵣₛₜ")
_CLUSTER_LETTERS = "jklmnprsta"
_EFFECT_LETTERS = "uvwbcdfgh"
_WIDTH = 96


@dataclass(frozen=True)
class Equation:
    """One line: left side, ``=`` or ``~``, the addends of the right side, a remark."""

    left: str
    relation: str
    right: tuple[str, ...]
    remark: str = ""


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
    counts = [structure.size, *(cluster.n for chain in structure.chains for cluster in chain)]
    return all(isinstance(n, int) for n in counts)


def _blocks(population: Population) -> list[list[Equation]]:
    """The equations in the order of reading: response; variables; what varies; what the indices count."""
    letters = _Letters(population.plan)
    blocks = [
        [_response(population, letters)],
        _variables(population, letters),
        _random(population, letters),
        _indices(population.plan.structure, letters),
    ]
    return [block for block in blocks if block]


class _Letters:
    """Which letter counts what: i the rows, j the innermost clusters, and so outwards."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        inside_out = [cluster.name for chain in plan.structure.chains for cluster in reversed(chain)]
        self.of = {name: _CLUSTER_LETTERS[i % len(_CLUSTER_LETTERS)] for i, name in enumerate(inside_out)}
        self.row = "" if plan.structure.size == 1 else "i"
        self.groups = {group: _EFFECT_LETTERS[i % len(_EFFECT_LETTERS)] for i, group in enumerate(plan.effects)}

    def index(self, factors: tuple[str, ...] | None) -> str:
        """Letters of the unit that these clusters form together, outer ones included; None for a row."""
        if factors is None:
            return self.row + "".join(self.of.values())
        structure = self.plan.structure
        around = {up for f in factors for up in structure.chain_of(f) if structure.constant_within(up, f)}
        return "".join(letter for name, letter in self.of.items() if name in around)

    def variable(self, name: str) -> str:
        """A variable with its index."""
        level = self.plan.levels[name]
        return _indexed(name, self.index(None if level is None else (level,)))

    def effect(self, term: Varying, position: int) -> str:
        """A random effect: u, numbered if its group has several."""
        several = len(self.plan.effects[term.group].names) > 1
        number = str(term.first + position) if several else ""
        return _indexed(self.groups[term.group], number + self.index(term.factors))

    def write(self, value: Parameter) -> str:
        """A parameter of a distribution: a number, or an expression with indices."""
        if not isinstance(value, str):
            return _number(value)
        signs = {"-": " − ", "*": "·", "**": "^"}
        return render(value, name=self.variable, spell=lambda symbol: signs.get(symbol, f" {symbol} "))


def _response(population: Population, letters: _Letters) -> Equation:
    addends: list[str] = []
    for name, value in population.fixef.items():
        column = _column(name, letters)
        size = _number(abs(value)) + (f"·{column}" if column else "")
        sign = ("−" if value < 0 else "") if not addends else ("− " if value < 0 else "+ ")
        addends.append(sign + size)
    for term in population.plan.terms:
        for position, name in enumerate(term.names):
            column = _column(name, letters)
            effect = letters.effect(term, position) + (f"·{column}" if column else "")
            addends.append(f"+ {effect}" if addends else effect)
    residual = _indexed("e", letters.index(None))
    addends.append(f"+ {residual}" if addends else residual)
    return Equation(_indexed(population.plan.formula.response, letters.index(None)), "=", tuple(addends))


def _variables(population: Population, letters: _Letters) -> list[Equation]:
    block = []
    for name, variable in population.variables.items():
        relation, right = variable.equation(letters.write)
        block.append(Equation(letters.variable(name), relation, (right,), "" if variable.observed else "not observed"))
    return block


def _random(population: Population, letters: _Letters) -> list[Equation]:
    known = covariances(population.ranef)
    block = []
    for term in population.plan.terms:
        q = len(term.names)
        at = range(term.first, term.first + q)
        sds = [_number(known[term.group].sd[i]) for i in at]
        sd = " and ".join([", ".join(sds[:-1])] * (q > 1) + sds[-1:])
        pairs = [known[term.group].corr[i][j] for i in at for j in at if i < j]
        corr = f", correlation{'s' * (len(pairs) > 1)} {', '.join(map(_number, pairs))}" if pairs else ""
        left = ", ".join(letters.effect(term, position) for position in range(q))
        block.append(Equation(left, "~", (f"Normal(0, sd {sd}{corr})",)))
    residual = Equation(_indexed("e", letters.index(None)), "~", (f"Normal(0, sd {_number(population.sigma)})",))
    return [*block, residual]


def _indices(structure: Structure, letters: _Letters) -> list[Equation]:
    """What every letter counts, and how far."""
    innermost = " × ".join(chain[-1].name for chain in structure.chains)
    block = [Equation("i", ":", (f"row, {words(structure.size)} in each {innermost}",))] if letters.row else []
    clusters = {cluster.name: cluster for chain in structure.chains for cluster in chain}
    for name, letter in letters.of.items():
        cluster = clusters[name]
        inside = f" in each {cluster.within}" if cluster.within else ""
        block.append(Equation(letter, ":", (f"{name}, {words(cluster.n)}{inside}",)))
    return block


def _column(name: str, letters: _Letters) -> str:
    """A column of the design as a product of variables: ``x·z``, ``[arm = new]``; "" for the intercept."""
    if name == "Intercept":
        return ""
    factors = []
    for part in re.split(r":(?![^\[(]*[\])])", name):
        indicator = re.fullmatch(r"(\w+)\[(?:T\.)?(.*)\]", part)
        if part in letters.plan.levels:
            factors.append(letters.variable(part))
        elif indicator and indicator[1] in letters.plan.levels:
            factors.append(f"[{letters.variable(indicator[1])} = {indicator[2]}]")
        else:
            factors.append(part)
    return "·".join(factors)


def _indexed(name: str, index: str) -> str:
    return f"{name}{_OPEN}{index}{_CLOSE}" if index else name


def _number(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")


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
    lines.append(f"{current}   ({remark})" if remark else current)
    return lines
