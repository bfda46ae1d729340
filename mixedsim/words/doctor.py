"""`ms.structure`: what the rows of a table say about its groups, before any model."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations as couples
from typing import Any

import numpy as np
import pandas as pd

from mixedsim.errors import DataError, nearest, shown
from mixedsim.frame import as_frame
from mixedsim.listing import counted, listed, spread
from mixedsim.words.complaints import complaints
from mixedsim.words.identification import Term, random_terms, typical
from mixedsim.words.kinds import Column, read_kinds
from mixedsim.words.relations import Pair, combinations, relate
from mixedsim.words.structure_table import Structure
from mixedsim.words.suggestions import Suggestion, about_outcome, guess_outcome, predictors, suggest
from mixedsim.words.variance import split, varying


def structure(data: Any, response: str | None = None, *, groups: Collection[str] = ()) -> Structure:
    """The `Structure` of a table: which columns group the rows, how the groups stand to each other, what varies where.

    Prints as tables and sentences; suggests formulas that the data can carry. Nothing is fitted.

    Parameters
    ----------
    data : a DataFrame, or anything that becomes one.
    response : the outcome; without it, a number that varies within groups is taken, and the print says which.
    groups : columns that are groups although they do not look it, such as items numbered 1 to 20. How columns are
        told apart is in `mixedsim.words.kinds.read_kinds`, when ids count as used again (class 1 … 4 in every school)
        in `mixedsim.words.relations.relate`.

    Raises
    ------
    DataError
        If the data are no table, have no rows or no columns, or lack the response or a group.

    Examples
    --------
    >>> import mixedsim as ms
    >>> found = ms.structure(ms.datasets.load("Pastes"), response="strength")
    >>> found.pairs[["a", "relation", "b"]]
                a              relation       b
    0        cask  implicitly nested in   batch
    1      sample             nested in   batch
    2      sample             nested in    cask
    3  batch:cask                  same  sample
    >>> print(found.formulas.loc[0, "formula"])
    strength ~ 1 + (1 | sample) + (1 | batch)
    """
    frame = as_frame(data)
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise DataError("the data have no rows, or no columns: check how they were read or filtered.")
    known = [str(label) for label in frame.columns]
    told = [groups] if isinstance(groups, str) else list(groups)
    for what, name in [("response", response), *(("groups", name) for name in told)]:
        if name is not None and name not in known:
            raise DataError(f"{what} names a column {shown(name)}, which the data do not have: {nearest(name, known)}")
    columns = read_kinds(frame, told, response)
    plain = [c for c in columns if c.kind == "group" and c.name != response]
    pairs = [relate(a, b, [c for c in columns if c.name not in (a.name, b.name)]) for a, b in couples(plain, 2)]
    made = combinations(plain, pairs)
    every = [*plain, *made]
    pairs += [relate(new, old) for new in made for old in plain if old.name not in new.columns]
    outcome = next((c for c in columns if c.name == response), None) or guess_outcome(columns, every)
    name = outcome.name if outcome is not None else ""
    terms = random_terms(predictors(columns, name), every, pairs)
    formulas, left_out = suggest(outcome, columns, every, terms) if outcome is not None else ([], [])
    sentences = [*_about_groups(every, pairs), *complaints(columns, every), *left_out]
    sentences += _about_outcome(outcome, response, formulas)
    return Structure(
        rows=len(frame),
        columns=_columns(columns, _units(every, pairs), pairs),
        groups=_groups(every, pairs),
        pairs=_pairs(pairs),
        terms=pd.DataFrame([vars(t) for t in terms], columns=["text", "group", "effect", "identified", "reason"]),
        formulas=pd.DataFrame([vars(f) for f in formulas], columns=["formula", "reason"]),
        sentences=tuple(sentences),
    )


def _units(groups: Sequence[Column], pairs: Sequence[Pair]) -> list[Column]:
    """Groups without ids that mean something in combination only, combinations that have a column, and single rows."""
    children = {p.a for p in pairs if p.relation == "implicitly nested in"}
    twins = {name for p in pairs if p.relation == "same" for name in (p.a, p.b)}
    plain = [g for g in groups if g.name not in children and not (len(g.columns) > 1 and g.name in twins)]
    return [g for g in plain if g.per_level.max(initial=0) > 1]


def _columns(columns: Sequence[Column], groups: Sequence[Column], pairs: Sequence[Pair]) -> pd.DataFrame:
    """One row a column; the shares of variance between the levels of each group stand last."""
    rows = []
    for column in columns:
        inside = [] if column.levels < 2 else [g for g in groups if _constant(column, g)]
        widest = _widest(inside, pairs)
        row: dict[str, Any] = {
            "kind": column.kind,
            "levels": column.levels,
            "missing": column.missing,
            "varies": _varies(column, widest),
            "constant_within": ", ".join(g.name for g in inside),
        }
        for group in groups:
            row[f"between {group.name}"] = _share(column, group)
        rows.append(row)
    return pd.DataFrame(rows, index=pd.Index([c.name for c in columns], name="column"))


def _share(column: Column, group: Column) -> float:
    numbers = column.numbers
    if numbers is None or column.kind not in ("number", "0-1", "two numbers", "date"):
        return float("nan")
    return split(numbers, group.codes).share


def _constant(column: Column, group: Column) -> bool:
    """Whether every level of the group has one value, at least one of them in two rows."""
    if column.name in group.columns:
        return False
    several, repeated = varying(column.codes, group.codes)
    return several == 0 and repeated > 0


def _widest(inside: Sequence[Column], pairs: Sequence[Pair]) -> list[str]:
    """Of groups that a column is constant within, those that lie in no other of them."""
    names = [g.name for g in inside]
    narrow = {p.a for p in pairs if p.relation == "nested in" and p.a in names and p.b in names}
    narrow |= {p.b for p in pairs if p.relation == "same" and p.a in names and p.b in names}
    made = {g.name for g in inside if any(part in names for part in g.columns) and len(g.columns) > 1}
    return [name for name in names if name not in narrow | made]


def _varies(column: Column, widest: Sequence[str]) -> str:
    if column.levels < 2:
        return "nowhere"
    if column.kind == "group":
        return "by itself"
    return f"by {listed(widest)}" if widest else "by row"


def _groups(groups: Sequence[Column], pairs: Sequence[Pair]) -> pd.DataFrame:
    rows = []
    for group in groups:
        low, middle, high = typical(group)
        row = {"levels": group.levels, "rows_min": int(low), "rows_median": middle, "rows_max": int(high)}
        rows.append({**row, "relation": "; ".join(_relations(group, pairs)), "why": group.why})
    columns = ["levels", "rows_min", "rows_median", "rows_max", "relation", "why"]
    return pd.DataFrame(rows, index=pd.Index([g.name for g in groups], name="group"), columns=columns)


_BACK = {"nested in": "holds", "implicitly nested in": "holds"}


def _relations(group: Column, pairs: Sequence[Pair]) -> list[str]:
    """What a group is to all others, each relation once."""
    said: dict[str, list[str]] = {}
    for pair in pairs:
        if pair.a == group.name:
            said.setdefault("same as" if pair.relation == "same" else pair.relation, []).append(pair.b)
        elif pair.b == group.name:
            back = _BACK.get(pair.relation, pair.relation)
            said.setdefault("same as" if back == "same" else back, []).append(pair.a)
    return [f"{relation} {listed(names)}" for relation, names in said.items()]


def _pairs(pairs: Sequence[Pair]) -> pd.DataFrame:
    rows = []
    for p in pairs:
        row: dict[str, Any] = {"a": p.a, "relation": p.relation, "b": p.b, "cells": p.cells, "possible": p.possible}
        for name, n in (("rows_a_cell", p.rows), ("a_in_each_b", p.a_in_b), ("b_in_each_a", p.b_in_a)):
            row[name] = spread(n.min(), np.median(n), n.max(), "").strip() if len(n) else "0"
        rows.append({**row, "why": p.why})
    names = ["a", "relation", "b", "cells", "possible", "rows_a_cell", "a_in_each_b", "b_in_each_a", "why"]
    return pd.DataFrame(rows, columns=names)


def _about_groups(groups: Sequence[Column], pairs: Sequence[Pair]) -> list[str]:
    if not groups:
        return ["No column groups the rows: nothing here calls for a mixed model. If one does, name it: groups=[…]."]
    out = []
    for group in groups:
        if len(group.columns) == 1:
            why = f" (taken for a group: {group.why})" if group.why and _worth_saying(group) else ""
            out.append(
                f"{group.name} groups the rows: {counted(group.levels, 'level')} of "
                f"{spread(*typical(group), 'row')} each{why}."
            )
    children = {p.a for p in pairs if p.relation == "implicitly nested in"}
    whole = {g.columns[-1]: g.name for g in groups if len(g.columns) > 1}
    for pair in pairs:  # what the same label of different things is nested in or crossed with is of no interest
        matters = pair.relation == "implicitly nested in" or not children.intersection((pair.a, pair.b))
        if matters and not _follows(pair, pairs):
            out.append(_sentence(pair, whole.get(pair.a, "")))
    return out


def _follows(pair: Pair, pairs: Sequence[Pair]) -> bool:
    """Whether a is nested in b because it is nested in something that is."""
    nested = {(p.a, p.b) for p in pairs if p.relation in ("nested in", "implicitly nested in")}
    return (pair.a, pair.b) in nested and any((pair.a, c) in nested and (c, pair.b) in nested for _, c in nested)


def _worth_saying(group: Column) -> bool:
    return group.numbers is not None and group.why not in ("its name", "as told")


def _sentence(pair: Pair, whole: str = "") -> str:
    """A pair in words; `whole` is the combination that a's ids stand for, where they are used again."""
    a, b = pair.a, pair.b
    if pair.relation == "same" and (":" in a or ":" in b):
        made, column = (a, b) if ":" in a else (b, a)
        return f"{column} numbers the levels of {made}: (1 | {column}) and (1 | {made}) are the same term."
    if pair.relation == "same":
        return f"{a} and {b} group the rows alike: a model needs one of them."
    if pair.relation == "nested in":
        inside = spread(pair.a_in_b.min(), np.median(pair.a_in_b), pair.a_in_b.max(), "level")
        return f"{a} is nested in {b}: {inside} of {a} in each {b}, each in no other."
    if pair.relation == "implicitly nested in":
        return (
            f"{a} looks nested in {b} with ids used again ({pair.why}): the same label in two levels of {b} is then "
            f"not the same {a}, and the group is {whole}. If it does mean the same in every {b}, the two are crossed."
        )
    rows = spread(pair.rows.min(), np.median(pair.rows), pair.rows.max(), "row") if pair.cells else "no rows"
    share = f"all {pair.possible:,}" if pair.cells == pair.possible else f"{pair.cells:,} of {pair.possible:,}"
    sentence = f"{a} and {b} are {pair.relation.removesuffix(' with')}: {share} combinations occur, with {rows} each."
    if pair.cells and pair.rows.max() == 1:
        sentence += f" One row each, so (1 | {a}:{b}) could not be told from the residual."
    return f"{sentence} {pair.why[0].upper()}{pair.why[1:]}" if pair.why else sentence


def _about_outcome(outcome: Column | None, response: str | None, formulas: Sequence[Suggestion]) -> list[str]:
    if outcome is None:
        return ["No number varies from row to row, so no outcome was guessed: name it with response=…."]
    out = [about_outcome(outcome)]
    if response is None and formulas:
        out.append(f"The formulas take {outcome.name} for the outcome; name another with response=….")
    return [sentence for sentence in out if sentence]


__all__ = ["Structure", "Term", "structure"]
