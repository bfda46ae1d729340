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

import ast
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NoReturn

from formulaic import Formula as FormulaicFormula
from formulaic.errors import FormulaicError
from formulaic.parser.types import Term

from mixedsim.errors import FormulaError

_OPENERS = {"(": ")", "[": "]", "{": "}"}
_DEEPEST = 50  # brackets within brackets: far beyond any model, far within Python's recursion limit
_ANSI = re.compile(r"\x1b\[[0-9;]*m|⧛[^⧚]*⧚")


@dataclass(frozen=True)
class RandomTerm:
    """One bar term: which effects vary, and by what.

    Attributes
    ----------
    effects : right-hand side of the varying effects, as formulaic reads it (``"1 + x"``, ``"0 + x"``).
    group : display name of the grouping factor (``"therapist"``, ``"cask:batch"``).
    factors : the columns whose combinations are the levels (``("cask", "batch")``).
    """

    effects: str
    group: str
    factors: tuple[str, ...]

    @property
    def text(self) -> str:
        """The term as one would type it."""
        return f"({self.effects} | {self.group})"


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
        names = variables_of(self.fixed) | variables_of(self.response)
        for term in self.terms:
            names |= variables_of(term.effects) | frozenset(term.factors)
        return names


@lru_cache(maxsize=512)
def parse(text: str) -> Formula:
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
        raise FormulaError(f"the formula must be text such as 'y ~ x + (1 | g)', found {type(text).__name__}.")
    if not text.strip():
        raise FormulaError("the formula is empty; write one such as 'y ~ x + (1 | g)'.")
    reader = _Reader(text)
    tildes = reader.split(0, len(text), "~")
    if len(tildes) == 1:
        reader.fail(len(text.rstrip()), "the formula has no '~': write the response, '~', then what explains it")
    if len(tildes) > 2:
        reader.fail(tildes[2][0] - 1, "the formula has more than one '~'")
    (left, left_end), (right, right_end) = tildes
    response = text[left:left_end].strip()
    if not response:
        reader.fail(left, "the response is missing: write its column name before '~'")
    fixed, bars = reader.right_hand_side(right, right_end)
    terms: list[RandomTerm] = []
    for bar in bars:
        for term in reader.random_terms(*bar):
            if any((t.effects, frozenset(t.factors)) == (term.effects, frozenset(term.factors)) for t in terms):
                reader.fail(bar[0], f"the term {term.text} appears twice")
            terms.append(term)
    parsed = Formula(text=text, response=response, fixed=fixed, terms=tuple(terms))
    _check_fixed(parsed, reader)
    return parsed


def fixed_terms(rhs: str) -> tuple[Term, ...]:
    """Terms of a right-hand side, in formulaic's order.

    Raises `FormulaError` in the words of the person who typed `rhs` if formulaic cannot read it.
    """
    return _read_rhs(rhs)


def variables_of(rhs: str) -> frozenset[str]:
    """Names of the columns that an expression such as ``"log(x) + C(g)"`` reads."""
    names: set[str] = set()
    for name in re.findall(r"`([^`]*)`", rhs):
        names.add(name)
    source = re.sub(r"`[^`]*`", "1", rhs)
    for token in _identifiers(source):
        names.add(token)
    return frozenset(names)


@lru_cache(maxsize=512)
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
    try:
        return tuple(FormulaicFormula(rhs))
    except (FormulaicError, SyntaxError, AttributeError, RecursionError, TypeError) as error:
        said = _ANSI.sub("", str(error)).split("\n")[0].replace("insuffient", "insufficient").rstrip(". ")
        raise FormulaError(f"cannot read {rhs.strip()!r}: {said or type(error).__name__}.") from None


def _check_fixed(parsed: Formula, reader: _Reader) -> None:
    """Let formulaic read the fixed part now, so that a slip is reported before any data are touched."""
    terms = _read_rhs(parsed.fixed)
    own = unquote(parsed.response)
    for term in terms:
        if any(unquote(factor.expr) == own for factor in term.factors):
            reader.fail(reader.text.rfind(own), f"the response {own!r} also stands on the right-hand side")
    for bar in parsed.terms:
        _read_rhs(bar.effects)
        if own in bar.factors or own in variables_of(bar.effects):
            reader.fail(reader.text.rfind(own), f"the response {own!r} also stands in the random term {bar.text}")


class _Reader:
    """Looks at the text bracket by bracket; knows nothing of statistics."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = self._depths()

    def fail(self, at: int, what: str) -> NoReturn:
        """Raise `FormulaError` with a caret under position `at`; long formulas are cut around it."""
        line = self.text.replace("\n", " ")
        at = min(max(at, 0), len(line))
        start = max(0, at - 60)
        shown = ("…" if start else "") + line[start : at + 40] + ("…" if at + 40 < len(line) else "")
        raise FormulaError(f"{what}.\n    {shown}\n    {' ' * (at - start + (1 if start else 0))}^")

    def _depths(self) -> list[int]:
        """Bracket depth before each character; inside quotes and backticks it is -1."""
        depths: list[int] = []
        stack: list[tuple[str, int]] = []
        quote, quoted_at = "", 0
        for i, c in enumerate(self.text):
            depths.append(-1 if quote else len(stack))
            if quote:
                quote = "" if c == quote else quote
            elif c in "`'\"":
                quote, quoted_at = c, i
            elif c in _OPENERS:
                stack.append((c, i))
                if len(stack) > _DEEPEST:
                    self.fail(i, f"more than {_DEEPEST} brackets within brackets: simplify the formula")
            elif c in _OPENERS.values():
                if not stack or _OPENERS[stack[-1][0]] != c:
                    self.fail(i, f"this {c!r} closes nothing")
                stack.pop()
                depths[-1] = len(stack)
        if quote:
            self.fail(quoted_at, f"this {quote} is never closed")
        if stack:
            self.fail(stack[-1][1], f"this {stack[-1][0]!r} is never closed")
        return depths

    def split(self, start: int, end: int, separator: str) -> list[tuple[int, int]]:
        """Cut [start, end) at every `separator` that lies outside inner brackets; positions of the pieces."""
        outside = self.depth[start] if start < len(self.depth) else 0
        outside = min((d for d in self.depth[start:end] if d >= 0), default=outside)
        cuts = [i for i in range(start, end) if self.text[i] == separator and self.depth[i] == outside]
        edges = [start - 1, *cuts, end]
        return [(a + 1, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]

    def right_hand_side(self, start: int, end: int) -> tuple[str, list[tuple[int, int]]]:
        """The fixed part as text, and where the insides of the bar terms lie."""
        start, end = self._trim(start, end)
        if start >= end:
            self.fail(end, "nothing stands on the right of '~': write at least a random term such as (1 | g)")
        fixed: list[str] = []
        bars: list[tuple[int, int]] = []
        for sign, a, b in self._addends(start, end):
            bar = self._bar_inside(a, b)
            if bar is None:
                fixed.append(f"{sign} {self.text[a:b].strip()}")
            elif sign == "-":
                self.fail(a, "a random term cannot be subtracted: leave it out")
            else:
                bars.append(bar)
        joined = " ".join(fixed).removeprefix("+ ").strip()
        return (joined or "1"), bars

    def _addends(self, start: int, end: int) -> list[tuple[str, int, int]]:
        """Signed top-level pieces between + and -."""
        pieces: list[tuple[str, int, int]] = []
        sign, begin = "+", start
        for i in range(start, end + 1):
            at_end = i == end
            if not at_end and not (self.text[i] in "+-" and self.depth[i] == 0):
                continue
            if not self.text[begin:i].strip():
                if begin == start and not at_end:  # a leading sign: "-1 + x"
                    sign, begin = self.text[i], i + 1
                    continue
                self.fail(max(begin - 1, start), "nothing follows this sign" if at_end else "two signs in a row")
            pieces.append((sign, *self._trim(begin, i)))
            if not at_end:
                sign, begin = self.text[i], i + 1
        return pieces

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
            inside = self._trim(a + 1, b - 1)
            if any(self.text[i] == "|" and self.depth[i] == base + 1 for i in range(*inside)):
                return inside
            if self.text[inside[0] : inside[0] + 1] == "(":
                return self._bar_inside(*inside)
        at = next(i for i in range(a, b) if self.text[i] == "|" and self.depth[i] >= 0)
        if self.depth[at] == base:
            self.fail(at, "a bar needs parentheses around its term, as in (1 | g)")
        opened = self.text.rfind("(", 0, at)
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
        if not effects:
            self.fail(bars[0], "nothing stands before the bar: write (1 | g) for an intercept that varies")
        group = self.text[bars[-1] + 1 : end].strip()
        if not group:
            self.fail(bars[-1], "nothing stands after the bar: name the grouping factor, as in (1 | g)")
        read = _read_rhs(effects)
        if not read:
            self.fail(start, "this term has no effect that could vary: write (1 | g) or (0 + x | g)")
        split = [_rhs_of((term,)) for term in read] if double else [_rhs_of(read)]
        names = self._groups(group, bars[-1] + 1)
        return [RandomTerm(e, ":".join(factors), factors) for factors in names for e in split]

    def _groups(self, group: str, at: int) -> list[tuple[str, ...]]:
        """Combinations of columns that ``a``, ``a:b`` or ``a/b/c`` stand for."""
        if group.startswith("(") and group.endswith(")"):
            group = group[1:-1]
        levels: list[tuple[str, ...]] = []
        for step in re.split(r"/(?=(?:[^`]*`[^`]*`)*[^`]*$)", group):
            names = tuple(unquote(n) for n in re.split(r":(?=(?:[^`]*`[^`]*`)*[^`]*$)", step))
            for raw, name in zip(re.split(r":(?=(?:[^`]*`[^`]*`)*[^`]*$)", step), names, strict=True):
                self._check_group_name(raw.strip(), name, at)
            levels.append(names + (levels[-1] if levels else ()))
        return levels

    def _check_group_name(self, raw: str, name: str, at: int) -> None:
        if not name:
            self.fail(at, "a grouping factor is missing beside ':' or '/'")
        if raw.startswith("`"):
            return
        if "+" in name or "*" in name:
            self.fail(at, "one bar has one grouping factor: write (1 | a) + (1 | b) for crossed factors")
        if "(" in name:
            self.fail(at, "a grouping factor must be a column of the data: add the column first, then name it")
        if not name.isidentifier() and not re.fullmatch(r"[\w.]+", name):
            self.fail(at, f"{name!r} is not a column name: put backticks around names with spaces or signs")

    def _trim(self, start: int, end: int) -> tuple[int, int]:
        while start < end and self.text[start].isspace():
            start += 1
        while end > start and self.text[end - 1].isspace():
            end -= 1
        return start, end


def _rhs_of(terms: tuple[Term, ...]) -> str:
    """Right-hand side with exactly these terms: ``1 + x`` or ``0 + x``."""
    written = [":".join(_spelled(f.expr) for f in t.factors) for t in terms]
    without_intercept = [w for w in written if w != "1"]
    return " + ".join(["1" if len(without_intercept) < len(written) else "0", *without_intercept])


def _spelled(expr: str) -> str:
    """A factor as formulaic can read it again: column names that are no identifiers get their backticks."""
    if expr.isidentifier() or expr == "1":
        return expr
    try:
        ast.parse(expr, mode="eval")
    except SyntaxError:
        return f"`{expr}`"
    return expr if "(" in expr else f"`{expr}`" if not expr.startswith("`") else expr


def with_fixed(formula: Formula, fixed: str) -> Formula:
    """The same formula with another fixed part."""
    bars = " + ".join(term.text for term in formula.terms)
    return replace(formula, text=f"{formula.response} ~ {fixed} + {bars}", fixed=fixed)
