"""The equations of a formula one level at a time, as multilevel models are written.

Level 1 says how rows differ within a group, level 2 how the coefficients of level 1 differ between groups, and so on:

    yᵢⱼ = β₀ⱼ + β₁ⱼ·xᵢⱼ + rᵢⱼ,   β₀ⱼ = γ₀₀ + γ₀₁·wⱼ + u₀ⱼ,   β₁ⱼ = γ₁₀ + u₁ⱼ.

Grouping factors that do not lie within each other share level 2, each with its own index there.

Source: Raudenbush & Bryk (2002), Hierarchical Linear Models, 2nd edition, chapters 2 (two levels), 8 (three levels)
and 12 (crossed).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mixedsim.equation import Equation, Matrix, indexed
from mixedsim.words.anatomy import Anatomy, Block, Column, Group, marked
from mixedsim.words.notations import Place, group_words, number_and, outcome, summed, vector

# by number of levels above the rows: coefficients from level 1 on, effects from level 2 on, residual
_COEFFICIENTS = ("β", "βγ", "πβγ", "ψπβγ")
_EFFECTS = ("", "u", "ru", "eru")
_RESIDUALS = "εreε"


@dataclass
class _Coefficient:
    """A coefficient, by its place in the tree: what it is made of one level further out."""

    numbers: tuple[int, ...] = ()
    parts: dict[tuple[str, ...], _Coefficient] = field(default_factory=dict)
    effects: list[tuple[Group, Column, tuple[str, ...]]] = field(default_factory=list)

    def part(self, factors: tuple[str, ...]) -> _Coefficient:
        """The coefficient by which these factors are multiplied; numbered 0 for none, else from 1."""
        if factors not in self.parts:
            number = 0 if not factors else 1 + sum(bool(known) for known in self.parts)
            self.parts[factors] = _Coefficient((*self.numbers, number))
        return self.parts[factors]


class _Levels:
    """A formula, level by level."""

    def __init__(self, model: Anatomy) -> None:
        self.model = model
        chain = model.chain and len(model.groups) < len(_COEFFICIENTS)
        self.tiers = [[group] for group in model.groups] if chain else [list(model.groups)]
        if not model.groups:
            self.tiers = []
        self.depth = len(self.tiers)
        self.root = _Coefficient()
        for column in model.fixed:
            node = self.root
            for factors in self.split(column):
                node = node.part(factors)
        for tier, groups in enumerate(self.tiers, start=1):
            for group in groups:
                for block in group.blocks:
                    for column in block.columns:
                        self._attach(tier, group, column)

    def _attach(self, tier: int, group: Group, column: Column) -> None:
        split, node = self.split(column), self.root
        for factors in split[:tier]:
            node = node.part(factors)
        node.effects.append((group, column, tuple(factor for factors in split[tier:] for factor in factors)))

    def split(self, column: Column) -> list[tuple[str, ...]]:
        """The column's factors by the level at which they change."""
        levels: list[list[str]] = [[] for _ in range(self.depth + 1)]
        for factor in column.factors:
            levels[min(map(self.level, self.model.reads(factor)), default=0)].append(factor)
        return [tuple(factors) for factors in levels]

    def level(self, name: str) -> int:
        """0 for a variable that changes from row to row, else the number of its tier."""
        if name not in self.model.places or not self.depth:
            return 0
        place = self.model.places[name]
        return next(n for n, groups in enumerate(self.tiers, start=1) if any(group.name == place for group in groups))

    def place(self, name: str) -> str:
        """Index of a variable."""
        known = self.model.places.get(name)
        return f"i{self.model.letters}" if known is None else self.model.group(known).letters

    def coefficient(self, node: _Coefficient) -> str:
        """Its symbol: the level's letter, its numbers, and the letters of the groups of which it is one's."""
        depth = len(node.numbers)
        letters = self.letters(self.tiers[depth - 1]) if depth <= self.depth else ""
        return indexed(_COEFFICIENTS[self.depth][depth - 1], _index(node.numbers, letters))

    def letters(self, groups: list[Group]) -> str:
        """Letters of the units that these grouping factors form together."""
        own = "".join(group.letters for group in groups)
        return "".join(letter for letter in self.model.letters if letter in own)

    def symbol(self, group: Group) -> str:
        """The letter of a grouping factor's effects."""
        tier = next(n for n, groups in enumerate(self.tiers) if group in groups)
        return group.symbol if len(self.tiers[tier]) > 1 else _EFFECTS[self.depth][tier]

    def nodes(self, depth: int) -> Iterator[_Coefficient]:
        """All coefficients of a level."""
        found = [self.root]
        for _ in range(depth):
            found = [part for node in found for part in node.parts.values()]
        return iter(sorted(found, key=lambda node: node.numbers))

    def addends(self, node: _Coefficient) -> list[str]:
        """What a coefficient is the sum of."""
        parts = [self.times(self.coefficient(part), factors) for factors, part in node.parts.items()]
        for group, _, factors in node.effects:
            own = indexed(self.symbol(group), _index(node.numbers, group.letters))
            parts.append(self.times(own, factors))
        return parts

    def times(self, symbol: str, factors: tuple[str, ...]) -> str:
        """A symbol multiplied by factors."""
        place: Place = self.place
        return "·".join([symbol, *(marked(factor, self.model.variables, place) for factor in factors)])


def levels(model: Anatomy) -> list[list[Equation]]:
    """One block of equations a level, then the distributions, then what the letters count."""
    written = _Levels(model)
    index = f"i{model.letters}"
    residual = _RESIDUALS[written.depth]
    rows = outcome(model, index, written.place, written.addends(written.root), residual)
    blocks = [_remarked(rows, "level 1: rows")] if model.groups else [rows]
    for tier, groups in enumerate(written.tiers, start=1):
        lines = [
            Equation(written.coefficient(node), "=", summed(written.addends(node))) for node in written.nodes(tier)
        ]
        names = ", ".join(group.name for group in groups)
        blocks.append(_remarked(lines, f"level {tier + 1}: {names}"))
    varies = [_drawn(written, group, block) for group in model.groups for block in group.blocks]
    if model.family == "gaussian":
        varies.append(Equation(indexed(residual, index), "~", ("Normal(0, variance σ²)",)))
    legend = [Equation("i", ":", ("row",))]
    legend += [Equation(group.letters, ":", (group_words(model, group),)) for group in model.groups]
    return [block for block in (*blocks, varies, legend) if block]


def _remarked(lines: list[Equation], remark: str) -> list[Equation]:
    first, *rest = lines
    return [Equation(first.left, first.relation, first.right, remark), *rest]


def _index(numbers: tuple[int, ...], letters: str) -> str:
    if max(numbers, default=0) > 9:
        return ",".join(map(str, numbers)) + ("," + letters if letters else "")
    return "".join(map(str, numbers)) + letters


def _drawn(written: _Levels, group: Group, block: Block) -> Equation:
    """The effects of a random term, with variances and covariances τ."""
    model, symbol = written.model, written.symbol(group)
    where = {
        column.name: node.numbers
        for depth in range(1, written.depth + 1)
        for node in written.nodes(depth)
        for one, column, _ in node.effects
        if one is group
    }
    left = [indexed(symbol, _index(where[column.name], group.letters)) for column in block.columns]
    own = "" if len(model.groups) == 1 else symbol
    numbers = [model.numbers[column.name] for column in block.columns]
    cells = tuple(
        tuple(indexed("τ", own + number_and(min(a, b), str(max(a, b)))) for b in numbers) for a in numbers
    )
    if len(left) == 1:
        return Equation(left[0], "~", (f"Normal(0, variance {cells[0][0]})",))
    return Equation(vector(left), "~", ("Normal(", "𝟎", ", ", Matrix(cells), ")"))
