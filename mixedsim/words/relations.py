"""How two groups of the same rows stand to each other: nested, crossed, the same, or nested with ids used again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mixedsim.words.kinds import Column, runs_from_start
from mixedsim.words.names import names_shared, names_unit
from mixedsim.words.variance import Codes, cells, combined, varying

Relation: TypeAlias = Literal["same", "nested in", "implicitly nested in", "crossed with", "partially crossed with"]
_NEARLY = 0.9  # nested but for so few levels that somebody may have mistyped
_SHUFFLED = 0.5  # blocks of equal rows, over rows, from which on the rows are in no order
_SURE = 1e-3  # labels that differ so clearly in every level of the other group mean the same thing there


@dataclass(frozen=True, eq=False)
class Pair:
    """Two groups, read as a sentence: `a` `relation` `b`.

    Attributes
    ----------
    cells, possible : combinations that occur, and levels of a × levels of b.
    rows : rows of each combination that occurs.
    a_in_b, b_in_a : for each level of b, how many levels of a occur in it; and the other way round.
    why : what tells that ids are used again, or else how far the two are from being nested; may be empty.
    """

    a: str
    b: str
    relation: Relation
    cells: int
    possible: int
    rows: NDArray[np.int64]
    a_in_b: NDArray[np.intp]
    b_in_a: NDArray[np.intp]
    why: str = ""


def relate(a: Column, b: Column, others: Sequence[Column] = ()) -> Pair:
    """The `Pair` of two groups.

    Each level of a occurs in one level of b: a is **nested in** b (both ways: they are the **same**). All
    combinations occur: **crossed**; some do: **partially crossed**. Crossed ids may be ids that start again in every
    level of b, as classes 1 to 4 do in every school: a is **implicitly nested in** b if every level of b has the first
    k labels of a, most combinations have two rows or more, and

    * another column has one value in each combination, but several in levels of a and of b (a class size); or
    * k differs from level to level of b; or
    * the labels are names of units or numbers without gaps from 0 or 1 on, and no number among `others` differs
      between them in all levels of b alike, as it would between conditions (F test of the cell means, p < .001).

    A unit that everybody meets (``item``, ``rater``) is never taken for nested. The data alone cannot prove this.

    Parameters
    ----------
    a, b : the groups, in the order of the table: in rows without order, the first is taken for the wider one.
    others : the remaining columns, searched for evidence.
    """
    rows, own, other = cells(a.codes, b.codes)
    b_in_a, a_in_b = (n[n > 0] for n in (np.bincount(own), np.bincount(other)))
    found = (len(rows), len(b_in_a) * len(a_in_b), rows, a_in_b, b_in_a)
    if len(rows) == 0:
        return Pair(a.name, b.name, "partially crossed with", *found, "no row has both")
    if len(rows) == len(b_in_a) == len(a_in_b):
        return Pair(a.name, b.name, "same", *found)
    if len(rows) == len(b_in_a):
        return Pair(a.name, b.name, "nested in", *found)
    if len(rows) == len(a_in_b):
        return relate(b, a)
    if _changes_slower(a, b):
        why = _used_again(b, a, rows, other, own, others)
        if why:
            return _turned(Pair(a.name, b.name, "implicitly nested in", *found, why))
    else:
        why = _used_again(a, b, rows, own, other, others)
        if why:
            return Pair(a.name, b.name, "implicitly nested in", *found, why)
    crossed = len(rows) == found[1]
    return Pair(a.name, b.name, "crossed with" if crossed else "partially crossed with", *found, _nearly(a, b, found))


def _turned(pair: Pair) -> Pair:
    return Pair(pair.b, pair.a, pair.relation, pair.cells, pair.possible, pair.rows, pair.b_in_a, pair.a_in_b, pair.why)


def _nearly(a: Column, b: Column, found: tuple[int, int, NDArray[np.int64], Codes, Codes]) -> str:
    """Few levels of one that occur in several of the other may be slips of the pen."""
    _, _, _, a_in_b, b_in_a = found
    for one, other, per in ((a, b, b_in_a), (b, a, a_in_b)):
        alone = int((per == 1).sum())
        if alone >= _NEARLY * len(per) and len(per) - alone > 0:
            return (
                f"{alone} of {len(per)} levels of {one.name} occur in one level of {other.name} only, "
                f"{len(per) - alone} in several: units that moved, or ids that were mistyped?"
            )
    return ""


def _changes_slower(a: Column, b: Column) -> bool:
    """Whether a is the wider group if one is: the rows are sorted by it, or by neither and it stands first."""
    slow, fast = a.runs / a.levels, b.runs / b.levels
    in_no_order = min(a.runs, b.runs) > _SHUFFLED * len(a.codes)
    return in_no_order or slow <= fast


def _used_again(
    child: Column,
    parent: Column,
    rows: NDArray[np.int64],
    own: Codes,
    other: Codes,
    others: Sequence[Column],
) -> str:
    """What tells that the child's ids start again in every level of the parent; empty if nothing does."""
    if np.median(rows) < 2 or names_shared(child.name) or not runs_from_start(own, other):
        return ""
    cell = combined([parent.codes, child.codes])
    for column in others:
        if _belongs_to_cells(column, cell, child, parent):
            return f"{column.name} has one value in each {parent.name}:{child.name}"
    k = np.bincount(other)
    k = k[k > 0]
    if k.min() < k.max():
        return f"the labels start again in every {parent.name}, which has {k.min()} to {k.max()} of them"
    numbers = child.numbers is not None and child.whole and float(np.nanmin(child.numbers)) in (0.0, 1.0)
    if not (numbers or names_unit(child.name)) or child.levels > len(rows) / 2:
        return ""
    if any(_means_the_same(column, child, parent) for column in others):
        return ""
    return f"the same {k.max()} labels in every {parent.name}, with no sign that they mean the same there"


def _belongs_to_cells(column: Column, cell: Codes, child: Column, parent: Column) -> bool:
    """Whether a number or group has one value in each cell, and several in levels of child and of parent."""
    if column.kind not in ("number", "group") or column.name in (child.name, parent.name):
        return False
    several, enough = varying(column.codes, cell)
    if several or not enough:
        return False
    return all(varying(column.codes, c.codes)[0] > 0.5 * c.levels for c in (child, parent))


def _means_the_same(column: Column, child: Column, parent: Column) -> bool:
    """Whether the child's labels differ in a number by the same amounts in every level of the parent.

    Two-way analysis of variance of the cell means without replication: F = MS_labels / MS_interaction.
    """
    if column.kind not in ("number", "0-1") or column.numbers is None:
        return False
    use = np.isfinite(column.numbers) & (child.codes >= 0) & (parent.codes >= 0)
    shape = (parent.levels, child.levels)
    where = parent.codes[use] * child.levels + child.codes[use]
    n = np.bincount(where, minlength=shape[0] * shape[1])
    sums = np.bincount(where, weights=column.numbers[use] - column.numbers[use].mean(), minlength=len(n))
    complete = (n > 0).reshape(shape).all(axis=1)
    if complete.sum() < 2:
        return False
    means = (sums / np.maximum(n, 1)).reshape(shape)[complete]
    j, k = means.shape
    means = means - means.mean(axis=1, keepdims=True)
    labels = means.mean(axis=0)
    effect = j * float(labels @ labels) / (k - 1)
    rest = float(np.square(means - labels).sum()) / ((j - 1) * (k - 1))
    if effect <= 0:
        return False
    # a number that is the same table in every level of the parent has no interaction at all
    return rest <= 1e-12 * effect or float(special.fdtrc(k - 1, (j - 1) * (k - 1), effect / rest)) < _SURE


def combinations(groups: Sequence[Column], pairs: Sequence[Pair]) -> list[Column]:
    """The groups ``school:class`` that implicitly nested ids stand for, parents from the widest to the narrowest."""
    within = {p.a: [q.b for q in pairs if q.relation == "implicitly nested in" and q.a == p.a] for p in pairs}
    above = {(p.a, p.b) for p in pairs if p.relation == "nested in"}
    by_name = {g.name: g for g in groups}
    out = []
    for child, parents in within.items():
        narrow = [p for p in parents if not any((other, p) in above for other in parents)]
        if not narrow:
            continue
        chain = sorted(narrow, key=lambda name: len(within.get(name, [])))
        parts = [by_name[name].codes for name in (*chain, child)]
        codes = combined(parts)
        levels = int(codes.max(initial=-1)) + 1
        all_parts = (*chain, child)
        out.append(Column(":".join(all_parts), "group", codes, levels, None, "ids used again", parts=all_parts))
    return out
