"""Grouping factors with what varies by them, and whether the data can tell it from everything else.

A variance that no row speaks of would come back as a number all the same, so it is refused here, in one sentence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.columns import Columns
from mixedsim.errors import DataError, shown
from mixedsim.formula import RandomTerm, column_of, fixed_terms
from mixedsim.levels import Codes, Levels
from mixedsim.scaling import Standardiser, scale_fixed

_FEW_LEVELS = 5


@dataclass(frozen=True, eq=False)
class VaryingTerm:
    """One random term with its columns: q names, q columns."""

    term: RandomTerm
    columns: Columns


@dataclass(frozen=True, eq=False)
class GroupingFactor:
    """One grouping factor with all terms that vary by it.

    Attributes
    ----------
    name : as lme4 names it (``"Subject"``, ``"cask:batch"``).
    codes : n integers in [0, J).
    coding : which values of which columns the J levels are.
    terms : the random terms on this factor.
    """

    name: str
    codes: Codes
    coding: Levels
    terms: tuple[VaryingTerm, ...]

    @property
    def levels(self) -> pd.Index[Any]:
        """J labels."""
        return self.coding.labels

    @property
    def effects(self) -> tuple[str, ...]:
        """Names of all q effects that vary by this factor."""
        return tuple(name for term in self.terms for name in term.columns.names)

    def rows_by_level(self) -> NDArray[np.int64]:
        """J numbers of rows."""
        return np.bincount(self.codes, minlength=len(self.levels))

    def cells(self, term: VaryingTerm) -> int:
        """How many combinations of the levels and the values of the term's columns occur."""
        cells = np.asarray(self.codes, dtype=np.int64)
        for column in term.columns.columns:
            if isinstance(column, float):
                continue
            values, found = pd.factorize(column)
            cells = pd.factorize(cells * len(found) + values)[0]
        return int(cells.max()) + 1


class Evidence(Protocol):
    """What tells whether effects can be told apart: the rows, or sums over them."""

    def dependent(self, factor: GroupingFactor, terms: Sequence[VaryingTerm]) -> str | None:
        """The first effect of these terms that depends linearly on earlier ones, or is zero in all rows."""
        ...

    def alike(self, a: GroupingFactor, b: GroupingFactor) -> bool:
        """Whether two factors with equally many levels group the rows alike."""
        ...


def check_factor(
    factor: GroupingFactor,
    others: Sequence[GroupingFactor],
    fixed: str,
    categories: Collection[str],
    residual: bool = True,
    evidence: Evidence | None = None,
) -> list[str]:
    """Messages about a grouping factor; raises `DataError` where a variance cannot be known.

    Parameters
    ----------
    factor : the factor.
    others : the factors before it.
    fixed : the fixed part of the formula.
    categories : the columns that are categorical.
    residual : whether there is a residual from which its effects must be told.
    evidence : what tells whether effects depend on each other; the rows if None.
    """
    evidence = FromRows() if evidence is None else evidence
    _check_size(factor, int(factor.rows_by_level().sum()), residual)
    messages = _check_effects(factor, evidence)
    _check_left_over(factor, fixed, categories)
    for other in others:
        _check_apart(factor, other, evidence)
    if len(factor.levels) < _FEW_LEVELS:
        messages.append(
            f"{factor.name!r} has only {len(factor.levels)} levels: its standard deviation is known very poorly from "
            "so few; consider it as a fixed effect."
        )
    return messages


def _check_size(factor: GroupingFactor, rows: int, residual: bool) -> None:
    name, levels = factor.name, len(factor.levels)
    terms = ", ".join(t.term.text for t in factor.terms)
    if levels < 2:
        raise DataError(
            f"the grouping factor {name!r} has only one level ({shown(factor.levels[0])}): nothing can vary between "
            f"levels; leave out {terms}."
        )
    if not residual:
        return
    if levels >= rows:
        raise DataError(
            f"the grouping factor {name!r} has one row a level ({levels} levels, {rows} rows): nothing separates "
            f"{terms} from the residual; group by a coarser column, or leave the term out."
        )
    for term in factor.terms:
        q = len(term.columns.names)
        if levels * q >= rows:
            raise DataError(
                f"{term.term.text} has {levels * q} random effects ({levels} levels × {q} effects) for {rows} rows: "
                f"nothing separates them from the residual; drop an effect, as in (1 | {name})."
            )


def _check_effects(factor: GroupingFactor, evidence: Evidence) -> list[str]:
    """Effects of one term must be independent columns; those of several terms get a message if they are not."""
    for term in factor.terms:
        dependent = evidence.dependent(factor, [term])
        if dependent:
            raise DataError(
                f"the effect {dependent!r} in {term.term.text} cannot be told from the other effects of the term, "
                "on which it depends linearly: leave it out."
            )
    dependent = evidence.dependent(factor, factor.terms) if len(factor.terms) > 1 else None
    if dependent is None:
        return []
    text = " and ".join(term.term.text for term in factor.terms)
    return [
        f"{text} overlap: {dependent!r} depends linearly on the other effects, so their variances cannot be told "
        "apart; write them as one term with a single bar, or leave one out."
    ]


class FromRows:
    """`Evidence` from the rows themselves."""

    def dependent(self, factor: GroupingFactor, terms: Sequence[VaryingTerm]) -> str | None:
        """The first effect of these terms that depends linearly on earlier ones, or is zero in all rows."""
        names = [name for term in terms for name in term.columns.names]
        columns = [column for term in terms for column in term.columns.columns]
        constant = sum(isinstance(column, float) for column in columns)
        if len(columns) - constant <= 1 and constant <= 1:  # the common cases, without looking at products
            for name, column in zip(names, columns, strict=True):
                if not isinstance(column, float) and (column[0] == 0 or constant) and (column == column[0]).all():
                    return name
            return None
        rows = terms[0].columns.rows
        dropped = scale_fixed(columns, has_intercept=constant > 0, standardise=Standardiser(rows)).dropped
        return names[dropped[0]] if dropped else None

    def alike(self, a: GroupingFactor, b: GroupingFactor) -> bool:
        """Whether two factors with equally many levels group the rows alike."""
        partner = np.empty(len(a.levels), dtype=np.intp)
        partner[a.codes] = b.codes
        return bool((partner[a.codes] == b.codes).all())


def _check_left_over(factor: GroupingFactor, fixed: str, categories: Collection[str]) -> None:
    """A fixed effect of every level leaves nothing for an intercept that varies by the same levels."""
    names = set(factor.coding.names)
    varying = [term for term in factor.terms if "Intercept" in term.columns.names]
    for term in fixed_terms(fixed):
        coded = [re.fullmatch(r"C\((\w+)\b.*\)", f.expr) for f in term.factors]
        own = {c.group(1) if c else column_of(f) for c, f in zip(coded, term.factors, strict=True)}
        categorical = all(c or f.expr in categories for c, f in zip(coded, term.factors, strict=True))
        if own == names and categorical and varying:
            raise DataError(
                f"{factor.name!r} has a fixed effect for each of its levels ({term}), which leaves nothing for the "
                f"intercept in {varying[0].term.text} to explain: keep one of the two."
            )


def _check_apart(a: GroupingFactor, b: GroupingFactor, evidence: Evidence) -> None:
    """Two factors that group the rows alike cannot both carry the same effect."""
    both = [effect for effect in a.effects if effect in b.effects]
    if not both or len(a.levels) != len(b.levels):
        return
    if evidence.alike(a, b):
        raise DataError(
            f"{b.name!r} and {a.name!r} group the rows alike, so nothing tells the effects of {both[0]} by the one "
            "from those by the other: keep one of them."
        )
