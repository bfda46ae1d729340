"""Poisson numbers as R makes them: by inversion for means below 10, else from a normal number that is put right.

Method: Ahrens & Dieter (1982), Computer generation of Poisson deviates from modified normal distributions, ACM
Transactions on Mathematical Software 8, 163–179: case B (inversion) and algorithm PD.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.replay.exponential import from_every_place
from mixedsim.simulate.replay.normal import from_pairs
from mixedsim.simulate.replay.words import Array, Words

Counts = NDArray[np.int64]

_LARGE = 10.0
_LAST = 35  # where the table of an inversion ends; beyond it R begins anew with another uniform number
_BLOCK = 2**14  # draws by PD for which numbers are made ahead at once
_LONGEST = 512  # uniform numbers that one draw may take; the chance of more is nil

# The paper's coefficients a_0, …, a_7 for log(1 + v) − v over v², highest power first.
_A = (0.1250060, -0.1384794, 0.1421878, -0.1661269, 0.2000118, -0.2500068, 0.3333333, -0.5)
_DENSITY = 1 / math.sqrt(2 * math.pi)


def poissons(words: Words, means: Array) -> Counts:
    """One number for every mean; a mean of 0 takes no random number."""
    values = np.zeros(len(means), dtype=np.int64)
    open_ = np.flatnonzero(means > 0)
    draw = _by_inversion if (means < _LARGE).all() else _one_by_one
    values[open_] = draw(words, means[open_])
    return values


def _by_inversion(words: Words, means: Array) -> Counts:
    """The smallest k whose cumulative probability is at least the uniform number, all means at once."""
    values = np.zeros(len(means), dtype=np.int64)
    start = 0
    while start < len(means):
        mean, uniform = means[start:], words.peek(len(means) - start)
        chance = np.exp(-mean)
        reached = chance.copy()
        above = np.flatnonzero(uniform > reached)
        for k in range(1, _LAST + 1):
            chance[above] *= mean[above] / k
            reached[above] += chance[above]
            values[start + above] = k
            above = above[uniform[above] > reached[above]]
        done = int(above[0]) if above.size else len(mean)  # one beyond the table is drawn again, and all that follow
        words.skip(min(done + 1, len(mean)))
        values[start + done :] = 0
        start += done
    return values


def _one_by_one(words: Words, means: Array) -> Counts:
    """By algorithm PD, or by inversion where the mean is small: where each draw begins depends on all before it.

    The normal and exponential numbers that could begin at any place are made for a whole block at once.
    """
    values: list[int] = []
    while len(values) < len(means):
        these = means[len(values) : len(values) + _BLOCK].tolist()
        ahead = _Ahead(words.peek(3 * len(these) + _LONGEST))
        for mean in these:
            if len(ahead.uniform) - ahead.at < _LONGEST:
                break
            values.append(_inverted(mean, ahead) if mean < _LARGE else _Corrected(mean).draw(ahead))
        words.skip(ahead.at)
    return np.array(values, dtype=np.int64)


def _inverted(mean: float, ahead: _Ahead) -> int:
    """`_by_inversion` for one mean."""
    while True:
        uniform = ahead.next_uniform()
        chance = reached = math.exp(-mean)
        for k in range(_LAST + 1):
            if uniform <= reached:
                return k
            chance *= mean / (k + 1)
            reached += chance


class _Ahead:
    """Uniform, normal and exponential numbers, one after the other in any order, from one block of uniform ones."""

    def __init__(self, uniforms: Array) -> None:
        exponential, widths = from_every_place(uniforms)
        self.at = 0
        self.uniform: list[float] = uniforms.tolist()
        self._normal: list[float] = from_pairs(uniforms[:-1], uniforms[1:]).tolist()
        self._exponential: list[float] = exponential.tolist()
        self._widths: list[int] = widths.tolist()

    def next_uniform(self) -> float:
        self.at += 1
        return self.uniform[self.at - 1]

    def next_normal(self) -> float:
        self.at += 2
        return self._normal[self.at - 2]

    def next_exponential(self) -> float:
        at = self.at
        self.at += self._widths[at]
        return self._exponential[at]


class _Corrected:
    """One mean's constants, in the paper's letters, and a draw."""

    def __init__(self, mean: float) -> None:
        self.mean = mean
        self.s = math.sqrt(mean)
        self.omega = _DENSITY / self.s
        b1 = 1 / (24 * mean)
        b2 = 0.3 * b1 * b1
        self.c3 = b1 * b2 / 7
        self.c2 = b2 - 15 * self.c3
        self.c1 = b1 - 6 * b2 + 45 * self.c3
        self.c0 = 1 - b1 + 3 * b2 - 15 * self.c3

    def draw(self, ahead: _Ahead) -> int:
        """Steps N, I, S, Q (a normal number, nearly always right), then E and H (a double exponential one)."""
        normal = self.mean + self.s * ahead.next_normal()
        if normal >= 0:
            k = math.floor(normal)
            if k >= math.floor(self.mean - 1.1484):
                return k
            below, u = self.mean - k, ahead.next_uniform()
            if 6 * self.mean * self.mean * u >= below**3:
                return k
            px, py, fx, fy = self._densities(k)
            if fy - u * fy <= py * math.exp(px - fx):
                return k
        while True:
            e = ahead.next_exponential()
            u = 2 * ahead.next_uniform() - 1
            t = 1.8 + math.copysign(e, u)
            if t <= -0.6744:
                continue
            k = math.floor(self.mean + self.s * t)
            px, py, fx, fy = self._densities(k)
            if 0.1069 / self.mean * abs(u) <= py * math.exp(px + e) - fy * math.exp(fx + e):
                return k

    def _densities(self, k: int) -> tuple[float, float, float, float]:
        """Procedure F: the Poisson probability of k is py exp(px), that of the discretised normal fy exp(fx)."""
        below = self.mean - k
        if k < 10:
            px, py = -self.mean, self.mean**k / math.factorial(k)
        else:
            delta = 1 / (12 * k)
            delta -= 4.8 * delta**3
            v = below / k
            if abs(v) <= 0.25:
                polynomial = 0.0
                for coefficient in _A:
                    polynomial = polynomial * v + coefficient
                px = k * v * v * polynomial - delta
            else:
                px = k * math.log(1 + v) - below - delta
            py = _DENSITY / math.sqrt(k)
        x = (0.5 - below) / self.s
        square = x * x
        fy = self.omega * (((self.c3 * square + self.c2) * square + self.c1) * square + self.c0)
        return px, py, -0.5 * square, fy
