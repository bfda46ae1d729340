"""What a formula is made of: columns with a number each, grouping factors with a letter each, who lies within whom.

Without data every variable counts as one number that changes from row to row. Data say how many columns a category
has, which variables belong to a group and not to a row, and which grouping factors are nested by their labels.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import pandas as pd
from formulaic.parser.types import Term

from mixedsim.columns import model_columns
from mixedsim.equation import indexed, named
from mixedsim.errors import FormulaError
from mixedsim.formula import Formula, RandomTerm, check_varies_once, fixed_terms, parse, unquote, variables_of
from mixedsim.frame import as_frame
from mixedsim.grammar import FormulaText
from mixedsim.reading import require

Family = Literal["gaussian", "binomial", "poisson"]
_LETTERS = "jklmnprst"
_EFFECTS = "uvwbcdfgh"


@dataclass(frozen=True)
class Column:
    """A column of the design.

    Attributes
    ----------
    name : its coefficient's name, ``"Intercept"``, ``"x"``, ``"time[T.post]"``.
    term : the term it belongs to: ``"1"``, ``"x"``, ``"time"``.
    factors : what is multiplied: ``("x", "time[T.post]")``; nothing for the intercept.
    """

    name: str
    term: str
    factors: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """A random term: effects that may be correlated with each other, and with nothing else."""

    term: RandomTerm
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Group:
    """A grouping factor.

    Attributes
    ----------
    name, factors : as in `RandomTerm`.
    letters : the index of one of its levels, ``"j"``, or ``"jk"`` if it lies within another.
    symbol : the letter of its effects.
    within : names of the grouping factors that it lies within.
    blocks : its random terms.
    levels : how many it has, if there are data.
    """

    name: str
    factors: tuple[str, ...]
    letters: str
    symbol: str
    within: frozenset[str]
    blocks: tuple[Block, ...]
    levels: int | None


@dataclass(frozen=True)
class Anatomy:
    """A formula with everything that equations and sentences about it need.

    Attributes
    ----------
    formula : as it was parsed.
    family : of the outcome.
    response : the left-hand side, without the trials.
    trials : the column of trials, or None.
    fixed : columns of the fixed part.
    groups : grouping factors, inner ones first.
    numbers : for every column that has a coefficient or varies, its number: 0 for the intercept.
    places : for every variable that belongs to a group, the group's name.
    rows : rows of the data without missing values; None without data.
    frame : those rows.
    """

    formula: Formula
    family: Family
    response: str
    trials: str | None
    fixed: tuple[Column, ...]
    groups: tuple[Group, ...]
    numbers: Mapping[str, int]
    places: Mapping[str, str]
    rows: int | None
    frame: pd.DataFrame | None

    @property
    def letters(self) -> str:
        """All letters of groups, inner ones first."""
        return "".join(dict.fromkeys("".join(group.letters for group in self.groups)))

    @property
    def variables(self) -> frozenset[str]:
        """Every variable of the response and the effects."""
        return variables_of(self.formula.response) | self.formula.predictors

    def reads(self, factor: str) -> frozenset[str]:
        """The variables that a factor of a column is made of."""
        base = unquote(re.sub(r"\[[^]]*\]$", "", factor))
        return frozenset({base}) if base in self.variables else variables_of(base) & self.variables

    def factors(self, term: str) -> tuple[str, ...]:
        """What a term multiplies, as it is typed but without backticks."""
        sides = (self.formula.fixed, *(one.effects for one in self.formula.terms))
        found = next(one for side in sides for one in fixed_terms(side) if str(one) == term)
        return tuple(unquote(factor.expr) for factor in found.factors)

    def group(self, name: str) -> Group:
        """The grouping factor of that name."""
        return next(group for group in self.groups if group.name == name)

    @property
    def chain(self) -> bool:
        """Whether each grouping factor lies within the next."""
        pairs = zip(self.groups, self.groups[1:], strict=False)
        return all(outer.name in inner.within for inner, outer in pairs)


def anatomy(text: object, data: Any = None, family: Family | None = None) -> Anatomy:
    """The `Anatomy` of a formula.

    Raises
    ------
    FormulaError
        If the formula cannot be read, lets an effect vary twice, or does not go with the family.
    DataError
        If the data lack a column.
    """
    formula = parse(text)
    check_varies_once(formula)
    response, trials = _response(formula, family)
    frame = None if data is None else _complete(formula, data)
    fixed = _columns(formula.fixed, frame)
    blocks = [Block(term, _columns(term.effects, frame)) for term in formula.terms]
    numbers: dict[str, int] = {}
    for column in (*fixed, *(column for block in blocks for column in block.columns)):
        first = 0 if not column.factors else max(numbers.values(), default=0) + 1
        numbers.setdefault(column.name, first)
    groups = _groups(formula, blocks, frame)
    places = {} if frame is None else _places(formula.predictors, groups, frame)
    kind: Family = family or ("binomial" if trials else "gaussian")
    rows = None if frame is None else len(frame)
    return Anatomy(formula, kind, response, trials, fixed, groups, numbers, places, rows, frame)


def marked(expression: str, variables: frozenset[str], place: Callable[[str], str]) -> str:
    """An expression of the formula for print: ``x``, ``log(x)``, ``[time = post]``, each variable with its index."""
    level = re.fullmatch(r"(.+)\[(T\.)?([^]]*)\]", expression)
    if level:
        base = re.fullmatch(r"C\(\s*(`[^`]*`|[\w.]+).*\)", level[1])
        column = unquote(base[1] if base else level[1])
        if column in variables and (level[2] or not base):
            return f"[{indexed(named(column), place(column))} = {level[3]}]"
        return f"{marked(level[1], variables, place)}[{level[3]}]"
    if unquote(expression) in variables:
        return indexed(named(unquote(expression)), place(unquote(expression)))
    category = re.fullmatch(r"C\(\s*(`[^`]*`|[\w.]+).*\)", expression)
    if category and unquote(category[1]) in variables:  # without data nobody knows which levels
        return f"[{indexed(named(unquote(category[1])), place(unquote(category[1])))} = …]"
    inside = re.fullmatch(r"I\((.*)\)", expression)
    text = inside[1] if inside else expression
    for name in sorted(variables, key=len, reverse=True):
        pattern = rf"`{re.escape(name)}`|(?<![\w.`\ue002]){re.escape(name)}(?![\w(`\ue000\ue003])"
        text = re.sub(pattern, lambda _, name=name: indexed(named(name), place(name)), text)
    text = re.sub(r"(?<=[\w)\ue001\ue003])\s*([-+/])\s*", r" \1 ", text) if inside else text
    for sign, instead in ((r"\s*\*\*\s*", "^"), (r"\s*\*\s*", "·"), (r"-", "−"), (r"\bnp\.", "")):
        text = re.sub(sign, instead, text)
    return f"({text})" if inside and re.search(r"[-+−/]", text) else text


def _response(formula: Formula, family: Family | None) -> tuple[str, str | None]:
    """The response and the column of trials, if it is written as ``successes / trials``."""
    if family is not None and family not in get_args(Family):
        allowed = ", ".join(map(repr, get_args(Family)))
        raise FormulaError(f"family must be one of {allowed}, found {family!r}.")
    name = r"(`[^`]*`|[^\W\d][\w.]*)"
    ratio = re.fullmatch(rf"{name}\s*/\s*{name}", formula.response)
    if ratio is None:
        return formula.response, None
    if family not in (None, "binomial"):
        what = f"a response of successes / trials is binomial, not {family}: leave out family"
        FormulaText(formula.text).fail(formula.text.index("/"), what)
    return ratio[1], unquote(ratio[2])


def _complete(formula: Formula, data: Any) -> pd.DataFrame:
    """The rows of the data that miss nothing of what the formula reads."""
    frame = as_frame(data)
    require(frame, formula.variables)
    kept: pd.DataFrame = frame[[name for name in frame if name in formula.variables]].dropna()
    return kept


def _columns(rhs: str, frame: pd.DataFrame | None) -> tuple[Column, ...]:
    if frame is None:
        return tuple(_of_term(term) for term in fixed_terms(rhs))
    if rhs.strip() == "0":
        return ()
    made = model_columns(rhs, frame)
    pairs = zip(made.names, made.terms, strict=True)
    return tuple(Column(name, term, () if name == "Intercept" else _parts(name)) for name, term in pairs)


def _of_term(term: Term) -> Column:
    factors = tuple(factor.expr for factor in term.factors)
    intercept = factors == ("1",)
    return Column("Intercept" if intercept else ":".join(factors), str(term), () if intercept else factors)


def _parts(name: str) -> tuple[str, ...]:
    """What a coefficient's name multiplies: pieces between colons outside brackets."""
    return tuple(re.split(r":(?![^\[(]*[\])])", name))


def _groups(formula: Formula, blocks: list[Block], frame: pd.DataFrame | None) -> tuple[Group, ...]:
    """Grouping factors, inner ones first, with letters: one for each column that groups."""
    factors = {term.group: term.factors for term in formula.terms}
    codes: dict[str, pd.Series[Any]] = {}
    if frame is not None:
        codes = {name: frame.groupby(list(of), observed=True).ngroup() for name, of in factors.items()}
    within = {
        name: frozenset(other for other in factors if other != name and _lies_within(name, other, factors, codes))
        for name in factors
    }
    inside_out = sorted(factors, key=lambda name: -len(within[name]))
    columns = list(dict.fromkeys(column for name in inside_out for column in factors[name]))
    letter = {column: _LETTERS[i % len(_LETTERS)] for i, column in enumerate(columns)}
    groups = []
    for number, name in enumerate(factors):
        around = set(factors[name]).union(*(factors[other] for other in within[name]))
        groups.append(
            Group(
                name=name,
                factors=factors[name],
                letters="".join(letter[column] for column in columns if column in around),
                symbol=_EFFECTS[number % len(_EFFECTS)],
                within=within[name],
                blocks=tuple(block for block in blocks if block.term.group == name),
                levels=int(codes[name].nunique()) if codes else None,
            )
        )
    return tuple(sorted(groups, key=lambda group: inside_out.index(group.name)))


def _lies_within(
    name: str, other: str, factors: Mapping[str, tuple[str, ...]], codes: Mapping[str, pd.Series[Any]]
) -> bool:
    """Whether every level of one grouping factor occurs with one level of the other only."""
    if set(factors[other]) < set(factors[name]):
        return True
    if not codes or set(factors[name]) < set(factors[other]):
        return False
    pairs = pd.DataFrame({"one": codes[name], "other": codes[other]}).drop_duplicates()
    return pairs["one"].is_unique and not pairs["other"].is_unique


def _places(variables: frozenset[str], groups: tuple[Group, ...], frame: pd.DataFrame) -> dict[str, str]:
    """The outermost group within which each variable never changes, for those that have one."""
    places = {}
    for name in sorted(variables & set(frame.columns)):
        for group in groups:
            if group.levels != len(frame) and _is_constant(name, group, frame):
                places[name] = group.name
    return places


def _is_constant(name: str, group: Group, frame: pd.DataFrame) -> bool:
    if name in group.factors:
        return True
    pairs = frame[[*group.factors, name]].drop_duplicates()
    return not pairs.duplicated(list(group.factors)).any()
