"""Formulas that the data can carry, from the simplest on, each with the reason for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mixedsim.formula import spelled
from mixedsim.listing import counted, listed
from mixedsim.words.identification import FEW_LEVELS, Term, written
from mixedsim.words.independence import independent
from mixedsim.words.kinds import Column
from mixedsim.words.names import names_outcome, names_time
from mixedsim.words.variance import Floats, cells, deviations, split, varying

_MOST_PREDICTORS, _MOST_GROUPS, _MOST_CATEGORIES = 6, 4, 10
_BOTH = 2.0  # MSB/MSW from which on a predictor's group means are more than chance


@dataclass(frozen=True)
class Suggestion:
    """A formula and why one would fit it."""

    formula: str
    reason: str


def guess_outcome(columns: Sequence[Column], groups: Sequence[Column]) -> Column | None:
    """The number that most likely is the outcome: it varies within groups and is no time.

    Of several, the one that is called so (``y``, ``score``), else the one that is the first column of the table, else
    the one that is its last, else the first of them: tables begin or end with their outcome.
    """
    able = [c for c in columns if c.kind == "number" and not names_time(c.name) and not _twin(c, columns)]
    for group in groups:
        able = [c for c in able if c.per_level.sum() < 2 or varying(c.codes, group.codes)[0]] or able
    if not able:
        return None
    called = [c for c in able if names_outcome(c.name)]
    if called:
        return called[0]
    first, last = columns[0], columns[-1]
    return first if first in able else last if last in able else able[0]


def _twin(column: Column, columns: Sequence[Column]) -> bool:
    """Whether a category of the table is the same, level by level."""
    same = [c for c in columns if c.kind in ("category", "group") and c.levels == column.levels]
    return any(len(cells(column.codes, c.codes)[0]) == c.levels for c in same)


def predictors(columns: Sequence[Column], outcome: str) -> list[Column]:
    """Columns that can stand on the right-hand side; of two that say the same, the number."""
    kinds = ("number", "0-1", "two numbers", "category", "date")
    usable = [c for c in columns if c.kind in kinds and c.name != outcome and not c.text_number]
    usable = [c for c in usable if c.kind != "category" or c.levels <= _MOST_CATEGORIES]
    numbers = [c for c in usable if c.kind in ("number", "0-1", "two numbers")]
    return [c for c in usable if c.kind != "category" or not any(_twin(n, [c]) for n in numbers)]


def suggest(
    outcome: Column, columns: Sequence[Column], groups: Sequence[Column], terms: Sequence[Term]
) -> tuple[list[Suggestion], list[str]]:
    """Formulas in lme4's grammar, none if nothing groups the rows, and sentences on predictors that were left out."""
    fine = {t.group for t in terms if t.identified and t.effect == "1"}
    usable = sorted((g for g in groups if g.name in fine), key=lambda g: -g.levels)
    varies = [g for g in usable if g.levels >= FEW_LEVELS][:_MOST_GROUPS]
    few = [g for g in usable if g.levels < FEW_LEVELS and len(g.columns) == 1]
    if not varies:
        varies, few = usable[:1], []
    if not varies:
        return [], []
    able = predictors(columns, outcome.name)
    chosen = independent(able, few, (outcome, *varies), _MOST_PREDICTORS)
    fixed, possible = chosen.columns, len(able) - len(chosen.left_out)
    texts = _texts(fixed, few)
    y = spelled(outcome.name)
    intercepts = " + ".join(f"(1 | {written(g)})" for g in varies)
    names = listed(g.name for g in varies)
    why = f"no predictor: how much of {outcome.name} lies between levels of {names}"
    out = [Suggestion(f"{y} ~ 1 + {intercepts}", why)]
    if not texts:
        return out, chosen.left_out
    right = " + ".join(texts)
    reason = f"each level of {names} has an intercept of its own"
    if possible > len(fixed):
        reason += f" (the first {len(fixed)} of {possible} possible predictors)"
    if few:
        reason += f"; {listed(g.name for g in few)} has too few levels to vary at random and is a fixed effect"
    out.append(Suggestion(f"{y} ~ {right} + {intercepts}", reason))
    slope = _slope(fixed, varies, terms)
    if slope is not None:
        x, group = slope
        random = " + ".join(
            f"(1 + {spelled(x.name)} | {written(g)})" if g is group else f"(1 | {written(g)})" for g in varies
        )
        why = f"{x.name} varies within {group.name}: its effect may differ from one to the next"
        out.append(Suggestion(f"{y} ~ {right} + {random}", why))
    out += _contextual(outcome, fixed, varies, few, intercepts)
    return out, chosen.left_out


def _texts(fixed: Sequence[Column], few: Sequence[Column]) -> list[str]:
    """The terms of the fixed part."""
    return [spelled(c.name) for c in fixed] + [_as_category(g) for g in few]


def _as_category(group: Column) -> str:
    return spelled(group.name) if group.numbers is None else f"C({spelled(group.name)})"


def _slope(able: Sequence[Column], groups: Sequence[Column], terms: Sequence[Term]) -> tuple[Column, Column] | None:
    """The first predictor whose slope can vary, a time before all others, and by which group."""
    good = {(t.effect, t.group) for t in terms if t.identified and not t.reason.startswith("warning")}
    ordered = sorted(able, key=lambda c: (not names_time(c.name), c.kind == "category"))
    return next(((x, g) for x in ordered for g in groups if (x.name, g.name) in good), None)


def _contextual(
    outcome: Column, able: Sequence[Column], groups: Sequence[Column], few: Sequence[Column], intercepts: str
) -> list[Suggestion]:
    """Split the first predictor that differs both within and between groups."""
    for group in groups:
        for x in able:
            if x.kind != "number" or x.numbers is None or names_time(x.name) or not x.name.isidentifier():
                continue
            found = split(x.numbers, group.codes)
            # with MSB/MSW = F, the ICC is (F − 1)/(F + n₀ − 1)
            if not found.sd_within > 0 or not found.icc > (_BOTH - 1) / (_BOTH + found.size - 1):
                continue
            parts = _halves(x, x.numbers, group)
            names = [part.name for part in parts]
            others = [c for c in able if c is not x and c.name not in names]  # one may be the mean by another name
            kept = independent([*parts, *others], few, (outcome, *groups), len(able) + 1).columns
            if kept[:2] != parts:
                continue
            at = sum(c in kept for c in able[: able.index(x)])
            right = " + ".join(_texts([*kept[2 : 2 + at], *parts, *kept[2 + at :]], few))
            by = ", ".join(f'"{name}"' for name in group.columns)
            by = by if len(group.columns) == 1 else f"[{by}]"
            why = (
                f"{x.name} differs within {group.name} and between (ICC {found.icc:.2f}), and its effect need not be "
                f'the same; first data = ms.within_between(data, "{x.name}", {by})'
            )
            return [Suggestion(f"{spelled(outcome.name)} ~ {right} + {intercepts}", why)]
    return []


def _halves(x: Column, numbers: Floats, group: Column) -> list[Column]:
    """The columns that `mixedsim.within_between` will make of x."""
    use = np.isfinite(numbers) & (group.codes >= 0)
    within = np.full(len(numbers), np.nan)
    within[use] = deviations(numbers[use], group.codes[use])
    halves = {"within": within, "mean": numbers - within}
    made = [(f"{x.name}_{which}", *pd.factorize(values, sort=True), values) for which, values in halves.items()]
    return [Column(name, "number", codes, len(levels), values) for name, codes, levels, values in made]


def about_outcome(outcome: Column) -> str:
    """What kind of model an outcome asks for, where it is not a linear one; else empty."""
    if outcome.kind == "0-1":
        return f"{outcome.name} is 0 or 1: a logistic model (family binomial) says more than a linear one."
    if outcome.kind == "two numbers":
        return f"{outcome.name} has two values: as 0 and 1, in a logistic model (family binomial), it says more."
    if outcome.kind in ("category", "group", "identifier"):
        return (
            f"{outcome.name} holds {counted(outcome.levels, 'category', 'categories')}: a linear model needs a number."
        )
    return ""
