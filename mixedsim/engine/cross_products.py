"""The waist of the hourglass: all that a linear mixed model needs to know of its data.

``Z'WZ, Z'WX, Z'Wy, X'WX, X'Wy, y'Wy``, the number of rows and ``Σ log w``. Chunks of rows add up, so that data may
come in any number of pieces; many responses on one design share everything but ``Z'Wy, X'Wy, y'Wy``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
_SHORT = 30  # mean rows of a run below which a sum of its own does not pay
Column = Floats | float  # a float stands for a column that is the same in every row


@dataclass(frozen=True, eq=False)
class Grouping:
    """One grouping factor as rows see it.

    Attributes
    ----------
    codes : n integers in [0, levels): the level of each row.
    levels : J, the number of levels.
    columns : the q columns of effects that vary by this factor.
    """

    codes: Codes
    levels: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, eq=False)
class CrossBlocks:
    """``Z_f'WZ_g`` for two factors: only the pairs of levels that occur together.

    Attributes
    ----------
    left, right : P level numbers each, sorted by (left, right), no pair twice.
    blocks : P × q_f × q_g.
    """

    left: Codes
    right: Codes
    blocks: Floats


@dataclass(frozen=True, eq=False)
class CrossProducts:
    """Everything that the likelihood needs from the rows (F factors, p fixed columns, r responses).

    Attributes
    ----------
    zz : for each factor f, J_f × q_f × q_f: the diagonal blocks of Z'WZ.
    cross : for factors f < g, the off-diagonal blocks between them.
    zx, zy : for each factor, J_f × q_f × p and J_f × q_f × r.
    xx, xy, yy : p × p, p × r, and r sums of squares.
    n : rows with a positive weight.
    log_weights : Σ log w over those rows (0 without weights).
    """

    zz: tuple[Floats, ...]
    cross: dict[tuple[int, int], CrossBlocks]
    zx: tuple[Floats, ...]
    zy: tuple[Floats, ...]
    xx: Floats
    xy: Floats
    yy: Floats
    n: int
    log_weights: float = 0.0

    @property
    def p(self) -> int:
        """Number of fixed-effect columns."""
        return int(self.xx.shape[0])

    @property
    def responses(self) -> int:
        """Number of responses that share this design."""
        return int(self.yy.shape[0])

    def __add__(self, other: CrossProducts) -> CrossProducts:
        """Cross-products of both sets of rows together; levels and columns must be numbered alike."""
        return CrossProducts(
            zz=tuple(a + b for a, b in zip(self.zz, other.zz, strict=True)),
            cross={key: _merge(block, other.cross[key]) for key, block in self.cross.items()},
            zx=tuple(a + b for a, b in zip(self.zx, other.zx, strict=True)),
            zy=tuple(a + b for a, b in zip(self.zy, other.zy, strict=True)),
            xx=self.xx + other.xx,
            xy=self.xy + other.xy,
            yy=self.yy + other.yy,
            n=self.n + other.n,
            log_weights=self.log_weights + other.log_weights,
        )

    def response(self, k: int) -> CrossProducts:
        """The same design with response number `k` alone."""
        only = slice(k, k + 1)
        return replace(self, zy=tuple(z[:, :, only] for z in self.zy), xy=self.xy[:, only], yy=self.yy[only])


def cross_products(
    groups: Sequence[Grouping], x: Sequence[Column], y: Floats, weights: Floats | None = None
) -> CrossProducts:
    """Return the `CrossProducts` of n rows.

    Parameters
    ----------
    groups : one `Grouping` for each grouping factor.
    x : the p fixed-effect columns; a float is a constant column.
    y : n responses, or n × r for r responses on the same design.
    weights : n positive prior weights, or None for equal ones.

    Sums are taken over groups with `bincount`: one pass over the rows for each distinct product of two columns, and
    products that fixed and varying effects share are taken once.
    """
    responses = y.reshape(len(y), -1)
    n = len(responses)
    right: list[Column] = [*x, *responses.T]
    p = len(x)
    zz, zx, zy = [], [], []
    for group in groups:
        sums = _GroupSums(group, weights)
        q = len(group.columns)
        block = np.empty((group.levels, q, q))
        for a in range(q):
            for b in range(a + 1):
                block[:, a, b] = block[:, b, a] = sums(group.columns[a], group.columns[b])
        beside = np.empty((group.levels, q, len(right)))
        for a in range(q):
            for k, column in enumerate(right):
                beside[:, a, k] = sums(group.columns[a], column)
        zz.append(block)
        zx.append(np.ascontiguousarray(beside[:, :, :p]))
        zy.append(np.ascontiguousarray(beside[:, :, p:]))
    cross = {(f, g): _pairs(groups[f], groups[g], weights) for g in range(len(groups)) for f in range(g)}
    xw, yy = _over_all(x, responses, weights, groups, zx, zy)
    log_weights = 0.0 if weights is None else float(np.log(weights).sum())
    return CrossProducts(tuple(zz), cross, tuple(zx), tuple(zy), xw[:, :p], xw[:, p:], yy, n, log_weights)


def _over_all(
    x: Sequence[Column],
    responses: Floats,
    weights: Floats | None,
    groups: Sequence[Grouping],
    zx: Sequence[Floats],
    zy: Sequence[Floats],
) -> tuple[Floats, Floats]:
    """``X'W[X y]`` (p × (p + r)) and ``y'Wy`` (r).

    What the effects of the first factor say by group adds up to what they say of all rows, so only the other fixed
    columns have to be looked at again.
    """
    p, r = len(x), responses.shape[1]
    out = np.empty((p, p + r))
    effects = {_key(column): a for a, column in enumerate(groups[0].columns)} if groups else {}
    known = [k for k in range(p) if _key(x[k]) in effects]
    if known:
        ones = np.ones(len(zx[0]))
        for k in known:
            a = effects[_key(x[k])]
            out[k, :p], out[k, p:] = ones @ zx[0][:, a], ones @ zy[0][:, a]
            out[:p, k] = out[k, :p]
    others = [k for k in range(p) if k not in known]
    if not others:
        weighted = responses if weights is None else responses * weights[:, None]
        return out, np.einsum("ij,ij->j", weighted, responses)
    rows = np.empty((len(responses), len(others) + r), order="F")
    for j, k in enumerate(others):
        rows[:, j] = x[k]
    rows[:, len(others) :] = responses
    weighted = rows if weights is None else rows * weights[:, None]
    products = weighted[:, : len(others)].T @ rows
    out[np.ix_(others, others)] = products[:, : len(others)]
    out[np.ix_(others, range(p, p + r))] = products[:, len(others) :]
    return out, np.einsum("ij,ij->j", weighted[:, len(others) :], rows[:, len(others) :])


class _GroupSums:
    """Sums of products of two columns within the levels of one factor, each product summed once."""

    def __init__(self, group: Grouping, weights: Floats | None) -> None:
        self.group = group
        self.weights = weights
        self.known: dict[tuple[object, object], Floats] = {}
        self.starts = _starts(group.codes)
        self._scratch = np.empty(len(group.codes))  # fresh memory for every product costs more than the product

    def __call__(self, a: Column, b: Column) -> Floats:
        first, second = (a, b) if _key(a) <= _key(b) else (b, a)
        key = (_key(first), _key(second))
        if key not in self.known:
            self.known[key] = self._sum(first, second)
        return self.known[key]

    def _sum(self, a: Column, b: Column) -> Floats:
        factor = 1.0
        arrays = [] if self.weights is None else [self.weights]
        for column in (a, b):
            if isinstance(column, float):
                factor *= column
            else:
                arrays.append(column)
        if not arrays:
            return np.asarray(factor * self._counts(), dtype=np.float64)
        product = arrays[0]
        for column in arrays[1:]:
            product = np.multiply(product, column, out=self._scratch)
        if self.starts is not None:
            return factor * self._placed(np.add.reduceat(product, self.starts))
        sums = np.bincount(self.group.codes, weights=product, minlength=self.group.levels)
        return np.asarray(factor * sums, dtype=np.float64)

    def _counts(self) -> Floats | Codes:
        if self.starts is None:
            return np.bincount(self.group.codes, minlength=self.group.levels)
        return self._placed(np.diff(self.starts, append=len(self.group.codes)))

    def _placed(self, of_runs: NDArray[Any]) -> Floats:
        """What was summed run by run, at the levels that the runs belong to."""
        out = np.zeros(self.group.levels)
        out[self.group.codes[self.starts]] = of_runs
        return out


def _starts(codes: Codes) -> Codes | None:
    """Where each level's rows begin, if rows stand in the order of their levels; None if not, or if runs are short.

    Sums over runs take a fifth of the time of sums over levels that come in any order.
    """
    if len(codes) < _SHORT or (codes[1:_SHORT] < codes[: _SHORT - 1]).any():
        return None
    changes = codes[1:] != codes[:-1]
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    firsts = codes[starts]
    if len(starts) * _SHORT > len(codes) or (firsts[1:] < firsts[:-1]).any():
        return None
    return starts


def _key(column: Column) -> tuple[int, float]:
    """Identity of a column: its value if constant, else the address of its array, which its owner keeps alive."""
    return (0, column) if isinstance(column, float) else (id(column), 0.0)


def _pairs(left: Grouping, right: Grouping, weights: Floats | None) -> CrossBlocks:
    """Cross-products between two factors, for the pairs of levels that occur."""
    pair = left.codes.astype(np.int64) * right.levels + right.codes
    if left.levels * right.levels <= 4 * len(pair) + 1000:  # nearly all pairs can be counted without sorting
        present = np.flatnonzero(np.bincount(pair, minlength=left.levels * right.levels))
        position = np.zeros(left.levels * right.levels, dtype=np.intp)
        position[present] = np.arange(len(present))
        which = position[pair]
    else:
        present, which = np.unique(pair, return_inverse=True)
    sums = _GroupSums(Grouping(which, len(present), ()), weights)
    blocks = np.empty((len(present), len(left.columns), len(right.columns)))
    for a, one in enumerate(left.columns):
        for b, other in enumerate(right.columns):
            blocks[:, a, b] = sums(one, other)
    return CrossBlocks((present // right.levels).astype(np.intp), (present % right.levels).astype(np.intp), blocks)


def _merge(one: CrossBlocks, other: CrossBlocks) -> CrossBlocks:
    """Add two sets of pair blocks."""
    width = 1 + max(one.right.max(initial=0), other.right.max(initial=0))
    pair = np.concatenate([one.left * width + one.right, other.left * width + other.right])
    present, which = np.unique(pair, return_inverse=True)
    blocks = np.zeros((len(present), *one.blocks.shape[1:]))
    blocks[which[: len(one.left)]] = one.blocks  # no pair stands twice in either
    blocks[which[len(one.left) :]] += other.blocks
    return CrossBlocks((present // width).astype(np.intp), (present % width).astype(np.intp), blocks)
