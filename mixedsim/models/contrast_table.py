"""Linear combinations of coefficients, as people write them down: text, mappings, tables or numbers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mixedsim.errors import MixedsimError, nearest
from mixedsim.models.combinations import combinations, joint
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.tables import f_table, t_table

Floats = NDArray[np.float64]
Weights: TypeAlias = str | Mapping[str, float] | ArrayLike
Contrasts: TypeAlias = str | Sequence[str] | Mapping[str, Weights] | pd.DataFrame | ArrayLike


@dataclass(frozen=True, eq=False)
class Rows:
    """m contrasts of p coefficients.

    Attributes
    ----------
    labels : m names.
    matrix : m × p.
    null : m values that the combinations are compared with.
    """

    labels: tuple[str, ...]
    matrix: Floats
    null: Floats


def contrasts(fit: LinearEstimates, given: Contrasts, ddf: str, level: float, jointly: bool) -> pd.DataFrame:
    """The table behind `LinearMixedModel.contrasts`."""
    rows = read_contrasts(given, fit.coefficient_names)
    if jointly:
        return f_table([joint(fit, rows.matrix, ddf, rows.null)], ["joint"], ddf, title="contrast")
    index = pd.Index(rows.labels, name="contrast")
    return t_table(combinations(fit, rows.matrix, ddf), index, level, rows.null)


def read_contrasts(given: Contrasts, names: Sequence[str]) -> Rows:
    """Return the `Rows` that somebody wrote down.

    Parameters
    ----------
    given : see `LinearMixedModel.contrasts`.
    names : of the p coefficients.

    Examples
    --------
    >>> from mixedsim.models.contrast_table import read_contrasts
    >>> read_contrasts("x[T.b] - x[T.c] = 1", ["Intercept", "x[T.b]", "x[T.c]"]).matrix
    array([[ 0.,  1., -1.]])
    """
    if isinstance(given, str):
        given = [given]
    parts: list[Any]
    if isinstance(given, pd.DataFrame):
        labels, parts = list(map(str, given.index)), [row.to_dict() for _, row in given.iterrows()]
    elif isinstance(given, Mapping):
        labels, parts = list(map(str, given)), list(given.values())
    else:
        parts = _listed(given)
        labels = [part if isinstance(part, str) else f"contrast {i}" for i, part in enumerate(parts, start=1)]
    if not parts:
        raise MixedsimError("no contrast is given: write one such as 'a - b' with the names of two coefficients.")
    read = [_row(label, part, names) for label, part in zip(labels, parts, strict=True)]
    matrix = np.array([row for row, _ in read]).reshape(len(read), len(names))
    for label, row in zip(labels, matrix, strict=True):
        if not row.any():
            raise MixedsimError(f"the contrast {label!r} is zero for every coefficient: give one of them a weight.")
    return Rows(tuple(labels), matrix, np.array([null for _, null in read]))


def _listed(given: Any) -> list[Any]:
    """A list of texts, or the rows of an array."""
    if isinstance(given, Iterable):
        parts = list(given)
        if parts and not all(np.ndim(part) == 0 and not isinstance(part, str) for part in parts):
            return parts
        if parts:
            return [np.asarray(parts)]
        return []
    raise MixedsimError(f"contrasts must be text, a mapping, a table or numbers, found {type(given).__name__}.")


def _row(label: str, part: Any, names: Sequence[str]) -> tuple[Floats, float]:
    """One contrast: its weights and the value it is compared with."""
    if isinstance(part, str):
        return _from_text(part, names)
    row = np.zeros(len(names))
    if isinstance(part, Mapping):
        for name, weight in part.items():
            row[_position(str(name), label, names)] = weight
    else:
        try:
            values = np.asarray(part, dtype=np.float64)
        except (TypeError, ValueError):
            raise MixedsimError(f"the contrast {label!r} must be numbers, found {part!r}.") from None
        if values.shape != row.shape:
            shown = ", ".join(map(repr, names))
            raise MixedsimError(
                f"the contrast {label!r} must have one weight for each of the {len(names)} coefficients ({shown}), "
                f"found {values.size}."
            )
        row = values
    if not np.isfinite(row).all():
        raise MixedsimError(f"the weights of the contrast {label!r} must be finite numbers.")
    return row, 0.0


def _position(name: str, label: str, names: Sequence[str]) -> int:
    if name not in names:
        tail = nearest(name, names)
        raise MixedsimError(f"the contrast {label!r} names {name!r}, which is no coefficient of the model: {tail}")
    return list(names).index(name)


def _from_text(text: str, names: Sequence[str]) -> tuple[Floats, float]:
    """Weights and value of text such as ``"2 * a - b = 1"``; coefficients stand by their names, backticks or not."""
    longest_first = sorted(map(re.escape, names), key=len, reverse=True)
    known = re.compile(rf"`[^`]*`|(?<![\w.`])(?:{'|'.join(longest_first)})(?![\w.`\[(])")
    # names hold brackets, colons and operators: each becomes a word that cannot be mistaken for arithmetic
    plain = known.sub(lambda match: f" _{_position(match.group().strip('`'), text, names)}_ ", text)
    unknown = re.search(r"(?<![\w.])(?!_\d+_)[^\W\d][\w.]*(?:\[[^\]]*\])?(?::[\w.]+(?:\[[^\]]*\])?)*", plain)
    if unknown:
        _position(unknown.group(), text, names)
    sides = plain.split("=")
    try:
        forms = [_linear(ast.parse(side.strip(), mode="eval").body, len(names)) for side in sides]
    except (SyntaxError, ValueError, ZeroDivisionError):
        forms = []
    if not 1 <= len(forms) <= 2:
        raise MixedsimError(f"cannot read the contrast {text!r}: write a combination such as 'a - b' or 'a = 2 * b'.")
    form = forms[0] - forms[1] if len(forms) == 2 else forms[0]
    return form[:-1], -float(form[-1])


def _linear(node: ast.expr, size: int) -> Floats:
    """The weights of an arithmetic expression, its constant last; raises ValueError if it is not linear."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return np.append(np.zeros(size), float(node.value))
    if isinstance(node, ast.Name):
        return np.append(np.eye(size)[int(node.id.strip("_"))], 0.0)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _linear(node.operand, size)
        return -value if isinstance(node.op, ast.USub) else value
    if not isinstance(node, ast.BinOp):
        raise ValueError
    left, right = _linear(node.left, size), _linear(node.right, size)
    if isinstance(node.op, ast.Add | ast.Sub):
        return left + right if isinstance(node.op, ast.Add) else left - right
    if isinstance(node.op, ast.Mult) and not left[:-1].any():
        return np.asarray(left[-1] * right)
    if isinstance(node.op, ast.Mult) and not right[:-1].any():
        return np.asarray(right[-1] * left)
    if isinstance(node.op, ast.Div) and not right[:-1].any() and right[-1] != 0:
        return np.asarray(left / right[-1])
    raise ValueError
