"""The symbols of a population's equations: which letter counts what, how variables, effects and columns are written.
"""

from __future__ import annotations

import re

from mixedsim.equation import indexed
from mixedsim.simulate.expression import Parameter, render
from mixedsim.simulate.plan import Plan, Varying

_CLUSTER_LETTERS = "jklmnprsta"
_EFFECT_LETTERS = "uvwbcdfgh"
_INSTEAD = {"p": ("π", "prob", "P"), "μ": ("m", "mu", "M"), "η": ("h", "eta", "H"), "β": ("b", "beta", "B")}


class Letters:
    """Which letter counts what: i the rows, j the innermost clusters, and so outwards."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        inside_out = plan.structure.inside_out()
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
        """A variable, or the response, with its index."""
        level = self.plan.levels.get(name)
        return indexed(name, self.index(None if level is None else (level,)))

    def effect(self, term: Varying, position: int) -> str:
        """A random effect: u, numbered if its group has several."""
        several = len(self.plan.effects[term.group].names) > 1
        number = str(term.first + position) if several else ""
        return indexed(self.groups[term.group], number + self.index(term.factors))

    def unused(self, symbol: str) -> str:
        """The symbol, or if a column is called like that, another one for the same thing."""
        taken = {*self.plan.levels, *self.of, self.plan.response.name}
        return next(one for one in (symbol, *_INSTEAD[symbol]) if one not in taken)

    def write(self, value: Parameter) -> str:
        """A parameter of a distribution: a number, or an expression with indices."""
        if not isinstance(value, str):
            return digits(value)
        signs = {"-": " − ", "*": "·", "**": "^"}
        return render(value, name=self.variable, spell=lambda symbol: signs.get(symbol, f" {symbol} "))


def column(name: str, letters: Letters) -> str:
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


def digits(value: float) -> str:
    """A number in at most six digits, with a proper minus."""
    return f"{value:.6g}".replace("-", "−")
