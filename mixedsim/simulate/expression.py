"""Small arithmetic on variables: what ``Normal("5 + 0.8 * ses", 2)`` means.

- ``+ - * / % **``, the last two for the remainder and for powers;
- ``< <= > >= == !=``, one at a time, and ``and``, ``or``, ``not``: 1 where true, 0 where false. Any number but 0 counts
  as true. The levels of a categorical variable are compared as text: ``arm == 'new'``;
- ``exp``, ``log``, ``sqrt``, ``abs``, ``floor``, ``logistic(x)`` for 1 / (1 + exp(−x)), ``round(x)`` or
  ``round(x, 1)`` for one decimal (halves to even), ``min`` and ``max`` of two or more;
- ``where(condition, yes, no)``: one value or the other. Both are computed everywhere, and only the one that is chosen
  must be a number: ``where(x > 0, log(x), 0)``.

The text is read by Python's own parser into a syntax tree, and only these nodes are ever evaluated. Nothing is handed
to ``eval``, so a specification file from a stranger can do no more than arithmetic.

An expression is stored as text in one canonical spelling; `canonical("5+.8*ses")` is ``"5 + 0.8 * ses"``.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.errors import nearest
from mixedsim.simulate.arithmetic import (
    ARITHMETIC,
    COMPARISON,
    FUNCTIONS,
    LOGIC,
    decimals_of,
    instead,
    is_whole,
    name_of,
    operands,
    value_of,
)
from mixedsim.simulate.arithmetic import Values as Values
from mixedsim.simulate.fields import FieldError, Path, mend, number, shown, within

Parameter = float | str  # a number, or the canonical text of an expression

_LONGEST = 1000  # characters
_DEEPEST = 100  # operations within operations


def parameter(value: Any, field: Path, *, low: float = -math.inf, high: float = math.inf) -> Parameter:
    """Return a parameter in canonical form: a float, or the text of an expression that reads variables.

    Raises
    ------
    FieldError
        If the text cannot be read, or a number (also one written as arithmetic, ``"1/3"``) lies outside [low, high].
    """
    if not isinstance(value, str):
        return number(value, field, low=low, high=high)
    text = canonical(value, field)
    if names_in(text):
        return text
    check_kinds(text, {}, field)
    with np.errstate(all="ignore"):
        constant = float(value_of(_read(text), {}))
    return number(constant, field, low=low, high=high)


def canonical(text: str, field: Path) -> str:
    """The one spelling of an expression, or `FieldError` if it is none."""
    if len(text) > _LONGEST:
        raise FieldError(field, f"is {len(text)} characters long; an expression has at most {_LONGEST}.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        allowed = "a number or an expression such as '5 + 0.8 * ses'"
        raise FieldError(field, f"must be {allowed}, found {shown(text)}{mend(text)}.") from None
    _check(tree, field, text)
    return render(tree)


def names_in(text: str) -> frozenset[str]:
    """Names of the variables that a canonical expression reads."""
    calls = {id(node.func) for node in ast.walk(_read(text)) if isinstance(node, ast.Call)}
    return frozenset(node.id for node in ast.walk(_read(text)) if isinstance(node, ast.Name) and id(node) not in calls)


def evaluate(
    value: Parameter,
    read: Callable[[str], Values],
    field: Path,
    *,
    low: float = -math.inf,
    high: float = math.inf,
) -> float | NDArray[np.float64]:
    """A parameter's value: itself if it is a number, else one value for every unit that `read` answers for.

    Raises `FieldError` if a value is not finite or outside [low, high].
    """
    if not isinstance(value, str):
        return value
    with np.errstate(all="ignore"):
        result = np.asarray(value_of(_read(value), {n: read(n) for n in names_in(value)}), dtype=np.float64)
    smallest, largest = float(result.min()), float(result.max())
    if not (math.isfinite(smallest) and math.isfinite(largest)):
        raise FieldError(field, f"is not a finite number everywhere: look at {value!r}.")
    if smallest < low or largest > high:
        worst = smallest if smallest < low else largest
        raise FieldError(field, f"{within(low, high)}, but {value!r} reaches {shown(worst)}.")
    return result


def gives_whole_numbers(text: str, read: Callable[[str], Values]) -> bool:
    """Whether a canonical expression can only be whole numbers, as comparisons and sums of whole numbers are."""
    columns = {name: read(name) for name in names_in(text)}
    whole = {name for name, values in columns.items() if values.dtype.kind in "iu"}
    return is_whole(_read(text), whole)


def check_kinds(text: str, levels: Mapping[str, tuple[str, ...] | None], field: Path) -> None:
    """Raise `FieldError` unless text is compared with text and numbers meet numbers.

    Parameters
    ----------
    levels : for every variable that may be read, its levels if it is categorical, else None.
    """
    compared: set[int] = set()
    for node in ast.walk(_read(text)):
        if not isinstance(node, ast.Compare):
            continue
        by_order = not isinstance(node.ops[0], ast.Eq | ast.NotEq)
        for side, other in zip([node.left, *node.comparators], [*node.comparators, node.left], strict=True):
            if isinstance(side, ast.Name) and _is_text(other) and levels[side.id] is None:
                text_there = shown(other.value)  # type: ignore[attr-defined]
                raise FieldError(field, f"compares {side.id}, whose values are numbers, with the text {text_there}.")
            if isinstance(side, ast.Name) and levels[side.id] is not None and _is_text(other):
                known = levels[side.id] or ()
                if by_order:
                    raise FieldError(field, f"orders {side.id}, which is categorical: compare it with == or !=.")
                if other.value not in known:  # type: ignore[attr-defined]
                    level = other.value  # type: ignore[attr-defined]
                    raise FieldError(field, f"compares {side.id} with {level!r}: {nearest(level, known)}")
                compared |= {id(side), id(other)}
    for node in ast.walk(_read(text)):
        if isinstance(node, ast.Name) and levels.get(node.id) and id(node) not in compared:
            first = (levels[node.id] or ("",))[0]
            raise FieldError(field, f"calculates with {node.id}, which is categorical: write ({node.id} == {first!r}).")
        if _is_text(node) and id(node) not in compared:
            raise FieldError(field, f"contains the text {node.value!r}, which is compared with nothing.")  # type: ignore[attr-defined]


def render(
    node: ast.expr | str,
    *,
    name: Callable[[str], str] = str,
    spell: Callable[[str], str] = lambda symbol: {"**": " ** "}.get(symbol, f" {symbol} "),
    outer: int = 0,
) -> str:
    """Write an expression with as few parentheses as keep its meaning.

    Parameters
    ----------
    name : how a variable is written (its name, or its name with an index).
    spell : how an operator is written, spaces included.
    outer : how tightly the surroundings bind; 0 for a whole expression.
    """
    node = _read(node) if isinstance(node, str) else node

    def inner(child: ast.expr, binding: int) -> str:
        return render(child, name=name, spell=spell, outer=binding)

    if isinstance(node, ast.Constant):
        return repr(node.value) if isinstance(node.value, str) else plain(float(node.value))  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return name(node.id)
    if isinstance(node, ast.Call):
        return f"{name_of(node)}({', '.join(inner(one, 0) for one in node.args)})"
    if isinstance(node, ast.UnaryOp):
        own, sign = (3, "not ") if isinstance(node.op, ast.Not) else (7, spell("-").strip())
        text = sign + inner(node.operand, own)
    elif isinstance(node, ast.BoolOp):
        symbol = LOGIC[type(node.op)][0]
        own = {"or": 1, "and": 2}[symbol]
        text = spell(symbol).join(inner(one, own) for one in operands(node))
    elif isinstance(node, ast.BinOp):
        symbol = ARITHMETIC[type(node.op)][0]
        own = {"+": 5, "-": 5, "**": 8}.get(symbol, 6)
        left, right = (own + 1, 7) if symbol == "**" else (own, own + 1)
        text = inner(node.left, left) + spell(symbol) + inner(node.right, right)
    else:
        assert isinstance(node, ast.Compare)
        own = 4
        text = inner(node.left, 5) + spell(COMPARISON[type(node.ops[0])][0]) + inner(node.comparators[0], 5)
    return f"({text})" if own < outer else text


def plain(value: float) -> str:
    """A float in the fewest digits that give it back: ``5``, ``0.8``, ``1e-05``."""
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


@lru_cache(maxsize=1024)
def _read(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _check(tree: ast.expr, field: Path, text: str) -> None:
    """Raise `FieldError` for the first node that is not arithmetic; walks without recursion."""
    level: list[ast.expr] = [tree]
    depth = 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise FieldError(field, f"has more than {_DEEPEST} operations within operations: simplify it.")
        level = [child for node in level for child in _operands(node, field, text)]


def _operands(node: ast.expr, field: Path, text: str) -> list[ast.expr]:
    if isinstance(node, ast.Name):
        return []
    if isinstance(node, ast.Constant) and (isinstance(node.value, str) or _is_finite(node.value)):
        return []
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        return [node.operand]
    if isinstance(node, ast.BoolOp):
        return operands(node)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARISON:
        return [node.left, *node.comparators]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _arguments(node, field, text)
    culprit = ast.get_source_segment(text.strip(), node) or text
    raise FieldError(field, f"contains {shown(culprit)}, which is not arithmetic: {instead(node)}.")


def _arguments(node: ast.Call, field: Path, text: str) -> list[ast.expr]:
    name = name_of(node)
    if name not in FUNCTIONS:
        raise FieldError(
            field, f"calls {name!r} in {shown(text)}, which is no function here: {nearest(name, FUNCTIONS)}"
        )
    function = FUNCTIONS[name]
    if node.keywords or not function.fewest <= len(node.args) <= function.most:
        raise FieldError(field, f"calls {name!r} in {shown(text)}; {function.takes}.")
    if name == "round" and len(node.args) == 2 and decimals_of(node.args[1]) is None:
        raise FieldError(field, f"rounds to a number of decimals in {shown(text)} that is not a whole number up to 15.")
    return node.args


def _is_finite(value: object) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(float(value))
    except OverflowError:
        return False
