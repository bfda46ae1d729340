"""From what somebody typed to a lesson that can be computed: every node is allowed, every name is in the data."""

from __future__ import annotations

import ast
import keyword
import math
import re
import warnings
from collections.abc import Iterable
from itertools import count

from mixedsim.errors import nearest
from mixedsim.simulate.contents import Contents
from mixedsim.simulate.fields import FieldError, shown

_FIELD = ("lesson",)
_EXAMPLE = "'pooled(x) < 0 < within(x)'"
_LONGEST = 1000  # characters
_DEEPEST = 50  # operations within operations

# What every statistic takes: "numbers" (a numeric variable, or a comparison), "condition" (a comparison), "column"
# (any), "by" (a cluster, which may be left out where there is only one).
STATISTICS: dict[str, tuple[str, ...]] = {
    "pooled": ("numbers",),
    "within": ("numbers", "by"),
    "between": ("numbers", "by"),
    "mean": ("numbers",),
    "sd": ("numbers",),
    "cor": ("numbers", "numbers"),
    "share": ("condition",),
    "missing": ("column",),
    "rows": (),
    "icc": ("by",),
}
FUNCTIONS = ("abs", "sqrt", "exp", "log")
_SAID = {
    (): "no argument",
    ("numbers",): "one variable",
    ("numbers", "numbers"): "two variables",
    ("numbers", "by"): "one variable, and the cluster if there are several",
    ("by",): "the cluster if there are several, else nothing",
    ("condition",): "a comparison such as arm == 'new'",
    ("column",): "one column",
}
_MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}


def canonical(text: str, contents: Contents) -> str:
    """The one spelling of a lesson, or `FieldError` if it is none or speaks of what the data do not have."""
    if len(text) > _LONGEST:
        raise FieldError(_FIELD, f"is {len(text)} characters long; a lesson has at most {_LONGEST}.")
    try:
        tree = parsed(text, contents.clusters)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise FieldError(_FIELD, f"must be a comparison such as {_EXAMPLE}, found {shown(text)}.") from None
    return ast.unparse(_Check(contents).truth(tree))


def parsed(text: str, clusters: Iterable[str]) -> ast.expr:
    """The syntax tree of a lesson, in which a cluster may have the name of a Python keyword: ``icc(class)``."""
    words = [name for name in clusters if keyword.iskeyword(name) and name not in ("and", "or", "not")]
    instead = {name + "_" * next(n for n in count(1) if name + "_" * n not in text): name for name in words}
    back = {name: other for other, name in instead.items()}
    # What stands in quotes is a level, and no name.
    pattern = r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|\b(?:" + "|".join(words or [r"(?!)"]) + r")\b"
    readable = re.sub(pattern, lambda found: back.get(found[0], found[0]), text.strip())
    with warnings.catch_warnings(action="ignore"):  # Python's, of a backslash in a level
        tree = ast.parse(readable, mode="eval").body
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = instead.get(node.id, node.id)
    return tree


class _Check:
    """Goes down the tree and gives it back in its one form; `depth` is how far down it is."""

    def __init__(self, contents: Contents) -> None:
        self._kinds = {name: contents.kinds[name] for name in contents.observed}
        self._hidden = set(contents.kinds) - set(contents.observed)
        self._response = contents.response
        self._clusters = contents.clusters
        self._depth = 0

    def truth(self, node: ast.expr) -> ast.expr:
        """A part that is true or false."""
        self._deeper()
        if isinstance(node, ast.BoolOp):
            return self._back(ast.BoolOp(node.op, [self.truth(one) for one in node.values]))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self._back(ast.UnaryOp(node.op, self.truth(node.operand)))
        if isinstance(node, ast.Compare) and all(type(op) in _MIRRORED for op in node.ops):
            left, *others = (self.number(one) for one in (node.left, *node.comparators))
            return self._back(ast.Compare(left, node.ops, others))
        raise FieldError(_FIELD, f"must be true or false, as {_EXAMPLE} is, found {_written(node)}.")

    def number(self, node: ast.expr) -> ast.expr:
        """A part that is a number."""
        self._deeper()
        if isinstance(node, ast.Constant) and (value := _finite(node.value)) is not None:
            return self._back(ast.Constant(value))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return self._back(ast.UnaryOp(node.op, self.number(node.operand)))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.Pow):
            return self._back(ast.BinOp(self.number(node.left), node.op, self.number(node.right)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._back(self._call(node, node.func.id))
        if isinstance(node, ast.Name):
            example = f"{node.id}(x)" if node.id in STATISTICS else f"mean({node.id})"
            raise FieldError(_FIELD, f"has {node.id!r} outside of a statistic: write {example}, for instance.")
        known = f"{', '.join(STATISTICS)}, {', '.join(FUNCTIONS)}"
        raise FieldError(_FIELD, f"contains {_written(node)}, which is no number: use {known}, numbers and + - * / **.")

    def _call(self, node: ast.Call, name: str) -> ast.expr:
        if name in FUNCTIONS:
            if len(node.args) != 1 or node.keywords:
                raise FieldError(_FIELD, f"calls {name} in {_written(node)}; it takes one number.")
            return ast.Call(node.func, [self.number(node.args[0])], [])
        if name not in STATISTICS:
            known = nearest(name, [*STATISTICS, *FUNCTIONS])
            raise FieldError(_FIELD, f"calls {name!r}, which is no statistic here: {known}")
        takes = STATISTICS[name]
        fewest = len(takes) - ("by" in takes)
        if node.keywords or not fewest <= len(node.args) <= len(takes):
            raise FieldError(_FIELD, f"calls {name} in {_written(node)}; it takes {_SAID[takes]}.")
        if "by" in takes and len(node.args) == fewest and len(self._clusters) > 1:
            raise FieldError(_FIELD, f"must name the cluster in {_written(node)}: which of {self._several()}?")
        if name in ("pooled", "within", "between", "icc") and self._kinds[self._response] is not None:
            raise FieldError(_FIELD, f"cannot have {name}: the response {self._response} is categorical.")
        arguments = [self._argument(one, kind, name) for one, kind in zip(node.args, takes, strict=False)]
        # To name the only cluster there is says nothing.
        return ast.Call(node.func, arguments[: fewest if len(self._clusters) == 1 else None], [])

    def _argument(self, node: ast.expr, kind: str, name: str) -> ast.expr:
        if kind == "by":
            if not isinstance(node, ast.Name) or node.id not in self._clusters:
                raise FieldError(_FIELD, f"groups by {_written(node)} in {name}: it must be one of {self._several()}.")
            return ast.Name(node.id)
        if kind in ("numbers", "condition") and isinstance(node, ast.Compare):
            return self._condition(node)
        if kind == "condition" or not isinstance(node, ast.Name):
            expected = "a comparison such as arm == 'new'" if kind == "condition" else "a column"
            raise FieldError(_FIELD, f"must have {expected} in {name}, found {_written(node)}.")
        if kind == "column" and node.id in self._clusters:
            return ast.Name(node.id)
        if self._levels(node.id) is not None and kind == "numbers":
            first = (self._levels(node.id) or ("",))[0]
            raise FieldError(
                _FIELD, f"calculates with {node.id}, which is categorical: write {name}({node.id} == {first!r})."
            )
        return ast.Name(node.id)

    def _condition(self, node: ast.Compare) -> ast.expr:
        """One comparison of a variable with a constant, the variable on the left."""
        left, op, right = node.left, node.ops[0], node.comparators[0]
        if isinstance(right, ast.Name) and not isinstance(left, ast.Name) and type(op) in _MIRRORED:
            left, op, right = right, _MIRRORED[type(op)](), left
        if len(node.ops) > 1 or not isinstance(left, ast.Name) or type(op) not in _MIRRORED:
            raise FieldError(_FIELD, f"must compare one variable with one value in {_written(node)}.")
        levels = self._levels(left.id)
        if levels is None:
            negative = isinstance(right, ast.UnaryOp) and isinstance(right.op, ast.USub)
            inner = right.operand if negative else right  # type: ignore[attr-defined]
            value = _finite(inner.value) if isinstance(inner, ast.Constant) else None
            if value is None:
                raise FieldError(_FIELD, f"must compare {left.id} with a number in {_written(node)}.")
            return ast.Compare(left, [op], [self.number(right)])
        if not isinstance(op, ast.Eq | ast.NotEq):
            raise FieldError(_FIELD, f"orders {left.id}, which is categorical: compare it with == or !=.")
        if not isinstance(right, ast.Constant) or right.value not in levels:
            typed = right.value if isinstance(right, ast.Constant) else ""
            raise FieldError(_FIELD, f"compares {left.id} with {_written(right)}: {nearest(typed, levels)}")
        return ast.Compare(left, [op], [right])

    def _levels(self, name: str) -> tuple[str, ...] | None:
        """The levels of a column of the data, None if it is numeric; `FieldError` if it is no such column."""
        if name in self._kinds:
            return self._kinds[name]
        if name in self._clusters:
            raise FieldError(_FIELD, f"uses the cluster {name!r} as a variable.")
        if name in self._hidden:
            raise FieldError(_FIELD, f"uses {name!r}, which is not observed: a lesson is about what the data show.")
        raise FieldError(_FIELD, f"uses {name!r}, which is no column of the data: {nearest(name, self._kinds)}")

    def _several(self) -> str:
        return ", ".join(self._clusters)

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise FieldError(_FIELD, f"has more than {_DEEPEST} operations within operations: simplify it.")

    def _back(self, node: ast.expr) -> ast.expr:
        self._depth -= 1
        return node


def _finite(value: object) -> float | int | None:
    """A finite number as it is spelled: whole ones without a decimal point. None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    if not math.isfinite(result):
        return None
    return int(result) if result == int(result) and abs(result) < 1e15 else result


def _written(node: ast.expr) -> str:
    """A part of a lesson for an error."""
    text = ast.unparse(node)
    return text if len(text) <= 60 else text[:57] + "…"
