"""Which random terms the rows can tell from the residual, and from each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixedsim.formula import spelled
from mixedsim.listing import counted
from mixedsim.words.kinds import Column
from mixedsim.words.relations import Pair
from mixedsim.words.variance import varying

FEW_LEVELS = 5


@dataclass(frozen=True)
class Term:
    """One random term: whether the data identify it, and why or why not; a warning may stand beside a yes."""

    text: str
    group: str
    effect: str
    identified: bool
    reason: str


def written(group: Column) -> str:
    """A group as a formula has it: backticks where its name, or a part of it, is no plain word.

    Python's own words (``class``) need none to the right of a bar.
    """
    return ":".join(part if part.isidentifier() else spelled(part) for part in group.columns)


def random_terms(columns: Sequence[Column], groups: Sequence[Column], pairs: Sequence[Pair]) -> list[Term]:
    """``(1 | g)`` and ``(1 + x | g)`` for every group g and every predictor x, with the verdict on each."""
    parents = {p.a: p.b for p in pairs if p.relation == "implicitly nested in"}
    same = {p.a if _later(groups, p.a, p.b) else p.b: (p.a, p.b) for p in pairs if p.relation == "same"}
    whole = {g.columns[-1]: g.name for g in groups if len(g.columns) > 1}
    out = []
    for group in groups:
        refused = _why_not_at_all(group)
        if group.name in parents:
            refused = (
                f"the same label in two levels of {parents[group.name]} is not the same {group.name}: "
                f"group by {whole.get(group.name, '')}"
            )
        elif group.name in same:
            twin = next(name for name in same[group.name] if name != group.name)
            refused = f"groups the rows exactly as {twin} does: one of the two is enough"
        text = f"(1 | {written(group)})"
        out.append(Term(text, group.name, "1", not refused, refused or _enough(group)))
        if not refused:
            out += [_slope(column, group) for column in columns if column.name not in group.columns]
    return out


def _later(groups: Sequence[Column], a: str, b: str) -> bool:
    """Of two groups that are the same, a column of the table comes before a combination of columns."""
    names = [g.name for g in groups]
    return names.index(a) > names.index(b)


def _why_not_at_all(group: Column) -> str:
    rows = int(group.per_level.sum())
    if group.levels < 2:
        return "one level only: nothing can vary between levels"
    if group.levels >= rows:
        return "one row a level: nothing separates the levels from the residual"
    return ""


def _enough(group: Column) -> str:
    n = group.per_level
    if group.levels < FEW_LEVELS:
        return f"warning: {group.levels} levels only tell little about how levels vary; a fixed effect may serve better"
    singles = int((n == 1).sum())
    if singles > 0.5 * group.levels:
        return f"warning: {singles} of {group.levels} levels have one row only; the others must tell the two apart"
    return f"{counted(group.levels, 'level')}, {int((n > 1).sum()):,} of them with two rows or more"


def _slope(x: Column, group: Column) -> Term:
    """The verdict on ``(1 + x | g)``."""
    text = f"(1 + {spelled(x.name)} | {written(group)})"
    effects = x.levels if x.numbers is None else 2
    differs, _ = varying(x.codes, group.codes)
    rows = int(((x.codes >= 0) & (group.codes >= 0)).sum())
    reason, good = "", False
    if differs == 0:
        reason = f"{x.name} has one value in each level of {group.name}: no level shows a slope"
    elif group.levels * effects >= rows:
        reason = f"{group.levels * effects} random effects ({group.levels} levels × {effects}) for {rows} rows"
    elif differs < 2:
        reason = f"{x.name} varies within one level of {group.name} only"
    else:
        good = True
        reason = f"{x.name} varies within {differs} of {group.levels} levels"
        if differs < FEW_LEVELS:
            reason = f"warning: {reason} only, which tell little about how slopes vary"
    return Term(text, group.name, x.name, good, reason)


def typical(group: Column) -> tuple[float, float, float]:
    """Smallest, median and largest number of rows a level."""
    n = group.per_level
    return (float(n.min()), float(np.median(n)), float(n.max())) if len(n) else (0.0, 0.0, 0.0)
