"""Columns of plain terms: numbers, categories against their first level, and products of these.

Most formulas need nothing else, and these columns can be made without formulaic's general machinery, several times
faster and without a copy. Names and order are formulaic's, so that nobody can tell which of the two made a column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from formulaic.parser.types import Term
from numpy.typing import NDArray

from mixedsim.formula import column_of
from mixedsim.reading import is_numeric

Floats = NDArray[np.float64]
Column = Floats | float
Named = tuple[str, Column]


@dataclass(frozen=True, eq=False)
class PlainColumns:
    """Columns with their names, and for each the term that it belongs to."""

    names: tuple[str, ...]
    columns: tuple[Column, ...]
    terms: tuple[str, ...]


def plain_columns(
    terms: tuple[Term, ...], data: Mapping[str, Any], shared: dict[str, Floats]
) -> PlainColumns | None:
    """Return the columns of `terms`, or None if one of them is more than a product of plain columns.

    Parameters
    ----------
    terms : of a right-hand side, in formulaic's order.
    data : arrays of numbers and Categoricals by name; a missing category is NaN in its columns.
    shared : numeric columns by name, filled as they are read, so that several right-hand sides get the same arrays.
    """
    categories = categories_of(terms, data)
    if categories is None:
        return None
    indicators: dict[str, list[Floats]] = {}
    names: list[str] = []
    columns: list[Column] = []
    labels: list[str] = []
    for term in terms:
        made: list[Named] = [("", 1.0)]
        for factor in term.factors:
            name = column_of(factor)
            if name is None:
                continue
            if name in categories:
                if name not in indicators:
                    indicators[name] = _indicators(data[name])
                own = _coded(name, data[name].categories, indicators[name], reduced(term, name, terms))
            else:
                if name not in shared:
                    shared[name] = np.asarray(data[name], dtype=np.float64)
                own = [(name, shared[name])]
            made = [_times(left, right) for right, left in product(own, made)]
        names += [name or "Intercept" for name, _ in made]
        columns += [column for _, column in made]
        labels += [str(term)] * len(made)
    return PlainColumns(tuple(names), tuple(columns), tuple(labels))


def categories_of(terms: tuple[Term, ...], data: Mapping[str, Any]) -> frozenset[str] | None:
    """Which columns of `terms` are Categoricals; None if a term holds a calculation, dates, or needs another coding."""
    found = set()
    for term in terms:
        for factor in term.factors:
            name = column_of(factor)
            if name is None:
                if factor.expr != "1":
                    return None
            elif isinstance(data[name], pd.Categorical):
                found.add(name)
            elif not is_numeric(data[name]):
                return None
    # where a factor stands without its margin, several factors would have to agree who takes it up
    alone = len(found) == 1
    if all(alone or reduced(t, name, terms) for t in terms for name in found & _columns(t)):
        return frozenset(found)
    return None


def reduced(term: Term, name: str, terms: tuple[Term, ...]) -> bool:
    """Whether the factor `name` leaves out its first level in `term`: the term without it stands there too."""
    rest = _columns(term) - {name}
    return any(_columns(other) == rest for other in terms)


def _columns(term: Term) -> frozenset[str]:
    return frozenset(name for factor in term.factors if (name := column_of(factor)) is not None)


def _times(left: Named, right: Named) -> Named:
    name = f"{left[0]}:{right[0]}" if left[0] else right[0]
    return name, right[1] if isinstance(left[1], float) else left[1] * right[1]


def _coded(name: str, levels: pd.Index[Any], indicators: list[Floats], is_reduced: bool) -> list[Named]:
    mark = "T." if is_reduced else ""
    named: list[Named] = [(f"{name}[{mark}{level}]", own) for level, own in zip(levels, indicators, strict=True)]
    return named[is_reduced:]


def _indicators(values: pd.Categorical[Any]) -> list[Floats]:
    """For each level a column of zeros and ones."""
    codes = values.codes
    gaps = codes < 0
    out = [(codes == k).astype(np.float64) for k in range(len(values.categories))]
    if gaps.any():
        for column in out:
            column[gaps] = np.nan
    return out
