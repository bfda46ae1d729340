"""Whether a sample shows its lesson.

A lesson in which a statistic does not exist (a slope on a constant) does not hold, whatever is said of it.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from mixedsim.simulate.contents import Contents
from mixedsim.simulate.lesson import statistics
from mixedsim.simulate.lesson.check import parsed
from mixedsim.simulate.lesson.statistics import Array, Clusters

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {"abs": np.abs, "sqrt": np.sqrt, "exp": np.exp, "log": np.log}
_COMPARISON: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}


def shows(text: str, data: pd.DataFrame, contents: Contents) -> bool:
    """Whether a lesson in its one spelling holds in these data."""
    tree = parsed(text, contents.clusters)
    read = _Reader(data, contents.response, contents.clusters)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node) in _COMPUTE]
    found = {ast.dump(node): _COMPUTE[_name(node)](read, *node.args) for node in calls}
    if any(math.isnan(value) for value in found.values()):
        return False
    with np.errstate(all="ignore"):
        return bool(_value(tree, found))


class _Reader:
    """The columns of a sample as statistics want them, under the names of a lesson's syntax tree."""

    def __init__(self, data: pd.DataFrame, response: str, clusters: tuple[str, ...]) -> None:
        self.data = data
        self._response = response
        self._clusters = clusters

    def response(self) -> Array:
        """The response, NaN where it is missing."""
        return self.data[self._response].to_numpy(dtype=np.float64, na_value=np.nan)

    def by(self, cluster: Any = None) -> Clusters:
        """The cluster that is named; the only one, if none is."""
        return statistics.clusters(self.data[self._clusters[0] if cluster is None else cluster.id])

    def numbers(self, node: Any) -> Array:
        """A variable, or its comparison with a constant: 1 where true, 0 where false; NaN where it is missing."""
        if isinstance(node, ast.Name):
            return self.data[node.id].to_numpy(dtype=np.float64, na_value=np.nan)
        column = self.data[node.left.id]
        truth = _COMPARISON[type(node.ops[0])](column.to_numpy(), ast.literal_eval(node.comparators[0]))
        return np.where(column.isna(), np.nan, truth)


_COMPUTE: dict[str, Callable[..., float]] = {
    "pooled": lambda read, x: statistics.slope(read.numbers(x), read.response()),
    "within": lambda read, x, by=None: statistics.within(read.numbers(x), read.response(), read.by(by)),
    "between": lambda read, x, by=None: statistics.between(read.numbers(x), read.response(), read.by(by)),
    "mean": lambda read, v: statistics.mean(read.numbers(v)),
    "sd": lambda read, v: statistics.sd(read.numbers(v)),
    "cor": lambda read, x, z: statistics.cor(read.numbers(x), read.numbers(z)),
    "share": lambda read, condition: statistics.mean(read.numbers(condition)),
    "missing": lambda read, column: statistics.missing(read.data[column.id]),
    "rows": lambda read: float(len(read.data)),
    "icc": lambda read, by=None: statistics.icc(read.response(), read.by(by)),
}


def _value(node: ast.expr, found: Mapping[str, float]) -> Any:
    """What a part of a lesson is worth, given the value of every statistic in it."""
    if isinstance(node, ast.Constant):
        return np.float64(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.BoolOp):
        every = all if isinstance(node.op, ast.And) else any
        return every([bool(_value(one, found)) for one in node.values])  # noqa: PD011 - no data frame
    if isinstance(node, ast.UnaryOp):
        inner = _value(node.operand, found)
        return not inner if isinstance(node.op, ast.Not) else -inner
    if isinstance(node, ast.BinOp):
        return _ARITHMETIC[type(node.op)](_value(node.left, found), _value(node.right, found))
    if isinstance(node, ast.Compare):
        sides = [_value(one, found) for one in (node.left, *node.comparators)]
        pairs = zip(node.ops, sides[:-1], sides[1:], strict=True)
        return all(_COMPARISON[type(op)](one, other) for op, one, other in pairs)
    assert isinstance(node, ast.Call)
    if _name(node) in _FUNCTIONS:
        return _FUNCTIONS[_name(node)](_value(node.args[0], found))
    return np.float64(found[ast.dump(node)])


def _name(call: ast.Call) -> str:
    assert isinstance(call.func, ast.Name)
    return call.func.id
