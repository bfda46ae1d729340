"""What an expression can do: its operators and functions, and what each makes of arrays.

Expressions are taken apart by Python's own parser, and nothing but the nodes of this file is ever evaluated: numbers,
names of variables, ``+ - * / % **``, comparisons and ``and or not`` (1 where true, 0 where false), and ten functions.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

Values: TypeAlias = "NDArray[Any] | pd.Categorical[Any]"


@dataclass(frozen=True)
class Function:
    """One function of expressions: what it computes, how many arguments it takes, and that in words."""

    compute: Callable[..., Any]
    fewest: int = 1
    most: float = 1
    takes: str = "it takes one argument"


_TWO_OR_MORE = "it takes two arguments or more"
FUNCTIONS: dict[str, Function] = {
    "exp": Function(np.exp),
    "log": Function(np.log),
    "sqrt": Function(np.sqrt),
    "abs": Function(np.abs),
    "floor": Function(np.floor),
    "round": Function(np.round, 1, 2, "it takes one argument, or two as in round(x, 1) for one decimal"),
    "min": Function(lambda *values: reduce(np.minimum, values), 2, math.inf, _TWO_OR_MORE),
    "max": Function(lambda *values: reduce(np.maximum, values), 2, math.inf, _TWO_OR_MORE),
    "logistic": Function(expit),
    "where": Function(
        lambda condition, yes, no: np.where(condition != 0, yes, no), 3, 3, "it takes three: where(condition, yes, no)"
    ),
}
ARITHMETIC: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", np.add),
    ast.Sub: ("-", np.subtract),
    ast.Mult: ("*", np.multiply),
    ast.Div: ("/", np.divide),
    ast.Mod: ("%", np.mod),
    ast.Pow: ("**", np.power),
}
COMPARISON: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Eq: ("==", np.equal),
    ast.NotEq: ("!=", np.not_equal),
    ast.Lt: ("<", np.less),
    ast.LtE: ("<=", np.less_equal),
    ast.Gt: (">", np.greater),
    ast.GtE: (">=", np.greater_equal),
}
LOGIC: dict[type[ast.boolop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.And: ("and", np.logical_and),
    ast.Or: ("or", np.logical_or),
}
ALLOWED = f"numbers, variables, + - * / % **, one comparison at a time, and, or, not, {', '.join(FUNCTIONS)}"

# What people write who know other languages, and what it is called here.
_INSTEAD: dict[type[ast.AST], str] = {
    ast.IfExp: "write where(condition, yes, no)",
    ast.BitAnd: "write 'and'",
    ast.BitOr: "write 'or'",
    ast.Invert: "write 'not'",
    ast.BitXor: "a power is written **",
    ast.FloorDiv: "write floor(a / b)",
    ast.List: "a list can stand in no expression",
    ast.Tuple: "decimals take a point, not a comma, as in 0.5",
    ast.Call: "write a function by its name alone, as in log(x)",  # np.log(x)
    ast.In: "write x == 'a' or x == 'b'",
}


def instead(node: ast.AST) -> str:
    """How to mend an expression that contains this node, which is none of the allowed ones."""
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        return "write two comparisons with 'and' between them"
    parts = [node, getattr(node, "op", None), *getattr(node, "ops", [])]
    known = (_INSTEAD[type(part)] for part in parts if type(part) in _INSTEAD)
    return next(known, f"use {ALLOWED}")


def value_of(node: ast.expr, given: Mapping[str, Values]) -> Any:
    """What an expression is worth: one number, or one number for every value of the variables that are `given`."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else np.float64(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return given[node.id]
    if isinstance(node, ast.UnaryOp):
        operand = _real(value_of(node.operand, given))
        return np.negative(operand) if isinstance(node.op, ast.USub) else np.equal(operand, 0).astype(np.float64)
    if isinstance(node, ast.BinOp):
        left, right = value_of(node.left, given), value_of(node.right, given)
        return ARITHMETIC[type(node.op)][1](_real(left), _real(right))
    if isinstance(node, ast.BoolOp):
        truths = [_real(value_of(one, given)) for one in operands(node)]
        return reduce(LOGIC[type(node.op)][1], truths).astype(np.float64)
    if isinstance(node, ast.Call):
        return _called(node, given)
    assert isinstance(node, ast.Compare)
    left, right = value_of(node.left, given), value_of(node.comparators[0], given)
    if isinstance(left, str):
        left, right = right, left
    if isinstance(left, pd.Categorical):
        names: list[str] = list(left.categories)
        left, right = left.codes, names.index(right)
    return COMPARISON[type(node.ops[0])][1](left, right).astype(np.float64)


def is_whole(node: ast.expr, whole: Collection[str]) -> bool:
    """Whether an expression can only be a whole number, given the variables that are `whole`."""
    if isinstance(node, ast.Compare | ast.BoolOp):
        return True
    if isinstance(node, ast.Constant):
        return not isinstance(node.value, str) and float(node.value) == int(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return node.id in whole
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not) or is_whole(node.operand, whole)
    if isinstance(node, ast.BinOp):
        closed = isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Mod)
        return closed and is_whole(node.left, whole) and is_whole(node.right, whole)
    assert isinstance(node, ast.Call)
    name = name_of(node)
    if name in ("floor", "round"):
        return len(node.args) == 1
    inside = node.args[1:] if name == "where" else node.args
    return name in ("abs", "min", "max", "where") and all(is_whole(one, whole) for one in inside)


def operands(node: ast.BoolOp) -> list[ast.expr]:
    """What stands between the words ``and``, or ``or``."""
    return list(node.values)


def name_of(call: ast.Call) -> str:
    """The name of the function that is called."""
    assert isinstance(call.func, ast.Name)
    return call.func.id


def decimals_of(node: ast.expr) -> int | None:
    """The whole number that the second argument of ``round`` spells, None if it spells none."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = decimals_of(node.operand)
        return None if inner is None else -inner
    known = isinstance(node, ast.Constant) and type(node.value) in (int, float) and abs(node.value) <= 15  # type: ignore[arg-type]
    return int(node.value) if known and node.value == int(node.value) else None  # type: ignore[attr-defined]


def _called(node: ast.Call, given: Mapping[str, Values]) -> Any:
    name = name_of(node)
    arguments = [_real(value_of(one, given)) for one in node.args]
    if name == "round" and len(arguments) == 2:
        return np.round(arguments[0], int(arguments[1]))
    return FUNCTIONS[name].compute(*arguments)


def _real(value: Any) -> Any:
    """Integers become floats, so that 2 ** -1 is a half and nothing overflows."""
    return np.asarray(value, dtype=np.float64)
