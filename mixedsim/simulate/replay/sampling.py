"""Positions drawn from 0, …, n − 1 as R's `sample` draws them, with and without replacement and weights.

Methods, all named in R's help page of `sample` and `RNGkind`: rejection of random bits for equal chances (R since
3.6.0; why: Ottoboni & Stark 2018, Random problems with R, arXiv:1809.06520); the alias method of Walker (1977, ACM
Trans. Math. Softw. 3, 253–256) as Ripley (1987, Stochastic Simulation) tells it, where there are more than 200
probable values; else the sum of the chances in falling order.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.replay.words import Array, Words

Positions = NDArray[np.int64]

_PIECE = 16  # bits that R takes from one uniform number
_MANY = 10_000_000  # beyond it R looks for repetitions in place of listing all values
_PROBABLE = 0.1  # a value counts for the alias method if it is expected more than so often in n draws
_ALIAS = 200


def with_replacement(words: Words, n: int, count: int) -> Positions:
    """`count` positions, all equally likely each time."""
    found: list[Positions] = []
    while count:
        tries = int(count * 2 ** _bits(n) / n * 1.1) + 16
        drawn, width = _attempts(words, n, tries)
        used = np.flatnonzero(drawn < n)[:count]
        found.append(drawn[used])
        words.skip(width * (int(used[-1]) + 1 if len(used) == count else tries))
        count -= len(used)
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def without_replacement(words: Words, n: int, count: int) -> Positions:
    """`count` different positions, all orders equally likely.

    The one taken makes place for the last one, as in Durstenfeld (1964, Communications of the ACM 7, 420): step after
    step, since every step changes what the next may take.
    """
    if n > _MANY and count <= n / 2:
        return _without_repetition(words, n, count)
    left = list(range(n))
    taken: list[int] = []
    while len(taken) < count:
        within = 2 ** _bits(len(left))  # as long as more than half of it is left, attempts look alike
        drawn, width = _attempts(words, len(left), min(2 * (count - len(taken)), len(left)) + 16)
        tries = 0
        for position in drawn.tolist():
            tries += 1
            if position < len(left):
                taken.append(left[position])
                left[position] = left[-1]
                left.pop()
                if len(taken) == count or len(left) <= within // 2:
                    break
        words.skip(width * tries)
    return np.array(taken, dtype=np.int64)


def weighted_with_replacement(words: Words, weights: Array, count: int) -> Positions:
    """`count` positions with chances proportional to `weights`."""
    chances = _chances(weights)
    if (len(chances) * chances > _PROBABLE).sum() > _ALIAS:
        return _by_alias(words, chances, count)
    order = _falling(chances)
    edges = np.cumsum(chances[order])[:-1]
    found: Positions = order[np.searchsorted(edges, words.take(count), side="left")]
    return found


def weighted_without_replacement(words: Words, weights: Array, count: int) -> Positions:
    """`count` different positions, each with a chance proportional to its weight among those left."""
    chances = _chances(weights)
    order = _falling(chances)
    falling = chances[order]
    total = 1.0
    found = np.empty(count, dtype=np.int64)
    for step, uniform in enumerate(words.take(count)):
        sums = np.cumsum(falling)
        at = min(int(np.searchsorted(sums, total * uniform, side="left")), len(falling) - 1)
        found[step] = order[at]
        total -= falling[at]
        order, falling = np.delete(order, at), np.delete(falling, at)
    return found


def _bits(n: int) -> int:
    return math.ceil(math.log2(n))


def _attempts(words: Words, n: int, tries: int) -> tuple[Positions, int]:
    """So many numbers of just as many bits as n − 1 has, and how many words each takes; too large ones are rejected."""
    width = _bits(n) // _PIECE + 1
    return _from_pieces(words.peek(tries * width), n, width)[::width], width


def _from_pieces(uniforms: Array, n: int, width: int) -> Positions:
    """At every place what a draw makes of `width` uniform numbers: 16 bits of each, cut to the bits of n − 1."""
    pieces = np.floor(uniforms * 2**_PIECE).astype(np.int64)
    values: Positions = pieces[: len(pieces) - width + 1]
    for more in range(1, width):
        values = values * 2**_PIECE + pieces[more : len(pieces) - width + 1 + more]
    values &= 2 ** _bits(n) - 1
    return values


def _without_repetition(words: Words, n: int, count: int) -> Positions:
    """Positions drawn with replacement, those that came before left out."""
    seen: dict[int, None] = {}
    while len(seen) < count:
        drawn, width = _attempts(words, n, 2 * (count - len(seen)) + 16)
        tries = 0
        for position in drawn.tolist():
            tries += 1
            if position < n:
                seen[position] = None
                if len(seen) == count:
                    break
        words.skip(width * tries)
    return np.array(list(seen), dtype=np.int64)


def _chances(weights: Array) -> Array:
    """Weights divided by their sum, which is added up one after the other as R does."""
    chances: Array = weights / np.cumsum(weights)[-1]
    return chances


def _falling(chances: Array) -> Positions:
    """Positions in the order of falling chances, by heapsort.

    A stable sort would put equal chances in another order than R, and so give other samples: this is algorithm H of
    Knuth, The Art of Computer Programming 3, 5.2.3, with the order turned round.
    """
    key = chances.tolist()
    order = list(range(len(key)))
    low, high = len(key) // 2, len(key) - 1
    while high > 0:
        if low > 0:  # building the heap, whose top is the smallest
            low -= 1
            moving = order[low]
        else:  # the top goes behind the others
            moving, order[high] = order[high], order[0]
            high -= 1
        hole, child = low, 2 * low + 1
        while child <= high:
            if child < high and key[order[child]] > key[order[child + 1]]:
                child += 1
            if key[moving] <= key[order[child]]:
                break
            order[hole] = order[child]
            hole, child = child, 2 * child + 1
        order[hole] = moving
    return np.array(order, dtype=np.int64)


def _by_alias(words: Words, chances: Array, count: int) -> Positions:
    """n equal columns, each shared by a position and its alias: a column is drawn, then which of the two it is."""
    share, alias = _columns(chances)
    found: list[Positions] = []
    while count:
        column, uniform = _columns_drawn(words, len(chances), count)
        found.append(np.where(uniform < share[column], column, alias[column]))
        count -= len(column)
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _columns(chances: Array) -> tuple[Array, Positions]:
    """Each position's share of its own column, and who has the rest of it.

    Positions whose chance is too small for a column take the rest from the last one whose chance is too large.
    """
    share = (chances * len(chances)).tolist()
    alias = list(range(len(share)))
    poor = deque(at for at in alias if share[at] < 1)
    rich = [at for at in alias if share[at] >= 1]
    while poor and rich:
        giver, taker = rich[-1], poor.popleft()
        alias[taker] = giver
        share[giver] += share[taker] - 1
        if share[giver] < 1:
            poor.append(rich.pop())
    return np.array(share), np.array(alias, dtype=np.int64)


def _columns_drawn(words: Words, n: int, count: int) -> tuple[Positions, Array]:
    """Up to `count` columns, by rejection, each with the uniform number that follows it."""
    width = _bits(n) // _PIECE + 1
    look = int(count * (width * 2 ** _bits(n) / n + 1) * 1.1) + 16
    uniforms = words.peek(look)
    column = _from_pieces(uniforms, n, width)
    fits = (column < n).tolist()
    at = 0
    ends: list[int] = []
    while len(ends) < count and at < len(fits) - 1:
        at += width
        if fits[at - width]:
            ends.append(at)
            at += 1
    words.skip(at)
    followed = np.array(ends, dtype=np.int64)
    return column[followed - width], uniforms[followed]
