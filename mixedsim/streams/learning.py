"""What must be known of all rows before the first column can be made: levels, and what functions remember.

A formula of numbers and of functions such as ``log`` needs nothing, so that the chunks are read once. Where a
predictor is a category, or a call such as ``scale(x)`` learns from the data, a first reading tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from mixedsim.columns import ColumnSpec, model_columns
from mixedsim.design import boolean_response, check_category
from mixedsim.errors import DataError
from mixedsim.formula import Formula, fixed_terms, unquote, variables_of
from mixedsim.reading import Values, dates_as_days, is_numeric, kind_of
from mixedsim.streams.kept import Asked, Kept, Tally, kept
from mixedsim.streams.source import Chunk, Source
from mixedsim.streams.stateful import Call, Moments, calls, tell, values_of

_MOST: Final = 10_000  # different numbers in a column that the formula makes a factor
_FEW: Final = 50  # rows of which a call learns what it will be told anew


@dataclass(frozen=True)
class Learned:
    """What the columns of every chunk are made by.

    Attributes
    ----------
    specs : for the fixed part and the effects of every term.
    kinds : what each column holds: numbers, categories, dates or durations.
    sorted : for each column whether its levels are sorted (else they keep the order of their categories).
    levels : of every predictor that is a category, or is made one.
    booleans : columns of True and False.
    messages : what there is to say.
    """

    specs: Mapping[str, ColumnSpec]
    kinds: Mapping[str, str]
    sorted: Mapping[str, bool]
    levels: Mapping[str, pd.Index[Any]]
    booleans: frozenset[str]
    messages: tuple[str, ...]


@dataclass
class _Seen:
    """What a reading of all rows collects."""

    levels: dict[str, pd.Index[Any]] = field(default_factory=dict)  # in order, whether they occur or not
    used: dict[str, pd.Index[Any]] = field(default_factory=dict)
    moments: dict[str, Moments] = field(default_factory=dict)
    rows: int = 0


def learn(formula: Formula, source: Source, asked: Asked) -> Learned:
    """Return what must be known beforehand, from a first chunk or, where that is not enough, from all of them.

    Raises
    ------
    DataError, FormulaError
        Where no row is complete, a factor has one level, or a function cannot be told of all rows.
    """
    chunk, first = _first(source, asked)
    kinds = {name: kind_of(values) for name, values in first.columns.items()}
    in_order = {name: _is_sorted(name, chunk) for name in first.columns}
    rights = list(dict.fromkeys([formula.fixed, *(term.effects for term in formula.terms)]))
    wanted = {rhs: calls(rhs) for rhs in rights}
    ours = predictors(first.columns, formula)
    counted = sorted({name for rhs in rights for name in _counted(rhs) if name in ours})
    named = sorted({name for name, values in ours.items() if isinstance(values, pd.Categorical)} | {*counted})
    seen = _Seen()
    messages: list[str] = []
    if named or any(wanted.values()):
        seen = _survey(source, asked, formula, named, [call for some in wanted.values() for call in some], in_order)
        for name in named:
            if name not in counted or not is_numeric(ours[name]):
                messages += check_category(name, seen.levels[name], seen.rows)
    sample = _sample(ours, seen.levels)
    specs = {rhs: model_columns(rhs, sample).spec for rhs in rights}

    def chunks() -> Iterator[Mapping[str, Any]]:
        return (predictors(own.columns, formula) for _, own in complete(source, asked))

    for rhs, spec in specs.items():
        tell(spec, wanted[rhs], seen.moments, chunks)
    days = sorted(name for name in ours if kinds[name] in ("dates", "durations"))
    messages += [f"the dates or times in {name!r} enter as days, so its slope is a change per day." for name in days]
    booleans = frozenset(name for name, values in first.columns.items() if is_boolean_array(values))
    name = unquote(formula.response)
    if name in booleans:
        raise boolean_response(name)
    return Learned(specs, kinds, in_order, dict(seen.levels), booleans, tuple(messages))


def predictors(columns: Mapping[str, Values], formula: Formula) -> dict[str, Values]:
    """The predictors among the columns, dates as days."""
    return {name: dates_as_days(columns[name]) for name in sorted(formula.predictors) if name in columns}


def complete(source: Source, asked: Asked, tallies: list[Tally] | None = None) -> Iterator[tuple[Chunk, Kept]]:
    """The complete rows of every chunk that has some; every column must hold what it held before.

    What became of the rows of every chunk is added to `tallies`.
    """
    kinds: dict[str, tuple[str, str]] = {}
    for chunk in source.chunks(asked.all):
        own = kept(chunk, asked)
        if tallies is not None:
            tallies.append(own.tally)
        if not own.tally.used:
            continue
        for name, values in own.columns.items():
            kind = kind_of(values)
            before, where = kinds.setdefault(name, (kind, chunk.where))
            if kind != before:
                raise DataError(
                    f"column {name!r} holds {kind} in {chunk.where or 'a later chunk'}, where it held {before} in "
                    f"{where or 'an earlier one'}: write it alike everywhere."
                )
        yield chunk, own


def _first(source: Source, asked: Asked) -> tuple[Chunk, Kept]:
    """The first chunk that has complete rows."""
    total = None
    for chunk in source.chunks(asked.all):
        own = kept(chunk, asked)
        if own.tally.used:
            return chunk, own
        total = own.tally if total is None else total + own.tally
    if total is None:
        raise DataError("the data have no rows: check how they were read or filtered.")
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


def _survey(
    source: Source,
    asked: Asked,
    formula: Formula,
    named: Sequence[str],
    wanted: Sequence[Call],
    in_order: Mapping[str, bool],
) -> _Seen:
    """Levels of these columns and moments for these calls, over all complete rows."""
    seen = _Seen()
    insides = list(dict.fromkeys(call.inside for call in wanted))
    for _, own in complete(source, asked):
        columns = predictors(own.columns, formula)
        seen.rows += own.tally.used
        for name in named:
            levels, used = _levels(columns[name])
            seen.levels[name] = _joined(seen.levels.get(name), levels)
            seen.used[name] = _joined(seen.used.get(name), used)
            if len(seen.levels[name]) > _MOST and is_numeric(columns[name]):
                raise DataError(f"{name!r} is made a factor by C(...) but has more than {_MOST:,} values: use fewer.")
        for inside in insides:
            moments = Moments.of(values_of(inside, columns, own.tally.used))
            seen.moments[inside] = seen.moments[inside] + moments if inside in seen.moments else moments
    for name, levels in seen.levels.items():
        found = levels[levels.isin(seen.used[name])]
        seen.levels[name] = found.sort_values() if in_order[name] else found
    return seen


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
