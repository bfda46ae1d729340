"""Small arithmetic on variables: what ``Normal("5 + 0.8 * ses", 2)`` means.

The text is read by Python's own parser into a syntax tree, and only the nodes named here are ever evaluated: numbers,
names of earlier variables, ``+ - * / **``, comparisons (1 where true, 0 where false) and four functions. Nothing is
handed to ``eval``, so a specification file from a stranger can do no more than arithmetic.

An expression is stored as text in one canonical spelling; `canonical("5+.8*ses")` is ``"5 + 0.8 * ses"``.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import nearest
from mixedsim.simulate.fields import FieldError, Path, number, shown, within

Values: TypeAlias = "NDArray[Any] | pd.Categorical[Any]"
Parameter = float | str  # a number, or the canonical text of an expression

FUNCTIONS: dict[str, Callable[[Any], Any]] = {"exp": np.exp, "log": np.log, "sqrt": np.sqrt, "abs": np.abs}
_ARITHMETIC: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", np.add),
    ast.Sub: ("-", np.subtract),
    ast.Mult: ("*", np.multiply),
    ast.Div: ("/", np.divide),
    ast.Pow: ("**", np.power),
}
_COMPARISON: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Eq: ("==", np.equal),
    ast.NotEq: ("!=", np.not_equal),
    ast.Lt: ("<", np.less),
    ast.LtE: ("<=", np.less_equal),
    ast.Gt: (">", np.greater),
    ast.GtE: (">=", np.greater_equal),
}
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
        constant = float(_value(_read(text), {}))
    return number(constant, field, low=low, high=high)


def canonical(text: str, field: Path) -> str:
    """The one spelling of an expression, or `FieldError` if it is none."""
    if len(text) > _LONGEST:
        raise FieldError(field, f"is {len(text)} characters long; an expression has at most {_LONGEST}.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise FieldError(
            field, f"must be a number or an expression such as '5 + 0.8 * ses', found {shown(text)}."
        ) from None
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
        result = np.asarray(_value(_read(value), {n: read(n) for n in names_in(value)}), dtype=np.float64)
    smallest, largest = float(result.min()), float(result.max())
    if not (math.isfinite(smallest) and math.isfinite(largest)):
        raise FieldError(field, f"is not a finite number everywhere: look at {value!r}.")
    if smallest < low or largest > high:
        worst = smallest if smallest < low else largest
        raise FieldError(field, f"{within(low, high)}, but {value!r} reaches {shown(worst)}.")
    return result


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
        return f"{node.func.id}({inner(node.args[0], 0)})"  # type: ignore[attr-defined]
    if isinstance(node, ast.UnaryOp):
        own, text = 4, spell("-").strip() + inner(node.operand, 4)
    elif isinstance(node, ast.BinOp):
        symbol = _ARITHMETIC[type(node.op)][0]
        own = {"+": 2, "-": 2, "*": 3, "/": 3, "**": 5}[symbol]
        left, right = (own + 1, 4) if symbol == "**" else (own, own + 1)
        text = inner(node.left, left) + spell(symbol) + inner(node.right, right)
    else:
        assert isinstance(node, ast.Compare)
        own = 1
        text = inner(node.left, 2) + spell(_COMPARISON[type(node.ops[0])][0]) + inner(node.comparators[0], 2)
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
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return [node.operand]
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARISON:
        return [node.left, *node.comparators]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id not in FUNCTIONS:
            known = nearest(node.func.id, FUNCTIONS)
            raise FieldError(field, f"calls {node.func.id!r} in {shown(text)}, which is no function here: {known}")
        if len(node.args) == 1 and not node.keywords:
            return [node.args[0]]
        raise FieldError(field, f"calls {node.func.id!r} in {shown(text)}; it takes one argument.")
    culprit = ast.get_source_segment(text.strip(), node) or text
    allowed = "numbers, variables, + - * / **, one comparison at a time, exp, log, sqrt and abs"
    raise FieldError(field, f"contains {shown(culprit)}, which is not arithmetic: use {allowed}.")


def _is_finite(value: object) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(float(value))
    except OverflowError:
        return False


def _value(node: ast.expr, given: Mapping[str, Values]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else np.float64(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return given[node.id]
    if isinstance(node, ast.UnaryOp):
        return np.negative(_value(node.operand, given))
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, given), _value(node.right, given)
        return _ARITHMETIC[type(node.op)][1](_real(left), _real(right))
    if isinstance(node, ast.Call):
        return FUNCTIONS[node.func.id](_real(_value(node.args[0], given)))  # type: ignore[attr-defined]
    assert isinstance(node, ast.Compare)
    left, right = _value(node.left, given), _value(node.comparators[0], given)
    if isinstance(left, str):
        left, right = right, left
    if isinstance(left, pd.Categorical):
        names: list[str] = list(left.categories)
        left, right = left.codes, names.index(right)
    return _COMPARISON[type(node.ops[0])][1](left, right).astype(np.float64)


def _real(value: Any) -> Any:
    """Integers become floats, so that 2 ** -1 is a half and nothing overflows."""
    return np.asarray(value, dtype=np.float64)
