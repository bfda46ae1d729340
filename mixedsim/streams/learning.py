"""What must be known of all rows before the first column can be made: levels, and what functions remember.

A formula of numbers and of functions such as ``log`` needs nothing, so that the chunks are read once. Where a
predictor is a category, or a call such as ``scale(x)`` learns from the data, a first reading tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.columns import ColumnSpec, model_columns
from mixedsim.design import check_category
from mixedsim.errors import DataError
from mixedsim.formula import Formula, fixed_terms, unquote, variables_of
from mixedsim.measurements import boolean_response
from mixedsim.reading import Values, dates_as_days, is_numeric, kind_of
from mixedsim.streams.kept import Asked, Kept, Tally, kept
from mixedsim.streams.source import Chunk, Source
from mixedsim.streams.stateful import Moments, calls, tell, values_of
from mixedsim.streams.sweep import Held, sweep

Floats = NDArray[np.float64]

_MOST: Final = 10_000  # different numbers in a column that the formula makes a factor
_FEW: Final = 50  # rows of which a call learns what it will be told anew


@dataclass(frozen=True)
class Learned:
    """What the columns of every chunk are made by.

    Attributes
    ----------
    specs : for the fixed part and the effects of every term.
    held : what each column holds: numbers, categories, dates or durations.
    sorted : for each column whether its levels are sorted (else they keep the order of their categories).
    levels : of every predictor that is a category, or is made one.
    booleans : columns of True and False.
    messages : what there is to say.
    """

    specs: Mapping[str, ColumnSpec]
    held: Held
    sorted: Mapping[str, bool]
    levels: Mapping[str, pd.Index[Any]]
    booleans: frozenset[str]
    messages: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Seen:
    """What a reading of all rows collects: levels in order, whether they occur or not; those that do; moments."""

    levels: Mapping[str, pd.Index[Any]]
    used: Mapping[str, pd.Index[Any]]
    moments: Mapping[str, Moments]

    def __add__(self, other: _Seen) -> _Seen:
        """Both together."""
        return _Seen(
            {name: _joined(own, other.levels[name]) for name, own in self.levels.items()},
            {name: _joined(own, other.used[name]) for name, own in self.used.items()},
            {inside: own + other.moments[inside] for inside, own in self.moments.items()},
        )


@dataclass(frozen=True, eq=False)
class _Look:
    """Levels of these columns and moments of these calculations in one chunk."""

    formula: Formula
    named: Sequence[str]
    insides: Sequence[str]

    def __call__(self, chunk: Chunk, own: Kept) -> _Seen:
        columns = predictors(own.columns, self.formula)
        found = {name: _levels(columns[name]) for name in self.named}
        for name, (levels, _) in found.items():
            if len(levels) > _MOST and is_numeric(columns[name]):
                raise DataError(f"{name!r} is made a factor by C(...) but has more than {_MOST:,} values: use fewer.")
        return _Seen(
            {name: levels for name, (levels, _) in found.items()},
            {name: used for name, (_, used) in found.items()},
            {inside: Moments.of(values_of(inside, columns, own.tally.used)) for inside in self.insides},
        )


def learn(formula: Formula, source: Source, asked: Asked) -> tuple[Learned, Kept]:
    """Return what must be known beforehand, from a first chunk or, where that is not enough, from all; and that chunk.

    Raises
    ------
    DataError, FormulaError
        Where no row is complete, a factor has one level, or a function cannot be told of all rows.
    """
    chunk, first = _first(source, asked)
    held = Held({name: kind_of(values) for name, values in first.columns.items()}, chunk.where)
    in_order = {name: _is_sorted(name, chunk) for name in first.columns}
    rights = list(dict.fromkeys([formula.fixed, *(term.effects for term in formula.terms)]))
    wanted = {rhs: calls(rhs) for rhs in rights}
    ours = predictors(first.columns, formula)
    counted = sorted({name for rhs in rights for name in _counted(rhs) if name in ours})
    named = sorted({name for name, values in ours.items() if isinstance(values, pd.Categorical)} | {*counted})
    messages: list[str] = []
    levels: dict[str, pd.Index[Any]] = {}
    moments: Mapping[str, Moments] = {}
    if named or any(wanted.values()):
        insides = list(dict.fromkeys(call.inside for some in wanted.values() for call in some))
        tally, seen = sweep(source, asked, held, _Look(formula, named, insides))
        moments = seen.moments
        for name, every in seen.levels.items():
            used = every[every.isin(seen.used[name])]
            levels[name] = used.sort_values() if in_order[name] else used
            if name not in counted or not is_numeric(ours[name]):
                messages += check_category(name, levels[name], tally.used)
    sample = _sample(ours, levels)
    specs = {rhs: model_columns(rhs, sample).spec for rhs in rights}
    for rhs, spec in specs.items():
        tell(spec, wanted[rhs], moments, lambda work: sweep(source, asked, held, _OnPredictors(formula, work))[1])
    days = sorted(name for name in ours if held.kinds[name] in ("dates", "durations"))
    messages += [f"the dates or times in {name!r} enter as days, so its slope is a change per day." for name in days]
    booleans = frozenset(name for name, values in first.columns.items() if is_boolean_array(values))
    name = unquote(formula.response)
    if name in booleans:
        raise boolean_response(name)
    return Learned(specs, held, in_order, levels, booleans, tuple(messages)), first


def predictors(columns: Mapping[str, Values], formula: Formula) -> dict[str, Values]:
    """The predictors among the columns, dates as days."""
    return {name: dates_as_days(columns[name]) for name in sorted(formula.predictors) if name in columns}


@dataclass(frozen=True, eq=False)
class _OnPredictors:
    """Work that needs the predictors alone."""

    formula: Formula
    work: Callable[[Mapping[str, Any], int], Floats]

    def __call__(self, chunk: Chunk, own: Kept) -> Floats:
        return self.work(predictors(own.columns, self.formula), own.tally.used)


def _first(source: Source, asked: Asked) -> tuple[Chunk, Kept]:
    """The first chunk that has complete rows."""
    total = Tally()
    for chunk in source.first(asked.all):
        own = kept(chunk, asked)
        if own.tally.used:
            return chunk, own
        total += own.tally
    total.check()
    raise AssertionError("a tally without used rows raises")


def _is_sorted(name: str, chunk: Chunk) -> bool:
    return name in chunk.text or not isinstance(chunk.columns[name], pd.Categorical)


def is_boolean_array(values: Values) -> bool:
    """Whether a column that was read holds True and False."""
    return getattr(values, "dtype", None) == np.bool_


def _counted(rhs: str) -> set[str]:
    """Columns that the formula makes factors: those in C(...)."""
    expressions = [factor.expr for term in fixed_terms(rhs) for factor in term.factors]
    return {name for text in expressions if text.startswith("C(") for name in variables_of(text)}


def _levels(values: Values) -> tuple[pd.Index[Any], pd.Index[Any]]:
    """The values that there may be, and those that occur."""
    if isinstance(values, pd.Categorical):
        return values.categories, values.categories[np.bincount(values.codes, minlength=len(values.categories)) > 0]
    found = pd.Index(np.unique(values))
    return found, found


def _joined(known: pd.Index[Any] | None, found: pd.Index[Any]) -> pd.Index[Any]:
    """What is known, and behind it what is new."""
    return found if known is None or known.equals(found) else known.append(found[~found.isin(known)])


def _sample(columns: Mapping[str, Values], levels: Mapping[str, pd.Index[Any]]) -> dict[str, Values]:
    """A few rows, and one for every level of every category, of which columns can be learned."""
    rows = len(next(iter(columns.values()))) if columns else 0
    few = min(rows, _FEW)
    size = max(few, max((len(own) for own in levels.values()), default=0))
    where = np.arange(size) % max(rows, 1)
    out: dict[str, Values] = {}
    for name, values in columns.items():
        own = levels.get(name)
        if own is None:
            out[name] = np.asarray(values)[where]
        elif isinstance(values, pd.Categorical):
            codes = np.arange(size) % len(own)
            out[name] = pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(own, ordered=values.ordered))
        else:
            out[name] = own.to_numpy()[np.arange(size) % len(own)]
    return out
