"""lme4's formula grammar: one line of text becomes a response, a fixed part and random terms.

The fixed part is left to formulaic (see `mixedsim.columns`). What formulaic does not know, the bars, is read here:

=====================  =============================================================================
``(1 | g)``            an intercept that varies by ``g``
``(x | g)``            intercept and slope of ``x``, correlated; the same as ``(1 + x | g)``
``(0 + x | g)``        the slope alone; the same as ``(x - 1 | g)``
``(x || g)``           intercept and slope, uncorrelated; the same as ``(1 | g) + (0 + x | g)``
``(1 | a:b)``          one level for each combination of ``a`` and ``b``
``(1 | a/b)``          ``b`` within ``a``; the same as ``(1 | a) + (1 | b:a)``
=====================  =============================================================================

Source of the grammar: Bates, Mächler, Bolker & Walker (2015), J. Stat. Softw. 67(1), section 2 and table 2.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise

from formulaic import Formula as FormulaicFormula
from formulaic.errors import FormulaicError
from formulaic.parser.types import Factor, Term

from mixedsim.errors import FormulaError
from mixedsim.grammar import FormulaText, for_formulaic

_ANSI = re.compile(r"\x1b\[[0-9;]*m|⧛[^⧚]*⧚")


@dataclass(frozen=True)
class RandomTerm:
    """One bar term: which effects vary, and by what.

    Attributes
    ----------
    effects : right-hand side of the varying effects, as formulaic reads it (``"1 + x"``, ``"0 + x"``).
    group : display name of the grouping factor (``"therapist"``, ``"cask:batch"``).
    factors : the columns whose combinations are the levels (``("cask", "batch")``).
    at : where the term stands in the formula's text.
    """

    effects: str
    group: str
    factors: tuple[str, ...]
    at: int = field(default=0, compare=False)

    @property
    def text(self) -> str:
        """The term as one would type it."""
        return f"({self.effects} | {':'.join(map(spelled, self.factors))})"


@dataclass(frozen=True)
class Formula:
    """A parsed formula: what is explained, by which fixed effects, with which random terms.

    Attributes
    ----------
    text : the formula as it was typed.
    response : the left-hand side (``"y"``, ``"log(y)"``, ``"successes / trials"``).
    fixed : right-hand side of the fixed part for formulaic (``"1 + x"``; ``"0"`` if there are none).
    terms : the random terms, with ``||`` and ``/`` already written out.
    """

    text: str
    response: str
    fixed: str
    terms: tuple[RandomTerm, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the grouping factors, each once, in the order in which they first appear."""
        return tuple(dict.fromkeys(term.group for term in self.terms))

    @property
    def variables(self) -> frozenset[str]:
        """Every column that the formula reads."""
        return self.predictors.union(variables_of(self.response), *(term.factors for term in self.terms))

    @property
    def predictors(self) -> frozenset[str]:
        """Every column that the fixed part or an effect reads, and so not what merely groups."""
        return variables_of(self.fixed).union(*(variables_of(term.effects) for term in self.terms))


def parse(text: object) -> Formula:
    """Return the `Formula` that `text` describes.

    Parameters
    ----------
    text : a formula such as ``"y ~ x + (1 + x | group)"``.

    Raises
    ------
    FormulaError
        One sentence with the formula and a caret under the place where reading stopped.

    Examples
    --------
    >>> from mixedsim.formula import parse
    >>> f = parse("y ~ x + (x || g)")
    >>> f.fixed, [t.text for t in f.terms]
    ('x', ['(1 | g)', '(0 + x | g)'])
    """
    if not isinstance(text, str):
        mend = "it comes first, then the data" if hasattr(text, "columns") else "write one such as 'y ~ x + (1 | g)'"
        mend = "pass its .formula" if isinstance(getattr(text, "formula", None), str) else mend
        raise FormulaError(f"the formula must be text, found {type(text).__name__}: {mend}.")
    if not text.strip():
        raise FormulaError("the formula is empty: write one such as 'y ~ x + (1 | g)'.")
    return _parse(text)


@lru_cache(maxsize=512)
def _parse(text: str) -> Formula:
    reader = _Reader(text)
    tildes = reader.split(0, len(text), "~")
    if len(tildes) == 1:
        equals = text.find("=")
        at, instead = (equals, " in place of '='") if equals >= 0 else (len(text.rstrip()), "")
        reader.fail(at, f"the formula has no '~': write the response, '~'{instead}, then what explains it")
    if len(tildes) > 2:
        reader.fail(tildes[2][0] - 1, "the formula has more than one '~': keep the one after the response")
    (left, left_end), (right, right_end) = tildes
    response = reader.response(left, left_end)
    fixed, bars = reader.right_hand_side(right, right_end)
    terms: list[RandomTerm] = []
    for bar in bars:
        for term in reader.random_terms(*bar):
            _check_new(term, terms, reader)
            terms.append(term)
    parsed = Formula(text=text, response=response, fixed=fixed, terms=tuple(terms))
    _check_names(parsed, reader, right)
    return parsed


def fixed_terms(rhs: str) -> tuple[Term, ...]:
    """Terms of a right-hand side, in formulaic's order.

    Raises `FormulaError` in the words of the person who typed `rhs` if it cannot be read.
    """
    return _read_rhs(rhs)


def column_of(factor: Factor) -> str | None:
    """The column that a factor of a term is, or None if it is a number or a calculation."""
    return factor.expr if factor.eval_method is Factor.EvalMethod.LOOKUP else None


@lru_cache(maxsize=1024)
def variables_of(rhs: str) -> frozenset[str]:
    """Names of the columns that an expression such as ``"log(x) + C(g)"`` reads."""
    rhs = for_formulaic(rhs)
    quoted = re.findall(r"`([^`]*)`", rhs)
    return _identifiers(re.sub(r"`[^`]*`", "1", rhs)).union(quoted)


def _identifiers(source: str) -> frozenset[str]:
    """Identifiers in `source` that are neither called, nor attributes, nor keyword arguments, nor in quotes."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "1", source)
    found = set()
    for match in re.finditer(r"(?<![\w.])[^\W\d]\w*", bare):
        rest = bare[match.end() :].lstrip()
        called_or_module = rest.startswith(("(", "."))
        keyword = rest.startswith("=") and not rest.startswith("==")
        if not called_or_module and not keyword and match.group() not in ("in", "True", "False", "None"):
            found.add(match.group())
    return frozenset(found)


def unquote(name: str) -> str:
    """A column name without its backticks."""
    name = name.strip()
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] == "`" else name


@lru_cache(maxsize=1024)
def _read_rhs(rhs: str) -> tuple[Term, ...]:
    reader = FormulaText(rhs)
    reader.check_terms(0, len(rhs))
    try:
        return tuple(FormulaicFormula(for_formulaic(rhs)))
    except (FormulaicError, SyntaxError, AttributeError, RecursionError, TypeError) as error:
        said = _ANSI.sub("", str(error)).split("\n")[0].rstrip(". ")
        raise FormulaError(f"cannot read {rhs.strip()!r}: {said or type(error).__name__}.") from None


def check_varies_once(formula: Formula) -> None:
    """Raise `FormulaError` if an effect varies by the same factor in two terms."""
    for i, term in enumerate(formula.terms):
        for other in formula.terms[:i]:
            if set(other.factors) != set(term.factors):
                continue
            for twice in set(_read_rhs(term.effects)) & set(_read_rhs(other.effects)):
                effect = "the intercept" if str(twice) == "1" else repr(str(twice))
                what = f"{effect} varies by {term.group!r} already in {other.text}: keep it in one of the terms"
                FormulaText(formula.text).fail(term.at, what)


def _check_new(term: RandomTerm, others: list[RandomTerm], reader: _Reader) -> None:
    """No term stands twice, and every grouping factor has its own name."""
    for other in others:
        if (set(other.factors), other.effects) == (set(term.factors), term.effects):
            reader.fail(term.at, f"the term {term.text} appears twice: remove one of the two")
        if other.group == term.group and other.factors != term.factors:
            reader.fail(term.at, f"{term.group!r} names a column and a combination of columns: rename the column")


def _check_names(parsed: Formula, reader: _Reader, right: int) -> None:
    """The response explains nothing, and no column takes the intercept's name."""
    fixed = _read_rhs(parsed.fixed)  # read now, so that a slip is reported before any data are touched
    own = unquote(parsed.response)
    read = variables_of(parsed.response)
    if not read:
        reader.fail(0, "the response reads no column of the data: name one before '~'")
    effects = parsed.predictors
    # a change score such as I(post - pre) may be explained by one of its parts, a transformed y not by y
    again = (read if len(read) == 1 else frozenset()) & effects.union(*(term.factors for term in parsed.terms))
    calculations = [f.expr for term in fixed for f in term.factors if f.eval_method is Factor.EvalMethod.PYTHON]
    if again or own in calculations:
        name = next(iter(again), own)
        at = reader.where(name, right)
        reader.fail(at, f"the response {name!r} also stands on the right-hand side: remove it there")
    reader.check_constant(effects, right)
    for name in effects & reader.called(right):
        at = reader.where(name, right)
        reader.fail(at, f"{name!r} is a column here and a function too: rename the column")


class _Reader(FormulaText):
    """Knows which bracket is a random term, and writes out ``||`` and ``/``."""

    def where(self, name: str, start: int) -> int:
        """Where `name` stands as a whole word, at `start` or later."""
        match = re.compile(rf"(?<![\w.]){re.escape(name)}(?![\w.])").search(self.text, start)
        return match.start() if match else start

    def called(self, start: int) -> frozenset[str]:
        """Names of the functions and modules that are used from `start` on."""
        return frozenset(re.findall(r"(?<![\w.`])([^\W\d]\w*)(?=\s*\(|(?<=np)\.|(?<=contr)\.)", self.text[start:]))

    def check_constant(self, names: frozenset[str], start: int) -> None:
        """No effect may have the name of the intercept, for which formulaic would take it."""
        for name in names & {"Intercept", "1"}:
            what = f"{name!r} is what the constant is called: rename the column of that name"
            self.fail(self.where(name, start), what)

    def response(self, start: int, end: int) -> str:
        """The left-hand side: a column, or a calculation with columns."""
        start, end = self.trim(start, end)
        text = self.text[start:end]
        if not text:
            self.fail(start, "the response is missing: write its column name before '~'")
        if text[0] in "'\"" and text[0] == text[-1]:
            self.fail(start, "quoted text names no column: write the name alone, or in backticks if it has spaces")
        if text.startswith("."):
            self.fail(start, "the response must be named, and in backticks if its name begins with a dot")
        if not re.fullmatch(r"`[^`]*`|[^\W\d][\w.]*", text):
            self.check_code(start, end)
        return for_formulaic(text)

    def right_hand_side(self, start: int, end: int) -> tuple[str, list[tuple[int, int]]]:
        """The fixed part as text, and where the insides of the bar terms lie."""
        start, end = self.trim(start, end)
        if start >= end:
            self.fail(end, "nothing stands on the right of '~': write at least a random term such as (1 | g)")
        self.check_terms(start, end)
        fixed: list[str] = []
        bars: list[tuple[int, int]] = []
        for sign, a, b in self._addends(start, end):
            bar = self._bar_inside(a, b)
            if bar is None:
                if sign == "-" and self.text[a:b] not in ("0", "1"):
                    self._check_removed(fixed, a, b)
                fixed.append(f"{sign} {self.text[a:b].strip()}")
            elif sign == "-":
                self.fail(a, "a random term cannot be subtracted: leave it out")
            else:
                bars.append(bar)
        joined = for_formulaic(" ".join(fixed)).removeprefix("+ ").strip()
        return (joined or "1"), bars

    def _check_removed(self, fixed: list[str], a: int, b: int) -> None:
        """What is subtracted must be there: in R a typing error here changes nothing and says nothing."""
        have = _read_rhs(" ".join(fixed) or "1")
        for term in _read_rhs(f"0 + {self.text[a:b]}"):
            if term not in have:
                known = ", ".join(map(str, have)) or "none so far"
                self.fail(a, f"there is no fixed effect {str(term)!r} to remove: there are {known}")

    def _addends(self, start: int, end: int) -> list[tuple[str, int, int]]:
        """Top-level pieces between + and -, each with the sign before it."""
        signs = [i for i in range(start, end) if self.text[i] in "+-" and self.depth[i] == 0]
        edges = signs if signs[:1] == [start] else [start - 1, *signs]
        return [
            (self.text[a] if a in signs else "+", *self.trim(a + 1, b)) for a, b in pairwise([*edges, end])
        ]

    def _bar_inside(self, a: int, b: int) -> tuple[int, int] | None:
        """Where the inside of a bar term lies, if the piece [a, b) is one; complain about bars elsewhere."""
        text = self.text[a:b]
        if "|" not in re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]*`", lambda m: "_" * len(m.group()), text):
            return None
        base = min(d for d in self.depth[a:b] if d >= 0)
        whole = self.text[a] == "(" and all(
            d != base or i in (0, b - a - 1) for i, d in enumerate(self.depth[a:b])
        )
        if whole:
            inside = self.trim(a + 1, b - 1)
            if any(self.text[i] == "|" and self.depth[i] == base + 1 for i in range(*inside)):
                return inside
            if self.text[inside[0] : inside[0] + 1] == "(":
                return self._bar_inside(*inside)
        at = next(i for i in range(a, b) if self.text[i] == "|" and self.depth[i] >= 0)
        if self.depth[at] == base:
            self.fail(at, "a bar needs parentheses around its term, as in (1 | g)")
        opened = max(i for i in range(at) if self.depth[i] == self.depth[at] - 1 and self.text[i] == "(")
        if opened > 0 and (self.text[opened - 1].isalnum() or self.text[opened - 1] in "_."):
            return None  # an 'or' inside a function call, formulaic's business
        self.fail(opened, "a random term must stand on its own, joined to the rest by '+'")

    def random_terms(self, start: int, end: int) -> list[RandomTerm]:
        """Write out one bar term: ``||`` by effects, ``/`` by grouping factors."""
        bars = [i for i in range(start, end) if self.text[i] == "|" and self.depth[i] == self.depth[start]]
        double = len(bars) == 2 and bars[1] == bars[0] + 1
        if len(bars) > 1 and not double:
            self.fail(bars[1], "a random term has one bar, or '||' for uncorrelated effects")
        effects = self.text[start : bars[0]].strip()
        self.check_constant(variables_of(effects), start)
        read = _read_rhs(effects)
        if not read:
            self.fail(start, "this term has no effect that could vary: write (1 | g) or (0 + x | g)")
        split = [_rhs_of((term,)) for term in read] if double else [_rhs_of(read)]
        names = self._groups(*self.trim(bars[-1] + 1, end))
        return [RandomTerm(e, ":".join(factors), factors, at=start) for factors in names for e in split]

    def _groups(self, start: int, end: int) -> list[tuple[str, ...]]:
        """Combinations of columns that ``a``, ``a:b`` or ``a/b/c`` stand for."""
        if self.text[start] == "(" and self.text[end - 1] == ")":
            start, end = self.trim(start + 1, end - 1)
        levels: list[tuple[str, ...]] = []
        for a, b in self.split(start, end, "/"):
            names = tuple(self._group(*self.trim(*piece)) for piece in self.split(a, b, ":"))
            levels.append(names + (levels[-1] if levels else ()))
        return levels

    def _group(self, start: int, end: int) -> str:
        """The column that is one grouping factor."""
        name = self.text[start:end]
        if name.startswith("`"):
            return unquote(name)
        if inside := re.fullmatch(r"(?:as\.)?(?:factor|character)\((.*)\)|C\((.*)\)", name):
            column = inside.group(1) or inside.group(2)
            self.fail(start, f"a grouping factor is a category in any case: write {column} alone")
        if "(" in name:
            self.fail(start, "a grouping factor must be a column of the data: add the column first, then name it")
        if "*" in name:
            self.fail(start, "a '*' between grouping factors is written out: (1 | a) + (1 | b) + (1 | a:b)")
        if "+" in name or "-" in name:
            self.fail(start, "one bar has one grouping factor: write (1 | a) + (1 | b) for crossed factors")
        if name[0].isdigit():
            self.fail(start, f"{name!r} is no grouping factor: name a column, in backticks if it begins with a digit")
        return name


def written(terms: Sequence[Term]) -> str:
    """A right-hand side with exactly these terms, as one would type it: ``x``, ``0 + x``, ``1``."""
    return _rhs_of(terms).removeprefix("1 + ")


def _rhs_of(terms: Sequence[Term]) -> str:
    """Right-hand side with exactly these terms: ``1 + x`` or ``0 + x``."""
    texts = [":".join(spelled(f.expr) if column_of(f) else f.expr for f in t.factors) for t in terms]
    without_intercept = [text for text in texts if text != "1"]
    return " + ".join(["1" if len(without_intercept) < len(texts) else "0", *without_intercept])


def spelled(name: str) -> str:
    """A column's name as it can be read again: in backticks unless it is a plain word."""
    return name if re.fullmatch(r"[^\W\d]\w*", name) and not keyword.iskeyword(name) else f"`{name}`"


def with_fixed(formula: Formula, fixed: str) -> Formula:
    """The same formula with another fixed part."""
    bars = " + ".join(term.text for term in formula.terms)
    return replace(formula, text=f"{formula.response} ~ {fixed} + {bars}", fixed=fixed)
