"""Many data sets below each other: every column of the formula once, whatever the number of data sets.

A data set joins the stack if its columns are of the kinds that the others have, without a gap or an infinite value, and
with the same categories. Whatever else there is to say about it is said when it is fitted alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.calculation import CALLED
from mixedsim.formula import Formula, fixed_terms, unquote, variables_of
from mixedsim.reading import is_numeric, read_column

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Values = Any  # an array of numbers, or a Categorical

_CODINGS = frozenset({"Diff", "Helmert", "Poly", "Sum", "Treatment", "contr"})  # names in C(x, Sum) that are no columns
# Functions whose value in a row depends on that row alone (and, for codings, on the categories).
_ROW_BY_ROW = _CODINGS | {"I", "C", "exp", "exp2", "exp10", "log", "log2", "log10", "sqrt", "abs"}


def works_row_by_row(formula: Formula) -> bool:
    """Whether no part of the formula learns from its data, as ``center``, ``scale``, ``poly`` and splines do."""
    parts = (formula.response, formula.fixed, *(term.effects for term in formula.terms))
    called = {name for part in parts for name in CALLED.findall(part)}
    return all(name in _ROW_BY_ROW or name.startswith(("np.", "contr.")) for name in called)


@dataclass(frozen=True, eq=False)
class Stack:
    """Rows of s data sets below each other.

    Attributes
    ----------
    members : numbers of the s data sets.
    sizes : rows of each.
    columns : all rows of every column of the formula: numbers, or a Categorical that occurs in full in every data set
        if it is a predictor.
    """

    members: Codes
    sizes: Codes
    columns: dict[str, Values]

    @property
    def starts(self) -> Codes:
        """The first row of each data set."""
        return np.asarray(np.cumsum(self.sizes) - self.sizes)

    @property
    def of(self) -> Codes:
        """For every row the data set that it belongs to, counted from 0."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @property
    def even(self) -> bool:
        """Whether all data sets have the same number of rows."""
        return bool((self.sizes == self.sizes[0]).all())

    def sums(self, values: Floats) -> Floats:
        """Sums of a column within each data set: s values."""
        if self.even:
            return np.asarray(values.reshape(len(self.sizes), -1).sum(axis=1))
        return np.asarray(np.add.reduceat(values, self.starts))

    def squares(self, values: Floats) -> Floats:
        """Sums of squares of a column within each data set: s values."""
        if self.even:
            wide = values.reshape(len(self.sizes), -1)
            return np.asarray(np.einsum("ij,ij->i", wide, wide))
        return self.sums(values * values)

    def standardised(self, values: Floats, mean: Floats, scale: Floats, out: Floats) -> None:
        """A column less one number a data set, over another, written to `out`."""
        if self.even:
            wide = out.reshape(len(self.sizes), -1)
            np.subtract(values.reshape(wide.shape), mean[:, None], out=wide)
            wide /= scale[:, None]
        else:
            np.subtract(values, np.repeat(mean, self.sizes), out=out)
            out /= np.repeat(scale, self.sizes)

    def spread(self, values: Codes) -> Codes:
        """One value a data set as one a row."""
        return np.repeat(values, self.sizes)


def stack(formula: Formula, datasets: Sequence[Any], which: Sequence[int]) -> Stack | None:
    """Return those of the data sets `which` that go together; None if there are none."""
    names = sorted(formula.variables - _CODINGS)
    members = [k for k in which if _is_table(datasets[k], names)]
    if not members:
        return None
    series = {name: [datasets[k][name] for k in members] for name in names}
    alike = np.logical_and.reduce([_alike(own) for own in series.values()])
    columns: dict[str, Values] = {}
    for name, own in series.items():
        joined = _joined(name, [one for one, ok in zip(own, alike, strict=True) if ok])
        if joined is None:
            return None
        columns[name] = joined
    members = [k for k, ok in zip(members, alike, strict=True) if ok]
    out = Stack(np.array(members, dtype=np.intp), np.array([len(datasets[k]) for k in members], dtype=np.intp), columns)
    return _complete(out, formula)


def _is_table(data: Any, names: Sequence[str]) -> bool:
    if not isinstance(data, pd.DataFrame) or not len(data):
        return False
    return data.columns.nlevels == 1 and data.columns.is_unique and all(name in data for name in names)


def _alike(series: Sequence[pd.Series[Any]]) -> NDArray[np.bool_]:
    """Which columns are of the kind that most are."""
    kinds = [_kind(one) for one in series]
    most = Counter(kinds).most_common(1)[0][0]
    ok = np.array([kind == most for kind in kinds])
    if most != "category":
        return ok if most else np.zeros_like(ok)
    first = next(one for one, good in zip(series, ok, strict=True) if good).dtype
    return np.array([good and _same_categories(first, one.dtype) for one, good in zip(series, ok, strict=True)])


def _kind(series: pd.Series[Any]) -> str:
    dtype = series.dtype
    if isinstance(dtype, np.dtype):
        return {"b": "boolean", "i": "number", "u": "number", "f": "number"}.get(dtype.kind, "")
    return "category" if isinstance(dtype, pd.CategoricalDtype) else "text" if _is_text(dtype) else ""


def _is_text(dtype: Any) -> bool:
    return isinstance(dtype, pd.StringDtype)


def _same_categories(one: Any, other: Any) -> bool:
    if one.categories is other.categories:
        return True
    return one.categories.dtype == other.categories.dtype and bool(one.categories.equals(other.categories))


def _joined(name: str, series: Sequence[pd.Series[Any]]) -> Values | None:
    """The values of all data sets as one column; None where that is not plain."""
    if not series:
        return None
    if _kind(series[0]) == "category":
        codes = np.concatenate([one.array.codes for one in series])
        kind = cast("pd.CategoricalDtype[Any]", series[0].dtype)
        return pd.Categorical.from_codes(codes, dtype=kind, validate=False)
    if _kind(series[0]) == "text":
        return read_column(name, pd.concat(list(series), ignore_index=True))
    values = read_column(name, pd.Series(np.concatenate([one.to_numpy() for one in series])))
    return values if is_numeric(values) else None


def _complete(found: Stack, formula: Formula) -> Stack | None:
    """The data sets without gaps in which every category of a predictor occurs; categories that occur nowhere go."""
    response = unquote(formula.response)
    if response in found.columns and (
        not is_numeric(found.columns[response]) or found.columns[response].dtype.kind == "b"
    ):
        return None
    ok = np.ones(len(found.members), dtype=bool)
    for values in found.columns.values():
        if isinstance(values, pd.Categorical):
            ok &= np.minimum.reduceat(values.codes, found.starts) >= 0
        elif values.dtype.kind == "f":
            ok &= np.isfinite(found.sums(values))
    if not ok.all():
        found = keep(found, ok)
        return _complete(found, formula) if len(found.members) else None
    for name in formula.predictors | _coded(formula):
        values = found.columns.get(name)
        if values is None:
            continue
        if isinstance(values, pd.Categorical):
            found.columns[name] = values = values.remove_unused_categories()
            codes, count = np.asarray(values.codes, dtype=np.intp), len(values.categories)
        elif name in _coded(formula):
            codes = np.unique(values, return_inverse=True)[1]
            count = int(codes.max()) + 1
        else:
            continue
        present = np.bincount(found.of * count + codes, minlength=count * len(ok)).reshape(-1, count) > 0
        ok &= present.all(axis=1) & (count > 1) & (count < found.sizes)
    if ok.all():
        return found
    found = keep(found, ok)
    return _complete(found, formula) if len(found.members) else None


@lru_cache(maxsize=64)
def _coded(formula: Formula) -> frozenset[str]:
    """Columns inside ``C(...)``, whose values are categories whatever they are."""
    parts = (formula.fixed, *(term.effects for term in formula.terms))
    calls = {f.expr for part in parts for term in fixed_terms(part) for f in term.factors if f.expr.startswith("C(")}
    return frozenset().union(*map(variables_of, calls)) - _CODINGS


def keep(found: Stack, ok: NDArray[np.bool_]) -> Stack:
    """The stack without some of its data sets."""
    rows = np.repeat(ok, found.sizes)
    return Stack(found.members[ok], found.sizes[ok], {name: values[rows] for name, values in found.columns.items()})
