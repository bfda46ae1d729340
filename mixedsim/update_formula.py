"""R's update grammar: a formula changed by another one, in which ``.`` stands for what was there.

======================================  =====================================================================
``. ~ . + price``                       one fixed effect more; ``. ~ . - price`` one less, also ``. ~ . - 1``
``. ~ . * z``                           the fixed effects crossed with ``z``; the random terms stay
``log(.) ~ .``                          another response, explained by the same
``. ~ . - (1 | g) + (1 + x | g)``       one random term less, another more
``. ~ x + (1 | g)``                     another right-hand side altogether
======================================  =====================================================================

Terms are added and removed from left to right, as in R (Chambers & Hastie 1992, Statistical Models in S, section 2.4).
Unlike R, a term to be removed must be there: in R a typing error changes nothing and says nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from mixedsim.errors import FormulaError
from mixedsim.formula import Formula, RandomTerm, fixed_terms, parse, with_fixed, written
from mixedsim.grammar import FormulaText

_DOT = re.compile(r"(?<![\w.`)\]])\.(?![\w.(`])")
_QUOTED = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"")


def update_formula(old: Formula, change: object) -> str:
    """Return the text of the formula that `change` makes of `old`.

    Parameters
    ----------
    old : the parsed formula.
    change : a formula in which ``.`` stands for the old response (left of ``~``) or the old right-hand side.

    Raises
    ------
    FormulaError
        If `change` cannot be read, or removes a term that is not there.

    Examples
    --------
    >>> from mixedsim.formula import parse
    >>> from mixedsim.update_formula import update_formula
    >>> update_formula(parse("y ~ x + (x || g)"), "log(.) ~ . - (0 + x | g) + z")
    'log(y) ~ x + z + (1 | g)'
    """
    if not isinstance(change, str):
        raise FormulaError(f"an update must be text such as '. ~ . + x', found {type(change).__name__}.")
    text = FormulaText(change)
    tildes = text.split(0, len(change), "~")
    if len(tildes) != 2:
        text.fail(len(change.rstrip()), "an update has one '~', as in '. ~ . + x': '.' stands for what was there")
    left, right = tildes
    response = _DOT.sub(lambda _: old.response, change[slice(*left)]).strip() or old.response
    rest = _RightHandSide(old, text)
    for sign, start, end in _addends(text, *right):
        rest.take(sign, start, end)
    new = f"{response} ~ {rest.written()}"
    parse(new)
    return new


def without(old: Formula, term: str) -> Formula:
    """The formula less one of its fixed terms, named as `fixed_terms` names it."""
    left = [t for t in fixed_terms(old.fixed) if str(t) != term]
    return with_fixed(old, written(left))


def _addends(text: FormulaText, start: int, end: int) -> list[tuple[str, int, int]]:
    """Top-level pieces between + and -, each with the sign before it."""
    start, end = text.trim(start, end)
    if start == end:
        text.fail(end, "nothing stands on the right of '~': write '.' for what was there")
    signs = [i for i in range(start, end) if text.text[i] in "+-" and text.depth[i] == 0]
    edges = signs if signs[:1] == [start] else [start - 1, *signs]
    pieces = [(text.text[a] if a in signs else "+", *text.trim(a + 1, b)) for a, b in pairwise([*edges, end])]
    for _, a, b in pieces:
        if a == b:
            text.fail(a, "a term is missing here: write one, or remove the sign before it")
    return pieces


@dataclass(frozen=True)
class _Bar:
    """Random terms as they were typed in one bracket, and what they stand for."""

    text: str
    terms: tuple[RandomTerm, ...]


class _RightHandSide:
    """A right-hand side that is built up addend by addend."""

    def __init__(self, old: Formula, text: FormulaText) -> None:
        self.old, self.text = old, text
        self.fixed: list[str] = []
        self.removed = False
        self.bars: list[_Bar] = []

    def take(self, sign: str, start: int, end: int) -> None:
        """Add or remove the piece [start, end) of the change."""
        piece = self.text.text[start:end]
        bare = _QUOTED.sub(lambda m: "_" * len(m.group()), piece)
        if "|" in bare and bare[0] == "(":
            self._take_bar(sign, piece, start)
            return
        dotted = _DOT.search(bare) is not None
        if dotted and sign == "-":
            self.text.fail(start, "'.' cannot be subtracted: leave it out, and write what is to stay")
        if dotted:
            self.bars += [bar for bar in _old_bars(self.old) if bar not in self.bars]
            piece = self._old_fixed() if piece == "." else self._with_old_effects(piece, start)
        if sign == "+":
            self.fixed.append(piece)
        else:
            self._remove_fixed(piece, start)

    def _take_bar(self, sign: str, piece: str, at: int) -> None:
        terms = parse(f"{self.old.response} ~ 1 + {piece}").terms
        if sign == "+":
            self.bars.append(_Bar(piece, terms))
            return
        for term in terms:
            self._remove_random(term, at)

    def _remove_random(self, gone: RandomTerm, at: int) -> None:
        for k, bar in enumerate(self.bars):
            left = tuple(term for term in bar.terms if not _same(term, gone))
            if len(left) < len(bar.terms):
                self.bars[k : k + 1] = [_Bar(term.text, (term,)) for term in left]
                return
        known = ", ".join(term.text for bar in self.bars for term in bar.terms) or "none so far"
        self.text.fail(at, f"there is no random term {gone.text} to remove: there are {known}")

    def _old_fixed(self) -> str:
        """The old fixed part, in a form that may follow a '+'."""
        fixed = self.old.fixed
        return written(fixed_terms(fixed)) if fixed.startswith("-") else fixed

    def _with_old_effects(self, piece: str, at: int) -> str:
        """A calculation on '.': the old fixed effects take its place, their intercept stays outside."""
        have = fixed_terms(self.old.fixed)
        effects = [term for term in have if str(term) != "1"]
        if not effects:
            self.text.fail(at, "the model has no fixed effects that '.' could stand for here: write the new term alone")
        if len(effects) == len(have):
            self.fixed.append("0")
        return _DOT.sub(lambda _: f"({written(effects).removeprefix('0 + ')})", piece)

    def _remove_fixed(self, piece: str, at: int) -> None:
        if piece == "0":
            self.text.fail(at, "'- 0' is written '+ 1': it puts the intercept back")
        have = fixed_terms(" + ".join(self.fixed)) if self.fixed else ()
        # "0 + x" keeps the intercept out of what is to be removed
        gone = fixed_terms("1") if piece == "1" else fixed_terms(f"0 + {piece}")
        for term in gone:
            if term not in have:
                known = ", ".join(map(str, have)) or "none so far"
                self.text.fail(at, f"there is no fixed effect {str(term)!r} to remove: there are {known}")
        self.fixed = [written([term for term in have if term not in gone])]

    def written(self) -> str:
        """Everything as one would type it; an intercept beside other terms goes without saying."""
        fixed = " + ".join(self.fixed)
        bars = [bar.text for bar in self.bars]
        return " + ".join([*([fixed] if fixed else []), *bars])


def _same(one: RandomTerm, other: RandomTerm) -> bool:
    """Whether two terms let the same effects vary by the same levels, however they were typed."""
    return set(one.factors) == set(other.factors) and set(fixed_terms(one.effects)) == set(fixed_terms(other.effects))


def _old_bars(old: Formula) -> list[_Bar]:
    """The random terms of a formula, one entry a bracket, as they were typed."""
    read = parse(old.text)  # so that `at` says where a term stands in this very text
    text = FormulaText(read.text)
    out = []
    for start in sorted({term.at for term in read.terms}):
        end = next(j for j in range(start, len(text.text)) if text.depth[j] == text.depth[start] - 1)
        out.append(_Bar(f"({text.text[start:end].strip()})", tuple(t for t in read.terms if t.at == start)))
    return out
