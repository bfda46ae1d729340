"""Binomial numbers as R makes them: by inversion where few successes are expected, else by BTPE.

Method: Kachitvichyanukul & Schmeiser (1988), Binomial random variate generation, Communications of the ACM 31,
216–222, algorithms BINV (n p < 30) and BTPE, for the rarer of success and failure. BTPE takes two uniform numbers an
attempt, so a whole block of attempts is tried at once and the first accepted ones are kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.replay.words import Array, Words

_FEW = 30.0  # expected successes below which inversion is used
_MOST = 110  # an inversion that gets past so many begins anew; below 30 expected ones that never happens in practice

Counts = NDArray[np.int64]


def binomials(words: Words, size: Counts, prob: Array) -> Counts:
    """One number for every pair of `size` and `prob`; certain ones (no trial, or prob 0 or 1) take no random number."""
    values = np.where(prob == 1, size, 0)
    rarer = np.minimum(prob, 1 - prob)
    open_ = np.flatnonzero((rarer > 0) & (size > 0))
    few = size[open_] * rarer[open_] < _FEW
    for run in _runs(open_, few, size, prob):
        n, p = size[run], rarer[run]
        drawn = _by_inversion(words, n, p) if n[0] * p[0] < _FEW else _by_btpe(words, int(n[0]), float(p[0]), len(run))
        values[run] = np.where(prob[run] > 0.5, n - drawn, drawn)
    return values


def _runs(at: Counts, few: NDArray[np.bool_], size: Counts, prob: Array) -> list[Counts]:
    """Neighbours that can be drawn together: all by inversion, or all by BTPE with the same parameters."""
    if not at.size:
        return []
    same = (np.diff(size[at]) == 0) & (np.diff(prob[at]) == 0)
    together = (few[1:] & few[:-1]) | (same & ~few[1:] & ~few[:-1])
    return np.split(at, np.flatnonzero(~together) + 1)


def _by_inversion(words: Words, n: Counts, p: Array) -> Counts:
    """BINV: the probabilities of 0, 1, 2, … successes are taken off a uniform number until it is used up."""
    values = np.zeros(len(n), dtype=np.int64)
    left = words.take(len(n)).copy()
    at = np.arange(len(n))
    odds = p / (1 - p)
    chance = _power(1 - p, n)
    for successes in range(1, _MOST + 2):
        going_on = left >= chance
        at, odds, left, chance = at[going_on], odds[going_on], left[going_on] - chance[going_on], chance[going_on]
        if not at.size:
            break
        values[at] = successes
        chance *= (n[at] + 1) * odds / successes - odds
    return values


def _power(base: Array, exponent: Counts) -> Array:
    """base^exponent by squaring, from the lowest bit up, whose rounding shows where there are very many trials."""
    result = np.ones(len(base))
    while exponent.any():
        result = np.where(exponent & 1, result * base, result)
        base, exponent = base * base, exponent >> 1
    return result


def _by_btpe(words: Words, n: int, p: float, count: int) -> Counts:
    """BTPE with p ≤ 1/2: `count` numbers, block by block of attempts."""
    hat = _Hat.of(n, p)
    values: list[Counts] = []
    while count:
        pairs = int(count * hat.attempts * 1.1) + 16
        uniforms = words.peek(2 * pairs)
        drawn, accepted = hat.attempt(uniforms[::2], uniforms[1::2])
        used = np.flatnonzero(accepted)[:count]
        values.append(drawn[used])
        words.skip(2 * (int(used[-1]) + 1 if len(used) == count else pairs))
        count -= len(used)
    return np.concatenate(values)


@dataclass(frozen=True)
class _Hat:
    """The curve above the binomial probabilities, in the paper's letters: triangle, parallelogram, two tails."""

    n: int
    r: float  # probability of success, at most 1/2
    nrq: float
    mode: int
    centre: float
    left: float
    right: float
    c: float
    lambda_left: float
    lambda_right: float
    p1: float
    p2: float
    p3: float
    p4: float

    @classmethod
    def of(cls, n: int, r: float) -> _Hat:
        """Step 0 of BTPE."""
        q = 1 - r
        nrq = n * r * q
        f_m = n * r + r
        mode = int(f_m)
        p1 = int(2.195 * math.sqrt(nrq) - 4.6 * q) + 0.5
        centre = mode + 0.5
        left, right = centre - p1, centre + p1
        c = 0.134 + 20.5 / (15.3 + mode)
        a = (f_m - left) / (f_m - left * r)
        lambda_left = a * (1 + a / 2)
        a = (right - f_m) / (right * q)
        lambda_right = a * (1 + a / 2)
        p2 = p1 * (1 + c + c)
        p3 = p2 + c / lambda_left
        p4 = p3 + c / lambda_right
        return cls(n, r, nrq, mode, centre, left, right, c, lambda_left, lambda_right, p1, p2, p3, p4)

    @property
    def attempts(self) -> float:
        """Attempts a number: the area below the hat over that below the probabilities, scaled to 1 at the mode."""
        return self.p4 / math.sqrt(2 * math.pi * self.nrq)

    def attempt(self, first: Array, second: Array) -> tuple[Counts, NDArray[np.bool_]]:
        """Steps 1 to 6 for every pair of uniform numbers: a value, and whether it is accepted."""
        u, v = first * self.p4, second.copy()
        value = self.centre - self.p1 * v + u  # step 1, the triangle: accepted at once
        accepted = u <= self.p1
        beside = (u > self.p1) & (u <= self.p2)  # step 2, the parallelogram
        x = self.left + (u - self.p1) / self.c
        value[beside] = x[beside]
        v = np.where(beside, v * self.c + 1 - np.abs(self.centre - x) / self.p1, v)
        tail = (u > self.p2) & (u <= self.p3)  # step 3, the left tail
        value[tail] = np.floor(self.left + np.log(v[tail]) / self.lambda_left)
        v[tail] *= (u[tail] - self.p2) * self.lambda_left
        tail = u > self.p3  # step 4, the right tail
        value[tail] = self.right - np.log(v[tail]) / self.lambda_right
        v[tail] *= (u[tail] - self.p3) * self.lambda_right
        y = np.floor(value).astype(np.int64)
        open_ = np.flatnonzero(~accepted & (y >= 0) & (y <= self.n) & (v > 0) & ~(beside & (v > 1)))
        accepted[open_] = self._below(y[open_], v[open_])
        return y, accepted

    def _below(self, y: Counts, v: Array) -> NDArray[np.bool_]:
        """Step 5: whether v lies below f(y) = P(y) / P(mode)."""
        k = np.abs(y - self.mode)
        near = (k <= 20) | (k >= self.nrq / 2 - 1)
        below = np.empty(len(y), dtype=np.bool_)
        below[near] = v[near] <= self._ratios(y[near])
        below[~near] = self._squeezed(y[~near], k[~near].astype(np.float64), np.log(v[~near]))
        return below

    def _ratios(self, y: Counts) -> Array:
        """Step 5.1: f(y) by the recursion of the probabilities, from the mode up and down to the outermost y."""
        if not y.size:
            return np.empty(0)
        s = self.r / (1 - self.r)
        a = s * (self.n + 1)
        low, high = min(int(y.min()), self.mode), max(int(y.max()), self.mode)
        up = np.cumprod(a / np.arange(self.mode + 1, high + 1) - s)
        down = np.cumprod(a / np.arange(self.mode, low, -1) - s)
        table = np.concatenate([1 / down[::-1], [1.0], up])
        return table[y - low]

    def _squeezed(self, y: Counts, k: Array, log_v: Array) -> NDArray[np.bool_]:
        """Steps 5.2 and 5.3: two bounds for log f(y), and Stirling's formula in between."""
        n, r, mode = self.n, self.r, self.mode
        rho = (k / self.nrq) * ((k * (k / 3 + 0.625) + 1 / 6) / self.nrq + 0.5)
        t = -k * k / (2 * self.nrq)
        x1, f1, z, w = y + 1.0, mode + 1.0, n + 1.0 - mode, n - y + 1.0
        bound: Array = (
            self.centre * np.log(f1 / x1)
            + (n - mode + 0.5) * np.log(z / w)
            + (y - mode) * np.log(w * r / (x1 * (1 - r)))
            + _stirling(f1) + _stirling(z) + _stirling(x1) + _stirling(w)
        )  # fmt: skip
        below: NDArray[np.bool_] = (log_v < t - rho) | ((log_v <= t + rho) & (log_v <= bound))
        return below


def _stirling(x: Any) -> Any:
    """What Stirling's formula for the logarithm of a factorial leaves over."""
    square = x * x
    return (13860 - (462 - (132 - (99 - 140 / square) / square) / square) / square) / x / 166320
