"""What may stand where in a formula, with a caret under the first thing that may not.

The text is read before formulaic sees it, so that every complaint is made in the words of the person who typed it.
It is also why a formula from a stranger's file can do no harm: inside a call only columns, numbers and the functions
named here are let through, and nothing else ever reaches formulaic, which evaluates calls as Python.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import NoReturn

from mixedsim.calculation import CALLABLE, CALLED, DOTTED, QUOTED, Calculation
from mixedsim.calculation import FUNCTIONS as FUNCTIONS
from mixedsim.errors import FormulaError

_OPENERS = {"(": ")", "[": "]", "{": "}"}
_DEEPEST = 50  # brackets within brackets: far beyond any model, far within Python's recursion limit
_MOST_TERMS = 2000
_TOKEN = re.compile(
    r"(?P<name>`[^`]*`|[^\W\d][\w.]*)|(?P<number>\d[\w.]*)|(?P<bar>\|+)|(?P<operator>\*\*|[-+*/:^])"
    r"|(?P<open>[({\[])|(?P<close>[)}\]])|(?P<other>%[^%\s]*%|[=!<>]=|.)",
    re.DOTALL,
)
_LOOKALIKES = dict(zip("−–∼˜～×∗∣｜（）＋：“”‘’", "--~~~**||()+:\"\"''", strict=True))
_ODD = {
    ".": "'.' cannot stand for all other columns: name the predictors",
    "$": "'$' is not needed: write the name of the column alone",
    ",": "a comma belongs inside a function call",
    "#": "a formula has no comments: leave it out",
    ";": "a formula is one line: join its terms by '+'",
    "=": "this '=' does not belong here; a comparison is written I(a == b)",
    "'": "quoted text names no column: write the name alone, or in backticks if it has spaces",
    "%": "operators with '%' are not part of the grammar: a:b stands for combinations, a/b for nesting",
}
_WORDS = frozenset({"True", "False", "None", "in"})  # which formulaic, or Python, takes for its own
_ODD['"'] = _ODD["'"]
_ODD |= dict.fromkeys(["<", ">", "<=", ">=", "==", "!=", "!", "&"], "comparisons go inside a call: I(x > 0)")


@dataclass(frozen=True)
class _Token:
    """A piece of a formula; a function call is one piece, up to its closing bracket."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def begins(self) -> bool:
        """Whether a term can begin here."""
        return self.kind in ("name", "number", "call", "open")

    @property
    def ends(self) -> bool:
        """Whether a term can end here."""
        return self.kind in ("name", "number", "call", "close")


class FormulaText:
    """A formula as text, with the bracket depth of every character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = self._depths()

    def fail(self, at: int, what: str) -> NoReturn:
        """Raise `FormulaError` with a caret under position `at`; long formulas are cut around it."""
        line = re.sub(r"\s", " ", self.text)
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
                if c == quote == "`" and i == quoted_at + 1:
                    self.fail(quoted_at, "no name stands between these backticks: write one, or remove them")
                quote = "" if c == quote else quote
            elif c in "`'\"":
                quote, quoted_at = c, i
            elif c in _LOOKALIKES:
                self.fail(i, f"this {c!r} only looks like {_LOOKALIKES[c]!r}: type it again")
            elif unicodedata.category(c) in ("Cc", "Cf") and not c.isspace():
                self.fail(i, f"an invisible character (U+{ord(c):04X}) stands here: type the formula again")
            elif c in _OPENERS:
                stack.append((c, i))
                if len(stack) > _DEEPEST:
                    self.fail(i, f"more than {_DEEPEST} brackets within brackets: simplify the formula")
            elif c in _OPENERS.values():
                if not stack:
                    self.fail(i, f"this {c!r} closes nothing: remove it, or open it before")
                if _OPENERS[stack[-1][0]] != c:
                    self.fail(i, f"this {c!r} closes a {stack[-1][0]!r}: write {_OPENERS[stack[-1][0]]!r}")
                stack.pop()
                depths[-1] = len(stack)
        if quote:
            self.fail(quoted_at, f"this {quote} is never closed: add another where the name ends")
        if stack:
            self.fail(stack[-1][1], f"this {stack[-1][0]!r} is never closed: add {_OPENERS[stack[-1][0]]!r}")
        return depths

    def split(self, start: int, end: int, separator: str) -> list[tuple[int, int]]:
        """Cut [start, end) at every `separator` that lies outside inner brackets; positions of the pieces."""
        outside = min((d for d in self.depth[start:end] if d >= 0), default=0)
        cuts = [i for i in range(start, end) if self.text[i] == separator and self.depth[i] == outside]
        return [(a + 1, b) for a, b in pairwise([start - 1, *cuts, end])]

    def trim(self, start: int, end: int) -> tuple[int, int]:
        """[start, end) without the white space at both ends."""
        while start < end and self.text[start].isspace():
            start += 1
        while end > start and self.text[end - 1].isspace():
            end -= 1
        return start, end

    def check_terms(self, start: int, end: int) -> None:
        """Raise `FormulaError` unless [start, end) is terms with operators between them."""
        before = _Token("start", "", start, start)
        size = _Expansion()
        grouping = [False]  # for each open bracket: whether its bar has been passed
        while (token := self._next(before.end, end)) is not None:
            if token.begins and before.ends:
                backticks = "" if "`" in before.text + token.text else ", or backticks around a name with a space"
                self.fail(token.start, f"an operator such as '+' is missing before {token.text[:20]!r}{backticks}")
            if not token.begins and not before.ends and not self._is_sign(before, token):
                self._fail_between(before, token.text, token.start)
            if token.kind == "operator" and token.text in ("^", "**"):
                self._check_power(before, self._next(token.end, end))
            elif token.kind == "number" and before.text not in ("^", "**"):
                self._check_number(token)
            elif token.kind == "call" and not grouping[-1]:
                if not self.check_code(token.start, token.end):
                    self.fail(token.start, "this calculation reads no column of the data: leave it out")
            elif token.kind == "name" and not grouping[-1]:
                self._check_name(token)
            if token.kind == "open":
                grouping.append(False)
            elif token.kind == "close":
                grouping.pop()
            elif token.kind == "bar":
                grouping[-1] = True
            if size.after(before, token) > _MOST_TERMS:
                self.fail(token.start, f"the formula stands for more than {_MOST_TERMS} terms: cross fewer variables")
            before = token
        if not before.ends:
            self._fail_between(before, "", before.start)

    def _next(self, start: int, end: int) -> _Token | None:
        """The token that begins at `start` or after the white space there."""
        start, _ = self.trim(start, end)
        match = _TOKEN.match(self.text, start, end)
        if match is None:
            return None
        kind, text, stop = str(match.lastgroup), match.group(), match.end()
        if kind == "other":
            unknown = f"{text!r} is no operator of a formula: remove it, or put backticks around a name"
            if unicodedata.category(text[0]).startswith("M"):
                self.fail(start, "this letter is made of two characters: put backticks around the name")
            dotted = text == "." and re.match(r"\.\w", self.text[start:end])
            said = _ODD.get(text, _ODD.get(text[0], unknown))
            self.fail(start, "a name that begins with a dot needs backticks" if dotted else said)
        if text in "[{":
            self.fail(start, "only round brackets are part of the grammar: write '(' and ')'")
        opening, _ = self.trim(stop, end)
        if kind == "name" and text[0] != "`" and self.text[opening:end].startswith("("):
            if "|" in QUOTED.sub("", self.text[opening:end]).split(")")[0] and text not in CALLABLE:
                self.fail(opening, "an operator such as '+' is missing before '('")
            stop = next(i for i in range(opening + 1, end) if self.depth[i] == self.depth[opening]) + 1
            kind, text = "call", self.text[start:stop]
        return _Token(kind, text, start, stop)

    def _is_sign(self, before: _Token, token: _Token) -> bool:
        return token.text in ("+", "-") and before.kind in ("start", "open", "bar")

    def _fail_between(self, before: _Token, after: str, at: int) -> NoReturn:
        """A term is missing between `before` and the text `after`, which stands at `at`."""
        if after.startswith("|"):
            self.fail(at, "nothing stands before the bar: write (1 | g) for an intercept that varies")
        if before.kind == "bar":
            self.fail(before.start, "nothing stands after the bar: name the grouping factor, as in (1 | g)")
        if before.kind == "open" and after == ")":
            self.fail(before.start, "nothing stands between these brackets: remove them, or write a term")
        if before.kind in ("start", "open"):
            self.fail(at, f"nothing stands before this {after!r}: remove it, or write a term")
        if after in ("", ")"):
            self.fail(before.start, f"nothing follows this {before.text!r}: remove it, or write a term")
        self.fail(at, f"nothing stands between {before.text!r} and {after!r}: remove one of the two")

    def _check_power(self, base: _Token, power: _Token | None) -> None:
        if base.kind != "close":
            square = f"I({base.text}**2)"
            self.fail(base.start, f"a power crosses a variable with itself, which gives nothing new: write {square}")
        if power is None or not re.fullmatch("[1-9]", power.text):
            at = base.end if power is None else power.start
            self.fail(at, "a power must be a whole number from 1 to 9: (a + b)^2 stands for a*b")

    def _check_name(self, token: _Token) -> None:
        if token.text in _WORDS:
            self.fail(token.start, f"{token.text!r} is a word of Python's: put backticks around a column of that name")
        if token.text.startswith(("np.", "contr.")):
            self.fail(token.start, f"{token.text!r} is no column: use it inside a calculation, as in I(np.pi * x)")

    def _check_number(self, token: _Token) -> None:
        if not re.fullmatch(r"\d+\.?\d*", token.text):
            self.fail(token.start, f"put backticks around {token.text!r}, a name that begins with a digit")
        if token.text not in ("0", "1"):
            self.fail(token.start, "the only numbers among the terms are 1 (an intercept) and 0 (none): write I(2 * x)")

    def check_code(self, start: int, end: int) -> bool:
        """Whether [start, end) reads a column; `FormulaError` unless it computes with columns and known functions."""
        return Calculation(self.text, start, end, self.fail).check()


class _Expansion:
    """How many terms have been read, crossings written out: an upper bound, kept from left to right."""

    def __init__(self) -> None:
        self.frames = [(0, 1)]  # for each open bracket: finished terms, and Π(1 + size) of the term being read
        self.latest = 0

    def after(self, before: _Token, token: _Token) -> int:
        done, product = self.frames[-1]
        if token.kind == "open":
            self.frames.append((0, 1))
        elif token.kind in ("bar", "operator") and token.text not in ("*", "/", ":", "^", "**"):
            self.frames[-1] = (done + product - 1, 1)
        elif before.text in ("^", "**"):
            self.frames[-1] = (done, product * (1 + self.latest) ** (int(token.text) - 1))
        elif token.ends:
            if token.kind == "close":
                self.frames.pop()
            self.latest = done + product - 1 if token.kind == "close" else 1
            done, product = self.frames[-1]
            self.frames[-1] = (done, product * (1 + self.latest))
        return sum(self.frames[-1])


def for_formulaic(text: str) -> str:
    """The text with backticks around names such as ``Sepal.Length``, which are columns, and without ``log (x)``."""
    pieces = re.split(rf"({QUOTED.pattern})", text)
    pieces[::2] = [CALLED.sub(r"\1(", DOTTED.sub(r"`\g<0>`", piece)) for piece in pieces[::2]]
    return "".join(pieces)
